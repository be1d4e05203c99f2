//! Reports of sweeps, made by other processes that use only idle cores, in a temporary folder of this server.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::sync::Semaphore;

use super::folder::ServerFolder;

/// A report is made again at most this often, and at most a twentieth of the time.
const PAUSE: Duration = Duration::from_secs(30);
const SHARE: u32 = 20;

/// Where reports come from.
#[derive(Debug, Clone)]
pub(super) struct Reports(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// This executable, and the arguments that name the store and the artifacts.
    program: PathBuf,
    arguments: Vec<OsString>,
    folder: ServerFolder,
    known: Mutex<HashMap<String, Known>>,
    /// One report is made at a time.
    turn: Semaphore,
}

/// What is known about the report of a sweep.
#[derive(Debug, Clone, Default)]
struct Known {
    made: Option<Made>,
    is_being_made: bool,
    failure: Option<String>,
}

/// A finished report.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Made {
    /// Version of the sweep that it shows.
    pub version: String,
    /// When it was finished, and how long that took.
    at: Instant,
    took: Duration,
}

/// The state of a report.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ReportState {
    /// It can be read. Perhaps a newer one is being made.
    Ready(Made),
    /// The first one is being made.
    Making,
    /// It could not be made, for this reason.
    Failed(String),
}

impl Reports {
    /// Creates a temporary folder for reports. `arguments` name the store and the artifacts.
    ///
    /// # Errors
    /// The folder cannot be created, or this executable has no path.
    pub(super) fn new(arguments: Vec<OsString>) -> std::io::Result<Self> {
        let shared = Shared {
            program: std::env::current_exe()?,
            arguments,
            folder: ServerFolder::create()?,
            known: Mutex::default(),
            turn: Semaphore::new(1),
        };
        Ok(Self(Arc::new(shared)))
    }

    /// Returns the state of the report of a sweep, and starts to make it if there is none or if it shows an older version.
    pub(super) fn ask(&self, sweep: &str, version: &str) -> ReportState {
        let mut known = self.0.known();
        let of = known.entry(sweep.to_owned()).or_default();
        let is_due = match &of.made {
            Some(made) => made.version != version && made.at.elapsed() > PAUSE.max(made.took * SHARE),
            None => true,
        };
        if is_due && !of.is_being_made {
            of.is_being_made = true;
            tokio::spawn(Arc::clone(&self.0).make(sweep.to_owned(), version.to_owned()));
        }
        of.state()
    }

    /// Returns the state of the report of a sweep as far as it was asked for.
    pub(super) fn peek(&self, sweep: &str) -> Option<ReportState> {
        self.0.known().get(sweep).map(Known::state)
    }

    /// Returns a file of the report of a sweep; `None` if there is no such file.
    pub(super) fn file(&self, sweep: &str, path: &str) -> Option<PathBuf> {
        let folder = self.0.folder_of(sweep).canonicalize().ok()?;
        let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        let file = folder.join(if path.is_empty() { "index.html" } else { path });
        let file = file.canonicalize().ok().filter(|file| inside && file.starts_with(&folder) && file.is_file())?;
        Some(file)
    }
}

impl Known {
    fn state(&self) -> ReportState {
        match (&self.made, &self.failure) {
            (Some(made), _) => ReportState::Ready(made.clone()),
            (None, Some(failure)) => ReportState::Failed(failure.clone()),
            (None, None) => ReportState::Making,
        }
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder_of(&self, sweep: &str) -> PathBuf {
        self.folder.path().join(sweep)
    }

    async fn make(self: Arc<Self>, sweep: String, version: String) {
        let Ok(_turn) = self.turn.acquire().await else { return };
        let start = Instant::now();
        let made = Command::new(&self.program)
            .args(["report", &sweep, "--background", "--out"])
            .arg(self.folder_of(&sweep))
            .args(&self.arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await;
        let failure = match made {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Some(format!("cannot start {}: {error}", self.program.display())),
        };
        let mut known = self.known();
        let of = known.entry(sweep).or_default();
        of.is_being_made = false;
        if failure.is_none() {
            of.made = Some(Made { version, at: Instant::now(), took: start.elapsed() });
        }
        of.failure = failure;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_folder_of_a_report() {
        let reports = Reports::new(Vec::new()).expect("a folder");
        let folder = reports.0.folder_of("key");
        std::fs::create_dir_all(folder.join("runs")).expect("created");
        for file in ["index.html", "runs/a.html", "../secret"] {
            std::fs::write(folder.join(file), "text").expect("written");
        }
        let found = |path: &str| reports.file("key", path).is_some();
        assert!(found("") && found("index.html") && found("runs/a.html"));
        for path in [
            "../secret",
            "runs/../../secret",
            "/etc/passwd",
            "runs",
            "runs/..",
            ".",
            "other.html",
            "runs/./../../secret",
        ] {
            assert!(!found(path), "{path}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/etc/passwd", folder.join("link.html")).expect("linked");
            assert!(!found("link.html"), "a link leads out of the folder");
        }
        assert_eq!(reports.file("other", "index.html"), None);
    }
}
