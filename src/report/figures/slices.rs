//! Draws the results at each value of each setting, whatever the other settings were.

use plotters::prelude::Color;

use super::axis::Axis;
use super::palette::of_setting;
use super::panels::Panels;
use super::plot::Plot;
use super::range::room;
use super::setting::{ANY_TICKS, Setting, declared_logarithmic};
use super::smooth::smooth;
use super::trial_means::{TrialMean, trial_means};
use super::{FigureChapter, FigureKind, FigureSource};
use crate::analysis::{LevelEffect, SearchedAxis, distances, levels, searched};
use crate::export::Value;
use crate::report::canvas::DrawResult;
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK, MESH};
use crate::report::values::{Values, number, text};
use crate::store::RunRow;
use crate::text::signed;

/// Maximum number of axes in one figure.
const MOST_AXES: usize = 6;
/// Maximum number of dots in one panel. If there are more trials, only every n-th is drawn.
const MOST_DOTS: usize = 600;
/// Height of a panel with its texts, its smallest width, and the space for its texts at the left, top, right and bottom, in pixels.
const PANEL: i32 = 196;
const NARROWEST: i32 = 320;
const AROUND: [i32; 4] = [66, 30, 18, 40];

/// One panel per axis; no figure if nothing was searched.
pub(super) const KIND: FigureKind =
    FigureKind { chapter: FigureChapter::Why, draw: |source| Ok(slices(source)?.into_iter().collect()) };

fn slices(source: &FigureSource<'_>) -> Result<Option<Figure>, ReportError> {
    let groups = source.groups;
    let axes = searched(groups);
    let label = groups.first_metric().label;
    let measured = distances(groups, groups.first_metric());
    if axes.is_empty() || measured.is_empty() {
        return Ok(None);
    }
    let logarithmic = declared_logarithmic(source.rows);
    let trials = trial_means(&measured);
    let every = trials.len().div_ceil(MOST_DOTS);
    let thinned = if every > 1 { format!(" Only one trial in {every} is drawn.") } else { String::new() };
    let shown = &axes[..axes.len().min(MOST_AXES)];
    let texts = FigureTexts::of(
        groups,
        measured.iter().map(|(run, _)| *run),
        format!("{}slices", source.prefix),
        &format!("{label} of all trials by the value of each searched setting"),
        &format!(
            "A dot is a trial: its mean difference in {label} from the mean of its category. Curves are local means with pointwise 95 % \
             bands over trials. Lines at single values are mean effects, with 95 % intervals from five seeds on.{thinned}"
        ),
    );
    let runs = || measured.iter().map(|(run, _)| *run);
    let slice = |axis: &SearchedAxis| {
        let of_level: Vec<((&RunRow, f64), usize)> = measured.iter().map(|run| (*run, axis.level(run.0))).collect();
        let setting = Setting::of(axis, runs(), &logarithmic, ANY_TICKS);
        Slice::of(&setting, &trials, every, levels(axis, &of_level))
    };
    let slices: Vec<Slice<'_>> = shown.iter().map(slice).collect();
    let title = groups.marked(&format!("{label} by setting: difference from the category's mean"));
    Figure::of_columns(texts, &title, values(shown, &slices), |sheet| {
        let panels = Panels::new(shown.len(), (sheet.width, NARROWEST), 30, PANEL);
        sheet.draw(panels.bottom, |canvas| {
            for (place, (axis, slice)) in shown.iter().zip(&slices).enumerate() {
                let frame = panels.place(place).inset(AROUND);
                let setting = Setting::of(axis, runs(), &logarithmic, frame.ticks_across());
                let (low, high) = room(slice.reach()).unwrap_or((0.0, 1.0));
                let y = Axis::linear(low, high, frame.ticks_upwards()).signed();
                slice.draw(&Plot { canvas, frame, x: setting.places(), y }, &setting)?;
            }
            Ok(())
        })
    })
    .map(Some)
}

/// Returns the values of all marks. A band of single trials is the interval of the local mean.
fn values(axes: &[SearchedAxis], slices: &[Slice<'_>]) -> Values {
    let marks = axes.iter().zip(slices).flat_map(|(axis, slice)| {
        let row = |mark: &str, x: Value<'static>, mean: f64, interval: Option<(f64, f64)>| {
            let (low, high) = interval.unzip();
            [text(&axis.name), text(mark), x, number(mean), number(low), number(high)]
        };
        let trials = slice.dots.iter().map(|dot| row("trial", dot.exact.clone(), dot.value, None));
        let curve = slice.curve.iter().map(|of| row("local mean", number(of.number), of.mean, Some(of.band())));
        let means = slice.levels.iter().map(|of| row("mean of a value", text(&of.level), of.mean, of.interval));
        trials.chain(curve).chain(means).collect::<Vec<_>>()
    });
    Values::of(["setting", "mark", "x", "difference", "low", "high"], marks)
}

/// What one panel shows. Places are shares of the axis.
struct Slice<'r> {
    dots: Vec<Dot<'r>>,
    curve: Vec<LocalMean>,
    levels: Vec<LevelMean>,
}

/// A trial.
struct Dot<'r> {
    place: f64,
    exact: Value<'static>,
    value: f64,
    text: String,
    run: &'r str,
}

/// A point of the curve through the trials.
struct LocalMean {
    place: f64,
    number: Option<f64>,
    mean: f64,
    half: f64,
}

/// The effect of a value, as in the table. If runs are missing, plain means would cover different categories and seeds.
struct LevelMean {
    place: f64,
    level: String,
    mean: f64,
    interval: Option<(f64, f64)>,
}

impl LocalMean {
    fn band(&self) -> (f64, f64) {
        (self.mean - self.half, self.mean + self.half)
    }
}

impl<'r> Slice<'r> {
    /// Numbers with many values have a curve; single values have means.
    fn of(setting: &Setting<'_>, trials: &[TrialMean<'r>], every: usize, effects: Vec<LevelEffect>) -> Self {
        let dot = |(index, of): (usize, &TrialMean<'r>)| Dot {
            place: setting.place(of.run) + setting.jitter(index),
            exact: setting.exact(of.run),
            value: of.mean,
            text: format!("{} = {}: {}", setting.axis.name, setting.shown(of.run), signed(of.mean)),
            run: &of.run.id,
        };
        let dots = trials.iter().enumerate().step_by(every).map(dot).collect();
        if setting.is_numeric() && setting.has_many_values() {
            let points: Vec<(f64, f64)> =
                trials.iter().filter_map(|of| Some((setting.applied(of.run)?, of.mean))).collect();
            let of = |(place, mean, half)| LocalMean { place, number: setting.number_at(place), mean, half };
            return Self { dots, curve: smooth(&points).into_iter().map(of).collect(), levels: Vec::new() };
        }
        let level = |effect: LevelEffect| {
            let has_level = |of: &&TrialMean<'r>| setting.axis.levels[setting.axis.level(of.run)] == effect.level;
            let place = setting.place(trials.iter().find(has_level)?.run);
            Some(LevelMean { place, mean: effect.effect?, interval: effect.interval, level: effect.level })
        };
        Self { dots, curve: Vec::new(), levels: effects.into_iter().filter_map(level).collect() }
    }

    /// Returns the values that the panel must have room for; it cuts bands.
    fn reach(&self) -> impl Iterator<Item = f64> {
        let ends = self.levels.iter().filter_map(|of| of.interval).flat_map(|(low, high)| [low, high]);
        self.dots.iter().map(|dot| dot.value).chain(ends)
    }

    fn draw(&self, plot: &Plot<'_, '_>, setting: &Setting<'_>) -> DrawResult {
        plot.axes("", &setting.axis.name)?;
        plot.curve(&[(0.0, 0.0), (1.0, 0.0)], MESH, 2)?;
        if !self.curve.is_empty() {
            let inside = |value: f64| value.clamp(plot.y.value(0.0), plot.y.value(1.0));
            let upper = self.curve.iter().map(|of| (of.place, inside(of.band().1)));
            let lower = self.curve.iter().rev().map(|of| (of.place, inside(of.band().0)));
            plot.area(&upper.chain(lower).collect::<Vec<_>>(), of_setting().mix(0.18))?;
        }
        for dot in &self.dots {
            let at = plot.at((dot.place, dot.value));
            plot.canvas.dot(at, 3, of_setting().mix(0.55))?;
            plot.canvas.tooltip_of_run(at, 3, &dot.text, Some(dot.run));
        }
        plot.curve(&self.curve.iter().map(|of| (of.place, of.mean)).collect::<Vec<_>>(), INK, 2)?;
        let half = (120 / (setting.names().max(4) as i32)).min(16);
        for of in &self.levels {
            let (x, y) = plot.at((of.place, of.mean));
            if let Some((low, high)) = of.interval {
                plot.canvas.interval(plot.at((of.place, low)), plot.at((of.place, high)), INK)?;
            }
            plot.canvas.line(vec![(x - half, y), (x + half, y)], INK, 2)?;
        }
        Ok(())
    }
}
