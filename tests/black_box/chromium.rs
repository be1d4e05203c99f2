//! A headless Chromium, driven through a pair of pipes by the Chrome DevTools Protocol. It opens pages, runs scripts, presses real keys,
//! and keeps what pages write on the console.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::ops::Not;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::Workplace;

/// How long to wait for an answer of the browser on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long to wait for a condition in a page.
const SHORTLY: Duration = Duration::from_secs(60);

/// A window: its width in CSS pixels, and whether the system prefers dark pages.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub width: u32,
    pub dark: bool,
}

/// A light desktop and a dark phone.
pub const WINDOWS: [Window; 2] = [Window { width: 1440, dark: false }, Window { width: 390, dark: true }];

/// A browser with one page.
pub struct Chromium {
    process: Child,
    requests: File,
    messages: Receiver<Value>,
    session: String,
    sent: u64,
    console: Vec<String>,
}

/// Returns the path of Chromium, if there is one.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os("DIDACT_TEST_BROWSER").map(PathBuf::from);
    named.or_else(|| {
        let path = std::env::var_os("PATH")?;
        let names = ["chromium", "chromium-browser", "google-chrome"];
        std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|file| file.is_file())
    })
}

impl Chromium {
    /// Starts a browser whose files lie in a workplace; `None`, with a message, if there is no Chromium.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    pub fn start(place: &Workplace) -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("skipped: no Chromium in PATH, and DIDACT_TEST_BROWSER does not name one");
            return None;
        };
        let [requests, answers] = ["requests", "answers"].map(|name| {
            let pipe = place.path(name);
            let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo starts");
            assert!(made.success(), "{}", pipe.display());
            pipe
        });
        // The protocol uses file descriptors 3 and 4, which a shell opens before it becomes the browser.
        let process = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<requests 4>answers"])
            .arg(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--hide-scrollbars"])
            .arg("--allow-file-access-from-files")
            .arg(format!("--user-data-dir={}", place.path("browser").display()))
            .arg("about:blank")
            .current_dir(place.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser starts");
        let requests = File::options().write(true).open(requests).expect("the browser reads");
        let answers = BufReader::new(File::open(answers).expect("the browser writes"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("messages are JSON");
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser = Self { process, requests, messages, session: String::new(), sent: 0, console: Vec::new() };
        let target = browser.ask("Target.createTarget", &json!({ "url": "about:blank" }));
        let attached =
            browser.ask("Target.attachToTarget", &json!({ "targetId": target["targetId"], "flatten": true }));
        attached["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        for domain in ["Page", "Runtime", "Log"] {
            browser.ask(&format!("{domain}.enable"), &json!({}));
        }
        Some(browser)
    }

    /// Sends a command, and waits for its answer.
    #[track_caller]
    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        let answer = self.try_ask(method, parameters);
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Sends a command, and waits for its answer, which may be an error of the browser.
    #[track_caller]
    fn try_ask(&mut self, method: &str, parameters: &Value) -> Result<Value, Value> {
        self.sent += 1;
        let mut request = json!({ "id": self.sent, "method": method, "params": parameters });
        if !self.session.is_empty() {
            request["sessionId"] = json!(self.session);
        }
        let mut bytes = request.to_string().into_bytes();
        bytes.push(0);
        self.requests.write_all(&bytes).expect("the browser reads");
        let mut answer = self.wait_for(|message| message["id"] == request["id"], method);
        match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"].take()),
        }
    }

    /// Waits for a message, and keeps what others say about the console.
    #[track_caller]
    fn wait_for(&mut self, is_wanted: impl Fn(&Value) -> bool, what: &str) -> Value {
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let message = message.unwrap_or_else(|_| panic!("the browser does not answer: {what}"));
            if ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"]
                .contains(&message["method"].as_str().unwrap_or_default())
            {
                self.console.push(format!("on the console: {}", message["params"]));
            }
            if is_wanted(&message) {
                return message;
            }
        }
    }

    /// Opens an address in a window of 900 pixels' height, and waits until it is loaded.
    #[track_caller]
    pub fn open(&mut self, address: &str, window: Window) {
        let size = json!({ "width": window.width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", &size);
        let scheme = json!({ "name": "prefers-color-scheme", "value": if window.dark { "dark" } else { "light" } });
        self.ask("Emulation.setEmulatedMedia", &json!({ "features": [scheme] }));
        // An address that differs only after "#" would not be loaded again.
        self.ask("Page.navigate", &json!({ "url": "about:blank" }));
        self.wait_for(|message| message["method"] == "Page.loadEventFired", "about:blank");
        let opened = self.ask("Page.navigate", &json!({ "url": address }));
        assert!(opened.get("errorText").is_none(), "{address}: {opened}");
        self.wait_for(|message| message["method"] == "Page.loadEventFired", address);
    }

    /// Opens a file.
    #[track_caller]
    pub fn open_file(&mut self, file: &Path, window: Window) {
        self.open(&format!("file://{}", file.display()), window);
    }

    /// Returns the value of a JavaScript expression; waits for a promise.
    #[track_caller]
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.ask("Runtime.evaluate", &parameters);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true in a page that is loaded. Meanwhile the page may be replaced by another one.
    #[track_caller]
    pub fn until(&mut self, expression: &str) {
        let loaded = format!("document.readyState === 'complete' && Boolean({expression})");
        let parameters = json!({ "expression": loaded, "returnByValue": true });
        let started = Instant::now();
        while self.try_ask("Runtime.evaluate", &parameters).is_ok_and(|answer| answer["result"]["value"] == true).not()
        {
            assert!(started.elapsed() < SHORTLY, "{expression}\n{}", self.evaluate("document.body.innerText"));
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Runs one of the scripts in `tests/browser` on the open page, and returns the faults that it finds, one per line.
    #[track_caller]
    pub fn faults(&mut self, script: &str) -> String {
        if let Some(file) = std::env::var_os("DIDACT_TEST_AXE") {
            let library = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            self.evaluate(&format!("{library}; 0"));
        }
        let shared = include_str!("../browser/shared.js");
        let found = self.evaluate(&format!("(async () => {{ {shared}\n{script}\nreturn [...new Set(faults)]; }})()"));
        let mut found: Vec<String> = serde_json::from_value(found).expect("texts");
        found.append(&mut self.console);
        found.join("\n")
    }

    /// Returns what was written on the console since the last question.
    pub fn console(&mut self) -> Vec<String> {
        self.evaluate("0");
        std::mem::take(&mut self.console)
    }

    /// Presses a key as a person does: "Tab", "Enter", " ", "ArrowRight", "a".
    #[track_caller]
    pub fn press(&mut self, key: &str) {
        let (code, number) = match key {
            "Backspace" => ("Backspace", 8),
            "Tab" => ("Tab", 9),
            "Enter" => ("Enter", 13),
            "Escape" => ("Escape", 27),
            " " => ("Space", 32),
            "End" => ("End", 35),
            "Home" => ("Home", 36),
            "ArrowLeft" => ("ArrowLeft", 37),
            "ArrowUp" => ("ArrowUp", 38),
            "ArrowRight" => ("ArrowRight", 39),
            "ArrowDown" => ("ArrowDown", 40),
            _ => ("", key.chars().next().map_or(0, |letter| letter.to_ascii_uppercase() as u32)),
        };
        let text = if key == "Enter" { "\r" } else { key };
        let mut event = json!({ "type": "rawKeyDown", "key": key, "code": code, "windowsVirtualKeyCode": number });
        if text.chars().count() == 1 {
            event["type"] = json!("keyDown");
            event["text"] = json!(text);
        }
        self.ask("Input.dispatchKeyEvent", &event);
        event["type"] = json!("keyUp");
        self.ask("Input.dispatchKeyEvent", &event);
    }

    /// Types a text into the element with the focus.
    #[cfg(feature = "live")]
    #[track_caller]
    pub fn type_text(&mut self, text: &str) {
        self.ask("Input.insertText", &json!({ "text": text }));
    }

    /// Presses the tabulator until the element with the focus matches a selector.
    #[track_caller]
    pub fn tab_to(&mut self, selector: &str) {
        const MOST: usize = 400;
        let is_there = format!("document.activeElement.matches({})", json!(selector));
        let reached = (0..MOST).any(|_| {
            self.press("Tab");
            self.evaluate(&is_there) == true
        });
        assert!(reached, "the tabulator does not lead to {selector}");
    }

    /// Clicks into the middle of the first visible element that matches a selector, as a person does: whatever covers it gets the click.
    #[track_caller]
    pub fn click(&mut self, selector: &str) {
        let middle = self.evaluate(&format!(
            "(() => {{
                const element = [...document.querySelectorAll({})].find((element) => element.checkVisibility());
                if (!element) return null;
                element.scrollIntoView({{ block: 'center', behavior: 'instant' }});
                const box = element.getClientRects()[0];
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()",
            json!(selector)
        ));
        assert!(middle.is_array(), "nothing visible matches {selector}");
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": middle[0], "y": middle[1], "button": "left", "buttons": 1, "clickCount": 1 });
            self.ask("Input.dispatchMouseEvent", &event);
        }
    }

    /// Drags the pointer from one point of the window to another.
    #[track_caller]
    pub fn drag(&mut self, from: (f64, f64), to: (f64, f64)) {
        for (kind, (x, y)) in [("mousePressed", from), ("mouseMoved", to), ("mouseReleased", to)] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1 });
            self.ask("Input.dispatchMouseEvent", &event);
        }
    }

    /// Prints the open page, and returns its number of sheets.
    #[track_caller]
    pub fn sheets(&mut self) -> usize {
        use base64::Engine;
        let printed = self.ask("Page.printToPDF", &json!({}));
        let printed = printed["data"].as_str().expect("a file");
        let pdf = base64::engine::general_purpose::STANDARD.decode(printed).expect("base64");
        String::from_utf8_lossy(&pdf).matches("/Type /Page\n").count()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The browser ends with the pipe; a test must not leave it behind.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
