//! Draws bars per variant and category, with every seed as a dot.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::legend::{legend, legend_height};
use super::{FigureChapter, FigureKind, ink};
use crate::analysis::{Groups, MAX_DRAWN};
use crate::evaluate::Selection;
use crate::evaluate::metrics::Metric;
use crate::report::error::ReportError;
use crate::report::figure::{Area, Figure, INK, left_out, plain, series};
use crate::statistics::summary;

/// One figure per metric that has numbers. Figure names start with `prefix`.
pub(super) const KIND: FigureKind =
    FigureKind { chapter: FigureChapter::Leaderboard, draw: |source| bars(source.groups, source.prefix) };

fn bars(groups: &Groups<'_>, prefix: &str) -> Result<Vec<Figure>, ReportError> {
    groups.metrics.iter().filter_map(|metric| figure(groups, prefix, *metric).transpose()).collect()
}

/// Values of one bar: one per seed, of a variant in a category.
type BarValues = Vec<f64>;

fn figure(groups: &Groups<'_>, prefix: &str, metric: Metric) -> Result<Option<Figure>, ReportError> {
    let label = metric.label;
    let cell = |category: &str, variant| -> BarValues {
        groups.cell(variant, category, Selection::Selected, metric).into_iter().map(|(_, value)| value).collect()
    };
    let variants = &groups.variants[..groups.variants.len().min(MAX_DRAWN)];
    let table: Vec<Vec<BarValues>> = groups
        .categories
        .iter()
        .map(|(category, _)| variants.iter().map(|variant| cell(category, variant)).collect())
        .collect();
    let lowest = table.iter().flatten().flatten().copied().fold(f64::INFINITY, f64::min);
    if !lowest.is_finite() {
        return Ok(None);
    }
    let highest = table.iter().flatten().flatten().copied().fold(0.0, f64::max);
    // Bars of nearly equal height show nothing. So the axis starts below the lowest value, and the caption says where.
    let floor = (((lowest - 0.25 * (highest - lowest) - 0.005) * 100.0).floor() / 100.0).clamp(0.0, 0.98);
    let top = (highest + 0.12 * (highest - floor)).max(floor + 0.01);

    let labels: Vec<&str> = variants.iter().map(|variant| variant.label.as_str()).collect();
    let categories: Vec<&str> = groups.categories.iter().map(|(category, _)| category.as_str()).collect();
    let description = format!("{label} of {} in {}: mean and each seed", labels.join(", "), categories.join(", "));
    let legend_height = legend_height(variants);
    let slot_width = (1340.0 / ((variants.len() + 1) * table.len()) as f64).min(56.0);
    let draw = |area: &Area<'_>| {
        let slots = variants.len() as f64 + 1.0;
        let rest = left_out(groups.variants.len());
        let caption = format!("{label}: mean over seeds (bars start at {floor:.2}) and each seed (dots){rest}");
        let caption = groups.marked(&caption);
        area.draw_text(&caption, &ink(15), (12, 8))?;
        legend(area, variants, 34)?;
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .margin_top(34 + legend_height)
            .x_label_area_size(24)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..slots * table.len() as f64, floor..top)?;
        plain(&mut chart.configure_mesh())
            .disable_x_mesh()
            .disable_x_axis()
            .y_labels(6)
            .y_label_formatter(&|value| format!("{value:.3}"))
            .draw()?;
        let centred = |size| ink(size).pos(Pos::new(HPos::Center, VPos::Bottom));
        for (place, row) in table.iter().enumerate() {
            let left = slots * place as f64 + 0.5;
            for (index, values) in row.iter().enumerate() {
                let Some(mean) = summary(values).map(|summary| summary.mean) else { continue };
                let (from, to) = (left + index as f64 + 0.08, left + index as f64 + 0.92);
                let bar = Rectangle::new([(from, floor), (to, mean)], series(index).mix(0.75).filled());
                chart.draw_series(std::iter::once(bar))?;
                let dots = values.iter().enumerate().map(|(seed, &value)| {
                    let x = from + (to - from) * (seed as f64 + 1.0) / (values.len() as f64 + 1.0);
                    Circle::new((x, value), 3, INK.filled())
                });
                chart.draw_series(dots)?;
                if slot_width < 34.0 {
                    // The slot is too narrow for a number.
                    continue;
                }
                let above = values.iter().copied().fold(mean, f64::max);
                let text =
                    Text::new(format!("{mean:.3}"), ((from + to) / 2.0, above + 0.012 * (top - floor)), centred(11));
                chart.draw_series(std::iter::once(text))?;
            }
            let middle = chart.backend_coord(&(left + (slots - 1.0) / 2.0, floor));
            area.draw_text(categories[place], &centred(13), (middle.0, middle.1 + 20))?;
        }
        Ok(())
    };
    let width = (60.0 + slot_width * ((variants.len() + 1) * table.len()) as f64).max(960.0) as u32;
    let about = groups.about(format!("{prefix}bars-{metric}"), &description);
    Figure::draw(about, (width, 320 + legend_height), draw).map(Some)
}
