//! What use teaches: what a query is about, and what of it may be kept.

mod about;
mod personal;
pub mod propose;

pub use about::about;
pub use personal::{NOT_KEPT, Personal};
