//! Listens for requests, and answers them until it is stopped.

use std::ffi::OsString;
use std::net::IpAddr;
use std::time::Duration;

use tokio::net::TcpListener;

use super::guard::{Guard, shown};
use super::reader::Reader;
use super::reports::Reports;
use super::routes::{Shared, router};
use crate::cause::Context;
use crate::schedule::Stop;
use crate::store::{Artifacts, StoreError};

/// Time that open connections have to end after a stop.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a server shows, and to whom.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Store, as `--store` takes it.
    pub store: String,
    /// Artifacts: logs and reports come from them.
    pub artifacts: Artifacts,
    /// Address to listen at.
    pub host: IpAddr,
    /// Port to listen at; 0 takes a free one.
    pub port: u16,
    /// Token that every request needs.
    pub token: Option<String>,
    /// Arguments that name the store and the artifacts to another `didact`.
    pub arguments: Vec<OsString>,
}

/// Why pages cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The port is taken, or the address is not one of this machine.
    #[error("cannot listen at {address}: {source}; give another --port or --host")]
    Listen {
        /// Address and port.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The server ended, or has no folder for reports.
    #[error(transparent)]
    Server(#[from] Context),
}

/// Serves pages until a stop is requested. Calls `ready` with the address of the pages once they can be read.
///
/// # Errors
/// The store cannot be read, or the address cannot be used.
pub async fn serve(options: ServeOptions, stop: &Stop, ready: impl FnOnce(&str)) -> Result<(), ServeError> {
    let ServeOptions { store, artifacts, host, port, token, arguments } = options;
    let failed = |error| Context::new("cannot serve pages", error);
    let (reader, questions) = Reader::open(&store, artifacts).await?;
    let refused = |source| ServeError::Listen { address: format!("{}:{port}", shown(host)), source };
    let listener = TcpListener::bind((host, port)).await.map_err(refused)?;
    let port = listener.local_addr().map_err(failed)?.port();
    let reports = Reports::new(arguments).map_err(failed)?;
    let guard = Guard::new(host, port, token.as_deref());
    let server = axum::serve(listener, router(Shared { questions, reports }, guard));
    let server = server.with_graceful_shutdown({
        let stop = stop.clone();
        async move { stop.wait().await }
    });
    let query = token.map(|token| format!("?token={token}")).unwrap_or_default();
    // Nobody can open the address that means "all addresses of this machine".
    let name = if host.is_unspecified() { crate::schedule::host_name() } else { shown(host) };
    ready(&format!("http://{name}:{port}/{query}"));
    let last = async {
        stop.wait().await;
        tokio::time::sleep(FAREWELL).await;
    };
    // In this task: what the reader holds cannot move to another thread.
    tokio::select! {
        ended = server => ended.map_err(failed)?,
        never = reader.run() => match never {},
        () = last => {}
    }
    Ok(())
}
