//! The chart of a query that is run for it.

use std::sync::Arc;

use arrow_array::RecordBatch;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{CUT, Chart, ChartKind, Rows, Wanted};
use crate::compile::{Compiled, OutputColumn};
use crate::session::run::collect;
use crate::session::{Answer, Failure, RunOptions, Session, SessionError};

impl Session {
    /// Runs what was compiled for a connection and draws its rows.
    ///
    /// # Errors
    /// As for [`Session::run`]; or the result cannot be drawn, or not so.
    pub async fn chart(
        &self,
        compiled: Arc<Compiled>,
        connection: &str,
        kind: Option<ChartKind>,
        options: RunOptions,
        cancel: CancellationToken,
    ) -> Result<(Chart, Answer), SessionError> {
        let (sender, events) = mpsc::channel(8);
        let wanted = Wanted {
            kind,
            column: None,
            range: compiled.range.to_string(),
        };
        let run = self.run_compiled(compiled, connection, options, cancel, sender);
        let answer = collect(run, events).await?;
        let refused = |why: String| SessionError::new(Failure::Query, "chart", why);
        if answer.truncated {
            let hint = format!("more than {} rows need a larger row cap", answer.rows);
            return Err(refused(CUT.to_owned()).with_hint(hint));
        }
        let chart = of_batches(&answer.columns, &answer.batches, &wanted).map_err(refused)?;
        Ok((chart, answer))
    }
}

/// Draws rows as they arrived.
fn of_batches(
    columns: &[OutputColumn],
    batches: &[RecordBatch],
    wanted: &Wanted,
) -> Result<Chart, String> {
    let (mut starts, mut count) = (Vec::new(), 0);
    for batch in batches {
        starts.push(count);
        count += batch.num_rows();
    }
    let cell = |row: usize, column: usize| {
        let at = starts
            .partition_point(|start| *start <= row)
            .checked_sub(1)?;
        let array = batches.get(at)?.columns().get(column)?;
        Some((array.as_ref(), row - starts.get(at)?))
    };
    let rows = Rows {
        columns,
        count,
        cell: &cell,
        is_sum: &|_| false,
    };
    Chart::of(&rows, wanted)
}
