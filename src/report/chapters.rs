//! The contents of a report in their order, for the page and for Markdown.

use super::figure::Figure;
use super::figures::FigureChapter;
use super::pictures::Picture;
use super::section::Section;
use super::table::Table;
use super::words::FindingTexts;
use super::{summary, words};

/// A chapter of one protocol's part.
pub(super) struct Chapter<'s> {
    /// Anchor, unique in the report.
    pub anchor: String,
    pub title: &'static str,
    pub contents: Vec<Content<'s>>,
}

/// A block of content in a chapter.
pub(super) enum Content<'s> {
    /// The answer to the sweep's question, in one sentence.
    Answer(String),
    Findings(FindingTexts),
    /// A remark on the content that follows.
    Note(&'static str),
    /// A block of tables.
    Tables(&'s [Table]),
    Figures(Vec<&'s Figure>),
    Pictures {
        pictures: &'s [Picture],
        /// What could not be drawn, and why.
        notes: &'s [String],
    },
    /// The protocol that the numbers were measured under.
    Protocol,
    /// Every run with the command that repeats it.
    Runs,
}

impl Content<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Answer(_) | Self::Findings(_) | Self::Note(_) | Self::Protocol | Self::Runs => false,
            Self::Tables(tables) => tables.is_empty(),
            Self::Figures(figures) => figures.is_empty(),
            Self::Pictures { pictures, notes } => pictures.is_empty() && notes.is_empty(),
        }
    }
}

/// Returns the chapters that have content.
pub(super) fn chapters<'s>(section: &'s Section<'_>) -> Vec<Chapter<'s>> {
    let (tables, figures) = (&section.tables, &section.figures);
    let decides = section.tuned.is_some_and(|tuned| tuned.decide.is_some());
    let title_of_chosen = if decides { "Decision" } else { "Chosen trials" };
    // Seeds that had no part in a choice answer first.
    let decided = section.tuned.and_then(summary::decided).or_else(|| summary::answer(section.confirmed));
    let answer = decided.or_else(|| summary::answer(&section.comparisons));
    let mut summary: Vec<Content<'_>> = answer.map(Content::Answer).into_iter().collect();
    summary.push(Content::Findings(words::finding_texts(&section.groups, &section.costs, &section.comparisons)));
    let all = [
        ("summary", "Summary", summary),
        ("chosen", title_of_chosen, vec![Content::Tables(&tables.chosen)]),
        (
            "leaderboard",
            "Leaderboard",
            vec![
                Content::Tables(&tables.results),
                Content::Figures(figures.of(FigureChapter::Leaderboard)),
                Content::Tables(&tables.comparisons),
                Content::Tables(&tables.by_category),
                Content::Tables(&tables.published),
            ],
        ),
        ("ablation", "Ablation", vec![Content::Figures(figures.of(FigureChapter::Ablation))]),
        (
            "hyperparameters",
            "Hyperparameters",
            vec![
                Content::Tables(&tables.effects),
                Content::Figures(figures.of(FigureChapter::Hyperparameters)),
                Content::Tables(&tables.agreement),
            ],
        ),
        (
            "learning",
            "Learning",
            vec![Content::Figures(figures.of(FigureChapter::Learning)), Content::Tables(&tables.epochs)],
        ),
        ("curves", "Curves", vec![Content::Note(words::CURVES), Content::Figures(figures.of(FigureChapter::Curves))]),
        ("cost", "Cost", vec![Content::Tables(&tables.costs), Content::Figures(figures.of(FigureChapter::Cost))]),
        (
            "pictures",
            "Pictures",
            vec![
                Content::Note(words::PICTURES),
                Content::Pictures { pictures: &section.pictures, notes: &section.notes },
            ],
        ),
        ("reproduce", "Reproduce", vec![Content::Protocol, Content::Runs]),
    ];
    let chapter = |(anchor, title, mut contents): (&str, &'static str, Vec<Content<'s>>)| {
        contents.retain(|content| !content.is_empty());
        Chapter { anchor: format!("{}{anchor}", section.prefix), title, contents }
    };
    all.into_iter()
        .map(chapter)
        .filter(|chapter| chapter.contents.iter().any(|content| !matches!(content, Content::Note(_))))
        .collect()
}
