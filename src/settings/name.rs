//! Names in messages.

/// The nearest name, if it is near enough to be meant.
pub fn near<'n>(text: &str, names: &[&'n str]) -> Option<&'n str> {
    let best = names.iter().max_by(|a, b| strsim::jaro_winkler(a, text).total_cmp(&strsim::jaro_winkler(b, text)))?;
    (strsim::jaro_winkler(best, text) > 0.75).then_some(*best)
}

/// Names in quotes, with commas.
pub(crate) fn quoted<N: AsRef<str>>(names: &[N]) -> String {
    names.iter().map(|name| format!("\"{}\"", name.as_ref())).collect::<Vec<_>>().join(", ")
}
