//! The conditions of a snippet that SQL made from it must keep.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use sqlparser::ast::{
    BinaryOperator, DataType, Expr, Ident, ObjectName, Query, TypedString, VisitMut, VisitorMut,
};

use super::finding::Code;
use super::known::{Known, fold};
use super::meaning::{Base, Meaning};
use super::select::nowhere;
use super::walk::Walk;
use super::{Rules, expr, parse};
use crate::model::{NoValues, Registry};
use crate::warehouse::Dialect;

/// A condition on a table that must be there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RequiredFilter {
    /// The table it is about, as the definitions name it; empty for a condition on something computed.
    pub table: String,
    /// The columns that it names.
    pub columns: Vec<String>,
    /// The condition in normal form: columns with their table, sides and lists in order.
    pub condition: String,
    /// Whether every part of the snippet that reads the table has it; else one part is enough.
    pub everywhere: bool,
}

/// The conditions of a snippet that SQL made from it must keep: each part of a `WHERE` or a join condition that is more
/// than a pair of columns and has no subquery. Dates count, too: a snippet's dates are cut-offs, and a question adds its
/// own range beside them. None where the snippet does not parse.
pub fn required_filters(
    snippet: &str,
    registry: &Registry,
    dialect: Dialect,
) -> Vec<RequiredFilter> {
    let Ok(query) = parse::query(snippet, dialect) else {
        return Vec::new();
    };
    let rules = Rules {
        snippet: Some(snippet),
        ..Rules::new(registry, dialect, &NoValues, 0)
    };
    let mut walk = Walk::new(Known::collect(&rules), dialect);
    walk.statement(&query);
    let mut found: BTreeMap<(String, String), RequiredFilter> = BTreeMap::new();
    for (_, conjuncts) in &walk.conjuncts {
        for conjunct in conjuncts {
            let key = (conjunct.table.clone(), conjunct.text.clone());
            let everywhere = !conjunct.table.is_empty()
                && walk
                    .conjuncts
                    .iter()
                    .filter(|(tables, _)| tables.contains(&conjunct.table))
                    .all(|(_, others)| others.contains(conjunct));
            let required = RequiredFilter {
                table: walk
                    .known
                    .tables
                    .get(&conjunct.table)
                    .map(|table| table.name.clone())
                    .unwrap_or_default(),
                columns: conjunct.columns.clone(),
                condition: conjunct.text.clone(),
                everywhere,
            };
            found.entry(key).or_insert(required);
        }
    }
    found.into_values().collect()
}

/// One part of a condition, in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conjunct {
    /// Folded; empty for something computed.
    table: String,
    columns: Vec<String>,
    text: String,
}

impl Conjunct {
    /// The same as a part of a join's condition: on an outer join it takes no row away.
    pub(super) fn in_join(mut self, inner: bool) -> Self {
        if !inner {
            self.text = format!("on {}", self.text);
        }
        self
    }
}

/// Blocks where a condition is gone.
pub(super) fn check(walk: &mut Walk, required: &[RequiredFilter]) {
    for filter in required {
        let table = fold(&filter.table, walk.dialect);
        let has = |conjuncts: &[Conjunct]| conjuncts.iter().any(|one| one.text == filter.condition);
        let somewhere = walk.conjuncts.iter().any(|(_, conjuncts)| has(conjuncts));
        let everywhere = walk
            .conjuncts
            .iter()
            .filter(|(tables, _)| tables.contains(&table))
            .all(|(_, conjuncts)| has(conjuncts));
        if somewhere && (everywhere || !filter.everywhere) {
            continue;
        }
        let missing = match (filter.table.as_str(), somewhere) {
            ("", _) => format!("the condition {} of the snippet is gone", filter.condition),
            (table, _) if !walk.read.contains(&fold(table, walk.dialect)) => {
                format!(
                    "the snippet reads {table} where {}; this SQL does not read it",
                    filter.condition
                )
            }
            (table, true) => format!(
                "a part that reads {table} lacks the condition {} of the snippet",
                filter.condition
            ),
            (_, false) => format!(
                "the condition {} of the snippet is gone or was changed",
                filter.condition
            ),
        };
        walk.block(
            Code::MissingFilter,
            &filter.condition,
            nowhere(),
            missing,
            Some("keep the snippet's conditions as they are, and add yours with AND".to_owned()),
        );
    }
}

impl Walk {
    /// A part of a condition in normal form; `None` for a pair of columns, and for what has no columns or a subquery.
    /// To be called when its names have been read.
    pub(super) fn conjunct(&self, part: &Expr) -> Option<Conjunct> {
        let names = expr::names(part);
        let is_pair = matches!(part, Expr::BinaryOp { left, op: BinaryOperator::Eq, right }
            if is_column(left) && is_column(right));
        if names.is_empty() || is_pair {
            return None;
        }
        let mut part = part;
        while let Expr::Nested(inner) = part {
            part = inner;
        }
        let mut normal = part.clone();
        let mut writer = Normal { walk: self };
        if normal.visit(&mut writer).is_break() {
            return None;
        }
        let bases: Vec<&Base> = names
            .iter()
            .filter_map(|name| self.places.get(&name.first()?.span.start))
            .flat_map(|meaning| &meaning.bases)
            .collect();
        let table = bases.first().map(|base| base.table.clone());
        let mut columns: Vec<String> = names
            .iter()
            .filter_map(|name| name.last().map(|column| self.fold(column)))
            .chain(bases.iter().map(|base| base.column.clone()))
            .collect();
        columns.sort();
        columns.dedup();
        Some(Conjunct {
            table: table.unwrap_or_default(),
            columns,
            text: normal.to_string(),
        })
    }

    /// A column as the normal form writes it.
    fn normal_name(&self, parts: &[Ident]) -> String {
        let meaning = parts
            .first()
            .and_then(|first| self.places.get(&first.span.start));
        let mut bases: Vec<String> = match meaning {
            Some(Meaning { bases, .. }) => bases
                .iter()
                .map(|base| format!("{}.{}", base.table, base.column))
                .collect(),
            None => Vec::new(),
        };
        bases.sort();
        match bases.is_empty() {
            true => parts.last().map(|last| self.fold(last)).unwrap_or_default(),
            false => bases.join("|"),
        }
    }
}

fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

/// Whether an expression means the same with and without brackets, wherever it stands.
fn is_whole(expr: &Expr) -> bool {
    is_column(expr)
        || matches!(
            expr,
            Expr::Value(_) | Expr::Function(_) | Expr::Cast { .. } | Expr::Nested(_)
        )
}

/// Rewrites a condition so that two ways to say the same look the same.
struct Normal<'w> {
    walk: &'w Walk,
}

impl VisitorMut for Normal<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn post_visit_relation(&mut self, _: &mut ObjectName) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let new = match expr {
            Expr::Identifier(ident) => Expr::Identifier(Ident::new(
                self.walk.normal_name(std::slice::from_ref(ident)),
            )),
            Expr::CompoundIdentifier(parts) => {
                Expr::Identifier(Ident::new(self.walk.normal_name(parts)))
            }
            // Brackets around an operator carry meaning: NOT (a OR b), (a - b) * 2.
            Expr::Nested(inner) if is_whole(inner) => (**inner).clone(),
            Expr::TypedString(TypedString { value, .. }) => Expr::Value(value.clone()),
            // A cast to a number may change the literal, a date or a text stays what it is.
            Expr::Cast {
                expr: inner,
                data_type: DataType::Date | DataType::Text | DataType::Timestamp(..),
                ..
            } if matches!(**inner, Expr::Value(_)) => (**inner).clone(),
            Expr::Function(function) => {
                let mut function = function.clone();
                function.name =
                    ObjectName::from(vec![Ident::new(function.name.to_string().to_lowercase())]);
                Expr::Function(function)
            }
            Expr::BinaryOp { left, op, right } => match comparison(left, op, right) {
                Some(new) => new,
                None => return ControlFlow::Continue(()),
            },
            Expr::InList { list, .. } => {
                list.sort_by_key(ToString::to_string);
                list.dedup();
                return ControlFlow::Continue(());
            }
            _ => return ControlFlow::Continue(()),
        };
        *expr = new;
        ControlFlow::Continue(())
    }
}

/// A comparison with its literal on the right, an equality as a list of one.
fn comparison(left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Expr> {
    use BinaryOperator as Op;
    let flipped = match op {
        Op::Lt => Op::Gt,
        Op::LtEq => Op::GtEq,
        Op::Gt => Op::Lt,
        Op::GtEq => Op::LtEq,
        Op::Eq | Op::NotEq => op.clone(),
        _ => return None,
    };
    let (column, op, value) = match (left, right) {
        (Expr::Value(_), Expr::Value(_)) => return None,
        (Expr::Value(_), _) => (right, flipped, left),
        _ => (left, op.clone(), right),
    };
    if matches!(op, Op::Eq | Op::NotEq) && matches!(value, Expr::Value(_)) {
        return Some(Expr::InList {
            expr: Box::new(column.clone()),
            list: vec![value.clone()],
            negated: op == Op::NotEq,
        });
    }
    Some(Expr::BinaryOp {
        left: Box::new(column.clone()),
        op,
        right: Box::new(value.clone()),
    })
}
