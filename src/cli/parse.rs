//! Parsers for values of flags.

use std::time::{Duration, SystemTime};

use crate::report::RunPageChoice;
use crate::tensor::Convolutions;

/// Parses `KEY=VALUE`.
pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .ok_or_else(|| "expected KEY=VALUE, e.g. joint.epochs=5".to_owned())
}

/// Parses a duration: `90s`, `1h30m`, `2d`, `0.5h`. Refuses months and years, because `M` looks like minutes.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a time with its unit (s, m, h, d), e.g. 90s, 1h30m or 2d".to_owned();
    let units = text.split(|c: char| !c.is_ascii_alphabetic());
    if units.into_iter().any(|unit| unit == "M" || unit.starts_with("mon") || unit.starts_with('y')) {
        return Err(wrong());
    }
    humantime::parse_duration(text).map_err(|_| wrong())
}

/// Parses a duration above zero.
pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("expected more than 0, e.g. 30m or 2h".to_owned()),
        positive => Ok(positive),
    }
}

/// Parses a moment in seconds since 1970.
pub(super) fn moment(text: &str) -> Result<SystemTime, String> {
    let seconds = text.parse().map_err(|_| "expected seconds since 1970".to_owned())?;
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Parses a whole number of at least 1.
pub(super) fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a whole number of at least 1".to_owned()),
        Ok(count) => Ok(count),
    }
}

/// Parses who computes convolutions.
pub(super) fn convolutions(text: &str) -> Result<Convolutions, String> {
    Convolutions::named(text).ok_or_else(|| "expected auto, own or cudnn".to_owned())
}

/// Parses which runs get a page.
pub(super) fn run_page_choice(text: &str) -> Result<RunPageChoice, String> {
    RunPageChoice::named(text).ok_or_else(|| "expected drawn, all or none".to_owned())
}

/// Parses a size: `4G`, `800M`, or a number of bytes.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || "expected a size such as 4G, 800M or a number of bytes".to_owned();
    let (number, unit) = match text.chars().last().map(|c| c.to_ascii_uppercase()) {
        Some('G') => (&text[..text.len() - 1], 1_u64 << 30),
        Some('M') => (&text[..text.len() - 1], 1 << 20),
        Some('K') => (&text[..text.len() - 1], 1 << 10),
        _ => (text, 1),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let bytes = number * unit as f64;
    if !(1.0..1e18).contains(&bytes) {
        return Err(wrong());
    }
    Ok(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_as_people_write_them() {
        assert_eq!(bytes("1.5G"), Ok(3 << 29));
        assert_eq!(bytes("800m"), Ok(800 << 20));
        assert_eq!(bytes("4096"), Ok(4096));
        assert!(bytes("lots").is_err() && bytes("-1G").is_err() && bytes("").is_err());
        assert_eq!(duration("90m"), Ok(Duration::from_secs(5400)));
        let seconds = |text| duration(text).map(|time| time.as_secs_f64());
        assert_eq!(seconds("1h30m"), Ok(5400.0));
        assert_eq!(seconds("1h 30m"), Ok(5400.0));
        assert_eq!((seconds("2d"), seconds("0.7s"), seconds("0s")), (Ok(172_800.0), Ok(0.7), Ok(0.0)));
        for wrong in ["90", "-1s", "", "soon", "1h-30m", "30M", "1y", "1month", "99999999999999999999d"] {
            assert!(duration(wrong).is_err_and(|error| error.contains("1h30m")), "{wrong}");
        }
        assert!(
            positive_duration("0s").is_err() && positive_duration("0h0m").is_err() && positive_duration("1ms").is_ok()
        );
        assert!(count("0").is_err() && count("-1").is_err() && count("1") == Ok(1));
    }
}
