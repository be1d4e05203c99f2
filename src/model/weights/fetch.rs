//! Downloads weights: what has arrived stands in `FILE.part` until all of it is there and its hash is right.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::Agent;
use ureq::http::header::{CONTENT_RANGE, RANGE};

use super::Published;

/// No published weights of a teacher have as many bytes.
const LIMIT: u64 = 256 << 20;
/// A server that says nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(60);
/// So is a download that takes longer; the same command continues it.
const WHOLE: Duration = Duration::from_secs(2 * 60 * 60);

/// A file that is there, with the hash that its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where.
    pub path: PathBuf,
    /// Its SHA-256.
    pub sha256: String,
    /// Whether it was there before.
    pub already: bool,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Not a URL.
    #[error("`{0}` is no URL: it must begin with https:// or http://")]
    Url(String),
    /// A file whose name says nothing of its contents.
    #[error(
        "the name of {0} holds no hash: expected NAME-HASH.pth with eight or more digits of its SHA-256, as torch.hub has it"
    )]
    NoHash(String),
    /// Another file is in its place.
    #[error(
        "{path} is another file: its SHA-256 does not begin with {hash}; move it away, or name another folder with --out"
    )]
    Occupied {
        /// Where.
        path: PathBuf,
        /// What its hash should begin with.
        hash: String,
    },
    /// Another process is at it.
    #[error("another process is writing {0}")]
    Busy(PathBuf),
    /// The server has no such file, or does not give it.
    #[error("{url}: the server answers {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The answer.
        status: ureq::http::StatusCode,
    },
    /// There is no connection.
    #[error("cannot fetch {url}: {source}")]
    Connection {
        /// What was asked for.
        url: String,
        /// Why.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The connection ended early.
    #[error("{url} ended early, after {bytes} bytes{}: the same command continues it", source.as_ref().map(|error| format!(" ({error})")).unwrap_or_default())]
    Cut {
        /// What was asked for.
        url: String,
        /// How much has arrived.
        bytes: u64,
        /// What the connection says; none where the server has ended it.
        #[source]
        source: Option<std::io::Error>,
    },
    /// More than any weights.
    #[error("{url} has more than {LIMIT} bytes: it is not the published file")]
    TooLarge {
        /// What was asked for.
        url: String,
    },
    /// Another file than the name says.
    #[error("the SHA-256 of {url} is {found}, not {hash}…: what was fetched is removed")]
    Hash {
        /// What was asked for.
        url: String,
        /// What it should begin with.
        hash: String,
        /// What it is.
        found: String,
    },
    /// The disk.
    #[error("cannot write {path}: {source}")]
    Write {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Fetches a file into a folder, continuing what an earlier call has left; `progress` is told how many bytes of how many are there.
///
/// # Errors
/// Everything that keeps the file from being there with the right hash. Another file in its place is left as it is.
pub fn fetch(
    published: &Published,
    folder: &Path,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<Fetched, FetchError> {
    let path = folder.join(&published.file);
    if let Some(fetched) = present(published, &path)? {
        return Ok(fetched);
    }
    let part = folder.join(format!("{}.part", published.file));
    let write = |source| FetchError::Write { path: part.clone(), source };
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&part).map_err(write)?;
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => FetchError::Busy(part.clone()),
        TryLockError::Error(source) => write(source),
    })?;
    // Another process may have finished it meanwhile.
    if let Some(fetched) = present(published, &path)? {
        return Ok(fetched);
    }
    let mut download = Download { published, part: &part, file: &mut file, progress };
    let mut sha256 = download.hash()?;
    // What an earlier call left may be whole; continued, it may be of another file that the server had then.
    for fresh in [false, true] {
        if !sha256.starts_with(&published.hash) {
            download.run(fresh)?;
            sha256 = download.hash()?;
        }
    }
    if !sha256.starts_with(&published.hash) {
        std::fs::remove_file(&part).map_err(write)?;
        let Published { url, hash, .. } = published.clone();
        return Err(FetchError::Hash { url, hash, found: sha256 });
    }
    file.sync_all().map_err(write)?;
    place(&part, &path).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => FetchError::Occupied { path: path.clone(), hash: published.hash.clone() },
        _ => FetchError::Write { path: path.clone(), source },
    })?;
    Ok(Fetched { path, sha256, already: false })
}

/// What is in the file's place.
fn present(published: &Published, path: &Path) -> Result<Option<Fetched>, FetchError> {
    let read = |source| FetchError::Write { path: path.to_owned(), source };
    match std::fs::symlink_metadata(path) {
        Err(_) => Ok(None),
        Ok(_) => {
            let sha256 = File::open(path).and_then(|mut file| sha256(&mut file)).map_err(read)?;
            match sha256.starts_with(&published.hash) {
                true => Ok(Some(Fetched { path: path.to_owned(), sha256, already: true })),
                false => Err(FetchError::Occupied { path: path.to_owned(), hash: published.hash.clone() }),
            }
        }
    }
}

/// Gives the file its name, if nothing has it.
fn place(part: &Path, path: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(part, path) {
        Ok(()) => std::fs::remove_file(part)?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(error),
        // Some file systems have no links.
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

/// A file on its way.
struct Download<'a> {
    published: &'a Published,
    part: &'a Path,
    file: &'a mut File,
    progress: &'a mut dyn FnMut(u64, Option<u64>),
}

impl Download<'_> {
    fn write(&self, source: std::io::Error) -> FetchError {
        FetchError::Write { path: self.part.to_owned(), source }
    }

    /// The SHA-256 of what has arrived.
    fn hash(&mut self) -> Result<String, FetchError> {
        sha256(self.file).map_err(|source| self.write(source))
    }

    /// Asks for what has not arrived yet, or for all of it.
    fn run(&mut self, fresh: bool) -> Result<(), FetchError> {
        let url = self.published.url.clone();
        let at = if fresh { 0 } else { self.file.seek(SeekFrom::End(0)).map_err(|source| self.write(source))? };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .timeout_global(Some(WHOLE))
            .user_agent(concat!("didact/", env!("CARGO_PKG_VERSION")));
        let request = Agent::new_with_config(config.build()).get(&url);
        let request = if at > 0 { request.header(RANGE, format!("bytes={at}-")) } else { request };
        let mut answer =
            request.call().map_err(|source| FetchError::Connection { url: url.clone(), source: Box::new(source) })?;
        let range = answer.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default();
        let at = match answer.status().as_u16() {
            200 => 0,
            206 if range.starts_with(&format!("bytes {at}-")) => at,
            // What is there is no piece of the server's file.
            206 | 416 if at > 0 => return self.run(true),
            _ => return Err(FetchError::Status { url, status: answer.status() }),
        };
        let total = answer.body().content_length().map(|left| left.saturating_add(at));
        if total.is_some_and(|total| total > LIMIT) {
            return Err(FetchError::TooLarge { url });
        }
        self.file
            .set_len(at)
            .and_then(|()| self.file.seek(SeekFrom::Start(at)))
            .map_err(|source| self.write(source))?;
        self.receive(&mut answer.body_mut().as_reader(), at, total)
    }

    fn receive(&mut self, body: &mut dyn Read, at: u64, total: Option<u64>) -> Result<(), FetchError> {
        let url = &self.published.url;
        let mut buffer = vec![0; 1 << 16];
        let mut at = at;
        loop {
            (self.progress)(at, total);
            let cut = |source| FetchError::Cut { url: url.clone(), bytes: at, source };
            match body.read(&mut buffer) {
                Ok(0) if total.is_some_and(|total| at < total) => return Err(cut(None)),
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.file.write_all(&buffer[..count]).map_err(|source| self.write(source))?;
                    at += count as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(cut(Some(error))),
            }
            if at > LIMIT {
                return Err(FetchError::TooLarge { url: url.clone() });
            }
        }
    }
}
