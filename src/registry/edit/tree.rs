//! What a text says, without places and order: what a change is checked against.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Edit, NotEditable};
use crate::model::FileId;
use crate::registry::yaml::{self, Node};

/// A value without its place; keys of a map in no order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Null,
    Text(String),
    List(Vec<Tree>),
    Map(BTreeMap<String, Tree>),
}

impl Tree {
    pub(super) fn read(text: &str) -> Result<Self, NotEditable> {
        let node = yaml::parse(FileId(0), text).map_err(|error| NotEditable::Unreadable {
            line: error.place.line,
            message: error.message,
        })?;
        Ok(node.as_ref().map_or(Self::Null, Self::of))
    }

    fn of(node: &Node) -> Self {
        match node {
            Node::Scalar(text) if text.is_null() => Self::Null,
            Node::Scalar(text) => Self::Text(text.value.clone()),
            Node::List(_, items) => Self::List(items.iter().map(Self::of).collect()),
            // A key that stands twice is an error elsewhere, and the first one holds.
            Node::Map(_, entries) => {
                let entries = entries.iter().rev();
                Self::Map(
                    entries
                        .map(|(key, value)| (key.value.clone(), Self::of(value)))
                        .collect(),
                )
            }
        }
    }

    pub(super) fn value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(items) => Self::List(items.iter().map(Self::value).collect()),
            Value::Object(fields) => {
                let fields = fields.iter();
                Self::Map(
                    fields
                        .map(|(key, value)| (key.clone(), Self::value(value)))
                        .collect(),
                )
            }
            other => Self::Text(other.to_string()),
        }
    }

    /// As JSON, in which every scalar is a text.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::from(text.as_str()),
            Self::List(items) => items.iter().map(Self::json).collect(),
            Self::Map(fields) => {
                let fields = fields.iter();
                Value::Object(
                    fields
                        .map(|(key, value)| (key.clone(), value.json()))
                        .collect(),
                )
            }
        }
    }

    /// Maps without keys say nothing.
    pub(super) fn settled(self) -> Self {
        match self {
            Self::Map(fields) if fields.is_empty() => Self::Null,
            Self::Map(fields) => {
                let fields = fields.into_iter();
                Self::Map(fields.map(|(key, value)| (key, value.settled())).collect())
            }
            other => other,
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(fields) => fields.get(key),
            _ => None,
        }
    }

    /// A map, made where there is nothing yet.
    fn map(&mut self) -> Option<&mut BTreeMap<String, Self>> {
        if *self == Self::Null {
            *self = Self::Map(BTreeMap::new());
        }
        match self {
            Self::Map(fields) => Some(fields),
            _ => None,
        }
    }

    /// Makes the change. In a flat file, the metrics are the keys of the file.
    pub(super) fn apply(&mut self, edit: &Edit, is_flat: bool) -> Result<(), NotEditable> {
        let missing = || NotEditable::NotFound(edit.name().to_owned());
        let by_hand = || NotEditable::ByHand(edit.name().to_owned());
        let root = self.map().ok_or_else(by_hand)?;
        let section = match edit.section() {
            "metrics" if is_flat => root,
            _ if is_flat => return Err(by_hand()),
            section => {
                let is_new = !root.contains_key(section);
                if is_new && !matches!(edit, Edit::Put { .. }) {
                    return Err(missing());
                }
                let section = root.entry(section.to_owned()).or_insert(Self::Null);
                section.map().ok_or_else(by_hand)?
            }
        };
        match edit {
            Edit::Put { name, body, .. } => {
                section.insert(name.clone(), Self::read(body)?);
            }
            Edit::Take { name, .. } => drop(section.remove(name).ok_or_else(missing)?),
            Edit::Set {
                name, key, value, ..
            } => {
                let entry = section.get_mut(name).ok_or_else(missing)?;
                let fields = entry.map().ok_or_else(by_hand)?;
                match value {
                    Some(value) => fields.insert(key.clone(), Self::value(value)),
                    None => fields.remove(key),
                };
            }
            Edit::Push {
                name, key, item, ..
            } => {
                let entry = section.get_mut(name).ok_or_else(missing)?;
                let fields = entry.map().ok_or_else(by_hand)?;
                let list = fields.entry(key.clone()).or_insert(Self::Null);
                let items = match std::mem::replace(list, Self::Null) {
                    Self::Null => Vec::new(),
                    Self::List(items) => items,
                    one => vec![one],
                };
                let new = std::iter::once(Self::value(item));
                *list = Self::List(items.into_iter().chain(new).collect());
            }
        }
        Ok(())
    }
}
