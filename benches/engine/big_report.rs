//! Times the report of 10,000 runs: five hundred trials over three axes, ten seeds, two categories, with synthetic numbers.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use didact::plan::Planner;
use didact::search::load;
use didact::store::{Access, Artifacts, PlanSource, Store};

use crate::database::Database;
use crate::table;

/// Epochs per curve.
const EPOCHS: usize = 40;

/// Times `didact report` over a number of trials, one of which is the baseline, and of seeds.
pub async fn measure(trials: usize, seeds: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("report.toml");
    let seeds: Vec<usize> = (0..seeds).collect();
    std::fs::write(&file, sweep(trials - 1, &seeds)).expect("written");
    let (database, artifacts) =
        (Database::create(folder.path()).await, Artifacts::new(folder.path().join("artifacts")));
    let (sweep, _, source) = load(Some(&file), &[]).expect("sound");
    let plan = Planner::default().plan(&sweep).expect("a plan");
    let store = Store::open(database.url(), Access::Write).await.expect("opens");
    let source = PlanSource { text: source.text, ..PlanSource::default() };
    store.write_plan(&sweep, &source, &plan, &artifacts, None).await.expect("planned");
    fill_with_results(&database).await;
    let started = Instant::now();
    let out = folder.path().join("out");
    let mut report = Command::new(env!("CARGO_BIN_EXE_didact"));
    let report = report
        .args(["report", "--artifacts", "artifacts", "--store", database.url(), "--out"])
        .arg(&out)
        .current_dir(folder.path());
    let status = report.stdout(Stdio::null()).status();
    assert!(status.expect("starts").success(), "a report");
    table::line(&format!("didact report of {} runs", plan.runs.len()), started.elapsed(), Some(Duration::from_secs(3)));
    let page = std::fs::metadata(out.join("index.html")).expect("a page").len();
    table::size(&format!("size of its page, {} trials", plan.trials.len()), page);
    table::size("highest peak memory of a child process (the report's)", table::peak_memory(libc::RUSAGE_CHILDREN));
    #[cfg(feature = "live")]
    crate::answers::measure(database.url(), folder.path());
}

fn sweep(trials: usize, seeds: &[usize]) -> String {
    format!(
        r#"schema = 1
name = "report"
question = "How long does a report of many runs take?"
data = {{ layout = "synthetic", categories = ["grain", "weave"], image_size = 64, synthetic = {{ side = 64, train = 5, test_good = 8, test_per_defect = 5 }} }}
teacher = {{ weights = "demo" }}
[search]
strategy = "random"
trials = {trials}
seeds = {seeds:?}
[search.space]
"model.skip" = ["none", "add", "concat", "concat-conv"]
"model.depth" = [1, 2]
"joint.student.learning_rate" = {{ log_uniform = [1e-3, 1.0] }}
"#
    )
}

/// Marks everything as done and stores numbers that differ by trial, seed and category.
async fn fill_with_results(database: &Database) {
    // Multiples of the golden ratio by row look random.
    let noise = |by: &str| {
        let product = format!("({by}) * 0.6180339887");
        format!("({product} - {})", database.integer_part(&product))
    };
    let names =
        "('pixel_auroc'), ('image_auroc'), ('aupro'), ('pixel_ap'), ('image_ap'), ('pixel_f1max'), ('image_f1max'),
                 ('aupimo'), ('image_precision'), ('image_recall'), ('image_false_alarms'), ('epoch'), ('parameters'), ('flops')";
    let value = noise("r.id + 7 * length(n.column1)");
    let statements = [
        "UPDATE stages SET state = 'done'".to_owned(),
        "UPDATE runs SET state = 'done'".to_owned(),
        format!(
            "INSERT INTO results SELECT r.id, s.column1, n.column1, 0.9 + 0.1 * {value}, NULL, r.protocol_id
             FROM runs r, (VALUES {names}) n, (VALUES ('selected'), ('last'), ('oracle')) s"
        ),
        format!(
            "INSERT INTO image_scores SELECT r.id, 'selected', 'test/' || i.value || '.png', 'good', i.value % 2, {}
             FROM runs r, (WITH RECURSIVE c(value) AS (VALUES (0) UNION ALL SELECT value + 1 FROM c WHERE value < 22) SELECT value FROM c) i",
            noise("r.id * 23 + i.value")
        ),
        format!(
            "INSERT INTO metrics SELECT s.id, n.column1, i.value, 0.1 + {} FROM stages s,
             (VALUES ('loss_similarity'), ('held_out_loss'), ('gradient_norm_student'), ('gradient_norm_autoencoder')) n,
             (WITH RECURSIVE c(value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM c WHERE value < {EPOCHS}) SELECT value FROM c) i
             WHERE s.kind = 'joint'",
            noise("s.id * 40 + i.value")
        ),
        "INSERT INTO attempts (token, stage_id, number, worker, host, pid, device, threads, version, state, started_at, seconds,
                              peak_rss_bytes, costs)
         SELECT s.key, s.id, 1, 'bench', 'here', 1, 'cpu', 1, '0', 'done', '2026-01-01T00:00:00.000Z', 1.0, 1000000,
                '{\"seconds_per_epoch\": 1.0, \"milliseconds_per_image\": 2.0, \"forward_milliseconds_per_image\": 1.0}' FROM stages s"
            .to_owned(),
    ];
    database.execute(statements).await;
}
