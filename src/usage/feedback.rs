//! What becomes of an answer: a thumb, a question asked in its place, used again.

use jiff::Timestamp;

use super::fold::Fold;
use super::record::{Facts, QueryRecord, Thumb};
use super::{Usage, UsageError};
use crate::store::{Connection, OptionalExtension, SqlError, params};

/// Who asks again within this time, in milliseconds, was not content with the answer.
const AGAIN: i64 = 120_000;

/// A query that failed, among the outcomes of the log.
const FAILED: i64 = 2;

/// Which query of the log is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// By its number.
    Id(i64),
    /// The last one of a session.
    LastOf(String),
    /// The last one of a person, in any session.
    LastBy(String),
    /// The last one with this query line in a session.
    Line {
        /// The session.
        session: String,
        /// The query line.
        line: String,
    },
}

/// A thumb for a query of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) id: i64,
    pub(super) thumb: Thumb,
    pub(super) words: Option<String>,
    pub(super) at: Timestamp,
}

impl Usage {
    /// The number of a query, once it is written.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn find(&self, which: &Which) -> Result<Option<i64>, UsageError> {
        self.flush();
        self.read(|file| {
            let from = "FROM queries CROSS JOIN sittings ON sittings.id = sitting JOIN texts AS session ON session.id = session \
                        JOIN texts AS user ON user.id = user JOIN statements ON statements.id = statement \
                        JOIN texts AS line ON line.id = statements.line";
            let last = |condition: &str, values: &[&str]| {
                // From the newest one back: it is mostly among the first.
                let sql = format!("SELECT queries.id {from} WHERE outcome < 3 AND {condition} ORDER BY queries.id DESC LIMIT 1");
                let mut statement = file.prepare_cached(&sql)?;
                statement
                    .query_row(crate::store::params_from_iter(values), |row| row.get(0))
                    .optional()
            };
            match which {
                Which::Id(id) => {
                    let mut statement = file.prepare_cached("SELECT id FROM queries WHERE id = ? AND outcome < 3")?;
                    statement.query_row([id], |row| row.get(0)).optional()
                }
                Which::LastOf(session) => last("session.text = ?", &[session]),
                Which::LastBy(user) => last("user.text = ?", &[user]),
                Which::Line { session, line } => {
                    last("session.text = ? AND line.text = ?", &[session, line])
                }
            }
        })
    }

    /// Notes what somebody says of an answer, in the place of what was said before; never waits.
    pub fn say(&self, id: i64, thumb: Thumb, words: Option<String>, at: Timestamp) {
        self.writer.say(Said {
            id,
            thumb,
            words,
            at,
        });
    }

    /// Notes that an answer was saved or copied; never waits.
    pub fn reuse(&self, id: i64) {
        self.writer.reuse(id);
    }
}

/// Writes what somebody said.
pub(super) fn write(
    file: &Connection,
    log: &mut super::insert::Log,
    said: &Said,
) -> Result<(), SqlError> {
    let words = said.words.as_deref().map(|words| log.text(file, words));
    file.execute(
        "UPDATE queries SET thumb = ?, thumb_words = ?, thumb_at = ? WHERE id = ?",
        params![
            said.thumb.number(),
            words.transpose()?,
            said.at.as_millisecond(),
            said.id
        ],
    )?;
    if said.thumb == Thumb::Up {
        return Ok(());
    }
    // What was asked next, before this was said, was asked in its place.
    let mut statement = file.prepare_cached(
        "SELECT next.id, next.at - this.at, facts.text FROM queries AS this JOIN sittings AS mine ON mine.id = this.sitting \
         CROSS JOIN queries AS next ON next.id > this.id AND next.outcome < 3 JOIN sittings AS other ON other.id = next.sitting AND other.session = mine.session \
         JOIN statements ON statements.id = next.statement JOIN texts AS facts ON facts.id = statements.facts \
         WHERE this.id = ? ORDER BY next.id LIMIT 1",
    )?;
    let next: Option<(i64, i64, String)> = statement
        .query_row([said.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    if let (Some((next, after, facts)), Some(this)) = (next, Before::read(file, said.id)?) {
        let facts: Facts = serde_json::from_str(&facts).unwrap_or_default();
        if this.corrected_by.is_none()
            && after <= AGAIN
            && this.shares_metric(&facts)
            && this.facts != facts
        {
            correct(file, &mut log.fold, next, said.id)?;
        }
    }
    Ok(())
}

/// A query that another one may have been asked in the place of.
struct Before {
    at: i64,
    has_failed: bool,
    is_down: bool,
    question: Option<String>,
    line: String,
    facts: Facts,
    corrected_by: Option<i64>,
}

impl Before {
    fn read(file: &Connection, id: i64) -> Result<Option<Self>, SqlError> {
        let mut statement = file.prepare_cached(
            "SELECT at, outcome, thumb, question.text, line.text, facts.text, corrected_by FROM queries \
             JOIN statements ON statements.id = statement JOIN texts AS line ON line.id = statements.line \
             JOIN texts AS facts ON facts.id = statements.facts LEFT JOIN texts AS question ON question.id = question \
             WHERE queries.id = ?",
        )?;
        let found = statement.query_row([id], |row| {
            Ok(Self {
                at: row.get(0)?,
                has_failed: row.get::<_, i64>(1)? == FAILED,
                is_down: row.get::<_, Option<u8>>(2)? == Some(Thumb::Down.number()),
                question: row.get(3)?,
                line: row.get(4)?,
                facts: serde_json::from_str(&row.get::<_, String>(5)?).unwrap_or_default(),
                corrected_by: row.get(6)?,
            })
        });
        found.optional()
    }

    fn shares_metric(&self, other: &Facts) -> bool {
        self.facts
            .metrics
            .iter()
            .any(|metric| other.metrics.contains(metric))
    }

    /// Whether the other query has all that this one has: who adds to an answer was content with it.
    fn is_refined_by(&self, other: &Facts) -> bool {
        let has = |mine: &[String], theirs: &[String]| mine.iter().all(|one| theirs.contains(one));
        has(&self.facts.metrics, &other.metrics)
            && has(&self.facts.dimensions, &other.dimensions)
            && self
                .facts
                .filters
                .iter()
                .all(|one| other.filters.contains(one))
    }
}

/// Whether a query was asked in the place of the one before it in its session: soon after, about the same metric, and
/// because that one failed, was called wrong, or was a question that is now put in other words or changed where it
/// stood. What only adds a grouping or a condition is a next step.
pub(super) fn is_corrected_by(
    file: &Connection,
    before: i64,
    record: &QueryRecord,
    id: i64,
) -> Result<bool, SqlError> {
    let Some(before) = Before::read(file, before)? else {
        return Ok(false);
    };
    let after = record.at.as_millisecond() - before.at;
    if id == 0 || !(0..=AGAIN).contains(&after) || !before.shares_metric(&record.facts) {
        return Ok(false);
    }
    let is_other = before.line != record.line || before.question != record.question;
    let is_asked = before.question.is_some() && before.line != record.line;
    Ok(is_other
        && before.corrected_by.is_none()
        && (before.is_down
            || before.has_failed
            || (is_asked && !before.is_refined_by(&record.facts))))
}

/// Notes that a query was asked in the place of another one.
pub(super) fn correct(
    file: &Connection,
    fold: &mut Fold,
    corrector: i64,
    corrected: i64,
) -> Result<(), SqlError> {
    file.prepare_cached("UPDATE queries SET corrected_by = ? WHERE id = ?")?
        .execute([corrector, corrected])?;
    fold.correct(file, corrector, corrected)
}

/// Notes that a query was asked again in another session.
pub(super) fn reuse(file: &Connection, id: i64, session: i64) -> Result<(), SqlError> {
    let mut statement = file.prepare_cached(
        "UPDATE queries SET reused = 1 WHERE id = ?1 AND reused = 0 AND outcome = 0 AND corrected_by IS NULL \
         AND (SELECT session FROM sittings WHERE sittings.id = sitting) <> ?2",
    )?;
    statement.execute([id, session]).map(drop)
}

/// Notes that an answer was saved or copied.
pub(super) fn taken(file: &Connection, id: i64) -> Result<(), SqlError> {
    let mut statement = file.prepare_cached("UPDATE queries SET reused = 1 WHERE id = ?")?;
    statement.execute([id]).map(drop)
}
