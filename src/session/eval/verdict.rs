//! Compares what came of a question with what should have come.

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::parts::{Part, Parts};
use super::question::Expect;
use crate::session::cell::raw_json;
use crate::session::{Answer, AskOutcome, Clarification, Proposal, Refusal, RunOptions, Session};

/// How a question came out, against what should have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should.
    Right,
    /// Answered with something else, and nobody would notice.
    Wrong,
    /// Refused where an answer should have come, or without naming the word.
    Refused,
    /// A question back where an answer or a refusal should have come, or about other words.
    Asked,
    /// What should come does not compile: the question set is at fault.
    Broken,
}

impl Verdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::Refused => "refused",
            Self::Asked => "asked",
            Self::Broken => "broken",
        }
    }
}

/// A verdict with what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    /// What came.
    pub(super) got: String,
    /// Where a query was expected and one came: the parts that are not as expected.
    pub(super) differing: Option<Vec<Part>>,
}

/// Judges one outcome. Expected rows are compared with those of the answer, which is run for it.
pub(super) async fn judge(session: &Session, expect: &Expect, outcome: &AskOutcome) -> Judgement {
    let mut judgement = Judgement {
        verdict: match outcome {
            AskOutcome::Refused(_) => Verdict::Refused,
            AskOutcome::Choose(_) => Verdict::Asked,
            _ => Verdict::Wrong,
        },
        got: describe(outcome),
        differing: None,
    };
    let mut broken = None;
    let mut nearest: Option<Vec<Part>> = None;
    for expected in expect.alternatives() {
        let is_right = match (expected, outcome) {
            (Expect::Query(line), _) => match expected_parts(session, line) {
                Err(why) => {
                    broken = Some(format!("expected '{line}', which is not a query: {why}"));
                    continue;
                }
                Ok(wanted) => match outcome {
                    AskOutcome::Answer(proposal) => {
                        let got = Parts::of(session, &proposal.compiled);
                        let differing = wanted.differing(&got);
                        let is_right = differing.is_empty();
                        if nearest
                            .as_ref()
                            .is_none_or(|known| differing.len() < known.len())
                        {
                            nearest = Some(differing);
                        }
                        is_right
                    }
                    _ => false,
                },
            },
            (Expect::Rows(rows), AskOutcome::Answer(proposal)) => {
                match answer(session, proposal).await {
                    Ok(answer) => same_rows(rows, &answer),
                    Err(why) => {
                        judgement.got = format!("{}: {why}", judgement.got);
                        false
                    }
                }
            }
            (Expect::Refuse(words), AskOutcome::Refused(refusal)) => names_one(refusal, words),
            (Expect::Ask(words), AskOutcome::Choose(clarification)) => {
                is_about(clarification, words)
            }
            (Expect::List(wanted), AskOutcome::List { dimension, .. }) => {
                let dimension = dimension.as_deref().unwrap_or_default();
                same_dimension(session, wanted, dimension)
            }
            (Expect::Explain(wanted), AskOutcome::Explain(metric)) => {
                let catalog = session.catalog();
                let name = |name: &str| catalog.registry.metric(name).map(|m| m.name.clone());
                name(wanted).is_some_and(|wanted| Some(wanted) == name(metric))
            }
            (Expect::Why(line), AskOutcome::Why(found)) => {
                let wanted = line
                    .parse()
                    .ok()
                    .and_then(|query| session.why_of(&query).ok());
                wanted.is_some_and(|wanted| wanted.to_string() == found.query.to_string())
            }
            _ => false,
        };
        if is_right {
            judgement.verdict = Verdict::Right;
            break;
        }
    }
    judgement.differing = nearest;
    // Of several ways to be right, one that does not compile leaves the others.
    if let Some(why) = broken.filter(|_| expect.alternatives().len() == 1) {
        judgement.verdict = Verdict::Broken;
        judgement.got = why;
    }
    judgement
}

fn expected_parts(session: &Session, line: &str) -> Result<Parts, String> {
    let query = line
        .parse()
        .map_err(|error: crate::model::QueryLineError| error.to_string())?;
    let compiled = session.compile(&query).map_err(|error| error.message)?;
    Ok(Parts::of(session, &compiled))
}

fn describe(outcome: &AskOutcome) -> String {
    match outcome {
        AskOutcome::Answer(proposal) => proposal.query.to_string(),
        AskOutcome::List {
            dimension: None, ..
        } => "the metrics, listed".to_owned(),
        AskOutcome::List {
            dimension: Some(dimension),
            ..
        } => format!("the values of {dimension}, listed"),
        AskOutcome::Explain(metric) => format!("{metric}, explained"),
        AskOutcome::Why(found) => format!("why {}", found.query),
        AskOutcome::Choose(clarification) => {
            let labels = clarification.candidates.iter();
            let labels: Vec<&str> = labels.map(|candidate| candidate.label.as_str()).collect();
            format!(
                "asked about '{}': {}",
                clarification.words,
                labels.join(", ")
            )
        }
        AskOutcome::Refused(refusal) => {
            let words: Vec<&str> = refusal
                .words
                .iter()
                .map(|(word, _)| word.as_str())
                .collect();
            format!("refused for '{}': {}", words.join("', '"), refusal.message)
        }
    }
}

/// Most words that a refusal may mark around the one that is in the way; a refusal that marks everything names nothing.
const AROUND: usize = 3;

/// Whether a refusal names one of the words: marked in the question, or, where nothing is marked, in its message.
fn names_one(refusal: &Refusal, words: &[String]) -> bool {
    let names = |word: &String| {
        let most = split(word).len() + AROUND;
        let mut marked = refusal.words.iter().map(|(marked, _)| marked);
        marked.any(|marked| overlap(marked, word) && split(marked).len() <= most)
            || (refusal.words.is_empty() && has_word(&refusal.message, word))
    };
    words.is_empty() || words.iter().any(names)
}

fn is_about(clarification: &Clarification, words: &str) -> bool {
    words.is_empty() || overlap(&clarification.words, words)
}

/// Whether one of two texts has the other among its words.
fn overlap(one: &str, other: &str) -> bool {
    has_word(one, other) || has_word(other, one)
}

fn has_word(text: &str, word: &str) -> bool {
    let (text, word) = (split(text), split(word));
    !word.is_empty() && text.windows(word.len()).any(|window| window == word)
}

fn split(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn same_dimension(session: &Session, one: &str, other: &str) -> bool {
    let catalog = session.catalog();
    let name = |name: &str| {
        let datasets = catalog.registry.datasets.values();
        let mut found = datasets.filter_map(|dataset| dataset.dimension(name));
        found
            .next()
            .map_or(name.to_lowercase(), |dimension| dimension.name.clone())
    };
    name(one) == name(other)
}

async fn answer(session: &Session, proposal: &Proposal) -> Result<Answer, String> {
    session
        .answer(
            &proposal.query,
            RunOptions::default(),
            CancellationToken::new(),
        )
        .await
        .map_err(|error| error.message)
}

/// The same rows in any order; numbers to nine digits, as sums of the same numbers differ in the last ones.
fn same_rows(expected: &[Vec<serde_json::Value>], answer: &Answer) -> bool {
    let cell = |value: &serde_json::Value| match value.as_f64() {
        Some(number) => format!("{number:.8e}"),
        None => value.to_string(),
    };
    let row = |cells: &[serde_json::Value]| -> Vec<String> { cells.iter().map(cell).collect() };
    let mut wanted: Vec<Vec<String>> = expected.iter().map(|cells| row(cells)).collect();
    let mut got: Vec<Vec<String>> = answer
        .batches
        .iter()
        .flat_map(|batch| {
            (0..batch.num_rows()).map(|at| {
                let columns = batch.columns().iter();
                let cells: Vec<_> = columns.map(|array| raw_json(array.as_ref(), at)).collect();
                row(&cells)
            })
        })
        .collect();
    wanted.sort();
    got.sort();
    wanted == got && !answer.truncated
}
