//! Formats names for messages.

/// Returns the most similar name if it is similar enough to be a likely intent.
pub fn similar_name<'n>(text: &str, names: &[&'n str]) -> Option<&'n str> {
    let best = names.iter().max_by(|a, b| strsim::jaro_winkler(a, text).total_cmp(&strsim::jaro_winkler(b, text)))?;
    // Words that begin alike are similar by the first measure alone: "nonsense" and "note".
    let is_likely = strsim::jaro_winkler(best, text) > 0.75
        && 2 * strsim::damerau_levenshtein(best, text) <= best.chars().count().max(text.chars().count());
    is_likely.then_some(*best)
}

/// Formats names in quotes, separated by commas.
pub(crate) fn quoted<N: AsRef<str>>(names: &[N]) -> String {
    names.iter().map(|name| format!("\"{}\"", name.as_ref())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_similar_name_is_a_likely_one() {
        let names = ["note", "epochs", "learning_rate"];
        for (text, expected) in [("epoch", "epochs"), ("learning_raet", "learning_rate"), ("notes", "note")] {
            assert_eq!(similar_name(text, &names), Some(expected));
        }
        for text in ["nonsense", "rate_of_learning", ""] {
            assert_eq!(similar_name(text, &names), None, "{text}");
        }
    }
}
