//! Sweeps on a synthetic data set: planning, sharing, no repeated work, and failures that do not stop other runs.

use crate::common::{TINY, Workplace, tiny_on_disk};

#[test]
fn a_sweep_stores_every_number_and_writes_a_report() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    let outcome = place.succeed(&["sweep", "tiny.toml"]);
    assert!(outcome.stdout.contains("report: reports/tiny/index.html"), "{}", outcome.stdout);

    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM run"), 2);
    let names = place.query("SELECT DISTINCT name FROM result WHERE selection = 'selected' ORDER BY name");
    for name in
        ["aupro", "image_ap", "image_auroc", "image_f1max", "parameters", "pixel_ap", "pixel_auroc", "pixel_f1max"]
    {
        assert!(names.iter().any(|known| known == name), "{name} is not among {names:?}");
    }
    // Two epochs of each curve for the joint stages and the pretraining.
    assert_eq!(place.count("SELECT COUNT(*) FROM metric WHERE name = 'held_out_loss'"), 2 + 2 + 1);
    assert_eq!(place.count("SELECT COUNT(DISTINCT image) FROM image_score"), 9);
    assert_eq!(place.query("SELECT COUNT(*) FROM attempt WHERE state <> 'done' OR peak_rss_bytes IS NULL"), ["0"]);
    let digest = place.query("SELECT DISTINCT json_extract(content, '$.teacher') FROM protocol");
    assert_eq!(digest.len(), 1);
    assert_eq!(digest[0].len(), 64, "the protocol contains the teacher's BLAKE3 digest");

    let page = std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("the page is there");
    for part in ["ST-FPM", "U-Net, skip=concat", "pixel AUROC", "Does it run?", "<svg", "data:image/jpeg;base64,"] {
        assert!(page.contains(part), "the page lacks {part}");
    }
    for outside in ["<script src", "src=\"http", "href=\"http", "@import", "url("] {
        assert!(!page.contains(outside), "the page is not self-contained: {outside}");
    }
    for png in [
        "seeds-pixel_auroc.png",
        "loss-weave.png",
        "roc-weave.png",
        "pro-weave.png",
        "scores-weave.png",
        "maps-weave-best.png",
        "maps-weave-good.png",
    ] {
        let image = image::open(place.path("reports/tiny").join(png)).unwrap_or_else(|error| panic!("{png}: {error}"));
        assert!(image.width() > 400, "{png}");
    }
    let read = |name: &str| std::fs::read_to_string(place.path("reports/tiny").join(name)).expect("is there");
    assert_eq!(read("report.json"), place.succeed(&["report", "--json"]).stdout);
    for part in [
        "# tiny\n\nDoes it run?\n",
        "| T02 U-Net, skip=concat |",
        "![pixel AUROC of each variant in each category",
        "- image size: 32×32 px",
    ] {
        assert!(read("report.md").contains(part), "report.md lacks {part}");
    }
    let stored = place.query(
        "SELECT x.value FROM result x JOIN run r ON r.id = x.run_id JOIN sweep_trial st ON st.trial_id = r.trial_id
         WHERE x.name = 'pixel_auroc' AND x.selection = 'selected' ORDER BY st.position",
    );
    let output = read("tables/results-pixel_auroc.csv");
    let output: Vec<&str> = output.lines().skip(1).map(|line| line.rsplit(',').nth(3).expect("a mean")).collect();
    assert_eq!(output, stored, "to the last digit: one seed is its own mean");
    assert!(read("tables/costs.tex").contains("\\begin{tabular}{lrrrrrrr}"));
}

#[test]
fn a_sweep_ends_with_the_answer_and_the_best_variants() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    let outcome = place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    let [answer, title, head, baseline, variant] = lines[..] else { panic!("five lines: {}", outcome.stdout) };
    assert!(answer.starts_with("Too few seeds: a claim about pixel AUROC needs 5 seeds"), "{answer}");
    assert!(!answer.contains("enough") && !answer.contains("p (Holm)") && !answer.contains("CI"), "{answer}");
    assert_eq!(title, "Mean of the finished runs, and in brackets the difference from ST-FPM");
    let columns = |line: &str| {
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(columns(head), ["variant", "pixel AUROC", "image AUROC", "AUPRO", "seeds"]);
    let value = |baseline: u8| -> String {
        let values = place.query(&format!(
            "SELECT x.value FROM result x JOIN run r ON r.id = x.run_id JOIN sweep_trial t ON t.trial_id = r.trial_id
             WHERE x.selection = 'selected' AND x.name = 'pixel_auroc' AND t.baseline = {baseline}"
        ));
        format!("{:.4}", values[0].parse::<f64>().expect("a number"))
    };
    let (of_baseline, of_variant) = (columns(baseline), columns(variant));
    assert_eq!((of_baseline[0].as_str(), of_baseline[4].as_str()), ("T01 ST-FPM", "1"));
    assert_eq!(of_baseline[1], value(1));
    assert!(of_variant[0].starts_with("T02 ") && of_variant[1].starts_with(&format!("{} (", value(0))), "{variant}");
    // The report comes after them.
    let again = place.succeed(&["sweep", "tiny.toml"]).stdout;
    assert_eq!(again, format!("{}report: reports/tiny/index.html\n", outcome.stdout));
    // A part of a sweep has no answer.
    assert_eq!(place.succeed(&["sweep", "tiny.toml", "--only", "T02"]).stdout, "");
}

#[test]
fn the_same_file_repeats_nothing_and_another_map_rule_only_the_evaluation() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts);

    let dry = place.succeed(&["sweep", "tiny.toml", "--dry-run", "--set", "evaluate.aggregate=sum"]);
    assert!(dry.stdout.contains("(9 done already"), "{}", dry.stdout);
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "evaluate.aggregate=sum"]);
    let repeated =
        place.query("SELECT s.kind, COUNT(*) FROM attempt a JOIN stage s ON s.id = a.stage_id GROUP BY 1 ORDER BY 1");
    assert_eq!(repeated, ["evaluate|8", "features|2", "joint|2", "pretrain|1", "score|4"]);
    assert_eq!(
        place.count("SELECT COUNT(DISTINCT protocol_id) FROM result"),
        4,
        "two rules, two ways to choose the epoch"
    );
}

#[test]
fn runs_that_differ_in_joint_settings_share_features_and_pretraining() {
    let place = Workplace::new();
    let space = "[search.space]\n\"joint.student.learning_rate\" = [0.4, 0.1]\n[baseline]\nrerun = false\n";
    place.write("tiny.toml", &format!("{TINY}\n{space}"));
    place.succeed(&["sweep", "tiny.toml", "--jobs", "2", "--no-report"]);
    let attempts =
        place.query("SELECT s.kind, COUNT(*) FROM attempt a JOIN stage s ON s.id = a.stage_id GROUP BY 1 ORDER BY 1");
    assert_eq!(attempts, ["evaluate|4", "features|2", "joint|2", "pretrain|1", "score|4"]);
}

#[test]
fn a_diverging_run_is_reported_and_the_others_finish() {
    let place = Workplace::new();
    let space = "[search.space]\n\"joint.student.learning_rate\" = [1e4, 0.1]\n[report]\nvariants = [\"joint.student.learning_rate\"]\n";
    place.write("tiny.toml", &format!("{}\n{space}", TINY.replace("epochs = 2", "epochs = 2\nclip_norm = 0")));
    let outcome = place.run(&["sweep", "tiny.toml"]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert_eq!(
        place.query(
            "SELECT st.variant, r.state FROM run r JOIN sweep_trial st ON st.trial_id = r.trial_id ORDER BY st.position"
        ),
        ["ST-FPM|done", "learning_rate=10000.0|failed", "learning_rate=0.1|done"]
    );
    let status = place.succeed(&["status"]).stdout;
    assert!(status.contains("nan: ") && status.contains("at epoch ") && status.contains("step "), "{status}");
    assert_eq!(place.query("SELECT DISTINCT failure_class FROM stage WHERE state = 'failed'"), ["nan"]);
    assert!(std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("a page").contains("Failed runs"));

    let id = place.query("SELECT id FROM run WHERE state = 'failed'").remove(0);
    let why = place.succeed(&["why", &id[..10]]).stdout;
    assert!(why.contains("is failed") && why.contains("skipped"), "{why}");
    // Permanent failures are not retried automatically, but once on request.
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    assert_eq!(place.run(&["sweep", "tiny.toml", "--no-report"]).code, Some(1));
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts);
    assert_eq!(place.run(&["sweep", "tiny.toml", "--no-report", "--retry-failed"]).code, Some(1));
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts + 1);
}

#[test]
fn oracle_numbers_are_separate_and_a_missing_class_is_undefined_with_a_reason() {
    let place = Workplace::new();
    place.write("tiny.toml", &TINY.replace("test_per_defect = 2", "test_per_defect = 0"));
    place.succeed(&["sweep", "tiny.toml", "--set", "evaluate.oracle_epochs=2"]);
    let undefined = place.query("SELECT DISTINCT name, value, reason FROM result WHERE selection = 'selected' AND name LIKE '%auroc' ORDER BY 1");
    assert_eq!(undefined, ["image_auroc|NULL|nothing is defective", "pixel_auroc|NULL|nothing is defective"]);
    assert_eq!(place.query("SELECT DISTINCT selection FROM result ORDER BY 1"), ["last", "oracle", "selected"]);
    let page = std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("a page");
    assert!(page.contains("undefined: nothing is defective"));
}

#[test]
fn the_oracle_is_never_worse_than_the_selected_epoch() {
    let place = Workplace::new();
    place.write("tiny.toml", &TINY.replace("epochs = 2", "epochs = 4"));
    // The oracle scores one epoch, the last, and the selected one. Seeds whose held-out score rises at the end select another epoch.
    place.succeed(&[
        "sweep",
        "tiny.toml",
        "--no-report",
        "--set",
        "evaluate.oracle_epochs=1",
        "--set",
        "search.seeds=[0,1,2]",
    ]);
    let lower = "('image_false_alarms', 'image_false_alarms_expected')";
    let compared = "FROM result o JOIN result s ON s.run_id = o.run_id AND s.name = o.name AND s.selection = 'selected'
         WHERE o.selection = 'oracle' AND o.name NOT IN ('epoch', 'parameters', 'flops') AND s.value IS NOT NULL";
    assert!(place.count(&format!("SELECT COUNT(*) {compared}")) > 60);
    let worse = format!("AND CASE WHEN o.name IN {lower} THEN o.value > s.value ELSE o.value < s.value END");
    assert_eq!(place.query(&format!("SELECT o.name, o.value, s.value {compared} {worse}")), Vec::<String>::new());
}

#[test]
fn moving_the_data_or_adding_a_category_keeps_finished_work() {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "one", "--side", "32"]);
    let file = |categories: &str| {
        TINY.replace("layout = \"synthetic\"", "layout = \"mvtec\"\nroot = \"one\"")
            .replace("synthetic = { side = 32, train = 10, test_good = 3, test_per_defect = 2 }", "")
            .replace("categories = [\"weave\"]", categories)
            .replace("epochs = 2", "epochs = 1")
    };
    place.write("tiny.toml", &file("categories = [\"weave\"]"));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let (attempts, runs) = (place.count("SELECT COUNT(*) FROM attempt"), place.query("SELECT id FROM run ORDER BY id"));
    std::fs::rename(place.path("one"), place.path("two")).expect("moved");
    place.write("tiny.toml", &file("categories = [\"weave\", \"grain\"]").replace("\"one\"", "\"two\""));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), 2 * attempts, "grain was computed, weave was not repeated");
    let after = place.query("SELECT id FROM run WHERE category = 'weave' ORDER BY id");
    assert_eq!(after, runs);
}

#[test]
fn a_new_stage_after_a_failed_one_is_skipped_and_the_sweep_ends() {
    let place = Workplace::new();
    place.write(
        "tiny.toml",
        &TINY.replace("epochs = 2", "epochs = 2\nclip_norm = 0\nstudent = { learning_rate = 1e4 }"),
    );
    assert_eq!(place.run(&["sweep", "tiny.toml", "--no-report"]).code, Some(1));
    // Another map rule adds evaluations after skipped scores. The sweep must not wait for them.
    let again = place.run(&["sweep", "tiny.toml", "--no-report", "--set", "evaluate.smoothing_sigma=1.0"]);
    assert_eq!(again.code, Some(1), "{}", again.stderr);
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE state IN ('pending', 'running')"), 0);
}

#[test]
fn renaming_a_folder_changes_labels_and_repeats_only_the_evaluation() {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "data", "--side", "32"]);
    place.write("tiny.toml", &tiny_on_disk());
    // Normal images in a folder that is not called `good` count as defective, so no image is normal.
    let test = place.path("data/weave/test");
    std::fs::rename(test.join("good"), test.join("fine")).expect("renamed");
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!(place.query("SELECT DISTINCT reason FROM result WHERE name = 'image_auroc'"), ["nothing is normal"]);
    let scored =
        place.count("SELECT COUNT(*) FROM attempt a JOIN stage s ON s.id = a.stage_id WHERE s.kind <> 'evaluate'");
    // `fine` and `good` have the same position among `hole`, `stain` and `thread`: the pixels and their order are the same.
    std::fs::rename(test.join("fine"), test.join("good")).expect("renamed");
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let after =
        place.count("SELECT COUNT(*) FROM attempt a JOIN stage s ON s.id = a.stage_id WHERE s.kind <> 'evaluate'");
    assert_eq!(after, scored);
    let labels = place
        .query("SELECT DISTINCT defect, label FROM image_score i JOIN sweep_run sr ON sr.run_id = i.run_id ORDER BY 1");
    assert_eq!(labels, ["good|0", "hole|1", "stain|1", "thread|1"]);
    assert_eq!(
        place.query(
            "SELECT COUNT(*) FROM result x JOIN sweep_run sr ON sr.run_id = x.run_id WHERE x.name = 'image_auroc' AND x.value IS NULL"
        ),
        ["0"]
    );
}
