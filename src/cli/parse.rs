//! Values of flags.

use std::time::Duration;

/// `KEY=VALUE`.
pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .ok_or_else(|| "expected KEY=VALUE, e.g. joint.epochs=5".to_owned())
}

/// `90s`, `30m`, `8h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a number with s, m or h, e.g. 90m".to_owned();
    let unit = match text.chars().last() {
        Some('s') => 1.0,
        Some('m') => 60.0,
        Some('h') => 3600.0,
        _ => return Err(wrong()),
    };
    let number: f64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * unit).map_err(|_| wrong())
}

/// `4G`, `800M`, or bytes.
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
        assert!(duration("90").is_err() && duration("-1s").is_err());
    }
}
