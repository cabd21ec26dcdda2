//! `metrex policy`: what can be learned about how queries are best answered.

use std::path::PathBuf;

use clap::{Args, Subcommand, value_parser};

use super::query::chart_form;
use super::{Global, Outcome, print};
use crate::session::SessionError;

#[derive(Debug, Args)]
pub struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Let the algorithms answer simulated queries whose truth is known, beside the hand rule
    Simulate(SimulateArgs),
}

#[derive(Debug, Args)]
struct SimulateArgs {
    /// Worlds of queries, each drawn anew
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Queries of each world
    #[arg(long, value_name = "N", default_value_t = 4000, value_parser = value_parser!(u64).range(50..=1_000_000))]
    queries: u64,
    /// Draw the learning curves to a file (.svg, .png) as well
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
}

pub fn run(global: &Global, args: &PolicyArgs) -> Outcome {
    let PolicyCommand::Simulate(args) = &args.command;
    let form = args.chart.as_deref().map(chart_form).transpose()?;
    let session = global.open()?;
    let queries = usize::try_from(args.queries).unwrap_or(usize::MAX);
    let simulation = session.simulate_policies(args.seeds, queries);
    if let (Some(form), Some(path)) = (form, &args.chart) {
        let drawn = simulation.draw(form, path);
        drawn.map_err(|why| SessionError::usage("write_failed", why))?;
    }
    print(|out| write!(out, "{}", simulation.markdown()))
}
