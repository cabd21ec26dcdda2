//! What agents get: the tools over stdio and HTTP, asked by the official client, and refusals that tell them what to do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "../support/project.rs"]
mod project;

mod definitions;
mod external;
mod http;
mod stdio;
mod support;
mod tools;
