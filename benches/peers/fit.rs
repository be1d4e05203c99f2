//! Times a whole training of ST-FPM on real images: `didact sweep` and the tuned PyTorch script.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::{THREADS, is_benchmark, pytorch_command, side};

/// Passes over the training part; one in a test.
const EPOCHS: usize = 40;

/// The images and the teacher of a fit.
pub struct Fit {
    data: PathBuf,
    weights: PathBuf,
    epochs: usize,
}

impl Fit {
    /// Returns the fit on hazelnut below `DIDACT_TEST_DATA`, or `None` without these images.
    pub fn open() -> Option<Self> {
        let data = std::env::var_os("DIDACT_TEST_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
        let data = data.canonicalize().ok()?;
        let weights = data.join("resnet18_in1k_stem-layer3_bnfolded.safetensors");
        let exists = data.join("hazelnut").is_dir() && weights.is_file();
        let epochs = if is_benchmark() { EPOCHS } else { 1 };
        exists.then_some(Self { data, weights, epochs })
    }

    /// Runs a sweep of one run, and returns its seconds: planning, features, training, scoring and metrics.
    pub fn didact(&self, folder: &Path) -> f64 {
        let file = folder.join("fit.toml");
        let (data, weights, epochs, side) = (self.data.display(), self.weights.display(), self.epochs, side());
        let sweep = format!(
            "schema = 1\nname = \"fit\"\n[data]\nlayout = \"mvtec\"\nroot = \"{data}\"\ncategories = [\"hazelnut\"]\nimage_size = {side}\n\
             [teacher]\nweights = \"{weights}\"\n[model]\nautoencoder = \"none\"\n\
             [joint]\nrecipe = \"stfpm-official\"\nepochs = {epochs}\nbatch_size = 8\n\
             [search]\nseeds = [0]\n[baseline]\nrerun = false\n"
        );
        std::fs::write(&file, sweep).expect("disk space");
        let started = Instant::now();
        let status = Command::new(env!("CARGO_BIN_EXE_didact"))
            .args(["sweep", "fit.toml", "--no-report", "--jobs", "1", "--device", "cpu"])
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("didact starts");
        assert!(status.success(), "the sweep failed");
        started.elapsed().as_secs_f64()
    }

    /// Runs the script, and returns the seconds of its training with the teacher's features.
    pub fn pytorch(&self, python: &str) -> f64 {
        let output = pytorch_command(python, "stfpm.py")
            .arg(self.data.join("hazelnut"))
            .arg(&self.weights)
            .args(["--tuned", "--epochs", &self.epochs.to_string(), "--threads", &THREADS.to_string()])
            .stderr(Stdio::inherit())
            .output()
            .expect("python starts");
        assert!(output.status.success(), "{python} failed");
        let result: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        result["fit_seconds"].as_f64().expect("seconds")
    }
}
