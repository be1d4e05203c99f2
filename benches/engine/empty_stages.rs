//! Times empty stages, which worker processes claim, publish, finish and settle.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use didact::evaluate::Evaluation;
use didact::plan::build;
use didact::schedule::{Stop, WorkerEnd, WorkerOptions, work};
use didact::search::load;
use didact::stages::{ArtifactFolders, Key, StageJob, StageKind};
use didact::store::{Access, Artifacts, PlanSource, RunState, Store, Wanted};
use didact::training::{StageContext, StageError};

use crate::database::Database;
use crate::{sweep_file, table};

/// First argument of this program if it acts as a worker.
pub const WORKER: &str = "--empty-worker";

/// Times a sweep with this many runs, with one worker and with four.
pub async fn measure(runs: usize) {
    for workers in [1, 4] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (database, artifacts) = (Database::create(folder.path()).await, folder.path().join("artifacts"));
        let (sweep, _, source) =
            load(Some(&sweep_file(folder.path(), runs.div_ceil(2), 1)), &[]).expect("a sound file");
        let plan = build(&sweep).expect("a plan");
        let planner = Store::open(database.url(), Access::Write).await.expect("opens");
        let source = PlanSource { text: source.text, ..PlanSource::default() };
        planner.write_plan(&sweep, &source, &plan, &Artifacts::new(artifacts.clone()), None).await.expect("planned");

        let started = Instant::now();
        let start = || {
            Command::new(std::env::current_exe().expect("this program"))
                .args([WORKER.as_ref(), database.url().as_ref(), artifacts.as_os_str()])
                // Discard the worker's messages.
                .stdout(Stdio::null())
                .spawn()
                .expect("starts")
        };
        let children: Vec<_> = (0..workers).map(|_| start()).collect();
        for mut child in children {
            assert!(child.wait().expect("ends").success(), "a worker failed");
        }
        let elapsed = started.elapsed();
        let (id, name) = planner.find_sweep(None).await.expect("is there");
        let status = planner.status(&id, &name).await.expect("a status");
        assert_eq!(status.runs_in(RunState::Done), plan.runs.len() as i64, "every run is done");
        let stages = plan.stages.len() as u32;
        let what = format!("an empty stage from end to end, {workers} worker(s), {stages} stages");
        table::line(&what, elapsed / stages, Some(Duration::from_millis(20)));
        planner.close().await;
    }
    publishing(200);
}

/// Times the file operations alone.
fn publishing(artifacts: u32) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Artifacts::new(folder.path().to_owned());
    let started = Instant::now();
    for number in 0..artifacts {
        let out = store.create_temporary(&number.to_string()).expect("created");
        write_results(&out).expect("written");
        let key = Key::of("bench", 1, &serde_json::json!(number));
        store.publish(&out, StageKind::Evaluate, &key).expect("published");
    }
    table::line("  of this, one small artifact: write, sync, rename", started.elapsed() / artifacts, None);
}

/// Works until no stage is left.
pub async fn work_in(store: &str, artifacts: &str) {
    let store = Store::open(store, Access::Serve).await.expect("opens");
    let (sweep, _) = store.find_sweep(None).await.expect("is there");
    let options = WorkerOptions { execute, ..WorkerOptions::new(Wanted { sweep, only: None }, 1) };
    let end = work(&store, &Artifacts::new(artifacts.into()), &options, &Stop::default()).await.expect("works");
    assert_eq!(end, WorkerEnd::NothingLeft);
}

fn execute(_: &StageJob, _: &dyn ArtifactFolders, context: &mut StageContext<'_>) -> Result<(), StageError> {
    write_results(context.out).map_err(StageError::artifact)
}

/// Writes the file that the store reads when the stage is done.
fn write_results(out: &std::path::Path) -> std::io::Result<()> {
    let empty = Evaluation {
        epoch: 1,
        results: [].into(),
        image_scores: Vec::new(),
        held_out_threshold: None,
        pixel_threshold: None,
    };
    std::fs::write(out.join("results.json"), serde_json::to_vec(&empty)?)
}
