//! The tables one aggregation reads: its dataset and the joins its names pull in, with SQL for every name.

mod figures;
mod joins;

use sqlparser::ast::Ident;

use super::custom::{Custom, named};
use super::dunder::METRIC_TIME;
use super::plan::{Each, Join, JoinKind};
use super::reach::{DimensionPath, Reachability};
use super::rollup::Kept;
use super::write::Fragment;
use super::{CompileError, CompileOptions, ErrorCode, Reason, ReasonKind, expr};
use crate::model::{
    ColumnType, Dataset, Dimension, DimensionType, Expression, Measure, Registry, Relation, TODAY,
    ValueLookup,
};
use crate::warehouse::Dialect;

/// A dimension as SQL.
pub(super) struct Resolved<'a> {
    pub(super) sql: String,
    pub(super) dimension: &'a Dimension,
    pub(super) dataset: &'a Dataset,
}

/// Base table and joins of one aggregation.
pub(super) struct Scope<'a> {
    pub(super) registry: &'a Registry,
    reach: &'a Reachability,
    dialect: Dialect,
    pub(super) values: &'a dyn ValueLookup,
    peers: &'a [String],
    pub(super) base: &'a Dataset,
    /// The time dimension that the measure is counted by, where it is not the dataset's.
    time: Option<String>,
    joins: Vec<Joined<'a>>,
    /// The calendar table, joined on these days: its alias, the day, the join.
    calendars: Vec<(String, String, Fragment)>,
    /// Metrics of each value of a dimension: the field, the value as SQL, the join.
    each: Vec<(String, (String, ColumnType), Join)>,
    /// Whether rows of joined tables that no row leads to are kept.
    keeps_unmatched: bool,
    /// The column that tells rows of the base from those that are missing, where some may be.
    is_here: Option<String>,
    /// Whether that column is [`MARK`], and something needs it.
    is_marked: bool,
    /// The relations that dimensions of metrics read, to be made parts of the plan.
    pub(super) relations: Vec<Each>,
    options: &'a CompileOptions<'a>,
    /// How many metrics per dimension are around this one.
    nesting: u8,
    /// The days that the rows count for, where they are not their own.
    days: Option<Fragment>,
    /// The rollup that is read instead of the tables; its columns are the dimensions.
    kept: Option<Kept<'a>>,
    /// What conditions on the measure's own time are about, where it is not the time of the row.
    time_as: Option<String>,
    pub(super) reasons: Vec<Reason>,
}

struct Joined<'a> {
    path: Vec<String>,
    alias: String,
    dataset: &'a Dataset,
    sql: Fragment,
    kind: JoinKind,
}

/// The column that a base without a key is read with, where its rows must be told from those that are missing.
const MARK: &str = "metrex_row";

impl<'a> Scope<'a> {
    pub(super) fn new(
        registry: &'a Registry,
        reach: &'a Reachability,
        options: &'a CompileOptions<'a>,
        peers: &'a [String],
        measure: &Measure,
        nesting: u8,
    ) -> Result<Self, CompileError> {
        let base = registry.datasets.get(&measure.dataset).ok_or_else(|| {
            CompileError::new(
                ErrorCode::InvalidDefinition,
                format!("there is no dataset '{}'", measure.dataset),
            )
            .at(measure.place)
        })?;
        Ok(Self {
            registry,
            reach,
            dialect: options.dialect,
            values: options.values,
            peers,
            base,
            time: measure.time.clone(),
            joins: Vec::new(),
            calendars: Vec::new(),
            each: Vec::new(),
            keeps_unmatched: false,
            is_here: None,
            is_marked: false,
            relations: Vec::new(),
            options,
            nesting,
            days: None,
            kept: None,
            time_as: None,
            reasons: Vec::new(),
        })
    }

    /// Reads a rollup of the dataset from here on.
    pub(super) fn read_rollup(&mut self, kept: Kept<'a>) {
        self.joins.clear();
        self.kept = Some(kept);
    }

    /// The rollup that is read instead of the tables.
    pub(super) fn kept(&self) -> Option<Kept<'a>> {
        self.kept
    }

    /// Adds a reason, once.
    pub(super) fn note(&mut self, reason: Reason) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    /// The same dimension in the other datasets of the query.
    pub(super) fn elsewhere(&self, name: &str) -> Vec<(&'a Dataset, &'a Dimension)> {
        let find = |peer: &String| {
            self.reach
                .find(self.registry, peer, name)
                .ok()?
                .resolve(self.registry)
        };
        self.peers.iter().filter_map(find).collect()
    }

    /// `FROM` and the joins, each with the definition behind it.
    pub(super) fn tables(self) -> (Fragment, Vec<Join>) {
        self.tables_so_far()
    }

    /// `FROM` and the joins so far, each with the definition behind it; those that must match first.
    pub(super) fn tables_so_far(&self) -> (Fragment, Vec<Join>) {
        let from = match self.kept {
            Some(kept) => kept.from(self.dialect),
            None => {
                let mut rows = relation(self.base, self.options);
                if self.is_marked {
                    rows = format!("(SELECT *, 1 AS {MARK} FROM {rows} AS metrex_rows)");
                }
                Fragment::new(rows, [self.base.place]).alias(&self.dialect.name(&self.base.name))
            }
        };
        let (required, others): (Vec<_>, Vec<_>) = self
            .joins
            .iter()
            .partition(|join| join.kind == JoinKind::Inner);
        let joins = required.into_iter().chain(others).map(|join| Join {
            table: join.sql.clone(),
            kind: join.kind,
        });
        let calendars = self.calendars.iter().map(|(_, _, table)| Join {
            table: table.clone(),
            kind: JoinKind::Left,
        });
        let each = self.each.iter().map(|(_, _, join)| join.clone());
        let days = self.days.iter().map(|table| Join {
            table: table.clone(),
            kind: JoinKind::Inner,
        });
        let joins = joins.chain(calendars).chain(each).chain(days);
        (from, joins.collect())
    }

    /// Whether a name is that of a time dimension.
    pub(super) fn is_time(&self, name: &str) -> bool {
        let found = self.reach.find(self.registry, &self.base.name, name);
        let found = found.ok().and_then(|path| path.resolve(self.registry));
        found.is_some_and(|(_, dimension)| dimension.kind.is_time())
    }

    /// The period of the calendar table that a name means, and its time. Unlike a bare name in a query, one in a
    /// definition is a dimension or a column: there a period is one of a time.
    pub(super) fn period<'n>(
        &mut self,
        name: &'n str,
    ) -> Result<Option<(Custom<'n>, Resolved<'a>)>, CompileError>
    where
        'a: 'n,
    {
        let Some(period) = named(self.registry, name) else {
            return Ok(None);
        };
        if period.of.is_some_and(|of| !self.is_time(of)) {
            return Ok(None);
        }
        let own = self.time.as_deref().or(self.base.time.as_deref());
        let Some(time) = period.of.or(own).map(str::to_owned) else {
            return Err(CompileError::new(
                ErrorCode::InvalidTime,
                format!(
                    "{} has no time dimension, so it has no {}",
                    self.base.name, period.period.name
                ),
            )
            .word(name));
        };
        let time = self.dimension(&time)?;
        Ok(Some((period, time)))
    }

    /// A dimension as the query or a definition names it.
    pub(super) fn dimension(&mut self, name: &str) -> Result<Resolved<'a>, CompileError> {
        let time = self.time.as_deref().or(self.base.time.as_deref());
        let name = match time {
            Some(time) if name == METRIC_TIME => time,
            _ => name,
        };
        let find = |name: &str| self.reach.find(self.registry, &self.base.name, name);
        let path = find(name)?;
        let is_own = time.is_some_and(|time| find(time).ok() == Some(path));
        let mut found = self.along(path)?;
        if let (Some(sql), true) = (&self.time_as, is_own) {
            found.sql.clone_from(sql);
        }
        Ok(found)
    }

    /// What conditions on the measure's own time are about from here on.
    pub(super) fn time_as(&mut self, sql: Option<String>) {
        self.time_as = sql;
    }

    fn along(&mut self, path: &DimensionPath) -> Result<Resolved<'a>, CompileError> {
        let (dataset, dimension) = path.resolve(self.registry).ok_or_else(|| {
            CompileError::new(
                ErrorCode::InvalidDefinition,
                format!("{} leads nowhere", path.qualified()),
            )
        })?;
        if let Some(kept) = self.kept {
            return Ok(Resolved {
                sql: kept.column(path, self.dialect)?,
                dimension,
                dataset,
            });
        }
        let alias = self.join(&path.joins)?;
        let mut sql = match &dimension.of_metric {
            Some(of) => self.of_metric(of, &alias, dataset, dimension)?,
            None => self.own_sql(dataset, dimension, &alias)?,
        };
        let key = match (&dimension.column, path.joins.is_empty()) {
            (Some(_), _) => None,
            (None, false) => dataset.key.first().cloned(),
            (None, true) => self.is_here.clone(),
        };
        if let Some(key) = key {
            self.is_marked |= key == MARK;
            // What an expression makes of the NULLs of a row that does not exist is nobody's value.
            let key = column(&alias, &key, self.dialect);
            sql = format!("CASE WHEN {key} IS NOT NULL THEN {sql} END");
        }
        if !path.joins.is_empty() {
            let text = format!(
                "{} comes from {}, joined as {}",
                dimension.name,
                dataset.name,
                path.joins.join(".")
            );
            let reason = Reason {
                kind: ReasonKind::Join,
                text,
                place: Some(dimension.place),
            };
            self.note(reason);
        }
        Ok(Resolved {
            sql,
            dimension,
            dataset,
        })
    }

    /// A dimension's own expression under an alias.
    fn own_sql(
        &self,
        dataset: &Dataset,
        dimension: &Dimension,
        alias: &str,
    ) -> Result<String, CompileError> {
        local(self.registry, (dataset, dimension), alias, self.dialect)
    }

    /// A time dimension in UTC, where no hour comes twice; `None` where it is not known in which zone it is stored.
    pub(super) fn in_utc(&mut self, name: &str) -> Result<Option<String>, CompileError> {
        let path = self.reach.find(self.registry, &self.base.name, name)?;
        let Some((dataset, dimension)) = path.resolve(self.registry) else {
            return Ok(None);
        };
        let Some(zone) = dataset
            .stored_in
            .as_ref()
            .filter(|_| dimension.kind == DimensionType::Time)
        else {
            return Ok(None);
        };
        let alias = self.join(&path.joins)?;
        let stored = expr::operand(&own_sql(dimension, &alias, self.dialect)?);
        Ok(Some(self.dialect.local_time(&stored, zone, "UTC")))
    }

    /// An expression of a definition over this dataset: bare names are its dimensions or columns, `a.b` a joined dimension.
    pub(super) fn expression(&mut self, expression: &Expression) -> Result<String, CompileError> {
        let parsed = expr::parse(expression, self.dialect)?;
        let dialect = self.dialect;
        expr::rewrite(parsed, dialect, &mut |parts| {
            self.name(parts).map_err(|error| {
                if error.place.is_some() {
                    error
                } else {
                    error.at(expression.place)
                }
            })
        })
    }

    fn name(&mut self, parts: &[Ident]) -> Result<String, CompileError> {
        match parts {
            [only] => self.own(&only.value),
            parts => {
                let name: Vec<_> = parts.iter().map(|part| part.value.as_str()).collect();
                let name = name.join(".");
                match self.period(&name)? {
                    Some((period, time)) => period.column(&time, self),
                    None => self.dimension(&name).map(|found| found.sql),
                }
            }
        }
    }

    /// What a definition calls by a name: a dimension or known column of this dataset, a joined dimension, or else any
    /// column.
    pub(super) fn named(&mut self, name: &str) -> Result<String, CompileError> {
        let base = self.base;
        let mut columns = base.joins.values().flat_map(|join| &join.on);
        let is_own = base.dimensions.contains_key(name)
            || base.key.iter().any(|column| column == name)
            || columns.any(|(column, _)| column == name);
        if !is_own && let Ok(found) = self.dimension(name) {
            return Ok(found.sql);
        }
        match name.contains('.') {
            true => self.dimension(name).map(|found| found.sql),
            false => self.own(name),
        }
    }

    fn own(&mut self, name: &str) -> Result<String, CompileError> {
        if let Some(kept) = self.kept {
            return Err(kept.lacks(name));
        }
        let base = self.base;
        match base.dimensions.get(name) {
            Some(dimension) if dimension.of_metric.is_some() => {
                self.dimension(name).map(|found| found.sql)
            }
            Some(dimension) => self.own_sql(self.base, dimension, &self.base.name),
            None => Ok(column(&self.base.name, name, self.dialect)),
        }
    }
}

/// A dimension's own expression under an alias, times being local ones.
pub(super) fn local(
    registry: &Registry,
    (dataset, dimension): (&Dataset, &Dimension),
    alias: &str,
    dialect: Dialect,
) -> Result<String, CompileError> {
    let sql = expr::operand(&own_sql(dimension, alias, dialect)?);
    Ok(match &dataset.stored_in {
        // Converted where it is read, so that conditions, periods and windows all see the local time.
        Some(zone) if dimension.kind == DimensionType::Time => {
            dialect.local_time(&sql, zone, &registry.calendar.timezone)
        }
        _ => sql,
    })
}

/// A column of a table under an alias.
pub(super) fn column(alias: &str, name: &str, dialect: Dialect) -> String {
    format!("{}.{}", dialect.name(alias), dialect.name(name))
}

/// A dimension's own expression: bare names are columns of its table, nothing else may be named.
fn own_sql(dimension: &Dimension, alias: &str, dialect: Dialect) -> Result<String, CompileError> {
    if let Some(name) = &dimension.column {
        return Ok(column(alias, name, dialect));
    }
    let parsed = expr::parse(&dimension.expr, dialect)?;
    expr::rewrite(parsed, dialect, &mut |parts| match parts {
        [only] => Ok(column(alias, &only.value, dialect)),
        _ => Err(CompileError::new(
            ErrorCode::InvalidDefinition,
            format!(
                "the dimension {} may only use columns of its own table",
                dimension.name
            ),
        )
        .hint("name the join where the dimension is used, or join in the 'sql:' of the dataset")
        .at(dimension.place)),
    })
}

fn relation(dataset: &Dataset, options: &CompileOptions<'_>) -> String {
    let dialect = options.dialect;
    match (&dataset.relation, dataset.sql(dialect)) {
        (Relation::Table(table), _) => dialect.table(table),
        (Relation::Sql(sql), own) => {
            let sql = own.unwrap_or(sql).trim().trim_end_matches(';');
            let sql = sql.replace(TODAY, &dialect.date(options.today));
            format!("(\n{sql}\n)")
        }
    }
}
