//! The table that is printed, line by line as it is measured.

use std::time::{Duration, Instant};

/// Prints the head of the table.
pub fn head() {
    println!("{:>10}  {:>8}  what", "ms", "aim");
}

/// A line of the table.
pub fn line(what: &str, time: Duration, aim: Option<Duration>) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let aim = aim.map(|aim| format!("< {}", ms(aim))).unwrap_or_default();
    println!("{:>10.2}  {aim:>8}  {what}", ms(time));
}

/// A line with bytes.
pub fn size(what: &str, bytes: u64) {
    println!("{:>7.1} MB  {:>8}  {what}", bytes as f64 / 1e6, "");
}

/// The same for the time that something takes.
pub async fn time<T>(what: &str, aim: Option<Duration>, work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let outcome = work.await;
    line(what, started.elapsed(), aim);
    outcome
}
