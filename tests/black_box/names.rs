//! Names, numbers and paths on the command line and in sweep files, in the forms that people use.

use crate::common::{TINY, Workplace, tiny_on_disk};

#[test]
fn names_unsuitable_for_folders_or_commands_are_refused() {
    let place = Workplace::new();
    let long = "x".repeat(65);
    let names = [
        "-x",
        "--help",
        "-",
        ".",
        "..",
        "...",
        ".x",
        "a/b",
        "../a",
        "a\\\\b",
        "a\\u0007b",
        "a\\nb",
        "a b",
        " ",
        "",
        "é",
        &long,
    ];
    for name in names {
        place.write("tiny.toml", &TINY.replace("\"tiny\"", &format!("\"{name}\"")));
        let outcome = place.run(&["sweep", "tiny.toml"]);
        assert_eq!(outcome.code, Some(2), "{name:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("expected at most 64 letters"), "{name:?}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains('\u{7}'), "a terminal would interpret it");
    }
    assert_eq!(place.run(&["sweep", "tiny.toml", "--set", "name=-x"]).code, Some(2));
    assert!(!place.path("didact.db").exists() && !place.path("reports").exists());
}

#[test]
fn invalid_numbers_and_times_are_refused_with_valid_ones() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    let cases = [
        ("--max-trials", "0", "at least 1"),
        ("--max-trials", "-1", "at least 1"),
        ("--max-failures", "0", "1.."),
        ("--jobs", "0", "1..=256"),
        ("--workers-per-gpu", "0", "1..=64"),
        ("--stage-timeout", "0s", "more than 0"),
        ("--stage-timeout", "90", "1h30m"),
        ("--time-limit", "90", "1h30m"),
        ("--time-limit", "30M", "1h30m"),
        ("--time-limit", "soon", "1h30m"),
        ("--memory", "0", "4G"),
    ];
    for (flag, value, right) in cases {
        let outcome = place.run(&["sweep", "tiny.toml", &format!("{flag}={value}")]);
        assert_eq!(outcome.code, Some(2), "{flag} {value}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(right), "{flag} {value}: {}", outcome.stderr);
    }
    assert!(!place.path("didact.db").exists());
    for limit in ["1h30m", "2d", "1h 30m", "0.5h"] {
        place.succeed(&["sweep", "tiny.toml", "--dry-run", "--time-limit", limit, "--stage-timeout", limit]);
    }
}

#[test]
fn the_home_folder_is_expanded_in_flags_variables_and_sweep_files() {
    let place = Workplace::new();
    let home = place.path("home");
    std::fs::create_dir(&home).expect("created");
    let run = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env("HOME", &home).env("DIDACT_ARTIFACTS", "~/artifacts");
        let outcome = place.outcome(&command.output().expect("starts"));
        assert_eq!(outcome.code, Some(0), "{arguments:?}: {}", outcome.stderr);
        outcome.stdout
    };
    run(&["data", "synth", "~/data", "--side", "32"]);
    let demo = include_bytes!("../../src/model/weights/demo.safetensors");
    std::fs::write(home.join("teacher.safetensors"), demo).expect("written");
    let file =
        tiny_on_disk().replace("root = \"data\"", "root = \"~/data\"").replace("\"demo\"", "\"~/teacher.safetensors\"");
    place.write("home/tiny.toml", &file);
    run(&["sweep", "~/tiny.toml", "--store=~/runs.db", "--no-report", "--jobs", "1", "--max-trials", "1"]);
    assert!(home.join("runs.db").is_file() && home.join("artifacts/joint").is_dir());
    assert!(!place.path("~").exists());
    let status = place.command(&["status"]).env("HOME", &home).env("DIDACT_STORE", "sqlite:~/runs.db").output();
    assert_eq!(place.outcome(&status.expect("starts")).code, Some(0));
    // didact does not look up `~user`.
    let other = place.run(&["data", "check", "~nobody/data"]);
    assert!(other.code == Some(3) && other.stderr.contains("[folder]/~nobody/data"), "{}", other.stderr);
}
