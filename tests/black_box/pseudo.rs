//! A search with painted defects as objective: what it stores, what it shares, and what it does not change.

use crate::common::{TINY, Workplace};

/// Returns [`TINY`] with this objective: a student that learns nothing (learning rate 1e-9) and one that learns.
fn guided() -> String {
    format!(
        "{}\n[search]\nobjective = \"pseudo_pixel_auroc\"\n[search.space]\n\"joint.student.learning_rate\" = [1e-9, 0.1]\n\
         [report]\nvariants = [\"joint.student.learning_rate\"]\n[baseline]\nrerun = false\n",
        TINY.replace("depth = 1", "autoencoder = \"none\"")
            .replace("train = 10", "train = 20")
            .replace("[joint]\nepochs = 2", "[joint]\nepochs = 12")
    )
}

const NAMES: &str = "SELECT DISTINCT name FROM result WHERE selection = 'selected' ORDER BY name";

#[test]
fn a_trained_student_beats_an_untrained_one_and_the_report_shows_both() {
    let place = Workplace::new();
    place.write("tiny.toml", &guided());
    place.succeed(&["sweep", "tiny.toml"]);
    let kinds =
        place.query("SELECT s.kind, COUNT(*) FROM attempt a JOIN stage s ON s.id = a.stage_id GROUP BY 1 ORDER BY 1");
    assert_eq!(
        kinds,
        ["evaluate|4", "features|2", "joint|2", "paint|1", "pseudo|2", "score|4"],
        "both trials share one painting"
    );
    let numbers = place.query(
        "SELECT x.value FROM result x JOIN run r ON r.id = x.run_id JOIN sweep_trial st ON st.trial_id = r.trial_id
         WHERE x.name = 'pseudo_pixel_auroc' AND x.selection = 'selected' ORDER BY st.position",
    );
    let numbers: Vec<f64> = numbers.iter().map(|number| number.parse().expect("a number")).collect();
    assert_eq!(numbers.len(), 2);
    assert!(numbers[1] > numbers[0] + 0.15 && numbers[1] > 0.6, "untrained and trained: {numbers:?}");
    // Painted images are not listed among the test images, and every run keeps the epoch of its evaluation.
    assert_eq!(place.count("SELECT COUNT(*) FROM image_score WHERE image LIKE '%#%'"), 0);
    assert_eq!(place.count("SELECT COUNT(*) FROM image_score WHERE selection = 'selected'"), 2 * 9);
    assert_eq!(place.count("SELECT COUNT(*) FROM result WHERE name LIKE 'pseudo%' AND selection <> 'selected'"), 0);
    let page = std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("a page");
    assert!(page.contains("defects that didact painted") && page.contains("mean pseudo_pixel_auroc"));

    let stage = place.query("SELECT id FROM stage WHERE kind = 'pseudo'").remove(0);
    let picture = place.path("didact.artifacts/pseudo").join(stage).join("pictures/0000.png");
    let picture = image::open(&picture).expect("a picture to look at");
    assert_eq!((picture.width(), picture.height()), (96, 32));
}

#[test]
fn the_two_evaluations_are_kept_apart() {
    let place = Workplace::new();
    let plain = guided().replace("objective = \"pseudo_pixel_auroc\"\n", "").replace("epochs = 12", "epochs = 1");
    place.write("plain.toml", &plain);
    place.write("guided.toml", &guided().replace("epochs = 12", "epochs = 1"));
    place.succeed(&["sweep", "plain.toml", "--no-report"]);
    let names = place.query(NAMES);
    let rows = "SELECT run_id, selection, name, value FROM result WHERE name NOT LIKE 'pseudo%' ORDER BY 1, 2, 3";
    let before = place.query(rows);
    assert!(!names.iter().any(|name| name.starts_with("pseudo")), "{names:?}");

    // The real numbers exist; the numbers of the painted defects are added and change none of them.
    place.succeed(&["sweep", "guided.toml", "--no-report", "--replace"]);
    let after = place.query(NAMES);
    assert_eq!(after.len(), names.len() + 2, "{after:?}");
    assert_eq!(place.query(rows), before);

    // The reverse: only the real numbers are missing, as after a kill between two transactions.
    let scores = place.count("SELECT COUNT(*) FROM image_score");
    place.query("DELETE FROM results WHERE name NOT LIKE 'pseudo%'");
    place.query("DELETE FROM image_scores");
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    place.succeed(&["sweep", "guided.toml", "--no-report"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts, "nothing is repeated");
    assert_eq!(place.query(rows), before);
    assert_eq!(place.count("SELECT COUNT(*) FROM image_score"), scores);
}
