//! Questions to a person on a terminal.

use std::io::{IsTerminal, Write};

/// The answer to a question that defaults to no; none where there is no terminal to ask on.
#[expect(clippy::print_stderr, reason = "questions go to standard error")]
pub(super) fn confirmed(question: &str) -> Option<bool> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return None;
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stderr().flush().and_then(|()| std::io::stdin().read_line(&mut answer));
    Some(read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
