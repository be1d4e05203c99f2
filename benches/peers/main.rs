//! Compares didact with PyTorch on the same work: `cargo bench --bench peers -- [--python PYTHON | --parts] [ROW…]`.
//!
//! Both sides use the same number of threads and take their steps in turn. Training steps of didact read cached teacher features, as in
//! every epoch. PyTorch's are timed twice: with the teacher's forward pass, as scripts usually train, and on cached features, as a tuned
//! script trains.
//!
//! With `--parts`, the benchmark shows the time of each part of didact's steps instead, with its traffic and its arithmetic. It relates them to
//! the machine's memory bandwidth and matrix products.

#![expect(clippy::print_stdout, reason = "the output is the table")]

mod fit;
mod metrics;
mod parts;
mod peak;
mod work;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use didact::data::FeatureSet;
use didact::model::Architecture;
use didact::schedule::{huge_pages_variable, keep_freed_memory, peak_rss};
use fit::Fit;
use metrics::TestSet;
use parts::{Parts, Spent};
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use work::{Joint, Pretrain, Work};

const BATCH: usize = 8;
const THREADS: usize = 2;
/// Flag that cargo passes when it runs benchmarks.
const BENCH: &str = "--bench";
/// Names of the rows, each with its limit and its target as ratios to PyTorch.
const ROWS: [(&str, f64, f64); 10] = [
    ("stfpm_step", 0.55, 0.40),
    ("joint_step", 0.65, 0.45),
    ("pretrain_step", 0.50, 0.35),
    ("reverse_step", 0.65, 0.45),
    (WIDE, 0.65, 0.45),
    ("inference", 0.75, 0.50),
    ("inference_unets", 0.75, 0.50),
    ("metrics", 0.20, 0.10),
    (PEAK, 1.00, 0.70),
    (FIT, 0.70, 0.50),
];
/// Row for a step of reverse distillation with a WideResNet-50-2.
const WIDE: &str = "reverse_wide_step";
/// Row for a whole training, compared with the tuned script alone.
const FIT: &str = "hazelnut_fit";
/// Row for the peak memory of a joint step, measured in a separate process.
const PEAK: &str = "peak_rss_bytes";
/// Argument of that process.
const STEP_ONLY: &str = "--joint-steps-only";

/// Returns the duration of one step, seconds.
fn seconds(step: &mut dyn FnMut()) -> f64 {
    let started = Instant::now();
    step();
    started.elapsed().as_secs_f64()
}

/// Returns whether this is a benchmark. In a test, everything runs once or twice, on small images.
fn is_benchmark() -> bool {
    std::env::args().any(|argument| argument == BENCH)
}

/// Returns the side of the images, pixels.
fn side() -> usize {
    if is_benchmark() { 256 } else { 64 }
}

/// Returns the numbers of warm-up and measured rounds: those of PyTorch's benchmark, or one each in a test.
fn rounds() -> (usize, usize) {
    if is_benchmark() { (3, 10) } else { (1, 1) }
}

/// Returns the duration of each step, warm-up first, seconds.
fn repeat(step: &mut dyn FnMut()) -> Vec<f64> {
    let (warm_up, counted) = rounds();
    (0..warm_up + counted).map(|_| seconds(step)).collect()
}

/// Returns the median of the measured rounds.
fn median(seconds: &[f64]) -> f64 {
    let mut seconds = seconds[rounds().0..].to_vec();
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Creates the step of a row.
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
            let mut joint = Joint::new(set, if row == "inference_unets" { Work::Unets } else { Work::Stfpm });
            Box::new(move || {
                joint.infer(&indices);
            })
        }
        _ => {
            let work = match row {
                "stfpm_step" => Work::Stfpm,
                "reverse_step" => Work::Reverse(Architecture::Resnet18),
                WIDE => Work::Reverse(Architecture::WideResnet50x2),
                _ => Work::Unets,
            };
            let mut joint = Joint::new(set, work);
            Box::new(move || joint.step(&indices))
        }
    }
}

/// Returns the peak memory of a process that only takes joint steps, bytes.
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

/// Returns a command that runs one of PyTorch's scripts.
fn pytorch_command(python: &str, script: &str) -> Command {
    let mut command = Command::new(python);
    // PyTorch's idle threads otherwise spin while didact takes its turn. glibc otherwise returns large buffers to the system after each step.
    command.arg(Path::new("benches/pytorch").join(script)).envs([
        ("OMP_WAIT_POLICY", "passive"),
        ("MALLOC_MMAP_THRESHOLD_", "4294967296"),
        ("MALLOC_TRIM_THRESHOLD_", "4294967296"),
    ]);
    command
}

/// Returns PyTorch's result for a row. Calls `turn` before each repeat, so that a slow moment of the machine affects both sides.
fn measure_pytorch(python: &str, row: &str, mut turn: impl FnMut()) -> Value {
    let mut child = pytorch_command(python, "steps.py")
        .args(["--in-turn", "--rows", row])
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
            writeln!(answers).expect("python reads its input");
        }
    }
    assert!(child.wait().expect("python ends").success(), "{python} failed");
    serde_json::from_str(&last).expect("one JSON object")
}

/// Returns PyTorch's seconds or bytes for a row.
fn pytorch_value(peers: &Value, row: &str) -> Option<f64> {
    match row {
        PEAK => peers[PEAK]["peak"].as_f64(),
        "metrics" => {
            Some(peers["metrics"]["pixel_auroc"]["seconds"].as_f64()? + peers["metrics"]["aupro"]["seconds"].as_f64()?)
        }
        _ => peers["rows"][row]["seconds"].as_f64(),
    }
}

/// Seconds or bytes of one row.
struct Measured {
    didact: f64,
    pytorch: Option<f64>,
    /// PyTorch on cached teacher features.
    tuned: Option<f64>,
}

/// Returns the results of didact and PyTorch for a row; `None` if its images are missing.
fn measure(row: &str, set: &FeatureSet, folder: &Path, python: Option<&str>) -> Option<Measured> {
    if row == FIT {
        let fit = Fit::open()?;
        let tuned = python.map(|python| fit.pytorch(python));
        return Some(Measured { didact: fit.didact(folder), pytorch: None, tuned });
    }
    if row == PEAK {
        let pytorch = python.and_then(|python| pytorch_value(&measure_pytorch(python, row, || ()), row));
        return Some(Measured { didact: joint_peak(), pytorch, tuned: None });
    }
    Some(match row {
        WIDE => {
            let step = |set: &FeatureSet| measure_step(row, set, python);
            with_noise(&folder.join("wide"), Architecture::WideResnet50x2, step)
        }
        _ => measure_step(row, set, python),
    })
}

/// Returns the results of didact and PyTorch for a row that is a step on noise.
fn measure_step(row: &str, set: &FeatureSet, python: Option<&str>) -> Measured {
    let mut step = step(row, set);
    let Some(python) = python else {
        return Measured { didact: median(&repeat(&mut *step)), pytorch: None, tuned: None };
    };
    let mut ours = Vec::new();
    let theirs = measure_pytorch(python, row, || ours.push(seconds(&mut *step)));
    let tuned = theirs["rows"][row]["cached"]["seconds"].as_f64();
    Measured { didact: median(&ours), pytorch: pytorch_value(&theirs, row), tuned }
}

fn print_table(rows: &[(&str, f64, f64)], set: &FeatureSet, folder: &Path, python: Option<&str>) {
    print_machine();
    let columns = ["didact", "PyTorch", "ratio", "tuned", "ratio"];
    println!(
        "{:<18} {}  limit  target",
        format!("batch {BATCH}, {} px", side()),
        columns.map(|column| format!("{column:>10}")).join(" ")
    );
    for &(name, limit, target) in rows {
        let Some(Measured { didact, pytorch, tuned }) = measure(name, set, folder, python) else {
            println!("{name:<18} skipped: no images (DIDACT_TEST_DATA)");
            continue;
        };
        let (factor, unit) = match name {
            PEAK => (1e-6, "MB"),
            FIT => (1.0, "s"),
            _ => (1e3, "ms"),
        };
        let value = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{:.1} {unit}", factor * value));
        let ratio = |theirs: Option<f64>| theirs.map_or("-".to_owned(), |theirs| format!("{:.2}", didact / theirs));
        let cells = [value(Some(didact)), value(pytorch), ratio(pytorch), value(tuned), ratio(tuned)];
        println!("{name:<18} {}  {limit:>5.2}  {target:>6.2}", cells.map(|cell| format!("{cell:>10}")).join(" "));
    }
}

/// Prints and returns what decides the times on this machine: the speed of matrix products, GFLOP/s, and the memory bandwidth, GB/s.
fn print_machine() -> (f64, f64) {
    let (products, bandwidth) = (peak::matrix_products(THREADS), peak::memory_bandwidth(THREADS));
    println!("matrix products: {products:.0} GFLOP/s; memory: {bandwidth:.1} GB/s");
    (products, bandwidth)
}

/// Prints the parts of each row's step.
///
/// The traffic of a part is what it reads from its arguments and writes to its results, once for each pass over them. What stays in cache
/// between two parts is counted all the same, so a part can be faster than memory allows.
fn print_parts(rows: &[(&str, f64, f64)], set: &FeatureSet) {
    let parts = Parts::default();
    tracing_subscriber::registry().with(parts.clone()).init();
    let (products, bandwidth) = print_machine();
    for &(row, ..) in rows.iter().filter(|(row, ..)| ![PEAK, FIT, WIDE, "metrics"].contains(row)) {
        let mut step = step(row, set);
        let (warm_up, counted) = rounds();
        (0..warm_up).for_each(|_| step());
        parts.take();
        let started = Instant::now();
        (0..counted).for_each(|_| step());
        let all = started.elapsed();
        println!(
            "{row:<30} {:>10} {:>9} {:>22} {:>26}",
            "time", "traffic", "of memory bandwidth", "of matrix products"
        );
        let print = |name: &str, Spent { time, bytes, multiply_accumulates }: Spent| {
            let share = |amount: f64, unit: &str, peak: f64| {
                let speed = 1e-9 * amount / time.as_secs_f64();
                if amount > 0.0 { format!("{speed:.1} {unit} {:.2}", speed / peak) } else { "-".to_owned() }
            };
            println!(
                "  {name:<28} {:>7.1} ms {:>6.0} MB {:>22} {:>26}",
                1e3 * time.as_secs_f64() / counted as f64,
                1e-6 * bytes as f64 / counted as f64,
                share(bytes as f64, "GB/s", bandwidth),
                share(2.0 * multiply_accumulates as f64, "GFLOP/s", products),
            );
        };
        let mut sum = Spent::default();
        for (name, spent) in parts.take() {
            print(&name, spent);
            sum.time += spent.time;
            sum.bytes += spent.bytes;
            sum.multiply_accumulates += spent.multiply_accumulates;
        }
        print("the rest", Spent { time: all.saturating_sub(sum.time), ..Spent::default() });
        print("all", Spent { time: all, ..sum });
    }
}

/// Restarts this program with the environment that a sweep gives its workers.
#[cfg(unix)]
fn restart_like_a_worker() {
    use std::os::unix::process::CommandExt;
    if let Some(setting) = huge_pages_variable() {
        let this = std::env::current_exe().expect("this program");
        let error = Command::new(this).args(std::env::args().skip(1)).envs([setting]).exec();
        panic!("cannot restart: {error}");
    }
}

#[cfg(not(unix))]
fn restart_like_a_worker() {}

/// Does some work with noise in the format of a teacher.
fn with_noise<R>(folder: &Path, teacher: Architecture, work: impl FnOnce(&FeatureSet) -> R) -> R {
    std::fs::create_dir_all(folder).expect("disk space");
    work::write_noise(folder, 2 * BATCH, side(), teacher);
    let result = work(&FeatureSet::open(folder).expect("features"));
    let _ = std::fs::remove_dir_all(folder);
    result
}

fn main() {
    restart_like_a_worker();
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
    with_noise(&folder, Architecture::Resnet18, |set| {
        if step_only {
            let mut step = step("joint_step", set);
            repeat(&mut *step);
            return println!("{}", peak_rss().expect("Linux"));
        }
        if show_parts {
            return print_parts(&rows, set);
        }
        print_table(&rows, set, &folder, python.as_deref());
    });
}
