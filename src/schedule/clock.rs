//! Measures how long an attempt has run, without pauses of its process (Ctrl-Z, a debugger, a suspended machine).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A gap between two readings that counts as a pause. The clock is read every second.
const PAUSE_THRESHOLD: Duration = Duration::from_secs(3);

/// The clock of one attempt. Copies share their state.
#[derive(Debug, Clone)]
pub(super) struct Clock(Arc<Mutex<Reading>>);

#[derive(Debug)]
struct Reading {
    last: Instant,
    elapsed: Duration,
}

impl Reading {
    fn advance(&mut self, now: Instant) -> Duration {
        let gap = now.saturating_duration_since(self.last);
        if gap < PAUSE_THRESHOLD {
            self.elapsed += gap;
        }
        self.last = now;
        self.elapsed
    }
}

impl Clock {
    /// Starts a clock. It must be read every second.
    pub(super) fn start() -> Self {
        Self(Arc::new(Mutex::new(Reading { last: Instant::now(), elapsed: Duration::ZERO })))
    }

    /// Returns how long the attempt has run.
    pub(super) fn elapsed(&self) -> Duration {
        // Read the time under the lock: two concurrent readers must not count the same interval twice.
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.advance(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_do_not_count() {
        let start = Instant::now();
        let mut reading = Reading { last: start, elapsed: Duration::ZERO };
        let after = |seconds: u64| start + Duration::from_secs(seconds);
        assert_eq!(reading.advance(after(1)), Duration::from_secs(1));
        assert_eq!(reading.advance(after(2)), Duration::from_secs(2));
        // The process was stopped overnight.
        assert_eq!(reading.advance(after(40_000)), Duration::from_secs(2));
        assert_eq!(reading.advance(after(40_001)), Duration::from_secs(3));
    }
}
