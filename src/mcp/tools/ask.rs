//! `ask`: a question in plain words, answered, asked back, or refused with the offending word.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::describe_metric::MetricDescription;
use super::dimension_values::{DimensionValues, Values};
use super::list_metrics::{ListMetrics, MetricList};
use crate::mcp::call::Call;
use crate::mcp::error::{ToolError, clean};
use crate::mcp::reply::{MAX_BYTES, QueryReply, milliseconds};
use crate::mcp::tool::Tool;
use crate::session::{
    AskOptions, AskOutcome, Asked, Chip, Clarification, ModelCall, PathTaken, Proposal, Refusal,
    RejectedSql, SessionError,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct Ask {
    /// The question, such as "gmv by market last month vs last year".
    question: String,
    /// The query line of the answer before, where the question only changes it ("and for Thailand?").
    #[serde(default)]
    previous: Option<String>,
}

/// How the question came out.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(in crate::mcp) struct Reply {
    /// answered, not_run, choose, list, explain, why or refused.
    outcome: Outcome,
    /// What was understood, part by part.
    understood: Vec<Understood>,
    /// For not_run: the query as one line. For why: the number with its two periods; explain_change finds the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    /// For not_run: the SQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    sql: Option<String>,
    /// How the SQL came about: template and snippet are compiled from definitions, model was written by a language model.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Path>,
    /// For answered: the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<QueryReply>,
    /// For choose: what the words may mean. Ask again with the right one.
    #[serde(skip_serializing_if = "Option::is_none")]
    choose: Option<Choice>,
    /// For list of a dimension: its values.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Values>,
    /// For list without a dimension: the metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<MetricList>,
    /// For explain: the metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<MetricDescription>,
    /// SQL of a language model that did not pass the checks; it was not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<Rejected>,
    /// For refused: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
    /// What a reader must know.
    notes: Vec<String>,
    /// Language models that were asked.
    model_calls: Vec<ModelLine>,
    /// From the question to its understanding, in milliseconds.
    understood_in_ms: u64,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// Understood and run.
    Answered,
    /// Understood, but to be looked at before it runs.
    NotRun,
    /// Some words have several meanings.
    Choose,
    /// A list of values or metrics was wanted.
    List,
    /// The meaning of a metric was wanted.
    Explain,
    /// The causes of a change were wanted.
    Why,
    /// Not understood, or not answerable.
    #[default]
    Refused,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Path {
    Template,
    Snippet,
    Model,
}

/// A part of what was understood.
#[derive(Debug, Serialize, JsonSchema)]
struct Understood {
    /// metric, group, filter, time, compare or order.
    kind: String,
    /// In the words of the query line.
    text: String,
    /// What it was resolved to, such as dates or "Brasil -> BR".
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// exact, similar, remembered, model (a language model read it so), kept (from the query before) or default.
    certainty: String,
}

/// Words with several meanings.
#[derive(Debug, Serialize, JsonSchema)]
struct Choice {
    /// The words, as asked.
    words: String,
    /// What is asked back.
    message: String,
    /// The meanings, the likeliest first.
    candidates: Vec<Meaning>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Meaning {
    /// The meaning.
    label: String,
    /// What tells it from the others.
    detail: String,
}

/// Why there is no answer.
#[derive(Debug, Serialize, JsonSchema)]
struct Refused {
    /// unknown_words, no_metric, unknown_value, out_of_scope, not_answerable or cancelled.
    code: String,
    /// What is wrong.
    message: String,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The offending words, as asked.
    words: Vec<String>,
}

/// SQL that did not pass, and why.
#[derive(Debug, Serialize, JsonSchema)]
struct Rejected {
    /// The SQL.
    sql: String,
    /// What is wrong with it.
    findings: Vec<String>,
}

/// An exchange with a language model.
#[derive(Debug, Serialize, JsonSchema)]
struct ModelLine {
    /// What it was for.
    stage: String,
    /// The model.
    model: String,
    tokens_in: u64,
    tokens_out: u64,
    /// In US dollars, where prices are configured.
    cost: Option<f64>,
    elapsed_ms: u64,
}

impl Tool for Ask {
    const NAME: &'static str = "ask";
    const TITLE: &'static str = "Ask in plain words";
    const DESCRIPTION: &'static str = "Answers a question in plain English with rows, or says which word it does not understand; it never \
        drops a word in silence. Returns what was understood, the query line, the SQL and the rows; or meanings to choose from; or a \
        refusal. Prefer query_metric where you know the metric and the dimensions.";
    /// A project may have a language model configured, which is asked only where the grammar is not sure.
    const OPEN_WORLD: bool = true;
    type Reply = Reply;

    async fn run(self, call: &Call) -> Result<Reply, ToolError> {
        call.ready().await?;
        let previous = self.previous.as_deref().map(str::parse).transpose();
        let options = AskOptions {
            previous: previous.map_err(SessionError::from)?,
            ..AskOptions::default()
        };
        let asked = call
            .session
            .ask(&self.question, &options, call.cancel.clone(), |_| ())
            .await;
        Reply::new(call, asked).await
    }
}

impl Reply {
    async fn new(call: &Call, asked: Asked) -> Result<Self, ToolError> {
        let told = asked.difference.iter().chain(&asked.trouble);
        let reply = Self {
            notes: told.map(|note| clean(note)).collect(),
            rejected: asked.rejected.as_ref().map(Rejected::new),
            model_calls: asked.calls.iter().map(ModelLine::new).collect(),
            understood_in_ms: milliseconds(asked.elapsed),
            ..Self::default()
        };
        Ok(match asked.outcome {
            AskOutcome::Answer(proposal) => reply.with_proposal(call, *proposal).await?,
            AskOutcome::Choose(clarification) => Self {
                outcome: Outcome::Choose,
                choose: Some(Choice::new(&clarification)),
                ..reply
            },
            AskOutcome::Refused(refusal) => Self {
                outcome: Outcome::Refused,
                understood: refusal.understood.iter().map(Understood::new).collect(),
                refused: Some(Refused::new(&refusal)),
                ..reply
            },
            AskOutcome::Explain(metric) => Self {
                outcome: Outcome::Explain,
                description: Some(
                    call.ask(move |session| {
                        let card = session.describe(&metric)?;
                        Ok::<_, SessionError>(MetricDescription::new(session, card))
                    })
                    .await??,
                ),
                ..reply
            },
            AskOutcome::Why(found) => Self {
                outcome: Outcome::Why,
                understood: found.reading.chips.iter().map(Understood::new).collect(),
                query: Some(found.query.to_string()),
                ..reply
            },
            AskOutcome::List { dimension, metrics } => match dimension {
                Some(dimension) => {
                    let wanted = DimensionValues::of(dimension, metrics.first().cloned());
                    Self {
                        outcome: Outcome::List,
                        values: Some(call.ask(move |session| wanted.list(session)).await??),
                        ..reply
                    }
                }
                None => Self {
                    outcome: Outcome::List,
                    metrics: Some(
                        call.ask(|session| ListMetrics::default().list(session))
                            .await?,
                    ),
                    ..reply
                },
            },
        })
    }

    /// Runs what may run without being looked at first.
    async fn with_proposal(mut self, call: &Call, proposal: Proposal) -> Result<Self, ToolError> {
        let reading = &proposal.reading;
        self.understood = reading.chips.iter().map(Understood::new).collect();
        self.notes
            .extend(reading.notes.iter().map(|note| clean(note)));
        self.path = Some(match proposal.path {
            PathTaken::Template => Path::Template,
            PathTaken::Snippet => Path::Snippet,
            PathTaken::Model => Path::Model,
        });
        if proposal.auto_run {
            self.outcome = Outcome::Answered;
            let taken = serde_json::to_string(&self).map_or(0, |json| json.len());
            let room = MAX_BYTES.saturating_sub(taken);
            self.answer = Some(
                call.run(proposal.compiled, &proposal.connection, room)
                    .await?,
            );
        } else {
            self.outcome = Outcome::NotRun;
            self.query = Some(proposal.query.to_string());
            self.sql = Some(proposal.compiled.main.sql.clone());
            let note = match proposal.path {
                PathTaken::Model => "not run: a person should look at this SQL first",
                PathTaken::Template | PathTaken::Snippet => {
                    "not run: check what was understood; query_metric runs it in parts"
                }
            };
            self.notes.push(note.to_owned());
        }
        Ok(self)
    }
}

impl Understood {
    fn new(chip: &Chip) -> Self {
        Self {
            kind: word(&chip.kind),
            text: clean(&chip.text),
            detail: chip.detail.as_deref().map(clean),
            certainty: word(&chip.certainty),
        }
    }
}

impl Choice {
    fn new(clarification: &Clarification) -> Self {
        let candidates = clarification.candidates.iter();
        Self {
            words: clean(&clarification.words),
            message: clean(&clarification.message),
            candidates: candidates
                .map(|candidate| Meaning {
                    label: clean(&candidate.label),
                    detail: clean(&candidate.detail),
                })
                .collect(),
        }
    }
}

impl Refused {
    fn new(refusal: &Refusal) -> Self {
        Self {
            code: word(&refusal.code),
            message: clean(&refusal.message),
            hint: refusal.hint.as_deref().map(clean),
            words: refusal.words.iter().map(|(word, _)| clean(word)).collect(),
        }
    }
}

impl Rejected {
    fn new(rejected: &RejectedSql) -> Self {
        let findings = rejected.findings.iter();
        Self {
            sql: clean(&rejected.sql),
            findings: findings.map(|finding| clean(&finding.message)).collect(),
        }
    }
}

impl ModelLine {
    fn new(call: &ModelCall) -> Self {
        Self {
            stage: call.stage.word().to_owned(),
            model: clean(&call.model),
            tokens_in: call.tokens_in,
            tokens_out: call.tokens_out,
            cost: call.cost,
            elapsed_ms: milliseconds(call.elapsed),
        }
    }
}

/// The word serde has for a unit variant.
fn word(variant: &impl Serialize) -> String {
    let value = serde_json::to_value(variant).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
