//! One statement from text to batches, with a cancel that the server confirms.

use std::pin::{Pin, pin};
use std::time::Duration;

use arrow_array::RecordBatch;
use futures_util::TryStreamExt;
use jiff::tz::TimeZone;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Column, Error, RowStream};
use tokio_util::sync::CancellationToken;

use super::connect::{Canceller, Session};
use super::decode::Decoder;
use super::error;
use super::settings::Target;
use crate::model::ColumnType;
use crate::warehouse::rows::Rows;
use crate::warehouse::{Finished, Request, WarehouseError, WarehouseErrorKind};

/// How long a cancelled statement gets before the server is asked again, and how often it is asked.
const PATIENCE: Duration = Duration::from_secs(3);
const ATTEMPTS: usize = 4;
/// How long a result that is only a little longer than the cap may take to end by itself, without a cancel.
const GRACE: Duration = Duration::from_millis(50);

/// A statement in a session whose transaction has begun.
pub(super) struct Query<'q> {
    pub(super) target: &'q Target,
    pub(super) zone: &'q TimeZone,
    pub(super) request: &'q Request,
    pub(super) session: &'q Session,
    pub(super) sink: &'q mpsc::Sender<RecordBatch>,
    /// Cancelled by the caller.
    pub(super) cancel: &'q CancellationToken,
    /// A child of `cancel`, also cancelled from within when no more rows are wanted.
    pub(super) stop: CancellationToken,
}

/// How a statement ended, and whether its session may serve another one.
pub(super) struct Ended {
    pub(super) result: Result<Finished, WarehouseError>,
    pub(super) reusable: bool,
}

/// Why the rest of the rows is not wanted.
enum Enough {
    Capped,
    /// The caller cancelled, or nobody reads any more.
    Stopped,
    Misfit(WarehouseError),
}

impl Query<'_> {
    /// Runs the statement until it ends, or is cancelled and the server has stopped.
    pub(super) async fn run(&self) -> Ended {
        let mut on_drop = CancelOnDrop(Some(self.session.canceller.clone()));
        let mut work = pin!(self.stream());
        let ended = tokio::select! {
            ended = &mut work => ended,
            () = self.stop.cancelled() => {
                let mut attempt = 0;
                loop {
                    attempt += 1;
                    let sent = self.session.canceller.cancel().await;
                    match tokio::time::timeout(PATIENCE, &mut work).await {
                        Ok(ended) => break ended,
                        Err(_) if attempt < ATTEMPTS => {}
                        Err(_) => break Ended { result: Err(self.unconfirmed(sent)), reusable: false },
                    }
                }
            }
        };
        on_drop.0 = None;
        ended
    }

    fn unconfirmed(&self, sent: Result<(), Error>) -> WarehouseError {
        let why = match sent {
            Ok(()) => "the server did not confirm it".to_owned(),
            Err(error) => error.to_string(),
        };
        WarehouseError::connection(format!(
            "the cancel did not reach PostgreSQL at {} ({why}); the connection was closed",
            self.target.name
        ))
        .hint("the server may still be working on the statement")
    }

    async fn stream(&self) -> Ended {
        let mut confirmed = false;
        let result = self.read(&mut confirmed).await;
        // A cancel that the statement did not answer is still on its way and could hit the next one.
        let stray = self.stop.is_cancelled() && !confirmed;
        Ended {
            result,
            reusable: !stray && !self.session.client.is_closed(),
        }
    }

    async fn read(&self, confirmed: &mut bool) -> Result<Finished, WarehouseError> {
        let client = &self.session.client;
        let mut failed = |error: Error| {
            *confirmed =
                error.code() == Some(&SqlState::QUERY_CANCELED) && self.stop.is_cancelled();
            if *confirmed {
                return WarehouseError::cancelled();
            }
            error::running(&error, self.target, &self.request.sql)
        };
        let statement = client
            .prepare(&self.request.sql)
            .await
            .map_err(&mut failed)?;
        if statement.columns().is_empty() {
            return Err(WarehouseError::query("the statement returns no rows"));
        }
        let mut decoders = self.decoders(statement.columns())?;
        let columns: Vec<_> = decoders.iter().map(Decoder::column).collect();
        let mut rows = Rows::new(&columns);
        let parameters: [&str; 0] = [];
        let stream = client
            .query_raw(&statement, parameters)
            .await
            .map_err(&mut failed)?;
        let (enough, error) = self.take_rows(stream, &mut decoders, &mut rows).await;
        let error = error.map(failed);
        let truncated = match enough {
            Some(Enough::Misfit(misfit)) => return Err(misfit),
            // A connection that was lost meanwhile confirms nothing.
            Some(Enough::Stopped) => {
                let lost = error.filter(|error| error.kind == WarehouseErrorKind::Connection);
                return Err(lost.unwrap_or_else(WarehouseError::cancelled));
            }
            // The cancel that cut the rest off is answered with an error; that is how it should be.
            Some(Enough::Capped) => true,
            None => match error {
                Some(error) => return Err(error),
                None => false,
            },
        };
        let finished = Finished {
            rows: rows.total(),
            truncated,
        };
        let Some(batch) = rows.finish()? else {
            return Ok(finished);
        };
        match self.cancel.run_until_cancelled(self.sink.send(batch)).await {
            Some(Ok(())) => Ok(finished),
            Some(Err(_)) | None => Err(WarehouseError::cancelled()),
        }
    }

    /// Sends rows on as long as they are wanted, then reads to the end of the stream, which confirms a cancel.
    async fn take_rows(
        &self,
        stream: RowStream,
        decoders: &mut [Decoder],
        rows: &mut Rows,
    ) -> (Option<Enough>, Option<Error>) {
        let mut stream = pin!(stream);
        let mut enough = None;
        loop {
            let row = match stream.try_next().await {
                Ok(Some(row)) => row,
                Ok(None) => return (enough, None),
                Err(error) => return (enough, Some(error)),
            };
            if enough.is_some() {
                continue;
            }
            if self.stop.is_cancelled() {
                enough = Some(Enough::Stopped);
                continue;
            }
            if self.request.row_cap.is_some_and(|cap| rows.total() >= cap) {
                enough = Some(Enough::Capped);
            } else {
                let mut decoders = decoders.iter_mut();
                let pushed = rows.push(|index| match decoders.next() {
                    Some(decoder) => decoder.cell(&row, index),
                    None => Err(WarehouseError::data("a row has too few columns")),
                });
                enough = match pushed {
                    Ok(None) => None,
                    Ok(Some(batch)) => {
                        let sent = self.stop.run_until_cancelled(self.sink.send(batch)).await;
                        (!matches!(sent, Some(Ok(())))).then_some(Enough::Stopped)
                    }
                    Err(misfit) => Some(Enough::Misfit(misfit)),
                };
            }
            if let Some(Enough::Capped) = enough
                && let Ok(end) = tokio::time::timeout(GRACE, discard(&mut stream)).await
            {
                return (enough, end.err());
            }
            if enough.is_some() {
                self.stop.cancel();
            }
        }
    }

    fn decoders(&self, columns: &[Column]) -> Result<Vec<Decoder>, WarehouseError> {
        let wanted = match &self.request.columns {
            Some(wanted) if wanted.len() != columns.len() => {
                return Err(WarehouseError::data(format!(
                    "the statement returns {} columns where {} were expected",
                    columns.len(),
                    wanted.len()
                )));
            }
            wanted => wanted.as_deref().unwrap_or_default(),
        };
        let decoder = |(index, column): (usize, &Column)| {
            let (name, ty): (&str, Option<ColumnType>) = match wanted.get(index) {
                Some((name, ty)) => (name, Some(*ty)),
                None => (column.name(), None),
            };
            Decoder::new(name, column.type_(), ty, self.zone)
        };
        columns.iter().enumerate().map(decoder).collect()
    }
}

/// The plan of a statement, which is not run; `None` for a statement that returns no rows.
pub(super) async fn explain(client: &Client, sql: &str) -> Result<Option<Vec<String>>, Error> {
    // Parsed alone first: what is no query, such as `ANALYZE DELETE …`, must not meet the word EXPLAIN.
    if client.prepare(sql).await?.columns().is_empty() {
        return Ok(None);
    }
    let rows = client.query(&format!("EXPLAIN {sql}"), &[]).await?;
    rows.iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Reads to the end.
async fn discard(stream: &mut Pin<&mut RowStream>) -> Result<(), Error> {
    while stream.try_next().await?.is_some() {}
    Ok(())
}

/// A caller that stops waiting must not leave the server working.
struct CancelOnDrop(Option<Canceller>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(canceller) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async move { canceller.cancel().await });
        }
    }
}
