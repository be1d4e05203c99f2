//! The loop of the view: keys, sizes and readings come in, pictures go out.

use ratatui::crossterm::event::{self, Event};
use tokio::sync::mpsc;

use super::draw::draw;
use super::feed::{Feed, Source};
use super::screen::Screen;
use super::theme::Theme;
use super::view::{Reaction, View};
use crate::cause::Context;
use crate::schedule::Stop;
use crate::serve::Progress;
use crate::store::StoreError;

/// Why a view could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// There is no such sweep, or the store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The terminal cannot be used, or a part of the view ended.
    #[error(transparent)]
    Terminal(#[from] Context),
}

/// Shows a sweep until the person leaves or a stop is requested; without a name, the sweep that was planned last. Returns the last progress.
///
/// # Errors
/// The first reading of the store fails, or the terminal cannot be used. Later troubles of the store are shown, and it is read again.
pub async fn watch(source: Source, sweep: Option<&str>, colours: bool, stop: &Stop) -> Result<Progress, WatchError> {
    let feed = Feed::open(source, sweep).await?;
    let mut readings = feed.readings();
    let terminal = |error| Context::new("cannot show the view on this terminal", error);
    let mut screen = Screen::open().map_err(terminal)?;
    let (mut events, mut view, theme) = (events(), View::new(), Theme { colours });
    // In this task: what it reads cannot move to another thread.
    let mut reading = std::pin::pin!(feed.run());
    loop {
        let mut extents = Default::default();
        let latest = readings.borrow_and_update().clone();
        screen.draw(|area, picture| extents = draw(&latest, &view, theme, area, picture)).map_err(terminal)?;
        tokio::select! {
            // Without events, nobody could leave.
            event = events.recv() => match event {
                None => break,
                Some(Event::Key(key)) if view.press(key, &extents) == Reaction::Leave => break,
                Some(_) => {}
            },
            Ok(()) = readings.changed() => {}
            never = &mut reading => match never {},
            () = stop.wait() => break,
        }
    }
    drop(screen);
    Ok(readings.borrow().progress.clone())
}

/// Returns what happens on the terminal. The thread that waits for it ends with the process.
fn events() -> mpsc::UnboundedReceiver<Event> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            if sender.send(event).is_err() {
                break;
            }
        }
    });
    receiver
}
