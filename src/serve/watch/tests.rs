//! Pictures of a sweep on terminals of several sizes.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};

use super::draw::draw;
use super::feed::Reading;
use super::panel::Panel;
use super::theme::Theme;
use super::view::{Extent, View};
use crate::evaluate::metrics::IMAGE_AUROC;
use crate::serve::{
    FailedStageProgress, Progress, RunTotals, StageProgress, Standing, Standings, TimeLeft, WorkerProgress,
};
use crate::stages::StageKind;
use crate::store::{Epochs, FailedStage, FailureClass, Remarks, SweepState, WorkerRow};

fn stage(kind: StageKind, [pending, running, done, failed, skipped]: [i64; 5]) -> StageProgress {
    StageProgress { kind, pending, running, done, failed, skipped }
}

fn worker(pid: i64, kind: Option<StageKind>, title: &str) -> WorkerProgress {
    let worker = WorkerRow {
        id: pid.to_string(),
        host: "ada".to_owned(),
        job: None,
        pid,
        process_started: None,
        device: "cpu".to_owned(),
        threads: 1,
        seen_at: String::new(),
        stage: None,
        kind,
        seconds: kind.map(|_| 42.0),
        log: None,
        title: kind.map(|_| title.to_owned()),
    };
    let epochs = (kind == Some(StageKind::Joint)).then_some(Epochs { done: 3, total: 40 });
    WorkerProgress { worker, epochs, paused: pid == 4244 }
}

fn standing(trial: &str, mean: f64, difference: Option<f64>, measured: usize) -> Standing {
    let baseline = difference.is_none();
    Standing { trial: trial.to_owned(), baseline, mean, difference, seeds: measured / 3, measured, runs: 15 }
}

fn failure(seed: i64) -> FailedStageProgress {
    let stage = FailedStage {
        stage: format!("{seed:064x}"),
        kind: StageKind::Joint,
        class: Some(FailureClass::Nan),
        reason: Some(
            "the loss is not a number after epoch 12; a lower joint.student.learning_rate may help".to_owned(),
        ),
        run: "1".repeat(64),
        category: "weave".to_owned(),
        variant: "skip=concat".to_owned(),
        trial: "T03 skip=concat, learning_rate=0.4".to_owned(),
        seed,
        runs: 1,
        attempts: 1,
        log: Some("logs/1.log".to_owned()),
    };
    FailedStageProgress { log_path: Some("/data/experiments/didact.artifacts/logs/1.log".to_owned()), stage }
}

/// Returns a sweep that is halfway, with everything that a view can show.
fn halfway() -> Progress {
    let long = "T03 autoencoder=unet, skip=concat, depth=3, joint.student.learning_rate=0.4, loss.similarity=cosine";
    Progress {
        key: "0".repeat(64),
        sweep: "demo".to_owned(),
        question: None,
        remarks: Remarks::default(),
        state: SweepState::Running,
        runs: RunTotals { total: 45, pending: 20, running: 3, done: 19, failed: 2, pruned: 1, cancelled: 0 },
        stages: vec![
            stage(StageKind::Features, [0, 0, 6, 0, 0]),
            stage(StageKind::Pretrain, [8, 0, 22, 0, 0]),
            stage(StageKind::Joint, [18, 3, 22, 2, 0]),
            stage(StageKind::Score, [23, 0, 20, 0, 2]),
            stage(StageKind::Evaluate, [24, 0, 19, 0, 2]),
        ],
        time_left: TimeLeft::About { seconds: 754.0 },
        workers: vec![
            worker(4242, Some(StageKind::Joint), "weave · T02 skip=none · seed 3"),
            worker(4243, Some(StageKind::Score), "washer · T01 ST-FPM · seed 4"),
            worker(4244, None, ""),
        ],
        gone_stages: 0,
        search: None,
        tuned: None,
        best: vec![Standings {
            protocol: None,
            metric: IMAGE_AUROC,
            mark: None,
            rows: vec![
                standing("T01 ST-FPM", 0.9712, None, 15),
                standing(long, 0.9834, Some(0.0122), 15),
                standing("T02 skip=none", 0.9601, Some(-0.0111), 6),
            ],
            left_out: 2,
        }],
        failures: vec![failure(3), failure(4)],
        events: Vec::new(),
    }
}

fn reading(progress: Progress) -> Reading {
    Reading { progress, trouble: None }
}

/// Draws on a terminal of this size.
fn drawn(reading: &Reading, view: &View, colours: bool, (width, height): (u16, u16)) -> (TestBackend, [Extent; 4]) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    let mut extents = [Extent::default(); 4];
    terminal
        .draw(|frame| extents = draw(reading, view, Theme { colours }, frame.area(), frame.buffer_mut()))
        .expect("drawn");
    (terminal.backend().clone(), extents)
}

fn picture(reading: &Reading, view: &View, size: (u16, u16)) -> String {
    drawn(reading, view, true, size).0.to_string()
}

#[test]
fn a_sweep_fits_on_terminals_of_all_sizes() {
    let halfway = reading(halfway());
    let view = View::new();
    insta::assert_snapshot!("80x24", picture(&halfway, &view, (80, 24)));
    insta::assert_snapshot!("200x50", picture(&halfway, &view, (200, 50)));
    insta::assert_snapshot!("20x5", picture(&halfway, &view, (20, 5)));
    for size in [(1, 1), (39, 9), (40, 10), (41, 100), (300, 8), (300, 80)] {
        for panel in Panel::ALL {
            let shown = View { panel, help: true, first: [70; 4] };
            picture(&halfway, &shown, size);
        }
    }
}

#[test]
fn the_chosen_panel_has_room_and_scrolls() {
    let mut progress = halfway();
    progress.failures = (0..12).map(failure).collect();
    let halfway = reading(progress);
    let mut view = View { panel: Panel::Failures, ..View::new() };
    let (_, extents) = drawn(&halfway, &view, true, (80, 24));
    assert_eq!(extents[Panel::Failures.index()].lines, 48);
    view.first[Panel::Failures.index()] = 40;
    insta::assert_snapshot!("failures", picture(&halfway, &view, (80, 24)));
    view.help = true;
    insta::assert_snapshot!("help", picture(&halfway, &view, (80, 24)));
}

#[test]
fn the_view_says_that_a_sweep_has_ended_and_that_the_store_is_away() {
    let mut progress = halfway();
    progress.state = SweepState::Failed;
    progress.runs = RunTotals { total: 45, done: 43, failed: 2, ..RunTotals::default() };
    progress.time_left = TimeLeft::Nothing;
    progress.workers.clear();
    progress.best.clear();
    let mut ended = reading(progress);
    let text = picture(&ended, &View::new(), (80, 24));
    for part in ["the sweep has ended; some runs failed", "no worker is running", "no run has a number yet"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    ended.trouble = Some("there is no store at didact.db; run `didact sweep` to create it".to_owned());
    let text = picture(&ended, &View::new(), (80, 24));
    assert!(text.contains("cannot read the store, trying again: there is no store at didact.db"), "{text}");
    assert!(text.contains("43 of 45 runs done"), "the last numbers stay: {text}");
    assert!(picture(&ended, &View::new(), (20, 5)).contains("cannot read the"));
}

#[test]
fn without_colours_nothing_is_coloured() {
    let halfway = reading(halfway());
    let colours = |colours: bool| {
        let (backend, _) = drawn(&halfway, &View::new(), colours, (80, 24));
        backend.buffer().content.iter().filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset).count()
    };
    assert_eq!(colours(false), 0);
    assert!(colours(true) > 10);
    let (backend, _) = drawn(&halfway, &View::new(), false, (80, 24));
    let is_marked = backend.buffer().content.iter().any(|cell| cell.modifier.contains(Modifier::REVERSED));
    assert!(is_marked, "the chosen panel is marked");
}
