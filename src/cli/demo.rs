//! `metrex demo`: loads the demo's data into PostgreSQL.

use super::Outcome;
use clap::Args;

#[derive(Debug, Args)]
pub struct DemoArgs {}

pub fn run(_: &DemoArgs) -> Outcome {
    Ok(())
}
