//! GPUs, with the emulated driver in the folder that `DIDACT_EMULATION` names (`just test-emulation`); and what happens without any.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{CommandOutcome, TINY, Workplace};

const SWEEP: [&str; 3] = ["sweep", "tiny.toml", "--no-report"];

/// Returns the folder of the emulated driver, or reports that the test was skipped.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn emulation(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DIDACT_EMULATION").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED {test}: DIDACT_EMULATION names no folder with the emulated driver; see just test-emulation");
    }
    folder
}

fn workplace() -> Workplace {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place
}

/// Returns a command that finds the emulated driver, with these settings of the emulation.
fn emulated(place: &Workplace, driver: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = place.command(arguments);
    command.env("LD_LIBRARY_PATH", driver).envs(settings.iter().copied());
    command
}

fn sweep(place: &Workplace, driver: &Path, flags: &[&str], settings: &[(&str, &str)]) -> CommandOutcome {
    let output = emulated(place, driver, &[&SWEEP[..], flags].concat(), settings).output().expect("starts");
    place.outcome(&output)
}

/// Returns the devices of the attempts.
fn devices(place: &Workplace) -> Vec<String> {
    place.query("SELECT DISTINCT device FROM attempt ORDER BY device")
}

#[test]
fn every_requested_gpu_gets_a_worker() {
    let Some(driver) = emulation("every_requested_gpu_gets_a_worker") else { return };
    let place = workplace();
    let flags = ["--device", "cuda:0,3", "--device-memory", "256M"];
    let outcome = sweep(&place, &driver, &flags, &[("EMULATION_DEVICES", "4")]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("2 workers with ") && outcome.stderr.contains(" on cuda:0, cuda:3"),
        "{}",
        outcome.stderr
    );
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
    let used = devices(&place);
    assert!(!used.is_empty() && used.iter().all(|device| ["cuda:0", "cuda:3"].contains(&device.as_str())), "{used:?}");
}

#[test]
fn auto_uses_gpus_and_several_workers_share_one() {
    let Some(driver) = emulation("auto_uses_gpus_and_several_workers_share_one") else { return };
    let place = workplace();
    let outcome = sweep(&place, &driver, &["--device", "auto", "--workers-per-gpu", "2"], &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("2 workers with ") && outcome.stderr.contains(" on cuda:0\n"),
        "{}",
        outcome.stderr
    );
    assert_eq!(devices(&place), ["cuda:0"]);
}

#[test]
fn results_on_a_gpu_have_the_same_bits_with_graphs_and_without_and_in_every_order_of_threads() {
    let Some(driver) = emulation("results_on_a_gpu_have_the_same_bits") else { return };
    let settings: [&[(&str, &str)]; 3] =
        [&[], &[("DIDACT_CUDA_TESTING", "eager")], &[("EMULATION_ORDER", "random:5"), ("EMULATION_LAZY", "1")]];
    let [graphs, eager, disordered] = settings.map(|settings| {
        let place = workplace();
        let outcome = sweep(&place, &driver, &["--device", "cuda"], settings);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let exported = place.succeed(&["export", "tiny", "--format", "csv"]).stdout;
        let kept: Vec<String> = exported.lines().filter(|line| !is_cost(line)).map(str::to_owned).collect();
        assert!(kept.len() > 10);
        kept
    });
    assert_eq!(graphs, eager);
    assert_eq!(graphs, disordered);
}

/// Returns whether a row of an export is a time, a rate or an amount of memory.
fn is_cost(line: &str) -> bool {
    ["seconds", "milliseconds", "per_second", "bytes", "threads"].iter().any(|cost| line.contains(cost))
}

#[test]
fn a_device_without_memory_fails_its_stage_as_out_of_memory() {
    let Some(driver) = emulation("a_device_without_memory") else { return };
    let place = workplace();
    let outcome = sweep(&place, &driver, &["--device", "cuda"], &[("EMULATION_MEMORY", "2000000")]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    let classes = place.query("SELECT DISTINCT failure_class FROM attempt WHERE failure_class IS NOT NULL");
    assert!(classes.iter().any(|class| class.contains("oom")), "{classes:?} {}", outcome.stderr);
}

#[test]
fn devices_check_and_predict_use_the_gpu() {
    let Some(driver) = emulation("devices_check_and_predict_use_the_gpu") else { return };
    let place = workplace();
    let run = |arguments: &[&str]| {
        let output = emulated(&place, &driver, arguments, &[("EMULATION_DEVICES", "2")]).output().expect("starts");
        place.outcome(&output)
    };
    let listed = run(&["devices"]);
    assert!(listed.stdout.contains("cuda:1") && listed.stdout.contains("8.0"), "{}", listed.stdout);
    let json: serde_json::Value = serde_json::from_str(&run(&["devices", "--json"]).stdout).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(2));
    let checked = run(&["check", "--device", "cuda:1"]);
    assert_eq!(checked.code, Some(0), "{}", checked.stdout);
    assert!(checked.stdout.contains("0 of "), "{}", checked.stdout);
    let checked = run(&["check", "--device", "cuda:1", "--tf32"]);
    assert!(checked.stdout.contains("largest error with TF32"), "{}", checked.stdout);

    place.succeed(&["sweep", "tiny.toml", "--no-report", "--device", "cpu"]);
    let id = place.query("SELECT id FROM run LIMIT 1").remove(0);
    place.succeed(&["data", "synth", "images", "--side", "32"]);
    let scores = |device: &str| {
        let outcome = run(&["predict", &id, "images", "--out", device, "--device", device]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let text = std::fs::read_to_string(place.path(device).join("scores.json")).expect("scores");
        let scores: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let images = scores["images"].as_array().expect("a list").clone();
        images.iter().map(|image| image["score"].as_f64().expect("a number")).collect::<Vec<f64>>()
    };
    let (on_gpu, on_cpu) = (scores("cuda:1"), scores("cpu"));
    assert!(!on_gpu.is_empty() && on_gpu.len() == on_cpu.len());
    assert!(on_gpu.iter().zip(&on_cpu).all(|(a, b)| (a - b).abs() < 1e-4 * b.abs().max(1e-3)), "{on_gpu:?} {on_cpu:?}");
}

#[test]
fn settings_that_need_a_gpu_are_refused_on_the_cpu() {
    let place = workplace();
    place.write("tiny.toml", &TINY.replacen("schema = 1", "schema = 1\nnumerics = \"tf32\"", 1));
    let refused = place.run(&[&SWEEP[..], &["--device", "cpu"]].concat());
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("the CPU computes in 32-bit floats"), "{}", refused.stderr);
    assert!(!place.path("didact.db").exists(), "nothing was started");
}

#[test]
fn a_gpu_that_is_not_there_is_reported_before_anything_starts() {
    let Some(driver) = emulation("a_gpu_that_is_not_there") else { return };
    let place = workplace();
    let refused = |device: &str, settings: &[(&str, &str)], reason: &str| {
        let outcome = sweep(&place, &driver, &["--device", device], settings);
        assert_eq!(outcome.code, Some(4), "the machine lacks the GPU; the command line is valid: {}", outcome.stderr);
        assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
        assert!(!place.path("didact.db").exists(), "nothing was started");
    };
    refused("cuda:7", &[("EMULATION_DEVICES", "2")], "no such GPU; available: cuda:0, cuda:1");
    refused("cuda", &[("EMULATION_DRIVER_VERSION", "11080")], "install driver 525 or later");
    refused("cuda", &[("EMULATION_DEVICES", "0")], "CUDA_ERROR_NO_DEVICE");
    let auto = sweep(&place, &driver, &["--device", "auto"], &[("EMULATION_DRIVER_VERSION", "11080")]);
    assert_eq!(auto.code, Some(0), "{}", auto.stderr);
    assert!(auto.stderr.contains("running on the CPU") && auto.stderr.contains("525"), "{}", auto.stderr);
    assert!(auto.stderr.contains(" on cpu\n"), "{}", auto.stderr);
}

#[test]
fn without_a_driver_everything_works_on_the_cpu() {
    let place = workplace();
    let devices = place.run(&["devices"]);
    if devices.stdout.contains("cuda:") {
        // This machine has a GPU: the other tests are for it.
        return;
    }
    assert_eq!(devices.code, Some(0));
    assert!(devices.stdout.contains("cpu") && devices.stderr.contains("no GPU: "), "{}", devices.stderr);
    let refused = place.run(&[&SWEEP[..], &["--device", "cuda"]].concat());
    assert_eq!(refused.code, Some(4));
    assert!(
        refused.stderr.contains("--device cuda") && refused.stderr.contains("use --device cpu or auto"),
        "{}",
        refused.stderr
    );
    assert!(!place.path("didact.db").exists(), "nothing was started");
    assert_eq!(place.run(&["check"]).code, Some(0), "the CPU agrees with PyTorch");
}

/// Returns the loader's path with the emulated driver and cuDNN.
fn with_cudnn(driver: &Path) -> String {
    format!("{0}:{0}/cudnn", driver.display())
}

#[test]
fn cudnn_computes_convolutions_if_it_is_asked_to_and_attempts_record_it() {
    let Some(driver) = emulation("cudnn_computes_convolutions") else { return };
    let place = workplace();
    let path = with_cudnn(&driver);
    let flags = ["--device", "cuda", "--convolutions", "cudnn"];
    let outcome = sweep(&place, &driver, &flags, &[("LD_LIBRARY_PATH", &path)]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let recorded = || place.query("SELECT DISTINCT convolutions FROM attempt ORDER BY convolutions");
    assert_eq!(recorded(), ["cudnn: cuDNN 9.10.2 on emulated GPU"]);
    // f32 stays with own kernels.
    let place = workplace();
    let outcome = sweep(&place, &driver, &["--device", "cuda"], &[("LD_LIBRARY_PATH", &path)]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(place.query("SELECT DISTINCT convolutions FROM attempt"), ["own"]);
}

#[test]
fn a_missing_old_or_useless_cudnn_is_reported() {
    let Some(driver) = emulation("a_missing_old_or_useless_cudnn") else { return };
    let place = workplace();
    let flags = ["--device", "cuda", "--convolutions", "cudnn"];
    let missing = sweep(&place, &driver, &flags, &[]);
    assert!(missing.code != Some(0) && missing.stderr.contains("there is no cuDNN 9"), "{}", missing.stderr);
    let path = with_cudnn(&driver);
    let old = sweep(&place, &driver, &flags, &[("LD_LIBRARY_PATH", &path), ("EMULATION_CUDNN_VERSION", "8907")]);
    assert!(old.code != Some(0) && old.stderr.contains("has version 8907"), "{}", old.stderr);
    let on_cpu = sweep(&place, &driver, &["--device", "cpu", "--convolutions", "cudnn"], &[]);
    assert!(on_cpu.code != Some(0) && on_cpu.stderr.contains("needs a GPU"), "{}", on_cpu.stderr);
}
