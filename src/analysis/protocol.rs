//! The protocol that a number was measured under, read back from the store.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::data::{Layout, Unmasked};
use crate::published::published_counts;
use crate::store::RunRow;
use crate::training::SelectionRule;

/// The protocol of one run; cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Protocol(Arc<Value>);

/// Facts about a category, not about the way of measuring.
const CATEGORY_FIELDS: [&str; 6] = ["category", "counts", "train_images", "test_images", "masks", "saturation"];

/// Returns the facts in which two protocols of one category differ, except the rule that selects the epoch: "map.aggregate: product, sum".
pub(crate) fn differences(one: &Protocol, other: &Protocol) -> Vec<String> {
    fn compare(name: &str, one: &Value, other: &Value, differences: &mut Vec<String>) {
        match (one, other) {
            (Value::Object(a), Value::Object(b)) => {
                let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                for inner in names {
                    let dotted = if name.is_empty() { inner.clone() } else { format!("{name}.{inner}") };
                    compare(&dotted, &one[inner.as_str()], &other[inner.as_str()], differences);
                }
            }
            _ if one == other || name == "selection" => {}
            _ => {
                let text = |value: &Value| match value {
                    Value::Null => "absent".to_owned(),
                    Value::String(text) => crate::text::truncated(text, 16),
                    value => value.to_string(),
                };
                differences.push(format!("{name}: {}, {}", text(one), text(other)));
            }
        }
    }
    let mut differences = Vec::new();
    compare("", &one.0, &other.0, &mut differences);
    differences
}

impl Protocol {
    pub(crate) fn of(run: &RunRow) -> Self {
        Self::of_text(&run.protocol)
    }

    pub(crate) fn of_text(json: &str) -> Self {
        Self(Arc::new(serde_json::from_str(json).unwrap_or(Value::Null)))
    }

    /// Returns what two numbers of one category must share to appear in one table: everything except the rule that selects the epoch. That
    /// rule belongs to a recipe and is shown next to each variant.
    pub(crate) fn class(&self) -> String {
        let mut class = Value::clone(&self.0);
        if let Some(fields) = class.as_object_mut() {
            fields.retain(|name, _| name != "selection" && !CATEGORY_FIELDS.contains(&name.as_str()));
        }
        class.to_string()
    }

    /// Returns the rule that selects the epoch.
    ///
    /// Returns `None` if the protocol names no rule that this version of didact knows.
    pub(crate) fn selection(&self) -> Option<SelectionRule> {
        SelectionRule::deserialize(&self.0["selection"]).ok()
    }

    /// Returns the numbers of normal and of defective test images.
    pub(super) fn test_images(&self) -> (u64, u64) {
        let (_, good, defective) = self.counts();
        (good, defective)
    }

    /// Returns the number of pixels of a map.
    pub(super) fn pixels(&self) -> u64 {
        self.0["image_size"].as_u64().unwrap_or_default().pow(2)
    }

    /// Returns the numbers of training images, normal test images and defective test images.
    fn counts(&self) -> (u64, u64, u64) {
        let counts = &self.0["counts"];
        let test = counts["test"].as_object().cloned().unwrap_or_default();
        let good = test.get("good").and_then(Value::as_u64).unwrap_or(0);
        let all: u64 = test.values().filter_map(Value::as_u64).sum();
        (counts["train"].as_u64().unwrap_or(0), good, all - good)
    }

    /// Describes the images: "28 training images, 6 for validation; test: 6 good, 17 colour".
    pub(crate) fn images(&self) -> String {
        let counts = &self.0["counts"];
        let test = counts["test"].as_object().cloned().unwrap_or_default();
        let mut counts_by_kind: Vec<String> =
            test.iter().filter(|(kind, _)| *kind != "good").map(|(kind, count)| format!("{count} {kind}")).collect();
        counts_by_kind.insert(0, format!("{} good", test.get("good").and_then(Value::as_u64).unwrap_or(0)));
        let validation =
            counts["validation"].as_u64().map(|count| format!(", {count} for validation")).unwrap_or_default();
        format!("{} training images{validation}; test: {}", counts["train"], counts_by_kind.join(", "))
    }

    /// Returns `Ok` if the category has exactly the images of MVTec AD, as far as counts show.
    ///
    /// # Errors
    /// The reason why the images are not those of MVTec AD.
    pub(crate) fn is_mvtec(&self, category: &str) -> Result<(), String> {
        if self.grouped().is_some() {
            return Err(
                "its model learned from several categories, and published results are of one model each".to_owned()
            );
        }
        if self.0["layout"] != "mvtec" {
            return Err("the category does not belong to MVTec AD".to_owned());
        }
        let Some((published, _)) = published_counts(Layout::Mvtec.name(), category) else {
            return Err("MVTec AD has no category of this name".to_owned());
        };
        let (train, good, defective) = self.counts();
        match (train, good, defective) == (published.train, published.test_good, published.test_defect) {
            true => Ok(()),
            false => Err(format!(
                "it has {train} training, {good} good and {defective} defective test images; MVTec AD has {}, {} and {}",
                published.train, published.test_good, published.test_defect
            )),
        }
    }

    /// Describes the protocol in short: "256×256 px, product".
    pub(crate) fn brief(&self) -> String {
        let aggregate = self.0["map"]["aggregate"].as_str().unwrap_or("unknown map rule");
        let model = self.grouped().map_or_else(String::new, |of| format!(", one model of {} categories", of.len()));
        format!("{0}×{0} px, {aggregate} of levels {1}{model}", self.0["image_size"], self.levels())
    }

    /// Returns the categories that one model learned from. Returns `None` if each category has a model of its own.
    fn grouped(&self) -> Option<Vec<&str>> {
        let categories = self.0["grouping"]["categories"].as_array()?;
        Some(categories.iter().filter_map(Value::as_str).collect())
    }

    /// Returns the BLAKE3 digest of the teacher's weights, in hexadecimal.
    pub(crate) fn teacher(&self) -> String {
        self.0["teacher"].as_str().unwrap_or("unknown").to_owned()
    }

    /// Returns the compared levels of the teacher: "2, 3".
    fn levels(&self) -> String {
        let numbers = self.0["levels"].as_array().map(|levels| levels.iter().map(Value::to_string).collect::<Vec<_>>());
        numbers.map_or_else(|| "1, 2, 3".to_owned(), |numbers| numbers.join(", "))
    }

    /// Returns name and value of each fact, for people.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let (map, split, aupro) = (&self.0["map"], &self.0["split"], &self.0["aupro"]);
        let mut facts = vec![
            ("data layout", text(&self.0["layout"])),
            ("image size", format!("{0}×{0} px, {1} resize", self.0["image_size"], text(&self.0["resize"]))),
            (
                "held out",
                match split["held_out"].as_str() {
                    Some("validation") => "the data set's validation images".to_owned(),
                    Some("listed") => format!("images listed in the sweep file, digest {}", text(&split["images"])),
                    Some("share") => {
                        format!("⌈{} n⌉ of n normal training images, split seed {}", split["share"], split["seed"])
                    }
                    _ => format!("⌈n/5⌉ of n normal training images, split seed {}", split["seed"]),
                },
            ),
            (
                "anomaly map",
                format!(
                    "{} of levels {3} at {1}×{1} px, smoothing σ {2} px",
                    text(&map["aggregate"]),
                    map["fuse_size"],
                    map["smoothing_sigma"],
                    self.levels()
                ),
            ),
            (
                "levels",
                if map["normalise"] == "held-out" { "normalised by held-out quantiles" } else { "not normalised" }
                    .to_owned(),
            ),
            (
                "border",
                match (map["border"].as_str(), map["border"]["crop"].as_u64()) {
                    (_, Some(pixels)) => format!("outermost {pixels} px set to 0"),
                    (Some("reweight"), _) => "pixels standardised by their held-out mean and deviation".to_owned(),
                    _ => "unchanged".to_owned(),
                },
            ),
            (
                "image score",
                match map["image_score"]["top-k"].as_f64() {
                    Some(share) => format!("mean of the highest share {share} of the map's pixels"),
                    None => "maximum of the map".to_owned(),
                },
            ),
            (
                "held-out threshold",
                format!("quantile {} of the held-out scores", map["threshold_quantile"].as_f64().unwrap_or(1.0)),
            ),
            ("masks", text(&self.0["mask_rule"])),
            (
                "AUPRO",
                format!(
                    "up to FPR {}, {}-connected, {} thresholds",
                    aupro["limit"],
                    aupro["connectivity"],
                    text(&aupro["thresholds"])
                ),
            ),
            ("teacher", format!("BLAKE3 {}", self.teacher())),
            ("numerics", text(&self.0["numerics"])),
        ];
        // Facts that most protocols do not have are listed only if they apply.
        let reading = &self.0["reading"];
        if reading["exif"] == "apply" {
            facts.push(("EXIF orientation", "applied to images and masks".to_owned()));
        }
        if let Some(white) = reading["white_level"].as_u64().filter(|&white| white < u64::from(u16::MAX)) {
            facts.push(("white level", format!("{white} in 16-bit files")));
        }
        let test = &self.0["test_normals"];
        if !test.is_null() {
            facts.push((
                "normal test images",
                format!("⌈{} n⌉ of n normal images, split seed {}", test["share"], test["seed"]),
            ));
        }
        if let Some(categories) = self.grouped() {
            facts.push(("model", format!("one for {}", categories.join(", "))));
        }
        if self.0["unmasked"] == Unmasked::LeaveOut.name() {
            facts.push(("defective images without a mask", "left out of the test".to_owned()));
        }
        facts
    }
}
