//! Searches that are killed, run twice, limited and pruned: they have the intended trials, each once.

use std::process::Stdio;

use crate::background::assert_each_stage_done_once;
use crate::common::{TINY, Workplace};
use crate::processes::{kill, processes_in, wait_for};

/// Trials of a TPE search: its ten start-up trials and some later ones.
const TRIALS: i64 = 13;

/// Returns [`TINY`] without U-Nets, in one epoch, with learning rates as search space.
fn searching(search: &str, learning_rates: &str) -> String {
    format!(
        "{}\n[search]\n{search}\n[search.space]\n\"joint.student.learning_rate\" = {learning_rates}\n[baseline]\nrerun = false\n",
        TINY.replace("depth = 1", "autoencoder = \"none\"").replace("epochs = 2", "epochs = 1")
    )
}

const ANY_RATE: &str = "{ log_uniform = [1e-3, 1.0] }";

/// Creates a workplace with a TPE search.
fn learning() -> Workplace {
    let place = Workplace::new();
    place.write("tiny.toml", &searching(&format!("strategy = \"tpe\"\ntrials = {TRIALS}"), ANY_RATE));
    place
}

/// Returns the points of the sweep in their order.
fn points(place: &Workplace) -> Vec<String> {
    place.query("SELECT axes FROM sweep_trial ORDER BY position")
}

/// Asserts that the sweep has this number of different trials, that all are done, and that nothing was computed twice.
#[track_caller]
fn assert_each_once(place: &Workplace, trials: i64) {
    assert_eq!(place.query("SELECT COUNT(*), COUNT(DISTINCT axes) FROM sweep_trial"), [format!("{trials}|{trials}")]);
    assert_eq!(place.query("SELECT state, COUNT(*) FROM run GROUP BY state"), [format!("done|{trials}")]);
    assert_each_stage_done_once(place);
}

#[test]
fn a_killed_search_resumes_with_the_same_trials() {
    let place = learning();
    let mut command = place.command(&["sweep", "tiny.toml", "--no-report"]);
    let mut sweep = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    // The eleventh trial is the first after the start-up.
    wait_for("a trial after the start-up", || {
        place.path("didact.db").is_file()
            && place.count("SELECT COUNT(*) FROM sqlite_master WHERE name = 'sweep_trial'") == 1
            && place.count("SELECT COUNT(*) FROM sweep_trial") > 10
    });
    for process in processes_in(place.folder()) {
        kill(process);
    }
    sweep.wait().expect("ended");
    assert!(place.count("SELECT COUNT(*) FROM sweep_trial") < TRIALS, "the search was interrupted");

    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_each_once(&place, TRIALS);
    let undisturbed = learning();
    undisturbed.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!(points(&place), points(&undisturbed));
}

#[test]
fn two_sweeps_of_one_search_at_once_share_its_trials() {
    let place = learning();
    let start = || {
        let mut command = place.command(&["sweep", "tiny.toml", "--no-report"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts")
    };
    let sweeps = [start(), start()];
    for sweep in sweeps {
        let outcome = place.outcome(&sweep.wait_with_output().expect("ends"));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    }
    assert_each_once(&place, TRIALS);
}

#[test]
fn max_trials_is_a_total_also_for_a_learning_search() {
    let place = learning();
    let limited = |limit: &str| place.succeed(&["sweep", "tiny.toml", "--no-report", "--max-trials", limit]);
    limited("2");
    assert_each_once(&place, 2);
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    limited("2");
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts, "two trials exist");
    // Beyond the start-up trials: one trial uses their results.
    limited("11");
    assert_each_once(&place, 11);
}

#[test]
fn interrupted_draws_continue_with_the_same_points() {
    for strategy in ["random", "sobol"] {
        let file = searching(&format!("strategy = \"{strategy}\"\ntrials = 5\nseed = 3"), ANY_RATE);
        let place = Workplace::new();
        place.write("tiny.toml", &file);
        place.succeed(&["sweep", "tiny.toml", "--no-report", "--max-trials", "2"]);
        let first = points(&place);
        place.succeed(&["sweep", "tiny.toml", "--no-report"]);
        assert_each_once(&place, 5);
        assert_eq!(points(&place)[..2], first, "{strategy}");

        let undisturbed = Workplace::new();
        undisturbed.write("tiny.toml", &file);
        undisturbed.run(&["sweep", "tiny.toml", "--no-report", "--time-limit", "0s"]);
        assert_eq!(points(&place), points(&undisturbed), "{strategy}");
    }
}

#[test]
fn three_workers_complete_a_grid_once() {
    let place = Workplace::new();
    let rates = "[0.1, 0.2, 0.4]\n\"joint.batch_size\" = [4, 8]";
    place.write("tiny.toml", &searching("strategy = \"grid\"", rates));
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--jobs", "3"]);
    assert_each_once(&place, 6);
    assert_eq!(place.query("SELECT COUNT(*) FROM stage WHERE kind = 'joint'"), ["6"]);
    let mut points = points(&place);
    points.sort();
    let expected = [4, 8].into_iter().flat_map(|batch| {
        ["0.1", "0.2", "0.4"]
            .map(|rate| format!("{{\"joint.batch_size\":{batch},\"joint.student.learning_rate\":{rate}}}"))
    });
    assert_eq!(points, expected.collect::<Vec<_>>());
}

#[test]
fn a_trial_that_learns_nothing_is_pruned_with_a_reason() {
    let place = Workplace::new();
    let search =
        "seeds = [0, 1, 2]\nobjective = \"pseudo_pixel_auroc\"\npruner = { kind = \"asha\", min_runs = 1, eta = 2 }";
    let file =
        searching(search, "[0.1, 1e-9]").replace("train = 10", "train = 20").replace("epochs = 1\n", "epochs = 12\n");
    place.write("tiny.toml", &file);
    place.succeed(&["sweep", "tiny.toml"]);

    let states = "SELECT r.state, COUNT(*) FROM run r JOIN sweep_trial st ON st.trial_id = r.trial_id
                  WHERE st.axes LIKE '%0.1%' GROUP BY 1";
    assert_eq!(place.query(states), ["done|3"], "the trial that learns is complete");
    let pruned = place.query("SELECT id FROM run WHERE state = 'pruned'");
    assert!(pruned.len() >= 2, "two seeds of the other are saved, {} are pruned", pruned.len());
    assert_eq!(place.count("SELECT COUNT(*) FROM run WHERE state NOT IN ('done', 'pruned')"), 0);

    let why = place.succeed(&["why", &pruned[0][..12]]).stdout;
    assert!(why.contains("is pruned") && why.contains("rung 1 of ASHA (1 run)"), "{why}");
    let pruned_count = format!("{} pruned", pruned.len());
    let status = place.succeed(&["status"]).stdout;
    assert!(status.lines().next().is_some_and(|headline| headline.contains(&pruned_count)), "{status}");
    let page = std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("a page");
    assert!(page.contains(&pruned_count), "the page does not show {pruned_count}");

    // Nothing is left to do, and no pruned run is revived.
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts);
}

#[test]
fn the_page_of_a_search_on_test_is_marked() {
    let place = Workplace::new();
    let search = "strategy = \"random\"\ntrials = 2\nobjective = \"test_pixel_auroc\"";
    place.write("tiny.toml", &searching(search, ANY_RATE));
    place.succeed(&["sweep", "tiny.toml"]);
    let page = std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("a page");
    assert!(page.contains("guided by pixel_auroc on the test images themselves"));
    // A unit test checks that all parts are marked; this one checks that the sweep file's setting arrives.
    assert!(page.contains("<h3>[selected on test] "));
}

#[test]
fn an_edited_search_has_no_more_trials_than_requested() {
    let place = learning();
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    let edited = |trials: i64, rates: &str| {
        place.write("tiny.toml", &searching(&format!("strategy = \"tpe\"\ntrials = {trials}"), rates));
        place.succeed(&["sweep", "tiny.toml", "--no-report"]);
        assert_eq!(place.count("SELECT COUNT(*) FROM sweep_trial"), trials);
    };
    // With a wider range and fewer trials, the existing trials suffice.
    edited(TRIALS, "{ log_uniform = [1e-4, 2.0] }");
    edited(4, "{ log_uniform = [1e-4, 2.0] }");
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts, "nothing was run again");
    // With a narrower range, points outside leave the search and others replace them.
    edited(4, "{ log_uniform = [0.9, 1.0] }");
    assert_eq!(
        place.count(
            "SELECT COUNT(*) FROM sweep_trial WHERE json_extract(axes, '$.\"joint.student.learning_rate\"') < 0.9"
        ),
        0
    );
}

#[test]
fn a_cancelled_trial_stays_cancelled_in_its_search_and_status_shows_the_best() {
    let place = learning();
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--max-trials", "2"]);
    place.run(&["sweep", "tiny.toml", "--no-report", "--time-limit", "0s"]);
    place.succeed(&["cancel", "T03"]);
    let status = place.succeed(&["status"]).stdout;
    let best = place.query(
        "SELECT printf('%.4f, ', x.value) || st.title FROM result x JOIN run r ON r.id = x.run_id
         JOIN sweep_trial st ON st.trial_id = r.trial_id
         WHERE x.name = 'pseudo_pixel_auroc' AND x.selection = 'selected' ORDER BY x.value DESC, st.number LIMIT 1",
    );
    let line = format!(
        "search for the highest pseudo_pixel_auroc: best so far {} (1 run); 10 trials, 2 with a value",
        best[0]
    );
    assert!(status.contains(&line), "{line}\n{status}");
    // A separate worker adds no trial. The search adds one and leaves the cancelled trial alone.
    let json: serde_json::Value = serde_json::from_str(&place.succeed(&["status", "--json"]).stdout).expect("JSON");
    assert_eq!(json["search"]["trials"], 10);
    let again = place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert!(again.stderr.contains("revived 1 cancelled run: weave · T03"), "{}", again.stderr);
    assert_each_once(&place, TRIALS);
}
