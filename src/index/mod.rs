//! The value index: distinct values and counts of every dimension, refreshed from the live warehouse.
//!
//! [`plan`] says what to look at, [`reindex`] asks the warehouse, [`ValueIndex`] keeps the answers and looks values up.

mod error;
mod lookup;
mod plan;
mod reindex;
mod replace;
mod report;
mod similar;
mod texts;

pub use error::IndexError;
pub use lookup::ValueIndex;
pub use plan::{IndexColumn, Task, plan};
pub use reindex::reindex;
pub use report::{Failure, Progress, Report};
