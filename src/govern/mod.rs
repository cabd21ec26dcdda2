//! The life of definitions: when two mean the same, and what a new one could be made of. Pure: no file, no warehouse.

mod fingerprint;
pub mod suggest;

pub use fingerprint::fingerprint;
