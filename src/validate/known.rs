//! What the definitions say about the warehouse: tables, columns, keys, joins, and the dimensions behind columns.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Visit, Visitor};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::meaning::{Base, Rows};
use super::walk::Walk;
use super::{Rules, parse};
use crate::model::{Dataset, DimensionType, Expression, MetricKind, Registry, Relation};
use crate::warehouse::Dialect;

/// A dimension that a column is the source of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where the value index files it.
    pub(super) table: String,
    pub(super) column: String,
    pub(super) dimension: String,
    pub(super) kind: DimensionType,
    pub(super) pii: bool,
}

/// A column of a table.
#[derive(Debug, Clone, Default)]
pub(super) struct Column {
    /// As the definitions write it.
    pub(super) name: String,
    pub(super) entries: Vec<Entry>,
}

/// A table, or the query of a dataset.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// As the definitions write it.
    pub(super) name: String,
    /// By folded name, in the order in which they were met.
    pub(super) columns: indexmap::IndexMap<String, Column>,
    /// Folded columns of which no two rows have the same values.
    pub(super) key: Option<Vec<String>>,
    /// Whether the list of columns is the warehouse's own.
    pub(super) complete: bool,
}

/// Everything that is known.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By folded name.
    pub(super) tables: BTreeMap<String, Table>,
    /// The tables that may be read, folded; `None` for all.
    pub(super) narrow: Option<BTreeSet<String>>,
    /// Queries of datasets, as the parser prints them, with the dataset's name in `tables`.
    pub(super) queries: HashMap<String, String>,
    /// Pairs of columns that a join of the definitions pairs, in both directions.
    pub(super) edges: HashSet<(Base, Base)>,
    /// Functions that the definitions call themselves.
    pub(super) functions: HashSet<String>,
    /// Joins of the snippet, see `joins`.
    pub(super) joins: HashSet<String>,
}

/// A name of the definitions as the engine folds names.
pub(super) fn fold(name: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Postgres | Dialect::Clickhouse => name.to_owned(),
        _ => name.to_ascii_lowercase(),
    }
}

impl Known {
    /// Collects it from the definitions, then from the snippet.
    pub(super) fn collect(rules: &Rules<'_>) -> Self {
        let mut known = Self::default();
        for dataset in rules.registry.datasets.values() {
            known.add_dataset(dataset, rules.dialect);
        }
        known.add_expressions(rules.registry, rules.dialect);
        known.add_edges(rules.registry, rules.dialect);
        for dataset in rules.registry.datasets.values() {
            if let Some(sql) = dataset.sql(rules.dialect) {
                known = known.learn_query(dataset, sql, rules.dialect);
            }
        }
        let mut snippets = BTreeSet::new();
        for metric in rules.registry.metrics.values() {
            if let MetricKind::Complex {
                snippet, tables, ..
            } = &metric.kind
            {
                for table in tables {
                    known.table(table, rules.dialect);
                }
                snippets.insert(snippet);
            }
        }
        known.add_schema(rules);
        let own = rules.snippet;
        let texts = snippets
            .into_iter()
            .filter_map(|name| rules.registry.snippets.get(name))
            .map(|snippet| snippet.text.as_str());
        for text in texts.filter(|text| Some(*text) != own).chain(own) {
            known = known.learn_snippet(text, Some(text) == own, rules.dialect);
        }
        known.narrow = rules.tables.map(|tables| known.named(tables, rules));
        known
    }

    /// The table of that name, made where it is new.
    pub(super) fn table(&mut self, name: &str, dialect: Dialect) -> &mut Table {
        let new = || Table {
            name: name.to_owned(),
            ..Table::default()
        };
        self.tables.entry(fold(name, dialect)).or_insert_with(new)
    }

    /// The dimensions that a column is the source of.
    pub(super) fn entries(&self, base: &Base) -> &[Entry] {
        self.tables
            .get(&base.table)
            .and_then(|table| table.columns.get(&base.column))
            .map_or(&[], |column| column.entries.as_slice())
    }

    /// The personal data that a column is.
    pub(super) fn pii(&self, base: &Base) -> Option<String> {
        let entry = self.entries(base).iter().find(|entry| entry.pii)?;
        Some(entry.dimension.clone())
    }

    /// `orders.status`, as the definitions write it.
    pub(super) fn written(&self, base: &Base) -> String {
        let table = self.tables.get(&base.table);
        let column = table.and_then(|table| table.columns.get(&base.column));
        format!(
            "{}.{}",
            table.map_or(base.table.as_str(), |table| table.name.as_str()),
            column.map_or(base.column.as_str(), |column| column.name.as_str())
        )
    }

    /// The tables that a list names; a dataset's name stands for the tables it reads.
    fn named(&self, names: &[String], rules: &Rules<'_>) -> BTreeSet<String> {
        let mut tables = BTreeSet::new();
        for name in names {
            tables.insert(fold(name, rules.dialect));
            if let Some(dataset) = rules.registry.datasets.get(name) {
                match (&dataset.relation, dataset.sql(rules.dialect)) {
                    (Relation::Table(table), _) => {
                        tables.insert(fold(table, rules.dialect));
                    }
                    (Relation::Sql(_), sql) => {
                        if let Some(Ok(query)) = sql.map(|sql| parse::query(sql, rules.dialect)) {
                            let mut walk = Walk::learning(Self::default(), rules.dialect);
                            tables.extend(walk.statement(&query).tables);
                        }
                    }
                }
            }
        }
        tables
    }

    fn add_dataset(&mut self, dataset: &Dataset, dialect: Dialect) {
        let index_table = dataset.index_table();
        let mut functions = Vec::new();
        let table = self.table(&index_table, dialect);
        if let Relation::Sql(_) = dataset.relation {
            dataset.name.clone_into(&mut table.name);
        }
        let mut names: Vec<&str> = dataset.key.iter().map(String::as_str).collect();
        if !dataset.key.is_empty() {
            table.key = Some(names.iter().map(|name| fold(name, dialect)).collect());
        }
        for join in dataset.joins.values() {
            names.extend(join.on.iter().map(|(here, _)| here.as_str()));
        }
        for name in names {
            table.column(name, dialect);
        }
        let dimensions = dataset.dimensions.values();
        for dimension in dimensions.filter(|dimension| dimension.of_metric.is_none()) {
            let entry = Entry {
                table: index_table.clone().into_owned(),
                column: dimension.index_column().into_owned(),
                dimension: dimension.name.clone(),
                kind: dimension.kind,
                pii: dimension.pii,
            };
            match &dimension.column {
                Some(column) => table.column(column, dialect).entries.push(entry),
                None => {
                    let names = names_of(&dimension.expr);
                    for name in names.columns {
                        let column = table.column(&name, dialect);
                        // Personal data stays personal data when it is read column by column.
                        if dimension.pii {
                            column.entries.push(entry.clone());
                        }
                    }
                    functions.extend(names.functions);
                }
            }
        }
        self.functions.extend(functions);
    }

    fn add_expressions(&mut self, registry: &Registry, dialect: Dialect) {
        let sources = registry
            .metrics
            .values()
            .flat_map(|metric| metric.kind.sources());
        let mut seen = HashSet::new();
        for measure in sources.flat_map(|source| &source.measures) {
            let Some(dataset) = registry.datasets.get(&measure.dataset) else {
                continue;
            };
            for expression in measure.filters.iter().chain(&measure.expr) {
                if !seen.insert((&measure.dataset, &expression.text)) {
                    continue;
                }
                let names = names_of(expression);
                self.functions.extend(names.functions);
                let table = self.table(&dataset.index_table(), dialect);
                for name in names.columns {
                    // A bare name is the dataset's dimension first.
                    if !dataset.dimensions.contains_key(&name) {
                        table.column(&name, dialect);
                    }
                }
            }
        }
    }

    fn add_schema(&mut self, rules: &Rules<'_>) {
        for info in rules.schema.into_iter().flatten() {
            let Some(table) = self.tables.get_mut(&fold(&info.name, rules.dialect)) else {
                continue;
            };
            let mut columns = indexmap::IndexMap::new();
            for column in &info.columns {
                let key = fold(&column.name, rules.dialect);
                let entries = table.columns.get(&key).map(|known| known.entries.clone());
                let column = Column {
                    name: column.name.clone(),
                    entries: entries.unwrap_or_default(),
                };
                columns.insert(key, column);
            }
            table.columns = columns;
            table.complete = true;
            if table.key.is_none() && !info.primary_key.is_empty() {
                let key = info.primary_key.iter();
                table.key = Some(key.map(|name| fold(name, rules.dialect)).collect());
            }
        }
    }

    /// Reads the query of a dataset: its tables, their columns, and which of them the dataset's dimensions come from.
    fn learn_query(self, dataset: &Dataset, sql: &str, dialect: Dialect) -> Self {
        let Ok(query) = parse::query(sql, dialect) else {
            return self;
        };
        let mut walk = Walk::learning(self, dialect);
        let rows = walk.statement(&query);
        let mut known = walk.known;
        let name = fold(&dataset.index_table(), dialect);
        known.queries.insert(query.to_string(), name.clone());
        known.functions.extend(walk.functions);
        known.inherit(&name, &rows);
        known
    }

    /// Columns that a dataset's query passes on are sources of its dimensions and ends of its joins, too.
    fn inherit(&mut self, dataset: &str, rows: &Rows) {
        for output in &rows.columns {
            let base = Base {
                table: dataset.to_owned(),
                column: output.name.clone(),
            };
            let entries = self.entries(&base).to_vec();
            let keys: Vec<Base> = self
                .edges
                .iter()
                .filter(|(from, _)| *from == base)
                .map(|(_, key)| key.clone())
                .collect();
            for source in &output.meaning.bases {
                for key in &keys {
                    self.edges.insert((source.clone(), key.clone()));
                    self.edges.insert((key.clone(), source.clone()));
                }
                let column = self
                    .tables
                    .get_mut(&source.table)
                    .and_then(|table| table.columns.get_mut(&source.column));
                if let Some(column) = column {
                    let new = entries
                        .iter()
                        .filter(|entry| !column.entries.contains(entry))
                        .cloned()
                        .collect::<Vec<_>>();
                    column.entries.extend(new);
                }
            }
        }
    }

    fn learn_snippet(self, text: &str, own: bool, dialect: Dialect) -> Self {
        let Ok(query) = parse::query(text, dialect) else {
            return self;
        };
        let mut walk = Walk::learning(self, dialect);
        walk.statement(&query);
        let mut known = walk.known;
        if own {
            known.joins.extend(walk.joins);
            known.functions.extend(walk.functions);
        }
        known
    }

    fn add_edges(&mut self, registry: &Registry, dialect: Dialect) {
        for dataset in registry.datasets.values() {
            for join in dataset.joins.values() {
                let Some(to) = registry.datasets.get(&join.to) else {
                    continue;
                };
                for (here, there) in &join.on {
                    let base = |dataset: &Dataset, column: &str| Base {
                        table: fold(&dataset.index_table(), dialect),
                        column: fold(column, dialect),
                    };
                    let (here, there) = (base(dataset, here), base(to, there));
                    self.edges.insert((here.clone(), there.clone()));
                    self.edges.insert((there, here));
                }
            }
        }
    }

    /// Whether it makes sense to pair two columns: a join pairs them, both join onto the same key, or both are the same
    /// column or the same dimension.
    pub(super) fn is_related(&self, one: &Base, other: &Base) -> bool {
        let same_key = || {
            let keys = self.edges.iter().filter(|(from, _)| from == one);
            keys.into_iter()
                .any(|(_, key)| self.edges.contains(&(other.clone(), key.clone())))
        };
        let same_dimension = || {
            let others = self.entries(other);
            self.entries(one).iter().any(|entry| {
                others
                    .iter()
                    .any(|other| other.dimension == entry.dimension)
            })
        };
        one == other
            || self.edges.contains(&(one.clone(), other.clone()))
            || same_key()
            || same_dimension()
    }

    /// Whether a column identifies something: it is part of a key or of a join.
    pub(super) fn is_key(&self, base: &Base) -> bool {
        self.edges.iter().any(|(from, _)| from == base)
            || self
                .tables
                .get(&base.table)
                .and_then(|table| table.key.as_ref())
                .is_some_and(|key| key.contains(&base.column))
    }
}

impl Table {
    /// The column of that name, made where it is new.
    pub(super) fn column(&mut self, name: &str, dialect: Dialect) -> &mut Column {
        let new = || Column {
            name: name.to_owned(),
            ..Column::default()
        };
        self.columns.entry(fold(name, dialect)).or_insert_with(new)
    }
}

/// The names in an expression of the definitions.
#[derive(Default)]
struct Names {
    /// Bare ones.
    columns: Vec<String>,
    functions: Vec<String>,
}

fn names_of(expression: &Expression) -> Names {
    let mut names = Names::default();
    let parsed = Parser::new(&GenericDialect {})
        .try_with_sql(&expression.text)
        .and_then(|mut parser| parser.parse_expr());
    if let Ok(expr) = parsed {
        let _ = expr.visit(&mut names);
    }
    names
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => self.columns.push(ident.value.clone()),
            Expr::Function(function) => self
                .functions
                .push(function.name.to_string().to_lowercase()),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
