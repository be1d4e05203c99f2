//! Formats names for messages.

/// Returns the most similar name if it is similar enough to be a likely intent.
pub fn similar_name<'n>(text: &str, names: &[&'n str]) -> Option<&'n str> {
    let best = names.iter().max_by(|a, b| strsim::jaro_winkler(a, text).total_cmp(&strsim::jaro_winkler(b, text)))?;
    (strsim::jaro_winkler(best, text) > 0.75).then_some(*best)
}

/// Formats names in quotes, separated by commas.
pub(crate) fn quoted<N: AsRef<str>>(names: &[N]) -> String {
    names.iter().map(|name| format!("\"{}\"", name.as_ref())).collect::<Vec<_>>().join(", ")
}
