//! Causes of errors, and how they are told.
//!
//! An error keeps its cause as `source()`, for programs. Its message is complete: it contains what the cause says, or says the same
//! in the reader's terms, because what to do stands behind the cause in the sentence. So whoever tells an error prints its message
//! alone and does not walk the sources: nothing is lost, and nothing is said twice. `tests/black_box/house.rs` holds every error
//! type to it.

use std::error::Error;
use std::path::Path;

/// The cause of an error: another error of any type, or a sentence.
pub type Cause = Box<dyn Error + Send + Sync>;

/// What was being done, and why it failed: "cannot read results.json: permission denied".
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct Context {
    what: String,
    #[source]
    source: Cause,
}

impl Context {
    /// A cause, with what was being done.
    pub fn new(what: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self { what: what.into(), source: source.into() }
    }

    /// For `map_err`: the file cannot be read.
    pub fn reading<E: Into<Cause>>(path: &Path) -> impl Fn(E) -> Self {
        move |source| Self::new(format!("cannot read {}", path.display()), source)
    }

    /// For `map_err`: the file cannot be written.
    pub fn writing<E: Into<Cause>>(path: &Path) -> impl Fn(E) -> Self {
        move |source| Self::new(format!("cannot write {}", path.display()), source)
    }
}

/// A message without line ends and other characters that move the cursor: names of files may hold any.
pub fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_context_keeps_its_cause_and_tells_it_once() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = Context::reading(Path::new("results.json"))(denied);
        assert_eq!(error.to_string(), "cannot read results.json: permission denied");
        let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
        assert_eq!(cause, Some(io::ErrorKind::PermissionDenied));
    }

    #[test]
    fn names_of_files_cannot_move_the_cursor() {
        assert_eq!(one_line("a\n\u{1b}[2Jb"), "a  [2Jb");
    }
}
