//! What a registry needs indexed: dimensions, columns of metric filters, and the keys that joins rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Visit, VisitMut, Visitor, VisitorMut};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use crate::model::{AnalysisValues, Dataset, Dimension, DimensionType, Registry, Relation};
use crate::warehouse::Dialect;

/// One thing to look at in the warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexColumn {
    /// The table, as [`Dataset::index_table`] names it.
    pub table: String,
    /// The column, as [`Dimension::index_column`] names it.
    pub column: String,
    /// What to do.
    pub task: Task,
    relation: Relation,
    /// The query of single engines.
    dialects: Vec<(String, String)>,
}

/// What to do with a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Collect the distinct values.
    Values {
        /// SQL over the table's columns; `None` is the column itself.
        expr: Option<String>,
        /// What the values are.
        kind: DimensionType,
    },
    /// Personal data: remove what was ever collected, and ask nothing.
    Forget,
    /// Look whether these columns identify one row.
    Key(Vec<String>),
}

impl IndexColumn {
    /// What comes after `FROM`.
    pub(super) fn source(&self, dialect: Dialect) -> String {
        match &self.relation {
            Relation::Table(table) => dialect.table(table),
            Relation::Sql(sql) => {
                let mut own = self.dialects.iter();
                let own = own.find(|(engine, _)| engine == dialect.word());
                let sql = own.map_or(sql, |(_, own)| own).trim().trim_end_matches(';');
                format!("(\n{sql}\n) AS {}", dialect.name(&self.table))
            }
        }
    }
}

/// An expression with its names quoted where the engine needs that.
pub(super) fn quoted(text: &str, dialect: Dialect) -> String {
    struct Quote(Dialect);
    impl VisitorMut for Quote {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if let Expr::Identifier(ident) = expr {
                *ident = self.0.ident(&ident.value);
            }
            ControlFlow::Continue(())
        }
    }
    let Some(mut expr) = parse(text) else {
        return text.to_owned();
    };
    let _ = VisitMut::visit(&mut expr, &mut Quote(dialect));
    expr.to_string()
}

/// Everything a registry needs: every dimension except times, the columns that metric filters name, `pii` columns to
/// forget, and the key of every dataset that is joined to.
///
/// Left out, so that any literal passes there: expressions whose SQL depends on the compiler (divisions, typed
/// literals), and names under which one table has two different expressions.
pub fn plan(registry: &Registry) -> Vec<IndexColumn> {
    let mut found: BTreeMap<(String, String), Option<IndexColumn>> = BTreeMap::new();
    let mut add = |dataset: &Dataset, column: &str, task: Task| {
        let new = IndexColumn {
            table: dataset.index_table().into_owned(),
            column: column.to_owned(),
            task,
            relation: dataset.relation.clone(),
            dialects: dataset.dialects.clone(),
        };
        let known = found
            .entry((new.table.clone(), new.column.clone()))
            .or_insert_with(|| Some(new.clone()));
        let Some(old) = known else { return };
        match (&old.task, &new.task) {
            (Task::Forget, _) => {}
            (_, Task::Forget) => *known = Some(new),
            (Task::Values { expr: one, .. }, Task::Values { expr: other, .. }) if one != other => {
                *known = None
            }
            _ => {}
        }
    };
    let mut known_values = Vec::new();
    for dataset in registry.datasets.values() {
        for dimension in dataset.dimensions.values() {
            match (task(dimension), registry.analyses.get(&dataset.name)) {
                (Some(task), None) | (Some(task @ Task::Forget), Some(_)) => {
                    add(dataset, &dimension.index_column(), task);
                }
                // An analysis is not computed for the values of its dimensions.
                (Some(Task::Values { kind, .. }), Some(analysis)) => {
                    let values = analysis.values.get(&dimension.name);
                    known_values.extend(values.and_then(|values| {
                        of_analysis(registry, (dataset, dimension), values, kind)
                    }));
                }
                (Some(_), Some(_)) | (None, _) => {}
            }
        }
    }
    for (dataset, column) in filter_columns(registry) {
        add(
            dataset,
            &column,
            Task::Values {
                expr: None,
                kind: DimensionType::Text,
            },
        );
    }
    let mut columns: Vec<_> = found.into_values().flatten().collect();
    columns.append(&mut known_values);
    columns.extend(keys(registry));
    columns
}

/// The values of a dimension of an analysis, from where they are known.
fn of_analysis(
    registry: &Registry,
    (dataset, dimension): (&Dataset, &Dimension),
    values: &AnalysisValues,
    kind: DimensionType,
) -> Option<IndexColumn> {
    let (relation, dialects, expr) = match values {
        AnalysisValues::These(values) => {
            let column = dimension.column.as_deref()?;
            let rows = values.iter().map(|value| {
                let value = value.replace('\'', "''");
                format!("SELECT '{value}' AS {column}")
            });
            let rows: Vec<String> = rows.collect();
            (Relation::Sql(rows.join(" UNION ALL ")), Vec::new(), None)
        }
        AnalysisValues::Of(source, name) => {
            let source = registry.datasets.get(source)?;
            let of = source.dimension(name)?;
            let expr = match &of.column {
                Some(column) => column.clone(),
                None => verbatim(&of.expr.text)?,
            };
            (source.relation.clone(), source.dialects.clone(), Some(expr))
        }
    };
    Some(IndexColumn {
        table: dataset.index_table().into_owned(),
        column: dimension.index_column().into_owned(),
        task: Task::Values { expr, kind },
        relation,
        dialects,
    })
}

fn task(dimension: &Dimension) -> Option<Task> {
    if dimension.pii {
        return Some(Task::Forget);
    }
    if dimension.kind.is_time() || dimension.of_metric.is_some() {
        return None;
    }
    let expr = match &dimension.column {
        Some(_) => None,
        None => Some(verbatim(&dimension.expr.text)?),
    };
    Some(Task::Values {
        expr,
        kind: dimension.kind,
    })
}

/// An expression that every engine reads as it is written; `None` for one that the compiler would change.
fn verbatim(text: &str) -> Option<String> {
    struct Changed;
    impl Visitor for Changed {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::BinaryOp {
                    op: BinaryOperator::Divide,
                    ..
                }
                | Expr::TypedString(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    parse(text)?
        .visit(&mut Changed)
        .is_continue()
        .then(|| text.to_owned())
}

/// Columns that metric filters name and that no dimension of their dataset covers.
fn filter_columns(registry: &Registry) -> Vec<(&Dataset, String)> {
    let sources = registry
        .metrics
        .values()
        .flat_map(|metric| metric.kind.sources());
    let mut columns = Vec::new();
    for measure in sources.flat_map(|source| &source.measures) {
        let Some(dataset) = registry.datasets.get(&measure.dataset) else {
            continue;
        };
        for name in measure
            .filters
            .iter()
            .flat_map(|filter| names(&filter.text))
        {
            // Names of several parts lead through joins to dimensions, which are planned already.
            let covered = dataset.dimensions.values().any(|dimension| {
                dimension.name == name || dimension.column.as_ref() == Some(&name)
            });
            if !covered {
                columns.push((dataset, name));
            }
        }
    }
    columns
}

/// The bare names in an expression.
fn names(text: &str) -> Vec<String> {
    struct Names(Vec<String>);
    impl Visitor for Names {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let Expr::Identifier(ident) = expr {
                self.0.push(ident.value.clone());
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names(Vec::new());
    if let Some(expr) = parse(text) {
        let _ = expr.visit(&mut names);
    }
    names.0
}

fn parse(text: &str) -> Option<Expr> {
    Parser::new(&GenericDialect {})
        .try_with_sql(text)
        .ok()?
        .parse_expr()
        .ok()
}

/// The keys of datasets that others join to: a key that is not unique would multiply rows.
fn keys(registry: &Registry) -> Vec<IndexColumn> {
    let joins = registry
        .datasets
        .values()
        .flat_map(|dataset| dataset.joins.values());
    let targets: BTreeSet<&str> = joins.map(|join| join.to.as_str()).collect();
    let targets = targets
        .into_iter()
        .filter_map(|name| registry.datasets.get(name));
    targets
        .filter(|dataset| !dataset.key.is_empty())
        .map(|dataset| IndexColumn {
            table: dataset.index_table().into_owned(),
            column: dataset.key.join(", "),
            task: Task::Key(dataset.key.clone()),
            relation: dataset.relation.clone(),
            dialects: dataset.dialects.clone(),
        })
        .collect()
}
