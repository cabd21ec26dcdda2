//! Language models: one small trait, the providers behind it, keys, budgets and recordings.
//!
//! The only room that speaks to a provider. What a model returns is data: this room checks that it is complete and of
//! a sane length, and nothing else.

mod budget;
mod error;
mod key;
mod open;
mod provider;
mod recording;
mod remote;

pub use budget::{Ledger, Spent};
pub use error::LlmError;
pub use open::open;
pub use provider::{Provider, Reply, Request, Schema, tokens};
pub(crate) use remote::post_json;
