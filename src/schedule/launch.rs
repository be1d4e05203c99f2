//! Runs a sweep: supervises one worker per slot, lets the search change the plan, and leaves no process behind.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::patience;
use super::pause::WorkerProcesses;
use super::progress::Display;
use super::reaper::Reaper;
use super::steer::{Outlook, Steer};
use super::supervise::{Event, supervise};
use super::{Message, Slot, Stop, host_name};
use crate::store::{PlanStatus, RunCounts, Store, StoreError, Wanted};
use crate::tensor::Convolutions;
use crate::text::counted;

/// Options of a sweep's execution.
#[derive(Debug, Clone)]
pub struct LaunchOptions {
    /// Sweep and runs to compute.
    pub wanted: Wanted,
    /// One slot per worker.
    pub slots: Vec<Slot>,
    /// Address of the store, passed to the workers.
    pub store: String,
    /// Log level, passed to the workers.
    pub log: String,
    /// Place of the artifacts, passed to the workers.
    pub artifacts: PathBuf,
    /// Time after which no further stage is claimed.
    pub time_limit: Option<Duration>,
    /// Time after which a stage counts as failed.
    pub stage_timeout: Option<Duration>,
    /// Limit of a worker's private memory, bytes.
    pub memory: Option<u64>,
    /// Limit of the GPU memory in which a worker may keep data, bytes.
    pub device_memory: Option<u64>,
    /// Who computes convolutions on a GPU.
    pub convolutions: Convolutions,
    /// Number of further failed runs at which the sweep stops.
    pub max_failures: Option<i64>,
    /// Digest of the plan that this process made. The sweep stops if the store contains another plan.
    pub plan: String,
}

/// Why a sweep's execution ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SweepEnd {
    /// No open stage is left.
    Complete,
    /// A stop was requested.
    Interrupted,
    /// The time limit was reached.
    TimeLimit,
    /// `--max-failures` was reached; holds the number of failed runs.
    TooManyFailures(i64),
    /// No worker could be kept running.
    Broken,
    /// A worker is of another version than the plan; holds its message.
    Refused(String),
    /// Another process planned the sweep differently or deleted it; holds a description.
    Superseded(String),
}

impl std::fmt::Display for SweepEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Complete => f.write_str("every run has ended"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::TimeLimit => f.write_str("the time limit was reached"),
            Self::TooManyFailures(failed) => write!(f, "{} failed (--max-failures)", counted(failed, "run")),
            Self::Broken => f.write_str("no worker could continue"),
            Self::Refused(why) | Self::Superseded(why) => f.write_str(why),
        }
    }
}

/// Shortest time between two refreshes from the store.
const REFRESH_INTERVAL: Duration = Duration::from_millis(200);

/// Runs a sweep until it is complete or something stops it.
///
/// # Errors
/// The store keeps failing, or `steer` fails.
pub async fn launch<S: Steer>(
    store: &Store,
    options: &LaunchOptions,
    stop: &Stop,
    steer: &mut S,
) -> Result<SweepEnd, S::Error>
where
    S::Error: From<StoreError>,
{
    let mut sweep = RunningSweep::begin(store, options, steer).await?;
    let (sender, mut events) = mpsc::unbounded_channel();
    // Separate from `stop`, because workers also stop when no stage is left.
    let stop_workers = Stop::default();
    let processes = WorkerProcesses::default();
    processes.forward_signals();
    let workers: Vec<_> = options
        .slots
        .iter()
        .enumerate()
        .map(|(index, slot)| {
            let shared = (processes.clone(), stop_workers.clone());
            tokio::spawn(supervise(index, slot.clone(), options.clone(), sender.clone(), shared))
        })
        .collect();
    drop(sender);
    let mut tick = tokio::time::interval(REFRESH_INTERVAL);
    let outcome = loop {
        let refresh = tokio::select! {
            event = events.recv() => match event {
                Some(event) => sweep.handle_event(event).await,
                None => break Ok(()),
            },
            _ = tick.tick() => true,
        };
        if stop.requested() && sweep.end.is_none() {
            sweep.display.print_line(
                "stopping: workers finish their step, write a checkpoint and exit (interrupt again to exit at once)",
            );
            sweep.end = Some(SweepEnd::Interrupted);
        }
        if refresh && let Err(error) = sweep.refresh(steer).await {
            break Err(error);
        }
        if sweep.end.is_some() {
            stop_workers.request();
        }
    };
    stop_workers.request();
    for worker in workers {
        // The worker already reported its end through the channel.
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

/// A sweep that is being executed.
struct RunningSweep<'a> {
    store: &'a Store,
    options: &'a LaunchOptions,
    display: Display,
    reaper: Reaper,
    started: Instant,
    /// Number of runs that had failed before this process started.
    failed_before: i64,
    counts: RunCounts,
    /// Counts at the last call of `steer`. They can differ from `counts`, which also changes between these calls,
    /// for instance when the worker of another sweep completes a run.
    steered_counts: RunCounts,
    outlook: Outlook,
    /// Whether a stage has finished and the search has not read its results.
    new_results: bool,
    /// Key of the stage that each worker claimed last.
    claimed: Vec<Option<String>>,
    /// Time of the last refresh. `refresh_cost` is its duration: refreshes must not become the main work.
    refreshed: Instant,
    refresh_cost: Duration,
    estimated_at: Option<Instant>,
    /// Id of the last event that was shown.
    last_event: i64,
    /// Time since which the store fails.
    failing_since: Option<Instant>,
    end: Option<SweepEnd>,
}

impl<'a> RunningSweep<'a> {
    async fn begin<S: Steer>(store: &'a Store, options: &'a LaunchOptions, steer: &mut S) -> Result<Self, S::Error>
    where
        S::Error: From<StoreError>,
    {
        let outlook = steer.advance(store).await?;
        let counts = store.run_counts(&options.wanted).await?;
        let last_event = store.last_event(&options.wanted.sweep).await?;
        Ok(Self {
            store,
            options,
            display: Display::new(options.slots.len(), counts),
            reaper: Reaper::new(host_name()),
            started: Instant::now(),
            failed_before: counts.failed,
            counts,
            steered_counts: counts,
            outlook,
            new_results: false,
            claimed: vec![None; options.slots.len()],
            refreshed: Instant::now(),
            refresh_cost: Duration::ZERO,
            estimated_at: None,
            last_event,
            failing_since: None,
            end: None,
        })
    }

    /// Handles an event of a worker; returns whether to refresh from the store.
    async fn handle_event(&mut self, event: Event) -> bool {
        match event {
            Event::Message(worker, message) => {
                let refresh = matches!(message, Message::Finished { .. } | Message::Idle);
                if let Message::Finished { kind, .. } = &message {
                    self.claimed[worker] = None;
                    // The stage may have produced the value that guides the search.
                    self.new_results |= kind.results().is_some();
                    // The message shows the counts, which must include this run.
                    self.update_counts().await;
                }
                if let Message::Stopped { reason } = &message {
                    self.display.print_line(&format!("worker {} stops: {reason}", worker + 1));
                }
                if let Message::Refused { reason } = &message {
                    self.end.get_or_insert_with(|| SweepEnd::Refused(reason.clone()));
                }
                if let Message::Claimed { stage, .. } = &message {
                    self.claimed[worker] = Some(stage.clone());
                }
                self.display.show_message(worker, &message);
                refresh
            }
            Event::Died(worker, death) => {
                self.display.print_line(&format!("worker {} {}", worker + 1, death.how));
                let taken_back = match death.pid {
                    Some(pid) => self.reaper.take_back_from(self.store, pid, death.class, &death.how).await,
                    None => Ok(()),
                };
                if let Err(error) = taken_back {
                    // The reaper takes the stage back later.
                    tracing::warn!(%error, "cannot take back the dead worker's stage now");
                }
                // Only a stage that this worker held is reported here. The worker itself reported all others.
                if let Some(stage) = self.claimed[worker].take()
                    && let Ok(Some(retrying)) = self.store.retrying(&stage).await
                {
                    self.display.show_lost_stage(worker, &retrying);
                }
                true
            }
            Event::GivenUp(worker, reason) => {
                self.display.print_line(&format!("worker {} stops: {reason}", worker + 1));
                let message = format!("worker {}: {reason}", worker + 1);
                if let Err(error) = self.store.record_event(&self.options.wanted.sweep, "breaker", &message).await {
                    tracing::warn!(%error, "cannot store the event");
                }
                true
            }
        }
    }

    async fn update_counts(&mut self) {
        // Errors are ignored: the next refresh reads the counts again.
        if let Ok(counts) = self.store.run_counts(&self.options.wanted).await {
            self.counts = counts;
            self.display.set_counts(counts);
        }
    }

    /// Reads the store: what is left, which trials to add, whether the sweep has ended.
    async fn refresh<S: Steer>(&mut self, steer: &mut S) -> Result<(), S::Error>
    where
        S::Error: From<StoreError>,
    {
        if self.end.is_some() || self.refreshed.elapsed() < 10 * self.refresh_cost {
            return Ok(());
        }
        let began = Instant::now();
        let outcome = self.refresh_now(steer).await;
        (self.refreshed, self.refresh_cost) = (Instant::now(), began.elapsed());
        match outcome {
            Ok(()) => self.failing_since = None,
            Err(RefreshError::Store(error)) => {
                // A server that does not answer was waited for already.
                self.refresh_cost = Duration::ZERO;
                let patience = patience::of_readings(&error);
                let first = self.failing_since.is_none();
                if self.failing_since.get_or_insert(began).elapsed() > patience {
                    return Err(error.into());
                }
                if first {
                    self.display.print_line(&format!("{error}; retrying for {} s", patience.as_secs()));
                }
            }
            Err(RefreshError::Steering(error)) => return Err(error),
        }
        Ok(())
    }

    async fn refresh_now<S: Steer>(&mut self, steer: &mut S) -> Result<(), RefreshError<S::Error>> {
        self.store.check_identity()?;
        if self.is_superseded().await? {
            return Ok(());
        }
        self.counts = self.store.run_counts(&self.options.wanted).await?;
        if self.outlook == Outlook::MoreToCome
            && (self.counts != self.steered_counts || std::mem::take(&mut self.new_results))
        {
            // Copied before the search reads the store, so that a change during its call triggers another call.
            self.steered_counts = self.counts;
            self.outlook = steer.advance(self.store).await.map_err(RefreshError::Steering)?;
            self.counts = self.store.run_counts(&self.options.wanted).await?;
        }
        self.display.set_counts(self.counts);
        if self.estimated_at.is_none_or(|at| at.elapsed() > Duration::from_secs(5)) {
            self.estimated_at = Some(Instant::now());
            let left = self.store.thread_seconds_left(&self.options.wanted).await?;
            let threads: usize = self.options.slots.iter().map(|slot| slot.threads).sum();
            self.display.set_time_left(left.map(|seconds| Duration::from_secs_f64(seconds / threads as f64)));
        }
        let failed = self.counts.failed - self.failed_before;
        if self.options.time_limit.is_some_and(|limit| self.started.elapsed() >= limit) {
            self.stop_sweep(SweepEnd::TimeLimit, "time-limit").await?;
        } else if self.options.max_failures.is_some_and(|most| failed >= most) {
            self.stop_sweep(SweepEnd::TooManyFailures(failed), "max-failures").await?;
        } else if self.outlook == Outlook::Complete && !self.store.has_open_stages(&self.options.wanted).await? {
            self.end = Some(SweepEnd::Complete);
        }
        Ok(())
    }

    /// Returns whether the sweep's plan in the store was changed or deleted. Also shows which sweep files were refused because this name is
    /// in use.
    async fn is_superseded(&mut self) -> Result<bool, StoreError> {
        let sweep = &self.options.wanted.sweep;
        for (event, message) in self.store.refused_since(sweep, self.last_event).await? {
            self.display.print_line(&message);
            self.last_event = event;
        }
        let why = match self.store.plan_status(sweep, &self.options.plan).await? {
            PlanStatus::Current => return Ok(false),
            PlanStatus::Superseded { at, origin } => {
                format!("superseded: another process started this sweep with a different plan, from {origin} at {at}")
            }
            PlanStatus::Deleted => "another process deleted the sweep".to_owned(),
        };
        self.display.print_line(&format!("{why}: workers of this process write a checkpoint and exit"));
        self.end = Some(SweepEnd::Superseded(why));
        Ok(true)
    }

    async fn stop_sweep(&mut self, end: SweepEnd, event: &str) -> Result<(), StoreError> {
        let why = end.to_string();
        self.display.print_line(&format!("{why}: workers finish their step, write a checkpoint and exit"));
        self.end = Some(end);
        self.store.record_event(&self.options.wanted.sweep, event, &why).await
    }
}

/// Why a refresh failed. Errors of the store may be temporary, so they are retried; errors of `Steer` are not.
enum RefreshError<E> {
    Store(StoreError),
    Steering(E),
}

impl<E> From<StoreError> for RefreshError<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
