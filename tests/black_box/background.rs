//! Sweeps in the background: starts them, waits until they train, stops them, and compares their results with undisturbed ones.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use crate::common::{Workplace, two_long_trials};
use crate::processes::{send, wait_for};

/// A command in the background; it is killed at the end of the test.
pub struct BackgroundCommand {
    child: Child,
    log: PathBuf,
}

impl BackgroundCommand {
    /// Starts the command with its output in a file, because a full pipe would block it.
    pub fn new(mut command: Command, log: PathBuf) -> Self {
        let file = File::create(&log).expect("created");
        let other = file.try_clone().expect("the same file");
        let child = command.stdin(Stdio::null()).stdout(file).stderr(other).spawn().expect("starts");
        Self { child, log }
    }

    /// Returns the id of its process.
    #[cfg(feature = "live")]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, number: i32) {
        send(self.child.id() as i32, number);
    }

    /// Returns its output so far.
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.log).expect("its output")
    }

    /// Waits until its output contains a text.
    #[track_caller]
    pub fn wait_for_output(&self, text: &str) {
        wait_for(text, || self.output().contains(text));
    }

    /// Waits until it ends; fails if it does not.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        wait_for("the end of a command", || {
            status = self.child.try_wait().expect("can be waited for");
            status.is_some()
        });
        status.expect("it has ended")
    }

    /// Waits until it ends; returns its exit code.
    #[track_caller]
    pub fn end(&mut self) -> i32 {
        let status = self.wait();
        status.code().unwrap_or_else(|| panic!("killed by signal {:?}: {}", status.signal(), self.output()))
    }

    /// Returns whether the process has not ended.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("waited for").is_none()
    }

    /// Kills only this process.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

impl Drop for BackgroundCommand {
    fn drop(&mut self) {
        // The process has ended unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the kernel's state of a process: R, S, T …; `None` if it does not exist or is a zombie.
pub fn state(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next().filter(|state| !"ZX".contains(*state))
}

pub fn is_alive(pid: i32) -> bool {
    state(pid).is_some()
}

/// A stopped process; it resumes when this is dropped.
pub struct StoppedProcess(i32);

impl Drop for StoppedProcess {
    fn drop(&mut self) {
        send(self.0, libc::SIGCONT);
    }
}

/// Stops a process while it does not hold the store's write lock, so that other processes can continue.
#[must_use]
pub fn freeze(place: &Workplace, pid: i32) -> StoppedProcess {
    wait_for("a process that can be stopped", || {
        send(pid, libc::SIGSTOP);
        wait_for("a stopped process", || state(pid) == Some('T'));
        let free = place.lock().is_some();
        if !free {
            send(pid, libc::SIGCONT);
        }
        free
    });
    StoppedProcess(pid)
}

/// Returns the process ids of workers that hold a stage.
pub fn workers(place: &Workplace) -> Vec<i32> {
    let rows = place.query("SELECT DISTINCT pid FROM attempt WHERE state = 'running'");
    rows.iter().filter_map(|row| row.parse().ok()).collect()
}

/// Returns the checkpoint folders of stages that are not done.
pub fn partials(place: &Workplace) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place.path("didact.artifacts/partial")).expect("the folder is there");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// Returns whether a joint stage has a checkpoint that a new attempt would resume from.
pub fn has_checkpoint(place: &Workplace) -> bool {
    walkdir::WalkDir::new(place.path("didact.artifacts/partial")).into_iter().filter_map(Result::ok).any(|entry| {
        // Only joint training has a student.
        entry.file_name() == "last.safetensors"
            && std::fs::read(entry.path())
                .is_ok_and(|bytes| bytes.windows(14).take(20_000).any(|window| window == b"student.conv1."))
    })
}

/// Starts a sweep with slow epochs, and waits until joint training has written a checkpoint.
pub fn start_until_joint_training(file: &str) -> (Workplace, BackgroundCommand) {
    let place = Workplace::new().with_slow_epochs();
    place.write("tiny.toml", file);
    let sweep = place.start("sweep.log", &["sweep", "tiny.toml", "--no-report"]);
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    (place, sweep)
}

/// Returns the digests of the selected and last weights of every joint stage.
fn weights(place: &Workplace) -> BTreeMap<String, [blake3::Hash; 2]> {
    let stages = place.query("SELECT id FROM stage WHERE kind = 'joint'");
    let digests = |stage: &String| {
        let folder = place.path("didact.artifacts/joint").join(stage);
        ["selected.safetensors", "last.safetensors"]
            .map(|name| blake3::hash(&std::fs::read(folder.join(name)).expect("a file")))
    };
    stages.iter().map(|stage| (stage.clone(), digests(stage))).collect()
}

/// Asserts that every file of joint training equals, byte by byte, that of an undisturbed sweep of [`two_long_trials`].
#[track_caller]
pub fn assert_same_bits(place: &Workplace) {
    static UNDISTURBED: OnceLock<BTreeMap<String, [blake3::Hash; 2]>> = OnceLock::new();
    let theirs = UNDISTURBED.get_or_init(|| {
        let undisturbed = Workplace::new();
        undisturbed.write("tiny.toml", &two_long_trials());
        undisturbed.succeed(&["sweep", "tiny.toml", "--no-report"]);
        weights(&undisturbed)
    });
    let ours = weights(place);
    assert!(!ours.is_empty());
    for (stage, [selected, last]) in ours {
        let [other_selected, other_last] = theirs[&stage];
        assert_eq!(selected, other_selected, "the selected weights of {stage} differ");
        assert_eq!(last, other_last, "the last weights and moments of {stage} differ");
    }
}

/// Asserts that every stage was completed exactly once.
#[track_caller]
pub fn assert_each_stage_done_once(place: &Workplace) {
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
    let counts =
        "SELECT DISTINCT (SELECT COUNT(*) FROM attempt a WHERE a.stage_id = s.id AND a.state = 'done') FROM stage s";
    assert_eq!(place.query(counts), ["1"], "attempts that are done, by stage");
}
