//! Review: what waits for a judgement, what there is to know about it, and the judgement itself.

mod checks;
mod imported;
mod judge;
mod proposals;
mod supposed;

use jiff::civil::Date;
use tokio_util::sync::CancellationToken;

use super::draft::dependants;
use super::meaning::Difference;
use super::{Change, ChangeRequest, Session, SessionError, Sides};
use crate::compile::reading;
use crate::model::{LifeEvent, Metric, MetricQuery, Step};
use crate::registry::edit;
use crate::registry::{Origin, Proposal};

pub use checks::CheckOutcome;
pub use imported::ImportProposed;
pub use judge::{Judgement, Judging};
pub use proposals::Proposals;
pub(super) use proposals::body_of;
use supposed::Supposed;

/// Where a definition is in its life, as far as review goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Somebody proposes it.
    Proposed,
    /// A proposal that was turned down.
    Rejected,
    /// It is written down and in nobody's use yet.
    Draft,
    /// It means something else than when it was certified.
    Changed,
    /// It is in use, and nobody has vouched for it.
    Published,
    /// Somebody has vouched for what it means.
    Certified,
    /// It is on the way out.
    Deprecated,
}

impl Stage {
    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Rejected => "rejected",
            Self::Draft => "draft",
            Self::Changed => "changed since certification",
            Self::Published => "published, not certified",
            Self::Certified => "certified",
            Self::Deprecated => "deprecated",
        }
    }

    /// One word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Published => "published",
            stage => stage.words(),
        }
    }

    /// Whether somebody should look at it.
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::Proposed | Self::Draft | Self::Changed)
    }
}

/// A definition in the list of review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// The metric, or what else a proposal is of: `orders.dimensions.coupon`, `rollups.orders_by_day`.
    pub name: String,
    /// Where it is in its life.
    pub stage: Stage,
    /// What it is about, in one line.
    pub title: String,
    /// Who did the last thing with it; may be empty.
    pub by: String,
    /// The day of that.
    pub on: Option<Date>,
}

/// What there is to know before judging.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// The metric, or what else a proposal is of: `orders.dimensions.coupon`, `rollups.orders_by_day`.
    pub name: String,
    /// Where it is in its life.
    pub stage: Stage,
    /// What it is about, in one line.
    pub title: String,
    /// Who proposes it, or did the last thing with it.
    pub by: String,
    /// The day of that.
    pub on: Option<Date>,
    /// Why.
    pub why: String,
    /// Where a proposal comes from.
    pub from: Option<Origin>,
    /// What the definition says, as a sentence; empty where it cannot be read.
    pub formula: String,
    /// The short hash of what it means.
    pub meaning: String,
    /// What would change in meaning; nothing for what is there already.
    pub differences: Vec<Difference>,
    /// The definition as it is and as it would be.
    pub definition: Sides<Option<String>>,
    /// The SQL before and after; of what is there already, the same twice.
    pub sql: Sides<Result<String, String>>,
    /// Metrics made of it, and saved queries that ask for any of them.
    pub dependants: Vec<String>,
    /// What was done with it, the earliest first.
    pub history: Vec<LifeEvent>,
    /// Who has approved what it means, and how many are needed.
    pub approvals: (Vec<String>, u32),
    /// Why it cannot be published as it is.
    pub trouble: Option<String>,
    /// The file it is in, or would be in.
    pub file: String,
    /// The texts of that file, to compute numbers with.
    pub numbers: ChangeRequest,
}

impl Review {
    /// Whether something that is there would become something else.
    pub fn is_change(&self) -> bool {
        self.definition.before.is_some() && self.definition.before != self.definition.after
    }

    /// Who has approved it, and how many are needed: `1 of 2 (Ada)`; nothing where nobody has and nobody need.
    pub fn approved(&self) -> Option<String> {
        let (by, needed) = (self.approvals.0.join(", "), self.approvals.1);
        let count = self.approvals.0.len();
        match (by.is_empty(), needed) {
            (true, 0) => None,
            (true, needed) => Some(format!("0 of {needed}")),
            (false, 0) => Some(format!("by {by}")),
            (false, needed) => Some(format!("{count} of {needed} ({by})")),
        }
    }
}

/// What takes the warehouse to know before judging.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// The numbers before and after.
    pub change: Change,
    /// The checks of the project, on the definition as it would be.
    pub checks: Vec<CheckOutcome>,
}

impl Session {
    /// Computes the numbers of a [`Review`] before and after, and runs the checks. Nothing is written.
    ///
    /// # Errors
    /// It was cancelled, or the connection fails.
    pub async fn weigh(
        &self,
        request: ChangeRequest,
        cancel: CancellationToken,
    ) -> Result<Weighed, SessionError> {
        let mut texts = vec![(request.path.as_str(), Some(request.text.after.as_str()))];
        let beside = request.beside.as_ref();
        texts.extend(beside.map(|(path, text)| (path.as_str(), Some(text.as_str()))));
        let supposed = self.as_if(&texts);
        let metric = request.metric.clone();
        let change = self.change(request, cancel.clone()).await?;
        let checks = supposed.review_checks(&metric, &cancel).await?;
        Ok(Weighed { change, checks })
    }

    /// Everything in the list of review: what waits first, then what nobody has vouched for, and with `all` the rest.
    /// Files in `proposals/` that cannot be read are in the second list.
    pub fn reviews(&self, all: bool) -> (Vec<Reviewed>, Vec<String>) {
        let catalog = self.catalog();
        let Proposals { known, broken } = self.proposals();
        let mut found: Vec<Reviewed> = known.iter().map(of_proposal).collect();
        found.extend(catalog.registry.metrics.values().map(|metric| {
            let stage = catalog.stage(metric);
            let last = metric.history.last();
            Reviewed {
                name: metric.name.clone(),
                stage,
                title: match last {
                    Some(event) if !event.why.is_empty() => event.why.clone(),
                    _ => metric.description.clone(),
                },
                by: last.map_or_else(String::new, |event| event.by.clone()),
                on: last.and_then(|event| event.on).or(metric.last_updated),
            }
        }));
        found.retain(|one| all || one.stage.is_waiting() || one.stage == Stage::Published);
        found.sort_by(|one, other| (one.stage, &one.name).cmp(&(other.stage, &other.name)));
        (found, broken)
    }

    /// What there is to know about a proposal, or about a metric without one. Touches no warehouse.
    ///
    /// # Errors
    /// There is neither, or its file cannot be read.
    pub fn review(&self, name: &str) -> Result<Review, SessionError> {
        let catalog = self.catalog();
        let metric = catalog.registry.metric(name);
        let named = metric.map_or(name, |metric| metric.name.as_str());
        match (self.proposal(named)?, metric) {
            (Some(proposal), _) => Ok(self.review_proposal(&proposal)),
            (None, Some(metric)) => self.review_metric(metric),
            (None, None) => Err(SessionError::unknown_metric(&catalog.registry, name)),
        }
    }

    fn review_metric(&self, metric: &Metric) -> Result<Review, SessionError> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let file = registry.file(metric.place).to_owned();
        let text = self.file_text(&file)?.unwrap_or_default();
        let definition = edit::body(&text, "metrics", &metric.name);
        let sql = self.sql_of(&metric.name);
        let last = metric.history.last();
        Ok(Review {
            name: metric.name.clone(),
            stage: catalog.stage(metric),
            title: metric.label.clone(),
            by: last.map_or_else(String::new, |event| event.by.clone()),
            on: last.and_then(|event| event.on).or(metric.last_updated),
            why: last.map_or_else(String::new, |event| event.why.clone()),
            from: None,
            formula: reading(registry, metric),
            meaning: catalog.fingerprint(&metric.name).unwrap_or_default(),
            differences: Vec::new(),
            definition: Sides {
                before: definition.clone(),
                after: definition,
            },
            sql: Sides {
                before: sql.clone(),
                after: sql,
            },
            dependants: dependants(registry, &metric.name),
            approvals: self.approvals(&metric.history, &catalog.fingerprint(&metric.name)),
            history: metric.history.clone(),
            trouble: None,
            numbers: ChangeRequest {
                metric: metric.name.clone(),
                path: file.clone(),
                text: Sides {
                    before: text.clone(),
                    after: text,
                },
                dimension: None,
                beside: None,
            },
            file,
        })
    }

    fn review_proposal(&self, proposal: &Proposal) -> Review {
        let supposed = self.suppose(proposal);
        let Supposed {
            file,
            before,
            after,
            ..
        } = &supposed;
        let (now, then) = (self.catalog(), supposed.session.catalog());
        let of = &proposal.of;
        let said = self.said_of(proposal, &supposed);
        let mut history = match of.metric().and_then(|name| now.registry.metrics.get(name)) {
            Some(metric) => metric.history.clone(),
            None => Vec::new(),
        };
        history.extend(proposal.history.iter().cloned());
        let dependants = of.metric().map(|name| dependants(&then.registry, name));
        Review {
            name: of.name(),
            stage: match proposal.rejection() {
                Some(_) => Stage::Rejected,
                None => Stage::Proposed,
            },
            title: proposal.title.clone(),
            by: proposal.by.clone(),
            on: proposal.on,
            why: proposal.why.clone(),
            from: Some(proposal.from),
            formula: said.formula,
            approvals: self.approvals(&proposal.history, &supposed.meaning),
            meaning: supposed.meaning.clone().unwrap_or_default(),
            differences: said.differences,
            definition: Sides {
                before: body_of(before, of),
                after: body_of(after, of),
            },
            sql: said.sql,
            dependants: dependants.unwrap_or_default(),
            history,
            trouble: supposed.trouble.clone(),
            numbers: ChangeRequest {
                metric: said.exemplar.0,
                path: file.clone(),
                text: match of.metric() {
                    Some(_) => Sides {
                        before: before.clone(),
                        after: after.clone(),
                    },
                    // What is new beside a metric changes none of its numbers: they are shown as they would be.
                    None => Sides {
                        before: after.clone(),
                        after: after.clone(),
                    },
                },
                dimension: said.exemplar.1,
                beside: supposed.snippet.clone(),
            },
            file: file.clone(),
        }
    }

    /// The SQL of a metric by itself, or why there is none.
    pub(super) fn sql_of(&self, metric: &str) -> Result<String, String> {
        if self.catalog().registry.metric(metric).is_none() {
            return Err(format!("there is no metric '{metric}'"));
        }
        let query = MetricQuery {
            metrics: vec![metric.to_owned()],
            ..MetricQuery::default()
        };
        let compiled = self.compile(&query);
        compiled
            .map(|compiled| compiled.main.sql)
            .map_err(|error| error.message)
    }

    /// Who approved this meaning and has not turned it down since, each once; and how many are needed.
    fn approvals(&self, history: &[LifeEvent], meaning: &Option<String>) -> (Vec<String>, u32) {
        let mut by: Vec<String> = Vec::new();
        let of_this = history.iter().filter(|event| &event.of == meaning);
        for event in of_this {
            by.retain(|one| !crate::model::is_same_person(one, &event.by));
            if event.step == Step::Approved {
                by.push(event.by.clone());
            }
        }
        (by, self.review_rules().approvals)
    }
}

fn of_proposal(proposal: &Proposal) -> Reviewed {
    Reviewed {
        name: proposal.of.name(),
        stage: match proposal.rejection() {
            Some(_) => Stage::Rejected,
            None => Stage::Proposed,
        },
        title: proposal.title.clone(),
        by: proposal.by.clone(),
        on: proposal.on,
    }
}
