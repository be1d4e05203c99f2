//! Published result tables, embedded in the program. Every row gives its source.

use serde::{Deserialize, Serialize};

/// Embeds the tables of `experiments/baselines` by name.
macro_rules! tables {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../experiments/baselines/", $name, ".csv")))),*]
    };
}

/// Name and contents of each table.
const TABLES: &[(&str, &str)] = tables![
    "stfpm-official-rerun",
    "stfpm-paper",
    "stfpm-hcw00",
    "stfpm-hcw00-legacy",
    "stfpm-anomalib",
    "stfpm-anomalib-wrn50",
    "stfpm-paddle",
    "stfpm-paddle-last",
    "stfpm-paddle-oracle",
    "stfpm-paddleseg",
    "stfpm-xiahaifeng",
    "stfpm-inkyzigi-r152",
    "stfpm-abhich98",
    "stfpm-successors",
    "stfpm-speed",
    "unet-seed-article",
    "rd4ad-paper",
    "rd4ad-anomalib-wrn50",
];

/// Why a published table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// No table has this name.
    #[error("no published table is named `{name}`; `baseline.published` can be {}", published_names().join(", "))]
    Unknown {
        /// Requested name.
        name: String,
    },
    /// A row cannot be read.
    #[error("cannot read `experiments/baselines/{name}.csv`: {source}")]
    Damaged {
        /// Name of the table.
        name: String,
        /// Error of the CSV reader.
        source: csv::Error,
    },
}

/// One published number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PublishedResult {
    /// Category, "mean" over all categories, or "any".
    pub category: String,
    /// Name of the metric.
    pub metric: String,
    /// Value of the metric.
    pub value: f64,
    /// Network that the value belongs to.
    pub model: String,
    /// Publication that contains the value.
    pub source: String,
    /// What a reader must know about the value; may be empty.
    pub note: String,
}

/// Returns the possible values of `baseline.published`.
pub fn published_names() -> Vec<&'static str> {
    TABLES.iter().map(|(name, _)| *name).collect()
}

/// Returns the rows of a published table.
///
/// # Errors
/// No table has this name, or the table is damaged.
pub fn published(name: &str) -> Result<Vec<PublishedResult>, PublishedError> {
    let has_name = |(table, _): &&(&str, &str)| *table == name;
    let (_, text) = TABLES.iter().find(has_name).ok_or_else(|| PublishedError::Unknown { name: name.to_owned() })?;
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(|source| PublishedError::Damaged { name: name.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_readable_and_its_facts_are_unique_and_have_sources() {
        for name in published_names() {
            let rows = published(name).expect("is embedded");
            assert!(!rows.is_empty() && rows.iter().all(|row| !row.source.is_empty()), "{name}");
            let mut facts: Vec<_> = rows.iter().map(|r| (&r.category, &r.metric, &r.model, &r.note)).collect();
            facts.sort_unstable();
            facts.dedup();
            assert_eq!(facts.len(), rows.len(), "{name} has a duplicate fact");
        }
        assert!(published("nothing").expect_err("unknown").to_string().contains("stfpm-official-rerun"));
    }

    #[test]
    fn every_file_of_the_folder_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/experiments/baselines");
        for entry in std::fs::read_dir(folder).expect("is there").filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(name) = name.strip_suffix(".csv") else { continue };
            assert!(published_names().contains(&name), "{name}.csv is not in TABLES");
        }
    }

    #[test]
    fn bottle_has_the_papers_pixel_auroc_and_the_seed_articles_misquotation_is_noted() {
        let bottle = |table: &str, model: &str| {
            let rows = published(table).expect("is embedded");
            let is_wanted =
                |r: &PublishedResult| r.category == "bottle" && r.metric == "pixel_auroc" && r.model.starts_with(model);
            rows.into_iter().find(is_wanted).expect("is there")
        };
        assert_eq!(bottle("stfpm-paper", "").value, 0.988);
        assert_eq!(bottle("unet-seed-article", "ST-FPM with").value, 0.9837);
        let quoted = bottle("unet-seed-article", "ST-FPM as the seed article quotes it");
        assert!(quoted.value == 0.998 && quoted.note.contains("0.988"), "{quoted:?}");
    }

    #[test]
    fn published_means_equal_the_means_of_their_rows() {
        for name in published_names() {
            let rows = published(name).expect("is embedded");
            for mean in rows.iter().filter(|row| row.category == "mean") {
                let in_mean =
                    |r: &&PublishedResult| r.metric == mean.metric && r.model == mean.model && r.category != "mean";
                let values: Vec<f64> = rows.iter().filter(in_mean).map(|row| row.value).collect();
                if values.len() < 15 {
                    continue;
                }
                let ours = values.iter().sum::<f64>() / values.len() as f64;
                assert!((ours - mean.value).abs() < 0.002, "{name}, {}: {ours}, not {}", mean.metric, mean.value);
            }
        }
    }
}
