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
    }
}
