//! Expressions: every part is one that is known to be harmless, and what their values can be is followed.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Array, BinaryOperator, CaseWhen, CastKind, CeilFloorKind, DataType, Expr, Ident, Query,
    Spanned, TypedString, Value, ValueWithSpan, Visit, Visitor,
};
use sqlparser::tokenizer::Location;

use super::allowed;
use super::finding::Code;
use super::meaning::{ConstantKind, Fold, Meaning};
use super::numbers::drops_remainder;
use super::personal::is_bare;
use super::walk::{Comparison, How, Walk, short};
use crate::warehouse::Dialect;

impl Walk {
    /// A condition: only what it compares matters.
    pub(super) fn condition(&mut self, expr: &Expr) {
        self.expr(expr);
    }

    fn all(&mut self, exprs: &[Expr]) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    /// Reads an expression; says what its values can be.
    pub(super) fn expr(&mut self, expr: &Expr) -> Meaning {
        match expr {
            Expr::Identifier(ident) => self.name(std::slice::from_ref(ident)),
            Expr::CompoundIdentifier(parts) => self.name(parts),
            Expr::Nested(inner) => self.expr(inner),
            Expr::Value(value) => self.value(value),
            Expr::TypedString(TypedString {
                data_type,
                value,
                uses_odbc_syntax: false,
            }) => {
                self.data_type(data_type, expr);
                self.value(value)
            }
            Expr::Interval(interval) => {
                self.expr(&interval.value);
                Meaning::open()
            }
            Expr::IsNull(inner) | Expr::IsNotNull(inner) if self.is_filtering => {
                self.passed_on(inner);
                Meaning::open()
            }
            Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsUnknown(inner)
            | Expr::IsNotUnknown(inner) => {
                self.expr(inner);
                Meaning::open()
            }
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
                self.compared(left, right, How::Equal);
                Meaning::open()
            }
            Expr::InList { expr, list, .. } => {
                for item in list {
                    self.never_null(item);
                    self.compared(expr, item, How::Equal);
                }
                if list.is_empty() {
                    self.expr(expr);
                }
                Meaning::open()
            }
            Expr::InSubquery { expr, subquery, .. } => {
                self.in_query(expr, subquery);
                Meaning::open()
            }
            Expr::Between {
                expr, low, high, ..
            } => {
                self.compared(expr, low, How::Range);
                self.compared(expr, high, How::Range);
                Meaning::open()
            }
            Expr::Like {
                any: false,
                expr,
                pattern,
                escape_char,
                ..
            }
            | Expr::ILike {
                any: false,
                expr,
                pattern,
                escape_char,
                ..
            }
            | Expr::SimilarTo {
                expr,
                pattern,
                escape_char,
                ..
            } => {
                self.compared(expr, pattern, How::Pattern);
                if let Some(escape) = escape_char {
                    self.expr(escape);
                }
                Meaning::open()
            }
            Expr::AnyOp {
                left,
                compare_op,
                right,
                ..
            }
            | Expr::AllOp {
                left,
                compare_op,
                right,
            } => {
                self.quantified(left, compare_op, right);
                Meaning::open()
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, expr),
            Expr::UnaryOp { op, expr: inner } => {
                if !allowed::is_unary(*op) {
                    self.operator(&op.to_string(), expr);
                }
                let meaning = self.expr(inner);
                match meaning.is_constant() {
                    true => meaning,
                    false => meaning.computed(),
                }
            }
            Expr::Cast {
                kind: CastKind::Cast | CastKind::DoubleColon,
                expr: inner,
                data_type,
                format: None,
            } => {
                self.data_type(data_type, expr);
                let meaning = self.expr(inner);
                match meaning.is_constant() || allowed::keeps_text(data_type) {
                    true => meaning,
                    false => meaning.computed(),
                }
            }
            Expr::AtTimeZone {
                timestamp,
                time_zone,
            } => {
                self.expr(time_zone);
                self.expr(timestamp).computed()
            }
            Expr::Extract { expr: inner, .. } => self.expr(inner).computed(),
            Expr::Ceil { expr: inner, field } | Expr::Floor { expr: inner, field } => {
                if !matches!(
                    field,
                    CeilFloorKind::DateTimeField(sqlparser::ast::DateTimeField::NoDateTime)
                ) {
                    self.unsupported(expr, "this rounding");
                }
                self.expr(inner).computed()
            }
            Expr::Position { expr: inner, r#in } => {
                self.expr(inner);
                self.expr(r#in).computed()
            }
            Expr::Substring {
                expr: inner,
                substring_from,
                substring_for,
                ..
            } => {
                for part in [substring_from, substring_for].into_iter().flatten() {
                    self.expr(part);
                }
                self.expr(inner).computed()
            }
            Expr::Trim {
                trim_what,
                expr: inner,
                trim_characters,
                ..
            } => {
                if let Some(what) = trim_what {
                    self.expr(what);
                }
                self.all(trim_characters.as_deref().unwrap_or_default());
                let meaning = self.expr(inner);
                match trim_what.is_none() && trim_characters.is_none() {
                    true => Meaning {
                        trimmed: true,
                        ..meaning
                    },
                    false => meaning.computed(),
                }
            }
            Expr::Overlay {
                expr: inner,
                overlay_what,
                overlay_from,
                overlay_for,
            } => {
                for part in [Some(overlay_from), overlay_for.as_ref()]
                    .into_iter()
                    .flatten()
                {
                    self.expr(part);
                }
                let what = self.expr(overlay_what);
                self.expr(inner).or(what).computed()
            }
            Expr::Collate {
                expr: inner,
                collation,
            } => {
                let meaning = self.expr(inner);
                match (self.dialect, collation.to_string().to_lowercase().as_str()) {
                    (Dialect::Sqlite | Dialect::Duckdb, "nocase") => Meaning {
                        fold: Fold::Any,
                        ..meaning
                    },
                    (Dialect::Sqlite, "binary" | "rtrim")
                    | (Dialect::Duckdb, "binary")
                    | (Dialect::Postgres, "\"c\"" | "\"posix\"") => meaning,
                    _ => {
                        self.unsupported(collation, "this collation");
                        meaning
                    }
                }
            }
            Expr::Function(function) => self.function(function),
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => self.case(operand.as_deref(), conditions, else_result.as_deref()),
            Expr::Exists { subquery, .. } => {
                self.query(subquery);
                Meaning::open()
            }
            Expr::Subquery(query) => {
                let rows = self.subquery(query);
                rows.unwrap_or_else(Meaning::open)
            }
            Expr::Tuple(parts) => {
                let parts: Vec<Meaning> = parts.iter().map(|part| self.expr(part)).collect();
                parts
                    .into_iter()
                    .fold(Meaning::open(), Meaning::or)
                    .computed()
            }
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                for set in sets {
                    self.all(set);
                }
                Meaning::open()
            }
            Expr::Array(Array { elem, .. }) => {
                let parts: Vec<Meaning> = elem.iter().map(|part| self.expr(part)).collect();
                parts
                    .into_iter()
                    .reduce(Meaning::or)
                    .unwrap_or_else(Meaning::open)
            }
            other => {
                self.unsupported(other, "this expression");
                Meaning::open()
            }
        }
    }

    /// What the one column of a subquery can be.
    fn subquery(&mut self, query: &Query) -> Option<Meaning> {
        let aggregates = self.aggregates;
        let mut rows = self.query(query);
        self.aggregates = aggregates;
        self.no_personal_rows(&mut rows);
        let mut columns = rows.columns.into_iter();
        columns.next().map(|column| column.meaning)
    }

    fn value(&mut self, value: &ValueWithSpan) -> Meaning {
        let at = value.span.start;
        match &value.value {
            Value::SingleQuotedString(text) => Meaning::of_constant(ConstantKind::Text, text, at),
            Value::Number(number, _) => Meaning::of_constant(ConstantKind::Number, number, at),
            Value::Boolean(_) | Value::Null => {
                Meaning::of_constant(ConstantKind::Other, &value.to_string(), at)
            }
            Value::Placeholder(name) => {
                self.block(
                    Code::Parameter,
                    name,
                    at,
                    format!("nothing is known of the parameter {name}"),
                    Some("write the value itself".to_owned()),
                );
                Meaning::open()
            }
            other => {
                self.block(
                    Code::Unsupported,
                    short(other),
                    at,
                    "this way to write a text cannot be checked",
                    Some("write texts in single quotes".to_owned()),
                );
                Meaning::open()
            }
        }
    }

    pub(super) fn data_type(&mut self, ty: &DataType, whole: &Expr) {
        if !allowed::is_type(ty) {
            self.block(
                Code::Type,
                ty,
                whole.span().start,
                format!("the type {ty} is not allowed"),
                Some("allowed: TEXT, INTEGER, BIGINT, NUMERIC, DOUBLE PRECISION, BOOLEAN, DATE, TIMESTAMP".to_owned()),
            );
        }
    }

    fn operator(&mut self, op: &str, whole: &Expr) {
        self.block(
            Code::Operator,
            op,
            whole.span().start,
            format!("the operator {op} is not allowed"),
            Some(
                "allowed: arithmetic, comparisons, ||, AND, OR, NOT, LIKE, IN, BETWEEN".to_owned(),
            ),
        );
    }

    fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr, whole: &Expr) -> Meaning {
        use BinaryOperator as Op;
        if !allowed::is_binary(op) {
            self.operator(&op.to_string(), whole);
        }
        match op {
            Op::Eq | Op::NotEq => {
                self.never_null(left);
                self.never_null(right);
                self.compared(left, right, How::Equal);
            }
            Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => self.compared(left, right, How::Range),
            Op::Glob
            | Op::PGRegexMatch
            | Op::PGRegexIMatch
            | Op::PGRegexNotMatch
            | Op::PGRegexNotIMatch => self.compared(left, right, How::Pattern),
            Op::And | Op::Or => {
                self.expr(left);
                self.expr(right);
            }
            _ => {
                if *op == Op::Divide && drops_remainder(left, right) {
                    self.block(
                        Code::IntegerDivision,
                        short(whole),
                        whole.span().start,
                        "whole numbers are divided here, and the remainder is dropped",
                        Some(format!(
                            "write CAST({} AS DOUBLE PRECISION) / …",
                            short(left)
                        )),
                    );
                }
                let (left, right) = (self.expr(left), self.expr(right));
                return left.computed().or(right.computed());
            }
        }
        Meaning::open()
    }

    /// `= NULL` holds for no row, `NOT IN (…, NULL)` neither.
    fn never_null(&mut self, side: &Expr) {
        if let Expr::Value(value) = side
            && value.value == Value::Null
        {
            self.block(
                Code::UnknownValue,
                "NULL",
                value.span.start,
                "nothing is equal to NULL, not even NULL",
                Some("write IS NULL or IS NOT NULL".to_owned()),
            );
        }
    }

    /// Two sides of a comparison; row values are compared part by part.
    fn compared(&mut self, left: &Expr, right: &Expr, how: How) {
        if let (Some(left), Some(right)) = (tuple(left), tuple(right))
            && left.len() == right.len()
        {
            for (left, right) in left.iter().zip(right) {
                self.compared(left, right, how);
            }
            return;
        }
        let is_pair = self.in_join && how == How::Equal && is_bare(left) && is_bare(right);
        let (one, other) = match is_pair {
            true => self.joined_columns(left, right),
            false => (self.expr(left), self.expr(right)),
        };
        self.pair_up(&one, &other, how, right);
    }

    /// Remembers literals to look up; refuses keys compared with columns that are not theirs.
    fn pair_up(&mut self, one: &Meaning, other: &Meaning, how: How, place: &Expr) {
        for (column, constants) in [(one, other), (other, one)] {
            // A CASE over literals is a column of few values; two plain literals are nobody's business.
            let is_literal = column.is_constant() && column.constants.len() < 2;
            if !constants.is_constant() || is_literal {
                continue;
            }
            let mut with = column.clone();
            if constants.fold == Fold::Any {
                with.fold = Fold::Any;
            }
            for constant in &constants.constants {
                // A literal inside of lower('BR') has become another one.
                let mut constant = constant.clone();
                constant.text = match constants.fold {
                    Fold::Exact | Fold::Any => constant.text,
                    fold => fold.apply(&constant.text),
                };
                self.comparisons.push(Comparison {
                    with: with.clone(),
                    constant,
                    how,
                });
            }
        }
        let plain = |meaning: &Meaning| !meaning.open && !meaning.bases.is_empty();
        if how != How::Equal || self.in_join || !plain(one) || !plain(other) {
            return;
        }
        let pairs = one
            .bases
            .iter()
            .flat_map(|one| other.bases.iter().map(move |other| (one, other)));
        let pairs: Vec<_> = pairs.collect();
        let names = |meaning: &Meaning| {
            let names = meaning.bases.iter().map(|base| self.known.written(base));
            names.collect::<Vec<_>>().join("|")
        };
        let mut sides = [names(one), names(other)];
        sides.sort();
        let text = sides.join(" = ");
        self.joins.insert(text.clone());
        let is_key = pairs
            .iter()
            .any(|(one, other)| self.known.is_key(one) || self.known.is_key(other));
        let related = pairs
            .iter()
            .any(|(one, other)| one.table == other.table || self.known.is_related(one, other));
        if is_key && !related && !self.known.joins.contains(&text) {
            let message = format!("no join of the definitions pairs {text}");
            self.block(
                Code::JoinPair,
                short(place),
                place.span().start,
                message,
                None,
            );
        }
    }

    fn in_query(&mut self, expr: &Expr, query: &Query) {
        let aggregates = self.aggregates;
        let mut rows = self.query(query);
        self.aggregates = aggregates;
        self.no_personal_rows(&mut rows);
        let parts = tuple(expr).unwrap_or(std::slice::from_ref(expr));
        let meanings: Vec<Meaning> = parts.iter().map(|part| self.expr(part)).collect();
        for (one, column) in meanings.iter().zip(&rows.columns) {
            self.pair_up(one, &column.meaning, How::Equal, expr);
        }
    }

    fn quantified(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) {
        let how = match op {
            BinaryOperator::Eq | BinaryOperator::NotEq => How::Equal,
            BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq => How::Range,
            other => {
                self.operator(&other.to_string(), left);
                How::Pattern
            }
        };
        let (one, other) = (self.expr(left), self.expr(right));
        let is_text = matches!(right, Expr::Value(_) | Expr::Cast { .. });
        if is_text {
            self.unsupported(right, "an array written as a text");
            return;
        }
        self.pair_up(&one, &other, how, right);
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
    ) -> Meaning {
        let mut result: Option<Meaning> = None;
        for when in conditions {
            match operand {
                Some(operand) => self.compared(operand, &when.condition, How::Equal),
                None => self.condition(&when.condition),
            }
            let meaning = self.expr(&when.result);
            result = Some(match result {
                Some(result) => result.or(meaning),
                None => meaning,
            });
        }
        let otherwise = otherwise.map(|otherwise| self.expr(otherwise));
        match (result, otherwise) {
            (Some(result), Some(otherwise)) => result.or(otherwise),
            (Some(result), None) => result.or(Meaning::of_constant(
                ConstantKind::Other,
                "NULL",
                Location::new(0, 0),
            )),
            _ => Meaning::open(),
        }
    }
}

/// The parts of a row value.
fn tuple(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Tuple(parts) => Some(parts),
        Expr::Nested(inner) => tuple(inner),
        _ => None,
    }
}

/// The names in an expression, not those of its subqueries.
pub(super) fn names(expr: &Expr) -> Vec<Vec<Ident>> {
    struct Names {
        found: Vec<Vec<Ident>>,
        depth: usize,
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
                Expr::Identifier(ident) if self.depth == 0 => self.found.push(vec![ident.clone()]),
                Expr::CompoundIdentifier(parts) if self.depth == 0 => {
                    self.found.push(parts.clone());
                }
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names {
        found: Vec::new(),
        depth: 0,
    };
    let _ = expr.visit(&mut names);
    names.found
}
