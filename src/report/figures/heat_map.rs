//! Draws the difference of each variant from ST-FPM in each category as a table of colours.

use super::kind::FigureSource;
use super::representative::finished;
use super::{FigureChapter, FigureKind};
use crate::analysis::Differences;
use crate::evaluate::metrics::Metric;
use crate::report::canvas::{Anchor, Canvas, DrawResult, Pixel, TEXT, fitted, fitted_middle, text_width};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, MESH, ON_PALE, diverging};
use crate::report::table::count_value;
use crate::report::values::{Values, number, text};
use crate::text::{counted, signed};

/// Maximum number of variants and of categories; tables show all.
const MOST_ROWS: usize = 24;
const MOST_COLUMNS: usize = 20;
/// Height of a row, in pixels.
const ROW: i32 = 22;
/// Maximum width of a cell, and of a category's upright name, in pixels.
const CELL: i32 = 84;
const NAME: i32 = 150;
/// Widest labels, if cells keep a comfortable width; smallest width of a cell on one printed column, in pixels.
const LABELS: std::ops::RangeInclusive<i32> = 110..=200;
const COMFORTABLE: i32 = 40;
const NARROWEST: i32 = 34;
/// Distance between the lines of a hatched cell, in pixels.
const HATCH: i32 = 6;

/// The first metric; none without ST-FPM, or with a single category.
pub(super) const FIRST: FigureKind = FigureKind {
    chapter: FigureChapter::Effect,
    draw: |source| Ok(figure(source, source.groups.first_metric())?.into_iter().collect()),
};

/// The other metrics, one figure each.
pub(super) const OTHERS: FigureKind = FigureKind {
    chapter: FigureChapter::Seeds,
    draw: |source| {
        source.groups.metrics.iter().skip(1).filter_map(|metric| figure(source, *metric).transpose()).collect()
    },
};

/// A difference and the number of seeds behind it.
type Cell = Option<(f64, usize)>;

fn figure(source: &FigureSource<'_>, metric: Metric) -> Result<Option<Figure>, ReportError> {
    let groups = source.groups;
    let Some(baseline) = groups.variants.iter().position(|variant| variant.baseline) else { return Ok(None) };
    let variants: Vec<usize> =
        (0..groups.variants.len()).filter(|index| !groups.variants[*index].baseline).take(MOST_ROWS).collect();
    let categories: Vec<&str> =
        groups.categories.iter().map(|(category, _)| category.as_str()).take(MOST_COLUMNS).collect();
    let cell = |variant: usize, category: &str| -> Cell {
        let (side, reference) = (&source.sides[variant], &source.sides[baseline]);
        let differences = Differences::over_categories(&[category], side, reference, metric)?;
        Some((differences.mean(), differences.by_seed.len()))
    };
    let table: Vec<Vec<Cell>> =
        variants.iter().map(|variant| categories.iter().map(|category| cell(*variant, category)).collect()).collect();
    let largest = table.iter().flatten().flatten().map(|(difference, _)| difference.abs()).fold(0.0, f64::max);
    if categories.len() < 2 || table.iter().flatten().all(Option::is_none) {
        return Ok(None);
    }
    let label = metric.label;
    let drawn = variants.iter().chain([&baseline]).flat_map(|index| groups.of_variant(&groups.variants[*index]));
    let texts = FigureTexts::of(
        groups,
        drawn.filter(|run| categories.contains(&run.category.as_str())),
        format!("{}heat-{metric}", source.prefix),
        &format!("{label}: difference of each variant from ST-FPM in each category"),
        &format!(
            "{label}: mean paired difference from ST-FPM, in hundredths. Orange is above ST-FPM, blue is below. Hatched cells have no \
             pair of runs. No test is shown."
        ),
    );
    let title = groups.marked(&format!("{label}: difference from ST-FPM × 100, by category"));
    let labels: Vec<&str> = variants.iter().map(|index| groups.variants[*index].label.as_str()).collect();
    let widest = labels.iter().map(|label| text_width(label, TEXT)).max().unwrap_or(0) + 22;
    let longest = categories.iter().map(|category| text_width(category, TEXT)).max().unwrap_or(0);
    let values = labels.iter().zip(&table).flat_map(|(label, cells)| {
        categories.iter().zip(cells).filter_map(move |(category, cell)| {
            let (difference, seeds) = (*cell)?;
            Some([text(*label), text(*category), number(difference), count_value(seeds)])
        })
    });
    let values = Values::of(["variant", "category", "difference", "seeds"], values);
    Figure::of_columns(texts, &title, values, |sheet| {
        let beside = sheet.width - 16 - COMFORTABLE * categories.len() as i32;
        let left = widest.min(beside.clamp(*LABELS.start(), *LABELS.end()));
        let width = ((sheet.width - 16 - left) / categories.len() as i32).min(CELL);
        if width < NARROWEST {
            return Ok(None);
        }
        let upright = longest > width - 6;
        let head = 30 + if upright { longest.min(NAME) + 10 } else { 22 };
        sheet.draw(head + ROW * table.len() as i32 + 34, |canvas| {
            for (place, category) in (0..).zip(&categories) {
                let x = left + width * place + width / 2;
                if upright {
                    canvas.upright((x, head - 6), Anchor::Left, &fitted(category, TEXT, NAME))?;
                } else {
                    canvas.text((x, head - 12), Anchor::Centre, category)?;
                }
            }
            for (row, (variant, cells)) in (0..).zip(variants.iter().zip(&table)) {
                let (top, variant) = (head + ROW * row, &groups.variants[*variant]);
                canvas.text((left - 8, top + ROW / 2), Anchor::Right, &fitted_middle(&variant.label, left - 14))?;
                for (place, (category, cell)) in (0..).zip(categories.iter().zip(cells)) {
                    let corner = (left + width * place, top);
                    let corners = [corner, (corner.0 + width - 1, top + ROW - 1)];
                    draw_cell(canvas, corners, *cell, largest)?;
                    let text = cell.map_or("no pair of runs".to_owned(), |(difference, seeds)| {
                        format!("{} ({})", signed(difference), counted(seeds, "seed"))
                    });
                    let run = finished(groups, variant, category).next().map(|run| run.id.as_str());
                    canvas.tooltip_of_cell(corners, &format!("{}, {category}: {text}", variant.label), run);
                }
            }
            scale(canvas, (left, head + ROW * table.len() as i32 + 10), largest)
        })
    })
    .map(Some)
}

fn draw_cell(canvas: &Canvas<'_>, corners: [Pixel; 2], cell: Cell, largest: f64) -> DrawResult {
    let [(left, top), (right, bottom)] = corners;
    let middle = ((left + right) / 2, (top + bottom) / 2);
    let Some((difference, _)) = cell else {
        return hatch(canvas, corners);
    };
    let part = if largest > 0.0 { difference / largest } else { 0.0 };
    canvas.fill(corners, diverging(part))?;
    canvas.text_in(ON_PALE, middle, Anchor::Centre, &hundredths(difference))
}

/// Fills a cell with slanted lines.
fn hatch(canvas: &Canvas<'_>, [(left, top), (right, bottom)]: [Pixel; 2]) -> DrawResult {
    let height = bottom - top;
    (left - height..right).step_by(HATCH as usize).try_for_each(|start| {
        let (from, to) = (start.max(left), (start + height).min(right));
        canvas.line(vec![(from, bottom - (from - start)), (to, bottom - (to - start))], MESH, 1)
    })
}

/// Formats a difference in hundredths, with one decimal.
fn hundredths(difference: f64) -> String {
    let text = format!("{:.1}", 100.0 * difference);
    let text = if text == "-0.0" { "0.0".to_owned() } else { text };
    text.replace('-', "−")
}

/// Draws the colour scale with its ends; it starts at `left` if it has room there.
fn scale(canvas: &Canvas<'_>, (left, top): Pixel, largest: f64) -> DrawResult {
    const STEPS: i32 = 21;
    const WIDTH: i32 = 6;
    let (low, high) = (hundredths(-largest), format!("{} (orange: above ST-FPM)", hundredths(largest)));
    let before = text_width(&low, TEXT) + 6;
    let all = before + STEPS * WIDTH + 6 + text_width(&high, TEXT);
    let left = left.min(canvas.width() - all - 12).max(12);
    canvas.text((left, top + 6), Anchor::Left, &low)?;
    for step in 0..STEPS {
        let corner = (left + before + step * WIDTH, top);
        let part = 2.0 * f64::from(step) / f64::from(STEPS - 1) - 1.0;
        canvas.fill([corner, (corner.0 + WIDTH, top + 12)], diverging(part))?;
    }
    canvas.text((left + before + STEPS * WIDTH + 6, top + 6), Anchor::Left, &high)
}

#[cfg(test)]
mod tests {
    use super::hundredths;

    #[test]
    fn a_cell_shows_hundredths_with_one_decimal() {
        assert_eq!([0.012, -0.0349, -0.0001].map(hundredths), ["1.2", "−3.5", "0.0"]);
    }
}
