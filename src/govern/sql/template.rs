//! dbt's tags in SQL: each is replaced by a name (or blanks) of the same length, so that every place in the tree is one in the file.
//!
//! Rendering would lose the places, and would need every macro of the project; reading needs neither.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::finding::{At, Finding, Rule};

/// What a name in the SQL stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    /// `ref('name')`
    Model(String),
    /// `source('schema', 'table')`
    Source(String, String),
    /// `this`
    Itself,
    /// Something that only dbt knows.
    Unknown,
}

impl Reference {
    /// As it is written in a model.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Model(name) => format!("{{{{ ref('{name}') }}}}"),
            Self::Source(schema, table) => format!("{{{{ source('{schema}', '{table}') }}}}"),
            Self::Itself => "{{ this }}".to_owned(),
            Self::Unknown => "an expression of dbt".to_owned(),
        }
    }
}

/// The text of a model without its tags.
#[derive(Debug, Default)]
pub(super) struct Template {
    /// SQL with as many characters in each line as the text.
    pub(super) sql: String,
    /// What the names in it stand for.
    pub(super) names: HashMap<String, Reference>,
    /// Every `ref` and `source`, also inside of other tags.
    pub(super) mentions: Vec<(Reference, At)>,
    /// Whether it has tags at all.
    pub(super) is_dbt: bool,
    /// `materialized` of its config.
    pub(super) materialized: Option<String>,
    /// Where its config stands.
    pub(super) config: Option<At>,
    /// Whether its config has a `unique_key`.
    pub(super) has_unique_key: bool,
    /// Whether its config says how rows are added: `incremental_strategy`.
    pub(super) strategy: Option<String>,
    /// Where `is_incremental()` stands.
    pub(super) incremental: Option<At>,
    /// Tags that do not end.
    pub(super) problems: Vec<Finding>,
}

/// A part of the text between tags, and whether it is left out.
struct Block {
    word: &'static str,
    drops: bool,
}

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static REF: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r#"\bref\(\s*['"]([^'"]+)['"]\s*(?:,\s*['"]([^'"]+)['"]\s*)?(?:,[^()]*)?\)"#)
});
static SOURCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r#"\bsource\(\s*['"]([^'"]+)['"]\s*,\s*['"]([^'"]+)['"]\s*\)"#));
static SETTING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r#"\b(materialized|incremental_strategy|unique_key)\s*=\s*(?:['"]([^'"]*)['"])?"#)
});

impl Template {
    pub(super) fn read(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut reader = Reader {
            template: Self::default(),
            out: chars.clone(),
            blocks: Vec::new(),
            variables: HashMap::new(),
        };
        let mut at = 0;
        let (mut line, mut column) = (1, 1);
        while let Some(&c) = chars.get(at) {
            let closing = match (c, chars.get(at + 1)) {
                ('{', Some('{')) => Some("}}"),
                ('{', Some('%')) => Some("%}"),
                ('{', Some('#')) => Some("#}"),
                _ => None,
            };
            let Some(closing) = closing else {
                if reader.is_dropping() {
                    reader.blank(at, at + 1);
                }
                (line, column) = next_place(c, (line, column));
                at += 1;
                continue;
            };
            let Some(end) = end_of_tag(&chars, at + 2, closing) else {
                let finding =
                    Finding::error(Rule::Syntax, (line, column), "{", "this tag does not end");
                let finding = finding.with_hint(format!("close it with {closing}"));
                reader.template.problems.push(finding);
                reader.blank(at, chars.len());
                break;
            };
            reader.template.is_dbt |= closing != "#}";
            let content: String = chars.get(at + 2..end - 2).into_iter().flatten().collect();
            reader.tag(closing, &content, (at, end), (line, column));
            for &c in chars.get(at..end).into_iter().flatten() {
                (line, column) = next_place(c, (line, column));
            }
            at = end;
        }
        reader.template.sql = reader.out.into_iter().collect();
        reader.template
    }

    /// Whether all of its SQL is written by one macro.
    pub(super) fn is_macro(&self) -> bool {
        let mut lines = self.sql.lines().map(str::trim);
        let mut words = lines
            .by_ref()
            .filter(|line| !line.is_empty() && !line.starts_with("--"));
        let only = words.next();
        words.next().is_none()
            && only.is_some_and(|only| self.names.get(only) == Some(&Reference::Unknown))
    }
}

fn next_place(c: char, (line, column): At) -> At {
    match c {
        '\n' => (line + 1, 1),
        _ => (line, column + 1),
    }
}

/// The first character after a tag; its texts may hold what closes it.
fn end_of_tag(chars: &[char], start: usize, closing: &str) -> Option<usize> {
    let mut quote = None;
    let closing: Vec<char> = closing.chars().collect();
    let mut at = start;
    while let Some(&c) = chars.get(at) {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if chars.get(at..at + 2) == Some(closing.as_slice()) => return Some(at + 2),
            None if matches!(c, '\'' | '"') && closing.first() != Some(&'#') => quote = Some(c),
            None => {}
        }
        at += 1;
    }
    None
}

struct Reader {
    template: Template,
    out: Vec<char>,
    blocks: Vec<Block>,
    /// Variables that hold a reference.
    variables: HashMap<String, Reference>,
}

impl Reader {
    fn is_dropping(&self) -> bool {
        self.blocks.iter().any(|block| block.drops)
    }

    fn blank(&mut self, from: usize, to: usize) {
        for c in self.out.get_mut(from..to).into_iter().flatten() {
            if *c != '\n' {
                *c = ' ';
            }
        }
    }

    fn tag(&mut self, closing: &str, content: &str, (from, to): (usize, usize), at: At) {
        let content = content.trim_start_matches(['-', '+']);
        let content = content.trim_end_matches(['-', '+']).trim();
        self.blank(from, to);
        if closing == "#}" {
            return;
        }
        let mentioned = mentions(content);
        let found = mentioned.into_iter().map(|reference| (reference, at));
        self.template.mentions.extend(found);
        if content.contains("is_incremental()") {
            self.template.incremental.get_or_insert(at);
        }
        match closing {
            "%}" => self.statement(content),
            _ if self.is_dropping() => {}
            // A comma between the rounds of a loop, of which one is read.
            _ if content.contains("loop.") => {}
            _ if content.starts_with("config(") => self.config(content, at),
            _ => {
                let reference = self.expression(content);
                self.place(reference, from, to);
            }
        }
    }

    fn config(&mut self, content: &str, at: At) {
        self.template.config = Some(at);
        let settings = SETTING
            .iter()
            .flat_map(|regex| regex.captures_iter(content));
        for setting in settings {
            let value = setting.get(2).map(|value| value.as_str().to_owned());
            match setting.get(1).map(|name| name.as_str()) {
                Some("materialized") => self.template.materialized = value,
                Some("incremental_strategy") => self.template.strategy = value,
                _ => self.template.has_unique_key = true,
            }
        }
    }

    fn expression(&self, content: &str) -> Reference {
        if let Some(known) = self.variables.get(content) {
            return known.clone();
        }
        if content == "this" || content.starts_with("this.") {
            return Reference::Itself;
        }
        match mentions(content).into_iter().next() {
            Some(reference) if content.starts_with("ref(") || content.starts_with("source(") => {
                reference
            }
            _ => Reference::Unknown,
        }
    }

    /// Puts a name in the place of an expression; beside other letters it becomes part of their word.
    fn place(&mut self, reference: Reference, from: usize, to: usize) {
        let name = format!("_j{}", self.template.names.len());
        if name.len() > to - from {
            return;
        }
        let is_word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || *c == '_');
        let joined = is_word(self.out.get(to)) || self.out.get(to) == Some(&'{');
        let rest = if joined { '_' } else { ' ' };
        let written = name.chars().chain(std::iter::repeat(rest));
        // An expression of several lines is a name in the first, and blanks in the others.
        let mut ended = false;
        for (c, new) in self
            .out
            .get_mut(from..to)
            .into_iter()
            .flatten()
            .zip(written)
        {
            ended |= *c == '\n';
            if !ended {
                *c = new;
            }
        }
        self.template.names.insert(name, reference);
    }

    fn statement(&mut self, content: &str) {
        let (word, rest) = content
            .split_once(|c: char| c.is_whitespace() || c == '(')
            .unwrap_or((content, ""));
        let open = |word: &'static str, drops: bool| Block { word, drops };
        match word {
            "if" => {
                // Of a list, the last element has no comma after it: what is kept is read once.
                let of_loop = rest.contains("loop.") && rest.contains("not");
                self.blocks.push(open("if", of_loop));
            }
            "elif" | "else" => {
                if let Some(block) = self.blocks.last_mut().filter(|block| block.word == "if") {
                    block.drops = true;
                }
            }
            "for" => self.blocks.push(open("for", false)),
            "macro" => self.blocks.push(open("macro", true)),
            "call" => self.blocks.push(open("call", true)),
            "docs" => self.blocks.push(open("docs", true)),
            "set" => match rest.split_once('=') {
                Some((name, value)) => {
                    let reference = self.expression(value.trim());
                    self.variables.insert(name.trim().to_owned(), reference);
                }
                None => self.blocks.push(open("set", true)),
            },
            "snapshot" | "test" | "materialization" | "filter" | "raw" => {
                self.blocks.push(open("other", false));
            }
            _ if word.starts_with("end") => drop(self.blocks.pop()),
            _ => {}
        }
    }
}

fn mentions(content: &str) -> Vec<Reference> {
    let refs = REF.iter().flat_map(|regex| regex.captures_iter(content));
    let refs = refs.filter_map(|found| {
        // With two names, the first is the package.
        let name = found.get(2).or(found.get(1))?;
        Some((name.start(), Reference::Model(name.as_str().to_owned())))
    });
    let sources = SOURCE.iter().flat_map(|regex| regex.captures_iter(content));
    let sources = sources.filter_map(|found| {
        let (schema, table) = (found.get(1)?, found.get(2)?);
        let source = Reference::Source(schema.as_str().to_owned(), table.as_str().to_owned());
        Some((schema.start(), source))
    });
    let mut all: Vec<_> = refs.chain(sources).collect();
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, reference)| reference).collect()
}
