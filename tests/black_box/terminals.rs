//! Output on terminals; files and pipes get plain text.

use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::Stdio;

use crate::common::{TINY, Workplace};

/// Runs a command with a terminal as standard error; returns its exit code and the terminal's output.
fn on_a_terminal(place: &Workplace, arguments: &[&str], variables: &[(&str, Option<&str>)]) -> (Option<i32>, String) {
    let (mut controller, mut terminal) = (0, 0);
    let null = std::ptr::null_mut();
    // SAFETY: the call writes two descriptors, which are owned afterwards. Names and settings are omitted.
    let (mut controller, terminal) = unsafe {
        assert_eq!(
            libc::openpty(&mut controller, &mut terminal, null, null.cast(), null.cast()),
            0,
            "a pseudo terminal"
        );
        (File::from_raw_fd(controller), OwnedFd::from_raw_fd(terminal))
    };
    let mut command = place.command(arguments);
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(terminal).spawn().expect("starts");
    drop(command);
    let mut output = Vec::new();
    let mut part = [0; 4096];
    // On Linux, reading returns an error after the last process has closed the terminal.
    while let Ok(bytes @ 1..) = controller.read(&mut part) {
        output.extend_from_slice(&part[..bytes]);
    }
    (child.wait().expect("ends").code(), String::from_utf8_lossy(&output).into_owned())
}

const ESCAPE: char = '\u{1b}';

#[test]
fn bars_are_drawn_on_capable_terminals() {
    let sweep = ["sweep", "tiny.toml", "--no-report"];
    for (term, drawn) in [(Some("xterm-256color"), true), (Some("dumb"), false), (Some(""), false), (None, false)] {
        let place = Workplace::new();
        place.write("tiny.toml", TINY);
        let (code, output) = on_a_terminal(&place, &sweep, &[("TERM", term)]);
        assert_eq!(code, Some(0), "{output}");
        assert_eq!(output.contains(ESCAPE), drawn, "TERM={term:?}: {output:?}");
        assert_eq!(output.contains("done in"), !drawn, "bars or lines: {output}");
        assert!(output.contains("2 of 2 runs done"), "{output}");
    }
}

#[test]
fn colours_are_used_on_capable_terminals() {
    let place = Workplace::new();
    place.write("bad.toml", "schema = 2\n");
    let xterm = ("TERM", Some("xterm-256color"));
    let invalid: [&[&str]; 2] = [&["sweep", "bad.toml"], &["sweep", "--jobs", "0"]];
    for arguments in invalid {
        let coloured = |variables: &[(&str, Option<&str>)]| {
            let (code, output) = on_a_terminal(&place, arguments, variables);
            assert_eq!(code, Some(2), "{output}");
            output.contains(ESCAPE)
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
