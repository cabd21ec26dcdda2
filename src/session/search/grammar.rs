//! The words of a search: plain words look everywhere, `%owner fin` looks in one field, `%status !draft` for what has it not.

use super::Field;

/// The fields that a search can name, in the order they are offered.
pub(super) const NAMES: [(&str, Field); 12] = [
    ("owner", Field::Owner),
    ("tag", Field::Tag),
    ("status", Field::Status),
    ("dim", Field::Dimension),
    ("category", Field::Category),
    ("kind", Field::Kind),
    ("dataset", Field::Dataset),
    ("unit", Field::Unit),
    ("name", Field::Name),
    ("label", Field::Label),
    ("also", Field::Alias),
    ("about", Field::Description),
];

/// A search taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Words that may be found anywhere.
    pub(super) words: String,
    /// Fields with the words they must hold; without a word it is enough that there is something.
    pub(super) fields: Vec<(Field, String)>,
    /// A name after `%` that is no field.
    pub(super) unknown: Option<String>,
    /// What is being typed at the end.
    pub(super) end: End,
}

/// What stands at the end of a search.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing that could be completed.
    #[default]
    Open,
    /// The name of a field, from this byte on.
    Name(usize),
    /// The value of a field, from this byte on.
    Value(Field, usize),
}

/// A word, or several in quotes, with its place.
struct Token<'a> {
    start: usize,
    text: &'a str,
    /// Whether more could follow without a blank.
    is_open: bool,
    is_quoted: bool,
}

impl Asked {
    pub(super) fn read(text: &str) -> Self {
        let mut asked = Self::default();
        let mut tokens = tokens(text).into_iter().peekable();
        while let Some(token) = tokens.next() {
            let Some(name) = token.text.strip_prefix('%').filter(|_| !token.is_quoted) else {
                asked.words.push_str(token.text);
                asked.words.push(' ');
                continue;
            };
            let found = field(name);
            if token.is_open {
                // A name that is still being typed asks for nothing yet.
                asked.end = End::Name(token.start);
                if found.is_none() {
                    asked.unknown = Some(name.to_owned());
                }
                continue;
            }
            let Some(field) = found else {
                asked.unknown = Some(name.to_owned());
                continue;
            };
            let value = tokens.next_if(|next| next.is_quoted || !next.text.starts_with('%'));
            match &value {
                None if tokens.peek().is_none() => asked.end = End::Value(field, text.len()),
                Some(value) if value.is_open => {
                    let not = usize::from(value.text.starts_with('!') && !value.is_quoted);
                    asked.end = End::Value(field, value.start + not);
                }
                _ => {}
            }
            let value = value.map_or("", |value| value.text);
            asked.fields.push((field, value.to_owned()));
        }
        asked
    }

    /// Whether everything is meant.
    pub(super) fn is_empty(&self) -> bool {
        self.words.trim().is_empty() && self.fields.is_empty() && self.unknown.is_none()
    }
}

/// The field of a name, or of the start of one; the first that is offered wins.
fn field(name: &str) -> Option<Field> {
    let name = name.to_lowercase();
    let whole = NAMES.iter().find(|(known, _)| *known == name);
    // "dimension" is "dim" written out.
    let near = |(known, _): &&(&str, Field)| {
        known.starts_with(&name) || *known == "dim" && "dimension".starts_with(&name)
    };
    whole
        .or_else(|| NAMES.iter().find(near))
        .map(|(_, field)| *field)
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            at += blank;
            continue;
        }
        let quoted = rest.strip_prefix('"');
        let (inner, length, is_open) = match quoted {
            Some(inner) => match inner.split_once('"') {
                Some((inner, _)) => (inner, inner.len() + 2, false),
                None => (inner, rest.len(), true),
            },
            None => {
                let word = rest.split(char::is_whitespace).next().unwrap_or(rest);
                (word, word.len(), word.len() == rest.len())
            }
        };
        tokens.push(Token {
            start: at,
            text: inner,
            is_open,
            is_quoted: quoted.is_some(),
        });
        at += length;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Vec<(Field, String)>, End) {
        let asked = Asked::read(text);
        (asked.words.trim().to_owned(), asked.fields, asked.end)
    }

    fn of(field: Field, value: &str) -> Vec<(Field, String)> {
        vec![(field, value.to_owned())]
    }

    #[test]
    fn a_field_takes_one_word_or_a_quoted_text() {
        let plain = (String::new(), vec![], End::Open);
        assert_eq!(read(""), plain);
        assert_eq!(
            read("gmv %owner fin net"),
            ("gmv net".to_owned(), of(Field::Owner, "fin"), End::Open)
        );
        assert_eq!(
            read("%o \"Commerce An"),
            (
                String::new(),
                of(Field::Owner, "Commerce An"),
                End::Value(Field::Owner, 3)
            )
        );
        assert_eq!(read("%dimension market ").1, of(Field::Dimension, "market"));
    }

    #[test]
    fn what_is_still_typed_asks_for_nothing() {
        assert_eq!(read("%ow"), (String::new(), vec![], End::Name(0)));
        assert_eq!(
            read("%status "),
            (
                String::new(),
                of(Field::Status, ""),
                End::Value(Field::Status, 8)
            )
        );
        assert_eq!(Asked::read("a %zz b").unknown.as_deref(), Some("zz"));
        assert!(Asked::read("%").is_empty());
    }

    #[test]
    fn any_text_is_read() {
        for text in [
            "\"",
            "%\"",
            "\"\"",
            "% %",
            "%owner %tag",
            "ä\u{301} %süd x",
            "\u{3000}%t\u{a0}x",
        ] {
            let _ = Asked::read(text);
        }
    }
}
