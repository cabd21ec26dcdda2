//! The definitions held against the warehouse: every query is planned there, joins lead somewhere, keys identify, ranges do
//! not overlap, and several sources of one metric agree.

mod joins;
mod plans;
mod probe;
mod ranges;
mod sources;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::run::all_rows;
use super::{Catalog, Failure, Session, SessionError};
use crate::compile::Statement;
use crate::registry::{Diagnostic, Severity};
use crate::warehouse::Warehouse;
pub(super) use probe::{Ask, Finding, Probe, Probes, Row};

/// Most rows that a probe reads.
const ROWS: u64 = 1_000;

/// How the warehouse is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveOptions {
    /// How long one statement may take.
    pub patience: Duration,
    /// Run also what the connection asks about before it runs (`ask_above_rows`).
    pub everything: bool,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveReport {
    /// What is wrong, by file and line.
    pub findings: Vec<Diagnostic>,
    /// How many things were looked at.
    pub checked: usize,
    /// What could not be looked at, with the reason.
    pub skipped: Vec<(String, String)>,
}

/// What is being looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveStep {
    /// In words.
    pub step: String,
    /// Share of everything that is done, 0 to 1.
    pub share: f64,
}

impl Session {
    /// Holds the definitions against the warehouse of the connection in use. Nothing is written there.
    ///
    /// # Errors
    /// The connection fails, or it was cancelled.
    pub async fn check_live(
        &self,
        options: LiveOptions,
        cancel: &CancellationToken,
        mut progress: impl FnMut(LiveStep) + Send,
    ) -> Result<LiveReport, SessionError> {
        let session = match options.everything {
            true => self.clone(),
            false => self.asking(),
        };
        let warehouse = session.warehouse(&session.connection())?;
        let tables = warehouse.tables().await?;
        let planning = session.clone();
        let planned = tokio::task::spawn_blocking(move || {
            let catalog = planning.catalog();
            let mut probes = Probes::new(&planning, &catalog);
            plans::add(&mut probes);
            joins::add(&mut probes, &tables);
            ranges::add(&mut probes);
            sources::add(&mut probes);
            (probes.done(), catalog)
        });
        let ((probes, mut report), catalog) =
            planned.await.map_err(|_| SessionError::interrupted())?;
        let (asked, canonical) = (probes.len(), catalog.registry.canonical.len());
        let all = asked + canonical;
        for (at, probe) in probes.into_iter().enumerate() {
            if cancel.is_cancelled() {
                return Err(SessionError::interrupted());
            }
            progress(LiveStep {
                step: probe.what.clone(),
                share: at as f64 / all as f64,
            });
            let asked = tokio::time::timeout(options.patience, ask(&warehouse, &probe, cancel));
            match asked.await {
                Ok(Ok(found)) => {
                    report.checked += 1;
                    report
                        .findings
                        .extend(found.map(|found| found.at(&catalog, probe.place)));
                }
                Ok(Err(error)) => match error.failure {
                    Failure::Connection | Failure::Interrupted => return Err(error),
                    Failure::Expensive => report.skipped.push((probe.what, error.message)),
                    Failure::Query | Failure::Usage => {
                        report.checked += 1;
                        let found = Finding::error("dry_run", error.message);
                        report.findings.push(found.at(&catalog, probe.place));
                    }
                },
                Err(_) => {
                    let seconds = options.patience.as_secs();
                    let why = format!("it takes longer than {seconds} seconds");
                    report.skipped.push((probe.what, why));
                }
            }
        }
        let constraints = session.check_constraints(options.patience, cancel, |name, share| {
            progress(LiveStep {
                step: format!("constraints of {name}"),
                share: (asked as f64 + share * canonical as f64) / all as f64,
            });
        });
        let constraints = constraints.await?;
        report.checked += constraints.checked;
        report.findings.extend(constraints.findings);
        report.skipped.extend(constraints.skipped);
        report.findings.sort_by(Diagnostic::order);
        report.findings.dedup();
        Ok(report)
    }
}

/// What the warehouse says to a probe.
async fn ask(
    warehouse: &Warehouse,
    probe: &Probe,
    cancel: &CancellationToken,
) -> Result<Option<Finding>, SessionError> {
    match &probe.ask {
        Ask::Plan(sql) => {
            warehouse.explain(sql, cancel).await?;
            Ok(None)
        }
        Ask::Rows(statements, judge) => {
            let mut answers = Vec::with_capacity(statements.len());
            for statement in statements {
                answers.push(rows(warehouse, statement, cancel).await?);
            }
            Ok(judge(&answers))
        }
    }
}

async fn rows(
    warehouse: &Warehouse,
    statement: &Statement,
    cancel: &CancellationToken,
) -> Result<Vec<Row>, SessionError> {
    let (batches, _) = all_rows(warehouse, statement, Some(ROWS), cancel).await?;
    Ok(batches.iter().flat_map(probe::rows).collect())
}

impl Finding {
    /// The finding at the definition that it is about.
    fn at(self, catalog: &Catalog, place: crate::model::Place) -> Diagnostic {
        Diagnostic {
            severity: self.severity,
            file: catalog.registry.file(place).to_owned(),
            line: place.line,
            column: place.column,
            code: self.code,
            message: self.message,
            found: String::new(),
            hint: self.hint,
        }
    }

    fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            hint: None,
        }
    }

    fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}
