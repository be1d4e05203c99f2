//! Validates sweep files against the schema. The validator knows the keywords that the schema uses, and panics at any other keyword.

use std::path::Path;

use serde_json::{Map, Value as Json};

use super::schema;

/// Returns the errors in a value, each with its place.
fn errors(root: &Json, schema: &Json, value: &Json, place: &str) -> Vec<String> {
    let schema = schema.as_object().expect("a schema");
    schema.iter().flat_map(|(keyword, rule)| keyword_errors(root, schema, (keyword, rule), value, place)).collect()
}

fn keyword_errors(
    root: &Json,
    schema: &Map<String, Json>,
    (keyword, rule): (&str, &Json),
    value: &Json,
    place: &str,
) -> Vec<String> {
    let error_if = |wrong: bool| if wrong { vec![format!("{place}: {keyword} {rule}: {value}")] } else { Vec::new() };
    let number =
        |holds: fn(f64, f64) -> bool| value.as_f64().is_some_and(|v| !holds(v, rule.as_f64().expect("a bound")));
    let items = || value.as_array().into_iter().flatten();
    let members = || value.as_object().into_iter().flatten();
    let passing = || list(rule).iter().filter(|rule| errors(root, rule, value, place).is_empty()).count();
    match keyword {
        "$schema" | "$defs" | "title" | "description" | "default" | "x-taplo" => Vec::new(),
        "$ref" => {
            let pointer = rule.as_str().and_then(|rule| rule.strip_prefix('#')).expect("within the schema");
            errors(root, root.pointer(pointer).expect("a target"), value, place)
        }
        "type" => error_if(match rule.as_str().expect("a type") {
            "object" => !value.is_object(),
            "array" => !value.is_array(),
            "string" => !value.is_string(),
            "boolean" => !value.is_boolean(),
            "integer" => !value.is_u64() && !value.is_i64(),
            "number" => !value.is_number(),
            other => panic!("the type {other}"),
        }),
        "enum" => error_if(!list(rule).contains(value)),
        "minimum" => error_if(number(|value, bound| value >= bound)),
        "maximum" => error_if(number(|value, bound| value <= bound)),
        "exclusiveMinimum" => error_if(number(|value, bound| value > bound)),
        "minItems" => error_if(value.is_array() && items().count() < rule.as_u64().expect("a count") as usize),
        "maxItems" => error_if(items().count() > rule.as_u64().expect("a count") as usize),
        "items" => items().flat_map(|item| errors(root, rule, item, place)).collect(),
        "properties" => members()
            .filter_map(|(name, value)| Some(errors(root, rule.get(name)?, value, &format!("{place}/{name}"))))
            .flatten()
            .collect(),
        "required" => error_if(list(rule).iter().any(|name| value.get(name.as_str().expect("a name")).is_none())),
        "additionalProperties" => {
            let known = |name: &String| schema.get("properties").is_some_and(|known| known.get(name).is_some());
            error_if(rule == &Json::Bool(false) && members().any(|(name, _)| !known(name)))
        }
        "anyOf" => error_if(passing() == 0),
        "oneOf" => error_if(passing() != 1),
        other => panic!("the keyword {other}"),
    }
}

fn list(rule: &Json) -> &[Json] {
    rule.as_array().expect("a list")
}

/// Returns the errors in a sweep file.
fn check(schema: &Json, text: &str) -> Vec<String> {
    errors(schema, schema, &toml::from_str::<Json>(text).expect("TOML"), "")
}

#[test]
fn every_experiment_is_valid() {
    let schema = schema();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let files = std::fs::read_dir(folder).expect("experiments").map(|entry| entry.expect("an entry").path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    assert!(files.len() > 15);
    for path in files {
        let errors = check(&schema, &std::fs::read_to_string(&path).expect("text"));
        assert_eq!(errors, [""; 0], "{}", path.display());
    }
}

#[test]
fn errors_are_reported_with_their_place() {
    let schema = schema();
    let good = "schema = 1\nname = \"n\"\ndata.layout = \"auto\"\nteacher.weights = \"demo\"\n";
    assert_eq!(check(&schema, good), [""; 0]);
    assert_eq!(check(&schema, "schema = 2").len(), 2, "the version, and what is missing");
    let invalid = [
        ("questoin = \"typo\"", ""),
        ("joint.epochs = 0", "/joint/epochs"),
        ("joint.student.learning_rate = \"high\"", "/joint/student/learning_rate"),
        ("joint.student.momentun = 0.9", "/joint/student"),
        ("model.skip = \"conact\"", "/model/skip"),
        ("data.categories = \"some\"", "/data/categories"),
        ("data.held_out = 1.5", "/data/held_out"),
        ("evaluate.border_crop = 257", "/evaluate/border_crop"),
        ("baseline.rerun = \"never\"", "/baseline/rerun"),
        ("search.pruner = { kind = \"asha\", q = 1 }", "/search/pruner"),
        ("search.space.\"model.skp\" = [\"none\"]", "/search/space"),
        ("search.space.\"model.skip\" = [\"conact\"]", "/search/space/model.skip"),
        ("search.space.\"model.depth\" = { int = [1, 2], uniform = [1, 2] }", "/search/space/model.depth"),
        ("search.space.\"model.skip\" = { uniform = [1, 2] }", "/search/space/model.skip"),
    ];
    for (line, place) in invalid {
        let errors = check(&schema, &format!("{good}{line}\n"));
        assert!(matches!(errors.as_slice(), [error] if error.starts_with(&format!("{place}: "))), "{line}: {errors:?}");
    }
    for valid in ["evaluate.border_crop = 256", "search.space.\"model.width\" = { log_uniform = [0.5, 2] }"] {
        assert_eq!(check(&schema, &format!("{good}{valid}\n")), [""; 0], "{valid}");
    }
}
