//! `didact weights`: look at a weight file, or train the demo's teacher.

use std::path::PathBuf;

use super::exit::{Exit, Failure};
use super::output::{print, print_json};
use crate::model::WeightSource;
use crate::model::weights::inspect;
use crate::train::train_demo_teacher;

/// Verbs of `didact weights`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum WeightsVerb {
    /// Tell whether a teacher can be made of a file, and of which shape.
    Check {
        /// A .safetensors or .pth file; "demo" for the embedded teacher.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Train the small teacher that the demo carries (a few minutes).
    TrainDemo {
        /// The .safetensors file to write.
        out: PathBuf,
        /// Seed of initialisation and images.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Training steps of 32 images.
        #[arg(long, default_value_t = 600)]
        steps: usize,
    },
}

/// Runs the verb.
#[expect(clippy::print_stderr, reason = "progress goes to standard error")]
pub(super) fn run(verb: &WeightsVerb) -> Result<Exit, Failure> {
    match verb {
        WeightsVerb::Check { file, json } => {
            let source = match file.to_str() {
                Some("demo") => WeightSource::Demo,
                _ => WeightSource::File(file.clone()),
            };
            let report = inspect(&source)?;
            if *json {
                print_json(&report)?;
            } else {
                print(&format!(
                    "{}: {} to layer3, base width {}, {} tensors, batch norm {}\nBLAKE3 {}",
                    report.source,
                    report.architecture.title(),
                    report.width,
                    report.tensors,
                    if report.batch_norm_folded { "folded into the convolutions" } else { "present" },
                    report.digest
                ))?;
            }
            Ok(Exit::Done)
        }
        WeightsVerb::TrainDemo { out, seed, steps } => {
            if out.metadata().is_ok_and(|facts| facts.is_file() && facts.len() > 0) {
                let message = format!("{} is there already; remove it or name another file", out.display());
                return Err(Failure::new(Exit::Store, message));
            }
            train_demo_teacher(out, *seed, *steps, &mut |step, loss, accuracy| {
                eprintln!("step {step}: loss {loss:.3}, accuracy {accuracy:.3}");
            })
            .map_err(|error| Failure::new(Exit::Data, error.to_string()))?;
            print(&format!("weights: {}", out.display()))?;
            Ok(Exit::Done)
        }
    }
}
