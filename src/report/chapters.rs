//! The contents of a report in their order, for the page and for Markdown.

use super::figure::Figure;
use super::figures::FigureChapter;
use super::pictures::Picture;
use super::section::Section;
use super::table::Table;
use super::tables::summary_of_trust;
use super::words::FindingTexts;
use super::{summary, words};

/// Number of variants above which a page folds a table of facts that only some readers need.
const MANY_VARIANTS: usize = 6;

/// A chapter of one protocol's part.
pub(super) struct Chapter<'s> {
    /// Anchor, unique in the report.
    pub anchor: String,
    pub title: &'static str,
    pub contents: Vec<Content<'s>>,
}

impl Chapter<'_> {
    /// Returns whether the chapter has a gallery, which needs its own style and script.
    pub(super) fn has_gallery(&self) -> bool {
        self.contents.iter().any(|content| matches!(content, Content::Gallery))
    }
}

/// A block of content in a chapter.
pub(super) enum Content<'s> {
    /// The answer to the sweep's question, in one sentence.
    Answer(String),
    Findings(FindingTexts),
    /// A remark on the content that follows.
    Note(&'static str),
    /// A paragraph.
    Text(String),
    /// A block of tables.
    Tables(&'s [Table]),
    /// One row per variant, with switches for category and metric.
    Leaderboard,
    Figures(Vec<&'s Figure>),
    /// Similar figures, of which a page shows one at a time.
    Switch {
        /// What a reader chooses.
        label: &'static str,
        figures: Vec<&'s Figure>,
    },
    Pictures {
        pictures: &'s [Picture],
        /// What could not be drawn, and why.
        notes: &'s [String],
    },
    /// Test images with the maps of variants and of ST-FPM; on the page only.
    Gallery,
    /// A link to another part of the page.
    Link {
        address: String,
        text: &'static str,
    },
    /// The protocol that the numbers were measured under.
    Protocol,
    /// Every run with the command that repeats it.
    Runs,
    /// Content below a title that a page folds.
    Folded {
        title: &'static str,
        contents: Vec<Content<'s>>,
    },
}

impl Content<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Answer(_)
            | Self::Findings(_)
            | Self::Note(_)
            | Self::Text(_)
            | Self::Leaderboard
            | Self::Gallery
            | Self::Link { .. }
            | Self::Protocol
            | Self::Runs => false,
            Self::Tables(tables) => tables.is_empty(),
            Self::Figures(figures) | Self::Switch { figures, .. } => figures.is_empty(),
            Self::Pictures { pictures, notes } => pictures.is_empty() && notes.is_empty(),
            Self::Folded { contents, .. } => !contents.iter().any(Self::is_told),
        }
    }

    /// Returns whether this says something by itself.
    fn is_told(&self) -> bool {
        !self.is_empty() && !matches!(self, Self::Note(_))
    }
}

/// Returns the chapters that have content.
pub(super) fn chapters<'s>(section: &'s Section<'_>) -> Vec<Chapter<'s>> {
    let (tables, figures) = (&section.tables, &section.figures);
    let figures_of = |chapter| Content::Figures(figures.of(chapter));
    // Seeds that had no part in a choice answer first.
    let decided = section.tuned.and_then(summary::decided).or_else(|| summary::answer(section.confirmed));
    let answer = decided.or_else(|| summary::answer(section.comparisons));
    let verdict = answer.map(Content::Answer).into_iter();
    let findings = words::finding_texts(section.groups, &section.costs, section.comparisons);
    let worst = section
        .gallery
        .worst_image()
        .map(|address| Content::Link { address, text: "The worst image of the best variant" });
    let gallery = (!section.gallery.is_empty()).then_some(Content::Gallery).into_iter().collect();
    let picture = Content::Pictures { pictures: section.article.as_slice(), notes: &[] };
    let folded = |title, contents| Content::Folded { title, contents };
    let trust = Content::Tables(&tables.trust);
    let trust = match section.groups.variants.len() > MANY_VARIANTS {
        true => {
            vec![Content::Text(summary_of_trust(section.groups)), folded("Seeds, epochs and thresholds", vec![trust])]
        }
        false => vec![trust],
    };
    let all = [
        (
            "verdict",
            "Verdict",
            verdict
                .chain([Content::Tables(&tables.verdict), Content::Tables(&tables.chosen)])
                .chain(worst)
                .chain([folded("Every variant in a sentence", vec![Content::Findings(findings)])])
                .collect(),
        ),
        ("picture", "The picture", vec![picture]),
        ("leaderboard", "Leaderboard", vec![Content::Leaderboard]),
        (
            "effect",
            "Effect",
            vec![
                figures_of(FigureChapter::Effect),
                folded("Every seed, and the other metrics by category", vec![figures_of(FigureChapter::Seeds)]),
                folded("Comparisons with ST-FPM, all numbers", vec![Content::Tables(&tables.comparisons)]),
                folded("Category by category", vec![Content::Tables(&tables.by_category)]),
                folded("Each kind of defect", vec![Content::Tables(&tables.kinds)]),
                folded("Under each lighting", vec![Content::Tables(&tables.lighting)]),
            ],
        ),
        ("where", "Where it helps", gallery),
        (
            "why",
            "Why",
            vec![
                figures_of(FigureChapter::Why),
                folded("Levels, pairs and trials of the search", vec![figures_of(FigureChapter::Settings)]),
                folded("Effects of the settings, all numbers", vec![Content::Tables(&tables.effects)]),
                folded("Objective and test, trial by trial", vec![Content::Tables(&tables.agreement)]),
            ],
        ),
        (
            "price",
            "Price",
            vec![
                Content::Switch { label: "Cost", figures: figures.of(FigureChapter::Cost) },
                folded("The networks", vec![figures_of(FigureChapter::Networks)]),
                folded("Costs of each variant, all numbers", vec![Content::Tables(&tables.costs)]),
            ],
        ),
        (
            "trust",
            "Trust",
            trust
                .into_iter()
                .chain([
                    folded("Protocol", vec![Content::Protocol]),
                    folded(
                        "Epochs: how they were selected, and how stable they are",
                        vec![figures_of(FigureChapter::Learning), Content::Tables(&tables.epochs)],
                    ),
                ])
                .collect(),
        ),
        (
            "appendix",
            "Appendix",
            vec![
                folded("Results by category", vec![Content::Tables(&tables.results)]),
                folded("Published results", vec![Content::Tables(&tables.published)]),
                folded("Curves", vec![Content::Note(words::CURVES), figures_of(FigureChapter::Curves)]),
                folded(
                    "Pictures",
                    vec![
                        Content::Note(words::PICTURES),
                        Content::Pictures { pictures: &section.pictures, notes: &section.notes },
                    ],
                ),
                folded("Reproduce every run", vec![Content::Runs]),
            ],
        ),
    ];
    let chapter = |(anchor, title, mut contents): (&str, &'static str, Vec<Content<'s>>)| {
        contents.retain(|content| !content.is_empty());
        Chapter { anchor: format!("{}{anchor}", section.prefix), title, contents }
    };
    all.into_iter().map(chapter).filter(|chapter| chapter.contents.iter().any(Content::is_told)).collect()
}
