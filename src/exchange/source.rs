//! What an import reads: YAML and JSON files, in which every value knows its file and line.

use std::fs;
use std::path::{Path, PathBuf};

use super::{ExchangeError, Notes};
use crate::model::{FileId, Grain, Place};
use crate::registry::yaml::{Node, documents};

/// Folders that hold copies of definitions, or none.
const PASSED_OVER: [&str; 5] = ["dbt_packages", "logs", "node_modules", "target", "venv"];

/// The documents of a file, or of every YAML file below a folder, in order of their paths. A file below a folder that
/// is no YAML is noted.
pub(super) fn read(path: &Path, notes: &mut Notes) -> Result<Vec<Node>, ExchangeError> {
    read_as(path, &[".yml", ".yaml"], notes, |file, text| {
        documents(file, text).map_err(|error| (error.place, error.message))
    })
}

/// The same of files with other endings, which have a parser of their own.
pub(super) fn read_as(
    path: &Path,
    endings: &[&str],
    notes: &mut Notes,
    parse: impl Fn(FileId, &str) -> Result<Vec<Node>, (Place, String)>,
) -> Result<Vec<Node>, ExchangeError> {
    let io = |at: &Path| {
        let at = at.display().to_string();
        move |source| ExchangeError::Io { path: at, source }
    };
    let is_folder = fs::metadata(path).map_err(io(path))?.is_dir();
    let mut files = Vec::new();
    if is_folder {
        walk(path, endings, &mut files).map_err(io(path))?;
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(io(&file))?;
        let shown = file.strip_prefix(path).unwrap_or(&file);
        let shown = if shown.as_os_str().is_empty() {
            file.file_name().map_or(shown, Path::new)
        } else {
            shown
        };
        let id = notes.file(&shown.to_string_lossy());
        match parse(id, &text) {
            Ok(nodes) => found.extend(nodes),
            Err((place, message)) if is_folder => {
                notes.add(place, format!("not read: {message}"));
            }
            Err((place, message)) => {
                return Err(ExchangeError::Unreadable {
                    at: notes.at(place),
                    message,
                });
            }
        }
    }
    Ok(found)
}

fn walk(folder: &Path, endings: &[&str], files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !name.starts_with('.') && !PASSED_OVER.contains(&name.as_ref()) {
                walk(&path, endings, files)?;
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            files.push(path);
        }
    }
    Ok(())
}

/// Looking into a tree; what is not there, or null, is `None`.
pub(super) trait Look {
    /// The value of a key.
    fn get(&self, key: &str) -> Option<&Node>;
    /// The value at the end of several keys.
    fn path(&self, keys: &[&str]) -> Option<&Node>;
    /// A single value as text.
    fn text(&self) -> Option<&str>;
    /// The text of a key.
    fn text_of(&self, key: &str) -> Option<String>;
    /// The entries of a list, or the value itself where it is no list.
    fn items(&self) -> Vec<&Node>;
    /// The entries of a key's list.
    fn items_of(&self, key: &str) -> Vec<&Node>;
    /// Whether a key has a true value.
    fn is(&self, key: &str) -> bool;
    /// The keys of a map, with their places.
    fn keys(&self) -> Vec<(&str, Place)>;
}

impl Look for Node {
    fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Self::Map(_, entries) => entries
                .iter()
                .find(|(name, _)| name.value == key)
                .map(|(_, value)| value)
                .filter(|value| !value.is_null()),
            _ => None,
        }
    }

    fn path(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar(text) if !text.is_null() => Some(&text.value),
            _ => None,
        }
    }

    fn text_of(&self, key: &str) -> Option<String> {
        self.get(key)?.text().map(|text| text.trim().to_owned())
    }

    fn items(&self) -> Vec<&Node> {
        match self {
            Self::List(_, items) => items.iter().filter(|item| !item.is_null()).collect(),
            node if node.is_null() => Vec::new(),
            node => vec![node],
        }
    }

    fn items_of(&self, key: &str) -> Vec<&Node> {
        self.get(key).map(Look::items).unwrap_or_default()
    }

    fn is(&self, key: &str) -> bool {
        self.get(key)
            .and_then(Look::text)
            .is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    fn keys(&self) -> Vec<(&str, Place)> {
        match self {
            Self::Map(_, entries) => entries
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, _)| (key.value.as_str(), key.place))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// The texts of several values.
pub(super) fn texts(nodes: &[&Node]) -> Vec<String> {
    let texts = nodes.iter().filter_map(|node| node.text());
    texts.map(str::to_owned).collect()
}

/// A length of time: `7 days`, `1 month`.
pub(super) fn length(text: &str) -> Option<(u32, Grain)> {
    let (n, unit) = text.trim().split_once(' ')?;
    let unit = unit.trim().to_lowercase();
    let grain = Grain::from_word(unit.strip_suffix('s').unwrap_or(&unit))?;
    Some((n.parse().ok()?, grain))
}

/// The id of the `n`th file.
pub(super) fn file_id(n: usize) -> FileId {
    FileId(u32::try_from(n).unwrap_or(u32::MAX))
}
