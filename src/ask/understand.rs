//! The deterministic extractor: question -> understanding.

use jiff::civil::Date;

use super::reader::Reader;
use super::refusing::refuse;
use super::words::{is_usual_year, split, years};
use super::{
    Choices, Lexicon, Reading, RefusalCode, Understanding, about, apart, chips, resolve, scan, why,
};
use crate::compile::Reachability;
use crate::model::{Filter, Intent, MetricQuery, Presented, Registry, ValueLookup};

/// What a question is read against.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The definitions.
    pub registry: &'a Registry,
    /// Which metric reaches which dimension.
    pub reach: &'a Reachability,
    /// The names of the definitions.
    pub lexicon: &'a Lexicon,
    /// Known dimension values.
    pub values: &'a dyn ValueLookup,
    /// What users chose for words before.
    pub choices: &'a dyn Choices,
    /// The current day.
    pub today: Date,
    /// The query before this question, which a follow-up patches.
    pub previous: Option<&'a MetricQuery>,
}

/// Most words of a question. What people ask has a dozen.
const MOST_WORDS: usize = 120;

/// Most characters of a question; also of one that is a single long word.
const LONGEST: usize = 2_000;

/// Characters of a question that is too long, by which its refusal names it.
const SHOWN: usize = 40;

/// Reads a question: the same answer for the same setting, every time.
pub fn understand(question: &str, setting: &Setting<'_>) -> Understanding {
    match read(question, setting) {
        Ok(reading) => Understanding::Clear(Box::new(reading)),
        Err(other) => *other,
    }
}

pub(super) fn read(question: &str, setting: &Setting<'_>) -> Result<Reading, Box<Understanding>> {
    if question.chars().nth(LONGEST).is_some() {
        let start: String = question.chars().take(SHOWN).collect();
        let end = start.len();
        return Err(refuse(
            RefusalCode::NotAnswerable,
            format!("a question has at most {LONGEST} characters; this one was not read"),
            Some("ask one thing at a time".to_owned()),
            vec![(start, 0..end)],
        ));
    }
    if let Some(reading) = query_line(question, setting) {
        return Ok(reading);
    }
    let words = split(question);
    if let Some(first) = words.get(MOST_WORDS) {
        let range = first.range.start..question.len();
        let text = question.get(range.clone()).unwrap_or_default();
        return Err(refuse(
            RefusalCode::UnknownWords,
            format!("a question has at most {MOST_WORDS} words; these were not read any more"),
            Some("ask one thing at a time".to_owned()),
            vec![(text.to_owned(), range)],
        ));
    }
    let items = scan::scan(question, &words, setting);
    if let Some(rest) = why::without(question, &words, &items) {
        return why::understood(question, &rest, setting);
    }
    let mut reader = Reader::new(question, &words, &items, setting);
    if let Some(reading) = about::about(&reader) {
        return Ok(reading);
    }
    reader.read()?;
    if let Some(stop) = reader.left_over() {
        return Err(reader.with_chips(stop));
    }
    match resolve::resolve(&mut reader) {
        Ok(reading) => Ok(reading),
        Err(stop) => Err(reader.with_chips(stop)),
    }
}

/// A query line is what it is, where all its names are names; grouping by `none` and the like are its own words.
fn query_line(question: &str, setting: &Setting<'_>) -> Option<Reading> {
    let query: MetricQuery = question.parse().ok()?;
    let registry = setting.registry;
    let is_dimension = |name: &str| {
        super::meanings::reached(&query.metrics, name, setting).is_some()
            && !super::meanings::is_personal(&query.metrics, name, setting)
    };
    let metrics = !query.metrics.is_empty()
        && query
            .metrics
            .iter()
            .all(|name| registry.metric(name).is_some());
    let mut groups = query.group_by.iter().flatten();
    let groups = groups.all(|group| group.dimension().is_none_or(is_dimension));
    let fields =
        query
            .filters
            .iter()
            .flat_map(Filter::fields)
            .all(|field| match Filter::per(field) {
                Some((metric, dimension)) => {
                    registry.metric(metric).is_some() && is_dimension(dimension)
                }
                None => registry.metric(field).is_some() || is_dimension(field),
            });
    if !(metrics && groups && fields) {
        return None;
    }
    // "gmv 5000 by market": a number, more likely than a year.
    if let Some(time) = query.time
        && years(&time.to_string()).any(|year| !is_usual_year(year, setting.today))
    {
        return None;
    }
    // "gmv vs last year" is plain words: the line needs a time range to compare.
    if query.compare.is_some() && query.time.is_none() {
        return None;
    }
    // The total of "gmv running total by month" is no row.
    let is_sum = query.total
        && query
            .show
            .iter()
            .any(|shown| shown.what == Presented::Running);
    if is_sum && question.to_lowercase().contains("running total") {
        return None;
    }
    let mut query = query;
    for name in &mut query.metrics {
        if let Some(metric) = registry.metric(name) {
            name.clone_from(&metric.name);
        }
    }
    let mut notes = Vec::new();
    apart::show_apart(&mut query, setting, &mut notes);
    let mut chips = chips::chips(question, &query, &chips::Part::default(), setting);
    for chip in &mut chips {
        if chip.certainty == super::Certainty::Kept {
            chip.certainty = super::Certainty::Exact;
            chip.range = 0..question.len();
        }
    }
    Some(Reading {
        intent: Intent::from(&query),
        chips,
        notes,
        is_follow_up: false,
    })
}
