//! Downloads weights. `FILE.part` holds the received bytes until the file is complete and its hash is right.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::Agent;
use ureq::http::header::{CONTENT_RANGE, RANGE};

use super::PublishedWeights;

/// Largest accepted file, in bytes. All published weights of a teacher are smaller.
const MAX_BYTES: u64 = 256 << 20;
/// Time after which didact stops waiting for a silent server.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest time of a download. The same command continues it.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(2 * 60 * 60);

/// A complete file whose hash agrees with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Path of the file.
    pub path: PathBuf,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Whether the file existed before.
    pub existed: bool,
}

/// Reasons why the file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The text is not a URL.
    #[error("`{0}` is not a URL: it must start with https:// or http://")]
    Url(String),
    /// The file name contains no hash.
    #[error(
        "the file name of {0} contains no hash: expected NAME-HASH.pth with the first eight or more digits of its SHA-256, as in torch.hub"
    )]
    NoHash(String),
    /// Another file has this path.
    #[error(
        "{path} is another file: its SHA-256 does not start with {hash}; move it, or choose another folder with --out"
    )]
    Occupied {
        /// Path of the file.
        path: PathBuf,
        /// Expected first digits of its hash.
        hash: String,
    },
    /// Another process is writing the file.
    #[error("another process is writing {0}: wait until it ends")]
    Busy(PathBuf),
    /// The server does not have the file or does not send it.
    #[error("{url}: the server returned {status}")]
    Status {
        /// Requested URL.
        url: String,
        /// Status code of the response.
        status: ureq::http::StatusCode,
    },
    /// The connection failed.
    #[error("cannot fetch {url}: {source}")]
    Connection {
        /// Requested URL.
        url: String,
        /// Cause.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The connection ended early.
    #[error(
        "the download of {url} ended early, after {bytes} bytes{}: the same command continues it",
        .source.as_ref().map(|error| format!(" ({error})")).unwrap_or_default()
    )]
    Incomplete {
        /// Requested URL.
        url: String,
        /// Number of received bytes.
        bytes: u64,
        /// Error of the connection; `None` if the server closed it.
        #[source]
        source: Option<std::io::Error>,
    },
    /// The file is larger than any published weights.
    #[error("{url} has more than {MAX_BYTES} bytes: it is not the published file")]
    TooLarge {
        /// Requested URL.
        url: String,
    },
    /// The contents do not have the hash in the file name.
    #[error("the SHA-256 of {url} is {found}, not {hash}…: the downloaded file was removed")]
    Hash {
        /// Requested URL.
        url: String,
        /// Expected first digits of the hash.
        hash: String,
        /// Actual hash.
        found: String,
    },
    /// The file could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
}

/// Fetches a file into a folder and continues an earlier download. Calls `progress` with the received and the total number of bytes.
///
/// # Errors
/// If the file cannot be stored with the right hash. Another file at the same path is left unchanged.
pub fn fetch(
    published: &PublishedWeights,
    folder: &Path,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<Fetched, FetchError> {
    let path = folder.join(&published.file);
    if let Some(fetched) = existing(published, &path)? {
        return Ok(fetched);
    }
    let part = folder.join(format!("{}.part", published.file));
    let write = |source| FetchError::Write { path: part.clone(), source };
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&part).map_err(write)?;
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => FetchError::Busy(part.clone()),
        TryLockError::Error(source) => write(source),
    })?;
    // Another process may have finished the download in the meantime.
    if let Some(fetched) = existing(published, &path)? {
        return Ok(fetched);
    }
    let mut download = Download { published, part: &part, file: &mut file, progress };
    let mut sha256 = download.hash()?;
    // An earlier call may have left the complete file. A continued file may mix two versions that the server had, so try again from the
    // start.
    for fresh in [false, true] {
        if !sha256.starts_with(&published.hash) {
            download.run(fresh)?;
            sha256 = download.hash()?;
        }
    }
    if !sha256.starts_with(&published.hash) {
        std::fs::remove_file(&part).map_err(write)?;
        let PublishedWeights { url, hash, .. } = published.clone();
        return Err(FetchError::Hash { url, hash, found: sha256 });
    }
    file.sync_all().map_err(write)?;
    move_into_place(&part, &path).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => FetchError::Occupied { path: path.clone(), hash: published.hash.clone() },
        _ => FetchError::Write { path: path.clone(), source },
    })?;
    Ok(Fetched { path, sha256, existed: false })
}

/// Returns the file if it already exists with the right hash.
fn existing(published: &PublishedWeights, path: &Path) -> Result<Option<Fetched>, FetchError> {
    let read = |source| FetchError::Write { path: path.to_owned(), source };
    match std::fs::symlink_metadata(path) {
        Err(_) => Ok(None),
        Ok(_) => {
            let sha256 = File::open(path).and_then(|mut file| sha256(&mut file)).map_err(read)?;
            match sha256.starts_with(&published.hash) {
                true => Ok(Some(Fetched { path: path.to_owned(), sha256, existed: true })),
                false => Err(FetchError::Occupied { path: path.to_owned(), hash: published.hash.clone() }),
            }
        }
    }
}

/// Gives the file its name, unless another file has that name.
fn move_into_place(part: &Path, path: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(part, path) {
        Ok(()) => std::fs::remove_file(part)?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(error),
        // Some file systems do not support links.
        Err(_) if std::fs::symlink_metadata(path).is_err() => std::fs::rename(part, path)?,
        Err(error) => return Err(error),
    }
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn sha256(file: &mut File) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    file.rewind()?;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// A download in progress.
struct Download<'a> {
    published: &'a PublishedWeights,
    part: &'a Path,
    file: &'a mut File,
    progress: &'a mut dyn FnMut(u64, Option<u64>),
}

impl Download<'_> {
    fn write(&self, source: std::io::Error) -> FetchError {
        FetchError::Write { path: self.part.to_owned(), source }
    }

    /// Returns the SHA-256 of the received bytes.
    fn hash(&mut self) -> Result<String, FetchError> {
        sha256(self.file).map_err(|source| self.write(source))
    }

    /// Requests the missing bytes, or the whole file.
    fn run(&mut self, fresh: bool) -> Result<(), FetchError> {
        let url = self.published.url.clone();
        let at = if fresh { 0 } else { self.file.seek(SeekFrom::End(0)).map_err(|source| self.write(source))? };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(READ_TIMEOUT))
            .timeout_per_read(Some(READ_TIMEOUT))
            .timeout_global(Some(TOTAL_TIMEOUT))
            .user_agent(concat!("didact/", env!("CARGO_PKG_VERSION")));
        let request = Agent::new_with_config(config.build()).get(&url);
        let request = if at > 0 { request.header(RANGE, format!("bytes={at}-")) } else { request };
        let mut response =
            request.call().map_err(|source| FetchError::Connection { url: url.clone(), source: Box::new(source) })?;
        let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default();
        let at = match response.status().as_u16() {
            200 => 0,
            206 if range.starts_with(&format!("bytes {at}-")) => at,
            // The received bytes are not a part of the server's file.
            206 | 416 if at > 0 => return self.run(true),
            _ => return Err(FetchError::Status { url, status: response.status() }),
        };
        let total = response.body().content_length().map(|remaining| remaining.saturating_add(at));
        if total.is_some_and(|total| total > MAX_BYTES) {
            return Err(FetchError::TooLarge { url });
        }
        self.file
            .set_len(at)
            .and_then(|()| self.file.seek(SeekFrom::Start(at)))
            .map_err(|source| self.write(source))?;
        self.receive(&mut response.body_mut().as_reader(), at, total)
    }

    fn receive(&mut self, body: &mut dyn Read, at: u64, total: Option<u64>) -> Result<(), FetchError> {
        let url = &self.published.url;
        let mut buffer = vec![0; 1 << 16];
        let mut at = at;
        loop {
            (self.progress)(at, total);
            let incomplete = |source| FetchError::Incomplete { url: url.clone(), bytes: at, source };
            match body.read(&mut buffer) {
                Ok(0) if total.is_some_and(|total| at < total) => return Err(incomplete(None)),
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.file.write_all(&buffer[..count]).map_err(|source| self.write(source))?;
                    at += count as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(incomplete(Some(error))),
            }
            if at > MAX_BYTES {
                return Err(FetchError::TooLarge { url: url.clone() });
            }
        }
    }
}
