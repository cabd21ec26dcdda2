//! Conditions that the configured model proposes for rules that are not understood; a person takes them, or does not.

use indexmap::IndexMap;
use tokio_util::sync::CancellationToken;

use super::super::asking::{ATTEMPTS, MODEL_NAME};
use super::super::{Session, SessionError};
use crate::ask::model::{Ruling, harmless};
use crate::govern::suggest::{Columns, Decision, Ground, Guess, Idea, Offer, OfferKind, columns};
use crate::llm::{LlmError, Provider};

/// Most values of a column that a model is told.
const VALUES: usize = 20;

impl Session {
    /// Asks the model for the rules of an idea that are not understood and not decided. What it proposes compiles; a rule
    /// that it has nothing for is missing in the answer.
    ///
    /// # Errors
    /// There is no model, or it cannot be asked; no rule is open; it was cancelled.
    pub async fn guess(
        &self,
        idea: &Idea,
        cancel: &CancellationToken,
    ) -> Result<IndexMap<String, Guess>, SessionError> {
        let settings = self.model().ok_or_else(|| {
            SessionError::usage("no_model", "no model is configured")
                .with_hint("llm: in metrex.yaml names one; docs/asking.md says how")
        })?;
        let defined = self.define(idea, &[], cancel).await?;
        let open: Vec<Offer> = defined.open_rules().cloned().collect();
        if open.is_empty() {
            let text = "every rule is understood, or decided";
            return Err(SessionError::usage("no_rule", text));
        }
        let survey = self.survey(idea, cancel).await?;
        let (table, mut known) = self.columns_of(idea, &survey).ok_or_else(|| {
            SessionError::usage("missing", "it is not known yet which table is meant")
        })?;
        for (_, values) in &mut known {
            values.truncate(VALUES);
        }
        let provider = self.open_provider(settings).map_err(trouble)?;
        let version = self.version();
        let mut guesses = IndexMap::new();
        for offer in open {
            let ruling = Ruling {
                prompts: &version.prompts,
                rule: &offer.about,
                metric: &idea.name,
                definition: &idea.definition,
                table: &table,
                columns: &known,
                max_tokens: settings.max_tokens,
            };
            let found = self.guess_of(provider.as_ref(), &ruling, idea, &offer, cancel);
            if let Some(guess) = found.await? {
                guesses.insert(offer.id, guess);
            }
        }
        Ok(guesses)
    }

    /// What a model proposes for one rule; what does not compile goes back once with the reason.
    async fn guess_of(
        &self,
        provider: &dyn Provider,
        ruling: &Ruling<'_>,
        idea: &Idea,
        offer: &Offer,
        cancel: &CancellationToken,
    ) -> Result<Option<Guess>, SessionError> {
        let mut refused = None;
        for _ in 0..ATTEMPTS {
            let request = ruling
                .request(refused.as_ref())
                .map_err(|error| SessionError::usage("prompt", error))?;
            let reply = provider.complete(&request, cancel.clone()).await;
            let reply = reply.map_err(trouble)?;
            let text = match ruling.read(&reply.text) {
                Ok(text) if text.is_empty() => return Ok(None),
                Ok(text) => text,
                Err(problem) => {
                    refused = Some((harmless(&reply.text, MODEL_NAME), problem));
                    continue;
                }
            };
            let mut tried = idea.clone();
            let decision = Decision::Text(text.clone());
            tried.choices.insert(offer.id.clone(), decision);
            let tried = self.define(&tried, &[], cancel).await?;
            match tried.fault() {
                None => {
                    let by = harmless(&reply.model, MODEL_NAME);
                    return Ok(Some(Guess { text, by }));
                }
                Some(problem) => refused = Some((text, problem)),
            }
        }
        Ok(None)
    }

    fn columns_of(&self, idea: &Idea, survey: &super::Survey) -> Option<(String, Columns)> {
        let catalog = self.catalog();
        let (values, used) = (survey.values(), self.usage());
        let ground = Ground {
            registry: &catalog.registry,
            tables: &survey.tables,
            values: &values,
            used: &used,
            history: &[],
            today: self.today(),
        };
        columns(idea, &ground)
    }
}

impl super::Defined {
    /// The rules that are not understood and that nobody decided about.
    pub fn open_rules(&self) -> impl Iterator<Item = &Offer> {
        let rules = self
            .offers
            .iter()
            .filter(|offer| offer.kind == OfferKind::Rule);
        rules.filter(|offer| offer.waits)
    }

    /// What is wrong with it, if anything.
    fn fault(&self) -> Option<String> {
        let problem = self.problems.first().map(ToString::to_string);
        problem.or_else(|| self.sql.as_ref().err().cloned())
    }
}

fn trouble(error: LlmError) -> SessionError {
    match error {
        LlmError::Cancelled => SessionError::interrupted(),
        error => SessionError::usage("model", error.to_string()),
    }
}
