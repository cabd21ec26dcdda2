//! `metrex policy`: how queries are best answered, learned from use and tried in a simulator.

use std::path::PathBuf;

use clap::{Args, Subcommand, value_parser};

use super::query::chart_form;
use super::{Global, Outcome, notes, print};
use crate::session::SessionError;
use crate::session::cell::sanitize;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct PolicyArgs {
    #[command(subcommand)]
    command: Option<PolicyCommand>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Learn from the log of use; sessions opened later decide by it (`metrex learn` does this every night)
    Train,
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
    if let Some(PolicyCommand::Simulate(args)) = &args.command {
        return simulate(global, args);
    }
    let session = global.open()?;
    notes::about_session(&session);
    notes::about_recording(&session);
    let report = match &args.command {
        Some(_) => session.train_policy()?,
        None => session.policy_report()?,
    };
    if args.json {
        return print(|out| {
            serde_json::to_writer_pretty(&mut *out, &report)?;
            writeln!(out)
        });
    }
    print(|out| {
        let text = report.markdown();
        let mut lines = text.lines();
        lines.try_for_each(|line| writeln!(out, "{}", sanitize(line)))
    })
}

fn simulate(global: &Global, args: &SimulateArgs) -> Outcome {
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
