//! The way to the thread that writes the query log, and what it is told.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
use crate::store::{Connection, InterruptHandle, StoreError};

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
pub(super) struct Writer {
    orders: Option<SyncSender<Order>>,
    thread: Option<JoinHandle<()>>,
    standing: Arc<Standing>,
    interrupt: InterruptHandle,
    /// Whether anything was handed over.
    is_used: AtomicBool,
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

    /// Whether nobody misses it: it is done the next time as well.
    pub(super) fn can_wait(&self) -> bool {
        matches!(self, Self::Purge(_, None))
    }

    /// Whether it is written by itself, so that what becomes of it is its own.
    pub(super) fn is_alone(&self) -> bool {
        self.told().is_some() || self.can_wait()
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
        let interrupt = connection.get_interrupt_handle();
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
            interrupt,
            is_used: AtomicBool::new(false),
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

    /// Waits for what was recorded before; whether that and whatever else was recorded since the last time is written.
    /// Nobody waits for a file that cannot be written.
    pub(super) fn flush(&self) -> bool {
        self.wait(|standing| !standing.is_hopeless()) && !self.standing.take_failed()
    }

    /// Waits for what was recorded before, but not behind another process that is writing.
    pub(super) fn write_out(&self) {
        self.wait(|standing| standing.trouble().is_none());
    }

    fn wait(&self, is_worth: impl Fn(&Standing) -> bool) -> bool {
        let (done, written) = channel();
        self.send(Order::Report(done));
        loop {
            match written.recv_timeout(PATIENCE) {
                Ok(()) => return true,
                Err(RecvTimeoutError::Timeout) if is_worth(&self.standing) => {}
                Err(_) => return false,
            }
        }
    }

    /// Waits, not for long, for what was recorded before; what was lost.
    pub(super) fn settle(&self) -> Option<Lost> {
        if !self.is_used.load(Ordering::Relaxed) {
            return None;
        }
        self.close();
        let (done, written) = channel();
        self.send(Order::Report(done));
        // Whatever is in the way, the thread gives up soon.
        while let Err(RecvTimeoutError::Timeout) = written.recv_timeout(PATIENCE) {
            self.stop_dropping();
        }
        self.standing.lost()
    }

    /// What is in the way of writing at the moment.
    pub(super) fn trouble(&self) -> Option<String> {
        self.standing.trouble()
    }

    /// Why nothing can be written, where that is not another process that is writing.
    pub(super) fn failure(&self) -> Option<String> {
        self.standing.failure()
    }

    /// What was in the way last.
    pub(super) fn last_trouble(&self) -> String {
        self.standing.last_trouble()
    }

    fn close(&self) {
        self.standing.close(AT_THE_END);
        self.stop_dropping();
    }

    fn stop_dropping(&self) {
        if self.standing.is_dropping() {
            self.interrupt.interrupt();
        }
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
        if !matches!(order, Order::Report(_)) {
            self.is_used.store(true, Ordering::Relaxed);
        }
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

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
