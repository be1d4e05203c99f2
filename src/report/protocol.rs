//! What a number was measured under, read back from the store.

use serde_json::Value;

use super::baselines::mvtec_counts;
use crate::store::RunRow;

/// The protocol of one run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Protocol(Value);

/// Facts of a category, not of the way of measuring.
const CATEGORY_FIELDS: [&str; 5] = ["category", "counts", "train_images", "test_images", "masks"];

impl Protocol {
    pub(super) fn of(run: &RunRow) -> Self {
        Self(serde_json::from_str(&run.protocol).unwrap_or(Value::Null))
    }

    /// What two numbers of one category must share to stand in one table: everything but the rule that picks the epoch,
    /// which belongs to a recipe and is told beside each variant.
    pub(super) fn class(&self) -> String {
        let mut class = self.0.clone();
        if let Some(fields) = class.as_object_mut() {
            fields.retain(|name, _| name != "selection" && !CATEGORY_FIELDS.contains(&name.as_str()));
        }
        class.to_string()
    }

    /// The rule that picks the epoch, for people.
    pub(super) fn selection(&self) -> &'static str {
        match self.0["selection"].as_str() {
            Some("held-out-score") => "lowest held-out map mean",
            Some("held-out-loss") => "lowest held-out loss",
            _ => "unknown",
        }
    }

    /// Training images, normal and defective test images.
    fn counts(&self) -> (u64, u64, u64) {
        let counts = &self.0["counts"];
        let test = counts["test"].as_object().cloned().unwrap_or_default();
        let good = test.get("good").and_then(Value::as_u64).unwrap_or(0);
        let all: u64 = test.values().filter_map(Value::as_u64).sum();
        (counts["train"].as_u64().unwrap_or(0), good, all - good)
    }

    /// "28 training images; test: 6 good, 17 colour".
    pub(super) fn images(&self) -> String {
        let counts = &self.0["counts"];
        let test = counts["test"].as_object().cloned().unwrap_or_default();
        let mut kinds: Vec<String> =
            test.iter().filter(|(kind, _)| *kind != "good").map(|(kind, count)| format!("{count} {kind}")).collect();
        kinds.insert(0, format!("{} good", test.get("good").and_then(Value::as_u64).unwrap_or(0)));
        format!("{} training images; test: {}", counts["train"], kinds.join(", "))
    }

    /// Whether the category has exactly MVTec AD's images, as far as counts tell; else why not.
    pub(super) fn is_mvtec(&self, category: &str) -> Result<(), String> {
        if self.0["layout"] != "mvtec" {
            return Err("it is not a category of MVTec AD".to_owned());
        }
        let Some(published) = mvtec_counts(category) else {
            return Err("MVTec AD has no category of this name".to_owned());
        };
        let (train, good, defective) = self.counts();
        match (train, good, defective) == (published.train, published.test_good, published.test_defect) {
            true => Ok(()),
            false => Err(format!(
                "here are {train} training, {good} good and {defective} defective test images; MVTec AD has {}, {} and {}",
                published.train, published.test_good, published.test_defect
            )),
        }
    }

    /// Name and value of each fact, for people.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let (map, split, aupro) = (&self.0["map"], &self.0["split"], &self.0["aupro"]);
        vec![
            ("data layout", text(&self.0["layout"])),
            ("image size", format!("{0}×{0} px, {1} resize", self.0["image_size"], text(&self.0["resize"]))),
            ("held out of train/good", format!("⌈n/5⌉, split seed {}", split["seed"])),
            (
                "anomaly map",
                format!(
                    "{} of the levels at {1}×{1}, smoothing σ {2}",
                    text(&map["aggregate"]),
                    map["fuse_size"],
                    map["smoothing_sigma"]
                ),
            ),
            ("image score", format!("{} of the map", text(&self.0["image_score"]))),
            ("masks", text(&self.0["mask_rule"])),
            (
                "AUPRO",
                format!(
                    "to FPR {}, {}-connected, {}",
                    aupro["limit"],
                    aupro["connectivity"],
                    text(&aupro["thresholds"])
                ),
            ),
            ("teacher", format!("BLAKE3 {}", text(&self.0["teacher"]))),
            ("numerics", text(&self.0["numerics"])),
        ]
    }
}
