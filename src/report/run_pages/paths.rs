//! Paths of the pages within the report.

use std::collections::{HashMap, HashSet};

use crate::stages::short_key;

/// Paths of the runs' pages, below the folder of the report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::report) struct RunPagePaths(HashMap<String, String>);

impl RunPagePaths {
    /// Names the pages of these runs. Short keys are names; in the unlikely case that two are equal, the later run gets its whole key.
    pub(super) fn of<'k>(runs: impl Iterator<Item = &'k str>) -> Self {
        let mut taken: HashSet<String> = HashSet::new();
        let mut path = |run: &str| {
            let names = [short_key(run), run].map(|key| format!("runs/{}.html", plain(key)));
            let name = names.into_iter().find(|name| !taken.contains(name)).unwrap_or_default();
            taken.insert(name.clone());
            (run.to_owned(), name)
        };
        Self(runs.map(&mut path).collect())
    }

    /// Returns the path of a run's page; `None` if it has no page.
    pub(in crate::report) fn get(&self, run: &str) -> Option<&str> {
        self.0.get(run).map(String::as_str)
    }
}

/// Returns a text with only those characters that every file system and link can have.
fn plain(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::RunPagePaths;

    #[test]
    fn every_run_has_a_path_of_its_own() {
        let runs = ["0123456789abcdef", "0123456789abxxxx", "a/b"];
        let paths = RunPagePaths::of(runs.into_iter());
        let expected = ["runs/0123456789ab.html", "runs/0123456789abxxxx.html", "runs/a-b.html"];
        assert_eq!(runs.map(|run| paths.get(run).expect("a path")), expected);
        assert_eq!(paths.get("other"), None);
    }
}
