//! Writes tables for a page.

use maud::{Markup, html};

use super::{Cell, Style, Table, Tone};
use crate::export::Value;

/// Returns a block of tables, each with its title. A note that all tables share appears once, below the last.
pub(in crate::report) fn block(tables: &[Table]) -> Markup {
    html! { @for (place, table) in tables.iter().enumerate() {
        h3 { (table.title) }
        @if !table.rows.is_empty() { (grid(table)) }
        @if let Some(remarks) = table.remarks.filter(|_| place + 1 == tables.len()) { p.quiet { (remarks) } }
        @for note in Table::own_notes(tables, place) { p.quiet { (note) } }
    } }
}

/// Number of rows above which a table scrolls below its heading, so that the content after it stays within reach.
const LONG: usize = 40;

/// Returns the class of the element around a table with `rows` rows.
pub(in crate::report) fn frame(rows: usize) -> &'static str {
    if rows > LONG { "scroll long" } else { "scroll" }
}

/// Returns only the heading and the rows.
pub(in crate::report) fn grid(table: &Table) -> Markup {
    let is_text = |column: usize| table.columns[column].style != Style::Number;
    // A row with an empty first cell belongs to the row above, so sorting would separate them.
    let sortable =
        table.rows.len() > 1 && table.rows.iter().all(|row| row.cells.iter().take(1).all(|cell| !cell.text.is_empty()));
    html! { div class=(frame(table.rows.len())) tabindex="0" { table class=[sortable.then_some("sortable")] {
        thead { tr { @for (place, column) in table.columns.iter().enumerate() {
            th class=[(is_text(place) && place > 0).then_some("text")] {
                @for (line, text) in column.heading.split('\n').enumerate() { @if line > 0 { br; } (text) }
            }
        } } }
        tbody { @for row in &table.rows { tr class=[row.baseline.then_some("baseline")] {
            @for (column, cell) in table.columns.iter().zip(&row.cells) {
                td class=[class(column.style, cell.tone)] data-value=[sortable.then(|| rank(cell)).flatten()] { (content(cell)) }
             }
        } } }
    } } }
}

fn class(style: Style, tone: Tone) -> Option<&'static str> {
    match (style, tone) {
        (Style::Prose, _) => Some("text wrap"),
        (Style::Label, _) => Some("text"),
        (Style::Number, Tone::Plain) => None,
        (Style::Number, tone) => Some(name(tone)),
    }
}

fn content(cell: &Cell) -> Markup {
    html! {
        @if let Some(runs) = &cell.runs { a href={ "#" (runs) } { (text(cell)) } } @else { (text(cell)) }
        @for remark in &cell.remarks { small { (remark) } }
    }
}

fn text(cell: &Cell) -> Markup {
    html! { @if cell.best { strong { (cell.text) } } @else { (cell.text) } }
}

/// Returns the number that the cell is sorted by; `None` if its text is used.
pub(in crate::report) fn rank(cell: &Cell) -> Option<f64> {
    match cell.values.first()? {
        Value::Number(number) => Some(*number),
        Value::Integer(number) => Some(*number as f64),
        _ => None,
    }
}

pub(in crate::report) fn name(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Up => "up",
        Tone::Down => "down",
    }
}
