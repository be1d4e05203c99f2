//! Concurrent sweeps in one store: stages that two of them need are computed once.

use crate::background::{assert_each_stage_done_once, assert_same_bits, freeze, start_until_joint_training, workers};
use crate::common::{TINY, Workplace, one_long_trial};
use crate::processes::{kill, wait_for};

#[test]
fn two_sweeps_of_one_file_started_at_once_share_the_work() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    let mut sweeps =
        ["one.log", "two.log"].map(|log| place.start(log, &["sweep", "tiny.toml", "--no-report", "--jobs", "2"]));
    for sweep in &mut sweeps {
        assert_eq!(sweep.end(), 0, "{}", sweep.output());
    }
    assert_eq!(place.count("SELECT COUNT(*) FROM sweep"), 1);
    assert_each_stage_done_once(&place);
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), place.count("SELECT COUNT(*) FROM stage"));
    assert_eq!(place.count("SELECT COUNT(*) FROM worker WHERE stopped_at IS NULL"), 0);
}

#[test]
fn two_files_share_the_stages_that_they_have_in_common() {
    let place = Workplace::new();
    place.write("one.toml", &TINY.replace("\"tiny\"", "\"one\""));
    let more = "[search.space]\n\"joint.student.learning_rate\" = [0.4, 0.1]\n";
    place.write("two.toml", &format!("{}\n{more}", TINY.replace("\"tiny\"", "\"two\"")));
    let mut sweeps = ["one", "two"]
        .map(|name| place.start(&format!("{name}.log"), &["sweep", &format!("{name}.toml"), "--no-report"]));
    for sweep in &mut sweeps {
        assert_eq!(sweep.end(), 0, "{}", sweep.output());
    }
    assert_each_stage_done_once(&place);
    // The baseline uses 0.4, so `one` has no stage of its own.
    let shared = "SELECT COUNT(DISTINCT sr.run_id) FROM sweep_run sr JOIN sweep s ON s.id = sr.sweep_id AND s.name = ";
    assert_eq!(["'one'", "'two'"].map(|name| place.count(&format!("{shared}{name}"))), [2, 3]);
    assert_eq!(place.count("SELECT COUNT(*) FROM run"), 3);
    let results = place.query("SELECT COUNT(DISTINCT run_id) FROM result GROUP BY selection");
    assert_eq!(results, ["3", "3"], "every run has its numbers");
}

#[test]
fn a_sweep_waits_for_a_stage_of_another_and_takes_over_when_it_dies() {
    let (place, mut first) = start_until_joint_training(&one_long_trial());
    let holder = workers(&place).remove(0);
    // On a busy machine, the stage could end before it is killed.
    let _frozen = freeze(&place, holder);
    let stage = place.query("SELECT stage_id FROM attempt WHERE state = 'running'").remove(0);
    place.write("other.toml", &one_long_trial().replace("\"tiny\"", "\"other\""));
    let mut second = place.start("second.log", &["sweep", "other.toml", "--no-report"]);
    wait_for("the other sweep's worker", || place.count("SELECT COUNT(*) FROM worker") == 2);
    first.kill();
    kill(holder);
    assert_eq!(second.end(), 0, "{}", second.output());
    assert_each_stage_done_once(&place);
    assert_eq!(place.query("SELECT stage_id, state FROM attempt WHERE state <> 'done'"), [format!("{stage}|lost")]);
    assert_same_bits(&place);
}

#[test]
fn one_model_learns_from_all_categories_and_each_is_tested() {
    let place = Workplace::new();
    let text = TINY
        .replace("categories = [\"weave\"]", "categories = [\"weave\", \"grain\"]")
        .replace("[teacher]", "grouping = \"all\"\n\n[teacher]");
    place.write("all.toml", &text);
    let sweep = place.succeed(&["sweep", "all.toml"]);
    let trained = "SELECT COUNT(*) FROM stage WHERE state = 'done' AND kind = ";
    assert_eq!(["'pretrain'", "'joint'", "'features'"].map(|kind| place.count(&format!("{trained}{kind}"))), [1, 2, 4]);
    let results = "SELECT r.category, COUNT(DISTINCT r.id) FROM run r JOIN result x ON x.run_id = r.id
                   WHERE x.name = 'pixel_auroc' AND x.value IS NOT NULL GROUP BY r.category ORDER BY r.category";
    assert_eq!(place.query(results), ["grain|2", "weave|2"], "{}", sweep.stderr);
    let page = std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("a page");
    assert!(page.contains("one model of 2 categories") && page.contains("one for weave, grain"), "{page}");
    // The command that repeats a run names no category, because its model learned from all of them.
    let run = place.query("SELECT id FROM run WHERE category = 'grain' ORDER BY id LIMIT 1").remove(0);
    let why = place.succeed(&["why", &run]).stdout;
    assert!(why.contains("didact sweep all.toml") && !why.contains("data.categories"), "{why}");
    // One model for each category is another protocol: numbers of both are never in one table.
    let each = ["sweep", "all.toml", "--set", "data.grouping=category", "--set", "name=each", "--no-report"];
    place.succeed(&each);
    assert_eq!(place.count("SELECT COUNT(*) FROM run"), 8);
    assert_eq!(place.count(&format!("{trained}'joint'")), 6);
    assert_eq!(place.count(&format!("{trained}'features'")), 4);
}
