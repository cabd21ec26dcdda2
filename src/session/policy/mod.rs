//! Which way of answering queries is best: what algorithms learn of it in a simulator.

mod picture;
mod simulation;

pub use simulation::Simulation;
