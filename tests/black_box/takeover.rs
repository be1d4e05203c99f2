//! Two sweep files of one name, two starts of one file, and renamed sweeps.

use crate::common::{TINY, Workplace, two_long_trials};
use crate::processes::wait_for;

fn quick() -> String {
    TINY.replace("depth = 1", "autoencoder = \"none\"").replace("epochs = 2", "epochs = 1")
}

fn trials(place: &Workplace) -> i64 {
    place.count("SELECT COUNT(*) FROM sweep_trial")
}

#[test]
fn another_file_of_the_same_name_needs_a_flag() {
    let place = Workplace::new();
    place.write("a.toml", &quick());
    place.write("b.toml", &quick().replace("epochs = 1\n", "epochs = 3\n"));
    place.succeed(&["sweep", "a.toml"]);
    let page = std::fs::read(place.path("reports/tiny/index.html")).expect("a page");
    for arguments in [&["sweep", "b.toml"][..], &["sweep", "--set", "name=tiny"]] {
        let refused = place.run(arguments);
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        for part in ["`tiny` was made from another file, [folder]/a.toml", "--replace", "--set name="] {
            assert!(refused.stderr.contains(part), "{part}\n{}", refused.stderr);
        }
    }
    assert_eq!(std::fs::read(place.path("reports/tiny/index.html")).expect("a page"), page);
    assert_eq!(place.query("SELECT json_extract(settings, '$.joint.epochs') FROM trial"), ["1"]);

    // A file that is moved, copied, edited, spelt differently or named on the command line is the same file.
    std::fs::rename(place.path("a.toml"), place.path("moved.toml")).expect("moved");
    place.succeed(&["sweep", "moved.toml", "--no-report"]);
    place.write("moved.toml", &quick().replace("Does it run?", "Does it run still?"));
    place.succeed(&["sweep", &place.path("moved.toml").display().to_string(), "--no-report"]);
    place.succeed(&["sweep", "b.toml", "--no-report", "--set", "name=other"]);
    assert_eq!(place.query("SELECT name FROM sweep ORDER BY name"), ["other", "tiny"]);

    let replaced = place.succeed(&["sweep", "b.toml", "--no-report", "--replace"]).stderr;
    assert!(
        replaced.contains("the sweep has changed: 1 trial added (T02 ST-FPM), 1 removed (T01 ST-FPM)"),
        "{replaced}"
    );
}

#[test]
fn a_process_whose_sweep_was_replanned_reports_it_and_ends() {
    let place = Workplace::new();
    place.write("tiny.toml", &two_long_trials().replace("epochs = 40", "epochs = 3000"));
    let mut first = place.start("first.log", &["sweep", "tiny.toml", "--no-report"]);
    first.wait_for_output("sweep tiny: ");
    // Another file is refused, and the first process reports it.
    place.write("other.toml", &quick());
    assert_eq!(place.run(&["sweep", "other.toml", "--no-report"]).code, Some(2));
    first.wait_for_output("other.toml, was started as tiny and refused");
    // The same file runs concurrently; after an edit, it takes over.
    let concurrent = place.run(&["sweep", "tiny.toml", "--no-report", "--time-limit", "0s"]);
    assert_eq!(concurrent.code, Some(130), "{}", concurrent.stderr);
    assert!(!first.output().contains("superseded"), "{}", first.output());
    place.write("tiny.toml", &quick());
    let second = place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert!(second.stderr.contains("1 of 1 runs done"), "{}", second.stderr);
    assert_eq!(first.end(), 130, "{}", first.output());
    assert!(
        first.output().contains("superseded: another process started this sweep with a different plan"),
        "{}",
        first.output()
    );
    assert!(!first.output().contains("runs done, 0 failed"), "{}", first.output());
}

#[test]
fn sweeps_are_listed_renamed_and_deleted() {
    let place = Workplace::new();
    place.write("tiny.toml", &quick());
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "name=more", "--set", "search.seeds=[0, 1]"]);
    let list = place.succeed(&["list"]).stdout;
    assert!(list.lines().nth(1).is_some_and(|line| line.starts_with("more   done   1       2     2     0")), "{list}");
    let json: serde_json::Value = serde_json::from_str(&place.succeed(&["list", "--json"]).stdout).expect("JSON");
    assert_eq!((&json[1]["name"], &json[1]["runs"]), (&"tiny".into(), &1.into()));

    assert_eq!(place.run(&["rename", "tiny", "more"]).code, Some(2), "taken");
    assert_eq!(place.run(&["rename", "tiny", "-x y"]).code, Some(2), "no name");
    let output = place.succeed(&["rename", "tiny", "first"]).stdout;
    assert!(output.contains("its file still has name = \"tiny\"") && output.contains("--set name=first"), "{output}");
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "name=first"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM sweep"), 2, "it continues under its new name");

    assert_eq!(place.run(&["delete", "more"]).code, Some(2), "nobody can confirm");
    let output = place.succeed(&["delete", "more", "--yes"]).stdout;
    assert!(output.contains("with 1 run; other sweeps need 1 run, which is kept"), "{output}");
    assert_eq!(place.query("SELECT seed, state FROM run"), ["0|done"]);
    assert_eq!(place.count("SELECT COUNT(DISTINCT run_id) FROM result"), 1);
    place.succeed(&["gc"]);
    assert_eq!(
        place.count("SELECT COUNT(*) FROM artifact a JOIN stage s ON s.id = a.stage_id WHERE s.kind = 'joint'"),
        1
    );
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "name=first"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts, "stages of the other sweep were kept");
}

#[test]
fn a_running_sweep_cannot_be_deleted_or_renamed() {
    let place = Workplace::new();
    place.write("tiny.toml", &two_long_trials().replace("epochs = 40", "epochs = 3000"));
    let mut sweep = place.start("sweep.log", &["sweep", "tiny.toml", "--no-report"]);
    sweep.wait_for_output("sweep tiny: ");
    wait_for("a worker", || place.count("SELECT COUNT(*) FROM worker WHERE stopped_at IS NULL") == 1);
    for arguments in [&["delete", "tiny", "--yes"][..], &["rename", "tiny", "other"]] {
        let refused = place.run(arguments);
        assert_eq!(refused.code, Some(2));
        assert!(refused.stderr.contains("the sweep `tiny` is running (1 worker"), "{}", refused.stderr);
    }
    sweep.signal(libc::SIGINT);
    assert_eq!(sweep.end(), 130);
    place.succeed(&["delete", "tiny", "--yes"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM sweep"), 0);
    assert_eq!(place.count("SELECT COUNT(*) FROM run"), 0);
}

#[test]
fn trials_keep_their_ids_and_are_named_by_them() {
    let place = Workplace::new();
    let rates = |rates: &str| {
        format!("{}\n[search.space]\n\"joint.student.learning_rate\" = [{rates}]\n[baseline]\nrerun = false\n", quick())
    };
    let titles = || place.query("SELECT title FROM sweep_trial ORDER BY number");
    place.write("tiny.toml", &rates("0.1, 0.2"));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!(titles(), ["T01 learning_rate=0.1", "T02 learning_rate=0.2"]);
    place.write("tiny.toml", &rates("0.3, 0.2"));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!(titles(), ["T02 learning_rate=0.2", "T03 learning_rate=0.3"], "T01 is not reused");
    place.write("tiny.toml", &rates("0.4, 0.1"));
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "search.seeds=[0, 1]", "--only", "t4"]);
    assert_eq!(titles(), ["T01 learning_rate=0.1", "T04 learning_rate=0.4"]);
    assert_eq!(place.query("SELECT COUNT(*) FROM run WHERE state = 'pending'"), ["1"], "only T04 has run");

    let status = place.succeed(&["status"]).stdout;
    assert!(status.contains("weave     T01 learning_rate=0.1") && status.contains("T04 learning_rate=0.4"), "{status}");
    let why = place.succeed(&["why", "T04"]).stdout;
    assert!(
        why.contains("(T04 learning_rate=0.4) in 2 runs") && why.contains("joint.student.learning_rate  0.4"),
        "{why}"
    );
    assert!(place.succeed(&["why", "T02"]).stdout.contains("is in no sweep any more"));
    assert!(place.run(&["why", "tiny:T09"]).stderr.contains("sweep `tiny` has no trial T09: its last trial is T04"));
    let compared = place.succeed(&["compare", "T01", "tiny:T04"]).stdout;
    assert!(compared.starts_with("T04 learning_rate=0.4 against T01 learning_rate=0.1"), "{compared}");
    let cancelled = place.succeed(&["cancel", "T01"]).stdout;
    assert_eq!(cancelled, "T01 of sweep tiny: 1 run cancelled; finished runs are kept\n");

    // A revived run is reported.
    let again = place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "search.seeds=[0, 1]"]).stderr;
    assert!(again.contains("revived 1 cancelled run: weave · T01 learning_rate=0.1 · seed 1"), "{again}");

    place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "name=other"]);
    let ambiguous = place.run(&["cancel", "T01"]);
    assert_eq!(ambiguous.code, Some(2));
    assert!(ambiguous.stderr.contains("name one of other:T01, tiny:T01"), "{}", ambiguous.stderr);
    assert_eq!(trials(&place), 4);
}

#[test]
fn the_command_line_wins_over_the_environment() {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "a", "--side", "32"]);
    place.succeed(&["data", "synth", "b", "--side", "32"]);
    std::fs::remove_dir_all(place.path("b/grain")).expect("removed");
    let text =
        quick().replace("layout = \"synthetic\"\ncategories = [\"weave\"]", "layout = \"mvtec\"\nroot = \"nowhere\"");
    let text = text.replace("synthetic = { side = 32, train = 10, test_good = 3, test_per_defect = 2 }\n", "");
    place.write("tiny.toml", &text);
    let planned = |arguments: &[&str]| {
        let outcome = place.command(arguments).env("DIDACT_DATA", "a").output().expect("starts");
        let outcome = place.outcome(&outcome);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        outcome.stdout.lines().next().unwrap_or_default().to_owned()
    };
    let all = planned(&["sweep", "tiny.toml", "--dry-run"]);
    let fewer = planned(&["sweep", "tiny.toml", "--dry-run", "--set", "data.root=b"]);
    let whole_table = planned(&[
        "sweep",
        "tiny.toml",
        "--dry-run",
        "--set",
        "data={ layout = \"mvtec\", image_size = 32, root = \"b\" }",
    ]);
    assert_ne!(all, fewer);
    assert_eq!(fewer, whole_table);
}

#[test]
fn a_sweep_of_too_many_runs_is_refused_with_their_number() {
    let place = Workplace::new();
    let values = (2..40).map(|value| value.to_string()).collect::<Vec<_>>().join(", ");
    let axes: String = ["epochs", "batch_size", "patience", "warm_up", "clip_norm"]
        .map(|axis| format!("\"joint.{axis}\" = [{values}]\n"))
        .concat();
    place.write("tiny.toml", &format!("{}\n[search.space]\n{axes}", quick()));
    let refused = place.run(&["sweep", "tiny.toml", "--dry-run"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("the sweep has 79235168 runs: 79235168 points × 1 category × 1 seed"),
        "{}",
        refused.stderr
    );
    let limited = place.succeed(&["sweep", "tiny.toml", "--dry-run", "--max-trials", "3"]).stdout;
    assert!(limited.starts_with("sweep tiny: 3 trials, 3 runs"), "{limited}");
}
