//! The asynchronous part of the program: a small runtime, and Ctrl-C that reaches the warehouse.

use std::time::Duration;

use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

use super::failure::Failure;

/// Exit code of a process ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// How long an interrupted task may take to stop the warehouse and tidy up. A write into a pipe that nobody reads would
/// never end.
const PATIENCE: Duration = Duration::from_secs(3);

/// Runs a task to its end; its token is cancelled by Ctrl-C. A second Ctrl-C does not wait for the warehouse.
pub fn block_on<T>(
    task: impl AsyncFnOnce(CancellationToken) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let cancel = CancellationToken::new();
    let outcome = runtime.block_on(async {
        let pressed = cancel.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                pressed.cancel();
                let _ = tokio::time::timeout(PATIENCE, tokio::signal::ctrl_c()).await;
                std::process::exit(INTERRUPTED);
            }
        });
        task(cancel).await
    });
    // Blocking reads, such as stdin's, would be waited for.
    runtime.shutdown_background();
    outcome
}
