//! Which way of answering queries is best: decided for each query, learned from the log, and tried in a simulator.

mod live;
mod picture;
mod report;
mod simulation;
mod told;

pub(super) use live::Decided;
pub use report::PolicyReport;
pub use simulation::Simulation;
