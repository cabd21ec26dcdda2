//! Recording what is run, for every face: who asked what and how, what the query is about and how it went. The record is
//! made on the thread that writes it, so that no query waits for it.

mod ended;
mod refused;
mod running;

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::{SignedDuration, Timestamp};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::ask::{AskOutcome, Asked, PathTaken, Stage};
use super::catalog::Version;
use super::{Session, who};
use crate::ask::{Certainty, ChipKind, Reading, Understanding};
use crate::compile::ReasonKind;
use crate::learn::pattern::{Pattern, Tables, pattern};
use crate::learn::{self, Personal, PersonalColumns};
use crate::model::{Filter, MetricQuery};
use crate::usage::{Lost, ModelUse, Route};
use crate::warehouse::Dialect;
use running::Underway;

/// Questions whose queries may still be run.
const MOST_ASKED: usize = 64;
/// Statements that are remembered as read.
const MOST_READ: usize = 512;

/// What all queries of a session have in common.
pub(super) struct Tracking {
    session: String,
    user: OnceLock<String>,
    folder: Option<PathBuf>,
    asked: Mutex<VecDeque<Origin>>,
    /// What was read of the last statements, by a hash of them and of the definitions.
    read: Mutex<HashMap<u64, Option<Arc<Pattern>>>>,
    running: Underway,
}

/// Where a query came from that a question was read as.
#[derive(Debug, Clone)]
struct Origin {
    /// The query line that it was read as.
    line: String,
    question: String,
    route: Route,
    findings: Vec<String>,
    retries: u32,
    model: Option<ModelUse>,
}

impl Tracking {
    pub(super) fn new(user: Option<String>, folder: Option<PathBuf>) -> Self {
        // Two sessions of one process that begin in the same nanosecond are not told apart.
        let began = Timestamp::now().as_nanosecond();
        Self {
            session: format!("{:x}-{began:x}", std::process::id()),
            user: user.map(OnceLock::from).unwrap_or_default(),
            folder,
            asked: Mutex::default(),
            read: Mutex::default(),
            running: Underway::default(),
        }
    }

    /// What a statement is, read once.
    fn pattern(&self, version: &Version, sql: &str, dialect: Dialect) -> Option<Arc<Pattern>> {
        let registry = &version.catalog.registry;
        let key = xxh3_64_with_seed(sql.as_bytes(), version.catalog.generation);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.len() > MOST_READ {
            read.clear();
        }
        let known = read.entry(key).or_insert_with(|| {
            let tables = Tables::of(registry);
            pattern(sql, dialect.parser(), &tables).ok().map(Arc::new)
        });
        known.clone()
    }

    fn user(&self) -> &str {
        self.user.get_or_init(|| who::of(self.folder.as_deref()))
    }

    /// Remembers what a question was read as, until that is run.
    fn keep(&self, origin: Origin) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|other| other.line != origin.line);
        asked.truncate(MOST_ASKED);
        asked.push_front(origin);
    }

    /// Whether a question was read as this line that has not run yet.
    pub(super) fn was_asked(&self, line: &str) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().any(|origin| origin.line == line)
    }

    /// The question that was read as this line, once.
    fn take(&self, line: &str) -> Option<Origin> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let place = asked.iter().position(|origin| origin.line == line)?;
        asked.remove(place)
    }
}

impl Session {
    /// The current time. Where the day is pinned, that day at the clock's time of day.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        let Some(today) = self.pinned_today() else {
            return now;
        };
        let zone = &self.catalog().registry.calendar.timezone;
        let local = now
            .in_tz(zone)
            .unwrap_or_else(|_| now.to_zoned(jiff::tz::TimeZone::UTC));
        let days = today.duration_since(local.date());
        now.saturating_add(SignedDuration::from_secs(days.as_secs()))
            .unwrap_or(now)
    }

    /// What this session's queries are kept under in the log.
    pub fn session_id(&self) -> &str {
        &self.tracking().session
    }

    /// For the end of a program: records what is still under way as cancelled, and waits, not for long, until everything is
    /// written. What could not be.
    pub fn settle(&self) -> Option<Lost> {
        self.cut_short();
        self.usage_in_use()?.settle()
    }

    /// Who asks.
    pub fn user(&self) -> &str {
        self.tracking().user()
    }

    /// Remembers how a question came out: when its query is run, the question is recorded with it.
    pub(super) fn note_asked(&self, asked: &Asked) {
        let AskOutcome::Answer(proposal) = &asked.outcome else {
            return;
        };
        let by_model = proposal.path == PathTaken::Model || is_of_model(&proposal.reading);
        let notes = proposal.compiled.reasons.iter();
        let notes = notes.filter(|reason| reason.kind == ReasonKind::Note);
        self.tracking().keep(Origin {
            line: proposal.compiled.query.to_string(),
            question: asked.question.clone(),
            route: match &proposal.path {
                _ if by_model => Route::Model,
                PathTaken::Snippet => Route::Snippet,
                PathTaken::Template | PathTaken::Model => Route::Words,
            },
            findings: match proposal.path {
                PathTaken::Model => notes.map(|note| note.text.clone()).collect(),
                PathTaken::Template | PathTaken::Snippet => Vec::new(),
            },
            retries: retries(asked),
            model: model_use(asked),
        });
    }

    /// A question as the history may keep it: without what it compares personal dimensions with, and, where there are any,
    /// without words that nobody understood, which may be anything.
    pub(super) fn harmless_question(&self, text: &str) -> Option<String> {
        let version = self.version();
        let registry = &version.catalog.registry;
        if PersonalColumns::of(registry).is_empty() {
            return Some(text.to_owned());
        }
        let (filters, mut text) = match self.understand(text, None) {
            Understanding::Clear(reading) => (reading.query().filters, text.to_owned()),
            Understanding::Unsure(_) => return None,
            Understanding::Refused(refusal) => {
                let chips = refusal
                    .understood
                    .iter()
                    .filter(|chip| chip.kind == ChipKind::Filter);
                let filters: Result<Vec<Filter>, _> = chips.map(|chip| chip.text.parse()).collect();
                let filters = filters.ok()?.into_iter().reduce(Filter::and);
                let mut kept = String::with_capacity(text.len());
                let mut start = 0;
                for piece in text.split_inclusive(char::is_whitespace) {
                    let word = piece.trim_end();
                    let end = start + word.len();
                    let mut doubtful = refusal.words.iter().map(|(_, range)| range);
                    let is_doubtful = doubtful.any(|range| range.start < end && start < range.end);
                    // A number may be a part of what was not understood.
                    let is_open = !is_doubtful && !word.contains(char::is_numeric);
                    kept.push_str(if is_open { word } else { learn::GAP });
                    kept.push_str(piece.get(word.len()..).unwrap_or_default());
                    start += piece.len();
                }
                (filters, kept)
            }
        };
        let query = MetricQuery {
            filters,
            ..MetricQuery::default()
        };
        text = Personal::of(registry, &query).without(&text)?;
        Some(text)
    }

    /// What the log has of a query line: with the defaults of its metrics, and without anything personal.
    pub(super) fn line_in_log(&self, line: &str) -> String {
        let query = line.parse::<MetricQuery>().ok();
        let compiled = query.and_then(|query| self.compile(&query).ok());
        match compiled {
            Some(compiled) => self.harmless_line(&compiled.query.to_string()),
            None => self.harmless_line(line),
        }
    }

    /// A query line as it may be kept.
    pub(super) fn harmless_line(&self, line: &str) -> String {
        let Ok(query) = line.parse::<MetricQuery>() else {
            return line.to_owned();
        };
        let version = self.version();
        let personal = Personal::of(&version.catalog.registry, &query);
        if personal.is_any() {
            personal.query.to_string()
        } else {
            line.to_owned()
        }
    }
}

/// Whether a model had a part in the reading.
fn is_of_model(reading: &Reading) -> bool {
    let mut chips = reading.chips.iter();
    chips.any(|chip| chip.certainty == Certainty::Model)
}

/// How often a model had to be asked again.
fn retries(asked: &Asked) -> u32 {
    let again = |stage| {
        let calls = asked.calls.iter().filter(|call| call.stage == stage);
        calls.count().saturating_sub(1)
    };
    u32::try_from(again(Stage::Extracting) + again(Stage::Writing)).unwrap_or(u32::MAX)
}

/// What models had a part in an answer.
fn model_use(asked: &Asked) -> Option<ModelUse> {
    let calls = &asked.calls;
    Some(ModelUse {
        model: calls.last()?.model.clone(),
        tokens_in: calls.iter().map(|call| call.tokens_in).sum(),
        tokens_out: calls.iter().map(|call| call.tokens_out).sum(),
        cost: calls
            .iter()
            .filter_map(|call| call.cost)
            .reduce(|a, b| a + b),
    })
}
