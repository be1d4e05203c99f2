//! Records the file from which a sweep was made, so that another file does not replace the sweep by accident.

use std::path::Path;

/// Origin of the embedded demo, used in place of a file path.
pub const DEMO: &str = "the embedded demo";

/// A sweep file's path and text, and how the sweep was started.
#[derive(Debug, Clone, Default)]
pub struct PlanSource {
    /// Path of the sweep file as the user typed it. `None` for the embedded demo.
    pub file: Option<String>,
    /// Absolute path of the sweep file with links resolved; for the embedded demo, the text of `DEMO`.
    pub origin: String,
    /// Working directory in which the command was started.
    pub folder: Option<String>,
    /// KEY=VALUE settings from the command line and from the environment, in order.
    pub overrides: Vec<String>,
    /// Text of the sweep file, after one line per override.
    pub text: String,
    /// Digest of the plan. Processes with the same digest may run together.
    pub plan: String,
    /// Whether it may replace a sweep that was made from another file.
    pub replace: bool,
}

/// Path and text of the file from which a stored sweep was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredOrigin {
    pub origin: String,
    pub source: String,
}

impl PlanSource {
    /// Returns the origin for a path as the user typed it. Returns the absolute path if links cannot be resolved.
    pub fn origin_of(file: Option<&Path>) -> String {
        let Some(file) = file else { return DEMO.to_owned() };
        let absolute = || std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        file.canonicalize().unwrap_or_else(|_| absolute()).display().to_string()
    }

    /// Returns whether the stored sweep was made from another file. Files with the same path count as the same file, even if the text has
    /// changed. Files with the same text also count as the same file, even if the path differs.
    pub(super) fn is_other(&self, stored: &StoredOrigin) -> bool {
        stored.origin != self.origin && without_overrides(&stored.source) != without_overrides(&self.text)
    }
}

/// Removes the override lines with which a sweep's text begins.
fn without_overrides(text: &str) -> &str {
    let mut rest = text;
    while let Some((_, after)) = rest.strip_prefix("# --set ").and_then(|line| line.split_once('\n')) {
        rest = after;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_another_if_both_its_path_and_its_text_differ() {
        let stored = |origin: &str, source: &str| StoredOrigin { origin: origin.to_owned(), source: source.to_owned() };
        let given =
            PlanSource { origin: "/a/b.toml".into(), text: "# --set x=1\ntext".into(), ..PlanSource::default() };
        assert!(!given.is_other(&stored("/a/b.toml", "edited")));
        assert!(!given.is_other(&stored("/moved/b.toml", "# --set y=2\n# --set z=3\ntext")));
        assert!(given.is_other(&stored("/other/b.toml", "other")));
        assert!(given.is_other(&stored(DEMO, "demo")));
        let demo = PlanSource { origin: DEMO.into(), text: "new demo".into(), ..PlanSource::default() };
        assert!(!demo.is_other(&stored(DEMO, "old demo")), "a newer didact carries a newer demo");
        assert!(demo.is_other(&stored("/a/b.toml", "text")));
    }
}
