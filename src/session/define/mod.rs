//! Defining a metric from a few words: what is suggested, what the definition says and does, and writing it.

mod guesses;
mod numbers;
mod survey;

use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::meaning::{Difference, Touches, metric_differences};
use super::publish::{FileChange, NotPublished, Publication, Published};
use super::{Session, SessionError, Sides};
use crate::compile::{DimensionChoice, reading};
use crate::govern::fingerprint;
use crate::govern::suggest::{Ground, Idea, Offer, Suggestions, suggest};
use crate::model::{LifeEvent, Metric, MetricQuery, Registry, Status, Step};
use crate::registry::edit::{Edit, fields};
use crate::registry::{Diagnostic, event};

pub use numbers::{FirstNumbers, FirstRow};
use survey::Survey;
pub(super) use survey::Surveys;

/// What is typed in the form is kept under this name until it is written.
pub const KEPT: &str = "define";

/// A definition that is being made.
#[derive(Debug, Clone, PartialEq)]
pub struct Defined {
    /// The metric's name in query lines.
    pub name: String,
    /// What is suggested.
    pub offers: Vec<Offer>,
    /// Why it cannot be defined yet.
    pub missing: Option<String>,
    /// The file it is written to, relative to the project.
    pub path: String,
    /// The text of that file before and after; the same where nothing is defined yet.
    pub text: Sides<String>,
    /// What is wrong with it.
    pub problems: Vec<Diagnostic>,
    /// The query of its first numbers.
    pub line: String,
    /// Its SQL, or why there is none.
    pub sql: Result<String, String>,
    /// The dimensions of the project, those that apply first, the others with the reason.
    pub dimensions: Vec<DimensionChoice>,
    /// The metric that is most alike.
    pub nearest: Option<Nearest>,
    /// The model that may be asked about rules that are not understood.
    pub model: Option<String>,
    /// What is not known, such as the tables of a warehouse that cannot be reached.
    pub notes: Vec<String>,
    view: String,
    metric: Map<String, Value>,
    dataset: Option<(String, Map<String, Value>)>,
    base: Option<String>,
}

/// The metric that a new one is most like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// Its name.
    pub metric: String,
    /// Whether it means the same to the letter.
    pub is_same: bool,
    /// What it means, and what the new one means, in a sentence each.
    pub means: Sides<String>,
    /// What the new one does otherwise.
    pub differs: Vec<Difference>,
}

/// Who writes a definition, as what, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Draft or published.
    pub status: Status,
    /// Who.
    pub by: String,
    /// Why; may be empty.
    pub why: String,
}

impl Defined {
    /// Whether it says nothing that could not be written.
    pub fn is_ready(&self) -> bool {
        self.missing.is_none() && self.sql.is_ok()
    }

    /// The query of the metric that is most alike, for the same rows.
    fn other_line(&self) -> Option<String> {
        let nearest = self.nearest.as_ref()?;
        Some(
            format!("{} {}", nearest.metric, self.view)
                .trim()
                .to_owned(),
        )
    }

    /// The definition as YAML, without those around it.
    pub fn definition(&self) -> String {
        fields(&self.metric)
    }
}

impl Session {
    /// What an idea could become, with what is known of the warehouse and, where they were computed, of its numbers.
    /// Nothing is written.
    ///
    /// # Errors
    /// It was cancelled. A warehouse that cannot be reached is a note.
    pub async fn define(
        &self,
        idea: &Idea,
        history: &[f64],
        cancel: &CancellationToken,
    ) -> Result<Defined, SessionError> {
        let survey = self.survey(idea, cancel).await?;
        let (session, idea, history) = (self.clone(), idea.clone(), history.to_vec());
        let defined =
            tokio::task::spawn_blocking(move || session.defined(&idea, &survey, &history));
        defined.await.map_err(|_| SessionError::interrupted())
    }

    /// What was typed and not written, and when.
    pub fn kept_idea(&self) -> Option<(Idea, String)> {
        let kept = self.unsaved(KEPT, "")?;
        // Another version may have written something else.
        let idea = serde_json::from_str(&kept.text).ok()?;
        Some((idea, kept.when()))
    }

    fn defined(&self, idea: &Idea, survey: &Survey, history: &[f64]) -> Defined {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let (values, used) = (survey.values(), self.usage());
        let ground = Ground {
            registry,
            tables: &survey.tables,
            values: &values,
            used: &used,
            history,
            today: self.today(),
        };
        let mut found = suggest(idea, &ground);
        if let Some(known) = taken(registry, &found.name) {
            found.missing.get_or_insert(known);
        }
        let nearest = found.nearest().map(str::to_owned);
        let unknown = survey.trouble.iter();
        let unknown =
            unknown.map(|why| format!("the tables of the warehouse are not known: {why}"));
        let waiting = found.offers.iter().filter(|offer| offer.waits);
        let waiting = waiting.map(|offer| format!("not in the SQL yet: {}", offer.about));
        let notes = unknown.chain(waiting).collect();
        let mut defined = Defined {
            path: file_of(registry, &found),
            line: format!("{} {}", found.name, found.view).trim().to_owned(),
            name: found.name,
            offers: found.offers,
            missing: found.missing,
            text: Sides::default(),
            problems: Vec::new(),
            sql: Err(String::new()),
            dimensions: Vec::new(),
            nearest: None,
            model: self.model().map(|settings| settings.model.clone()),
            notes,
            view: found.view,
            dataset: found.new_dataset.map(|dataset| (found.dataset, dataset)),
            metric: found.metric,
            base: None,
        };
        if !defined.metric.is_empty() {
            self.judge(&mut defined, nearest.as_deref());
        }
        if let (Err(reason), Some(missing)) = (&mut defined.sql, &defined.missing) {
            reason.clone_from(missing);
        }
        defined
    }

    /// What the definition does once it is written.
    fn judge(&self, defined: &mut Defined, nearest: Option<&str>) {
        let written = self.change_of(defined, &defined.metric);
        let change = match written {
            Ok((change, before)) => {
                defined.text.before = before;
                change
            }
            Err(refusal) => {
                defined.missing.get_or_insert(refusal.message);
                return;
            }
        };
        defined.base = change.base;
        defined.text.after = change.text.unwrap_or_default();
        let supposed = self.as_if(&[(&defined.path, Some(&defined.text.after))]);
        let (old, new) = (self.catalog(), supposed.catalog());
        let problems = new
            .diagnostics
            .iter()
            .filter(|found| !old.diagnostics.contains(found));
        defined.problems = problems.cloned().collect();
        let registry = &new.registry;
        let Some(metric) = registry.metrics.get(&defined.name) else {
            let first = defined.problems.first().map(ToString::to_string);
            defined.sql = Err(first.unwrap_or_else(|| "it is no metric yet".to_owned()));
            return;
        };
        let query: Result<MetricQuery, _> = defined.line.parse();
        defined.sql = match query {
            Ok(query) => match supposed.compile(&query) {
                Ok(compiled) => Ok(compiled.main.sql),
                Err(error) => Err(supposed.refusal(error).to_string()),
            },
            Err(error) => Err(error.to_string()),
        };
        defined.dimensions = new
            .reach
            .choices(registry, std::slice::from_ref(&defined.name));
        // Where nothing is agreed on, there is nothing to hold it against.
        if !registry.canonical.is_empty()
            && let Ok(review) = supposed.govern_metric(&defined.name)
        {
            let told = review.findings.iter().map(|one| one.words());
            defined
                .notes
                .extend(told.map(|words| format!("governance: {words}")));
        }
        defined.nearest = nearest_of(registry, metric, nearest);
    }

    /// The file with a definition in it, and its text before.
    fn change_of(
        &self,
        defined: &Defined,
        metric: &Map<String, Value>,
    ) -> Result<(FileChange, String), NotPublished> {
        let put = |section: &str, name: &str, body: &Map<String, Value>| Edit::Put {
            section: section.to_owned(),
            name: name.to_owned(),
            body: fields(body),
        };
        let dataset = defined.dataset.iter();
        let mut edits: Vec<Edit> = dataset
            .map(|(name, body)| put("datasets", name, body))
            .collect();
        edits.push(put("metrics", &defined.name, metric));
        let before = self.file_text(&defined.path)?.unwrap_or_default();
        Ok((self.edited(&defined.path, &edits)?, before))
    }

    /// What writing a definition would change, with its first step in the history.
    ///
    /// # Errors
    /// Something is missing, or its file is written in a way that only a person can change.
    pub fn publication(
        &self,
        defined: &Defined,
        signed: &Signed,
    ) -> Result<Publication, NotPublished> {
        if let Some(missing) = &defined.missing {
            return Err(NotPublished::new("missing", missing.clone()));
        }
        if let Err(reason) = &defined.sql {
            return Err(NotPublished::new("new_error", reason.clone()));
        }
        let waiting: Vec<&str> = defined.open_rules().map(|rule| &*rule.about).collect();
        if signed.status != Status::Draft && !waiting.is_empty() {
            let text = format!("these rules are not in the SQL: {}", waiting.join(", "));
            let hint = "write the condition, refuse the rule, or save a draft";
            return Err(NotPublished {
                hint: Some(hint.to_owned()),
                ..NotPublished::new("rule_waits", text)
            });
        }
        let supposed = self.as_if(&[(&defined.path, Some(&defined.text.after))]);
        let catalog = supposed.catalog();
        let registry = &catalog.registry;
        let of = registry
            .metrics
            .get(&defined.name)
            .map(|metric| fingerprint(registry, metric));
        let step = match signed.status {
            Status::Draft => Step::Drafted,
            _ => Step::Published,
        };
        let first = LifeEvent {
            step,
            by: signed.by.clone(),
            on: Some(self.today()),
            why: signed.why.clone(),
            of,
        };
        let mut metric = defined.metric.clone();
        metric.insert("status".to_owned(), json!(signed.status.word()));
        let before = self.catalog();
        let known = before.registry.metrics.get(&defined.name);
        let history = known.into_iter().flat_map(|metric| &metric.history);
        let history: Vec<Value> = history.chain([&first]).map(event).collect();
        metric.insert("history".to_owned(), Value::Array(history));
        let (mut change, _) = self.change_of(defined, &metric)?;
        // What was looked at counts, and not what the file has become since.
        change.base.clone_from(&defined.base);
        Ok(Publication {
            files: vec![change],
            commit: None,
        })
    }

    /// Writes a definition, as a draft or for everybody.
    ///
    /// # Errors
    /// What stands in the way; nothing is written then.
    pub async fn publish_defined(
        &self,
        defined: &Defined,
        signed: &Signed,
        cancel: CancellationToken,
    ) -> Result<Published, NotPublished> {
        let (session, one, signed) = (self.clone(), defined.clone(), signed.clone());
        let made = tokio::task::spawn_blocking(move || session.publication(&one, &signed));
        let made = made
            .await
            .map_err(|_| NotPublished::new("cancelled", "nothing was written"))??;
        self.publish(&made, cancel).await
    }
}

/// Why a name cannot be given; a draft may be defined on.
fn taken(registry: &Registry, name: &str) -> Option<String> {
    let known = registry.metric(name)?;
    let at = registry.at(known.place);
    if known.name != name {
        return Some(format!(
            "'{name}' is another name of {} ({at}); give it a name of its own",
            known.name
        ));
    }
    let is_draft = known.status == Status::Draft;
    (!is_draft).then(|| {
        format!(
            "'{name}' is a metric already ({at}); change that one, or give this one another name"
        )
    })
}

/// The file that a definition goes to: that of its draft, of its dataset, or one of its own.
fn file_of(registry: &Registry, found: &Suggestions) -> String {
    let draft = registry.metrics.get(&found.name).map(|metric| metric.place);
    let dataset = registry
        .datasets
        .get(&found.dataset)
        .map(|dataset| dataset.place);
    let known = draft.or(dataset).map(|place| registry.file(place));
    let known = known.filter(|path| path.starts_with("metrics/"));
    let name = if found.dataset.is_empty() {
        &found.name
    } else {
        &found.dataset
    };
    known.map_or_else(|| format!("metrics/{name}.yaml"), str::to_owned)
}

/// How the new metric compares with the one that is most alike; one of the same meaning comes before one of like words.
fn nearest_of(registry: &Registry, metric: &Metric, named: Option<&str>) -> Option<Nearest> {
    let meaning = fingerprint(registry, metric);
    let mut others = registry
        .metrics
        .values()
        .filter(|other| other.name != metric.name);
    let same = others.find(|other| {
        other.kind.word() == metric.kind.word() && fingerprint(registry, other) == meaning
    });
    let other = same.or_else(|| registry.metrics.get(named?))?;
    let told = metric_differences(other, metric).into_iter();
    // What each of them is made of stands above it, in words that people know.
    let told = told.filter(|one| !one.text.starts_with("the kind is "));
    let differs = told.filter(|one| one.touches != Touches::Words).collect();
    Some(Nearest {
        metric: other.name.clone(),
        is_same: same.is_some(),
        means: Sides {
            before: reading(registry, other),
            after: reading(registry, metric),
        },
        differs,
    })
}
