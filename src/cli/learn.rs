//! `metrex learn`: what the log of use says should be in the definitions, as proposals and a report.

use clap::{ArgGroup, Args, ValueEnum};
use serde_json::json;

use super::notes::{about_recording, about_session, note};
use super::runtime::block_on;
use super::{Global, Outcome, prepare, print};
use crate::session::cell::sanitize;
use crate::session::{LearnInto, Learned, PullRequest, Session, SessionError};

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("into")))]
pub struct LearnArgs {
    /// Write nothing: only report
    #[arg(long, group = "into")]
    dry_run: bool,
    /// Make a git branch with the definitions changed, and a pull request where gh or glab is there
    #[arg(long, group = "into")]
    branch: bool,
    /// List what was proposed and judged, and does not come back
    #[arg(long, group = "into")]
    judged: bool,
    /// Forget what was said of an idea, so that it may be proposed again
    #[arg(long, group = "into", value_name = "IDEA")]
    forget: Option<String>,
    /// How to print the report
    #[arg(long, value_enum, default_value_t)]
    format: LearnFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum LearnFormat {
    /// For people
    #[default]
    Text,
    /// One JSON value
    Json,
    /// Markdown
    Markdown,
}

pub fn run(global: &Global, args: &LearnArgs) -> Outcome {
    let session = global.open()?;
    about_session(&session);
    about_recording(&session);
    if args.judged {
        return judged(&session, args.format);
    }
    if let Some(idea) = &args.forget {
        return forget(&session, idea);
    }
    let into = match (args.dry_run, args.branch) {
        (true, _) => LearnInto::Nothing,
        (_, true) => LearnInto::Branch,
        _ => LearnInto::Proposals,
    };
    let learned = block_on(async |cancel| {
        prepare(&session, cancel.clone()).await?;
        Ok(session.learn(into, cancel).await?)
    })?;
    told(&learned, into, args.format)
}

fn told(learned: &Learned, into: LearnInto, format: LearnFormat) -> Outcome {
    let report = &learned.report;
    match format {
        LearnFormat::Json => print(|out| {
            serde_json::to_writer_pretty(&mut *out, report)?;
            writeln!(out)
        })?,
        // Markdown is made to be read as it stands.
        LearnFormat::Text | LearnFormat::Markdown => {
            print(|out| write!(out, "{}", lines(&report.markdown())))?;
        }
    }
    for warning in &learned.warnings {
        note(&format!("warning: {warning}"));
    }
    match &learned.pull_request {
        None if into == LearnInto::Nothing => note("nothing was written"),
        None if report.new_ideas().next().is_some() => {
            note("look at them with `metrex review`, or J in the explorer");
        }
        None => {}
        Some(PullRequest::Opened(address)) => note(address),
        Some(PullRequest::Ready { why, branch, .. }) => {
            note(&format!(
                "no pull request was opened: {why}; branch {branch} is ready"
            ));
        }
    }
    Ok(())
}

fn judged(session: &Session, format: LearnFormat) -> Outcome {
    let judged = session.judged_ideas()?;
    if format == LearnFormat::Json {
        return print(|out| {
            serde_json::to_writer_pretty(&mut *out, &json!({ "judged": judged }))?;
            writeln!(out)
        });
    }
    if judged.is_empty() {
        note("nothing was judged yet");
    }
    print(|out| {
        for one in &judged {
            writeln!(out, "{}  {}", sanitize(&one.idea), sanitize(&one.words()))?;
        }
        Ok(())
    })
}

fn forget(session: &Session, idea: &str) -> Outcome {
    if session.forget_idea(idea)? {
        note(&format!("{idea} may be proposed again"));
        return Ok(());
    }
    let error = SessionError::usage("unknown_idea", format!("nothing is known of '{idea}'"));
    Err(error
        .with_hint("`metrex learn --judged` lists what is")
        .into())
}

/// The lines of a text, each fit for a terminal.
fn lines(text: &str) -> String {
    let lines = text.lines().map(|line| format!("{}\n", sanitize(line)));
    lines.collect()
}
