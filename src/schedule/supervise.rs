//! Keeps one worker process running in its slot.

use crate::store::AttemptState;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::UnboundedSender;

use super::memory::{kernel_kills, large_pages};
use super::pause::Workers;
use super::worker::BREAKER;
use super::{LaunchOptions, Message, Slot, Stop};
use crate::exit::Exit;
use crate::store::FailureClass;

/// What a slot tells.
pub(super) enum Event {
    /// Its worker said something.
    Said(usize, Message),
    /// Its worker died.
    Died(usize, Death),
    /// The slot is given up: its workers die of one another.
    GivenUp(usize, String),
}

/// How a worker died.
pub(super) struct Death {
    /// Its process; none if it could not be started.
    pub pid: Option<u32>,
    pub class: FailureClass,
    /// "was killed by signal 9".
    pub how: String,
}

/// What became of one worker process.
struct Life {
    /// Whether it finished anything.
    finished: bool,
    /// Whether it said that it stops for good.
    broken: bool,
    /// How it died, if it did not end by itself.
    death: Option<Death>,
}

/// Starts a worker, and another when it dies, until asked to leave.
pub(super) async fn supervise(
    index: usize,
    slot: Slot,
    options: LaunchOptions,
    sender: UnboundedSender<Event>,
    (workers, leave): (Workers, Stop),
) {
    // A closed channel means that nobody listens any more.
    let tell = |event| drop(sender.send(event));
    let mut deaths = 0;
    loop {
        let life = match start(&slot, &options, &workers) {
            Ok(child) => {
                let pid = child.id();
                let life = watch(index, child, &options, &sender, &leave).await;
                pid.into_iter().for_each(|pid| workers.ended(pid));
                life
            }
            Err(error) => {
                let how = format!("could not be started ({}: {error})", slot.executable.display());
                Life {
                    finished: false,
                    broken: false,
                    death: Some(Death { pid: None, class: FailureClass::Signal, how }),
                }
            }
        };
        let Some(death) = life.death else { return };
        deaths = if life.finished { 1 } else { deaths + 1 };
        let how = death.how.clone();
        tell(Event::Died(index, death));
        if leave.requested() || life.broken {
            return;
        }
        if deaths >= BREAKER {
            return tell(Event::GivenUp(index, format!("its last {BREAKER} workers died, the last one {how}")));
        }
        // Whatever kills workers gets time to go away.
        tokio::time::sleep(Duration::from_millis(100 << deaths)).await;
        // The store may be gone, or no longer the one that is served.
        if leave.requested() {
            return;
        }
    }
}

fn start(slot: &Slot, options: &LaunchOptions, workers: &Workers) -> std::io::Result<Child> {
    let mut command = Command::new(&slot.executable);
    command
        .args(["worker", "--sweep", &options.wanted.sweep, "--threads", &slot.threads.to_string(), "--attached"])
        .args(["--device", &slot.device.to_string()])
        .args(["--store", &options.store, "--log", &options.log])
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
        .envs(large_pages())
        // The worker reads its standard input only to notice that this process has gone.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    // Ctrl-C and Ctrl-Z reach this process alone, which asks the workers in its own words.
    #[cfg(unix)]
    command.process_group(0);
    workers.start(&mut command)
}

/// Listens until the worker ends.
async fn watch(
    index: usize,
    mut child: Child,
    options: &LaunchOptions,
    sender: &UnboundedSender<Event>,
    leave: &Stop,
) -> Life {
    let pid = child.id();
    let kills = kernel_kills();
    let mut life = Life { finished: false, broken: false, death: None };
    let mut refused = false;
    // Closing its standard input asks it to finish its step and leave.
    let mut input = child.stdin.take();
    let mut lines = child.stdout.take().map(|output| BufReader::new(output).lines());
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    while let Some(output) = lines.as_mut() {
        tokio::select! {
            line = output.next_line() => match line {
                Ok(Some(line)) => {
                    if let Ok(message) = serde_json::from_str(&line) {
                        life.finished |= matches!(&message, Message::Finished { state, .. } if *state == AttemptState::Done);
                        life.broken |= matches!(message, Message::Stopped { .. });
                        refused |= matches!(message, Message::Refused { .. });
                        let _ = sender.send(Event::Said(index, message));
                    }
                }
                _ => lines = None,
            },
            _ = tick.tick(), if input.is_some() => {
                if leave.requested() {
                    input = None;
                }
            }
        }
    }
    life.death = match child.wait().await {
        // A worker that refuses has said why.
        Ok(status) if status.success() || refused => None,
        Ok(status) => {
            let starved = kernel_kills() > kills;
            let (class, how) = verdict(status, starved, options.memory.is_some());
            Some(Death { pid, class, how })
        }
        Err(error) => {
            Some(Death { pid, class: FailureClass::Signal, how: format!("could not be waited for: {error}") })
        }
    };
    life
}

/// What a worker died of. `starved`: the kernel killed for want of memory meanwhile; `ceiling`: it had a ceiling of its own.
fn verdict(status: ExitStatus, starved: bool, ceiling: bool) -> (FailureClass, String) {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return match signal {
            libc::SIGKILL if starved => {
                (FailureClass::Oom, "was killed by the kernel: the machine ran out of memory".to_owned())
            }
            libc::SIGABRT if ceiling => (FailureClass::Oom, "reached its memory ceiling (--memory)".to_owned()),
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
    fn a_death_is_classed_by_what_is_known_of_it() {
        let killed = ExitStatus::from_raw(libc::SIGKILL);
        let aborted = ExitStatus::from_raw(libc::SIGABRT);
        let ended = |exit: Exit| ExitStatus::from_raw(i32::from(exit.code()) << 8);
        assert_eq!(verdict(killed, false, true).0, FailureClass::Signal);
        assert_eq!(verdict(killed, true, false).0, FailureClass::Oom);
        assert_eq!(verdict(aborted, false, true).0, FailureClass::Oom);
        assert_eq!(verdict(aborted, false, false).0, FailureClass::Signal);
        assert_eq!(verdict(ended(Exit::Store), false, false).0, FailureClass::Store);
        assert_eq!(verdict(ended(Exit::Hung), false, false).0, FailureClass::Timeout);
    }
}
