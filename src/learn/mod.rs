//! What use teaches: what a query is about, what of it may be kept, and how queries are best answered.

mod about;
mod logs;
pub mod pattern;
mod personal;
pub mod policy;
pub mod propose;
mod tables;

pub use about::about;
pub(crate) use about::{dimension_of, sort};
pub use logs::{LogError, LogFile, LogForm, Matcher, Stated, read_log};
pub(crate) use personal::{GAP, is_personal};
pub use personal::{NOT_KEPT, Personal, PersonalColumns};
