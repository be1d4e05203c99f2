//! The list of a sweep's runs, and the page of one run.

use maud::{Markup, html};

use super::live_run::LiveRun;
use super::page::{LivePage, run_address, sweep_address};
use super::reader::RunList;
use crate::evaluate::Selection;
use crate::stages::short_key;
use crate::store::{AttemptRow, AttemptState, RUNS_PER_PAGE, RunFilter, RunState, StageExplanation};
use crate::text::duration;

/// Returns a page of a sweep's runs.
pub(super) fn runs_page(sweep: &str, list: &RunList, filter: &RunFilter) -> String {
    let head = html! {
        form.search role="search" {
            label for="search" { "Search trials, categories, reasons and keys" }
            input id="search" type="search" name="q" value=(filter.text);
            label for="state" { "State" }
            select id="state" name="state" {
                option value="" { "all" }
                @for state in RunState::ALL { option value=(state.name()) selected[filter.state == Some(state)] { (state) } }
            }
            button { "Search" }
        }
    };
    let title = format!("Runs of {sweep}");
    LivePage {
        title: &title,
        trail: &[("/".to_owned(), "All sweeps".to_owned()), (sweep_address(sweep), sweep.to_owned())],
        head,
        parts: vec![("runs", table(sweep, list, filter))],
    }
    .html()
}

fn table(sweep: &str, list: &RunList, filter: &RunFilter) -> Markup {
    let state = filter.state.map(RunState::name).unwrap_or_default();
    let page = |skip: i64| {
        format!("{}/runs?state={state}&q={}&skip={skip}", sweep_address(sweep), crate::text::encoded(&filter.text))
    };
    let (first, last) = (filter.skip + 1, filter.skip + list.runs.len() as i64);
    html! {
        p.quiet role="status" {
            @if list.runs.is_empty() { "No run matches." } @else { "Runs " (first) " to " (last) " of " (list.all) "." }
            @if filter.skip > 0 { " " a href=(page((filter.skip - RUNS_PER_PAGE).max(0))) { "Previous" } }
            @if last < list.all { " " a href=(page(filter.skip + RUNS_PER_PAGE)) { "Next" } }
        }
        @if !list.runs.is_empty() { div.scroll tabindex="0" { table {
            thead { tr { th.text { "run" } th.text { "trial" } th.text { "category" } th { "seed" } th.text { "state" } th.text { "reason" } } }
            tbody { @for run in &list.runs { tr {
                td.text { a id={ "run-" (short_key(&run.id)) } href=(run_address(sweep, short_key(&run.id))) { code { (short_key(&run.id)) } } }
                td.text { (run.trial) } td.text { (run.category) } td { (run.seed) }
                td.text { @if run.state == RunState::Failed { span.failed { (run.state) } } @else { (run.state) } }
                td.text.wrap { (run.reason.as_deref().unwrap_or_default()) }
            } } }
        } } }
    }
}

/// Returns the page of a run. `report` is the address of its page in the report, with all test images, if it exists.
pub(super) fn run_page(sweep: &str, run: &LiveRun, report: Option<&str>) -> String {
    let facts = &run.facts;
    let title = format!("{} · {} · seed {}", facts.trial, facts.category, facts.seed);
    let sweep_page = sweep_address(sweep);
    LivePage {
        title: &title,
        trail: &[
            ("/".to_owned(), "All sweeps".to_owned()),
            (sweep_page.clone(), sweep.to_owned()),
            (format!("{sweep_page}/runs"), "Runs".to_owned()),
        ],
        head: html! { p.quiet { "Run " code { (short_key(&facts.id)) } } },
        parts: vec![
            ("state", state(run, report, &sweep_page)),
            ("metrics", metrics(run)),
            ("curves", html! { @if let Some(curves) = &run.curves { h2 { "Training" } (curves.chart()) } }),
            ("failures", failures(run)),
            ("stages", stages(run)),
        ],
    }
    .html()
}

fn state(run: &LiveRun, report: Option<&str>, sweep: &str) -> Markup {
    html! {
        p.answer { strong { (run.facts.state) } @if let Some(reason) = &run.facts.reason { ": " (reason) } }
        @if run.facts.state == RunState::Done { p {
            @match report {
                Some(address) => a id="to-images" href=(address) { "All test images, settings and timings" },
                None => { "The test images are in the " a href={ (sweep) "/report/" } { "report" } ", which has a page for each run that it draws." },
            }
        } }
    }
}

fn metrics(run: &LiveRun) -> Markup {
    let selected = || run.results.iter().filter(|row| row.selection == Selection::Selected);
    html! { @if selected().next().is_some() {
        h2 { "Metrics" }
        div.scroll tabindex="0" { table {
            thead { tr { th.text { "metric" } th { "selected epoch" } } }
            tbody { @for row in selected() { tr {
                td.text { (row.name) }
                td { (row.value.map_or_else(|| row.reason.clone().unwrap_or_else(|| "–".to_owned()), |value| format!("{value:.4}"))) }
            } } }
        } }
    } }
}

fn failures(run: &LiveRun) -> Markup {
    let failed = || {
        run.stages
            .iter()
            .flat_map(|of| of.attempts.iter().map(move |attempt| (&of.stage, attempt)))
            .filter(|(_, (attempt, _))| matches!(attempt.state, AttemptState::Failed | AttemptState::Lost))
    };
    html! { @if failed().next().is_some() {
        h2 { "Failed attempts" }
        @for (stage, (attempt, log)) in failed() {
            h3 { (stage.kind) ", attempt " (attempt.number) ": " (attempt.state) }
            p { (reason(attempt)) }
            @match log {
                Some(text) => pre.log tabindex="0" { (text) },
                None => p.quiet { "It left no log on this machine." },
            }
        }
    } }
}

fn reason(attempt: &AttemptRow) -> String {
    let class = attempt.class.map(|class| format!("{class}: ")).unwrap_or_default();
    let time = attempt.seconds.map(|seconds| format!(" after {}", duration(seconds))).unwrap_or_default();
    format!(
        "{class}{} (started {}{time})",
        attempt.reason.as_deref().unwrap_or("no reason is recorded"),
        attempt.started_at
    )
}

fn stages(run: &LiveRun) -> Markup {
    let time = |attempts: &[(AttemptRow, Option<String>)]| {
        let seconds: f64 = attempts.iter().filter_map(|(attempt, _)| attempt.seconds).sum();
        if seconds > 0.0 { duration(seconds) } else { "–".to_owned() }
    };
    let log = |of: &super::live_run::LiveStage| of.attempts.last().and_then(|(_, log)| log.clone());
    let id = |stage: &StageExplanation| format!("log-{}", short_key(&stage.id));
    html! {
        h2 { "Stages" }
        div.scroll tabindex="0" { table {
            thead { tr { th.text { "stage" } th.text { "key" } th.text { "state" } th { "attempts" } th { "time" } th { "runs that share it" } th.text { "log" } } }
            tbody { @for of in &run.stages { tr {
                td.text { (of.stage.kind) } td.text { code { (short_key(&of.stage.id)) } } td.text { (of.stage.state.status()) }
                td { (of.stage.attempts) } td { (time(&of.attempts)) } td { (of.stage.shared_by) }
                td.text { @match log(of) {
                    Some(text) => details id=(id(&of.stage)) { summary { "end of the log" } pre.log tabindex="0" { (text) } },
                    None => { "–" },
                } }
            } } }
        } }
    }
}
