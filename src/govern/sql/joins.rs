//! What a join makes of the rows on both sides: whether its keys tell the rows of one of them apart.

use sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, Spanned, Value,
};
use sqlparser::tokenizer::Location;

use super::expr::{conjuncts, path};
use super::facts::{JoinMet, Side};
use super::met::columns_in;
use super::reading::{Relation, Walk, at};

impl Walk<'_, '_> {
    pub(super) fn join(
        &mut self,
        join: &Join,
        conditions: &[&Expr],
        relations: &mut [Relation],
        joins: &mut Vec<JoinMet>,
    ) {
        let constraint = match &join.join_operator {
            JoinOperator::Join(on)
            | JoinOperator::Inner(on)
            | JoinOperator::Left(on)
            | JoinOperator::LeftOuter(on)
            | JoinOperator::Right(on)
            | JoinOperator::RightOuter(on)
            | JoinOperator::FullOuter(on)
            | JoinOperator::CrossJoin(on) => on,
            // The others keep rows, or are no joins by a key.
            _ => return,
        };
        let mut all: Vec<Expr> = Vec::new();
        match constraint {
            JoinConstraint::On(on) => all.extend(conjuncts(on).into_iter().cloned()),
            JoinConstraint::Using(names) => {
                let right = relations.last().map(|right| right.alias.clone());
                for name in names.iter().filter_map(|name| name.0.last()?.as_ident()) {
                    all.extend(self.using(name, right.as_deref(), relations));
                }
            }
            JoinConstraint::Natural => return,
            JoinConstraint::None => {}
        }
        let all: Vec<&Expr> = all.iter().chain(conditions.iter().copied()).collect();
        self.joined(&all, join.relation.span().start, relations, joins);
    }

    /// The column of `USING` as a comparison of the new relation with the first before it.
    fn using(&self, name: &Ident, right: Option<&str>, relations: &[Relation]) -> Option<Expr> {
        let has = |relation: &&Relation| {
            relation
                .rows
                .columns
                .contains_key(&name.value.to_lowercase())
                || relation.rows.all.is_some()
        };
        let before = relations.get(..relations.len().saturating_sub(1))?;
        let left = before.iter().find(has)?;
        let side = |alias: &str| Expr::CompoundIdentifier(vec![Ident::new(alias), name.clone()]);
        Some(Expr::BinaryOp {
            left: Box::new(side(&left.alias)),
            op: BinaryOperator::Eq,
            right: Box::new(side(right?)),
        })
    }

    /// What the last relation makes of the rows before it.
    pub(super) fn joined(
        &mut self,
        conditions: &[&Expr],
        place: Location,
        relations: &mut [Relation],
        joins: &mut Vec<JoinMet>,
    ) {
        let Some((last, before)) = relations.split_last_mut() else {
            return;
        };
        let right = &*last;
        let Some(right_grain) = right.rows.grain.clone() else {
            return;
        };
        // The columns on both sides that are compared for equality, as written on each.
        let mut of_right: Vec<String> = Vec::new();
        let mut of_left: Vec<(usize, String)> = Vec::new();
        for condition in conditions {
            if !self.is_of(condition, right, before) {
                continue;
            }
            let both = |expr: &Expr| before.iter().any(|one| self.is_of(expr, one, &[]));
            let (left, other) = match condition {
                Expr::BinaryOp {
                    left,
                    op: BinaryOperator::Eq,
                    right: other,
                } => (left, other),
                // A range of the other side, or a flag, may leave one row as well as a key does.
                _ if is_flag(condition) || both(condition) => return,
                _ => continue,
            };
            let pinned = [(left, other), (other, left)]
                .into_iter()
                .find_map(|(one, another)| {
                    let is_own =
                        self.is_of(one, right, before) && !self.is_of(another, right, before);
                    let column = is_own.then(|| own_column(uncast(one), right)).flatten()?;
                    Some((column, another))
                });
            // Of what is computed from its columns, nothing is known.
            let Some((column, another)) = pinned else {
                return;
            };
            if is_switch(another) {
                return;
            }
            // What comes from a relation that is joined later is the condition of that one.
            let is_later = |names: &Vec<String>| match names.as_slice() {
                [.., alias, _] => !before.iter().any(|one| one.alias == *alias),
                _ => false,
            };
            if columns_in(another).iter().any(is_later) {
                continue;
            }
            of_right.push(column);
            of_left.extend(self.column_of(uncast(another), before));
        }
        if right_grain.iter().all(|key| of_right.contains(key)) {
            return;
        }
        let joined_to = of_left.first().map_or(0, |(index, _)| *index);
        let Some(left) = before.get_mut(joined_to) else {
            return;
        };
        let Some(left_grain) = left.rows.grain.clone() else {
            return;
        };
        let own: Vec<&String> = of_left
            .iter()
            .filter(|(index, _)| *index == joined_to)
            .map(|(_, column)| column)
            .collect();
        let is_one = left_grain.iter().all(|key| own.contains(&key));
        let number = joins.len();
        joins.push(JoinMet {
            is_both: !is_one,
            at: at(place),
            left: Side {
                what: left.rows.what.clone(),
                grain: left_grain,
            },
            right: Side {
                what: right.rows.what.clone(),
                grain: right_grain,
            },
            on: of_right,
            aggregate: None,
        });
        let both = (!is_one).then_some(last);
        for relation in before.iter_mut().chain(both) {
            relation.multiplied.get_or_insert(number);
        }
    }
}

impl Walk<'_, '_> {
    /// Whether an expression names a column of a relation, or may: a name alone that no other relation is known to have.
    fn is_of(&self, expr: &Expr, relation: &Relation, others: &[Relation]) -> bool {
        columns_in(expr).iter().any(|names| match names.as_slice() {
            [.., alias, _] => *alias == relation.alias,
            [name] => {
                let knows = |one: &Relation| self.knows(one, name);
                knows(relation) || relation.rows.all.is_some() && !others.iter().any(knows)
            }
            [] => false,
        })
    }

    /// The relation that a column is of, and its name there.
    fn column_of(&self, expr: &Expr, relations: &[Relation]) -> Option<(usize, String)> {
        let names = path(expr)?;
        let name = names.last()?.clone();
        let mut all = relations.iter().enumerate();
        let index = match names.as_slice() {
            [.., alias, _] => all.find(|(_, one)| one.alias == *alias)?.0,
            _ => {
                let mut known = all.filter(|(_, one)| self.knows(one, &name));
                match (known.next(), known.next(), relations.len()) {
                    (Some((index, _)), None, _) => index,
                    (None, _, 1) => 0,
                    _ => return None,
                }
            }
        };
        Some((index, name))
    }
}

/// A condition that is true or false of a row by itself: `is_current`, `valid_to is null`.
fn is_flag(condition: &Expr) -> bool {
    match condition {
        Expr::Nested(inner) => is_flag(inner),
        Expr::UnaryOp { expr, .. } => is_flag(expr),
        Expr::IsNull(_) | Expr::IsTrue(_) | Expr::IsFalse(_) | Expr::IsNotTrue(_) => true,
        other => path(other).is_some(),
    }
}

/// A value of a flag.
fn is_switch(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Boolean(_) => true,
            Value::Number(number, _) => ["0", "1"].contains(&number.to_string().as_str()),
            Value::SingleQuotedString(text) => text.len() == 1,
            _ => false,
        },
        _ => false,
    }
}

/// What is cast to another type: equal things stay equal.
fn uncast(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast { expr, .. } | Expr::Nested(expr) => uncast(expr),
        expr => expr,
    }
}

/// A column of a relation, by the name that it has there.
fn own_column(expr: &Expr, relation: &Relation) -> Option<String> {
    let names = path(expr)?;
    match names.as_slice() {
        [.., alias, _] if *alias != relation.alias => None,
        names => names.last().cloned(),
    }
}
