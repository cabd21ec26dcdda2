//! Functions, comparisons and subqueries in the expressions of one `SELECT`.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Query, Value,
    Visitor,
};

use super::expr::path;
use super::finding::At;
use super::reading::at;

/// What a function aggregates, where it is one expression; and whether each value counts once.
pub(super) fn argument(function: &Function) -> (Option<Expr>, bool) {
    let FunctionArguments::List(list) = &function.args else {
        return (None, false);
    };
    let distinct = list.duplicate_treatment == Some(sqlparser::ast::DuplicateTreatment::Distinct);
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))] => (Some(expr.clone()), distinct),
        _ => (None, distinct),
    }
}

pub(super) fn columns_in(expr: &Expr) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let _ = sqlparser::ast::visit_expressions(expr, |expr| {
        found.extend(path(expr));
        ControlFlow::<()>::Continue(())
    });
    found
}

/// Functions, comparisons with a text, and subqueries of the expressions of one `SELECT`.
#[derive(Default)]
pub(super) struct Met {
    depth: usize,
    pub(super) functions: Vec<Function>,
    pub(super) comparisons: Vec<(Vec<String>, String, At)>,
    pub(super) queries: Vec<Query>,
}

impl Met {
    fn compared(&mut self, column: &Expr, value: &Expr) {
        if let (Some(names), Expr::Value(literal)) = (path(column), value)
            && let Value::SingleQuotedString(text) = &literal.value
        {
            let place = at(literal.span.start);
            self.comparisons.push((names, text.clone(), place));
        }
    }
}

impl Visitor for Met {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if self.depth == 0 {
            self.queries.push(query.clone());
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        match expr {
            Expr::Function(function) => self.functions.push(function.clone()),
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq | BinaryOperator::NotEq,
                right,
            } => {
                self.compared(left, right);
                self.compared(right, left);
            }
            Expr::InList { expr, list, .. } => {
                for value in list {
                    self.compared(expr, value);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
