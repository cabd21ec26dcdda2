//! Proposals: a definition that somebody would like to be otherwise, in a file of its own (`proposals/NAME.yaml`).

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::diagnostic::{Diagnostic, Severity, Sink};
use super::raw::{RawEvent, RawMetric};
use super::read::{At, Day, Many, Read as _, Word, object};
use super::words::text;
use super::yaml::{self, Text};
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

/// A definition that somebody would like to be otherwise, or to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The metric.
    pub metric: String,
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
    /// The [`hash`](edit::hash) of the [`body`](edit::body) it was made from; `None` for a metric that is not there yet.
    pub base: Option<String>,
    /// The keys of the definition, as YAML.
    pub definition: String,
    /// What was said about it.
    pub history: Vec<LifeEvent>,
}

object! {
    /// A file in `proposals/`.
    #[schemars(rename = "Proposal", extend("required" = ["metric", "definition"]))]
    struct RawProposal {
        /// The metric.
        metric: Option<Text>,
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
        definition: Option<RawMetric>,
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
                        message: "a proposal needs a metric and a definition, key by key in lines"
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
        raw.definition.as_ref()?;
        Some(Self {
            metric: text(Some(raw.metric.as_ref()?)),
            title: text(raw.title.as_ref()),
            by: text(raw.by.as_ref()),
            on: raw.on.map(|day| day.value.0),
            why: text(raw.why.as_ref()),
            from: raw.from.map(|word| word.value).unwrap_or_default(),
            base: raw.base.as_ref().map(|text| text.value.clone()),
            definition: edit::below(written, "definition")?,
            history: life::history(&raw.history, sink),
        })
    }

    /// Its file.
    pub fn path(metric: &str) -> String {
        format!("{PROPOSALS}/{metric}.yaml")
    }

    /// The text of its file.
    pub fn text(&self) -> String {
        let mut head = Map::new();
        let mut put = |key: &str, value: &str| {
            if !value.is_empty() {
                head.insert(key.to_owned(), json!(value));
            }
        };
        put("metric", &self.metric);
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
        let lines = self
            .definition
            .lines()
            .map(|line| match line.trim().is_empty() {
                true => "\n".to_owned(),
                false => format!("  {line}\n"),
            });
        let definition: String = lines.collect();
        format!("{}definition:\n{definition}", edit::fields(&head))
    }

    /// Whether it was turned down.
    pub fn rejection(&self) -> Option<&LifeEvent> {
        let last = self.history.iter().rev();
        let mut judged = last.filter(|event| matches!(event.step, Step::Approved | Step::Rejected));
        judged.next().filter(|event| event.step == Step::Rejected)
    }
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
            metric: "gmv".to_owned(),
            title: "Without refunds".to_owned(),
            by: "Ana <ana@example.com>".to_owned(),
            on: "2026-11-20".parse().ok(),
            why: "Finance: as booked".to_owned(),
            from: Origin::Import,
            base: Some("00ff".to_owned()),
            definition: "# as booked\nbase_table: orders\nagg: sum\n\nexpr: a - b\n".to_owned(),
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
