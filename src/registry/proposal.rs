//! Proposals: a definition that somebody would like to be otherwise, in a file of its own (`proposals/NAME.yaml`). It is
//! one of a metric, of a rollup, or of a dimension or a join of a dataset.

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::diagnostic::{Diagnostic, Severity, Sink};
use super::raw::{RawDimension, RawEvent, RawJoin, RawMetric, RawRollup};
use super::read::{At, Day, Many, Read, Word, object};
use super::words::{text, texts};
use super::yaml::{self, Node, Text};
use super::{ProjectFile, edit, life};
use crate::model::{FileId, LifeEvent, Step};

/// The folder of proposals.
pub const PROPOSALS: &str = "proposals";

/// Where a proposal comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Somebody wrote it.
    #[default]
    Person,
    /// It was imported from another tool.
    Import,
    /// It was learned from how metrics are used.
    Learner,
}

impl Origin {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Import => "import",
            Self::Learner => "learner",
        }
    }

    /// Where it comes from, in words; nothing of a person, who has a name.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::Person => None,
            Self::Import => Some("from an import"),
            Self::Learner => Some("from the learner"),
        }
    }
}

/// What a proposal is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A metric.
    Metric(String),
    /// A dimension of a dataset.
    Dimension(String, String),
    /// A join of a dataset.
    Join(String, String),
    /// A rollup.
    Rollup(String),
}

impl Subject {
    /// The subject of this name: `gmv`, `orders.dimensions.coupon`, `orders.joins.buyer`, `rollups.orders_by_day`.
    pub fn named(name: &str) -> Self {
        let parts: Vec<&str> = name.split('.').collect();
        match parts.as_slice() {
            [dataset, "dimensions", part] => {
                Self::Dimension((*dataset).to_owned(), (*part).to_owned())
            }
            [dataset, "joins", part] => Self::Join((*dataset).to_owned(), (*part).to_owned()),
            ["rollups", rollup] => Self::Rollup((*rollup).to_owned()),
            _ => Self::Metric(name.to_owned()),
        }
    }

    /// Its name: no two subjects share one.
    pub fn name(&self) -> String {
        match self {
            Self::Metric(name) => name.clone(),
            Self::Dimension(dataset, name) => format!("{dataset}.dimensions.{name}"),
            Self::Join(dataset, name) => format!("{dataset}.joins.{name}"),
            Self::Rollup(name) => format!("rollups.{name}"),
        }
    }

    /// The metric, where it is one.
    pub fn metric(&self) -> Option<&str> {
        match self {
            Self::Metric(name) => Some(name),
            _ => None,
        }
    }

    /// The file of its proposal.
    pub fn proposal(&self) -> String {
        format!("{PROPOSALS}/{}.yaml", self.name())
    }

    /// The key of a proposal that says it, with its value.
    fn key(&self) -> (&'static str, String) {
        match self {
            Self::Metric(name) => ("metric", name.clone()),
            Self::Dimension(dataset, name) => ("dimension", format!("{dataset}.{name}")),
            Self::Join(dataset, name) => ("join", format!("{dataset}.{name}")),
            Self::Rollup(name) => ("rollup", name.clone()),
        }
    }

    /// Reads the keys of its definition, and reports what does not fit.
    fn check(&self, definition: &Node, sink: &mut Sink) {
        match self {
            Self::Metric(_) => drop(RawMetric::read(definition, sink)),
            Self::Dimension(..) => drop(RawDimension::read(definition, sink)),
            Self::Join(..) => drop(RawJoin::read(definition, sink)),
            Self::Rollup(_) => drop(RawRollup::read(definition, sink)),
        }
    }
}

/// A definition that somebody would like to be otherwise, or to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What it is of.
    pub of: Subject,
    /// What it is about, in one line.
    pub title: String,
    /// Who proposes it.
    pub by: String,
    /// The day.
    pub on: Option<Date>,
    /// Why.
    pub why: String,
    /// Where it comes from.
    pub from: Origin,
    /// The [`hash`](edit::hash) of the [`body`](edit::body) it was made from; `None` for what is not there yet.
    pub base: Option<String>,
    /// The keys of the definition, as YAML.
    pub definition: String,
    /// The SQL of the snippet that a complex metric brings along.
    pub snippet: Option<String>,
    /// The ideas of the learner that it is made of: one that is rejected does not come back.
    pub learned: Vec<String>,
    /// What was said about it.
    pub history: Vec<LifeEvent>,
}

/// Keys of a definition, of whatever it is one.
#[derive(Debug, Clone)]
pub(crate) struct Keys(Node);

impl Read for Keys {
    fn read(node: &Node, _: &mut Sink) -> Option<Self> {
        Some(Self(node.clone()))
    }
}

impl JsonSchema for Keys {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Keys".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({"type": "object"})
    }
}

object! {
    /// A file in `proposals/`.
    #[schemars(rename = "Proposal", extend("required" = ["definition"]))]
    struct RawProposal {
        /// The metric it is of.
        metric: Option<Text>,
        /// The dimension it is of, as `dataset.dimension`.
        dimension: Option<Text>,
        /// The join it is of, as `dataset.join`.
        join: Option<Text>,
        /// The rollup it is of.
        rollup: Option<Text>,
        /// What it is about, in one line.
        title: Option<Text>,
        /// Who proposes it.
        by: Option<Text>,
        /// The day.
        on: Option<At<Day>>,
        /// Why.
        why: Option<Text>,
        /// Where it comes from; a person where nothing is given.
        from: Option<Word<Origin>>,
        /// The hash of the definition that it was made from.
        base: Option<Text>,
        /// The definition as it should be.
        definition: Option<Keys>,
        /// The SQL of the snippet that a complex metric brings along.
        snippet: Option<Text>,
        /// The ideas of the learner that it is made of.
        learned: Many<Text>,
        /// What was said about it.
        history: Many<RawEvent>,
    }
}

impl Proposal {
    /// Reads a file in `proposals/`.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn read(path: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let files = [ProjectFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }];
        let mut sink = Sink::new(&files);
        let node = yaml::parse(FileId(0), text).unwrap_or_else(|error| {
            sink.error("yaml", error.place, "", error.message, None);
            None
        });
        let raw = node
            .as_ref()
            .and_then(|node| RawProposal::read(node, &mut sink));
        let read = raw.map(|raw| Self::of(&raw, text, &mut sink));
        let problems = sink.finish();
        let errors = problems
            .into_iter()
            .filter(|one| one.severity == Severity::Error);
        let mut errors: Vec<Diagnostic> = errors.collect();
        match read.flatten().filter(|_| errors.is_empty()) {
            Some(proposal) => Ok(proposal),
            None => {
                if errors.is_empty() {
                    errors.push(Diagnostic {
                        severity: Severity::Error,
                        file: path.to_owned(),
                        line: 0,
                        column: 0,
                        code: "missing_key",
                        message: "a proposal needs a metric (or a dimension, a join or a rollup) and a definition, key by key in lines"
                            .to_owned(),
                        found: String::new(),
                        hint: None,
                    });
                }
                Err(errors)
            }
        }
    }

    fn of(raw: &RawProposal, written: &str, sink: &mut Sink) -> Option<Self> {
        let of = subject(raw)?;
        of.check(&raw.definition.as_ref()?.0, sink);
        Some(Self {
            of,
            title: text(raw.title.as_ref()),
            by: text(raw.by.as_ref()),
            on: raw.on.map(|day| day.value.0),
            why: text(raw.why.as_ref()),
            from: raw.from.map(|word| word.value).unwrap_or_default(),
            base: raw.base.as_ref().map(|text| text.value.clone()),
            definition: edit::below(written, "definition")?,
            snippet: raw.snippet.as_ref().map(|text| text.value.clone()),
            learned: texts(&raw.learned),
            history: life::history(&raw.history, sink),
        })
    }

    /// The text of its file.
    pub fn text(&self) -> String {
        let mut head = Map::new();
        let mut put = |key: &str, value: &str| {
            if !value.is_empty() {
                head.insert(key.to_owned(), json!(value));
            }
        };
        let (key, name) = self.of.key();
        put(key, &name);
        put("title", &self.title);
        put("by", &self.by);
        put(
            "on",
            &self.on.map(|day| day.to_string()).unwrap_or_default(),
        );
        put("why", &self.why);
        put("from", self.from.word());
        put("base", self.base.as_deref().unwrap_or_default());
        if !self.history.is_empty() {
            let events = self.history.iter().map(event).collect();
            head.insert("history".to_owned(), Value::Array(events));
        }
        if !self.learned.is_empty() {
            head.insert("learned".to_owned(), json!(self.learned));
        }
        let head = edit::fields(&head);
        let mut text = format!("{head}definition:\n{}", set_in(&self.definition));
        if let Some(sql) = &self.snippet {
            text.push_str(&format!("snippet: |\n{}", set_in(sql)));
        }
        text
    }

    /// Whether it was turned down.
    pub fn rejection(&self) -> Option<&LifeEvent> {
        let last = self.history.iter().rev();
        let mut judged = last.filter(|event| matches!(event.step, Step::Approved | Step::Rejected));
        judged.next().filter(|event| event.step == Step::Rejected)
    }
}

/// What the keys of a proposal say that it is of.
fn subject(raw: &RawProposal) -> Option<Subject> {
    let part = |text: &Text| {
        let (dataset, name) = text.value.split_once('.')?;
        Some((dataset.to_owned(), name.to_owned()))
    };
    match (&raw.metric, &raw.dimension, &raw.join, &raw.rollup) {
        (Some(metric), None, None, None) => Some(Subject::Metric(text(Some(metric)))),
        (None, Some(dimension), None, None) => {
            let (dataset, name) = part(dimension)?;
            Some(Subject::Dimension(dataset, name))
        }
        (None, None, Some(join), None) => {
            let (dataset, name) = part(join)?;
            Some(Subject::Join(dataset, name))
        }
        (None, None, None, Some(rollup)) => Some(Subject::Rollup(text(Some(rollup)))),
        _ => None,
    }
}

/// Lines, set in by two.
fn set_in(text: &str) -> String {
    let lines = text.lines().map(|line| match line.trim().is_empty() {
        true => "\n".to_owned(),
        false => format!("  {line}\n"),
    });
    lines.collect()
}

/// A step, as an item of `history:`.
pub fn event(event: &LifeEvent) -> Value {
    let mut fields = Map::new();
    fields.insert("step".to_owned(), json!(event.step.word()));
    let mut put = |key: &str, value: &str| {
        if !value.is_empty() {
            fields.insert(key.to_owned(), json!(value));
        }
    };
    put("by", &event.by);
    put(
        "on",
        &event.on.map(|day| day.to_string()).unwrap_or_default(),
    );
    put("why", &event.why);
    put("of", event.of.as_deref().unwrap_or_default());
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_proposal_is_read_as_it_is_written() {
        let proposal = Proposal {
            of: Subject::Metric("gmv".to_owned()),
            title: "Without refunds".to_owned(),
            by: "Ana <ana@example.com>".to_owned(),
            on: "2026-11-20".parse().ok(),
            why: "Finance: as booked".to_owned(),
            from: Origin::Import,
            base: Some("00ff".to_owned()),
            definition: "# as booked\nbase_table: orders\nagg: sum\n\nexpr: a - b\n".to_owned(),
            snippet: Some("-- a\nSELECT 1\n\nFROM b\n".to_owned()),
            learned: vec!["alias:gmv:takings".to_owned()],
            history: vec![LifeEvent {
                step: Step::Approved,
                by: "Bo".to_owned(),
                on: None,
                why: String::new(),
                of: Some("12ab".to_owned()),
            }],
        };
        let read = Proposal::read("proposals/gmv.yaml", &proposal.text()).unwrap();
        assert_eq!(read, proposal);
        assert!(read.rejection().is_none());
        for (name, definition) in [
            ("orders.dimensions.coupon", "label: Coupon\n"),
            ("orders.joins.shop", "to: shops\non: shop_id\n"),
            ("rollups.by_day", "of: orders\ngrain: day\nmetrics: [gmv]\n"),
        ] {
            let proposal = Proposal {
                of: Subject::named(name),
                definition: definition.to_owned(),
                ..proposal.clone()
            };
            assert_eq!(proposal.of.name(), name);
            assert_eq!(
                Proposal::read("p.yaml", &proposal.text()).unwrap(),
                proposal
            );
        }
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        let text = "metric: gmv\ndefinition:\n  agregate: sum\n";
        let problems = Proposal::read("proposals/gmv.yaml", text).unwrap_err();
        assert!(
            problems[0]
                .to_string()
                .starts_with("proposals/gmv.yaml:3:3: error")
        );
        assert!(Proposal::read("proposals/gmv.yaml", "metric: gmv\n").is_err());
    }
}
