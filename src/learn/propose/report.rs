//! The report of a night: what is proposed, and what is only told.

use std::fmt::Write as _;

use jiff::civil::Date;
use serde::Serialize;

use super::tally::{people, uses};
use super::{Anomaly, Idea, Kind, Popular, Preferred, Trend};
use crate::model::thousands;

/// What became of an idea.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "where")]
pub enum Stage {
    /// It is proposed now, in this file.
    New(String),
    /// It waits for a judgement since an earlier night, in this file.
    Waiting(String),
    /// It was judged, in these words, and does not come back.
    Judged(String),
    /// As many of its kind wait as may.
    Later,
    /// It would not hold, and why.
    Unfit(String),
}

/// An idea with what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// The idea.
    #[serde(flatten)]
    pub idea: Idea,
    /// What became of it.
    pub stage: Stage,
}

/// What a night comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The first day that was looked at.
    pub from: Date,
    /// The last.
    pub to: Date,
    /// Queries in these days.
    pub queries: u64,
    /// By how many people.
    pub people: usize,
    /// Queries that were too different from one another to be looked at.
    pub beyond: u64,
    /// Queries of the log that cannot be read.
    pub unread: u64,
    /// Every idea with enough evidence, by kind, the best first.
    pub ideas: Vec<Told>,
    /// The metrics that are used most.
    pub popular: Vec<Popular>,
    /// Metrics whose use has changed.
    pub trends: Vec<Trend>,
    /// Ways of joining that people prefer.
    pub joins: Vec<Preferred>,
    /// What has become slower or fails more.
    pub anomalies: Vec<Anomaly>,
    /// What was used enough and is proposed all the same not, with the reason.
    pub passed_over: Vec<String>,
}

impl Report {
    /// The ideas that are proposed now.
    pub fn new_ideas(&self) -> impl Iterator<Item = &Told> {
        self.ideas
            .iter()
            .filter(|told| matches!(told.stage, Stage::New(_)))
    }

    /// In one line: `3 proposals (2 new metrics, 1 alias)`.
    pub fn summary(&self) -> String {
        let count = |kind: Kind| {
            self.new_ideas()
                .filter(|told| told.idea.kind == kind)
                .count()
        };
        let of: Vec<String> = Kind::ALL
            .into_iter()
            .filter_map(|kind| match count(kind) {
                0 => None,
                1 => Some(format!("1 {}", kind.one())),
                many => Some(format!("{many} {}", kind.plural())),
            })
            .collect();
        match self.new_ideas().count() {
            0 => "nothing new to propose".to_owned(),
            1 => format!("1 proposal ({})", of.join(", ")),
            all => format!("{all} proposals ({})", of.join(", ")),
        }
    }

    /// The report as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing into a text does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "# Learned from use, {} to {}\n", self.from, self.to)?;
        let queries = match self.queries {
            1 => "1 query".to_owned(),
            many => format!("{} queries", thousands(many)),
        };
        writeln!(
            out,
            "{queries} by {}: {}.",
            people(self.people),
            self.summary()
        )?;
        if self.unread > 0 {
            writeln!(
                out,
                "Queries whose row in the log is damaged, and which are not looked at: {}.",
                thousands(self.unread)
            )?;
        }
        if self.beyond > 0 {
            writeln!(
                out,
                "Not looked at, since there are too many different ones: {}.",
                uses(self.beyond)
            )?;
        }
        for kind in Kind::ALL {
            let mut ideas = self
                .ideas
                .iter()
                .filter(|told| told.idea.kind == kind)
                .peekable();
            if ideas.peek().is_some() {
                writeln!(out, "\n## {}\n", capital(kind.plural()))?;
            }
            for told in ideas {
                let idea = &told.idea;
                writeln!(
                    out,
                    "- **{}** {}: {}",
                    idea.subject(),
                    told.stage.words(),
                    idea.title
                )?;
                writeln!(out, "  {}", idea.why())?;
            }
        }
        if !self.popular.is_empty() {
            writeln!(out, "\n## Used most\n")?;
        }
        for one in &self.popular {
            writeln!(
                out,
                "- {}: {} by {}",
                one.metric,
                uses(one.uses),
                people(one.people)
            )?;
        }
        if !self.trends.is_empty() {
            writeln!(out, "\n## Used more or less than before\n")?;
        }
        for one in &self.trends {
            writeln!(
                out,
                "- {}: {:.1} a day in the last week, {:.1} before",
                one.metric, one.lately, one.before
            )?;
        }
        if !self.joins.is_empty() {
            writeln!(out, "\n## Preferred joins\n")?;
        }
        for one in &self.joins {
            writeln!(out, "- {}: {}", one.on, one.evidence.words())?;
            for (on, count, ms) in &one.others {
                let ms = ms.map(|ms| format!(", median {ms} ms")).unwrap_or_default();
                writeln!(out, "  - rather than {on}: {}{ms}", uses(*count))?;
            }
        }
        if !self.anomalies.is_empty() {
            writeln!(out, "\n## Slower, or failing more\n")?;
        }
        for one in &self.anomalies {
            writeln!(
                out,
                "- `{}`: {} ({})",
                one.what,
                one.trouble,
                uses(one.uses)
            )?;
        }
        if !self.passed_over.is_empty() {
            writeln!(out, "\n## Passed over\n")?;
        }
        for one in &self.passed_over {
            writeln!(out, "- {one}")?;
        }
        Ok(())
    }
}

impl Stage {
    /// The words for it.
    pub fn words(&self) -> String {
        match self {
            Self::New(file) => format!("is proposed ({file})"),
            Self::Waiting(file) => format!("waits for a judgement ({file})"),
            Self::Judged(words) => format!("was {words}"),
            Self::Later => "comes when others of its kind are judged".to_owned(),
            Self::Unfit(why) => format!("is not proposed, {why}"),
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}
