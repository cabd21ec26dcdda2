//! The lines of a file with definitions: where sections, definitions and keys begin and end.

use std::ops::Range;

use serde_json::Value;

use super::flow;
use super::tree::Tree;
use super::{FIRST, INDENT, emit, keyed};
use crate::registry::build::SECTIONS;

/// A key with its value.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) key: String,
    pub(super) lines: Range<usize>,
}

/// A map that stands line by line.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) indent: usize,
    pub(super) items: Vec<Item>,
    /// The line after its head.
    start: usize,
}

/// The lines of a file, each with its end.
#[derive(Debug)]
pub(super) struct Lines(Vec<String>);

/// The lines of one definition.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) lines: Vec<String>,
    indent: usize,
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn is_content(line: &str) -> bool {
    let text = line.trim();
    !text.is_empty() && !text.starts_with('#') && !matches!(text, "---" | "...")
}

fn is_remark(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// The key of a line, and what stands behind its colon.
fn split_key(line: &str) -> Option<(String, &str)> {
    let text = line.trim_start().trim_end_matches('\n');
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let rest = text.get(1..)?;
        let end = rest.find(quote)?;
        let behind = rest.get(end + 1..)?.trim_start().strip_prefix(':')?;
        return Some((rest.get(..end)?.to_owned(), behind));
    }
    let end = match text.find(": ") {
        Some(at) => at,
        None => text.strip_suffix(':')?.len(),
    };
    let key = text.get(..end)?.trim_end();
    let is_plain = !key.is_empty() && !key.starts_with(['{', '[', '-', '?', '}', ']', '&', '*']);
    is_plain.then(|| (key.to_owned(), text.get(end + 1..).unwrap_or_default()))
}

/// A value without the comment behind it, and the comment.
fn split_remark(value: &str) -> (&str, Option<&str>) {
    let is_quoted = value.trim_start().starts_with(['"', '\'', '{', '[']);
    let at = match is_quoted {
        true => value.rfind(['"', '\'', '}', ']']).and_then(|end| {
            let rest = value.get(end..)?;
            rest.find(" #").map(|at| end + at)
        }),
        false => value.find(" #"),
    };
    match at {
        Some(at) => (
            value.get(..at).unwrap_or_default().trim(),
            value.get(at..).map(str::trim),
        ),
        None => (value.trim(), None),
    }
}

/// The items of a map that begins in these lines.
fn items_of(lines: &[String], within: Range<usize>) -> Option<Block> {
    let start = within.start;
    let inside = || lines.iter().enumerate().take(within.end).skip(start);
    let first = inside().find(|(_, line)| is_content(line));
    let own = first.map_or(0, |(_, line)| indent(line));
    let mut items: Vec<Item> = Vec::new();
    for (at, line) in inside() {
        let is_item_of_list = line.trim_start().starts_with("- ") || line.trim() == "-";
        let belongs = indent(line) > own || (is_item_of_list && indent(line) == own);
        if is_content(line) && !belongs {
            if indent(line) < own {
                return None;
            }
            let (key, _) = split_key(line)?;
            let lines = at..at + 1;
            items.push(Item { key, lines });
        } else if let Some(last) = items.last_mut()
            && !line.trim().is_empty()
            && belongs
        {
            last.lines.end = at + 1;
        }
    }
    Some(Block {
        indent: own,
        items,
        start,
    })
}

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        Self(text.split_inclusive('\n').map(str::to_owned).collect())
    }

    pub(super) fn text(&self) -> String {
        self.0.concat()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn items(&self, within: Range<usize>) -> Option<Block> {
        items_of(&self.0, within)
    }

    /// Whether the keys of the file are metrics.
    pub(super) fn is_flat(text: &str) -> bool {
        let top = Self::new(text);
        let Some(block) = top.items(0..top.len()) else {
            return false;
        };
        let is_section = |item: &Item| SECTIONS.contains(&item.key.as_str());
        !block.items.is_empty() && !block.items.iter().any(is_section)
    }

    /// Whether the file has the section, in whatever way it is written.
    pub(super) fn says(&self, section: &str) -> bool {
        let key = |line: &String| indent(line) == 0 && is_content(line);
        let mut keys = self.0.iter().filter(|line| key(line));
        keys.any(|line| split_key(line).is_some_and(|(key, _)| key == section))
    }

    /// The definitions of a section; `None` where there is no such section line by line.
    pub(super) fn section(&self, name: &str) -> Option<Block> {
        let top = self.items(0..self.len())?;
        if name == "metrics" && Self::is_flat(&self.text()) {
            return Some(top);
        }
        let section = top.items.iter().find(|item| item.key == name)?;
        let (_, behind) = split_key(self.0.get(section.lines.start)?)?;
        let (value, _) = split_remark(behind);
        if !(value.is_empty() || value == "{}" || value.starts_with('&')) {
            return None;
        }
        let mut block = self.items(section.lines.start + 1..section.lines.end)?;
        if block.items.is_empty() {
            block.indent = INDENT;
        }
        Some(block)
    }

    /// A copy of the lines of a definition.
    pub(super) fn entry(&self, item: &Item) -> Option<Entry> {
        let lines = self.0.get(item.lines.clone())?.to_vec();
        let indent = indent(lines.first()?);
        Some(Entry { lines, indent })
    }

    pub(super) fn replace(&mut self, at: Range<usize>, mut new: Vec<String>) {
        let is_last = at.end >= self.0.len();
        let had_end = self.0.last().is_none_or(|line| line.ends_with('\n'));
        if is_last
            && !had_end
            && let Some(last) = new.last_mut()
        {
            last.truncate(last.trim_end_matches('\n').len());
        }
        self.0.splice(at, new);
    }

    /// Ends the last line of these.
    fn end_line(&mut self, before: usize) {
        let line = before.checked_sub(1).and_then(|at| self.0.get_mut(at));
        if let Some(line) = line.filter(|line| !line.ends_with('\n')) {
            line.push('\n');
        }
    }

    /// Adds a definition as the last one of its section.
    pub(super) fn add(&mut self, section: &Block, mut new: Vec<String>) {
        let at = section
            .items
            .last()
            .map_or(section.start, |last| last.lines.end);
        let mut pairs = section.items.iter().zip(section.items.iter().skip(1));
        let is_airy = pairs.any(|(one, next)| {
            let between = self.0.get(one.lines.end..next.lines.start);
            between.is_some_and(|lines| lines.iter().any(|line| line.trim().is_empty()))
        });
        if section.items.is_empty()
            && let Some(head) = self.0.get_mut(section.start.saturating_sub(1))
            && head.contains("{}")
        {
            *head = head.replacen(" {}", "", 1);
        }
        if is_airy {
            new.insert(0, "\n".to_owned());
        }
        self.end_line(at);
        self.0.splice(at..at, new);
    }

    /// Adds a section with one definition at the end of the file.
    pub(super) fn add_section(&mut self, name: &str, new: Vec<String>) {
        let end = self.0.len();
        self.end_line(end);
        if self.0.last().is_some_and(|line| !line.trim().is_empty()) {
            self.0.push("\n".to_owned());
        }
        self.0.push(format!("{name}:\n"));
        self.0.extend(new);
    }

    /// Takes a definition out; an empty section goes with its last one only in the eyes of a reader: its key stays.
    pub(super) fn take(&mut self, section: &Block, item: &Item) {
        let mut at = item.lines.clone();
        let is_blank = |line: Option<&String>| line.is_none_or(|line| line.trim().is_empty());
        let is_after_blank = at.start > section.start && is_blank(self.0.get(at.start - 1));
        if is_after_blank && is_blank(self.0.get(at.end)) {
            at.start -= 1;
        }
        self.0.drain(at);
    }
}

impl Entry {
    /// A new definition.
    pub(super) fn new(name: &str, body: &str, indent: usize) -> Self {
        let mut lines = vec![format!("{:indent$}{}:\n", "", emit::name(name))];
        lines.extend(set_in(body, indent + INDENT));
        Self { lines, indent }
    }

    /// Sees to it that the definition has a line for each key; `None` where it is no map.
    pub(super) fn open(&mut self) -> Option<()> {
        let (first, rest) = self.lines.split_first()?;
        let (_, behind) = split_key(first)?;
        let (value, _) = split_remark(behind);
        if value.is_empty() || (value.starts_with('&') && !value.contains(' ')) {
            // A list is no map.
            let content = rest.iter().find(|line| is_content(line));
            let is_list = content.is_some_and(|line| line.trim_start().starts_with('-'));
            return (!is_list).then_some(());
        }
        if !value.starts_with('{') {
            return None;
        }
        let key_end = first.len() - behind.len() - usize::from(first.ends_with('\n'));
        let head = first.get(..key_end)?.trim_end();
        let whole = behind.to_owned() + "\n" + &rest.concat();
        let (pieces, remark) = flow::pieces(&whole)?;
        let remark = remark
            .map(|remark| format!(" {remark}"))
            .unwrap_or_default();
        let inner = self.indent + INDENT;
        let mut lines = vec![format!("{head}{remark}\n")];
        lines.extend(pieces.iter().map(|piece| format!("{:inner$}{piece}\n", "")));
        self.lines = lines;
        Some(())
    }

    /// The lines of its keys, set in by nothing.
    pub(super) fn body(&self) -> String {
        let inside = self.lines.get(1..).unwrap_or_default();
        let first = inside.iter().find(|line| is_content(line));
        let own = first.map_or(0, |line| indent(line));
        let lines = inside.iter().map(|line| {
            let cut = own.min(indent(line));
            line.get(cut..).unwrap_or_default()
        });
        lines.collect()
    }

    fn keys(&self) -> Option<Block> {
        let mut block = items_of(&self.lines, 1..self.lines.len())?;
        if block.items.is_empty() {
            block.indent = self.indent + INDENT;
        }
        Some(block)
    }

    /// Gives a key these lines.
    pub(super) fn set(&mut self, key: &str, new: Vec<String>) -> Option<()> {
        let keys = self.keys()?;
        if let Some(old) = keys.items.iter().find(|item| item.key == key) {
            return self.rewrite(&keys, old, new);
        }
        let rank = |key: &str| FIRST.iter().position(|first| *first == key);
        let at = match rank(key) {
            None => keys.items.last().map_or(1, |last| last.lines.end),
            Some(own) => {
                let before = keys.items.iter();
                let mut before =
                    before.filter(|item| rank(&item.key).is_some_and(|rank| rank < own));
                before.next_back().map_or(1, |item| item.lines.end)
            }
        };
        self.insert(at, &new.concat(), keys.indent);
        Some(())
    }

    fn insert(&mut self, at: usize, text: &str, indent: usize) {
        if let Some(line) = self
            .lines
            .get_mut(at - 1)
            .filter(|line| !line.ends_with('\n'))
        {
            line.push('\n');
        }
        self.lines.splice(at..at, set_in(text, indent));
    }

    /// Replaces the lines of a key, and keeps what was remarked on it.
    fn rewrite(&mut self, keys: &Block, old: &Item, new: Vec<String>) -> Option<()> {
        let lines = self.lines.get(old.lines.clone())?;
        let (_, behind) = split_key(lines.first()?)?;
        let (value, remark) = split_remark(behind);
        let is_text = value.starts_with(['|', '>']);
        let remarks = lines
            .iter()
            .skip(1)
            .filter(|line| !is_text && is_remark(line));
        let mut kept: Vec<String> = remarks
            .map(|line| format!("{:1$}{2}\n", "", keys.indent, line.trim()))
            .collect();
        let mut new = set_in(&new.concat(), keys.indent);
        if let (Some(remark), Some(first)) = (remark, new.first_mut()) {
            let is_block = first.trim_end().ends_with(['|', '>', '-']) && first.contains(": |");
            match is_block {
                true => kept.push(format!("{:1$}{remark}\n", "", keys.indent)),
                false => *first = format!("{} {remark}\n", first.trim_end()),
            }
        }
        kept.extend(new);
        self.lines.splice(old.lines.clone(), kept);
        Some(())
    }

    /// Takes a key out.
    pub(super) fn remove(&mut self, key: &str) -> Option<()> {
        let keys = self.keys()?;
        if let Some(old) = keys.items.iter().find(|item| item.key == key) {
            self.lines.drain(old.lines.clone());
        }
        Some(())
    }

    /// Puts an item at the end of a list.
    pub(super) fn push(&mut self, key: &str, item: &Value) -> Option<()> {
        let keys = self.keys()?;
        let Some(old) = keys.items.iter().find(|one| one.key == key) else {
            return self.set(key, listed(key, std::slice::from_ref(item)));
        };
        let lines = self.lines.get(old.lines.clone())?;
        let first = lines.iter().skip(1).find(|line| is_content(line));
        match first.filter(|line| line.trim_start().starts_with('-')) {
            Some(first) => {
                let mut text = String::new();
                emit::list(&mut text, indent(first), std::slice::from_ref(item));
                self.insert(old.lines.end, &text, 0);
                Some(())
            }
            None => {
                let now = Tree::read(&lines.concat()).ok()?;
                let now = now.get(key)?.json();
                let mut items = match now {
                    Value::Null => Vec::new(),
                    Value::Array(items) => items,
                    one => vec![one],
                };
                items.push(item.clone());
                self.rewrite(&keys, old, listed(key, &items))
            }
        }
    }

    /// Takes the keys over from `body`; what says the same stays as it is written.
    pub(super) fn become_like(&mut self, body: &str) -> Option<()> {
        let wanted: Vec<String> = body.split_inclusive('\n').map(str::to_owned).collect();
        let new = items_of(&wanted, 0..wanted.len())?;
        let (is, meant) = (Tree::read(&self.body()).ok()?, Tree::read(body).ok()?);
        for old in self.keys()?.items {
            if !new.items.iter().any(|item| item.key == old.key) {
                self.remove(&old.key)?;
            }
        }
        let mut before: Option<&str> = None;
        for item in &new.items {
            let lines = wanted.get(item.lines.clone())?;
            let text: String = lines
                .iter()
                .map(|line| line.get(new.indent.min(indent(line))..).unwrap_or_default())
                .collect();
            let text = if text.ends_with('\n') {
                text
            } else {
                text + "\n"
            };
            let keys = self.keys()?;
            match keys.items.iter().find(|old| old.key == item.key) {
                Some(_) if is.get(&item.key) == meant.get(&item.key) => {}
                Some(old) => self.rewrite(&keys, old, vec![text])?,
                None => {
                    let mut known = keys.items.iter();
                    let after = known.find(|old| Some(old.key.as_str()) == before);
                    self.insert(after.map_or(1, |old| old.lines.end), &text, keys.indent);
                }
            }
            before = Some(&item.key);
        }
        Some(())
    }
}

/// The lines of a list that stands item by item.
fn listed(key: &str, items: &[Value]) -> Vec<String> {
    let mut head = keyed(key, &Value::Null).concat();
    head.truncate(head.find(':').map_or(head.len(), |at| at + 1));
    let mut text = String::new();
    emit::list(&mut text, INDENT, items);
    vec![format!("{head}\n"), text]
}

/// Lines, set in; empty ones stay empty.
fn set_in(text: &str, indent: usize) -> Vec<String> {
    let lines = text.lines();
    let set = |line: &str| match line.trim().is_empty() {
        true => "\n".to_owned(),
        false => format!("{:indent$}{line}\n", ""),
    };
    lines.map(set).collect()
}
