//! Text from data made safe for terminals: what could move the cursor, turn the reading order or hide is shown escaped.

use std::borrow::Cow;
use std::fmt::Write;

/// The text on one line without anything a terminal would act upon; see [`push_printable`].
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    push_printable(&mut out, text);
    Cow::Owned(out)
}

/// Appends `text` with control characters (`\n`, `\u{1b}`), bidi overrides and invisible characters escaped as in Rust.
pub fn push_printable(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(is_unsafe) {
        let (safe, tail) = rest.split_at(at);
        out.push_str(safe);
        let mut tail = tail.chars();
        match tail.next() {
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(other) => {
                let _ = write!(out, "{}", other.escape_unicode());
            }
            None => {}
        }
        rest = tail.as_str();
    }
    out.push_str(rest);
}

/// Joiners stay: emoji and several scripts need them.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}')
}
