//! Prints the checked tree: the limit enforced in it, `*` replaced by what it stands for, comments and hints gone.

use std::collections::HashMap;
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, LimitClause, Query, Select, SelectItem, Value, VisitMut, VisitorMut};
use sqlparser::tokenizer::Location;

use super::finding::{Code, Finding, Severity};
use super::{Rules, parse};

/// The SQL to run.
///
/// What is printed is parsed again and must be the same tree: the engine gets what was checked, nothing else.
pub(super) fn sql(
    mut query: Query,
    stars: HashMap<Location, Vec<SelectItem>>,
    rules: &Rules<'_>,
) -> Result<String, Box<Finding>> {
    let _ = query.visit(&mut Rewrite { stars });
    limit(&mut query, rules.row_cap);
    let sql = query.to_string();
    match parse::query(&sql, rules.dialect) {
        Ok(again) if again == query => Ok(sql),
        _ => Err(Box::new(Finding {
            code: Code::Unsupported,
            severity: Severity::Block,
            token: String::new(),
            line: 0,
            column: 0,
            message: "the SQL reads differently when it is written out again".to_owned(),
            hint: Some("write it in plainer SQL".to_owned()),
        })),
    }
}

struct Rewrite {
    stars: HashMap<Location, Vec<SelectItem>>,
}

impl VisitorMut for Rewrite {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        select.optimizer_hints.clear();
        let items = std::mem::take(&mut select.projection);
        for item in items {
            let star = match &item {
                SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => {
                    self.stars.get(&options.wildcard_token.0.span.start)
                }
                _ => None,
            };
            match star {
                Some(columns) => select.projection.extend(columns.iter().cloned()),
                None => select.projection.push(item),
            }
        }
        ControlFlow::Continue(())
    }
}

/// Sets the query's limit to its own or to the cap, whichever is smaller.
fn limit(query: &mut Query, cap: u64) {
    let cap = cap.min(i64::MAX.unsigned_abs());
    let smaller = |limit: Option<&Expr>| limit.and_then(rows).map_or(cap, |own| own.min(cap));
    let fetched = query.fetch.take().map(|fetch| {
        // FETCH FIRST ROW ONLY is one row.
        fetch
            .quantity
            .as_ref()
            .map_or(1.min(cap), |quantity| smaller(Some(quantity)))
    });
    let clause = match query.limit_clause.take() {
        None => LimitClause::LimitOffset {
            limit: Some(number(fetched.unwrap_or(cap))),
            offset: None,
            limit_by: Vec::new(),
        },
        Some(LimitClause::LimitOffset {
            limit,
            offset,
            limit_by,
        }) => LimitClause::LimitOffset {
            limit: Some(number(fetched.unwrap_or(cap).min(smaller(limit.as_ref())))),
            offset,
            limit_by,
        },
        Some(LimitClause::OffsetCommaLimit { offset, limit }) => LimitClause::OffsetCommaLimit {
            offset,
            limit: number(smaller(Some(&limit))),
        },
    };
    query.limit_clause = Some(clause);
}

/// The number that a limit is; `None` for no limit: NULL, and in SQLite anything below 0.
fn rows(limit: &Expr) -> Option<u64> {
    match limit {
        Expr::Nested(inner) => rows(inner),
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

fn number(rows: u64) -> Expr {
    Expr::value(Value::Number(rows.to_string(), false))
}
