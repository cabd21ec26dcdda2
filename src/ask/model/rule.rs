//! A business rule that the definitions do not understand: a request for its condition, and the reply.

use minijinja::context;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::data::{LONG, SHORT, harmless};
use super::prompts::{Prompts, json};
use super::reply;
use crate::llm::Request;

/// Longest condition that is taken, in characters.
const LONGEST: usize = 500;

/// The words of SQL that a condition is made of.
const WORDS: [&str; 15] = [
    "and", "or", "not", "in", "is", "null", "like", "between", "true", "false", "lower", "upper",
    "coalesce", "abs", "date",
];

/// The shape of a reply.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The condition; empty where the columns cannot say it.
    condition: String,
}

/// A rule to be written as a condition.
#[derive(Clone, Copy)]
pub struct Ruling<'a> {
    /// The prompts.
    pub prompts: &'a Prompts,
    /// The rule as typed.
    pub rule: &'a str,
    /// The metric it belongs to.
    pub metric: &'a str,
    /// What the metric means.
    pub definition: &'a str,
    /// The table it is about.
    pub table: &'a str,
    /// Its columns, each with values where it has few; none with personal data.
    pub columns: &'a [(String, Vec<String>)],
    /// Most tokens of the reply.
    pub max_tokens: u32,
}

#[derive(Serialize)]
struct ColumnLine<'a> {
    column: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
}

impl Ruling<'_> {
    /// The request, once more where a condition did not pass: with it, and with why.
    ///
    /// # Errors
    /// A prompt of the project fails.
    pub fn request(&self, refused: Option<&(String, String)>) -> Result<Request, String> {
        let columns = self.columns.iter().map(|(column, values)| {
            json(&ColumnLine {
                column,
                values: values.iter().map(|value| harmless(value, SHORT)).collect(),
            })
        });
        let values = context! {
            rule => harmless(self.rule, LONG),
            metric => harmless(self.metric, SHORT),
            definition => harmless(self.definition, LONG),
            table => self.table,
            columns => columns.collect::<Vec<_>>(),
            condition => refused.map(|(condition, _)| condition.clone()),
            finding => refused.map(|(_, finding)| harmless(finding, LONG)),
        };
        Ok(Request {
            system: self.prompts.write("rule_system.j2", context! {})?,
            user: self.prompts.write("rule.j2", values)?,
            schema: Some(reply::schema::<Written>("condition")),
            max_tokens: self.max_tokens,
        })
    }

    /// Reads a reply; empty where the columns cannot say what the rule means.
    ///
    /// # Errors
    /// What is wrong with it, in words for the model.
    pub fn read(&self, text: &str) -> Result<String, String> {
        let written: Written = reply::read(text)?;
        if written.condition.chars().count() > LONGEST {
            return Err(format!("it is longer than {LONGEST} characters"));
        }
        let condition = harmless(&written.condition, LONGEST);
        match self.unknown(&condition) {
            Some(word) => Err(format!("{word} is no column listed")),
            None => Ok(condition),
        }
    }

    /// A word of a condition, outside of its values, that is neither a column nor one of SQL's.
    fn unknown<'c>(&self, condition: &'c str) -> Option<&'c str> {
        let outside = condition.split('\'').step_by(2);
        let mut words = outside
            .flat_map(|part| part.split(|c: char| !c.is_alphanumeric() && c != '_'))
            .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'));
        words.find(|word| {
            let is_column = self
                .columns
                .iter()
                .any(|(column, _)| column.split('.').any(|part| part == *word));
            !is_column && !WORDS.contains(&word.to_lowercase().as_str())
        })
    }
}
