//! One `SELECT`: its tables come into scope, then its conditions, groups and output columns are read.

use std::collections::HashMap;

use sqlparser::ast::{
    BinaryOperator, Distinct, Expr, GroupByExpr, GroupByWithModifier, Ident, NamedWindowExpr,
    OrderBy, Select, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind, Spanned, Value,
    WildcardAdditionalOptions,
};

use sqlparser::tokenizer::Location;

use super::filters::Conjunct;
use super::finding::Code;
use super::meaning::{Meaning, Output, Relation, Rows};
use super::walk::{AliasUse, Scope, Walk, conjuncts, short};
use crate::warehouse::Dialect;

impl Walk {
    pub(super) fn select(&mut self, select: &Select, order_by: Option<&OrderBy>) -> Rows {
        self.plain(select);
        let outer_aggregates = std::mem::replace(&mut self.aggregates, false);
        let depth = self.scopes.len();
        let outermost = std::mem::replace(&mut self.outermost, usize::MAX);
        self.scopes.push(Scope::default());
        let mut conditions: Vec<Conjunct> = Vec::new();
        let from_unique = self.from(&select.from, &mut conditions);
        if let Some(Distinct::On(keys)) = &select.distinct {
            for key in keys {
                self.expr(key);
            }
        }
        let columns = self.projection(&select.projection);
        if let Some(Distinct::On(keys)) = &select.distinct {
            for key in keys {
                self.no_personal_place(key, &columns);
            }
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.aliases.clone_from(&columns);
            scope.texts = texts(&select.projection, &columns);
        }
        if let Some(condition) = &select.selection {
            // Some engines know output columns in WHERE.
            self.alias_use(match self.dialect {
                Dialect::Sqlite | Dialect::Duckdb | Dialect::Snowflake | Dialect::Redshift => {
                    AliasUse::Last
                }
                Dialect::Clickhouse => AliasUse::First,
                Dialect::Postgres | Dialect::Trino | Dialect::Bigquery | Dialect::Spark => {
                    AliasUse::Never
                }
            });
            self.filter(condition);
            for part in conjuncts(condition) {
                conditions.extend(self.conjunct(part));
            }
        }
        for window in &select.named_window {
            match &window.1 {
                NamedWindowExpr::WindowSpec(spec) => self.window(spec),
                NamedWindowExpr::NamedWindow(_) => {}
            }
        }
        let keys = self.group_by(&select.group_by, &columns);
        if let Some(having) = &select.having {
            self.alias_use(AliasUse::Last);
            self.filter(having);
        }
        if let Some(OrderBy { .. }) = order_by {
            self.alias_use(AliasUse::First);
            self.order_by(order_by);
        }
        self.is_paired(select, depth);
        self.outermost = self.outermost.min(outermost);
        let scope = self.scopes.pop().unwrap_or_default();
        let aggregates = std::mem::replace(&mut self.aggregates, outer_aggregates);
        let mut tables: Vec<String> = scope
            .relations
            .iter()
            .flat_map(|relation| relation.rows.tables.clone())
            .collect();
        tables.sort();
        tables.dedup();
        let read = scope.relations.iter().filter_map(|one| one.table.clone());
        self.conjuncts.push((read.collect(), conditions));
        let unique = match keys {
            Some(keys) => keys,
            None if aggregates => Some(Vec::new()),
            None if matches!(select.distinct, Some(Distinct::Distinct)) => {
                Some(columns.iter().map(|column| column.name.clone()).collect())
            }
            None => from_unique.and_then(|keys| kept(&keys, &select.projection, &columns, self)),
        };
        Rows {
            open: columns.is_empty(),
            columns,
            unique,
            tables,
        }
    }

    /// A subquery that is read again for every row outside of it must find its rows by a column of each.
    fn is_paired(&mut self, select: &Select, depth: usize) {
        let reads = self.scopes.last().is_some_and(|scope| {
            let mut relations = scope.relations.iter();
            relations.any(|relation| !relation.rows.tables.is_empty())
        });
        if self.outermost >= depth || !reads {
            return;
        }
        let all = |expr: &Expr, wanted: &dyn Fn(usize) -> bool| {
            let names = super::expr::names(expr);
            let is_wanted = |name: &Vec<Ident>| self.level(name).is_some_and(wanted);
            !names.is_empty() && names.iter().all(is_wanted)
        };
        let (inner, outer) = (|level| level >= depth, |level| level < depth);
        let pairs = |part: &&Expr| {
            matches!(part, Expr::BinaryOp { left, op: BinaryOperator::Eq, right }
                if all(left, &inner) && all(right, &outer) || all(left, &outer) && all(right, &inner))
        };
        let condition = select.selection.as_ref();
        if condition.is_some_and(|condition| conjuncts(condition).iter().any(pairs)) {
            return;
        }
        self.block(
            Code::Cartesian,
            "SELECT",
            select.select_token.0.span.start,
            "this subquery is read for every row outside of it, and no column pairs it with them",
            Some("pair a column of each with =, or join".to_owned()),
        );
    }

    /// Refuses what only other engines know.
    fn plain(&mut self, select: &Select) {
        let at = select.select_token.0.span.start;
        if let Some(into) = &select.into {
            self.block(
                Code::Writes,
                short(into),
                into.span().start,
                "INTO writes a table; only queries are run",
                Some("leave INTO out".to_owned()),
            );
        }
        let modified = select
            .select_modifiers
            .as_ref()
            .is_some_and(|modifiers| !modifiers.to_string().is_empty());
        let odd = modified
            || select.top.is_some()
            || select.exclude.is_some()
            || !select.lateral_views.is_empty()
            || select.prewhere.is_some()
            || !select.connect_by.is_empty()
            || !select.cluster_by.is_empty()
            || !select.distribute_by.is_empty()
            || !select.sort_by.is_empty()
            || select.qualify.is_some()
            || select.value_table_mode.is_some()
            || select.flavor != SelectFlavor::Standard;
        if odd {
            self.unsupported_at("SELECT", at, "a clause of this SELECT");
        }
        if select.projection.is_empty() {
            self.unsupported_at("SELECT", at, "a SELECT without columns");
        }
    }

    pub(super) fn alias_use(&mut self, alias_use: AliasUse) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.alias_use = alias_use;
        }
    }

    fn projection(&mut self, items: &[SelectItem]) -> Vec<Output> {
        let mut columns = Vec::new();
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    let meaning = self.passed_on(expr);
                    columns.push(Output {
                        name: self.default_name(expr),
                        meaning,
                        at: expr.span().start,
                    });
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let meaning = self.passed_on(expr);
                    columns.push(Output {
                        name: self.fold(alias),
                        meaning,
                        at: expr.span().start,
                    });
                }
                SelectItem::Wildcard(options) => self.star(None, options, &mut columns),
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    options,
                ) => {
                    let path: Option<Vec<Ident>> =
                        name.0.iter().map(|part| part.as_ident().cloned()).collect();
                    match path {
                        Some(path) => self.star(Some(&path), options, &mut columns),
                        None => self.unsupported(item, "this column"),
                    }
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(_), _)
                | SelectItem::ExprWithAliases { .. } => self.unsupported(item, "this column"),
            }
        }
        columns
    }

    fn default_name(&self, expr: &Expr) -> String {
        match expr {
            Expr::Identifier(ident) => self.fold(ident),
            Expr::CompoundIdentifier(parts) => {
                parts.last().map(|part| self.fold(part)).unwrap_or_default()
            }
            Expr::Function(function) => function.name.to_string().to_lowercase(),
            Expr::Nested(inner) => self.default_name(inner),
            other => other.to_string(),
        }
    }

    /// `*` or `t.*`: stands for the columns that are known, and for no other.
    fn star(
        &mut self,
        path: Option<&[Ident]>,
        options: &WildcardAdditionalOptions,
        columns: &mut Vec<Output>,
    ) {
        let at = options.wildcard_token.0.span.start;
        let WildcardAdditionalOptions {
            wildcard_token: _,
            opt_ilike: None,
            opt_exclude: None,
            opt_except: None,
            opt_replace: None,
            opt_rename: None,
            opt_alias: None,
        } = options
        else {
            self.unsupported_at("*", at, "this *");
            return;
        };
        let relations: Vec<Relation> = match path {
            Some(path) => match self.relation(path) {
                Some(relation) => vec![relation.clone()],
                None => {
                    let name = path
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(".");
                    self.block(
                        Code::UnknownTable,
                        &name,
                        path.first().map_or(at, |first| first.span.start),
                        format!("'{name}' names no table of this query"),
                        None,
                    );
                    return;
                }
            },
            None => self
                .scopes
                .last()
                .map(|scope| scope.relations.clone())
                .unwrap_or_default(),
        };
        let mut items = Vec::new();
        let mut written = Vec::new();
        let merged = self.scopes.last().map(|scope| scope.merged.clone());
        let merged = merged.unwrap_or_default();
        for relation in &relations {
            for output in &relation.rows.columns {
                let seen = merged.contains(&output.name)
                    && columns.iter().any(|column| column.name == output.name);
                if path.is_none() && seen {
                    continue;
                }
                columns.push(Output {
                    at,
                    ..output.clone()
                });
                items.push(SelectItem::UnnamedExpr(Expr::CompoundIdentifier(vec![
                    self.dialect.ident(&relation.alias),
                    self.dialect.ident(&self.spelling(relation, output)),
                ])));
                written.push(output.name.clone());
            }
        }
        let tables: Vec<&str> = relations
            .iter()
            .filter(|relation| relation.table.is_some())
            .map(|relation| relation.alias.as_str())
            .collect();
        if tables.is_empty() {
            return;
        }
        for relation in relations.iter().filter(|relation| relation.table.is_some()) {
            let secret = relation.rows.columns.iter().find_map(|output| {
                let dimension = output.meaning.pii.as_ref()?;
                Some((dimension.clone(), output.name.clone()))
            });
            if let Some((dimension, column)) = secret {
                let others = relation.rows.columns.iter();
                let others = others.filter(|output| output.meaning.pii.is_none());
                let others: Vec<&str> = others.map(|output| output.name.as_str()).collect();
                self.block(
                    Code::Pii,
                    "*",
                    at,
                    format!("* would show {column}, which is personal data ({dimension})"),
                    Some(format!("name the columns: {}", others.join(", "))),
                );
                // Said once is enough.
                for output in columns.iter_mut() {
                    output.meaning.pii = None;
                }
                return;
            }
        }
        if items.is_empty() {
            self.unsupported_at("*", at, "* over a table without known columns");
            return;
        }
        self.note(
            Code::StarExpanded,
            "*",
            at,
            format!(
                "* stands for the columns that are known: {}",
                written.join(", ")
            ),
        );
        self.stars.insert(at, items);
    }

    /// A column as the definitions write it; what a query gives is folded already.
    fn spelling(&self, relation: &Relation, output: &Output) -> String {
        let column = relation
            .table
            .as_ref()
            .and_then(|table| self.known.tables.get(table)?.columns.get(&output.name));
        column.map_or_else(|| output.name.clone(), |column| column.name.clone())
    }

    /// The keys of `GROUP BY` as output columns: `None` where there is none, `Some(None)` where a key is not put out.
    #[allow(
        clippy::option_option,
        reason = "no GROUP BY, and one whose keys are not known, differ"
    )]
    fn group_by(
        &mut self,
        group_by: &GroupByExpr,
        columns: &[Output],
    ) -> Option<Option<Vec<String>>> {
        let (keys, modifiers) = match group_by {
            GroupByExpr::All(_) => {
                self.unsupported(group_by, "GROUP BY ALL");
                return Some(None);
            }
            GroupByExpr::Expressions(keys, modifiers) => (keys, modifiers),
        };
        for modifier in modifiers {
            if !matches!(
                modifier,
                GroupByWithModifier::Rollup
                    | GroupByWithModifier::Cube
                    | GroupByWithModifier::GroupingSets(_)
            ) {
                self.unsupported_at(modifier, group_by.span().start, "this GROUP BY");
            }
        }
        if keys.is_empty() {
            return modifiers.first().map(|_| None);
        }
        self.alias_use(AliasUse::Last);
        let mut found: Option<Vec<String>> = Some(Vec::new());
        for key in keys {
            self.no_personal_place(key, columns);
            let place = match key {
                Expr::Value(value) => match &value.value {
                    Value::Number(number, _) => number.parse::<usize>().ok(),
                    _ => None,
                },
                _ => None,
            };
            let name = match place {
                Some(place) => {
                    let column = place.checked_sub(1).and_then(|index| columns.get(index));
                    if column.is_none() {
                        self.block(
                            Code::UnknownColumn,
                            place,
                            key.span().start,
                            format!("GROUP BY {place}: there are {} columns", columns.len()),
                            None,
                        );
                    }
                    column.map(|column| column.name.clone())
                }
                None => {
                    let meaning = self.expr(key);
                    self.output_of(key, &meaning, columns)
                }
            };
            found = match (found, name) {
                (Some(mut names), Some(name)) => {
                    names.push(name);
                    Some(names)
                }
                _ => None,
            };
        }
        Some(found.filter(|_| modifiers.is_empty()))
    }

    /// The output column that a group key is: by its name, or because it puts out the same column.
    fn output_of(&self, key: &Expr, meaning: &Meaning, columns: &[Output]) -> Option<String> {
        let name = self.default_name(key);
        let text = self
            .scopes
            .last()
            .and_then(|scope| scope.texts.get(&key.to_string()));
        let same = |column: &&Output| {
            column.name == name
                || (!meaning.open
                    && !meaning.bases.is_empty()
                    && !column.meaning.open
                    && column.meaning.bases == meaning.bases
                    && column.meaning.constants == meaning.constants)
        };
        text.cloned()
            .or_else(|| columns.iter().find(same).map(|column| column.name.clone()))
    }
}

/// The output columns that pass a key of the tables on.
fn kept(
    keys: &[(String, String)],
    items: &[SelectItem],
    columns: &[Output],
    walk: &Walk,
) -> Option<Vec<String>> {
    let has_star = items.iter().any(|item| {
        matches!(
            item,
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
        )
    });
    let find = |(relation, column): &(String, String)| {
        if has_star {
            let found = columns.iter().find(|output| output.name == *column);
            return found.map(|output| output.name.clone());
        }
        items.iter().zip(columns).find_map(|(item, output)| {
            let expr = match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => expr,
                _ => return None,
            };
            let is_it = match expr {
                Expr::Identifier(name) => walk.fold(name) == *column,
                Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                    [first, name] => walk.fold(first) == *relation && walk.fold(name) == *column,
                    _ => false,
                },
                _ => false,
            };
            is_it.then(|| output.name.clone())
        })
    };
    keys.iter().map(find).collect()
}

/// The output columns by the text of their expression.
fn texts(items: &[SelectItem], columns: &[Output]) -> HashMap<String, String> {
    let text = |(item, output): (&SelectItem, &Output)| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            Some((expr.to_string(), output.name.clone()))
        }
        _ => None,
    };
    items.iter().zip(columns).filter_map(text).collect()
}

/// Where a statement as a whole stands.
pub(super) fn nowhere() -> Location {
    Location::new(0, 0)
}
