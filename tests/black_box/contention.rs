//! Many processes use one store, sixteen a file and 64 a server: no write fails, each stage is done once, and a late result changes nothing.
//!
//! They claim and finish stages without executing them, so that only the store limits them. A sixteenth of the stages is taken
//! back as if the worker had died; the worker's late result must then be refused.

#![expect(clippy::print_stdout, reason = "the processes answer on standard output, and people read it")]

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use didact::plan::build;
use didact::schedule::{host_name, process_started};
use didact::search::load;
use didact::store::{
    Access, Artifacts, AttemptEnd, AttemptStart, Claim, FailureClass, PlanSource, Published, Store, StoreError, Wanted,
};
use serde::{Deserialize, Serialize};

use crate::common::{TINY, Workplace};

/// Path of the store, for a process that this test has started.
const STORE: &str = "DIDACT_HAMMER_STORE";
/// Duration of the test; without it, the test runs until every stage is done. `just hammer` sets it.
const SECONDS: &str = "DIDACT_HAMMER_SECONDS";
/// Number of runs, with five stages each, per second of the test. Two processors complete a fifth of them.
const RUNS_PER_SECOND: u64 = 200;
/// Prefix of the line that a process answers with.
const ANSWER: &str = "hammered ";
/// Longer than the pause after which another process can claim a stage that was taken back.
const LATE_AFTER: Duration = Duration::from_millis(700);

/// Work of one process.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Tally {
    writes: u64,
    failed: Vec<String>,
    /// Longest write, waiting included, seconds.
    longest_write: f64,
    done: i64,
    /// Number of stages that were taken back.
    taken_back: i64,
    /// Number of late results that were refused.
    refused: i64,
}

#[test]
fn many_processes_share_a_store_and_each_stage_is_done_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let seconds: Option<u64> = std::env::var(SECONDS).ok().map(|text| text.parse().expect("a number of seconds"));
    if let Ok(store) = std::env::var(STORE) {
        let tally = runtime.block_on(hammer(&store, seconds.map(Duration::from_secs)));
        return println!("\n{ANSWER}{}", serde_json::to_string(&tally).expect("JSON"));
    }
    let place = Workplace::new();
    runtime.block_on(plan(&place, seconds.map_or(100, |seconds| seconds * RUNS_PER_SECOND)));
    let started = Instant::now();
    let processes = if place.is_on_server() { 64 } else { 16 };
    let children: Vec<Child> = (0..processes).map(|_| start(&place)).collect();
    let ended = AtomicBool::new(false);
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let connections = place.is_on_server().then(|| scope.spawn(|| most_connections(&place, &ended)));
        let tallies = children.into_iter().map(read_answer).collect();
        ended.store(true, Ordering::Relaxed);
        if let Some(connections) = connections {
            let most = connections.join().expect("counts");
            assert!(most < 100, "servers accept 100 connections by default; these were {most}");
        }
        tallies
    });
    let took = started.elapsed().as_secs_f64();

    let sum = |count: fn(&Tally) -> i64| tallies.iter().map(count).sum::<i64>();
    let (done, taken_back, refused) = (sum(|t| t.done), sum(|t| t.taken_back), sum(|t| t.refused));
    let failed: Vec<&String> = tallies.iter().flat_map(|tally| &tally.failed).collect();
    let writes: u64 = tallies.iter().map(|tally| tally.writes).sum();
    let longest_write = tallies.iter().map(|tally| tally.longest_write).fold(0.0, f64::max);
    println!(
        "{processes} processes, {took:.1} s: {done} stages done ({:.0} per second), {writes} writes ({:.0} per second), \
         {} failed, the longest took {longest_write:.3} s; {taken_back} stages taken back, {refused} late results refused",
        done as f64 / took,
        writes as f64 / took,
        failed.len(),
    );
    assert_eq!(failed, Vec::<&String>::new());
    assert!(tallies.iter().all(|tally| tally.writes > 0), "every process has written: {tallies:?}");
    assert!(taken_back > 0 && taken_back == refused, "{taken_back} taken back, {refused} refused");
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE state = 'done'"), done);
    let attempts = [format!("done|{done}|{done}"), format!("superseded|{taken_back}|{taken_back}")];
    let rows = "SELECT state, COUNT(*), COUNT(finished_at) FROM attempt GROUP BY state ORDER BY state";
    assert_eq!(place.query(rows), attempts, "no attempt is running, and no other has ended");
    let twice = "SELECT stage_id FROM attempt WHERE state = 'done' GROUP BY stage_id HAVING COUNT(*) > 1";
    assert_eq!(place.query(twice), Vec::<String>::new(), "stages that were done more than once");
    if seconds.is_none() {
        assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE state <> 'done'"), 0);
        assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
    }
}

async fn plan(place: &Workplace, runs: u64) {
    let seeds: Vec<u64> = (0..runs).collect();
    let text = TINY.replace("depth = 1", "autoencoder = \"none\"");
    let file = place.write("tiny.toml", &format!("{text}\n[search]\nseeds = {seeds:?}\n[baseline]\nrerun = false\n"));
    let (sweep, _, source) = load(Some(&file), &[]).expect("a sound file");
    let plan = build(&sweep).expect("a plan");
    let store = Store::open(&place.store(), Access::Write).await.expect("opens");
    let source = PlanSource { text: source.text, ..PlanSource::default() };
    store.write_plan(&sweep, &source, &plan, &Artifacts::new(place.path("artifacts")), None).await.expect("planned");
}

/// Starts this test again as one of the processes.
fn start(place: &Workplace) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["contention::many_processes_share_a_store_and_each_stage_is_done_once", "--exact", "--nocapture"])
        .env(STORE, place.store())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts")
}

/// Returns the highest number of connections to a database at the same time.
fn most_connections(place: &Workplace, ended: &AtomicBool) -> i64 {
    let mut most = 0;
    while !ended.load(Ordering::Relaxed) {
        most = most.max(place.count("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()"));
        std::thread::sleep(Duration::from_millis(100));
    }
    most
}

fn read_answer(child: Child) -> Tally {
    let output = child.wait_with_output().expect("ends");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix(ANSWER)).unwrap_or_else(|| panic!("no answer: {text}"));
    serde_json::from_str(line).expect("a tally")
}

impl Tally {
    /// Counts and times a write; `None` if it failed.
    async fn write<T>(&mut self, write: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        let started = Instant::now();
        let outcome = write.await;
        self.writes += 1;
        self.longest_write = self.longest_write.max(started.elapsed().as_secs_f64());
        outcome.map_err(|error| self.failed.push(error.to_string())).ok()
    }
}

/// Claims and finishes stages until none is left or the time is over.
async fn hammer(store: &str, time: Option<Duration>) -> Tally {
    let started = Instant::now();
    let store = Store::open(store, Access::Serve).await.expect("opens");
    let (sweep, _) = store.find_sweep(None).await.expect("is there");
    let wanted = Wanted { sweep, only: None };
    let pid = std::process::id();
    let worker = AttemptStart {
        worker: format!("process {pid}"),
        host: host_name(),
        pid,
        process_started: process_started(pid),
        device: "cpu".to_owned(),
        convolutions: "own".to_owned(),
        threads: 1,
    };
    let mut tally = Tally::default();
    let mut late_results: Vec<(Instant, Claim)> = Vec::new();
    for turn in pid.. {
        let time_is_over = time.is_some_and(|time| started.elapsed() > time);
        let due_count = late_results.iter().filter(|(since, _)| since.elapsed() > LATE_AFTER).count();
        for (_, claim) in late_results.drain(..due_count) {
            tally.refused += i64::from(finish(&mut tally, &store, &worker, &claim).await == Some(false));
        }
        let claim = match time_is_over {
            true => None,
            false => tally.write(store.claim(&wanted, &worker)).await.flatten(),
        };
        let Some(claim) = claim else {
            if late_results.is_empty()
                && (time_is_over || !store.has_open_stages(&wanted).await.expect("a readable store"))
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        tally.write(store.add_metrics(&claim, &[("loss".to_owned(), 1, 1.0)])).await;
        if turn % 16 == 0 {
            tally.taken_back += i64::from(take_back(&mut tally, &store, &claim).await);
            late_results.push((Instant::now(), claim));
        } else {
            tally.done += i64::from(finish(&mut tally, &store, &worker, &claim).await == Some(true));
        }
    }
    tally
}

async fn finish(tally: &mut Tally, store: &Store, worker: &AttemptStart, claim: &Claim) -> Option<bool> {
    let (end, costs) = (AttemptEnd::Done(Published { bytes: 0, digest: String::new() }), BTreeMap::new());
    tally.write(store.finish(claim, worker, &end, 0.0, &costs, None)).await
}

async fn take_back(tally: &mut Tally, store: &Store, claim: &Claim) -> bool {
    let lease = store.leases().await.expect("a readable store").into_iter().find(|lease| lease.token == claim.token);
    let lease = lease.expect("a lease of the claimed stage");
    tally.write(store.take_back(&lease, FailureClass::Signal, "considered dead")).await == Some(true)
}
