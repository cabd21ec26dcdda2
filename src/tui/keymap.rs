//! The keys in force: those of the table, with what the configurations say instead. Footer, help, palette, menus and man
//! page read them here.

use std::collections::{HashMap, HashSet};

use crossterm::event::{KeyCode, KeyModifiers};

use super::action::{self, Action, Context, Entry};
use super::keys::{Chord, Keys};
use crate::registry::{Diagnostic, KeySetting, nearest};

/// Keys that terminals send as another key, or keep for themselves.
const UNSENT: [(&str, &str); 8] = [
    ("Ctrl+Enter", "is plain Enter in most terminals"),
    ("Ctrl+Space", "changes the input method, or is not sent"),
    ("Ctrl+S", "stops the output of many terminals"),
    ("Ctrl+Q", "starts the output of many terminals"),
    ("Ctrl+H", "is Backspace in most terminals"),
    ("Ctrl+I", "is Tab in most terminals"),
    ("Ctrl+M", "is Enter in most terminals"),
    ("Ctrl+[", "is Esc in most terminals"),
];

/// What a key stands for.
#[derive(Debug, Clone, Copy)]
pub enum Found {
    /// An action.
    Entry(&'static Entry),
    /// The first of two keys.
    First,
    /// No action.
    Nothing,
}

/// Every action of the table with the keys it is on.
#[derive(Debug, Clone)]
pub struct Keymap {
    rows: Vec<(&'static Entry, Vec<Keys>)>,
    entries: HashMap<(Context, Keys), &'static Entry>,
    firsts: HashSet<(Context, Chord)>,
}

impl PartialEq for Keymap {
    fn eq(&self, other: &Self) -> bool {
        // All have the rows of the one table.
        let keys = self.rows().map(|(_, keys)| keys);
        keys.eq(other.rows().map(|(_, keys)| keys))
    }
}

impl Default for Keymap {
    fn default() -> Self {
        let rows = action::actions().iter();
        Self::of(
            rows.map(|entry| (entry, defaults(entry).collect()))
                .collect(),
        )
    }
}

fn defaults(entry: &Entry) -> impl Iterator<Item = Keys> {
    entry.keys.iter().filter_map(|keys| keys.parse().ok())
}

impl Keymap {
    /// The keys that settings ask for, the user's before the project's, and the table's for all other actions; with
    /// what is wrong with the settings.
    pub fn read(user: &[KeySetting], project: &[KeySetting]) -> (Self, Vec<Diagnostic>) {
        let mut reader = Reader::default();
        for settings in [user, project] {
            let said: HashSet<_> = reader.set.iter().map(|set| set.entry.id).collect();
            let settings = settings
                .iter()
                .filter(|setting| !said.contains(setting.action.as_str()));
            settings.for_each(|setting| reader.take(setting));
        }
        let rows = action::actions()
            .iter()
            .map(|entry| (entry, reader.keys(entry)));
        let rows: Vec<_> = rows.collect();
        let hidden = reader.hidden(&rows);
        reader.problems.extend(hidden);
        (Self::of(rows), reader.problems)
    }

    fn of(rows: Vec<(&'static Entry, Vec<Keys>)>) -> Self {
        let (mut entries, mut firsts) = (HashMap::new(), HashSet::new());
        for (entry, keys) in &rows {
            for keys in keys {
                entries.entry((entry.context, *keys)).or_insert(*entry);
                if keys.second.is_some() {
                    firsts.insert((entry.context, keys.first));
                }
            }
        }
        Self {
            rows,
            entries,
            firsts,
        }
    }

    /// The key of an action in these contexts, innermost first, for a text that is shown there.
    pub fn key_in(&self, contexts: &[Context], action: Action) -> Option<String> {
        let key_in = |context: &Context| {
            let mut rows = self.rows();
            let here = rows.find(|(entry, keys)| {
                entry.action == action && entry.context == *context && !keys.is_empty()
            });
            here.and_then(|(_, keys)| keys.first())
        };
        contexts.iter().find_map(key_in).map(ToString::to_string)
    }

    /// Every action with its keys, in the order of the table.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Entry, &[Keys])> {
        self.rows
            .iter()
            .map(|(entry, keys)| (*entry, keys.as_slice()))
    }

    /// The key that texts name an action by; where it has none, the one that leads to all commands.
    pub fn key(&self, action: Action) -> String {
        let first = |action| {
            let rows = self.rows().filter(move |(entry, _)| entry.action == action);
            rows.flat_map(|(_, keys)| keys).next()
        };
        let key = first(action).or_else(|| first(Action::Palette));
        key.map_or_else(String::new, ToString::to_string)
    }

    /// The first entry of each action, in the order of the table.
    pub fn first_rows(&self) -> impl Iterator<Item = &'static Entry> {
        let mut seen = HashSet::new();
        let rows = self.rows.iter();
        rows.filter_map(move |(entry, _)| seen.insert(entry.action).then_some(*entry))
    }

    /// What a key stands for in these contexts, innermost first, after the `first` of two or by itself.
    pub fn find(&self, contexts: &[Context], first: Option<Chord>, key: Chord) -> Found {
        let keys = match first {
            None => Keys::one(key),
            Some(first) => Keys {
                first,
                second: Some(key),
            },
        };
        for context in contexts {
            if let Some(entry) = self.entries.get(&(*context, keys)) {
                return Found::Entry(entry);
            }
            if first.is_none() && self.firsts.contains(&(*context, key)) {
                return Found::First;
            }
        }
        Found::Nothing
    }

    /// The actions that the first of two keys leads to in these contexts, with the keys that may follow it.
    pub fn following(
        &self,
        contexts: &[Context],
        first: Chord,
    ) -> Vec<(&'static Entry, Vec<Chord>)> {
        let after = |keys: &[Keys]| {
            let after = keys.iter().filter(|keys| keys.first == first);
            after.filter_map(|keys| keys.second).collect::<Vec<_>>()
        };
        let here = self
            .rows()
            .filter(|(entry, _)| contexts.contains(&entry.context));
        here.map(|(entry, keys)| (entry, after(keys)))
            .filter(|(_, after)| !after.is_empty())
            .collect()
    }
}

/// Keys as one text.
pub fn joined(keys: &[Keys], between: &str) -> String {
    let words: Vec<_> = keys.iter().map(ToString::to_string).collect();
    words.join(between)
}

/// The settings that were read so far.
#[derive(Default)]
struct Reader<'s> {
    set: Vec<Set<'s>>,
    problems: Vec<Diagnostic>,
}

/// A setting with the action it means and the keys it gives it.
struct Set<'s> {
    setting: &'s KeySetting,
    entry: &'static Entry,
    keys: Vec<Keys>,
}

impl<'s> Reader<'s> {
    fn take(&mut self, setting: &'s KeySetting) {
        let id = setting.action.as_str();
        let Some(entry) = action::actions().iter().find(|entry| entry.id == id) else {
            let hint = match nearest(id, action::actions().iter().map(|entry| entry.id)) {
                Some(near) => format!("did you mean '{near}'?"),
                None => "the help of the explorer shows the name of every action".to_owned(),
            };
            let message = format!("there is no action '{id}'");
            return self.problems.push(setting.problem(id, message, Some(hint)));
        };
        if let Some(first) = self.set.iter().find(|set| set.entry.id == id) {
            let message = format!("'{id}' stands twice, first at line {}", first.setting.line);
            return self.problems.push(setting.problem(id, message, None));
        }
        let mut keys = Vec::new();
        for text in &setting.keys {
            match self.key(entry, text) {
                Ok(key) => keys.push(key),
                Err((message, hint)) => {
                    self.problems.push(setting.problem(text, message, hint));
                }
            }
            let unsent = UNSENT
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(text));
            if let Some((key, why)) = unsent {
                let hint = Some("give it a second key".to_owned());
                self.problems
                    .push(setting.problem(text, format!("{key} {why}"), hint));
            }
        }
        // An action that lost every key it was given keeps those of the table.
        if keys.is_empty() && !setting.keys.is_empty() {
            return;
        }
        self.set.push(Set {
            setting,
            entry,
            keys,
        });
    }

    /// A key for an action, or why it cannot be its key.
    fn key(&self, entry: &'static Entry, text: &str) -> Result<Keys, (String, Option<String>)> {
        let keys: Keys = text.parse().map_err(|_| {
            let hint = "write it like g, Ctrl+R, Alt+x, F5, PageDown, or z h for two keys";
            (format!("'{text}' is no key"), Some(hint.to_owned()))
        })?;
        if keys.chords().any(|key| key.code == KeyCode::Esc) && entry.action != Action::Back {
            let message = "Esc closes and steps back, and nothing else".to_owned();
            return Err((message, None));
        }
        let is_typed = |keys: Keys| {
            let plain = KeyModifiers::CONTROL | KeyModifiers::ALT;
            matches!(keys.first.code, KeyCode::Char(_)) && !keys.first.modifiers.intersects(plain)
        };
        if entry.context.takes_text() && is_typed(keys) && !defaults(entry).any(is_typed) {
            let message = format!(
                "'{text}' is typed into the text where '{}' applies",
                entry.id
            );
            let hint = "take a key with Ctrl or Alt, or a function key".to_owned();
            return Err((message, Some(hint)));
        }
        let other = self.set.iter().find(|set| {
            set.entry.context == entry.context && set.keys.iter().any(|key| clash(*key, keys))
        });
        match other {
            Some(other) => {
                let KeySetting { file, line, .. } = other.setting;
                let message = format!("{keys} is the key of '{}' ({file}:{line})", other.entry.id);
                Err((message, Some(format!("give '{}' another one", entry.id))))
            }
            None => Ok(keys),
        }
    }

    /// The keys of an action in the end; a key that a setting gives away is no longer another action's.
    fn keys(&mut self, entry: &'static Entry) -> Vec<Keys> {
        if let Some(set) = self.set.iter().find(|set| set.entry.id == entry.id) {
            return set.keys.clone();
        }
        let mut kept = Vec::new();
        for keys in defaults(entry) {
            let taken = self.set.iter().find(|set| {
                set.entry.context == entry.context && set.keys.iter().any(|key| clash(*key, keys))
            });
            let Some(set) = taken else {
                kept.push(keys);
                continue;
            };
            let id = entry.id;
            let message = format!("'{}' takes {keys} from '{id}'", set.entry.id);
            let hint = format!("give '{id}' a key of its own, or say `{id}: none`");
            self.problems
                .push(set.setting.problem(&keys.to_string(), message, Some(hint)));
        }
        kept
    }
}

impl Reader<'_> {
    /// Actions that lose their only key where a setting's, of a context further in, is asked first.
    fn hidden(&self, rows: &[(&'static Entry, Vec<Keys>)]) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for set in &self.set {
            let stack = set.entry.context.stack();
            let outer = stack.get(1..).unwrap_or_default();
            for keys in &set.keys {
                let has_other = |action: Action| {
                    let mut here = rows.iter().filter(|(entry, _)| entry.action == action);
                    here.any(|(entry, theirs)| {
                        stack.contains(&entry.context)
                            && theirs.iter().any(|theirs| !clash(*theirs, *keys))
                    })
                };
                let lost = rows.iter().find(|(entry, theirs)| {
                    outer.contains(&entry.context)
                        && theirs.iter().any(|theirs| clash(*theirs, *keys))
                        && !self.set.iter().any(|set| set.entry.id == entry.id)
                        && !has_other(entry.action)
                });
                problems.extend(lost.map(|(lost, _)| {
                    let (id, lost, place) = (set.entry.id, lost.id, set.entry.context.title());
                    let message =
                        format!("'{id}' hides {keys}, the only key of '{lost}' ({place})");
                    let hint = format!("give '{lost}' another one");
                    set.setting.problem(&keys.to_string(), message, Some(hint))
                }));
            }
        }
        problems
    }
}

/// Whether two keys cannot both be keys of one context: they are the same, or one begins the other.
fn clash(one: Keys, other: Keys) -> bool {
    one.first == other.first
        && (one.second == other.second || one.second.is_none() || other.second.is_none())
}
