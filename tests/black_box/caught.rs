//! Sweeps beside the test: started, caught in the middle of training, stopped, compared with one that nobody disturbed.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use crate::common::{Workplace, two_long_trials};
use crate::processes::{send, wait_for};

/// A command that runs beside the test; it does not outlive it.
pub struct Started {
    child: Child,
    log: PathBuf,
}

impl Started {
    /// What it says goes to a file: a pipe that nobody reads would stop it.
    pub fn new(mut command: Command, log: PathBuf) -> Self {
        let file = File::create(&log).expect("created");
        let other = file.try_clone().expect("the same file");
        let child = command.stdin(Stdio::null()).stdout(file).stderr(other).spawn().expect("starts");
        Self { child, log }
    }

    pub fn signal(&self, number: i32) {
        send(self.child.id() as i32, number);
    }

    /// What it has said by now.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).expect("what it said")
    }

    /// Waits until it says something.
    #[track_caller]
    pub fn wait_until_it_says(&self, text: &str) {
        wait_for(text, || self.said().contains(text));
    }

    /// Waits for its end; one that does not end is a failed test.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        wait_for("the end of a command", || {
            status = self.child.try_wait().expect("can be waited for");
            status.is_some()
        });
        status.expect("it has ended")
    }

    /// Waits for its end; returns its exit code.
    #[track_caller]
    pub fn end(&mut self) -> i32 {
        let status = self.wait();
        status.code().unwrap_or_else(|| panic!("killed by signal {:?}: {}", status.signal(), self.said()))
    }

    /// Kills it, and it alone.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The state of a process as the kernel tells it: R, S, T …; none where there is no such process, or only its remains.
pub fn state(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next().filter(|state| !"ZX".contains(*state))
}

pub fn is_alive(pid: i32) -> bool {
    state(pid).is_some()
}

/// A process that stands still; dropped, it goes on.
pub struct Frozen(i32);

impl Drop for Frozen {
    fn drop(&mut self) {
        send(self.0, libc::SIGCONT);
    }
}

/// Stops a process where it does not hold the store's write lock: nobody else could go on.
#[must_use]
pub fn freeze(place: &Workplace, pid: i32) -> Frozen {
    wait_for("a process that stands still", || {
        send(pid, libc::SIGSTOP);
        wait_for("a stopped process", || state(pid) == Some('T'));
        let free = place.lock().is_some();
        if !free {
            send(pid, libc::SIGCONT);
        }
        free
    });
    Frozen(pid)
}

/// Processes of the workers that hold a stage.
pub fn workers(place: &Workplace) -> Vec<i32> {
    let rows = place.query("SELECT DISTINCT pid FROM attempt WHERE state = 'running'");
    rows.iter().filter_map(|row| row.parse().ok()).collect()
}

/// Folders of checkpoints of stages that are not done.
pub fn partials(place: &Workplace) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place.path("didact.artifacts/partial")).expect("the folder is there");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// Whether a joint stage has a checkpoint that a resumed attempt would start from.
pub fn has_checkpoint(place: &Workplace) -> bool {
    walkdir::WalkDir::new(place.path("didact.artifacts/partial")).into_iter().filter_map(Result::ok).any(|entry| {
        // The student is there in joint training only.
        entry.file_name() == "last.safetensors"
            && std::fs::read(entry.path())
                .is_ok_and(|bytes| bytes.windows(14).take(20_000).any(|window| window == b"student.conv1."))
    })
}

/// A sweep in the middle of joint training, with a checkpoint behind it.
pub fn caught_in_joint_training(file: &str) -> (Workplace, Started) {
    let place = Workplace::new();
    place.write("tiny.toml", file);
    let sweep = place.start("sweep.log", &["sweep", "tiny.toml", "--no-report"]);
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    (place, sweep)
}

/// Digests of the selected and the last weights that every joint stage left, by stage.
fn weights(place: &Workplace) -> BTreeMap<String, [blake3::Hash; 2]> {
    let stages = place.query("SELECT id FROM stage WHERE kind = 'joint'");
    let digests = |stage: &String| {
        let folder = place.path("didact.artifacts/joint").join(stage);
        ["selected.safetensors", "last.safetensors"]
            .map(|name| blake3::hash(&std::fs::read(folder.join(name)).expect("a file")))
    };
    stages.iter().map(|stage| (stage.clone(), digests(stage))).collect()
}

/// Every file that joint training left is, byte by byte, that of a sweep of [`two_long_trials`] which nobody disturbed.
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

/// Every stage was computed to its end exactly once.
#[track_caller]
pub fn assert_each_stage_done_once(place: &Workplace) {
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
    let counts =
        "SELECT DISTINCT (SELECT COUNT(*) FROM attempt a WHERE a.stage_id = s.id AND a.state = 'done') FROM stage s";
    assert_eq!(place.query(counts), ["1"], "attempts that are done, by stage");
}
