//! The life of definitions: when two mean the same, what a new one could be made of, what SQL of models keeps to. Pure: no file,
//! no warehouse.

pub mod canonical;
mod fingerprint;
pub mod sql;
pub mod suggest;

pub use fingerprint::fingerprint;
