//! Holds the SQL of a model or query against the canonical datasets: what it reads, what it makes again, which rows its joins make.
//!
//! A dbt model is read as it is written: its tags are replaced by names of the same length (`template`), the SQL becomes a tree,
//! the tree is walked once (`reading`), and every rule (`rules`) speaks about what was met there. See `docs/governance.md`.

mod expr;
mod facts;
mod finding;
mod joins;
mod known;
mod met;
mod output;
mod patterns;
mod reading;
mod rules;
mod template;

pub use finding::{Finding, Read, ReadKind, Review, Rule};
pub(super) use met::Names;

use sqlparser::ast::{Query, Statement};
use sqlparser::parser::{Parser, ParserOptions};

use crate::model::{Dialect, Registry};
use crate::registry::Governance;
use facts::Reading;
use known::Known;
use template::{Branch, Template};

/// Stack of the thread that walks the tree: a sum of many terms is as deep as it is long.
const STACK: usize = 256 << 20;
/// Longest text that is read.
const LENGTH: usize = 256 << 10;
/// Most operators, so that no tree is deeper than the stack.
const OPERATORS: usize = 6_000;

/// A model or query to be governed.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    /// Name of the model: that of its file, without the ending.
    pub name: &'a str,
    /// Its text: SQL, or SQL with dbt's tags.
    pub text: &'a str,
    /// Names of the models that are governed together with it.
    pub beside: &'a [String],
}

/// Governs a model. It never fails: what cannot be read is a finding.
pub fn govern(
    model: &Model<'_>,
    registry: &Registry,
    governance: &Governance,
    dialect: Dialect,
) -> Review {
    let govern = || governed(model, registry, governance, dialect);
    let unread = || Review {
        findings: vec![Finding::whole(Rule::Syntax, "the SQL could not be read")],
        reads: Vec::new(),
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("govern".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, govern)
            .ok()
            .and_then(|thread| thread.join().ok())
            .unwrap_or_else(unread)
    })
}

fn governed(
    model: &Model<'_>,
    registry: &Registry,
    governance: &Governance,
    dialect: Dialect,
) -> Review {
    // Some editors begin a file with a mark, which is no part of its first line.
    let model = &Model {
        text: model.text.trim_start_matches('\u{feff}'),
        ..*model
    };
    if model.text.len() > LENGTH {
        let message = format!("the text is longer than {} kB", LENGTH >> 10);
        return Review {
            findings: vec![Finding::whole(Rule::Syntax, message)],
            reads: Vec::new(),
        };
    }
    let known = Known::new(model, registry, governance);
    let template = Template::read(model.text, Branch::First);
    let mut findings = patterns::check(model, &known, governance);
    findings.extend(template.problems.iter().cloned());
    findings.extend(rules::incremental(&template, &known));
    findings.extend(rules::unseen(&template));
    let mut reading = match parse(&template.sql, dialect) {
        _ if template.is_macro() || !template.problems.is_empty() => {
            Reading::mentioned(&template, &known)
        }
        Ok(query) => reading::read(&query, &template, &known),
        Err(finding) => {
            findings.push(match template.is_unclear() {
                // Only dbt knows whether it is SQL then.
                true => finding.unclear(),
                false => *finding,
            });
            Reading::mentioned(&template, &known)
        }
    };
    if template.has_branches {
        // The other branch of each `if`; what it has in common is found twice, and told once.
        let other = Template::read(model.text, Branch::Last);
        if let Ok(query) = parse(&other.sql, dialect) {
            let other = reading::read(&query, &other, &known);
            reading.merge(other);
        }
    }
    reading.add_hidden(&template, &known);
    reading
        .reads
        .sort_by_key(|read| (read.told.line, read.told.column));
    findings.extend(rules::check(&reading, &template, &known));
    for finding in &mut findings {
        finding.as_written(&template);
    }
    findings.sort_by(Finding::order);
    findings.dedup();
    let reads = reading.reads.into_iter().map(|read| Read {
        name: template.as_written(&read.told.name),
        ..read.told
    });
    Review {
        findings,
        reads: reads.collect(),
    }
}

/// About how many operators make the tree deeper; a line of dashes is none.
fn operators(sql: &str) -> usize {
    let bytes = sql.as_bytes();
    let signs = bytes.windows(2).filter(|pair| match pair {
        [b'-', next] => *next != b'-',
        [first, _] => b"+*/|=<>%^&".contains(first),
        _ => false,
    });
    let words = sql.split(|c: char| !c.is_alphanumeric() && c != '_');
    let joining = ["and", "or", "union", "intersect", "except", "join"];
    let words = words.filter(|word| joining.iter().any(|one| one.eq_ignore_ascii_case(word)));
    signs.count() + words.count()
}

/// The query that the text is, in the dialect of the connection or, since models are written for other engines too, in any.
fn parse(sql: &str, dialect: Dialect) -> Result<Query, Box<Finding>> {
    let many = operators(sql);
    if many > OPERATORS {
        let message = format!("there are {many} operators, more than can be read");
        return Err(Box::new(Finding::whole(Rule::Syntax, message)));
    }
    let mut first = None;
    for dialect in std::iter::once(dialect).chain(Dialect::ALL) {
        let options = ParserOptions::new().with_trailing_commas(true);
        let statements = Parser::new(dialect.parser())
            .with_options(options)
            .try_with_sql(sql)
            .and_then(|mut parser| parser.parse_statements());
        match statements {
            Ok(statements) => return one_query(statements),
            Err(error) => {
                first.get_or_insert(error);
            }
        }
    }
    let message = first.map_or_else(String::new, |error| error.to_string());
    Err(Box::new(Finding::unparsable(&message, sql)))
}

fn one_query(statements: Vec<Statement>) -> Result<Query, Box<Finding>> {
    let mut queries = statements.into_iter().map(|statement| match statement {
        Statement::Query(query) => Some(*query),
        Statement::CreateTable(table) => table.query.map(|query| *query),
        Statement::CreateView(view) => Some(*view.query),
        _ => None,
    });
    match (queries.next(), queries.next()) {
        (Some(Some(query)), None) => Ok(query),
        (None, _) => Err(Box::new(Finding::whole(
            Rule::Syntax,
            "there is no statement",
        ))),
        (Some(None), _) => Err(Box::new(
            Finding::whole(Rule::Syntax, "the statement is no query")
                .with_hint("a model is one SELECT"),
        )),
        (Some(Some(_)), Some(_)) => Err(Box::new(
            Finding::whole(Rule::Syntax, "there is more than one statement")
                .with_hint("govern one query at a time"),
        )),
    }
}
