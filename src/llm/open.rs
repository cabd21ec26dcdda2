//! From settings to a provider: the wire, its budget, and a recording where one is wanted.

use std::sync::Arc;

use super::budget::{Budgeted, Ledger};
use super::recording::{Recorder, Replay};
use super::remote::Remote;
use super::{LlmError, Provider};
use crate::model::{LlmSettings, Recording};

/// The provider that `settings` describe. Connects to nobody, and asks for no key yet.
///
/// # Errors
/// A recording that cannot be used, or TLS that is not available.
pub fn open(
    settings: &LlmSettings,
    ledger: Arc<dyn Ledger>,
) -> Result<Arc<dyn Provider>, LlmError> {
    // A replay costs nothing, so it has no budget.
    if let Recording::Replay(path) = &settings.recording {
        return Ok(Arc::new(Replay::open(&settings.model, path)?));
    }
    let remote = Budgeted::new(Remote::new(settings)?, settings, ledger);
    Ok(match &settings.recording {
        Recording::Record(path) => Arc::new(Recorder::new(remote, path)?),
        _ => Arc::new(remote),
    })
}
