//! `didact data`: checks a data set, or draws the synthetic one.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;

use super::failure::Failure;
use super::output::{print, print_json, table};
use crate::cause::one_line;
use crate::data::{
    CategoryReport, DataReport, DataSettings, Layout, PixelSize, StandIn, SyntheticSettings, check,
    write_ad2_stand_ins, write_stand_ins, write_synthetic,
};
use crate::exit::Exit;
use crate::published::{Counts, counted_categories, counted_data_sets};
use crate::search::load;
use crate::settings::Named;

/// Verbs of `didact data`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum DataVerb {
    /// Check every image and mask of a data set.
    Check {
        /// Folder that holds the categories, or a sweep file.
        root: PathBuf,
        /// Layout of the data set [default: that of the sweep file, or detected from the folders].
        #[arg(long, value_parser = layout)]
        layout: Option<Layout>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write drawn images: the synthetic data set in MVTec's layout, or stand-ins for another one.
    Synth {
        /// Folder to write to.
        dir: PathBuf,
        /// Draw stand-ins with the categories and image counts of this data set.
        ///
        /// They are in MVTec's layout. Those of `mvtec-ad2` have its own arrangement, with several lightings and private images, and
        /// counts of their own.
        #[arg(long, value_name = "DATA SET", value_parser = PossibleValuesParser::new(counted_data_sets().chain([Layout::MvtecAd2.name()])))]
        like: Option<String>,
        /// Share of the data set's image counts.
        #[arg(long, default_value_t = 1.0, requires = "like")]
        share: f64,
        /// Seed of the drawn images.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Side of the images in pixels.
        #[arg(long, default_value_t = 128)]
        side: usize,
    },
}

/// Runs the verb.
pub(super) fn run(verb: &DataVerb) -> Result<Exit, Failure> {
    match verb {
        DataVerb::Check { root, layout, json } => {
            let report = check(&settings(root, *layout)?)?;
            if *json {
                print_json(&report)?;
            } else {
                print_report(&report)?;
            }
            Ok(if report.is_sound() { Exit::Done } else { Exit::Data })
        }
        DataVerb::Synth { dir, like, share, seed, side } => {
            if !(32..=1024).contains(side) {
                return Err(Failure::usage(format!("--side {side}: expected 32 to 1024 pixels")));
            }
            let count = match like {
                Some(data_set) if data_set == Layout::MvtecAd2.name() => {
                    write_ad2_stand_ins(*seed, *side, checked(*share)?, dir)?
                }
                Some(data_set) => write_stand_ins(*seed, *side, wanted(data_set, *share)?, dir)?,
                None => {
                    let settings = SyntheticSettings { seed: *seed, side: *side, ..SyntheticSettings::default() };
                    write_synthetic(&settings, dir)?
                }
            };
            print(&format!("wrote {count} images to {}", dir.display()))?;
            Ok(Exit::Done)
        }
    }
}

/// Returns the categories of a data set with a share of its published image counts, rounded up.
fn wanted(data_set: &str, share: f64) -> Result<Vec<StandIn>, Failure> {
    let share = checked(share)?;
    // Ten times 0.1 must stay one image.
    let part = |count: u64| (count as f64 * share - 1e-9).ceil() as usize;
    let stand_in = |(name, counts): (String, Counts)| StandIn {
        name,
        // Without two training images, none could be held out.
        train: part(counts.train).max(2),
        test_good: part(counts.test_good),
        test_defect: part(counts.test_defect),
    };
    Ok(counted_categories(data_set).into_iter().map(stand_in).collect())
}

/// Returns a share of images, which must be above 0.
fn checked(share: f64) -> Result<f64, Failure> {
    match share > 0.0 && share <= 1.0 {
        true => Ok(share),
        false => Err(Failure::usage(format!("--share {share}: expected a number above 0, up to 1"))),
    }
}

/// Returns the data settings of a sweep file, or those for everything below a folder.
fn settings(root: &Path, layout: Option<Layout>) -> Result<DataSettings, Failure> {
    if root.is_file() {
        let (sweep, ..) = load(Some(root), &[])?;
        let first = sweep.trials.into_iter().next().map(|trial| trial.trial.data);
        let mut settings = first.ok_or_else(|| Failure::usage("the sweep has no trial"))?;
        settings.layout = layout.or(settings.layout);
        return Ok(settings);
    }
    if layout == Some(Layout::Table) {
        let message = "--layout table needs a sweep file, which names the table: give the file instead of the folder";
        return Err(Failure::usage(message));
    }
    if layout == Some(Layout::Folder) {
        let message =
            "--layout folder needs a sweep file, which names the folders: give the file instead of the folder";
        return Err(Failure::usage(message));
    }
    Ok(DataSettings::at(root, layout))
}

/// Parses the name of a layout.
fn layout(name: &str) -> Result<Layout, String> {
    let known = || Layout::ALL.iter().map(Named::name).collect::<Vec<_>>().join(", ");
    Layout::named(name).ok_or_else(|| format!("expected one of {}", known()))
}

/// Returns the text of a column for a category.
type Cell = fn(&CategoryReport) -> String;

/// Prints the report as a table without empty columns, then one line per finding.
fn print_report(report: &DataReport) -> Result<(), Failure> {
    print(&format!("{} layout at {}\n", report.layout, report.root.display()))?;
    let has = |what: fn(&CategoryReport) -> bool| report.categories.iter().any(what);
    let columns: Vec<(&str, Cell)> = [
        (true, "category", (|c| c.name.clone()) as Cell),
        (true, "train", |c| c.train.to_string()),
        (has(|c| c.validation > 0), "validation", |c| c.validation.to_string()),
        (true, "test", |c| counts_text(&c.test)),
        (has(|c| c.published.is_some()), "published", |c| c.published.map_or("-".to_owned(), |p| published_text(c, p))),
        (true, "sizes", |c| sizes_text(&c.sizes)),
        (has(|c| c.several_masks > 0), "several masks", |c| c.several_masks.to_string()),
        (true, "masks missing", |c| c.missing_masks.len().to_string()),
        (true, "problems", |c| c.problems.len().to_string()),
    ]
    .into_iter()
    .filter_map(|(shown, head, cell)| shown.then_some((head, cell)))
    .collect();
    let head: Vec<&str> = columns.iter().map(|(head, _)| *head).collect();
    let row = |category| columns.iter().map(|(_, cell)| cell(category)).collect();
    let rows: Vec<Vec<String>> = report.categories.iter().map(row).collect();
    print(&table(&head, &rows))?;
    for category in &report.categories {
        let missing = category.missing_masks.iter().map(|image| format!("{image} has no mask"));
        let unused = category.unused.iter().map(ToString::to_string);
        let lines =
            category.problems.iter().cloned().chain(missing).chain(category.findings.iter().cloned()).chain(unused);
        for line in lines {
            print(&one_line(&format!("{}: {line}", category.name)))?;
        }
    }
    report.notes.iter().try_for_each(|note| print(&one_line(note)))
}

/// Maximum number of image sizes that the table lists. `--json` lists all.
const MAX_SIZES: usize = 3;

/// Formats image sizes with their counts, or the range of many sizes: "700×700 to 1024×1024 (212 sizes)".
fn sizes_text(sizes: &[(PixelSize, usize)]) -> String {
    if sizes.len() <= MAX_SIZES {
        return counts_text(sizes);
    }
    let range = |of: fn(&PixelSize) -> u32| {
        sizes.iter().map(|(size, _)| of(size)).fold((u32::MAX, 0), |(low, high), side| (low.min(side), high.max(side)))
    };
    let (widths, heights) = (range(|size| size.width), range(|size| size.height));
    let smallest = PixelSize { width: widths.0, height: heights.0 };
    let largest = PixelSize { width: widths.1, height: heights.1 };
    format!("{smallest} to {largest} ({} sizes)", sizes.len())
}

/// Formats counts: "good 12, hole 6".
fn counts_text(pairs: &[(impl Display, usize)]) -> String {
    pairs.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

/// Formats the published counts: "the same", or the counts if they differ.
fn published_text(category: &CategoryReport, published: Counts) -> String {
    if category.counts() == published {
        return "the same".to_owned();
    }
    let Counts { train, validation, test_good, test_defect } = published;
    let validation = if validation > 0 { format!(", validation {validation}") } else { String::new() };
    format!("train {train}{validation}, good {test_good}, defective {test_defect}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_three_sizes_are_a_range() {
        let sizes = |sides: &[(u32, u32)]| -> Vec<(PixelSize, usize)> {
            sides.iter().map(|(width, height)| (PixelSize { width: *width, height: *height }, 2)).collect()
        };
        let text = |sides: &[(u32, u32)]| sizes_text(&sizes(sides));
        assert_eq!(text(&[(32, 32)]), "32×32 2");
        assert_eq!(text(&[(700, 500), (600, 800), (1024, 1024)]), "700×500 2, 600×800 2, 1024×1024 2");
        // The smallest width and height need not be those of one image.
        assert_eq!(text(&[(700, 500), (600, 800), (1024, 900), (800, 1024)]), "600×500 to 1024×1024 (4 sizes)");
    }
}
