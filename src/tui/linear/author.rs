//! Author mode line by line: the text with numbers, lines put in the place of others, what the draft means.

use super::Conversation;
use super::cursor::{COLUMNS, plain};
use super::read::{BACK, is_named_key};
use super::say::{PAGE, Said, Wants, counted};
use super::windows::words;
use crate::session::cell::sanitize;
use crate::tui::action::{self, Action, Context};
use crate::tui::author::{Author, Measured, Shows};
use crate::tui::keymap::joined;
use crate::tui::message::Message;
use crate::tui::popup::Popup;
use crate::tui::run::TuiError;
use crate::tui::state::State;
use crate::tui::view::author_lines;

/// What can be typed, besides keys.
const FORMS: [&str; 7] = [
    "12, read from line 12 on; an empty line reads on",
    "12=TEXT, put TEXT in the place of line 12; blanks count",
    "12+TEXT, put TEXT after line 12",
    "-12, take line 12 away",
    "/words, find a line with these words",
    "Ctrl+U, undo",
    ". or Esc, close the file; what is not saved is asked about",
];

/// What was said about a file in author mode.
#[derive(Default)]
pub(super) struct Told {
    pub(super) path: String,
    text: Vec<String>,
    meaning: Vec<String>,
    numbers: Vec<String>,
    shows: Shows,
    conflict: bool,
    /// The line to be read next, from 0.
    next: usize,
}

/// What a line asks for.
enum Asked {
    Read(usize),
    Put(std::ops::Range<usize>, Vec<String>),
    Nothing,
}

/// Reads `12`, `12=TEXT`, `12+TEXT` and `-12`.
fn asked(line: &str) -> Asked {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = line.split_at(digits);
    if let Some(Ok(number)) = line
        .strip_prefix('-')
        .map(|rest| rest.trim().parse::<usize>())
    {
        return Asked::Put(number.saturating_sub(1)..number, Vec::new());
    }
    let Ok(number) = number.parse::<usize>() else {
        return Asked::Nothing;
    };
    let text = |rest: &str| vec![rest.to_owned()];
    match (rest.chars().next(), rest.get(1..)) {
        (Some('='), Some(rest)) if number > 0 => Asked::Put(number - 1..number, text(rest)),
        (Some('+'), Some(rest)) => Asked::Put(number..number, text(rest)),
        (None, _) => Asked::Read(number.saturating_sub(1)),
        _ => Asked::Nothing,
    }
}

impl Conversation {
    /// A line while a file is open in author mode.
    pub(super) async fn hear_author(&mut self, line: &str) -> Result<(), TuiError> {
        let line = line.trim_end();
        match line.trim() {
            "" => {
                self.said.want(Wants::More);
                return Ok(());
            }
            "?" | "help" => return self.tell_forms(),
            "Ctrl+U" => return self.undo_draft().await,
            back if BACK.contains(&back) => return self.key("Esc").await,
            key if is_named_key(key) || (key.chars().count() == 1 && !is_number(key)) => {
                return self.press_one(key).await;
            }
            _ => {}
        }
        let Some(Popup::Author(author)) = self.state.popups.last_mut() else {
            return Ok(());
        };
        if let Some(words) = line.strip_prefix('/') {
            let words = words.trim().to_lowercase();
            let has = |text: &String| text.to_lowercase().contains(&words);
            let from = author.cursor().0;
            let all = author.lines().iter().enumerate();
            let mut found = all.filter(|(_, text)| has(text)).map(|(at, _)| at);
            let first = found.clone().next();
            let found = found.find(|at| *at > from).or(first);
            return match found {
                Some(at) => self.read_from(at),
                None => Ok(self.print(&format!("'{words}' is in no line."))?),
            };
        }
        match asked(line.trim_start()) {
            Asked::Read(at) if at < author.lines().len() => self.read_from(at),
            Asked::Put(range, with) if range.end <= author.lines().len() => {
                self.drafts.push(author.lines().to_vec());
                self.act(Message::Lines(range, with)).await
            }
            Asked::Read(_) | Asked::Put(..) => Ok(self.print("There is no such line.")?),
            Asked::Nothing => {
                Ok(self
                    .print("That is nothing to do with the text; ? lists what can be done here.")?)
            }
        }
    }

    /// Reads the text from a line on, where the cursor goes too.
    fn read_from(&mut self, at: usize) -> Result<(), TuiError> {
        if let Some(Popup::Author(author)) = self.state.popups.last_mut() {
            author.go_to(at);
        }
        if let Some(told) = &mut self.said.author {
            told.next = at;
        }
        self.said.want(Wants::More);
        Ok(())
    }

    async fn undo_draft(&mut self) -> Result<(), TuiError> {
        let Some(with) = self.drafts.pop() else {
            return Ok(self.print("Nothing was changed.")?);
        };
        let range = 0..usize::MAX;
        self.act(Message::Lines(range, with)).await
    }

    fn tell_forms(&mut self) -> Result<(), TuiError> {
        let keymap = self.state.keymap();
        let is_here = |context| matches!(context, Context::Author | Context::AuthorKeys);
        let rows = keymap.rows();
        let rows = rows.filter(|(entry, keys)| {
            is_here(entry.context)
                && !keys.is_empty()
                && super::meaning::only_on_screen(entry.action).is_none()
        });
        let keys = rows.map(|(entry, keys)| format!("{}, {}", joined(keys, " or "), entry.title));
        let keys: Vec<String> = keys.collect();
        for text in FORMS.iter().map(|text| (*text).to_owned()).chain(keys) {
            self.print(&format!("  {text}"))?;
        }
        Ok(())
    }
}

fn is_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit())
}

impl Said {
    /// The file, what was changed in it, and what that means.
    pub(super) fn author(
        &mut self,
        state: &State,
        author: &Author,
        wants: Wants,
        lines: &mut Vec<String>,
    ) {
        let is_new = self
            .author
            .as_ref()
            .is_none_or(|told| told.path != author.path);
        let mut told = match is_new {
            true => Told::default(),
            false => self.author.take().unwrap_or_default(),
        };
        if is_new {
            told.begin(state, author, lines);
        } else if wants == Wants::More {
            told.read(author, lines);
        }
        told.changes(state, author, is_new, lines);
        self.author = Some(told);
    }
}

impl Told {
    fn begin(&mut self, state: &State, author: &Author, lines: &mut Vec<String>) {
        let (line, _) = author.cursor();
        lines.push(format!(
            "{}, {}; {} is defined at line {}.",
            author.path,
            counted(author.lines().len(), "line"),
            author.metric,
            line + 1
        ));
        self.path.clone_from(&author.path);
        self.next = line;
        self.read(author, lines);
        let key = state.key(Action::AuthorSave);
        lines.push(format!(
            "(12=TEXT changes line 12, {key} saves, ? lists what else can be done)"
        ));
    }

    /// The next lines of the text.
    fn read(&mut self, author: &Author, lines: &mut Vec<String>) {
        let all = author.lines().iter().enumerate();
        lines.extend(all.skip(self.next).take(PAGE).map(numbered));
        self.next += PAGE;
        if self.next >= author.lines().len() {
            lines.push("(the end of the file)".to_owned());
            self.next = 0;
        }
    }

    /// What is not as it was said last.
    fn changes(&mut self, state: &State, author: &Author, is_new: bool, lines: &mut Vec<String>) {
        let is_edited = self.text != author.lines();
        if !is_new && is_edited {
            lines.extend(changed(&self.text, author.lines()));
        }
        self.text = author.lines().to_vec();
        if author.conflict && !self.conflict {
            lines.push(
                "Somebody else changed the file meanwhile; saving asks before it is written over."
                    .to_owned(),
            );
        }
        self.conflict = author.conflict;
        let said = said(state, author);
        // An edit turns to the meaning by itself; of its SQL, what changes is enough.
        let has_turned =
            std::mem::replace(&mut self.shows, author.shows) != author.shows && !is_edited;
        match author.shows {
            Shows::Meaning => {
                let news = |line: &&String| has_turned || !line.starts_with("  ");
                if said != self.meaning || has_turned {
                    lines.extend(said.iter().filter(news).cloned());
                }
                self.meaning = said;
            }
            Shows::Numbers => {
                if said != self.numbers || has_turned {
                    lines.extend(said.iter().cloned());
                }
                self.numbers = said;
            }
        }
    }
}

/// What the screen says beside the text.
fn said(state: &State, author: &Author) -> Vec<String> {
    let is_table = author.shows == Shows::Numbers && matches!(author.measured, Measured::Done(..));
    let all = author_lines(state, author, COLUMNS);
    let text = all.iter().map(|line| match is_table {
        true => plain(&words(line)),
        false => words(line),
    });
    text.filter(|line| !line.trim().is_empty()).collect()
}

fn numbered((index, text): (usize, &String)) -> String {
    format!("  {}  {}", index + 1, sanitize(text))
}

/// The lines of a text that are not those of another one, from the first to the last that differs.
fn changed(before: &[String], now: &[String]) -> Vec<String> {
    let same = |one: &[String], other: &[String]| {
        let pairs = one.iter().zip(other);
        pairs.take_while(|(one, other)| one == other).count()
    };
    let start = same(before, now);
    let backwards = |text: &[String]| text.iter().skip(start).rev().cloned().collect::<Vec<_>>();
    let end = now.len() - same(&backwards(before), &backwards(now));
    let gone = before.len().saturating_sub(start) - (now.len() - end);
    let mut lines: Vec<String> = now
        .iter()
        .enumerate()
        .take(end)
        .skip(start)
        .map(numbered)
        .collect();
    if lines.is_empty() {
        lines.push(format!(
            "{} gone at line {}.",
            counted(gone, "line"),
            start + 1
        ));
    }
    lines
}

/// Whether a key stands for something in the contexts of the window on top.
pub(super) fn means_here(state: &State, key: &str) -> bool {
    key.parse()
        .is_ok_and(|chord| action::lookup(state, chord).is_some())
}
