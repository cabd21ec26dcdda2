//! PostgreSQL's log as CSV: no header, one line for each message, of which those about statements count.

use csv::StringRecord;

use super::{Entry, LogFile, timestamp};

const USER: usize = 1;
const SESSION: usize = 5;
const SEVERITY: usize = 11;
const STATE: usize = 12;
const MESSAGE: usize = 13;
const QUERY: usize = 19;
/// The fewest fields that any version writes.
const FEWEST: usize = 22;

/// Whether a line is one of such a log.
pub(super) fn is_row(row: &StringRecord) -> bool {
    let severities = [
        "LOG", "ERROR", "FATAL", "PANIC", "WARNING", "NOTICE", "INFO",
    ];
    let severity = row.get(SEVERITY).unwrap_or_default();
    let is_severity = severities.contains(&severity) || severity.starts_with("DEBUG");
    row.len() >= FEWEST
        && is_severity
        && row
            .get(0)
            .is_some_and(|at| at.starts_with(|c: char| c.is_ascii_digit()))
}

pub(super) fn read(row: &StringRecord, log: &mut LogFile) {
    let line = row.position().map_or(0, csv::Position::line);
    let field = |place: usize| row.get(place).unwrap_or_default().trim();
    if !is_row(row) {
        log.is_broken(line, "it has not the fields of a csvlog");
        return;
    }
    let is_error = matches!(field(SEVERITY), "ERROR" | "FATAL" | "PANIC");
    let (ms, sql) = match is_error {
        true => (0.0, Some(field(QUERY)).filter(|sql| !sql.is_empty())),
        false => statement(field(MESSAGE)),
    };
    let Some(sql) = sql else {
        log.others += 1;
        return;
    };
    let Some(at) = timestamp(field(0)) else {
        log.is_broken(
            line,
            &format!("'{}' is no time in UTC or with its offset", field(0)),
        );
        return;
    };
    log.entries.push(Entry {
        sql: sql.trim_end_matches(';').to_owned(),
        at: Some(at),
        user: field(USER).to_owned(),
        session: field(SESSION).to_owned(),
        ms: ms as u64,
        rows: 0,
        error: is_error.then(|| field(STATE).to_owned()),
        calls: 1,
    });
}

/// `duration: 12.3 ms  statement: SELECT …`, `execute <unnamed>: SELECT …`.
fn statement(message: &str) -> (f64, Option<&str>) {
    let (ms, rest) = match message
        .strip_prefix("duration: ")
        .and_then(|rest| rest.split_once(" ms"))
    {
        Some((ms, rest)) => (ms.trim().parse().unwrap_or(0.0), rest.trim_start()),
        None => (0.0, message),
    };
    let sql = rest.strip_prefix("statement: ").or_else(|| {
        let (name, sql) = rest.strip_prefix("execute ")?.split_once(": ")?;
        (!name.contains(char::is_whitespace)).then_some(sql)
    });
    (ms, sql)
}
