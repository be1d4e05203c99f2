//! Facts of processes: who runs, since when, how large, and whether to stop.

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

/// When a process started, in the kernel's ticks since boot: with the id it names one process for ever.
///
/// None where there is no such process, or no `/proc`.
pub fn process_started(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name is in parentheses and may hold anything; fields are counted after it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    match fields.first() {
        // A zombie runs no more.
        Some(&"Z") => None,
        _ => fields.get(19).map(|ticks| (*ticks).to_owned()),
    }
}

/// Peak resident memory of this process, bytes.
pub fn peak_rss() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Starts counting the peak anew, so that each stage has its own: what the last one freed goes back to the system first.
pub(super) fn reset_peak_rss() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: a call without pointers; it touches free memory only.
    unsafe {
        libc::malloc_trim(0);
    }
    // Refused on some systems: the peak is then that of the whole worker.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_and_process_zero_does_not() {
        assert!(process_started(std::process::id()).is_some());
        assert_eq!(process_started(u32::MAX), None);
        assert!(peak_rss().is_some_and(|bytes| bytes > 1 << 20));
    }
}
