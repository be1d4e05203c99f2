//! Addresses of servers that move: a file names the server, and is written anew when the server starts on another machine.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgPool};

use super::open::SERVER_IN_FILE;

/// Time between two looks at the file.
const INTERVAL: Duration = Duration::from_secs(2);

/// Returns how to connect to a server, whose URL may be in a file.
///
/// # Errors
/// The URL is invalid. If there is no file, the server has not started yet: that is an error of input and output.
pub(super) fn options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let url = match url.strip_prefix(SERVER_IN_FILE) {
        Some(path) => std::fs::read_to_string(Path::new(path))?,
        None => url.to_owned(),
    };
    Ok(PgConnectOptions::from_str(url.trim())?.application_name("didact").disable_statement_logging())
}

/// Connects to the server at its new address when it has moved, until the connections are closed.
pub(super) fn follow(url: String, connected: &PgConnectOptions, pool: PgPool) {
    let address = |options: &PgConnectOptions| (options.get_host().to_owned(), options.get_port());
    let mut known = address(connected);
    tokio::spawn(async move {
        while !pool.is_closed() {
            tokio::time::sleep(INTERVAL).await;
            // While the server is away, there may be no file.
            let Ok(options) = options(&url) else { continue };
            if known != address(&options) {
                known = address(&options);
                tracing::info!(host = known.0, port = known.1, "the server has moved");
                pool.set_connect_options(options);
            }
        }
    });
}
