//! Published image counts of known data sets. Every row gives its source.

use serde::{Deserialize, Serialize};

/// Tables of `experiments/baselines/counts`, by the layout's name in a sweep file.
const TABLES: [(&str, &str); 5] = [
    ("mvtec", include_str!("../../experiments/baselines/counts/mvtec-ad.csv")),
    ("visa", include_str!("../../experiments/baselines/counts/visa.csv")),
    ("mpdd", include_str!("../../experiments/baselines/counts/mpdd.csv")),
    ("btad", include_str!("../../experiments/baselines/counts/btad.csv")),
    ("loco", include_str!("../../experiments/baselines/counts/loco.csv")),
];

/// Image counts of one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Normal training images.
    pub train: u64,
    /// Normal images of the data set's own validation set.
    pub validation: u64,
    /// Normal test images.
    pub test_good: u64,
    /// Defective test images.
    pub test_defect: u64,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct CountsRow {
    category: String,
    train: u64,
    #[serde(default)]
    validation: u64,
    test_good: u64,
    test_defect: u64,
    source: String,
}

impl CountsRow {
    fn counts(&self) -> Counts {
        let Self { train, validation, test_good, test_defect, .. } = *self;
        Counts { train, validation, test_good, test_defect }
    }
}

fn rows(layout: &str) -> impl Iterator<Item = CountsRow> {
    let text = TABLES.iter().find(|(table, _)| *table == layout).map_or("", |(_, text)| *text);
    csv::Reader::from_reader(text.as_bytes()).into_deserialize().filter_map(Result::ok)
}

/// Returns the data sets whose counts are published, by their layout's name in a sweep file.
pub fn counted_data_sets() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|(table, _)| *table)
}

/// Returns the categories of a data set with their published counts, sorted by name. `layout` is its name in a sweep file.
pub fn counted_categories(layout: &str) -> Vec<(String, Counts)> {
    let mut categories: Vec<_> = rows(layout).map(|row| (row.category.clone(), row.counts())).collect();
    categories.sort_by(|(a, _), (b, _)| a.cmp(b));
    categories
}

/// Returns the published counts of a category and their source. `layout` is its name in a sweep file.
pub fn published_counts(layout: &str, category: &str) -> Option<(Counts, String)> {
    let row = rows(layout).find(|row| row.category == category)?;
    Some((row.counts(), row.source))
}

/// Returns the layout, as named in a sweep file, of the data set that has all these categories; `None` if no data set has them.
pub fn layout_of_categories<'n>(categories: impl Iterator<Item = &'n str>) -> Option<&'static str> {
    let categories: Vec<&str> = categories.collect();
    let has = |layout: &str| {
        let names: Vec<String> = rows(layout).map(|row| row.category).collect();
        !categories.is_empty() && categories.iter().all(|name| names.iter().any(|known| known == name))
    };
    counted_data_sets().find(|layout| has(layout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_readable_and_has_the_published_totals() {
        let total = |layout| {
            rows(layout).fold((0, 0, 0, 0, 0), |(n, train, validation, good, defect), row| {
                assert!(!row.source.is_empty());
                let (good, defect) = (good + row.test_good, defect + row.test_defect);
                (n + 1, train + row.train, validation + row.validation, good, defect)
            })
        };
        assert_eq!(total("mvtec"), (15, 3629, 0, 467, 1258));
        assert_eq!(total("visa"), (12, 8659, 0, 962, 1200));
        assert_eq!(total("mpdd"), (6, 888, 0, 176, 282));
        assert_eq!(total("btad"), (3, 1799, 0, 451, 290));
        assert_eq!(total("loco"), (5, 1778, 305, 575, 993));
    }

    #[test]
    fn categories_identify_their_layout() {
        assert_eq!(layout_of_categories(["tubes", "connector"].into_iter()), Some("mpdd"));
        assert_eq!(layout_of_categories(["candle"].into_iter()), Some("visa"));
        assert_eq!(layout_of_categories(["candle", "nut"].into_iter()), None);
        assert_eq!(layout_of_categories(std::iter::empty()), None);
        assert_eq!(published_counts("mvtec", "hazelnut").map(|(c, _)| (c.train, c.test_defect)), Some((391, 70)));
    }
}
