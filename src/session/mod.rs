//! The engine's one door: search, compile, run, values, reindex, reload. Every face goes through it.

pub mod cell;
