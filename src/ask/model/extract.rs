//! A question that was not understood, for a model: the request, and what its reply is worth.

use jiff::civil::Date;
use minijinja::context;
use schemars::JsonSchema;
use serde::Deserialize;

use super::chips::chips;
use super::context::{Context, Known};
use super::data::{QUESTION, SHORT, harmless};
use super::evidence::{Evidence, problems, words};
use super::prompts::{Prompts, json};
use super::reply;
use crate::ask::Reading;
use crate::compile::{CompileError, Reachability};
use crate::llm::Request;
use crate::model::{Intent, IntentKind, MetricQuery, Registry};
use crate::registry::nearest;

/// Most problems of one reply that are told.
const PROBLEMS: usize = 8;
/// Longest reply that is sent back to be corrected, in characters.
const REPEATED: usize = 2_000;

/// The shape of a reply.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Extraction {
    /// The query, or null where the definitions cannot answer the question.
    query: Option<Intent>,
    /// Where each part of the query comes from.
    evidence: Vec<Evidence>,
    /// Words of the question that no part of the query stands for.
    unmapped: Vec<String>,
}

/// A question for a model.
#[derive(Clone, Copy)]
pub struct Extracting<'a> {
    /// The definitions.
    pub registry: &'a Registry,
    /// Which metric reaches which dimension.
    pub reach: &'a Reachability,
    /// The prompts.
    pub prompts: &'a Prompts,
    /// The question as typed.
    pub question: &'a str,
    /// Words that are not understood without a model.
    pub doubtful: &'a [String],
    /// The query before this question.
    pub previous: Option<&'a MetricQuery>,
    /// What is known so far.
    pub known: &'a Known,
    /// The current day.
    pub today: Date,
    /// Most tokens of the prompt.
    pub context_tokens: u32,
    /// Most tokens of the reply.
    pub max_tokens: u32,
    /// Whether a query compiles; a complex metric counts as one that does.
    pub compiles: &'a (dyn Fn(&MetricQuery) -> Result<(), CompileError> + Sync),
}

/// A reply that was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// As it came.
    pub reply: String,
    /// What is wrong with it.
    pub problems: Vec<String>,
}

/// What a model made of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Extracted {
    /// A query whose every part has words behind it.
    Reading(Box<Reading>),
    /// These words of the question are beyond the definitions.
    Unmapped(Vec<String>),
}

impl Extracting<'_> {
    /// The request, once more where a reply was refused.
    ///
    /// # Errors
    /// A prompt of the project fails, or nothing of the definitions fits into it.
    pub fn request(&self, refused: Option<&Refused>) -> Result<Request, String> {
        let schema = reply::schema::<Extraction>("metric_query");
        let system = self.prompts.write("intent_system.j2", context! {})?;
        let frame = |context: minijinja::Value| {
            let own = context! {
                today => self.today.to_string(),
                previous => self.previous.map(ToString::to_string),
                question => harmless(self.question, QUESTION),
                words => json(&self.doubtful.iter().map(|word| harmless(word, SHORT)).collect::<Vec<_>>()),
                reply => refused.map(|refused| harmless(&refused.reply, REPEATED)),
                problems => refused.map(|refused| refused.problems.clone()).unwrap_or_default(),
            };
            self.prompts
                .write("intent.j2", context! { ..own, ..context })
        };
        let empty = Context::new(self.registry, self.reach, &Known::default(), 0);
        let request = |user: String| Request {
            system: system.clone(),
            user,
            schema: Some(schema.clone()),
            max_tokens: self.max_tokens,
        };
        let taken = request(frame(empty.value())?).tokens();
        let left = u64::from(self.context_tokens).saturating_sub(taken);
        let context = Context::new(self.registry, self.reach, self.known, left);
        if context.is_empty() {
            return Err(format!(
                "a prompt of {} tokens has no room for a definition: raise context_tokens of llm: in metrex.yaml",
                self.context_tokens
            ));
        }
        frame(context.value()).map(request)
    }

    /// Reads a reply: nothing in it is believed that is not checked here.
    ///
    /// # Errors
    /// What is wrong with it, in words for the model, and for people where it is wrong again.
    pub fn read(&self, text: &str) -> Result<Extracted, Vec<String>> {
        let extraction: Extraction = reply::read(text).map_err(|problem| vec![problem])?;
        let own = words(self.question);
        let is_own = |text: &&String| {
            let words = words(text);
            !words.is_empty() && words.iter().all(|word| own.contains(word))
        };
        let unmapped: Vec<String> = extraction
            .unmapped
            .iter()
            .filter(is_own)
            .map(|words| harmless(words, SHORT))
            .collect();
        let Some(intent) = extraction.query.filter(|_| unmapped.is_empty()) else {
            let words = match unmapped.is_empty() {
                true => self.doubtful.to_vec(),
                false => unmapped,
            };
            return Ok(Extracted::Unmapped(words));
        };
        let mut found = self.names(&intent);
        found.extend(problems(
            self.question,
            self.doubtful,
            &intent,
            &extraction.evidence,
            self.previous,
        ));
        let intent = self.canonical(intent);
        let is_query = !matches!(intent.intent, IntentKind::List | IntentKind::Explain);
        if found.is_empty()
            && is_query
            && let Err(error) = (self.compiles)(&intent.query())
        {
            let hint = error.hint.map(|hint| format!(" ({hint})"));
            found.push(error.message + &hint.unwrap_or_default());
        }
        if !found.is_empty() {
            found.truncate(PROBLEMS);
            return Err(found);
        }
        let chips = chips(self.question, &intent, &extraction.evidence);
        Ok(Extracted::Reading(Box::new(Reading {
            chips,
            intent,
            notes: Vec::new(),
            is_follow_up: self.previous.is_some(),
        })))
    }

    /// Metrics that do not exist.
    fn names(&self, intent: &Intent) -> Vec<String> {
        let unknown = intent
            .metrics
            .iter()
            .filter(|name| self.registry.metric(name).is_none());
        let mut found: Vec<String> = unknown
            .map(|name| {
                let names = self.registry.metrics.keys().map(String::as_str);
                let near = nearest(name, names).map(|near| format!("; did you mean '{near}'?"));
                let name = harmless(name, SHORT);
                format!("there is no metric '{name}'{}", near.unwrap_or_default())
            })
            .collect();
        if intent.metrics.is_empty() && intent.intent != IntentKind::List {
            found.push("the query names no metric".to_owned());
        }
        found
    }

    /// Metrics by their own names.
    fn canonical(&self, mut intent: Intent) -> Intent {
        for name in &mut intent.metrics {
            if let Some(metric) = self.registry.metric(name) {
                name.clone_from(&metric.name);
            }
        }
        intent
    }
}
