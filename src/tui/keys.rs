//! Keys as people write them: `Ctrl+R`, `F5`, `PageDown`, `g`, and two after each other: `z h`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers, in one form whatever the terminal reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    /// The key.
    pub code: KeyCode,
    /// Modifiers; never Shift for a character, which has its own capital.
    pub modifiers: KeyModifiers,
}

const NAMED: [(&str, KeyCode); 16] = [
    ("Space", KeyCode::Char(' ')),
    ("Backspace", KeyCode::Backspace),
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Shift+Tab", KeyCode::BackTab),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
];

const MODIFIERS: [(&str, KeyModifiers); 3] = [
    ("Ctrl+", KeyModifiers::CONTROL),
    ("Alt+", KeyModifiers::ALT),
    ("Shift+", KeyModifiers::SHIFT),
];

impl From<KeyEvent> for Chord {
    fn from(event: KeyEvent) -> Self {
        let shown = matches!(event.code, KeyCode::Char(_) | KeyCode::BackTab);
        let hidden = if shown {
            KeyModifiers::SHIFT
        } else {
            KeyModifiers::NONE
        };
        let known = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        let code = match event.code {
            KeyCode::Char(c) if event.modifiers.contains(KeyModifiers::CONTROL) => {
                KeyCode::Char(c.to_ascii_lowercase())
            }
            code => code,
        };
        Self {
            code,
            modifiers: (event.modifiers & known) - hidden,
        }
    }
}

impl From<Chord> for KeyEvent {
    fn from(chord: Chord) -> Self {
        Self::new(chord.code, chord.modifiers)
    }
}

impl FromStr for Chord {
    /// The text that names no key.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        loop {
            if let Some(code) = code(rest) {
                let code = match code {
                    KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => {
                        KeyCode::Char(c.to_ascii_lowercase())
                    }
                    code => code,
                };
                return Ok(Self { code, modifiers });
            }
            let modifier = MODIFIERS.iter().find_map(|(word, modifier)| {
                let (start, after) = rest.split_at_checked(word.len())?;
                start
                    .eq_ignore_ascii_case(word)
                    .then_some((after, *modifier))
            });
            let Some((after, modifier)) = modifier else {
                return Err(text.to_owned());
            };
            modifiers |= modifier;
            rest = after;
        }
    }
}

fn code(text: &str) -> Option<KeyCode> {
    let mut chars = text.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return Some(KeyCode::Char(c));
    }
    let mut named = NAMED.iter();
    if let Some((_, code)) = named.find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Some(*code);
    }
    let number: u8 = text.strip_prefix(['F', 'f'])?.parse().ok()?;
    (1..=12).contains(&number).then_some(KeyCode::F(number))
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (word, modifier) in MODIFIERS {
            if self.modifiers.contains(modifier) {
                f.write_str(word)?;
            }
        }
        match self.code {
            KeyCode::Char(c) if c != ' ' && self.modifiers.contains(KeyModifiers::CONTROL) => {
                write!(f, "{}", c.to_ascii_uppercase())
            }
            KeyCode::Char(c) if c != ' ' => write!(f, "{c}"),
            KeyCode::F(number) => write!(f, "F{number}"),
            other => {
                let name = NAMED
                    .iter()
                    .find_map(|(name, code)| (*code == other).then_some(*name));
                f.write_str(name.unwrap_or("?"))
            }
        }
    }
}

/// What an action is on: one key, or two after each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Keys {
    /// The first key.
    pub first: Chord,
    /// The one after it, if there are two.
    pub second: Option<Chord>,
}

impl Keys {
    /// One key.
    pub fn one(key: Chord) -> Self {
        Self {
            first: key,
            second: None,
        }
    }

    /// The keys, in order.
    pub fn chords(self) -> impl Iterator<Item = Chord> {
        std::iter::once(self.first).chain(self.second)
    }
}

impl FromStr for Keys {
    /// The text that names no key.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split_whitespace();
        let (first, second, third) = (words.next(), words.next(), words.next());
        match (first, second, third) {
            (Some(first), second, None) => Ok(Self {
                first: first.parse()?,
                second: second.map(str::parse).transpose()?,
            }),
            _ => Err(text.to_owned()),
        }
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        match self.second {
            Some(second) => write!(f, " {second}"),
            None => Ok(()),
        }
    }
}
