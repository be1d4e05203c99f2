//! Workers lend the cores that they do not use.

use crate::common::Workplace;

/// Two runs on two workers; one takes far longer than the other.
const UNEVEN: &str = r#"
schema = 1
name = "uneven"
[data]
layout = "synthetic"
categories = ["weave"]
image_size = 64
synthetic = { side = 64, train = 16, test_good = 3, test_per_defect = 2 }
[teacher]
weights = "demo"
[model]
autoencoder = "none"
[joint]
batch_size = 8
[search]
seeds = [0]
[search.space]
"joint.epochs" = [1, 100]
[baseline]
rerun = false
"#;

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn the_last_stage_runs_on_the_cores_of_idle_workers() {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if cores < 2 {
        eprintln!("skipped: this machine has one core");
        return;
    }
    let place = Workplace::new();
    place.write("uneven.toml", UNEVEN);
    place.succeed(&["sweep", "uneven.toml", "--no-report", "--jobs", "2"]);
    let mean_threads = place.query(
        "SELECT COALESCE(json_extract(a.costs, '$.threads'), 0) > MIN(w.threads)
         FROM attempt a JOIN stage s ON s.id = a.stage_id, worker w WHERE s.kind = 'joint' GROUP BY a.id ORDER BY a.seconds",
    );
    assert_eq!(mean_threads, ["0", "1"], "only the long stage outlives its neighbour");
}
