//! Looks behind a number: its rows and its explanation, asked for off the drawing thread.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::message::RunNews;
use crate::compile::{NumberOf, ReasonKind};
use crate::model::MetricQuery;
use crate::session::cell::thousands;
use crate::session::plot::Spread;
use crate::session::why::{Budget, Why, WhyRequest};
use crate::session::{Failure, NumberCard, PartCard, RunOptions, Session, SessionError};

/// Most rows that are brought to the screen; their number and their sum are those of all.
const ROWS: u64 = 100_000;

/// A number to look behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The query it is in.
    pub query: MetricQuery,
    /// Which number.
    pub number: NumberOf,
    /// What is to be seen.
    pub at: LookAt,
}

/// What is to be seen of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookAt {
    /// The rows of an aggregation that it is computed from.
    Rows(usize),
    /// What it means and where it comes from.
    Meaning,
    /// Not one number: how those of the query are spread.
    Spread,
    /// Why it moved.
    Why {
        /// Whether to go on where it was left.
        resume: bool,
    },
}

/// News of a look.
#[derive(Debug)]
pub enum LookNews {
    /// The aggregations were found; the rows of one of them follow.
    Parts(Vec<PartName>),
    /// News of its rows.
    Rows(RunNews),
    /// The explanation, or why there is none.
    Meaning(Result<Vec<Section>, SessionError>),
    /// Why it moved, as far as that is known; whether that is the end.
    Why(Box<Why>, bool),
    /// Why it moved cannot be found out.
    NoWhy(SessionError),
    /// How the numbers are spread, or why that cannot be told.
    Spread(Result<Box<Spread>, SessionError>),
    /// It looks expensive, and was not done.
    Expensive(Box<Look>, SessionError),
}

/// An aggregation that a number is computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartName {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub reading: String,
    /// What is not shown of its rows, being personal data.
    pub left_out: Vec<String>,
}

/// A paragraph of an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its heading.
    pub heading: String,
    /// Its lines.
    pub lines: Vec<String>,
}

/// Looks behind a number and tells what it sees. A receiver that is gone ends it.
pub async fn look(
    session: Session,
    look: Look,
    cancel: CancellationToken,
    news: mpsc::Sender<LookNews>,
) {
    let told = match look.at {
        LookAt::Rows(part) => match rows(&session, &look, part, cancel, &news).await {
            Err(error) if error.failure == Failure::Expensive => {
                LookNews::Expensive(Box::new(look), error)
            }
            ended => LookNews::Rows(RunNews::Ended(ended)),
        },
        LookAt::Why { resume } => match why(&session, &look, resume, cancel, &news).await {
            Err(error) if error.failure == Failure::Expensive => {
                LookNews::Expensive(Box::new(look), error)
            }
            Err(error) => LookNews::NoWhy(error),
            Ok(why) => LookNews::Why(Box::new(why), true),
        },
        LookAt::Meaning => {
            let card = session.explain_number(&look.query, &look.number, &cancel);
            match card.await {
                Err(error) if error.failure == Failure::Expensive => {
                    LookNews::Expensive(Box::new(look), error)
                }
                card => LookNews::Meaning(card.map(|card| sections(&card))),
            }
        }
        LookAt::Spread => match session.spread(&look.query, cancel).await {
            Err(error) if error.failure == Failure::Expensive => {
                LookNews::Expensive(Box::new(look), error)
            }
            told => LookNews::Spread(told.map(|(spread, _)| Box::new(spread))),
        },
    };
    let _ = news.send(told).await;
}

/// Finds out why a number moved, and tells how far that has come.
async fn why(
    session: &Session,
    look: &Look,
    resume: bool,
    cancel: CancellationToken,
    news: &mpsc::Sender<LookNews>,
) -> Result<Why, SessionError> {
    let request = WhyRequest {
        query: look.query.clone(),
        budget: Budget::default(),
        resume,
        with_model: false,
    };
    let told = |why: &Why| {
        // Who is too slow to listen hears the next one.
        let _ = news.try_send(LookNews::Why(Box::new(why.clone()), false));
    };
    session.why(request, cancel, told).await
}

async fn rows(
    session: &Session,
    look: &Look,
    part: usize,
    cancel: CancellationToken,
    news: &mpsc::Sender<LookNews>,
) -> Result<crate::session::RunSummary, SessionError> {
    let connection = session.connection();
    let behind = session
        .behind(&look.query, &look.number)
        .map_err(|error| session.refusal(error))?;
    let name = |part: &crate::compile::RowsOf| PartName {
        name: part.name.clone(),
        reading: part.reading.clone(),
        left_out: part.left_out.clone(),
    };
    let names = behind.parts.iter().map(name).collect();
    let _ = news.send(LookNews::Parts(names)).await;
    let part = behind.parts.into_iter().nth(part);
    let part = part.ok_or_else(SessionError::interrupted)?;
    let (events, mut received) = mpsc::channel(4);
    let options = RunOptions {
        fresh: false,
        row_cap: Some(ROWS),
    };
    let run = session.run_compiled(
        Arc::new(part.compiled),
        &connection,
        options,
        cancel,
        events,
    );
    let forward = async {
        while let Some(event) = received.recv().await {
            let _ = news.send(LookNews::Rows(RunNews::Event(event))).await;
        }
    };
    tokio::join!(run, forward).0
}

/// An explanation in paragraphs.
pub fn sections(card: &NumberCard) -> Vec<Section> {
    let section = |heading: &str, lines: Vec<String>| Section {
        heading: heading.to_owned(),
        lines,
    };
    let metric = &card.metric;
    let mut meaning = vec![metric.formula.clone()];
    meaning.extend(Some(metric.description.clone()).filter(|text| !text.is_empty()));
    meaning.extend(metric.business_rules.iter().map(|rule| format!("- {rule}")));
    let mut owner = vec![metric.standing.clone()];
    owner.extend(metric.owner.iter().map(|owner| format!("owner {owner}")));
    let changed = metric.last_updated.iter();
    owner.extend(changed.map(|day| format!("meaning of {day}")));
    owner.push(metric.defined_at.clone());
    meaning.push(owner.join(" · "));

    let mut which: Vec<String> = card
        .at
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name} = {value}"),
            None => format!("{name} is null"),
        })
        .collect();
    which.push(format!("time: {}", card.range));
    which.extend(card.prior.map(|prior| format!("compared with {prior}")));
    which.push(format!("query: {}", card.line));

    let (parts, sql) = match &card.parts {
        Err(error) => {
            let hint = error.hint().map(str::to_owned);
            (
                std::iter::once(error.message.clone()).chain(hint).collect(),
                Vec::new(),
            )
        }
        Ok(parts) => (
            parts.iter().map(part).collect(),
            parts
                .iter()
                .map(|part| section(&format!("SQL of {}", part.name), vec![part.sql.clone()]))
                .collect(),
        ),
    };
    let reasons = card.reasons.iter().map(|(reason, at)| {
        let kind = match reason.kind {
            ReasonKind::Source => "source",
            ReasonKind::Join => "join",
            ReasonKind::Filter => "filter",
            ReasonKind::Time => "time",
            ReasonKind::Compare => "compared",
            ReasonKind::Default => "default",
            ReasonKind::Note => "note",
        };
        let at = at.iter().map(|at| format!("  {at}"));
        format!("{kind}: {}{}", reason.text, at.collect::<String>())
    });
    let mut all = vec![
        section("Computed from", parts),
        section("Meaning", meaning),
        section("Which number", which),
        section("Why so", reasons.collect()),
    ];
    all.extend::<Vec<Section>>(sql);
    all.retain(|section| !section.lines.is_empty());
    all
}

fn part(part: &PartCard) -> String {
    let rows = thousands(usize::try_from(part.rows).unwrap_or(usize::MAX));
    let noun = if part.rows == 1 { "row" } else { "rows" };
    let times = part
        .time
        .iter()
        .map(|(name, first, last)| match first == last {
            true => format!(", {name} {first}"),
            false => format!(", {name} from {first} to {last}"),
        });
    format!(
        "{} = {}: {}, {rows} {noun}{}",
        part.name,
        part.value,
        part.reading,
        times.collect::<String>()
    )
}
