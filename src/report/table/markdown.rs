//! Writes tables in GitHub's Markdown, with columns as wide as their content needs.

use super::{Style, Table};

/// Returns a block of tables, each with its title. A note that all tables share appears once, below the last.
pub(in crate::report) fn block(tables: &[Table]) -> String {
    let table = |(place, table): (usize, &Table)| {
        let grid = (!table.rows.is_empty()).then(|| grid(table));
        let notes = Table::own_notes(tables, place).map(|note| format!("{}\n", escaped(note)));
        let parts = std::iter::once(format!("### {}\n", escaped(&table.title))).chain(grid).chain(notes);
        parts.collect::<Vec<_>>().join("\n")
    };
    tables.iter().enumerate().map(table).collect::<Vec<_>>().join("\n")
}

/// Returns only the heading and the rows.
pub(in crate::report) fn grid(table: &Table) -> String {
    let heading = table.columns.iter().map(|column| escaped(&column.heading)).collect();
    let row = |row: &super::TableRow| -> Vec<String> {
        row.cells.iter().map(|cell| (cell.best, escaped(&cell.text))).map(emphasised).collect()
    };
    let lines: Vec<Vec<String>> = std::iter::once(heading).chain(table.rows.iter().map(row)).collect();
    let width = |place: usize| lines.iter().filter_map(|line| line.get(place)).map(|cell| cell.chars().count()).max();
    let columns: Vec<(Style, usize)> = table
        .columns
        .iter()
        .enumerate()
        .map(|(place, column)| (column.style, width(place).unwrap_or(0).max(3)))
        .collect();
    let line = |cells: &[String]| {
        let padded = columns.iter().zip(cells).map(|((style, width), cell)| match style {
            Style::Number => format!(" {cell:>width$} |"),
            Style::Label | Style::Prose => format!(" {cell:<width$} |"),
        });
        format!("|{}\n", padded.collect::<String>())
    };
    let rule = columns.iter().map(|(style, width)| match style {
        Style::Number => format!("{:-<1$}:|", "-", width + 1),
        Style::Label | Style::Prose => format!(":{:-<1$}|", "-", width + 1),
    });
    let rule = format!("|{}\n", rule.collect::<String>());
    let (heading, rows) = lines.split_first().map_or((String::new(), &[][..]), |(first, rest)| (line(first), rest));
    std::iter::once(heading).chain([rule]).chain(rows.iter().map(|row| line(row))).collect()
}

fn emphasised((best, text): (bool, String)) -> String {
    if best { format!("**{text}**") } else { text }
}

/// Escapes text so that Markdown readers show it unchanged.
pub(in crate::report) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '|' | '*' | '_' | '`' | '<' | '>' | '[' | ']' | '~' | '&' | '#' | '$' => {
                escaped.extend(['\\', character]);
            }
            '\n' => escaped.push_str(", "),
            _ => escaped.push(character),
        }
    }
    escaped
}
