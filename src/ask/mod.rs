//! Plain words -> an intent, with every content word used or reported: deterministic first, a model only where asked.
//!
//! [`understand`] is the deterministic extractor: no network, no clock, the same answer every time.

mod about;
mod apart;
mod cautions;
mod chips;
mod comparing;
mod conditions;
mod coverage;
mod draft;
mod figures;
mod follow_up;
mod grouping;
mod lexicon;
mod meanings;
pub mod model;
mod over_metrics;
mod places;
mod ranking;
mod reader;
mod refusing;
mod resolve;
mod scan;
mod scan_values;
mod similar;
mod thresholds;
mod typos;
mod understand;
mod understanding;
mod values;
mod vocabulary;
mod why;
mod words;
mod years;

pub use lexicon::Lexicon;
pub use understand::{Setting, understand};
pub use understanding::{
    Candidate, Certainty, Chip, ChipKind, Choices, Clarification, Meaning, Reading, Refusal,
    RefusalCode, Understanding,
};
pub use values::{How, Link, Linker, ValueMap};
pub use why::asks_why;
