//! LookML as a tree: `key: value`, `key: name { … }`, lists, and SQL up to `;;`.

use serde_yaml::granit_parser::ScalarStyle;

use crate::model::{FileId, Place};
use crate::registry::yaml::{Node, Text};

/// Deepest nesting.
const MAX_DEPTH: usize = 32;

/// The entries of a file, as one map in which a key may stand several times. A named block is a map with `name`.
///
/// # Errors
/// Where the text is no LookML, and what was expected.
pub(super) fn parse(file: FileId, text: &str) -> Result<Node, (Place, String)> {
    let mut reader = Reader {
        rest: text,
        place: Place {
            file,
            line: 1,
            column: 1,
        },
        depth: 0,
    };
    let start = reader.place;
    let entries = reader.entries(false)?;
    Ok(Node::Map(start, entries))
}

/// A value as written: no word of LookML stands for none, and `"NULL"` is a filter.
fn value_at(value: String, place: Place) -> Text {
    let mut text = Text::at(value, place);
    text.style = ScalarStyle::DoubleQuoted;
    text
}

/// A text in quotes, as [`parse`] takes it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Whether the value of a key ends with `;;`.
fn is_sql(key: &str) -> bool {
    key.starts_with("sql") || key == "html" || key.starts_with("expression")
}

struct Reader<'a> {
    rest: &'a str,
    place: Place,
    depth: usize,
}

type Found<T> = Result<T, (Place, String)>;

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Passes over some bytes.
    fn pass(&mut self, bytes: usize) -> &'a str {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        for c in passed.chars() {
            match c {
                '\n' => (self.place.line, self.place.column) = (self.place.line + 1, 1),
                _ => self.place.column += 1,
            }
        }
        self.rest = rest;
        passed
    }

    /// Passes over spaces.
    fn blank(&mut self) {
        let spaces = self.rest.len() - self.rest.trim_start().len();
        self.pass(spaces);
    }

    /// Passes over spaces and comments.
    fn space(&mut self) {
        loop {
            self.blank();
            if !self.rest.starts_with('#') {
                return;
            }
            self.pass(self.rest.find('\n').unwrap_or(self.rest.len()));
        }
    }

    fn refuse<T>(&self, expected: &str) -> Found<T> {
        let found = self
            .peek()
            .map_or("the end".to_owned(), |c| format!("'{c}'"));
        Err((self.place, format!("expected {expected}, found {found}")))
    }

    fn entries(&mut self, is_block: bool) -> Found<Vec<(Text, Node)>> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err((self.place, "it is nested too deeply".to_owned()));
        }
        let mut entries = Vec::new();
        loop {
            self.space();
            match (self.peek(), is_block) {
                (None, false) => break,
                (Some('}'), true) => {
                    self.pass(1);
                    break;
                }
                _ => {
                    let key = self.word("a key")?;
                    self.space();
                    if self.peek() != Some(':') {
                        return self.refuse("':'");
                    }
                    self.pass(1);
                    let value = self.value(&key.value)?;
                    entries.push((key, value));
                }
            }
        }
        self.depth -= 1;
        Ok(entries)
    }

    fn word(&mut self, expected: &str) -> Found<Text> {
        let place = self.place;
        let is_word = |c: char| c.is_alphanumeric() || "_.+-*/@%$<>=!^&".contains(c);
        let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        match end {
            0 => self.refuse(expected),
            _ => Ok(value_at(self.pass(end).to_owned(), place)),
        }
    }

    fn text(&mut self) -> Found<Text> {
        let place = self.place;
        self.pass(1);
        let mut value = String::new();
        loop {
            let end = self.rest.find(['"', '\\']);
            let Some(end) = end else {
                return Err((place, "a text is not closed".to_owned()));
            };
            value.push_str(self.pass(end));
            if self.pass(1) == "\"" {
                return Ok(value_at(value, place));
            }
            let escaped = self.peek().map_or(0, char::len_utf8);
            value.push_str(self.pass(escaped));
        }
    }

    fn value(&mut self, key: &str) -> Found<Node> {
        if is_sql(key) {
            // A comment in SQL is a part of it.
            self.blank();
            let place = self.place;
            let Some(end) = self.rest.find(";;") else {
                return Err((place, format!("{key} does not end with ;;")));
            };
            let value = self.pass(end).trim().to_owned();
            self.pass(2);
            return Ok(Node::Scalar(value_at(value, place)));
        }
        self.space();
        let place = self.place;
        match self.peek() {
            Some('"') => self.text().map(Node::Scalar),
            Some('[') => self.list(),
            Some('{') => {
                self.pass(1);
                Ok(Node::Map(place, self.entries(true)?))
            }
            _ => {
                let word = self.word("a value")?;
                let before = (self.rest, self.place);
                self.space();
                if self.peek() != Some('{') {
                    (self.rest, self.place) = before;
                    return Ok(Node::Scalar(word));
                }
                self.pass(1);
                let mut entries = vec![(Text::at("name".to_owned(), place), Node::Scalar(word))];
                entries.extend(self.entries(true)?);
                Ok(Node::Map(place, entries))
            }
        }
    }

    fn list(&mut self) -> Found<Node> {
        let place = self.place;
        self.pass(1);
        let mut items = Vec::new();
        loop {
            self.space();
            match self.peek() {
                Some(']') => {
                    self.pass(1);
                    return Ok(Node::List(place, items));
                }
                Some(',') => drop(self.pass(1)),
                Some('"') => items.push(Node::Scalar(self.text()?)),
                _ => {
                    let word = self.word("an entry")?;
                    self.space();
                    items.push(if self.peek() == Some(':') {
                        self.pass(1);
                        let place = word.place;
                        let value = self.value("")?;
                        Node::Map(place, vec![(word, value)])
                    } else {
                        Node::Scalar(word)
                    });
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::exchange::source::Look;

    #[test]
    fn blocks_lists_texts_and_sql() {
        let text = "# a comment\nview: orders {\n  sql_table_name: a.b ;;\n  dimension: id { primary_key: yes # no\n }\n  measure: n {type: count filters: [status: \"a,\\\"b\\\"\", x.y: \"1\"]}\n}\nexplore: orders {}\ninclude: \"*.view\"";
        let tree = parse(FileId(0), text).unwrap();
        let view = tree.get("view").unwrap();
        assert_eq!(view.text_of("name").unwrap(), "orders");
        assert_eq!(view.text_of("sql_table_name").unwrap(), "a.b");
        assert_eq!(
            view.path(&["dimension", "primary_key"]).unwrap().text(),
            Some("yes")
        );
        let filters = view.get("measure").unwrap().items_of("filters");
        assert_eq!(filters[0].text_of("status").unwrap(), "a,\"b\"");
        assert_eq!(filters[1].text_of("x.y").unwrap(), "1");
        assert_eq!(tree.text_of("include").unwrap(), "*.view");
        assert_eq!(view.get("measure").unwrap().place().line, 6);
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        for (text, line, message) in [
            ("view: a {\n dimension }", 2, "expected ':', found '}'"),
            ("view: a {\n sql: x", 2, "sql does not end with ;;"),
            ("view: a {", 1, "expected a key, found the end"),
            ("label: \"x", 1, "a text is not closed"),
        ] {
            let (place, found) = parse(FileId(0), text).unwrap_err();
            assert_eq!((place.line, found.as_str()), (line, message), "{text}");
        }
        assert!(parse(FileId(0), &"a: {".repeat(100)).is_err());
    }

    /// A tree as LookML has it.
    fn written(node: &Node, out: &mut String) {
        let Node::Map(_, entries) = node else { return };
        for (key, value) in entries {
            out.push_str(&format!(" {}:", key.value));
            match value {
                Node::Scalar(text) if is_sql(&key.value) => {
                    out.push_str(&format!(" {} ;;\n", text.value));
                }
                Node::Scalar(text) => out.push_str(&format!(" {}", quoted(&text.value))),
                Node::List(_, items) => {
                    let items = items.iter().map(|item| match item {
                        Node::Map(_, pair) => {
                            let (key, value) = &pair[0];
                            format!("{}: {}", key.value, quoted(value.text().unwrap()))
                        }
                        item => quoted(item.text().unwrap()),
                    });
                    let items: Vec<String> = items.collect();
                    out.push_str(&format!(" [{}]", items.join(", ")));
                }
                Node::Map(place, entries) => {
                    let inner = match entries.split_first() {
                        Some(((key, Node::Scalar(name)), rest)) if key.value == "name" => {
                            out.push_str(&format!(" {}", name.value));
                            rest
                        }
                        _ => entries,
                    };
                    out.push_str(" { # }\n");
                    written(&Node::Map(*place, inner.to_vec()), out);
                    out.push('}');
                }
            }
        }
    }

    /// A tree without its places.
    fn shown(node: &Node) -> String {
        match node {
            Node::Scalar(text) => format!("{:?}", text.value),
            Node::List(_, items) => {
                let items: Vec<String> = items.iter().map(shown).collect();
                format!("{items:?}")
            }
            Node::Map(_, entries) => {
                let entries = entries.iter();
                let entries = entries.map(|(key, value)| (&key.value, shown(value)));
                format!("{:?}", entries.collect::<Vec<_>>())
            }
        }
    }

    fn scalar(value: &str) -> Node {
        Node::Scalar(value_at(value.to_owned(), Place::default()))
    }

    fn key(value: &str) -> Text {
        Text::at(value.to_owned(), Place::default())
    }

    fn tree() -> impl Strategy<Value = Node> {
        let sql = "[a-z${}()'\"#\\[\\],.: \n]{0,20}[a-z]";
        let leaf = prop_oneof![
            (Just("label"), "[^\u{0}]{0,12}").prop_map(|(at, text)| (key(at), scalar(&text))),
            (Just("sql_on"), sql).prop_map(|(at, text)| (key(at), scalar(text.trim()))),
            prop::collection::vec("[^\u{0}]{0,6}", 0..3).prop_map(|items| {
                let items = items.iter().map(|item| scalar(item)).collect();
                (key("values"), Node::List(Place::default(), items))
            }),
            prop::collection::vec(("[a-z][a-z.]{0,5}", "[^\u{0}]{0,6}"), 1..3).prop_map(|items| {
                let pair = |(at, text): &(String, String)| {
                    Node::Map(Place::default(), vec![(key(at), scalar(text))])
                };
                (
                    key("filters"),
                    Node::List(Place::default(), items.iter().map(pair).collect()),
                )
            }),
        ];
        let map = |entries| Node::Map(Place::default(), entries);
        leaf.prop_recursive(3, 24, 4, move |inner| {
            (
                prop::option::of("[+a-z][a-z_0-9]{0,8}"),
                prop::collection::vec(inner, 0..4),
            )
                .prop_map(move |(name, mut entries)| {
                    if let Some(name) = name {
                        entries.insert(0, (key("name"), scalar(&name)));
                    }
                    (key("view"), map(entries))
                })
        })
        .prop_map(move |entry| map(vec![entry]))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(tree in tree()) {
            let mut text = String::new();
            written(&tree, &mut text);
            let again = parse(FileId(0), &text).unwrap();
            prop_assert_eq!(shown(&again), shown(&tree), "{}", text);
        }

        #[test]
        fn whatever_a_file_holds_ends_in_a_tree_or_a_place(text in "[a-z:{}\\[\\]\"\\\\;#,%$ \né]{0,200}") {
            let _ = parse(FileId(0), &text);
        }
    }
}
