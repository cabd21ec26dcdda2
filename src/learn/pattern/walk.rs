//! Walks a statement once: notes what it reads and does, and gives its relations one name each.

use std::collections::HashMap;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, GroupByExpr, Ident, JoinConstraint, JoinOperator, ObjectName, OrderByKind, Query, Select,
    SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
};

use super::Pattern;
use super::scope::{Meant, Outputs, Rows, Scope, Source, Tables};
use super::text::{aggregation, aggregations, compared, conditions, conjuncts, names, over_tables};

/// The common table expressions in sight, by name in lower case: what the shape calls each, and what it gives.
type Parts = HashMap<String, (String, Outputs)>;

struct Walk<'a> {
    tables: &'a Tables,
    pattern: Pattern,
    /// Parts that were named so far.
    named: usize,
}

/// Notes what a query is about, and renames its relations.
pub(super) fn read(query: &mut Query, tables: &Tables) -> Pattern {
    let is_plain = query.with.is_none() && is_plain(&query.body);
    let mut walk = Walk {
        tables,
        pattern: Pattern {
            is_plain,
            ..Pattern::default()
        },
        named: 0,
    };
    walk.query(query, &Parts::new(), None);
    let mut pattern = walk.pattern;
    for list in [
        &mut pattern.tables,
        &mut pattern.columns,
        &mut pattern.joins,
        &mut pattern.aggregations,
        &mut pattern.groups,
    ] {
        list.sort();
        list.dedup();
    }
    pattern.filters.sort();
    pattern.filters.dedup();
    pattern
}

fn is_plain(body: &SetExpr) -> bool {
    let SetExpr::Select(select) = body else {
        return false;
    };
    let from = select.from.iter();
    let mut factors = from.flat_map(|from| {
        let joins = from.joins.iter().map(|join| &join.relation);
        std::iter::once(&from.relation).chain(joins)
    });
    factors.all(|factor| matches!(factor, TableFactor::Table { .. }))
}

impl Walk<'_> {
    fn query(&mut self, query: &mut Query, parts: &Parts, outer: Option<&Scope>) -> Outputs {
        let mut parts = parts.clone();
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                let called = cte.alias.name.value.to_lowercase();
                let name = self.name();
                if with.recursive {
                    parts.insert(called.clone(), (name.clone(), Outputs::default()));
                }
                let mut outputs = self.query(&mut cte.query, &parts, outer);
                renamed(&mut outputs, &cte.alias);
                cte.alias.name = Ident::new(name.clone());
                parts.insert(called, (name, outputs));
            }
        }
        let (outputs, scope) = self.body(&mut query.body, &parts, outer);
        if let Some(order) = &mut query.order_by
            && let OrderByKind::Expressions(keys) = &mut order.kind
        {
            for key in keys {
                let is_output = matches!(&key.expr, Expr::Identifier(name)
                    if outputs.columns.contains_key(&name.value.to_lowercase()));
                if !is_output {
                    self.expr(&mut key.expr, &scope, &parts);
                }
            }
        }
        query.limit_clause = None;
        query.fetch = None;
        outputs
    }

    fn body(
        &mut self,
        body: &mut SetExpr,
        parts: &Parts,
        outer: Option<&Scope>,
    ) -> (Outputs, Scope) {
        match body {
            SetExpr::Select(select) => self.select(select, parts, outer),
            SetExpr::Query(query) => (self.query(query, parts, outer), Scope::default()),
            SetExpr::SetOperation { left, right, .. } => {
                let (mut first, _) = self.body(left, parts, outer);
                let (second, _) = self.body(right, parts, outer);
                // What is a column in one of them only is computed.
                for (name, meant) in &mut first.columns {
                    if second.columns.get(name) != Some(meant) {
                        *meant = Meant::Computed;
                    }
                }
                if first.all != second.all {
                    first.all = None;
                }
                (first, Scope::default())
            }
            _ => (Outputs::default(), Scope::default()),
        }
    }

    fn select(
        &mut self,
        select: &mut Select,
        parts: &Parts,
        outer: Option<&Scope>,
    ) -> (Outputs, Scope) {
        let mut scope = Scope {
            sources: Vec::new(),
            outer: outer.cloned().map(Box::new),
        };
        for from in &mut select.from {
            self.from(from, parts, &mut scope);
        }
        self.facts(select, &scope);
        let outputs = outputs(select, &scope, self.tables);
        let mut rewrite = |expr: &mut Expr| self.expr(expr, &scope, parts);
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                rewrite(expr);
            }
        }
        let rest = [
            &mut select.prewhere,
            &mut select.selection,
            &mut select.having,
            &mut select.qualify,
        ];
        rest.into_iter().flatten().for_each(&mut rewrite);
        if let GroupByExpr::Expressions(groups, _) = &mut select.group_by {
            for group in groups {
                let is_output = matches!(group, Expr::Identifier(name)
                    if scope.find(std::slice::from_ref(name), self.tables).1 == Meant::Unknown);
                if !is_output {
                    self.expr(group, &scope, parts);
                }
            }
        }
        for from in &mut select.from {
            for join in &mut from.joins {
                if let Some(JoinConstraint::On(on)) = constraint(&mut join.join_operator) {
                    self.expr(on, &scope, parts);
                }
            }
        }
        (outputs, scope)
    }

    fn from(&mut self, from: &mut TableWithJoins, parts: &Parts, scope: &mut Scope) {
        self.factor(&mut from.relation, parts, scope);
        for join in &mut from.joins {
            let before = scope.sources.len();
            self.factor(&mut join.relation, parts, scope);
            plain_word(&mut join.join_operator);
            if let Some(JoinConstraint::Using(columns)) = constraint(&mut join.join_operator) {
                let names = columns.iter().map(ToString::to_string);
                for name in names.collect::<Vec<_>>() {
                    self.using(&name, before, scope);
                }
            }
        }
    }

    /// `USING (order_id)`: the column of what was joined, and that of what stood before.
    fn using(&mut self, name: &str, before: usize, scope: &Scope) {
        let meant = |source: &Source| {
            let path = [Ident::new(source.called.clone()), Ident::new(name)];
            scope.find(&path, self.tables).1
        };
        let joined = scope.sources.get(before).map(meant);
        let mut others = scope.sources.iter().take(before).map(meant);
        if let (Some(Meant::Column(one)), Some(Meant::Column(other))) = (
            joined,
            others.find(|meant| matches!(meant, Meant::Column(_))),
        ) {
            self.join(one, other);
        }
    }

    fn join(&mut self, one: String, other: String) {
        let mut sides = [one, other];
        sides.sort();
        self.pattern.columns.extend(sides.clone());
        self.pattern.joins.push(sides.join(" = "));
    }

    fn factor(&mut self, factor: &mut TableFactor, parts: &Parts, scope: &mut Scope) {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                ..
            } => {
                self.table(name, alias, parts, scope);
            }
            TableFactor::Derived {
                subquery,
                alias,
                lateral,
                ..
            } => {
                let outer = if *lateral {
                    Some(scope.clone())
                } else {
                    scope.outer.as_deref().cloned()
                };
                let mut outputs = self.query(subquery, parts, outer.as_ref());
                let called = alias.as_ref().map(|alias| alias.name.value.to_lowercase());
                let name = self.name();
                if let Some(alias) = alias {
                    renamed(&mut outputs, alias);
                    alias.name = Ident::new(name.clone());
                }
                scope.sources.push(Source {
                    called: called.unwrap_or_else(|| name.clone()),
                    name,
                    rows: Rows::Part(outputs),
                });
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => {
                self.from(table_with_joins, parts, scope);
            }
            // Functions that give rows: their columns are nobody's.
            TableFactor::UNNEST {
                alias: Some(alias), ..
            }
            | TableFactor::Function {
                alias: Some(alias), ..
            }
            | TableFactor::TableFunction {
                alias: Some(alias), ..
            }
            | TableFactor::Table {
                alias: Some(alias), ..
            } => {
                let called = alias.name.value.to_lowercase();
                scope.sources.push(Source {
                    name: called.clone(),
                    called,
                    rows: Rows::Part(Outputs::default()),
                });
            }
            _ => {}
        }
    }

    fn table(
        &mut self,
        name: &mut ObjectName,
        alias: &mut Option<TableAlias>,
        parts: &Parts,
        scope: &mut Scope,
    ) {
        let idents: Vec<String> = name
            .0
            .iter()
            .map(|part| {
                part.as_ident()
                    .map_or_else(|| part.to_string(), |ident| ident.value.clone())
            })
            .collect();
        let last = idents.last().cloned().unwrap_or_default();
        let called = alias
            .as_ref()
            .map_or(&last, |alias| &alias.name.value)
            .to_lowercase();
        let part = parts
            .get(&last.to_lowercase())
            .filter(|_| idents.len() == 1);
        let (base, rows) = match part {
            Some((part, outputs)) => {
                *name = ObjectName::from(vec![Ident::new(part.clone())]);
                (part.clone(), Rows::Part(outputs.clone()))
            }
            None => {
                let table = self.tables.name(&idents.join("."));
                self.pattern.tables.push(table.clone());
                *name = ObjectName::from(table.split('.').map(Ident::new).collect::<Vec<_>>());
                let base = table.rsplit('.').next().unwrap_or(&table).to_owned();
                (base, Rows::Table(table))
            }
        };
        let is_taken = |name: &str| scope.sources.iter().any(|source| source.name == name);
        let name = (1..)
            .map(|n| {
                if n == 1 {
                    base.clone()
                } else {
                    format!("{base}_{n}")
                }
            })
            .find(|name| !is_taken(name))
            .unwrap_or_default();
        *alias = (name != base).then(|| TableAlias {
            explicit: true,
            name: Ident::new(name.clone()),
            columns: Vec::new(),
            at: None,
        });
        scope.sources.push(Source { called, name, rows });
    }

    /// Notes what a SELECT does, before anything in it is renamed.
    fn facts(&mut self, select: &mut Select, scope: &Scope) {
        let tables = self.tables;
        let mut exprs: Vec<Expr> = Vec::new();
        for item in &select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                exprs.push(expr.clone());
            }
        }
        let projected = exprs.clone();
        exprs.extend(select.having.clone());
        exprs.extend(select.qualify.clone());
        for expr in exprs.iter().flat_map(aggregations) {
            self.pattern
                .aggregations
                .extend(aggregation(&expr, scope, tables));
        }
        let groups = match &select.group_by {
            GroupByExpr::Expressions(groups, _) => groups.clone(),
            GroupByExpr::All(_) => projected
                .iter()
                .filter(|expr| aggregations(expr).is_empty())
                .cloned()
                .collect(),
        };
        for group in groups {
            let group = self.grouped(&group, select, &projected, scope);
            self.pattern
                .groups
                .extend(over_tables(&group, scope, tables));
            exprs.push(group);
        }
        let mut wheres: Vec<Expr> = Vec::new();
        wheres.extend(select.prewhere.clone());
        wheres.extend(select.selection.clone());
        for from in &mut select.from {
            for join in &mut from.joins {
                if let Some(JoinConstraint::On(on)) = constraint(&mut join.join_operator) {
                    wheres.push(on.clone());
                }
            }
        }
        for part in wheres.iter().flat_map(conjuncts) {
            match self.joined(part, scope) {
                Some((one, other)) => self.join(one, other),
                None => self.pattern.filters.extend(conditions(part, scope, tables)),
            }
        }
        exprs.extend(wheres);
        for path in exprs.iter().flat_map(names) {
            if let Meant::Column(column) = scope.find(&path, tables).1 {
                self.pattern.columns.push(column);
            }
        }
    }

    /// The columns of two relations that a condition finds equal.
    fn joined(&self, condition: &Expr, scope: &Scope) -> Option<(String, String)> {
        let [(Expr::BinaryOp { left, op, right }, _, _)] = compared(condition)[..] else {
            return None;
        };
        let column = |expr: &Expr| {
            let path = match expr {
                Expr::Identifier(name) => vec![name.clone()],
                Expr::CompoundIdentifier(path) => path.clone(),
                _ => return None,
            };
            match scope.find(&path, self.tables) {
                (Some(source), Meant::Column(column)) => Some((source.name.clone(), column)),
                _ => None,
            }
        };
        let (one, other) = (column(left)?, column(right)?);
        (*op == sqlparser::ast::BinaryOperator::Eq && one.0 != other.0).then_some((one.1, other.1))
    }

    /// What `GROUP BY 1` and `GROUP BY alias` mean.
    fn grouped(&self, group: &Expr, select: &Select, projected: &[Expr], scope: &Scope) -> Expr {
        let found = match group {
            Expr::Value(value) => match &value.value {
                Value::Number(number, _) => {
                    let place = number.parse::<usize>().ok();
                    place.and_then(|place| projected.get(place.checked_sub(1)?))
                }
                _ => None,
            },
            Expr::Identifier(name)
                if scope.find(std::slice::from_ref(name), self.tables).1 != Meant::Unknown
                    && !self.is_alias(name, select) =>
            {
                None
            }
            Expr::Identifier(name) => select.projection.iter().find_map(|item| match item {
                SelectItem::ExprWithAlias { expr, alias }
                    if alias.value.eq_ignore_ascii_case(&name.value) =>
                {
                    Some(expr)
                }
                _ => None,
            }),
            _ => None,
        };
        found.unwrap_or(group).clone()
    }

    fn is_alias(&self, name: &Ident, select: &Select) -> bool {
        select.projection.iter().any(|item| {
            matches!(item, SelectItem::ExprWithAlias { alias, .. } if alias.value.eq_ignore_ascii_case(&name.value))
        })
    }

    /// Gives the names in an expression those that their relations have now.
    fn expr(&mut self, expr: &mut Expr, scope: &Scope, parts: &Parts) {
        struct Rename<'w, 't> {
            walk: &'w mut Walk<'t>,
            scope: &'w Scope,
            parts: &'w Parts,
            depth: usize,
        }
        impl VisitorMut for Rename<'_, '_> {
            type Break = ();
            fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
                if self.depth == 0 {
                    self.walk.query(query, self.parts, Some(self.scope));
                }
                self.depth += 1;
                ControlFlow::Continue(())
            }
            fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
                self.depth -= 1;
                ControlFlow::Continue(())
            }
            fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
                if self.depth > 0 {
                    return ControlFlow::Continue(());
                }
                let path = match expr {
                    Expr::Identifier(name) => vec![name.clone()],
                    Expr::CompoundIdentifier(path) => path.clone(),
                    _ => return ControlFlow::Continue(()),
                };
                if let ((Some(source), _), Some(name)) =
                    (self.scope.find(&path, self.walk.tables), path.last())
                {
                    let name = Ident::new(name.value.to_lowercase());
                    *expr = Expr::CompoundIdentifier(vec![Ident::new(source.name.clone()), name]);
                }
                ControlFlow::Continue(())
            }
        }
        let _ = expr.visit(&mut Rename {
            walk: self,
            scope,
            parts,
            depth: 0,
        });
    }

    fn name(&mut self) -> String {
        self.named += 1;
        format!("part_{}", self.named)
    }
}

/// What a SELECT gives, by name.
fn outputs(select: &Select, scope: &Scope, tables: &Tables) -> Outputs {
    let mut outputs = Outputs::default();
    let meant = |expr: &Expr| match expr {
        Expr::Identifier(name) => scope.find(std::slice::from_ref(name), tables).1,
        Expr::CompoundIdentifier(path) => scope.find(path, tables).1,
        _ => Meant::Computed,
    };
    for item in &select.projection {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let name = match expr {
                    Expr::Identifier(name) => Some(name),
                    Expr::CompoundIdentifier(path) => path.last(),
                    _ => None,
                };
                if let Some(name) = name {
                    outputs
                        .columns
                        .insert(name.value.to_lowercase(), meant(expr));
                }
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                outputs
                    .columns
                    .insert(alias.value.to_lowercase(), meant(expr));
            }
            SelectItem::Wildcard(_) => {
                for source in &scope.sources {
                    match &source.rows {
                        Rows::Part(part) => outputs.columns.extend(part.columns.clone()),
                        Rows::Table(table) if scope.sources.len() == 1 => {
                            outputs.all = Some(table.clone())
                        }
                        Rows::Table(_) => {}
                    }
                }
            }
            _ => {}
        }
    }
    outputs
}

/// `WITH part (a, b)`: the names that its columns are given. They are in another order than is known here.
fn renamed(outputs: &mut Outputs, alias: &TableAlias) {
    if !alias.columns.is_empty() {
        *outputs = Outputs::default();
        let names = alias
            .columns
            .iter()
            .map(|column| column.name.value.to_lowercase());
        outputs
            .columns
            .extend(names.map(|name| (name, Meant::Computed)));
    }
}

/// `INNER JOIN` and `LEFT OUTER JOIN` are `JOIN` and `LEFT JOIN`.
fn plain_word(operator: &mut JoinOperator) {
    let on = constraint(operator).map(|on| std::mem::replace(on, JoinConstraint::None));
    let Some(on) = on else {
        return;
    };
    *operator = match std::mem::replace(operator, JoinOperator::CrossApply) {
        JoinOperator::Inner(_) => JoinOperator::Join(on),
        JoinOperator::LeftOuter(_) => JoinOperator::Left(on),
        JoinOperator::RightOuter(_) => JoinOperator::Right(on),
        mut other => {
            if let Some(empty) = constraint(&mut other) {
                *empty = on;
            }
            other
        }
    };
}

fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(on)
        | JoinOperator::Inner(on)
        | JoinOperator::Left(on)
        | JoinOperator::LeftOuter(on)
        | JoinOperator::Right(on)
        | JoinOperator::RightOuter(on)
        | JoinOperator::FullOuter(on)
        | JoinOperator::CrossJoin(on)
        | JoinOperator::Semi(on)
        | JoinOperator::LeftSemi(on)
        | JoinOperator::RightSemi(on)
        | JoinOperator::Anti(on)
        | JoinOperator::LeftAnti(on)
        | JoinOperator::RightAnti(on)
        | JoinOperator::StraightJoin(on)
        | JoinOperator::AsOf { constraint: on, .. } => Some(on),
        _ => None,
    }
}
