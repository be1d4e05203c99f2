//! The styles of the view. Without colours, only weight and words tell things apart.

use ratatui::style::{Color, Modifier, Style};

/// The styles of the view.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    /// Whether colours are shown.
    pub colours: bool,
}

impl Theme {
    fn coloured(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }

    /// What is done.
    pub(super) fn done(self) -> Style {
        self.coloured(Color::Green)
    }

    /// What is under way.
    pub(super) fn running(self) -> Style {
        self.coloured(Color::Yellow)
    }

    /// What failed.
    pub(super) fn failed(self) -> Style {
        self.coloured(Color::Red)
    }

    /// What waits, and explanations.
    pub(super) fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Titles.
    pub(super) fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Title of the chosen panel.
    pub(super) fn chosen(self) -> Style {
        self.title().add_modifier(Modifier::REVERSED)
    }
}
