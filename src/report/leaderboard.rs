//! The leaderboard: one row per variant with its settings, results, differences from ST-FPM and costs.
//!
//! Every category has its own rows, and one set of rows has the means over categories. The page's script shows one set at a time. Without
//! the script, the means are shown; the appendix has the tables of all categories.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use serde_json::Value;

use super::figure::hex;
use super::figures::palette::{OTHERS, Palette, slots};
use super::section::Section;
use super::table::{Cell, Table, Tone};
use crate::analysis::{ByCategory, Costs, Groups, Variant, Verdict, is_significant};
use crate::config::short_name;
use crate::evaluate::metrics::Metric;
use crate::store::RunState;
use crate::text::{rounded, signed};

/// Width of an interval's bar and of the space around it, in pixels.
const BAR: f64 = 60.0;
const BAR_HEIGHT: f64 = 14.0;

/// Returns the leaderboard of one protocol.
pub(super) fn leaderboard(section: &Section<'_>) -> Markup {
    let board = Board::of(section);
    let scopes = board.scopes();
    let id = |what: &str| format!("{}board-{what}", section.prefix);
    let metrics = &board.groups.metrics;
    html! {
        div.switches {
            @if scopes.len() > 1 { label { "Category "
                select.board-category aria-controls=(id("table")) { @for (place, scope) in scopes.iter().enumerate() {
                    option value=(place) { (scope.name) }
                } }
            } }
            @if metrics.len() > 1 { label { "Metric "
                select.board-metric aria-controls=(id("table")) {
                    option value="all" { "all" }
                    @for (place, metric) in metrics.iter().enumerate() { option value=(place) { (metric.label) } }
                }
            } }
        }
        div class=(frame(board.groups.variants.len())) tabindex="0" { table.board id=(id("table")) {
            thead { tr {
                th scope="col" { "variant" }
                @for setting in &board.settings { th.text scope="col" { (short_name(setting, &board.settings)) } }
                @for (place, metric) in metrics.iter().enumerate() {
                    th scope="col" data-metric=(place) { (metric.label) }
                }
                th scope="col" { "seeds" } th scope="col" { "parameters, millions" } th scope="col" { "ms per image" }
            } }
            @for (place, scope) in scopes.iter().enumerate() {
                tbody data-category=(place) hidden[place > 0] {
                    @for index in 0..board.groups.variants.len() { (board.row(scope, index)) }
                }
            }
        } }
        p.quiet {
            "Mean ± standard deviation over seeds at the selected epoch. Below: paired difference from ST-FPM with its 95 % interval, one scale \
             per metric; right of the line is better."
            @if let Some(metric) = board.groups.ordered_by { " Variants are sorted by their mean " (metric.label) "." }
        }
    }
}

/// Number of variants above which the leaderboard scrolls below its heading.
const TALL: usize = 12;

/// Returns the class of the element around the rows of `variants` variants.
fn frame(variants: usize) -> &'static str {
    if variants > TALL { "scroll long low" } else { "scroll" }
}

/// What a set of rows covers.
struct Scope {
    name: String,
    /// Column in the tables of results.
    column: usize,
    /// The category; `None` for the mean over categories.
    category: Option<String>,
}

struct Board<'s> {
    section: &'s Section<'s>,
    groups: &'s Groups<'s>,
    /// Names of the settings in which the variants differ.
    settings: Vec<String>,
    /// Their values, by variant.
    values: Vec<BTreeMap<String, Value>>,
    palette: Palette,
}

impl<'s> Board<'s> {
    fn of(section: &'s Section<'s>) -> Self {
        let groups = section.groups;
        let values: Vec<BTreeMap<String, Value>> =
            groups.variants.iter().map(|variant| axes(groups, variant)).collect();
        let names: BTreeSet<&String> = values.iter().flat_map(BTreeMap::keys).collect();
        let searched = |name: &&String| {
            let distinct: BTreeSet<String> =
                values.iter().filter_map(|axes| axes.get(*name)).map(Value::to_string).collect();
            distinct.len() > 1
        };
        let settings = names.into_iter().filter(searched).cloned().collect();
        Self { section, groups, settings, values, palette: Palette::of(groups) }
    }

    /// Returns the mean over categories first.
    fn scopes(&self) -> Vec<Scope> {
        let categories = &self.groups.categories;
        let of = |(place, (category, _)): (usize, &(String, _))| Scope {
            name: category.clone(),
            column: 1 + place,
            category: Some(category.clone()),
        };
        let all = Scope { name: "mean of all".to_owned(), column: 1 + categories.len(), category: None };
        let each = categories.iter().enumerate().map(of);
        if categories.len() > 1 { std::iter::once(all).chain(each).collect() } else { each.collect() }
    }

    fn row(&self, scope: &Scope, index: usize) -> Markup {
        let variant = &self.groups.variants[index];
        let (id, name) = variant.label.split_once(' ').unwrap_or((&variant.label, ""));
        let costs = self.section.costs.get(index).copied().unwrap_or_default();
        let tables = &self.section.tables.results;
        html! { tr class=[variant.baseline.then_some("baseline")] {
            th scope="row" {
                (self.key(index, id))
                @if variant.baseline || self.settings.is_empty() { " " (name) }
            }
            @for setting in &self.settings { td.text { (self.setting(index, setting)) } }
            @for (place, metric) in self.groups.metrics.iter().enumerate() {
                td data-metric=(place) data-value=[value(&tables[place], index, scope)] {
                    @if let Some(cell) = cell(&tables[place], index, scope) { (mean(cell)) } @else { "–" }
                    @if !variant.baseline { (self.difference(scope, variant, *metric)) }
                }
            }
            td { (self.seeds(variant)) }
            (costs_cells(&costs))
        } }
    }

    /// Returns the colour of a variant in figures, with a box that hides it there, and its id.
    fn key(&self, index: usize, id: &str) -> Markup {
        let slot = self.palette.slot(index);
        let colour = match slot {
            _ if self.groups.variants[index].baseline => "currentColor".to_owned(),
            Some(slot) => slots().nth(slot).map(|(_, colour)| colour).unwrap_or_default(),
            None => hex(OTHERS),
        };
        html! { label {
            @if let Some(slot) = slot {
                input.shown type="checkbox" checked hidden data-slot=(slot) aria-label={ "Show " (id) " in figures" };
            }
            span.chip style=(format!("background:{colour}")) {}
            " " (id)
        } }
    }

    /// Returns the number of seeds with a finished run.
    fn seeds(&self, variant: &Variant) -> usize {
        let done = self.groups.of_variant(variant).filter(|run| run.state == RunState::Done);
        done.map(|run| run.seed).collect::<BTreeSet<_>>().len()
    }

    fn setting(&self, index: usize, name: &str) -> String {
        self.values[index].get(name).map_or_else(|| "–".to_owned(), rounded)
    }

    /// Returns the verdict on a variant.
    fn verdict(&self, scope: &Scope, variant: &Variant, metric: Metric) -> Option<&Verdict> {
        let is_of = |verdict: &&Verdict| verdict.metric == metric && verdict.belongs_to(&variant.trial, &variant.label);
        self.verdicts(scope).find(is_of)
    }

    /// Returns the verdicts of a scope, of all metrics.
    fn verdicts(&self, scope: &Scope) -> impl Iterator<Item = &Verdict> {
        let of_category = scope.category.as_ref().filter(|_| self.groups.categories.len() > 1);
        let overall = of_category.is_none().then_some(self.section.comparisons);
        let by_category = of_category.into_iter().flat_map(|category| {
            let in_category = move |of_metric: &'s ByCategory| {
                of_metric.categories.iter().filter(move |of| of.category == *category).flat_map(|of| &of.verdicts)
            };
            self.section.categories.iter().flat_map(in_category)
        });
        overall.into_iter().flatten().chain(by_category)
    }

    /// Returns the largest distance from zero of a metric's differences and intervals.
    fn reach(&self, scope: &Scope, metric: Metric) -> f64 {
        let ends = |verdict: &Verdict| {
            let (low, high) = verdict.interval.unwrap_or((verdict.difference, verdict.difference));
            low.abs().max(high.abs())
        };
        self.verdicts(scope).filter(|verdict| verdict.metric == metric).map(ends).fold(1e-9, f64::max)
    }

    fn difference(&self, scope: &Scope, variant: &Variant, metric: Metric) -> Markup {
        let Some(verdict) = self.verdict(scope, variant, metric) else { return html! {} };
        let interval =
            verdict.interval.map(|(low, high)| format!(" [{}, {}]", signed(low), signed(high))).unwrap_or_default();
        let tone = verdict.p.filter(|p| is_significant(*p)).map(|_| Tone::of(verdict.gain()));
        html! { small {
            (bar(verdict, self.reach(scope, metric)))
            " " span class=[tone.map(super::table::html::name)] { (signed(verdict.difference)) }
            (interval)
        } }
    }
}

fn axes(groups: &Groups<'_>, variant: &Variant) -> BTreeMap<String, Value> {
    let first = groups.of_variant(variant).next();
    first.and_then(|run| serde_json::from_str(&run.axes).ok()).unwrap_or_default()
}

fn cell<'t>(table: &'t Table, row: usize, scope: &Scope) -> Option<&'t Cell> {
    table.rows.get(row)?.cells.get(scope.column)
}

fn value(table: &Table, row: usize, scope: &Scope) -> Option<f64> {
    cell(table, row, scope).and_then(super::table::html::rank)
}

/// Returns the mean, bold if the tests support that it is the best of its column, with a link to the runs behind it.
fn mean(cell: &Cell) -> Markup {
    let text = html! { @if cell.best { strong { (cell.text) } } @else { (cell.text) } };
    html! { @if let Some(runs) = &cell.runs { a href={ "#" (runs) } { (text) } } @else { (text) } }
}

fn costs_cells(costs: &Costs) -> Markup {
    html! {
        td data-value=[costs.parameters] { (costs.parameters.map_or_else(|| "–".to_owned(), |count| format!("{:.2}", count / 1e6))) }
        @let forward = costs.forward.map(|times| times.median);
        td data-value=[forward] { (forward.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.1}"))) }
    }
}

/// Draws a difference and its interval on a scale from −`reach` to +`reach`.
fn bar(verdict: &Verdict, reach: f64) -> Markup {
    let sign = verdict.gain().signum() * verdict.difference.signum();
    let at = |value: f64| BAR / 2.0 + sign * value / reach * (BAR / 2.0 - 4.0);
    let middle = BAR_HEIGHT / 2.0;
    let number = |value: f64| format!("{value:.1}");
    html! { svg.bar viewBox=(format!("0 0 {BAR} {BAR_HEIGHT}")) width=(BAR) height=(BAR_HEIGHT) aria-hidden="true" {
        line x1=(BAR / 2.0) x2=(BAR / 2.0) y1="0" y2=(BAR_HEIGHT) {}
        @if let Some((low, high)) = verdict.interval {
            line.interval x1=(number(at(low))) x2=(number(at(high))) y1=(middle) y2=(middle) {}
        }
        circle cx=(number(at(verdict.difference))) cy=(middle) r="3" {}
    } }
}
