//! The page "The sweep file": all settings as Markdown.

use std::fmt::Write;

use super::describe::{Setting, settings};
use super::entry::{AxisKind, STEP, WHEN};
use crate::settings::{Choice, Kind, Named, first_paragraph};

const HEAD: &str = "# The sweep file

A sweep file is TOML. A wrong file is refused with every error at once, each in its place. `--set KEY=VALUE` overrides a setting by its
dotted name: `--set joint.epochs=5`.

`didact schema` prints this page's content as a JSON schema, for editors; `didact schema --format markdown` prints the page.
";

/// The page.
pub fn page() -> String {
    let settings = settings();
    let mut page = HEAD.to_owned();
    section(&mut page, &settings, "", "## Top level");
    for setting in settings.iter().filter(|setting| setting.question.kind.has_table()) {
        let path = setting.question.name();
        section(&mut page, &settings, &path, &format!("## `[{path}]`\n\n{}", setting.question.about));
    }
    axes(&mut page);
    page
}

/// The settings of one table.
fn section(page: &mut String, settings: &[Setting], path: &str, head: &str) {
    let _ = write!(page, "\n{head}\n\n| setting | type | default | meaning |\n|---|---|---|---|\n");
    for setting in settings.iter().filter(|setting| setting.question.table == path) {
        let cells = [format!("`{}`", setting.question.key), kind(setting), setting.default(), meaning(setting)];
        let _ = writeln!(page, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
}

fn meaning(setting: &Setting) -> String {
    let condition = setting.condition().map(|condition| format!(" ({condition})")).unwrap_or_default();
    let mut text = format!("{}{condition}", setting.question.about);
    for value in setting.question.kind.named().iter().filter(|value| !value.about.is_empty()) {
        let _ = write!(text, "<br>`{}`: {}", value.name, value.about);
    }
    text
}

fn kind(setting: &Setting) -> String {
    let question = &setting.question;
    match &question.kind {
        Kind::Table => format!("[table](#{})", question.name().replace('.', "")),
        Kind::Axes => "[axes](#axes)".to_owned(),
        kind => of_kind(kind),
    }
}

fn of_kind(kind: &Kind) -> String {
    match kind {
        Kind::Integer { least, most } if least == most => format!("`{least}`"),
        Kind::Integer { least, most: u64::MAX } => format!("integer, at least {least}"),
        Kind::Integer { least, most } => format!("integer, {least} to {most}"),
        Kind::Number { least, most } if most.is_finite() => format!("number, {} to {}", short(*least), short(*most)),
        Kind::Number { least, .. } => format!("number, at least {}", short(*least)),
        Kind::Flag => "`true`, `false`".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Path => "path".to_owned(),
        Kind::Choice(values) => {
            values.iter().map(|value| format!("`\"{}\"`", value.name)).collect::<Vec<_>>().join(", ")
        }
        Kind::List(items) => format!("list: {}", of_kind(items)),
        Kind::Table | Kind::Axes => "table".to_owned(),
        Kind::Either(kinds) => kinds.iter().map(of_kind).collect::<Vec<_>>().join("; or "),
    }
}

/// A number as people write it: `1e-12`, `10000`.
fn short(number: f64) -> String {
    if number != 0.0 && number.abs() < 1e-4 { format!("{number:e}") } else { number.to_string() }
}

/// The kinds of axes.
fn axes(page: &mut String) {
    let _ = write!(
        page,
        "\n## Axes\n\nAn axis of `[search.space]` is a setting of the tables that make a trial, by its dotted name:
`\"model.skip\" = [\"none\", \"concat\"]`, or a table with one of these:

| key | meaning |\n|---|---|\n"
    );
    for kind in AxisKind::ALL {
        let step = if kind.takes_step() { " `step`" } else { "" };
        let _ = writeln!(page, "| `{}`{step} | {} |", kind.name(), first_paragraph(kind.doc()));
    }
    let _ = write!(
        page,
        "\n`{STEP}` is the distance of two values. `{WHEN}` leaves the axis out unless another axis or setting has some value:
`{{ choices = [1, 2], when = {{ \"model.autoencoder\" = \"unet\" }} }}`; a list names several.\n"
    );
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_page_is_that_of_the_code() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sweep-file.md");
        let committed = std::fs::read_to_string(path).expect("the page");
        assert!(
            committed == super::page(),
            "the settings have changed: `just sweep-file` writes docs/sweep-file.md again"
        );
    }
}
