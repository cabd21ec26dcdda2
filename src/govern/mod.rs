//! The life of definitions: when two mean the same, what a new one could be made of, what SQL of models keeps to. Pure: no file,
//! no warehouse.

pub mod canonical;
mod fingerprint;
pub mod lineage;
pub mod sql;
mod standing;
pub mod suggest;

pub use fingerprint::fingerprint;
pub use standing::{StandsOn, is_on_canonical, stands_on};
