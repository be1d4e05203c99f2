//! Draws the share of the variance that each searched setting explains.

use super::axis::Axis;
use super::palette::of_setting;
use super::plot::{Frame, Plot};
use super::{FigureChapter, FigureKind};
use crate::analysis::{Effects, Groups, is_point};
use crate::report::canvas::{Anchor, TEXT, fitted_middle, text_width};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK};
use crate::report::values::{Values, number, text};

/// Height of a row, in pixels, and maximum number of rows.
const ROW: i32 = 22;
const MOST_ROWS: usize = 16;

/// One figure for the first metric; none if there are too few runs for shares, or a single setting, which explains everything.
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Why,
    draw: |source| Ok(importance(source.effects, source.groups, source.prefix)?.into_iter().collect()),
};

/// The share of one setting or pair of settings.
struct Row {
    label: String,
    mean: f64,
    deviation: f64,
    by_chance: Option<f64>,
}

fn importance(effects: &[Effects], groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    let Some(effects) = effects.first() else { return Ok(None) };
    let of_axes = effects.axes.iter().filter_map(|axis| {
        let share = axis.share?;
        Some(Row { label: axis.axis.clone(), mean: share.mean, deviation: share.deviation, by_chance: axis.by_chance })
    });
    let mut rows: Vec<Row> = of_axes.collect();
    if rows.len() < 2 {
        return Ok(None);
    }
    rows.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    rows.truncate(MOST_ROWS);
    let metric = effects.metric;
    let drawn = groups
        .all()
        .filter(|run| is_point(run) && groups.value(run, crate::evaluate::Selection::Selected, metric).is_some());
    let texts = FigureTexts::of(
        groups,
        drawn,
        format!("{prefix}importance"),
        &format!("Share of the variance of {} that each setting explains", metric.label),
        &format!(
            "Share of the variance of {} that each setting explains alone (fANOVA). Lines are ± one standard deviation over the trees. A \
             ring marks the share that chance exceeds once in twenty times.",
            metric.label
        ),
    );
    let widest = rows.iter().map(|row| text_width(&row.label, TEXT)).max().unwrap_or(0) + 24;
    let reach = rows.iter().flat_map(|row| [row.mean + row.deviation, row.by_chance.unwrap_or(0.0)]);
    let high = reach.fold(0.05, f64::max).min(1.0) * 1.04;
    let values =
        rows.iter().map(|row| [text(&row.label), number(row.mean), number(row.deviation), number(row.by_chance)]);
    let values = Values::of(["setting", "share", "deviation", "by_chance"], values);
    let title = groups.marked(&format!("Importance of the settings for {}", metric.label));
    Figure::of_columns(texts, &title, values, |sheet| {
        let left = widest.min(300.min(2 * sheet.width / 5));
        let frame = Frame { left, top: 40, right: sheet.width - 70, bottom: 40 + ROW * rows.len() as i32 };
        sheet.draw(frame.bottom + 42, |canvas| {
            let mut x = Axis::linear(0.0, 100.0 * high, frame.ticks_across());
            x.ticks.iter_mut().for_each(|(_, label)| label.push_str(" %"));
            let plot = Plot { canvas, frame, x, y: Axis::with_ticks(0.0, rows.len() as f64, Vec::new()) };
            plot.horizontal_axis("share of the variance")?;
            canvas.line(vec![(frame.left, frame.top), (frame.left, frame.bottom)], INK, 1)?;
            for (index, row) in rows.iter().enumerate() {
                let y = rows.len() as f64 - index as f64 - 0.5;
                let at = |share: f64| plot.at((100.0 * share.clamp(0.0, high), y));
                canvas.text((left - 8, at(0.0).1), Anchor::Right, &fitted_middle(&row.label, left - 12))?;
                canvas.interval(at(row.mean - row.deviation), at(row.mean + row.deviation), of_setting())?;
                canvas.dot(at(row.mean), 5, of_setting())?;
                let chance = row.by_chance.map_or(String::new(), |share| format!(", by chance {:.1} %", 100.0 * share));
                if let Some(share) = row.by_chance {
                    canvas.ring(at(share), 4, super::palette::OTHERS)?;
                }
                let text = format!("{:.1} % ± {:.1}", 100.0 * row.mean, 100.0 * row.deviation);
                canvas.tooltip(at(row.mean), 6, &format!("{}: {text}{chance}", row.label));
                canvas.text((frame.right + 10, at(0.0).1), Anchor::Left, &format!("{:.0} %", 100.0 * row.mean))?;
            }
            Ok(())
        })
    })
    .map(Some)
}
