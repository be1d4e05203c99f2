//! The figures of a pair: paired differences as dots, and image scores of one against the other.

use std::collections::BTreeSet;

use plotters::prelude::*;

use super::images::ScoredImage;
use crate::analysis::Side;
use crate::evaluate::metrics::Metric;
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK, MESH, plain, series};
use crate::report::figures::ink;
use crate::report::run_pages::Axis;
use crate::text::truncated_middle;

/// Width of a figure, in pixels.
const WIDTH: u32 = 480;
/// Height of a row of dots, and of the rest of their figure, in pixels.
const ROW: u32 = 28;
const REST: u32 = 84;
/// Width of the rows' names, in pixels, and number of characters in it.
const NAMES: (u32, usize) = (110, 15);
/// Maximum number of categories with a scatter figure.
const MAX_SCATTERS: usize = 15;

/// Draws a metric's paired differences, a row per category and a dot per seed; `None` if there is none.
pub(super) fn differences([reference, other]: [&Side; 2], metric: Metric) -> Result<Option<Figure>, ReportError> {
    let of_category = |category: &str| -> Vec<f64> {
        let ours = other.values(category, metric);
        let theirs = reference.values(category, metric);
        let pair = |(seed, value): &(i64, f64)| Some(value - theirs.iter().find(|(other, _)| other == seed)?.1);
        ours.iter().filter_map(pair).collect()
    };
    let categories: BTreeSet<&str> = reference.categories().intersection(&other.categories()).copied().collect();
    let rows: Vec<(&str, Vec<f64>)> =
        categories.into_iter().map(|category| (category, of_category(category))).collect();
    let rows: Vec<&(&str, Vec<f64>)> = rows.iter().filter(|(_, differences)| !differences.is_empty()).collect();
    let all = || rows.iter().flat_map(|(_, differences)| differences).copied();
    let Some(highest) = all().map(f64::abs).reduce(f64::max) else { return Ok(None) };
    let end = (1.1 * highest).max(1e-4);
    let title = format!("{}: difference by category, one dot per seed", metric.label);
    let about = FigureTexts {
        name: format!("differences-{metric}"),
        description: title.clone(),
        population: format!("n = {}; the line is no difference", pairs(all().count())),
    };
    let height = REST + ROW * rows.len() as u32;
    let figure = Figure::draw(about, (WIDTH, height), |area| {
        area.draw_text(&title, &ink(14), (12, 6))?;
        let (_, below) = area.split_vertically(30);
        let mut chart = ChartBuilder::on(&below)
            .margin(8)
            .margin_right(20)
            .margin_left(NAMES.0)
            .x_label_area_size(24)
            .build_cartesian_2d(-end..end, 0.0..rows.len() as f64)?;
        let digits = (1.0 - (2.0 * end).log10()).ceil().clamp(0.0, 6.0) as usize;
        plain(&mut chart.configure_mesh())
            .disable_y_mesh()
            .x_labels(5)
            .x_label_formatter(&|x| {
                if x.abs() < 1e-9 { "0".to_owned() } else { format!("{x:+.digits$}").replace('-', "−") }
            })
            .draw()?;
        chart.draw_series(LineSeries::new([(0.0, 0.0), (0.0, rows.len() as f64)], INK.stroke_width(1)))?;
        for (row, (category, differences)) in rows.iter().enumerate() {
            let y = (rows.len() - row) as f64 - 0.5;
            chart.draw_series(differences.iter().map(|x| Circle::new((*x, y), 4, series(0).mix(0.7).filled())))?;
            let top = chart.backend_coord(&(0.0, y)).1;
            below.draw_text(&truncated_middle(category, NAMES.1), &ink(12), (12, top - 38))?;
        }
        Ok(())
    })?;
    Ok(Some(figure))
}

fn pairs(count: usize) -> String {
    if count == 1 { "1 pair of runs".to_owned() } else { format!("{count} pairs of runs") }
}

/// Draws the image scores of one run against those of the other, a figure per category.
pub(super) fn scatter(sides: [&Side; 2], seed: i64, images: &[ScoredImage]) -> Result<Vec<Figure>, ReportError> {
    let categories: BTreeSet<&str> = images.iter().map(|image| image.category.as_str()).collect();
    categories
        .into_iter()
        .take(MAX_SCATTERS)
        .filter_map(|category| of_category(sides, seed, images, category).transpose())
        .collect()
}

fn of_category(
    [reference, other]: [&Side; 2],
    seed: i64,
    images: &[ScoredImage],
    category: &str,
) -> Result<Option<Figure>, ReportError> {
    let images: Vec<&ScoredImage> = images.iter().filter(|image| image.category == category).collect();
    let scores = images.iter().flat_map(|image| image.scores);
    let Some(axis) = Axis::of(scores.chain([1.0])) else { return Ok(None) };
    let (low, high) = axis.ends;
    let title = format!("{category}: image scores ÷ threshold");
    let about = FigureTexts {
        name: format!("scatter-{category}"),
        description: format!("{title}, {} against {}", other.label, reference.label),
        population: format!("n = {} test images, seed {seed}; lines: thresholds and equal scores", images.len()),
    };
    let names = [("normal", series(0)), ("defective", series(1))];
    let figure = Figure::draw(about, (WIDTH, WIDTH - 40), |area| {
        area.draw_text(&title, &ink(14), (12, 6))?;
        for (place, (name, colour)) in names.iter().enumerate() {
            let left = 16 + 110 * place as i32;
            area.draw(&Circle::new((left, 36), 4, colour.filled()))?;
            area.draw_text(name, &ink(12), (left + 10, 29))?;
        }
        let (_, below) = area.split_vertically(48);
        let mut chart = ChartBuilder::on(&below)
            .margin(8)
            .margin_right(16)
            .x_label_area_size(42)
            .y_label_area_size(62)
            .build_cartesian_2d(low..high, low..high)?;
        plain(&mut chart.configure_mesh())
            .axis_desc_style(("sans-serif", 12).into_font().color(&INK))
            .x_desc(truncated_middle(&reference.label, 50))
            .y_desc(truncated_middle(&other.label, 40))
            .x_labels(6)
            .y_labels(6)
            .x_label_formatter(&|place| axis.text(*place))
            .y_label_formatter(&|place| axis.text(*place))
            .draw()?;
        chart.draw_series(LineSeries::new([(low, low), (high, high)], MESH.stroke_width(2)))?;
        let threshold = axis.place(1.0);
        for line in [[(threshold, low), (threshold, high)], [(low, threshold), (high, threshold)]] {
            chart.draw_series(DashedLineSeries::new(line, 5, 4, INK.stroke_width(1)))?;
        }
        let points = images.iter().map(|image| {
            let place = (axis.place(image.scores[0]), axis.place(image.scores[1]));
            Circle::new(place, 4, series(usize::from(image.defective)).mix(0.7).filled())
        });
        chart.draw_series(points)?;
        Ok(())
    })?;
    Ok(Some(figure))
}
