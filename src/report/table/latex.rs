//! Writes a table for LaTeX: a float with the rules of the package booktabs, shrunk if it is wider than the text.

use super::{Cell, Column, Style, Table};

/// The packages that a document must load.
const PREAMBLE: &str = "% \\usepackage{booktabs,graphicx}";

/// Returns the float: caption, label, rules, and the notes below.
pub(in crate::report) fn float(table: &Table) -> String {
    let alignment: String = table.columns.iter().map(|column| alignment(column.style)).collect();
    let row = |cells: Vec<String>| format!("    {} \\\\\n", cells.join(" & "));
    let heading = row(table.columns.iter().map(heading).collect());
    let rows: String = table.rows.iter().map(|line| row(line.cells.iter().map(content).collect())).collect();
    let notes: String = table
        .notes
        .iter()
        .map(|note| format!("  \\par\\smallskip{{\\footnotesize {}\\par}}\n", escaped(note)))
        .collect();
    format!(
        "{PREAMBLE}
\\begin{{table}}
  \\centering
  \\caption{{{}}}
  \\label{{tab:{}}}
  \\sbox0{{\\begin{{tabular}}{{{alignment}}}
    \\toprule
{heading}    \\midrule
{rows}    \\bottomrule
  \\end{{tabular}}}}
  \\ifdim\\wd0>\\linewidth\\resizebox{{\\linewidth}}{{!}}{{\\usebox0}}\\else\\usebox0\\fi
{notes}\\end{{table}}
",
        escaped(&table.title),
        table.name
    )
}

fn alignment(style: Style) -> &'static str {
    match style {
        Style::Number => "r",
        Style::Label => "l",
        Style::Prose => "p{.25\\linewidth}",
    }
}

fn heading(column: &Column) -> String {
    match column.heading.contains('\n') {
        true => {
            let lines: Vec<String> = column.heading.split('\n').map(escaped).collect();
            let side = if column.style == Style::Number { 'r' } else { 'l' };
            format!("\\shortstack[{side}]{{{}}}", lines.join("\\\\"))
        }
        false => escaped(&column.heading),
    }
}

fn content(cell: &Cell) -> String {
    let text = escaped(&cell.text);
    if cell.best { format!("\\textbf{{{text}}}") } else { text }
}

/// Escapes text so that LaTeX prints it unchanged. The characters in braces would otherwise combine with their neighbours: `--`, `[` and
/// `*` after a line's end.
pub(in crate::report) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = None;
    for character in text.chars() {
        match character {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', character]),
            '[' | ']' | '*' => escaped.extend(['{', character, '}']),
            '-' if before == Some('-') => escaped.push_str("{}-"),
            '\n' => escaped.push(' '),
            _ => match command(character) {
                Some(command) => escaped.push_str(command),
                None => escaped.push(character),
            },
        }
        before = Some(character);
    }
    escaped
}

/// Returns the command for a character that pdfLaTeX's fonts lack, or that LaTeX would interpret.
fn command(character: char) -> Option<&'static str> {
    Some(match character {
        '\\' => "\\textbackslash{}",
        '~' => "\\textasciitilde{}",
        '^' => "\\textasciicircum{}",
        '`' => "\\textasciigrave{}",
        '"' => "\\textquotedblright{}",
        '<' => "$<$",
        '>' => "$>$",
        '|' => "$|$",
        '±' => "$\\pm$",
        '−' => "$-$",
        '×' => "$\\times$",
        '·' => "$\\cdot$",
        '≤' => "$\\leq$",
        '≥' => "$\\geq$",
        '⌈' => "$\\lceil$",
        '⌉' => "$\\rceil$",
        'σ' => "$\\sigma$",
        '–' => "--",
        '—' => "---",
        '…' => "\\ldots{}",
        '’' => "'",
        '\u{a0}' => "~",
        _ => return None,
    })
}
