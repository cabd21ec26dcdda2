//! The shape of a statement: no literals, sorted conditions, outputs by their place.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Ident, ObjectNamePart, OrderByKind, Query, SelectItem, SetExpr, Value,
    VisitMut, VisitorMut,
};

/// Gives a query whose relations have their names already its shape.
pub(super) fn shape(query: &mut Query) {
    outputs(query);
    let _ = query.visit(&mut Shape);
}

/// The outermost outputs are called by their place, since everybody calls them otherwise.
fn outputs(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else {
        return;
    };
    let mut called: Vec<(String, Ident)> = Vec::new();
    for (place, item) in select.projection.iter_mut().enumerate() {
        let place = Ident::new(format!("output_{}", place + 1));
        match item {
            SelectItem::ExprWithAlias { alias, .. } => {
                called.push((alias.value.to_lowercase(), place.clone()));
                *alias = place;
            }
            SelectItem::UnnamedExpr(expr) => {
                *item = SelectItem::ExprWithAlias {
                    expr: expr.clone(),
                    alias: place,
                };
            }
            _ => {}
        }
    }
    let rename = |expr: &mut Expr| {
        if let Expr::Identifier(name) = expr
            && let Some((_, place)) = called
                .iter()
                .find(|(old, _)| *old == name.value.to_lowercase())
        {
            *name = place.clone();
        }
    };
    if let sqlparser::ast::GroupByExpr::Expressions(groups, _) = &mut select.group_by {
        groups.iter_mut().for_each(rename);
    }
    if let Some(order) = &mut query.order_by
        && let OrderByKind::Expressions(keys) = &mut order.kind
    {
        keys.iter_mut().for_each(|key| rename(&mut key.expr));
    }
}

struct Shape;

impl VisitorMut for Shape {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        query.limit_clause = None;
        query.fetch = None;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) => {
                for part in &mut function.name.0 {
                    if let ObjectNamePart::Identifier(name) = part {
                        *name = Ident::new(name.value.to_lowercase());
                    }
                }
            }
            Expr::Value(_) | Expr::TypedString(_) | Expr::Interval(_) => *expr = any(),
            Expr::InList { list, .. } if list.iter().all(|one| *one == any()) => {
                *list = vec![any()];
            }
            Expr::Nested(inner)
                if matches!(inner.as_ref(), Expr::Value(_) | Expr::CompoundIdentifier(_)) =>
            {
                *expr = inner.as_ref().clone();
            }
            Expr::BinaryOp {
                op: op @ (BinaryOperator::And | BinaryOperator::Or),
                ..
            } => {
                let op = op.clone();
                let mut parts = Vec::new();
                flatten(expr, &op, &mut parts);
                parts.sort_by_cached_key(ToString::to_string);
                parts.dedup();
                let all = parts.into_iter().reduce(|left, right| Expr::BinaryOp {
                    left: Box::new(left),
                    op: op.clone(),
                    right: Box::new(right),
                });
                if let Some(all) = all {
                    *expr = all;
                }
            }
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq,
                right,
            } if left.to_string() < right.to_string() && **right != any() || **left == any() => {
                std::mem::swap(left, right);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn any() -> Expr {
    Expr::Value(Value::Placeholder("?".to_owned()).with_empty_span())
}

fn flatten(expr: &Expr, wanted: &BinaryOperator, parts: &mut Vec<Expr>) {
    match expr {
        Expr::Nested(inner)
            if !matches!(
                inner.as_ref(),
                Expr::BinaryOp {
                    op: BinaryOperator::Or,
                    ..
                }
            ) || *wanted == BinaryOperator::Or =>
        {
            flatten(inner, wanted, parts);
        }
        Expr::BinaryOp { left, op, right } if op == wanted => {
            flatten(left, wanted, parts);
            flatten(right, wanted, parts);
        }
        other => parts.push(other.clone()),
    }
}
