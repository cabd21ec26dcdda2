//! `metrex reindex`: fills the value index from the warehouse.

use clap::Args;

use super::failure::Failure;
use super::progress::Line;
use super::runtime::block_on;
use super::{Global, Outcome, notes, prepare};
use crate::session::cell::sanitize;
use crate::session::{self, ReindexOptions, SessionError};

/// Exit code where a column could not be read.
const FAILED: u8 = 1;

#[derive(Debug, Args)]
pub struct ReindexArgs {
    /// Every dimension (what happens without --dimension, too)
    #[arg(long, conflicts_with = "dimension")]
    all: bool,
    /// Only this dimension, in every dataset that has it
    #[arg(long, value_name = "NAME")]
    dimension: Option<String>,
    /// Skip what a run that broke off has already done
    #[arg(long)]
    resume: bool,
}

pub fn run(global: &Global, args: &ReindexArgs) -> Outcome {
    let session = global.open()?;
    if let Some(problem) = session.state().notice() {
        // What is found would be gone with the process.
        let message = format!("nothing is indexed: {problem}");
        let error = SessionError::new(session::Failure::Query, "state", message);
        return Err(error
            .with_hint("set METREX_STATE_DIR to a folder that can be written")
            .into());
    }
    notes::about_session(&session);
    let options = ReindexOptions {
        dimension: args.dimension.clone(),
        resume: args.resume,
    };
    block_on(async |cancel| {
        prepare(&session, cancel.clone()).await?;
        let mut line = Line::new();
        let report = session
            .reindex(
                &options,
                |step| line.show(&step.to_string(), step.share()),
                cancel,
            )
            .await?;
        drop(line);
        for line in report.to_string().lines() {
            say!("{}", sanitize(line));
        }
        if report.failed.is_empty() {
            Ok(())
        } else {
            Err(Failure::Exit(FAILED))
        }
    })
}
