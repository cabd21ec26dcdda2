//! A complex metric for a model: a known-good snippet, a request to adapt it to, and what its SQL must hold.

use minijinja::context;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::data::{self, LONG, QUESTION, SHORT, harmless};
use super::prompts::{Prompts, json};
use super::reply;
use crate::llm::Request;
use crate::model::{DateRange, Filter, GroupBy, Intent, Metric, MetricQuery, Registry, Snippet};
use crate::validate::{Code, Finding, Report, Severity};
use crate::warehouse::{Dialect, TableInfo};

/// Longest SQL that is taken, in characters.
const LONGEST_SQL: usize = 20_000;

/// The shape of a reply.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The SQL.
    sql: String,
}

/// A snippet to be adapted to a request.
#[derive(Clone, Copy)]
pub struct Adapting<'a> {
    /// The prompts.
    pub prompts: &'a Prompts,
    /// The question as typed.
    pub question: &'a str,
    /// The request, with the metric's defaults filled in; it names one complex metric.
    pub query: &'a MetricQuery,
    /// The metric.
    pub metric: &'a Metric,
    /// Its snippet.
    pub snippet: &'a Snippet,
    /// The tables it may use, without personal data.
    pub tables: &'a [TableInfo],
    /// Values of the dimensions that the request names: (dimension, values).
    pub values: &'a [(String, Vec<String>)],
    /// The time range as days.
    pub range: DateRange,
    /// The engine it is for.
    pub dialect: Dialect,
    /// Most tokens of the prompt.
    pub context_tokens: u32,
    /// Most tokens of the reply.
    pub max_tokens: u32,
}

/// SQL of a model, with what was found in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// As the model wrote it, without control characters.
    pub sql: String,
    /// What was found.
    pub findings: Vec<Finding>,
}

#[derive(Serialize)]
struct TableLine<'a> {
    table: &'a str,
    columns: Vec<&'a str>,
}

#[derive(Serialize)]
struct MetricLine<'a> {
    name: &'a str,
    label: String,
    description: String,
    rules: Vec<String>,
}

#[derive(Serialize)]
struct ValueLine<'a> {
    dimension: &'a str,
    values: Vec<String>,
}

impl Adapting<'_> {
    /// The request, once more where SQL did not pass.
    ///
    /// # Errors
    /// A prompt of the project fails, or the snippet does not fit into it.
    pub fn request(&self, refused: Option<&Draft>) -> Result<Request, String> {
        let tables = self.tables.iter().map(|table| TableLine {
            table: &table.name,
            columns: table
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect(),
        });
        let values = self.values.iter().map(|(dimension, values)| ValueLine {
            dimension,
            values: values.iter().map(|value| harmless(value, SHORT)).collect(),
        });
        let metric = MetricLine {
            name: &self.metric.name,
            label: harmless(&self.metric.label, SHORT),
            description: harmless(&self.metric.description, LONG),
            rules: self
                .metric
                .business_rules
                .iter()
                .map(|rule| harmless(rule, LONG))
                .collect(),
        };
        let findings = refused.map(|draft| draft.findings.iter().map(ToString::to_string));
        let values = context! {
            question => harmless(self.question, QUESTION),
            intent => json(&Intent::from(self.query)),
            demands => self.demands(),
            metric => json(&metric),
            tables => tables.map(|line| json(&line)).collect::<Vec<_>>(),
            values => values.map(|line| json(&line)).collect::<Vec<_>>(),
            snippet => &self.snippet.text,
            sql => refused.map(|draft| draft.sql.clone()),
            findings => findings.map(Iterator::collect::<Vec<_>>).unwrap_or_default(),
        };
        let dialect = context! { dialect => self.dialect.word() };
        let request = Request {
            system: self.prompts.write("snippet_system.j2", dialect)?,
            user: self.prompts.write("snippet.j2", values)?,
            schema: Some(reply::schema::<Written>("sql")),
            max_tokens: self.max_tokens,
        };
        let (tokens, most) = (request.tokens(), u64::from(self.context_tokens));
        if tokens > most {
            return Err(format!(
                "the prompt with {} has about {tokens} tokens where {most} are allowed: raise context_tokens of llm: in \
                 metrex.yaml",
                self.snippet.name
            ));
        }
        Ok(request)
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// What is wrong with it, in words for the model.
    pub fn read(&self, text: &str) -> Result<String, String> {
        let written: Written = reply::read(text)?;
        let sql = written.sql.trim().trim_end_matches(';');
        if sql.chars().count() > LONGEST_SQL {
            return Err(format!("the SQL is longer than {LONGEST_SQL} characters"));
        }
        Ok(data::sql(sql, LONGEST_SQL))
    }

    /// What must stand in the SQL: columns by name, the dates, the values of the conditions. Each with the text that
    /// shows it.
    fn demands(&self) -> Vec<String> {
        let mut demands = Vec::new();
        if let Some(start) = self.range.start {
            demands.push(format!("only days >= '{start}'"));
        }
        if let Some(end) = self.range.end {
            demands.push(format!("only days < '{end}'"));
        }
        let names: Vec<String> = self.columns().map(|name| format!("\"{name}\"")).collect();
        demands.push(format!("columns of the result: {}", names.join(", ")));
        demands
    }

    /// The columns the result must have.
    fn columns(&self) -> impl Iterator<Item = String> {
        let groups = self.query.group_by.iter().flatten();
        groups
            .map(ToString::to_string)
            .chain([self.metric.name.clone()])
    }

    /// Checks what the guard cannot know: that SQL which passed it answers this request. Its text is the guard's own,
    /// without comments.
    pub fn complete(&self, report: Report) -> Report {
        let Some(sql) = report.sql.clone() else {
            return report;
        };
        let mut missing = Vec::new();
        let bounds = [
            (self.range.start, "the time range begins at", ">="),
            (self.range.end, "the time range ends before", "<"),
        ];
        for (day, what, sign) in bounds {
            if let Some(day) = day
                && !sql.contains(&format!("'{day}'"))
            {
                missing.push((
                    format!("{what} {day}, and the SQL does not have that date"),
                    format!("compare the day's column: {sign} '{day}'"),
                ));
            }
        }
        for literal in self.query.filters.iter().flat_map(literals) {
            let quoted = format!("'{}'", literal.replace('\'', "''"));
            let is_number = literal.parse::<f64>().is_ok();
            if !(sql.contains(&quoted) || is_number && sql.contains(&literal)) {
                let filter = self.query.filters.as_ref().map(ToString::to_string);
                missing.push((
                    format!(
                        "the request has the condition {}, and the SQL does not have '{literal}'",
                        filter.unwrap_or_default()
                    ),
                    "add the condition".to_owned(),
                ));
            }
        }
        missing.into_iter().fold(report, |report, (message, hint)| {
            refused(report, Code::MissingFilter, message, hint)
        })
    }

    /// The names of the request that are no dimensions of the metric's tables.
    pub fn unknown_names(&self, registry: &Registry) -> Vec<String> {
        let groups = self
            .query
            .group_by
            .iter()
            .flatten()
            .filter_map(GroupBy::dimension);
        let fields = self.query.filters.iter().flat_map(|filter| filter.fields());
        let is_known = |name: &str| {
            let datasets = registry.datasets.values();
            let mut own = datasets.filter(|dataset| {
                self.tables
                    .iter()
                    .any(|table| is_named(&table.name, &dataset.index_table()))
            });
            name == self.metric.name
                || own.any(|dataset| dataset.dimension(name).is_some_and(|found| !found.pii))
        };
        groups
            .chain(fields)
            .filter(|name| !is_known(name))
            .map(str::to_owned)
            .collect()
    }

    /// Checks the columns of the result.
    pub fn answers(&self, report: Report, columns: &[String]) -> Report {
        let missing: Vec<String> = self
            .columns()
            .filter(|name| !columns.contains(name))
            .collect();
        if missing.is_empty() {
            return report;
        }
        let message = format!("the result has no column {}", missing.join(", "));
        let hint = format!("it has {}; name the columns as asked", columns.join(", "));
        refused(report, Code::UnknownColumn, message, hint)
    }
}

/// The report with one more finding about the SQL as a whole.
fn refused(mut report: Report, code: Code, message: String, hint: String) -> Report {
    report.findings.push(whole(code, message, Some(hint)));
    report.sql = None;
    report
}

fn whole(code: Code, message: String, hint: Option<String>) -> Finding {
    Finding {
        code,
        severity: Severity::Block,
        token: String::new(),
        line: 0,
        column: 0,
        message,
        hint,
    }
}

impl Draft {
    /// A reply without SQL in it.
    pub fn unreadable(problem: String) -> Self {
        Self {
            sql: String::new(),
            findings: vec![whole(Code::Syntax, problem, None)],
        }
    }
}

/// Whether two names mean the same table: one of them may lack the schema.
pub fn is_named(one: &str, other: &str) -> bool {
    let last = |name: &str| name.rsplit('.').next().unwrap_or(name).to_lowercase();
    let is_whole = one.contains('.') && other.contains('.');
    one.eq_ignore_ascii_case(other) || !is_whole && last(one) == last(other)
}

/// Every literal of a condition.
fn literals(filter: &Filter) -> Vec<String> {
    match filter {
        Filter::Compare { value, .. } => vec![value.clone()],
        Filter::In { values, .. } => values.clone(),
        Filter::Between { low, high, .. } => vec![low.clone(), high.clone()],
        Filter::Like { pattern, .. } => vec![pattern.clone()],
        Filter::IsNull { .. } => Vec::new(),
        Filter::And(parts) | Filter::Or(parts) => parts.iter().flat_map(literals).collect(),
        Filter::Not(part) => literals(part),
    }
}
