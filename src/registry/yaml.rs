//! YAML text to a tree in which every key and value knows its place.
//!
//! The tree is built from parser events rather than through serde, since serde stops at the first problem and an
//! author wants all of them.

use std::collections::HashMap;

use serde_yaml::granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput};

use crate::model::{FileId, Place};

/// Deepest nesting, aliases included.
const MAX_DEPTH: usize = 64;
/// Most nodes that aliases and merge keys may add to a file.
const MAX_COPIED: usize = 100_000;

/// A scalar as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// Its content.
    pub(crate) value: String,
    /// Where it starts.
    pub(crate) place: Place,
    /// Quotes, block, or neither.
    pub(crate) style: ScalarStyle,
    /// First and last byte in the file.
    bytes: (u32, u32),
}

impl Text {
    /// A text that no file has as such; problems in it are reported at `place`.
    pub(crate) fn at(value: String, place: Place) -> Self {
        Self {
            value,
            place,
            style: ScalarStyle::Plain,
            bytes: (0, 0),
        }
    }

    /// A part of a file, from one byte to before another one.
    pub(crate) fn slice(source: &str, (first, last): (usize, usize), file: FileId) -> Self {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let before = source.get(..first).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            value: source.get(first..last).unwrap_or_default().to_owned(),
            place: Place {
                file,
                line: number(before.matches('\n').count() + 1),
                column: number(line.chars().count() + 1),
            },
            style: ScalarStyle::Plain,
            bytes: (number(first), number(last)),
        }
    }

    /// Whether it stands for no value: empty, `~` or `null`.
    pub(crate) fn is_null(&self) -> bool {
        self.style == ScalarStyle::Plain
            && matches!(self.value.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// The place of the character at `offset` of the content. `source` is the whole file, where the content may have
    /// quotes, escapes, folds and indentation: both are walked in step, passing over what only the file has.
    pub(crate) fn inside(&self, source: &str, offset: usize) -> Place {
        let (first, last) = (self.bytes.0 as usize, self.bytes.1 as usize);
        let mut raw = source.get(first..last).unwrap_or_default().chars();
        let mut next = self.place;
        let mut pass = move || {
            let c = raw.next()?;
            let here = next;
            if c == '\n' {
                (next.line, next.column) = (next.line + 1, 1);
            } else {
                next.column += 1;
            }
            Some((c, here, next))
        };
        let mut end = self.place;
        if matches!(
            self.style,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted
        ) && let Some((_, _, after)) = pass()
        {
            end = after;
        }
        for (index, wanted) in self.value.chars().enumerate() {
            let place = loop {
                let Some((c, here, after)) = pass() else {
                    return end;
                };
                end = after;
                let is_escape = c == '\\' && self.style == ScalarStyle::DoubleQuoted;
                if is_escape && let Some((_, _, after)) = pass() {
                    end = after;
                }
                if is_escape || c == wanted || (c.is_whitespace() && wanted.is_whitespace()) {
                    break here;
                }
            };
            if index == offset {
                return place;
            }
        }
        end
    }
}

/// A value of the tree.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// Text, number, boolean or null.
    Scalar(Text),
    /// `- a` or `[a, b]`.
    List(Place, Vec<Node>),
    /// `key: value`, in order, with keys that stand twice.
    Map(Place, Vec<(Text, Node)>),
}

impl Node {
    /// Where it starts.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Scalar(text) => text.place,
            Self::List(place, _) | Self::Map(place, _) => *place,
        }
    }

    /// Whether it is an empty value, `~` or `null`.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(text) if text.is_null())
    }

    /// What it is, in words.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Scalar(_) => "a single value",
            Self::List(..) => "a list",
            Self::Map(..) => "a map of keys and values",
        }
    }

    /// The value as written, or the first words of a list or map.
    pub(crate) fn found(&self) -> &str {
        match self {
            Self::Scalar(text) if text.is_null() => "",
            Self::Scalar(text) => &text.value,
            Self::List(_, items) => items.first().map_or("[]", Self::found),
            Self::Map(_, entries) => entries.first().map_or("{}", |(key, _)| &key.value),
        }
    }

    /// Nodes in it, itself included, and levels below it.
    fn measure(&self) -> (usize, usize) {
        let sum = |(count, depth): (usize, usize), node: &Self| {
            let (nodes, levels) = node.measure();
            (count + nodes, depth.max(levels + 1))
        };
        match self {
            Self::Scalar(_) => (1, 0),
            Self::List(_, items) => items.iter().fold((1, 0), sum),
            Self::Map(_, entries) => entries.iter().map(|(_, value)| value).fold((1, 0), sum),
        }
    }
}

/// Text that is not YAML.
#[derive(Debug)]
pub(crate) struct YamlError {
    /// Where.
    pub(crate) place: Place,
    /// What is wrong.
    pub(crate) message: String,
}

/// The tree of a file; `None` where it holds nothing but comments.
pub(crate) fn parse(file: FileId, text: &str) -> Result<Option<Node>, YamlError> {
    let mut trees = documents(file, text)?.into_iter();
    let first = trees.next();
    match trees.next() {
        None => Ok(first),
        Some(second) => Err(YamlError {
            place: second.place(),
            message: "a file holds one YAML document; a second one starts here".to_owned(),
        }),
    }
}

/// The trees of a file with any number of documents, without the empty ones.
pub(crate) fn documents(file: FileId, text: &str) -> Result<Vec<Node>, YamlError> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder {
        file,
        parser,
        anchors: HashMap::new(),
        copied: 0,
    };
    let mut roots = Vec::new();
    while let Some((event, span)) = builder.next()? {
        match event {
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd => {}
            event => roots.push(builder.node(event, span, 0)?),
        }
    }
    roots.retain(|node| !node.is_null());
    Ok(roots)
}

struct Builder<'a> {
    file: FileId,
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    copied: usize,
}

type Step<'a> = Option<(Event<'a>, Span)>;

impl<'a> Builder<'a> {
    fn next(&mut self) -> Result<Step<'a>, YamlError> {
        self.parser
            .next_event()
            .transpose()
            .map_err(|error: ScanError| {
                let marker = error.marker();
                let place = self.place_at(marker.line(), marker.col());
                YamlError {
                    place,
                    message: error.info(),
                }
            })
    }

    fn place_at(&self, line: usize, column: usize) -> Place {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place {
            file: self.file,
            line: number(line),
            column: number(column + 1),
        }
    }

    fn fail<T>(&self, place: Place, message: impl Into<String>) -> Result<T, YamlError> {
        Err(YamlError {
            place,
            message: message.into(),
        })
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, YamlError> {
        let place = self.place_at(span.start.line(), span.start.col());
        if depth > MAX_DEPTH {
            return self.fail(place, format!("more than {MAX_DEPTH} levels deep"));
        }
        if let Event::Scalar(.., Some(tag))
        | Event::SequenceStart(.., Some(tag))
        | Event::MappingStart(.., Some(tag)) = &event
        {
            return self.fail(
                place,
                format!("tags such as {} are not used here", tag.original()),
            );
        }
        let (node, anchor) = match event {
            Event::Scalar(value, style, anchor, _) => {
                let byte = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                let range = span.byte_range().unwrap_or_default();
                let bytes = (byte(range.start), byte(range.end));
                (
                    Node::Scalar(Text {
                        value: value.into_owned(),
                        place,
                        style,
                        bytes,
                    }),
                    anchor,
                )
            }
            Event::SequenceStart(_, anchor, _) => (self.list(place, depth)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map(place, depth)?, anchor),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return self.fail(place, "an alias inside of what it stands for");
                };
                let (nodes, levels) = node.measure();
                self.count(place, nodes)?;
                if depth + levels > MAX_DEPTH {
                    return self.fail(place, format!("more than {MAX_DEPTH} levels deep"));
                }
                return Ok(node);
            }
            _ => return self.fail(place, "a value is expected here"),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, place: Place, depth: usize) -> Result<Node, YamlError> {
        let mut items = Vec::new();
        while let Some((event, span)) = self.next()? {
            if event == Event::SequenceEnd {
                break;
            }
            items.push(self.node(event, span, depth + 1)?);
        }
        Ok(Node::List(place, items))
    }

    fn map(&mut self, place: Place, depth: usize) -> Result<Node, YamlError> {
        let mut entries: Vec<(Text, Node)> = Vec::new();
        let mut merged = Vec::new();
        while let Some((event, span)) = self.next()? {
            if event == Event::MappingEnd {
                break;
            }
            let key = match self.node(event, span, depth + 1)? {
                Node::Scalar(key) => key,
                other => {
                    return self.fail(
                        other.place(),
                        format!("a key is text, not {}", other.word()),
                    );
                }
            };
            let Some((event, span)) = self.next()? else {
                break;
            };
            let value = self.node(event, span, depth + 1)?;
            match value {
                Node::Map(_, inherited) if key.style == ScalarStyle::Plain && key.value == "<<" => {
                    merged.extend(inherited)
                }
                value => entries.push((key, value)),
            }
        }
        let own = entries.len();
        for (key, value) in merged {
            if entries
                .iter()
                .take(own)
                .all(|(known, _)| known.value != key.value)
            {
                self.count(place, value.measure().0)?;
                entries.push((key, value));
            }
        }
        Ok(Node::Map(place, entries))
    }

    /// Aliases of aliases multiply; a file must not grow without bound.
    fn count(&mut self, place: Place, nodes: usize) -> Result<(), YamlError> {
        self.copied += nodes;
        if self.copied > MAX_COPIED {
            return self.fail(place, "aliases make this file too big");
        }
        Ok(())
    }
}
