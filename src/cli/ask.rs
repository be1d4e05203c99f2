//! Questions to the user on a terminal.

use std::io::{IsTerminal, Write};

/// Asks a question whose default answer is no. Returns `None` without a terminal.
pub(super) fn confirmed(question: &str) -> Option<bool> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return None;
    }
    let mut answer = String::new();
    // If the question cannot be shown, do not wait for an answer.
    let read = write!(std::io::stderr(), "{question} [y/N] ").and_then(|()| std::io::stdin().read_line(&mut answer));
    Some(read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
