//! Foreign text on its way into a prompt or back out of a reply: one line, no control characters, not too long.

/// Longest value, name or label in a prompt, in characters.
pub(super) const SHORT: usize = 64;
/// Longest description in a prompt, in characters.
pub(super) const LONG: usize = 200;
/// Longest question in a prompt, in characters.
pub(super) const QUESTION: usize = 2_000;

/// The text on one line, without control and invisible characters and backticks, cut after `most` characters.
pub fn harmless(text: &str, most: usize) -> String {
    let clean: String = text
        .chars()
        .filter(|c| !is_hidden(*c) && *c != '`')
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    match clean.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", clean.get(..at).unwrap_or_default()),
        None => clean,
    }
}

/// SQL on its lines, without other control characters.
pub(super) fn sql(text: &str, most: usize) -> String {
    text.chars()
        .filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || is_hidden(*c)))
        .take(most)
        .collect()
}

/// Characters that are not seen but change what is: zero width, direction marks, tags.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' |
        '\u{e0000}'..='\u{e007f}')
}
