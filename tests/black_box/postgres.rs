//! Stores on a PostgreSQL server: everything that sweeps promise holds there, too. `just test-postgres` starts the server.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use sqlx::{Connection, PgConnection, Row, TypeInfo, ValueRef};

use crate::background::has_checkpoint;
use crate::common::{TINY, Workplace, two_long_trials};
use crate::processes::{kill, wait_for};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Keeps the server from being restarted while other tests use it.
static SERVER: RwLock<()> = RwLock::new(());

/// Creates a database on the server and returns its URL. `None`, after a message, if no server is named.
#[expect(clippy::print_stderr, reason = "says that a test is skipped")]
pub fn database() -> Option<String> {
    let Ok(server) = std::env::var("DIDACT_TEST_POSTGRES") else {
        eprintln!("skipped: DIDACT_TEST_POSTGRES names no server; run `just test-postgres`");
        return None;
    };
    let name = format!("t{}", uuid::Uuid::now_v7().simple());
    runtime().block_on(async {
        let mut connection = PgConnection::connect(&server).await.expect("the server answers");
        let create = format!("CREATE DATABASE {name}");
        sqlx::query(sqlx::AssertSqlSafe(create)).execute(&mut connection).await.expect("created");
        connection.close().await.expect("closes");
    });
    let (server, _) = server.rsplit_once('/').expect("a URL with a database");
    Some(format!("{server}/{name}"))
}

/// Returns a workplace on the server, and what keeps the server running.
fn place() -> Option<(Workplace, RwLockReadGuard<'static, ()>)> {
    let server = SERVER.read().unwrap_or_else(PoisonError::into_inner);
    Some((Workplace::on_server(database()?), server))
}

/// Takes the lock that writers hold; `None` if others hold it for longer than half a second.
pub async fn lock(url: &str) -> Option<PgConnection> {
    let mut connection = PgConnection::connect(url).await.expect("the server answers");
    for statement in ["SET lock_timeout = 500", "BEGIN"] {
        sqlx::query(statement).execute(&mut connection).await.expect("valid SQL");
    }
    let lock = "SELECT pg_advisory_xact_lock(1684628577, hashtext(current_schema()))";
    sqlx::query(lock).execute(&mut connection).await.ok()?;
    Some(connection)
}

/// Returns the rows of a query, with columns joined by `|`.
pub fn query(url: &str, sql: &str) -> Vec<String> {
    runtime().block_on(async {
        let mut connection = PgConnection::connect(url).await.expect("the server answers");
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.expect("valid SQL");
        let show = |row: &sqlx::postgres::PgRow, column: usize| -> String {
            let value = row.try_get_raw(column).expect("a column");
            match value.type_info().name() {
                _ if value.is_null() => "NULL".to_owned(),
                "INT8" => row.get::<i64, _>(column).to_string(),
                "INT4" => row.get::<i32, _>(column).to_string(),
                "FLOAT8" => row.get::<f64, _>(column).to_string(),
                "BOOL" => i32::from(row.get::<bool, _>(column)).to_string(),
                _ => row.get::<String, _>(column),
            }
        };
        let lines = rows.iter().map(|row| (0..row.len()).map(|c| show(row, c)).collect::<Vec<_>>().join("|")).collect();
        connection.close().await.expect("closes");
        lines
    })
}

#[test]
fn a_sweep_has_the_numbers_that_it_has_on_sqlite_to_the_bit() {
    let Some((server, _running)) = place() else { return };
    let file = Workplace::on_file();
    let numbers = [&server, &file].map(|place| {
        place.write("tiny.toml", TINY);
        place.succeed(&["sweep", "tiny.toml", "--jobs", "2"]);
        assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
        assert_eq!(place.succeed(&["store", "check"]).stdout, "the store and its artifacts are intact\n");
        let curves = place.query("SELECT stage_id, name, step, value FROM metric ORDER BY stage_id, name, step");
        let scores =
            place.query("SELECT run_id, selection, image, score FROM image_score ORDER BY run_id, selection, image");
        (place.succeed(&["export", "--format", "csv"]).stdout, curves, scores)
    });
    assert_eq!(numbers[0], numbers[1]);
    let report = |place: &Workplace| std::fs::read_to_string(place.path("reports/tiny/report.md")).expect("a report");
    let numbers_of = |text: &str| {
        text.lines()
            .filter(|line| line.contains("AUROC") && !line.contains("time per epoch"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers_of(&report(&server)), numbers_of(&report(&file)));
}

#[test]
fn every_verb_works_on_a_server() {
    let Some((place, _running)) = place() else { return };
    place.write("tiny.toml", &TINY.replace("epochs = 2", "epochs = 1"));
    let missing = place.run(&["status"]);
    assert_eq!(missing.code, Some(4), "{}", missing.stderr);
    assert!(missing.stderr.contains("there is no store at postgres://"), "{}", missing.stderr);
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts, "nothing is repeated");
    assert!(place.succeed(&["status"]).stdout.contains("2 of 2 runs done"));
    assert!(place.succeed(&["list"]).stdout.contains("tiny"));
    let run = place.query("SELECT id FROM run ORDER BY id").remove(0);
    place.succeed(&["why", &run[..12]]);
    place.succeed(&["compare", "T01", "T02"]);
    place.succeed(&["export", "--format", "json", "--shape", "wide"]);
    assert!(place.succeed(&["cancel", "T02"]).stdout.contains("0 run(s)"), "its runs are done");
    place.succeed(&["rename", "tiny", "small"]);
    place.succeed(&["gc", "--dry-run"]);
    let backup = place.run(&["store", "backup", "copy.db"]);
    assert_eq!(backup.code, Some(4));
    assert!(backup.stderr.contains("pg_dump"), "{}", backup.stderr);
    place.succeed(&["delete", "small", "--yes"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM run"), 0);
}

#[test]
fn a_store_on_a_server_needs_a_folder_for_its_artifacts() {
    let Some((place, _running)) = place() else { return };
    place.write("tiny.toml", TINY);
    let output = place.command(&["sweep", "tiny.toml"]).env_remove("DIDACT_ARTIFACTS").output().expect("starts");
    let outcome = place.outcome(&output);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("--artifacts or DIDACT_ARTIFACTS"), "{}", outcome.stderr);
}

/// Stops the server at once, as a crash does, and starts it again.
fn restart_server() {
    let data = std::env::var("DIDACT_TEST_POSTGRES_DATA").expect("tests/with_postgres.sh sets it");
    let programs = std::env::var("DIDACT_TEST_POSTGRES_PROGRAMS").expect("tests/with_postgres.sh sets it");
    let owner = std::fs::metadata(&data).expect("the server's data").uid();
    let mut restart = std::process::Command::new(format!("{programs}/pg_ctl"));
    restart.args(["--pgdata", &data, "--mode", "immediate", "--wait", "restart"]).uid(owner).current_dir("/");
    let status = restart.stdout(std::process::Stdio::null()).status().expect("starts");
    assert!(status.success(), "the server restarts");
}

#[test]
fn a_killed_worker_and_a_restarted_server_cost_nothing_but_time() {
    let _alone = SERVER.write().unwrap_or_else(PoisonError::into_inner);
    let Some(place) = database().map(Workplace::on_server) else { return };
    let file = Workplace::on_file();
    for place in [&place, &file] {
        place.write("tiny.toml", &two_long_trials());
    }
    let mut sweep = place.start("sweep.log", &["sweep", "tiny.toml", "--no-report", "--jobs", "4"]);
    let running = "SELECT pid FROM attempt WHERE state = 'running'";
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    let worker = place.query(running).first().and_then(|pid| pid.parse().ok()).expect("a process");
    kill(worker);
    restart_server();
    assert_eq!(sweep.end(), 0, "{}", sweep.output());
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
    let twice = "SELECT stage_id FROM attempt WHERE state = 'done' GROUP BY stage_id HAVING COUNT(*) > 1";
    assert_eq!(place.query(twice), [""; 0], "every stage is done exactly once");
    file.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let export = ["export", "--format", "csv"];
    assert_eq!(place.succeed(&export).stdout, file.succeed(&export).stdout, "the same bits as on SQLite");
    assert_eq!(place.succeed(&["store", "check"]).stdout, "the store and its artifacts are intact\n");
}
