//! The stages of a run: their times, who shares them, and the logs of failed attempts.

use std::collections::HashMap;

use maud::{Markup, html};
use serde_json::Value;

use super::history::RunHistory;
use super::paths::RunPagePaths;
use crate::analysis::Rows;
use crate::evaluate::Selection;
use crate::stages::{StageJob, short_key};
use crate::store::{Artifacts, AttemptRecord, AttemptState, RunRow, StageRow};
use crate::text::{counted, duration};

/// Maximum number of sharing runs that are listed.
const MAX_LISTED: usize = 50;

/// The runs of each stage.
pub(super) type Sharing<'r> = HashMap<&'r str, Vec<&'r RunRow>>;

/// Returns the runs of each stage.
pub(super) fn sharing(rows: &Rows) -> Sharing<'_> {
    let mut sharing: Sharing<'_> = HashMap::new();
    for run in rows.all_runs() {
        rows.stages_of(&run.id).for_each(|stage| sharing.entry(stage.id.as_str()).or_default().push(run));
    }
    sharing
}

/// Returns the table of a run's stages.
pub(super) fn stages(
    rows: &Rows,
    history: &RunHistory,
    sharing: &Sharing<'_>,
    paths: &RunPagePaths,
    run: &RunRow,
) -> Markup {
    let stages: Vec<&StageRow> = rows.stages_of(&run.id).collect();
    let contended = stages.iter().any(|stage| rows.attempts.is_contended(&stage.id));
    html! {
        div.scroll { table {
            thead { tr {
                th { "stage" } th.text { "key" } th.text { "state" } th { "time" } th { "memory" } th.text { "device" }
                th.text { "other runs that share it" }
            } }
            tbody { @for stage in stages {
                @let record = history.stage(&stage.id);
                @let others: Vec<&&RunRow> =
                    sharing.get(stage.id.as_str()).into_iter().flatten().filter(|other| other.id != run.id).collect();
                tr {
                    td { (name(stage)) }
                    td.text { code { (short_key(stage.id.as_str())) } }
                    td.text {
                        (record.map_or("unknown", |record| record.state.name()))
                        @if let Some(reason) = record.and_then(|record| record.reason.as_ref()) { small { (reason) } }
                    }
                    td { (time(stage)) @if rows.attempts.is_contended(&stage.id) { small { "contended" } } }
                    td { (stage.peak_rss_bytes.map_or_else(|| "–".to_owned(), |bytes| format!("{:.0} MB", bytes as f64 / 1e6))) }
                    td.text { (stage.device.as_deref().unwrap_or("–")) }
                    td.text.wrap { (sharers(&others, paths)) }
                }
            } }
        } }
        p.quiet { "Times add up all attempts of a stage. Stages that runs share were computed once." }
        @if contended { p.quiet { "Contended: another stage ran on the same machine meanwhile, so the time is no fair measure." } }
    }
}

fn name(stage: &StageRow) -> String {
    let selection = serde_json::from_str::<StageJob>(&stage.job).ok().and_then(|job| job.selection());
    match selection {
        Some(selection) if selection != Selection::Selected => format!("{} ({selection})", stage.kind),
        _ => stage.kind.to_string(),
    }
}

fn time(stage: &StageRow) -> String {
    let costs: Value = stage.costs.as_deref().and_then(|costs| serde_json::from_str(costs).ok()).unwrap_or_default();
    let time = stage.seconds.map_or_else(|| "–".to_owned(), duration);
    match costs["threads"].as_f64() {
        Some(threads) => format!("{time} on {threads:.1} cores"),
        None => time,
    }
}

fn sharers(others: &[&&RunRow], paths: &RunPagePaths) -> Markup {
    let label = |run: &RunRow| format!("{}, {}, seed {}", run.title, run.category, run.seed);
    html! {
        @match others {
            [] => { "none" },
            others => details {
                summary { (counted(others.len(), "run")) }
                @for other in others.iter().take(MAX_LISTED) {
                    @match paths.get(&other.id) {
                        Some(path) => a href={ "../" (path) } { (label(other)) },
                        None => { (label(other)) },
                    }
                    br;
                }
                @if others.len() > MAX_LISTED { "and " (others.len() - MAX_LISTED) " more" }
            },
        }
    }
}

/// Returns the failed attempts of a run's stages with the ends of their logs; `None` if no attempt failed.
pub(super) fn failed_attempts(rows: &Rows, artifacts: &Artifacts, run: &RunRow) -> Option<Markup> {
    let stages: Vec<(&StageRow, Vec<&AttemptRecord>)> =
        rows.stages_of(&run.id).map(|stage| (stage, unsuccessful(rows, stage))).collect();
    stages.iter().any(|(_, attempts)| !attempts.is_empty()).then(|| {
        html! {
            @for (stage, attempts) in &stages { @for attempt in attempts {
                h4 { (name(stage)) ", attempt " (attempt.number) ": " (attempt.state) }
                p { (reason(attempt)) }
                @match attempt.log.as_ref().and_then(|log| artifacts.log_excerpt(log)) {
                    Some(text) => pre.log tabindex="0" { (text) },
                    None => p.quiet { "It left no log on this machine." },
                }
            } }
        }
    })
}

/// Returns the attempts of a stage that failed or whose process died.
fn unsuccessful<'r>(rows: &'r Rows, stage: &StageRow) -> Vec<&'r AttemptRecord> {
    let attempts = rows.attempts.of_stage(&stage.id).iter();
    attempts.filter(|attempt| matches!(attempt.state, AttemptState::Failed | AttemptState::Lost)).collect()
}

fn reason(attempt: &AttemptRecord) -> String {
    let class = attempt.class.map(|class| format!("{class}: ")).unwrap_or_default();
    let time = attempt.seconds.map(|seconds| format!(" after {}", duration(seconds))).unwrap_or_default();
    let reason = attempt.reason.as_deref().unwrap_or("no reason is recorded");
    format!("{class}{reason} (started {}{time})", attempt.started_at)
}
