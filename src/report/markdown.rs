//! The report as one Markdown file: what the page says, its tables, its figures by name.

use super::Rows;
use super::guidance::Guidance;
use super::page::Section;
use super::table::markdown::{block, escaped, grid};
use super::tables::failures;
use super::words::{self, Found, Remark};

/// The whole file.
pub(super) fn document(rows: &Rows, sections: &[Section<'_>]) -> String {
    let sweep = &rows.sweep;
    let mut parts = vec![format!("# {}\n", escaped(&sweep.name))];
    parts.extend(sweep.question.iter().map(|question| format!("{}\n", escaped(question))));
    parts.push(format!("{}\n", escaped(&words::population(rows))));
    parts.extend(Guidance::of(rows).words().as_ref().map(remark));
    for (index, section) in sections.iter().enumerate() {
        if sections.len() > 1 {
            parts.push(format!("## Protocol {} of {}\n\n{}\n", index + 1, sections.len(), words::APART));
        }
        parts.extend(part(rows, section));
    }
    parts.extend(failures(rows).map(|table| format!("## {}\n\n{}", table.title, grid(&table))));
    parts.join("\n")
}

fn remark(remark: &Remark) -> String {
    let lead = remark.lead.map(|lead| format!("**{lead}** ")).unwrap_or_default();
    format!("{lead}{}\n", escaped(&remark.text))
}

fn part(rows: &Rows, section: &Section<'_>) -> Vec<String> {
    let (groups, tables) = (&section.groups, &section.tables);
    let marked = |title: &str| escaped(&groups.marked(title));
    let bars = section.bars.iter().map(|figure| image(&figure.name, &figure.description));
    let learning = section.learning.iter().map(|figure| image(&figure.name, &figure.description));
    let pictures = section.pictures.iter().map(|picture| image(&picture.name, &picture.caption));
    let pictures: Vec<String> =
        pictures.chain(section.notes.iter().map(|note| format!("{}\n", escaped(note)))).collect();

    let mut parts: Vec<String> = words::across(groups).as_ref().map(remark).into_iter().collect();
    parts.push(format!("## {}\n\n{}", marked("Findings"), findings(rows, section)));
    parts.push("## Results\n".to_owned());
    parts.extend([&tables.results, &tables.comparisons].map(|tables| block(tables)));
    parts.extend(bars);
    parts.push(block(&tables.agreement));
    if !tables.effects.is_empty() {
        parts.push(format!("## {}\n\n{}", marked("What each setting does"), block(&tables.effects)));
    }
    parts.extend([&tables.epochs, &tables.published, &tables.costs].map(|tables| block(tables)));
    if !section.learning.is_empty() {
        parts.push("## Learning\n".to_owned());
        parts.extend(learning);
    }
    if !pictures.is_empty() {
        parts.push("## Anomaly maps\n".to_owned());
        parts.extend(pictures);
    }
    parts.push(format!("## Protocol\n\n{}", protocol(section)));
    parts.retain(|part| !part.is_empty());
    parts
}

fn findings(rows: &Rows, section: &Section<'_>) -> String {
    match words::found(rows, &section.groups, &section.comparisons) {
        Found::Nothing(why) => format!("{why}\n"),
        Found::Variants(variants) => {
            variants.iter().map(|(label, said)| format!("- **{}**: {}\n", escaped(label), escaped(said))).collect()
        }
    }
}

fn protocol(section: &Section<'_>) -> String {
    let categories = &section.groups.categories;
    let images = categories.iter().map(|(category, protocol)| (category.as_str(), protocol.images()));
    let facts = categories.first().map(|(_, protocol)| protocol.facts()).unwrap_or_default();
    images.chain(facts).map(|(name, value)| format!("- {}: {}\n", escaped(name), escaped(&value))).collect()
}

/// A figure that lies beside the file.
fn image(name: &str, description: &str) -> String {
    // Spaces and brackets would end the address.
    format!("![{}](<{name}.png>)\n", escaped(description))
}
