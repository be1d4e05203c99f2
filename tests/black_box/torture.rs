//! Sweeps that are killed repeatedly, at random moments and at every fault point: in the end, the result equals that of an
//! undisturbed sweep bit for bit, and nothing else remains.
//!
//! `just torture KILLS` runs until this many processes were killed; without it, a short form runs.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::background::assert_each_stage_done_once;
use crate::common::{TINY, Workplace};
use crate::inventory::Inventory;
use crate::processes::{kill, processes_in, wait_for};

/// Returns a sweep of two categories, two seeds and three epochs: 33 stages, some of them shared by four runs.
fn sweep_file() -> String {
    TINY.replace("[\"weave\"]", "[\"weave\", \"grain\"]").replace("epochs = 2\n", "epochs = 3\n")
        + "\n[search]\nseeds = [0, 1]\n"
}

/// Returns the device of the sweeps. On a GPU, resuming is as exact as on the CPU.
fn device() -> String {
    std::env::var("DIDACT_TORTURE_DEVICE").unwrap_or_else(|_| "cpu".to_owned())
}

/// Returns the results of an undisturbed sweep with another number of workers.
fn undisturbed() -> &'static Inventory {
    static UNDISTURBED: OnceLock<Inventory> = OnceLock::new();
    UNDISTURBED.get_or_init(|| {
        let place = Workplace::new();
        place.write("tiny.toml", &sweep_file());
        place.succeed(&["sweep", "tiny.toml", "--no-report", "--device", &device()]);
        Inventory::of(&place)
    })
}

/// What a kill hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum KillTarget {
    /// One worker.
    Worker,
    /// The sweep's process; its workers must exit by themselves.
    Sweep,
    /// All processes, as in a power failure.
    Everything,
}

/// A store and the sweep that is killed in it.
struct KilledSweep {
    place: Workplace,
    rng: ChaCha8Rng,
    /// Stages that were done at some time.
    done: BTreeSet<String>,
    /// Number of killed processes by cause.
    killed: BTreeMap<String, usize>,
}

impl KilledSweep {
    fn new(seed: u64) -> Self {
        let place = Workplace::new();
        place.write("tiny.toml", &sweep_file());
        Self { place, rng: ChaCha8Rng::seed_from_u64(seed), done: BTreeSet::new(), killed: BTreeMap::new() }
    }

    /// Starts the sweep, optionally with a fault point in it and its workers. Stages that failed because of too many kills are retried.
    fn start(&self, fault: Option<&str>) -> Child {
        let flags = ["--jobs", "3", "--retry-failed", "--no-report", "--device", &device()];
        let mut command = self.place.command(&[&["sweep", "tiny.toml"], &flags[..]].concat());
        command.envs(fault.map(|fault| ("DIDACT_FAULT", fault)));
        let errors = std::fs::File::create(self.place.path("errors.txt")).expect("created");
        command.stdout(Stdio::null()).stderr(errors).spawn().expect("the binary starts")
    }

    fn errors(&self) -> String {
        std::fs::read_to_string(self.place.path("errors.txt")).expect("readable")
    }

    fn count(&mut self, what: &str, kills: usize) {
        *self.killed.entry(what.to_owned()).or_default() += kills;
    }

    fn kills(&self) -> usize {
        self.killed.values().sum()
    }

    /// Returns the workers of a sweep's process.
    fn workers(&self, sweep: &Child) -> Vec<i32> {
        processes_in(self.place.folder()).into_iter().filter(|pid| *pid != sweep.id() as i32).collect()
    }

    /// Starts the sweep and kills at random moments; returns true if the sweep completes anyway.
    fn kill_at_random(&mut self, patience: Duration) -> bool {
        let mut sweep = self.start(None);
        loop {
            std::thread::sleep(patience.mul_f64(self.rng.random::<f64>()));
            if let Some(status) = sweep.try_wait().expect("can be asked") {
                self.check();
                return status.success();
            }
            let workers = self.workers(&sweep);
            let target = [KillTarget::Worker, KillTarget::Worker, KillTarget::Sweep, KillTarget::Everything]
                [self.rng.random_range(0..4)];
            let targets: Vec<i32> = match target {
                KillTarget::Worker if workers.is_empty() => continue,
                KillTarget::Worker => vec![workers[self.rng.random_range(0..workers.len())]],
                KillTarget::Sweep => vec![sweep.id() as i32],
                KillTarget::Everything => [sweep.id() as i32].into_iter().chain(workers).collect(),
            };
            let kills = targets.into_iter().filter(|pid| kill(*pid)).count();
            self.count(&format!("{target:?}").to_lowercase(), kills);
            if target != KillTarget::Worker {
                sweep.wait().expect("it ends");
                self.check();
                return false;
            }
        }
    }

    /// Runs the sweep until a process dies at a fault point, then kills all; returns false if no process reached the point.
    fn kill_at_point(&mut self, fault: &str) -> bool {
        let mut sweep = self.start(Some(fault));
        let mut has_died = false;
        let mut ended = None;
        wait_for("the end of a sweep", || {
            ended = sweep.try_wait().expect("can be asked");
            has_died =
                ended.is_some_and(|status| status.code().is_none()) || self.errors().contains("killed by signal 9");
            has_died || ended.is_some()
        });
        let rest = processes_in(self.place.folder()).into_iter().filter(|pid| kill(*pid)).count();
        sweep.wait().expect("it ends");
        self.count(fault, usize::from(has_died));
        self.count("everything", rest);
        self.check();
        has_died
    }

    /// Checks what must hold whenever no process runs.
    #[track_caller]
    fn check(&mut self) {
        wait_for("workers exit after their sweep", || processes_in(self.place.folder()).is_empty());
        if !self.place.path("didact.db").is_file() || self.place.query("SELECT 1 FROM sqlite_master").is_empty() {
            assert!(self.done.is_empty(), "the store no longer exists");
            return;
        }
        assert_eq!(self.place.query("PRAGMA integrity_check"), ["ok"]);
        let has_tables = "SELECT 1 FROM sqlite_master WHERE name = 'worker'";
        if self.place.query(has_tables).is_empty() {
            // Killed while the tables were created.
            return;
        }
        let done: BTreeSet<String> =
            self.place.query("SELECT kind || '/' || id FROM stage WHERE state = 'done'").into_iter().collect();
        let lost: Vec<_> = self.done.difference(&done).collect();
        assert!(lost.is_empty(), "these stages were done: {lost:?}");
        for artifact in &done {
            let path = self.place.path("didact.artifacts").join(artifact);
            assert!(path.is_dir(), "{artifact} is done but has no artifact");
        }
        self.done = done;
        let plan_size = "SELECT (SELECT COUNT(*) FROM sweep), COUNT(*) FROM sweep_run";
        let plan_size = self.place.query(plan_size);
        assert!(plan_size == ["0|0"] || plan_size == ["1|8"], "half a plan: {plan_size:?}");
    }

    /// Lets the sweep complete, cleans up, and compares the results.
    #[track_caller]
    fn finish(mut self, which: &str) -> BTreeMap<String, usize> {
        self.place.succeed(&["sweep", "tiny.toml", "--jobs", "3", "--retry-failed", "--no-report"]);
        self.check();
        assert_each_stage_done_once(&self.place);
        self.place.succeed(&["gc"]);
        Inventory::of(&self.place).assert_equals(undisturbed(), which);
        let second_gc = self.place.succeed(&["gc"]);
        assert!(second_gc.stdout.starts_with("0 items"), "{which}: {}", second_gc.stdout);
        self.killed
    }
}

/// Returns the fault points of one kind.
pub fn points_of(prefix: &str) -> Vec<String> {
    points().into_iter().filter(|point| point.starts_with(prefix)).collect()
}

/// Reads the names of all fault points from the source, so that new ones are included.
fn points() -> Vec<String> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut points = BTreeSet::new();
    for entry in walkdir::WalkDir::new(source).into_iter().filter_map(Result::ok) {
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        let calls = text.split("fault::point(\"").skip(1);
        points.extend(calls.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
    }
    points.into_iter().collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "the numbers of the long form")]
fn kills_at_random_moments_do_not_change_the_result() {
    let wanted = std::env::var("DIDACT_TORTURE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(15);
    let seed = std::env::var("DIDACT_TORTURE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut killed: BTreeMap<String, usize> = BTreeMap::new();
    let (mut sweeps, mut starts) = (0, 0);
    let mut attempts: BTreeMap<String, usize> = BTreeMap::new();
    while killed.values().sum::<usize>() < wanted {
        let mut sweep = KilledSweep::new(seed + sweeps);
        let patience = Duration::from_millis(sweep.rng.random_range(100..1500));
        let enough = wanted - killed.values().sum::<usize>();
        while sweep.kills() < enough && !sweep.kill_at_random(patience) {
            starts += 1;
        }
        for state in sweep.place.query("SELECT state FROM attempt") {
            *attempts.entry(state).or_default() += 1;
        }
        for (what, kills) in sweep.finish(&format!("seed {}", seed + sweeps)) {
            *killed.entry(what).or_default() += kills;
        }
        sweeps += 1;
    }
    println!("{sweeps} sweeps, started {starts} times more; killed: {killed:?}; attempts: {attempts:?}");
}

#[test]
fn kills_at_every_fault_point_do_not_change_the_result() {
    // The fault points of growing searches, `gc`, copies, merges, scratch folders and damaged artifacts have their own tests.
    let elsewhere =
        ["extend-plan:", "collect:", "backup:", "reopen:", "check:", "merge:", "s3:", "scratch:", "transfer:"];
    let points: Vec<String> =
        points().into_iter().filter(|point| elsewhere.iter().all(|prefix| !point.starts_with(prefix))).collect();
    assert!(points.len() >= 16, "{points:?}");
    // The tests mostly wait, so several run at once.
    std::thread::scope(|scope| {
        for part in points.chunks(points.len().div_ceil(8)) {
            scope.spawn(move || part.iter().for_each(|point| torture_at(point)));
        }
    });
}

fn torture_at(point: &str) {
    let mut sweep = KilledSweep::new(0);
    if point.starts_with("take-back:") {
        // One process must have died before.
        assert!(sweep.kill_at_point("metrics:after-commit"), "no process passed its first metrics");
    }
    assert!(sweep.kill_at_point(point), "no process passed {point}");
    // Again later; the number of passes of a point varies.
    sweep.kill_at_point(&format!("{point}#3"));
    sweep.finish(point);
}

#[test]
fn gc_killed_at_every_fault_point_loses_nothing_and_leaves_nothing() {
    let points: Vec<String> = points().into_iter().filter(|point| point.starts_with("collect:")).collect();
    assert_eq!(points.len(), 4);
    let mut sweep = KilledSweep::new(0);
    assert!(sweep.kill_at_point("publish:before-rename"));
    sweep.place.succeed(&["sweep", "tiny.toml", "--retry-failed", "--no-report"]);
    for point in points {
        // An unknown artifact, which is kept, and one of a removed trial.
        std::fs::create_dir_all(sweep.place.path("didact.artifacts/joint/nobody")).expect("created");
        sweep.place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "joint.epochs=1"]);
        let output = sweep.place.command(&["gc"]).env("DIDACT_FAULT", &point).output().expect("starts");
        assert_eq!(output.status.code(), None, "gc passed {point} alive");
        // Whether killed or not, finished stages have their artifacts or are computed again.
        sweep.place.succeed(&["sweep", "tiny.toml", "--no-report"]);
        sweep.done.clear();
        sweep.check();
    }
    sweep.place.succeed(&["gc"]);
    let second_gc = sweep.place.succeed(&["gc"]);
    assert!(second_gc.stdout.starts_with("0 items"), "{}", second_gc.stdout);
    assert!(sweep.place.path("didact.artifacts/joint/nobody").is_dir());
}

#[test]
fn a_search_killed_while_adding_a_trial_has_it_once_or_not_at_all() {
    let space = "strategy = \"tpe\"\ntrials = 14\n[search.space]\n\"joint.student.learning_rate\" = { log_uniform = [0.01, 1.0] }\n";
    for point in points().into_iter().filter(|point| point.starts_with("extend-plan:")) {
        let place = Workplace::new();
        place.write("tiny.toml", &(TINY.to_owned() + "\n[search]\n" + space));
        let output = place.command(&["sweep", "tiny.toml", "--no-report"]).env("DIDACT_FAULT", &point).output();
        assert_eq!(output.expect("starts").status.code(), None, "the sweep passed {point} alive");
        wait_for("workers leave", || processes_in(place.folder()).is_empty());
        place.succeed(&["sweep", "tiny.toml", "--no-report"]);
        assert_eq!(place.query("SELECT baseline, COUNT(*) FROM sweep_trial GROUP BY 1"), ["0|14", "1|1"]);
        assert_each_stage_done_once(&place);
    }
}
