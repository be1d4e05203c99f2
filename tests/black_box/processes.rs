//! Processes that work in a folder: finds them, signals them, and waits until they have ended.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Returns all processes whose working directory is this folder.
pub fn processes_in(folder: &Path) -> Vec<i32> {
    let folder = folder.canonicalize().expect("the folder is there");
    let works_here = |process: &PathBuf| std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == folder);
    std::fs::read_dir("/proc")
        .expect("processes can be listed")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(works_here)
        .filter_map(|process| process.file_name()?.to_str()?.parse().ok())
        .collect()
}

/// Sends SIGKILL. Returns false if the process does not exist.
pub fn kill(pid: i32) -> bool {
    send(pid, libc::SIGKILL)
}

/// Sends a signal. Returns false if the process does not exist.
pub fn send(pid: i32, signal: i32) -> bool {
    // SAFETY: a plain system call on a process that this test started.
    unsafe { libc::kill(pid, signal) == 0 }
}

/// Waits until a condition holds, far longer than it takes on a busy machine.
#[track_caller]
pub fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(120), "{what}: did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}
