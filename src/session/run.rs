//! Running queries: rows stream out while they arrive, totals come from the engine, results are kept and runs recorded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::cache::{Collector, Key};
use super::engine_columns::named_columns;
use super::{Failure, Session, SessionError};
use crate::compile::{Compiled, OutputColumn, Reason, ReasonKind, Statement};
use crate::model::{Comparison, Connection, Filter, GroupBy, MetricQuery, OrderBy, TimeRange};
use crate::warehouse::{Finished, Request, Warehouse, WarehouseError};

/// How to run a query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Ask the warehouse even where a kept result is young enough.
    pub fresh: bool,
    /// Most rows to return; `None` is the connection's own limit.
    pub row_cap: Option<u64>,
}

/// What a run sends while it goes on.
#[derive(Debug, Clone)]
pub enum RunEvent {
    /// The query compiled; rows follow.
    Started(Arc<Compiled>),
    /// Some rows.
    Batch(RecordBatch),
    /// The total row, for queries that ask for it ([`MetricQuery::total`]); it may come before the last rows.
    Totals(RecordBatch),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunSummary {
    /// Rows sent.
    pub rows: u64,
    /// Whether there are more rows than the limit.
    pub truncated: bool,
    /// From the call to the last row.
    pub elapsed: Duration,
    /// Age of the kept result that was sent; `None` when the warehouse was asked.
    pub cached: Option<Duration>,
    /// When the warehouse was asked.
    pub as_of: Timestamp,
}

/// What to ask of a metric; what is left out takes the metric's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Groupings.
    pub group_by: Option<Vec<GroupBy>>,
    /// Conditions.
    pub filters: Option<Filter>,
    /// Time range.
    pub time: Option<TimeRange>,
    /// Comparison.
    pub compare: Option<Comparison>,
    /// Sort keys.
    pub order: Vec<OrderBy>,
    /// Most rows wanted.
    pub limit: Option<u64>,
}

/// A complete answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The query that was answered, with the defaults that applied.
    pub line: String,
    /// The columns, in order.
    pub columns: Vec<OutputColumn>,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// The total row, where the query asks for one.
    pub totals: Option<RecordBatch>,
    /// Number of rows.
    pub rows: u64,
    /// Whether there are more rows than the limit.
    pub truncated: bool,
    /// The SQL.
    pub sql: String,
    /// Why the SQL is as it is.
    pub reasons: Vec<Reason>,
    /// What a reader should know beside the rows, see [`notes`].
    pub notes: Vec<String>,
    /// Age of the kept result that was returned; `None` when the warehouse was asked.
    pub cached: Option<Duration>,
    /// From the call to the last row.
    pub elapsed: Duration,
}

impl Session {
    /// The one call for programs: a metric, by name or alias, grouped and filtered as asked.
    ///
    /// # Errors
    /// The query is refused, or the warehouse fails.
    pub async fn get_metric(
        &self,
        name: &str,
        overrides: Overrides,
    ) -> Result<Answer, SessionError> {
        let query = MetricQuery {
            metrics: vec![name.to_owned()],
            group_by: overrides.group_by,
            filters: overrides.filters,
            time: overrides.time,
            compare: overrides.compare,
            order: overrides.order,
            limit: overrides.limit,
            ..MetricQuery::default()
        };
        self.answer(&query, RunOptions::default(), CancellationToken::new())
            .await
    }

    /// Runs a query to its end.
    ///
    /// # Errors
    /// As for [`Session::run`].
    pub async fn answer(
        &self,
        query: &MetricQuery,
        options: RunOptions,
        cancel: CancellationToken,
    ) -> Result<Answer, SessionError> {
        let (sender, events) = mpsc::channel(8);
        collect(self.run(query, options, cancel, sender), events).await
    }

    /// Compiles and runs a query; rows arrive as events while the engine works. Cancelling stops the engine. A receiver
    /// that goes away cancels too.
    ///
    /// # Errors
    /// The query is refused, or the warehouse fails; rows sent before a failure stay sent.
    pub async fn run(
        &self,
        query: &MetricQuery,
        options: RunOptions,
        cancel: CancellationToken,
        events: mpsc::Sender<RunEvent>,
    ) -> Result<RunSummary, SessionError> {
        // Another connection may be chosen while this runs.
        let name = self.connection();
        let compiled = match self.compile_on(query, &name, self.dialect_of(&name)) {
            Ok(compiled) => Arc::new(compiled),
            Err(error) => {
                let error = SessionError::from(error);
                self.note_refused(query, &error);
                return Err(error);
            }
        };
        self.run_compiled(compiled, &name, options, cancel, events)
            .await
    }

    /// Runs what was compiled, or checked, for a connection before; see [`Session::run`].
    ///
    /// # Errors
    /// The warehouse fails; rows sent before a failure stay sent.
    pub async fn run_compiled(
        &self,
        compiled: Arc<Compiled>,
        connection: &str,
        options: RunOptions,
        cancel: CancellationToken,
        events: mpsc::Sender<RunEvent>,
    ) -> Result<RunSummary, SessionError> {
        self.run_noted(compiled, connection, options, cancel, events, true)
            .await
    }

    /// Without `recorded`, it is not a query that the history shows.
    async fn run_noted(
        &self,
        compiled: Arc<Compiled>,
        connection: &str,
        options: RunOptions,
        cancel: CancellationToken,
        events: mpsc::Sender<RunEvent>,
        recorded: bool,
    ) -> Result<RunSummary, SessionError> {
        let (started, began) = (Instant::now(), Timestamp::now());
        let asked = self.now();
        let connection = self.connection_named(connection)?;
        let key = key(&compiled, connection, options);
        let running = match recorded {
            true => self.begin(&compiled, &key, asked),
            false => None,
        };
        let result = if compiled.main.columns.is_empty() {
            let (sender, arriving) = mpsc::channel(4);
            let fetch = async {
                let sender = sender;
                self.fetch(&compiled, &key, options.fresh, cancel, &sender)
                    .await
            };
            let named = self.name_columns(&compiled, arriving, &events);
            tokio::join!(fetch, named).0
        } else {
            let start = RunEvent::Started(compiled.clone());
            if events.send(start).await.is_err() {
                return Err(SessionError::interrupted());
            }
            self.fetch(&compiled, &key, options.fresh, cancel, &events)
                .await
        };
        let elapsed = started.elapsed();
        match &result {
            Ok((finished, cached)) => tracing::info!(
                metrics = compiled.query.metrics.join(", "),
                rows = finished.rows,
                ?elapsed,
                ?cached,
                "query"
            ),
            Err(error) => tracing::warn!(
                metrics = compiled.query.metrics.join(", "),
                ?elapsed,
                code = error.code(),
                "query failed"
            ),
        }
        // Filters may hold what is not for everyone's eyes; it is logged only for those who ask for it.
        let error = result.as_ref().err().map(|error| &error.message);
        tracing::debug!(line = key.line, sql = key.sql, ?error);
        // What has to be asked about first has not run.
        let has_run = !matches!(&result, Err(error) if error.failure == Failure::Expensive);
        match running {
            Some(running) if has_run => running.end(elapsed, &result).await,
            Some(running) => running.forget(),
            None => {}
        }
        let (finished, cached) = result?;
        Ok(RunSummary {
            rows: finished.rows,
            truncated: finished.truncated,
            elapsed,
            cached,
            as_of: began
                .saturating_sub(cached.unwrap_or_default())
                .unwrap_or(began),
        })
    }

    /// Runs a query that belongs to another one, on the connection of that one, to its end; no history shows it.
    ///
    /// # Errors
    /// As for [`Session::run`].
    pub async fn answer_beside(
        &self,
        query: &MetricQuery,
        connection: &str,
        cancel: CancellationToken,
    ) -> Result<Answer, SessionError> {
        let dialect = self.dialect_of(connection);
        let compiled = Arc::new(self.compile_on(query, connection, dialect)?);
        let (sender, events) = mpsc::channel(8);
        let options = RunOptions::default();
        let run = self.run_noted(compiled, connection, options, cancel, sender, false);
        collect(run, events).await
    }

    /// Passes a run on whose columns only the engine knows: they are named when the first rows are there.
    async fn name_columns(
        &self,
        compiled: &Arc<Compiled>,
        mut arriving: mpsc::Receiver<RunEvent>,
        events: &mpsc::Sender<RunEvent>,
    ) {
        let mut has_started = false;
        while let Some(event) = arriving.recv().await {
            if let (false, RunEvent::Batch(batch)) = (has_started, &event) {
                has_started = true;
                let mut named = compiled.as_ref().clone();
                named.main.columns =
                    named_columns(&self.catalog().registry, &compiled.query, &batch.schema());
                let start = RunEvent::Started(Arc::new(named));
                if events.send(start).await.is_err() {
                    return;
                }
            }
            if events.send(event).await.is_err() {
                return;
            }
        }
    }

    /// Sends the rows, from what is kept or from the warehouse.
    async fn fetch(
        &self,
        compiled: &Compiled,
        key: &Key,
        fresh: bool,
        cancel: CancellationToken,
        events: &mpsc::Sender<RunEvent>,
    ) -> Result<(Finished, Option<Duration>), SessionError> {
        let ttl = self.project().config.cache_ttl;
        if !fresh && let Some((kept, age)) = self.cache().get(key, ttl) {
            let totals = kept.totals.map(RunEvent::Totals);
            for event in kept.batches.into_iter().map(RunEvent::Batch).chain(totals) {
                events
                    .send(event)
                    .await
                    .map_err(|_| SessionError::interrupted())?;
            }
            return Ok((
                Finished {
                    rows: kept.rows,
                    truncated: kept.truncated,
                },
                Some(age),
            ));
        }
        let warehouse = match compiled.embedded {
            true => self.rollup_file(&key.connection)?,
            false => self.warehouse(&key.connection)?,
        };
        let total = compiled.total();
        let both = std::iter::once(&compiled.main).chain(total);
        let both: Vec<&str> = both.map(|statement| statement.sql.as_str()).collect();
        let warehouse = warehouse.passed(&both, &cancel).await?;
        // Whichever of the two statements fails stops the other.
        let cancel = cancel.child_token();
        let stop = |error: WarehouseError| {
            cancel.cancel();
            error
        };
        let main = async {
            let sent = stream(
                &warehouse,
                &compiled.main,
                Some(key.row_cap),
                &cancel,
                events,
            )
            .await;
            sent.map_err(stop)
        };
        let totals = async {
            let Some(statement) = total else {
                return Ok(None);
            };
            let row = total_row(&warehouse, statement, &cancel)
                .await
                .map_err(stop)?;
            if let Some(row) = &row {
                // Where nobody listens, the main statement ends for the same reason.
                let _ = events.send(RunEvent::Totals(row.clone())).await;
            }
            Ok(row)
        };
        let (main, totals) = tokio::join!(main, totals);
        let ((finished, collected), row) = match (main, totals) {
            (Ok(main), Ok(row)) => (main, row),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => return Err(error.into()),
            (Err(one), Err(other)) => return Err(first_cause(one, other).into()),
        };
        self.cache().put(key.clone(), collected, |kept| {
            kept.totals = row;
            kept.rows = finished.rows;
            kept.truncated = finished.truncated;
        });
        Ok((finished, None))
    }
}

/// Follows a run to its end.
pub(super) async fn collect(
    run: impl Future<Output = Result<RunSummary, SessionError>>,
    mut events: mpsc::Receiver<RunEvent>,
) -> Result<Answer, SessionError> {
    let collect = async {
        let (mut compiled, mut batches, mut totals) = (None, Vec::new(), None);
        while let Some(event) = events.recv().await {
            match event {
                RunEvent::Started(started) => compiled = Some(started),
                RunEvent::Batch(batch) => batches.push(batch),
                RunEvent::Totals(row) => totals = Some(row),
            }
        }
        (compiled, batches, totals)
    };
    let (summary, (compiled, batches, totals)) = tokio::join!(run, collect);
    let summary = summary?;
    // A run that succeeds has started.
    let compiled = compiled.ok_or_else(SessionError::interrupted)?;
    Ok(Answer {
        line: compiled.query.to_string(),
        columns: compiled.main.columns.clone(),
        batches,
        totals,
        rows: summary.rows,
        truncated: summary.truncated,
        sql: compiled.main.sql.clone(),
        reasons: compiled.reasons.clone(),
        notes: notes(&compiled),
        cached: summary.cached,
        elapsed: summary.elapsed,
    })
}

fn key(compiled: &Compiled, connection: &Connection, options: RunOptions) -> Key {
    Key {
        connection: connection.name.clone(),
        line: compiled.query.to_string(),
        sql: compiled.main.sql.clone(),
        totals: compiled.total().map(|total| total.sql.clone()),
        row_cap: options.row_cap.unwrap_or(connection.row_cap),
    }
}

/// What a reader should know beside the rows: values that could not be checked and the like, and why there is no total
/// where one is asked for.
pub fn notes(compiled: &Compiled) -> Vec<String> {
    let notes = compiled.reasons.iter();
    let mut notes: Vec<_> = notes
        .filter(|reason| reason.kind == ReasonKind::Note)
        .map(|reason| reason.text.clone())
        .collect();
    if let (true, Err(why)) = (compiled.query.total, &compiled.totals) {
        notes.push(format!("no total: {why}"));
    }
    notes
}

/// Of two failures, the one that was not merely stopped by the other.
fn first_cause(one: WarehouseError, other: WarehouseError) -> WarehouseError {
    if one.kind == crate::warehouse::WarehouseErrorKind::Cancelled {
        other
    } else {
        one
    }
}

pub(super) fn request(statement: &Statement, row_cap: Option<u64>) -> Request {
    let columns: Vec<_> = statement
        .columns
        .iter()
        .map(|column| (column.name.clone(), column.ty))
        .collect();
    Request {
        sql: statement.sql.clone(),
        // SQL that was not compiled here has no columns yet; the engine says what they are.
        columns: (!columns.is_empty()).then_some(columns),
        row_cap,
    }
}

/// Runs a statement and passes its rows on while collecting them.
async fn stream(
    warehouse: &Warehouse,
    statement: &Statement,
    row_cap: Option<u64>,
    cancel: &CancellationToken,
    events: &mpsc::Sender<RunEvent>,
) -> Result<(Finished, Collector), WarehouseError> {
    let (sender, mut batches) = mpsc::channel(4);
    let query = async {
        let sender = sender;
        warehouse
            .query(request(statement, row_cap), cancel, &sender)
            .await
    };
    let forward = async {
        let mut collector = Collector::new();
        while let Some(batch) = batches.recv().await {
            collector.batch(&batch);
            if events.send(RunEvent::Batch(batch)).await.is_err() {
                cancel.cancel();
            }
        }
        collector
    };
    let (finished, collector) = tokio::join!(query, forward);
    Ok((finished?, collector))
}

/// The one row of a statement that has one.
pub(super) async fn total_row(
    warehouse: &Warehouse,
    statement: &Statement,
    cancel: &CancellationToken,
) -> Result<Option<RecordBatch>, WarehouseError> {
    let (batches, _) = all_rows(warehouse, statement, None, cancel).await?;
    Ok(batches.into_iter().find(|batch| batch.num_rows() > 0))
}

/// All rows of a statement, and whether there are more than the limit.
pub(super) async fn all_rows(
    warehouse: &Warehouse,
    statement: &Statement,
    row_cap: Option<u64>,
    cancel: &CancellationToken,
) -> Result<(Vec<RecordBatch>, bool), WarehouseError> {
    let (sender, mut received) = mpsc::channel(4);
    let query = async {
        let sender = sender;
        warehouse
            .query(request(statement, row_cap), cancel, &sender)
            .await
    };
    let collect = async {
        let mut batches = Vec::new();
        while let Some(batch) = received.recv().await {
            batches.push(batch);
        }
        batches
    };
    let (finished, batches) = tokio::join!(query, collect);
    Ok((batches, finished?.truncated))
}
