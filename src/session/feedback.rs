//! What people say of answers, and what becomes of the log: numbers of it, what is dropped, what is added from elsewhere.

use std::collections::HashMap;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::{Session, SessionError};
use crate::compile::CompileOptions;
use crate::learn::pattern::Unread;
use crate::learn::{LogFile, LogForm, Matcher, read_log};
use crate::model::{MetricQuery, NoValues, TimeRange};
use crate::usage::{
    Face, Figures, Logged, Outcome, Purge, QueryRecord, Route, Thumb, Usage, Which,
};
use crate::warehouse::Dialect;

/// Which answer is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// The last one of this session; where it has none, this person's last one.
    Last,
    /// The last one to this query line in this session.
    Line(String),
    /// The one with this number in the log.
    Id(i64),
}

/// How a log of elsewhere was taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct LogImport {
    /// Which log it is.
    pub form: LogForm,
    /// Statements that were added.
    pub added: usize,
    /// Statements that were there already.
    pub known: usize,
    /// Runs that the added and the known statements stand for; more than these where the file has only numbers of calls.
    pub calls: u64,
    /// Statements that are no SELECT.
    pub no_select: usize,
    /// Statements that no dialect understands, and why the first one is not.
    pub unread: Option<(usize, String)>,
    /// Lines that are about no statement.
    pub others: usize,
    /// Lines that cannot be read, and why the first one cannot.
    pub broken: Option<(usize, String)>,
    /// Metrics that the statements compute, with how many of them, the most frequent ones first.
    pub metrics: Vec<(String, usize)>,
    /// Statements that no metric computes.
    pub without_metric: usize,
}

impl Session {
    /// Notes whether an answer was right, with a word about it, in the place of what was said of it before.
    ///
    /// # Errors
    /// There is no such answer in the log, or the log cannot be used.
    pub fn feedback(
        &self,
        answered: &Answered,
        thumb: Thumb,
        words: Option<&str>,
    ) -> Result<Logged, SessionError> {
        let usage = self.log()?;
        let session = self.session_id().to_owned();
        let find = |which: &Which| usage.find(which);
        let found = match answered {
            Answered::Id(id) => find(&Which::Id(*id))?,
            Answered::Line(line) => find(&Which::Line {
                session,
                line: self.line_in_log(line),
            })?,
            Answered::Last => match find(&Which::LastOf(session))? {
                None => find(&Which::LastBy(self.user().to_owned()))?,
                found => found,
            },
        };
        let id = found.ok_or_else(|| self.no_answer(answered))?;
        let words = words.map(str::trim).filter(|words| !words.is_empty());
        usage.say(id, thumb, words.map(str::to_owned), self.now());
        written(usage)?;
        let logged = usage.query(id)?;
        logged.ok_or_else(|| self.no_answer(answered))
    }

    /// Notes that an answer was saved or copied: it was worth something. Nothing where it is not in the log.
    pub fn note_reuse(&self, line: &str) {
        let which = Which::Line {
            session: self.session_id().to_owned(),
            line: self.line_in_log(line),
        };
        if let Ok(usage) = self.usage_store()
            && let Ok(Some(id)) = usage.find(&which)
        {
            usage.reuse(id);
        }
    }

    /// How much is in the log.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn usage_figures(&self) -> Result<Figures, SessionError> {
        let usage = self.usage_store()?;
        usage.write_out();
        Ok(usage.figures()?)
    }

    /// Drops queries from the log, and makes the graph anew from what stays; how many.
    ///
    /// # Errors
    /// The log cannot be written, or is not that of earlier runs.
    pub fn purge_usage(&self, purge: Purge) -> Result<usize, SessionError> {
        self.outlives_run()?;
        let usage = self.usage_store()?;
        let is_all = purge == Purge::All;
        let dropped = usage.purge(purge)?;
        if is_all {
            self.drop_investigations(std::time::Duration::ZERO);
        }
        self.forget_used();
        Ok(dropped)
    }

    /// Takes in a query log of elsewhere; statements that were taken in before are left out.
    ///
    /// # Errors
    /// The file cannot be read or is no known log, or the log cannot be written.
    pub fn import_log(&self, path: &Path) -> Result<LogImport, SessionError> {
        self.outlives_run()?;
        let usage = self.log()?;
        let log = read_log(path).map_err(|error| {
            SessionError::usage("log", error.to_string()).with_hint(error.hint())
        })?;
        let connection = path.file_name().unwrap_or_default().to_string_lossy();
        let (queries, mut import) = self.queries_of(&log, &connection);
        let all = queries.len();
        import.added = usage.import(queries)?;
        import.known = all - import.added;
        self.forget_used();
        Ok(import)
    }

    fn queries_of(&self, log: &LogFile, connection: &str) -> (Vec<(i64, QueryRecord)>, LogImport) {
        let version = self.version();
        let registry = &version.catalog.registry;
        let options = CompileOptions {
            dialect: Dialect::Postgres,
            today: self.today(),
            values: &NoValues,
            passes: crate::compile::Passes::default(),
        };
        let matcher = Matcher::new(registry, |metric| {
            let query = MetricQuery {
                metrics: vec![metric.to_owned()],
                group_by: Some(Vec::new()),
                time: Some(TimeRange::AllTime),
                ..MetricQuery::default()
            };
            let reach = &version.catalog.reach;
            let compiled =
                crate::compile::compile(registry, reach, &version.templates, &query, &options);
            Some(compiled.ok()?.main.sql)
        });
        let mut import = LogImport {
            form: log.form,
            added: 0,
            known: 0,
            calls: 0,
            no_select: 0,
            unread: None,
            others: log.others,
            broken: log.broken.clone(),
            metrics: Vec::new(),
            without_metric: 0,
        };
        let (mut queries, mut seen) = (Vec::new(), HashMap::new());
        let mut metrics: HashMap<String, usize> = HashMap::new();
        for entry in &log.entries {
            let stated = match matcher.read(entry) {
                Ok(stated) => stated,
                Err(Unread::NoSelect) => {
                    import.no_select += 1;
                    continue;
                }
                Err(Unread::Syntax(why)) => {
                    import.unread.get_or_insert((0, why)).0 += 1;
                    continue;
                }
            };
            import.calls += entry.calls;
            if stated.facts.metrics.is_empty() {
                import.without_metric += 1;
            }
            for metric in &stated.facts.metrics {
                *metrics.entry(metric.clone()).or_default() += 1;
            }
            // Two equal lines of one file are two runs; a line of another file that is equal is the same run.
            let text = format!("{:?}{}{}{}", entry.at, entry.user, entry.session, entry.sql);
            let count: &mut u64 = seen.entry(xxh3_64(text.as_bytes())).or_default();
            *count += 1;
            let hash = xxh3_64(format!("{count}{text}").as_bytes());
            let at = entry.at.unwrap_or_else(|| self.now());
            queries.push((
                hash.cast_signed(),
                QueryRecord {
                    at,
                    user: entry.user.clone(),
                    session: match entry.session.as_str() {
                        // Without one, what somebody asks on one day is taken together.
                        "" => format!("{connection} {} {}", entry.user, at.strftime("%F")),
                        session => session.to_owned(),
                    },
                    face: Face::Log,
                    connection: connection.to_owned(),
                    route: Route::Sql,
                    sql: stated.fingerprint.clone(),
                    fingerprint: stated.fingerprint,
                    facts: stated.facts,
                    ms: entry.ms,
                    rows: entry.rows,
                    outcome: match &entry.error {
                        None => Outcome::Ok,
                        Some(error) => Outcome::Failed(error.clone()),
                    },
                    error_kind: entry.error.as_ref().map(|_| "warehouse".to_owned()),
                    ..QueryRecord::default()
                },
            ));
        }
        import.metrics = metrics.into_iter().collect();
        import
            .metrics
            .sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        (queries, import)
    }

    /// The log, where queries are recorded.
    fn log(&self) -> Result<&Usage, SessionError> {
        if !self.project().config.usage.track {
            let error =
                SessionError::usage("not_tracked", "queries are not recorded in this project");
            return Err(error.with_hint("`usage: {track: true}` in metrex.yaml records them"));
        }
        Ok(self.usage_store()?)
    }

    /// Refuses what is done for later runs where nothing is kept for them.
    pub(super) fn outlives_run(&self) -> Result<(), SessionError> {
        match self.state().notice() {
            None => Ok(()),
            Some(_) => Err(SessionError::usage(
                "not_kept",
                "the log of use is of this run only, as the state folder cannot be written",
            )
            .with_hint("--state-dir takes another folder")),
        }
    }

    fn no_answer(&self, answered: &Answered) -> SessionError {
        let message = match answered {
            Answered::Id(id) => format!("there is no query {id} in the log"),
            Answered::Line(_) => "this query has not been run in this session".to_owned(),
            Answered::Last => format!("there is no query of {} in the log", self.user()),
        };
        SessionError::usage("no_query", message).with_hint("run a query first")
    }
}

/// Waits until everything is written.
///
/// # Errors
/// It cannot be.
pub(super) fn written(usage: &Usage) -> Result<(), SessionError> {
    match usage.flush() {
        true => Ok(()),
        false => {
            let why = usage.last_trouble();
            Err(SessionError::usage("not_kept", format!("not kept: {why}")))
        }
    }
}
