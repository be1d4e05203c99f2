//! Prints the table, line by line as results arrive.

use std::time::{Duration, Instant};

/// Prints the header.
pub fn head() {
    println!("{:>10}  {:>8}  work", "ms", "target");
}

/// Prints a time.
pub fn line(work: &str, time: Duration, target: Option<Duration>) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let target = target.map(|target| format!("< {}", ms(target))).unwrap_or_default();
    println!("{:>10.2}  {target:>8}  {work}", ms(time));
}

/// Prints a size in bytes.
pub fn size(what: &str, bytes: u64) {
    println!("{:>7.1} MB  {:>8}  {what}", bytes as f64 / 1e6, "");
}

/// Times a future and prints the time.
pub async fn time<T>(name: &str, target: Option<Duration>, work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let outcome = work.await;
    line(name, started.elapsed(), target);
    outcome
}
