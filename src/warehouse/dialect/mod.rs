//! What differs between SQL engines, one file per subject. Nothing outside this folder writes SQL for one engine.

mod functions;
mod names;
mod parser;
mod periods;
mod reserved;
mod shift;
mod tables;
mod times;
mod types;
mod zones;

pub use crate::model::Dialect;
pub use shift::Shift;
