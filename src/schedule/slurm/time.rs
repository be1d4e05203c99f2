//! Time limits of jobs in the forms that sbatch takes.

use std::time::Duration;

/// The forms of a time limit, for messages.
pub const FORMS: &str = "MINUTES, MINUTES:SECONDS, HOURS:MINUTES:SECONDS, DAYS-HOURS or DAYS-HOURS:MINUTES:SECONDS";

/// Reads a time limit. Returns `None` if the text has none of Slurm's forms, and the longest duration for "UNLIMITED".
pub fn time_limit(text: &str) -> Option<Duration> {
    if ["unlimited", "infinite"].contains(&text.to_lowercase().as_str()) {
        return Some(Duration::MAX);
    }
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(number(days)?), rest),
        None => (None, text),
    };
    let parts: Vec<u64> = rest.split(':').map(number).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = match (days, &parts[..]) {
        (None, [minutes]) => [0, *minutes, 0],
        (None, [minutes, seconds]) => [0, *minutes, *seconds],
        (Some(_), [hours]) => [*hours, 0, 0],
        (Some(_), [hours, minutes]) => [*hours, *minutes, 0],
        (_, [hours, minutes, seconds]) => [*hours, *minutes, *seconds],
        _ => return None,
    };
    let hours = days.unwrap_or_default().checked_mul(24)?.checked_add(hours)?;
    let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
    Some(Duration::from_secs(minutes.checked_mul(60)?.checked_add(seconds)?))
}

/// Reads digits alone: no sign, no space.
fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_sbatch_are_read() {
        let seconds = |text: &str| time_limit(text).map(|limit| limit.as_secs());
        assert_eq!(seconds("30"), Some(30 * 60));
        assert_eq!(seconds("1:30"), Some(90));
        assert_eq!(seconds("4:00:00"), Some(4 * 3600));
        assert_eq!(seconds("2-12"), Some(60 * 3600));
        assert_eq!(seconds("1-0:30"), Some(24 * 3600 + 30 * 60));
        assert_eq!(seconds("1-02:03:04"), Some(26 * 3600 + 184));
        assert_eq!(time_limit("UNLIMITED"), Some(Duration::MAX));
        for wrong in
            ["", "4h", "1:2:3:4", "-5", "1-", "a-1", "1:", "1 - 2", "99999999999999999999", "9999999999999999-0"]
        {
            assert_eq!(time_limit(wrong), None, "{wrong}");
        }
    }
}
