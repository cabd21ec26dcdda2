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
    /// The tags that stand behind the names, as written.
    written: HashMap<String, String>,
    /// Every `ref` and `source`, also inside of other tags.
    pub(super) mentions: Vec<Mention>,
    /// Calls of macros in the place of SQL, which only dbt can see.
    pub(super) calls: Vec<(String, At)>,
    /// Whether an `if` has another branch than those that were read.
    pub(super) has_branches: bool,
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

/// A `ref` or `source` in the text.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    pub(super) reference: Reference,
    pub(super) at: At,
    /// Whether no name in the SQL stands for it: it is the argument of a macro, or in a part that was left out.
    pub(super) is_hidden: bool,
}

/// Which branch of an `if` with an `else` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Branch {
    First,
    Last,
}

/// A part of the text between tags: where it starts, and whether it is left out.
struct Block {
    word: &'static str,
    start: usize,
    drops: bool,
}

/// What the text between the tags is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Sql,
    Quotes(char),
    Line,
    Comment,
}

impl Within {
    fn after(self, c: char, next: Option<&char>, before: Option<&char>) -> Self {
        match (self, c) {
            (Self::Sql, '\'' | '"' | '`') => Self::Quotes(c),
            (Self::Sql, '-') if next == Some(&'-') => Self::Line,
            (Self::Sql, '/') if next == Some(&'*') => Self::Comment,
            (Self::Quotes(open), c) if c == open => Self::Sql,
            (Self::Line, '\n') => Self::Sql,
            (Self::Comment, '/') if before == Some(&'*') => Self::Sql,
            (same, _) => same,
        }
    }

    fn is_comment(self) -> bool {
        matches!(self, Self::Line | Self::Comment)
    }
}

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static REF: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r#"\bref\(\s*['"]([^'"]+)['"]\s*(?:,\s*['"]([^'"]+)['"]\s*)?(?:,[^()]*)?\)"#)
});
static SOURCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r#"\bsource\(\s*['"]([^'"]+)['"]\s*,\s*['"]([^'"]+)['"]\s*\)"#));
/// A macro that writes SQL; `var` and its like give a value.
static CALL: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"^(?:[\w]+\.)*[\w]+\s*\("));
/// Calls that give a value or days of the calendar, or write nothing.
const VALUES: [&str; 12] = [
    "var(",
    "env_var(",
    "metrex_today(",
    "dbt.current_timestamp(",
    "dbt.date_spine(",
    "dbt_utils.date_spine(",
    "return(",
    "log(",
    "print(",
    "config(",
    "config.",
    "exceptions.",
];
/// A query that reads nothing.
const QUERY: &str = "SELECT 0 ";
static SETTING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r#"\b(materialized|incremental_strategy|unique_key)\s*=\s*(?:['"]([^'"]*)['"])?"#)
});

impl Template {
    pub(super) fn read(text: &str, branch: Branch) -> Self {
        let chars: Vec<char> = text.chars().collect();
        // Names that the text has none of.
        let letters = "jqxzkvwy".chars().map(|c| format!("_{c}"));
        let prefix = letters.into_iter().find(|name| !text.contains(name));
        let mut reader = Reader {
            template: Self::default(),
            out: chars.clone(),
            blocks: Vec::new(),
            variables: HashMap::new(),
            prefix: prefix.unwrap_or_else(|| "_jj".to_owned()),
            within: Within::Sql,
            branch,
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
                } else {
                    let before = at.checked_sub(1).and_then(|at| chars.get(at));
                    reader.within = reader.within.after(c, chars.get(at + 1), before);
                }
                (line, column) = next_place(c, (line, column));
                at += 1;
                continue;
            };
            if let Some(end) = end_of_raw(&chars, at) {
                // Its tags are no tags.
                reader.blank(at, end);
                for &c in chars.get(at..end).into_iter().flatten() {
                    (line, column) = next_place(c, (line, column));
                }
                at = end;
                continue;
            }
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

    /// A text of the SQL as the model writes it.
    pub(super) fn as_written(&self, text: &str) -> String {
        let mut names: Vec<&String> = self.written.keys().collect();
        // Of two names that begin alike, the longer one first.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let mut text = text.to_owned();
        for name in names {
            let Some(tag) = self.written.get(name) else {
                continue;
            };
            let filler = "_".repeat(tag.chars().count().saturating_sub(name.len()));
            text = text.replace(&format!("{name}{filler}"), tag);
            text = text.replace(name.as_str(), tag);
        }
        text
    }

    /// Whether a name, or a part of one, is a tag.
    pub(super) fn has_tag(&self, text: &str) -> bool {
        self.names.keys().any(|name| text.contains(name.as_str()))
    }

    /// Whether there is something in it that only dbt can see.
    pub(super) fn is_unclear(&self) -> bool {
        self.has_branches || self.names.values().any(|one| *one == Reference::Unknown)
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

/// Where a part ends that starts here and is `raw`, with its tags.
fn end_of_raw(chars: &[char], at: usize) -> Option<usize> {
    let is_statement = |at: usize, wanted: &str| {
        let end = end_of_tag(chars, at + 2, "%}")?;
        let content: String = chars.get(at + 2..end - 2)?.iter().collect();
        (content.trim_matches(['-', '+', ' ']) == wanted).then_some(end)
    };
    if chars.get(at + 1) != Some(&'%') {
        return None;
    }
    let mut next = is_statement(at, "raw")?;
    while next + 1 < chars.len() {
        let is_tag = chars.get(next..next + 2) == Some(&['{', '%']);
        if let Some(end) = is_tag.then(|| is_statement(next, "endraw")).flatten() {
            return Some(end);
        }
        next += 1;
    }
    None
}

struct Reader {
    template: Template,
    out: Vec<char>,
    blocks: Vec<Block>,
    /// What the names that stand for tags begin with.
    prefix: String,
    within: Within,
    branch: Branch,
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

    fn tag(&mut self, closing: &str, whole: &str, (from, to): (usize, usize), at: At) {
        let content = whole.trim_start_matches(['-', '+']);
        let content = content.trim_end_matches(['-', '+']).trim();
        self.blank(from, to);
        if closing == "#}" {
            return;
        }
        if !self.within.is_comment() {
            let is_value = closing == "%}" && content.starts_with("set ");
            let value = content.split_once('=').map(|(_, value)| value.trim());
            let direct = if is_value { value } else { Some(content) };
            let is_direct = direct.is_some_and(is_reference);
            let is_hidden = self.is_dropping() || !is_direct || closing == "%}" && !is_value;
            let found = mentions(whole).into_iter().map(|(before, reference)| {
                let before = whole.get(..before).unwrap_or_default();
                let start = (at.0, at.1 + 2);
                Mention {
                    reference,
                    // A reference that is all of a tag is where the tag is.
                    at: match is_hidden {
                        true => before.chars().fold(start, |at, c| next_place(c, at)),
                        false => at,
                    },
                    is_hidden,
                }
            });
            self.template.mentions.extend(found);
        }
        if content.contains("is_incremental()") {
            self.template.incremental.get_or_insert(at);
        }
        match closing {
            "%}" => self.statement(content, (from, to)),
            _ if self.is_dropping() => {}
            // A comma between the rounds of a loop, of which one is read.
            _ if content.contains("loop.") => {}
            _ if content.starts_with("config(") => self.config(content, at),
            _ => {
                let reference = self.expression(content);
                let is_value = VALUES.iter().any(|start| content.starts_with(start));
                let is_call = CALL.iter().any(|call| call.is_match(content));
                let is_macro =
                    reference == Reference::Unknown && is_call && self.within == Within::Sql;
                if is_macro && !is_value {
                    let written = format!("{{{{{whole}}}}}");
                    self.template.calls.push((written, at));
                }
                // Where a macro writes a query, any query will do: what it reads cannot be seen.
                let line = whole.lines().next().unwrap_or_default();
                let is_query = is_macro && line.len() > QUERY.len() && self.is_query(from, to);
                let before = if is_query { QUERY } else { "" };
                self.place(reference, before, whole, (from, to));
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
            Some((_, reference)) if is_reference(content) => reference,
            _ => Reference::Unknown,
        }
    }

    /// Whether all of a CTE or of a subquery of a `FROM` stands here.
    fn is_query(&self, from: usize, to: usize) -> bool {
        let part = |chars: Option<&[char]>| chars.into_iter().flatten().collect::<String>();
        let before = part(self.out.get(..from));
        let after = part(self.out.get(to..));
        let Some(before) = before.trim_end().strip_suffix('(') else {
            return false;
        };
        let word = before.split_whitespace().next_back().unwrap_or_default();
        let words = ["as", "from", "join", "materialized"];
        words.iter().any(|one| word.eq_ignore_ascii_case(one))
            && after.trim_start().starts_with(')')
    }

    /// Puts a name in the place of an expression, after a word; beside other letters it becomes part of theirs.
    fn place(
        &mut self,
        reference: Reference,
        before: &str,
        whole: &str,
        (from, to): (usize, usize),
    ) {
        let name = format!("{}{}", self.prefix, self.template.names.len());
        if before.len() + name.len() > to - from {
            return;
        }
        let is_word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || *c == '_');
        let joined = is_word(self.out.get(to)) || self.out.get(to) == Some(&'{');
        let rest = if joined { '_' } else { ' ' };
        let written = before.chars().chain(name.chars());
        let written = written.chain(std::iter::repeat(rest));
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
        let tag = format!("{{{{{whole}}}}}");
        self.template.written.insert(name.clone(), tag);
        self.template.names.insert(name, reference);
    }

    fn statement(&mut self, content: &str, (from, to): (usize, usize)) {
        let (word, rest) = content
            .split_once(|c: char| c.is_whitespace() || c == '(')
            .unwrap_or((content, ""));
        let open = |word: &'static str, drops: bool| Block {
            word,
            start: to,
            drops,
        };
        match word {
            "if" => {
                // Of a list, the last element has no comma after it: what is kept is read once.
                let of_loop = rest.contains("loop.") && rest.contains("not");
                self.blocks.push(open("if", of_loop));
            }
            "elif" | "else" => {
                let block = self.blocks.last_mut().filter(|block| block.word == "if");
                let Some(block) = block else { return };
                self.template.has_branches = true;
                let is_last = self.branch == Branch::Last && word == "else";
                block.drops = !is_last;
                if is_last {
                    let start = block.start;
                    self.blank(start, from);
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
            "snapshot" | "test" | "materialization" | "filter" => {
                self.blocks.push(open("other", false));
            }
            _ if word.starts_with("end") => drop(self.blocks.pop()),
            _ => {}
        }
    }
}

/// Whether an expression is one reference and nothing else.
fn is_reference(content: &str) -> bool {
    content.starts_with("ref(") || content.starts_with("source(")
}

/// The references of an expression, each with the place where it begins.
fn mentions(content: &str) -> Vec<(usize, Reference)> {
    let refs = REF.iter().flat_map(|regex| regex.captures_iter(content));
    let refs = refs.filter_map(|found| {
        // With two names, the first is the package.
        let name = found.get(2).or(found.get(1))?;
        let start = found.get(0)?.start();
        Some((start, Reference::Model(name.as_str().to_owned())))
    });
    let sources = SOURCE.iter().flat_map(|regex| regex.captures_iter(content));
    let sources = sources.filter_map(|found| {
        let (schema, table) = (found.get(1)?, found.get(2)?);
        let source = Reference::Source(schema.as_str().to_owned(), table.as_str().to_owned());
        Some((found.get(0)?.start(), source))
    });
    let mut all: Vec<_> = refs.chain(sources).collect();
    all.sort_by_key(|(at, _)| *at);
    all
}
