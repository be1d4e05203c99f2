//! Starts worker processes, watches them, and stops them.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use super::progress::Display;
use super::worker::alive;
use super::{Message, Stop, host_name};
use crate::store::{Store, StoreError};

/// How a sweep is run.
#[derive(Debug, Clone)]
pub struct LaunchOptions {
    /// Id of the sweep.
    pub sweep: String,
    /// Worker processes.
    pub jobs: usize,
    /// Threads a worker.
    pub threads: usize,
    /// Passed on to workers.
    pub store: String,
    /// Passed on to workers.
    pub log: String,
    /// Passed on to workers.
    pub artifacts: PathBuf,
    /// Stages done before, and in all.
    pub stages: (u64, u64),
    /// Stop claiming after this time.
    pub time_limit: Option<Duration>,
}

/// Why the workers ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepEnd {
    /// Nothing is left to do.
    Complete,
    /// Asked to stop.
    Interrupted,
    /// The time limit was reached.
    TimeLimit,
}

/// Workers in a row that died before they claimed a stage: beyond that something is wrong with the machine. Those that die with
/// a stage are bounded by the stage's own attempts.
const IDLE_DEATHS: usize = 5;

/// Runs a sweep to its end, or to the first stop request.
pub async fn launch(store: &Store, options: &LaunchOptions, stop: &Stop) -> Result<SweepEnd, StoreError> {
    store.reap(&host_name(), alive).await?;
    let mut display = Display::new(options.jobs, options.stages.0, options.stages.1);
    let (sender, mut messages) = mpsc::unbounded_channel();
    let mut workers = Vec::new();
    for index in 0..options.jobs {
        workers.push(tokio::spawn(supervise(index, options.clone(), sender.clone(), stop.clone())));
    }
    drop(sender);
    let deadline = options.time_limit.map(|limit| tokio::time::Instant::now() + limit);
    let mut end = SweepEnd::Complete;
    let mut titles = vec![String::new(); options.jobs];
    loop {
        let timeout = async {
            match deadline {
                Some(deadline) if end == SweepEnd::Complete => tokio::time::sleep_until(deadline).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            received = messages.recv() => match received {
                Some(Event::Said(worker, message)) => display.show(worker, &mut titles[worker], &message),
                Some(Event::Died(worker, how)) => {
                    display.say(&format!("worker {} {how}; its stage is taken back and tried again", worker + 1));
                    store.reap(&host_name(), alive).await?;
                }
                None => break,
            },
            () = timeout => {
                display.say("the time limit is reached: workers finish their step, write a checkpoint and leave");
                end = SweepEnd::TimeLimit;
                stop.request();
            }
        }
    }
    for worker in workers {
        // Its own end was told through the channel.
        let _ = worker.await;
    }
    display.close();
    if end == SweepEnd::Complete && stop.requested() {
        end = SweepEnd::Interrupted;
    }
    Ok(end)
}

enum Event {
    Said(usize, Message),
    Died(usize, String),
}

/// Keeps one worker running.
async fn supervise(index: usize, options: LaunchOptions, sender: mpsc::UnboundedSender<Event>, stop: Stop) {
    let mut idle_deaths = 0;
    while idle_deaths < IDLE_DEATHS {
        let life = match start(&options) {
            Ok(child) => watch(index, child, &sender, &stop).await,
            Err(error) => Life { claimed: false, death: Some(format!("could not be started: {error}")) },
        };
        match life.death {
            Some(how) if !stop.requested() => {
                // A closed channel means that nobody listens any more.
                let _ = sender.send(Event::Died(index, how));
            }
            _ => return,
        }
        idle_deaths = if life.claimed { 0 } else { idle_deaths + 1 };
    }
}

/// What became of one worker.
struct Life {
    /// Whether it claimed a stage.
    claimed: bool,
    /// How it died, if it did not end by itself.
    death: Option<String>,
}

fn start(options: &LaunchOptions) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["worker", "--sweep", &options.sweep, "--threads", &options.threads.to_string(), "--attached"])
        .args(["--store", &options.store, "--log", &options.log])
        .arg("--artifacts")
        .arg(&options.artifacts)
        // The worker reads its standard input only to notice that this process has gone.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    // Ctrl-C reaches this process alone, which asks the workers in its own words.
    #[cfg(unix)]
    command.process_group(0);
    command.spawn()
}

/// Listens until the worker ends.
async fn watch(index: usize, mut child: Child, sender: &mpsc::UnboundedSender<Event>, stop: &Stop) -> Life {
    let Some(output) = child.stdout.take() else {
        return Life { claimed: false, death: Some("cannot be heard".into()) };
    };
    let mut lines = BufReader::new(output).lines();
    let mut claimed = false;
    // Closing its standard input asks it to finish its step and leave.
    let mut input = child.stdin.take();
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    let mut open = true;
    while open {
        tokio::select! {
            line = lines.next_line() => match line {
                Ok(Some(line)) => {
                    if let Ok(message) = serde_json::from_str(&line) {
                        claimed |= matches!(message, Message::Claimed { .. });
                        let _ = sender.send(Event::Said(index, message));
                    }
                }
                _ => open = false,
            },
            _ = tick.tick(), if input.is_some() => {
                if stop.requested() {
                    input = None;
                }
            }
        }
    }
    let death = match child.wait().await {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("ended with {status}")),
        Err(error) => Some(format!("could not be waited for: {error}")),
    };
    Life { claimed, death }
}
