//! Tags and notes of sweeps: `didact tag`, `didact note`, and what becomes of them in copies, merges and deletions.

use crate::common::{CommandOutcome, TINY, Workplace};

/// Plans a sweep of this name and seed without training.
fn plan(place: &Workplace, name: &str, seed: u32) {
    let named = format!("name={name}");
    let seeds = format!("search.seeds=[{seed}]");
    place.write("tiny.toml", TINY);
    let settings = ["--set", &named, "--set", &seeds];
    let planned = place.run(&[&["sweep", "tiny.toml", "--no-report", "--time-limit", "0s"][..], &settings].concat());
    assert_eq!(planned.code, Some(130), "{}", planned.stderr);
}

fn planned(name: &str, seed: u32) -> Workplace {
    let place = Workplace::new();
    plan(&place, name, seed);
    place
}

/// Returns everything in the store that a plan determines, and the time of the last plan.
fn plans(place: &Workplace) -> [Vec<String>; 4] {
    [
        "SELECT id, name, plan, generation, updated_at FROM sweep ORDER BY name",
        "SELECT id, settings FROM trial ORDER BY id",
        "SELECT id, state FROM run ORDER BY id",
        "SELECT id, kind, state FROM stage ORDER BY id",
    ]
    .map(|sql| place.query(sql))
}

#[track_caller]
fn assert_remarks(place: &Workplace, sweep: &str, tags: &str, note: &str) {
    assert_eq!(place.succeed(&["tag", sweep]).stdout.trim_end(), tags);
    assert_eq!(place.succeed(&["note", sweep]).stdout.trim_end(), note);
}

#[track_caller]
fn assert_refused(outcome: &CommandOutcome, why: &str) {
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.contains(why), "{}", outcome.stderr);
}

#[test]
fn tags_and_notes_are_shown_filtered_changed_and_removed() {
    let place = planned("one", 0);
    plan(&place, "two", 1);
    let before = plans(&place);
    assert_remarks(&place, "one", "sweep one has no tags", "sweep one has no note");
    assert!(!place.succeed(&["status", "one"]).stdout.contains("tags:"));

    assert_eq!(place.succeed(&["tag", "one", "paper", "fig:2", "paper"]).stdout, "tags of one: fig:2, paper\n");
    assert_eq!(place.succeed(&["tag", "two", "paper"]).stdout, "tags of two: paper\n");
    assert_eq!(place.succeed(&["note", "one", "Smaller images.\nSee §3."]).stdout, "Smaller images.\nSee §3.\n");
    let status = place.succeed(&["status", "one"]).stdout;
    assert!(status.contains("\ntags: fig:2, paper\nnote: Smaller images.\nSee §3.\n"), "{status}");
    let json = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&place.succeed(arguments).stdout).expect("JSON")
    };
    let status = json(&["status", "one", "--json"]);
    assert_eq!((&status["tags"][1], &status["note"]), (&"paper".into(), &"Smaller images.\nSee §3.".into()));

    let listed = place.succeed(&["list"]).stdout;
    assert!(listed.lines().any(|line| line.starts_with("one ") && line.contains(" fig:2, paper ")), "{listed}");
    let names = |tags: &[&str]| {
        let list = json(&[&["list", "--json"], tags].concat());
        let names = list.as_array().expect("a list").iter().map(|sweep| sweep["name"].as_str().expect("a name"));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&["--tag", "paper"]), ["two", "one"]);
    assert_eq!(names(&["--tag", "paper", "--tag", "fig:2"]), ["one"]);
    let list = json(&["list", "--json", "--tag", "fig:2"]);
    assert_eq!((&list[0]["tags"][0], &list[0]["note"]), (&"fig:2".into(), &"Smaller images.\nSee §3.".into()));
    assert_eq!(place.succeed(&["list", "--tag", "none"]).stdout, "no sweep has these tags\n");
    assert_eq!(plans(&place), before, "no plan changed");

    place.succeed(&["rename", "one", "first"]);
    assert_remarks(&place, "first", "tags of first: fig:2, paper", "Smaller images.\nSee §3.");
    assert_eq!(place.succeed(&["tag", "first", "b", "--remove", "paper"]).stdout, "tags of first: b, fig:2\n");
    assert_eq!(place.succeed(&["note", "first", "Done."]).stdout, "Done.\n");
    assert_eq!(place.succeed(&["store", "check"]).stdout, "the store and its artifacts are intact\n");
    place.succeed(&["note", "first", "--remove"]);
    place.succeed(&["tag", "first", "--remove", "b", "--remove", "fig:2"]);
    assert_remarks(&place, "first", "sweep first has no tags", "sweep first has no note");
}

#[test]
fn unsuitable_tags_and_notes_are_refused_and_change_nothing() {
    let place = planned("one", 0);
    place.succeed(&["tag", "one", "kept"]);
    for tag in ["a b", "", "ü", &"x".repeat(41)] {
        assert_refused(&place.run(&["tag", "one", tag]), "expected at most 40 letters, digits");
    }
    assert_refused(&place.run(&["list", "--tag", "a b"]), "expected at most 40 letters, digits");
    assert_refused(&place.run(&["tag", "one", "new", "--remove", "typo"]), "has no tag `typo`; its other tags: kept");
    let many: Vec<String> = (0..32).map(|number| format!("t{number}")).collect();
    let many: Vec<&str> = ["tag", "one"].into_iter().chain(many.iter().map(String::as_str)).collect();
    assert_refused(&place.run(&many), "would have 33 tags; expected at most 32");
    assert_refused(&place.run(&["note", "one", " "]), "the note is empty");
    let long = "x".repeat(10_001);
    assert_refused(&place.run(&["note", "one", &long]), "has 10001 characters; expected at most 10000");
    assert_refused(&place.run(&["note", "one", "a\u{1b}[2J"]), "has control characters");
    assert_refused(&place.run(&["note", "one", "text", "--remove"]), "cannot be used with");
    for verb in ["tag", "note"] {
        assert_refused(&place.run(&[verb, "other", "text"]), "there is no sweep `other`");
    }
    assert_remarks(&place, "one", "tags of one: kept", "sweep one has no note");
}

#[test]
fn a_deleted_sweep_takes_its_tags_and_its_note_with_it() {
    let place = planned("one", 0);
    place.succeed(&["tag", "one", "a"]);
    place.succeed(&["note", "one", "b"]);
    place.succeed(&["delete", "one", "--yes"]);
    assert_eq!(place.count("SELECT (SELECT COUNT(*) FROM sweep_tags) + (SELECT COUNT(*) FROM sweep_notes)"), 0);
    assert_eq!(place.succeed(&["store", "check"]).stdout, "the store and its artifacts are intact\n");
}

#[test]
fn a_merge_unites_tags_and_keeps_both_notes() {
    let (ours, theirs) = (planned("tiny", 0), planned("tiny", 0));
    plan(&theirs, "new", 1);
    for (place, sweep, tag, note) in
        [(&ours, "tiny", "a", "Ours."), (&theirs, "tiny", "b", "Theirs."), (&theirs, "new", "c", "New.")]
    {
        place.succeed(&["tag", sweep, "both", tag]);
        place.succeed(&["note", sweep, note]);
    }
    let folder = theirs.path("didact.artifacts").display().to_string();
    for _ in 0..2 {
        ours.succeed(&["store", "merge", &theirs.store(), "--from-artifacts", &folder]);
        assert_remarks(&ours, "tiny", "tags of tiny: a, b, both", "Ours.\n\nTheirs.");
        assert_remarks(&ours, "new", "tags of new: both, c", "New.");
    }
    assert_remarks(&theirs, "tiny", "tags of tiny: b, both", "Theirs.");
    assert_eq!(ours.succeed(&["store", "check"]).stdout, "the store and its artifacts are intact\n");
}

#[test]
fn copies_and_backups_carry_tags_and_notes() {
    let place = Workplace::on_file();
    plan(&place, "one", 0);
    place.succeed(&["tag", "one", "a"]);
    place.succeed(&["note", "one", "b"]);
    place.succeed(&["store", "copy", "didact.db", "copy.db"]);
    place.succeed(&["store", "backup", "backup.db"]);
    for copy in ["copy.db", "backup.db"] {
        assert_eq!(place.succeed(&["--store", copy, "tag", "one"]).stdout, "tags of one: a\n");
        assert_eq!(place.succeed(&["--store", copy, "note", "one"]).stdout, "b\n");
    }
}
