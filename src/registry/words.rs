//! Small helpers for names and texts.

use super::diagnostic::Sink;
use super::read::Many;
use super::yaml::Text;

/// Reports a name that query lines and expressions could not hold without quotes.
pub(crate) fn check_name(what: &str, name: &Text, sink: &mut Sink) {
    let starts_well = name
        .value
        .starts_with(|c: char| c.is_alphabetic() || c == '_');
    let is_plain = name.value.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !(starts_well && is_plain) {
        let article = if what.starts_with('a') { "an" } else { "a" };
        let message = format!("'{}' cannot name {article} {what}", name.value);
        let hint =
            "use letters, digits and _, starting with a letter; the name for people is `label`"
                .to_owned();
        sink.error("invalid_name", name.place, &name.value, message, Some(hint));
    }
}

/// A name for people, from a name: underscores are spaces, the first letter is upper-case.
pub(crate) fn label(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first
        .chain(chars.map(|c| if c == '_' { ' ' } else { c }))
        .collect()
}

/// The text, or nothing.
pub(crate) fn text(text: Option<&Text>) -> String {
    text.map(|text| text.value.trim().to_owned())
        .unwrap_or_default()
}

/// The contents of several texts.
pub(crate) fn texts(many: &Many<Text>) -> Vec<String> {
    many.0.iter().map(|text| text.value.clone()).collect()
}

/// Characters in the first `bytes` bytes.
pub(crate) fn chars_before(text: &str, bytes: usize) -> usize {
    text.char_indices()
        .take_while(|(at, _)| *at < bytes)
        .count()
}

/// What a word that is taken means already.
pub(crate) fn meaning(word: &str, other: &str, what: &str) -> String {
    if word.to_lowercase() == other.to_lowercase() {
        format!("is already the name of a {what}")
    } else {
        format!("already means '{other}'")
    }
}
