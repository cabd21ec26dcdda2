//! The traps that semantic layers fall into, one test each: tiny tables, what others return (in a comment), and the right
//! rows, on every engine and by the oracle.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "../support/duckdb.rs"]
mod duckdb;
mod facts;
mod kinds;
mod nulls;
#[path = "../oracle/mod.rs"]
mod oracle;
mod periods;
#[path = "../support/postgres.rs"]
mod postgres;
mod questions;
mod shop;
#[path = "../support/mod.rs"]
mod support;
mod times;
mod windows;
