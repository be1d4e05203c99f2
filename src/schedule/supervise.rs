//! Keeps one worker process running in its slot.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::UnboundedSender;

use super::memory::{huge_pages_variable, oom_kills};
use super::pause::WorkerProcesses;
use super::worker::MAX_CONSECUTIVE_FAILURES;
use super::{LaunchOptions, Message, Slot, Stop};
use crate::exit::Exit;
use crate::store::{AttemptState, FailureClass, is_server};

/// What happens in a slot.
pub(super) enum Event {
    /// The worker sent a message.
    Message(usize, Message),
    /// The worker died.
    Died(usize, Death),
    /// The slot is given up because its workers keep dying; holds the reason.
    GivenUp(usize, String),
}

/// How a worker process died.
pub(super) struct Death {
    /// Process id; `None` if the process could not be started.
    pub pid: Option<u32>,
    pub class: FailureClass,
    /// How it died, as a predicate: "was killed by signal 9".
    pub how: String,
}

/// How one worker process ended.
struct WorkerExit {
    /// Whether it completed a stage.
    finished: bool,
    /// Whether it reported that it stops claiming for good.
    stopped: bool,
    /// How it died; `None` if it ended normally.
    death: Option<Death>,
}

/// Starts a worker, and a new one when it dies, until asked to stop.
pub(super) async fn supervise(
    index: usize,
    slot: Slot,
    options: LaunchOptions,
    sender: UnboundedSender<Event>,
    (workers, stop): (WorkerProcesses, Stop),
) {
    // A closed channel means that the sweep has ended.
    let send = |event| drop(sender.send(event));
    let mut deaths = 0;
    loop {
        let exit = match start(&slot, &options, &workers) {
            Ok(child) => {
                let pid = child.id();
                let exit = watch(index, child, &options, &sender, &stop).await;
                pid.into_iter().for_each(|pid| workers.remove(pid));
                exit
            }
            Err(error) => {
                let how = format!("could not be started ({}: {error})", slot.executable.display());
                WorkerExit {
                    finished: false,
                    stopped: false,
                    death: Some(Death { pid: None, class: FailureClass::Signal, how }),
                }
            }
        };
        let Some(death) = exit.death else { return };
        deaths = if exit.finished { 1 } else { deaths + 1 };
        let how = death.how.clone();
        send(Event::Died(index, death));
        if stop.requested() || exit.stopped {
            return;
        }
        if deaths >= MAX_CONSECUTIVE_FAILURES {
            let reason = format!("its last {MAX_CONSECUTIVE_FAILURES} processes died, the last one {how}");
            return send(Event::GivenUp(index, reason));
        }
        // Wait longer after each death: the cause may be temporary.
        tokio::time::sleep(Duration::from_millis(100 << deaths)).await;
        // The store may have been removed or replaced during the pause.
        if stop.requested() {
            return;
        }
    }
}

fn start(slot: &Slot, options: &LaunchOptions, workers: &WorkerProcesses) -> std::io::Result<Child> {
    let mut command = Command::new(&slot.executable);
    command
        .args(["worker", "--sweep", &options.wanted.sweep, "--threads", &slot.threads.to_string(), "--attached"])
        .args(["--device", &slot.device.to_string(), "--convolutions", options.convolutions.name()])
        .args(["--log", &options.log])
        .arg("--artifacts")
        .arg(&options.artifacts)
        .args(options.wanted.only.iter().flat_map(|only| ["--only", only]))
        .args(options.device_memory.iter().flat_map(|bytes| ["--device-memory".to_owned(), bytes.to_string()]))
        .args(options.memory.iter().flat_map(|bytes| ["--memory".to_owned(), bytes.to_string()]))
        .args(
            options
                .stage_timeout
                .iter()
                .flat_map(|t| ["--stage-timeout".to_owned(), format!("{}s {}ns", t.as_secs(), t.subsec_nanos())]),
        )
        .envs(huge_pages_variable())
        // The worker reads its standard input only to notice that this process has ended.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    match is_server(&options.store) {
        // Its URL may have a password, and everyone sees the arguments of a process.
        true => command.env("DIDACT_STORE", &options.store),
        false => command.args(["--store", &options.store]),
    };
    // Ctrl-C and Ctrl-Z then reach this process alone, which forwards them to the workers in its own way.
    #[cfg(unix)]
    command.process_group(0);
    workers.start(&mut command)
}

/// Passes on the worker's messages until it ends.
async fn watch(
    index: usize,
    mut child: Child,
    options: &LaunchOptions,
    sender: &UnboundedSender<Event>,
    stop: &Stop,
) -> WorkerExit {
    let pid = child.id();
    let kills = oom_kills();
    let mut exit = WorkerExit { finished: false, stopped: false, death: None };
    let mut refused = false;
    // Closing standard input asks the worker to finish its step and exit.
    let mut input = child.stdin.take();
    let mut lines = child.stdout.take().map(|output| BufReader::new(output).lines());
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    while let Some(output) = lines.as_mut() {
        tokio::select! {
            line = output.next_line() => match line {
                Ok(Some(line)) => {
                    if let Ok(message) = serde_json::from_str(&line) {
                        exit.finished |= matches!(&message, Message::Finished { state, .. } if *state == AttemptState::Done);
                        exit.stopped |= matches!(message, Message::Stopped { .. });
                        refused |= matches!(message, Message::Refused { .. });
                        let _ = sender.send(Event::Message(index, message));
                    }
                }
                _ => lines = None,
            },
            _ = tick.tick(), if input.is_some() => {
                if stop.requested() {
                    input = None;
                }
            }
        }
    }
    exit.death = match child.wait().await {
        // A worker that refuses the sweep has reported why.
        Ok(status) if status.success() || refused => None,
        Ok(status) => {
            let oom_killed = oom_kills() > kills;
            let (class, how) = classify_exit(status, oom_killed, options.memory.is_some());
            Some(Death { pid, class, how })
        }
        Err(error) => {
            Some(Death { pid, class: FailureClass::Signal, how: format!("has an unknown exit status: {error}") })
        }
    };
    exit
}

/// Classifies how a worker process ended. `oom_killed`: the kernel killed a process because memory ran out; `limited`: the
/// worker had a memory limit.
fn classify_exit(status: ExitStatus, oom_killed: bool, limited: bool) -> (FailureClass, String) {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return match signal {
            libc::SIGKILL if oom_killed => {
                (FailureClass::Oom, "was killed by the kernel: the machine ran out of memory".to_owned())
            }
            libc::SIGABRT if limited => (FailureClass::Oom, "exceeded its memory limit (--memory)".to_owned()),
            signal => (FailureClass::Signal, format!("was killed by signal {signal}")),
        };
    }
    match status.code().and_then(Exit::of_code) {
        Some(Exit::Hung) => (FailureClass::Timeout, "hung".to_owned()),
        Some(Exit::Store) => (FailureClass::Store, "could not use the store or its device".to_owned()),
        Some(Exit::Done | Exit::RunsFailed | Exit::Usage | Exit::Data | Exit::Interrupted) | None => {
            (FailureClass::Signal, format!("ended with {status}"))
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn deaths_are_classified_by_signal_exit_code_and_memory() {
        let killed = ExitStatus::from_raw(libc::SIGKILL);
        let aborted = ExitStatus::from_raw(libc::SIGABRT);
        let ended = |exit: Exit| ExitStatus::from_raw(i32::from(exit.code()) << 8);
        assert_eq!(classify_exit(killed, false, true).0, FailureClass::Signal);
        assert_eq!(classify_exit(killed, true, false).0, FailureClass::Oom);
        assert_eq!(classify_exit(aborted, false, true).0, FailureClass::Oom);
        assert_eq!(classify_exit(aborted, false, false).0, FailureClass::Signal);
        assert_eq!(classify_exit(ended(Exit::Store), false, false).0, FailureClass::Store);
        assert_eq!(classify_exit(ended(Exit::Hung), false, false).0, FailureClass::Timeout);
    }
}
