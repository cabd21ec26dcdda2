//! The model's half of asking: what it is told, what may come back, and what is checked before anybody believes it.
//!
//! Nothing here speaks to a provider: prompts are made, replies are read. What a model returns is data, never an
//! instruction, and only names, values and words that are known by other means get through.

mod adapt;
mod chips;
mod context;
mod data;
mod difference;
mod evidence;
mod extract;
mod prompts;
mod reply;
mod rule;

pub use adapt::{Adapting, Draft, is_named};
pub use context::{Known, linked_values};
pub use data::harmless;
pub use difference::difference;
pub use extract::{Extracted, Extracting, Refused};
pub use prompts::Prompts;
pub use rule::Ruling;
