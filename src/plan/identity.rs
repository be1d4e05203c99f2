//! Whether two starts of a sweep ask for the same.

use std::collections::{BTreeSet, HashSet};

use serde_json::json;

use super::planned::Plan;
use crate::config::{SearchSettings, SweepTrial};
use crate::stages::Key;

/// Digest of what a sweep asks for: how it searches, the trials that its file gives, the images and the teacher. Not of paths, nor of
/// trials that a search has added: a process whose sweep has another digest by now was superseded.
pub fn identity(search: &SearchSettings, drawn: &[SweepTrial], limit: Option<usize>, plan: &Plan) -> String {
    let trials: BTreeSet<String> = drawn
        .iter()
        .map(|drawn| {
            let mut trial = json!(drawn.trial);
            trial["data"]["root"] = json!(null);
            trial["teacher"]["weights"] = json!(null);
            Key::of("drawn", 1, &trial).into()
        })
        .collect();
    let mut seen = HashSet::new();
    let images: BTreeSet<String> = plan
        .runs
        .iter()
        .filter(|run| seen.insert(run.protocol_key.as_str()))
        .map(|run| {
            let of = |part: &str| run.protocol[part].clone();
            json!([of("category"), of("train_images"), of("test_images"), of("masks"), of("teacher")]).to_string()
        })
        .collect();
    Key::of("sweep", 1, &json!([search, trials, limit, images])).as_str().to_owned()
}
