//! The figures of a pair: paired differences as dots, and image scores of one against the other.

use std::collections::BTreeSet;

use plotters::prelude::Color;

use super::images::ScoredImage;
use crate::analysis::Side;
use crate::evaluate::metrics::Metric;
use crate::report::canvas::{Anchor, fitted_middle};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK, MESH};
use crate::report::figures::axis::Axis;
use crate::report::figures::palette::of_item;
use crate::report::figures::plot::{Frame, Plot};
use crate::text::{counted, signed};

/// Width of a figure, in pixels.
const WIDTH: i32 = 480;
/// Height of a row of dots, and of the rest of their figure, in pixels.
const ROW: i32 = 28;
const REST: i32 = 84;
/// Width of the rows' names, in pixels.
const NAMES: i32 = 110;
/// Maximum number of categories with a scatter figure.
const MAX_SCATTERS: usize = 15;

/// Draws a metric's paired differences, a row per category and a dot per seed; `None` if there is none.
pub(super) fn differences([reference, other]: [&Side; 2], metric: Metric) -> Result<Option<Figure>, ReportError> {
    let of_category = |category: &str| -> Vec<(i64, f64)> {
        let ours = other.values(category, metric);
        let theirs = reference.values(category, metric);
        let pair =
            |(seed, value): &(i64, f64)| Some((*seed, value - theirs.iter().find(|(other, _)| other == seed)?.1));
        ours.iter().filter_map(pair).collect()
    };
    let categories: BTreeSet<&str> = reference.categories().intersection(&other.categories()).copied().collect();
    let all = categories.into_iter().map(|category| (category, of_category(category)));
    let rows: Vec<(&str, Vec<(i64, f64)>)> = all.filter(|(_, differences)| !differences.is_empty()).collect();
    let values = || rows.iter().flat_map(|(_, differences)| differences).map(|(_, difference)| *difference);
    let Some(highest) = values().map(f64::abs).reduce(f64::max) else { return Ok(None) };
    let end = (1.1 * highest).max(1e-4);
    let title = format!("{}: difference by category, one dot per seed", metric.label);
    let pairs = counted(values().count(), "pair");
    let about = FigureTexts {
        name: format!("differences-{metric}"),
        description: title.clone(),
        caption: format!("{title}. The line is no difference. It draws {pairs} of runs."),
        population: format!("n = {pairs} of runs"),
    };
    let height = REST + ROW * rows.len() as i32;
    let frame = Frame { left: NAMES + 16, top: 34, right: WIDTH - 24, bottom: height - 40 };
    let figure = Figure::draw(about, (WIDTH, height), |canvas| {
        canvas.title(&title)?;
        let x = Axis::linear(-end, end, frame.ticks_across()).signed();
        let plot = Plot { canvas, frame, x, y: Axis::with_ticks(0.0, rows.len() as f64, Vec::new()) };
        plot.horizontal_axis("")?;
        plot.curve(&[(0.0, 0.0), (0.0, rows.len() as f64)], INK, 1)?;
        for (row, (category, differences)) in rows.iter().enumerate() {
            let y = (rows.len() - row) as f64 - 0.5;
            for (seed, difference) in differences {
                let at = plot.at((*difference, y));
                canvas.dot(at, 4, of_item(0).mix(0.7))?;
                canvas.tooltip(at, 6, &format!("{category}, seed {seed}: {}", signed(*difference)));
            }
            canvas.text((12, plot.at((0.0, y)).1), Anchor::Left, &fitted_middle(category, NAMES))?;
        }
        Ok(())
    })?;
    Ok(Some(figure))
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
    let scores = images.iter().flat_map(|image| image.scores).chain([1.0]);
    let frame = Frame { left: 66, top: 72, right: WIDTH - 20, bottom: WIDTH - 84 };
    let Some(axis) = Axis::around(scores, frame.ticks_across()) else { return Ok(None) };
    let title = format!("{category}: image scores ÷ threshold");
    let drawn = counted(images.len(), "test image");
    let about = FigureTexts {
        name: format!("scatter-{category}"),
        description: format!("{title}, {} against {}", other.label, reference.label),
        caption: format!("{title}. Dashed: thresholds; diagonal: equal scores. It draws {drawn} with seed {seed}."),
        population: format!("n = {drawn}, seed {seed}"),
    };
    let figure = Figure::draw(about, (WIDTH, WIDTH - 40), |canvas| {
        canvas.title(&title)?;
        for (place, name) in ["normal", "defective"].iter().enumerate() {
            let left = 16 + 110 * place as i32;
            canvas.dot((left, 36), 4, of_item(place))?;
            canvas.text((left + 10, 36), Anchor::Left, name)?;
        }
        let plot = Plot { canvas, frame, x: axis.clone(), y: axis.clone() };
        plot.axes(&other.label, &reference.label)?;
        let ends = [0.0, 1.0].map(|part| axis.value(part));
        plot.curve(&ends.map(|end| (end, end)), MESH, 2)?;
        let threshold = plot.at((1.0, 1.0));
        canvas.dashed((threshold.0, frame.bottom), (threshold.0, frame.top), INK)?;
        canvas.dashed((frame.left, threshold.1), (frame.right, threshold.1), INK)?;
        for image in &images {
            let at = plot.at((image.scores[0], image.scores[1]));
            canvas.dot(at, 4, of_item(usize::from(image.defective)).mix(0.7))?;
        }
        Ok(())
    })?;
    Ok(Some(figure))
}
