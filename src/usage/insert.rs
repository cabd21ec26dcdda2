//! A query's way into the log: its texts, its statement and its session are kept once, and it points to them.

use std::collections::HashMap;

use super::fold::{Fold, Of, Step};
use super::literals::split;
use super::record::{Outcome, QueryRecord};
use super::{feedback, schema};
use crate::store::{Connection, OptionalExtension, SqlError, params};

/// The number of the outcome of what was not run.
pub(super) const REFUSED: i64 = 3;
/// What is remembered of texts; beyond that, all of it is read again.
const MOST: usize = 50_000;

/// Writes records, and what follows from them.
#[derive(Debug, Default)]
pub(super) struct Log {
    texts: HashMap<String, i64>,
    sittings: HashMap<[i64; 4], i64>,
    statements: HashMap<[i64; 6], i64>,
    pub(super) fold: Fold,
    /// Of the file, when it was last looked at: another process that writes changes it.
    version: Option<i64>,
}

impl Log {
    /// Begins a transaction: what another process changed is read again.
    pub(super) fn begin(&mut self, file: &Connection) -> Result<(), SqlError> {
        let version = file.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        if self.version != Some(version) {
            self.forget();
            self.version = Some(version);
        }
        if Fold::is_old(file)? {
            self.fold.rebuild(file)?;
        }
        Ok(())
    }

    /// Forgets what it knows of the file.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The same within a transaction of its own, which changes the version for others only.
    pub(super) fn forget_file(&mut self) {
        self.forget_texts();
        self.fold.forget();
    }

    /// Whether it has seen the file.
    pub(super) fn is_known(&self) -> bool {
        self.version.is_some()
    }

    /// Writes a query; its number.
    pub(super) fn insert(
        &mut self,
        file: &Connection,
        record: &QueryRecord,
    ) -> Result<i64, SqlError> {
        if self.texts.len().max(self.statements.len()) > MOST {
            self.forget_texts();
        }
        let session = self.text(file, &record.session)?;
        let sitting = [
            session,
            self.text(file, &record.user)?,
            i64::from(record.face.number()),
            self.text(file, &record.connection)?,
        ];
        let sitting = self.sitting(file, sitting)?;
        let (template, literals) = split(&record.sql);
        // A map of texts and lists cannot fail.
        let facts = serde_json::to_string(&record.facts).unwrap_or_default();
        let statement = [
            self.text(file, &record.line)?,
            self.text(file, &template)?,
            self.text(file, &facts)?,
            self.text(file, &record.plan)?,
            self.text(file, &record.intent)?,
            self.text(file, &record.fingerprint)?,
        ];
        let statement = self.statement(file, statement)?;
        let at = record.at.as_millisecond();
        let (outcome, error) = match &record.outcome {
            Outcome::Ok => (0, None),
            Outcome::Cancelled => (1, None),
            Outcome::Failed(error) => (2, Some(error.as_str())),
            Outcome::Refused(why) => (REFUSED, Some(why.as_str())),
        };
        let findings = match record.findings.as_slice() {
            [] => None,
            findings => serde_json::to_string(findings).ok(),
        };
        let literals = Some(literals.as_str()).filter(|_| template.contains(super::literals::GAP));
        let model = record.model.as_ref();
        let values = params![
            at,
            sitting,
            statement,
            self.maybe(file, literals)?,
            self.maybe(file, record.question.as_deref())?,
            record.route.number(),
            record.ms,
            record.rows,
            outcome,
            self.maybe(file, error)?,
            self.maybe(file, record.error_kind.as_deref())?,
            self.maybe(file, findings.as_deref())?,
            record.retries,
            self.maybe(file, model.map(|used| used.model.as_str()))?,
            model.map(|used| used.tokens_in),
            model.map(|used| used.tokens_out),
            model.and_then(|used| used.cost),
            record.choice
        ];
        let id = file.prepare_cached(schema::INSERT)?.insert(values)?;
        if record.outcome.is_refused() {
            return Ok(id);
        }
        let step = Step {
            id,
            at,
            sitting,
            statement,
            is_ok: outcome == 0,
            ms: i64::try_from(record.ms).unwrap_or(i64::MAX),
        };
        let before = self.fold.latest(file, Of::Session, session)?;
        let shape = self.fold.query_node(file, step)?;
        let same = self.fold.latest(file, Of::Shape, shape)?;
        self.fold.add(file, step)?;
        if let Some(before) = before
            && feedback::is_corrected_by(file, before, record, id)?
        {
            feedback::correct(file, &mut self.fold, id, before)?;
        }
        if let Some(same) = same.filter(|_| step.is_ok) {
            feedback::reuse(file, same, session)?;
        }
        Ok(id)
    }

    fn forget_texts(&mut self) {
        self.texts.clear();
        self.sittings.clear();
        self.statements.clear();
    }

    fn maybe(&mut self, file: &Connection, text: Option<&str>) -> Result<Option<i64>, SqlError> {
        text.map(|text| self.text(file, text)).transpose()
    }

    pub(super) fn text(&mut self, file: &Connection, text: &str) -> Result<i64, SqlError> {
        if let Some(known) = self.texts.get(text) {
            return Ok(*known);
        }
        let found: Option<i64> = file
            .prepare_cached("SELECT id FROM texts WHERE text = ?")?
            .query_row([text], |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => file
                .prepare_cached("INSERT INTO texts (text) VALUES (?)")?
                .insert([text])?,
        };
        self.texts.insert(text.to_owned(), id);
        Ok(id)
    }

    fn sitting(&mut self, file: &Connection, key: [i64; 4]) -> Result<i64, SqlError> {
        if let Some(known) = self.sittings.get(&key) {
            return Ok(*known);
        }
        let sql = "INSERT INTO sittings (session, user, face, connection) VALUES (?, ?, ?, ?) \
                   ON CONFLICT DO UPDATE SET face = face RETURNING id";
        let id = file.prepare_cached(sql)?.query_row(key, |row| row.get(0))?;
        self.sittings.insert(key, id);
        Ok(id)
    }

    fn statement(&mut self, file: &Connection, key: [i64; 6]) -> Result<i64, SqlError> {
        if let Some(known) = self.statements.get(&key) {
            return Ok(*known);
        }
        let sql = "INSERT INTO statements (line, sql, facts, plan, intent, fingerprint) VALUES (?, ?, ?, ?, ?, ?) \
                   ON CONFLICT DO UPDATE SET line = line RETURNING id";
        let id = file.prepare_cached(sql)?.query_row(key, |row| row.get(0))?;
        self.statements.insert(key, id);
        Ok(id)
    }
}
