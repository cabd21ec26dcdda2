//! The thread that writes the query log, one transaction per query.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::choices::{self, Change};
use super::questions::{self, Question};
use super::workspace;
use super::{ModelCost, Outcome, QueryRecord};
use crate::store::{Connection, SqlError, StoreError, params};

/// How long a reader waits for what was just recorded; a locked file must not stop the screen.
const PATIENCE: Duration = Duration::from_millis(100);

/// The way to the thread; dropping it waits until everything is written.
#[derive(Debug)]
pub(super) struct Writer {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

enum Order {
    Record(QueryRecord),
    Spend(ModelCost),
    Change(Change),
    Ask(Question),
    Workspace(String),
    Forget(String),
    /// Answer when everything before this is written.
    Report(Sender<()>),
}

impl Writer {
    pub(super) fn start(path: &Path, connection: Connection) -> Result<Self, StoreError> {
        let (orders, received) = channel();
        let thread = std::thread::Builder::new()
            .name("usage".to_owned())
            .spawn(move || write_all(connection, &received))
            .map_err(|error| StoreError::Io {
                path: path.to_owned(),
                error,
            })?;
        Ok(Self {
            orders: Some(orders),
            thread: Some(thread),
        })
    }

    pub(super) fn record(&self, query: QueryRecord) {
        self.send(Order::Record(query));
    }

    pub(super) fn spend(&self, cost: ModelCost) {
        self.send(Order::Spend(cost));
    }

    pub(super) fn change(&self, change: Change) {
        self.send(Order::Change(change));
    }

    pub(super) fn ask(&self, question: Question) {
        self.send(Order::Ask(question));
    }

    pub(super) fn forget(&self, text: String) {
        self.send(Order::Forget(text));
    }

    pub(super) fn keep_workspace(&self, text: String) {
        self.send(Order::Workspace(text));
    }

    /// Waits a moment for what was recorded before.
    pub(super) fn catch_up(&self) {
        let (done, written) = channel();
        self.send(Order::Report(done));
        // Too late is fine: the answer is then a query behind.
        let _ = written.recv_timeout(PATIENCE);
    }

    fn send(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // The thread ends only with this sender.
            let _ = orders.send(order);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_all(mut connection: Connection, orders: &Receiver<Order>) {
    for order in orders {
        match order {
            Order::Record(query) => {
                if let Err(error) = write(&mut connection, &query) {
                    tracing::warn!(%error, "the query could not be logged");
                }
            }
            Order::Spend(cost) => {
                if let Err(error) = add(&connection, &cost) {
                    tracing::warn!(%error, "the cost of a model could not be written down");
                }
            }
            Order::Change(change) => {
                if let Err(error) = choices::write(&connection, &change) {
                    tracing::warn!(%error, "a choice could not be written down");
                }
            }
            Order::Ask(question) => {
                if let Err(error) = questions::write(&connection, &question) {
                    tracing::warn!(%error, "a question could not be written down");
                }
            }
            Order::Workspace(text) => {
                if let Err(error) = workspace::write(&connection, &text) {
                    tracing::warn!(%error, "what is open could not be written down");
                }
            }
            Order::Forget(text) => {
                if let Err(error) = questions::forget(&connection, &text) {
                    tracing::warn!(%error, "a line of the history could not be forgotten");
                }
            }
            Order::Report(done) => {
                let _ = done.send(());
            }
        }
    }
}

fn write(connection: &mut Connection, query: &QueryRecord) -> Result<(), SqlError> {
    let (outcome, error) = match &query.outcome {
        Outcome::Ok => ("ok", None),
        Outcome::Cancelled => ("cancelled", None),
        Outcome::Failed(error) => ("failed", Some(error)),
    };
    let transaction = connection.transaction()?;
    transaction.execute(
        "INSERT INTO queries (at, line, connection, ms, rows, outcome, error) VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![
            query.at.to_string(),
            query.line,
            query.connection,
            query.ms,
            query.rows,
            outcome,
            error
        ],
    )?;
    let id = transaction.last_insert_rowid();
    for metric in &query.metrics {
        transaction.execute(
            "INSERT OR IGNORE INTO query_metrics VALUES (?, ?)",
            params![id, metric],
        )?;
    }
    transaction.commit()
}

fn add(connection: &Connection, cost: &ModelCost) -> Result<(), SqlError> {
    connection.execute(
        "INSERT INTO model_calls VALUES (?, ?, 1, ?, ?, ?)
         ON CONFLICT (day, model) DO UPDATE SET
             calls = calls + 1,
             tokens_in = tokens_in + excluded.tokens_in,
             tokens_out = tokens_out + excluded.tokens_out,
             cost = cost + excluded.cost",
        params![
            cost.day.to_string(),
            cost.model,
            cost.tokens_in,
            cost.tokens_out,
            cost.cost
        ],
    )?;
    Ok(())
}
