//! What use teaches: what a query is about, what of it may be kept, and how queries are best answered.

mod about;
mod personal;
pub mod policy;
pub mod propose;

pub use about::about;
pub use personal::{NOT_KEPT, Personal};
