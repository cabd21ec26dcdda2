//! The thread that writes the query log: what has come in meanwhile is one transaction.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::choices::{self, Change};
use super::feedback::{self, Said};
use super::insert::Log;
use super::policy::{self, Lesson};
use super::purge::{self, Purge};
use super::questions::{self, Question};
use super::{ModelCost, QueryRecord};
use super::{verdicts, workspace};
use crate::store::{Connection, SqlError, StoreError, TransactionBehavior, params};

/// How long a reader waits for what was just recorded; a locked file must not stop the screen.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long the thread waits for other processes; nobody waits for it.
const BUSY: Duration = Duration::from_secs(30);
/// Most orders that wait. Who hands over more than the file can take waits for it: nothing is dropped.
const QUEUE: usize = 8192;
/// Most orders of one transaction.
const BATCH: usize = 512;

/// The way to the thread; dropping it waits until everything is written.
#[derive(Debug)]
pub(super) struct Writer {
    orders: Option<SyncSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

/// Makes a record, on the thread.
type Make = Box<dyn FnOnce() -> QueryRecord + Send>;

/// Who waits for the number of queries that were dropped.
type Told = Sender<Result<usize, SqlError>>;

enum Order {
    Record(Make),
    /// Queries of elsewhere, each with a hash of it. Answer with the number of those that were new.
    Import(Vec<(i64, QueryRecord)>, Told),
    Say(Said),
    Reuse(i64),
    Spend(ModelCost),
    Change(Change),
    Verdict(verdicts::Change),
    Lesson(Lesson),
    Ask(Question),
    Workspace(String),
    Forget(String),
    /// Answer with the number of queries that were dropped.
    Purge(Purge, Option<Told>),
    /// Answer when everything before this is written.
    Report(Sender<()>),
}

impl Writer {
    pub(super) fn start(path: &Path, connection: Connection) -> Result<Self, StoreError> {
        let (orders, received) = sync_channel(QUEUE);
        connection
            .busy_timeout(BUSY)
            .map_err(|error| StoreError::of(path, error))?;
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

    pub(super) fn record(&self, make: Make) {
        self.send(Order::Record(make));
    }

    pub(super) fn say(&self, said: Said) {
        self.send(Order::Say(said));
    }

    pub(super) fn reuse(&self, id: i64) {
        self.send(Order::Reuse(id));
    }

    pub(super) fn spend(&self, cost: ModelCost) {
        self.send(Order::Spend(cost));
    }

    pub(super) fn change(&self, change: Change) {
        self.send(Order::Change(change));
    }

    pub(super) fn verdict(&self, change: verdicts::Change) {
        self.send(Order::Verdict(change));
    }

    pub(super) fn lesson(&self, lesson: Lesson) {
        self.send(Order::Lesson(lesson));
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

    /// Adds queries of elsewhere that are not there yet; how many.
    pub(super) fn import(&self, queries: Vec<(i64, QueryRecord)>) -> Result<usize, SqlError> {
        let (done, added) = channel();
        self.send(Order::Import(queries, done));
        // The thread ends only with this sender.
        added.recv().unwrap_or(Ok(0))
    }

    /// Drops queries some time.
    pub(super) fn drop_later(&self, purge: Purge) {
        self.send(Order::Purge(purge, None));
    }

    /// Drops queries; how many.
    pub(super) fn drop_now(&self, purge: Purge) -> Result<usize, SqlError> {
        let (done, dropped) = channel();
        self.send(Order::Purge(purge, Some(done)));
        // The thread ends only with this sender.
        dropped.recv().unwrap_or(Ok(0))
    }

    /// Waits a moment for what was recorded before.
    pub(super) fn catch_up(&self) {
        let (done, written) = channel();
        self.send(Order::Report(done));
        // Too late is fine: the answer is then a query behind.
        let _ = written.recv_timeout(PATIENCE);
    }

    /// Waits for what was recorded before.
    pub(super) fn flush(&self) {
        let (done, written) = channel();
        self.send(Order::Report(done));
        let _ = written.recv();
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

/// What is left to do when a transaction has ended.
#[derive(Default)]
struct Answers {
    reports: Vec<Sender<()>>,
    dropped: Vec<(usize, Option<Told>)>,
    added: Vec<(usize, Told)>,
}

fn write_all(mut connection: Connection, orders: &Receiver<Order>) {
    let mut log = Log::default();
    while let Ok(first) = orders.recv() {
        let more = std::iter::from_fn(|| orders.try_recv().ok());
        let mut batch = Vec::new();
        for order in std::iter::once(first).chain(more).take(BATCH) {
            // Reading SQL takes its time, in which nobody else should wait for the file.
            batch.push(match order {
                Order::Record(make) => {
                    let record = make();
                    Order::Record(Box::new(move || record))
                }
                order => order,
            });
        }
        let mut answers = Answers::default();
        let written = write_batch(&mut connection, &mut log, batch, &mut answers);
        if let Err(error) = &written {
            tracing::warn!(%error, "what was just used could not be written down");
            log.forget();
        }
        if written.is_ok() && answers.dropped.iter().any(|(dropped, _)| *dropped > 0) {
            // What was dropped is not to be found in the file any more. Where somebody reads it now, the next time does it.
            if let Err(error) = purge::wipe(&connection) {
                tracing::debug!(%error, "the file could not be made smaller");
            }
        }
        let dropped = answers.dropped.into_iter();
        let dropped = dropped.filter_map(|(dropped, answer)| Some((dropped, answer?)));
        for (count, answer) in dropped.chain(answers.added) {
            let told = match &written {
                Ok(()) => Ok(count),
                Err(_) => Err(SqlError::InvalidQuery),
            };
            let _ = answer.send(told);
        }
        for report in answers.reports {
            let _ = report.send(());
        }
    }
}

fn write_batch(
    connection: &mut Connection,
    log: &mut Log,
    batch: Vec<Order>,
    answers: &mut Answers,
) -> Result<(), SqlError> {
    let (reports, orders): (Vec<Order>, Vec<Order>) = batch
        .into_iter()
        .partition(|order| matches!(order, Order::Report(_)));
    answers.reports = reports
        .into_iter()
        .filter_map(|order| match order {
            Order::Report(done) => Some(done),
            _ => None,
        })
        .collect();
    if orders.is_empty() && log.is_known() {
        return Ok(());
    }
    let file = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    log.begin(&file)?;
    for order in orders {
        match order {
            Order::Record(make) => drop(log.insert(&file, &make())?),
            Order::Import(queries, answer) => {
                let mut added = 0;
                for (entry, query) in queries {
                    let is_new = file
                        .prepare_cached("INSERT OR IGNORE INTO imported VALUES (?)")?
                        .execute([entry])?;
                    if is_new > 0 {
                        log.insert(&file, &query)?;
                        added += 1;
                    }
                }
                answers.added.push((added, answer));
            }
            Order::Say(said) => feedback::write(&file, log, &said)?,
            Order::Reuse(id) => feedback::taken(&file, id)?,
            Order::Spend(cost) => add(&file, &cost)?,
            Order::Change(change) => choices::write(&file, &change)?,
            Order::Verdict(change) => verdicts::write(&file, &change)?,
            Order::Lesson(lesson) => policy::write(&file, &lesson)?,
            Order::Ask(question) => questions::write(&file, &question)?,
            Order::Workspace(text) => workspace::write(&file, &text)?,
            Order::Forget(text) => {
                let dropped = questions::forget(&file, log, &text)?;
                answers.dropped.push((dropped, None));
            }
            Order::Purge(wish, answer) => {
                let dropped = purge::write(&file, log, &wish);
                answers
                    .dropped
                    .push((*dropped.as_ref().unwrap_or(&0), answer));
                dropped?;
            }
            Order::Report(_) => {}
        }
    }
    log.fold.write(&file)?;
    file.commit()
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
