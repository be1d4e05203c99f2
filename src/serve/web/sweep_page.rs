//! The page of a sweep: progress, what is known so far, what trains now, failures, and the way to its report and runs.

use std::time::Duration;

use maud::{Markup, html};

use super::live_sweep::LiveSweep;
use super::page::{LivePage, run_address, sweep_address};
use super::reports::ReportState;
use crate::serve::{
    FailedStageProgress, Progress, StageProgress, Standing, Standings, WorkerProgress, failure_line, gone_stages_line,
    headline, search_line, tuned_lines,
};
use crate::stages::short_key;
use crate::store::SweepState;
use crate::text::{counted, rough_duration, signed};

/// Maximum number of failures that the page shows.
const MAX_FAILURES: usize = 20;

/// Returns the page of a sweep. `report` is the state of its report, if somebody asked for it.
pub(super) fn sweep_page(sweep: &LiveSweep, report: Option<&ReportState>) -> String {
    let progress = &sweep.progress;
    let head = html! { @if let Some(question) = &progress.question { p.question { (question) } } };
    LivePage {
        title: &progress.sweep,
        trail: &[("/".to_owned(), "All sweeps".to_owned())],
        head,
        parts: vec![
            ("remarks", remarks(progress)),
            ("progress", state(progress)),
            ("links", links(sweep, report)),
            ("best", best(progress)),
            ("training", training(sweep)),
            ("stages", stages(&progress.stages)),
            ("workers", workers(progress)),
            ("failures", failures(progress)),
            ("events", events(progress)),
        ],
    }
    .html()
}

fn remarks(progress: &Progress) -> Markup {
    html! {
        @if !progress.remarks.tags.0.is_empty() {
            p { @for tag in &progress.remarks.tags.0 { span.tag { (tag) } } }
        }
        @if let Some(note) = &progress.remarks.note { p.noted { (note) } }
    }
}

fn state(progress: &Progress) -> Markup {
    let runs = &progress.runs;
    let line = headline(&progress.sweep, runs, &progress.time_left);
    let line = line.strip_prefix(&format!("sweep {}: ", progress.sweep)).unwrap_or(&line).to_owned();
    html! {
        p.answer { strong { (progress.state) } ": " (line) }
        @if progress.state == SweepState::Stopped { p { "No worker is running. The same `didact sweep` command continues this sweep." } }
        @if progress.gone_stages > 0 {
            p { (gone_stages_line(progress.gone_stages)) "." }
        }
        @if let Some(search) = &progress.search { p { (search_line(search)) } }
        @if let Some(tuned) = &progress.tuned { @for line in tuned_lines(tuned).lines() { p { (line) } } }
    }
}

fn links(sweep: &LiveSweep, report: Option<&ReportState>) -> Markup {
    let address = sweep_address(&sweep.progress.sweep);
    html! { p {
        a id="to-report" href={ (address) "/report/" } { "Report" }
        @match report {
            Some(ReportState::Ready(made)) if made.version == sweep.version() => { " (of all runs that are done)" },
            Some(ReportState::Ready(_)) => { " (some runs have ended since)" },
            Some(ReportState::Making) => { " (it is being made)" },
            Some(ReportState::Failed(_)) => { " (it could not be made)" },
            None => {},
        }
        " · " a id="to-runs" href={ (address) "/runs" } { "All runs" }
        " · " a id="to-json" href={ "/api" (address) } { "JSON" }
    } }
}

/// Says what is known so far. Nothing is tested before the sweep has ended.
fn best(progress: &Progress) -> Markup {
    html! { @for standings in &progress.best {
        h2 {
            @if let Some(mark) = standings.mark { "[" (mark) "] " }
            "Best so far" @if let Some(number) = standings.protocol { ", protocol " (number) }
        }
        @if let Some(sentence) = provisional(standings) { p { (sentence) } }
        div.scroll tabindex="0" { table {
            thead { tr {
                th.text { "trial" } th { (standings.metric.label) } th { "difference from ST-FPM" } th { "seeds" } th { "runs measured" }
            } }
            tbody { @for row in &standings.rows { tr.baseline[row.baseline] {
                td.text { (row.trial) } td { (format!("{:.4}", row.mean)) }
                td { (row.difference.map_or_else(|| "–".to_owned(), signed)) }
                td { (row.seeds) } td { (row.measured) " of " (row.runs) }
            } } }
        } }
        @if standings.left_out > 0 { p.quiet { "And " (standings.left_out) " more." } }
    } }
}

/// Returns a sentence about the trial that leads; `None` if nothing can be compared.
fn provisional(standings: &Standings) -> Option<String> {
    let direction = standings.metric.direction;
    let compared = standings.rows.iter().filter(|row| !row.baseline && row.difference.is_some());
    let gain = |row: &Standing| direction.gain(row.difference.unwrap_or(0.0));
    let leader = compared.max_by(|one, other| gain(one).total_cmp(&gain(other)))?;
    let (metric, difference) = (standings.metric.label, signed(leader.difference?));
    let so_far = match gain(leader) > 0.0 {
        true => format!("{} leads in {metric}, with a mean difference of {difference} from ST-FPM", leader.trial),
        false => format!("no trial is ahead of ST-FPM in {metric}; the nearest is {}, at {difference}", leader.trial),
    };
    Some(format!("Provisional, after {}: {so_far}. The report tests it.", counted(leader.seeds, "seed")))
}

fn training(sweep: &LiveSweep) -> Markup {
    html! { @if !sweep.training.is_empty() {
        h2 { "Training now" }
        div.charts { @for (title, curves) in &sweep.training { div { p.quiet { (title) } (curves.chart()) } } }
    } }
}

fn stages(stages: &[StageProgress]) -> Markup {
    html! {
        h2 { "Stages" }
        div.scroll tabindex="0" { table {
            thead { tr { th.text { "stage" } th { "done" } th.text { "progress" } th { "running" } th { "failed" } th { "skipped" } } }
            tbody { @for of in stages { tr {
                td.text { (of.kind) } td { (of.done) " of " (of.total()) }
                td.text { progress aria-label={ (of.kind) " stages done" } value=(of.done) max=(of.total().max(1)) {} }
                td { (of.running) } td { (of.failed) } td { (of.skipped) }
            } } }
        } }
    }
}

fn workers(progress: &Progress) -> Markup {
    let epochs = |of: &WorkerProgress| {
        of.epochs.map_or_else(|| "–".to_owned(), |epochs| format!("{} of {}", epochs.done, epochs.total))
    };
    let time = |seconds: f64| rough_duration(Duration::from_secs_f64(seconds.max(0.0)));
    html! { @if !progress.workers.is_empty() {
        h2 { "Workers" }
        div.scroll tabindex="0" { table {
            thead { tr { th.text { "worker" } th.text { "device" } th { "threads" } th.text { "stage" } th.text { "run" } th { "epochs" } th { "time" } } }
            tbody { @for of in &progress.workers { tr {
                td.text { (of.worker.host) ", process " (of.worker.pid) @if of.paused { " (paused)" } }
                td.text { (of.worker.device) } td { (of.worker.threads) }
                td.text { (of.worker.kind.map_or("idle", |kind| kind.name())) }
                td.text { (of.worker.title.as_deref().unwrap_or("–")) }
                td { (epochs(of)) } td { (of.worker.seconds.map_or_else(|| "–".to_owned(), time)) }
            } } }
        } }
    } }
}

fn failures(progress: &Progress) -> Markup {
    let shown = progress.failures.iter().take(MAX_FAILURES);
    let address = |of: &FailedStageProgress| run_address(&progress.sweep, short_key(&of.stage.run));
    html! { @if !progress.failures.is_empty() {
        h2 { "Failures" }
        ul { @for of in shown { li {
            (failure_line(&of.stage)) " "
            a id={ "failed-" (short_key(&of.stage.stage)) } href={ (address(of)) "#failures" } { "Run and log" }
        } } }
        @if progress.failures.len() > MAX_FAILURES {
            p { a href={ (sweep_address(&progress.sweep)) "/runs?state=failed" } { "All failed runs" } }
        }
    } }
}

fn events(progress: &Progress) -> Markup {
    html! { @if !progress.events.is_empty() {
        h2 { "Events" }
        ul { @for event in &progress.events { li { (event.at) " " (event.kind) ": " (event.message) } } }
    } }
}
