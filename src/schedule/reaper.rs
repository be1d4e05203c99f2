//! Finds dead workers: on this host by their process, on other hosts by a lease that is not renewed.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::process::{ProcessState, process_state};
use crate::store::{FailureClass, Lease, Store, StoreError};

/// Age at which an unrenewed lease ends, regardless of the wall clock: twice the duration of a lease.
const SILENCE_LIMIT: Duration = Duration::from_secs(120);

/// If no leases were read for so long, other workers perhaps could not renew theirs. They get this time to do so.
const BLIND_LIMIT: Duration = Duration::from_secs(20);

/// Takes stages back from workers that have died; returns the number of stages. It runs before a sweep is planned, so that the plan
/// takes these failures into account.
///
/// # Errors
/// The store cannot be read or written.
pub async fn reap(store: &Store) -> Result<usize, StoreError> {
    Reaper::new(super::host_name()).reap(store).await
}

/// Takes stages back from dead workers.
pub(super) struct Reaper {
    host: String,
    /// For each token, the end of its lease and when this end was first seen, on a clock that only runs forward. If the wall clock is
    /// set back, a lease seems to last for hours.
    first_seen: HashMap<String, (Option<String>, Instant)>,
    /// When leases were last read.
    last_read: Option<Instant>,
    /// Until then, a lease that has expired may be that of a living worker: the store could not be used for a while.
    blind_until: Option<Instant>,
}

impl Reaper {
    pub(super) fn new(host: String) -> Self {
        Self { host, first_seen: HashMap::new(), last_read: None, blind_until: None }
    }

    /// Takes stages back from dead workers; returns the number of stages.
    pub(super) async fn reap(&mut self, store: &Store) -> Result<usize, StoreError> {
        let leases = store.leases().await?;
        self.leases_were_read(Instant::now());
        self.first_seen.retain(|token, _| leases.iter().any(|lease| lease.token == *token));
        let mut freed = 0;
        for lease in &leases {
            let Some(reason) = self.take_back_reason(lease) else { continue };
            freed += usize::from(store.take_back(lease, FailureClass::Signal, reason).await?);
        }
        for worker in store.all_workers().await?.iter().filter(|worker| worker.host == self.host) {
            if process_state(worker.pid as u32, worker.process_started.as_deref()) == ProcessState::Ended {
                store.worker_stops(&worker.id, "its process no longer exists", false).await?;
            }
        }
        Ok(freed)
    }

    /// Takes back the stages of a process of this host that has just ended; `how` says how it ended.
    pub(super) async fn take_back_from(
        &mut self,
        store: &Store,
        pid: u32,
        class: FailureClass,
        how: &str,
    ) -> Result<(), StoreError> {
        let is_theirs = |lease: &&Lease| lease.host == self.host && lease.pid == i64::from(pid);
        for lease in store.leases().await?.iter().filter(is_theirs) {
            store.take_back(lease, class, &format!("the worker process {how}")).await?;
        }
        Ok(())
    }

    fn leases_were_read(&mut self, now: Instant) {
        if self.last_read.is_some_and(|last| now.duration_since(last) > BLIND_LIMIT) {
            self.blind_until = Some(now + BLIND_LIMIT);
        }
        self.last_read = Some(now);
    }

    /// Returns why a stage is taken back; `None` while its worker may be alive.
    fn take_back_reason(&mut self, lease: &Lease) -> Option<&'static str> {
        if lease.host == self.host {
            match process_state(lease.pid as u32, lease.process_started.as_deref()) {
                ProcessState::Running => return None,
                ProcessState::Ended => return Some("the worker process no longer exists"),
                ProcessState::Unknown => {}
            }
        }
        let (end, since) =
            self.first_seen.entry(lease.token.clone()).or_insert_with(|| (lease.lease_until.clone(), Instant::now()));
        if *end != lease.lease_until {
            (*end, *since) = (lease.lease_until.clone(), Instant::now());
        }
        if self.blind_until.is_some_and(|until| Instant::now() < until) {
            *since = Instant::now();
            return None;
        }
        if lease.expired && !lease.implausible {
            return Some("its lease expired: the worker stopped renewing it");
        }
        (since.elapsed() > SILENCE_LIMIT).then_some("its lease was not renewed: the worker stopped renewing it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(host: &str, expired: bool, implausible: bool) -> Lease {
        Lease {
            token: "t".to_owned(),
            stage_id: "s".to_owned(),
            host: host.to_owned(),
            pid: i64::from(std::process::id()),
            process_started: super::super::process_started(std::process::id()),
            lease_until: Some("later".to_owned()),
            expired,
            implausible,
        }
    }

    #[test]
    fn a_running_process_keeps_its_stages_whatever_the_clock_says() {
        let mut reaper = Reaper::new("here".to_owned());
        assert_eq!(reaper.take_back_reason(&lease("here", true, false)), None, "its process runs");
        let mut dead = lease("here", false, false);
        dead.process_started = Some("1@x/1".to_owned());
        assert!(reaper.take_back_reason(&dead).is_some(), "another boot: taken back although the lease is valid");
    }

    #[test]
    fn after_a_time_without_a_store_workers_may_renew_their_leases_first() {
        let mut reaper = Reaper::new("here".to_owned());
        let now = Instant::now();
        reaper.leases_were_read(now);
        reaper.leases_were_read(now + BLIND_LIMIT);
        assert!(reaper.take_back_reason(&lease("there", true, false)).is_some(), "no gap");
        reaper.leases_were_read(now + 3 * BLIND_LIMIT);
        assert_eq!(reaper.take_back_reason(&lease("there", true, false)), None);
        reaper.blind_until = Some(now);
        assert!(reaper.take_back_reason(&lease("there", true, false)).is_some(), "the time is over");
    }

    #[test]
    fn on_other_hosts_the_lease_decides_even_if_the_clock_is_set_back() {
        let mut reaper = Reaper::new("here".to_owned());
        assert_eq!(reaper.take_back_reason(&lease("there", false, false)), None);
        assert!(reaper.take_back_reason(&lease("there", true, false)).is_some());
        // The clock was set back by hours: the lease seems valid, but it is not renewed.
        assert_eq!(reaper.take_back_reason(&lease("there", false, true)), None);
        let Some(long_ago) = Instant::now().checked_sub(SILENCE_LIMIT + Duration::from_secs(1)) else { return };
        reaper.first_seen.insert("t".to_owned(), (Some("later".to_owned()), long_ago));
        assert!(reaper.take_back_reason(&lease("there", false, true)).is_some());
        // A renewal starts the count again.
        reaper.first_seen.insert("t".to_owned(), (Some("earlier".to_owned()), long_ago));
        assert_eq!(reaper.take_back_reason(&lease("there", false, true)), None);
    }
}
