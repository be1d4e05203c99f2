//! Live pages: who may read them, what they show of a running sweep, and that the store is only read.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::background::BackgroundCommand;
use crate::chromium::{Chromium, WINDOWS};
use crate::common::{TINY, Workplace};

/// A server, and the address and port of its pages.
struct Server {
    command: BackgroundCommand,
    address: String,
    port: u16,
}

impl Server {
    /// Starts a server at a free port, or at a given one.
    fn start(place: &Workplace, port: u16, arguments: &[&str]) -> Self {
        let port = port.to_string();
        let command = place.start("serve.log", &[&["serve", "--port", &port], arguments].concat());
        command.wait_for_output(" until Ctrl-C");
        let output = command.output();
        let address =
            output.split_whitespace().find(|word| word.starts_with("http://")).expect("an address").to_owned();
        let port = address.split(['/', ':']).find_map(|part| part.parse().ok()).expect("a port");
        Self { command, address, port }
    }

    /// Sends a request as it is, and returns the status and the whole answer.
    fn request(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connects");
        let mut text = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
        headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
        stream.write_all(format!("{text}\r\n").as_bytes()).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("answered");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("no status: {answer}")), answer)
    }

    /// Returns the status of a request from this machine, and the whole answer.
    fn get(&self, target: &str) -> (u16, String) {
        self.request("GET", target, &[("Host", &format!("127.0.0.1:{}", self.port))])
    }
}

fn done(place: &Workplace) {
    place.write("tiny.toml", &TINY.replace("epochs = 2", "epochs = 1"));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
}

#[test]
fn strangers_are_refused() {
    let place = Workplace::on_file();
    done(&place);
    let server = Server::start(&place, 0, &[]);
    let host = format!("127.0.0.1:{}", server.port);
    let ours = ("Host", host.as_str());
    assert_eq!(server.get("/").0, 200);
    for (method, headers, status) in [
        ("GET", vec![("Host", "evil.example")], 403),
        ("GET", vec![("Host", "127.0.0.1")], 403),
        ("GET", vec![ours, ("Origin", "http://evil.example")], 403),
        ("GET", vec![ours, ("Origin", "null")], 403),
        ("POST", vec![ours], 405),
        ("DELETE", vec![ours], 405),
    ] {
        let (found, answer) = server.request(method, "/", &headers);
        assert_eq!(found, status, "{method} {headers:?}\n{answer}");
        assert!(!answer.contains("tiny"), "{answer}");
    }
    let (_, answer) = server.get("/");
    for header in ["content-security-policy: default-src 'none'", "x-frame-options: DENY", "cache-control: no-store"] {
        assert!(answer.contains(header), "{header} is not in {answer}");
    }
    // Paths lead nowhere but to pages.
    place.write("secret", "secret-content");
    for target in [
        "/../../secret",
        "/sweeps/tiny/report/../../../secret",
        "/sweeps/tiny/report/%2e%2e/%2e%2e/secret",
        "/sweeps/tiny/report/..%2f..%2fsecret",
        "/sweeps/tiny/report//etc/passwd",
        "/sweeps/tiny/runs/..%2f..%2fsecret",
        "/sweeps/..%2f..%2fsecret",
        "/sweeps/tiny/report/%00",
    ] {
        let (status, answer) = server.get(target);
        assert!((400..500).contains(&status), "{target}: {answer}");
        assert!(!answer.contains("secret-content") && !answer.contains("root:"), "{target}: {answer}");
    }
}

#[test]
fn other_machines_need_a_token() {
    let place = Workplace::on_file();
    done(&place);
    let refused = place.run(&["serve", "--host", "0.0.0.0", "--port", "0"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("--token"), "{}", refused.stderr);
    let short = place.run(&["serve", "--token", "short"]);
    assert!(short.code == Some(2) && short.stderr.contains("at least 16"), "{}", short.stderr);
    let token = "0123456789abcdef-token";
    let server = Server::start(&place, 0, &["--host", "0.0.0.0", "--token", token]);
    assert!(server.address.ends_with(&format!("/?token={token}")), "{}", server.address);
    let ask = |target: &str, header: (&str, &str)| server.request("GET", target, &[("Host", "gpu7.lab:8180"), header]);
    assert_eq!(ask("/", ("Accept", "*/*")).0, 401);
    assert_eq!(ask("/?token=0123456789abcdef-other", ("Accept", "*/*")).0, 401);
    assert_eq!(ask("/", ("Cookie", "token=0123456789abcdef-other")).0, 401);
    let (status, answer) = ask(&format!("/sweeps/tiny?token={token}"), ("Accept", "*/*"));
    assert_eq!(status, 303, "{answer}");
    assert!(answer.contains("location: /sweeps/tiny\r\n") && answer.contains("HttpOnly; SameSite=Strict"), "{answer}");
    let (status, answer) = ask("/", ("Cookie", &format!("token={token}")));
    assert!(status == 200 && answer.contains("tiny"), "{answer}");
    assert_eq!(ask("/api/sweeps", ("Authorization", &format!("Bearer {token}"))).0, 200);
}

#[cfg(target_os = "linux")]
#[test]
fn the_store_is_opened_for_reading_and_nothing_is_written() {
    let place = Workplace::on_file();
    done(&place);
    let store = place.path("didact.db");
    let before = std::fs::read(&store).expect("a store");
    let mut server = Server::start(&place, 0, &[]);
    for target in ["/", "/sweeps/tiny", "/sweeps/tiny/runs", "/api/sweeps/tiny", "/sweeps/none"] {
        let status = server.get(target).0;
        assert_eq!(status, if target.ends_with("none") { 404 } else { 200 }, "{target}");
    }
    let process = format!("/proc/{}", server.command.id());
    let files = std::fs::read_dir(format!("{process}/fd")).expect("files").map(|file| file.expect("a file"));
    let opened: Vec<String> = files
        .filter(|file| std::fs::read_link(file.path()).is_ok_and(|path| path == store))
        .map(|file| {
            let about = format!("{process}/fdinfo/{}", file.file_name().to_string_lossy());
            let about = std::fs::read_to_string(about).expect("known");
            about.lines().find_map(|line| line.strip_prefix("flags:")).expect("flags").trim().to_owned()
        })
        .collect();
    // The last octal digit of the flags is the access mode; 0 is reading.
    assert!(!opened.is_empty() && opened.iter().all(|flags| flags.ends_with('0')), "{opened:?}");
    server.command.signal(libc::SIGINT);
    assert_eq!(server.command.end(), 130);
    assert!(std::fs::read(&store).expect("a store") == before, "the store has changed");
}

#[test]
fn what_cannot_be_served_is_said() {
    let place = Workplace::on_file();
    let missing = place.run(&["serve", "--port", "0"]);
    assert_eq!(missing.code, Some(4), "{}", missing.stderr);
    done(&place);
    let server = Server::start(&place, 0, &[]);
    let taken = place.run(&["serve", "--port", &server.port.to_string()]);
    assert_eq!(taken.code, Some(2), "{}", taken.stderr);
    assert!(taken.stderr.contains("cannot listen at 127.0.0.1:"), "{}", taken.stderr);
    // The store is away for a while.
    std::fs::rename(place.path("didact.db"), place.path("moved.db")).expect("moved");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let (status, answer) = server.get("/");
    assert!(status == 503 && answer.contains("The store cannot be read now"), "{answer}");
    std::fs::rename(place.path("moved.db"), place.path("didact.db")).expect("moved");
    crate::processes::wait_for("the store again", || server.get("/").0 == 200);
}

/// Five seeds of ST-FPM and of a variant, half of whose runs diverge; long enough to be looked at.
fn long() -> String {
    let space = "[search]\nseeds = [0, 1, 2, 3, 4]\n[search.space]\n\"joint.student.learning_rate\" = [0.1, 10000]\n";
    format!("{}\n{space}", TINY.replace("epochs = 2", "epochs = 150\nclip_norm = 0"))
}

#[test]
fn a_browser_follows_a_running_sweep() {
    let place = Workplace::on_file();
    let Some(mut browser) = Chromium::start(&place) else { return };
    place.write("tiny.toml", &long());
    let mut sweep = place.start("sweep.log", &["sweep", "tiny.toml", "--no-report"]);
    sweep.wait_for_output("tiny");
    crate::processes::wait_for("the sweep in the store", || {
        place.path("didact.db").is_file() && place.run(&["status", "tiny"]).code == Some(0)
    });
    let mut server = Server::start(&place, 0, &[]);
    browser.open(&server.address, WINDOWS[0]);
    browser.click("#sweep-tiny");
    browser.until("location.pathname === '/sweeps/tiny' && document.getElementById('progress')");
    // Progress, a result, and a failure appear without a reload.
    browser.evaluate("window.opened = true");
    browser.until("/[1-9]\\d* of 15 runs done/.test(document.getElementById('progress').innerText)");
    browser.until("document.querySelectorAll('#best tbody tr').length > 1");
    browser.until("document.querySelector('#failures a')");
    assert_eq!(browser.evaluate("window.opened"), true, "the page was not loaded again");
    for window in WINDOWS {
        browser.open(&format!("{}sweeps/tiny", server.address), window);
        assert_eq!(browser.faults(include_str!("../browser/live.js")), "", "{window:?}");
    }
    // Tags and the note, which other commands set.
    place.succeed(&["tag", "tiny", "paper", "night"]);
    place.succeed(&["note", "tiny", "Look at the large learning rate."]);
    browser.until("document.getElementById('remarks').innerText.includes('Look at the large learning rate.')");
    browser.until("document.querySelectorAll('#remarks .tag').length === 2");
    // The failed run with its log.
    browser.tab_to("#failures a");
    browser.press("Enter");
    browser.until("location.pathname.startsWith('/sweeps/tiny/runs/') && document.querySelector('#failures pre.log')");
    assert_eq!(browser.faults(include_str!("../browser/live.js")), "", "the page of a run");
    // The server is stopped and started again: the page says so and goes on.
    server.command.signal(libc::SIGINT);
    assert_eq!(server.command.end(), 130);
    browser.until("!document.getElementById('away').hidden");
    server = Server::start(&place, server.port, &[]);
    browser.until("document.getElementById('away').hidden");
    let refused = browser.console();
    assert!(refused.iter().all(|line| line.contains("ERR_CONNECTION_REFUSED")), "{refused:?}");
    // Search, with the keyboard alone.
    browser.open(&format!("{}sweeps/tiny/runs", server.address), WINDOWS[0]);
    browser.tab_to("#search");
    browser.type_text("learning_rate=0.1");
    browser.until("document.querySelectorAll('#runs tbody tr').length === 5");
    browser.open(&server.address, WINDOWS[0]);
    browser.tab_to("#search");
    browser.type_text("nothing like this");
    browser.until("!document.querySelector('#sweeps tbody tr')");
    browser.press("End");
    (0.."nothing like this".len()).for_each(|_| browser.press("Backspace"));
    browser.type_text("NIGHT");
    browser.until("document.querySelectorAll('#sweeps tbody tr').length === 1");
    // The report of what is done so far, and a page of it with the images of a run.
    browser.open(&format!("{}sweeps/tiny/report/", server.address), WINDOWS[0]);
    browser.until("document.getElementById('verdict')");
    browser.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
    browser.click("#appendix a[href^='runs/']");
    browser.until("location.pathname.startsWith('/sweeps/tiny/report/runs/') && document.getElementById('settings')");
    assert_eq!(browser.console(), [""; 0]);
    sweep.signal(libc::SIGINT);
    sweep.wait();
}
