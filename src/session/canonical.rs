//! Canonical datasets in the warehouse: which constraints do not hold, and which promises are not kept.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::cell::raw_text;
use super::rollups::rows;
use super::{Session, SessionError};
use crate::govern::canonical::{Constraints, Measured, Promises, Question, day_of, first_missing};
use crate::model::{CanonicalDataset, CanonicalKind, Grain, Status};
use crate::registry::{Diagnostic, Severity, nearest};
use crate::warehouse::{Warehouse, WarehouseError, WarehouseErrorKind};

/// Missing periods that are named.
const NAMED: usize = 3;

/// Which constraints of the canonical datasets do not hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConstraintReport {
    /// Those that do not, by file and line.
    pub findings: Vec<Diagnostic>,
    /// How many were looked at.
    pub checked: usize,
    /// What could not be looked at, with the reason.
    pub skipped: Vec<(String, String)>,
}

/// A canonical dataset as it is in the warehouse.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CanonicalState {
    /// Name.
    pub name: String,
    /// What it holds.
    pub kind: CanonicalKind,
    /// How far it is agreed on.
    pub status: Status,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Rows; none where it could not be read.
    pub rows: Option<u64>,
    /// Time of its newest row.
    pub newest: Option<String>,
    /// What was promised, and what is.
    pub promises: Vec<Promise>,
    /// Why it could not be read.
    pub error: Option<String>,
    /// Where it is declared, as `file:line`.
    pub at: String,
}

/// Something that was promised of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Promise {
    /// `fresh_within`, `every` or `complete`.
    pub what: &'static str,
    /// What was promised, in words.
    pub promised: String,
    /// What is, in words.
    pub found: String,
    /// Whether it is kept.
    pub kept: bool,
}

impl CanonicalState {
    /// Whether it could be read and keeps every promise.
    pub fn is_kept(&self) -> bool {
        self.error.is_none() && self.promises.iter().all(|promise| promise.kept)
    }
}

impl Session {
    /// Holds the attributes of the canonical datasets against the rows on the connection in use: one statement for each dataset,
    /// which may take this long. `progress` hears the dataset and the share of the work done.
    ///
    /// # Errors
    /// The connection fails, or it was cancelled.
    pub async fn check_constraints(
        &self,
        patience: Duration,
        cancel: &CancellationToken,
        mut progress: impl FnMut(&str, f64) + Send,
    ) -> Result<ConstraintReport, SessionError> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let warehouse = self.warehouse(&self.connection())?;
        let mut report = ConstraintReport::default();
        let all = registry.canonical.len();
        for (at, one) in registry.canonical.values().enumerate() {
            progress(&one.name, at as f64 / all as f64);
            let Some(constraints) = Constraints::new(one, registry, warehouse.dialect()) else {
                continue;
            };
            report.skipped.extend(constraints.skipped.iter().cloned());
            if constraints.is_empty() {
                continue;
            }
            let asked = ask(&warehouse, &constraints.question, cancel);
            let row = match tokio::time::timeout(patience, asked).await {
                Ok(Ok(rows)) => rows.into_iter().next().unwrap_or_default(),
                Ok(Err(error)) => {
                    let why = unanswered(error)?;
                    report.skipped.push((one.name.clone(), why));
                    continue;
                }
                Err(_) => {
                    let seconds = patience.as_secs();
                    let why = format!("it takes longer than {seconds} seconds");
                    report.skipped.push((one.name.clone(), why));
                    continue;
                }
            };
            report.checked += constraints.len();
            let broken = constraints.broken(&row).into_iter();
            report.findings.extend(broken.map(|broken| Diagnostic {
                severity: Severity::Error,
                file: registry.file(broken.place).to_owned(),
                line: broken.place.line,
                column: broken.place.column,
                code: "constraint",
                message: broken.message,
                found: String::new(),
                hint: Some(broken.hint),
            }));
        }
        report.findings.sort_by(Diagnostic::order);
        Ok(report)
    }

    /// Measures what is promised of the canonical datasets, of those named or of all, on the connection in use.
    ///
    /// # Errors
    /// There is no such canonical dataset, the connection fails, or it was cancelled.
    pub async fn canonical_states(
        &self,
        names: &[String],
        cancel: &CancellationToken,
        mut progress: impl FnMut(&str, f64) + Send,
    ) -> Result<Vec<CanonicalState>, SessionError> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let mut chosen = Vec::new();
        for name in names {
            let one = registry.canonical.get(name).or(registry.canonical_of(name));
            chosen.push(one.ok_or_else(|| self.unknown_canonical(name))?);
        }
        if names.is_empty() {
            chosen.extend(registry.canonical.values());
        }
        let warehouse = self.warehouse(&self.connection())?;
        let week_start = registry.calendar.week_start;
        let mut states = Vec::with_capacity(chosen.len());
        for (at, one) in chosen.iter().enumerate() {
            progress(&one.name, at as f64 / chosen.len() as f64);
            let promises = Promises::new(one, registry, warehouse.dialect(), week_start);
            let mut state = CanonicalState {
                name: one.name.clone(),
                kind: one.kind,
                status: one.status,
                owner: one.owner.clone(),
                rows: None,
                newest: None,
                promises: Vec::new(),
                error: None,
                at: registry.at(one.place),
            };
            match ask(&warehouse, &promises.question, cancel).await {
                Ok(rows) => {
                    let row = rows.into_iter().next().unwrap_or_default();
                    let measured = promises.measured(&row);
                    let missing = promises.missing(&measured);
                    let there = match (&promises.periods, missing) {
                        (Some(question), 1..) => ask(&warehouse, question, cancel).await.ok(),
                        _ => None,
                    };
                    let there = there.map(|rows| days(&rows));
                    state.promises = self.promises(one, &measured, missing, there.as_deref());
                    state.rows = Some(measured.rows);
                    state.newest = measured.newest;
                }
                Err(error) => state.error = Some(unanswered(error)?),
            }
            states.push(state);
        }
        Ok(states)
    }

    fn unknown_canonical(&self, name: &str) -> SessionError {
        let catalog = self.catalog();
        let error = SessionError::usage(
            "unknown_canonical",
            format!("there is no canonical dataset '{name}'"),
        );
        match nearest(name, catalog.registry.canonical.keys().map(String::as_str)) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error.with_hint("`metrex status` lists all of them"),
        }
    }

    fn promises(
        &self,
        one: &CanonicalDataset,
        measured: &Measured,
        missing: u64,
        there: Option<&[Date]>,
    ) -> Vec<Promise> {
        let mut promises = Vec::new();
        let nothing = match measured.rows {
            0 => "no rows",
            _ => "no row has a time",
        };
        if let Some((count, grain)) = one.sla.fresh_within {
            let newest = measured.newest.as_deref();
            let found = newest.map_or_else(|| nothing.to_owned(), |at| format!("newest {at}"));
            promises.push(Promise {
                what: "fresh_within",
                promised: format!(
                    "no older than {count} {grain}{}",
                    if count == 1 { "" } else { "s" }
                ),
                kept: newest.is_some_and(|newest| self.is_fresh(one, newest, count, grain)),
                found,
            });
        }
        if let (Some(grain), Some((first, last, _))) = (one.sla.every, measured.periods) {
            let named = there.map(|there| first_missing(grain, (first, last), there, NAMED));
            let named = named.unwrap_or_default();
            let named: Vec<String> = named.iter().map(ToString::to_string).collect();
            let others = if missing > named.len() as u64 {
                ", …"
            } else {
                ""
            };
            promises.push(Promise {
                what: "every",
                promised: format!("rows for every {grain}"),
                kept: missing == 0,
                found: match (missing, named.is_empty()) {
                    (0, _) => format!("{first} to {last} without a gap"),
                    (missing, true) => format!("{missing} without rows"),
                    (missing, false) => {
                        format!("{missing} without rows: {}{others}", named.join(", "))
                    }
                },
            });
        }
        if let (Some(grain), None) = (one.sla.every, measured.periods) {
            promises.push(Promise {
                what: "every",
                promised: format!("rows for every {grain}"),
                kept: false,
                found: nothing.to_owned(),
            });
        }
        if let (Some(promised), Some(share)) = (one.sla.complete, measured.complete) {
            promises.push(Promise {
                what: "complete",
                promised: format!("{}% of rows complete", percent(promised)),
                kept: share >= promised && measured.rows > 0,
                found: match measured.rows {
                    0 => nothing.to_owned(),
                    // Never rounded up to what it is not.
                    _ => format!("{}%", percent((share * 1e6).floor() / 1e6)),
                },
            });
        }
        promises
    }

    /// Whether a time is young enough. Within days, the day counts; within hours, the moment.
    fn is_fresh(&self, one: &CanonicalDataset, newest: &str, count: u32, grain: Grain) -> bool {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let zone = |name: &str| TimeZone::get(name).ok();
        let here = zone(&registry.calendar.timezone).unwrap_or(TimeZone::UTC);
        let dataset = one.dataset().and_then(|name| registry.datasets.get(name));
        let stored = dataset.and_then(|dataset| zone(dataset.stored_in.as_ref()?));
        let written: Option<DateTime> = newest
            .get(..19)
            .and_then(|text| text.replace(' ', "T").parse().ok());
        let local = match (written, stored) {
            (Some(at), Some(stored)) => {
                let moment = at
                    .to_zoned(stored)
                    .map(|at| at.with_time_zone(here.clone()));
                moment.map(|moment| moment.datetime()).ok()
            }
            (written, _) => written,
        };
        let Some(day) = local.map(|at| at.date()).or_else(|| day_of(newest)) else {
            return false;
        };
        if !grain.is_sub_day() {
            return day >= self.today().saturating_sub(grain.day_span(count));
        }
        let now = Timestamp::now().to_zoned(here).datetime();
        let now = match now.date() == self.today() {
            true => now,
            false => self.today().at(23, 59, 59, 0),
        };
        let seconds = match grain {
            Grain::Hour => 3_600,
            Grain::Minute => 60,
            _ => 1,
        };
        let age = (i64::from(count) * seconds).seconds();
        local.is_some_and(|at| at >= now.saturating_sub(age))
    }
}

/// The rows of a question.
async fn ask(
    warehouse: &Warehouse,
    question: &Question,
    cancel: &CancellationToken,
) -> Result<Vec<Vec<Option<String>>>, WarehouseError> {
    let batches = rows(
        warehouse,
        question.sql.clone(),
        question.columns.clone(),
        cancel,
    )
    .await?;
    let each = batches.iter().flat_map(|batch| {
        (0..batch.num_rows()).map(move |row| {
            let columns = batch.columns().iter();
            columns
                .map(|column| raw_text(column.as_ref(), row))
                .collect()
        })
    });
    Ok(each.collect())
}

/// Why one question has no answer; an error where no other would have one.
fn unanswered(error: WarehouseError) -> Result<String, SessionError> {
    match error.kind {
        WarehouseErrorKind::Query
        | WarehouseErrorKind::Data
        | WarehouseErrorKind::Timeout
        | WarehouseErrorKind::Expensive => Ok(error.message),
        WarehouseErrorKind::Cancelled => Err(SessionError::interrupted()),
        _ => Err(error.into()),
    }
}

fn days(rows: &[Vec<Option<String>>]) -> Vec<Date> {
    let cells = rows.iter().filter_map(|row| row.first()?.as_deref());
    cells.filter_map(day_of).collect()
}

/// A share in percent, without zeros at its end.
fn percent(share: f64) -> String {
    let text = format!("{:.4}", share * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
