//! Output for people and programs: help, status, and the verbs for data and weights.

use crate::common::{TINY, Workplace};

#[test]
fn help_names_every_verb_and_the_exit_codes() {
    insta::assert_snapshot!(Workplace::new().succeed(&["--help"]).stdout);
    insta::assert_snapshot!("help_of_sweep", Workplace::new().succeed(&["sweep", "--help"]).stdout);
}

#[test]
fn a_dry_run_shows_the_plan_and_creates_nothing() {
    let place = Workplace::new();
    let space = "[search.space]\n\"model.skip\" = [\"none\", \"concat\"]\n\"pretrain.epochs\" = [1, 2]\n[report]\nvariants = [\"model.skip\"]\n";
    place.write("tiny.toml", &format!("{TINY}\n[search]\nseeds = [0, 1]\n{space}"));
    insta::assert_snapshot!(place.succeed(&["sweep", "tiny.toml", "--dry-run"]).stdout);
    assert!(!place.path("didact.db").exists() && !place.path("didact.artifacts").exists());
}

#[test]
fn a_grid_yields_no_hidden_duplicates() {
    let place = Workplace::new();
    // Skip does not apply without an auto-encoder: three of the six points are ST-FPM, and ST-FPM is the baseline.
    let space = "[search.space]\n\"model.autoencoder\" = [\"none\", \"unet\"]\n\"model.skip\" = [\"none\", \"add\", \"concat\"]\n";
    place.write("tiny.toml", &format!("{TINY}\n{space}"));
    let plan = place.succeed(&["sweep", "tiny.toml", "--dry-run"]).stdout;
    assert!(plan.starts_with("sweep tiny: 4 trials, 4 runs"), "{plan}");
}

#[test]
fn status_is_read_by_people_and_programs() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    insta::assert_snapshot!(place.succeed(&["status"]).stdout);
    let json: serde_json::Value =
        serde_json::from_str(&place.succeed(&["status", "tiny", "--json"]).stdout).expect("JSON");
    assert_eq!(json["runs"][0]["state"], "done");
    // A closed pipe is not an error.
    let piped = place.command(&["status"]).stdout(std::process::Stdio::piped()).spawn().map(|mut child| {
        drop(child.stdout.take());
        child.wait().expect("ends").code()
    });
    assert_eq!(piped.expect("starts"), Some(0));
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    let empty = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        for name in ["DIDACT_STORE", "DIDACT_ARTIFACTS", "DIDACT_DATA", "NO_COLOR"] {
            command.env(name, "");
        }
        place.outcome(&command.output().expect("starts"))
    };
    let swept = empty(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!(swept.code, Some(0), "{}", swept.stderr);
    assert!(place.path("didact.db").is_file() && place.path("didact.artifacts").is_dir());
    assert!(empty(&["status"]).stdout.contains("tiny"));
    // An empty value on the command line is an error.
    assert_eq!(place.run(&["--artifacts", "", "status"]).code, Some(2));
}

#[test]
fn the_demo_weights_are_a_teacher() {
    insta::assert_snapshot!(Workplace::new().succeed(&["weights", "check", "demo"]).stdout);
}

#[test]
fn a_time_limit_ends_a_sweep_orderly_and_cancelled_runs_are_not_claimed() {
    let place = Workplace::new();
    place.write("tiny.toml", &TINY.replace("epochs = 2", "epochs = 2000"));
    let outcome = place.run(&["sweep", "tiny.toml", "--no-report", "--time-limit", "2s"]);
    assert_eq!(outcome.code, Some(130), "runs are left: {}", outcome.stderr);
    assert!(outcome.stderr.contains("the time limit was reached"), "{}", outcome.stderr);
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE state = 'running'"), 0);

    assert!(place.succeed(&["cancel", "tiny"]).stdout.contains("2 runs cancelled"));
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    place.succeed(&["worker", "--sweep", "tiny"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts);
    // Starting the sweep again revives cancelled runs.
    place.run(&["sweep", "tiny.toml", "--no-report", "--time-limit", "1s"]);
    assert!(place.count("SELECT COUNT(*) FROM attempt") > attempts);
    assert_eq!(place.count("SELECT COUNT(*) FROM run WHERE state = 'cancelled'"), 0);
}

#[test]
fn cancelling_a_sweep_keeps_runs_of_other_sweeps() {
    let place = Workplace::new();
    let long = TINY.replace("epochs = 2", "epochs = 2000");
    place.write("one.toml", &long.replace("name = \"tiny\"", "name = \"one\""));
    place.write("two.toml", &long.replace("name = \"tiny\"", "name = \"two\""));
    for file in ["one.toml", "two.toml"] {
        place.run(&["sweep", file, "--no-report", "--time-limit", "0s"]);
    }
    assert!(place.succeed(&["cancel", "one"]).stdout.contains("0 runs cancelled"));
    assert_eq!(place.count("SELECT COUNT(*) FROM run WHERE state = 'cancelled'"), 0);
}
