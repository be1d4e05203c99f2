//! The tables of results, by category and by lighting, in one text for a paper or a page.

use super::table::{Table, latex, markdown};
use super::tables::{lighting, results};
use super::words::SEPARATE_PROTOCOL;
use crate::analysis::{Groups, Ranking, Rows, groups, sides};
use crate::store::Artifacts;

/// Format of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentFormat {
    /// GitHub's Markdown.
    Markdown,
    /// LaTeX floats for a document that loads the package booktabs.
    Latex,
}

/// Returns one table per metric, and tables by lighting if the data set names lightings. There is one part per protocol, because numbers of
/// different protocols never share a table.
pub fn document(rows: &Rows, artifacts: &Artifacts, format: DocumentFormat) -> String {
    let all = groups(rows, Ranking::WithinProtocols);
    let part = |(index, groups): (usize, &Groups<'_>)| {
        let mut tables = results(groups, &sides(rows, groups, artifacts));
        tables.extend(lighting(groups));
        if all.len() == 1 {
            return format.tables(&tables);
        }
        tables.iter_mut().for_each(|table| table.name.insert_str(0, &format!("protocol-{}-", index + 1)));
        format!("{}\n{}", format.heading(&format!("Protocol {} of {}", index + 1, all.len())), format.tables(&tables))
    };
    all.iter().enumerate().map(part).collect::<Vec<_>>().join("\n")
}

impl DocumentFormat {
    fn tables(self, tables: &[Table]) -> String {
        match self {
            Self::Markdown => markdown::block(tables),
            Self::Latex => tables.iter().map(latex::float).collect::<Vec<_>>().join("\n"),
        }
    }

    fn heading(self, title: &str) -> String {
        match self {
            Self::Markdown => format!("## {title}\n\n{SEPARATE_PROTOCOL}\n"),
            Self::Latex => format!("% {title}. {SEPARATE_PROTOCOL}\n"),
        }
    }
}
