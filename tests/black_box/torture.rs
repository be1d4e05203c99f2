//! Killed at random moments and at every dangerous place, again and again: in the end there is, bit for bit, what an undisturbed
//! sweep leaves, and nothing else.
//!
//! `just torture KILLS` goes on until so many processes were killed; without it a short form runs.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::caught::assert_each_stage_done_once;
use crate::common::{TINY, Workplace};
use crate::inventory::Inventory;
use crate::processes::{kill, processes_in, wait_for};

/// Two categories, two seeds, three epochs: 33 stages, some of them shared by four runs.
fn sweep_file() -> String {
    TINY.replace("[\"weave\"]", "[\"weave\", \"grain\"]").replace("epochs = 2\n", "epochs = 3\n")
        + "\n[search]\nseeds = [0, 1]\n"
}

/// What nobody disturbed, with another number of workers.
fn undisturbed() -> &'static Inventory {
    static UNDISTURBED: OnceLock<Inventory> = OnceLock::new();
    UNDISTURBED.get_or_init(|| {
        let place = Workplace::new();
        place.write("tiny.toml", &sweep_file());
        place.succeed(&["sweep", "tiny.toml", "--no-report"]);
        Inventory::of(&place)
    })
}

/// How a sweep is hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    /// One of its workers is killed.
    Worker,
    /// The sweep process is killed; its workers must leave by themselves.
    Sweep,
    /// Everything is killed, as by a power cut.
    Everything,
}

/// One store and the sweep that is tortured in it.
struct Victim {
    place: Workplace,
    dice: ChaCha8Rng,
    /// Stages that were done once.
    done: BTreeSet<String>,
    /// Processes killed, by what killed them.
    killed: BTreeMap<String, usize>,
}

impl Victim {
    fn new(seed: u64) -> Self {
        let place = Workplace::new();
        place.write("tiny.toml", &sweep_file());
        Self { place, dice: ChaCha8Rng::seed_from_u64(seed), done: BTreeSet::new(), killed: BTreeMap::new() }
    }

    /// Starts the sweep, with a deadly point in it and its workers. What failed by being killed too often is wanted once more.
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

    /// Workers of a sweep process.
    fn workers(&self, sweep: &Child) -> Vec<i32> {
        processes_in(self.place.folder()).into_iter().filter(|pid| *pid != sweep.id() as i32).collect()
    }

    /// Starts the sweep and strikes at random moments; true if it came to its end nevertheless.
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

    /// Runs the sweep until a process dies at a point, and cuts the power there; false if none passed the point.
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

    /// What must hold whenever nobody works.
    #[track_caller]
    fn check(&mut self) {
        wait_for("workers leave when their sweep has gone", || processes_in(self.place.folder()).is_empty());
        if !self.place.path("didact.db").is_file() || self.place.query("SELECT 1 FROM sqlite_master").is_empty() {
            assert!(self.done.is_empty(), "the store is gone");
            return;
        }
        assert_eq!(self.place.query("PRAGMA integrity_check"), ["ok"]);
        let made = "SELECT 1 FROM sqlite_master WHERE name = 'worker'";
        if self.place.query(made).is_empty() {
            // Killed while the tables were made.
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

    /// Lets the sweep come to its end, tidies up, and compares.
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

/// Names of the points of one kind.
pub fn points_of(prefix: &str) -> Vec<String> {
    points().into_iter().filter(|point| point.starts_with(prefix)).collect()
}

/// Names of all points, read from the source: a new one is tortured without being asked.
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
#[expect(clippy::print_stdout, reason = "the figures of the long form")]
fn killed_at_random_moments_a_sweep_ends_as_if_undisturbed() {
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
fn killed_at_every_dangerous_place_a_sweep_ends_as_if_undisturbed() {
    // Those of a search that adds trials, of `gc`, of copies and of what is damaged have tests of their own.
    let elsewhere = ["extend-plan:", "collect:", "backup:", "reopen:", "check:"];
    let points: Vec<String> =
        points().into_iter().filter(|point| elsewhere.iter().all(|prefix| !point.starts_with(prefix))).collect();
    assert!(points.len() >= 16, "{points:?}");
    // Mostly waiting: several at once.
    std::thread::scope(|scope| {
        for part in points.chunks(points.len().div_ceil(8)) {
            scope.spawn(move || part.iter().for_each(|point| torture_at(point)));
        }
    });
}

fn torture_at(point: &str) {
    let mut victim = Victim::new(0);
    if point.starts_with("take-back:") {
        // Somebody must be dead already.
        assert!(victim.strike_at("metrics:after-commit"), "no process passed its first metrics");
    }
    assert!(victim.strike_at(point), "no process passed {point}");
    // Once more, later on; how often a process passes it differs.
    victim.strike_at(&format!("{point}#3"));
    victim.finish(point);
}

#[test]
fn gc_killed_at_every_dangerous_place_loses_nothing_and_leaves_nothing() {
    let points: Vec<String> = points().into_iter().filter(|point| point.starts_with("collect:")).collect();
    assert_eq!(points.len(), 4);
    let mut victim = Victim::new(0);
    assert!(victim.strike_at("publish:before-rename"));
    victim.place.succeed(&["sweep", "tiny.toml", "--retry-failed", "--no-report"]);
    for point in points {
        // An artifact of nobody, which stays, and one of a trial that is wanted no more.
        std::fs::create_dir_all(victim.place.path("didact.artifacts/joint/nobody")).expect("created");
        victim.place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "joint.epochs=1"]);
        let output = victim.place.command(&["gc"]).env("DIDACT_FAULT", &point).output().expect("starts");
        assert_eq!(output.status.code(), None, "gc passed {point} alive");
        // Killed or not: what is done has its artifact, or is made again.
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
fn a_search_killed_while_it_adds_a_trial_has_the_trial_once_or_not_at_all() {
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
