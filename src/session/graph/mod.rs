//! The graph of use with the definitions laid over it: what was never used is there too, with zero.

mod affected;
mod around;
mod defined;
mod export;
mod named;
mod outline;
mod overview;
mod ways;

pub use affected::{Affected, AffectedAlert, AffectedMetric, AffectedView};
pub use around::Neighbourhood;
pub use overview::{GraphOverview, UsedMetric};
pub use ways::{JoinWay, JoinWays};

use super::{Session, SessionError};
use crate::usage::{Usage, UsageError};

impl Session {
    /// The log, or why it cannot be read.
    fn used_graph(&self) -> Result<&Usage, SessionError> {
        self.usage_store().map_err(unreadable)
    }
}

fn unreadable(error: impl std::borrow::Borrow<UsageError>) -> SessionError {
    SessionError::usage("history", error.borrow().to_string())
}
