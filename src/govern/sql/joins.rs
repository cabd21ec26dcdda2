//! What a join makes of the rows on both sides: whether its keys tell the rows of one of them apart.

use sqlparser::ast::{BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, Spanned};
use sqlparser::tokenizer::Location;

use super::expr::{conjuncts, path};
use super::facts::{JoinMet, Side};
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
        let Some((right, before)) = relations.split_last_mut() else {
            return;
        };
        let Some(right_grain) = right.rows.grain.clone() else {
            return;
        };
        // The columns on both sides that are compared for equality, as written on each.
        let mut of_right: Vec<String> = Vec::new();
        let mut of_left: Vec<(usize, String)> = Vec::new();
        for condition in conditions {
            let Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq,
                right: other,
            } = condition
            else {
                continue;
            };
            let own = |expr: &Expr| own_column(expr, right);
            let theirs = |expr: &Expr| {
                let mut all = before.iter().enumerate();
                all.find_map(|(index, relation)| Some((index, own_column(expr, relation)?)))
            };
            for (one, another) in [(left, other), (other, left)] {
                if let Some(column) = own(one) {
                    match theirs(another) {
                        Some(left) => {
                            of_right.push(column);
                            of_left.push(left);
                        }
                        None if matches!(another.as_ref(), Expr::Value(_)) => of_right.push(column),
                        None => {}
                    }
                    break;
                }
            }
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
            aggregate: is_one.then(Default::default),
        });
        if is_one {
            for relation in before.iter_mut() {
                relation.multiplied.get_or_insert(number);
            }
        }
    }
}

/// A column of a relation, by the name that it has there.
fn own_column(expr: &Expr, relation: &Relation) -> Option<String> {
    let names = path(expr)?;
    match names.as_slice() {
        [.., alias, name] => (*alias == relation.alias).then(|| name.clone()),
        [name] => relation
            .rows
            .columns
            .contains_key(name)
            .then(|| name.clone()),
        [] => None,
    }
}
