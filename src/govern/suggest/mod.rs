//! What a metric could be made of, suggested from a few words: its table, measure, conditions, dimensions and checks.
//!
//! Nothing here asks a warehouse or a model: what is known ([`Ground`]) and what is wanted ([`Idea`]) go in, offers with
//! their reasons come out ([`suggest`]), and the same definition for the same words.

mod canonical;
mod checks;
mod definition;
mod dimensions;
mod measure;
mod rules;
mod similar;
mod source;
mod tables;
mod words;

use std::collections::HashMap;

use indexmap::IndexMap;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::Registry;
use crate::model::personal::is_personal;
use crate::warehouse::TableInfo;

pub use canonical::{RankedDataset, Ranking, canonical_for};
pub use tables::likely;

/// What somebody wants to measure, in their words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Idea {
    /// Name for people: `Contracted MRR`.
    pub name: String,
    /// Name in query lines: `contracted_mrr`; made of the name where it is empty.
    pub short_name: String,
    /// Shelf in the catalog.
    pub category: String,
    /// Who answers for it.
    pub owner: String,
    /// What it means, in plain words.
    pub definition: String,
    /// Rules, one sentence each.
    #[serde(alias = "business_rules")]
    pub rules: Vec<String>,
    /// What was decided about offers, by their [`Offer::id`].
    pub choices: IndexMap<String, Decision>,
    /// What a model proposed for rules that are not understood, by [`Offer::id`]; none is taken before a person takes it.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub guesses: IndexMap<String, Guess>,
}

/// What a model proposes for a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guess {
    /// The condition.
    pub text: String,
    /// The model's name.
    pub by: String,
}

/// What was decided about an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Decision {
    /// It is taken, or refused.
    Taken(bool),
    /// It is taken with this text instead.
    Text(String),
}

/// Values of the columns of tables: by table, then by column.
pub type Values = HashMap<String, Vec<(String, Vec<String>)>>;

/// Columns, each with values where they are few.
pub type Columns = Vec<(String, Vec<String>)>;

/// What is known.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// The definitions there are.
    pub registry: &'a Registry,
    /// The tables of the warehouse; empty where it cannot be asked.
    pub tables: &'a [TableInfo],
    /// Values of columns that have few.
    pub values: &'a Values,
    /// Queries per metric.
    pub used: &'a HashMap<String, u64>,
    /// The metric's figures by period, where they were computed; NaN where a period has none.
    pub history: &'a [f64],
    /// The current day.
    pub today: Date,
}

/// What an offer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferKind {
    /// The table that is measured; one of several.
    Table,
    /// How its rows become a number; one of several.
    Measure,
    /// What a business rule means in SQL.
    Rule,
    /// What stands for a period of several snapshots.
    Snapshot,
    /// A join onto another dataset.
    Join,
    /// Something to group and filter by.
    Dimension,
    /// How it is shown by default.
    Display,
    /// A test of its numbers.
    Check,
    /// A metric that is alike.
    Similar,
    /// Hand-written SQL over the same table.
    Skill,
}

impl OfferKind {
    /// The heading it stands under.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Table => "Table",
            Self::Measure => "Measure",
            Self::Rule => "Rules",
            Self::Snapshot => "Over time",
            Self::Join => "Joins",
            Self::Dimension => "Dimensions",
            Self::Display => "Display",
            Self::Check => "Checks",
            Self::Similar => "Similar metrics",
            Self::Skill => "SQL that is there already",
        }
    }

    /// Whether exactly one of its offers holds.
    pub fn is_one_of(self) -> bool {
        matches!(self, Self::Table | Self::Measure)
    }
}

/// Where an offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It becomes part of the definition.
    Taken,
    /// It does not.
    Refused,
    /// It cannot be chosen: it is so, or does not apply.
    Known,
}

/// One suggestion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// What [`Idea::choices`] calls it.
    pub id: String,
    /// What it is about.
    pub kind: OfferKind,
    /// What it is about in the words of the idea: the rule.
    pub about: String,
    /// What would be written; may be changed.
    pub text: String,
    /// Why.
    pub why: String,
    /// Where it stands.
    pub state: State,
    /// Whether the text was changed by hand.
    pub changed: bool,
    /// Whether it is a rule that is not understood and that nobody decided about.
    pub waits: bool,
}

impl Offer {
    /// An offer as the idea's choices have it.
    fn decided(
        kind: OfferKind,
        id: String,
        text: String,
        why: String,
        taken: bool,
        idea: &Idea,
    ) -> Self {
        let mut offer = Self {
            id,
            kind,
            about: String::new(),
            text,
            why,
            state: if taken { State::Taken } else { State::Refused },
            changed: false,
            waits: false,
        };
        match idea.choices.get(&offer.id) {
            Some(Decision::Taken(true)) => offer.state = State::Taken,
            Some(Decision::Taken(false)) => offer.state = State::Refused,
            Some(Decision::Text(text)) => {
                offer.state = State::Taken;
                offer.changed = offer.text != *text;
                offer.text.clone_from(text);
            }
            None => {}
        }
        offer
    }

    /// Something that is so.
    fn known(kind: OfferKind, id: String, text: String, why: String) -> Self {
        Self {
            id,
            kind,
            about: String::new(),
            text,
            why,
            state: State::Known,
            changed: false,
            waits: false,
        }
    }

    /// Whether it becomes part of the definition.
    pub fn is_taken(&self) -> bool {
        self.state == State::Taken
    }
}

/// Everything suggested for an idea.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Suggestions {
    /// The offers, by kind.
    pub offers: Vec<Offer>,
    /// The metric's name in query lines.
    pub name: String,
    /// The dataset it reads.
    pub dataset: String,
    /// The definition of the dataset, where there is none yet.
    pub new_dataset: Option<Map<String, Value>>,
    /// The definition of the metric.
    pub metric: Map<String, Value>,
    /// How its first numbers are asked for, after the name: `by month last 12 months`.
    pub view: String,
    /// Why it cannot be defined yet.
    pub missing: Option<String>,
}

impl Suggestions {
    /// The offer of an id that is taken, or known.
    pub fn offer(&self, id: &str) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.id == id)
    }

    /// The metric that is most alike.
    pub fn nearest(&self) -> Option<&str> {
        let mut similar = self
            .offers
            .iter()
            .filter(|offer| offer.kind == OfferKind::Similar);
        similar.next().map(|offer| offer.text.as_str())
    }
}

impl Idea {
    /// Reads an idea from the text of a YAML file.
    ///
    /// # Errors
    /// What is wrong in it, after its line and column: `6:1: unknown field …`.
    pub fn from_yaml(text: &str) -> Result<Self, String> {
        serde_yaml::from_str(text).map_err(|error| {
            let plain = error.without_snippet().to_string();
            let Some(at) = error.location() else {
                return plain;
            };
            let place = format!("line {} column {}", at.line(), at.column());
            let said = plain.rsplit_once(&place).map_or(&*plain, |(_, said)| said);
            let said = said.trim_start_matches([':', ' ']);
            format!("{}:{}: {said}", at.line(), at.column())
        })
    }

    /// The metric's name in query lines: as it is given, else made of the name for people.
    pub fn metric_name(&self) -> String {
        let short = self.short_name.trim();
        if !short.is_empty() {
            return short.to_owned();
        }
        let words: Vec<String> = words::words(&self.name)
            .into_iter()
            .map(|word| word.folded)
            .collect();
        words.join("_")
    }

    /// Takes an offer, or refuses it; of those of which one holds, takes it.
    pub fn toggle(&mut self, offer: &Offer) {
        let decision = match offer.state {
            State::Known => return,
            _ if offer.kind.is_one_of() => Decision::Text(offer.text.clone()),
            State::Taken => Decision::Taken(false),
            // A text that was written by hand is not lost by a refusal.
            State::Refused => Decision::Taken(true),
        };
        self.choices.insert(offer.id.clone(), decision);
    }

    /// Takes an offer with another text; with none, as it was suggested.
    pub fn change(&mut self, offer: &Offer, text: &str) {
        match text.trim() {
            "" => self.choices.shift_remove(&offer.id),
            text => self
                .choices
                .insert(offer.id.clone(), Decision::Text(text.to_owned())),
        };
    }

    /// Its words, without the rules.
    fn words(&self) -> String {
        format!("{} {} {}", self.name, self.metric_name(), self.definition)
    }
}

/// The table of an idea, with its columns as conditions name them and values where they are few; without personal data.
pub fn columns(idea: &Idea, ground: &Ground<'_>) -> Option<(String, Columns)> {
    let ranked = tables::rank(idea, ground);
    let source = &chosen(idea, &ranked)?.source;
    let all = source.columns().into_iter();
    let harmless = all.filter(|column| match source.dimension_of(&column.name) {
        Some(dimension) => !dimension.pii,
        None => !is_personal(&column.name),
    });
    let columns = harmless.map(|column| {
        let values = source.values_of(&column.name).unwrap_or_default();
        (source.name_of(&column.name), values.to_vec())
    });
    Some((source.name.clone(), columns.collect()))
}

fn chosen<'r, 'a>(idea: &Idea, ranked: &'r [tables::Ranked<'a>]) -> Option<&'r tables::Ranked<'a>> {
    match idea.choices.get("table") {
        Some(Decision::Text(name)) => ranked.iter().find(|one| one.source.name == *name),
        _ => ranked.first(),
    }
}

/// What the metric could be made of.
pub fn suggest(idea: &Idea, ground: &Ground<'_>) -> Suggestions {
    let mut found = Suggestions {
        name: idea.metric_name(),
        ..Suggestions::default()
    };
    if found.name.is_empty() {
        found.missing = Some("it needs a name".to_owned());
        return found;
    }
    let ranked = tables::rank(idea, ground);
    found.offers.extend(tables::offers(idea, &ranked));
    let Some(chosen) = chosen(idea, &ranked) else {
        found.missing = Some(match ranked.is_empty() {
            true => "no table has any of these words: say more of what is counted".to_owned(),
            false => "there is no such table".to_owned(),
        });
        found.offers.extend(similar::offers(idea, None, ground));
        return found;
    };
    let source = &chosen.source;
    found.dataset.clone_from(&source.dataset_name());
    let read: Vec<rules::Reading> = idea
        .rules
        .iter()
        .filter(|rule| !rule.trim().is_empty())
        .map(|rule| rules::read(rule, source, ground))
        .collect();
    let measures = measure::offers(idea, source, ground);
    let amount = measure::taken(&measures);
    found.offers.extend(measures);
    found.offers.extend(rules::offers(idea, read, &amount));
    found.offers.extend(dimensions::snapshot(idea, source));
    let (joins, dimensions) = dimensions::offers(idea, source, ground);
    found.offers.extend(joins);
    found.offers.extend(dimensions);
    found.offers.extend(checks::display(idea, source, &amount));
    found
        .offers
        .extend(checks::offers(idea, source, &amount, ground));
    found
        .offers
        .extend(similar::offers(idea, Some(source), ground));
    found.offers.extend(similar::skills(source, ground));
    definition::write(idea, source, ground, &mut found);
    found
}
