//! How long an attempt has run, the time left out in which its process was stopped (Ctrl-Z, a debugger, a suspended machine).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A clock that is looked at every second shows this much more only if nothing ran meanwhile.
const STOPPED: Duration = Duration::from_secs(3);

/// The clock of one attempt; whoever has a copy sees the same time.
#[derive(Debug, Clone)]
pub(super) struct Clock(Arc<Mutex<Reading>>);

#[derive(Debug)]
struct Reading {
    at: Instant,
    ran: Duration,
}

impl Reading {
    fn look(&mut self, now: Instant) -> Duration {
        let gap = now.saturating_duration_since(self.at);
        if gap < STOPPED {
            self.ran += gap;
        }
        self.at = now;
        self.ran
    }
}

impl Clock {
    /// Starts now. It must be looked at every second.
    pub(super) fn start() -> Self {
        Self(Arc::new(Mutex::new(Reading { at: Instant::now(), ran: Duration::ZERO })))
    }

    /// How long the attempt has run.
    pub(super) fn ran(&self) -> Duration {
        // The time is read under the lock: two that look at once must not count a stretch twice.
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.look(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_which_nothing_ran_does_not_count() {
        let start = Instant::now();
        let mut reading = Reading { at: start, ran: Duration::ZERO };
        let after = |seconds: u64| start + Duration::from_secs(seconds);
        assert_eq!(reading.look(after(1)), Duration::from_secs(1));
        assert_eq!(reading.look(after(2)), Duration::from_secs(2));
        // Stopped over night.
        assert_eq!(reading.look(after(40_000)), Duration::from_secs(2));
        assert_eq!(reading.look(after(40_001)), Duration::from_secs(3));
    }
}
