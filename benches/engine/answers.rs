//! Times the answers of live pages on the store of the report.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::table;

/// The longest time that an answer should take.
const TARGET: Duration = Duration::from_millis(200);

/// Times the first and the second answer of each page.
pub fn measure(store: &str, folder: &Path) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_didact"))
        .args(["serve", "--port", "0", "--artifacts", "artifacts", "--store", store])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("piped")).read_line(&mut line).expect("an address");
    let port: u16 = line.split(['/', ':', ' ']).find_map(|part| part.parse().ok()).expect("a port");
    for target in ["/", "/sweeps/report", "/sweeps/report/runs", "/sweeps/report/runs?q=concat", "/api/sweeps/report"] {
        for order in ["first", "next"] {
            let started = Instant::now();
            let bytes = answer(port, target);
            let what = format!("didact serve: {order} answer of {target}, {:.0} kB", bytes as f64 / 1e3);
            table::line(&what, started.elapsed(), Some(TARGET));
        }
    }
    server.kill().expect("killed");
    server.wait().expect("ended");
}

/// Returns the number of bytes of an answer.
fn answer(port: u16, target: &str) -> usize {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    let request = format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("answered");
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{target}: {}",
        String::from_utf8_lossy(&answer[..200.min(answer.len())])
    );
    answer.len()
}
