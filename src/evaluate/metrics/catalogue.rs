//! Rules that every registered metric must follow, and the page that lists the metrics.

use std::collections::BTreeSet;

use super::{Direction, Metric, MetricSource, Population, Resampling, Scope};

#[test]
fn every_metric_has_a_unique_name_and_label() {
    let count = Metric::all().count();
    assert_eq!(Metric::all().map(|metric| metric.name).collect::<BTreeSet<_>>().len(), count);
    assert_eq!(Metric::all().map(|metric| metric.label).collect::<BTreeSet<_>>().len(), count);
    for metric in Metric::all() {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(metric.name.chars().all(plain) && !metric.name.starts_with("test_"), "{metric}");
        assert_eq!(metric.name.parse(), Ok(metric));
        assert!(!metric.description.contains('\n') && !metric.description.ends_with('.'), "{metric}");
    }
}

#[test]
fn objectives_are_maximised_and_threshold_metrics_are_not_measured_per_kind() {
    for metric in Metric::all() {
        assert!(!metric.objective || metric.direction == Direction::Higher, "{metric}");
        assert!(!(metric.per_defect_kind && matches!(metric.source, MetricSource::Threshold(_))), "{metric}");
    }
}

/// Renders the table that the page "Metrics" of the documentation includes.
fn page() -> String {
    let mut page = "| name | label | meaning | judges | better | measured on | resampling of test images, 8 or more seeds | objective | per kind |\n\
        |---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    let yes = |yes: bool| if yes { "yes" } else { "" };
    for metric in Metric::all() {
        let scope = match metric.scope() {
            Scope::Image => "images",
            Scope::Pixel => "pixels",
        };
        let better = match metric.direction {
            Direction::Higher => "higher",
            Direction::Lower => "lower",
        };
        let population = match metric.population {
            Population::Test => "test images",
            Population::Painted => "held-out images, painted and not",
        };
        let resampling = match metric.resampling() {
            Resampling::ImageRanks => "from image scores; also DeLong's test".to_owned(),
            Resampling::Histograms(_) => "from histograms of pixels".to_owned(),
            Resampling::Unavailable(reason) => format!("no: {reason}"),
        };
        page.push_str(&format!(
            "| `{metric}` | {} | {} | {scope} | {better} | {population} | {resampling} | {} | {} |\n",
            metric.label,
            metric.description,
            yes(metric.objective),
            yes(metric.per_defect_kind)
        ));
    }
    page
}

#[test]
fn the_page_lists_every_metric_as_it_is_registered() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src/reference/metrics-table.md");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(path, page()).expect("written");
    }
    let written = std::fs::read_to_string(path).expect("the table is there");
    assert_eq!(written, page(), "the table is out of date: run this test with INSTA_UPDATE=always to update it");
}
