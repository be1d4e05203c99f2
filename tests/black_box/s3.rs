//! Artifacts in an object store. Needs DIDACT_TEST_S3, the address of a server; see `tests/with_s3.sh`.

use std::path::PathBuf;
use std::time::Duration;

use crate::background::{assert_each_stage_done_once, assert_same_bits, has_checkpoint, state};
use crate::common::{TINY, Workplace, one_long_trial, two_long_trials};
use crate::processes::{send, wait_for};
use crate::torture::points_of;

const SWEEP: [&str; 3] = ["sweep", "tiny.toml", "--no-report"];

/// The server wants a signature, but does not verify it.
const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=none";

fn server() -> String {
    std::env::var("DIDACT_TEST_S3").expect("DIDACT_TEST_S3 names a server (run `just test-s3`)")
}

/// A workplace whose artifacts are below a prefix of their own. Its cache folder is `cache`. The copies of this machine are also reached as
/// `didact.artifacts`, where other tests expect artifacts.
struct Lab {
    place: Workplace,
    prefix: String,
}

impl Lab {
    fn new(file: &str) -> Self {
        Self::at(&uuid::Uuid::now_v7().to_string(), file)
    }

    fn at(prefix: &str, file: &str) -> Self {
        let place = Workplace::new();
        let cache = place.path("cache");
        let place = place
            .with_environment(&[
                ("AWS_ENDPOINT_URL", &server()),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("DIDACT_ARTIFACTS", &format!("s3://didact/{prefix}")),
                ("XDG_CACHE_HOME", &cache.display().to_string()),
            ])
            .with_slow_epochs();
        place.write("tiny.toml", file);
        let lab = Self { place, prefix: prefix.to_owned() };
        std::os::unix::fs::symlink(lab.copies(), lab.place.path("didact.artifacts")).expect("linked");
        lab
    }

    /// Plans the sweep and computes nothing.
    fn plan(&self) {
        let planned = self.place.run(&["sweep", "tiny.toml", "--no-report", "--time-limit", "0s"]);
        assert_eq!(planned.code, Some(130), "{}", planned.stderr);
    }

    /// Folder with the copies of this machine.
    fn copies(&self) -> PathBuf {
        self.place.path("cache/didact/s3/didact").join(&self.prefix)
    }

    /// Removes all copies of this machine, as if the next command ran on another one.
    fn forget(&self) {
        std::fs::remove_dir_all(self.place.path("cache")).expect("removed");
    }

    /// Names of the objects below a folder of the prefix.
    fn objects(&self, folder: &str) -> Vec<String> {
        let url = format!("{}/didact?list-type=2&max-keys=1000&prefix={}/{folder}", server(), self.prefix);
        let listed = ureq::get(&url)
            .header("Authorization", SIGNED)
            .call()
            .expect("answers")
            .body_mut()
            .read_to_string()
            .expect("a list");
        let names = listed.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
        names.filter_map(|name| Some(name.strip_prefix(&self.prefix)?.trim_start_matches('/').to_owned())).collect()
    }

    fn url(&self, object: &str) -> String {
        format!("{}/didact/{}/{object}", server(), self.prefix)
    }

    fn remove(&self, object: &str) {
        ureq::delete(self.url(object)).header("Authorization", SIGNED).call().expect("removed");
    }

    fn put(&self, object: &str, content: &[u8]) {
        ureq::put(self.url(object)).header("Authorization", SIGNED).send(content).expect("written");
    }

    fn get(&self, object: &str) -> Vec<u8> {
        ureq::get(self.url(object))
            .header("Authorization", SIGNED)
            .call()
            .expect("answers")
            .body_mut()
            .read_to_vec()
            .expect("read")
    }

    #[track_caller]
    fn assert_intact(&self) {
        assert_eq!(self.place.succeed(&["store", "check"]).stdout, "the store and its artifacts are intact\n");
    }
}

#[test]
fn a_sweep_equals_one_in_a_folder_and_any_machine_can_read_it() {
    let lab = Lab::new(&two_long_trials());
    lab.place.succeed(&SWEEP);
    assert_each_stage_done_once(&lab.place);
    assert_same_bits(&lab.place);
    assert_eq!(lab.objects("partial"), [""; 0], "checkpoints of finished stages are removed");
    assert_eq!(lab.objects("logs").len() as i64, lab.place.count("SELECT COUNT(*) FROM attempt"));
    lab.forget();
    lab.assert_intact();
    assert!(!lab.copies().join("joint").exists(), "the check reads objects without keeping them");
    let again = lab.place.succeed(&SWEEP);
    assert!(again.stderr.contains("13 done before"), "{}", again.stderr);
    lab.forget();
    assert_eq!(lab.place.succeed(&["report", "tiny"]).stderr, "", "no picture and no interval is missing");
    lab.forget();
    let run = lab.place.query("SELECT id FROM run ORDER BY id").remove(0);
    let image = lab.place.path("image.png");
    image::RgbImage::from_pixel(32, 32, image::Rgb([90, 120, 60])).save(&image).expect("written");
    lab.place.succeed(&["predict", &run, "image.png", "--out", "predicted"]);
}

#[test]
fn a_kill_at_any_point_loses_nothing() {
    for point in points_of("s3:") {
        let lab = Lab::new(&one_long_trial());
        lab.plan();
        let mut worker = lab.place.command(&["worker", "--sweep", "tiny"]);
        let killed = worker.env("DIDACT_FAULT", &point).output().expect("starts");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&killed.status), Some(libc::SIGKILL), "{point}");
        // Another machine goes on: it has only what is in the object store.
        lab.forget();
        lab.place.succeed(&SWEEP);
        assert_each_stage_done_once(&lab.place);
        assert_same_bits(&lab.place);
        lab.assert_intact();
    }
}

#[test]
fn another_machine_resumes_from_the_checkpoint() {
    let lab = Lab::new(&one_long_trial());
    let mut sweep = lab.place.start("sweep.log", &SWEEP);
    let is_kept =
        || has_checkpoint(&lab.place) && lab.objects("partial").iter().any(|name| name.ends_with("last.safetensors"));
    wait_for("a checkpoint in the object store", is_kept);
    sweep.signal(libc::SIGINT);
    assert_eq!(sweep.end(), 130, "{}", sweep.output());
    lab.forget();
    let resumed = lab.place.succeed(&["sweep", "tiny.toml", "--no-report", "--log", "info"]);
    assert!(resumed.stderr.contains("resumes after this epoch"), "{}", resumed.stderr);
    assert_each_stage_done_once(&lab.place);
    assert_same_bits(&lab.place);
    assert_eq!(lab.objects("partial"), [""; 0]);
}

#[test]
fn workers_of_two_machines_share_the_work() {
    let lab = Lab::new(&two_long_trials());
    lab.plan();
    let worker = |name: &str| {
        let mut command = lab.place.command(&["worker", "--sweep", "tiny", "--threads", "1", "--scratch", name]);
        command.env("XDG_CACHE_HOME", lab.place.path(&format!("{name}-cache")));
        crate::background::BackgroundCommand::new(command, lab.place.path(&format!("{name}.log")))
    };
    let mut workers = ["one", "other"].map(worker);
    for worker in &mut workers {
        assert_eq!(worker.end(), 0, "{}", worker.output());
    }
    for scratch in ["one", "other"] {
        assert_eq!(std::fs::read_dir(lab.place.path(scratch)).expect("a folder").count(), 0, "the copies are removed");
    }
    assert_each_stage_done_once(&lab.place);
    assert!(lab.place.count("SELECT COUNT(DISTINCT worker) FROM attempt WHERE state = 'done'") >= 2);
    // Only the object store has artifacts now.
    assert_eq!(lab.place.succeed(&["report", "tiny"]).stderr, "", "no picture and no interval is missing");
    lab.assert_intact();
}

#[test]
fn damage_is_found_and_computed_again() {
    let lab = Lab::new(TINY);
    lab.place.succeed(&SWEEP);
    let object = |kind: &str, file: &str| {
        let names = lab.objects(kind);
        names.into_iter().find(|name| name.ends_with(file)).unwrap_or_else(|| panic!("no {file} in {kind}"))
    };
    // A lost file and a lost manifest: a plan notices them.
    for lost in [object("score", "score.json"), object("pretrain", "files.json")] {
        lab.forget();
        lab.remove(&lost);
        let again = lab.place.succeed(&SWEEP);
        assert!(again.stderr.contains("12 done before"), "{lost}: {}", again.stderr);
        assert!(lab.objects("").contains(&lost), "{lost}");
        lab.assert_intact();
    }
    // Other bytes of the same number: whoever reads them notices.
    let changed = object("joint", "selected.safetensors");
    let content = lab.get(&changed);
    lab.put(&changed, &content.iter().map(|byte| !byte).collect::<Vec<_>>());
    let found = lab.place.run(&["store", "check"]);
    assert_eq!(found.code, Some(4));
    assert!(found.stdout.contains(&format!("s3://didact/{}/{changed} differs", lab.prefix)), "{}", found.stdout);
    lab.forget();
    lab.place.succeed(&["store", "check", "--repair"]);
    lab.place.succeed(&SWEEP);
    assert!(lab.get(&changed) == content, "the same bytes are computed again");
    lab.assert_intact();
}

#[test]
fn an_intact_copy_replaces_a_lost_artifact_without_computing() {
    let lab = Lab::new(TINY);
    lab.place.succeed(&SWEEP);
    let lost = lab.objects("joint").into_iter().find(|name| name.ends_with("files.json")).expect("a manifest");
    lab.remove(&lost);
    let again = lab.place.succeed(&["sweep", "tiny.toml", "--no-report", "--log", "info"]);
    assert!(again.stderr.contains("already published the artifact; nothing is computed"), "{}", again.stderr);
    lab.assert_intact();
}

#[test]
fn a_server_that_is_away_for_a_while_costs_no_attempt() {
    let lab = Lab::new(&one_long_trial());
    let process: i32 = std::env::var("DIDACT_TEST_S3_PROCESS").expect("its process").parse().expect("a number");
    let mut sweep = lab.place.start("sweep.log", &SWEEP);
    wait_for("a checkpoint of joint training", || has_checkpoint(&lab.place));
    send(process, libc::SIGSTOP);
    wait_for("a stopped server", || state(process) == Some('T'));
    std::thread::sleep(Duration::from_secs(4));
    send(process, libc::SIGCONT);
    assert_eq!(sweep.end(), 0, "{}", sweep.output());
    assert_eq!(lab.place.query("SELECT DISTINCT state FROM attempt"), ["done"]);
    assert_same_bits(&lab.place);
}

#[test]
fn gc_removes_objects_and_copies_and_another_store_is_refused() {
    let lab = Lab::new(TINY);
    lab.place.succeed(&SWEEP);
    lab.place.succeed(&["delete", "tiny", "--yes"]);
    let found = lab.place.succeed(&["gc", "--dry-run"]).stdout;
    assert!(found.contains("13 "), "{found}");
    lab.place.succeed(&["gc"]);
    let left = lab.objects("");
    assert!(left.iter().all(|name| name == "store.json" || name.starts_with("logs/")), "{left:?}");
    for kind in ["features", "pretrain", "joint", "score", "evaluate"] {
        let copies = std::fs::read_dir(lab.copies().join(kind)).map_or(0, Iterator::count);
        assert_eq!(copies, 0, "{kind}");
    }
    let other = Lab::at(&lab.prefix, TINY);
    let refused = other.place.run(&SWEEP);
    assert_eq!(refused.code, Some(4));
    assert!(refused.stderr.contains(&format!("s3://didact/{}", lab.prefix)), "{}", refused.stderr);
    assert!(refused.stderr.contains("belongs to another store"), "{}", refused.stderr);
}

#[test]
fn a_store_with_objects_is_merged_into_one_with_a_folder() {
    let lab = Lab::new(TINY);
    lab.place.succeed(&SWEEP);
    lab.forget();
    let place = lab.place.path("mine.db").display().to_string();
    let (store, artifacts) = (["--store", &place], ["--artifacts", "mine"]);
    let from = format!("s3://didact/{}", lab.prefix);
    // An empty store of its own, as the first sweep makes it.
    lab.place.write("other.toml", &TINY.replace("\"tiny\"", "\"other\""));
    let run = |own: &[&str]| lab.place.succeed(&[own, &store, &artifacts].concat());
    lab.place.run(&[&["sweep", "other.toml", "--no-report", "--time-limit", "0s"][..], &store, &artifacts].concat());
    let merged = run(&["store", "merge", "didact.db", "--from-artifacts", &from]).stdout;
    assert!(merged.contains(" done there"), "{merged}");
    assert_eq!(run(&["store", "check"]).stdout, "the store and its artifacts are intact\n");
    assert!(lab.place.path("mine/joint").is_dir());
}

#[test]
fn jobs_of_slurm_get_the_address_and_a_folder_for_their_logs() {
    let lab = Lab::new(TINY);
    let script =
        lab.place.succeed(&["slurm", "tiny.toml", "--dry-run", "--store", "postgres://db.example/didact"]).stdout;
    assert!(script.contains(&format!("--artifacts s3://didact/{} ", lab.prefix)), "{script}");
    assert!(script.contains("#SBATCH --output=[folder]/didact.jobs/slurm/%A_%a.log"), "{script}");
}

#[test]
fn places_that_cannot_be_used_are_explained() {
    let lab = Lab::new(TINY);
    let refuse = |place: &str, removed: &str, code: i32, parts: &[&str]| {
        let mut command = lab.place.command(&[&SWEEP[..], &["--artifacts", place]].concat());
        let outcome = lab.place.outcome(&command.env_remove(removed).output().expect("starts"));
        assert_eq!(outcome.code, Some(code), "{place}: {}", outcome.stderr);
        for part in parts {
            assert!(outcome.stderr.contains(part), "{place}: {}", outcome.stderr);
        }
    };
    refuse("s3:///x", "NONE", 2, &["s3:///x", "names no bucket", "s3://BUCKET/PREFIX"]);
    refuse("s3://didact/x", "AWS_SECRET_ACCESS_KEY", 2, &["s3://didact/x", "SecretAccessKey"]);
    refuse("s3://nothing-here/x", "NONE", 4, &["s3://nothing-here/x", "the bucket does not exist"]);
}
