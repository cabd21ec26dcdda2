//! Reads a YAML tree into typed shapes, reporting every key or value that does not fit and going on.
//!
//! [`object!`] declares a shape once: its Rust fields are the keys that are allowed, its doc comments and types
//! are the JSON schema.

use std::borrow::Cow;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, IntoDeserializer};

use super::diagnostic::{Sink, did_you_mean};
use super::yaml::{Node, Text};
use crate::model::Place;
use crate::model::time_phrase::month;

/// A shape that a YAML value may have.
pub(crate) trait Read: Sized {
    /// The value, without the parts that did not fit; `None` where nothing is left. Problems go to the sink.
    fn read(node: &Node, sink: &mut Sink) -> Option<Self>;
}

/// Declares a map with fixed keys.
macro_rules! object {
    ($(#[$meta:meta])* struct $name:ident { $($(#[$field_meta:meta])* $field:ident : $type:ty,)* }) => {
        #[derive(Debug, Clone, Default, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields, default)]
        $(#[$meta])*
        pub(crate) struct $name {
            $($(#[$field_meta])* pub(crate) $field: $type,)*
        }

        impl $crate::registry::read::Read for $name {
            fn read(
                node: &$crate::registry::yaml::Node,
                sink: &mut $crate::registry::diagnostic::Sink,
            ) -> Option<Self> {
                let mut object = Self::default();
                let keys = [$(stringify!($field).trim_start_matches("r#")),*];
                for (key, value) in $crate::registry::read::entries_of(node, &keys, sink)? {
                    $(if key.value == stringify!($field).trim_start_matches("r#") {
                        object.$field = $crate::registry::read::Read::read(value, sink).unwrap_or_default();
                        continue;
                    })*
                    $crate::registry::read::unknown_key(key, &keys, sink);
                }
                Some(object)
            }
        }
    };
}
pub(crate) use object;

/// The entries of a map without those whose key stands twice; an empty value is an empty map.
pub(crate) fn entries<'n>(node: &'n Node, sink: &mut Sink) -> Option<Vec<(&'n Text, &'n Node)>> {
    entries_of(node, &[], sink)
}

/// The same, of a map that has these keys.
pub(crate) fn entries_of<'n>(
    node: &'n Node,
    keys: &[&str],
    sink: &mut Sink,
) -> Option<Vec<(&'n Text, &'n Node)>> {
    let entries = match node {
        Node::Map(_, entries) => entries,
        node if node.is_null() => return Some(Vec::new()),
        node => {
            // A list of dozens of keys would help nobody.
            let few = keys.first().filter(|_| keys.len() <= 10);
            let hint = few.map(|first| match keys {
                [_] => format!("write {{{first}: …}}"),
                _ => format!("write {{{first}: …}}, with the keys {}", keys.join(", ")),
            });
            wanted("a map of keys and values", hint, node, sink);
            return None;
        }
    };
    let mut seen = std::collections::HashMap::with_capacity(entries.len());
    let mut unique = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        if let Some(first) = seen.insert(key.value.as_str(), key.place) {
            let message = format!("'{}' stands twice, first at line {}", key.value, first.line);
            sink.error("duplicate_key", key.place, &key.value, message, None);
            seen.insert(&key.value, first);
        } else {
            unique.push((key, value));
        }
    }
    Some(unique)
}

/// Keys whose value would be a secret.
const SECRET: [&str; 4] = ["api_key", "key", "password", "token"];

/// Reports a key that is none of `keys`.
pub(crate) fn unknown_key(key: &Text, keys: &[&str], sink: &mut Sink) {
    let word = key.value.as_str();
    let takes_commands = keys.iter().find(|key| key.ends_with("_command"));
    if let (true, Some(command)) = (SECRET.contains(&word), takes_commands) {
        let message = "a secret must not stand in a file".to_owned();
        let hint = format!("leave it out: it comes from the environment, or from {command}");
        return sink.error("unknown_key", key.place, word, message, Some(hint));
    }
    // `{expr: nullif(a, b)}` is cut at its comma.
    let is_cut = word.contains(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')));
    let hint = match did_you_mean(word, keys.iter().copied()) {
        Some(hint) => hint,
        None if is_cut => "inside { } or [ ], a text with a comma needs quotes".to_owned(),
        None => format!("allowed here: {}", keys.join(", ")),
    };
    sink.error(
        "unknown_key",
        key.place,
        word,
        format!("unknown key '{word}'"),
        Some(hint),
    );
}

fn wanted(what: &str, hint: Option<String>, node: &Node, sink: &mut Sink) {
    let message = if node.is_null() {
        format!("the value is missing; expected {what}")
    } else {
        format!("expected {what}, found {}", node.word())
    };
    sink.error("invalid_value", node.place(), node.found(), message, hint);
}

impl<T: Read> Read for Option<T> {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        if node.is_null() {
            Some(None)
        } else {
            Some(T::read(node, sink))
        }
    }
}

impl Read for Text {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        match node {
            Node::Scalar(text) if !text.is_null() => Some(text.clone()),
            node => {
                wanted("text", None, node, sink);
                None
            }
        }
    }
}

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

/// A value with its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// A single value that is more than text.
pub(crate) trait Scalar: Sized {
    /// What it is, in words.
    const WORDS: &str;
    /// Its value.
    fn parse(text: &str) -> Option<Self>;
}

impl<T: Scalar> Read for At<T> {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let text = match node {
            Node::Scalar(text) if !text.is_null() => text,
            node => {
                wanted(T::WORDS, None, node, sink);
                return None;
            }
        };
        let Some(value) = T::parse(text.value.trim()) else {
            let message = format!("'{}' is not {}", text.value, T::WORDS);
            sink.error("invalid_value", text.place, &text.value, message, None);
            return None;
        };
        Some(Self {
            value,
            place: text.place,
        })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

impl Scalar for bool {
    const WORDS: &str = "true or false";
    fn parse(text: &str) -> Option<Self> {
        text.to_ascii_lowercase().parse().ok()
    }
}

impl Scalar for i64 {
    const WORDS: &str = "a whole number";
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Scalar for u64 {
    const WORDS: &str = "a whole number from 0";
    fn parse(text: &str) -> Option<Self> {
        text.replace('_', "").parse().ok()
    }
}

impl Scalar for u8 {
    const WORDS: &str = "a whole number from 0 to 255";
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Scalar for f64 {
    const WORDS: &str = "a number";
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number: &Self| number.is_finite())
    }
}

/// A calendar date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day(pub(crate) Date);

impl Scalar for Day {
    const WORDS: &str = "a date such as 2025-11-03";
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl JsonSchema for Day {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date"})
    }
}

/// A month, 1 to 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Month(pub(crate) i8);

impl Scalar for Month {
    const WORDS: &str = "a month such as april, or 1 to 12";
    fn parse(text: &str) -> Option<Self> {
        let number = text.parse().ok().filter(|month| (1..=12).contains(month));
        number.or_else(|| month(&text.to_lowercase())).map(Self)
    }
}

impl JsonSchema for Month {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Month".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 1, "maximum": 12}]})
    }
}

/// One of the words of an enum, with its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Word<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// The words that serde expected, which no public error of serde tells.
#[derive(Debug)]
struct Expected(&'static [&'static str]);

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl std::error::Error for Expected {}

impl de::Error for Expected {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self(&[])
    }
    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(expected)
    }
}

impl<T: DeserializeOwned> Read for Word<T> {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let text = Text::read(node, sink)?;
        let word: StrDeserializer<Expected> = text.value.as_str().into_deserializer();
        match T::deserialize(word) {
            Ok(value) => Some(Self {
                value,
                place: text.place,
            }),
            Err(expected) => {
                let message = format!("'{}' is not one of {expected}", text.value);
                let hint = did_you_mean(&text.value, expected.0.iter().copied());
                sink.error("invalid_value", text.place, &text.value, message, hint);
                None
            }
        }
    }
}

impl<T: JsonSchema> JsonSchema for Word<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

/// One value or a list of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Many<T>(pub(crate) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Read> Read for Many<T> {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        Some(Self(match node {
            Node::List(_, items) => items
                .iter()
                .filter_map(|item| T::read(item, sink))
                .collect(),
            node if node.is_null() => Vec::new(),
            one => T::read(one, sink).into_iter().collect(),
        }))
    }
}

impl<T: JsonSchema> JsonSchema for Many<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Many_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one, {"type": "array", "items": one}, {"type": "null"}]})
    }
}

/// One named definition.
#[derive(Debug, Clone)]
pub(crate) struct Entry<T> {
    /// Its name.
    pub(crate) name: Text,
    /// What is given; `None` where that is unusable.
    pub(crate) value: Option<T>,
    /// Errors met while reading it.
    pub(crate) errors: usize,
}

/// A map from names to definitions of one shape, in the order of the file.
#[derive(Debug, Clone)]
pub(crate) struct Named<T>(pub(crate) Vec<Entry<T>>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Read> Read for Named<T> {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let entries = entries(node, sink)?.into_iter().map(|(name, node)| {
            let before = sink.errors();
            let value = T::read(node, sink);
            Entry {
                name: name.clone(),
                value,
                errors: sink.errors() - before,
            }
        });
        Some(Self(entries.collect()))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Named_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({"type": ["object", "null"], "additionalProperties": {"anyOf": [value, {"type": "null"}]}})
    }
}

/// A map, or a short form of it.
#[derive(Debug, Clone)]
pub(crate) enum MapOr<M, S> {
    /// The long form.
    Map(M),
    /// The short form.
    Short(S),
}

impl<M: Read, S: Read> Read for MapOr<M, S> {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        match node {
            Node::Map(..) => M::read(node, sink).map(Self::Map),
            node => S::read(node, sink).map(Self::Short),
        }
    }
}

impl<M: JsonSchema, S: JsonSchema> JsonSchema for MapOr<M, S> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("{}_or_{}", M::schema_name(), S::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (map, short) = (
            generator.subschema_for::<M>(),
            generator.subschema_for::<S>(),
        );
        json_schema!({"anyOf": [short, map]})
    }
}
