//! `didact weights`: checks a weight file, downloads torchvision's, or trains the demo's teacher.

use std::path::{Path, PathBuf};

use super::bar::Bar;
use super::failure::Failure;
use super::output::{print, print_json, print_location};
use super::parse::count;
use crate::cause::Context;
use crate::exit::Exit;
use crate::model::weights::{PublishedWeights, WeightError, WeightReport, fetch, inspect};
use crate::model::{Architecture, WeightSource};
use crate::settings::Named;
use crate::terminal::say;
use crate::training::train_demo_teacher;

/// Verbs of `didact weights`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum WeightsVerb {
    /// Check whether a weight file can be a teacher, and print its shape.
    Check {
        /// `.safetensors` or `.pth` file, or "demo" for the embedded teacher.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Download torchvision's ImageNet weights and verify their hash.
    Fetch {
        /// Network: resnet18, resnet34, resnet50 or wide-resnet50-2.
        #[arg(value_parser = network)]
        network: Architecture,
        /// Folder for the file; existing files are not replaced.
        #[arg(long, default_value = ".")]
        out: PathBuf,
        /// Folder on a server, or URL of a file named NAME-HASH.pth.
        #[arg(long, value_name = "URL", default_value = PublishedWeights::SERVER)]
        from: String,
    },
    /// Train the demo's small teacher (takes a few minutes).
    TrainDemo {
        /// `.safetensors` file to write.
        out: PathBuf,
        /// Seed of the initial weights and images.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Number of training steps of 32 images.
        #[arg(long, default_value_t = 600, value_parser = count)]
        steps: usize,
    },
}

/// Runs the verb.
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
                print(&report_text(&report))?;
            }
            Ok(Exit::Done)
        }
        WeightsVerb::Fetch { network, out, from } => run_fetch(*network, out, from),
        WeightsVerb::TrainDemo { out, seed, steps } => {
            if out.metadata().is_ok_and(|facts| facts.is_file() && facts.len() > 0) {
                let exists = "the file exists; remove it or name another file";
                return Err(Context::writing(out)(exists).into());
            }
            train_demo_teacher(out, *seed, *steps, &mut |step, loss, accuracy| {
                say(&format!("step {step}: loss {loss:.3}, accuracy {accuracy:.3}"));
            })?;
            print_location(&format!("weights: {}", out.display()));
            Ok(Exit::Done)
        }
    }
}

/// Formats a report.
fn report_text(report: &WeightReport) -> String {
    format!(
        "{}: {} to layer3, base width {}, {} tensors{}, batch norm {}\nBLAKE3 {}",
        report.source,
        report.architecture.title(),
        report.width,
        report.tensors,
        if report.under.is_empty() { String::new() } else { format!(" (names under `{}`)", report.under) },
        if report.batch_norm_folded { "folded into the convolutions" } else { "present" },
        report.digest
    )
}

/// Parses the name of a network.
fn network(name: &str) -> Result<Architecture, String> {
    // torchvision writes `wide_resnet50_2`.
    Architecture::named(&name.to_lowercase().replace('_', "-")).ok_or_else(|| {
        let known = Architecture::ALL.iter().map(Named::name).collect::<Vec<_>>().join(", ");
        format!("expected one of {known}")
    })
}

fn run_fetch(network: Architecture, out: &Path, from: &str) -> Result<Exit, Failure> {
    let published = PublishedWeights::new(network, from)?;
    let bar = Bar::new(0, "{bytes} of {total_bytes}, {bytes_per_sec}, {msg}");
    let fetched = fetch(&published, out, &mut |done, total| {
        bar.show(done as usize, total.unwrap_or(done) as usize, &published.file);
    });
    bar.close();
    let fetched = fetched?;
    let report = inspect(&WeightSource::File(fetched.path.clone()))?;
    if report.architecture != network {
        let found = format!("it contains a {}, not a {}", report.architecture.title(), network.title());
        return Err(WeightError::format(&fetched.path.display().to_string(), found).into());
    }
    let how = if fetched.existed { "already present" } else { "downloaded" };
    print(&format!(
        "{}\nSHA-256 {} ({how})\nUse it with --set teacher.weights={}",
        report_text(&report),
        fetched.sha256,
        fetched.path.display()
    ))?;
    Ok(Exit::Done)
}
