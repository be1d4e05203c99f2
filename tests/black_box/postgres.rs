//! Stores on a PostgreSQL server: everything that sweeps promise holds there, too. `just test-postgres` starts the server.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use sqlx::{Connection, PgConnection, Row, TypeInfo, ValueRef};

use crate::background::has_checkpoint;
use crate::common::{TINY, Workplace, two_long_trials};
use crate::processes::{kill, wait_for};
use crate::torture::points_of;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Keeps the server from being restarted while other tests use it.
pub static SERVER: RwLock<()> = RwLock::new(());

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
    sqlx::query("LOCK TABLE store IN EXCLUSIVE MODE").execute(&mut connection).await.ok()?;
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
    // Times differ from run to run, and a time is given only if its stage ran alone: the last of the costs, and a figure.
    let untimed = |line: &str| match line.strip_suffix(" time per epoch.").and_then(|line| line.rsplit_once(", ")) {
        Some((rest, _)) => format!("{rest}."),
        None => line.to_owned(),
    };
    let numbers_of = |text: &str| {
        text.lines()
            .filter(|line| line.contains("AUROC") && !line.contains("(<pareto-"))
            .map(untimed)
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
    assert!(place.succeed(&["cancel", "T02"]).stdout.contains("0 runs"), "its runs are done");
    assert!(place.succeed(&["tag", "tiny", "b", "A"]).stdout.contains("A, b"));
    assert!(place.succeed(&["list", "--tag", "b"]).stdout.contains(" A, b "));
    place.succeed(&["note", "tiny", "Grüße"]);
    assert!(place.succeed(&["status"]).stdout.contains("note: Grüße"));
    place.succeed(&["rename", "tiny", "small"]);
    place.succeed(&["gc", "--dry-run"]);
    let backup = place.run(&["store", "backup", "copy.db"]);
    assert_eq!(backup.code, Some(4));
    assert!(backup.stderr.contains("pg_dump"), "{}", backup.stderr);
    place.succeed(&["delete", "small", "--yes"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM run"), 0);
}

/// What is wrong with the rows that triggers keep: open needs, the queue, and the counts.
const WRONG: [&str; 3] = [
    "SELECT id, open_needs FROM stages WHERE open_needs <> (
         SELECT COUNT(*) FROM stage_dependencies d JOIN stages n ON n.id = d.needs_id WHERE d.stage_id = stages.id AND n.state <> 'done')",
    "SELECT s.id, s.state, s.open_needs, q.wanted, q.ready FROM sweep_stages q JOIN stages s ON s.id = q.stage_id
     WHERE (q.ready = 1) <> (q.wanted = 1 AND s.state = 'pending' AND s.open_needs = 0)",
    "SELECT * FROM (SELECT sweep_id, kind, family, state, wanted, COUNT(*) AS stages, CAST(SUM(work) AS BIGINT) AS work
                    FROM sweep_stages q JOIN stages s ON s.id = q.stage_id GROUP BY sweep_id, kind, family, state, wanted) counted
     FULL JOIN (SELECT sweep_id, kind, family, state, wanted, stages, CAST(work AS BIGINT) AS work FROM stage_counts
                WHERE stages <> 0) kept USING (sweep_id, kind, family, state, wanted)
     WHERE counted.stages IS DISTINCT FROM kept.stages OR counted.work IS DISTINCT FROM kept.work",
];

#[test]
fn queues_and_counts_follow_statements_that_change_many_stages() {
    let Some((place, _running)) = place() else { return };
    place.write("tiny.toml", TINY);
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert!(place.count("SELECT COUNT(*) FROM stages") >= 7, "the sweep has too few stages for this test");
    for step in 0..60 {
        let change = match step % 5 {
            0 => format!("UPDATE sweep_stages SET wanted = 1 - wanted WHERE (stage_id + {step}) % 3 > 0"),
            1 => format!("UPDATE stages SET work = 1 + (id + {step}) % 4, family = 'f' || (id + {step}) % 2 WHERE id % 2 = 0"),
            _ => format!(
                "UPDATE stages SET state = (ARRAY['pending', 'running', 'done', 'failed', 'skipped', 'done'])[1 + (id * {step} + {step} / 5) % 6]
                 WHERE (id + {step}) % 4 > 0"
            ),
        };
        place.query(&change);
        for wrong in WRONG {
            assert_eq!(place.query(wrong), [""; 0], "after {step}: {change}");
        }
    }
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

/// Stops the server at once, as a crash does.
pub fn stop_server() {
    control_server("stop");
}

/// Starts the server, which was stopped.
pub fn start_server() {
    control_server("restart");
}

fn control_server(verb: &str) {
    let data = std::env::var("DIDACT_TEST_POSTGRES_DATA").expect("tests/with_postgres.sh sets it");
    let programs = std::env::var("DIDACT_TEST_POSTGRES_PROGRAMS").expect("tests/with_postgres.sh sets it");
    let owner = std::fs::metadata(&data).expect("the server's data").uid();
    let mut command = std::process::Command::new(format!("{programs}/pg_ctl"));
    command.args(["--pgdata", &data, "--mode", "immediate", "--wait", verb]).uid(owner).current_dir("/");
    let status = command.stdout(std::process::Stdio::null()).status().expect("starts");
    assert!(status.success(), "pg_ctl {verb}");
}

#[test]
fn a_worker_that_starts_while_the_server_is_away_waits_for_it() {
    let _alone = SERVER.write().unwrap_or_else(PoisonError::into_inner);
    let Some(place) = database().map(Workplace::on_server) else { return };
    place.write("tiny.toml", TINY);
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    stop_server();
    let mut worker = place.start("worker.log", &["worker", "--sweep", "tiny"]);
    let refused = place.run(&["status"]);
    assert_eq!(refused.code, Some(4), "a person is told at once: {}", refused.stderr);
    worker.wait_for_output("retrying");
    start_server();
    assert_eq!(worker.end(), 0, "{}", worker.output());
}

#[test]
fn a_killed_worker_and_a_restarted_server_cost_nothing_but_time() {
    let _alone = SERVER.write().unwrap_or_else(PoisonError::into_inner);
    let Some(place) = database().map(Workplace::on_server) else { return };
    let place = place.with_slow_epochs();
    let file = Workplace::on_file();
    for place in [&place, &file] {
        place.write("tiny.toml", &two_long_trials());
    }
    let mut sweep = place.start("sweep.log", &["sweep", "tiny.toml", "--no-report", "--jobs", "4"]);
    let running = "SELECT pid FROM attempt WHERE state = 'running'";
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    let worker = place.query(running).first().and_then(|pid| pid.parse().ok()).expect("a process");
    kill(worker);
    // By hand: more than ten seconds, so that processes report an error and retry.
    let away = std::env::var("DIDACT_TEST_SERVER_AWAY").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
    stop_server();
    std::thread::sleep(Duration::from_secs(away));
    start_server();
    assert_eq!(sweep.end(), 0, "{}", sweep.output());
    assert!(away <= 10 || sweep.output().contains("does not answer"), "{}", sweep.output());
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
    let twice = "SELECT stage_id FROM attempt WHERE state = 'done' GROUP BY stage_id HAVING COUNT(*) > 1";
    assert_eq!(place.query(twice), [""; 0], "every stage is done exactly once");
    file.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let export = ["export", "--format", "csv"];
    assert_eq!(place.succeed(&export).stdout, file.succeed(&export).stdout, "the same bits as on SQLite");
    assert_eq!(place.succeed(&["store", "check"]).stdout, "the store and its artifacts are intact\n");
}

/// Tables that both databases have, and what orders their rows.
const TABLES: [(&str, &str); 25] = [
    ("store", "id"),
    ("sweeps", "id"),
    ("trials", "id"),
    ("trial_numbers", "sweep_id, trial_id"),
    ("sweep_trials", "sweep_id, trial_id"),
    ("protocols", "id"),
    ("runs", "id"),
    ("sweep_runs", "sweep_id, position"),
    ("stages", "id"),
    ("stage_jobs", "stage_id"),
    ("stage_dependencies", "stage_id, needs_id"),
    ("run_stages", "run_id, stage_id"),
    ("sweep_stages", "stage_id, sweep_id"),
    ("stage_counts", "sweep_id, kind, family, state, wanted"),
    ("attempts", "id"),
    ("rates", "kind, family"),
    ("metrics", "stage_id, name, step"),
    ("results", "run_id, selection, name"),
    ("image_scores", "run_id, selection, image"),
    ("artifacts", "stage_id"),
    ("sweep_tags", "sweep_id, tag"),
    ("sweep_notes", "sweep_id"),
    ("workers", "id"),
    ("slurm_arrays", "sweep_id, job, submitted_at"),
    ("event", "id"),
];

/// Returns all rows of a store. Columns are named: their order may differ between the databases.
fn rows(place: &Workplace, columns_of: &Workplace) -> Vec<Vec<String>> {
    let rows_of = |(table, order): (&str, &str)| {
        let columns = columns_of.query(&format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"));
        place.query(&format!("SELECT {} FROM {table} ORDER BY {order}", columns.join(", ")))
    };
    TABLES.into_iter().map(rows_of).collect()
}

#[test]
fn a_store_moves_to_a_server_and_back_row_for_row() {
    let Some((server, _running)) = place() else { return };
    let (file, back) = (Workplace::on_file(), Workplace::on_file());
    file.write("tiny.toml", TINY);
    file.succeed(&["sweep", "tiny.toml", "--no-report"]);
    file.succeed(&["tag", "tiny", "b", "A"]);
    file.succeed(&["note", "tiny", "Grüße\nan alle"]);
    // All tables of the schema are compared, and numbers that need all their bits are among the rows.
    let tables =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_sqlx_%'";
    assert_eq!(file.query(tables).len(), TABLES.len(), "{:?}", file.query(tables));
    for value in ["0.1 + 0.2", "5e-324", "1.7976931348623157e308", "-2.5", "9e999", "NULL"] {
        let step = "(SELECT MAX(step) + 1 FROM metrics)";
        file.query(&format!("INSERT INTO metrics SELECT MIN(stage_id), 'loss_ü', {step}, {value} FROM metrics"));
    }
    let stored = |place: &Workplace| place.path("didact.db").display().to_string();
    let output = server.succeed(&["store", "copy", &stored(&file), &server.store()]).stdout;
    assert!(output.contains("rows of") && output.contains("artifacts were not copied"), "{output}");
    let original = rows(&file, &file);
    assert_eq!(rows(&server, &file), original);
    let bits = "SELECT encode(float8send(value), 'hex') FROM metrics WHERE name = 'loss_ü' ORDER BY step LIMIT 4";
    assert_eq!(server.query(bits), ["3fd3333333333334", "0000000000000001", "7fefffffffffffff", "c004000000000000"]);

    let again = server.run(&["store", "copy", &stored(&file), &server.store()]);
    assert_eq!(again.code, Some(4), "{}", again.stderr);
    assert!(again.stderr.contains("is not empty"), "{}", again.stderr);
    back.succeed(&["store", "copy", &server.store(), &stored(&back)]);
    assert_eq!(rows(&back, &file), original);
    let again = back.run(&["store", "copy", &server.store(), &stored(&back)]);
    assert_eq!(again.code, Some(4), "{}", again.stderr);
    assert!(again.stderr.contains("already exists"), "{}", again.stderr);
    let left = std::fs::read_dir(back.folder()).expect("a folder").count();
    assert_eq!(left, 1, "one file, without logs and temporary files");

    // Both copies go on: a sweep of one more seed computes nothing that is done.
    for copy in [&server, &back] {
        std::fs::rename(file.path("didact.artifacts"), copy.path("didact.artifacts")).expect("the artifacts move");
        copy.write("tiny.toml", TINY);
        let attempts = copy.count("SELECT COUNT(*) FROM attempt");
        let one_more = ["sweep", "tiny.toml", "--no-report", "--set", "search.seeds=[0,1,2,3]"];
        copy.succeed(&["sweep", "tiny.toml", "--no-report"]);
        assert_eq!(copy.count("SELECT COUNT(*) FROM attempt"), attempts, "nothing is repeated");
        copy.succeed(&one_more);
        assert_eq!(copy.query("SELECT DISTINCT state FROM run"), ["done"]);
        assert_eq!(copy.succeed(&["store", "check"]).stdout, "the store and its artifacts are intact\n");
        std::fs::rename(copy.path("didact.artifacts"), file.path("didact.artifacts")).expect("the artifacts move");
    }
}

#[test]
fn a_killed_copy_leaves_nothing_and_can_be_repeated() {
    let file = Workplace::on_file();
    file.write("tiny.toml", TINY);
    if std::env::var_os("DIDACT_TEST_POSTGRES").is_some() {
        file.succeed(&["sweep", "tiny.toml", "--no-report"]);
    }
    for point in points_of("transfer:") {
        let Some((server, _running)) = place() else { return };
        let (from, to) = (file.store(), server.store());
        let copy = ["store", "copy", &from, &to];
        let output = server.command(&copy).env("DIDACT_FAULT", &point).output().expect("starts");
        assert_eq!(output.status.code(), None, "the copy passed {point} alive");
        let is_there = server.count("SELECT COUNT(*) FROM runs") > 0;
        assert_eq!(is_there, point == "transfer:after-commit", "all or nothing: {point}");
        assert_eq!(server.run(&copy).code, Some(if is_there { 4 } else { 0 }), "{point}");
        assert_eq!(rows(&server, &file), rows(&file, &file), "{point}");

        let back = Workplace::on_file();
        let (from, to) = (server.store(), back.store());
        let copy = ["store", "copy", &from, &to];
        let output = back.command(&copy).env("DIDACT_FAULT", &point).output().expect("starts");
        assert_eq!(output.status.code(), None, "the copy passed {point} alive");
        assert!(!back.path("didact.db").exists(), "an incomplete copy has no name: {point}");
        back.succeed(&copy);
        assert_eq!(rows(&back, &file), rows(&file, &file), "{point}");
    }
}

/// When a connection is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// The server never gets the commit, so it rolls the transaction back.
    BeforeCommit,
    /// The server commits, but its client never learns so.
    AfterCommit,
}

/// Forwards connections to a server, and cuts one at every `every`-th commit of all. Returns its port and the number of commits so far.
fn cutting_proxy(server: &str, every: usize, cut: Cut) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let (server, commits) = (server.to_owned(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&commits);
    std::thread::spawn(move || {
        for client in listener.incoming().filter_map(Result::ok) {
            let Ok(server) = TcpStream::connect(&server) else { continue };
            let replies = (server.try_clone().expect("cloned"), client.try_clone().expect("cloned"));
            let muted = Arc::new(AtomicUsize::new(0));
            let (mute, counted) = (Arc::clone(&muted), Arc::clone(&counted));
            std::thread::spawn(move || forward_replies(replies, &mute));
            std::thread::spawn(move || forward(client, server, (every, cut), (&counted, &muted)));
        }
    });
    (port, commits)
}

fn forward(
    mut client: TcpStream,
    mut server: TcpStream,
    (every, cut): (usize, Cut),
    (commits, muted): (&AtomicUsize, &AtomicUsize),
) {
    let mut buffer = [0; 65536];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        let sent = &buffer[..length];
        let commits = match sent.windows(7).any(|bytes| bytes == b"COMMIT\0") {
            true => commits.fetch_add(1, Ordering::SeqCst) + 1,
            false => 1,
        };
        if commits % every == 0 {
            if cut == Cut::AfterCommit {
                muted.store(1, Ordering::SeqCst);
                let _ = server.write_all(sent);
                // The server has time to commit.
                std::thread::sleep(Duration::from_millis(300));
            }
            break;
        }
        if server.write_all(sent).is_err() {
            break;
        }
    }
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}

fn forward_replies((mut server, mut client): (TcpStream, TcpStream), muted: &AtomicUsize) {
    let mut buffer = [0; 65536];
    while let Ok(length @ 1..) = server.read(&mut buffer) {
        if muted.load(Ordering::SeqCst) == 0 && client.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

#[test]
fn a_connection_that_is_lost_around_a_commit_costs_nothing_but_time() {
    let file = Workplace::on_file();
    file.write("tiny.toml", TINY);
    for cut in [Cut::BeforeCommit, Cut::AfterCommit] {
        let Some((place, _running)) = place() else { return };
        let url = place.store();
        let (user_and_server, database) = url.rsplit_once('/').expect("a database");
        let (user, server) = user_and_server.rsplit_once('@').expect("a user");
        let (port, commits) = cutting_proxy(server, 6, cut);
        place.write("tiny.toml", TINY);
        // The plan is written directly: a command that cannot plan says so and ends.
        assert_eq!(place.run(&["sweep", "tiny.toml", "--no-report", "--time-limit", "0s"]).code, Some(130));
        let mut worker = place.command(&["worker", "--sweep", "tiny"]);
        worker.env("DIDACT_STORE", format!("{user}@127.0.0.1:{port}/{database}"));
        // A worker may lose its first connection, before it can retry anything.
        for _ in 0..5 {
            if worker.output().expect("starts").status.success() {
                break;
            }
        }
        assert!(commits.load(Ordering::SeqCst) > 12, "connections were cut");
        assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"], "{cut:?}");
        let done = "SELECT COUNT(*) FROM attempt WHERE state = 'done'";
        assert_eq!(place.count(done), place.count("SELECT COUNT(*) FROM stage WHERE state = 'done'"), "{cut:?}");
        let superseded = "SELECT COUNT(*) FROM attempt WHERE state = 'superseded'";
        assert_eq!(place.count(superseded), 0, "no result was refused: {cut:?}");
        file.succeed(&["sweep", "tiny.toml", "--no-report"]);
        let export = ["export", "--format", "csv"];
        assert_eq!(place.succeed(&export).stdout, file.succeed(&export).stdout, "the same bits: {cut:?}");
        assert_eq!(place.succeed(&["store", "check"]).stdout, "the store and its artifacts are intact\n");
    }
}

/// Returns the library that changes a program's clock (Debian: apt-get install faketime). `None`, after a message, if it is missing.
#[expect(clippy::print_stderr, reason = "says that a test is skipped")]
fn libfaketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().filter_map(Result::ok);
    let found =
        folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1")).find(|library| library.exists());
    if found.is_none() {
        eprintln!("skipped: libfaketime is not installed");
    }
    found
}

#[test]
fn workers_whose_clocks_are_an_hour_off_neither_lose_nor_steal_a_lease() {
    let (Some(library), Some((place, _running))) = (libfaketime(), place()) else { return };
    let place = place.with_slow_epochs();
    place.write("tiny.toml", &two_long_trials());
    assert_eq!(place.run(&["sweep", "tiny.toml", "--no-report", "--time-limit", "0s"]).code, Some(130));
    let mut sweep = place.start("sweep.log", &["sweep", "tiny.toml", "--no-report", "--jobs", "1"]);
    wait_for("a running stage", || place.query("SELECT state FROM stage WHERE state = 'running'").len() == 1);
    let workers: Vec<_> = ["+1h", "-1h"]
        .into_iter()
        .map(|shift| {
            let mut worker = place.command(&["worker", "--sweep", "tiny"]);
            worker.env("LD_PRELOAD", &library).env("FAKETIME", shift);
            crate::background::BackgroundCommand::new(worker, place.path(&format!("worker{shift}.log")))
        })
        .collect();
    assert_eq!(sweep.end(), 0, "{}", sweep.output());
    for mut worker in workers {
        assert_eq!(worker.end(), 0, "{}", worker.output());
    }
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
    // The first command may interrupt an attempt when its time limit ends.
    let other = "SELECT state, reason FROM attempt WHERE state NOT IN ('done', 'interrupted')";
    assert_eq!(place.query(other), [""; 0], "no attempt was lost or refused");
    let workers = "SELECT COUNT(DISTINCT worker) FROM attempt";
    assert!(place.count(workers) >= 2, "workers with wrong clocks have worked, too");
    // All times are those of the server.
    let late = "SELECT COUNT(*) FROM attempt WHERE abs(seconds_since(started_at)) > 1800";
    assert_eq!(place.count(late), 0);
}
