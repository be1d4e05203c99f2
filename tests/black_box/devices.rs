//! GPUs: one worker each, started from the executable that can use them; what is missing is told before anything starts.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;

use crate::common::{TINY, Workplace};

const SWEEP: [&str; 3] = ["sweep", "tiny.toml", "--no-report"];

/// A workplace with a script in the place of the GPU executable: it writes down how it was started and works on the CPU.
fn with_sibling() -> Workplace {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    let script = format!(
        "#!/bin/sh\necho \"$CUDA_VISIBLE_DEVICES: $*\" >> started.txt\nexec '{}' \"$@\" --device cpu\n",
        env!("CARGO_BIN_EXE_didact")
    );
    let path = place.write("sibling", &script);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("made executable");
    place
}

/// Which GPU each worker saw, and which device it was told.
fn started(place: &Workplace) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(place.path("started.txt")).expect("workers were started");
    let mut workers: Vec<_> = text
        .lines()
        .map(|line| {
            let (seen, arguments) = line.split_once(": ").expect("two parts");
            assert!(arguments.starts_with("worker --sweep "), "{arguments}");
            let device = arguments.split(' ').skip_while(|word| *word != "--device").nth(1).expect("a device");
            (seen.to_owned(), device.to_owned())
        })
        .collect();
    workers.sort();
    workers
}

#[test]
fn every_gpu_that_is_named_gets_a_worker_that_sees_it_alone() {
    let place = with_sibling();
    let sweep = [&SWEEP[..], &["--device", "cuda:0,3"]].concat();
    let outcome = place.command(&sweep).env("DIDACT_CUDA", place.path("sibling")).output().expect("starts");
    let outcome = place.outcome(&outcome);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("2 worker(s) with ") && outcome.stderr.contains(" on cuda:0, cuda:3"),
        "{}",
        outcome.stderr
    );
    let pair = |gpu: &str| (gpu.to_owned(), format!("cuda:{gpu}"));
    assert_eq!(started(&place), [pair("0"), pair("3")]);
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
}

#[test]
fn more_jobs_than_gpus_take_turns_over_them() {
    let place = with_sibling();
    let sweep = [&SWEEP[..], &["--device", "cuda:0,1", "--jobs", "3"]].concat();
    let outcome = place.command(&sweep).env("DIDACT_CUDA", place.path("sibling")).output().expect("starts");
    assert_eq!(outcome.status.code(), Some(0), "{}", place.outcome(&outcome).stderr);
    let seen: Vec<_> = started(&place).into_iter().map(|(gpu, _)| gpu).collect();
    assert_eq!(seen, ["0", "0", "1"]);
}

#[test]
fn without_the_executable_or_a_gpu_a_sweep_is_refused_or_runs_on_the_cpu() {
    let place = with_sibling();
    let run = |device: &str, sibling: &str| {
        let sweep = [&SWEEP[..], &["--device", device]].concat();
        let output = place.command(&sweep).env("DIDACT_CUDA", place.path(sibling)).output().expect("starts");
        place.outcome(&output)
    };
    let absent = run("cuda:0", "absent");
    assert_eq!(absent.code, Some(2));
    assert!(absent.stderr.contains("needs the executable didact-cuda"), "{}", absent.stderr);
    assert!(!place.path("didact.db").exists(), "nothing was started");
    // Where there are GPUs, these two would find them.
    if !std::path::Path::new("/dev/nvidia0").exists() {
        let no_gpu = run("cuda", "sibling");
        assert_eq!(no_gpu.code, Some(2));
        assert!(no_gpu.stderr.contains("there is no NVIDIA device (/dev/nvidia0)"), "{}", no_gpu.stderr);
        let auto = run("auto", "sibling");
        assert_eq!(auto.code, Some(0), "{}", auto.stderr);
        assert!(!place.path("started.txt").exists(), "the CPU needs no other executable");
    }
}
