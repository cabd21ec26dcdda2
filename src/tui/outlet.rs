//! The way out to the terminal. A thread of its own writes, so that a slow line holds up frames and nothing else.

use std::io::{self, Write, stdout};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// What waits for the line.
#[derive(Default)]
pub(super) struct Outlet {
    queue: Mutex<Queue>,
    changed: Condvar,
    free: Notify,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<u8>,
    writing: bool,
    failed: Option<io::Error>,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.writing
    }
}

/// There is one terminal, and a panic must find the way to it too.
static OUTLET: LazyLock<Outlet> = LazyLock::new(|| {
    std::thread::spawn(|| OUTLET.serve(&mut stdout()));
    Outlet::default()
});

/// The way to the terminal.
pub(super) fn outlet() -> &'static Outlet {
    &OUTLET
}

impl Outlet {
    /// Hands bytes over; they leave in order.
    ///
    /// # Errors
    /// The terminal took no more when it was last written to.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let mut queue = self.queue();
        if let Some(error) = queue.failed.take() {
            return Err(error);
        }
        queue.waiting.extend_from_slice(bytes);
        self.changed.notify_all();
        Ok(())
    }

    /// Whether the line has not taken everything yet; another frame would only wait behind it.
    pub(super) fn is_busy(&self) -> bool {
        !self.queue().is_empty()
    }

    /// Waits until the line has taken something.
    pub(super) async fn freed(&self) {
        self.free.notified().await;
    }

    /// Waits until everything has left, but no longer than this; whether it has.
    pub(super) fn drain(&self, patience: Duration) -> bool {
        let waits = |queue: &mut Queue| !queue.is_empty();
        let waited = self
            .changed
            .wait_timeout_while(self.queue(), patience, waits);
        let (queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.is_empty()
    }

    /// Writes what comes, for ever.
    fn serve(&self, out: &mut impl Write) {
        loop {
            let mut queue = self.queue();
            while queue.waiting.is_empty() {
                queue = self
                    .changed
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            let bytes = std::mem::take(&mut queue.waiting);
            queue.writing = true;
            drop(queue);
            let written = out.write_all(&bytes).and_then(|()| out.flush());
            let mut queue = self.queue();
            queue.writing = false;
            queue.failed = written.err();
            drop(queue);
            self.changed.notify_all();
            self.free.notify_one();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails so")]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A line that takes one write for each permit.
    struct Slow(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            self.1.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_slow_line_holds_up_nobody_and_loses_nothing() {
        let (permit, permits) = channel();
        let (sender, taken) = channel();
        let outlet = Arc::new(Outlet::default());
        let server = Arc::clone(&outlet);
        std::thread::spawn(move || server.serve(&mut Slow(permits, sender)));

        outlet.send(b"one").unwrap();
        assert!(outlet.is_busy());
        assert!(!outlet.drain(Duration::from_millis(20)), "nothing is taken");
        permit.send(()).unwrap();
        assert_eq!(taken.recv().unwrap(), b"one");
        assert!(outlet.drain(Duration::from_secs(10)));
        outlet.send(b"two").unwrap();
        outlet.send(b"three").unwrap();
        permit.send(()).unwrap();
        permit.send(()).unwrap();
        let mut all = taken.recv().unwrap();
        while all.len() < 8 {
            all.extend(taken.recv().unwrap());
        }
        assert_eq!(all, b"twothree");

        drop(permit);
        // What two permits were for may have been one write.
        let failed = (0..3).find_map(|_| {
            let sent = outlet.send(b"more");
            assert!(outlet.drain(Duration::from_secs(10)), "given up");
            sent.err()
        });
        assert_eq!(failed.unwrap().kind(), io::ErrorKind::BrokenPipe);
    }
}
