//! `didact data`: look at a data set, or draw the synthetic one.

use std::path::PathBuf;

use super::exit::{Exit, Failure};
use super::output::{print, print_json, table};
use crate::data::{CategoryReport, SyntheticSettings, check, write_synthetic};

/// Verbs of `didact data`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum DataVerb {
    /// Open every image and mask below a folder and tell what was found.
    Check {
        /// The folder that holds the categories.
        root: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write the synthetic set in MVTec's layout.
    Synth {
        /// Folder to write to.
        dir: PathBuf,
        /// Seed of the drawings.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Side of the images, pixels.
        #[arg(long, default_value_t = 128)]
        side: usize,
    },
}

/// Runs the verb.
pub(super) fn run(verb: &DataVerb) -> Result<Exit, Failure> {
    match verb {
        DataVerb::Check { root, json } => {
            let report = check(root)?;
            if *json {
                print_json(&report)?;
            } else {
                print(&format!("{} layout at {}\n", report.layout, report.root.display()))?;
                let rows: Vec<Vec<String>> = report.categories.iter().map(row).collect();
                print(&table(&["category", "train", "test", "sizes", "masks missing", "problems"], &rows))?;
                for category in &report.categories {
                    for problem in &category.problems {
                        print(&format!("{}: {problem}", category.name))?;
                    }
                    for image in &category.missing_masks {
                        print(&format!("{}: {image} has no mask: pixel metrics will be undefined", category.name))?;
                    }
                }
            }
            Ok(if report.is_sound() { Exit::Done } else { Exit::Data })
        }
        DataVerb::Synth { dir, seed, side } => {
            if !(32..=1024).contains(side) {
                return Err(Failure::new(Exit::Usage, format!("--side {side}: expected 32 to 1024 pixels")));
            }
            let settings = SyntheticSettings { seed: *seed, side: *side, ..SyntheticSettings::default() };
            let count = write_synthetic(&settings, dir)?;
            print(&format!("{count} images in {}", dir.display()))?;
            Ok(Exit::Done)
        }
    }
}

fn row(category: &CategoryReport) -> Vec<String> {
    let counts = |pairs: &[(String, usize)]| {
        pairs.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    };
    vec![
        category.name.clone(),
        category.train.to_string(),
        counts(&category.test),
        counts(&category.sizes),
        category.missing_masks.len().to_string(),
        category.problems.len().to_string(),
    ]
}
