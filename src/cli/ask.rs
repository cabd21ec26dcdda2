//! `metrex ask`: a question in plain words, what was understood of it, and its rows.

use std::io::{BufWriter, Write, stderr, stdout};

use clap::Args;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::format::Format;
use super::progress::Line;
use super::rows::Run;
use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, notes, prepare, print, search, show, understood, values, why};
use crate::model::MetricQuery;
use crate::session::{
    AskOptions, AskOutcome, Asked, AskedWhy, Certainty, Clarification, Meaning, Proposal,
    RememberedChoice, RunOptions, Session, SessionError, UseModel,
};

/// Most values of a dimension that are listed.
const VALUES: usize = 1000;

#[derive(Debug, Args)]
pub struct AskArgs {
    /// The question, such as: which market has the highest gmv last month
    #[arg(required = true, value_name = "QUESTION")]
    question: Vec<String>,
    /// The query line before it, for questions like: and for Thailand?
    #[arg(long, value_name = "LINE")]
    previous: Option<String>,
    /// Print the query line and do not run it
    #[arg(long)]
    dry_run: bool,
    /// Print the SQL and do not run it
    #[arg(long, conflicts_with = "dry_run")]
    sql: bool,
    /// How to print the rows; json also says what was understood
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Never ask a model, also where one is configured
    #[arg(long)]
    no_model: bool,
    /// Let the configured model read the question also where it is understood, and say where the two differ
    #[arg(long, conflicts_with = "no_model")]
    compare_model: bool,
    /// Run also what should be looked at first
    #[arg(long)]
    run: bool,
    /// Of the meanings that the question is asked back about, take this one from now on (a time: in this question)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    choose: Option<u8>,
}

pub fn run(global: &Global, args: &AskArgs) -> Outcome {
    let session = global.open()?;
    notes::about_session(&session);
    let previous: Option<MetricQuery> = match &args.previous {
        None => None,
        Some(line) => {
            let query = line.parse().map_err(SessionError::from);
            Some(query.map_err(Failure::of_line(line))?)
        }
    };
    let options = AskOptions {
        previous,
        model: match (args.no_model, args.compare_model) {
            (true, _) => UseModel::Never,
            (false, true) => UseModel::Always,
            (false, false) => UseModel::WhenUnsure,
        },
    };
    let question = args.question.join(" ");
    args.format.printed()?;
    block_on(async |cancel| {
        prepare(&session, cancel.clone()).await?;
        let mut asked = ask(&session, &question, &options, cancel.clone()).await;
        if let Some(number) = args.choose {
            let before = forget(&session, &asked);
            if !before.is_empty() {
                asked = ask(&session, &question, &options, cancel.clone()).await;
            }
            let chosen = match &asked.outcome {
                AskOutcome::Choose(clarification) => {
                    choose(&session, &question, clarification, number)
                }
                _ => {
                    Err(SessionError::usage("choose", "--choose has nothing to choose here").into())
                }
            };
            if chosen.is_err() {
                for choice in &before {
                    session.choose(&question, &choice.words, &choice.meaning);
                }
            }
            chosen?;
            asked = ask(&session, &question, &options, cancel.clone()).await;
        }
        if cancel.is_cancelled() {
            return Err(SessionError::interrupted().into());
        }
        if args.format == Format::Json {
            return print_json(&session, &asked, args, cancel).await;
        }
        understood::model(&asked);
        match &asked.outcome {
            AskOutcome::Answer(proposal) => answer(&session, &asked, proposal, args, cancel).await,
            AskOutcome::List {
                dimension: None, ..
            } => search::print_hits(&session, ""),
            AskOutcome::List {
                dimension: Some(dimension),
                metrics,
            } => values::print_values(&session, metrics, dimension, "", VALUES),
            AskOutcome::Explain(metric) => show::print_metric(&session, metric),
            AskOutcome::Why(found) => causes(&session, found, args, cancel).await,
            AskOutcome::Choose(clarification) => {
                understood::clarification(&question, clarification);
                Err(Failure::Exit(1))
            }
            AskOutcome::Refused(refusal) => {
                understood::refusal(&question, refusal);
                Err(Failure::Exit(1))
            }
        }
    })
}

/// Asks, with the stage on a terminal's last line.
async fn ask(
    session: &Session,
    question: &str,
    options: &AskOptions,
    cancel: CancellationToken,
) -> Asked {
    let mut line = Line::quiet();
    session
        .ask(question, options, cancel, |stage| {
            line.show(stage.word(), 0.0);
        })
        .await
}

/// Forgets what an answer took from choices before it, so that it can be chosen anew.
fn forget(session: &Session, asked: &Asked) -> Vec<RememberedChoice> {
    let AskOutcome::Answer(proposal) = &asked.outcome else {
        return Vec::new();
    };
    let chips = proposal.reading.chips.iter();
    let chips = chips.filter(|chip| chip.certainty == Certainty::Remembered);
    let words: Vec<String> = chips
        .filter_map(|chip| asked.question.get(chip.range.clone()))
        .map(str::to_lowercase)
        .collect();
    let choices = session.choices().into_iter();
    let before: Vec<_> = choices
        .filter(|choice| words.contains(&choice.words))
        .collect();
    for choice in &before {
        session.forget_choice(&choice.words);
    }
    before
}

fn choose(session: &Session, question: &str, clarification: &Clarification, number: u8) -> Outcome {
    let index = usize::from(number).saturating_sub(1);
    let Some(candidate) = clarification.candidates.get(index) else {
        let most = clarification.candidates.len();
        return Err(
            SessionError::usage("choose", format!("--choose takes 1 to {most} here")).into(),
        );
    };
    session.choose(question, &clarification.words, &candidate.meaning);
    let until = match candidate.meaning {
        Meaning::Time(_) => "in this question",
        _ => "from now on",
    };
    notes::note(&format!(
        "'{}' means {} {until}",
        clarification.words, candidate.label
    ));
    Ok(())
}

async fn answer(
    session: &Session,
    asked: &Asked,
    proposal: &Proposal,
    args: &AskArgs,
    cancel: CancellationToken,
) -> Outcome {
    understood::proposal(asked, proposal, !args.dry_run);
    if args.dry_run {
        return print(|out| writeln!(out, "{}", proposal.query));
    }
    let waits = !proposal.auto_run && !args.run;
    if args.sql || waits {
        notes::about_query(&proposal.compiled);
        if waits && !args.sql {
            notes::note("not run: look at the SQL first; --run runs it");
        }
        return print(|out| writeln!(out, "{};", proposal.compiled.main.sql.trim_end()));
    }
    let mut printer = args.format.printer(Style::of(&stdout()));
    let mut out = BufWriter::new(stdout().lock());
    stderr().flush()?;
    let run = Run {
        session,
        compiled: proposal.compiled.clone(),
        connection: &proposal.connection,
        options: RunOptions::default(),
    };
    run.print(cancel, printer.as_mut(), &mut out).await
}

/// Finds out why, as `metrex why` does.
async fn causes(
    session: &Session,
    found: &AskedWhy,
    args: &AskArgs,
    cancel: CancellationToken,
) -> Outcome {
    let waits = args.dry_run || args.sql || !(found.auto_run || args.run);
    understood::why(found, !waits);
    if waits {
        if !args.dry_run {
            notes::note("not looked into: it takes several queries; --run runs them");
        }
        return print(|out| writeln!(out, "{}", found.query));
    }
    let why = why::find(session, why::request(found.query.clone()), cancel).await?;
    why::print_text(&why, false)
}

/// The whole outcome as one object.
async fn print_json(
    session: &Session,
    asked: &Asked,
    args: &AskArgs,
    cancel: CancellationToken,
) -> Outcome {
    let mut reply = understood::json(asked);
    let mut put = |name: &str, value: Value| {
        reply.insert(name.to_owned(), value);
    };
    let mut outcome = Ok(());
    match &asked.outcome {
        AskOutcome::Answer(proposal) => {
            let runs = !args.dry_run && !args.sql && (proposal.auto_run || args.run);
            if runs {
                let mut rows = Vec::new();
                let run = Run {
                    session,
                    compiled: proposal.compiled.clone(),
                    connection: &proposal.connection,
                    options: RunOptions::default(),
                };
                let mut printer = args.format.printer(Style::plain());
                run.print(cancel, printer.as_mut(), &mut rows).await?;
                let rows: Value = serde_json::from_slice(&rows).map_err(std::io::Error::from)?;
                put("result", rows);
            }
        }
        AskOutcome::List {
            dimension: None, ..
        } => {
            let hits = session.search("");
            put(
                "metrics",
                hits.iter().map(|hit| hit.metric.as_str()).collect(),
            );
        }
        AskOutcome::List {
            dimension: Some(dimension),
            metrics,
        } => {
            let list = session.values(metrics, dimension, "", VALUES);
            let values = list.values.iter();
            let values = values.map(|(value, rows)| json!({"value": value, "rows": rows}));
            put("values", values.collect());
        }
        AskOutcome::Explain(metric) => {
            let card = session.describe(metric)?;
            let explanation = json!({
                "label": card.label,
                "description": card.description,
                "means": card.formula,
                "rules": card.business_rules,
            });
            put("explanation", explanation);
        }
        AskOutcome::Why(found) => {
            if !args.dry_run && !args.sql && (found.auto_run || args.run) {
                let why = why::find(session, why::request(found.query.clone()), cancel).await?;
                put(
                    "result",
                    serde_json::to_value(&why).map_err(std::io::Error::from)?,
                );
            }
        }
        AskOutcome::Choose(_) | AskOutcome::Refused(_) => outcome = Err(Failure::Exit(1)),
    }
    print(|out| {
        serde_json::to_writer_pretty(&mut *out, &Value::Object(reply))?;
        writeln!(out)
    })?;
    outcome
}
