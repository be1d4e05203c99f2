//! `didact weights fetch` from a local server, and `weights check` of files from other sources.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use sha2::{Digest, Sha256};

use crate::common::{CommandOutcome, Workplace};

const WEIGHTS: &[u8] = include_bytes!("../../src/model/weights/demo.safetensors");

/// How the server sends a file.
#[derive(Clone, Copy, PartialEq)]
enum Server {
    Whole,
    /// Sends the whole file, whatever range is requested.
    WithoutRanges,
    /// Closes the connection in the middle.
    CutOff,
    NotFound,
}

/// Answers this many requests; sends the requested ranges to the channel.
fn serve(kind: Server, requests: usize) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (output, ranges) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().take(requests) {
            let mut stream = stream.expect("a connection");
            let lines = BufReader::new(stream.try_clone().expect("a reader")).lines();
            let head: Vec<String> =
                lines.map(|line| line.expect("a line")).take_while(|line| !line.is_empty()).collect();
            let range =
                head.iter().find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
            let from = range.as_deref().and_then(|range| range.trim_end_matches('-').parse().ok()).unwrap_or(0);
            output.send(range.unwrap_or_default()).ok();
            let (status, body) = match kind {
                Server::NotFound => ("404 Not Found", &b"none"[..]),
                Server::WithoutRanges => ("200 OK", WEIGHTS),
                _ if from == 0 => ("200 OK", WEIGHTS),
                _ if from >= WEIGHTS.len() => ("416 Range Not Satisfiable", &b""[..]),
                _ => ("206 Partial Content", &WEIGHTS[from..]),
            };
            let range = match status.starts_with("206") {
                true => format!("Content-Range: bytes {from}-{}/{}\r\n", WEIGHTS.len() - 1, WEIGHTS.len()),
                false => String::new(),
            };
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{range}Connection: close\r\n\r\n", body.len());
            let sent = if kind == Server::CutOff { body.len() / 2 } else { body.len() };
            // The client may close the connection first.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body[..sent]));
        }
    });
    (format!("http://{address}"), ranges)
}

/// Returns a file name with the hash of the served file.
fn file_name() -> String {
    let digest = Sha256::digest(WEIGHTS);
    let hash: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("small-{hash}.safetensors")
}

fn fetch(place: &Workplace, from: &str) -> CommandOutcome {
    let mut command = place.command(&["weights", "fetch", "resnet18", "--from", from]);
    for proxy in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    place.outcome(&command.output().expect("starts"))
}

#[test]
fn weights_are_fetched_once_and_checked() {
    let (place, (server, _ranges)) = (Workplace::new(), serve(Server::Whole, 1));
    let url = format!("{server}/{}", file_name());
    let outcome = fetch(&place, &url);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("ResNet-18") && outcome.stdout.contains("(downloaded)"), "{}", outcome.stdout);
    assert_eq!(std::fs::read(place.path(&file_name())).expect("fetched"), WEIGHTS);
    assert!(!place.path(&format!("{}.part", file_name())).exists());
    // The server no longer answers: the existing file suffices.
    let outcome = fetch(&place, &url);
    assert!(outcome.code == Some(0) && outcome.stdout.contains("already present"), "{}", outcome.stderr);
}

#[test]
fn a_partial_download_is_continued_or_restarted() {
    let part = format!("{}.part", file_name());
    for (kind, partial, ranges) in [
        (Server::Whole, WEIGHTS[..1000].to_vec(), vec!["1000-"]),
        (Server::WithoutRanges, WEIGHTS[..1000].to_vec(), vec!["1000-"]),
        (Server::Whole, WEIGHTS.to_vec(), vec![]),
        // A partial file of other content: after continuing, the hash is wrong, so it is fetched again.
        (Server::Whole, vec![7; 1000], vec!["1000-", ""]),
        (Server::Whole, vec![7; WEIGHTS.len() + 5], vec!["LONG", ""]),
    ] {
        let (place, (server, requested)) = (Workplace::new(), serve(kind, ranges.len().max(1)));
        std::fs::write(place.path(&part), &partial).expect("written");
        let outcome = fetch(&place, &format!("{server}/{}", file_name()));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert_eq!(std::fs::read(place.path(&file_name())).expect("fetched"), WEIGHTS);
        let long = format!("{}-", partial.len());
        let expected: Vec<&str> = ranges.iter().map(|range| if *range == "LONG" { &*long } else { *range }).collect();
        assert_eq!(requested.try_iter().collect::<Vec<_>>(), expected);
    }
    let (place, (server, _)) = (Workplace::new(), serve(Server::CutOff, 1));
    let outcome = fetch(&place, &format!("{server}/{}", file_name()));
    assert!(outcome.code == Some(3) && outcome.stderr.contains("the same command continues it"), "{}", outcome.stderr);
    assert!(!place.path(&file_name()).exists());
    let (server, requested) = serve(Server::Whole, 1);
    let outcome = fetch(&place, &format!("{server}/{}", file_name()));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(requested.recv().expect("asked"), format!("{}-", WEIGHTS.len() / 2));
}

#[test]
fn other_files_are_refused_and_not_replaced() {
    let place = Workplace::new();
    let (server, _) = serve(Server::Whole, 2);
    // The published name with other content.
    let outcome = fetch(&place, &server);
    assert!(outcome.code == Some(3) && outcome.stderr.contains("not f37072fd"), "{}", outcome.stderr);
    assert_eq!(std::fs::read_dir(place.folder()).expect("a folder").count(), 0, "nothing is left");
    let (server, _) = serve(Server::NotFound, 1);
    let outcome = fetch(&place, &server);
    assert!(outcome.code == Some(3) && outcome.stderr.contains("404 Not Found"), "{}", outcome.stderr);
    place.write("resnet18-f37072fd.pth", "mine");
    let outcome = fetch(&place, "http://127.0.0.1:9");
    assert!(outcome.code == Some(3) && outcome.stderr.contains("is another file"), "{}", outcome.stderr);
    assert_eq!(std::fs::read(place.path("resnet18-f37072fd.pth")).expect("kept"), b"mine");
    let outcome = place.run(&["weights", "fetch", "resnet101"]);
    let known = "expected one of resnet18, resnet34, resnet50, wide-resnet50-2";
    assert!(outcome.code == Some(2) && outcome.stderr.contains(known), "{}", outcome.stderr);
    assert_eq!(place.run(&["weights", "fetch", "resnet18", "--from", "mirror"]).code, Some(2));
}

#[test]
fn keys_and_prefix_of_a_checkpoint_are_shown() {
    let place = Workplace::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/weights/protocol4.pth");
    let output = place.succeed(&["weights", "check", file]).stdout;
    assert!(output.contains("ResNet-18") && output.contains("names under `state_dict.module.encoder_q.`"), "{output}");
}
