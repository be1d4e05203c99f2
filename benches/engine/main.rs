//! Measures the overhead of the engine: empty stages from claim to result, and planning, claims and queries in a store of 100,000
//! runs, and claims of many processes at once. Prints one table. Its arguments name the parts to measure: `report`, `stages`, `store`; all, if there are none.
#![expect(clippy::print_stdout, reason = "the output is a table for people")]

#[cfg(feature = "live")]
mod answers;
mod big_report;
mod big_store;
mod claims;
mod database;
mod empty_stages;
mod table;

/// Sizes of the measurements.
struct Size {
    /// Number of runs whose stages are executed; each run has five stages of its own.
    executed: usize,
    /// Number of trials in the store for the report, with ten seeds and two categories each.
    reported: usize,
    /// Number of trials and seeds in the store that is only planned. Its runs are trials × seeds × two categories.
    trials: usize,
    seeds: usize,
    /// Numbers of workers that claim at the same time, and how long they do it.
    workers: &'static [usize],
    claims: claims::Length,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let [flag, store, artifacts] = arguments.as_slice()
        && flag == empty_stages::WORKER
    {
        return runtime.block_on(empty_stages::work_in(store, artifacts));
    }
    if let [flag, store, begin, rounds, stages] = arguments.as_slice()
        && flag == claims::WORKER
    {
        let length =
            claims::Length { rounds: rounds.parse().expect("a number"), stages: stages.parse().expect("a number") };
        println!("{}", runtime.block_on(claims::claim(store, begin, length)));
        return;
    }
    // `cargo bench` passes this flag. Without it, this is a test that the benchmark still runs.
    let size = match arguments.iter().any(|argument| argument == "--bench") {
        true => Size {
            executed: 250,
            reported: 500,
            trials: 1000,
            seeds: 50,
            workers: &[1, 8, 64],
            claims: claims::Length { rounds: 4, stages: u64::MAX },
        },
        false => Size {
            executed: 4,
            reported: 5,
            trials: 5,
            seeds: 4,
            workers: &[2],
            claims: claims::Length { rounds: 1, stages: 5 },
        },
    };
    let parts: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |part: &str| parts.is_empty() || parts.contains(&part);
    table::head();
    runtime.block_on(async {
        if wanted("report") {
            big_report::measure(size.reported, 10).await;
        }
        if wanted("stages") {
            empty_stages::measure(size.executed).await;
        }
        if wanted("store") {
            big_store::measure(size.trials, size.seeds, size.workers, size.claims).await;
        }
    });
}

/// Writes a sweep file over two synthetic categories with these numbers of random trials and seeds.
fn sweep_file(folder: &std::path::Path, trials: usize, seeds: usize) -> std::path::PathBuf {
    let seeds: Vec<usize> = (0..seeds).collect();
    let text = format!(
        r#"schema = 1
name = "engine"
data = {{ layout = "synthetic", categories = ["grain", "weave"], image_size = 32, synthetic = {{ side = 32, train = 5, test_good = 1, test_per_defect = 1 }} }}
teacher = {{ weights = "demo" }}
model = {{ autoencoder = "none" }}
baseline = {{ rerun = false }}
[search]
strategy = "random"
trials = {trials}
seeds = {seeds:?}
[search.space]
"joint.student.learning_rate" = {{ log_uniform = [1e-3, 1.0] }}
"#
    );
    let path = folder.join("engine.toml");
    std::fs::write(&path, text).expect("written");
    path
}
