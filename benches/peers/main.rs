//! didact beside PyTorch on the same work: `cargo bench --bench peers -- [--python PYTHON | --parts] [ROW…]`.
//!
//! Both sides get the same number of threads, one after the other. Training steps of didact read cached teacher features, as
//! every epoch does; PyTorch's include the teacher's forward pass. `--parts` shows instead what each part of didact's steps takes, and
//! how fast it multiplies beside this machine's matrix products.

#![expect(clippy::print_stdout, reason = "the output is the table")]

mod parts;
mod work;

use std::time::Instant;

use didact::data::FeatureSet;
use parts::Parts;
use rayon::prelude::*;
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
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

/// One step of a row.
fn ours<'s>(row: &str, set: &'s FeatureSet) -> Box<dyn FnMut() + 's> {
    let indices: Vec<usize> = (0..BATCH).collect();
    if row == "pretrain_step" {
        let mut pretrain = Pretrain::new(set);
        return Box::new(move || pretrain.step(&indices));
    }
    let mut joint = Joint::new(set, row != "stfpm_step" && row != "inference");
    match row {
        "inference" | "inference_unets" => Box::new(move || {
            joint.infer(&indices);
        }),
        _ => Box::new(move || joint.step(&indices)),
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

/// 10⁹ floating-point operations a second of matrix products that fit a core's cache, on all threads.
fn gemm_peak() -> f64 {
    const SIDE: usize = 384;
    const PRODUCTS: usize = 200;
    let factor = vec![1.0_f32; SIDE * SIDE];
    let seconds = median(|| {
        (0..THREADS).into_par_iter().for_each(|_| {
            let mut product = vec![0.0_f32; SIDE * SIDE];
            for _ in 0..PRODUCTS {
                let side = SIDE as isize;
                // SAFETY: three buffers of SIDE × SIDE values, row-major, the product's not shared.
                unsafe {
                    gemm::gemm(
                        SIDE,
                        SIDE,
                        SIDE,
                        product.as_mut_ptr(),
                        1,
                        side,
                        false,
                        factor.as_ptr(),
                        1,
                        side,
                        factor.as_ptr(),
                        1,
                        side,
                        0.0,
                        1.0,
                        false,
                        false,
                        false,
                        gemm::Parallelism::None,
                    );
                }
            }
        });
    });
    2e-9 * (THREADS * PRODUCTS * SIDE.pow(3)) as f64 / seconds
}

/// The parts of each row's step.
fn print_parts(rows: &[&str], set: &FeatureSet) {
    let parts = Parts::default();
    tracing_subscriber::registry().with(parts.clone()).init();
    let peak = gemm_peak();
    println!("matrix products: {peak:.0} GFLOP/s");
    for row in rows {
        let mut step = ours(row, set);
        (0..2).for_each(|_| step());
        parts.take();
        let started = Instant::now();
        (0..REPEATS).for_each(|_| step());
        let milliseconds = |seconds: f64| 1e3 * seconds / REPEATS as f64;
        let mut rest = milliseconds(started.elapsed().as_secs_f64());
        println!("{row}: {rest:.1} ms");
        for (name, spent) in parts.take() {
            let own = milliseconds(spent.time.as_secs_f64());
            rest -= own;
            let speed = 2e-6 * spent.multiply_accumulates as f64 / REPEATS as f64 / own;
            match spent.multiply_accumulates {
                0 => println!("  {name:<30} {own:>7.1} ms"),
                _ => println!("  {name:<30} {own:>7.1} ms  {speed:>4.0} GFLOP/s  {:.2} of the products'", speed / peak),
            }
        }
        println!("  {:<30} {rest:>7.1} ms", "the rest");
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (mut python, mut show_parts, mut wanted) = (None, false, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--python" => python = arguments.next(),
            "--parts" => show_parts = true,
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
    if show_parts {
        print_parts(&names, &set);
        let _ = std::fs::remove_dir_all(&folder);
        return;
    }
    let peers = python.map(|python| theirs(&python, &names));
    println!("{:<16} {:>10} {:>10} {:>7}  must  aim", "batch 8, 256 px", "didact ms", "PyTorch ms", "ratio");
    for (name, must, aim) in rows {
        let ours = 1e3 * median(ours(name, &set));
        let theirs =
            peers.as_ref().and_then(|peers| peers["rows"][name]["seconds"].as_f64()).map(|seconds| 1e3 * seconds);
        let shown =
            |value: Option<f64>, digits: usize| value.map_or("-".to_owned(), |value| format!("{value:.digits$}"));
        let ratio = shown(theirs.map(|theirs| ours / theirs), 2);
        println!("{name:<16} {ours:>10.1} {:>10} {ratio:>7}  {must:.2}  {aim:.2}", shown(theirs, 1));
    }
    let _ = std::fs::remove_dir_all(&folder);
}
