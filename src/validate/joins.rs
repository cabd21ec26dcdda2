//! Joins: a join must pair columns that belong together, and must not multiply the rows of
//! both sides.

use sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, Spanned,
    TableWithJoins,
};
use sqlparser::tokenizer::Location;

use super::filters::Conjunct;
use super::finding::Code;
use super::meaning::{Meaning, Relation};
use super::walk::{Walk, conjuncts, short};

/// Columns, each with the relation it is of, of which no two rows have the same values.
pub(super) type Unique = Option<Vec<(String, String)>>;

/// One `a.x = b.y` of a join.
struct Pair {
    /// Sides: what was joined before, and what is joined now. The column where it is just one.
    left: (Option<(String, String)>, Meaning),
    right: (Option<(String, String)>, Meaning),
    text: String,
    at: Location,
}

impl Walk {
    /// Brings every table of a `FROM` into scope.
    pub(super) fn from(
        &mut self,
        from: &[TableWithJoins],
        conditions: &mut Vec<Conjunct>,
    ) -> Unique {
        let mut unique = Some(Vec::new());
        for (index, item) in from.iter().enumerate() {
            let before = self.relations();
            let joined = self.joined(item, conditions);
            if index == 0 {
                unique = joined;
            } else {
                self.product(before, short(&item.relation), item.relation.span().start);
                unique = None;
            }
        }
        unique
    }

    fn relations(&self) -> usize {
        self.scopes.last().map_or(0, |scope| scope.relations.len())
    }

    pub(super) fn joined(
        &mut self,
        item: &TableWithJoins,
        conditions: &mut Vec<Conjunct>,
    ) -> Unique {
        let start = self.relations();
        let mut unique = self.factor(&item.relation, conditions);
        for join in &item.joins {
            let before = self.relations();
            let right = self.factor(&join.relation, conditions);
            unique = self.join(join, start..before, unique, right, conditions);
        }
        unique
    }

    fn join(
        &mut self,
        join: &Join,
        left: std::ops::Range<usize>,
        left_unique: Unique,
        right_unique: Unique,
        conditions: &mut Vec<Conjunct>,
    ) -> Unique {
        let (constraint, inner) = match &join.join_operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => (constraint, true),
            JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint) => (constraint, false),
            JoinOperator::CrossJoin(JoinConstraint::None) => (&JoinConstraint::None, true),
            _ => {
                self.unsupported_at(
                    short(&join.relation),
                    join.relation.span().start,
                    "this join",
                );
                return None;
            }
        };
        if join.global {
            self.unsupported_at(short(&join.relation), join.relation.span().start, "GLOBAL");
        }
        let at = join.relation.span().start;
        let token = short(&join.relation);
        let pairs = match constraint {
            JoinConstraint::Natural => {
                self.block(
                    Code::NaturalJoin,
                    &token,
                    at,
                    "NATURAL JOIN pairs whatever columns happen to have the same name",
                    Some("write JOIN … ON with the columns".to_owned()),
                );
                return None;
            }
            JoinConstraint::None => Vec::new(),
            JoinConstraint::Using(columns) => self.using(columns, &left),
            JoinConstraint::On(condition) => {
                self.in_join = true;
                self.filter(condition);
                self.in_join = false;
                for part in conjuncts(condition) {
                    let conjunct = self.conjunct(part);
                    conditions.extend(conjunct.map(|conjunct| conjunct.in_join(inner)));
                }
                let pairs = conjuncts(condition);
                pairs
                    .into_iter()
                    .filter_map(|part| self.pair(part, &left))
                    .collect()
            }
        };
        if pairs.is_empty() {
            // A USING that names no column of both sides was refused already.
            if !matches!(constraint, JoinConstraint::Using(_)) {
                self.product(left.end, token, at);
            }
            return None;
        }
        let signature = self.signature(&left, &pairs);
        self.joins.insert(signature.clone());
        let side = |columns: &Unique, one: fn(&Pair) -> &Option<(String, String)>| {
            columns.as_ref().is_some_and(|columns| {
                let has = |column| pairs.iter().any(|pair| one(pair).as_ref() == Some(column));
                columns.iter().all(has)
            })
        };
        let right_is_one = side(&right_unique, |pair| &pair.right.0);
        let left_is_one = side(&left_unique, |pair| &pair.left.0);
        if !self.known.joins.contains(&signature) {
            self.related(&pairs);
            let relations = self.scopes.last().map(|scope| &scope.relations);
            let is_known = !relations.is_some_and(|all| all.iter().any(|one| one.rows.open));
            if !right_is_one && !left_is_one && is_known {
                let keys = |unique: &Unique| match unique {
                    Some(columns) if !columns.is_empty() => {
                        let names = columns
                            .iter()
                            .map(|(alias, column)| format!("{alias}.{column}"));
                        names.collect::<Vec<_>>().join(", ")
                    }
                    _ => "no known key".to_owned(),
                };
                let hint = format!(
                    "join on a whole key ({} or {}), or group one side by the columns it is joined on first",
                    keys(&left_unique),
                    keys(&right_unique)
                );
                let message = format!("the join of {token} can multiply rows on both sides");
                self.block(Code::FanOut, token, at, message, Some(hint));
            }
        }
        match (right_is_one, left_is_one) {
            (true, _) => left_unique,
            (false, true) => right_unique,
            (false, false) => None,
        }
    }

    fn using(&mut self, columns: &[ObjectName], left: &std::ops::Range<usize>) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for name in columns {
            let Some([part]) = name.0.first_chunk::<1>() else {
                continue;
            };
            let Some(ident) = part.as_ident().filter(|_| name.0.len() == 1).cloned() else {
                self.unsupported(name, "this USING");
                continue;
            };
            let folded = self.fold(&ident);
            let Some(scope) = self.scopes.last() else {
                continue;
            };
            let find = |relations: &[Relation]| {
                relations.iter().find_map(|relation| {
                    let column = relation.column(&folded)?;
                    Some((
                        (relation.alias.clone(), folded.clone()),
                        column.meaning.clone(),
                    ))
                })
            };
            let before = find(scope.relations.get(left.clone()).unwrap_or_default());
            let now = find(scope.relations.get(left.end..).unwrap_or_default());
            let (Some(mut before), Some(mut now)) = (before, now) else {
                self.block(
                    Code::UnknownColumn,
                    &ident,
                    ident.span.start,
                    format!(
                        "'{}' is not a known column on both sides of the join",
                        ident.value
                    ),
                    Some("write ON with the columns".to_owned()),
                );
                continue;
            };
            if !self.is_declared(&before.1, &now.1) {
                self.no_personal(&mut before.1, &ident, ident.span.start);
                self.no_personal(&mut now.1, &ident, ident.span.start);
            }
            if let Some(scope) = self.scopes.last_mut() {
                scope.merged.push(folded);
            }
            pairs.push(Pair {
                left: (Some(before.0), before.1),
                right: (Some(now.0), now.1),
                text: ident.value.clone(),
                at: ident.span.start,
            });
        }
        pairs
    }

    /// Whether a part of a condition pairs something joined before with something joined now.
    fn pair(&self, part: &Expr, left: &std::ops::Range<usize>) -> Option<Pair> {
        let Expr::BinaryOp {
            left: one,
            op: BinaryOperator::Eq,
            right: other,
        } = part
        else {
            return None;
        };
        let before = |expr: &Expr| self.is_of(expr, |index| left.contains(&index));
        let now = |expr: &Expr| self.is_of(expr, |index| index >= left.end);
        let (one, other) = match (before(one), now(other)) {
            (true, true) => (one, other),
            _ if before(other) && now(one) => (other, one),
            _ => return None,
        };
        Some(Pair {
            left: self.side(one),
            right: self.side(other),
            text: short(part),
            at: part.span().start,
        })
    }

    /// Whether an expression names columns, all of them of the relations wanted.
    fn is_of(&self, expr: &Expr, wanted: impl Fn(usize) -> bool) -> bool {
        let names = super::expr::names(expr);
        !names.is_empty()
            && names
                .iter()
                .all(|name| self.owner(name).is_some_and(&wanted))
    }

    /// The relation of this `SELECT` that a name is a column of.
    fn owner(&self, name: &[Ident]) -> Option<usize> {
        let (column, path) = name.split_last()?;
        let column = self.fold(column);
        let scope = self.scopes.last()?;
        if path.is_empty() {
            let has = |relation: &Relation| relation.column(&column).is_some();
            return scope.relations.iter().position(has);
        }
        let found = self.relation(path)?;
        let has = |relation: &Relation| relation.alias == found.alias;
        scope.relations.iter().position(has)
    }

    fn side(&self, expr: &Expr) -> (Option<(String, String)>, Meaning) {
        let name: &[Ident] = match expr {
            Expr::Identifier(ident) => std::slice::from_ref(ident),
            Expr::CompoundIdentifier(parts) => parts,
            Expr::Nested(inner) => return self.side(inner),
            _ => return (None, Meaning::open()),
        };
        let owner = self.owner(name);
        let relation = self
            .scopes
            .last()
            .and_then(|scope| scope.relations.get(owner?));
        let column = name
            .last()
            .map(|column| self.fold(column))
            .unwrap_or_default();
        let Some(relation) = relation else {
            return (None, Meaning::open());
        };
        let meaning = relation
            .column(&column)
            .map_or_else(Meaning::open, |output| output.meaning.clone());
        (Some((relation.alias.clone(), column)), meaning)
    }

    /// Refuses pairs of columns that do not belong together.
    fn related(&mut self, pairs: &[Pair]) {
        let relations = self.scopes.last().map(|scope| scope.relations.clone());
        let relations = relations.unwrap_or_default();
        let is_table = |alias: &Option<(String, String)>| {
            let Some((alias, _)) = alias else {
                return false;
            };
            let mut named = relations.iter().filter(|relation| relation.alias == *alias);
            named.any(|relation| relation.table.is_some())
        };
        for pair in pairs {
            let tables = is_table(&pair.left.0) && is_table(&pair.right.0);
            let (one, other) = (&pair.left.1, &pair.right.1);
            if one.open || other.open || one.bases.is_empty() || other.bases.is_empty() {
                continue;
            }
            let combinations = one
                .bases
                .iter()
                .flat_map(|one| other.bases.iter().map(move |other| (one, other)));
            let belongs = |(one, other): (&super::meaning::Base, &super::meaning::Base)| {
                if tables {
                    one == other || self.known.edges.contains(&(one.clone(), other.clone()))
                } else {
                    self.known.is_related(one, other)
                }
            };
            if combinations.into_iter().any(belongs) {
                continue;
            }
            let hint = self.join_hint(one, other);
            let message = format!("no join of the definitions pairs {}", pair.text);
            self.block(Code::JoinPair, &pair.text, pair.at, message, hint);
        }
    }

    /// The joins between the tables of two columns.
    fn join_hint(&self, one: &Meaning, other: &Meaning) -> Option<String> {
        let tables = |meaning: &Meaning| -> Vec<String> {
            meaning
                .bases
                .iter()
                .map(|base| base.table.clone())
                .collect()
        };
        let (left, right) = (tables(one), tables(other));
        let mut known: Vec<String> = self
            .known
            .edges
            .iter()
            .filter(|(from, to)| left.contains(&from.table) && right.contains(&to.table))
            .map(|(from, to)| format!("{} = {}", self.known.written(from), self.known.written(to)))
            .collect();
        known.sort();
        match known.is_empty() {
            true => Some("these tables are not joined with each other".to_owned()),
            false => Some(format!("join on {}", known.join(" or "))),
        }
    }

    /// Refuses a product of tables, unless the snippet makes the same one.
    fn product(&mut self, before: usize, token: String, at: Location) {
        let signature = self.signature(&(0..before), &[]);
        self.joins.insert(signature.clone());
        if self.known.joins.contains(&signature) {
            return;
        }
        self.block(
            Code::Cartesian,
            token,
            at,
            "nothing pairs these rows with those of the tables before: every row would meet every other",
            Some("write JOIN … ON with a column of each side".to_owned()),
        );
    }

    /// A join as text: the tables before, the tables now, and the columns that are paired.
    fn signature(&self, left: &std::ops::Range<usize>, pairs: &[Pair]) -> String {
        let Some(scope) = self.scopes.last() else {
            return String::new();
        };
        let tables = |relations: Option<&[Relation]>| {
            let mut tables: Vec<String> = relations
                .unwrap_or_default()
                .iter()
                .flat_map(|relation| relation.rows.tables.clone())
                .collect();
            tables.sort();
            tables.dedup();
            tables.join("+")
        };
        let side = |(name, meaning): &(Option<(String, String)>, Meaning)| {
            let mut bases: Vec<String> = meaning
                .bases
                .iter()
                .map(|base| format!("{}.{}", base.table, base.column))
                .collect();
            bases.sort();
            match (bases.is_empty(), name) {
                (true, Some((_, column))) => column.clone(),
                _ => bases.join("|"),
            }
        };
        let mut sides: Vec<String> = pairs
            .iter()
            .map(|pair| {
                let mut sides = [side(&pair.left), side(&pair.right)];
                sides.sort();
                sides.join("=")
            })
            .collect();
        sides.sort();
        let mut both = [
            tables(scope.relations.get(left.clone())),
            tables(scope.relations.get(left.end..)),
        ];
        both.sort();
        format!("{} on {}", both.join(" x "), sides.join(" and "))
    }
}
