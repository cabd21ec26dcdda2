//! `metrex init`: a first project from CSV files or from a database.

use super::Outcome;
use clap::Args;

#[derive(Debug, Args)]
pub struct InitArgs {}

pub fn run(_: &InitArgs) -> Outcome {
    Ok(())
}
