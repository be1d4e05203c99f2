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

/// Returns the results of an undisturbed sweep with another number of workers.
fn undisturbed() -> &'static Inventory {
    static UNDISTURBED: OnceLock<Inventory> = OnceLock::new();
    UNDISTURBED.get_or_init(|| {
        let place = Workplace::new();
        place.write("tiny.toml", &sweep_file());
        place.succeed(&["sweep", "tiny.toml", "--no-report"]);
        Inventory::of(&place)
    })
}

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    /// One worker.
    Worker,
    /// The sweep's process; its workers must exit by themselves.
    Sweep,
    /// All processes, as in a power failure.
    Everything,
}

/// A store and the sweep that is killed in it.
struct Victim {
    place: Workplace,
    dice: ChaCha8Rng,
    /// Stages that were done at some time.
    done: BTreeSet<String>,
    /// Number of killed processes by cause.
    killed: BTreeMap<String, usize>,
}

impl Victim {
    fn new(seed: u64) -> Self {
        let place = Workplace::new();
        place.write("tiny.toml", &sweep_file());
        Self { place, dice: ChaCha8Rng::seed_from_u64(seed), done: BTreeSet::new(), killed: BTreeMap::new() }
    }

    /// Starts the sweep, optionally with a fault point in it and its workers. Stages that failed because of too many kills are retried.
    fn start(&self, fault: Option<&str>) -> Child {
        let mut command = self.place.command(&["sweep", "tiny.toml", "--jobs", "3", "--retry-failed", "--no-report"]);
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
    fn strike(&mut self, patience: Duration) -> bool {
        let mut sweep = self.start(None);
        loop {
            std::thread::sleep(patience.mul_f64(self.dice.random::<f64>()));
            if let Some(status) = sweep.try_wait().expect("can be asked") {
                self.check();
                return status.success();
            }
            let workers = self.workers(&sweep);
            let blow = [Blow::Worker, Blow::Worker, Blow::Sweep, Blow::Everything][self.dice.random_range(0..4)];
            let targets: Vec<i32> = match blow {
                Blow::Worker if workers.is_empty() => continue,
                Blow::Worker => vec![workers[self.dice.random_range(0..workers.len())]],
                Blow::Sweep => vec![sweep.id() as i32],
                Blow::Everything => [sweep.id() as i32].into_iter().chain(workers).collect(),
            };
            let kills = targets.into_iter().filter(|pid| kill(*pid)).count();
            self.count(&format!("{blow:?}").to_lowercase(), kills);
            if blow != Blow::Worker {
                sweep.wait().expect("it ends");
                self.check();
                return false;
            }
        }
    }

    /// Runs the sweep until a process dies at a fault point, then kills all; returns false if no process reached the point.
    fn strike_at(&mut self, fault: &str) -> bool {
        let mut sweep = self.start(Some(fault));
        let mut died = false;
        let mut ended = None;
        wait_for("the end of a sweep", || {
            ended = sweep.try_wait().expect("can be asked");
            died = ended.is_some_and(|status| status.code().is_none()) || self.errors().contains("killed by signal 9");
            died || ended.is_some()
        });
        let rest = processes_in(self.place.folder()).into_iter().filter(|pid| kill(*pid)).count();
        sweep.wait().expect("it ends");
        self.count(fault, usize::from(died));
        self.count("everything", rest);
        self.check();
        died
    }

    /// Checks what must hold whenever no process runs.
    #[track_caller]
    fn check(&mut self) {
        wait_for("workers exit after their sweep", || processes_in(self.place.folder()).is_empty());
        if !self.place.path("didact.db").is_file() || self.place.query("SELECT 1 FROM sqlite_master").is_empty() {
            assert!(self.done.is_empty(), "the store is gone");
            return;
        }
        assert_eq!(self.place.query("PRAGMA integrity_check"), ["ok"]);
        let made = "SELECT 1 FROM sqlite_master WHERE name = 'worker'";
        if self.place.query(made).is_empty() {
            // Killed while the tables were created.
            return;
        }
        let done: BTreeSet<String> =
            self.place.query("SELECT kind || '/' || id FROM stage WHERE state = 'done'").into_iter().collect();
        let lost: Vec<_> = self.done.difference(&done).collect();
        assert!(lost.is_empty(), "these stages were done: {lost:?}");
        for artifact in &done {
            let path = self.place.path("didact.artifacts").join(artifact);
            assert!(path.is_dir(), "{artifact} is done and has no artifact");
        }
        self.done = done;
        let half = "SELECT (SELECT COUNT(*) FROM sweep), COUNT(*) FROM sweep_run";
        let half = self.place.query(half);
        assert!(half == ["0|0"] || half == ["1|8"], "half a plan: {half:?}");
    }

    /// Lets the sweep complete, cleans up, and compares the results.
    #[track_caller]
    fn finish(mut self, which: &str) -> BTreeMap<String, usize> {
        self.place.succeed(&["sweep", "tiny.toml", "--jobs", "3", "--retry-failed", "--no-report"]);
        self.check();
        assert_each_stage_done_once(&self.place);
        self.place.succeed(&["gc"]);
        Inventory::of(&self.place).assert_equals(undisturbed(), which);
        let nothing = self.place.succeed(&["gc"]);
        assert!(nothing.stdout.starts_with("0 item(s)"), "{which}: {}", nothing.stdout);
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
    let (mut victims, mut starts) = (0, 0);
    let mut attempts: BTreeMap<String, usize> = BTreeMap::new();
    while killed.values().sum::<usize>() < wanted {
        let mut victim = Victim::new(seed + victims);
        let patience = Duration::from_millis(victim.dice.random_range(100..1500));
        let enough = wanted - killed.values().sum::<usize>();
        while victim.kills() < enough && !victim.strike(patience) {
            starts += 1;
        }
        for state in victim.place.query("SELECT state FROM attempt") {
            *attempts.entry(state).or_default() += 1;
        }
        for (what, kills) in victim.finish(&format!("seed {}", seed + victims)) {
            *killed.entry(what).or_default() += kills;
        }
        victims += 1;
    }
    println!("{victims} sweeps, started {starts} times more; killed: {killed:?}; attempts: {attempts:?}");
}

#[test]
fn kills_at_every_fault_point_do_not_change_the_result() {
    // The fault points of growing searches, `gc`, copies and damaged artifacts have their own tests.
    let elsewhere = ["extend-plan:", "collect:", "backup:", "reopen:", "check:"];
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
    let mut victim = Victim::new(0);
    if point.starts_with("take-back:") {
        // One process must have died before.
        assert!(victim.strike_at("metrics:after-commit"), "no process passed its first metrics");
    }
    assert!(victim.strike_at(point), "no process passed {point}");
    // Again later; the number of passes of a point varies.
    victim.strike_at(&format!("{point}#3"));
    victim.finish(point);
}

#[test]
fn gc_killed_at_every_fault_point_loses_nothing_and_leaves_nothing() {
    let points: Vec<String> = points().into_iter().filter(|point| point.starts_with("collect:")).collect();
    assert_eq!(points.len(), 4);
    let mut victim = Victim::new(0);
    assert!(victim.strike_at("publish:before-rename"));
    victim.place.succeed(&["sweep", "tiny.toml", "--retry-failed", "--no-report"]);
    for point in points {
        // An unknown artifact, which is kept, and one of a removed trial.
        std::fs::create_dir_all(victim.place.path("didact.artifacts/joint/nobody")).expect("created");
        victim.place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "joint.epochs=1"]);
        let output = victim.place.command(&["gc"]).env("DIDACT_FAULT", &point).output().expect("starts");
        assert_eq!(output.status.code(), None, "gc passed {point} alive");
        // Whether killed or not, finished stages have their artifacts or are computed again.
        victim.place.succeed(&["sweep", "tiny.toml", "--no-report"]);
        victim.done.clear();
        victim.check();
    }
    victim.place.succeed(&["gc"]);
    let nothing = victim.place.succeed(&["gc"]);
    assert!(nothing.stdout.starts_with("0 item(s)"), "{}", nothing.stdout);
    assert!(victim.place.path("didact.artifacts/joint/nobody").is_dir());
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
