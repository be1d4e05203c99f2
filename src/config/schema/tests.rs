//! Sweep files against the schema. The validator knows the keywords that the schema uses, and panics at any other.

use std::path::Path;

use serde_json::{Map, Value as Json};

use super::schema;

/// What is wrong with a value, each with its place.
fn refused(root: &Json, schema: &Json, value: &Json, place: &str) -> Vec<String> {
    let schema = schema.as_object().expect("a schema");
    schema.iter().flat_map(|(keyword, rule)| refused_by(root, schema, (keyword, rule), value, place)).collect()
}

fn refused_by(
    root: &Json,
    schema: &Map<String, Json>,
    (keyword, rule): (&str, &Json),
    value: &Json,
    place: &str,
) -> Vec<String> {
    let told = |wrong: bool| if wrong { vec![format!("{place}: {keyword} {rule}: {value}")] } else { Vec::new() };
    let number =
        |least: fn(f64, f64) -> bool| value.as_f64().is_some_and(|v| !least(v, rule.as_f64().expect("a bound")));
    let items = || value.as_array().into_iter().flatten();
    let members = || value.as_object().into_iter().flatten();
    let passing = || list(rule).iter().filter(|rule| refused(root, rule, value, place).is_empty()).count();
    match keyword {
        "$schema" | "$defs" | "title" | "description" | "default" | "x-taplo" => Vec::new(),
        "$ref" => {
            let pointer = rule.as_str().and_then(|rule| rule.strip_prefix('#')).expect("within the schema");
            refused(root, root.pointer(pointer).expect("a target"), value, place)
        }
        "type" => told(match rule.as_str().expect("a type") {
            "object" => !value.is_object(),
            "array" => !value.is_array(),
            "string" => !value.is_string(),
            "boolean" => !value.is_boolean(),
            "integer" => !value.is_u64() && !value.is_i64(),
            "number" => !value.is_number(),
            other => panic!("the type {other}"),
        }),
        "enum" => told(!list(rule).contains(value)),
        "minimum" => told(number(|value, bound| value >= bound)),
        "maximum" => told(number(|value, bound| value <= bound)),
        "exclusiveMinimum" => told(number(|value, bound| value > bound)),
        "minItems" => told(value.is_array() && items().count() < rule.as_u64().expect("a count") as usize),
        "maxItems" => told(items().count() > rule.as_u64().expect("a count") as usize),
        "items" => items().flat_map(|item| refused(root, rule, item, place)).collect(),
        "properties" => members()
            .filter_map(|(name, value)| Some(refused(root, rule.get(name)?, value, &format!("{place}/{name}"))))
            .flatten()
            .collect(),
        "required" => told(list(rule).iter().any(|name| value.get(name.as_str().expect("a name")).is_none())),
        "additionalProperties" => {
            let known = |name: &String| schema.get("properties").is_some_and(|known| known.get(name).is_some());
            told(rule == &Json::Bool(false) && members().any(|(name, _)| !known(name)))
        }
        "anyOf" => told(passing() == 0),
        "oneOf" => told(passing() != 1),
        other => panic!("the keyword {other}"),
    }
}

fn list(rule: &Json) -> &[Json] {
    rule.as_array().expect("a list")
}

/// What is wrong with a sweep file.
fn check(schema: &Json, text: &str) -> Vec<String> {
    refused(schema, schema, &toml::from_str::<Json>(text).expect("TOML"), "")
}

#[test]
fn every_experiment_is_valid() {
    let schema = schema();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let files = std::fs::read_dir(folder).expect("experiments").map(|entry| entry.expect("an entry").path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    assert!(files.len() > 15);
    for path in files {
        let told = check(&schema, &std::fs::read_to_string(&path).expect("text"));
        assert_eq!(told, [""; 0], "{}", path.display());
    }
}

#[test]
fn wrong_files_are_refused_in_their_place() {
    let schema = schema();
    let good = "schema = 1\nname = \"n\"\ndata.layout = \"auto\"\nteacher.weights = \"demo\"\n";
    assert_eq!(check(&schema, good), [""; 0]);
    assert_eq!(check(&schema, "schema = 2").len(), 2, "the version, and what is missing");
    let wrong = [
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
    for (line, place) in wrong {
        let told = check(&schema, &format!("{good}{line}\n"));
        assert!(matches!(told.as_slice(), [one] if one.starts_with(&format!("{place}: "))), "{line}: {told:?}");
    }
    for right in ["evaluate.border_crop = 256", "search.space.\"model.width\" = { log_uniform = [0.5, 2] }"] {
        assert_eq!(check(&schema, &format!("{good}{right}\n")), [""; 0], "{right}");
    }
}
