//! Workers, and what each of them does.

use std::time::Duration;

use ratatui::text::Line;

use super::panel::table_lines;
use super::theme::Theme;
use crate::serve::WorkerProgress;
use crate::text::rough_duration;

/// Width from which on devices and threads have columns.
const WIDE: usize = 100;

/// Returns a line for each worker.
pub(super) fn lines(workers: &[WorkerProgress], width: usize, theme: Theme) -> Vec<Line<'static>> {
    if workers.is_empty() {
        return vec![Line::styled("no worker is running", theme.faint())];
    }
    let is_wide = width >= WIDE;
    let mut head = vec!["worker", "stage", "epoch", "time"];
    if is_wide {
        head.extend(["device", "threads"]);
    }
    head.push("run");
    let rows: Vec<Vec<String>> = workers.iter().map(|worker| row(worker, is_wide)).collect();
    table_lines(&head, &rows, width, theme)
}

fn row(of: &WorkerProgress, is_wide: bool) -> Vec<String> {
    let WorkerProgress { worker, epochs, paused } = of;
    let job = worker.job.as_ref().map(|job| format!(", job {job}")).unwrap_or_default();
    let stage = worker.kind.map_or("idle", |kind| kind.name());
    let time = worker.seconds.map(|seconds| rough_duration(Duration::from_secs_f64(seconds)));
    let mut cells = vec![
        format!("{} on {}{job}", worker.pid, worker.host),
        if *paused { format!("{stage} (stopped)") } else { stage.to_owned() },
        epochs.map(|epochs| format!("{}/{}", epochs.done, epochs.total)).unwrap_or_default(),
        time.unwrap_or_default(),
    ];
    if is_wide {
        cells.extend([worker.device.clone(), worker.threads.to_string()]);
    }
    let title = worker.title.clone();
    cells.push(title.unwrap_or_else(|| if worker.kind.is_some() { "of another sweep" } else { "" }.to_owned()));
    cells
}
