//! The thread that writes the query log: what has come in meanwhile is one transaction, and what cannot be written now is
//! tried again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::ModelCost;
use super::insert::Log;
use super::standing::{Standing, Trouble};
use super::write::Order;
use super::{choices, feedback, policy, purge, questions, verdicts, workspace};
use crate::store::{Connection, ErrorCode, SqlError, StoreError, TransactionBehavior, params};

/// How long a transaction waits for another process before it is tried again.
const BUSY: Duration = Duration::from_secs(1);
/// How long until a file that could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// Most orders of one transaction.
const BATCH: usize = 512;

/// The writing side of the log.
pub(super) struct Writing {
    path: PathBuf,
    file: Connection,
    log: Log,
    standing: Arc<Standing>,
}

/// What a transaction has done.
#[derive(Default)]
struct Done {
    /// What who waits for it is told.
    count: usize,
    dropped: usize,
}

impl Writing {
    pub(super) fn new(
        path: &Path,
        file: Connection,
        standing: Arc<Standing>,
    ) -> Result<Self, StoreError> {
        file.busy_timeout(BUSY)
            .map_err(|error| StoreError::of(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            log: Log::default(),
            standing,
        })
    }

    /// Writes what comes in until nobody can hand anything over any more.
    pub(super) fn serve(mut self, orders: &Receiver<Order>) {
        let mut next = None;
        while let Some(first) = next.take().or_else(|| orders.recv().ok()) {
            let mut batch = vec![made(first)];
            while batch.len() < BATCH && batch.iter().all(|order| !order.is_alone()) {
                match orders.try_recv() {
                    Ok(order) if !order.is_alone() => batch.push(made(order)),
                    Ok(order) => {
                        next = Some(order);
                        break;
                    }
                    Err(_) => break,
                }
            }
            self.write(batch);
        }
    }

    fn write(&mut self, batch: Vec<Order>) {
        let can_wait = batch.iter().all(Order::can_wait);
        self.standing.set_dropping(can_wait);
        if !(can_wait && self.standing.is_closing()) {
            self.try_to_write(batch, can_wait);
        }
        self.standing.set_dropping(false);
    }

    fn try_to_write(&mut self, batch: Vec<Order>, can_wait: bool) {
        loop {
            let error = match write_batch(&mut self.file, &mut self.log, &batch) {
                Ok(done) => return self.written(&batch, &done),
                Err(error) => error,
            };
            self.log.forget();
            // The program ends, and does not wait for what the next one can do.
            if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) {
                match can_wait {
                    true => return,
                    false => continue,
                }
            }
            let trouble = Trouble::of(&error);
            let why = StoreError::of(&self.path, error);
            if trouble == Trouble::Order && batch.len() > 1 {
                for order in batch {
                    self.write(vec![order]);
                }
                return;
            }
            if self.standing.begin(trouble, why.to_string()) {
                tracing::warn!(%why, "what was just used is not written down yet");
            }
            let waits = batch.iter().any(|order| order.told().is_some());
            // Nobody waits behind what can be done the next time for a file to be mended.
            let is_over = trouble == Trouble::Order
                || ((waits || can_wait) && trouble == Trouble::File)
                || (can_wait && self.standing.is_closing());
            if is_over || self.standing.gives_up(trouble) {
                return self.give_up(&batch, why, trouble);
            }
            if trouble == Trouble::File {
                self.standing.pause(AGAIN);
            }
        }
    }

    fn written(&mut self, batch: &[Order], done: &Done) {
        self.standing.clear();
        // What was dropped is not to be found in the file any more. Where somebody reads it now, the next time does it.
        if done.dropped > 0
            && let Err(error) = purge::wipe(&self.file)
        {
            tracing::debug!(%error, "the file could not be made smaller");
        }
        for order in batch {
            if let Order::Report(done) = order {
                let _ = done.send(());
            }
            if let Some(told) = order.told() {
                let _ = told.send(Ok(done.count));
            }
        }
    }

    fn give_up(&self, batch: &[Order], why: StoreError, trouble: Trouble) {
        let queries = batch.iter().filter(|order| order.is_query()).count();
        let is_missed = |order: &Order| !order.can_wait() && !matches!(order, Order::Report(_));
        if batch.iter().any(is_missed) {
            self.standing.lose(queries as u64);
        }
        tracing::warn!(%why, queries, "what was used could not be written down");
        if trouble == Trouble::Order {
            self.standing.clear();
        }
        // It is alone in its batch.
        if let Some(told) = batch.iter().find_map(Order::told) {
            let _ = told.send(Err(why));
        }
    }
}

/// Reading SQL takes its time, in which nobody else should wait for the file.
fn made(order: Order) -> Order {
    match order {
        Order::Make(make) => Order::Record(Box::new(make())),
        order => order,
    }
}

fn write_batch(
    connection: &mut Connection,
    log: &mut Log,
    batch: &[Order],
) -> Result<Done, SqlError> {
    let mut done = Done::default();
    let is_report = |order: &Order| matches!(order, Order::Report(_));
    if batch.iter().all(is_report) && log.is_known() {
        return Ok(done);
    }
    let file = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    log.begin(&file)?;
    for order in batch {
        match order {
            Order::Record(record) => drop(log.insert(&file, record)?),
            Order::Import(queries, _) => {
                for (entry, query) in queries {
                    let is_new = file
                        .prepare_cached("INSERT OR IGNORE INTO imported VALUES (?)")?
                        .execute([entry])?;
                    if is_new > 0 {
                        log.insert(&file, query)?;
                        done.count += 1;
                    }
                }
            }
            Order::Say(said) => feedback::write(&file, log, said)?,
            Order::Reuse(id) => feedback::taken(&file, *id)?,
            Order::Spend(cost) => add(&file, cost)?,
            Order::Change(change) => choices::write(&file, change)?,
            Order::Verdict(change) => verdicts::write(&file, change)?,
            Order::Lesson(lesson) => policy::write(&file, lesson)?,
            Order::Ask(question) => questions::write(&file, question)?,
            Order::Workspace(text) => workspace::write(&file, text)?,
            Order::Forget(text) => done.dropped += questions::forget(&file, log, text)?,
            Order::Purge(wish, _) => {
                let dropped = purge::write(&file, log, wish)?;
                done.dropped += dropped;
                done.count += dropped;
            }
            // What is to be made was made before.
            Order::Make(_) | Order::Report(_) => {}
        }
    }
    log.fold.write(&file)?;
    file.commit()?;
    Ok(done)
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
