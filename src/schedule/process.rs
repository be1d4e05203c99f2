//! Facts about processes: whether one runs, since when, and whether it was asked to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A request to stop. Copies share their state.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Requests a stop.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Returns whether a stop was requested.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Waits until a stop is requested.
    pub async fn wait(&self) {
        while !self.requested() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Returns the name of this machine.
pub fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

/// Returns when a process started, as `TICKS@BOOT/NAMESPACE`. Together with the process id, this identifies a process
/// permanently. Ticks count from the boot. Process ids belong to a PID namespace, and a machine may have many.
///
/// Returns `None` if the process does not exist, or if there is no `/proc`.
pub fn process_started(pid: u32) -> Option<String> {
    let ticks = start_ticks(pid)?;
    Some(format!("{ticks}@{}", boot_and_namespace().unwrap_or_default()))
}

fn start_ticks(pid: u32) -> Option<String> {
    let fields = stat(pid)?;
    match fields.first()?.as_str() {
        // A zombie has ended.
        "Z" | "X" => None,
        _ => fields.get(19).cloned(),
    }
}

/// Returns the fields of `/proc/PID/stat` after the command: first the state, which is one letter.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name is in parentheses and may contain anything, so fields are counted after it.
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

/// Returns `BOOT/NAMESPACE` of this process.
fn boot_and_namespace() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let number: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    Some(format!("{}/{number}", boot.trim()))
}

/// What is known about a process of this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProcessState {
    /// The process runs.
    Running,
    /// The process does not run.
    Ended,
    /// The process belongs to another PID namespace, so its id has no meaning here.
    Unknown,
}

/// Returns the state of the process with this id and start.
pub(super) fn process_state(pid: u32, started: Option<&str>) -> ProcessState {
    let (ticks, origin) = match started.map(|started| started.split_once('@').unwrap_or((started, ""))) {
        Some((ticks, origin)) => (Some(ticks), origin),
        None => (None, ""),
    };
    if let (Some(ours), Some((boot, namespace))) = (boot_and_namespace(), origin.split_once('/')) {
        let Some((our_boot, our_namespace)) = ours.split_once('/') else { return ProcessState::Unknown };
        match (boot == our_boot, namespace == our_namespace) {
            (false, _) => return ProcessState::Ended,
            (true, false) => return ProcessState::Unknown,
            (true, true) => {}
        }
    }
    if boot_and_namespace().is_none() {
        // Without /proc, no process can be examined.
        return ProcessState::Unknown;
    }
    match (start_ticks(pid), ticks) {
        (Some(now), Some(then)) if now == then => ProcessState::Running,
        (Some(_), None) => ProcessState::Running,
        _ => ProcessState::Ended,
    }
}

/// Examines the processes of this host that the store names.
#[derive(Debug)]
pub struct LocalProcesses {
    host: String,
}

impl LocalProcesses {
    /// Creates a value for the host of this process.
    #[expect(clippy::new_without_default, reason = "it reads the host name from the system")]
    pub fn new() -> Self {
        Self { host: host_name() }
    }

    /// Returns whether a process ran on this host and has ended. Always false for other hosts.
    pub fn has_ended(&self, host: &str, pid: i64, started: Option<&str>) -> bool {
        host == self.host && process_state(pid as u32, started) == ProcessState::Ended
    }

    /// Returns whether a process of this host is stopped, for instance by Ctrl-Z.
    pub fn is_stopped(&self, host: &str, pid: i64, started: Option<&str>) -> bool {
        host == self.host
            && process_state(pid as u32, started) == ProcessState::Running
            && stat(pid as u32).is_some_and(|fields| fields.first().is_some_and(|state| state == "T"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_and_a_process_that_does_not_exist_has_ended() {
        let pid = std::process::id();
        let started = process_started(pid).expect("this process runs");
        assert_eq!(process_state(pid, Some(&started)), ProcessState::Running);
        assert_eq!(process_started(u32::MAX), None);
        assert_eq!(process_state(u32::MAX, Some(&started)), ProcessState::Ended);
    }

    #[test]
    fn processes_of_other_hosts_count_as_running() {
        let pid = std::process::id();
        let started = process_started(pid);
        let processes = LocalProcesses::new();
        assert!(!processes.has_ended(&host_name(), i64::from(pid), started.as_deref()));
        assert!(processes.has_ended(&host_name(), i64::from(pid), Some("1@another-boot/1")));
        assert!(!processes.has_ended("elsewhere", i64::from(pid), Some("1@another-boot/1")));
        assert!(!processes.is_stopped(&host_name(), i64::from(pid), started.as_deref()));
    }

    #[test]
    fn a_reused_process_id_is_another_process() {
        let pid = std::process::id();
        let started = process_started(pid).expect("this process runs");
        let (ticks, origin) = started.split_once('@').expect("a boot and a namespace");
        let (boot, namespace) = origin.split_once('/').expect("a namespace");
        assert_eq!(process_state(pid, Some(&format!("1{ticks}@{origin}"))), ProcessState::Ended);
        assert_eq!(process_state(pid, Some(&format!("{ticks}@another-boot/{namespace}"))), ProcessState::Ended);
        assert_eq!(process_state(pid, Some(&format!("{ticks}@{boot}/1"))), ProcessState::Unknown);
        // The format of older versions.
        assert_eq!(process_state(pid, Some(ticks)), ProcessState::Running);
    }
}
