//! didact beside PyTorch on the same work: `cargo bench --bench peers -- [--python PYTHON] [ROW…]`.
//!
//! Both sides get the same number of threads, one after the other. Training steps of didact read cached teacher features, as
//! every epoch does; PyTorch's include the teacher's forward pass.

#![expect(clippy::print_stdout, reason = "the output is the table")]

mod work;

use std::time::Instant;

use didact::data::FeatureSet;
use serde_json::Value;
use work::{Joint, Pretrain};

const BATCH: usize = 8;
const SIDE: usize = 256;
const THREADS: usize = 2;
const REPEATS: usize = 10;
/// Names of the rows, with what they may take and what they should, as parts of PyTorch's time.
const ROWS: [(&str, f64, f64); 5] = [
    ("stfpm_step", 0.75, 0.50),
    ("joint_step", 0.80, 0.55),
    ("pretrain_step", 0.60, 0.45),
    ("inference", 0.90, 0.60),
    ("inference_unets", 0.90, 0.60),
];

/// The median of several times, seconds, after warming up.
fn median(mut step: impl FnMut()) -> f64 {
    (0..2).for_each(|_| step());
    let mut seconds: Vec<f64> = (0..REPEATS)
        .map(|_| {
            let started = Instant::now();
            step();
            started.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[REPEATS / 2]
}

fn ours(row: &str, set: &FeatureSet) -> f64 {
    let indices: Vec<usize> = (0..BATCH).collect();
    let mut joint = Joint::new(set, row != "stfpm_step" && row != "inference");
    match row {
        "pretrain_step" => {
            let mut pretrain = Pretrain::new(set);
            median(|| pretrain.step(&indices))
        }
        "inference" | "inference_unets" => median(|| {
            joint.infer(&indices);
        }),
        _ => median(|| joint.step(&indices)),
    }
}

/// PyTorch's seconds for the same rows.
fn theirs(python: &str, rows: &[&str]) -> Value {
    let output = std::process::Command::new(python)
        .args(["benches/pytorch/steps.py", "--rows"])
        .args(rows)
        .stderr(std::process::Stdio::inherit())
        .output()
        .expect("python starts");
    assert!(output.status.success(), "{python} failed");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (mut python, mut wanted) = (None, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--python" => python = arguments.next(),
            _ => wanted.push(argument),
        }
    }
    let rows: Vec<_> =
        ROWS.into_iter().filter(|(name, ..)| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name)).collect();
    rayon::ThreadPoolBuilder::new().num_threads(THREADS).build_global().expect("threads");
    didact::schedule::keep_freed_memory();
    let folder = std::env::temp_dir().join(format!("didact-peers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("room");
    work::write_noise(&folder, 2 * BATCH, SIDE);
    let set = FeatureSet::open(&folder).expect("features");
    let names: Vec<&str> = rows.iter().map(|(name, ..)| *name).collect();
    let peers = python.map(|python| theirs(&python, &names));
    println!("{:<16} {:>10} {:>10} {:>7}  must  aim", "batch 8, 256 px", "didact ms", "PyTorch ms", "ratio");
    for (name, must, aim) in rows {
        let ours = 1e3 * ours(name, &set);
        let theirs =
            peers.as_ref().and_then(|peers| peers["rows"][name]["seconds"].as_f64()).map(|seconds| 1e3 * seconds);
        let shown =
            |value: Option<f64>, digits: usize| value.map_or("-".to_owned(), |value| format!("{value:.digits$}"));
        let ratio = shown(theirs.map(|theirs| ours / theirs), 2);
        println!("{name:<16} {ours:>10.1} {:>10} {ratio:>7}  {must:.2}  {aim:.2}", shown(theirs, 1));
    }
    let _ = std::fs::remove_dir_all(&folder);
}
