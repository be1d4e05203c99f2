//! Fault points, where a test can kill the process: before and after each change of state and each rename of a file.
//!
//! `DIDACT_FAULT=NAME` kills the process when it first reaches the point; `NAME#N` at the N-th time; `*#N` at the N-th point of any
//! name. The process dies as by SIGKILL: nothing is unwound, flushed or cleaned up. Without the variable, a point costs one load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

struct Fault {
    /// Name of the point; `None` means any point.
    name: Option<String>,
    /// Number of passes before the fatal one.
    passes_left: AtomicU64,
}

static FAULT: OnceLock<Option<Fault>> = OnceLock::new();

fn fault() -> Option<&'static Fault> {
    let read = || {
        let text = std::env::var("DIDACT_FAULT").ok()?;
        let (name, pass) = text.rsplit_once('#').unwrap_or((&text, "1"));
        let passes_left = AtomicU64::new(pass.parse::<u64>().unwrap_or(1).saturating_sub(1));
        Some(Fault { name: (name != "*").then(|| name.to_owned()), passes_left })
    };
    FAULT.get_or_init(read).as_ref()
}

/// Marks a fault point; kills the process if the variable selects it.
pub fn point(name: &str) {
    let Some(fault) = fault() else { return };
    if fault.name.as_deref().is_none_or(|wanted| wanted == name)
        && fault
            .passes_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |passes_left| passes_left.checked_sub(1))
            .is_err()
    {
        die();
    }
}

#[cfg(unix)]
fn die() {
    // SAFETY: system calls without pointers; the first one ends the process.
    unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
}

#[cfg(not(unix))]
fn die() {
    std::process::abort();
}
