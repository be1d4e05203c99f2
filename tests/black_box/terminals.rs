//! Output on terminals; files and pipes get plain text.

use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::Stdio;

use crate::common::{TINY, Workplace};

/// Runs a command with a terminal as standard error; returns its exit code and the terminal's output.
fn on_a_terminal(place: &Workplace, arguments: &[&str], variables: &[(&str, Option<&str>)]) -> (Option<i32>, String) {
    let (mut ours, mut theirs) = (0, 0);
    let none = std::ptr::null_mut();
    // SAFETY: two descriptors are written, and owned from then on; names and settings are left out.
    let (mut ours, theirs) = unsafe {
        assert_eq!(libc::openpty(&mut ours, &mut theirs, none, none.cast(), none.cast()), 0, "a pseudo terminal");
        (File::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs))
    };
    let mut command = place.command(arguments);
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(theirs).spawn().expect("starts");
    drop(command);
    let mut seen = Vec::new();
    let mut part = [0; 4096];
    // On Linux, reading returns an error after the last process has closed the terminal.
    while let Ok(bytes @ 1..) = ours.read(&mut part) {
        seen.extend_from_slice(&part[..bytes]);
    }
    (child.wait().expect("ends").code(), String::from_utf8_lossy(&seen).into_owned())
}

const ESCAPE: char = '\u{1b}';

#[test]
fn bars_are_drawn_on_capable_terminals() {
    let sweep = ["sweep", "tiny.toml", "--no-report"];
    for (term, drawn) in [(Some("xterm-256color"), true), (Some("dumb"), false), (Some(""), false), (None, false)] {
        let place = Workplace::new();
        place.write("tiny.toml", TINY);
        let (code, seen) = on_a_terminal(&place, &sweep, &[("TERM", term)]);
        assert_eq!(code, Some(0), "{seen}");
        assert_eq!(seen.contains(ESCAPE), drawn, "TERM={term:?}: {seen:?}");
        assert_eq!(seen.contains("done in"), !drawn, "bars or lines: {seen}");
        assert!(seen.contains("2 of 2 runs done"), "{seen}");
    }
}

#[test]
fn colours_are_used_on_capable_terminals() {
    let place = Workplace::new();
    place.write("bad.toml", "schema = 2\n");
    let xterm = ("TERM", Some("xterm-256color"));
    let bad: [&[&str]; 2] = [&["sweep", "bad.toml"], &["sweep", "--jobs", "0"]];
    for arguments in bad {
        let coloured = |variables: &[(&str, Option<&str>)]| {
            let (code, seen) = on_a_terminal(&place, arguments, variables);
            assert_eq!(code, Some(2), "{seen}");
            seen.contains(ESCAPE)
        };
        assert!(coloured(&[xterm]), "{arguments:?}");
        assert!(!coloured(&[xterm, ("NO_COLOR", Some("1"))]), "{arguments:?}");
        // Libraries assume more of a terminal if `CI` is set.
        for ci in [None, Some("true")] {
            for term in [None, Some(""), Some("dumb")] {
                assert!(!coloured(&[("TERM", term), ("CI", ci)]), "{arguments:?}, TERM={term:?}, CI={ci:?}");
            }
        }
        let piped = |variable: Option<&str>| {
            let mut command = place.command(arguments);
            command.env("TERM", "xterm-256color");
            variable.map(|name| command.env(name, "1"));
            place.outcome(&command.output().expect("starts")).stderr.contains(ESCAPE)
        };
        assert!(!piped(None) && piped(Some("CLICOLOR_FORCE")), "{arguments:?}");
    }
}

#[test]
fn files_get_plain_lines_and_progress_of_long_stages() {
    let place = Workplace::new();
    place.write("tiny.toml", &TINY.replace("epochs = 2", "epochs = 5000"));
    let mut sweep = place.start("log", &["--log", "debug", "sweep", "tiny.toml", "--no-report", "--jobs", "1"]);
    sweep.wait_for_output("  epoch ");
    sweep.signal(libc::SIGINT);
    assert_eq!(sweep.end(), 130);
    let output = sweep.output();
    assert!(output.contains("DEBUG") && !output.contains(ESCAPE), "{output}");
    let line = output.lines().find(|line| line.contains("  epoch ")).expect("waited for");
    assert!(line.starts_with("[0/2 runs") && line.contains("/5000, loss "), "{line}");
    let attempts = std::fs::read_dir(place.path("didact.artifacts/logs")).into_iter().flatten();
    for log in attempts.map(|entry| std::fs::read_to_string(entry.expect("listed").path()).expect("a log")) {
        assert!(!log.contains(ESCAPE), "{log}");
    }
}
