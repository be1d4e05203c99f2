//! The end of an attempt's log, for pages.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

use super::Artifacts;

/// Maximum number of lines and of bytes of an excerpt.
const LINES: usize = 25;
const BYTES: u64 = 8 * 1024;

impl Artifacts {
    /// Returns the last lines of a log on this machine; `None` if there is none, or if its path leads out of the artifacts folder.
    pub fn log_excerpt(&self, log: &str) -> Option<String> {
        let log = Path::new(log);
        if !log.components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        let mut file = File::open(self.root().join(log)).ok()?;
        let length = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(BYTES))).ok()?;
        let mut bytes = Vec::new();
        file.take(BYTES).read_to_end(&mut bytes).ok()?;
        Some(excerpt(&bytes, length > BYTES)).filter(|text| !text.is_empty())
    }
}

/// Returns the last lines of the end of a log. `is_cut` tells whether the log is longer.
fn excerpt(end: &[u8], is_cut: bool) -> String {
    let text = String::from_utf8_lossy(end);
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let shown = lines[lines.len().saturating_sub(LINES)..].join("\n");
    if is_cut || lines.len() > LINES { format!("…\n{shown}") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_cut_at_its_start() {
        let long: String = (0..100).map(|line| format!("line {line}\n")).collect();
        let text = excerpt(long.as_bytes(), false);
        assert!(text.starts_with("…\nline 75\n") && text.ends_with("line 99"), "{text}");
        assert_eq!(excerpt(b"one\ntwo\n", false), "one\ntwo");
    }

    #[test]
    fn an_excerpt_is_short_and_comes_from_the_artifacts_folder_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let artifacts = Artifacts::new(folder.path().join("artifacts"));
        std::fs::create_dir_all(artifacts.root().join("logs")).expect("created");
        std::fs::write(artifacts.root().join("logs/a.log"), [b'x'; 50_000]).expect("written");
        std::fs::write(folder.path().join("secret"), "secret").expect("written");
        assert!(artifacts.log_excerpt("logs/a.log").is_some_and(|text| text.len() as u64 <= BYTES + 4));
        let outside = folder.path().join("secret").display().to_string();
        for path in ["../secret", "logs/../../secret", &outside, "logs/b.log"] {
            assert_eq!(artifacts.log_excerpt(path), None, "{path}");
        }
    }
}
