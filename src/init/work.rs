//! Long work as those who wait for it see it: how far it is, and a way to stop it.

use tokio_util::sync::CancellationToken;

use super::InitError;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A CSV file is read to learn its columns; counted in bytes.
    Reading,
    /// A CSV file is loaded into the warehouse; counted in bytes.
    Loading,
    /// Tables are looked at for keys, times, measures and joins; counted in tables.
    Examining,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// The file or table concerned.
    pub subject: String,
    /// How much of `total` is done.
    pub done: u64,
    /// All there is.
    pub total: u64,
}

/// Reports progress, and asks on the way whether to go on.
pub(super) struct Work<'a> {
    pub(super) progress: &'a mut dyn FnMut(Progress),
    pub(super) cancel: &'a CancellationToken,
}

impl Work<'_> {
    /// Reports a step; fails where the work is to be stopped.
    pub(super) fn step(
        &mut self,
        stage: Stage,
        subject: &str,
        done: u64,
        total: u64,
    ) -> Result<(), InitError> {
        if self.cancel.is_cancelled() {
            return Err(InitError::Interrupted);
        }
        (self.progress)(Progress {
            stage,
            subject: subject.to_owned(),
            done,
            total,
        });
        Ok(())
    }
}
