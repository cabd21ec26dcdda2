//! Walks a query once: what it reads, what one row of each part is, which columns are whose, and everything that rules are about.

use std::collections::{HashMap, HashSet};

use sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, ObjectName, Query, Select, SetExpr, Spanned,
    TableFactor, Visit, WindowType,
};
use sqlparser::tokenizer::Location;

use super::expr::{Column, column_of, conjuncts, in_one_form, path};
use super::facts::{
    AggregateMet, ComparisonMet, CteMet, JoinMet, NumberedMet, Reading, Side, met, reference_name,
};
use super::finding::At;
use super::known::{Known, Target};
use super::met::{Aggregated, Met, Names, aggregated, columns_in};
use super::output::is_reduced;
use super::template::Template;
use crate::model::{CanonicalDataset, Dataset};

/// What one part of the query gives.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// Its name, for messages.
    pub(super) what: String,
    /// The columns that tell its rows apart, where they are known; none for a single row.
    pub(super) grain: Option<Vec<String>>,
    /// Columns that are columns of a table.
    pub(super) columns: HashMap<String, Column>,
    /// The table of which every column is handed on.
    pub(super) all: Option<String>,
    /// Conditions that its rows meet, by table.
    pub(super) conditions: Vec<(String, String)>,
    /// The canonical dataset that its rows are, one by one.
    pub(super) canonical: Option<String>,
    /// Where each column of a table, or all of one, is handed on.
    pub(super) output: Vec<(Column, At)>,
    /// A join of those met so far that has multiplied its rows on both sides.
    pub(super) multiplied: Option<usize>,
    /// Columns that number the rows, each with the columns that it begins anew for.
    pub(super) numbered: HashMap<String, Vec<String>>,
}

impl Rows {
    pub(super) fn column(&self, name: &str) -> Option<Column> {
        self.columns.get(name).cloned().or_else(|| {
            Some(Column {
                base: self.all.clone()?,
                name: name.to_owned(),
            })
        })
    }
}

/// One relation of a `FROM`, by the name that its columns are called with.
pub(super) struct Relation {
    pub(super) alias: String,
    pub(super) rows: Rows,
    /// Whether a join has multiplied its rows, and which.
    pub(super) multiplied: Option<usize>,
}

pub(super) struct Walk<'a, 'k> {
    known: &'k Known<'a>,
    template: &'k Template,
    ctes: Vec<(String, Rows)>,
    /// Where a name of a `FROM` was met.
    seen: HashSet<At>,
    reading: Reading,
}

/// Walks a query.
pub(super) fn read(query: &Query, template: &Template, known: &Known<'_>) -> Reading {
    let mut walk = Walk {
        known,
        template,
        ctes: Vec::new(),
        seen: HashSet::new(),
        reading: Reading::default(),
    };
    let rows = walk.query(query);
    walk.overlooked(query);
    if let Some(grain) = &rows.grain {
        let columns = grain.iter().map(|name| {
            rows.column(name).unwrap_or_else(|| Column {
                base: String::new(),
                name: name.clone(),
            })
        });
        walk.reading.grain = Some(columns.collect());
    }
    walk.reading.output = rows.output;
    walk.reading
}

pub(super) fn at(location: Location) -> At {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    (number(location.line), number(location.column))
}

impl<'a> Walk<'a, '_> {
    fn query(&mut self, query: &Query) -> Rows {
        let visible = self.ctes.len();
        let is_recursive = query.with.as_ref().is_some_and(|with| with.recursive);
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let name = cte.alias.name.value.to_lowercase();
            // A recursive step may read itself; what it gives is not known yet.
            if is_recursive {
                self.ctes.push((name.clone(), Rows::default()));
            }
            let mut rows = self.query(&cte.query);
            rows.output.clear();
            if is_recursive {
                self.ctes.pop();
            }
            if !cte.alias.columns.is_empty() {
                rows = Rows::default();
            }
            self.reading.ctes.push(CteMet {
                name: cte.alias.name.value.clone(),
                at: at(cte.alias.name.span.start),
                canonical: rows.canonical.clone(),
            });
            if rows.canonical.is_none() || rows.what.is_empty() {
                rows.what = format!("the CTE {}", cte.alias.name.value);
            }
            self.ctes.push((name, rows));
        }
        let mut rows = self.body(&query.body);
        if query.limit_clause.is_some() || query.fetch.is_some() {
            rows.canonical = None;
        }
        self.ctes.truncate(visible);
        rows
    }

    fn body(&mut self, body: &SetExpr) -> Rows {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, right, .. } => {
                let (left, right) = (self.body(left), self.body(right));
                Rows {
                    output: left.output.into_iter().chain(right.output).collect(),
                    multiplied: left.multiplied.or(right.multiplied),
                    ..Rows::default()
                }
            }
            _ => Rows::default(),
        }
    }

    fn select(&mut self, select: &Select) -> Rows {
        let conditions: Vec<&Expr> = select.selection.iter().flat_map(conjuncts).collect();
        let mut relations: Vec<Relation> = Vec::new();
        let mut joins: Vec<JoinMet> = Vec::new();
        for from in &select.from {
            let first = self.factor(&from.relation, &mut relations);
            if relations.len() > 1 && first {
                self.joined(
                    &conditions,
                    from.relation.span().start,
                    &mut relations,
                    &mut joins,
                );
            }
            for join in &from.joins {
                let added = self.factor(&join.relation, &mut relations);
                if added {
                    self.join(join, &conditions, &mut relations, &mut joins);
                }
            }
        }
        self.expressions(select, &conditions, &relations, &mut joins);
        let is_multiplied = !joins.is_empty();
        let before = self.reading.joins.len();
        let own = joins.iter().position(|join| join.is_both);
        let inherited = || relations.iter().find_map(|one| one.rows.multiplied);
        let multiplied = own.map(|at| before + at).or_else(inherited);
        self.reading.joins.extend(joins);
        let mut rows = self.output(select, &conditions, relations, is_multiplied);
        rows.multiplied = multiplied.filter(|_| !is_reduced(select));
        rows
    }

    /// Adds what stands in a `FROM`; whether something was added that has columns.
    fn factor(&mut self, factor: &TableFactor, relations: &mut Vec<Relation>) -> bool {
        let (rows, alias) = match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                ..
            } => {
                let (rows, last) = self.table(name);
                (
                    rows,
                    alias
                        .as_ref()
                        .map_or(last, |alias| alias.name.value.to_lowercase()),
                )
            }
            TableFactor::Derived {
                subquery, alias, ..
            } => {
                let mut rows = self.query(subquery);
                rows.output.clear();
                let alias = alias.as_ref().map(|alias| alias.name.value.clone());
                let alias = alias.unwrap_or_default();
                if rows.what.is_empty() {
                    rows.what = format!("the subquery {alias}").trim_end().to_owned();
                }
                (rows, alias.to_lowercase())
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => {
                let mut added = self.factor(&table_with_joins.relation, relations);
                for join in &table_with_joins.joins {
                    added |= self.factor(&join.relation, relations);
                }
                return added;
            }
            TableFactor::Pivot { table, .. }
            | TableFactor::Unpivot { table, .. }
            | TableFactor::MatchRecognize { table, .. } => {
                // What it reads counts; its rows and columns are others.
                self.factor(table, &mut Vec::new());
                (Rows::default(), String::new())
            }
            TableFactor::Table { name, .. } => {
                // A function that gives rows.
                self.seen.extend(place_of(name));
                (Rows::default(), String::new())
            }
            _ => (Rows::default(), String::new()),
        };
        relations.push(Relation {
            alias,
            rows,
            multiplied: None,
        });
        true
    }

    /// A table by name: what it gives, and its last name.
    fn table(&mut self, name: &ObjectName) -> (Rows, String) {
        let parts: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
            return Default::default();
        };
        let place = at(first.span.start);
        self.seen.insert(place);
        let called = last.value.to_lowercase();
        let cte = self.ctes.iter().rev().find(|(name, _)| *name == called);
        if let (Some((_, rows)), 1) = (cte, parts.len()) {
            return (rows.clone(), called);
        }
        let names: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
        let written = names.join(".");
        let (target, written, name, is_table) = match self.template.names.get(&first.value) {
            Some(reference) if parts.len() == 1 => (
                self.known.reference(reference),
                reference.written(),
                reference_name(reference),
                false,
            ),
            // Only dbt knows the database; what follows may tell enough.
            Some(_) => {
                let rest = names.get(1..).unwrap_or_default().join(".");
                let target = match self.known.table(&rest) {
                    known @ Target::Raw(_) => known,
                    known if rest.contains('.') => known,
                    _ => Target::Unknown,
                };
                let is_known = !matches!(target, Target::Unknown);
                let name = if is_known { rest } else { String::new() };
                (target, written, name, false)
            }
            None => (self.known.table(&written), written.clone(), written, true),
        };
        let called = match is_table {
            true => called,
            false => name.rsplit('.').next().unwrap_or_default().to_lowercase(),
        };
        let reading = met(target, written, name, place, is_table);
        let rows = match target {
            Target::Canonical(one) => self.rows_of(one),
            Target::Dataset(dataset) => rows_of_dataset(dataset),
            _ => Rows {
                what: reading.written.clone(),
                ..Rows::default()
            },
        };
        self.reading.reads.push(reading);
        (rows, called)
    }

    /// Reads the names that stand where the walk does not go, such as in an `ORDER BY`, without judging their rows.
    fn overlooked(&mut self, query: &Query) {
        let mut names = Names::default();
        let _ = query.visit(&mut names);
        for name in names.relations {
            let is_cte = match name.0.as_slice() {
                [only] => only
                    .as_ident()
                    .is_some_and(|only| names.ctes.contains(&only.value.to_lowercase())),
                _ => false,
            };
            let is_seen = place_of(&name).is_none_or(|place| self.seen.contains(&place));
            if !is_cte && !is_seen {
                self.table(&name);
            }
        }
    }

    fn rows_of(&self, one: &'a CanonicalDataset) -> Rows {
        let dataset = one.dataset();
        let dataset = dataset.and_then(|name| self.known.registry.datasets.get(name));
        let column = |name: &String| match dataset {
            Some(dataset) => column_of(dataset, name),
            None => name.to_lowercase(),
        };
        Rows {
            what: one.name.clone(),
            grain: (!one.grain.is_empty()).then(|| one.grain.iter().map(column).collect()),
            all: Some(dataset.map_or_else(|| one.name.clone(), |dataset| dataset.name.clone())),
            canonical: Some(one.name.clone()),
            ..Rows::default()
        }
    }

    fn expressions(
        &mut self,
        select: &Select,
        conditions: &[&Expr],
        relations: &[Relation],
        joins: &mut Vec<JoinMet>,
    ) {
        let mut met = Met::default();
        let _ = select.projection.visit(&mut met);
        let _ = select.selection.visit(&mut met);
        let _ = select.group_by.visit(&mut met);
        let _ = select.having.visit(&mut met);
        let _ = select.qualify.visit(&mut met);
        for join in select.from.iter().flat_map(|from| &from.joins) {
            if let JoinOperator::Join(JoinConstraint::On(on))
            | JoinOperator::Inner(JoinConstraint::On(on))
            | JoinOperator::Left(JoinConstraint::On(on))
            | JoinOperator::LeftOuter(JoinConstraint::On(on)) = &join.join_operator
            {
                let _ = on.visit(&mut met);
            }
        }
        let resolve = |names: &[String]| self.resolve(names, relations).map(|(_, column)| column);
        let mut aggregates = Vec::new();
        let mut numbered = Vec::new();
        // Aggregates over rows that a part read here has multiplied.
        let mut inherited = Vec::new();
        for function in &met.functions {
            let name = function.name.to_string().to_lowercase();
            let place = at(function.span().start);
            if let (Some(WindowType::WindowSpec(over)), "row_number") =
                (&function.over, name.as_str())
            {
                let by: Vec<_> = over.partition_by.iter().filter_map(path).collect();
                if let [only] = relations
                    && let Some(grain) = only.rows.grain.as_ref().filter(|keys| !keys.is_empty())
                    && only.rows.canonical.is_some()
                    && grain
                        .iter()
                        .all(|key| by.iter().any(|names| names.last() == Some(key)))
                {
                    let side = Side {
                        what: only.rows.what.clone(),
                        grain: grain.clone(),
                    };
                    numbered.push(NumberedMet { at: place, side });
                }
            }
            if function.over.is_some() {
                continue;
            }
            let Aggregated {
                argument,
                distinct,
                conditions: inside,
            } = aggregated(function);
            if matches!(name.as_str(), "sum" | "avg" | "count") && !distinct {
                let counted: Vec<&Relation> = match &argument {
                    Some(expr) => {
                        let columns = columns_in(expr).into_iter();
                        columns
                            .filter_map(|names| self.relation_of(&names, relations))
                            .collect()
                    }
                    None => relations.iter().collect(),
                };
                let aggregate = || (function.to_string(), place);
                let multiplied = counted.iter().find_map(|one| one.multiplied);
                if let Some(join) = multiplied.and_then(|join| joins.get_mut(join))
                    // Of rows as such, those of the other side may be meant.
                    && (argument.is_some() || join.is_both)
                {
                    join.aggregate.get_or_insert_with(aggregate);
                }
                let multiplied = counted.iter().find_map(|one| one.rows.multiplied);
                inherited.extend(multiplied.map(|join| (join, aggregate())));
            }
            let (base, form) = match &argument {
                Some(expr) => match in_one_form(expr, &resolve) {
                    Some((base, form)) => (base, Some(form)),
                    None => continue,
                },
                None => match relations {
                    [only] => match &only.rows.all {
                        Some(base) => (base.clone(), None),
                        None => continue,
                    },
                    _ => continue,
                },
            };
            let own = conditions
                .iter()
                .filter_map(|one| in_one_form(one, &resolve));
            let inherited = relations.iter().flat_map(|one| one.rows.conditions.clone());
            let inside = inside.iter().map(|one| in_one_form(one, &resolve));
            // A condition of its own that cannot be compared makes it another number.
            let Some(inside) = inside.collect::<Option<Vec<_>>>() else {
                continue;
            };
            let held = own.chain(inherited).chain(inside);
            let held = held.filter(|(of, _)| *of == base);
            aggregates.push(AggregateMet {
                at: place,
                text: function.to_string(),
                function: name,
                distinct,
                conditions: held.map(|(_, condition)| condition).collect(),
                base,
                argument: form,
            });
        }
        let comparisons = met.comparisons.iter().filter_map(|(names, value, place)| {
            if self.template.has_tag(value) {
                return None;
            }
            Some(ComparisonMet {
                at: *place,
                column: resolve(names)?,
                value: value.clone(),
            })
        });
        let comparisons: Vec<_> = comparisons.collect();
        // What only handed one side on without counting it stands against nobody, nor what counts every row once.
        let is_reduced = is_reduced(select);
        joins.retain(|join| join.aggregate.is_some() || join.is_both && !is_reduced);
        for (join, aggregate) in inherited {
            if let Some(join) = self.reading.joins.get_mut(join) {
                join.aggregate.get_or_insert(aggregate);
            }
        }
        self.reading.aggregates.extend(aggregates);
        self.reading.numbered.extend(numbered);
        self.reading.comparisons.extend(comparisons);
        for query in met.queries {
            self.query(&query);
        }
    }

    /// The relation that a name is of, also where it is computed there.
    fn relation_of<'r>(&self, names: &[String], relations: &'r [Relation]) -> Option<&'r Relation> {
        if let Some((index, _)) = self.resolve(names, relations) {
            return relations.get(index);
        }
        match (names, relations) {
            ([.., alias, _], _) => relations.iter().find(|one| one.alias == *alias),
            ([_], [only]) => Some(only),
            _ => None,
        }
    }

    /// The relation and the column that a name means.
    pub(super) fn resolve(
        &self,
        names: &[String],
        relations: &[Relation],
    ) -> Option<(usize, Column)> {
        let all = || relations.iter().enumerate();
        match names {
            [name] => {
                let named = |rows: &Rows| rows.columns.get(name).cloned();
                let mut found = all().filter_map(|(at, one)| Some((at, named(&one.rows)?)));
                if let Some(only) = found.next() {
                    return found.next().is_none().then_some(only);
                }
                let knows = |one: &Relation| {
                    one.rows
                        .all
                        .as_deref()
                        .is_some_and(|base| self.has(base, name))
                };
                let mut open = all().filter(|(_, one)| one.rows.all.is_some());
                let mut likely = all().filter(|(_, one)| knows(one));
                let (index, relation) = match (open.next(), open.next()) {
                    (Some(only), None) => only,
                    _ => match (likely.next(), likely.next()) {
                        (Some(only), None) => only,
                        _ => return None,
                    },
                };
                Some((index, relation.rows.column(name)?))
            }
            [.., alias, name] => {
                let (index, relation) = all().find(|(_, one)| one.alias == *alias)?;
                Some((index, relation.rows.column(name)?))
            }
            [] => None,
        }
    }

    /// Whether a relation is known to have a column.
    pub(super) fn knows(&self, relation: &Relation, column: &str) -> bool {
        let rows = &relation.rows;
        rows.columns.contains_key(column)
            || rows
                .all
                .as_deref()
                .is_some_and(|base| self.has(base, column))
    }

    /// Whether the definitions name a column of a dataset.
    fn has(&self, base: &str, column: &str) -> bool {
        let Some(dataset) = self.known.registry.datasets.get(base) else {
            return false;
        };
        let canonical = self.known.registry.canonical_of(base);
        let mut columns = dataset
            .dimensions
            .values()
            .filter_map(|one| one.column.as_ref());
        let mut joined = dataset.joins.values().flat_map(|join| &join.on);
        let is = |name: &String| name.eq_ignore_ascii_case(column);
        columns.any(is)
            || dataset.key.iter().any(is)
            || joined.any(|(here, _)| is(here))
            || canonical.is_some_and(|one| one.attributes.keys().any(is))
    }
}

fn place_of(name: &ObjectName) -> Option<At> {
    let first = name.0.first()?.as_ident()?;
    Some(at(first.span.start))
}

fn rows_of_dataset(dataset: &Dataset) -> Rows {
    let key = dataset.key.iter().map(|key| key.to_lowercase());
    Rows {
        what: dataset.name.clone(),
        grain: (!dataset.key.is_empty()).then(|| key.collect()),
        all: Some(dataset.name.clone()),
        ..Rows::default()
    }
}
