//! Facts of processes: who runs, since when, and whether to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A request to stop, shared by all that must hear it.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicUsize>);

impl Stop {
    /// Asks once more; returns how often it was asked by now.
    pub fn request(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Whether it was asked.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

/// The machine's name.
pub fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

/// When a process started: `TICKS@BOOT/NAMESPACE`. With the id it names one process for ever: ticks count since the boot, and
/// ids are those of a namespace of processes, of which one machine may have many.
///
/// None where there is no such process, or no `/proc`.
pub fn process_started(pid: u32) -> Option<String> {
    let ticks = start_ticks(pid)?;
    Some(format!("{ticks}@{}", surroundings().unwrap_or_default()))
}

fn start_ticks(pid: u32) -> Option<String> {
    let fields = stat(pid)?;
    match fields.first()?.as_str() {
        // A zombie runs no more.
        "Z" | "X" => None,
        _ => fields.get(19).cloned(),
    }
}

/// What the kernel says of a process: its state, a letter, and what follows.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name is in parentheses and may hold anything; fields are counted after it.
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

/// `BOOT/NAMESPACE` of this process.
fn surroundings() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let number: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    Some(format!("{}/{number}", boot.trim()))
}

/// What can be said of a process of this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// It runs.
    Here,
    /// It does not.
    Gone,
    /// It belongs to another namespace: its id says nothing here.
    OutOfSight,
}

/// Whether the process with this id and start runs here.
pub(super) fn presence(pid: u32, started: Option<&str>) -> Presence {
    let (ticks, place) = match started.map(|started| started.split_once('@').unwrap_or((started, ""))) {
        Some((ticks, place)) => (Some(ticks), place),
        None => (None, ""),
    };
    if let (Some(ours), Some((boot, namespace))) = (surroundings(), place.split_once('/')) {
        let Some((our_boot, our_namespace)) = ours.split_once('/') else { return Presence::OutOfSight };
        match (boot == our_boot, namespace == our_namespace) {
            (false, _) => return Presence::Gone,
            (true, false) => return Presence::OutOfSight,
            (true, true) => {}
        }
    }
    if surroundings().is_none() {
        // Without /proc nothing is known of any process.
        return Presence::OutOfSight;
    }
    match (start_ticks(pid), ticks) {
        (Some(now), Some(then)) if now == then => Presence::Here,
        (Some(_), None) => Presence::Here,
        _ => Presence::Gone,
    }
}

/// What this host knows of processes that the store names.
#[derive(Debug)]
pub struct KnownProcesses {
    host: String,
}

impl KnownProcesses {
    /// As seen from this process.
    #[expect(clippy::new_without_default, reason = "it asks the system")]
    pub fn new() -> Self {
        Self { host: host_name() }
    }

    /// Whether a process ran on this host and runs no more. Of other hosts nothing is known.
    pub fn is_gone(&self, host: &str, pid: i64, started: Option<&str>) -> bool {
        host == self.host && presence(pid as u32, started) == Presence::Gone
    }

    /// Whether a process of this host is stopped, as by Ctrl-Z.
    pub fn is_stopped(&self, host: &str, pid: i64, started: Option<&str>) -> bool {
        host == self.host
            && presence(pid as u32, started) == Presence::Here
            && stat(pid as u32).is_some_and(|fields| fields.first().is_some_and(|state| state == "T"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_here_and_process_zero_is_not() {
        let pid = std::process::id();
        let started = process_started(pid).expect("this process runs");
        assert_eq!(presence(pid, Some(&started)), Presence::Here);
        assert_eq!(process_started(u32::MAX), None);
        assert_eq!(presence(u32::MAX, Some(&started)), Presence::Gone);
    }

    #[test]
    fn nothing_is_known_of_processes_elsewhere() {
        let pid = std::process::id();
        let started = process_started(pid);
        let known = KnownProcesses::new();
        assert!(!known.is_gone(&host_name(), i64::from(pid), started.as_deref()));
        assert!(known.is_gone(&host_name(), i64::from(pid), Some("1@another-boot/1")));
        assert!(!known.is_gone("elsewhere", i64::from(pid), Some("1@another-boot/1")));
        assert!(!known.is_stopped(&host_name(), i64::from(pid), started.as_deref()));
    }

    #[test]
    fn an_id_that_was_given_again_or_before_a_boot_is_another_process() {
        let pid = std::process::id();
        let started = process_started(pid).expect("this process runs");
        let (ticks, place) = started.split_once('@').expect("a place");
        let (boot, namespace) = place.split_once('/').expect("a namespace");
        assert_eq!(presence(pid, Some(&format!("1{ticks}@{place}"))), Presence::Gone);
        assert_eq!(presence(pid, Some(&format!("{ticks}@another-boot/{namespace}"))), Presence::Gone);
        assert_eq!(presence(pid, Some(&format!("{ticks}@{boot}/1"))), Presence::OutOfSight);
        // As an older didact wrote it.
        assert_eq!(presence(pid, Some(ticks)), Presence::Here);
    }
}
