//! The picture of a sweep: a function of what the store said, of what the person chose, and of the size of the terminal.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Widget};

use super::feed::Reading;
use super::layout;
use super::panel::Panel;
use super::stages::runs_bar;
use super::theme::Theme;
use super::view::{Extent, HELP, View};
use super::wrap::wrapped;
use crate::serve::Progress;
use crate::store::SweepState;
use crate::text::truncated;

/// Smallest area with panels, in characters. A smaller one shows the state of the sweep only.
const SMALLEST: (u16, u16) = (40, 10);

/// Draws the view. Returns how much of each panel's content fits.
pub(super) fn draw(reading: &Reading, view: &View, theme: Theme, area: Rect, picture: &mut Buffer) -> [Extent; 4] {
    let width = usize::from(area.width);
    let mut head: Vec<Line<'static>> =
        wrapped(&reading.progress.headline(), width).into_iter().map(bold(theme)).collect();
    let notice = notice(reading, theme, width);
    let has_panels = area.width >= SMALLEST.0 && area.height >= SMALLEST.1;
    if !has_panels {
        Paragraph::new(notice.into_iter().chain(head).collect::<Vec<_>>()).render(area, picture);
        return Default::default();
    }
    head.push(runs_bar(&reading.progress.runs, width, theme));
    head.extend(notice);
    let (top, rest) = split_top(area, head.len() as u16);
    Paragraph::new(head).render(top, picture);
    let (middle, bottom) = split_top(rest, rest.height.saturating_sub(1));
    Line::styled(truncated(&footer(), width), theme.faint()).render(bottom, picture);
    let extents = panels(&reading.progress, view, theme, middle, picture);
    if view.help {
        help(theme, area, picture);
    }
    extents
}

fn bold(theme: Theme) -> impl Fn(String) -> Line<'static> {
    move |text| Line::styled(text, theme.title())
}

/// Returns what else concerns the whole sweep: the store cannot be read, or nothing will change any more.
fn notice(reading: &Reading, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let (text, style) = match (&reading.trouble, reading.progress.state) {
        (Some(trouble), _) => (format!("cannot read the store, trying again: {trouble}"), theme.failed()),
        (None, SweepState::Running) => return Vec::new(),
        (None, SweepState::Stopped) => {
            ("the sweep is stopped; the next `didact sweep` continues it".to_owned(), theme.running())
        }
        (None, SweepState::Failed) => ("the sweep has ended; some runs failed".to_owned(), theme.failed()),
        (None, SweepState::Cancelled) => ("the sweep has ended; some runs were cancelled".to_owned(), theme.running()),
        (None, SweepState::Done) => ("the sweep has ended".to_owned(), theme.done()),
    };
    wrapped(&text, width).into_iter().map(|line| Line::styled(line, style)).collect()
}

fn footer() -> String {
    "Tab 1–4 panel · ↑↓ PgUp PgDn scroll · ? help · q leave".to_owned()
}

/// Splits an area after some rows.
fn split_top(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let top = Rect { height: rows, ..area };
    (top, Rect { y: area.y + rows, height: area.height - rows, ..area })
}

fn panels(progress: &Progress, view: &View, theme: Theme, area: Rect, picture: &mut Buffer) -> [Extent; 4] {
    let width = usize::from(layout::width(area));
    let contents = Panel::ALL.map(|panel| panel.lines(progress, width, theme));
    let wanted = contents.each_ref().map(|lines| u16::try_from(lines.len() + 1).unwrap_or(u16::MAX));
    let areas = layout::areas(area, wanted, view.panel);
    let mut extents = [Extent::default(); 4];
    for ((panel, lines), area) in Panel::ALL.into_iter().zip(contents).zip(areas) {
        let extent = Extent { lines: lines.len(), shown: usize::from(area.height.saturating_sub(1)) };
        let first = view.first[panel.index()].min(extent.last_first());
        extents[panel.index()] = extent;
        let (top, rest) = split_top(area, 1);
        let style = if panel == view.panel { theme.chosen() } else { theme.title() };
        title(&panel.title(progress), &place(first, extent), style, theme).render(top, picture);
        let shown: Vec<Line<'static>> = lines.into_iter().skip(first).take(extent.shown).collect();
        Paragraph::new(shown).render(rest, picture);
    }
    extents
}

/// Returns which lines are shown, if there are more: " 5–12 of 40".
fn place(first: usize, extent: Extent) -> String {
    match extent.last_first() {
        0 => String::new(),
        _ => format!(" {}–{} of {}", first + 1, first + extent.shown, extent.lines),
    }
}

fn title(text: &str, place: &str, style: ratatui::style::Style, theme: Theme) -> Line<'static> {
    Line::from(vec![Span::styled(format!(" {text} "), style), Span::styled(place.to_owned(), theme.faint())])
}

fn help(theme: Theme, area: Rect, picture: &mut Buffer) {
    let keys = HELP.iter().map(|(keys, _)| keys.chars().count()).max().unwrap_or(0);
    let lines: Vec<Line<'static>> =
        HELP.iter().map(|(key, does)| Line::raw(format!(" {key:<keys$}  {does} "))).collect();
    let width = lines.iter().map(Line::width).max().unwrap_or(0) as u16 + 2;
    let height = lines.len() as u16 + 2;
    let window = Rect {
        x: area.x + area.width.saturating_sub(width) / 2,
        y: area.y + area.height.saturating_sub(height) / 2,
        width: width.min(area.width),
        height: height.min(area.height),
    };
    Clear.render(window, picture);
    let frame = Block::bordered().title(Line::styled(" Keys ", theme.title()));
    Paragraph::new(lines).block(frame).render(window, picture);
}
