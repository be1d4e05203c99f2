//! Causes of errors, and how they are shown.
//!
//! An error keeps its cause as `source()`, for programs. Its message is complete: it contains the cause's message, or states the cause
//! in the reader's terms, because the advice follows the cause in the sentence. Code that shows an error therefore prints only its
//! message and does not walk the sources: nothing is lost or repeated. `tests/black_box/house.rs` checks every error type.

use std::error::Error;
use std::path::Path;

/// The cause of an error: another error of any type, or a text.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A failed operation with its cause: "cannot read results.json: permission denied".
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct Context {
    what: String,
    #[source]
    source: Cause,
}

impl Context {
    /// Adds the failed operation to a cause.
    pub fn new(what: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self { what: what.into(), source: source.into() }
    }

    /// Returns a function for `map_err`: the file cannot be read.
    pub fn reading<E: Into<Cause>>(path: &Path) -> impl Fn(E) -> Self {
        move |source| Self::new(format!("cannot read {}", path.display()), source)
    }

    /// Returns a function for `map_err`: the file cannot be written.
    pub fn writing<E: Into<Cause>>(path: &Path) -> impl Fn(E) -> Self {
        move |source| Self::new(format!("cannot write {}", path.display()), source)
    }
}

/// Replaces line ends and other control characters, which file names may contain, because they can move the cursor.
pub fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_context_keeps_its_cause_and_shows_it_once() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = Context::reading(Path::new("results.json"))(denied);
        assert_eq!(error.to_string(), "cannot read results.json: permission denied");
        let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
        assert_eq!(cause, Some(io::ErrorKind::PermissionDenied));
    }

    #[test]
    fn file_names_cannot_move_the_cursor() {
        assert_eq!(one_line("a\n\u{1b}[2Jb"), "a  [2Jb");
    }
}
