//! The first numbers of a metric that is being defined, beside those of the metric that is most alike.

use indexmap::IndexMap;
use tokio_util::sync::CancellationToken;

use super::super::cell::{cell_text, raw_json, raw_text};
use super::super::run::all_rows;
use super::super::{Session, SessionError};
use super::Defined;
use crate::compile::{Compiled, Role};
use crate::model::MetricQuery;

/// Most rows that are shown.
const ROWS: u64 = 60;

/// The first numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FirstNumbers {
    /// The query line.
    pub line: String,
    /// Its SQL.
    pub sql: String,
    /// Each row: what it is of, its number, and the one of the metric that is most alike.
    pub rows: Vec<FirstRow>,
    /// The metric that is most alike.
    pub nearest: Option<String>,
    /// The numbers in order; NaN where there is none.
    pub history: Vec<f64>,
    /// Why there are none of the metric that is most alike.
    pub note: Option<String>,
}

/// One row of the first numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstRow {
    /// What it is of; nothing for a total.
    pub of: String,
    /// The number, for people.
    pub number: String,
    /// That of the metric that is most alike, for people.
    pub nearest: String,
}

/// What one query says: by what it is grouped by, the text and the number.
type Figures = IndexMap<Option<String>, (String, String, Option<f64>)>;

impl Session {
    /// Runs the query of a definition that nobody has written yet. The query log does not hear of it.
    ///
    /// # Errors
    /// It has no SQL, the warehouse fails, or it was cancelled.
    pub async fn first_numbers(
        &self,
        defined: &Defined,
        cancel: &CancellationToken,
    ) -> Result<FirstNumbers, SessionError> {
        let mut first = FirstNumbers {
            line: defined.line.clone(),
            sql: defined.sql.clone().unwrap_or_default(),
            nearest: defined.nearest.as_ref().map(|one| one.metric.clone()),
            ..FirstNumbers::default()
        };
        let session = self.clone();
        let (path, text) = (defined.path.clone(), defined.text.after.clone());
        let supposed = tokio::task::spawn_blocking(move || session.as_if(&[(&path, Some(&text))]));
        let supposed = supposed.await.map_err(|_| SessionError::interrupted())?;
        let own = supposed.figures(&defined.line, cancel).await?;
        let other = match defined.other_line() {
            None => None,
            Some(line) => match supposed.figures(&line, cancel).await {
                Ok(figures) => Some(figures),
                Err(error) if cancel.is_cancelled() => return Err(error),
                Err(error) => {
                    first.note = Some(error.message);
                    None
                }
            },
        };
        for (key, (of, number, value)) in own {
            let nearest = other.as_ref().and_then(|other| other.get(&key));
            first.history.push(value.unwrap_or(f64::NAN));
            first.rows.push(FirstRow {
                of,
                number,
                nearest: nearest
                    .map(|(_, number, _)| number.clone())
                    .unwrap_or_default(),
            });
        }
        Ok(first)
    }

    async fn figures(
        &self,
        line: &str,
        cancel: &CancellationToken,
    ) -> Result<Figures, SessionError> {
        let query: MetricQuery = line.parse()?;
        let session = self.clone();
        let compiled = tokio::task::spawn_blocking(move || {
            session
                .compile(&query)
                .map_err(|error| session.refusal(error))
        });
        let compiled = compiled.await.map_err(|_| SessionError::interrupted())??;
        let warehouse = self.warehouse(&self.connection())?;
        let (rows, _) = all_rows(&warehouse, &compiled.main, Some(ROWS), cancel).await?;
        let at = |role: Role| {
            compiled
                .main
                .columns
                .iter()
                .position(|column| column.role == role)
        };
        let (group, metric) = (at(Role::Group), at(Role::Metric));
        let mut figures = Figures::new();
        for batch in &rows {
            for row in 0..batch.num_rows() {
                let text = |at: Option<usize>| {
                    let (array, column) = batch.columns().get(at?).zip(column(&compiled, at?))?;
                    Some((cell_text(array.as_ref(), row, column).text, array))
                };
                let (of, key) = text(group).map_or((String::new(), None), |(of, array)| {
                    (of, raw_text(array.as_ref(), row))
                });
                let (number, value) = text(metric)
                    .map_or((String::new(), None), |(number, array)| {
                        (number, raw_json(array.as_ref(), row).as_f64())
                    });
                figures.insert(key, (of, number, value));
            }
        }
        Ok(figures)
    }
}

fn column(compiled: &Compiled, at: usize) -> Option<&crate::compile::OutputColumn> {
    compiled.main.columns.get(at)
}
