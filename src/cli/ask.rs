//! Questions to a person on a terminal.

use std::io::{IsTerminal, Write};

/// The answer to a question that defaults to no; none where there is no terminal to ask on.
pub(super) fn confirmed(question: &str) -> Option<bool> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return None;
    }
    let mut answer = String::new();
    // A question that cannot be shown is not waited for.
    let read = write!(std::io::stderr(), "{question} [y/N] ").and_then(|()| std::io::stdin().read_line(&mut answer));
    Some(read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
