//! `didact serve`: shows the sweeps of a store in a browser.

use std::net::{IpAddr, Ipv4Addr};

use super::failure::Failure;
use super::global::Global;
use crate::exit::Exit;

/// Arguments of `didact serve`.
#[derive(Debug, clap::Args)]
pub(super) struct ServeArgs {
    /// Port to listen at; 0 takes a free one.
    #[arg(long, default_value_t = 8180)]
    port: u16,
    /// Open the pages in a browser.
    #[arg(long)]
    open: bool,
    /// Address to listen at. Other machines can reach addresses other than the default; these need --token.
    #[arg(long, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST.into())]
    host: IpAddr,
    /// Token that a browser must know: at least 16 letters, digits, `-` and `_`.
    #[arg(long, env = "DIDACT_TOKEN", hide_env_values = true, value_parser = token)]
    token: Option<String>,
}

fn token(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match text.len() >= 16 && text.chars().all(is_allowed) {
        true => Ok(text.to_owned()),
        false => Err("expected at least 16 letters, digits, `-` and `_`".to_owned()),
    }
}

/// Runs the verb.
#[cfg(feature = "live")]
pub(super) async fn run(args: &ServeArgs, global: &Global) -> Result<Exit, Failure> {
    use super::output::print_location;
    use super::signals::listen_for_signals;
    use crate::schedule::Stop;
    use crate::serve::{ServeOptions, serve};
    use crate::terminal::say;

    if !args.host.is_loopback() && args.token.is_none() {
        return Err(Failure::usage(format!(
            "other machines can reach {}: give --token (or DIDACT_TOKEN), or leave --host out",
            args.host
        )));
    }
    let stop = Stop::default();
    listen_for_signals(&stop);
    let options = ServeOptions {
        store: global.store.clone(),
        artifacts: global.artifacts()?,
        host: args.host,
        port: args.port,
        token: args.token.clone(),
        arguments: global.arguments()?,
    };
    serve(options, &stop, |address| {
        print_location(&format!("serving {address} until Ctrl-C"));
        if args.open
            && let Err(error) = opener::open_browser(address)
        {
            say(&format!("cannot open a browser: {error}"));
        }
    })
    .await?;
    Ok(Exit::Interrupted)
}

/// Runs the verb.
#[cfg(not(feature = "live"))]
#[expect(clippy::unused_async, reason = "its other form waits for requests")]
pub(super) async fn run(_: &ServeArgs, _: &Global) -> Result<Exit, Failure> {
    Err(Failure::without_live_views("run `didact report`"))
}
