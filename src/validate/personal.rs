//! Personal data: a column of it is passed on by its name, counted, or held against NULL in a filter. Whatever else is
//! done with it (compared, sorted by, computed with) would tell it bit by bit.

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, SetOperator, SetQuantifier, Value,
};
use sqlparser::tokenizer::Location;

use super::finding::Code;
use super::meaning::{Meaning, Output, Rows};
use super::walk::Walk;

impl Walk {
    /// Reads an expression that may be a column of personal data, bare.
    pub(super) fn passed_on(&mut self, expr: &Expr) -> Meaning {
        self.with_personal(is_bare(expr), expr)
    }

    /// Reads what is counted: a column, however its letters and spaces are folded.
    pub(super) fn counted(&mut self, expr: &Expr) -> Meaning {
        self.with_personal(is_folded(expr), expr)
    }

    fn with_personal(&mut self, may_read: bool, expr: &Expr) -> Meaning {
        let before = std::mem::replace(&mut self.may_read_personal, may_read);
        let meaning = self.expr(expr);
        self.may_read_personal = before;
        meaning
    }

    /// Reads what decides about rows: there, personal data may be held against NULL.
    pub(super) fn filter(&mut self, condition: &Expr) {
        let before = std::mem::replace(&mut self.is_filtering, true);
        self.condition(condition);
        self.is_filtering = before;
    }

    /// The two columns of a join: personal data joins as the definitions join it.
    pub(super) fn joined_columns(&mut self, left: &Expr, right: &Expr) -> (Meaning, Meaning) {
        let (mut one, mut other) = (self.passed_on(left), self.passed_on(right));
        if !self.is_declared(&one, &other) {
            use sqlparser::ast::Spanned;
            self.no_personal(&mut one, left, left.span().start);
            self.no_personal(&mut other, right, right.span().start);
        }
        (one, other)
    }

    /// Whether a join of the definitions pairs the two.
    pub(super) fn is_declared(&self, one: &Meaning, other: &Meaning) -> bool {
        let plain = |meaning: &Meaning| {
            !meaning.open && meaning.constants.is_empty() && !meaning.bases.is_empty()
        };
        let mut pairs = one
            .bases
            .iter()
            .flat_map(|one| other.bases.iter().map(move |other| (one, other)));
        plain(one)
            && plain(other)
            && pairs.all(|(one, other)| self.known.edges.contains(&(one.clone(), other.clone())))
    }

    /// Refuses personal data here; said once is enough.
    pub(super) fn no_personal(
        &mut self,
        meaning: &mut Meaning,
        token: impl std::fmt::Display,
        at: Location,
    ) {
        if let Some(dimension) = meaning.pii.take() {
            self.block(
                Code::Pii,
                token,
                at,
                format!("{dimension} is personal data: it may be counted, and nothing else"),
                Some("COUNT(…), COUNT(DISTINCT …), or IS NULL in a filter".to_owned()),
            );
        }
    }

    /// Refuses personal data in what an expression reads of a subquery.
    pub(super) fn no_personal_rows(&mut self, rows: &mut Rows) {
        for Output { name, meaning, at } in &mut rows.columns {
            self.no_personal(meaning, name, *at);
        }
    }

    /// `ORDER BY 2`, where the second column is personal data.
    pub(super) fn no_personal_place(&mut self, key: &Expr, columns: &[Output]) {
        let Expr::Value(value) = key else { return };
        let Value::Number(number, _) = &value.value else {
            return;
        };
        let place = number.parse::<usize>().ok();
        let column = place.and_then(|place| columns.get(place.checked_sub(1)?));
        if let Some(column) = column {
            self.no_personal(&mut column.meaning.clone(), number, value.span.start);
        }
    }

    /// Rows of personal data are put below each other, not compared: neither with each other nor with a text.
    pub(super) fn no_personal_sets(
        &mut self,
        op: SetOperator,
        quantifier: SetQuantifier,
        left: &mut Rows,
        right: &mut Rows,
    ) {
        let is_stack = op == SetOperator::Union && quantifier == SetQuantifier::All;
        let plain = |meaning: &Meaning| {
            meaning.pii.is_some() && !meaning.open && meaning.constants.is_empty()
        };
        for (one, other) in left.columns.iter_mut().zip(&mut right.columns) {
            if is_stack && plain(&one.meaning) && plain(&other.meaning) {
                continue;
            }
            self.no_personal(&mut one.meaning, &one.name, one.at);
            self.no_personal(&mut other.meaning, &other.name, other.at);
        }
    }
}

/// Whether an expression is a name and nothing else.
pub(super) fn is_bare(expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => true,
        Expr::Nested(inner) => is_bare(inner),
        _ => false,
    }
}

fn is_folded(expr: &Expr) -> bool {
    match expr {
        Expr::Function(function) => {
            let name = function.name.to_string().to_lowercase();
            let FunctionArguments::List(list) = &function.args else {
                return false;
            };
            matches!(name.as_str(), "lower" | "upper" | "trim")
                && matches!(list.args.as_slice(),
                    [FunctionArg::Unnamed(FunctionArgExpr::Expr(inner))] if is_folded(inner))
        }
        Expr::Trim {
            expr,
            trim_what: None,
            trim_characters: None,
            ..
        } => is_folded(expr),
        other => is_bare(other),
    }
}
