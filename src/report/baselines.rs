//! Published tables, embedded: facts with their source in every row.

use serde::Deserialize;

use super::ReportError;

/// Embeds the tables of `experiments/baselines` by name.
macro_rules! tables {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../experiments/baselines/", $name, ".csv")))),*]
    };
}

/// Name and contents of each table.
const TABLES: [(&str, &str); 7] = tables![
    "stfpm-official-rerun",
    "stfpm-paper",
    "stfpm-hcw00",
    "stfpm-anomalib",
    "stfpm-paddle",
    "stfpm-xiahaifeng",
    "unet-seed-article",
];

/// One published number.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Published {
    /// Category, or "mean".
    pub category: String,
    /// Name of the number.
    pub metric: String,
    /// The number.
    pub value: f64,
    /// Whose network.
    pub model: String,
    /// Where it stands.
    pub source: String,
}

/// The names that `baseline.published` can have.
pub fn published_names() -> [&'static str; 7] {
    TABLES.map(|(name, _)| name)
}

/// The rows of a published table.
pub fn published(name: &str) -> Result<Vec<Published>, ReportError> {
    let Some((_, text)) = TABLES.iter().find(|(known, _)| *known == name) else {
        return Err(ReportError::Baseline(format!(
            "there is no published table `{name}`; baseline.published can be: {}",
            published_names().join(", ")
        )));
    };
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(|error| ReportError::Baseline(format!("experiments/baselines/{name}.csv: {error}")))
}

/// Training and test counts of one MVTec AD category as published.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct MvtecCounts {
    category: String,
    pub train: u64,
    pub test_good: u64,
    pub test_defect: u64,
}

/// The published counts of a category.
pub(super) fn mvtec_counts(category: &str) -> Option<MvtecCounts> {
    csv::Reader::from_reader(include_str!("../../experiments/baselines/counts/mvtec-ad.csv").as_bytes())
        .deserialize()
        .filter_map(Result::ok)
        .find(|counts: &MvtecCounts| counts.category == category)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_can_be_read() {
        for name in published_names() {
            let rows = published(name).expect("is embedded");
            assert!(!rows.is_empty() && rows.iter().all(|row| !row.source.is_empty()), "{name}");
        }
        assert!(published("nothing").expect_err("unknown").to_string().contains("stfpm-official-rerun"));
    }

    #[test]
    fn bottle_has_the_papers_pixel_auroc() {
        let rows = published("stfpm-paper").expect("is embedded");
        let bottle = rows.iter().find(|r| r.category == "bottle" && r.metric == "pixel_auroc").expect("is there");
        assert_eq!(bottle.value, 0.988);
        let counts = mvtec_counts("hazelnut").map(|c| (c.train, c.test_good, c.test_defect));
        assert_eq!(counts, Some((391, 40, 70)));
    }
}
