//! The page "The sweep file": all settings as Markdown.

use std::fmt::Write;

use super::describe::{Setting, settings};
use super::entry::{AxisKind, STEP, WHEN};
use crate::settings::{Named, ValueKind, first_paragraph};

const HEAD: &str = "# The sweep file

A sweep file is a TOML file. didact reports all errors in it at once, each with its position. `--set KEY=VALUE` overrides a setting by its
dotted name: `--set joint.epochs=5`.

`didact schema` prints the content of this page as a JSON schema for editors. `didact schema --format markdown` prints this page.
";

/// Returns the page.
pub fn page() -> String {
    let settings = settings();
    let mut page = HEAD.to_owned();
    section(&mut page, &settings, "", "## Top level");
    for setting in settings.iter().filter(|setting| setting.spec.kind.has_table()) {
        let path = setting.spec.name();
        section(&mut page, &settings, &path, &format!("## `[{path}]`\n\n{}", setting.spec.about));
    }
    axes(&mut page);
    page
}

/// Writes the settings of one table.
fn section(page: &mut String, settings: &[Setting], path: &str, head: &str) {
    let _ = write!(page, "\n{head}\n\n| setting | type | default | meaning |\n|---|---|---|---|\n");
    for setting in settings.iter().filter(|setting| setting.spec.table == path) {
        let cells = [format!("`{}`", setting.spec.key), type_cell(setting), setting.default(), meaning(setting)];
        let _ = writeln!(page, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
}

fn meaning(setting: &Setting) -> String {
    let condition = setting.condition().map(|condition| format!(" ({condition})")).unwrap_or_default();
    let mut text = format!("{}{condition}", setting.spec.about);
    for value in setting.spec.kind.named().iter().filter(|value| !value.about.is_empty()) {
        let _ = write!(text, "<br>`{}`: {}", value.name, value.about);
    }
    text
}

fn type_cell(setting: &Setting) -> String {
    let spec = &setting.spec;
    match &spec.kind {
        ValueKind::Table => format!("[table](#{})", spec.name().replace('.', "")),
        ValueKind::Axes => "[axes](#axes)".to_owned(),
        kind => type_text(kind),
    }
}

fn type_text(kind: &ValueKind) -> String {
    match kind {
        ValueKind::Integer { min, max } if min == max => format!("`{min}`"),
        ValueKind::Integer { min, max: u64::MAX } => format!("integer, at least {min}"),
        ValueKind::Integer { min, max } => format!("integer, {min} to {max}"),
        ValueKind::Number { min, max } if max.is_finite() => format!("number, {} to {}", short(*min), short(*max)),
        ValueKind::Number { min, .. } => format!("number, at least {}", short(*min)),
        ValueKind::Flag => "`true`, `false`".to_owned(),
        ValueKind::Text => "text".to_owned(),
        ValueKind::Path => "path".to_owned(),
        ValueKind::Choice(values) => {
            values.iter().map(|value| format!("`\"{}\"`", value.name)).collect::<Vec<_>>().join(", ")
        }
        ValueKind::List(items) => format!("list: {}", type_text(items)),
        ValueKind::Table | ValueKind::Axes => "table".to_owned(),
        ValueKind::Either(kinds) => kinds.iter().map(type_text).collect::<Vec<_>>().join("; or "),
    }
}

/// Formats a number as people write it: `1e-12`, `10000`.
fn short(number: f64) -> String {
    if number != 0.0 && number.abs() < 1e-4 { format!("{number:e}") } else { number.to_string() }
}

/// Writes the section on axes.
fn axes(page: &mut String) {
    let _ = write!(
        page,
        "\n## Axes\n\nAn axis of `[search.space]` searches one setting of a trial, by its dotted name. It is a list of values,
`\"model.skip\" = [\"none\", \"concat\"]`, or a table with one of these keys:

| key | meaning |\n|---|---|\n"
    );
    for kind in AxisKind::ALL {
        let step = if kind.takes_step() { " `step`" } else { "" };
        let _ = writeln!(page, "| `{}`{step} | {} |", kind.name(), first_paragraph(kind.doc()));
    }
    let _ = write!(
        page,
        "\n`{STEP}` is the distance between neighbouring values. `{WHEN}` leaves the axis out unless another axis or setting has a given
value: `{{ choices = [1, 2], when = {{ \"model.autoencoder\" = \"unet\" }} }}`. A list gives several values.\n"
    );
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_committed_page_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/reference/sweep-file.md");
        let committed = std::fs::read_to_string(path).expect("the page");
        assert!(
            committed == super::page(),
            "the settings have changed: run `just sweep-file` to update docs/src/reference/sweep-file.md"
        );
    }
}
