//! Outputs that cannot be written: a closed pipe, a full disk. Progress is best effort; results are not.

use std::fs::File;
use std::process::Stdio;

use crate::common::{CommandOutcome, TINY, Workplace};

/// Returns the writing end of a closed pipe.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

/// Returns a file that cannot be written.
fn full_disk() -> Stdio {
    File::options().write(true).open("/dev/full").expect("Linux has it").into()
}

fn run(place: &Workplace, arguments: &[&str], stdout: Stdio, stderr: Stdio) -> CommandOutcome {
    let child = place.command(arguments).stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().expect("starts");
    place.outcome(&child.wait_with_output().expect("ends"))
}

fn place_with_a_sweep() -> Workplace {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place.succeed(&["sweep", "tiny.toml"]);
    place.succeed(&["data", "synth", "data", "--side", "32"]);
    place
}

/// Commands that print their result.
const RESULTS: [&[&str]; 11] = [
    &["status"],
    &["status", "--json"],
    &["export"],
    &["export", "--format", "json"],
    &["report", "--json"],
    &["baselines"],
    &["sweep", "tiny.toml", "--dry-run"],
    &["data", "check", "data"],
    &["weights", "check", "demo"],
    &["--help"],
    &["--version"],
];

#[test]
fn a_result_that_cannot_be_written_is_an_error_but_a_closed_pipe_is_not() {
    let place = place_with_a_sweep();
    for arguments in RESULTS {
        let closed = run(&place, arguments, closed_pipe(), Stdio::piped());
        assert_eq!((closed.code, closed.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        let full = run(&place, arguments, full_disk(), Stdio::piped());
        assert_eq!(full.code, Some(4), "{arguments:?}: {}", full.stderr);
        assert!(full.stderr.starts_with("error: cannot write standard output: No space left"), "{}", full.stderr);
        // Nothing panics if the error message cannot be written, either.
        assert_eq!(run(&place, arguments, full_disk(), full_disk()).code, Some(4), "{arguments:?}");
        assert_eq!(run(&place, arguments, full_disk(), closed_pipe()).code, Some(4), "{arguments:?}");
    }
}

#[test]
fn an_error_that_cannot_be_written_keeps_its_exit_code() {
    let place = Workplace::new();
    place.write("bad.toml", "schema = 2\n");
    let cases: [(&[&str], i32); 6] = [
        (&["sweep", "bad.toml"], 2),
        (&["sweeep"], 2),
        (&[], 2),
        (&["status"], 4),
        (&["data", "check", "absent"], 3),
        (&["weights", "check", "absent.pth"], 3),
    ];
    for (arguments, code) in cases {
        for stderr in [closed_pipe(), full_disk()] {
            assert_eq!(run(&place, arguments, Stdio::null(), stderr).code, Some(code), "{arguments:?}");
        }
    }
}

#[test]
fn a_sweep_completes_even_if_its_output_cannot_be_written() {
    type End = fn() -> Stdio;
    let ends: [(End, End); 3] = [(closed_pipe, closed_pipe), (full_disk, full_disk), (full_disk, Stdio::null)];
    for (stdout, stderr) in ends {
        let place = Workplace::new();
        place.write("tiny.toml", TINY);
        let arguments = ["sweep", "tiny.toml", "--log", "debug"];
        assert_eq!(run(&place, &arguments, stdout(), stderr()).code, Some(0));
        assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
        assert_eq!(place.query("SELECT DISTINCT state FROM attempt"), ["done"], "no worker died");
        assert!(place.path("reports/tiny/index.html").is_file());
    }
    // The exit code shows the failure.
    let place = Workplace::new();
    place.write(
        "tiny.toml",
        &TINY.replace("epochs = 2", "epochs = 2\nclip_norm = 0\nstudent = { learning_rate = 1e4 }"),
    );
    assert_eq!(run(&place, &["sweep", "tiny.toml"], full_disk(), closed_pipe()).code, Some(1));
    assert_eq!(run(&place, &["sweep", "tiny.toml", "--no-report"], closed_pipe(), full_disk()).code, Some(1));
}

#[test]
fn closed_descriptors_change_nothing() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    let shell = |line: &str| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", line]).current_dir(place.folder()).env("DIDACT", env!("CARGO_BIN_EXE_didact"));
        command.output().expect("a shell").status.code()
    };
    assert_eq!(shell("$DIDACT sweep tiny.toml --jobs 1 --no-report >&- 2>&- <&-"), Some(0));
    assert_eq!(shell("$DIDACT status >&- 2>&-"), Some(0));
    assert_eq!(shell("$DIDACT status other 2>&-"), Some(2));
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
}

#[test]
fn a_worker_does_not_wait_for_a_reader() {
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place.run(&["sweep", "tiny.toml", "--no-report", "--time-limit", "0s"]);
    let before = place.count("SELECT COUNT(*) FROM attempt");
    let (mut reader, mut writer) = std::io::pipe().expect("a pipe");
    // SAFETY: a plain system call on a descriptor of this test.
    let capacity = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETPIPE_SZ, 4096) };
    writer.write_all(&vec![b' '; capacity as usize]).expect("fills the pipe");
    let mut worker = place.command(&["worker", "--sweep", "tiny"]).stdout(writer).spawn().expect("starts");
    crate::processes::wait_for("runs that are done", || place.query("SELECT DISTINCT state FROM run") == ["done"]);
    let mut output = String::new();
    reader.read_to_string(&mut output).expect("text");
    assert_eq!(worker.wait().expect("ends").code(), Some(0));
    let finished = output.lines().filter(|line| line.contains("\"finished\"")).count() as i64;
    assert_eq!(finished, place.count("SELECT COUNT(*) FROM attempt") - before, "no finished message is lost: {output}");
}
