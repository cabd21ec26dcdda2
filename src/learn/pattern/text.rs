//! Expressions in the words of tables: what a part of a statement computes of which columns.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DataType, DuplicateTreatment, Expr, FunctionArguments, Ident, ObjectNamePart,
    Query, UnaryOperator, Value, Visit, VisitMut, Visitor, VisitorMut,
};

use super::scope::{Meant, Scope, Tables};
use crate::registry::is_aggregate;
use crate::usage::FilterFact;

/// The columns that an expression names, itself and not in a query within it, with how they are resolved.
pub(super) fn names(expr: &Expr) -> Vec<Vec<Ident>> {
    struct Names {
        depth: usize,
        found: Vec<Vec<Ident>>,
    }
    impl Visitor for Names {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Identifier(name) if self.depth == 0 => self.found.push(vec![name.clone()]),
                Expr::CompoundIdentifier(path) if self.depth == 0 => self.found.push(path.clone()),
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names {
        depth: 0,
        found: Vec::new(),
    };
    let _ = expr.visit(&mut names);
    names.found
}

/// An expression over columns of tables; nothing where a part of the statement computes some of it.
pub(super) fn over_tables(expr: &Expr, scope: &Scope, tables: &Tables) -> Option<String> {
    struct Plain<'a> {
        scope: &'a Scope,
        tables: &'a Tables,
    }
    impl VisitorMut for Plain<'_> {
        type Break = ();
        fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            let path = match expr {
                Expr::Identifier(name) => vec![name.clone()],
                Expr::CompoundIdentifier(path) => path.clone(),
                Expr::Function(function) => {
                    for part in &mut function.name.0 {
                        if let ObjectNamePart::Identifier(name) = part {
                            *name = Ident::new(name.value.to_lowercase());
                        }
                    }
                    return ControlFlow::Continue(());
                }
                _ => return ControlFlow::Continue(()),
            };
            match self.scope.find(&path, self.tables).1 {
                Meant::Column(column) => {
                    let parts = column.split('.').map(Ident::new);
                    *expr = Expr::CompoundIdentifier(parts.collect());
                    ControlFlow::Continue(())
                }
                Meant::Unknown => ControlFlow::Continue(()),
                Meant::Computed => ControlFlow::Break(()),
            }
        }
    }
    let mut plain = expr.clone();
    match VisitMut::visit(&mut plain, &mut Plain { scope, tables }) {
        ControlFlow::Continue(()) => Some(plain.to_string()),
        ControlFlow::Break(()) => None,
    }
}

/// The aggregations in an expression, outermost ones first, and not those of a query within it or over a window.
pub(super) fn aggregations(expr: &Expr) -> Vec<Expr> {
    struct Found {
        depth: usize,
        found: Vec<Expr>,
    }
    impl Visitor for Found {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let (0, Expr::Function(function)) = (self.depth, expr)
                && function.over.is_none()
                && is_aggregate(&function.name.to_string().to_lowercase())
            {
                self.found.push(expr.clone());
            }
            ControlFlow::Continue(())
        }
    }
    let mut found = Found {
        depth: 0,
        found: Vec::new(),
    };
    let _ = expr.visit(&mut found);
    found.found
}

/// An aggregation in one form: `sum(orders.amount)`, `count(distinct orders.buyer_id)`.
pub(super) fn aggregation(expr: &Expr, scope: &Scope, tables: &Tables) -> Option<String> {
    let mut one = expr.clone();
    let mut is_distinct = false;
    if let Expr::Function(function) = &mut one
        && let FunctionArguments::List(list) = &mut function.args
    {
        is_distinct = list.duplicate_treatment.take() == Some(DuplicateTreatment::Distinct);
    }
    let text = over_tables(&one, scope, tables)?;
    Some(match text.split_once('(') {
        Some((function, rest)) if is_distinct => format!("{function}(distinct {rest}"),
        _ => text,
    })
}

/// The parts of a condition that all hold.
pub(super) fn conjuncts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Nested(inner) => conjuncts(inner),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => {
            let mut all = conjuncts(left);
            all.extend(conjuncts(right));
            all
        }
        other => vec![other],
    }
}

/// What a condition compares, where it compares something with literals; the conditions in it, where it is made of some.
pub(super) fn compared(expr: &Expr) -> Vec<(&Expr, String, Vec<String>)> {
    let not = |negated: bool, op: &str| {
        if negated {
            format!("not {op}")
        } else {
            op.to_owned()
        }
    };
    match expr {
        Expr::Nested(inner) => compared(inner),
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => compared(expr),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And | BinaryOperator::Or,
            right,
        } => {
            let mut all = compared(left);
            all.extend(compared(right));
            all
        }
        Expr::BinaryOp { left, op, right } => {
            let op = match op {
                BinaryOperator::Eq => "=",
                BinaryOperator::NotEq => "!=",
                BinaryOperator::Lt => "<",
                BinaryOperator::LtEq => "<=",
                BinaryOperator::Gt => ">",
                BinaryOperator::GtEq => ">=",
                _ => return vec![(expr, "expression".to_owned(), Vec::new())],
            };
            match (literal(left), literal(right)) {
                (None, Some(value)) => {
                    vec![(left.as_ref(), op.to_owned(), value.into_iter().collect())]
                }
                (Some(value), None) => {
                    let turned = match op {
                        "<" => ">",
                        "<=" => ">=",
                        ">" => "<",
                        ">=" => "<=",
                        same => same,
                    };
                    vec![(
                        right.as_ref(),
                        turned.to_owned(),
                        value.into_iter().collect(),
                    )]
                }
                _ => vec![(expr, "expression".to_owned(), Vec::new())],
            }
        }
        Expr::InList {
            expr,
            list,
            negated,
        } => {
            let values = list.iter().filter_map(literal).flatten().collect();
            vec![(expr.as_ref(), not(*negated, "in"), values)]
        }
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => {
            let values = [low, high]
                .into_iter()
                .filter_map(|one| literal(one))
                .flatten();
            vec![(expr.as_ref(), not(*negated, "between"), values.collect())]
        }
        Expr::Like {
            expr,
            negated,
            pattern,
            ..
        }
        | Expr::ILike {
            expr,
            negated,
            pattern,
            ..
        } => {
            let values = literal(pattern).into_iter().flatten().collect();
            vec![(expr.as_ref(), not(*negated, "like"), values)]
        }
        Expr::IsNull(expr) => vec![(expr.as_ref(), "is null".to_owned(), Vec::new())],
        Expr::IsNotNull(expr) => vec![(expr.as_ref(), "is not null".to_owned(), Vec::new())],
        other => vec![(other, "expression".to_owned(), Vec::new())],
    }
}

/// The conditions on columns of tables in one part of a condition.
pub(super) fn conditions(expr: &Expr, scope: &Scope, tables: &Tables) -> Vec<FilterFact> {
    let mut facts = Vec::new();
    for (on, op, values) in compared(expr) {
        for path in names(on) {
            if let Meant::Column(column) = scope.find(&path, tables).1 {
                let mut values = values.clone();
                values.sort();
                values.dedup();
                // One of one is that one.
                let op = match (op.as_str(), values.len()) {
                    ("in", 1) => "=".to_owned(),
                    ("not in", 1) => "!=".to_owned(),
                    _ => op.clone(),
                };
                facts.push(FilterFact {
                    on: column,
                    op,
                    values,
                });
            }
        }
    }
    facts
}

/// The text of a literal, and nothing of one that is a date; nothing at all where it is none.
#[allow(
    clippy::option_option,
    reason = "a date is a literal whose text is not wanted"
)]
fn literal(expr: &Expr) -> Option<Option<String>> {
    match expr {
        Expr::Nested(inner) => literal(inner),
        Expr::Value(value) => Some(match &value.value {
            Value::Null | Value::Placeholder(_) => None,
            Value::Number(number, _) => Some(number.clone()),
            Value::Boolean(value) => Some(value.to_string()),
            other => other.clone().into_string().filter(|text| !is_date(text)),
        }),
        Expr::TypedString(_) | Expr::Interval(_) => Some(None),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => Some(literal(expr)?.map(|text| format!("-{text}"))),
        Expr::Cast {
            expr, data_type, ..
        } => {
            let inner = literal(expr)?;
            let is_time = matches!(
                data_type,
                DataType::Date | DataType::Timestamp(..) | DataType::Datetime(_)
            );
            Some(inner.filter(|_| !is_time))
        }
        _ => None,
    }
}

/// Whether a text begins like a date.
fn is_date(text: &str) -> bool {
    let mut letters = text.chars();
    let year = letters
        .by_ref()
        .take(4)
        .filter(char::is_ascii_digit)
        .count();
    year == 4 && letters.next() == Some('-') && letters.next().is_some_and(|c| c.is_ascii_digit())
}
