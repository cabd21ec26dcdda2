//! The columns of the result: keys, each metric with its comparison, and the figures over it.

use super::Output;
use crate::compile::additivity::additivity;
use crate::compile::plan::{Column, Formula, Leaf, prior_name};
use crate::compile::write::Fragment;
use crate::compile::{CompileError, ErrorCode, OutputColumn, Role, expr, key::Key};
use crate::model::{ColumnType, Format, FormatKind, Grain, Metric, Place, Presented, Registry};
use crate::warehouse::Shift;

impl Output<'_> {
    /// One aggregation answers the query by itself.
    pub(super) fn is_simple(&self) -> bool {
        let [leg] = self.planned.legs.as_slice() else {
            return false;
        };
        let leaves = |(now, prior): &(Formula, Option<Formula>)| now.is_leaf() && prior.is_none();
        leg.is_plain() && self.planned.shown.is_none() && self.planned.metrics.iter().all(leaves)
    }

    /// Whether several relations are put side by side, so that one of them can lack a row.
    fn is_combined(&self) -> bool {
        self.planned.legs.len() > 1 || self.planned.shown.is_some()
    }

    /// The columns of the result, for the reader and for the plan.
    pub(super) fn columns(
        &self,
        simple: bool,
    ) -> Result<(Vec<OutputColumn>, Vec<Column>), CompileError> {
        let dialect = self.options.dialect;
        let mut columns: Vec<OutputColumn> = Vec::new();
        let mut selected: Vec<Column> = Vec::new();
        let only = self.planned.legs.first();
        for (index, key) in self.planned.keys.iter().enumerate() {
            let sql = match only.and_then(|leg| leg.keys.get(index)) {
                Some(own) if simple => own.sql.clone(),
                _ => Fragment::plain(dialect.name(&key.name)),
            };
            let name = self.request.written(&key.name).to_owned();
            selected.push(Column {
                name: name.clone(),
                ty: key.ty,
                sql,
            });
            columns.push(OutputColumn {
                name,
                label: key.label.clone(),
                role: Role::Group,
                ty: key.ty,
                format: key.format.clone(),
                grain: key.grain,
                additive: false,
            });
        }
        for (metric, (now, prior)) in self.metrics() {
            let mut places = vec![metric.place];
            if simple {
                let leaves = now.leaves().into_iter();
                places.extend(leaves.flat_map(|leaf| self.restricted_by(leaf)));
            }
            let mut add = |role, sql: String, ty| {
                let column = output_column(self.registry, metric, role, ty);
                selected.push(Column {
                    name: column.name.clone(),
                    ty,
                    sql: Fragment::new(sql, places.iter().copied()),
                });
                columns.push(column);
            };
            for (role, sql, ty) in self.roles(now, prior.as_ref(), simple)? {
                add(role, sql, ty);
            }
            for what in self.shown(metric) {
                let (sql, ty) = self.figure(metric, now, what)?;
                add(Role::Figure(what), sql, ty);
            }
        }
        for bound in &self.planned.bounds {
            let key = &bound.of;
            selected.push(Column {
                name: bound.column.clone(),
                ty: key.ty,
                sql: Fragment::plain(self.aggregate(&bound.column).unwrap_or_default()),
            });
            columns.push(OutputColumn {
                name: bound.column.clone(),
                label: format!("{} ({})", key.label, bound.word),
                role: Role::Bound,
                ty: key.ty,
                format: key.format.clone(),
                grain: key.grain,
                additive: false,
            });
        }
        let twice = columns.iter().enumerate().find(|(index, column)| {
            let mut earlier = columns.iter().take(*index);
            earlier.any(|other| other.name.eq_ignore_ascii_case(&column.name))
        });
        match twice {
            None => Ok((columns, selected)),
            Some((_, OutputColumn { name, .. })) => Err(CompileError::new(
                ErrorCode::InvalidClause,
                format!("two columns of the result would be called {name}"),
            )
            .hint("ask for one of the two, or rename a metric or a dimension")
            .word(name)),
        }
    }

    /// The filters that stand within a leaf's aggregate, where other rows are read too.
    fn restricted_by(&self, leaf: &Leaf) -> Vec<Place> {
        let mut columns = self.planned.legs.iter().flat_map(|leg| &leg.columns);
        let column = columns.find(|column| column.name == leaf.column);
        let only = column.and_then(|column| column.only.as_ref());
        only.map(|only| only.places.clone()).unwrap_or_default()
    }

    /// The metrics of the query with what they are now and in the compared range.
    pub(super) fn metrics(&self) -> impl Iterator<Item = (&Metric, &(Formula, Option<Formula>))> {
        let metrics = self.request.metrics.iter().copied();
        metrics.zip(&self.planned.metrics)
    }

    /// A metric with its comparison, over the columns of the legs.
    pub(super) fn roles(
        &self,
        now: &Formula,
        prior: Option<&Formula>,
        simple: bool,
    ) -> Result<Vec<(Role, String, ColumnType)>, CompileError> {
        let (now, ty) = self.value(now, simple)?;
        let Some(prior) = prior else {
            return Ok(vec![(Role::Metric, now, ty)]);
        };
        let (prior, _) = self.value(prior, simple)?;
        let mut roles = vec![
            (Role::Metric, now.clone(), ty),
            (Role::Prior, prior.clone(), ty),
        ];
        if is_number(ty) {
            let (left, right) = (expr::operand(&now), expr::operand(&prior));
            let change = format!("{left} - {right}");
            let share = self.options.dialect.divide(&change, &prior);
            roles.push((Role::Change, change, ty));
            roles.push((Role::ChangePercent, share, ColumnType::Number));
        }
        Ok(roles)
    }

    /// A metric as SQL over the columns of the legs (or, in a simple query, over the aggregates themselves).
    pub(super) fn value(
        &self,
        formula: &Formula,
        simple: bool,
    ) -> Result<(String, ColumnType), CompileError> {
        formula.sql(self.options.dialect, &|leaf| self.leaf(leaf, simple))
    }

    pub(super) fn leaf(&self, leaf: &Leaf, simple: bool) -> String {
        let dialect = self.options.dialect;
        if simple && let Some(sql) = self.aggregate(&leaf.column) {
            return sql;
        }
        let sql = dialect.name(&leaf.column);
        // A count of no rows is 0; anything else of no rows is NULL.
        if leaf.ty != ColumnType::Integer || !self.is_combined() {
            return sql;
        }
        if let Some(listed) = self.listed(&leaf.column) {
            return format!("CASE WHEN {listed} THEN COALESCE({sql}, 0) END");
        }
        let day = |key: &&Key| key.grain == Some(Grain::Day);
        match (leaf.counterpart, self.planned.keys.iter().find(day)) {
            (Some(Shift::Months(months)), Some(key)) => {
                let day = dialect.name(&key.name);
                let condition = dialect.has_counterpart(&day, -months);
                // A row without a day has no counterpart to miss.
                format!("CASE WHEN {day} IS NULL OR {condition} THEN COALESCE({sql}, 0) END")
            }
            _ => format!("COALESCE({sql}, 0)"),
        }
    }

    /// The condition that a row's period has an earlier one in the calendar table, where a column is of those.
    fn listed(&self, column: &str) -> Option<String> {
        let dialect = self.options.dialect;
        let mut legs = self.planned.legs.iter();
        let leg = legs.find(|leg| leg.columns.iter().any(|known| known.name == column))?;
        let (relation, keys) = leg.earlier.as_ref()?;
        let keys: Vec<String> = keys.iter().map(|key| dialect.name(key)).collect();
        let list = keys.join(", ");
        match keys.len() {
            0 => None,
            1 => Some(format!("{list} IN (SELECT {list} FROM {relation})")),
            _ => Some(format!("({list}) IN (SELECT {list} FROM {relation})")),
        }
    }

    fn aggregate(&self, column: &str) -> Option<String> {
        let leg = self.planned.legs.first()?;
        leg.value(column, self.options.dialect)
    }
}

/// The name of a column of a metric: `gmv`, `gmv_prior`, `gmv_change_pct`, `gmv_share`.
pub(super) fn column_name(metric: &Metric, role: Role) -> String {
    let name = &metric.name;
    match role {
        Role::Group | Role::Metric | Role::Bound => name.clone(),
        Role::Prior => prior_name(name),
        Role::Change => format!("{name}_change"),
        Role::ChangePercent => format!("{name}_change_pct"),
        Role::Figure(what) => format!("{name}_{}", what.to_string().replace(' ', "_")),
    }
}

pub(super) fn is_number(ty: ColumnType) -> bool {
    matches!(ty, ColumnType::Integer | ColumnType::Number)
}

fn output_column(registry: &Registry, metric: &Metric, role: Role, ty: ColumnType) -> OutputColumn {
    let additive = additivity(registry, metric).is_additive();
    let text = &metric.label;
    let label = match role {
        Role::Group | Role::Metric | Role::Bound => text.clone(),
        Role::Prior => format!("{text} (prior)"),
        Role::Change => format!("{text} Δ"),
        Role::ChangePercent => format!("{text} Δ%"),
        Role::Figure(what) => format!("{text} ({what})"),
    };
    let percent = Format {
        kind: FormatKind::Percent,
        decimals: Some(1),
        ..Format::default()
    };
    let (format, additive) = match role {
        Role::ChangePercent => (percent, false),
        Role::Figure(what) => match what {
            Presented::Share => (percent, true),
            Presented::Rank => (Format::default(), false),
            _ => (metric.format.clone(), false),
        },
        _ => (metric.format.clone(), additive),
    };
    OutputColumn {
        name: column_name(metric, role),
        label,
        role,
        ty,
        format,
        grain: None,
        additive,
    }
}
