//! What the person at the terminal has chosen: a panel, how far it is scrolled, and whether help is shown.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::panel::Panel;

/// The state of the view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    /// The chosen panel.
    pub panel: Panel,
    /// First line that each panel shows.
    pub first: [usize; 4],
    /// Whether help is shown.
    pub help: bool,
}

/// How much of a panel's content fits, in lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Extent {
    /// All lines.
    pub lines: usize,
    /// Lines that are shown at the same time.
    pub shown: usize,
}

impl Extent {
    /// Returns the last line with which a panel can begin.
    pub(super) fn last_first(self) -> usize {
        self.lines.saturating_sub(self.shown)
    }
}

/// What a key does to the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    /// The view stays.
    Stay,
    /// The person leaves.
    Leave,
}

/// The keys and what they do, for people.
pub(super) const HELP: [(&str, &str); 6] = [
    ("Tab, 1–4", "choose a panel"),
    ("↑ ↓", "scroll it by a line"),
    ("PgUp PgDn", "scroll it by a page"),
    ("Home End", "go to its first or last line"),
    ("?", "show or hide this help"),
    ("q, Esc", "leave; the sweep goes on"),
];

impl View {
    /// Creates the view at its start.
    pub(super) fn new() -> Self {
        Self { panel: Panel::Stages, first: [0; 4], help: false }
    }

    /// Reacts to a key. `extents` are those of the last picture.
    pub(super) fn press(&mut self, key: KeyEvent, extents: &[Extent; 4]) -> Reaction {
        if key.kind == KeyEventKind::Release {
            return Reaction::Stay;
        }
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        let extent = extents[self.panel.index()];
        let page = extent.shown.max(1) as isize;
        match key.code {
            KeyCode::Char('c') if is_control => return Reaction::Leave,
            KeyCode::Char('q') => return Reaction::Leave,
            KeyCode::Esc if !self.help => return Reaction::Leave,
            KeyCode::Esc => self.help = false,
            KeyCode::Char('?') => self.help = !self.help,
            KeyCode::Tab => self.panel = self.panel.after(1),
            KeyCode::BackTab => self.panel = self.panel.after(Panel::ALL.len() - 1),
            KeyCode::Char(digit @ '1'..='4') => self.panel = Panel::Stages.after(digit as usize - '1' as usize),
            KeyCode::Up => self.scroll(-1, extent),
            KeyCode::Down => self.scroll(1, extent),
            KeyCode::PageUp => self.scroll(-page, extent),
            KeyCode::PageDown => self.scroll(page, extent),
            KeyCode::Home => self.first[self.panel.index()] = 0,
            KeyCode::End => self.first[self.panel.index()] = extent.last_first(),
            _ => {}
        }
        Reaction::Stay
    }

    fn scroll(&mut self, lines: isize, extent: Extent) {
        let first = &mut self.first[self.panel.index()];
        *first = (*first).min(extent.last_first()).saturating_add_signed(lines).min(extent.last_first());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(view: &mut View, code: KeyCode) -> Reaction {
        let extents = [Extent { lines: 10, shown: 4 }; 4];
        view.press(KeyEvent::new(code, KeyModifiers::NONE), &extents)
    }

    #[test]
    fn keys_choose_panels_and_scroll_within_their_content() {
        let mut view = View::new();
        press(&mut view, KeyCode::BackTab);
        assert_eq!(view.panel, Panel::Failures);
        press(&mut view, KeyCode::Tab);
        assert_eq!(view.panel, Panel::Stages);
        press(&mut view, KeyCode::Char('3'));
        assert_eq!(view.panel, Panel::Best);
        let mut first = |code| {
            press(&mut view, code);
            view.first[Panel::Best.index()]
        };
        let keys = [KeyCode::Up, KeyCode::Down, KeyCode::PageDown, KeyCode::PageDown, KeyCode::Down, KeyCode::PageUp];
        assert_eq!(keys.map(&mut first), [0, 1, 5, 6, 6, 2]);
        assert_eq!([KeyCode::End, KeyCode::Home].map(first), [6, 0]);
        // The content became shorter.
        view.first = [9; 4];
        press(&mut view, KeyCode::Up);
        assert_eq!(view.first, [9, 9, 5, 9]);
    }

    #[test]
    fn keys_leave_and_show_help() {
        let mut view = View::new();
        let extents = [Extent::default(); 4];
        let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        assert_eq!(view.press(control('c'), &extents), Reaction::Leave);
        assert_eq!(press(&mut view, KeyCode::Char('q')), Reaction::Leave);
        assert_eq!((press(&mut view, KeyCode::Char('?')), view.help), (Reaction::Stay, true));
        assert_eq!((press(&mut view, KeyCode::Esc), view.help), (Reaction::Stay, false));
        assert_eq!(press(&mut view, KeyCode::Esc), Reaction::Leave);
        for code in [KeyCode::Down, KeyCode::PageDown, KeyCode::Up, KeyCode::Char('c')] {
            assert_eq!(view.press(KeyEvent::new(code, KeyModifiers::NONE), &extents), Reaction::Stay);
        }
        assert_eq!(view.first, [0; 4]);
    }
}
