//! Text in lines of limited width.

/// Breaks a text between words into lines of at most `width` characters. Longer words are broken, too.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    text.lines().flat_map(|line| wrapped_line(line, width.max(1))).collect()
}

fn wrapped_line(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        if used > 0 {
            push(&mut lines, ' ');
            used += 1;
        }
        for character in word.chars() {
            if used == width {
                lines.push(String::new());
                used = 0;
            }
            push(&mut lines, character);
            used += 1;
        }
    }
    lines
}

fn push(lines: &mut [String], character: char) {
    lines.iter_mut().last().into_iter().for_each(|line| line.push(character));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_inside_of_long_ones() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a/long/path here", 6), ["a/long", "/path", "here"]);
        assert_eq!(wrapped("é\n\nb", 1), ["é", "", "b"]);
        assert_eq!(wrapped("ab", 0), ["a", "b"]);
    }
}
