//! Fault points, where a test can kill or delay the process: before and after each change of state and each rename of a file, and after
//! each epoch.
//!
//! `DIDACT_FAULT=NAME` kills the process when it first reaches the point; `NAME#N` at the N-th time; `*#N` at the N-th point of any
//! name. The process dies as by SIGKILL: nothing is unwound, flushed or cleaned up. `NAME~MILLISECONDS` delays it at each pass. Without the
//! variable, a point costs one load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

struct Fault {
    /// Name of the point; `None` means any point.
    name: Option<String>,
    effect: Effect,
}

enum Effect {
    /// Kills the process after this number of passes.
    Death(AtomicU64),
    Delay(Duration),
}

static FAULT: OnceLock<Option<Fault>> = OnceLock::new();

fn fault() -> Option<&'static Fault> {
    FAULT.get_or_init(|| std::env::var("DIDACT_FAULT").ok().map(|text| read(&text))).as_ref()
}

fn read(text: &str) -> Fault {
    let (name, effect) = match text.rsplit_once('~') {
        Some((name, time)) => (name, Effect::Delay(Duration::from_millis(time.parse().unwrap_or(0)))),
        None => {
            let (name, pass) = text.rsplit_once('#').unwrap_or((text, "1"));
            (name, Effect::Death(AtomicU64::new(pass.parse::<u64>().unwrap_or(1).saturating_sub(1))))
        }
    };
    Fault { name: (name != "*").then(|| name.to_owned()), effect }
}

/// Marks a fault point; kills or delays the process if the variable selects it.
pub fn point(name: &str) {
    let Some(fault) = fault().filter(|fault| fault.name.as_deref().is_none_or(|wanted| wanted == name)) else { return };
    match &fault.effect {
        Effect::Delay(time) => std::thread::sleep(*time),
        Effect::Death(passes_left) => {
            let next = |left: u64| left.checked_sub(1);
            if passes_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).is_err() {
                die();
            }
        }
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
