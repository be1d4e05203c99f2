//! didact beside PyTorch on the same work: `cargo bench --bench peers -- [--python PYTHON | --parts] [ROW…]`.
//!
//! Both sides get the same number of threads, and take their steps in turn. Training steps of didact read cached teacher features, as
//! every epoch does; PyTorch's include the teacher's forward pass. `--parts` shows instead what each part of didact's steps takes, and
//! how fast it multiplies beside this machine's matrix products.

#![expect(clippy::print_stdout, reason = "the output is the table")]

mod metrics;
mod parts;
mod peak;
mod work;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use didact::data::FeatureSet;
use didact::schedule::{huge_pages_variable, keep_freed_memory, peak_rss};
use metrics::TestSet;
use parts::Parts;
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use work::{Joint, Pretrain};

const BATCH: usize = 8;
const SIDE: usize = 256;
const THREADS: usize = 2;
/// Cargo's flag for benches that are to be measured.
const BENCH: &str = "--bench";
/// Names of the rows, with what they may take and what they should, as parts of what PyTorch takes.
const ROWS: [(&str, f64, f64); 7] = [
    ("stfpm_step", 0.75, 0.50),
    ("joint_step", 0.80, 0.55),
    ("pretrain_step", 0.60, 0.45),
    ("inference", 0.90, 0.60),
    ("inference_unets", 0.90, 0.60),
    ("metrics", 0.20, 0.10),
    (PEAK, 1.00, 0.70),
];
/// The row of the joint step's memory: in a process that does nothing else.
const PEAK: &str = "peak_rss_bytes";
/// What that process is told.
const STEP_ONLY: &str = "--joint-steps-only";

/// Seconds of one step.
fn seconds(step: &mut dyn FnMut()) -> f64 {
    let started = Instant::now();
    step();
    started.elapsed().as_secs_f64()
}

/// Rounds of warming up, and rounds that count: as many as PyTorch's, or one each where this only runs as a test.
fn rounds() -> (usize, usize) {
    if std::env::args().any(|argument| argument == BENCH) { (3, 10) } else { (1, 1) }
}

/// Seconds of each of the steps, those of warming up first.
fn repeat(step: &mut dyn FnMut()) -> Vec<f64> {
    let (warm_up, counted) = rounds();
    (0..warm_up + counted).map(|_| seconds(step)).collect()
}

/// The median without those of warming up.
fn median(seconds: &[f64]) -> f64 {
    let mut seconds = seconds[rounds().0..].to_vec();
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// One step of a row.
fn step<'s>(row: &str, set: &'s FeatureSet) -> Box<dyn FnMut() + 's> {
    let indices: Vec<usize> = (0..BATCH).collect();
    match row {
        "pretrain_step" => {
            let mut pretrain = Pretrain::new(set);
            Box::new(move || pretrain.step(&indices))
        }
        "metrics" => {
            let test = TestSet::new();
            Box::new(move || {
                std::hint::black_box(test.measure());
            })
        }
        "inference" | "inference_unets" => {
            let mut joint = Joint::new(set, row == "inference_unets");
            Box::new(move || {
                joint.infer(&indices);
            })
        }
        _ => {
            let mut joint = Joint::new(set, row != "stfpm_step");
            Box::new(move || joint.step(&indices))
        }
    }
}

/// The most memory, bytes, of a process that takes joint steps alone.
fn joint_peak() -> f64 {
    let this = std::env::current_exe().expect("this program");
    let output = Command::new(this)
        .arg(STEP_ONLY)
        .args(std::env::args().filter(|argument| argument == BENCH))
        .stderr(Stdio::inherit())
        .output()
        .expect("starts");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("bytes")
}

/// PyTorch's numbers for a row. Before each of its repeats it is didact's `turn`: a slow moment of the machine hits both.
fn theirs(python: &str, row: &str, mut turn: impl FnMut()) -> Value {
    let mut child = Command::new(python)
        .args(["benches/pytorch/steps.py", "--in-turn", "--rows", row])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut answers = child.stdin.take().expect("piped");
    let mut last = String::new();
    for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
        last = line.expect("text");
        if last == "turn" {
            turn();
            writeln!(answers).expect("python listens");
        }
    }
    assert!(child.wait().expect("python ends").success(), "{python} failed");
    serde_json::from_str(&last).expect("one JSON object")
}

/// PyTorch's seconds, or bytes.
fn their_value(peers: &Value, row: &str) -> Option<f64> {
    match row {
        PEAK => peers[PEAK]["peak"].as_f64(),
        "metrics" => {
            Some(peers["metrics"]["pixel_auroc"]["seconds"].as_f64()? + peers["metrics"]["aupro"]["seconds"].as_f64()?)
        }
        _ => peers["rows"][row]["seconds"].as_f64(),
    }
}

/// What a row took of ours, and of theirs.
fn measure(row: &str, set: &FeatureSet, python: Option<&str>) -> (f64, Option<f64>) {
    if row == PEAK {
        return (joint_peak(), python.and_then(|python| their_value(&theirs(python, row, || ()), row)));
    }
    let mut step = step(row, set);
    let Some(python) = python else { return (median(&repeat(&mut *step)), None) };
    let mut ours = Vec::new();
    let theirs = theirs(python, row, || ours.push(seconds(&mut *step)));
    (median(&ours), their_value(&theirs, row))
}

fn print_table(rows: &[(&str, f64, f64)], set: &FeatureSet, python: Option<&str>) {
    println!("{:<16} {:>10} {:>10} {:>7}  must  aim", "batch 8, 256 px", "didact", "PyTorch", "ratio");
    for &(name, must, aim) in rows {
        let (factor, unit) = if name == PEAK { (1e-6, "MB") } else { (1e3, "ms") };
        let (ours, theirs) = measure(name, set, python);
        let theirs_shown = theirs.map_or("-".to_owned(), |theirs| format!("{:.1} {unit}", factor * theirs));
        let ratio = theirs.map_or("-".to_owned(), |theirs| format!("{:.2}", ours / theirs));
        let ours_shown = format!("{:.1} {unit}", factor * ours);
        println!("{name:<16} {ours_shown:>10} {theirs_shown:>10} {ratio:>7}  {must:.2}  {aim:.2}");
    }
}

/// The parts of each row's step.
fn print_parts(rows: &[(&str, f64, f64)], set: &FeatureSet) {
    let parts = Parts::default();
    tracing_subscriber::registry().with(parts.clone()).init();
    let peak = peak::matrix_products(THREADS);
    println!("matrix products: {peak:.0} GFLOP/s");
    for &(row, ..) in rows.iter().filter(|(row, ..)| ![PEAK, "metrics"].contains(row)) {
        let mut step = step(row, set);
        let (warm_up, counted) = rounds();
        (0..warm_up).for_each(|_| step());
        parts.take();
        let started = Instant::now();
        (0..counted).for_each(|_| step());
        let milliseconds = |seconds: f64| 1e3 * seconds / counted as f64;
        let mut rest = milliseconds(started.elapsed().as_secs_f64());
        println!("{row}: {rest:.1} ms");
        for (name, spent) in parts.take() {
            let own = milliseconds(spent.time.as_secs_f64());
            rest -= own;
            let speed = 2e-6 * spent.multiply_accumulates as f64 / counted as f64 / own;
            match spent.multiply_accumulates {
                0 => println!("  {name:<30} {own:>7.1} ms"),
                _ => println!("  {name:<30} {own:>7.1} ms  {speed:>4.0} GFLOP/s  {:.2} of the products'", speed / peak),
            }
        }
        println!("  {:<30} {rest:>7.1} ms", "the rest");
    }
}

/// Starts this program again with the environment that a sweep gives its workers.
#[cfg(unix)]
fn as_a_worker() {
    use std::os::unix::process::CommandExt;
    if let Some(setting) = huge_pages_variable() {
        let this = std::env::current_exe().expect("this program");
        let error = Command::new(this).args(std::env::args().skip(1)).envs([setting]).exec();
        panic!("cannot start again: {error}");
    }
}

#[cfg(not(unix))]
fn as_a_worker() {}

fn with_noise(folder: &Path, work: impl FnOnce(&FeatureSet)) {
    std::fs::create_dir_all(folder).expect("room");
    work::write_noise(folder, 2 * BATCH, SIDE);
    work(&FeatureSet::open(folder).expect("features"));
    let _ = std::fs::remove_dir_all(folder);
}

fn main() {
    as_a_worker();
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != BENCH);
    let (mut python, mut show_parts, mut step_only, mut wanted) = (None, false, false, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--python" => python = arguments.next(),
            "--parts" => show_parts = true,
            STEP_ONLY => step_only = true,
            _ => wanted.push(argument),
        }
    }
    let rows: Vec<_> =
        ROWS.into_iter().filter(|(name, ..)| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name)).collect();
    rayon::ThreadPoolBuilder::new().num_threads(THREADS).build_global().expect("threads");
    keep_freed_memory();
    let folder = std::env::temp_dir().join(format!("didact-peers-{}", std::process::id()));
    with_noise(&folder, |set| {
        if step_only {
            let mut step = step("joint_step", set);
            repeat(&mut *step);
            return println!("{}", peak_rss().expect("Linux"));
        }
        if show_parts {
            return print_parts(&rows, set);
        }
        print_table(&rows, set, python.as_deref());
    });
}
