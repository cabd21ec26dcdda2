//! Logs whose columns have names: statistics of statements and query histories.

use csv::StringRecord;

use super::{Entry, LogFile, LogForm, timestamp};

/// Where the fields stand.
pub(super) struct Columns {
    pub(super) form: LogForm,
    sql: usize,
    at: Option<usize>,
    user: Option<usize>,
    session: Option<usize>,
    /// The column, and how many of its units are a millisecond.
    time: Option<(usize, f64)>,
    end: Option<usize>,
    rows: Option<usize>,
    status: Option<usize>,
    error: Option<usize>,
    calls: Option<usize>,
}

impl Columns {
    /// The columns that a header names; nothing where it is that of no log.
    pub(super) fn of(header: &StringRecord) -> Option<Self> {
        let names: Vec<String> = header
            .iter()
            .map(|name| name.trim().trim_start_matches('\u{feff}').to_lowercase())
            .collect();
        let place = |wanted: &[&str]| {
            let mut wanted = wanted.iter();
            wanted.find_map(|wanted| names.iter().position(|name| name == wanted))
        };
        let sql = place(&["query_text", "statement_text", "query", "sql_text"])?;
        let calls = place(&["calls"]);
        let at = place(&["start_time", "creation_time", "started_at", "created"]);
        let form = match (calls, at) {
            (Some(_), _) => LogForm::PgStatStatements,
            (None, Some(_)) => LogForm::QueryHistory,
            (None, None) => return None,
        };
        let time = [
            ("total_elapsed_time", 1.0),
            ("total_duration_ms", 1.0),
            ("execution_duration_ms", 1.0),
            ("execution_time", 1.0),
            ("mean_exec_time", 1.0),
            ("mean_time", 1.0),
            ("elapsed_time", 1000.0),
            ("elapsed_us", 1000.0),
        ];
        let time = time
            .iter()
            .find_map(|(name, unit)| Some((place(&[name])?, *unit)));
        Some(Self {
            form,
            sql,
            at: at.or_else(|| place(&["stats_since"])),
            user: place(&[
                "user_name",
                "user_email",
                "executed_by",
                "executed_as",
                "usename",
                "rolname",
                "user",
            ]),
            session: place(&["session_id"]),
            time,
            end: place(&["end_time"]),
            rows: place(&["rows_produced", "produced_rows", "rows", "returned_rows"]),
            status: place(&["execution_status", "status", "state"]),
            error: place(&["error_code", "error_result", "error_message"]),
            calls,
        })
    }

    pub(super) fn read(&self, row: &StringRecord, log: &mut LogFile) {
        let line = row.position().map_or(0, csv::Position::line);
        let field = |place: Option<usize>| {
            place
                .and_then(|place| row.get(place))
                .unwrap_or_default()
                .trim()
        };
        let number = |place: Option<usize>| field(place).parse::<f64>().unwrap_or(0.0).max(0.0);
        let sql = field(Some(self.sql)).trim_end_matches(';').to_owned();
        if sql.is_empty() {
            log.others += 1;
            return;
        }
        let at = timestamp(field(self.at));
        if at.is_none() && self.form == LogForm::QueryHistory {
            log.is_broken(line, &format!("'{}' is no time", field(self.at)));
            return;
        }
        let calls = if self.calls.is_some() {
            number(self.calls).max(1.0)
        } else {
            1.0
        };
        let ms = match (self.time, timestamp(field(self.end)), at) {
            (Some((place, unit)), _, _) => number(Some(place)) / unit,
            (None, Some(end), Some(at)) => end.duration_since(at).as_millis_f64().max(0.0),
            _ => 0.0,
        };
        let status = field(self.status).to_lowercase();
        let is_ok = matches!(
            status.as_str(),
            "" | "success" | "succeeded" | "finished" | "done" | "ok"
        );
        let error = (!is_ok).then(|| match field(self.error) {
            // A message may quote values.
            code if !code.is_empty() && code.len() <= 12 && !code.contains(' ') => {
                format!("{status} {code}")
            }
            _ => status.clone(),
        });
        log.entries.push(Entry {
            sql,
            at,
            user: field(self.user).to_owned(),
            session: field(self.session).to_owned(),
            ms: ms.round() as u64,
            rows: (number(self.rows) / calls).round() as u64,
            error,
            calls: calls as u64,
        });
    }
}
