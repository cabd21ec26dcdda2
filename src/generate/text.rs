//! Texts as they may stand in a dbt project, where braces mean something.

pub(super) use crate::exchange::dbt::{is_template, plain};

/// What says, in every file, where to change it.
pub(super) const MADE: &str = "Made by metrex: change the definitions, and make it again.";

/// Lines of a comment in SQL.
pub(super) fn comment(text: &str) -> String {
    let lines = plain(text);
    let lines = lines.lines().map(|line| match line.trim_end() {
        "" => "--\n".to_owned(),
        line => format!("-- {line}\n"),
    });
    lines.collect()
}

/// A text as Jinja's string.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A list of texts as Jinja's.
pub(super) fn list<T: AsRef<str>>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

/// A word of letters, digits and `_` for a file or a tag.
pub(super) fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c.is_ascii_alphanumeric() {
            true => out.push(c),
            false if out.ends_with('_') || out.is_empty() => {}
            false => out.push('_'),
        }
    }
    out.trim_end_matches('_').chars().take(60).collect()
}

/// Whether a word stands in a text by itself.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    places(text, word).next().is_some()
}

/// A text with a word replaced wherever it stands by itself.
pub(super) fn replace_word(text: &str, word: &str, with: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut last = 0;
    for at in places(text, word) {
        out.push_str(text.get(last..at).unwrap_or_default());
        out.push_str(with);
        last = at + word.len();
    }
    out.push_str(text.get(last..).unwrap_or_default());
    out
}

fn places<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let found = text.match_indices(word).map(|(at, _)| at);
    found.filter(move |&at| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        !is_part(before) && !is_part(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_template() {
        assert_eq!(comment("a {{ b }}\n\nc"), "-- a { { b }}\n--\n-- c\n");
        assert!(!is_template(&plain("{{{%{#")));
    }

    #[test]
    fn words_are_replaced_where_they_stand_alone() {
        assert_eq!(replace_word("a_1, a_10, (a_1)", "a_1", "b"), "b, a_10, (b)");
    }

    #[test]
    fn a_slug_is_a_name() {
        assert_eq!(
            slug("October, as it was audited!"),
            "october_as_it_was_audited"
        );
    }
}
