//! What the table of a rollup holds: a column for the period and each dimension, one or two for each aggregation, and the
//! number of rows behind each of them. Everything is kept as the engine has it, so that nothing is rounded twice.

use jiff::civil::Date;
use xxhash_rust::xxh3::xxh3_64;

use super::leaves::{leaves, refused};
use super::{RollupTable, Stored, StoredLeaf};
use crate::compile::key::{column_type, leaf_type, time_of};
use crate::compile::plan::{Aggregate as Grouped, Column, Node, Scan, Sort};
use crate::compile::scope::Scope;
use crate::compile::write::Fragment;
use crate::compile::{
    CompileError, CompileOptions, DimensionPath, Reachability, Templates, filter, output,
};
use crate::model::{Aggregate, ColumnType, DateRange, Expression, Measure, Registry, Rollup};

/// A column that is aggregated: its name, and the measure it is.
struct Kept {
    name: String,
    measure: Measure,
    filters: Vec<String>,
}

/// What a rollup is laid out with.
struct Layout<'a> {
    registry: &'a Registry,
    reach: &'a Reachability,
    templates: &'a Templates,
    options: &'a CompileOptions<'a>,
    rollup: &'a Rollup,
    measures: Vec<(String, Measure)>,
}

impl RollupTable {
    /// Lays out the table of a rollup.
    ///
    /// # Errors
    /// A metric that does not add up, or a dimension that cannot be reached.
    pub fn new(
        registry: &Registry,
        reach: &Reachability,
        templates: &Templates,
        rollup: &Rollup,
        options: &CompileOptions<'_>,
    ) -> Result<Self, CompileError> {
        let layout = Layout {
            registry,
            reach,
            templates,
            options,
            rollup,
            measures: leaves(registry, rollup)?,
        };
        let mut table = layout.keys()?;
        let columns = layout.columns(&mut table, "rows");
        let draft = layout.select(&table, &columns, None)?;
        table.definition = format!("{:016x}", xxh3_64(draft.as_bytes()));
        let rows = rows_name(&table.definition);
        let columns = layout.columns(&mut table, &rows);
        table.sql = layout.select(&table, &columns, None)?;
        table.selected = layout.types(&table, &columns)?;
        Ok(table)
    }

    /// A `SELECT` of its rows from a day on, which is the first of a period.
    ///
    /// # Errors
    /// As for [`RollupTable::new`].
    pub fn since(
        &self,
        day: Date,
        registry: &Registry,
        reach: &Reachability,
        templates: &Templates,
        rollup: &Rollup,
        options: &CompileOptions<'_>,
    ) -> Result<String, CompileError> {
        let layout = Layout {
            registry,
            reach,
            templates,
            options,
            rollup,
            measures: leaves(registry, rollup)?,
        };
        let columns = layout.columns(&mut self.clone(), &rows_name(&self.definition));
        layout.select(self, &columns, Some(day))
    }
}

/// The name has the definition in it: a query that was compiled for another one names a column that is not there, and
/// fails, where it would otherwise read other numbers.
fn rows_name(definition: &str) -> String {
    let short: String = definition.chars().take(8).collect();
    format!("rows_{short}")
}

impl Layout<'_> {
    /// The table with its keys and nothing else.
    fn keys(&self) -> Result<RollupTable, CompileError> {
        let rollup = self.rollup;
        let dataset = self.registry.datasets.get(&rollup.of);
        let dataset = dataset
            .ok_or_else(|| refused(rollup, format!("there is no dataset '{}'", rollup.of)))?;
        let own = self
            .measures
            .first()
            .and_then(|(_, first)| first.time.as_deref());
        let time = own.or(dataset.time.as_deref());
        let time = time.ok_or_else(|| refused(rollup, format!("{} has no time", rollup.of)))?;
        if rollup.grain.is_sub_day() {
            let why = format!("its grain is {}, and the shortest is day", rollup.grain);
            return Err(refused(rollup, why));
        }
        let find = |name: &str| self.reach.find(self.registry, &rollup.of, name).cloned();
        let period = rollup.grain.word().to_owned();
        let mut keys: Vec<(DimensionPath, String)> = vec![(find(time)?, period.clone())];
        for name in &rollup.by {
            let path = find(name)?;
            let is_personal = path
                .resolve(self.registry)
                .is_some_and(|(_, dimension)| dimension.pii);
            if rollup.embedded && is_personal {
                let why = format!("{name} is personal data, which is kept in no file");
                return Err(refused(rollup, why).word(name));
            }
            if keys.iter().any(|(known, _)| *known == path) {
                return Err(refused(rollup, format!("{name} is in it already")).word(name));
            }
            keys.push((path, name.clone()));
        }
        Ok(RollupTable {
            name: rollup.name.clone(),
            place: rollup.place,
            of: rollup.of.clone(),
            table: rollup.table.clone(),
            embedded: rollup.embedded,
            selected: Vec::new(),
            grain: rollup.grain,
            period,
            definition: String::new(),
            sql: String::new(),
            keys,
            leaves: Vec::new(),
            counts: Vec::new(),
        })
    }

    /// Gives every aggregation its columns, in the table and for the query that fills it.
    fn columns(&self, table: &mut RollupTable, rows: &str) -> Vec<Kept> {
        let mut columns: Vec<Kept> = Vec::new();
        table.leaves.clear();
        table.counts.clear();
        for (name, measure) in &self.measures {
            let filters = texts(&measure.filters);
            let expr = measure.expr.as_ref().map(text);
            let mut column = |suffix: &str, agg: Aggregate| {
                let same = |kept: &&Kept| {
                    kept.measure.agg == agg
                        && kept.filters == filters
                        && kept.measure.expr.as_ref().map(text) == expr
                };
                if let Some(kept) = columns.iter().find(same) {
                    return kept.name.clone();
                }
                let name = unused(&format!("{name}{suffix}"), &table.keys, &columns);
                columns.push(Kept {
                    name: name.clone(),
                    measure: Measure {
                        agg,
                        ..measure.clone()
                    },
                    filters: filters.clone(),
                });
                name
            };
            let stored = match measure.agg {
                Aggregate::Avg => Stored::Mean {
                    sum: column("_sum", Aggregate::Sum),
                    count: column("_count", Aggregate::Count),
                },
                Aggregate::Min => Stored::Min(column("", measure.agg)),
                Aggregate::Max => Stored::Max(column("", measure.agg)),
                Aggregate::Sum => Stored::Sum(column("", measure.agg)),
                _ => Stored::Count(column("", measure.agg)),
            };
            let leaf = StoredLeaf {
                agg: measure.agg,
                expr,
                filters: filters.clone(),
                stored,
            };
            if !table.leaves.contains(&leaf) {
                table.leaves.push(leaf);
            }
            if table.counts.iter().all(|(known, _)| *known != filters) {
                let name = unused(rows, &table.keys, &columns);
                columns.push(Kept {
                    name: name.clone(),
                    measure: Measure {
                        agg: Aggregate::Count,
                        expr: None,
                        ..measure.clone()
                    },
                    filters: filters.clone(),
                });
                table.counts.push((filters, name));
            }
        }
        columns
    }

    /// What the values of each column are.
    fn types(
        &self,
        table: &RollupTable,
        columns: &[Kept],
    ) -> Result<Vec<(String, ColumnType)>, CompileError> {
        let mut types = Vec::new();
        for (index, (path, name)) in table.keys.iter().enumerate() {
            let kind = path
                .resolve(self.registry)
                .map(|(_, dimension)| dimension.kind);
            let ty = kind.map_or(ColumnType::Text, column_type);
            types.push((name.clone(), if index == 0 { ColumnType::Date } else { ty }));
        }
        for kept in columns {
            let mut scope = Scope::new(
                self.registry,
                self.reach,
                self.options,
                &[],
                &kept.measure,
                0,
            )?;
            let ty = leaf_type(&kept.measure, &mut scope)?;
            if self.rollup.embedded && ty == ColumnType::Text {
                let why = format!(
                    "{} is the first or the last of texts, which a file may have in another order than the warehouse",
                    kept.name
                );
                return Err(refused(self.rollup, why));
            }
            types.push((kept.name.clone(), ty));
        }
        Ok(types)
    }

    /// The rows: those of the dataset that at least one aggregation counts, grouped by the keys.
    fn select(
        &self,
        table: &RollupTable,
        columns: &[Kept],
        since: Option<Date>,
    ) -> Result<String, CompileError> {
        let dialect = self.options.dialect;
        let nothing = || refused(self.rollup, "it keeps nothing".to_owned());
        let (_, first) = self.measures.first().ok_or_else(nothing)?;
        let mut scope = Scope::new(self.registry, self.reach, self.options, &[], first, 0)?;
        let time = time_of(first, &mut scope, None)?;
        let week_start = self.registry.calendar.week_start;
        let mut keys = vec![column(
            &table.period,
            dialect.trunc(&time.sql, table.grain, week_start),
        )];
        for (_, name) in table.keys.iter().skip(1) {
            keys.push(column(name, scope.dimension(name)?.sql));
        }
        let mut values = Vec::new();
        let mut sets: Vec<(&[String], String)> = Vec::new();
        for kept in columns {
            let only = match sets.iter().find(|(filters, _)| *filters == kept.filters) {
                Some((_, only)) => only.clone(),
                None => {
                    let each = kept.measure.filters.iter();
                    let each = each.map(|filter| Ok(format!("({})", scope.expression(filter)?)));
                    let only = each
                        .collect::<Result<Vec<_>, CompileError>>()?
                        .join(" AND ");
                    sets.push((&kept.filters, only.clone()));
                    only
                }
            };
            let row = kept.measure.expr.as_ref();
            let row = row.map(|expr| scope.expression(expr)).transpose()?;
            values.push(column(&kept.name, aggregate(kept.measure.agg, row, &only)));
        }
        let mut conditions = Vec::new();
        if sets.iter().all(|(_, only)| !only.is_empty()) {
            let any: Vec<String> = sets.iter().map(|(_, only)| format!("({only})")).collect();
            conditions.push(Fragment::plain(format!("({})", any.join(" OR "))));
        }
        let range = DateRange {
            start: since,
            end: None,
        };
        conditions.extend(filter::bounds(&time.sql, range, dialect).map(Fragment::plain));
        let order = keys
            .iter()
            .map(|key| dialect.order(&dialect.name(&key.name), false));
        let order: Vec<Fragment> = order.map(Fragment::plain).collect();
        if !scope.relations.is_empty() {
            return Err(refused(
                self.rollup,
                "it depends on a metric of other rows, which changes with every new row".to_owned(),
            ));
        }
        let (from, joins) = scope.tables();
        let input = Node::Scan(Scan {
            dataset: table.of.clone(),
            rollup: None,
            from,
            joins,
            conditions,
            over: None,
        });
        let root = Node::Sort(Box::new(Sort {
            input: Node::Aggregate(Box::new(Grouped {
                input,
                keys,
                values,
                having: None,
            })),
            order,
            limit: None,
        }));
        Ok(output::statement(self.templates, &root, Vec::new(), self.options)?.sql)
    }
}

/// The type of a column is the engine's.
fn column(name: &str, sql: String) -> Column {
    Column {
        name: name.to_owned(),
        ty: ColumnType::Text,
        sql: Fragment::plain(sql),
    }
}

/// An aggregation of the rows that meet a condition, in the engine's own type.
fn aggregate(agg: Aggregate, row: Option<String>, only: &str) -> String {
    let row = match (agg, row) {
        (Aggregate::SumBoolean, Some(row)) => Some(format!("CASE WHEN {row} THEN 1 END")),
        (_, row) => row,
    };
    let row = match (row, only) {
        (Some(row), "") => row,
        (None, "") => "*".to_owned(),
        (Some(row), only) => format!("CASE WHEN {only} THEN {row} END"),
        (None, only) => format!("CASE WHEN {only} THEN 1 END"),
    };
    let function = match agg {
        Aggregate::Sum => "SUM",
        Aggregate::Min => "MIN",
        Aggregate::Max => "MAX",
        _ => "COUNT",
    };
    format!("{function}({row})")
}

fn unused(base: &str, keys: &[(DimensionPath, String)], columns: &[Kept]) -> String {
    let taken = |name: &str| {
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        keys.iter().any(|(_, key)| same(key)) || columns.iter().any(|kept| same(&kept.name))
    };
    let mut name = base.to_owned();
    let mut n = 2;
    while taken(&name) {
        name = format!("{base}_{n}");
        n += 1;
    }
    name
}

/// Conditions as a set of texts.
pub(super) fn texts<'e>(filters: impl IntoIterator<Item = &'e Expression>) -> Vec<String> {
    let mut texts: Vec<String> = filters.into_iter().map(text).collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// An expression as text, with what single engines take instead.
pub(super) fn text(expression: &Expression) -> String {
    let mut text = expression.text.trim().to_owned();
    for (dialect, own) in &expression.dialects {
        text.push_str(&format!("\n{dialect}: {own}"));
    }
    text
}
