//! Chosen trials: which trial the objective chooses of each variant, and what seeds that had no part in the choice say.

use crate::background::assert_each_stage_done_once;
use crate::common::{TINY, Workplace};
use crate::processes::wait_for;

/// Two variants and ST-FPM, with two learning rates each. ST-FPM's own is 0.4.
fn choosing(more: &str) -> String {
    format!(
        "{TINY}\n[search]\n{more}\n[search.space]\n\"model.skip\" = [\"none\", \"add\"]\n\"joint.student.learning_rate\" = [0.4, 0.1]\n\
         [report]\nvariants = [\"model.skip\"]\n"
    )
}

/// Two variants and ST-FPM without anything to choose; seeds are added until both are settled. The margin is so wide that both soon count as
/// equivalent.
fn deciding(margin: f64, max_seeds: usize) -> String {
    format!(
        "{TINY}\n[search.space]\n\"model.skip\" = [\"none\", \"add\"]\n[report]\nvariants = [\"model.skip\"]\n\
         [decide]\nmetric = \"pixel_auroc\"\nmargin = {margin}\nmax_seeds = {max_seeds}\n"
    )
}

const SWEEP: [&str; 3] = ["sweep", "tiny.toml", "--no-report"];

/// Numbers of runs by trial and seed of a variant.
fn seeds_of(place: &Workplace, variant: &str) -> Vec<String> {
    place.query(&format!(
        "SELECT t.number || ': ' || string_agg(CAST(r.seed AS TEXT), ' ' ORDER BY r.seed) FROM sweep_trials t JOIN sweep_runs sr ON sr.sweep_id = t.sweep_id
         JOIN runs r ON r.id = sr.run_id AND r.trial_id = t.trial_id WHERE t.variant = '{variant}' GROUP BY t.number ORDER BY t.number"
    ))
}

#[test]
fn the_objective_chooses_and_other_seeds_compare() {
    let place = Workplace::new();
    place.write("tiny.toml", &choosing("confirm_seeds = 5"));
    place.succeed(&["sweep", "tiny.toml"]);
    // Six trials on the search's seed, and three chosen ones on five further seeds.
    assert_eq!(place.count("SELECT COUNT(*) FROM sweep_runs"), 6 + 3 * 5);
    assert_each_stage_done_once(&place);
    for variant in ["ST-FPM", "skip=none", "skip=add"] {
        let best = place.query(&format!(
            "SELECT t.number FROM sweep_trials t JOIN runs r ON r.trial_id = t.trial_id JOIN results x ON x.run_id = r.id
             WHERE t.variant = '{variant}' AND r.seed = 0 AND x.selection = 'selected' AND x.name = 'pseudo_pixel_auroc'
             ORDER BY x.value DESC, t.position LIMIT 1"
        ));
        let seeds = seeds_of(&place, variant);
        let chosen: Vec<&String> = seeds.iter().filter(|seeds| seeds.contains("1 2 3 4 5")).collect();
        assert_eq!(chosen, [&format!("{}: 0 1 2 3 4 5", best[0])], "{variant}: {seeds:?}");
        assert_eq!(seeds.len(), 2, "ST-FPM is tuned as well");
    }
    let status = place.succeed(&["status"]).stdout;
    for part in
        ["chosen for ST-FPM: ", "chosen for skip=add: ", "of 2 trials, promised 0.", "compared on seeds 1, 2, 3, 4, 5"]
    {
        assert!(status.contains(part), "{part}: {status}");
    }
    let chosen = place.query("SELECT message FROM event WHERE kind = 'chosen' ORDER BY id");
    assert!(chosen.len() == 3 && chosen.iter().all(|choice| status.contains(choice)), "{chosen:?}");
    let page = std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("a page");
    for part in ["Chosen trials", "on seeds that had no part in the choice", "Promised"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("Too few seeds: a claim"), "the seeds of the comparison answer, not the search's one");
    // Numbers that chose stay apart from those that judge: the main tables have the search's seed alone.
    let json: serde_json::Value =
        serde_json::from_str(&place.succeed(&["report", "tiny", "--json"]).stdout).expect("JSON");
    assert!(json[0]["verdicts"].as_array().expect("a list").iter().all(|verdict| verdict["seeds"] == 1), "{json}");
    assert_eq!(json[0]["tuned"]["seeds"], serde_json::json!([1, 2, 3, 4, 5]));
    // A variant is its chosen trial on the seeds of the comparison.
    let compared = place.succeed(&["compare", "tiny:ST-FPM", "tiny:skip=add", "--category", "weave", "--json"]).stdout;
    let compared: serde_json::Value = serde_json::from_str(&compared).expect("JSON");
    assert!(compared["verdicts"].as_array().expect("a list").iter().all(|verdict| verdict["seeds"] == 5), "{compared}");
    let frame = place.succeed(&["export", "--format", "csv", "--shape", "wide"]).stdout;
    let (head, rows) = frame.split_once('\n').expect("a header");
    let column = |name: &str| head.split(',').position(|found| found == name).expect("a column");
    let value = |row: &str, name: &str| row.split(',').nth(column(name)).expect("a value").to_owned();
    for row in rows.lines() {
        let judges = value(row, "chosen") == "true" && value(row, "seed") != "0";
        assert_eq!(value(row, "judges"), judges.to_string(), "{row}");
    }
    assert!(
        rows.lines().any(|row| value(row, "judges") == "true")
            && rows.lines().any(|row| value(row, "chosen") == "false")
    );
    // The same command repeats nothing, and keeps all runs.
    let again = place.succeed(&SWEEP);
    assert!(again.stderr.contains("21 of 21 runs done"), "{}", again.stderr);
    assert_each_stage_done_once(&place);
}

/// Titles of the trials, and the choices.
const OUTCOME: &str =
    "SELECT title FROM sweep_trials UNION ALL SELECT message FROM event WHERE kind = 'chosen' ORDER BY 1";

#[test]
fn a_finished_search_changes_nothing_when_it_is_started_again() {
    let place = Workplace::new();
    // Points without an auto-encoder are ST-FPM's, and one of them may be chosen.
    let file = TINY
        .replace("[model]\nskip = \"add\"\ndepth = 1\n", "")
        .replace("side = 32", "side = 64")
        .replace("image_size = 32", "image_size = 64");
    let search = "[search]\nstrategy = \"tpe\"\ntrials = 5\nseeds = [0]\nconfirm_seeds = 1\n[search.space]\n\
                  \"model.autoencoder\" = [\"none\", \"unet\"]\n\
                  \"joint.student.learning_rate\" = { log_uniform = [0.05, 0.5] }\n\
                  [report]\nvariants = [\"model.autoencoder\"]\n";
    place.write("tiny.toml", &format!("{file}\n{search}"));
    place.succeed(&SWEEP);
    let outcome = place.query(OUTCOME);
    assert!(outcome.iter().any(|title| title.contains("autoencoder=none")), "{outcome:?}");
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    let again = place.succeed(&SWEEP);
    assert!(!again.stderr.contains("the sweep has changed"), "{}", again.stderr);
    assert_eq!(place.query(OUTCOME), outcome);
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts);
}

#[test]
fn a_run_without_its_numbers_yet_has_not_failed() {
    // The numbers of a run come 150 ms after its last stage is done.
    let place = Workplace::new().with_environment(&[("DIDACT_FAULT", "results:before-transaction~150")]);
    place.write("tiny.toml", &deciding(0.002, 6));
    place.succeed(&SWEEP);
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
    let decided = place.query("SELECT message FROM event WHERE kind = 'decided'");
    assert!(!decided.is_empty() && decided.iter().all(|answer| !answer.contains("failed")), "{decided:?}");
}

#[test]
fn a_search_that_learns_tunes_st_fpm_as_well_and_goes_on() {
    let place = Workplace::new();
    let space = "\"joint.student.learning_rate\" = { log_uniform = [0.05, 0.5] }";
    let file = choosing("strategy = \"tpe\"\ntrials = 12\nconfirm_seeds = 1");
    place.write("tiny.toml", &file.replace("\"joint.student.learning_rate\" = [0.4, 0.1]", space));
    place.run(&[&SWEEP[..], &["--time-limit", "3s"]].concat());
    place.succeed(&SWEEP);
    // Twelve points, each with ST-FPM at its learning rate, and ST-FPM's own recipe.
    let trials = |condition: &str| place.count(&format!("SELECT COUNT(*) FROM sweep_trials WHERE {condition}"));
    assert_eq!((trials("variant <> 'ST-FPM'"), trials("variant = 'ST-FPM'"), trials("baseline = 1")), (12, 13, 1));
    let compared = place.query("SELECT DISTINCT t.variant FROM sweep_trials t JOIN runs r ON r.trial_id = t.trial_id WHERE r.seed = 1 ORDER BY 1");
    assert_eq!(compared, ["ST-FPM", "skip=add", "skip=none"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM sweep_runs"), 25 + 3);
    assert_each_stage_done_once(&place);
    let again = place.succeed(&SWEEP);
    assert!(again.stderr.contains("28 of 28 runs done"), "{}", again.stderr);
    let titles = place.query("SELECT title FROM sweep_trials WHERE variant = 'ST-FPM' AND baseline = 0");
    assert!(titles.iter().all(|title| title.contains(" ST-FPM, learning_rate=")), "{titles:?}");
}

#[test]
fn seeds_are_added_until_every_variant_is_settled() {
    let place = Workplace::new();
    place.write("tiny.toml", &deciding(0.9, 12));
    place.succeed(&["sweep", "tiny.toml"]);
    let json: serde_json::Value = serde_json::from_str(&place.succeed(&["status", "--json"]).stdout).expect("JSON");
    let decisions = json["tuned"]["decisions"].as_array().expect("a list");
    assert_eq!(decisions.len(), 2);
    for decision in decisions {
        assert_eq!(decision["settled"], serde_json::json!({ "answer": "equivalent" }), "{decision}");
        // With two variants at 0.025 each, the interval is finite from six seeds on.
        assert_eq!(decision["seeds"], 6, "{decision}");
        let interval: Vec<f64> = serde_json::from_value(decision["interval"].clone()).expect("an interval");
        assert!(-0.9 < interval[0] && interval[1] < 0.9, "{decision}");
    }
    // The seed of the file is the first; nothing was chosen, so no objective was measured.
    for variant in ["ST-FPM", "skip=none", "skip=add"] {
        let seeds = seeds_of(&place, variant);
        assert!(seeds.len() == 1 && seeds[0].ends_with("0 1 2 3 4 5"), "{variant}: {seeds:?}");
    }
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE kind = 'pseudo'"), 0);
    // The command that repeats a run adds no seeds.
    let why = place.succeed(&["why", "T02"]).stdout;
    for part in [
        "--set decide=false",
        "it is the only trial of skip=none",
        "skip=none: equivalent, after 6 seeds",
        "gain over ST-FPM",
    ] {
        assert!(why.contains(part), "{part}: {why}");
    }
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "decide=false", "--set", "name=\"other\""]);
    assert_eq!(
        place.count("SELECT COUNT(*) FROM sweep_runs sr JOIN sweeps w ON w.id = sr.sweep_id WHERE w.name = 'other'"),
        3
    );
    // A test for a fixed number of seeds uses the seed of the file alone, however the trials are named.
    for names in [["tiny:ST-FPM", "tiny:skip=add"], ["tiny:T01", "tiny:T02"], ["tiny:ST-FPM", "tiny:T02"]] {
        let compared = place.succeed(&["compare", names[0], names[1]]);
        assert!(compared.stderr.contains("seeds that [decide] added are left out"), "{}", compared.stderr);
        assert!(compared.stdout.contains("too few seeds: 1 of 5"), "{}", compared.stdout);
        assert!(!compared.stdout.contains("a number is missing"), "{}", compared.stdout);
    }
    let page = std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("a page");
    for part in ["Decided by pixel AUROC", "equivalent, after 6 seeds", "p at any time"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("p (Holm) ="), "no fixed-sample test judges these seeds");
}

#[test]
fn an_open_answer_ends_undecided_and_a_failed_run_is_not_skipped() {
    let place = Workplace::new();
    place.write("tiny.toml", &deciding(0.0, 5));
    place.succeed(&SWEEP);
    let status = place.succeed(&["status"]).stdout;
    assert!(status.contains("skip=none: undecided, after 5 seeds"), "{status}");
    assert_eq!(place.count("SELECT COUNT(*) FROM sweep_runs"), 3 * 5);
    // The third seed of one variant fails for good.
    let failed = "UPDATE runs SET state = 'failed' WHERE seed = 2 AND trial_id =
                  (SELECT trial_id FROM sweep_trials WHERE variant = 'skip=add')";
    place.query(failed);
    let status = place.succeed(&["status"]).stdout;
    assert!(status.contains("skip=add: undecided (failed), after 2 seeds"), "{status}");
}

#[test]
fn a_killed_decision_goes_on_and_ends_with_the_same_numbers() {
    let (killed, undisturbed) = (Workplace::new(), Workplace::new());
    for place in [&killed, &undisturbed] {
        place.write("tiny.toml", &deciding(0.9, 12));
    }
    for seeds in [1, 3, 5] {
        let mut sweep = killed.start("sweep.log", &SWEEP);
        let enough = format!("SELECT COUNT(*) >= {} FROM runs WHERE state = 'done'", 3 * seeds);
        wait_for("some seeds", || killed.run(&["status"]).code == Some(0) && killed.query(&enough) == ["1"]);
        sweep.kill();
    }
    killed.succeed(&SWEEP);
    undisturbed.succeed(&SWEEP);
    let export = ["export", "--format", "csv"];
    assert_eq!(killed.succeed(&export).stdout, undisturbed.succeed(&export).stdout);
    assert_each_stage_done_once(&killed);
}

#[test]
fn unfair_comparisons_are_refused() {
    let place = Workplace::new();
    let refuse = |file: String, parts: &[&str]| {
        place.write("tiny.toml", &file);
        let refused = place.run(&[&SWEEP[..], &["--dry-run"]].concat());
        assert_eq!(refused.code, Some(2), "{}", refused.stdout);
        for part in parts {
            assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
        }
    };
    refuse(
        choosing("confirm_seeds = 2\nobjective = \"test_pixel_auroc\""),
        &["`search.objective` is \"test_pixel_auroc\"", "choose them by pseudo_pixel_auroc"],
    );
    refuse(choosing("confirm_seeds = 0"), &["expected a whole number from 1"]);
    refuse(
        choosing("confirm_seeds = 2") + "[baseline]\nrerun = false\n",
        &["compares with ST-FPM", "`baseline.rerun = false` does not train"],
    );
    refuse(
        choosing("confirm_seeds = 2")
            .replace("\"joint.student.learning_rate\" = [0.4, 0.1]", "\"evaluate.fuse_size\" = [16, 32]"),
        &["trials of one protocol", "`evaluate.fuse_size`"],
    );
    refuse(deciding(0.0, 4), &["`decide.max_seeds` is the number 4"]);
}
