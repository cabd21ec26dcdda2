//! Recording what is run, for every face: who asked what and how, what the query is about and how it went. The record is
//! made on the thread that writes it, so that no query waits for it.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::ask::{AskOutcome, Asked, PathTaken, Stage};
use super::cache::Key;
use super::catalog::Version;
use super::{Failure, Session, SessionError, who};
use crate::ask::{Certainty, ChipKind, Reading, Understanding};
use crate::compile::{Compiled, ReasonKind};
use crate::learn::pattern::{Pattern, Tables, pattern};
use crate::learn::{self, Personal, PersonalColumns, about};
use crate::model::{Filter, MetricQuery, Registry};
use crate::usage::{Facts, FilterFact, ModelUse, Outcome, QueryRecord, Route};
use crate::warehouse::{Dialect, Finished};

/// Questions whose queries may still be run.
const MOST_ASKED: usize = 64;
/// Statements that are remembered as read.
const MOST_READ: usize = 512;

/// What all queries of a session have in common.
#[derive(Debug)]
pub(super) struct Tracking {
    session: String,
    user: OnceLock<String>,
    folder: Option<PathBuf>,
    asked: Mutex<VecDeque<Origin>>,
    /// What was read of the last statements, by a hash of them and of the definitions.
    read: Mutex<HashMap<u64, Option<Arc<Pattern>>>>,
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

/// A query that has ended.
struct Ended {
    compiled: Arc<Compiled>,
    version: Arc<Version>,
    origin: Option<Origin>,
    dialect: Dialect,
    record: QueryRecord,
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

    /// Waits until everything that was recorded is written. A process that ends with the session in use elsewhere would
    /// lose it.
    pub fn settle(&self) {
        if let Some(usage) = self.usage_in_use() {
            usage.flush();
        }
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
        let count = |stage| {
            asked
                .calls
                .iter()
                .filter(|call| call.stage == stage)
                .count()
        };
        let is_again = |calls: usize| u32::try_from(calls.saturating_sub(1)).unwrap_or(u32::MAX);
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
            retries: is_again(count(Stage::Extracting)) + is_again(count(Stage::Writing)),
            model: asked.calls.last().map(|last| ModelUse {
                model: last.model.clone(),
                tokens_in: asked.calls.iter().map(|call| call.tokens_in).sum(),
                tokens_out: asked.calls.iter().map(|call| call.tokens_out).sum(),
                cost: asked
                    .calls
                    .iter()
                    .filter_map(|call| call.cost)
                    .reduce(|a, b| a + b),
            }),
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

    /// Records a query that has ended.
    pub(super) async fn record(
        &self,
        compiled: &Arc<Compiled>,
        key: &Key,
        began: Timestamp,
        elapsed: Duration,
        result: &Result<(Finished, Option<Duration>), SessionError>,
    ) {
        if !self.project().config.usage.track {
            return;
        }
        let (outcome, error_kind) = match result {
            Ok(_) => (Outcome::Ok, None),
            Err(error) if error.failure == Failure::Interrupted => (Outcome::Cancelled, None),
            Err(error) => (
                Outcome::Failed(error.message.clone()),
                Some(error.code().to_owned()),
            ),
        };
        // What was answered from memory, or given up, says nothing of how it was read.
        let has_run = match result {
            Ok((_, cached)) => cached.is_none(),
            Err(error) => error.failure != Failure::Interrupted,
        };
        let ended = Ended {
            compiled: compiled.clone(),
            version: self.version(),
            origin: self.tracking().take(&key.line),
            dialect: match compiled.embedded {
                true => Dialect::Sqlite,
                false => self.dialect_of(&key.connection),
            },
            record: QueryRecord {
                at: began,
                session: self.session_id().to_owned(),
                face: self.face(),
                connection: key.connection.clone(),
                ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
                rows: result.as_ref().map_or(0, |(finished, _)| finished.rows),
                outcome,
                error_kind,
                ..QueryRecord::default()
            },
        };
        // The session itself must not end on the thread that writes.
        let tracking = self.tracking().clone();
        let session = self.clone();
        let write = move || {
            if let Ok(usage) = session.usage_store() {
                let (compiled, connection) = (&ended.compiled, &ended.record.connection);
                let decision = || session.decision(compiled, connection, ended.origin.is_some());
                let choice = has_run.then(decision).flatten();
                usage.record_made(move || {
                    let mut record = ended.record(&tracking);
                    tracking.user().clone_into(&mut record.user);
                    record.choice = choice;
                    record
                });
                session.forget_used();
            }
        };
        // The first query opens the history. Where it cannot be recorded, the answer is as good.
        let _ = tokio::task::spawn_blocking(write).await;
    }
}

impl Ended {
    /// The record, without anything personal.
    fn record(self, tracking: &Tracking) -> QueryRecord {
        let registry = &self.version.catalog.registry;
        let compiled = &self.compiled;
        let personal = Personal::of(registry, &compiled.query);
        let mut read = tracking
            .pattern(&self.version, &compiled.main.sql, self.dialect)
            .map(|read| read.as_ref().clone());
        let columns = PersonalColumns::of(registry);
        let reads_personal = read.as_mut().is_some_and(|read| columns.take_from(read));
        // Where the statement could not be read, nobody knows what it reads.
        let is_open =
            !personal.is_any() && !reads_personal && (read.is_some() || columns.is_empty());
        let read = read.unwrap_or_default();
        let facts = self.facts(&personal, &read);
        let origin = self.origin;
        let (question, route, findings, retries, model) = match origin {
            None => (None, Route::Line, Vec::new(), 0, None),
            Some(origin) => (
                personal.without(&origin.question),
                origin.route,
                if is_open { origin.findings } else { Vec::new() },
                origin.retries,
                origin.model,
            ),
        };
        QueryRecord {
            question,
            route,
            line: personal.query.to_string(),
            intent: serde_json::to_string(&personal.query).unwrap_or_default(),
            sql: if is_open {
                compiled.main.sql.clone()
            } else {
                read.fingerprint.clone()
            },
            fingerprint: read.fingerprint,
            facts,
            plan: plan(registry, compiled),
            outcome: match self.record.outcome {
                // What an engine says may quote what it read.
                Outcome::Failed(_) if !is_open => {
                    Outcome::Failed(self.record.error_kind.clone().unwrap_or_default())
                }
                outcome => outcome,
            },
            findings,
            retries,
            model,
            ..self.record
        }
    }

    fn facts(&self, personal: &Personal, read: &Pattern) -> Facts {
        let registry = &self.version.catalog.registry;
        let compiled = &self.compiled;
        let mut facts = about(registry, &personal.query);
        let rollups = compiled.rollups();
        facts
            .answered_by
            .extend(rollups.iter().map(|name| format!("rollup:{name}")));
        facts
            .answered_by
            .extend(saved_as(registry, &compiled.query).map(|name| format!("view:{name}")));
        facts.tables.clone_from(&read.tables);
        facts.columns.clone_from(&read.columns);
        facts.joins.clone_from(&read.joins);
        facts.aggregations.clone_from(&read.aggregations);
        let is_written = compiled.plan.is_none();
        facts
            .filters
            .extend(read.filters.iter().map(|filter| FilterFact {
                // What definitions compare columns with says nothing of this query.
                values: if is_written {
                    filter.values.clone()
                } else {
                    Vec::new()
                },
                ..filter.clone()
            }));
        learn::sort(&mut facts);
        facts
    }
}

/// The saved query that a query is.
fn saved_as<'r>(registry: &'r Registry, query: &MetricQuery) -> Option<&'r str> {
    let views = registry.views.values();
    let mut same = views.filter(|view| {
        let saved = &view.query;
        let names = saved
            .metrics
            .iter()
            .map(|name| registry.metric(name).map(|metric| &metric.name));
        names.eq(query.metrics.iter().map(Some))
            && (saved.group_by.is_none() || saved.group_by == query.group_by)
            && (saved.time.is_none() || saved.time == query.time)
            && saved.filters == query.filters
            && saved.compare == query.compare
            && saved.order == query.order
            && saved.limit == query.limit
    });
    same.next().map(|view| view.name.as_str())
}

/// Whether a model had a part in the reading.
fn is_of_model(reading: &Reading) -> bool {
    let mut chips = reading.chips.iter();
    chips.any(|chip| chip.certainty == Certainty::Model)
}

/// Which sources and rollups were chosen, in words that are the same from day to day.
fn plan(registry: &Registry, compiled: &Compiled) -> String {
    let of_rollup = |place| {
        registry
            .rollups
            .values()
            .any(|rollup| Some(rollup.place) == place)
    };
    let sources = compiled.reasons.iter();
    let sources =
        sources.filter(|reason| reason.kind == ReasonKind::Source && !of_rollup(reason.place));
    let sources = sources.map(|reason| reason.text.clone());
    let rollups = compiled.rollups();
    let rollups = rollups.iter().map(|name| format!("rollup {name}"));
    sources.chain(rollups).collect::<Vec<_>>().join("\n")
}
