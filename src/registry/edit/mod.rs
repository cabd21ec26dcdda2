//! Changes of definitions in the text of a file: comments, order and everything else stay as they were written.
//!
//! The text is changed by lines, and then read: where it does not say exactly what was meant, there is no change.

mod flow;
mod lines;
mod tree;

use serde_json::{Map, Value};

use super::emit;
use lines::{Entry, Lines};
use tree::Tree;

/// Columns that entries are set in by, where there is none to go by.
const INDENT: usize = 2;

/// A change of one definition.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// The definition of this name is `body`, the YAML of its keys. Of one that is there, keys that say the same stay.
    Put {
        /// The section: `metrics`, `views`, `datasets`, …
        section: String,
        /// The name.
        name: String,
        /// Its keys and values, as YAML.
        body: String,
    },
    /// A key of a definition has this value; `None` takes the key out.
    Set {
        /// The section.
        section: String,
        /// The definition.
        name: String,
        /// The key.
        key: String,
        /// Its value.
        value: Option<Value>,
    },
    /// The list of a key has one more item, as the last one.
    Push {
        /// The section.
        section: String,
        /// The definition.
        name: String,
        /// The key.
        key: String,
        /// The item.
        item: Value,
    },
    /// There is no such definition.
    Take {
        /// The section.
        section: String,
        /// The name.
        name: String,
    },
}

/// Why a text is not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotEditable {
    /// It is no YAML.
    #[error("line {line}: {message}")]
    Unreadable {
        /// Where.
        line: u32,
        /// What is wrong.
        message: String,
    },
    /// There is no such definition.
    #[error("there is no '{0}' in it")]
    NotFound(String),
    /// It is written in a way that cannot be changed by lines.
    #[error("'{0}' is written in a way that only a person can change")]
    ByHand(String),
}

/// Keys that come first in a definition, in this order; all others come after them as they are given.
const FIRST: [&str; 8] = [
    "type",
    "label",
    "category",
    "description",
    "business_rules",
    "owner",
    "status",
    "successor",
];

/// The text with these changes, one after the other.
///
/// # Errors
/// A change cannot be made by lines without changing something else; the message names the definition.
pub fn edit(text: &str, edits: &[Edit]) -> Result<String, NotEditable> {
    changed(text, edits, Lines::is_flat)
}

/// The text with these changes inside of a definition: of the dimensions of a dataset, which are a section of it.
///
/// # Errors
/// There is no such definition, or as for [`edit`].
pub fn edit_inside(
    text: &str,
    section: &str,
    name: &str,
    edits: &[Edit],
) -> Result<String, NotEditable> {
    let not_found = || NotEditable::NotFound(name.to_owned());
    let inside = body(text, section, name).ok_or_else(not_found)?;
    let put = Edit::Put {
        section: section.to_owned(),
        name: name.to_owned(),
        body: changed(&inside, edits, |_| false)?,
    };
    edit(text, &[put])
}

fn changed(
    text: &str,
    edits: &[Edit],
    is_flat: impl Fn(&str) -> bool,
) -> Result<String, NotEditable> {
    let is_windows = text.contains("\r\n");
    let mut now = text.replace("\r\n", "\n");
    for one in edits {
        let by_hand = || NotEditable::ByHand(one.name().to_owned());
        let mut meant = Tree::read(&now)?;
        let was_flat = is_flat(&now);
        meant.apply(one, was_flat)?;
        let changed = one.on(&now).ok_or_else(by_hand)?;
        let reads = Tree::read(&changed).map_err(|_| by_hand())?;
        if reads.settled() != meant.settled() || (was_flat && !is_flat(&changed)) {
            return Err(by_hand());
        }
        now = changed;
    }
    Ok(match is_windows {
        true => now.replace('\n', "\r\n"),
        false => now,
    })
}

/// The YAML of the keys of a definition, set in by nothing, with its comments; `None` where there is none, or it does
/// not stand line by line.
pub fn body(text: &str, section: &str, name: &str) -> Option<String> {
    let lines = Lines::new(&text.replace("\r\n", "\n"));
    let section = lines.section(section)?;
    let mut entry = lines.entry(section.items.iter().find(|item| item.key == name)?)?;
    entry.open()?;
    Some(entry.body())
}

/// The YAML below a key of the whole file, set in by nothing.
pub fn below(text: &str, key: &str) -> Option<String> {
    let lines = Lines::new(&text.replace("\r\n", "\n"));
    let mut items = lines.items(0..lines.len())?.items.into_iter();
    let mut entry = lines.entry(&items.find(|item| item.key == key)?)?;
    entry.open()?;
    Some(entry.body())
}

/// What a key of a body says, with every scalar as a text.
pub fn value(body: &str, key: &str) -> Option<Value> {
    Some(Tree::read(body).ok()?.get(key)?.json())
}

/// The keys of a body, in no order.
pub fn keys(body: &str) -> Vec<String> {
    match Tree::read(body).map(|tree| tree.json()) {
        Ok(Value::Object(keys)) => keys.into_iter().map(|(key, _)| key).collect(),
        _ => Vec::new(),
    }
}

/// The YAML of some keys, to be the body of a definition.
pub fn fields(fields: &Map<String, Value>) -> String {
    fields
        .iter()
        .map(|(key, value)| keyed(key, value).concat())
        .collect()
}

/// The hash of a text, by which a change knows what it was made from.
pub fn hash(text: &str) -> String {
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
}

/// The lines of a key with its value, set in by nothing.
fn keyed(key: &str, value: &Value) -> Vec<String> {
    // At the top of a document, a map is never put on one line.
    let mut outer = Map::new();
    let mut inner = Map::new();
    inner.insert(key.to_owned(), value.clone());
    outer.insert("x".to_owned(), Value::Object(inner));
    let text = emit::document(&outer);
    let lines = text.split_inclusive('\n').skip(1);
    lines
        .map(|line| line.strip_prefix("  ").unwrap_or(line).to_owned())
        .collect()
}

impl Edit {
    /// The definition that is changed.
    pub fn name(&self) -> &str {
        match self {
            Self::Put { name, .. }
            | Self::Set { name, .. }
            | Self::Push { name, .. }
            | Self::Take { name, .. } => name,
        }
    }

    fn section(&self) -> &str {
        match self {
            Self::Put { section, .. }
            | Self::Set { section, .. }
            | Self::Push { section, .. }
            | Self::Take { section, .. } => section,
        }
    }

    /// The text with the change, as far as lines tell.
    fn on(&self, text: &str) -> Option<String> {
        let mut lines = Lines::new(text);
        let found = lines.section(self.section());
        let item = found
            .as_ref()
            .and_then(|section| section.items.iter().find(|item| item.key == self.name()));
        let Some((section, item)) = found.as_ref().zip(item) else {
            let Self::Put { name, body, .. } = self else {
                return None;
            };
            let indent = match &found {
                Some(section) => section.indent,
                None if lines.says(self.section()) => return None,
                None => INDENT,
            };
            let new = Entry::new(name, body, indent);
            match &found {
                Some(section) => lines.add(section, new.lines),
                None => lines.add_section(self.section(), new.lines),
            }
            return Some(lines.text());
        };
        if let Self::Take { .. } = self {
            lines.take(section, item);
            return Some(lines.text());
        }
        let mut entry = lines.entry(item)?;
        match self {
            Self::Put { name, body, .. } => match entry.open() {
                Some(()) => entry.become_like(body)?,
                None => entry = Entry::new(name, body, section.indent),
            },
            Self::Set { key, value, .. } => {
                entry.open()?;
                match value {
                    Some(value) => entry.set(key, keyed(key, value))?,
                    None => entry.remove(key)?,
                }
            }
            Self::Push { key, item, .. } => {
                entry.open()?;
                entry.push(key, item)?;
            }
            Self::Take { .. } => {}
        }
        lines.replace(item.lines.clone(), entry.lines);
        Some(lines.text())
    }
}

#[cfg(test)]
mod tests;
