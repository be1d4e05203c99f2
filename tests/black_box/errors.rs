//! Wrong input gives one clear error (what, where, what to do) and the documented exit code, and loses nothing.

use crate::common::{TINY, Workplace, tiny_on_disk};

/// Returns the exit code and message of a command that must fail.
#[track_caller]
fn fail(place: &Workplace, arguments: &[&str]) -> String {
    let outcome = place.run(arguments);
    assert_ne!(outcome.code, Some(0), "{arguments:?} succeeded: {}", outcome.stdout);
    format!("exit code {}\n{}", outcome.code.expect("not killed"), outcome.stderr)
}

fn place_on_disk() -> Workplace {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "data", "--side", "32"]);
    place.write("tiny.toml", &tiny_on_disk());
    place
}

#[test]
fn all_wrong_fields_are_reported_at_once() {
    let place = Workplace::new();
    place.write(
        "bad.toml",
        r#"schema = 2
name = "no/slash"
questoin = "typo"

[data]
layout = "mvtek"
image_size = 250
categories = ["a", "b", "a"]

[teacher]
architecture = "resnet52"

[model]
skip = "conact"
depth = "two"

[joint]
epochs = 0
batch_size = 1
student = { optimizer = "sgd", learning_rate = -0.1, momentun = 0.9 }
loss = { similarity = 0 }

[search]
strategy = "random"
seeds = [0, 0, -1]

[search.space]
"model.width" = { uniform = [2.0, 1.0] }
"data.root" = ["a", "b"]
"modle.skip" = ["none", "add"]

[report]
variants = ["model.widht"]

[baseline]
published = "stfpm-officialrerun"
"#,
    );
    insta::assert_snapshot!(fail(&place, &["sweep", "bad.toml"]));
    assert!(!place.path("didact.db").exists(), "nothing was started");
}

#[test]
fn invalid_searches() {
    let place = Workplace::new();
    let ends = [
        r#"[search]
strategy = "grid"
objective = "test_pixel_auc"
pruner = { kind = "asha", eta = 1, p = 0.1 }
trials = 5

[search.space]
"model.depth" = { int = [1, 2] }
"model.skip" = { choices = ["add"], wen = { "model.depth" = 1 } }
"#,
        r#"[search]
strategy = "tpe"
pruner = "hyperband"

[search.space]
"model.width" = { uniform = [1.0, 2.0], step = 3.0 }
"joint.batch_size" = { log_int = [0, 8] }
"joint.student.learning_rate" = { log_uniform = [0.1, 0.4], step = 0.1 }
"joint.epochs" = { int = [1, 2], uniform = [1, 2] }
"joint.clip_norm" = 3
"model.depth" = []
"#,
        "[search]\nstrategy = \"tpee\"\ntrials = 5\n[search.space]\n\"joint.epochs\" = { int = [1, 2] }\n",
    ];
    let messages = ends.map(|end| {
        place.write("search.toml", &format!("{TINY}\n{end}"));
        fail(&place, &["sweep", "search.toml"])
    });
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn unreadable_sweep_files() {
    let place = Workplace::new();
    place.write("torn.toml", "schema = 1\nname = \"torn\n[data]\n");
    place.write("tiny.toml", TINY);
    place.write("searched.toml", &format!("{TINY}\n[search.space]\n\"joint.epochs\" = [1, 2]\n"));
    let cases: [&[&str]; 6] = [
        &["sweep", "absent.toml"],
        &["sweep", "searched.toml", "--set", "joint.epochs=3"],
        &["sweep", "tiny.toml", "--set", "joint.clip_norm=inf"],
        &["sweep", "torn.toml"],
        &["sweep", "tiny.toml", "--set", "joint.epochs=many"],
        &["sweep", "tiny.toml", "--set", "joint.epoch=3"],
    ];
    insta::assert_snapshot!(cases.map(|case| fail(&place, case)).join("\n"));
}

#[test]
fn invalid_command_lines() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    let cases: [&[&str]; 5] = [
        &["sweep", "tiny.toml", "--device", "cuda"],
        &["sweep", "tiny.toml", "--time-limit", "soon"],
        &["data", "synth", "drawn", "--side", "7"],
        &["status"],
        &["sweeep"],
    ];
    insta::assert_snapshot!(cases.map(|case| fail(&place, case)).join("\n"));
}

#[test]
fn missing_damaged_or_unsuitable_weights() {
    let place = Workplace::new();
    let demo = include_bytes!("../../src/model/weights/demo.safetensors");
    std::fs::write(place.path("cut.safetensors"), &demo[..demo.len() / 2]).expect("written");
    place.write("text.pth", "not weights");
    write_tensors(
        &place,
        "renamed.safetensors",
        |name| if name == "layer2.0.bn1.bias" { "layer2.0.bn1.biass" } else { name },
    );
    write_tensors(&place, "other.safetensors", |name| match name {
        "layer1.0.conv1.weight" => "layer1.0.bn1.weight",
        "layer1.0.bn1.weight" => "layer1.0.conv1.weight",
        other => other,
    });
    place.write("tiny.toml", TINY);
    let cases = ["absent.safetensors", "cut.safetensors", "text.pth", "renamed.safetensors", "other.safetensors"];
    let messages = cases.map(|file| fail(&place, &["sweep", "tiny.toml", "--set", &format!("teacher.weights={file}")]));
    insta::assert_snapshot!(messages.join("\n"));
    assert!(!place.path("didact.db").exists(), "nothing was started");
}

/// Writes the demo's tensors under other names.
fn write_tensors(place: &Workplace, file: &str, rename: impl Fn(&str) -> &str) {
    let demo = include_bytes!("../../src/model/weights/demo.safetensors");
    let tensors = safetensors::SafeTensors::deserialize(demo).expect("the demo's weights");
    let views: Vec<(String, _)> = tensors.iter().map(|(name, view)| (rename(name).to_owned(), view)).collect();
    safetensors::serialize_to_file(views, None, &place.path(file)).expect("written");
}

#[test]
fn missing_damaged_or_unsuitable_data() {
    let mut messages = Vec::new();
    let mut case = |spoil: &dyn Fn(&Workplace)| {
        let place = place_on_disk();
        spoil(&place);
        messages.push(fail(&place, &["sweep", "tiny.toml", "--no-report"]));
    };
    case(&|place| std::fs::rename(place.path("data"), place.path("elsewhere")).expect("moved"));
    case(&|place| std::fs::rename(place.path("data/weave"), place.path("data/weaves")).expect("moved"));
    case(&|place| {
        let folder = place.path("data/weave/train/good");
        std::fs::remove_dir_all(&folder).expect("removed");
        std::fs::create_dir(&folder).expect("created");
    });
    case(&|place| {
        place.write("data/weave/train/good/007.png", "no image");
    });
    case(&|place| {
        image::GrayImage::new(20, 30).save(place.path("data/weave/ground_truth/hole/002_mask.png")).expect("written");
    });
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn data_checks_of_valid_and_invalid_data() {
    let place = place_on_disk();
    insta::assert_snapshot!("a_sound_data_check", place.succeed(&["data", "check", "data"]).stdout);
    place.write("data/weave/test/hole/001.png", "no image");
    std::fs::remove_file(place.path("data/grain/ground_truth/knot/003_mask.png")).expect("removed");
    let outcome = place.run(&["data", "check", "data"]);
    assert_eq!(outcome.code, Some(3));
    insta::assert_snapshot!("a_data_check_with_problems", outcome.stdout);
}

#[test]
fn unusable_stores() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place.write(
        "text.db",
        "this is not a database, it is a text that is long enough to be looked at as a header of one",
    );
    place.write("empty.db", "");
    let mut messages = vec![
        fail(&place, &["sweep", "tiny.toml", "--store", "absent/folder/didact.db"]),
        fail(&place, &["sweep", "tiny.toml", "--store", "text.db"]),
        fail(&place, &["status", "--store", "empty.db"]),
    ];
    place.succeed(&["sweep", "tiny.toml", "--max-trials", "1", "--no-report"]);
    messages.push(fail(&place, &["status", "other"]));
    messages.push(fail(&place, &["why", "ffff"]));
    let runs = place.query("SELECT id, state FROM run ORDER BY id");
    place.query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9000, '', 1, x'', 0)",
    );
    messages.push(fail(&place, &["sweep", "tiny.toml"]));
    assert_eq!(place.query("SELECT id, state FROM run ORDER BY id"), runs, "a newer store is unchanged");
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn a_report_that_cannot_be_written_keeps_the_old_one() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place.succeed(&["sweep", "tiny.toml", "--max-trials", "1"]);
    place.write("a-file", "");
    let output = fail(&place, &["report", "--out", "a-file/report"]);
    assert!(
        output.starts_with("exit code 4") && output.contains("a-file/report") && output.contains("another folder"),
        "{output}"
    );
    assert!(place.path("reports/tiny/index.html").is_file());
}
