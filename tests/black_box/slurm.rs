//! Sweeps on a Slurm cluster with a store on a PostgreSQL server. `just test-slurm` starts both.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::{PoisonError, RwLockWriteGuard};
use std::time::{Duration, Instant};

use crate::background::{assert_each_stage_done_once, has_checkpoint};
use crate::common::{Workplace, two_long_trials};
use crate::documentation::run_cluster_guide;
use crate::postgres::{SERVER, database, start_server, stop_server};
use crate::processes::{kill, wait_for};

/// Returns a workplace on the server with a sweep of several runs, and a lock that keeps other tests from the cluster.
///
/// Without a cluster, says so and returns `None`.
#[expect(clippy::print_stderr, reason = "says that a test is skipped")]
fn place() -> Option<(Workplace, RwLockWriteGuard<'static, ()>)> {
    if std::env::var_os("DIDACT_TEST_SLURM").is_none() {
        eprintln!("skipped: DIDACT_TEST_SLURM names no cluster; run `just test-slurm`");
        return None;
    }
    let alone = SERVER.write().unwrap_or_else(PoisonError::into_inner);
    let place = Workplace::on_server(database()?);
    place.write("tiny.toml", &sweep());
    Some((place, alone))
}

fn sweep() -> String {
    two_long_trials().replace("[\"weave\"]", "[\"grain\", \"weave\"]") + "[search]\nseeds = [0, 1]\n"
}

/// Runs a program of Slurm, which must succeed, and returns its output.
#[track_caller]
fn slurm(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("starts");
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Returns the ids of jobs in a state, or of all that have not ended: `ARRAY_TASK`.
fn jobs(array: &str, state: Option<&str>) -> Vec<String> {
    let listed = slurm("squeue", &["--noheader", "--array", "--format=%i %T", "--states=all", "--jobs", array]);
    let is_wanted = |found: &str| match state {
        Some(state) => found == state,
        None => !["COMPLETED", "CANCELLED", "FAILED", "NODE_FAIL"].contains(&found),
    };
    let jobs = listed.lines().filter_map(|line| line.trim().split_once(' '));
    jobs.filter(|(_, state)| is_wanted(state)).map(|(job, _)| job.to_owned()).collect()
}

/// Returns how often a job was requeued.
fn restarts(job: &str) -> u32 {
    let shown = slurm("scontrol", &["show", "job", job]);
    let (_, after) = shown.split_once("Restarts=").expect("the number of restarts");
    after.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}

/// Sends a job the signal that Slurm sends before a time limit. Slurm refuses it while a job starts.
fn signal(job: &str) {
    wait_for("a signal", || {
        let output = Command::new("scancel").args(["--batch", "--signal=USR1", job]).output();
        output.expect("starts").status.success()
    });
}

/// Submits the sweep; returns the number of the array.
fn submit(place: &Workplace, arguments: &[&str]) -> String {
    let outcome = place.succeed(&[&["slurm", "tiny.toml"], arguments].concat());
    let (_, after) = outcome.stdout.split_once("submitted array ").expect("the number of the array");
    after.split_whitespace().next().expect("a number").to_owned()
}

/// Waits until no job of an array is left.
#[track_caller]
fn wait_for_end(array: &str) {
    // A job that is just being requeued looks ended for a moment.
    let mut ended = Instant::now();
    wait_for("the end of the array", || {
        if !jobs(array, None).is_empty() {
            ended = Instant::now();
        }
        ended.elapsed() > Duration::from_secs(3)
    });
}

const EXPORT: [&str; 3] = ["export", "--format", "csv"];

/// Returns the numbers of the same sweep without Slurm.
fn numbers_of_a_local_sweep() -> String {
    let place = Workplace::on_file();
    place.write("tiny.toml", &sweep());
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    place.succeed(&EXPORT).stdout
}

/// Compares the numbers of a place with those of the same sweep without Slurm.
fn assert_equal_to_a_local_sweep(place: &Workplace) {
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
    assert_each_stage_done_once(place);
    assert_eq!(place.succeed(&EXPORT).stdout, numbers_of_a_local_sweep(), "the same bits as without Slurm");
    assert_eq!(place.succeed(&["store", "check"]).stdout, "the store and its artifacts are intact\n");
}

#[test]
fn requeued_and_killed_workers_and_a_restarted_server_cost_nothing_but_time() {
    let Some((place, _alone)) = place() else { return };
    let array = submit(&place, &["--workers", "4", "--time", "30"]);
    let running = "SELECT pid FROM attempt WHERE state = 'running'";
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    let status = place.succeed(&["status"]).stdout;
    assert!(status.contains(&format!("{array}_0")) && status.contains("running"), "{status}");
    // Slurm asks a worker to stop, as it does before a time limit. The worker's job requeues itself.
    signal(&format!("{array}_0"));
    // A person requeues another job.
    slurm("scontrol", &["requeue", &format!("{array}_1")]);
    wait_for("the requeued jobs", || [0, 1].iter().all(|task| restarts(&format!("{array}_{task}")) > 0));
    stop_server();
    start_server();
    let mut worker = None;
    wait_for("a running worker", || {
        worker = place.query(running).first().and_then(|pid| pid.parse().ok());
        worker.is_some()
    });
    kill(worker.expect("a process"));
    wait_for_end(&array);
    assert_equal_to_a_local_sweep(&place);
    // Nobody's stage has failed: only the killed worker's attempt is lost.
    let lost = "SELECT COUNT(*) FROM attempt WHERE state IN ('failed', 'lost')";
    assert!(place.count(lost) <= 1, "{:?}", place.query("SELECT stage_id, state, reason FROM attempt"));
    let log = std::fs::read_to_string(place.path(&format!("didact.artifacts/slurm/{array}_0.log"))).expect("a log");
    assert!(log.contains("claimed") && !log.contains("cannot requeue"), "{log}");
}

#[test]
fn two_sweeps_share_a_cluster_and_survive_a_node_that_goes_down() {
    let Some((one, _alone)) = place() else { return };
    let other = Workplace::on_server(database().expect("the server"));
    other.write("tiny.toml", &sweep());
    let arrays = [&one, &other].map(|place| submit(place, &["--workers", "2", "--time", "30"]));
    wait_for("a checkpoint of joint training", || has_checkpoint(&one));
    let node = slurm("sinfo", &["--noheader", "--format=%n"]).trim().to_owned();
    slurm("scontrol", &["update", &format!("NodeName={node}"), "State=DOWN", "Reason=test"]);
    // The node comes back as soon as its daemon answers.
    for array in &arrays {
        wait_for("the requeued jobs", || jobs(array, None).iter().all(|job| restarts(job) > 0));
    }
    for (place, array) in [(&one, &arrays[0]), (&other, &arrays[1])] {
        wait_for_end(array);
        assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
        assert_each_stage_done_once(place);
        let ended = place.succeed(&["status"]).stdout;
        assert!(ended.contains("ended"), "{ended}");
    }
}

#[test]
fn cancelling_a_sweep_cancels_its_jobs() {
    let Some((place, _alone)) = place() else { return };
    let array = submit(&place, &["--workers", "3", "--at-once", "2", "--time", "30"]);
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    assert!(jobs(&array, Some("RUNNING")).len() <= 2, "at most two at once");
    let cancelled = place.succeed(&["cancel", "tiny"]).stdout;
    assert!(cancelled.contains(&format!("Slurm array {array}: its jobs are cancelled")), "{cancelled}");
    wait_for_end(&array);
    // The workers stopped in order: no attempt failed, and `didact sweep` goes on from the checkpoints.
    let states = "SELECT DISTINCT state FROM attempt WHERE state NOT IN ('done', 'interrupted')";
    assert_eq!(place.query(states), [""; 0]);
}

#[test]
fn a_job_stops_before_its_time_limit_and_a_cancelled_task_is_not_requeued() {
    let Some((place, _alone)) = place() else { return };
    // Training that takes longer than the shortest job of Slurm: one minute.
    place.write("tiny.toml", &sweep().replace("epochs = 40", "epochs = 4000"));
    let array = submit(&place, &["--workers", "2", "--time", "1", "--grace", "20s"]);
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    let [limited, cancelled] = [0, 1].map(|task| format!("{array}_{task}"));
    wait_for("the second task", || jobs(&array, Some("RUNNING")).contains(&cancelled));
    slurm("scancel", &[&cancelled]);
    wait_for("the end of the cancelled task", || !jobs(&array, None).contains(&cancelled));
    // Nobody but Slurm tells the other task to stop.
    wait_for("the requeued job", || restarts(&limited) > 0);
    assert_eq!(restarts(&cancelled), 0);
    let states = "SELECT DISTINCT state FROM attempt WHERE state NOT IN ('done', 'interrupted', 'running')";
    assert_eq!(place.query(states), [""; 0], "stopped in order");
    let log = std::fs::read_to_string(place.path(&format!("didact.artifacts/slurm/{limited}.log"))).expect("a log");
    assert!(!log.contains("TIME LIMIT"), "{log}");
    place.succeed(&["cancel", "tiny"]);
    wait_for_end(&array);
}

#[test]
fn a_node_whose_workers_failed_in_a_row_gets_no_more() {
    let Some((place, _alone)) = place() else { return };
    let array = submit(&place, &["--workers", "1", "--sbatch=--hold"]);
    let node = slurm("sinfo", &["--noheader", "--format=%n"]).trim().to_owned();
    for number in 1..=2 {
        place.query(&format!(
            "INSERT INTO workers (id, sweep_id, host, pid, device, threads, started_at, seen_at, stopped_at, reason, broken)
             SELECT 'broken{number}', id, '{node}', 1, 'cpu', 1, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z',
                    '2999-01-01T00:00:00.000Z', 'out of memory', 1 FROM sweeps"
        ));
    }
    slurm("scontrol", &["release", &array]);
    wait_for_end(&array);
    let replacement = place.query("SELECT job FROM slurm_arrays ORDER BY submitted_at").pop().expect("an array");
    assert_ne!(replacement, array);
    // The only node is excluded, so the replacement waits.
    assert_eq!(jobs(&replacement, Some("PENDING")), [format!("{replacement}_0")]);
    let status = place.succeed(&["status"]).stdout;
    assert!(status.contains("gets no more workers") && status.contains("pending"), "{status}");
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), 0);
    place.succeed(&["cancel", "tiny"]);
    wait_for_end(&replacement);
}

#[test]
fn no_stage_is_claimed_for_which_the_time_is_too_short() {
    let Some((place, _alone)) = place() else { return };
    let array = submit(&place, &["--workers", "1", "--time", "5", "--sbatch=--hold"]);
    // By the measurements of earlier stages, features take hours. They have no checkpoints.
    place.query(
        "INSERT INTO rates (kind, family, thread_seconds, work) SELECT kind, family, 1e6 * work, work FROM stages
         WHERE kind = 'features' LIMIT 1",
    );
    slurm("scontrol", &["release", &array]);
    wait_for_end(&array);
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), 0);
    let status = place.succeed(&["status"]).stdout;
    assert!(status.contains("the next stage (features) takes about") && status.contains("a longer --time"), "{status}");
}

#[test]
fn a_server_in_a_job_survives_requeueing_and_leaves_a_copy_of_the_store() {
    let Some((_, _alone)) = place() else { return };
    let place = Workplace::on_file();
    place.write("tiny.toml", &sweep());
    // A server does not run as the superuser. Its user need not be able to read the folder of the built binary.
    let data = std::env::var("DIDACT_TEST_POSTGRES_DATA").expect("tests/with_postgres.sh sets it");
    let user = std::fs::metadata(data).expect("the server's data");
    std::fs::copy(env!("CARGO_BIN_EXE_didact"), place.path("didact")).expect("copied");
    std::fs::set_permissions(place.folder(), Permissions::from_mode(0o777)).expect("shared");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(place.path("didact"));
        command.args(arguments).current_dir(place.folder()).uid(user.uid()).gid(user.gid());
        command.env_remove("DIDACT_STORE").env_remove("DIDACT_ARTIFACTS");
        place.outcome(&command.output().expect("starts"))
    };
    let as_user = |arguments: &[&str]| {
        let outcome = run(arguments);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        outcome.stdout
    };
    let submit = ["slurm", "tiny.toml", "--with-postgres", "--workers", "3", "--time", "30"];
    let submitted = as_user(&submit);
    // Another one at once would use the same data: it waits for the end of the first.
    let second = as_user(&submit);
    let (_, after) = second.split_once("submitted job ").expect("the number of the job");
    let second = after.split(',').next().expect("a number").to_owned();
    let (_, after) = submitted.split_once("submitted job ").expect("the number of the job");
    let server = after.split(',').next().expect("a number").to_owned();
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    let home = std::fs::metadata(place.path("didact.postgres")).expect("a folder");
    assert_eq!(home.permissions().mode() & 0o777, 0o700, "the password is private");
    assert_eq!(jobs(&second, Some("PENDING")), [second.as_str()], "one server at a time");
    slurm("scancel", &[&second]);
    let refused = run(&submit);
    assert_eq!(refused.code, Some(2), "{}", refused.stdout);
    assert!(refused.stderr.contains("add --store postgres-file:[folder]/didact.postgres/url"), "{}", refused.stderr);
    let store = format!("postgres-file:{}", place.path("didact.postgres/url").display());
    let status = as_user(&["status", "--store", &store, "--artifacts", "didact.artifacts"]);
    assert!(status.contains("running"), "{status}");
    // As before a time limit. The server comes back at another port, which its workers notice.
    signal(&server);
    wait_for("the requeued job", || restarts(&server) > 0);
    wait_for_end(&server);
    let copy = place.path("didact.postgres/store.db");
    let log = std::fs::read_to_string(place.path("didact.postgres/job.log")).expect("a log");
    assert!(copy.exists() && !place.path("didact.postgres/url").exists(), "{log}");
    let of_copy = [&EXPORT[..], &["--store", "didact.postgres/store.db", "--artifacts", "didact.artifacts"]].concat();
    assert_eq!(as_user(&of_copy), numbers_of_a_local_sweep(), "the same bits as without Slurm");
}

#[test]
fn blocks_of_the_guide_run_on_a_cluster() {
    let Some((on_server, _alone)) = place() else { return };
    let place = Workplace::on_file();
    // The guide starts a server, which does not run as the superuser.
    let data = std::env::var("DIDACT_TEST_POSTGRES_DATA").expect("tests/with_postgres.sh sets it");
    let user = std::fs::metadata(data).expect("the server's data");
    std::fs::create_dir(place.path("bin")).expect("created");
    std::fs::copy(env!("CARGO_BIN_EXE_didact"), place.path("bin/didact")).expect("copied");
    std::fs::create_dir(place.path("shared")).expect("created");
    for folder in [place.folder(), &place.path("shared")] {
        std::fs::set_permissions(folder, Permissions::from_mode(0o777)).expect("shared");
    }
    run_cluster_guide(place.folder(), &on_server.store(), |command| {
        let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").expect("a path"));
        command.uid(user.uid()).gid(user.gid()).env("PATH", path);
    });
}

#[test]
fn the_script_is_shown_and_impossible_sweeps_are_refused() {
    let place = Workplace::on_file();
    place.write("tiny.toml", &sweep());
    let server = "postgres://ada:secret@db/didact";
    let dry = ["slurm", "tiny.toml", "--dry-run", "--artifacts", "shared", "--store"];
    let script =
        place.succeed(&[&dry[..], &[server, "--workers", "8", "--at-once", "4", "--gres", "gpu:1"]].concat()).stdout;
    for line in ["--array=0-7%4", "--gres=gpu:1", "--requeue", "--open-mode=append", "--signal=B:USR1@120"] {
        assert!(script.contains(&format!("#SBATCH {line}\n")), "{line}:\n{script}");
    }
    assert!(!script.contains("secret"), "the password is in no file");
    for (time, part) in [("4h", "HOURS:MINUTES:SECONDS"), ("1:00", "a worker stops")] {
        let short = place.run(&[&dry[..], &[server, "--time", time]].concat());
        assert_eq!(short.code, Some(2), "{}", short.stderr);
        assert!(short.stderr.contains(part) && short.stderr.contains(&format!("--time {time}")), "{}", short.stderr);
    }
    let file = place.run(&[&dry[..], &["didact.db"]].concat());
    assert_eq!(file.code, Some(2));
    assert!(file.stderr.contains("cannot share a file"), "{}", file.stderr);
    place.write("tiny.toml", &(sweep() + "strategy = \"tpe\"\ntrials = 20\n[search.space]\n\"joint.student.learning_rate\" = { log_uniform = [1e-3, 1.0] }\n"));
    let learning = place.run(&[&dry[..], &[server]].concat());
    assert_eq!(learning.code, Some(2), "{}", learning.stderr);
    assert!(learning.stderr.contains("one process that lasts"), "{}", learning.stderr);
}
