//! `didact watch`: the view of a sweep in a terminal, which tmux emulates.

use crate::common::Workplace;

#[test]
fn a_view_that_this_program_was_not_built_for_is_explained() {
    if cfg!(feature = "live") {
        return;
    }
    let refused = Workplace::on_file().run(&["watch"]);
    assert_eq!(refused.code, Some(2));
    for part in ["was built without live views", "--features live", "didact status"] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
}

#[cfg(feature = "live")]
mod live {
    use std::process::{Command, Output};

    use super::*;
    use crate::background::start_until_joint_training;
    use crate::common::{TINY, one_long_trial};
    use crate::processes::{kill, processes_in, send, wait_for};

    /// A shell on a terminal that tmux emulates.
    pub struct Screen {
        socket: std::path::PathBuf,
    }

    impl Screen {
        /// Starts the terminal in a workplace. `None`, after a message, if tmux is not installed.
        #[expect(clippy::print_stderr, reason = "says that a test is skipped")]
        pub fn open(place: &Workplace, (width, height): (u16, u16)) -> Option<Self> {
            if Command::new("tmux").arg("-V").output().is_err() {
                eprintln!("skipped: tmux is not installed (Debian: apt-get install tmux)");
                return None;
            }
            let screen = Self { socket: place.path("tmux") };
            // What is typed has the environment of a command in the workplace.
            let command = place.command(&[]);
            let server = Command::new("tmux")
                .args(["-f", "/dev/null", "-S"])
                .arg(&screen.socket)
                .args(["new-session", "-d", "-x", &width.to_string(), "-y", &height.to_string(), "-c"])
                .arg(place.folder())
                .arg("PS1='ready> ' exec sh -i")
                .env("DIDACT", command.get_program())
                .env_remove("TMUX")
                .env_remove("NO_COLOR")
                .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
                .output();
            assert!(server.expect("tmux starts").status.success());
            screen.tmux(&["set-option", "-g", "window-size", "manual"]);
            screen.wait_for("ready>");
            Some(screen)
        }

        fn tmux(&self, arguments: &[&str]) -> Output {
            let output =
                Command::new("tmux").arg("-S").arg(&self.socket).args(arguments).output().expect("tmux starts");
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            output
        }

        /// Types a line, which ends with its exit code.
        pub fn run(&self, line: &str) {
            self.tmux(&["send-keys", "-l", &format!("{line}; echo \"code: $?.\"")]);
            self.press("Enter");
        }

        /// Presses a key, by tmux's name.
        pub fn press(&self, key: &str) {
            self.tmux(&["send-keys", key]);
        }

        pub fn resize(&self, (width, height): (u16, u16)) {
            self.tmux(&["resize-window", "-x", &width.to_string(), "-y", &height.to_string()]);
        }

        /// Returns what the terminal shows.
        pub fn text(&self) -> String {
            String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p"]).stdout).into_owned()
        }

        /// Waits until the terminal shows a text.
        #[track_caller]
        pub fn wait_for(&self, text: &str) -> String {
            let mut shown = String::new();
            wait_for(text, || {
                shown = self.text();
                shown.contains(text)
            });
            shown
        }
    }

    impl Drop for Screen {
        fn drop(&mut self) {
            // It has ended unless the test failed.
            let _ = Command::new("tmux").arg("-S").arg(&self.socket).arg("kill-server").output();
        }
    }

    /// Replaces numbers with four decimals.
    fn without_values(text: &str) -> String {
        let words = text.split('0').collect::<Vec<_>>();
        let mut parts = words.into_iter();
        let mut shown = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            match part.strip_prefix('.').filter(|rest| rest.len() >= 4 && rest[..4].bytes().all(|b| b.is_ascii_digit()))
            {
                Some(rest) => shown.push_str(&format!("0.####{}", &rest[4..])),
                None => shown.push_str(&format!("0{part}")),
            }
        }
        shown
    }

    /// Returns the process that shows the view.
    fn viewer(place: &Workplace) -> i32 {
        let is_viewer = |pid: &i32| {
            std::fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| line.split(|byte| *byte == 0).nth(1) == Some(b"watch"))
        };
        let mut found = None;
        wait_for("a view", || {
            found = processes_in(place.folder()).into_iter().find(is_viewer);
            found.is_some()
        });
        found.expect("waited for")
    }

    #[test]
    fn a_view_fits_its_terminal_and_leaves_it_clean() {
        let place = Workplace::on_file();
        place.write("tiny.toml", TINY);
        place.succeed(&["sweep", "tiny.toml", "--no-report"]);
        let Some(screen) = Screen::open(&place, (80, 24)) else { return };
        screen.run("echo before; \"$DIDACT\" watch");
        screen.wait_for("? help");
        insta::assert_snapshot!("watch_80x24", without_values(&screen.text()));
        screen.resize((200, 50));
        screen.wait_for("4 Failures (0)");
        wait_for("the new size", || screen.text().lines().any(|line| line.chars().count() > 100));
        insta::assert_snapshot!("watch_200x50", without_values(&screen.text()));
        screen.press("?");
        screen.wait_for("leave; the sweep goes on");
        screen.press("Escape");
        wait_for("the end of the help", || !screen.text().contains("the sweep goes on"));
        screen.press("3");
        screen.press("q");
        let shown = screen.wait_for("code: 0.");
        assert!(shown.contains("before\nsweep tiny: 2 of 2 runs done, 0 running, 0 failed\ncode: 0."), "{shown}");
        assert!(!shown.contains("Stages"), "{shown}");
        // The terminal echoes what is typed.
        screen.run("echo 'typed again'");
        screen.wait_for("echo 'typed again'");
        for key in ["C-c", "Escape"] {
            screen.run("clear; \"$DIDACT\" watch tiny");
            screen.wait_for("? help");
            screen.press(key);
            screen.wait_for("code: 0.");
        }
        assert_eq!(place.succeed(&["store", "check"]).stdout, "the store and its artifacts are intact\n");
    }

    #[test]
    fn a_running_sweep_is_shown_and_killed_views_harm_nothing() {
        let (place, mut sweep) = start_until_joint_training(&one_long_trial().replace("epochs = 40", "epochs = 4000"));
        let Some(screen) = Screen::open(&place, (100, 30)) else { return };
        screen.run("\"$DIDACT\" watch");
        screen.wait_for("/4000");
        let first = screen.wait_for("weave · T01");
        assert!(first.contains("2 Workers (1)") && first.contains("1 running"), "{first}");
        wait_for("news", || screen.text() != first);
        send(viewer(&place), libc::SIGTERM);
        let shown = screen.wait_for("code: 130.");
        assert!(shown.contains("sweep tiny: 0 of 1 runs done, 1 running") && !shown.contains("Workers"), "{shown}");
        screen.run("clear; \"$DIDACT\" watch");
        screen.wait_for("? help");
        kill(viewer(&place));
        sweep.signal(libc::SIGINT);
        assert_eq!(sweep.end(), 130, "{}", sweep.output());
        assert_eq!(place.succeed(&["store", "check"]).stdout, "the store and its artifacts are intact\n");
    }

    #[test]
    fn the_end_of_a_sweep_and_the_absence_of_its_store_are_said() {
        let (place, mut sweep) = start_until_joint_training(&one_long_trial());
        let Some(screen) = Screen::open(&place, (80, 24)) else { return };
        screen.run("\"$DIDACT\" watch");
        screen.wait_for("? help");
        assert_eq!(sweep.end(), 0, "{}", sweep.output());
        screen.wait_for("the sweep has ended");
        let elsewhere = place.path("elsewhere.db");
        std::fs::rename(place.path("didact.db"), &elsewhere).expect("moved");
        let shown = screen.wait_for("cannot read the store, trying again: ");
        assert!(shown.contains("1 of 1 runs done"), "{shown}");
        std::fs::rename(&elsewhere, place.path("didact.db")).expect("moved back");
        wait_for("the store is read again", || screen.text().contains("the sweep has ended"));
        screen.press("q");
        screen.wait_for("code: 0.");
    }

    #[test]
    fn a_view_needs_a_terminal_a_store_and_a_sweep() {
        let place = Workplace::on_file();
        let piped = place.run(&["watch"]);
        assert_eq!(piped.code, Some(2), "{}", piped.stderr);
        assert!(piped.stderr.contains("not a terminal") && piped.stderr.contains("didact status"), "{}", piped.stderr);
        let Some(screen) = Screen::open(&place, (200, 24)) else { return };
        screen.run("TERM=dumb \"$DIDACT\" watch");
        screen.wait_for("not a terminal that can show a live view");
        screen.run("\"$DIDACT\" watch");
        screen.wait_for("code: 4.");
        screen.wait_for("there is no store at didact.db; run `didact sweep` to create it");
        place.write("tiny.toml", TINY);
        place.run(&["sweep", "tiny.toml", "--no-report", "--time-limit", "0s"]);
        screen.run("clear; \"$DIDACT\" watch other");
        screen.wait_for("there is no sweep `other` in the store; it contains: tiny");
        screen.wait_for("code: 2.");
    }
}

/// The server is restarted while a view shows one of its stores.
#[cfg(all(feature = "live", feature = "postgres"))]
#[test]
fn a_view_survives_a_restart_of_the_server() {
    use live::Screen;

    use crate::common::TINY;
    use crate::postgres::{SERVER, database, start_server, stop_server};
    let _alone = SERVER.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(place) = database().map(Workplace::on_server) else { return };
    place.write("tiny.toml", TINY);
    place.run(&["sweep", "tiny.toml", "--no-report", "--time-limit", "0s"]);
    let Some(screen) = Screen::open(&place, (80, 24)) else { return };
    screen.run("\"$DIDACT\" watch");
    screen.wait_for("the sweep is stopped");
    stop_server();
    screen.wait_for("cannot read the store, trying again: ");
    start_server();
    screen.wait_for("the sweep is stopped");
    screen.press("q");
    screen.wait_for("code: 0.");
}
