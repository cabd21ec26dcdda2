//! Recursive CTEs: one that counts up, from a literal to a literal, in steps of one size. Everything else could go on
//! for ever, grow its texts, or carry values from column to column.

use std::ops::ControlFlow;

use jiff::civil::Date;
use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident,
    ObjectName, Query, Select, SelectItem, SetExpr, SetOperator, TableFactor, TypedString,
    UnaryOperator, Value, Visit, Visitor,
};

use super::walk::{Walk, conjuncts};

/// Most rows of a recursion.
const ROWS: f64 = 10_000.0;
/// Beyond it, 1 may be too little to make a number larger.
const LARGEST: f64 = 1e12;

/// Where a column starts, or where it must end.
#[derive(Clone, Copy)]
enum Point {
    Number(f64),
    Day(Date),
}

impl Walk {
    /// Whether a CTE reads itself.
    pub(super) fn reads_itself(&self, query: &Query, name: &str) -> bool {
        struct Reads<'a> {
            walk: &'a Walk,
            name: &'a str,
        }
        impl Visitor for Reads<'_> {
            type Break = ();
            fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
                match self.walk.is_named(relation, self.name) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            }
        }
        query.visit(&mut Reads { walk: self, name }).is_break()
    }

    fn is_named(&self, relation: &ObjectName, name: &str) -> bool {
        match relation.0.as_slice() {
            [only] => only
                .as_ident()
                .is_some_and(|ident| self.fold(ident) == name),
            _ => false,
        }
    }

    /// Whether a CTE that reads itself counts up to an end.
    pub(super) fn ends(&self, query: &Query, name: &str, names: &[&Ident]) -> bool {
        let SetExpr::SetOperation {
            op: SetOperator::Union,
            left,
            right,
            ..
        } = query.body.as_ref()
        else {
            return false;
        };
        let (SetExpr::Select(first), SetExpr::Select(step)) = (left.as_ref(), right.as_ref())
        else {
            return false;
        };
        if query.with.is_some() || !first.from.is_empty() || !is_plain(step) {
            return false;
        }
        let [from] = step.from.as_slice() else {
            return false;
        };
        let TableFactor::Table {
            name: table, alias, ..
        } = &from.relation
        else {
            return false;
        };
        if !from.joins.is_empty() || !self.is_named(table, name) {
            return false;
        }
        let own = alias
            .as_ref()
            .map_or_else(|| name.to_owned(), |alias| self.fold(&alias.name));
        let columns: Vec<(String, Option<Point>)> = first
            .projection
            .iter()
            .enumerate()
            .filter_map(|(index, item)| {
                let given = names.get(index).map(|name| self.fold(name));
                let (expr, written) = match item {
                    SelectItem::ExprWithAlias { expr, alias } => (expr, Some(self.fold(alias))),
                    SelectItem::UnnamedExpr(expr) => (expr, None),
                    _ => return None,
                };
                Some((given.or(written).unwrap_or_default(), point(expr)))
            })
            .collect();
        if columns.len() != first.projection.len() || columns.len() != step.projection.len() {
            return false;
        }
        let is_column = |expr: &Expr, column: &str| self.is_own(expr, &own, column);
        let mut ends = false;
        for ((column, start), item) in columns.iter().zip(&step.projection) {
            let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item
            else {
                return false;
            };
            if is_column(expr, column) || matches!(expr, Expr::Value(_)) {
                continue;
            }
            let Some(size) = advance(expr, &|inner| is_column(inner, column)) else {
                return false;
            };
            let bounds = step
                .selection
                .as_ref()
                .map(conjuncts)
                .unwrap_or_default()
                .into_iter()
                .filter_map(|part| bound(part, &|inner| is_column(inner, column)));
            ends |=
                start.is_some_and(|start| bounds.into_iter().any(|end| is_near(start, end, size)));
        }
        ends
    }

    fn is_own(&self, expr: &Expr, own: &str, column: &str) -> bool {
        match expr {
            Expr::Nested(inner) => self.is_own(inner, own, column),
            Expr::Identifier(name) => self.fold(name) == column,
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [table, name] => self.fold(table) == own && self.fold(name) == column,
                _ => false,
            },
            _ => false,
        }
    }
}

/// Only columns, one table and a condition.
fn is_plain(step: &Select) -> bool {
    let no_groups = matches!(&step.group_by, GroupByExpr::Expressions(keys, modifiers)
        if keys.is_empty() && modifiers.is_empty());
    step.distinct.is_none() && step.having.is_none() && no_groups
}

/// Whether an end is not too many steps away.
fn is_near(start: Point, end: Point, size: f64) -> bool {
    let distance = match (start, end) {
        (Point::Number(start), Point::Number(end)) => {
            if start.abs() > LARGEST || end.abs() > LARGEST {
                return false;
            }
            end - start
        }
        (Point::Day(start), Point::Day(end)) => f64::from((end - start).get_days()),
        _ => return false,
    };
    distance / size <= ROWS
}

/// How much larger a step makes a column: a number, or at least that many days.
fn advance(expr: &Expr, is_column: &dyn Fn(&Expr) -> bool) -> Option<f64> {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => advance(inner, is_column),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Plus,
            right,
        } => {
            let by = match (is_column(left), is_column(right)) {
                (true, false) => right,
                (false, true) => left,
                _ => return None,
            };
            match by.as_ref() {
                Expr::Interval(interval) => {
                    let unit = interval.leading_field.as_ref().map(ToString::to_string);
                    let text = text_of(&interval.value)?;
                    days(&match unit {
                        Some(unit) => format!("{text} {unit}"),
                        None => text.to_owned(),
                    })
                }
                by => match point(by)? {
                    Point::Number(by) if by >= 1.0 => Some(by),
                    _ => None,
                },
            }
        }
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("date") => {
            match arguments(&function.args)?.as_slice() {
                [column, by] if is_column(column) => days(text_of(by)?.strip_prefix('+')?),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The least days of `1 month`.
fn days(text: &str) -> Option<f64> {
    let (count, unit) = text.trim().split_once(' ')?;
    let count: u16 = count.parse().ok().filter(|count| *count > 0)?;
    let unit = unit.trim().to_lowercase();
    let days = match unit.strip_suffix('s').unwrap_or(&unit) {
        "day" => 1.0,
        "week" => 7.0,
        "month" => 28.0,
        "year" => 365.0,
        _ => return None,
    };
    Some(f64::from(count) * days)
}

/// The literal that a column must stay below.
fn bound(part: &Expr, is_column: &dyn Fn(&Expr) -> bool) -> Option<Point> {
    use BinaryOperator as Op;
    match part {
        Expr::BinaryOp {
            left,
            op: Op::Lt | Op::LtEq,
            right,
        } if is_column(left) => point(right),
        Expr::BinaryOp {
            left,
            op: Op::Gt | Op::GtEq,
            right,
        } if is_column(right) => point(left),
        _ => None,
    }
}

/// The number or the day that a literal is.
fn point(expr: &Expr) -> Option<Point> {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => point(inner),
        Expr::TypedString(TypedString { value, .. }) => literal(&value.value),
        Expr::Value(value) => literal(&value.value),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => match point(expr)? {
            Point::Number(number) => Some(Point::Number(-number)),
            Point::Day(_) => None,
        },
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("date") => {
            match arguments(&function.args)?.as_slice() {
                [day] => point(day),
                _ => None,
            }
        }
        _ => None,
    }
}

fn literal(value: &Value) -> Option<Point> {
    match value {
        Value::Number(number, _) => number.parse().ok().map(Point::Number),
        Value::SingleQuotedString(text) => text.parse().ok().map(Point::Day),
        _ => None,
    }
}

fn text_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn arguments(args: &FunctionArguments) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = args else {
        return None;
    };
    if !list.clauses.is_empty() {
        return None;
    }
    let expr = |arg| match arg {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Some(expr),
        _ => None,
    };
    list.args.iter().map(expr).collect()
}
