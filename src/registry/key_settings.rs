//! `keys:` of a configuration: which keys the explorer's actions are on. What it says wrongly never keeps it from being read.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::diagnostic::{Diagnostic, Severity, Sink};
use super::read::Read;
use super::yaml::{Node, Text};

/// The keys of one action, as a file says them; whether they are keys is known to the explorer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySetting {
    /// Name of the action.
    pub action: String,
    /// Its keys; none where it is to have none.
    pub keys: Vec<String>,
    /// The file.
    pub file: String,
    /// Line in the file, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl KeySetting {
    /// Something that is wrong with it.
    pub fn problem(&self, found: &str, message: String, hint: Option<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            file: self.file.clone(),
            line: self.line,
            column: self.column,
            code: "config",
            message,
            found: found.to_owned(),
            hint,
        }
    }
}

/// `keys:`, by the names of actions.
#[derive(Debug, Clone, Default)]
pub(crate) struct RawKeys(Vec<(Text, Vec<String>)>);

impl RawKeys {
    /// The settings, said by this file.
    pub(crate) fn settings(&self, file: &str) -> Vec<KeySetting> {
        let settings = self.0.iter().map(|(action, keys)| KeySetting {
            action: action.value.clone(),
            keys: keys.clone(),
            file: file.to_owned(),
            line: action.place.line,
            column: action.place.column,
        });
        settings.collect()
    }
}

impl Read for RawKeys {
    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let hint = || Some("write {group: g, run: [F5, Ctrl+R], quit: none}".to_owned());
        let entries = match node {
            Node::Map(_, entries) => entries,
            node if node.is_null() => return Some(Self::default()),
            node => {
                let message = format!("expected actions with their keys, found {}", node.word());
                sink.warning("config", node.place(), node.found(), message, hint());
                return None;
            }
        };
        let settings = entries.iter().filter_map(|(action, value)| {
            let keys = keys(value);
            if keys.is_none() {
                let message = format!("'{}' needs a key, or a list of keys", action.value);
                sink.warning("config", value.place(), value.found(), message, hint());
            }
            Some((action.clone(), keys?))
        });
        Some(Self(settings.collect()))
    }
}

fn keys(value: &Node) -> Option<Vec<String>> {
    match value {
        value if value.is_null() => Some(Vec::new()),
        Node::Scalar(text) if text.value == "none" => Some(Vec::new()),
        Node::Scalar(text) => Some(vec![text.value.clone()]),
        Node::List(_, items) => {
            let key = |item: &Node| match item {
                Node::Scalar(text) => Some(text.value.clone()),
                _ => None,
            };
            items.iter().map(key).collect()
        }
        Node::Map(..) => None,
    }
}

impl JsonSchema for RawKeys {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Keys".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": {"type": ["string", "number", "array", "null"]}})
    }
}
