//! What a sweep was made from, so that another file does not take it over unasked.

use std::path::Path;

/// What stands for the embedded demo where a file's path would stand.
pub const DEMO: &str = "the embedded demo";

/// A sweep file's place and text, and how it was started.
#[derive(Debug, Clone, Default)]
pub struct PlanSource {
    /// Its path as it was typed; none for the embedded demo.
    pub file: Option<String>,
    /// Its absolute path without links; for the embedded demo, its words.
    pub origin: String,
    /// Where the command was started.
    pub folder: Option<String>,
    /// KEY=VALUE of the command line, and what the environment set, in order.
    pub overrides: Vec<String>,
    /// The text that was read, behind a line for each override.
    pub text: String,
    /// Digest of what is planned: processes that have the same may run together.
    pub plan: String,
    /// Whether it may take the place of a sweep that another file made.
    pub replace: bool,
}

/// What a stored sweep was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub origin: String,
    pub source: String,
}

impl PlanSource {
    /// The origin of a path as it was typed; the path itself where it cannot be followed.
    pub fn origin_of(file: Option<&Path>) -> String {
        let Some(file) = file else { return DEMO.to_owned() };
        let absolute = || std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        file.canonicalize().unwrap_or_else(|_| absolute()).display().to_string()
    }

    /// Whether the stored sweep was made from another file. The same path is the same file, whatever stands in it by now; the same
    /// text is the same file, wherever it lies by now.
    pub(super) fn is_other(&self, known: &Known) -> bool {
        known.origin != self.origin && without_overrides(&known.source) != without_overrides(&self.text)
    }
}

/// A sweep's text begins with a line for each override.
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
    fn another_file_is_another_path_with_another_text() {
        let known = |origin: &str, source: &str| Known { origin: origin.to_owned(), source: source.to_owned() };
        let given =
            PlanSource { origin: "/a/b.toml".into(), text: "# --set x=1\ntext".into(), ..PlanSource::default() };
        assert!(!given.is_other(&known("/a/b.toml", "edited")));
        assert!(!given.is_other(&known("/moved/b.toml", "# --set y=2\n# --set z=3\ntext")));
        assert!(given.is_other(&known("/other/b.toml", "other")));
        assert!(given.is_other(&known(DEMO, "demo")));
        let demo = PlanSource { origin: DEMO.into(), text: "new demo".into(), ..PlanSource::default() };
        assert!(!demo.is_other(&known(DEMO, "old demo")), "a newer didact carries a newer demo");
        assert!(demo.is_other(&known("/a/b.toml", "text")));
    }
}
