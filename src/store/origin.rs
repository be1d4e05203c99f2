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
    pub file: Option<String>,
    /// None if an older didact planned it.
    pub origin: Option<String>,
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
        let same_place = match &known.origin {
            Some(origin) => *origin == self.origin,
            // The oldest stores do not even know the path as it was typed.
            None => known.file.as_deref().is_none_or(|file| {
                Some(file) == self.file.as_deref() || Self::origin_of(Some(Path::new(file))) == self.origin
            }),
        };
        !same_place && without_overrides(&known.source) != without_overrides(&self.text)
    }
}

impl Known {
    /// For people.
    pub(super) fn describe(&self) -> &str {
        self.origin.as_deref().or(self.file.as_deref()).unwrap_or(DEMO)
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

    fn known(origin: Option<&str>, file: Option<&str>, source: &str) -> Known {
        Known { file: file.map(str::to_owned), origin: origin.map(str::to_owned), source: source.to_owned() }
    }

    #[test]
    fn another_file_is_another_path_with_another_text() {
        let given = PlanSource {
            origin: "/a/b.toml".into(),
            file: Some("b.toml".into()),
            text: "# --set x=1\ntext".into(),
            ..PlanSource::default()
        };
        assert!(!given.is_other(&known(Some("/a/b.toml"), Some("b.toml"), "edited")));
        assert!(!given.is_other(&known(Some("/moved/b.toml"), Some("b.toml"), "# --set y=2\n# --set z=3\ntext")));
        assert!(given.is_other(&known(Some("/other/b.toml"), Some("b.toml"), "other")));
        assert!(given.is_other(&known(Some(DEMO), None, "demo")));
        // Stores of older versions know the path as it was typed.
        assert!(!given.is_other(&known(None, Some("b.toml"), "edited")));
        assert!(given.is_other(&known(None, Some("c.toml"), "other")));
        assert!(!given.is_other(&known(None, None, "anything")));
        let demo = PlanSource { origin: DEMO.into(), text: "new demo".into(), ..PlanSource::default() };
        assert!(!demo.is_other(&known(None, None, "old demo")), "a newer didact carries a newer demo");
        assert!(demo.is_other(&known(Some("/a/b.toml"), Some("b.toml"), "text")));
    }
}
