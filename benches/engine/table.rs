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

/// Prints a number per second.
pub fn rate(what: &str, per_second: f64) {
    println!("{per_second:>8.0}/s  {:>8}  {what}", "");
}

/// Times a future and prints the time.
pub async fn time<T>(name: &str, target: Option<Duration>, work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let outcome = work.await;
    line(name, started.elapsed(), target);
    outcome
}

/// Returns the highest memory that this process (`RUSAGE_SELF`) or an ended child process (`RUSAGE_CHILDREN`) has used, bytes.
pub fn peak_memory(whose: libc::c_int) -> u64 {
    // SAFETY: the struct is all zeros before the call fills it.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the struct lives for the call.
    unsafe { libc::getrusage(whose, &raw mut usage) };
    usage.ru_maxrss as u64 * 1024
}
