//! Writes the report as one Markdown file: the texts of the page, its tables, and its figures by name.

use super::chapters::{Content, chapters};
use super::section::Section;
use super::table::markdown::{block, escaped, grid};
use super::tables::failures;
use super::words::{FindingTexts, Remark};
use super::{banners, summary, words};
use crate::analysis::Rows;

/// Returns the whole file.
pub(super) fn document(rows: &Rows, sections: &[Section<'_>]) -> String {
    let sweep = &rows.sweep;
    let mut parts = vec![format!("# {}\n", escaped(&sweep.name))];
    parts.extend(sweep.question.iter().map(|question| format!("{}\n", escaped(question))));
    parts.extend(banners::state(rows).iter().map(remark));
    parts.push(format!("{}\n", escaped(&summary::state(rows))));
    parts.extend(words::guidance(&rows.sweep).as_ref().map(remark));
    for (index, section) in sections.iter().enumerate() {
        if sections.len() > 1 {
            parts.push(format!("## Protocol {} of {}\n\n{}\n", index + 1, sections.len(), words::SEPARATE_PROTOCOL));
        }
        parts.extend(part(section));
    }
    parts.extend(failures(rows).map(|table| format!("## {}\n\n{}", table.title, grid(&table))));
    parts.join("\n")
}

fn remark(remark: &Remark) -> String {
    let lead = remark.lead.as_ref().map(|lead| format!("**{lead}** ")).unwrap_or_default();
    let command = remark.command.as_ref().map(|command| format!("\n```sh\n{command}\n```\n")).unwrap_or_default();
    format!("{lead}{}\n{command}", escaped(&remark.text))
}

fn part(section: &Section<'_>) -> Vec<String> {
    let mut parts: Vec<String> = section.remarks().iter().map(remark).collect();
    for chapter in chapters(section) {
        parts.push(format!("## {}\n", escaped(&section.groups.marked(chapter.title))));
        parts.extend(chapter.contents.iter().flat_map(|content| shown(section, content)));
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Returns the parts of a content. Folded content follows its title.
fn shown(section: &Section<'_>, content: &Content<'_>) -> Vec<String> {
    match content {
        Content::Folded { title, contents } => {
            let title = format!("### {}\n", escaped(title));
            std::iter::once(title).chain(contents.iter().flat_map(|content| shown(section, content))).collect()
        }
        content => vec![block_of(section, content)],
    }
}

fn block_of(section: &Section<'_>, content: &Content<'_>) -> String {
    match content {
        Content::Answer(answer) => format!("**{}**\n", escaped(answer)),
        Content::Findings(texts) => findings(texts),
        Content::Note(text) => format!("{text}\n"),
        Content::Text(text) => format!("{text}\n"),
        Content::Tables(tables) => block(tables),
        Content::Figures(figures) | Content::Switch { figures, .. } => {
            figures.iter().map(|figure| image(&figure.name, &figure.description)).collect::<Vec<_>>().join("\n")
        }
        Content::Pictures { pictures, notes } => {
            let pictures = pictures.iter().map(|picture| image(&picture.name, &picture.caption));
            let notes = notes.iter().map(|note| format!("{}\n", escaped(note)));
            pictures.chain(notes).collect::<Vec<_>>().join("\n")
        }
        Content::Protocol => protocol(section),
        // The tables of results follow in the appendix. One row for each of thousands of runs belongs on the page and in `export`.
        Content::Leaderboard | Content::Gallery | Content::Link { .. } | Content::Runs | Content::Folded { .. } => {
            String::new()
        }
    }
}

fn findings(texts: &FindingTexts) -> String {
    match texts {
        FindingTexts::NotCompared(reason) => format!("{reason}\n"),
        FindingTexts::PerVariant(variants) => variants
            .iter()
            .map(|(label, sentence)| format!("- **{}**: {}\n", escaped(label), escaped(sentence)))
            .collect(),
    }
}

fn protocol(section: &Section<'_>) -> String {
    let categories = &section.groups.categories;
    let images = categories.iter().map(|(category, protocol)| (category.as_str(), protocol.images()));
    let facts = categories.first().map(|(_, protocol)| protocol.facts()).unwrap_or_default();
    images.chain(facts).map(|(name, value)| format!("- {}: {}\n", escaped(name), escaped(&value))).collect()
}

/// Returns the Markdown for a figure file in the same folder.
fn image(name: &str, description: &str) -> String {
    // Without <…>, spaces and brackets would end the address.
    format!("![{}](<{name}.png>)\n", escaped(description))
}
