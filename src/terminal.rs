//! Output to standard error, and the abilities of the terminal. Writing is best effort: a closed pipe or a full disk must not stop
//! the work.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Writes a line to standard error. `eprintln!` would panic if writing fails.
pub fn say(text: &str) {
    // One write per line, so that lines of several processes do not mix.
    write(format!("{text}\n").as_bytes());
}

/// Standard error as a writer that never fails, for libraries that panic or complain if a write fails.
#[derive(Debug, Clone, Copy, Default)]
pub struct BestEffort;

impl Write for BestEffort {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lines that wait because a view covers the terminal; `None` if lines are written at once.
static WAITING: Mutex<Option<Vec<u8>>> = Mutex::new(None);

/// Maximum number of bytes that wait. Later lines are lost: a view may be open for days.
const MAX_WAITING: usize = 1 << 16;

/// Makes lines for standard error wait until it is dropped. They would damage a view that covers the terminal.
#[derive(Debug)]
pub struct Quiet(());

impl Quiet {
    /// Begins to hold lines back.
    #[expect(clippy::new_without_default, reason = "it changes the state of the process")]
    pub fn new() -> Self {
        waiting().get_or_insert_default();
        Self(())
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let lines = waiting().take();
        write(&lines.unwrap_or_default());
    }
}

fn waiting() -> MutexGuard<'static, Option<Vec<u8>>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(bytes: &[u8]) {
    match waiting().as_mut() {
        Some(lines) if lines.len() < MAX_WAITING => lines.extend(bytes),
        Some(_) => {}
        None => {
            let _ = io::stderr().write_all(bytes);
        }
    }
}

/// Returns whether a stream, standard output or standard error, shows colours.
pub fn has_colours(stream: &impl IsTerminal) -> bool {
    coloured(stream.is_terminal(), |name| std::env::var_os(name))
}

/// Returns whether standard error is a terminal on which lines can be redrawn.
pub fn can_redraw() -> bool {
    can_redraw_on(&io::stderr())
}

/// Returns whether a stream is a terminal on which lines can be redrawn.
pub fn can_redraw_on(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && is_capable(|name| std::env::var_os(name))
}

/// Applies the variables: `NO_COLOR` wins over `CLICOLOR_FORCE`, which wins over the terminal. An empty variable counts as unset.
fn coloured(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let value = |name| variable(name).filter(|value| !value.is_empty());
    if value("NO_COLOR").is_some() {
        return false;
    }
    if value("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    terminal && value("CLICOLOR").is_none_or(|value| value != "0") && is_capable(variable)
}

/// Returns whether the terminal understands control sequences. Windows sets no `TERM`.
fn is_capable(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    match variable("TERM").filter(|term| !term.is_empty()) {
        Some(term) => term != "dumb",
        None => cfg!(windows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_conventions() {
        let shown = |terminal, set: &[(&str, &str)]| {
            let set: Vec<(String, OsString)> = set.iter().map(|(n, v)| ((*n).to_owned(), v.into())).collect();
            coloured(terminal, |name| set.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
        };
        let xterm = ("TERM", "xterm-256color");
        assert!(shown(true, &[xterm]) && !shown(false, &[xterm]));
        assert!(!shown(true, &[]) && !shown(true, &[("TERM", "")]) && !shown(true, &[("TERM", "dumb")]));
        assert!(!shown(true, &[xterm, ("NO_COLOR", "1")]) && shown(true, &[xterm, ("NO_COLOR", "")]));
        assert!(shown(false, &[("CLICOLOR_FORCE", "1")]) && !shown(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!shown(false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        assert!(!shown(true, &[xterm, ("CLICOLOR", "0")]));
    }
}
