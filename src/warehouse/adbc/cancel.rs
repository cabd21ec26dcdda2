//! Stopping a statement from another thread than its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adbc_core::CancelHandle;
use tokio_util::sync::CancellationToken;

/// Between two attempts: a cancel that comes before the engine has begun is lost.
const AGAIN: Duration = Duration::from_millis(20);

/// What stops one statement.
#[derive(Clone, Default)]
pub(super) struct Brake(Arc<Mutex<State>>);

#[derive(Default)]
enum State {
    #[default]
    NotRunning,
    Running(Box<dyn CancelHandle>),
    Finished,
}

impl Brake {
    /// From here on the handle's statement is stopped.
    pub(super) fn hold(&self, handle: Box<dyn CancelHandle>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Running(handle);
    }

    /// Lets go when the statement's thread is done with it.
    pub(super) fn released_when_dropped(&self) -> impl Drop + use<> {
        struct Release(Brake);
        impl Drop for Release {
            fn drop(&mut self) {
                *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Finished;
            }
        }
        Release(self.clone())
    }

    /// Waits for `stop`, then stops the statement until it has ended.
    pub(super) async fn pulled_by(self, stop: CancellationToken) {
        stop.cancelled().await;
        loop {
            // A driver may take its time to pass the wish on.
            let brake = self.clone();
            let pulled = tokio::task::spawn_blocking(move || brake.pull()).await;
            if !pulled.unwrap_or(false) {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Whether there may still be something to stop.
    fn pull(&self) -> bool {
        // Held during the call, so that a cancel cannot reach a statement that comes after this one.
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::NotRunning => true,
            State::Running(handle) => {
                // An engine without cancel ends its statement in its own time; nothing is read from it any more.
                let _ = handle.try_cancel();
                true
            }
            State::Finished => false,
        }
    }
}
