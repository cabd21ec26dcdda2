//! Reading the log: query by query, as it was recorded, and in numbers.

use std::collections::HashMap;

use jiff::Timestamp;

use super::literals::join;
use super::record::{Face, Facts, Feedback, Logged, ModelUse, Outcome, QueryRecord, Route, Thumb};
use super::{Usage, UsageError};
use crate::store::{Connection, OptionalExtension, Row, SqlError, SqlType};

const LOGGED: &str = "
SELECT queries.id, at, sitting, statement, literals.text, question.text, route, ms, rows, outcome, error.text, kind.text,
    findings.text, retries, model.text, tokens_in, tokens_out, cost, choice, thumb, said.text, thumb_at, corrected_by, reused,
    reward
FROM queries LEFT JOIN texts AS literals ON literals.id = literals LEFT JOIN texts AS question ON question.id = question
    LEFT JOIN texts AS error ON error.id = error LEFT JOIN texts AS kind ON kind.id = error_kind
    LEFT JOIN texts AS findings ON findings.id = findings LEFT JOIN texts AS model ON model.id = model
    LEFT JOIN texts AS said ON said.id = thumb_words ";

/// How much there is in the log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Queries.
    pub queries: u64,
    /// Queries that were answered.
    pub answered: u64,
    /// Questions and queries that were refused, by the kind of the refusal; they are not among the queries.
    pub refused: Vec<(String, u64)>,
    /// Queries that somebody gave a thumb up.
    pub up: u64,
    /// Queries that somebody gave a thumb down.
    pub down: u64,
    /// Queries in whose place another one was asked.
    pub corrected: u64,
    /// Questions kept in the history.
    pub questions: u64,
    /// The first query.
    pub first: Option<Timestamp>,
    /// The last query.
    pub last: Option<Timestamp>,
    /// Nodes of the graph.
    pub nodes: u64,
    /// Edges of the graph.
    pub edges: u64,
    /// Size of the file, in bytes.
    pub bytes: u64,
    /// Metrics by their queries, the most used ones first.
    pub metrics: Vec<(String, u64)>,
    /// People by their queries, the busiest ones first.
    pub people: Vec<(String, u64)>,
    /// Faces by their queries.
    pub faces: Vec<(Face, u64)>,
}

impl Usage {
    /// Hands over the queries, and what was refused, that were started since a time and before another one, in the order
    /// they were recorded. Says how many of them cannot be read, which takes a foreign hand in the file.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn logged(
        &self,
        since: Timestamp,
        until: Timestamp,
        each: &mut dyn FnMut(Logged),
    ) -> Result<u64, UsageError> {
        self.read(|file| {
            let mut shared = Shared::default();
            let sql = format!("{LOGGED} WHERE at >= ? AND at < ? ORDER BY queries.id");
            let mut statement = file.prepare_cached(&sql)?;
            let mut rows = statement.query([since.as_millisecond(), until.as_millisecond()])?;
            let mut unread = 0;
            while let Some(row) = rows.next()? {
                match logged(file, &mut shared, row) {
                    Ok(one) => each(one),
                    Err(error @ SqlError::SqliteFailure(..)) => return Err(error),
                    // The row says something that no row says; the others are as good.
                    Err(_) => unread += 1,
                }
            }
            Ok(unread)
        })
    }

    /// One query of the log.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn query(&self, id: i64) -> Result<Option<Logged>, UsageError> {
        self.read(|file| {
            let sql = format!("{LOGGED} WHERE queries.id = ?");
            let mut statement = file.prepare_cached(&sql)?;
            let found = statement.query_row([id], |row| logged(file, &mut Shared::default(), row));
            found.optional()
        })
    }

    /// How much there is in the log.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn figures(&self) -> Result<Figures, UsageError> {
        let size = |suffix: &str| {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            std::fs::metadata(path).map_or(0, |found| found.len())
        };
        let bytes = size("") + size("-wal");
        self.read(|file| {
            let one = |sql: &str| file.query_row(sql, [], |row| row.get::<_, u64>(0));
            let when = |sql: &str| {
                let found = file.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
                found.map(|at| at.map(timestamp))
            };
            let by = |src: &str| {
                let sql = format!(
                    "SELECT label, SUM(n) AS uses FROM edges JOIN nodes ON nodes.id = {src} GROUP BY nodes.id \
                     ORDER BY uses DESC, label"
                );
                sql
            };
            let list = |sql: String| {
                let mut statement = file.prepare(&sql)?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect::<Result<Vec<(String, u64)>, _>>()
            };
            let of_kind = |sql: String, kind: &str| {
                sql.replace(" GROUP BY", &format!(" WHERE edges.kind = '{kind}' GROUP BY"))
            };
            let mut faces = file.prepare(
                "SELECT face, COUNT(*) FROM queries JOIN sittings ON sittings.id = sitting WHERE outcome < 3 GROUP BY face ORDER BY 2 DESC",
            )?;
            let faces = faces.query_map([], |row| Ok((Face::numbered(row.get(0)?), row.get(1)?)))?;
            Ok(Figures {
                queries: one(super::schema::RUNS)?,
                refused: list(
                    "SELECT coalesce(text, ''), COUNT(*) FROM queries LEFT JOIN texts ON texts.id = error_kind \
                     WHERE outcome = 3 GROUP BY text ORDER BY 2 DESC, 1"
                        .to_owned(),
                )?,
                answered: one("SELECT COUNT(*) FROM queries WHERE outcome = 0")?,
                up: one("SELECT COUNT(*) FROM queries WHERE thumb = 0")?,
                down: one("SELECT COUNT(*) FROM queries WHERE thumb = 1")?,
                corrected: one("SELECT COUNT(*) FROM queries WHERE corrected_by IS NOT NULL")?,
                questions: one("SELECT COUNT(*) FROM questions")?,
                first: when("SELECT MIN(at) FROM queries")?,
                last: when("SELECT MAX(at) FROM queries")?,
                nodes: one("SELECT COUNT(*) FROM nodes")?,
                edges: one("SELECT COUNT(*) FROM edges")?,
                bytes,
                metrics: list(of_kind(by("dst"), "CALCULATES"))?,
                people: list(of_kind(by("src"), "ASKED"))?,
                faces: faces.collect::<Result<_, _>>()?,
            })
        })
    }
}

/// What many queries have in common, read once.
#[derive(Default)]
struct Shared {
    sittings: HashMap<i64, (String, String, Face, String)>,
    statements: HashMap<i64, Stated>,
}

#[derive(Clone)]
struct Stated {
    line: String,
    intent: String,
    template: String,
    fingerprint: String,
    facts: Facts,
    plan: String,
}

fn logged(file: &Connection, shared: &mut Shared, row: &Row<'_>) -> Result<Logged, SqlError> {
    let (session, user, face, connection) = sitting(file, shared, row.get(2)?)?;
    let stated = stated(file, shared, row.get(3)?)?;
    let literals: Option<String> = row.get(4)?;
    let model: Option<String> = row.get(14)?;
    let thumb: Option<u8> = row.get(19)?;
    let error: Option<String> = row.get(10)?;
    let findings: Option<String> = row.get(12)?;
    Ok(Logged {
        id: row.get(0)?,
        record: QueryRecord {
            at: timestamp(row.get(1)?),
            user,
            session,
            face,
            connection,
            question: row.get(5)?,
            route: Route::numbered(row.get(6)?),
            line: stated.line,
            intent: stated.intent,
            sql: join(&stated.template, literals.as_deref()),
            fingerprint: stated.fingerprint,
            facts: stated.facts,
            plan: stated.plan,
            ms: row.get(7)?,
            rows: row.get(8)?,
            outcome: outcome(row.get(9)?, error),
            error_kind: row.get(11)?,
            findings: findings
                .and_then(|text| serde_json::from_str(&text).ok())
                .unwrap_or_default(),
            retries: row.get(13)?,
            model: match model {
                None => None,
                Some(model) => Some(ModelUse {
                    model,
                    tokens_in: row.get::<_, Option<u64>>(15)?.unwrap_or_default(),
                    tokens_out: row.get::<_, Option<u64>>(16)?.unwrap_or_default(),
                    cost: row.get(17)?,
                }),
            },
            choice: row.get(18)?,
        },
        feedback: match thumb {
            None => None,
            Some(thumb) => Some(Feedback {
                thumb: Thumb::numbered(thumb),
                words: row.get(20)?,
                at: timestamp(row.get::<_, Option<i64>>(21)?.unwrap_or_default()),
            }),
        },
        corrected_by: row.get(22)?,
        reused: row.get(23)?,
        reward: row.get(24)?,
    })
}

fn sitting(
    file: &Connection,
    shared: &mut Shared,
    id: i64,
) -> Result<(String, String, Face, String), SqlError> {
    if let Some(known) = shared.sittings.get(&id) {
        return Ok(known.clone());
    }
    let mut statement = file.prepare_cached(
        "SELECT session.text, user.text, face, connection.text FROM sittings JOIN texts AS session ON session.id = session \
         JOIN texts AS user ON user.id = user JOIN texts AS connection ON connection.id = connection WHERE sittings.id = ?",
    )?;
    let found = statement.query_row([id], |row| {
        let face = Face::numbered(row.get(2)?);
        Ok((row.get(0)?, row.get(1)?, face, row.get(3)?))
    })?;
    shared.sittings.insert(id, found.clone());
    Ok(found)
}

fn stated(file: &Connection, shared: &mut Shared, id: i64) -> Result<Stated, SqlError> {
    if let Some(known) = shared.statements.get(&id) {
        return Ok(known.clone());
    }
    let mut statement = file.prepare_cached(
        "SELECT line.text, intent.text, sql.text, print.text, facts.text, plan.text FROM statements \
         JOIN texts AS line ON line.id = line JOIN texts AS intent ON intent.id = intent JOIN texts AS sql ON sql.id = sql \
         JOIN texts AS print ON print.id = fingerprint JOIN texts AS facts ON facts.id = facts \
         JOIN texts AS plan ON plan.id = plan WHERE statements.id = ?",
    )?;
    let found = statement.query_row([id], |row| {
        Ok(Stated {
            line: row.get(0)?,
            intent: row.get(1)?,
            template: row.get(2)?,
            fingerprint: row.get(3)?,
            facts: {
                let text: String = row.get(4)?;
                let facts = serde_json::from_str(&text);
                facts.map_err(|error| {
                    SqlError::FromSqlConversionFailure(4, SqlType::Text, error.into())
                })?
            },
            plan: row.get(5)?,
        })
    })?;
    shared.statements.insert(id, found.clone());
    Ok(found)
}

/// How a query ended, from its number and its message.
pub(super) fn outcome(number: i64, error: Option<String>) -> Outcome {
    match number {
        0 => Outcome::Ok,
        1 => Outcome::Cancelled,
        super::insert::REFUSED => Outcome::Refused(error.unwrap_or_default()),
        _ => Outcome::Failed(error.unwrap_or_default()),
    }
}

/// Only this room writes times: one that there is not can only come from a foreign hand.
pub(super) fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}
