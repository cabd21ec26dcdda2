//! The way to the thread that writes the query log, and what it is told.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::choices::Change;
use super::feedback::Said;
use super::policy::Lesson;
use super::purge::Purge;
use super::questions::Question;
use super::standing::{Lost, Standing};
use super::verdicts;
use super::writing::Writing;
use super::{ModelCost, QueryRecord};
use crate::store::{Connection, StoreError};

/// How long a reader waits for what was just recorded; a locked file must not stop the screen.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long the end of the program waits for another process that is writing.
const AT_THE_END: Duration = Duration::from_secs(5);
/// Most orders that wait. Who hands over more than the file can take waits for it: nothing is dropped as long as the file can
/// be written.
const QUEUE: usize = 8192;
/// How long a sender to a full queue sleeps before it looks again.
const NAP: Duration = Duration::from_millis(1);

/// The way to the thread; dropping it waits until everything is written.
#[derive(Debug)]
pub(super) struct Writer {
    orders: Option<SyncSender<Order>>,
    thread: Option<JoinHandle<()>>,
    standing: Arc<Standing>,
}

/// Makes a record, on the thread.
type Make = Box<dyn FnOnce() -> QueryRecord + Send>;

/// Who waits for the number of queries that were added or dropped.
pub(super) type Told = Sender<Result<usize, StoreError>>;

pub(super) enum Order {
    Make(Make),
    Record(Box<QueryRecord>),
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

impl Order {
    pub(super) fn is_query(&self) -> bool {
        matches!(self, Self::Make(_) | Self::Record(_))
    }

    /// Who waits to hear how it went.
    pub(super) fn told(&self) -> Option<&Told> {
        match self {
            Self::Import(_, told) => Some(told),
            Self::Purge(_, told) => told.as_ref(),
            _ => None,
        }
    }
}

impl Writer {
    pub(super) fn start(path: &Path, connection: Connection) -> Result<Self, StoreError> {
        let (orders, received) = sync_channel(QUEUE);
        let standing = Arc::new(Standing::default());
        let writing = Writing::new(path, connection, standing.clone())?;
        let thread = std::thread::Builder::new()
            .name("usage".to_owned())
            .spawn(move || writing.serve(&received))
            .map_err(|error| StoreError::Io {
                path: path.to_owned(),
                error,
            })?;
        Ok(Self {
            orders: Some(orders),
            thread: Some(thread),
            standing,
        })
    }

    pub(super) fn record(&self, make: impl FnOnce() -> QueryRecord + Send + 'static) {
        self.send(Order::Make(Box::new(make)));
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
    pub(super) fn import(&self, queries: Vec<(i64, QueryRecord)>) -> Result<usize, StoreError> {
        self.told(|told| Order::Import(queries, told))
    }

    /// Drops queries some time.
    pub(super) fn drop_later(&self, purge: Purge) {
        self.send(Order::Purge(purge, None));
    }

    /// Drops queries; how many.
    pub(super) fn drop_now(&self, purge: Purge) -> Result<usize, StoreError> {
        self.told(|told| Order::Purge(purge, Some(told)))
    }

    /// Waits a moment for what was recorded before.
    pub(super) fn catch_up(&self) {
        if self.standing.trouble().is_none() {
            let (done, written) = channel();
            self.send(Order::Report(done));
            // Too late is fine: the answer is then a query behind.
            let _ = written.recv_timeout(PATIENCE);
        }
    }

    /// Waits for what was recorded before; whether it is written. Nobody waits for a file that cannot be written.
    pub(super) fn flush(&self) -> bool {
        let lost = self.standing.lost();
        let (done, written) = channel();
        self.send(Order::Report(done));
        loop {
            match written.recv_timeout(PATIENCE) {
                Ok(()) => return self.standing.lost() == lost,
                Err(RecvTimeoutError::Timeout) if !self.standing.is_hopeless() => {}
                Err(_) => return false,
            }
        }
    }

    /// Waits, not for long, for what was recorded before; what was lost.
    pub(super) fn settle(&self) -> Option<Lost> {
        self.standing.close(AT_THE_END);
        let (done, written) = channel();
        self.send(Order::Report(done));
        // Whatever is in the way, the thread gives up soon.
        let _ = written.recv();
        self.standing.lost()
    }

    /// What is in the way of writing at the moment.
    pub(super) fn trouble(&self) -> Option<String> {
        self.standing.trouble()
    }

    fn told(&self, order: impl FnOnce(Told) -> Order) -> Result<usize, StoreError> {
        let (done, counted) = channel();
        self.send(order(done));
        // The thread ends only with this sender, and an order that found no room is none.
        counted.recv().unwrap_or(Ok(0))
    }

    fn send(&self, mut order: Order) {
        let Some(orders) = &self.orders else {
            return;
        };
        while let Err(TrySendError::Full(back)) = orders.try_send(order) {
            if self.standing.is_hopeless() {
                self.standing.lose(u64::from(back.is_query()));
                return;
            }
            order = back;
            std::thread::sleep(NAP);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.standing.close(AT_THE_END);
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
