//! Runs a sweep: a worker in each slot, the plan steered while it goes on, an end that leaves nothing behind.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::pause::Workers;
use super::progress::Display;
use super::reaper::Reaper;
use super::steer::{Outlook, Steer};
use super::supervise::{Event, supervise};
use super::{Message, Slot, Stop, host_name};
use crate::store::{PlanStanding, RunCounts, Store, StoreError, Wanted};

/// How a sweep is run.
#[derive(Debug, Clone)]
pub struct LaunchOptions {
    /// What is to be done.
    pub wanted: Wanted,
    /// A place for each worker.
    pub slots: Vec<Slot>,
    /// Passed on to workers.
    pub store: String,
    /// Passed on to workers.
    pub log: String,
    /// Passed on to workers.
    pub artifacts: PathBuf,
    /// Stop claiming after this time.
    pub time_limit: Option<Duration>,
    /// A stage that takes longer has failed.
    pub stage_timeout: Option<Duration>,
    /// Bytes that a worker may have of its own.
    pub memory: Option<u64>,
    /// Bytes of a GPU's memory in which a worker may keep data.
    pub device_memory: Option<u64>,
    /// Stop once so many more runs have failed.
    pub max_failures: Option<i64>,
    /// Digest of what this process has planned: once the sweep has another, it stops.
    pub plan: String,
}

/// Why the workers ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SweepEnd {
    /// Nothing is left to do.
    Complete,
    /// Asked to stop.
    Interrupted,
    /// The time limit was reached.
    TimeLimit,
    /// So many runs failed.
    TooManyFailures(i64),
    /// No worker could be kept running.
    Broken,
    /// A worker is of another version than the plan: what it says.
    Refused(String),
    /// Another process has planned the sweep otherwise, or deleted it: what happened, in words.
    Superseded(String),
}

/// At least so long between two looks at the store.
const LOOK: Duration = Duration::from_millis(200);
/// So long the store may fail before the sweep gives up: a disk may be cleared meanwhile.
const STORE_PATIENCE: Duration = Duration::from_secs(30);

/// Runs a sweep to its end, or to the first stop request.
///
/// # Errors
/// Those of the store and of what steers the sweep.
pub async fn launch<S: Steer>(
    store: &Store,
    options: &LaunchOptions,
    stop: &Stop,
    steer: &mut S,
) -> Result<SweepEnd, S::Error>
where
    S::Error: From<StoreError>,
{
    let mut sweep = Running::begin(store, options, steer).await?;
    let (sender, mut events) = mpsc::unbounded_channel();
    // Theirs, not the person's: workers also leave because nothing is left.
    let leave = Stop::default();
    let processes = Workers::default();
    processes.follow();
    let workers: Vec<_> = options
        .slots
        .iter()
        .enumerate()
        .map(|(index, slot)| {
            let shared = (processes.clone(), leave.clone());
            tokio::spawn(supervise(index, slot.clone(), options.clone(), sender.clone(), shared))
        })
        .collect();
    drop(sender);
    let mut tick = tokio::time::interval(LOOK);
    let outcome = loop {
        let look = tokio::select! {
            event = events.recv() => match event {
                Some(event) => sweep.hear(event).await,
                None => break Ok(()),
            },
            _ = tick.tick() => true,
        };
        if stop.requested() && sweep.end.is_none() {
            sweep
                .display
                .say("stopping: workers finish their step, write a checkpoint and leave (once more: leave now)");
            sweep.end = Some(SweepEnd::Interrupted);
        }
        if look && let Err(error) = sweep.look(steer).await {
            break Err(error);
        }
        if sweep.end.is_some() {
            leave.request();
        }
    };
    leave.request();
    for worker in workers {
        // Its own end was told through the channel.
        let _ = worker.await;
    }
    sweep.display.close();
    outcome?;
    match sweep.end {
        Some(end) => Ok(end),
        None if !store.has_open_stages(&options.wanted).await? => Ok(SweepEnd::Complete),
        None => Ok(SweepEnd::Broken),
    }
}

/// A sweep that is under way.
struct Running<'a> {
    store: &'a Store,
    options: &'a LaunchOptions,
    display: Display,
    reaper: Reaper,
    started: Instant,
    /// Runs that had failed before.
    failed_before: i64,
    counts: RunCounts,
    /// The counts that the search has seen. Not those seen last: whoever hears a worker counts, too, and another sweep's worker may
    /// have done the last run.
    steered_at: RunCounts,
    outlook: Outlook,
    /// Whether results came that the search has not seen.
    news: bool,
    /// The stage that each worker claimed last.
    at: Vec<Option<String>>,
    /// When the store was last seen, and how long that took: looking must not become the main work.
    looked: Instant,
    look_cost: Duration,
    estimated: Option<Instant>,
    /// The last event that was told.
    event: i64,
    /// Since when the store fails.
    trouble: Option<Instant>,
    end: Option<SweepEnd>,
}

impl<'a> Running<'a> {
    async fn begin<S: Steer>(store: &'a Store, options: &'a LaunchOptions, steer: &mut S) -> Result<Self, S::Error>
    where
        S::Error: From<StoreError>,
    {
        let outlook = steer.advance(store).await?;
        let counts = store.run_counts(&options.wanted).await?;
        let event = store.last_event(&options.wanted.sweep).await?;
        Ok(Self {
            store,
            options,
            display: Display::new(options.slots.len(), counts),
            reaper: Reaper::new(host_name()),
            started: Instant::now(),
            failed_before: counts.failed,
            counts,
            steered_at: counts,
            outlook,
            news: false,
            at: vec![None; options.slots.len()],
            looked: Instant::now(),
            look_cost: Duration::ZERO,
            estimated: None,
            event,
            trouble: None,
            end: None,
        })
    }

    /// Hears a worker; true if the store should be looked at.
    async fn hear(&mut self, event: Event) -> bool {
        match event {
            Event::Said(worker, message) => {
                let look = matches!(message, Message::Finished { .. } | Message::Idle);
                if let Message::Finished { kind, .. } = &message {
                    self.at[worker] = None;
                    // What a search is guided by may be known now.
                    self.news |= kind.results().is_some();
                    // The line tells how many runs are through with this one.
                    self.count().await;
                }
                if let Message::Stopped { reason } = &message {
                    self.display.say(&format!("worker {} stops: {reason}", worker + 1));
                }
                if let Message::Refused { reason } = &message {
                    self.end.get_or_insert_with(|| SweepEnd::Refused(reason.clone()));
                }
                if let Message::Claimed { stage, .. } = &message {
                    self.at[worker] = Some(stage.clone());
                }
                self.display.show(worker, &message);
                look
            }
            Event::Died(worker, death) => {
                self.display.say(&format!("worker {} {}", worker + 1, death.how));
                let buried = match death.pid {
                    Some(pid) => self.reaper.bury(self.store, pid, death.class, &death.how).await,
                    None => Ok(()),
                };
                if let Err(error) = buried {
                    // Whoever looks for the dead next finds it.
                    tracing::warn!(%error, "the dead worker's stage could not be taken back yet");
                }
                // Only what was held by the dead rests after a failure: all else was told by its worker.
                if let Some(stage) = self.at[worker].take()
                    && let Ok(Some(retrying)) = self.store.retrying(&stage).await
                {
                    self.display.lost(worker, &retrying);
                }
                true
            }
            Event::GivenUp(worker, reason) => {
                self.display.say(&format!("worker {} stops: {reason}", worker + 1));
                let message = format!("worker {}: {reason}", worker + 1);
                if let Err(error) = self.store.tell(&self.options.wanted.sweep, "breaker", &message).await {
                    tracing::warn!(%error, "the event could not be stored");
                }
                true
            }
        }
    }

    async fn count(&mut self) {
        // Seen again in a moment.
        if let Ok(counts) = self.store.run_counts(&self.options.wanted).await {
            self.counts = counts;
            self.display.standing(counts);
        }
    }

    /// Looks at the store: what is left, what comes next, whether it is the end.
    async fn look<S: Steer>(&mut self, steer: &mut S) -> Result<(), S::Error>
    where
        S::Error: From<StoreError>,
    {
        if self.end.is_some() || self.looked.elapsed() < 10 * self.look_cost {
            return Ok(());
        }
        let began = Instant::now();
        let outcome = self.look_now(steer).await;
        (self.looked, self.look_cost) = (Instant::now(), began.elapsed());
        match outcome {
            Ok(()) => self.trouble = None,
            Err(Trouble::Store(error)) if !matches!(error, StoreError::Replaced { .. }) => {
                let since = *self.trouble.get_or_insert_with(Instant::now);
                if since.elapsed() > STORE_PATIENCE {
                    return Err(error.into());
                }
                if since.elapsed() < LOOK {
                    self.display.say(&format!("{error}; trying for {} s", STORE_PATIENCE.as_secs()));
                }
            }
            Err(Trouble::Store(error)) => return Err(error.into()),
            Err(Trouble::Steering(error)) => return Err(error),
        }
        Ok(())
    }

    async fn look_now<S: Steer>(&mut self, steer: &mut S) -> Result<(), Trouble<S::Error>> {
        self.store.check_identity()?;
        if self.is_superseded().await? {
            return Ok(());
        }
        self.counts = self.store.run_counts(&self.options.wanted).await?;
        if self.outlook == Outlook::MoreToCome && (self.counts != self.steered_at || std::mem::take(&mut self.news)) {
            // Counted before the search looks: what changes meanwhile lets it look again.
            self.steered_at = self.counts;
            self.outlook = steer.advance(self.store).await.map_err(Trouble::Steering)?;
            self.counts = self.store.run_counts(&self.options.wanted).await?;
        }
        self.display.standing(self.counts);
        if self.estimated.is_none_or(|at| at.elapsed() > Duration::from_secs(5)) {
            self.estimated = Some(Instant::now());
            let left = self.store.thread_seconds_left(&self.options.wanted).await?;
            let threads: usize = self.options.slots.iter().map(|slot| slot.threads).sum();
            self.display.left(left.map(|seconds| Duration::from_secs_f64(seconds / threads as f64)));
        }
        let failed = self.counts.failed - self.failed_before;
        if self.options.time_limit.is_some_and(|limit| self.started.elapsed() >= limit) {
            self.finish(SweepEnd::TimeLimit, "time-limit", "the time limit is reached").await?;
        } else if self.options.max_failures.is_some_and(|most| failed >= most) {
            self.finish(
                SweepEnd::TooManyFailures(failed),
                "max-failures",
                &format!("{failed} run(s) failed (--max-failures)"),
            )
            .await?;
        } else if self.outlook == Outlook::Whole && !self.store.has_open_stages(&self.options.wanted).await? {
            self.end = Some(SweepEnd::Complete);
        }
        Ok(())
    }

    /// Whether the sweep is another one by now; tells of other files, too, that were refused its name.
    async fn is_superseded(&mut self) -> Result<bool, StoreError> {
        let sweep = &self.options.wanted.sweep;
        for (event, message) in self.store.refused_since(sweep, self.event).await? {
            self.display.say(&message);
            self.event = event;
        }
        let why = match self.store.plan_standing(sweep, &self.options.plan).await? {
            PlanStanding::Current => return Ok(false),
            PlanStanding::Superseded { at, origin } => {
                format!("superseded: another process has started this sweep with another plan, from {origin} at {at}")
            }
            PlanStanding::Deleted => "the sweep was deleted by another process".to_owned(),
        };
        self.display.say(&format!("{why}: workers of this process write a checkpoint and leave"));
        self.end = Some(SweepEnd::Superseded(why));
        Ok(true)
    }

    async fn finish(&mut self, end: SweepEnd, kind: &str, why: &str) -> Result<(), StoreError> {
        self.display.say(&format!("{why}: workers finish their step, write a checkpoint and leave"));
        self.end = Some(end);
        self.store.tell(&self.options.wanted.sweep, kind, why).await
    }
}

/// Trouble with the store may pass; what steers a sweep knows what it needs.
enum Trouble<E> {
    Store(StoreError),
    Steering(E),
}

impl<E> From<StoreError> for Trouble<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
