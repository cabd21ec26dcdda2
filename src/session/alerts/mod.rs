//! Alerts: the query of each is run, and its rows are held against what would be alarming.

mod card;
mod judge;
mod question;
mod rows;

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::run::all_rows;
use super::{Failure, Session, SessionError};
use crate::compile::Compiled;
use crate::model::{Alert, AlertSeverity};
use crate::registry::{Diagnostic, Severity, nearest};
pub use card::{AlertCard, AlertSummary};
use judge::Judged;
use question::Question;

/// Statements that run at the same time.
const AT_ONCE: usize = 4;

/// How the check of an alert ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertOutcome {
    /// Nothing is as it should not be.
    Quiet,
    /// Something is.
    Fired,
    /// There are too few earlier periods to say what is usual.
    NotEnoughHistory,
    /// It could not be computed.
    NotComputed,
}

impl AlertOutcome {
    /// The words for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Fired => "fired",
            Self::NotEnoughHistory => "not enough history",
            Self::NotComputed => "not computed",
        }
    }
}

/// A number that made an alert fire.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertFinding {
    /// The values that it is grouped by; empty for one number in all.
    pub of: String,
    /// The number.
    pub value: f64,
    /// What it is compared with: the number of the earlier period, or the expected one.
    pub compared: Option<f64>,
    /// The range that would be usual.
    pub usual: Option<(f64, f64)>,
    /// All that as one sentence.
    pub text: String,
}

/// An alert that was checked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertResult {
    /// Its name.
    pub name: String,
    /// How bad it is when it fires.
    pub severity: AlertSeverity,
    /// Who is to know.
    pub owner: Option<String>,
    /// What to do then.
    pub message: String,
    /// The metric.
    pub metric: String,
    /// The query that was run.
    pub query: String,
    /// When it fires, as it is written.
    pub when: String,
    /// Where it is declared: file and line.
    pub at: String,
    /// The days that were looked at.
    pub period: String,
    /// How it ended.
    pub outcome: AlertOutcome,
    /// Why there is no answer, where there is none.
    pub reason: Option<String>,
    /// Numbers that were judged.
    pub judged: usize,
    /// Those that made it fire, the farthest off first.
    pub findings: Vec<AlertFinding>,
    /// What a reader must know, such as groups that could not be judged.
    pub notes: Vec<String>,
    /// How long it took.
    #[serde(rename = "ms", serialize_with = "milliseconds")]
    pub elapsed: Duration,
}

fn milliseconds<S: serde::Serializer>(
    elapsed: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}

impl Session {
    /// Checks alerts by name, or all of them for none, on the connection in use. `progress` hears how many of how many are done.
    ///
    /// # Errors
    /// There is no such alert, the connection fails, it was cancelled. An alert that cannot be computed is a result.
    pub async fn check_alerts(
        &self,
        names: &[String],
        cancel: &CancellationToken,
        mut progress: impl FnMut(usize, usize) + Send,
    ) -> Result<Vec<AlertResult>, SessionError> {
        let catalog = self.catalog();
        let alerts = &catalog.registry.alerts;
        let mut chosen = Vec::new();
        for name in names {
            chosen.push(alerts.get(name).ok_or_else(|| self.unknown_alert(name))?);
        }
        if names.is_empty() {
            chosen.extend(alerts.values());
        }
        let mut all = Vec::with_capacity(chosen.len());
        for alert in &chosen {
            all.push(self.check_alert(alert, cancel));
        }
        let mut running = futures_util::stream::iter(all).buffered(AT_ONCE);
        let mut results = Vec::with_capacity(chosen.len());
        while let Some(result) = running.next().await {
            results.push(result?);
            progress(results.len(), chosen.len());
        }
        self.keep_checks(&results);
        Ok(results)
    }

    async fn check_alert(
        &self,
        alert: &Alert,
        cancel: &CancellationToken,
    ) -> Result<AlertResult, SessionError> {
        let started = Instant::now();
        let catalog = self.catalog();
        let week_start = catalog.registry.calendar.week_start;
        let question = Question::of(alert, self.today(), week_start);
        let mut result = AlertResult {
            name: alert.name.clone(),
            severity: alert.severity,
            owner: alert.owner.clone(),
            message: alert.message.clone(),
            metric: alert.metric().to_owned(),
            query: self.harmless_line(&question.query.to_string()),
            when: alert.when.to_string(),
            at: catalog.registry.at(alert.place),
            period: String::new(),
            outcome: AlertOutcome::NotComputed,
            reason: None,
            judged: 0,
            findings: Vec::new(),
            notes: Vec::new(),
            elapsed: Duration::ZERO,
        };
        match self.judged(alert, &question, cancel).await {
            Ok(judged) => {
                result.outcome = judged.outcome();
                result.period = judged.period;
                result.judged = judged.judged;
                result.reason = judged.reason;
                result.findings = judged.findings;
                result.notes = judged.notes;
            }
            Err(error) => match error.failure {
                Failure::Query | Failure::Usage | Failure::Expensive => {
                    result.reason = Some(match error.hint() {
                        Some(hint) => format!("{} — {hint}", error.message),
                        None => error.message,
                    });
                }
                Failure::Connection | Failure::Interrupted => return Err(error),
            },
        }
        result.elapsed = started.elapsed();
        Ok(result)
    }

    async fn judged(
        &self,
        alert: &Alert,
        question: &Question,
        cancel: &CancellationToken,
    ) -> Result<Judged, SessionError> {
        let connection = self.connection();
        let compiled = self.compile_alert(question, &connection)?;
        let warehouse = match compiled.embedded {
            true => self.rollup_file(&connection)?,
            false => self.warehouse(&connection)?,
        };
        let row_cap = self.connection_named(&connection)?.row_cap;
        // An alert looks at what is there now, never at a kept result.
        let run = all_rows(&warehouse, &compiled.main, Some(row_cap), cancel);
        let (batches, truncated) = run.await?;
        if truncated {
            let error = format!("it has more than the {row_cap} rows that are read");
            return Err(SessionError::new(Failure::Query, "alert", error));
        }
        let rows = rows::Rows::read(&compiled, &batches)?;
        let today = self.today();
        let week_start = self.catalog().registry.calendar.week_start;
        Ok(judge::judge(
            alert, question, &compiled, rows, today, week_start,
        ))
    }

    fn compile_alert(
        &self,
        question: &Question,
        connection: &str,
    ) -> Result<Compiled, SessionError> {
        self.refuse_personal(&question.query)?;
        let dialect = self.dialect_of(connection);
        let compiled = self.compile_on(&question.query, connection, dialect);
        compiled.map_err(|error| self.refusal(error))
    }

    /// What is wrong with an alert that its file alone does not tell: a dimension that the metric does not reach, a range that
    /// cannot be compared.
    pub(super) fn alert_problem(&self, alert: &Alert) -> Option<Diagnostic> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let question = Question::of(alert, self.today(), registry.calendar.week_start);
        let (message, hint) = match self.refuse_personal(&question.query) {
            Err(error) => (error.message.clone(), error.hint().map(str::to_owned)),
            Ok(()) => {
                let error = self.compile(&question.query).err()?;
                // What is not in the data today may be tomorrow.
                if error.code == crate::compile::ErrorCode::UnknownValue {
                    return None;
                }
                (error.message, error.hint)
            }
        };
        Some(Diagnostic {
            severity: Severity::Error,
            file: registry.file(alert.place).to_owned(),
            line: alert.place.line,
            column: alert.place.column,
            code: "alert",
            message: format!("the alert '{}' cannot be computed: {message}", alert.name),
            found: self.harmless_line(&alert.query.to_string()),
            hint,
        })
    }

    fn unknown_alert(&self, name: &str) -> SessionError {
        let catalog = self.catalog();
        let alerts = &catalog.registry.alerts;
        let message = format!("there is no alert '{name}'");
        let error = SessionError::usage("unknown_alert", message);
        match nearest(name, alerts.keys().map(String::as_str)) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None if alerts.is_empty() => {
                error.with_hint("declare it under alerts: in a file of metrics/")
            }
            None => error.with_hint("`metrex watch` checks all of them"),
        }
    }
}
