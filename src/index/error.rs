//! Why the value index cannot be read or filled.

use crate::store::StoreError;
use crate::warehouse::{WarehouseError, WarehouseErrorKind};

/// Why the value index cannot be read or filled.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The warehouse could not be asked.
    #[error(transparent)]
    Warehouse(WarehouseError),
    /// The run was cancelled; columns that were done stay done.
    #[error("cancelled")]
    Cancelled,
    /// The index file cannot be used; what it held before is kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<WarehouseError> for IndexError {
    fn from(error: WarehouseError) -> Self {
        if error.kind == WarehouseErrorKind::Cancelled {
            Self::Cancelled
        } else {
            Self::Warehouse(error)
        }
    }
}
