//! metrex: a terminal metric explorer on a semantic layer.
//!
//! A question or a pick becomes a [`model::MetricQuery`], the metric query becomes SQL ([`compile`]), the SQL becomes
//! rows ([`warehouse`]). Programs call [`session::Session`].

pub mod ask;
pub mod cli;
pub mod compile;
pub mod demo;
pub mod exchange;
pub mod generate;
pub mod govern;
pub mod index;
pub mod init;
pub mod investigate;
pub mod learn;
pub mod llm;
pub mod mcp;
pub mod model;
pub mod registry;
pub mod session;
pub mod store;
pub mod tui;
pub mod usage;
pub mod validate;
pub mod warehouse;
