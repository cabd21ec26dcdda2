//! Completion of a query line: what may stand at the cursor, from the grammar, the registry and the value index.

use std::ops::Range;

use nucleo::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo::{Config, Matcher, Utf32Str};

use super::Session;
use crate::model::query_line::{Expected, expected_at_end, print_literal, print_name};
use crate::model::{ColumnState, DimensionType, Grain, MetricQuery, Period};

/// Most completions offered at once.
const LIMIT: usize = 50;

/// One thing that may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The text to insert, quoted where the query line needs it.
    pub text: String,
    /// The text to show.
    pub label: String,
    /// A word about it: a label, a count.
    pub detail: String,
    /// The bytes of the line it replaces.
    pub replace: Range<usize>,
}

struct Candidate {
    text: String,
    label: String,
    detail: String,
}

impl Candidate {
    fn new(text: impl Into<String>, label: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            label: label.into(),
            detail: detail.into(),
        }
    }

    fn word(word: &str, detail: &str) -> Self {
        Self::new(word, word, detail)
    }
}

impl Session {
    /// What may stand at byte `cursor` of `line`, best first.
    pub fn complete(&self, line: &str, cursor: usize) -> Vec<Completion> {
        let Some(before) = line.get(..cursor) else {
            return Vec::new();
        };
        let (start, typed) = typed_word(before);
        let Some(prefix) = before.get(..start) else {
            return Vec::new();
        };
        let query = query_so_far(prefix);
        let candidates = match expected_at_end(prefix) {
            Expected::Metric => {
                let mut found = self.metric_candidates(typed);
                if prefix.trim().is_empty() && !typed.is_empty() {
                    found.extend(without_metric(typed));
                }
                found
            }
            Expected::Group => self.group_candidates(&query, typed),
            Expected::Field => {
                let mut fields = self.dimension_candidates(&query);
                fields.extend(
                    query
                        .metrics
                        .iter()
                        .map(|metric| Candidate::new(print_name(metric), metric, "metric")),
                );
                ranked(fields, typed)
            }
            Expected::Operator(_) => ranked(operators(), typed),
            Expected::Value(field) => self.value_candidates(&query, &field, typed),
            Expected::Column => ranked(columns(&query), typed),
            Expected::Period => ranked(self.periods(), typed),
            Expected::Words(words) => ranked(
                words.iter().map(|word| Candidate::word(word, "")).collect(),
                typed,
            ),
            Expected::Number => Vec::new(),
        };
        let finish = |candidate: Candidate| Completion {
            text: candidate.text,
            label: candidate.label,
            detail: candidate.detail,
            replace: start..cursor,
        };
        candidates.into_iter().take(LIMIT).map(finish).collect()
    }

    fn metric_candidates(&self, typed: &str) -> Vec<Candidate> {
        let catalog = self.catalog();
        let label = |name: &str| {
            catalog
                .registry
                .metrics
                .get(name)
                .map(|metric| metric.label.clone())
        };
        let candidate = |hit: super::Hit| {
            let label = label(&hit.metric).unwrap_or_default();
            Candidate::new(print_name(&hit.metric), hit.metric, label)
        };
        self.search(typed)
            .into_iter()
            .take(LIMIT)
            .map(candidate)
            .collect()
    }

    fn group_candidates(&self, query: &MetricQuery, typed: &str) -> Vec<Candidate> {
        let mut candidates = vec![Candidate::word("none", "no grouping")];
        candidates.extend(
            Grain::ALL
                .iter()
                .filter(|grain| **grain >= Grain::Hour)
                .rev()
                .map(|grain| Candidate::word(grain.word(), "time grain")),
        );
        candidates.extend(self.dimension_candidates(query));
        ranked(candidates, typed)
    }

    fn dimension_candidates(&self, query: &MetricQuery) -> Vec<Candidate> {
        let choices = self
            .dimensions(&query.metrics)
            .into_iter()
            .filter(|choice| choice.reachable.is_ok());
        choices
            .map(|choice| Candidate::new(print_name(&choice.name), choice.name, choice.label))
            .collect()
    }

    fn value_candidates(&self, query: &MetricQuery, field: &str, typed: &str) -> Vec<Candidate> {
        let values = self.values(&query.metrics, field, typed, LIMIT);
        if matches!(values.state, ColumnState::Indexed { .. }) {
            let candidate = |(value, count): (String, u64)| {
                Candidate::new(print_literal(&value), value, format!("{count} rows"))
            };
            return values.values.into_iter().map(candidate).collect();
        }
        let choices = self.dimensions(&query.metrics);
        match choices
            .iter()
            .find(|choice| choice.name == field)
            .map(|choice| choice.kind)
        {
            Some(DimensionType::Boolean) => ranked(
                vec![Candidate::word("true", ""), Candidate::word("false", "")],
                typed,
            ),
            Some(kind) if kind.is_time() => ranked(self.periods(), typed),
            _ => Vec::new(),
        }
    }

    /// The periods around today, as query lines write them.
    fn periods(&self) -> Vec<Candidate> {
        let today = self.today();
        let (year, month) = (today.year(), today.month());
        let (last_year, last_month) = if month == 1 {
            (year - 1, 12)
        } else {
            (year, month - 1)
        };
        [
            (Period::Month(year, month), "this month"),
            (Period::Month(last_year, last_month), "last month"),
            (Period::Quarter(year, (month - 1) / 3 + 1), "this quarter"),
            (Period::Year(year), "this year"),
            (Period::Year(year - 1), "last year"),
            (Period::Day(today), "today"),
        ]
        .map(|(period, detail)| Candidate::word(&period.to_string(), detail))
        .into()
    }
}

/// What a line may begin with instead of a metric.
fn without_metric(typed: &str) -> impl Iterator<Item = Candidate> {
    let typed = typed.to_lowercase();
    [
        ("by", "distinct values"),
        ("range of", "smallest and largest value"),
    ]
    .into_iter()
    .filter(move |(word, _)| word.starts_with(&typed))
    .map(|(word, detail)| Candidate::word(word, detail))
}

/// Where the word before the cursor starts, and what of it is typed, without the quote it may open with.
fn typed_word(before: &str) -> (usize, &str) {
    let mut quote: Option<(usize, char)> = None;
    for (at, c) in before.char_indices() {
        match quote {
            Some((_, open)) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some((at, c)),
            _ => {}
        }
    }
    if let Some((start, _)) = quote {
        return (start, before.get(start + 1..).unwrap_or_default());
    }
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    let start = before.rfind(|c| !is_word(c)).map_or(0, |at| {
        at + before
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(1, char::len_utf8)
    });
    (start, before.get(start..).unwrap_or_default())
}

/// The query that the longest readable start of `prefix` stands for.
fn query_so_far(prefix: &str) -> MetricQuery {
    let ends = prefix
        .char_indices()
        .filter(|(_, c)| !c.is_alphanumeric())
        .map(|(at, _)| at);
    let ends: Vec<usize> = ends.chain([prefix.len()]).collect();
    let readable = |end: &usize| prefix.get(..*end).and_then(|text| text.parse().ok());
    ends.iter().rev().find_map(readable).unwrap_or_default()
}

fn operators() -> Vec<Candidate> {
    [
        ("=", "equals"),
        ("!=", "differs from"),
        ("in (", "one of"),
        ("not in (", "none of"),
        ("<", "less than"),
        ("<=", "at most"),
        (">", "more than"),
        (">=", "at least"),
        ("between", "from low to high, both included"),
        ("like", "matches a pattern with % and _"),
        ("is null", "has no value"),
        ("is not null", "has a value"),
    ]
    .map(|(word, detail)| Candidate::word(word, detail))
    .into()
}

/// The output columns of a query, for `order by` and `top`.
fn columns(query: &MetricQuery) -> Vec<Candidate> {
    let mut columns = Vec::new();
    let mut add =
        |name: String, detail: &str| columns.push(Candidate::new(print_name(&name), name, detail));
    for metric in &query.metrics {
        add(metric.clone(), "metric");
        if query.compare.is_some() {
            add(format!("{metric}_prior"), "compared range");
            add(format!("{metric}_change"), "change");
            add(format!("{metric}_change_pct"), "change over compared range");
        }
    }
    let groups = query.group_by.iter().flatten().map(ToString::to_string);
    columns.extend(groups.map(|group| Candidate::word(&group, "grouping")));
    columns
}

/// The candidates that match what is typed, best first; in their own order when nothing is typed.
fn ranked(candidates: Vec<Candidate>, typed: &str) -> Vec<Candidate> {
    if typed.is_empty() {
        return candidates;
    }
    let atom = Atom::new(
        typed,
        CaseMatching::Ignore,
        Normalization::Smart,
        AtomKind::Fuzzy,
        false,
    );
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut score = |text: &str| atom.score(Utf32Str::new(text, &mut buffer), &mut matcher);
    let mut found: Vec<_> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let best =
                score(&candidate.label).max(score(&candidate.detail).map(|score| score / 2))?;
            let starts = candidate
                .label
                .to_lowercase()
                .starts_with(&typed.to_lowercase());
            Some(((starts, best), candidate))
        })
        .collect();
    found.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    found.into_iter().map(|(_, candidate)| candidate).collect()
}
