//! Functions, comparisons and subqueries in the expressions of one `SELECT`.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, ObjectName, Query, Value, Visitor,
};

use super::expr::{conjuncts, path};
use super::finding::At;
use super::reading::at;

/// What a function aggregates.
#[derive(Default)]
pub(super) struct Aggregated {
    /// The one expression that it takes.
    pub(super) argument: Option<Expr>,
    /// Whether each value counts once.
    pub(super) distinct: bool,
    /// Conditions on the rows that stand in the function: of a `CASE`, and of a `FILTER`.
    pub(super) conditions: Vec<Expr>,
}

/// What a function aggregates: `sum(case when c then x end)` is a sum of `x` where `c`.
pub(super) fn aggregated(function: &Function) -> Aggregated {
    let FunctionArguments::List(list) = &function.args else {
        return Aggregated::default();
    };
    let mut found = Aggregated {
        distinct: list.duplicate_treatment == Some(DuplicateTreatment::Distinct),
        ..Aggregated::default()
    };
    let all = |filter: &Expr| conjuncts(filter).into_iter().cloned().collect::<Vec<_>>();
    if let Some(filter) = &function.filter {
        found.conditions = all(filter);
    }
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))] = list.args.as_slice() else {
        return found;
    };
    let is_sum = function.name.to_string().eq_ignore_ascii_case("sum");
    let mut argument = or_zero(expr, is_sum);
    if let Expr::Case {
        operand: None,
        conditions,
        else_result,
        ..
    } = argument
        && let [only] = conditions.as_slice()
        && else_result
            .as_ref()
            .is_none_or(|other| is_null(other) || is_sum && is_zero(other))
    {
        found.conditions.extend(all(&only.condition));
        argument = or_zero(&only.result, is_sum);
    }
    found.argument = Some(argument.clone());
    found
}

/// What is added where nothing stands for zero: `coalesce(x, 0)`.
fn or_zero(expr: &Expr, is_sum: bool) -> &Expr {
    match expr {
        Expr::Nested(inner) => or_zero(inner, is_sum),
        Expr::Function(function)
            if is_sum && function.name.to_string().eq_ignore_ascii_case("coalesce") =>
        {
            let FunctionArguments::List(list) = &function.args else {
                return expr;
            };
            match list.args.as_slice() {
                [
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(inner)),
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(other)),
                ] if is_zero(other) => inner,
                _ => expr,
            }
        }
        expr => expr,
    }
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Null)
}

fn is_zero(expr: &Expr) -> bool {
    let zero = |number: &str| number.parse().is_ok_and(|number: f64| number == 0.0);
    matches!(expr, Expr::Value(value) if matches!(&value.value, Value::Number(number, _) if zero(&number.to_string())))
}

/// Every name of a `FROM`, at any depth, and the names of the CTEs.
#[derive(Default)]
pub(in crate::govern) struct Names {
    pub(in crate::govern) relations: Vec<ObjectName>,
    pub(in crate::govern) ctes: HashSet<String>,
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        self.ctes
            .extend(ctes.map(|cte| cte.alias.name.value.to_lowercase()));
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        self.relations.push(name.clone());
        ControlFlow::Continue(())
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
