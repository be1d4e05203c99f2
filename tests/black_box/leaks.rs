//! The test set does not influence training. If test images, labels and masks change, every artifact before `score` keeps its
//! key and its bits. If only labels and masks change, every artifact before `evaluate` keeps them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::common::{Workplace, tiny_on_disk};
use crate::inventory::digests;

/// Artifacts of stages of some kinds: their keys, and the digests of their files by path.
#[derive(Debug, PartialEq, Eq)]
struct Artifacts {
    keys: Vec<String>,
    files: BTreeMap<String, String>,
}

/// Kinds of stages as an SQL list.
const BEFORE_SCORE: &str = "'features-train', 'paint', 'pretrain', 'joint', 'pseudo'";
const BEFORE_EVALUATE: &str = "'features-train', 'features-test', 'paint', 'pretrain', 'joint', 'pseudo', 'score'";

/// Runs a sweep on a test set that `change` modifies first; returns the artifacts of these kinds of stages.
fn artifacts(kinds: &str, change: impl Fn(&Path)) -> Artifacts {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "data", "--side", "32"]);
    change(&place.path("data/weave"));
    // Search objectives and the oracle's epochs must not leak either.
    place.write("tiny.toml", &format!("{}\n[search]\nobjective = \"pseudo_pixel_auroc\"\n", tiny_on_disk()));
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "evaluate.oracle_epochs=2"]);
    let rows = place.query(&format!(
        "SELECT s.id, a.path FROM artifact a JOIN (
             SELECT id, kind || CASE kind WHEN 'features' THEN '-' || json_extract(job, '$.features.images.location.part') ELSE '' END AS part
             FROM stage) s ON s.id = a.stage_id
         WHERE s.part IN ({kinds}) ORDER BY s.id"
    ));
    assert!(rows.len() >= 5, "{rows:?}");
    let (keys, folders): (Vec<String>, Vec<String>) = rows
        .iter()
        .map(|row| {
            let (key, path) = row.split_once('|').expect("two columns");
            (key.to_owned(), format!("{path}/"))
        })
        .unzip();
    let mut files = digests(&place);
    files.retain(|path, _| folders.iter().any(|folder| path.starts_with(folder)));
    Artifacts { keys, files }
}

/// Returns the files of a folder in order.
fn listed(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("listed").path()).collect();
    files.sort();
    files
}

#[test]
fn replaced_removed_and_relabelled_test_images_change_nothing_before_score() {
    let untouched = artifacts(BEFORE_SCORE, |_| {});
    let replaced = artifacts(BEFORE_SCORE, |category| {
        let train = listed(&category.join("train/good"));
        for (image, other) in listed(&category.join("test/good")).iter().zip(&train) {
            std::fs::copy(other, image).expect("replaced");
        }
    });
    assert_eq!(replaced, untouched);
    let removed = artifacts(BEFORE_SCORE, |category| {
        let images = listed(&category.join("test/good"));
        images.iter().skip(1).for_each(|image| std::fs::remove_file(image).expect("removed"));
        std::fs::remove_dir_all(category.join("test/hole")).expect("removed");
        std::fs::remove_dir_all(category.join("ground_truth/hole")).expect("removed");
    });
    assert_eq!(removed, untouched);
    let relabelled = artifacts(BEFORE_SCORE, |category| {
        let [good, stain] = ["good", "stain"].map(|kind| listed(&category.join("test").join(kind)));
        // A defect among the normal images, with a new name.
        std::fs::copy(&stain[0], category.join("test/good/999.png")).expect("copied");
        std::fs::remove_file(&good[0]).expect("removed");
    });
    assert_eq!(relabelled, untouched);
}

#[test]
fn labels_and_masks_change_nothing_before_evaluate() {
    let untouched = artifacts(BEFORE_EVALUATE, |_| {});
    let masks = artifacts(BEFORE_EVALUATE, |category| {
        let [stain, thread] = ["stain", "thread"].map(|kind| listed(&category.join("ground_truth").join(kind)));
        std::fs::copy(&thread[0], &stain[0]).expect("replaced");
    });
    assert_eq!(masks, untouched);
    // Another name at the same position in the order: the same pixels, but no longer normal.
    let labels = artifacts(BEFORE_EVALUATE, |category| {
        std::fs::rename(category.join("test/good"), category.join("test/fine")).expect("renamed");
    });
    assert_eq!(labels.keys, untouched.keys);
    let computed = |artifacts: &Artifacts| {
        // Lists of images contain names and kinds for people, and lists of files contain the digests of these; they are not numbers.
        let mut files = artifacts.files.clone();
        let lists = ["score.json", "features.json", "files.json"];
        files.retain(|name, _| !lists.iter().any(|list| name.ends_with(list)));
        files
    };
    assert_eq!(computed(&labels), computed(&untouched));
}
