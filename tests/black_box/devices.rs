//! GPUs: workers run from the GPU executable. A missing GPU or executable is reported before anything starts.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;

use crate::common::{CommandOutcome, TINY, Workplace};

const SWEEP: [&str; 3] = ["sweep", "tiny.toml", "--no-report"];

/// Creates a workplace with a script as GPU executable. The script reports four GPUs, records its arguments, and works on the
/// CPU.
fn with_sibling() -> Workplace {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    let gpu = |index: u32| format!(r#"{{"index":{index},"name":"Made up","capability":"9.0","memory":85899345920}}"#);
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = devices ]; then echo '[{}]'; exit; fi\n\
         echo \"$*\" >> started.txt\nexec '{}' \"$@\" --device cpu\n",
        (0..4).map(gpu).collect::<Vec<_>>().join(","),
        env!("CARGO_BIN_EXE_didact")
    );
    executable(&place, "sibling", &script);
    place
}

fn executable(place: &Workplace, name: &str, script: &str) {
    let path = place.write(name, script);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("made executable");
}

/// Returns the value of a flag for each worker that was started.
fn started(place: &Workplace, flag: &str) -> Vec<String> {
    let text = std::fs::read_to_string(place.path("started.txt")).expect("workers were started");
    let mut workers: Vec<_> = text
        .lines()
        .map(|arguments| {
            assert!(arguments.starts_with("worker --sweep "), "{arguments}");
            arguments.split(' ').skip_while(|word| *word != flag).nth(1).expect("the flag").to_owned()
        })
        .collect();
    workers.sort();
    workers
}

fn sweep(place: &Workplace, sibling: &str, flags: &[&str]) -> CommandOutcome {
    let output =
        place.command(&[&SWEEP[..], flags].concat()).env("DIDACT_CUDA", place.path(sibling)).output().expect("starts");
    place.outcome(&output)
}

#[test]
fn every_requested_gpu_gets_a_worker() {
    let place = with_sibling();
    let outcome = sweep(&place, "sibling", &["--device", "cuda:0,3", "--device-memory", "2G"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("2 worker(s) with ") && outcome.stderr.contains(" on cuda:0, cuda:3"),
        "{}",
        outcome.stderr
    );
    assert_eq!(started(&place, "--device"), ["cuda:0", "cuda:3"]);
    assert_eq!(started(&place, "--device-memory"), ["2147483648", "2147483648"]);
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
}

#[test]
fn more_jobs_than_gpus_are_assigned_in_turn() {
    let place = with_sibling();
    let outcome = sweep(&place, "sibling", &["--device", "cuda:0,1", "--jobs", "3"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(started(&place, "--device"), ["cuda:0", "cuda:0", "cuda:1"]);
}

#[test]
fn a_gpu_can_have_several_workers() {
    let place = with_sibling();
    let outcome = sweep(&place, "sibling", &["--device", "cuda:2", "--workers-per-gpu", "2"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(started(&place, "--device"), ["cuda:2", "cuda:2"]);
}

#[test]
fn auto_uses_the_available_gpus() {
    let place = with_sibling();
    let outcome = sweep(&place, "sibling", &["--device", "auto"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(started(&place, "--device"), ["cuda:0", "cuda:1", "cuda:2", "cuda:3"]);
}

#[test]
fn settings_that_need_a_gpu_are_refused_on_the_cpu() {
    let place = with_sibling();
    place.write("tiny.toml", &TINY.replacen("schema = 1", "schema = 1\nnumerics = \"tf32\"", 1));
    let refused = sweep(&place, "sibling", &["--device", "cpu"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("the CPU computes in 32-bit floats"), "{}", refused.stderr);
    assert!(!place.path("didact.db").exists(), "nothing was started");
    // The simulated GPU is a CPU, and its worker refuses the settings as well.
    let outcome = sweep(&place, "sibling", &["--device", "cuda:0"]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert_eq!(place.query("SELECT DISTINCT json_extract(content, '$.numerics') FROM protocol"), ["tf32"]);
    assert_eq!(place.query("SELECT DISTINCT state FROM stage"), ["pending"]);
}

/// An executable that cannot start, because the loader does not find a library.
const UNLOADABLE: &str = "#!/bin/sh\necho 'didact-cuda: error while loading shared libraries: libcuda.so.1: cannot open shared \
object file: No such file or directory' >&2\nexit 127\n";

#[test]
fn without_a_usable_gpu_a_sweep_is_refused_or_runs_on_the_cpu() {
    let place = with_sibling();
    executable(&place, "unloadable", UNLOADABLE);
    executable(&place, "blind", "#!/bin/sh\necho '[]'\n");
    let refused = |sibling: &str, device: &str, reason: &str| {
        let outcome = sweep(&place, sibling, &["--device", device]);
        assert_eq!(outcome.code, Some(4), "the machine lacks the GPU; the command line is valid");
        assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
        assert!(!place.path("didact.db").exists(), "nothing was started");
    };
    refused("absent", "cuda:0", "needs the executable `didact-cuda`");
    refused("sibling", "cuda:7", "no such GPU; available: cuda:0, cuda:1, cuda:2, cuda:3");
    refused("unloadable", "cuda", "libcuda.so.1: cannot open shared object file");
    refused("blind", "cuda", "the NVIDIA driver reports none");

    let auto = sweep(&place, "unloadable", &["--device", "auto"]);
    assert_eq!(auto.code, Some(0), "{}", auto.stderr);
    assert!(auto.stderr.contains("running on the CPU") && auto.stderr.contains("libcuda.so.1"), "{}", auto.stderr);
    assert!(auto.stderr.contains(" on cpu\n"), "{}", auto.stderr);
    assert!(!place.path("started.txt").exists(), "the CPU needs no other executable");
}
