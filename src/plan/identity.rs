//! Identifies what a sweep asks for, so that two starts of a sweep can be compared.

use std::collections::{BTreeSet, HashSet};

use serde_json::json;

use super::planned::Plan;
use crate::config::{SearchSettings, SweepTrial};
use crate::stages::Key;

/// Returns the digest of what a sweep asks for: its search settings, the trials from its file, the images and the teacher. Paths and
/// trials that a search added are not included.
///
/// A process is superseded as soon as its sweep has a different digest.
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
