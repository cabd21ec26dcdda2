//! Questions in the prompt: what their words mean so far, how far the answer is, and how the query came about.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::action::Action;
use super::state::{Prompt, State};
use crate::compile::Compiled;
use crate::model::{Filter, GroupBy, MetricKind, MetricQuery, QueryLineError, Registry};
use crate::session::{
    Asked, Certainty, Chip, Meaning, ModelCall, PathTaken, Proposal, Stage, Understanding,
};

/// What a text in the prompt was understood as.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The text.
    pub text: String,
    /// What it means.
    pub understanding: Understanding,
    /// Whether it was asked; else a word may still be half typed.
    pub is_asked: bool,
    /// Why a model that was asked could not help.
    pub trouble: Option<String>,
}

/// A question that is being answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The generation it was asked for.
    pub generation: u64,
    /// What is being done.
    pub stage: Stage,
    /// When it was asked.
    pub since: Duration,
    /// What is to be said with the answer.
    pub remark: Option<String>,
}

/// The question that the query came from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// As typed.
    pub question: String,
    /// The query it was answered with.
    pub query: MetricQuery,
    /// What was understood.
    pub chips: Vec<Chip>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// How the SQL came about.
    pub path: PathTaken,
    /// The models that were asked.
    pub calls: Vec<ModelCall>,
    /// How long the answer took.
    pub elapsed: Duration,
    /// SQL that is not compiled from the query, with the connection it was checked for.
    pub written: Option<Written>,
}

/// SQL that a model wrote and the validator passed.
#[derive(Debug, Clone)]
pub struct Written {
    /// The SQL.
    pub compiled: Arc<Compiled>,
    /// The connection it was checked for.
    pub connection: String,
}

impl Origin {
    /// Of a question that was answered with a proposal.
    pub fn new(asked: &Asked, proposal: &Proposal) -> Self {
        let written = (proposal.path == PathTaken::Model).then(|| Written {
            compiled: Arc::clone(&proposal.compiled),
            connection: proposal.connection.clone(),
        });
        let notes = proposal.reading.notes.iter();
        let notes = notes.chain(&asked.difference).chain(&asked.trouble);
        Self {
            question: asked.question.clone(),
            query: proposal.query.clone(),
            chips: proposal.reading.chips.clone(),
            notes: notes.cloned().collect(),
            path: proposal.path.clone(),
            calls: asked.calls.clone(),
            elapsed: asked.elapsed,
            written,
        }
    }

    /// How the answer came about, with what it cost: `template, 3 ms`.
    pub fn path_words(&self) -> String {
        let path = match self.path {
            PathTaken::Template => "template",
            PathTaken::Snippet => "snippet by its facets, no model",
            PathTaken::Model => "snippet adapted by a model",
        };
        let mut words = vec![path.to_owned()];
        if let Some(last) = self.calls.last() {
            let sum = |count: fn(&ModelCall) -> u64| self.calls.iter().map(count).sum::<u64>();
            words.push(last.model.clone());
            words.push(format!(
                "{} + {} tokens",
                sum(|call| call.tokens_in),
                sum(|call| call.tokens_out)
            ));
            let costs: Option<f64> = self.calls.iter().map(|call| call.cost).sum();
            words.extend(costs.map(|cost| format!("${cost:.4}")));
        }
        words.push(time_words(self.elapsed));
        words.join(", ")
    }
}

/// Why an answer is to be looked at before it runs.
pub fn why_not_run(asked: &Asked, proposal: &Proposal) -> String {
    let chips = proposal.reading.chips.iter();
    let similar: Vec<&str> = chips
        .filter(|chip| chip.certainty == Certainty::Similar)
        .map(|chip| chip.detail.as_deref().unwrap_or(&chip.text))
        .collect();
    match (&proposal.path, similar.is_empty(), asked.calls.is_empty()) {
        (PathTaken::Model, ..) => "a model wrote this SQL".to_owned(),
        _ if asked.difference.is_some() => "a model reads it otherwise".to_owned(),
        (_, false, _) => format!("similar words: {}", similar.join(", ")),
        (PathTaken::Snippet, ..) => "the metric is complex".to_owned(),
        (_, _, false) => "a model read the question".to_owned(),
        _ => "answers are not run by themselves here".to_owned(),
    }
}

/// A short time: `12 ms`, `3.4 s`, `2 min 05 s`.
pub fn time_words(time: Duration) -> String {
    match time.as_secs() {
        0 if time.as_millis() < 1000 => format!("{} ms", time.as_millis()),
        whole @ 0..60 => format!("{whole}.{} s", time.subsec_millis() / 100),
        whole => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}

/// What a chosen meaning is, in words: `market = BR`.
pub fn meaning_words(meaning: &Meaning) -> String {
    match meaning {
        Meaning::Metric(name) => format!("metric {name}"),
        Meaning::Dimension(name) => format!("dimension {name}"),
        Meaning::Value { dimension, value } => format!("{dimension} = {value}"),
        Meaning::Time(time) => time.to_string(),
    }
}

/// Something to say about the text in the prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The words.
    pub text: String,
    /// Whether it is why there is no answer.
    pub is_error: bool,
}

impl Prompt {
    /// What is known of the text as it stands.
    pub fn heard(&self) -> Option<&Understanding> {
        let heard = self.heard.as_ref()?;
        (self.typing && heard.text == self.input.text()).then_some(&heard.understanding)
    }

    /// What was understood so far; while the newest word is being looked at, what was understood before it.
    pub fn chips(&self) -> Option<&[Chip]> {
        let heard = self.heard.as_ref().filter(|_| self.typing)?;
        match &heard.understanding {
            Understanding::Clear(reading) => Some(&reading.chips),
            Understanding::Refused(refusal) => Some(&refusal.understood),
            Understanding::Unsure(_) => Some(&[]),
        }
    }

    /// The bytes of the text that are not understood. A word that is being typed is not held against anyone.
    pub fn marks(&self) -> Vec<Range<usize>> {
        if let Some(error) = &self.error {
            return vec![error.range.clone()];
        }
        let Some(heard) = self.heard() else {
            return Vec::new();
        };
        let words = match heard {
            Understanding::Clear(_) => return Vec::new(),
            Understanding::Unsure(unsure) => vec![unsure.range.clone()],
            Understanding::Refused(refusal) => refusal
                .words
                .iter()
                .map(|(_, range)| range.clone())
                .collect(),
        };
        let is_typed = |range: &Range<usize>| !self.is_asked() && range.end == self.input.cursor();
        words
            .into_iter()
            .filter(|range| !range.is_empty() && !is_typed(range))
            .collect()
    }

    fn is_asked(&self) -> bool {
        self.heard.as_ref().is_some_and(|heard| heard.is_asked)
    }

    /// What is to be said below the text, which the key `asks` asks.
    fn remarks(&self, asks: &str) -> Vec<Remark> {
        let say = |text: String, is_error| Remark { text, is_error };
        if let Some(error) = &self.error {
            return vec![say(error.to_string(), true)];
        }
        let marked: Vec<&str> = self
            .marks()
            .into_iter()
            .filter_map(|range| self.input.text().get(range))
            .collect();
        match self.heard() {
            None => Vec::new(),
            Some(Understanding::Clear(reading)) => reading
                .notes
                .iter()
                .map(|note| say(note.clone(), false))
                .collect(),
            Some(Understanding::Refused(refusal)) if self.is_asked() => {
                let trouble = self.heard.iter().flat_map(|heard| &heard.trouble);
                let more = refusal.hint.iter().chain(trouble);
                std::iter::once(say(format!("! {}", refusal.message), true))
                    .chain(more.map(|text| say(text.clone(), false)))
                    .collect()
            }
            // The word may still be half typed.
            Some(_) if marked.is_empty() => Vec::new(),
            Some(Understanding::Unsure(unsure)) => vec![say(
                format!("? {} · {asks} lists the meanings", unsure.message),
                false,
            )],
            Some(Understanding::Refused(_)) => {
                vec![say(
                    format!("? not understood: {}", marked.join(", ")),
                    false,
                )]
            }
        }
    }
}

impl State {
    /// What is to be said below the text that is typed.
    pub fn remarks(&self) -> Vec<Remark> {
        self.prompt.remarks(&self.key(Action::ApplyLine))
    }

    /// The question that the present query came from.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin
            .as_ref()
            .filter(|origin| origin.query == self.query)
    }

    /// SQL that a model wrote for a query, if it is about the present connection.
    pub fn written(&self, query: &MetricQuery) -> Option<&Written> {
        let origin = self
            .origin
            .as_ref()
            .filter(|origin| origin.query == *query)?;
        origin
            .written
            .as_ref()
            .filter(|written| written.connection == self.connection)
    }

    /// The query that a question continues.
    pub fn continued(&self) -> Option<&MetricQuery> {
        Some(&self.query).filter(|query| !self.prompt.anew && !query.metrics.is_empty())
    }
}

/// The query that a text is the line of, with names that exist; any other text is a question.
pub fn query_line(registry: &Registry, text: &str) -> Result<MetricQuery, Option<QueryLineError>> {
    let query: MetricQuery = text.parse().map_err(Some)?;
    if let Some(saved) = registry.saved(&query) {
        return Ok(saved.clone());
    }
    let metrics: Option<Vec<_>> = query
        .metrics
        .iter()
        .map(|name| registry.metric(name))
        .collect();
    let is_complex = metrics.as_ref().is_some_and(|all| {
        all.iter()
            .any(|metric| matches!(metric.kind, MetricKind::Complex { .. }))
    });
    let is_known = |name: &str| {
        let last = name.rsplit('.').next().unwrap_or(name);
        let datasets = registry.datasets.values();
        // Names that only a snippet knows are the compiler's to judge.
        is_complex
            || registry.metric(name).is_some()
            || datasets
                .into_iter()
                .any(|dataset| dataset.dimension(last).is_some())
    };
    let groups = query.group_by.iter().flatten().chain(&query.range_of);
    let groups = groups.filter_map(GroupBy::dimension).all(is_known);
    let is_field = |field: &str| match Filter::per(field) {
        Some((metric, dimension)) => registry.metric(metric).is_some() && is_known(dimension),
        None => is_known(field),
    };
    let fields = query
        .filters
        .as_ref()
        .is_none_or(|filter| filter.fields().into_iter().all(is_field));
    if metrics.is_some() && groups && fields {
        Ok(query)
    } else {
        Err(None)
    }
}

/// Whether a query line may begin like this: what is wrong with it, if anything, is only that it ends here.
pub fn may_be_line(start: &str) -> bool {
    let error = start.parse::<MetricQuery>().err();
    error.is_none_or(|error| error.range.start >= start.trim_end().len())
}
