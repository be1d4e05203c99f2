//! `didact weights`: look at a weight file, fetch torchvision's, or train the demo's teacher.

use std::path::{Path, PathBuf};

use super::bar::Bar;
use super::failure::Failure;
use super::output::{notice, print, print_json};
use super::parse::count;
use crate::cause::Context;
use crate::exit::Exit;
use crate::model::weights::{Published, WeightError, WeightReport, fetch, inspect};
use crate::model::{Architecture, WeightSource};
use crate::settings::{Choice, Named};
use crate::terminal::say;
use crate::training::train_demo_teacher;

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
    /// Fetch torchvision's published weights (ImageNet), and check them against the hash in their name.
    Fetch {
        /// resnet18 or resnet34.
        #[arg(value_parser = network)]
        network: Architecture,
        /// The folder for the file; nothing in it is replaced.
        #[arg(long, default_value = ".")]
        out: PathBuf,
        /// Another server's folder, or the URL of a file named NAME-HASH.pth.
        #[arg(long, value_name = "URL", default_value = Published::SERVER)]
        from: String,
    },
    /// Train the small teacher that the demo carries (a few minutes).
    TrainDemo {
        /// The .safetensors file to write.
        out: PathBuf,
        /// Seed of initialisation and images.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Training steps of 32 images.
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
                print(&told(&report))?;
            }
            Ok(Exit::Done)
        }
        WeightsVerb::Fetch { network, out, from } => run_fetch(*network, out, from),
        WeightsVerb::TrainDemo { out, seed, steps } => {
            if out.metadata().is_ok_and(|facts| facts.is_file() && facts.len() > 0) {
                let there = "it is there already; remove it or name another file";
                return Err(Context::writing(out)(there).into());
            }
            train_demo_teacher(out, *seed, *steps, &mut |step, loss, accuracy| {
                say(&format!("step {step}: loss {loss:.3}, accuracy {accuracy:.3}"));
            })?;
            notice(&format!("weights: {}", out.display()));
            Ok(Exit::Done)
        }
    }
}

/// A report as people read it.
fn told(report: &WeightReport) -> String {
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

/// The network of a name on the command line.
fn network(name: &str) -> Result<Architecture, String> {
    Architecture::named(&name.to_lowercase()).ok_or_else(|| {
        let known = Architecture::ALL.iter().map(Named::name).collect::<Vec<_>>().join(" or ");
        match name.to_lowercase().starts_with("resnet") || name.to_lowercase().starts_with("wide_resnet") {
            true => format!("didact has no teacher of bottleneck blocks yet; it can be {known}"),
            false => format!("a teacher can be {known}"),
        }
    })
}

fn run_fetch(network: Architecture, out: &Path, from: &str) -> Result<Exit, Failure> {
    let published = Published::new(network, from)?;
    let bar = Bar::new(0, "{bytes} of {total_bytes}, {bytes_per_sec}, {msg}");
    let fetched = fetch(&published, out, &mut |done, total| {
        bar.show(done as usize, total.unwrap_or(done) as usize, &published.file);
    });
    bar.close();
    let fetched = fetched?;
    let report = inspect(&WeightSource::File(fetched.path.clone()))?;
    if report.architecture != network {
        let found = format!("it holds a {}, not a {}", report.architecture.title(), network.title());
        return Err(WeightError::format(&fetched.path.display().to_string(), found).into());
    }
    let how = if fetched.already { "was there already" } else { "fetched" };
    print(&format!(
        "{}\nSHA-256 {} ({how})\nUse it with --set teacher.weights={}",
        told(&report),
        fetched.sha256,
        fetched.path.display()
    ))?;
    Ok(Exit::Done)
}
