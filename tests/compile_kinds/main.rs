//! The kinds of metrics that are more than one aggregation: run on every engine that is here, with rows worked out by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod calendar_periods;
mod calendar_table;
mod conversion;
#[path = "../support/engines.rs"]
mod engines;
mod metricflow;
mod metricflow_alone;
mod scd;
mod semi_additive;
mod stored_zone;
#[path = "../support/mod.rs"]
mod support;
mod world;
