//! Parses the SQL that registry files hold, with the position of everything that does not belong there.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArguments, Query, Spanned,
    UnaryOperator, Visit, Visitor,
};
use sqlparser::dialect::{Dialect, GenericDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token};

use super::diagnostic::{Sink, did_you_mean};
use super::yaml::Text;
use crate::model::Place;

/// A column, dimension or metric named in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// Its parts: `buyer.segment` has two.
    pub(crate) path: Vec<String>,
    /// Where it starts, in characters from the start of the expression.
    pub(crate) offset: usize,
}

/// Functions that make one value of many rows.
const AGGREGATES: [&str; 43] = [
    "any_value",
    "approx_count_distinct",
    "approx_distinct",
    "approx_percentile",
    "approx_quantile",
    "arg_max",
    "arg_min",
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "count_if",
    "countif",
    "every",
    "first",
    "group_concat",
    "json_agg",
    "jsonb_agg",
    "last",
    "list",
    "listagg",
    "max",
    "max_by",
    "median",
    "min",
    "min_by",
    "mode",
    "percentile_cont",
    "percentile_disc",
    "quantile",
    "quantile_cont",
    "quantile_disc",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "total",
    "var_pop",
    "var_samp",
    "variance",
];

/// Functions that arithmetic over metrics may use.
const METRIC_FUNCTIONS: [&str; 4] = ["abs", "coalesce", "nullif", "round"];

/// What an expression is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// The columns of a row.
    Rows,
    /// Metrics.
    Metrics,
}

/// The names in an expression over the columns of one row.
pub(crate) fn over_rows(text: &Text, sink: &mut Sink) -> Option<Vec<Name>> {
    names(text, Over::Rows, sink)
}

/// The names in an expression over metrics.
pub(crate) fn over_metrics(text: &Text, sink: &mut Sink) -> Option<Vec<Name>> {
    names(text, Over::Metrics, sink)
}

/// Whether a function makes one value of many rows.
pub(crate) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.contains(&name)
}

/// What is against an expression over the columns of one row that stands in no file yet.
pub(crate) fn against_rows(sql: &str) -> Option<String> {
    against(sql, Over::Rows)
}

/// What is against an expression over metrics that stands in no file yet.
pub(crate) fn against_metrics(sql: &str) -> Option<String> {
    against(sql, Over::Metrics)
}

fn against(sql: &str, over: Over) -> Option<String> {
    let mut sink = Sink::new([]);
    names(&Text::at(sql.to_owned(), Place::default()), over, &mut sink);
    sink.finish().into_iter().next().map(|first| first.message)
}

fn names(text: &Text, over: Over, sink: &mut Sink) -> Option<Vec<Name>> {
    let expr = match parse_expression(&text.value) {
        Ok(expr) => expr,
        Err((offset, message)) => {
            let offset = offset.unwrap_or_else(|| text.value.chars().count());
            let place = sink.inside(text, offset);
            sink.error(
                "expression",
                place,
                &text.value,
                format!("the expression does not parse: {message}"),
                None,
            );
            return None;
        }
    };
    let mut walk = Walk {
        over,
        source: &text.value,
        names: Vec::new(),
    };
    match expr.visit(&mut walk) {
        ControlFlow::Continue(()) => Some(walk.names),
        ControlFlow::Break(refusal) => {
            let place = sink.inside(text, refusal.offset.unwrap_or(0));
            sink.error(
                "expression",
                place,
                &refusal.found,
                refusal.message,
                refusal.hint,
            );
            None
        }
    }
}

/// Checks that `sql` is one `SELECT` in some dialect.
pub(crate) fn check_select(text: &Text, sink: &mut Sink) {
    let dialects: [&dyn Dialect; 3] =
        [&GenericDialect {}, &PostgreSqlDialect {}, &SQLiteDialect {}];
    let mut first = None;
    for dialect in dialects {
        match parse_select(&text.value, dialect) {
            Ok(()) => return,
            Err(error) => first = first.or(Some(error)),
        }
    }
    if let Some((offset, message)) = first {
        let place = sink.inside(text, offset.unwrap_or(0));
        sink.error(
            "expression",
            place,
            &text.value,
            format!("the query does not parse: {message}"),
            None,
        );
    }
}

type Refused = (Option<usize>, String);

fn parse_expression(sql: &str) -> Result<Expr, Refused> {
    let refused = |error: ParserError| explain(sql, &error);
    let mut parser = Parser::new(&GenericDialect {})
        .try_with_sql(sql)
        .map_err(refused)?;
    let expr = parser.parse_expr().map_err(refused)?;
    end(sql, &parser)?;
    Ok(expr)
}

fn parse_select(sql: &str, dialect: &dyn Dialect) -> Result<(), Refused> {
    let refused = |error: ParserError| explain(sql, &error);
    let mut parser = Parser::new(dialect).try_with_sql(sql).map_err(refused)?;
    parser.parse_query().map_err(refused)?;
    end(sql, &parser)
}

fn end(sql: &str, parser: &Parser) -> Result<(), Refused> {
    let next = parser.peek_token();
    match next.token {
        Token::EOF => Ok(()),
        token => Err((
            offset(sql, next.span.start),
            format!("unexpected '{token}'"),
        )),
    }
}

/// Position and words of a parser error, which carries its position only in its text.
fn explain(sql: &str, error: &ParserError) -> Refused {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => {
            return (Some(0), "it is nested too deeply".to_owned());
        }
    };
    let (words, at) = text.rsplit_once(" at Line: ").unwrap_or((text, ""));
    let location = at.split_once(", Column: ").and_then(|(line, column)| {
        Some(Location {
            line: line.trim().parse().ok()?,
            column: column.trim().parse().ok()?,
        })
    });
    let words = words
        .replace("Expected: ", "expected ")
        .replace(", found: EOF", ", found the end")
        .replace(", found: ", ", found ")
        .replace("Unterminated", "unterminated");
    (location.and_then(|location| offset(sql, location)), words)
}

/// Characters before a location; `None` where the parser has lost it.
fn offset(sql: &str, location: Location) -> Option<usize> {
    let line = usize::try_from(location.line.checked_sub(1)?).ok()?;
    let column = usize::try_from(location.column.checked_sub(1)?).ok()?;
    let before: usize = sql
        .split('\n')
        .take(line)
        .map(|line| line.chars().count() + 1)
        .sum();
    Some(before + column)
}

/// Something that must not stand in an expression.
struct Refusal {
    offset: Option<usize>,
    found: String,
    message: String,
    hint: Option<String>,
}

struct Walk<'a> {
    over: Over,
    source: &'a str,
    names: Vec<Name>,
}

impl Walk<'_> {
    fn refuse(
        &self,
        node: &(impl Spanned + std::fmt::Display),
        message: impl Into<String>,
        hint: Option<String>,
    ) -> ControlFlow<Box<Refusal>> {
        let offset = offset(self.source, node.span().start);
        ControlFlow::Break(Box::new(Refusal {
            offset,
            found: node.to_string(),
            message: message.into(),
            hint,
        }))
    }

    fn function(&self, function: &Function) -> ControlFlow<Box<Refusal>> {
        let name = function.name.to_string().to_lowercase();
        if function.over.is_some() {
            return self.refuse(
                function,
                "a window function cannot stand here",
                Some("metrics aggregate rows; write what one row contributes".to_owned()),
            );
        }
        if self.over == Over::Metrics {
            if METRIC_FUNCTIONS.contains(&name.as_str()) {
                return ControlFlow::Continue(());
            }
            let hint = if AGGREGATES.contains(&name.as_str()) {
                "an expression without base_table is arithmetic over metrics; to aggregate a table, give base_table and agg".to_owned()
            } else {
                did_you_mean(&name, METRIC_FUNCTIONS)
                    .unwrap_or_else(|| format!("allowed: {}, CASE", METRIC_FUNCTIONS.join(", ")))
            };
            return self.refuse(
                function,
                format!("'{name}' cannot be used over metrics"),
                Some(hint),
            );
        }
        let is_distinct = matches!(
            &function.args,
            FunctionArguments::List(list)
                if list.duplicate_treatment == Some(DuplicateTreatment::Distinct)
        );
        if AGGREGATES.contains(&name.as_str()) || function.filter.is_some() || is_distinct {
            let hint = Some(
                "the aggregate stands in `agg`, the expression is what one row contributes"
                    .to_owned(),
            );
            return self.refuse(
                function,
                format!("the aggregate function '{name}' cannot stand in an expression"),
                hint,
            );
        }
        ControlFlow::Continue(())
    }

    /// Over metrics, only what has the same meaning on every engine.
    fn is_arithmetic(expr: &Expr) -> bool {
        match expr {
            Expr::Identifier(_)
            | Expr::CompoundIdentifier(_)
            | Expr::Value(_)
            | Expr::Nested(_)
            | Expr::Case { .. }
            | Expr::Function(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::Between { .. } => true,
            Expr::UnaryOp { op, .. } => matches!(
                op,
                UnaryOperator::Minus | UnaryOperator::Plus | UnaryOperator::Not
            ),
            Expr::BinaryOp { op, .. } => matches!(
                op,
                BinaryOperator::Plus
                    | BinaryOperator::Minus
                    | BinaryOperator::Multiply
                    | BinaryOperator::Divide
                    | BinaryOperator::Gt
                    | BinaryOperator::Lt
                    | BinaryOperator::GtEq
                    | BinaryOperator::LtEq
                    | BinaryOperator::Eq
                    | BinaryOperator::NotEq
                    | BinaryOperator::And
                    | BinaryOperator::Or
            ),
            _ => false,
        }
    }
}

impl Visitor for Walk<'_> {
    type Break = Box<Refusal>;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        let hint = "make it a dataset with `sql:`, or join a dataset".to_owned();
        self.refuse(query, "a subquery cannot stand here", Some(hint))
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
        if self.over == Over::Metrics && !Self::is_arithmetic(expr) {
            return self.refuse(
                expr,
                "only arithmetic, comparisons and CASE can be used over metrics",
                None,
            );
        }
        let idents = match expr {
            Expr::Identifier(ident) => std::slice::from_ref(ident),
            Expr::CompoundIdentifier(idents) => idents.as_slice(),
            Expr::Function(function) => return self.function(function),
            _ => return ControlFlow::Continue(()),
        };
        let start = idents
            .first()
            .and_then(|ident| offset(self.source, ident.span.start));
        let path = idents.iter().map(|ident| ident.value.clone()).collect();
        self.names.push(Name {
            path,
            offset: start.unwrap_or(0),
        });
        ControlFlow::Continue(())
    }
}
