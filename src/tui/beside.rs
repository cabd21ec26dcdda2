//! What belongs to the rows of a result and is asked beside them: subtotals, totals and trends.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::widgets::grid::{Level, PivotTotals, Trend};
use crate::compile::Compiled;
use crate::model::MetricQuery;
use crate::session::{
    Answer, Failure, Session, SessionError, partial_starts, subtotal_queries, total_queries,
    trend_query,
};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Rows for fewer groups.
    Subtotals,
    /// The totals of a result that is pivoted by a grouping, by its place.
    Totals(usize),
    /// The rows per period.
    Trend,
}

/// Something to ask for, with the result that it belongs to.
#[derive(Debug, Clone)]
pub struct BesideJob {
    /// What.
    pub wanted: Wanted,
    /// The query as it was run.
    pub compiled: Arc<Compiled>,
    /// The connection it was run on.
    pub connection: String,
}

/// What was asked for.
#[derive(Debug)]
pub enum Beside {
    /// Rows for fewer groups.
    Subtotals(Vec<Level>),
    /// The totals of a pivoted result.
    Totals(PivotTotals),
    /// The rows per period.
    Trend(Trend),
}

impl BesideJob {
    /// Asks the warehouse.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn run(
        self,
        session: &Session,
        cancel: CancellationToken,
    ) -> Result<Beside, SessionError> {
        match self.wanted {
            Wanted::Subtotals => {
                let mut levels = Vec::new();
                for query in subtotal_queries(&self.compiled).map_err(refused)? {
                    levels.push(self.level(session, &query, &cancel).await?);
                }
                Ok(Beside::Subtotals(levels))
            }
            Wanted::Totals(pivoted) => {
                let queries = total_queries(&self.compiled, pivoted).map_err(refused)?;
                let rows = self.level(session, &queries.rows, &cancel).await?;
                let columns = match &queries.columns {
                    None => None,
                    Some((columns, all)) => Some((
                        self.level(session, columns, &cancel).await?,
                        self.level(session, all, &cancel).await?,
                    )),
                };
                Ok(Beside::Totals(PivotTotals { rows, columns }))
            }
            Wanted::Trend => {
                let registry = &session.catalog().registry;
                let (query, grain) = trend_query(registry, &self.compiled).map_err(refused)?;
                let answer = self.answer(session, &query, &cancel).await?;
                let range = self.compiled.range;
                let week_start = registry.calendar.week_start;
                let partial = partial_starts(range, grain, week_start, session.today());
                let trend = Trend::new(grain, &answer.columns, &answer.batches, &partial);
                if trend.periods() < 2 {
                    return Err(refused(format!("the time range has no two whole {grain}s")));
                }
                Ok(Beside::Trend(trend))
            }
        }
    }

    async fn level(
        &self,
        session: &Session,
        query: &MetricQuery,
        cancel: &CancellationToken,
    ) -> Result<Level, SessionError> {
        let answer = self.answer(session, query, cancel).await?;
        let result = &self.compiled.main.columns;
        Level::new(result, &answer.columns, &answer.batches).map_err(refused)
    }

    async fn answer(
        &self,
        session: &Session,
        query: &MetricQuery,
        cancel: &CancellationToken,
    ) -> Result<Answer, SessionError> {
        let answer = session
            .answer_beside(query, &self.connection, cancel.clone())
            .await?;
        if answer.truncated {
            let rows = answer.rows;
            return Err(refused(format!("there are more than {rows} rows of them")));
        }
        Ok(answer)
    }
}

fn refused(why: String) -> SessionError {
    SessionError::new(Failure::Query, "beside", why)
}
