//! A value of JSON, or an outline, as a tree whose branches fold.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use serde_json::Value;

use super::scroll::{first_shown, moved};
use super::text::{Align, put, sanitize};
use crate::tui::Theme;

/// Longer texts are shown as they are: reading them would hold the screen up.
const LONGEST: usize = 256 * 1024;
/// Trees of more lines than this start folded below their first branches.
const OPEN: usize = 60;

/// The tree with what is folded and where the reader is.
#[derive(Debug, Clone)]
pub struct JsonTree {
    lines: Vec<Node>,
    folded: BTreeSet<usize>,
    selected: usize,
    top: usize,
    height: u16,
    /// Lines of text, and no value of JSON.
    is_outline: bool,
}

#[derive(Debug, Clone)]
struct Node {
    depth: usize,
    key: Option<String>,
    value: Value,
    /// Its own line and those of all that it holds.
    lines: usize,
}

impl Node {
    fn is_branch(&self) -> bool {
        self.lines > 1
    }
}

impl JsonTree {
    /// Reads a text that is an object or a list.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST || !text.trim_start().starts_with(['{', '[']) {
            return None;
        }
        let value: Value = serde_json::from_str(text).ok()?;
        let mut lines = Vec::new();
        grow(&mut lines, 0, None, value);
        let mut tree = Self {
            folded: BTreeSet::new(),
            lines,
            selected: 0,
            top: 0,
            height: 0,
            is_outline: false,
        };
        if tree.lines.len() > OPEN {
            let branches = tree.lines.iter().enumerate();
            tree.folded = branches
                .filter(|(_, node)| node.depth > 0 && node.is_branch())
                .map(|(at, _)| at)
                .collect();
        }
        Some(tree)
    }

    /// A tree of lines, each with its depth, in the order in which they are read.
    pub fn outline(lines: &[(usize, String)]) -> Self {
        let held = |at: usize, depth: usize| {
            let below = lines.iter().skip(at + 1);
            below.take_while(|(other, _)| *other > depth).count()
        };
        let nodes = lines.iter().enumerate().map(|(at, (depth, text))| Node {
            depth: *depth,
            key: Some(text.clone()),
            value: Value::Null,
            lines: held(at, *depth) + 1,
        });
        let nodes: Vec<Node> = nodes.collect();
        // What is near stays open in a long one.
        let is_far = |node: &Node| node.depth > 2 && node.is_branch() && nodes.len() > OPEN;
        let far = nodes.iter().enumerate().filter(|(_, node)| is_far(node));
        Self {
            folded: far.map(|(at, _)| at).collect(),
            lines: nodes,
            selected: 0,
            top: 0,
            height: 0,
            is_outline: true,
        }
    }

    /// The line that is selected.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// The lines that no fold hides.
    fn shown(&self) -> Vec<usize> {
        let mut shown = Vec::new();
        let mut at = 0;
        while let Some(node) = self.lines.get(at) {
            shown.push(at);
            at += if self.folded.contains(&at) {
                node.lines
            } else {
                1
            };
        }
        shown
    }

    /// Says how many lines there is room for.
    pub fn set_height(&mut self, height: u16) {
        self.height = height;
        self.settle();
    }

    fn settle(&mut self) {
        let shown = self.shown();
        let place = shown.partition_point(|&line| line < self.selected);
        self.top = first_shown(self.top, place, usize::from(self.height), shown.len());
    }

    /// Moves by lines.
    pub fn move_by(&mut self, by: isize) {
        let shown = self.shown();
        let place = shown.partition_point(|&line| line < self.selected);
        let place = moved(place, by, shown.len());
        self.selected = shown.get(place).copied().unwrap_or(0);
        self.settle();
    }

    /// Folds the branch, or unfolds it.
    pub fn toggle(&mut self) {
        if !self.folded.remove(&self.selected) && self.is_branch(self.selected) {
            self.folded.insert(self.selected);
        }
        self.settle();
    }

    /// Folds the branch; from what is no open branch, goes to the one that holds it.
    pub fn fold(&mut self) {
        if self.is_branch(self.selected) && self.folded.insert(self.selected) {
            self.settle();
            return;
        }
        let depth = self.lines.get(self.selected).map_or(0, |node| node.depth);
        let before = self.lines.get(..self.selected).unwrap_or_default();
        if let Some(parent) = before.iter().rposition(|node| node.depth < depth) {
            self.selected = parent;
        }
        self.settle();
    }

    /// Unfolds the branch; goes into one that is open.
    pub fn unfold(&mut self) {
        if !self.folded.remove(&self.selected) && self.is_branch(self.selected) {
            self.selected += 1;
        }
        self.settle();
    }

    /// Folds all branches but the outermost, or unfolds them all.
    pub fn fold_all(&mut self, fold: bool) {
        self.folded.clear();
        if fold {
            let lines = self.lines.iter().enumerate();
            self.folded = lines
                .filter(|(_, node)| node.depth > 0 && node.is_branch())
                .map(|(at, _)| at)
                .collect();
            self.selected = 0;
        }
        self.settle();
    }

    fn is_branch(&self, line: usize) -> bool {
        self.lines.get(line).is_some_and(Node::is_branch)
    }

    /// The selected value as text: a string as it is, everything else as JSON, lines of an outline with those below them.
    pub fn value(&self) -> String {
        if let (true, Some(here)) = (self.is_outline, self.lines.get(self.selected)) {
            let lines = self.lines.iter().skip(self.selected).take(here.lines);
            let line = |node: &Node| {
                let indent = "  ".repeat(node.depth - here.depth);
                format!("{indent}{}", node.key.as_deref().unwrap_or_default())
            };
            return lines.map(line).collect::<Vec<_>>().join("\n");
        }
        match self.lines.get(self.selected).map(|node| &node.value) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => format!("{value:#}"),
            None => String::new(),
        }
    }

    /// Where the reader is: `.items[2].price`; of a line of an outline, what is said there, which may be cut in the tree.
    pub fn path(&self) -> String {
        if self.is_outline {
            let line = self.lines.get(self.selected);
            let line = line.and_then(|node| node.key.as_deref());
            let about = line.and_then(|line| Some(line.split_once("  ")?.1));
            return sanitize(about.unwrap_or_default()).to_string();
        }
        let mut path: Vec<&str> = Vec::new();
        let mut depth = usize::MAX;
        let lines = self.lines.get(..=self.selected).unwrap_or_default();
        for node in lines.iter().rev() {
            if node.depth < depth {
                depth = node.depth;
                path.extend(node.key.as_deref());
            }
        }
        let mut text = String::new();
        for key in path.into_iter().rev() {
            if !key.starts_with('[') {
                text.push('.');
            }
            text.push_str(&sanitize(key));
        }
        text
    }

    /// Draws the lines.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let shown = self.shown();
        let rows = shown.into_iter().skip(self.top);
        for (line, y) in rows.zip(area.y..area.bottom()) {
            let Some(node) = self.lines.get(line) else {
                continue;
            };
            let is_folded = self.folded.contains(&line);
            let sign = match (node.is_branch(), is_folded) {
                (true, true) => "▸ ",
                (true, false) => "▾ ",
                (false, _) => "  ",
            };
            let key = node.key.as_deref().unwrap_or_default();
            // Of a line of an outline, its name stands out, and of all lines the first, which was asked for.
            let start_style = match (self.is_outline, line, key.contains("  ")) {
                (false, ..) => theme.accent,
                (true, 0, _) => theme.text.add_modifier(Modifier::BOLD),
                (true, _, true) => theme.text,
                (true, _, false) => theme.dim,
            };
            let (key, about) = match key.split_once("  ") {
                Some((name, about)) if self.is_outline => (name, about),
                _ => (key, ""),
            };
            let key = match key {
                "" => String::new(),
                key => format!("{} ", sanitize(key)),
            };
            let start = format!("{}{sign}{key}", "  ".repeat(node.depth.min(32)));
            let width = u16::try_from(super::text::width(&start)).unwrap_or(u16::MAX);
            let width = width.min(area.width);
            let left = Rect {
                y,
                width,
                height: 1,
                ..area
            };
            let right = Rect {
                x: area.x + width,
                width: area.width - width,
                ..left
            };
            let (text, style) = match &node.value {
                Value::Object(map) => (format!("{{{}}}", map.len()), theme.dim),
                Value::Array(list) => (format!("[{}]", list.len()), theme.dim),
                Value::String(text) => (format!("\"{}\"", sanitize(text)), theme.string),
                Value::Null if self.is_outline => (format!(" {}", sanitize(about)), theme.dim),
                Value::Null => ("null".to_owned(), theme.null),
                other => (other.to_string(), theme.number),
            };
            let is_here = line == self.selected;
            let of = |style: ratatui::style::Style| {
                if is_here {
                    style.patch(theme.selection)
                } else {
                    style
                }
            };
            put(buf, left, &start, of(start_style), Align::Left);
            put(buf, right, &text, of(style), Align::Left);
        }
    }
}

fn grow(lines: &mut Vec<Node>, depth: usize, key: Option<String>, value: Value) {
    let at = lines.len();
    let children: Vec<(String, Value)> = match &value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(index, value)| (format!("[{index}]"), value.clone()))
            .collect(),
        _ => Vec::new(),
    };
    lines.push(Node {
        depth,
        key,
        value,
        lines: 1,
    });
    for (key, value) in children {
        grow(lines, depth + 1, Some(key), value);
    }
    let count = lines.len() - at;
    if let Some(node) = lines.get_mut(at) {
        node.lines = count;
    }
}
