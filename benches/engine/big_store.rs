//! Times a store of 100,000 runs: planning, claims at the beginning, in the middle and at the end, and queries.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use didact::plan::Planner;
use didact::search::load;
use didact::store::{Access, Artifacts, AttemptEnd, AttemptStart, Claim, PlanSource, Published, Store, Wanted};

use crate::database::Database;
use crate::{claims, sweep_file, table};

/// Times all operations on a sweep of trials × seeds × two categories.
pub async fn measure(trials: usize, seeds: usize, workers: &[usize], length: claims::Length) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = sweep_file(folder.path(), trials, seeds);
    let artifacts_folder = folder.path().join("artifacts");
    let (database, artifacts) = (Database::create(folder.path()).await, Artifacts::new(artifacts_folder.clone()));
    let store = Store::open(database.url(), Access::Write).await.expect("opens");

    let started = Instant::now();
    let (sweep, _, source) =
        table::time("planning: read the file and draw trials", None, async { load(Some(&file), &[]) })
            .await
            .expect("sound");
    let planning = async { Planner::default().plan(&sweep) };
    let plan = table::time("planning: build runs and stages with their keys", None, planning).await.expect("a plan");
    let source = PlanSource { text: source.text, ..PlanSource::default() };
    let writing = store.write_plan(&sweep, &source, &plan, &artifacts, None);
    let planned = table::time("planning: one transaction in the store", None, writing).await.expect("planned");
    let what = format!("planning {} runs with {} stages", plan.runs.len(), plan.stages.len());
    table::line(&what, started.elapsed(), Some(Duration::from_secs(10)));
    table::size("highest memory of this process so far", table::peak_memory(libc::RUSAGE_SELF));
    let again = Instant::now();
    let plan = table::time("planning the same file again: build runs and stages", None, async {
        Planner::default().plan(&sweep)
    })
    .await
    .expect("a plan");
    let writing = store.write_plan(&sweep, &source, &plan, &artifacts, None);
    table::time("planning the same file again: one transaction", None, writing).await.expect("planned");
    table::line("planning the same file again", again.elapsed(), Some(Duration::from_secs(2)));

    let wanted = Wanted { sweep: planned.sweep, only: None };
    let big = BigStore { store, artifacts: artifacts_folder, wanted, worker: worker() };
    big.query(&database, "nothing done").await;
    big.claims("the first stages").await;
    big.first_claim(&database).await;
    let shared = big.claim_all(4).await;
    big.claims("none, because every run waits for features").await;
    let finishing = Instant::now();
    for claim in shared {
        big.end(&claim, &AttemptEnd::Done(Published { bytes: 0, digest: String::new() })).await;
    }
    table::line("finishing the four stages that all runs share", finishing.elapsed(), None);
    big.query(&database, "all joint stages ready").await;
    claims::measure(database.url(), workers, length);
    finish_runs(&database, plan.runs.len() / 2).await;
    big.claims("half of the runs done").await;
    big.query(&database, "half of the runs done").await;
    finish_runs(&database, plan.runs.len() - 1).await;
    big.claim_all(1).await;
    big.claims("none, because the last run is claimed").await;
    big.query(&database, "all runs but one done").await;
    let gc = Instant::now();
    didact(&database, &big.artifacts, &["gc", "--dry-run"]);
    table::line("didact gc --dry-run", gc.elapsed(), None);
}

/// The store with a worker that claims from it.
struct BigStore {
    store: Store,
    artifacts: PathBuf,
    wanted: Wanted,
    worker: AttemptStart,
}

impl BigStore {
    /// Times claims. Each claimed stage is released again. The first claim is not counted: a server plans its statements.
    async fn claims(&self, which: &str) {
        const TIMES: u32 = 20;
        let mut elapsed = Duration::ZERO;
        for time in 0..=TIMES {
            let started = Instant::now();
            let claim = self.store.claim(&self.wanted, &self.worker).await.expect("claims");
            if time > 0 {
                elapsed += started.elapsed();
            }
            assert_eq!(claim.is_none(), which.starts_with("none"), "{which}");
            if let Some(claim) = claim {
                self.end(&claim, &AttemptEnd::Interrupted).await;
            }
        }
        table::line(&format!("a claim: {which}"), elapsed / TIMES, Some(Duration::from_millis(3)));
    }

    /// Times a claim of a process that has just opened the store.
    async fn first_claim(&self, database: &Database) {
        let store = Store::open(database.url(), Access::Serve).await.expect("opens");
        let claim = store.claim(&self.wanted, &self.worker);
        let claim = table::time("a claim over a new connection", None, claim).await.expect("claims").expect("a stage");
        self.end(&claim, &AttemptEnd::Interrupted).await;
        store.close().await;
    }

    /// Claims all available stages. Fails if there are fewer than `least`.
    async fn claim_all(&self, least: usize) -> Vec<Claim> {
        let mut claims = Vec::new();
        while let Some(claim) = self.store.claim(&self.wanted, &self.worker).await.expect("claims") {
            claims.push(claim);
        }
        assert!(claims.len() >= least, "{} claims", claims.len());
        claims
    }

    async fn end(&self, claim: &Claim, end: &AttemptEnd) {
        assert!(self.store.finish(claim, &self.worker, end, 1.0, &BTreeMap::new(), None).await.expect("ends"));
    }

    /// Times the queries that a sweep and a person repeat often.
    async fn query(&self, database: &Database, when: &str) {
        let open = self.store.has_open_stages(&self.wanted);
        table::time(&format!("has_open_stages, {when}"), None, open).await.expect("counted");
        let counts = self.store.run_counts(&self.wanted);
        table::time(&format!("run_counts, {when}"), None, counts).await.expect("counted");
        let status = self.store.status(&self.wanted.sweep, "engine");
        table::time(&format!("query of status, {when}"), None, status).await.expect("a status");
        let started = Instant::now();
        didact(database, &self.artifacts, &["status"]);
        table::line(&format!("didact status, {when}"), started.elapsed(), Some(Duration::from_millis(200)));
    }
}

fn didact(database: &Database, artifacts: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_didact"));
    command.args(arguments).arg("--store").arg(database.url()).arg("--artifacts").arg(artifacts);
    let status = command.stdout(Stdio::null()).status();
    assert!(status.expect("starts").success(), "{arguments:?}");
}

/// This process as a worker.
pub fn worker() -> AttemptStart {
    AttemptStart {
        worker: "bench".to_owned(),
        host: "here".to_owned(),
        pid: std::process::id(),
        process_started: None,
        device: "cpu".to_owned(),
        convolutions: "own".to_owned(),
        threads: 1,
    }
}

/// Marks the first runs of the sweep as done, because executing them would take an hour.
async fn finish_runs(database: &Database, runs: usize) {
    let done = [
        format!(
            "UPDATE stages SET state = 'done' WHERE state <> 'done' AND id IN (SELECT rs.stage_id FROM run_stages rs JOIN sweep_runs sr
                 ON sr.run_id = rs.run_id WHERE sr.position < {runs})"
        ),
        format!("UPDATE runs SET state = 'done' WHERE id IN (SELECT run_id FROM sweep_runs WHERE position < {runs})"),
    ];
    database.execute(done).await;
}
