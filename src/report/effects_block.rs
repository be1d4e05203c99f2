//! The page's section on what each axis of the search does.

use maud::{Markup, html};

use super::effects::{AxisEffect, Effects, LevelEffect};
use super::grouping::{Groups, metric_label};
use super::statistics::Share;
use super::text::signed;

/// Pairs of axes that are shown.
const SHOWN_PAIRS: usize = 5;

/// The section; empty where nothing was searched.
pub(super) fn block(effects: &[Effects], groups: &Groups<'_>) -> Markup {
    let Some(first) = effects.first() else { return html! {} };
    html! {
        h3 { (groups.marked("What each setting does: share of the variance")) }
        div.scroll { table {
            thead { tr { th { "axis" } @for of_metric in effects { th { (metric_label(of_metric.metric)) } } } }
            tbody { @for (place, axis) in first.axes.iter().enumerate() { tr {
                td { (axis.axis) }
                @for of_metric in effects { td { (share(of_metric.axes[place].share)) } }
            } } }
            @if first.axes.len() > 1 { tbody { @for pair in first.pairs.iter().take(SHOWN_PAIRS) { tr {
                td { (pair.axes.0) " with " (pair.axes.1) }
                @for of_metric in effects {
                    td { (share(of_metric.pairs.iter().find(|other| other.axes == pair.axes).map(|pair| pair.share))) }
                }
            } } } }
        } }
        @for of_metric in effects {
            h3 { (groups.marked(&format!("Levels: {}", metric_label(of_metric.metric)))) }
            div.scroll { table {
                thead { tr { th { "axis" } th.text { "level" } th { "runs" } th { "effect" } th { "95 % interval" } } }
                tbody { @for axis in &of_metric.axes { @for (place, level) in axis.levels.iter().enumerate() {
                    (row(axis, level, place == 0))
                } } }
            } }
        }
        p.quiet {
            "Shares: functional analysis of variance with a random forest (Hutter et al. 2014), mean ± standard deviation over its trees, of "
            (first.runs) " runs of " (first.trials) " trials; what is explained is the distance of a run from its category's mean. Levels: \
             mean distance from the category's mean over all runs that have the level; the interval is Student's t over seeds. Where a \
             search did not try all levels alike, levels of one axis differ by what the others were set to, too."
        }
    }
}

fn row(axis: &AxisEffect, level: &LevelEffect, first: bool) -> Markup {
    html! { tr {
        td { @if first { (axis.axis) } }
        td.text { (level.level) }
        td { (level.runs) }
        td { (signed(level.effect)) }
        td { @match level.interval {
            Some((low, high)) => { (signed(low)) " to " (signed(high)) }
            None => { "–" }
        } }
    } }
}

fn share(share: Option<Share>) -> String {
    share
        .map_or_else(|| "–".to_owned(), |share| format!("{:.0} ± {:.0} %", 100.0 * share.mean, 100.0 * share.deviation))
}
