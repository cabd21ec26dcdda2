//! The life of definitions: when two mean the same. Pure: no file, no warehouse.

mod fingerprint;

pub use fingerprint::fingerprint;
