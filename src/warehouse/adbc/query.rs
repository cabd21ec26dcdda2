//! One statement from text to batches, on a blocking thread.

use adbc_core::{Connection as _, Statement as _};
use arrow_array::{RecordBatch, RecordBatchOptions, RecordBatchReader};
use arrow_schema::{ArrowError, Schema};
use jiff::tz::TimeZone;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::{Session, decode, error};
use crate::model::ColumnType;
use crate::warehouse::rows::{BATCH, FIRST_BATCH, schema};
use crate::warehouse::{Finished, Request, WarehouseError};

pub(super) fn run(
    session: &mut Session<'_>,
    request: &Request,
    zone: &TimeZone,
    sink: &mpsc::Sender<RecordBatch>,
) -> Result<Finished, WarehouseError> {
    let target = session.target;
    let failed = |error: adbc_core::error::Error| error::running(&error, target, &request.sql);
    let mut statement = session.connection.raw.new_statement().map_err(failed)?;
    statement.set_sql_query(&request.sql).map_err(failed)?;
    session.brake.hold(statement.get_cancel_handle());
    if session.stop.is_cancelled() {
        return Err(WarehouseError::cancelled());
    }
    let reader = statement.execute().map_err(failed)?;
    let columns = columns(&reader.schema(), request.columns.as_deref())?;
    let mut out = Out {
        session,
        sink,
        sent: 0,
    };
    for batch in reader {
        let batch = batch.map_err(|error| match error {
            ArrowError::ExternalError(error) => WarehouseError::query(error.to_string()),
            error => {
                let error = adbc_core::error::Error::from(error);
                error::running(&error, target, &request.sql)
            }
        })?;
        let left = match request.row_cap {
            Some(cap) => usize::try_from(cap - out.sent).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        let is_capped = batch.num_rows() > left;
        let batch = batch.slice(0, batch.num_rows().min(left));
        out.send(&decoded(&batch, &columns, zone, out.sent)?)?;
        if is_capped {
            return out.end(&columns, true);
        }
    }
    out.end(&columns, false)
}

/// Names and types of the columns: those wanted, else those the engine says.
fn columns(
    found: &Schema,
    wanted: Option<&[(String, ColumnType)]>,
) -> Result<Vec<(String, ColumnType)>, WarehouseError> {
    match wanted {
        Some(wanted) if wanted.len() != found.fields().len() => Err(WarehouseError::data(format!(
            "the statement returns {} columns where {} were expected",
            found.fields().len(),
            wanted.len()
        ))),
        Some(wanted) => Ok(wanted.to_vec()),
        None => {
            let fields = found.fields().iter();
            let column = |field: &std::sync::Arc<arrow_schema::Field>| {
                let ty = decode::natural(field.data_type())
                    .ok_or_else(|| decode::cannot_hold(field.name(), field.data_type()))?;
                Ok((field.name().clone(), ty))
            };
            fields.map(column).collect()
        }
    }
}

/// A batch of the engine's types in the types of results.
fn decoded(
    batch: &RecordBatch,
    columns: &[(String, ColumnType)],
    zone: &TimeZone,
    before: u64,
) -> Result<RecordBatch, WarehouseError> {
    let arrays = columns.iter().zip(batch.columns());
    let arrays = arrays
        .map(|((name, ty), array)| decode::column(name, array, *ty, zone, before))
        .collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema(columns), arrays, &options)
        .map_err(|error| WarehouseError::data(error.to_string()))
}

/// The way out, in batches that a screen can take.
struct Out<'o, 's> {
    session: &'o Session<'s>,
    sink: &'o mpsc::Sender<RecordBatch>,
    sent: u64,
}

impl Out<'_, '_> {
    fn send(&mut self, batch: &RecordBatch) -> Result<(), WarehouseError> {
        let mut from = 0;
        while from < batch.num_rows() {
            let most = if self.sent == 0 { FIRST_BATCH } else { BATCH };
            let rows = most.min(batch.num_rows() - from);
            self.push(batch.slice(from, rows))?;
            from += rows;
            self.sent += rows as u64;
        }
        Ok(())
    }

    /// Without any rows, sends the columns alone.
    fn end(
        self,
        columns: &[(String, ColumnType)],
        truncated: bool,
    ) -> Result<Finished, WarehouseError> {
        if self.sent == 0 {
            self.push(RecordBatch::new_empty(schema(columns)))?;
        }
        Ok(Finished {
            rows: self.sent,
            truncated,
        })
    }

    /// Waits until the reader takes the batch; a reader that is gone stops the statement.
    fn push(&self, batch: RecordBatch) -> Result<(), WarehouseError> {
        let sending = self.session.stop.run_until_cancelled(self.sink.send(batch));
        match Handle::current().block_on(sending) {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(WarehouseError::cancelled()),
        }
    }
}
