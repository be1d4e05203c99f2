//! `didact export`: exports a sweep's numbers for other programs, or its tables for a paper.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;

use super::destination::Destination;
use super::failure::Failure;
use super::global::Global;
use crate::exit::Exit;
use crate::export::{DataFormat, ExportError};
use crate::outputs::ForeignFiles;
use crate::report::DocumentFormat;
use crate::store::{Access, Store};
use crate::{analysis, export, report};

/// Arguments of `didact export`.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// Sweep name [default: the latest sweep].
    sweep: Option<String>,
    /// Format: every number in full precision (csv, json, parquet), or tables of variant × category (md, latex).
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Content of a row in csv, json or parquet [default: long].
    #[arg(long, value_enum)]
    shape: Option<Shape>,
    /// File to write to [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Move an existing FILE that no export wrote to `replaced` in its folder.
    #[arg(long, requires = "out")]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Json,
    Md,
    Latex,
    Parquet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// One number: run × selection × metric.
    Long,
    /// One run, with a column for each of its numbers and costs.
    Wide,
}

/// Content of the export: rows, or a document.
enum Content {
    Rows(DataFormat),
    Document(DocumentFormat),
}

/// Runs the verb.
pub(super) async fn run(args: &ExportArgs, global: &Global) -> Result<Exit, Failure> {
    let content = args.format.content()?;
    if matches!(content, Content::Document(_)) && args.shape.is_some() {
        let message = "--shape applies to csv, json and parquet only: md and latex have one table per metric";
        return Err(Failure::usage(message));
    }
    let store = Store::open(&global.store, Access::Read).await?;
    let (sweep, _) = store.find_sweep(args.sweep.as_deref()).await?;
    let mut out = Destination::open(args.out.as_deref(), "export", ForeignFiles::forced(args.force))?;
    let written = match content {
        Content::Rows(format) => export::export(&store, &sweep, format, args.shape(), &mut out).await,
        Content::Document(format) => {
            let rows = analysis::read(&store, &sweep, &[]).await?;
            let text = report::document(&rows, &global.artifacts()?, format);
            out.write_all(text.as_bytes()).map_err(ExportError::from)
        }
    };
    match written {
        Ok(()) => out.close(Ok(()))?,
        Err(ExportError::Write(error)) => out.close(Err(error))?,
        Err(error) => return Err(error.into()),
    }
    Ok(Exit::Done)
}

impl ExportArgs {
    fn shape(&self) -> export::Shape {
        match self.shape {
            None | Some(Shape::Long) => export::Shape::Long,
            Some(Shape::Wide) => export::Shape::Wide,
        }
    }
}

impl Format {
    fn content(self) -> Result<Content, Failure> {
        Ok(match self {
            Self::Csv => Content::Rows(DataFormat::Csv),
            Self::Json => Content::Rows(DataFormat::Json),
            Self::Md => Content::Document(DocumentFormat::Markdown),
            Self::Latex => Content::Document(DocumentFormat::Latex),
            Self::Parquet => Content::Rows(parquet()?),
        })
    }
}

#[cfg(feature = "parquet")]
fn parquet() -> Result<DataFormat, Failure> {
    Ok(DataFormat::Parquet)
}

#[cfg(not(feature = "parquet"))]
fn parquet() -> Result<DataFormat, Failure> {
    let message = "this didact was built without Parquet: run `cargo install --path . --features parquet` to add it, or use \
                   --format csv";
    Err(Failure::usage(message))
}
