//! The terminal while the view covers it. Whatever happens, it is as before afterwards.

use std::io::{self, Stdout, stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::layout::Rect;

use crate::terminal::Quiet;

/// Whether the view covers the terminal.
static COVERED: AtomicBool = AtomicBool::new(false);

/// The covered terminal; dropping it restores the terminal.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    // Dropped after the terminal is restored.
    _quiet: Quiet,
}

impl Screen {
    /// Covers the terminal.
    pub(super) fn open() -> io::Result<Self> {
        restore_after_panics();
        let quiet = Quiet::new();
        COVERED.store(true, Ordering::SeqCst);
        let terminal = cover().inspect_err(|_| restore())?;
        Ok(Self { terminal, _quiet: quiet })
    }

    /// Draws a picture.
    pub(super) fn draw(&mut self, picture: impl FnOnce(Rect, &mut Buffer)) -> io::Result<()> {
        self.terminal.draw(|frame| picture(frame.area(), frame.buffer_mut())).map(|_| ())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn cover() -> io::Result<Terminal<CrosstermBackend<Stdout>>> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen)?;
    let mut terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
    terminal.clear()?;
    Ok(terminal)
}

/// Restores the terminal, once. If the terminal is gone, there is nothing to restore.
fn restore() {
    if COVERED.swap(false, Ordering::SeqCst) {
        let _ = execute!(stdout(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

/// Restores the terminal before a panic is reported, so that its message can be read.
fn restore_after_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            report(panic);
        }));
    });
}
