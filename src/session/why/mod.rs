//! Why a number moved: hypotheses are looked at one after the other, each with a query line, and judged together.

mod anatomy;
mod data;
mod keep;
mod look;
mod markdown;
mod propose;
mod question;
mod read;
mod rules;
mod settle;
mod words;

use std::collections::HashMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub use crate::investigate::{
    Budget, Look, NamedCause, NextStep, Node, Row, Slice, State, Verdict, Why,
};
use crate::model::MetricQuery;
use crate::session::{Session, SessionError};
use anatomy::Anatomy;
use question::Asked;
use read::Reader;

/// What is to be found out.
#[derive(Debug, Clone, Default)]
pub struct WhyRequest {
    /// One metric, with conditions, a time and what it is compared with; without a time, or for all of it, the last whole
    /// period, without a comparison the period before.
    pub query: MetricQuery,
    /// How far to go.
    pub budget: Budget,
    /// Whether to go on where an earlier investigation of the same question stopped.
    pub resume: bool,
    /// Whether the configured model may propose further hypotheses.
    pub with_model: bool,
}

/// An investigation at work.
struct Investigation<'a> {
    session: &'a Session,
    asked: Asked,
    budget: Budget,
    reader: Reader,
    anatomies: HashMap<String, Arc<Anatomy>>,
}

impl Session {
    /// The number of a question for causes, with the two periods that are compared.
    ///
    /// # Errors
    /// It is not one number, or the periods have no end.
    pub fn why_of(&self, query: &MetricQuery) -> Result<MetricQuery, SessionError> {
        let asked = self.asked_why(query)?;
        Ok(asked.query_of(std::slice::from_ref(&asked.metric), None, &[]))
    }

    /// Finds out why a number moved. `told` hears how far it has come after each hypothesis. What was found is kept in the
    /// state folder; a budget that runs out ends it where it is, to be resumed.
    ///
    /// # Errors
    /// The question is refused, the connection fails, or it was cancelled. What fails for one hypothesis is told with it.
    pub async fn why(
        &self,
        request: WhyRequest,
        cancel: CancellationToken,
        mut told: impl FnMut(&Why) + Send,
    ) -> Result<Why, SessionError> {
        let asked = self.asked_why(&request.query)?;
        let kept = match request.resume {
            true => self.kept_why(&asked)?,
            false => None,
        };
        let mut why = kept.unwrap_or_else(|| asked.begun(&self.connection()));
        why.is_done = false;
        why.notes.retain(|note| !keep::is_about_end(note));
        asked.say_instead(&mut why.notes);
        let mut work = Investigation {
            session: self,
            asked,
            budget: request.budget,
            reader: Reader::new(self, request.budget, cancel),
            anatomies: HashMap::new(),
        };
        let before = why.queries;
        let ended = loop {
            let next = why.tree.next(work.budget.depth);
            let Some(path) = next else {
                let (known, waiting) = (why.tree.walk().len(), why.tree.waiting());
                if !request.with_model || why.tree.verdicts.is_none() {
                    break Ok(());
                }
                if let Err(error) = work.propose(&mut why).await {
                    break Err(error);
                }
                if (why.tree.walk().len(), why.tree.waiting()) == (known, waiting) {
                    break Ok(());
                }
                continue;
            };
            match Box::pin(work.look(&mut why, &path)).await {
                Ok(()) => {}
                // Without the change itself there is nothing to look into.
                Err(error) if path.is_empty() || Reader::is_end(&error) => break Err(error),
                Err(error) => {
                    if let Some(node) = why.tree.at_mut(&path) {
                        node.state = State::Done;
                        node.says = error.message;
                    }
                }
            }
            while let Some(path) = why.tree.unjudged() {
                work.settle(&mut why, &path);
            }
            why.queries = before + work.reader.queries;
            told(&why);
        };
        why.queries = before + work.reader.queries;
        match ended {
            Ok(()) => {
                why.is_done = true;
                why.notes.extend(keep::deeper(why.tree.waiting()));
            }
            Err(error) if Reader::is_used_up(&error) => {
                work.settle_early(&mut why);
                why.notes
                    .push(keep::stopped(&error.message, why.tree.waiting()));
            }
            Err(error) => {
                self.keep_why(&work.asked, &why);
                return Err(error);
            }
        }
        self.keep_why(&work.asked, &why);
        told(&why);
        Ok(why)
    }
}

impl Investigation<'_> {
    /// A metric taken apart, once.
    fn anatomy(&mut self, metric: &str) -> Result<Arc<Anatomy>, SessionError> {
        if let Some(known) = self.anatomies.get(metric) {
            return Ok(Arc::clone(known));
        }
        let anatomy = Arc::new(Anatomy::new(self.session, metric)?);
        self.anatomies
            .insert(metric.to_owned(), Arc::clone(&anatomy));
        Ok(anatomy)
    }
}
