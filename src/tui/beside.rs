//! What belongs to the rows of a result and is asked beside them: subtotals and trends.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::widgets::grid::{Level, Trend};
use crate::compile::Compiled;
use crate::session::{Answer, Session, partial_starts, subtotal_queries, trend_query};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Rows for fewer groups.
    Subtotals,
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
    /// The rows per period.
    Trend(Trend),
}

impl BesideJob {
    /// Asks the warehouse.
    ///
    /// # Errors
    /// Why there is no answer, in words for people.
    pub async fn run(self, session: &Session, cancel: CancellationToken) -> Result<Beside, String> {
        match self.wanted {
            Wanted::Subtotals => {
                let mut levels = Vec::new();
                for query in subtotal_queries(&self.compiled)? {
                    let answer = self.answer(session, &query, &cancel).await?;
                    let result = &self.compiled.main.columns;
                    levels.push(Level::new(result, &answer.columns, &answer.batches)?);
                }
                Ok(Beside::Subtotals(levels))
            }
            Wanted::Trend => {
                let registry = &session.catalog().registry;
                let (query, grain) = trend_query(registry, &self.compiled)?;
                let answer = self.answer(session, &query, &cancel).await?;
                let range = self.compiled.range;
                let week_start = registry.calendar.week_start;
                let partial = partial_starts(range, grain, week_start, session.today());
                let trend = Trend::new(grain, &answer.columns, &answer.batches, &partial);
                if trend.periods() < 2 {
                    return Err(format!("the time range has no two whole {grain}s"));
                }
                Ok(Beside::Trend(trend))
            }
        }
    }

    async fn answer(
        &self,
        session: &Session,
        query: &crate::model::MetricQuery,
        cancel: &CancellationToken,
    ) -> Result<Answer, String> {
        let answer = session
            .answer_beside(query, &self.connection, cancel.clone())
            .await
            .map_err(|error| error.message)?;
        if answer.truncated {
            return Err(format!("there are more than {} rows of them", answer.rows));
        }
        Ok(answer)
    }
}
