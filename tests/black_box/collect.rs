//! `didact gc`: removes what no sweep needs and keeps the rest.

use crate::common::{TINY, Workplace};

fn folders(place: &Workplace, kind: &str) -> usize {
    std::fs::read_dir(place.path("didact.artifacts").join(kind)).map_or(0, |entries| entries.count())
}

#[test]
fn artifacts_of_removed_trials_are_removed_and_computed_again_when_needed() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert!(place.succeed(&["gc"]).stdout.starts_with("0 items"));

    place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "model.autoencoder=none"]);
    let artifacts = place.query("SELECT stage_id, bytes FROM artifact ORDER BY 1");
    let would = place.succeed(&["gc", "--dry-run"]).stdout;
    assert!(would.contains("artifact that no sweep needs") && would.contains("would be removed"), "{would}");
    assert_eq!(place.query("SELECT stage_id, bytes FROM artifact ORDER BY 1"), artifacts, "a dry run removes nothing");
    assert_eq!((folders(&place, "joint"), folders(&place, "pretrain")), (2, 1));

    let removed = place.succeed(&["gc"]).stdout;
    assert_eq!(removed.replace("removed", "would be removed"), would, "gc removes what the dry run lists");
    assert_eq!((folders(&place, "joint"), folders(&place, "pretrain"), folders(&place, "features")), (1, 0, 2));
    assert_eq!(place.count("SELECT COUNT(*) FROM artifact"), 2 + 1 + 2 + 2);
    assert_eq!(place.count("SELECT COUNT(*) FROM result WHERE name = 'pixel_auroc'"), 4, "numbers stay");

    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    // Pretraining, joint training, two scores, two evaluations.
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts + 6);
    assert_eq!(place.query("SELECT DISTINCT state FROM stage"), ["done"]);
}

#[test]
fn weights_of_single_epochs_are_removed_after_the_oracle_has_scored_them() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    let oracle =
        ["sweep", "tiny.toml", "--no-report", "--set", "evaluate.oracle_epochs=2", "--set", "model.autoencoder=none"];
    place.succeed(&oracle);
    let joint = place.query("SELECT path FROM artifact WHERE path LIKE 'joint/%'")[0].clone();
    let joint = place.path("didact.artifacts").join(joint);
    assert!(joint.join("epoch-0001.safetensors").is_file());
    let removed = place.succeed(&["gc"]).stdout;
    assert!(removed.contains("file that is no longer needed"), "{removed}");
    let files: u64 = std::fs::read_dir(&joint)
        .expect("readable")
        .map(|entry| entry.and_then(|entry| entry.metadata()).expect("readable").len())
        .sum();
    assert_eq!(place.count("SELECT bytes FROM artifact WHERE path LIKE 'joint/%'"), files as i64);
    assert!(joint.join("selected.safetensors").is_file() && !joint.join("epoch-0001.safetensors").exists());
    place.succeed(&oracle);

    // If the oracle's score is deleted by hand, the training is repeated with the same bits.
    let weights = std::fs::read(joint.join("selected.safetensors")).expect("readable");
    let score =
        place.query("SELECT id FROM stage WHERE kind = 'score' AND job LIKE '%\"selection\":\"oracle\"%'")[0].clone();
    std::fs::remove_dir_all(place.path("didact.artifacts/score").join(&score)).expect("removed");
    place.succeed(&oracle);
    assert_eq!(place.query("SELECT DISTINCT state FROM stage"), ["done"]);
    assert!(joint.join("epoch-0001.safetensors").is_file());
    assert!(std::fs::read(joint.join("selected.safetensors")).expect("readable") == weights);
}
