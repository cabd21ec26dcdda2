//! Question sets: each question is asked on its own day in its own project, and the answer compared with the expected
//! one by what it compiles to, never by its wording.

mod parts;
mod question;
mod report;
mod verdict;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::civil::Date;
use tokio_util::sync::CancellationToken;

pub use parts::{Part, Parts};
pub use question::{Expect, Question, read};
pub use report::{Judged, Report, Tally};
pub use verdict::Verdict;

use super::{AskOptions, OpenOptions, ReindexOptions, Session, SessionError, UseModel};
use crate::model::MetricQuery;
use crate::registry::Project;

/// The project name that means the embedded demo.
const DEMO: &str = "demo";

/// How to run a question set.
#[derive(Debug, Clone, Default)]
pub struct EvalOptions {
    /// The folder that projects are relative to.
    pub folder: PathBuf,
    /// Folder for state, as for a session.
    pub state_dir: Option<PathBuf>,
    /// Whether the configured model may be asked.
    pub model: UseModel,
}

/// What a run is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluating {
    /// What is being done.
    pub step: String,
    /// Share of it that is done, 0 to 1.
    pub share: f64,
}

/// Asks every question and judges what comes.
///
/// The values of a project are indexed where they never were; the demo's data is made once, for the day of its first
/// question, since what its values are does not depend on the day.
///
/// # Errors
/// A project cannot be opened or indexed, a previous query is no query line, the run was cancelled.
pub async fn evaluate(
    questions: &[Question],
    options: &EvalOptions,
    cancel: CancellationToken,
    mut progress: impl FnMut(Evaluating) + Send,
) -> Result<Report, SessionError> {
    let mut sessions: HashMap<(&str, Date), Session> = HashMap::new();
    let mut prepared: Vec<&str> = Vec::new();
    let mut report = Report::default();
    for (index, question) in questions.iter().enumerate() {
        let project = question.project.as_str();
        let session = match sessions.get(&(project, question.today)) {
            Some(session) => session.clone(),
            None => {
                let session = open(project, question.today, options)?;
                if !prepared.contains(&project) {
                    prepare(&session, &cancel, &mut progress).await?;
                    prepared.push(project);
                }
                sessions.insert((project, question.today), session.clone());
                session
            }
        };
        progress(Evaluating {
            step: question.question.clone(),
            share: index as f64 / questions.len() as f64,
        });
        let judged = ask(&session, question, options.model, &cancel).await?;
        if cancel.is_cancelled() {
            return Err(SessionError::interrupted());
        }
        report.judged.push(judged);
    }
    Ok(report)
}

fn open(project: &str, today: Date, options: &EvalOptions) -> Result<Session, SessionError> {
    let open = OpenOptions {
        today: Some(today),
        state_dir: options.state_dir.clone(),
        ..OpenOptions::default()
    };
    let project = if project == DEMO {
        Project::demo()?
    } else {
        Project::find(Some(&options.folder.join(Path::new(project))))?
    };
    Ok(Session::of(project, open)?.without_choices())
}

async fn prepare(
    session: &Session,
    cancel: &CancellationToken,
    progress: &mut (impl FnMut(Evaluating) + Send),
) -> Result<(), SessionError> {
    session
        .prepare(|step| {
            progress(Evaluating {
                step: step.step,
                share: step.share,
            });
        })
        .await?;
    if session.index(&session.connection()).is_some() {
        return Ok(());
    }
    let report = |step: crate::index::Progress| {
        progress(Evaluating {
            step: format!("values of {}.{}", step.table, step.column),
            share: step.share(),
        });
    };
    session
        .reindex(&ReindexOptions::default(), report, cancel.clone())
        .await?;
    Ok(())
}

async fn ask(
    session: &Session,
    question: &Question,
    model: UseModel,
    cancel: &CancellationToken,
) -> Result<Judged, SessionError> {
    let previous = question
        .previous
        .as_deref()
        .map(str::parse::<MetricQuery>)
        .transpose()
        .map_err(|error| {
            SessionError::usage("eval", format!("{}: previous: {error}", question.id))
        })?;
    let started = Instant::now();
    session.understand(&question.question, previous.as_ref());
    let understood_in = started.elapsed();
    let options = AskOptions { previous, model };
    let asked = session
        .ask_only(&question.question, &options, cancel.clone(), &mut |_| ())
        .await;
    let judgement = verdict::judge(session, &question.expect, &asked.outcome).await;
    Ok(Judged {
        id: question.id.clone(),
        question: question.question.clone(),
        previous: question.previous.clone(),
        tags: question.tags.clone(),
        out_of_scope: question.expect.is_refusal(),
        verdict: judgement.verdict,
        expected: question.expect.to_string(),
        got: judgement.got,
        differing: judgement.differing,
        understood_in,
    })
}
