//! The joins of a scope: along declared paths, to the row that was valid then, to the calendar table.

use super::{Joined, MARK, Scope, column, relation};
use crate::compile::plan::JoinKind;
use crate::compile::write::Fragment;
use crate::compile::{CompileError, ErrorCode, Reason, ReasonKind};
use crate::model::{CalendarTable, Dataset, Filter, Grain, Validity};

impl<'a> Scope<'a> {
    /// From here on, rows of joined tables that no row leads to are kept, so that no value is lost; or no longer.
    pub(in crate::compile) fn keep_unmatched(&mut self, keep: bool) {
        self.keeps_unmatched = keep;
        if keep {
            let key = self.base.key.first();
            self.is_here = Some(key.cloned().unwrap_or_else(|| MARK.to_owned()));
        }
    }

    pub(super) fn kind(&self) -> JoinKind {
        match self.keeps_unmatched {
            true => JoinKind::Full,
            false => JoinKind::Left,
        }
    }

    /// Joins the days that rows count for.
    pub(in crate::compile) fn join_days(&mut self, relation: &str, counted: &str, time: &str) {
        let day = self
            .dialect
            .trunc(time, Grain::Day, self.registry.calendar.week_start);
        self.days = Some(Fragment::plain(format!("{relation} ON {counted} = {day}")));
    }

    /// A condition on a joined column that is never true of NULL refuses the rows without a match: their joins need not
    /// keep them.
    pub(in crate::compile) fn require_match(&mut self, condition: &Filter) {
        let (Filter::Compare { field, .. }
        | Filter::In { field, .. }
        | Filter::Between { field, .. }
        | Filter::Like { field, .. }) = condition
        else {
            return;
        };
        let Ok(path) = self.reach.find(self.registry, &self.base.name, field) else {
            return;
        };
        let is_column = path
            .resolve(self.registry)
            .is_some_and(|(_, dimension)| dimension.column.is_some());
        if is_column {
            for join in &mut self.joins {
                if path.joins.starts_with(&join.path) {
                    join.kind = JoinKind::Inner;
                }
            }
        }
    }

    /// A column of the calendar table on the day of a time, which is joined where it is not yet.
    pub(in crate::compile) fn calendar(
        &mut self,
        table: &CalendarTable,
        time: &str,
        name: &str,
    ) -> String {
        let dialect = self.dialect;
        let week_start = self.registry.calendar.week_start;
        let day = dialect.trunc(time, Grain::Day, week_start);
        let known = self.calendars.iter().find(|(_, of, _)| *of == day);
        let alias = match known {
            Some((alias, _, _)) => alias.clone(),
            None => {
                let alias = match self.calendars.len() {
                    0 => "metrex_calendar".to_owned(),
                    n => format!("metrex_calendar_{}", n + 1),
                };
                let sql = format!(
                    "{} AS {alias} ON {} = {day}",
                    dialect.table(&table.table),
                    column(&alias, &table.date, dialect),
                );
                let join = Fragment::new(sql, [table.place]);
                self.calendars.push((alias.clone(), day, join));
                alias
            }
        };
        column(&alias, name, dialect)
    }

    /// The alias under which the end of a join path can be read; joins it first where needed.
    pub(super) fn join(&mut self, path: &[String]) -> Result<String, CompileError> {
        let Some((last, before)) = path.split_last() else {
            return Ok(self.base.name.clone());
        };
        if let Some(known) = self.joins.iter().find(|join| join.path == path) {
            return Ok(known.alias.clone());
        }
        let left_alias = self.join(before)?;
        let left = match self.joins.iter().find(|join| join.path == before) {
            Some(join) => join.dataset,
            None => self.base,
        };
        let missing = || {
            CompileError::new(
                ErrorCode::InvalidDefinition,
                format!("the join {} leads nowhere", path.join(".")),
            )
        };
        let join = left.joins.get(last).ok_or_else(missing)?;
        let dataset = self.registry.datasets.get(&join.to).ok_or_else(missing)?;
        let is_unique = self.values.key_is_unique(&dataset.index_table());
        if dataset.valid.is_none() && is_unique == Some(false) {
            return Err(CompileError::new(
                ErrorCode::InvalidDefinition,
                format!(
                    "joining {} as {} would multiply rows: its key ({}) was not unique when the index was last built",
                    dataset.name,
                    path.join("."),
                    dataset.key.join(", ")
                ),
            )
            .hint("correct the key or the data, then run metrex reindex")
            .at(dataset.place));
        }
        // No name of a definition has a dot, so no two paths share an alias.
        let mut alias = path.join(".");
        if alias == self.base.name {
            alias.push('.');
        }
        let dialect = self.dialect;
        let mut on: Vec<String> = join
            .on
            .iter()
            .map(|(here, there)| {
                format!(
                    "{} = {}",
                    column(&alias, there, dialect),
                    column(&left_alias, here, dialect)
                )
            })
            .collect();
        if let (Some(here), Some(there)) = (&self.base.partition, &dataset.partition)
            && join.on.iter().all(|(_, key)| key != there)
        {
            on.push(format!(
                "{} = {}",
                column(&alias, there, dialect),
                column(&self.base.name, here, dialect)
            ));
        }
        let mut places = vec![join.place, dataset.place];
        if let Some(valid) = &dataset.valid {
            let valid_then = self.valid_then(valid, dataset, &alias)?;
            on.push(valid_then);
            places.push(valid.place);
        }
        let sql = format!(
            "{} AS {} ON {}",
            relation(dataset, self.options),
            dialect.name(&alias),
            on.join(" AND ")
        );
        self.joins.push(Joined {
            path: path.to_vec(),
            alias: alias.clone(),
            dataset,
            sql: Fragment::new(sql, places),
            kind: self.kind(),
        });
        Ok(alias)
    }

    /// The condition that a row of a dataset held at the time of the base row, from its start up to its end, which is not
    /// included.
    fn valid_then(
        &mut self,
        valid: &Validity,
        dataset: &Dataset,
        alias: &str,
    ) -> Result<String, CompileError> {
        let Some(time) = self.time.as_deref().or(self.base.time.as_deref()) else {
            return Err(CompileError::new(
                ErrorCode::InvalidTime,
                format!(
                    "{} changes over time, and {} has no time that says which of its rows is meant",
                    dataset.name, self.base.name
                ),
            )
            .hint(format!("give {} a 'time:'", self.base.name))
            .at(valid.place));
        };
        let path = self.reach.find(self.registry, &self.base.name, time)?;
        let time = self.along(path)?;
        self.note(Reason {
            kind: ReasonKind::Join,
            text: format!(
                "{} as it was at {}: from {} up to, not including, {}",
                dataset.name, time.dimension.name, valid.from, valid.to
            ),
            place: Some(valid.place),
        });
        let dialect = self.dialect;
        let at = dialect.instant(&time.sql);
        let bound = |name: &str| {
            let dimension = dataset
                .dimensions
                .values()
                .find(|dimension| dimension.column.as_deref() == Some(name));
            match dimension {
                Some(dimension) => self.own_sql(dataset, dimension, alias),
                None => Ok(column(alias, name, dialect)),
            }
        };
        let (from, to) = (bound(&valid.from)?, bound(&valid.to)?);
        Ok(format!(
            "{} <= {at} AND ({at} < {} OR {to} IS NULL)",
            dialect.instant(&from),
            dialect.instant(&to),
        ))
    }
}
