//! One pass over the log: its queries put together by shape, so that a month of a million queries fits in little room.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use xxhash_rust::xxh3::xxh3_64;

use super::tally::{Tally, Times};
use crate::learn::personal::without_literals;
use crate::learn::{Personal, PersonalColumns, is_personal};
use crate::model::alike::fold;
use crate::model::{MetricQuery, Registry};
use crate::usage::{Facts, FilterFact, Logged, Route, Thumb};

/// Shapes that are told apart; a log with more is mostly noise, and the report says how much of it was not looked at.
const MOST_SHAPES: usize = 50_000;

/// Questions that are told apart.
const MOST_QUESTIONS: usize = 20_000;

/// Different conditions that are kept of a shape.
const MOST_CONDITIONS: usize = 64;

/// Days at the end of the month that are compared with those before.
pub const LATELY: i32 = 7;

/// An example is cut after so many characters.
const EXAMPLE: usize = 240;

/// How often, and how, something was answered in one part of the month.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// How often it was used.
    pub uses: u64,
    /// How many of these failed.
    pub failed: u64,
    /// How long answered ones took.
    pub times: Times,
}

impl Part {
    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        self.uses += other.uses;
        self.failed += other.failed;
        self.times.merge(&other.times);
    }
}

/// Queries that differ in literals only.
#[derive(Debug)]
pub struct Shape {
    /// How their SQL came about.
    pub route: Route,
    /// What they are about, by the first of them.
    pub facts: Facts,
    /// The query line of the first of them; empty for raw SQL.
    pub line: String,
    /// The SQL of the first of them that was answered.
    pub sql: String,
    /// Their uses.
    pub tally: Tally,
    /// Their conditions with values, and how often each was there.
    pub conditions: HashMap<FilterFact, u64>,
    /// The last days, and those before.
    pub parts: [Part; 2],
    /// Whether it is about something personal: then none of its texts has a value in it.
    pub(super) is_private: bool,
}

impl Shape {
    /// Whether somebody, or a model, wrote the SQL: what the definitions make has its metric already.
    pub(super) fn is_by_hand(&self) -> bool {
        is_by_hand(self.route, &self.facts)
    }
}

/// A model mostly says which metrics are asked for; only where it changes a skill, it writes SQL.
fn is_by_hand(route: Route, facts: &Facts) -> bool {
    let mut answered_by = facts.answered_by.iter();
    match route {
        Route::Sql => true,
        Route::Model => answered_by.any(|one| one.starts_with("skill:")),
        Route::Line | Route::Words | Route::Snippet => false,
    }
}

/// A question that was asked in words.
#[derive(Debug)]
pub struct Question {
    /// As it was first asked.
    pub text: String,
    /// The query line that answered it last.
    pub line: String,
    /// The shape that answered it last, as a place in the list.
    pub shape: Option<usize>,
    /// Its uses.
    pub tally: Tally,
}

/// What a month of the log comes to. What is personal by now is left out, also where it was not yet when it was recorded.
#[derive(Debug)]
pub struct Gathered<'a> {
    registry: &'a Registry,
    /// Columns whose values are personal.
    pub(super) personal: PersonalColumns,
    zone: TimeZone,
    lately: Date,
    by_key: HashMap<u64, usize>,
    /// The shapes, in the order of their first use.
    pub shapes: Vec<Shape>,
    /// The questions by their words, folded.
    pub questions: HashMap<String, Question>,
    people: HashMap<String, u32>,
    /// How many queries there were.
    pub queries: u64,
    /// How many of these belong to shapes beyond the most that are told apart.
    pub beyond: u64,
    days: HashMap<i64, Date>,
}

impl<'a> Gathered<'a> {
    /// Nothing yet, of a month that ends with this day.
    pub fn new(registry: &'a Registry, until: Date, zone: TimeZone) -> Self {
        Self {
            registry,
            personal: PersonalColumns::of(registry),
            zone,
            lately: until.saturating_sub(jiff::Span::new().days(LATELY - 1)),
            by_key: HashMap::new(),
            shapes: Vec::new(),
            questions: HashMap::new(),
            people: HashMap::new(),
            queries: 0,
            beyond: 0,
            days: HashMap::new(),
        }
    }

    /// How many people asked.
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// Adds a query.
    pub fn add(&mut self, logged: Logged) {
        if logged.record.outcome.is_refused() {
            return;
        }
        self.queries += 1;
        let record = &logged.record;
        let day = self.day(record.at);
        let person = self.person(&record.user);
        let is_ok = record.outcome.is_ok();
        let is_down = logged
            .feedback
            .as_ref()
            .is_some_and(|one| one.thumb == Thumb::Down);
        let succeeded = is_ok && !is_down && logged.corrected_by.is_none();
        let shape = self.shape_of(&logged);
        let is_private = match shape.and_then(|at| self.shapes.get(at)) {
            Some(shape) => shape.is_private,
            None => !self.personal.is_empty(),
        };
        let question = record.question.as_deref();
        if let Some(question) = question.filter(|text| !text.is_empty() && !is_private) {
            self.asked(question, &logged, shape, (day, person, succeeded));
        }
        let Some(shape) = shape.and_then(|at| self.shapes.get_mut(at)) else {
            self.beyond += 1;
            return;
        };
        shape.tally.add(day, person, succeeded, record.ms);
        if shape.tally.wants_examples() {
            let texts = match is_private {
                true => [shape.line.as_str(), &record.fingerprint, ""],
                false => [question.unwrap_or_default(), &record.line, &record.sql],
            };
            let text = texts.into_iter().find(|text| !text.is_empty());
            let text = one_line(text.unwrap_or_default());
            shape.tally.say(&text);
        }
        if succeeded && shape.sql.is_empty() {
            shape.sql.clone_from(match is_private {
                true => &record.fingerprint,
                false => &record.sql,
            });
        }
        let [late, early] = &mut shape.parts;
        let part = if day >= self.lately { late } else { early };
        part.uses += 1;
        match is_ok {
            true => part.times.add(record.ms),
            false => part.failed += 1,
        }
        for filter in &record.facts.filters {
            let filter = match is_private {
                true => Cow::Owned(self.personal.harmless(self.registry, filter)),
                false => Cow::Borrowed(filter),
            };
            if let Some(count) = shape.conditions.get_mut(&*filter) {
                *count += 1;
            } else if shape.conditions.len() < MOST_CONDITIONS {
                shape.conditions.insert(filter.into_owned(), 1);
            }
        }
    }

    fn shape_of(&mut self, logged: &Logged) -> Option<usize> {
        let record = &logged.record;
        let text = match record.fingerprint.is_empty() {
            true => &record.line,
            false => &record.fingerprint,
        };
        // What the definitions made and what somebody wrote are two, also where they are the same SQL.
        let is_made = !is_by_hand(record.route, &record.facts);
        let key = xxh3_64(text.as_bytes()) ^ u64::from(is_made);
        if let Some(at) = self.by_key.get(&key) {
            return Some(*at);
        }
        if self.shapes.len() >= MOST_SHAPES {
            return None;
        }
        self.by_key.insert(key, self.shapes.len());
        let Facts {
            columns, filters, ..
        } = &record.facts;
        let mut fields = columns.iter().chain(filters.iter().map(|one| &one.on));
        let is_private =
            fields.any(|field| self.personal.has(field) || is_personal(self.registry, field));
        let line = match is_private.then(|| record.line.parse::<MetricQuery>()) {
            Some(Ok(query)) => Personal::of(self.registry, &query).query.to_string(),
            Some(Err(_)) => String::new(),
            None => record.line.clone(),
        };
        let mut facts = record.facts.clone();
        if is_private {
            let texts = facts.aggregations.iter_mut().chain(&mut facts.dimensions);
            texts.for_each(|text| *text = without_literals(text));
        }
        // Those of all its queries are counted beside.
        facts.filters.clear();
        self.shapes.push(Shape {
            route: record.route,
            facts,
            line,
            is_private,
            sql: String::new(),
            tally: Tally::default(),
            conditions: HashMap::new(),
            parts: [Part::default(), Part::default()],
        });
        Some(self.shapes.len() - 1)
    }

    fn asked(
        &mut self,
        question: &str,
        logged: &Logged,
        shape: Option<usize>,
        (day, person, succeeded): (Date, Option<u32>, bool),
    ) {
        let folded = fold(question);
        if !self.questions.contains_key(&folded) && self.questions.len() >= MOST_QUESTIONS {
            return;
        }
        let known = self.questions.entry(folded).or_insert_with(|| Question {
            text: question.to_owned(),
            line: String::new(),
            shape: None,
            tally: Tally::default(),
        });
        known.tally.add(day, person, succeeded, logged.record.ms);
        known.tally.say(question);
        if succeeded {
            known.line.clone_from(&logged.record.line);
            known.shape = shape;
        }
    }

    /// The day of a time where the project is; each quarter of an hour is looked up once.
    fn day(&mut self, at: Timestamp) -> Date {
        // Zones differ from one another by quarters of an hour.
        let quarter = at.as_second().div_euclid(900);
        let zone = &self.zone;
        *self
            .days
            .entry(quarter)
            .or_insert_with(|| at.to_zoned(zone.clone()).date())
    }

    /// Somebody's number; `None` where a log of elsewhere does not say who asked.
    fn person(&mut self, user: &str) -> Option<u32> {
        if user.is_empty() {
            return None;
        }
        if let Some(known) = self.people.get(user) {
            return Some(*known);
        }
        let number = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
        self.people.insert(user.to_owned(), number);
        Some(number)
    }
}

/// A text on one line, cut where it is long.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    match text.char_indices().nth(EXAMPLE) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
