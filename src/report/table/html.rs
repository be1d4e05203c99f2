//! Tables on a page.

use maud::{Markup, html};

use super::{Cell, Style, Table, Tone};

/// Tables that stand together, each with its title; a note that is common to them stands once, below the last.
pub(in crate::report) fn block(tables: &[Table]) -> Markup {
    html! { @for (place, table) in tables.iter().enumerate() {
        h3 { (table.title) }
        @if !table.rows.is_empty() { (grid(table)) }
        @if let Some(remarks) = table.remarks.filter(|_| place + 1 == tables.len()) { p.quiet { (remarks) } }
        @for note in Table::own_notes(tables, place) { p.quiet { (note) } }
    } }
}

/// The rows alone.
pub(in crate::report) fn grid(table: &Table) -> Markup {
    let is_text = |column: usize| table.columns[column].style != Style::Number;
    html! { div.scroll { table {
        thead { tr { @for (place, column) in table.columns.iter().enumerate() {
            th class=[(is_text(place) && place > 0).then_some("text")] {
                @for (line, text) in column.heading.split('\n').enumerate() { @if line > 0 { br; } (text) }
            }
        } } }
        tbody { @for row in &table.rows { tr class=[row.baseline.then_some("baseline")] {
            @for (column, cell) in table.columns.iter().zip(&row.cells) { td class=[class(column.style, cell.tone)] { (content(cell)) } }
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
        @if cell.best { strong { (cell.text) } } @else { (cell.text) }
        @for (remark, tone) in &cell.remarks { small class=[(*tone != Tone::Plain).then_some(name(*tone))] { (remark) } }
    }
}

fn name(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Up => "up",
        Tone::Down => "down",
    }
}
