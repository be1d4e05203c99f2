//! Places where a test can have the process killed: before and after each change of state and each rename of a file.
//!
//! `DIDACT_FAULT=NAME` kills at the first pass of a point, `NAME#N` at the N-th, `*#N` at the N-th point whichever it is. The
//! process dies as by SIGKILL: nothing is unwound, flushed or tidied. Without the variable a point costs one load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

struct Fault {
    /// None = any point.
    name: Option<String>,
    /// Passes before the deadly one.
    left: AtomicU64,
}

static FAULT: OnceLock<Option<Fault>> = OnceLock::new();

fn fault() -> Option<&'static Fault> {
    let read = || {
        let text = std::env::var("DIDACT_FAULT").ok()?;
        let (name, pass) = text.rsplit_once('#').unwrap_or((&text, "1"));
        let left = AtomicU64::new(pass.parse::<u64>().unwrap_or(1).saturating_sub(1));
        Some(Fault { name: (name != "*").then(|| name.to_owned()), left })
    };
    FAULT.get_or_init(read).as_ref()
}

/// A point that a fault may be placed at.
pub fn point(name: &str) {
    let Some(fault) = fault() else { return };
    if fault.name.as_deref().is_none_or(|wanted| wanted == name)
        && fault.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
    {
        die();
    }
}

#[cfg(unix)]
fn die() {
    // SAFETY: system calls without pointers; the process is gone after the first.
    unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
}

#[cfg(not(unix))]
fn die() {
    std::process::abort();
}
