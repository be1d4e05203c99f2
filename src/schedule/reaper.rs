//! Finding the dead: on this host by their process, elsewhere by a lease that nobody renews.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::process::{Presence, presence};
use crate::store::{FailureClass, Held, Store, StoreError};

/// An unrenewed lease of this age is over whatever the clock says: twice what the store's clock would need.
const SILENCE: Duration = Duration::from_secs(120);

/// Takes back what earlier processes left when they died; returns how many stages. Before a sweep is planned: what failed by
/// that is then known to have failed.
pub async fn reap(store: &Store) -> Result<usize, StoreError> {
    Reaper::new(super::host_name()).reap(store).await
}

/// Takes stages back from workers that are gone.
pub(super) struct Reaper {
    host: String,
    /// When a lease was first seen as it is. The wall clock may be set back, and a lease then seem to last for hours; this one
    /// only runs forward.
    seen: HashMap<String, (Option<String>, Instant)>,
}

impl Reaper {
    pub(super) fn new(host: String) -> Self {
        Self { host, seen: HashMap::new() }
    }

    /// Takes back what the dead left; returns how many stages.
    pub(super) async fn reap(&mut self, store: &Store) -> Result<usize, StoreError> {
        let held = store.held().await?;
        self.seen.retain(|token, _| held.iter().any(|held| held.token == *token));
        let mut freed = 0;
        for held in &held {
            let Some(reason) = self.verdict(held) else { continue };
            freed += usize::from(store.take_back(held, FailureClass::Signal, reason).await?);
        }
        for worker in store.all_workers().await?.iter().filter(|worker| worker.host == self.host) {
            if presence(worker.pid as u32, worker.process_started.as_deref()) == Presence::Gone {
                store.worker_stops(&worker.id, "its process was gone").await?;
            }
        }
        Ok(freed)
    }

    /// Takes back what one process of this host held, which has just ended so.
    pub(super) async fn bury(
        &mut self,
        store: &Store,
        pid: u32,
        class: FailureClass,
        how: &str,
    ) -> Result<(), StoreError> {
        let theirs = |held: &&Held| held.host == self.host && held.pid == i64::from(pid);
        for held in store.held().await?.iter().filter(theirs) {
            store.take_back(held, class, &format!("the worker process {how}")).await?;
        }
        Ok(())
    }

    /// Why a stage is taken back; none while its holder may live.
    fn verdict(&mut self, held: &Held) -> Option<&'static str> {
        if held.host == self.host {
            match presence(held.pid as u32, held.process_started.as_deref()) {
                Presence::Here => return None,
                Presence::Gone => return Some("the worker process was gone"),
                Presence::OutOfSight => {}
            }
        }
        let (lease, since) =
            self.seen.entry(held.token.clone()).or_insert_with(|| (held.lease_until.clone(), Instant::now()));
        if *lease != held.lease_until {
            (*lease, *since) = (held.lease_until.clone(), Instant::now());
        }
        if held.expired && !held.implausible {
            return Some("its lease ran out: the worker was not heard of any more");
        }
        (since.elapsed() > SILENCE).then_some("its lease was not renewed: the worker was not heard of any more")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(host: &str, expired: bool, implausible: bool) -> Held {
        Held {
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
    fn the_living_keep_their_stages_whatever_the_clock_says() {
        let mut reaper = Reaper::new("here".to_owned());
        assert_eq!(reaper.verdict(&held("here", true, false)), None, "its process runs");
        let mut dead = held("here", false, false);
        dead.process_started = Some("1@x/1".to_owned());
        assert!(reaper.verdict(&dead).is_some(), "another boot: at once, though the lease runs");
    }

    #[test]
    fn elsewhere_the_lease_decides_and_a_clock_set_back_keeps_nobody_alive() {
        let mut reaper = Reaper::new("here".to_owned());
        assert_eq!(reaper.verdict(&held("there", false, false)), None);
        assert!(reaper.verdict(&held("there", true, false)).is_some());
        // The clock was set back by hours: the lease seems to last, but nobody renews it.
        assert_eq!(reaper.verdict(&held("there", false, true)), None);
        let Some(long_ago) = Instant::now().checked_sub(SILENCE + Duration::from_secs(1)) else { return };
        reaper.seen.insert("t".to_owned(), (Some("later".to_owned()), long_ago));
        assert!(reaper.verdict(&held("there", false, true)).is_some());
        // A renewal starts the count anew.
        reaper.seen.insert("t".to_owned(), (Some("earlier".to_owned()), long_ago));
        assert_eq!(reaper.verdict(&held("there", false, true)), None);
    }
}
