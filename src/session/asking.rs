//! One question on its way to an outcome: the definitions read it first, a model only where they do not understand.

use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::ask::{
    AskOptions, AskOutcome, AskedWhy, ModelCall, PathTaken, Proposal, RejectedSql, Stage, UseModel,
    refusal,
};
use super::{Session, SessionError};
use crate::ask::model::{
    Extracted, Extracting, Known, Refused, difference, harmless, linked_values,
};
use crate::ask::{
    Certainty, ChipKind, Linker, Reading, Refusal, RefusalCode, Understanding, ValueMap, asks_why,
};
use crate::compile::{CompileError, ErrorCode, leaf_metrics};
use crate::llm::{LlmError, Provider, Reply, Request};
use crate::model::{AutoRun, IntentKind, LlmSettings, MetricQuery, NoValues, ValueLookup};

/// Attempts of a model: one, and one more with what was wrong.
pub(super) const ATTEMPTS: usize = 2;
/// Metrics that a prompt may name, and how many of them each word of the question brings.
const METRICS: usize = 40;
const METRICS_OF_WORD: usize = 5;
/// Longest name of a model, in characters.
pub(super) const MODEL_NAME: usize = 80;

/// What is found out besides the outcome.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) calls: Vec<ModelCall>,
    pub(super) difference: Option<String>,
    pub(super) trouble: Option<String>,
    pub(super) rejected: Option<RejectedSql>,
}

/// Why a model brought nothing.
pub(super) enum Vain {
    /// The user stopped it.
    Cancelled,
    /// It could not be asked, or what it returned cannot be used.
    Trouble(String),
    /// The question is beyond the definitions; these words of it are.
    Unmapped(Vec<String>),
    /// What it wrote was refused, also the second time.
    Rejected(String),
}

impl fmt::Display for Vain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("cancelled"),
            Self::Trouble(trouble) => f.write_str(trouble),
            Self::Unmapped(words) => {
                write!(f, "the model finds nothing for: {}", words.join(", "))
            }
            Self::Rejected(why) => write!(f, "what the model wrote was refused, twice: {why}"),
        }
    }
}

/// A question that is being worked on.
pub(super) struct Asking<'a> {
    pub(super) session: &'a Session,
    pub(super) question: &'a str,
    options: &'a AskOptions,
    pub(super) cancel: CancellationToken,
    stage: &'a mut (dyn FnMut(Stage) + Send),
    pub(super) found: Found,
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        session: &'a Session,
        question: &'a str,
        options: &'a AskOptions,
        cancel: CancellationToken,
        stage: &'a mut (dyn FnMut(Stage) + Send),
    ) -> Self {
        Self {
            session,
            question,
            options,
            cancel,
            stage,
            found: Found::default(),
        }
    }

    pub(super) fn at(&mut self, stage: Stage) {
        (self.stage)(stage);
    }

    /// Works on the question to its end.
    pub(super) async fn outcome(&mut self) -> AskOutcome {
        self.at(Stage::Extracting);
        let previous = self.options.previous.as_ref();
        match self.session.understand(self.question, previous) {
            Understanding::Clear(reading) => {
                self.session.count_choices(self.question, &reading);
                let other = match self.options.model {
                    UseModel::Always => self.second_opinion(&reading).await,
                    _ => Ok(()),
                };
                match other {
                    Err(cancelled) => cancelled,
                    Ok(()) => self.resolve(*reading).await,
                }
            }
            // A person who can choose with one key knows better than a model that would guess.
            Understanding::Unsure(clarification) => AskOutcome::Choose(clarification),
            Understanding::Refused(refusal) => self.refused(*refusal).await,
        }
    }

    /// The model that may be asked, where one is configured and wanted.
    pub(super) fn model(&self) -> Option<&'a LlmSettings> {
        match self.options.model {
            UseModel::Never => None,
            UseModel::WhenUnsure | UseModel::Always => self.session.model(),
        }
    }

    /// Asks a model where the refusal is about words that it may know.
    async fn refused(&mut self, refusal: Refusal) -> AskOutcome {
        let may_help = matches!(
            refusal.code,
            RefusalCode::UnknownWords | RefusalCode::NoMetric
        );
        // A model would answer with a number where causes are asked for.
        if !may_help || self.model().is_none() || asks_why(self.question) {
            return AskOutcome::Refused(Box::new(refusal));
        }
        let doubtful: Vec<String> = refusal.words.iter().map(|(word, _)| word.clone()).collect();
        let named = refusal
            .understood
            .iter()
            .filter(|chip| chip.kind == ChipKind::Metric);
        let named: Vec<String> = named.map(|chip| chip.text.clone()).collect();
        match self.extract(&doubtful, &named).await {
            Ok(reading) => self.resolve(reading).await,
            Err(Vain::Cancelled) => cancelled(),
            Err(vain) => {
                self.found.trouble = Some(vain.to_string());
                AskOutcome::Refused(Box::new(refusal))
            }
        }
    }

    /// What a model makes of a question that was understood; only the difference is kept.
    async fn second_opinion(&mut self, reading: &Reading) -> Result<(), AskOutcome> {
        if self.model().is_none() {
            return Ok(());
        }
        match self.extract(&[], &reading.intent.metrics).await {
            Ok(other) => self.found.difference = difference(&reading.query(), &other.query()),
            Err(Vain::Cancelled) => return Err(cancelled()),
            Err(vain @ Vain::Unmapped(_)) => self.found.difference = Some(vain.to_string()),
            Err(vain) => self.found.trouble = Some(vain.to_string()),
        }
        Ok(())
    }

    /// Lets a model read the question; a reply that cannot be used goes back once with what is wrong.
    async fn extract(&mut self, doubtful: &[String], named: &[String]) -> Result<Reading, Vain> {
        let Some(settings) = self.model() else {
            return Err(Vain::Trouble("no model is configured".to_owned()));
        };
        let session = self.session;
        let provider = session
            .open_provider(settings)
            .map_err(|error| Vain::Trouble(error.to_string()))?;
        let version = session.version();
        let (registry, reach) = (&version.catalog.registry, &version.catalog.reach);
        let known = Known {
            metrics: self.metrics(named),
            values: self.values(doubtful),
        };
        let compiles = |query: &MetricQuery| match session.compile(query) {
            Err(error) if error.code != ErrorCode::ComplexMetric => Err(error),
            _ => Ok(()),
        };
        let extracting = Extracting {
            registry,
            reach,
            prompts: &version.prompts,
            question: self.question,
            doubtful,
            previous: self.options.previous.as_ref(),
            known: &known,
            today: session.today(),
            context_tokens: settings.context_tokens,
            max_tokens: settings.max_tokens,
            compiles: &compiles,
        };
        let mut refused: Option<Refused> = None;
        for _ in 0..ATTEMPTS {
            let request = extracting
                .request(refused.as_ref())
                .map_err(Vain::Trouble)?;
            let reply = self
                .complete(provider.as_ref(), &request, Stage::Extracting)
                .await?;
            match extracting.read(&reply.text) {
                Ok(Extracted::Unmapped(words)) => return Err(Vain::Unmapped(words)),
                Ok(Extracted::Reading(mut reading)) => {
                    let model = harmless(&reply.model, MODEL_NAME);
                    reading
                        .notes
                        .push(format!("read by {model}, a language model"));
                    return Ok(*reading);
                }
                Err(problems) => {
                    refused = Some(Refused {
                        reply: reply.text,
                        problems,
                    });
                }
            }
        }
        let problems = refused.map(|refused| refused.problems).unwrap_or_default();
        Err(Vain::Rejected(problems.join("; ")))
    }

    /// One exchange, written down.
    pub(super) async fn complete(
        &mut self,
        provider: &dyn Provider,
        request: &Request,
        stage: Stage,
    ) -> Result<Reply, Vain> {
        let result = provider.complete(request, self.cancel.clone()).await;
        let reply = result.map_err(|error| match error {
            LlmError::Cancelled => Vain::Cancelled,
            error => Vain::Trouble(error.to_string()),
        })?;
        self.found.calls.push(ModelCall {
            stage,
            model: harmless(&reply.model, MODEL_NAME),
            tokens_in: reply.tokens_in,
            tokens_out: reply.tokens_out,
            cost: reply.cost,
            elapsed: reply.elapsed,
        });
        Ok(reply)
    }

    /// The metrics a prompt names: those that were understood, those of the query before, those that words of the
    /// question find, then the ones that are used most.
    fn metrics(&self, named: &[String]) -> Vec<String> {
        let mut metrics: Vec<String> = named.to_vec();
        let previous = self.options.previous.iter();
        metrics.extend(previous.flat_map(|query| query.metrics.clone()));
        let words = self
            .question
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.chars().count() > 2);
        for word in words {
            let hits = self.session.search(word).into_iter().take(METRICS_OF_WORD);
            metrics.extend(hits.map(|hit| hit.metric));
        }
        metrics.extend(self.session.search("").into_iter().map(|hit| hit.metric));
        let mut seen = std::collections::HashSet::new();
        metrics.retain(|metric| seen.insert(metric.clone()));
        metrics.truncate(METRICS);
        metrics
    }

    fn values(&self, doubtful: &[String]) -> Vec<(String, String)> {
        let version = self.session.version();
        let index = self.session.index(&self.session.connection());
        let values: &dyn ValueLookup = match &index {
            Some(index) => index.as_ref(),
            None => &NoValues,
        };
        let registry = &version.catalog.registry;
        let linker = Linker {
            registry,
            reach: &version.catalog.reach,
            map: &ValueMap::new(registry),
            values,
        };
        linked_values(self.question, doubtful, &linker)
    }

    /// From a reading to an answer.
    async fn resolve(&mut self, reading: Reading) -> AskOutcome {
        self.at(Stage::Resolving);
        if self.cancel.is_cancelled() {
            return cancelled();
        }
        let intent = &reading.intent;
        match intent.intent {
            IntentKind::List => {
                let mut groups = intent.group_by.iter().flatten();
                return AskOutcome::List {
                    dimension: groups.next().map(ToString::to_string),
                    metrics: intent.metrics.clone(),
                };
            }
            IntentKind::Why => return self.why(reading),
            IntentKind::Explain => {
                if let Some(metric) = intent.metrics.first() {
                    return AskOutcome::Explain(metric.clone());
                }
            }
            _ => {}
        }
        let query = reading.query();
        let connection = self.session.connection();
        let dialect = self.session.dialect_of(&connection);
        match self.session.compile_on(&query, &connection, dialect) {
            Ok(compiled) => {
                let path = self.path_of(&compiled.query);
                let auto_run = path == PathTaken::Template && self.may_run(&reading);
                AskOutcome::Answer(Box::new(Proposal {
                    query,
                    compiled: Arc::new(compiled),
                    connection,
                    path,
                    auto_run,
                    reading,
                }))
            }
            Err(error) if error.code == ErrorCode::ComplexMetric => {
                self.adapt(reading, error).await
            }
            Err(error) => self.not_answerable(error, reading),
        }
    }

    /// A question for causes, if its number has two periods to compare.
    fn why(&self, reading: Reading) -> AskOutcome {
        match self.session.why_of(&reading.query()) {
            Ok(query) => AskOutcome::Why(Box::new(AskedWhy {
                auto_run: self.may_run(&reading),
                query,
                reading,
            })),
            Err(error) => AskOutcome::Refused(Box::new(Refusal {
                code: RefusalCode::NotAnswerable,
                hint: error.hint().map(str::to_owned),
                message: error.message,
                words: Vec::new(),
                understood: reading.chips,
            })),
        }
    }

    /// Whether what was compiled reads the snippet of a complex metric.
    fn path_of(&self, query: &MetricQuery) -> PathTaken {
        let catalog = self.session.catalog();
        let registry = &catalog.registry;
        let metrics = query
            .metrics
            .iter()
            .filter_map(|name| registry.metric(name));
        let mut leaves = metrics.flat_map(|metric| leaf_metrics(registry, metric));
        if leaves.any(|leaf| leaf.kind.facets().is_some()) {
            PathTaken::Snippet
        } else {
            PathTaken::Template
        }
    }

    pub(super) fn not_answerable(&self, error: CompileError, reading: Reading) -> AskOutcome {
        AskOutcome::Refused(Box::new(refusal(self.question, error, reading.chips)))
    }

    /// Only what was understood for certain, where the project lets it.
    fn may_run(&self, reading: &Reading) -> bool {
        let is_certain = |certainty| !matches!(certainty, Certainty::Similar | Certainty::Model);
        self.session.project().config.auto_run == AutoRun::Simple
            && self.found.difference.is_none()
            && reading.chips.iter().all(|chip| is_certain(chip.certainty))
    }
}

/// What a stopped question comes out as.
pub(super) fn cancelled() -> AskOutcome {
    AskOutcome::Refused(Box::new(Refusal {
        code: RefusalCode::Cancelled,
        message: SessionError::interrupted().message,
        hint: None,
        words: Vec::new(),
        understood: Vec::new(),
    }))
}
