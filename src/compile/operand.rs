//! What a condition compares: a dimension, or a period of the calendar table, whose names are in the order of their days.

use super::custom::{Custom, named};
use super::filter::operator;
use super::literals;
use super::scope::{Resolved, Scope};
use super::{CompileError, Reason, ReasonKind};
use crate::model::{
    CalendarTable, ColumnType, CompareOp, DimensionType, Period, Registry, ValueLookup,
};
use crate::warehouse::Dialect;

/// Where the fields of a condition are found.
pub(super) trait Fields<'a> {
    /// The field as SQL.
    fn operand(&mut self, field: &str, dialect: Dialect) -> Result<Operand<'a>, CompileError>;

    /// Refuses a value that does not occur in the data; says so where that cannot be known.
    fn known(&mut self, found: &Operand<'a>, field: &str, value: &str) -> Result<(), CompileError>;

    /// The value of a metric per dimension.
    fn each(&self, field: &str) -> Option<(String, ColumnType)>;

    /// Adds a reason, once.
    fn note(&mut self, reason: Reason);
}

/// A field of a condition.
pub(super) struct Operand<'a> {
    pub(super) sql: String,
    pub(super) kind: DimensionType,
    /// The dimension, which knows its values; a period is one where a dataset is over the calendar table.
    of: Option<Resolved<'a>>,
    /// The days of a period.
    days: Option<Days>,
}

/// The days of the periods of the calendar table.
struct Days {
    /// The day that a row has there, where it is in a period.
    own: String,
    table: String,
    date: String,
    column: String,
}

impl<'a> Operand<'a> {
    /// A period as a condition compares it: its column, and the column with the day.
    fn period(
        period: &Custom<'_>,
        (column, date): (&str, &str),
        registry: &'a Registry,
        dialect: Dialect,
    ) -> Self {
        let of = period.dimension(registry);
        let kind = of.map_or(DimensionType::Text, |(_, dimension)| dimension.kind);
        let sql = match kind {
            DimensionType::Text => dialect.as_text(column),
            _ => column.to_owned(),
        };
        Self {
            of: of.map(|(dataset, dimension)| Resolved {
                sql: sql.clone(),
                dimension,
                dataset,
            }),
            days: Some(Days {
                own: format!("CASE WHEN {column} IS NOT NULL THEN {date} END"),
                table: period.table.table.clone(),
                date: period.table.date.clone(),
                column: period.period.column.clone(),
            }),
            sql,
            kind,
        }
    }

    /// Whether a value is the name of a period, which has no place in their order where no period is called so.
    pub(super) fn is_name(&self, value: &str) -> bool {
        self.days.is_some() && self.kind == DimensionType::Text && !self.is_day(value)
    }

    /// Whether a value is compared as a day: periods whose type nobody says may be called after their first days.
    pub(super) fn is_day(&self, value: &str) -> bool {
        let is_day = matches!(Period::parse(value), Some(Period::Day(_)));
        self.of.is_none() && self.days.is_some() && is_day
    }

    /// A comparison with the name of a period.
    pub(super) fn compared_by_name(
        &self,
        op: CompareOp,
        value: &str,
        dialect: Dialect,
    ) -> Option<String> {
        let days = self.days.as_ref()?;
        let literal = dialect.text(value);
        if self.kind != DimensionType::Text {
            return None;
        }
        if self.is_day(value) {
            return Some(format!(
                "SUBSTR({}, 1, 10) {} {literal}",
                self.sql,
                operator(op)
            ));
        }
        let end = match op {
            CompareOp::Eq | CompareOp::Ne => return None,
            CompareOp::Lt | CompareOp::Ge => "MIN",
            CompareOp::Le | CompareOp::Gt => "MAX",
        };
        Some(format!(
            "{} {} (SELECT {end}({}) FROM {} WHERE {} = {literal})",
            days.own,
            operator(op),
            dialect.name(&days.date),
            dialect.table(&days.table),
            dialect.as_text(&dialect.name(&days.column))
        ))
    }

    /// What is said of a value that nothing knows.
    fn unchecked(&self, field: &str, value: &str) -> Option<Reason> {
        let days = self.days.as_ref().filter(|_| self.of.is_none())?;
        Some(Reason {
            kind: ReasonKind::Note,
            text: format!(
                "{field} '{value}' was not checked: no dataset is over {}",
                days.table
            ),
            place: None,
        })
    }
}

impl<'a> Fields<'a> for Scope<'a> {
    fn operand(&mut self, field: &str, dialect: Dialect) -> Result<Operand<'a>, CompileError> {
        if let Some((period, time)) = self.period(field)? {
            let column = period.column(&time, self)?;
            let date = self.calendar(period.table, &time.sql, &period.table.date);
            return Ok(Operand::period(
                &period,
                (&column, &date),
                self.registry,
                dialect,
            ));
        }
        let found = self.dimension(field)?;
        Ok(Operand {
            sql: found.sql.clone(),
            kind: found.dimension.kind,
            of: Some(found),
            days: None,
        })
    }

    fn known(&mut self, found: &Operand<'a>, field: &str, value: &str) -> Result<(), CompileError> {
        if let Some(of) = &found.of {
            literals::known(of, field, value, self)?;
        }
        if let Some(reason) = found.unchecked(field, value) {
            self.note(reason);
        }
        Ok(())
    }

    fn each(&self, field: &str) -> Option<(String, ColumnType)> {
        self.each(field)
    }

    fn note(&mut self, reason: Reason) {
        self.note(reason);
    }
}

/// The days of the calendar table themselves: a field is a period of it, or else the day.
pub(super) struct TableDays<'a> {
    registry: &'a Registry,
    table: &'a CalendarTable,
    values: &'a dyn ValueLookup,
    /// The name under which the table is read.
    alias: &'static str,
    pub(super) reasons: Vec<Reason>,
}

impl<'a> TableDays<'a> {
    pub(super) fn new(
        registry: &'a Registry,
        table: &'a CalendarTable,
        values: &'a dyn ValueLookup,
        alias: &'static str,
    ) -> Self {
        Self {
            registry,
            table,
            values,
            alias,
            reasons: Vec::new(),
        }
    }
}

impl<'a> Fields<'a> for TableDays<'a> {
    fn operand(&mut self, field: &str, dialect: Dialect) -> Result<Operand<'a>, CompileError> {
        let column = |name: &str| format!("{}.{}", self.alias, dialect.name(name));
        let Some(period) = named(self.registry, field) else {
            return Ok(Operand {
                sql: column(&self.table.date),
                kind: DimensionType::Date,
                of: None,
                days: None,
            });
        };
        let date = column(&period.table.date);
        let column = column(&period.period.column);
        Ok(Operand::period(
            &period,
            (&column, &date),
            self.registry,
            dialect,
        ))
    }

    fn known(&mut self, found: &Operand<'a>, field: &str, value: &str) -> Result<(), CompileError> {
        if let Some(of) = &found.of {
            let reason = literals::check(
                of,
                (field, value),
                self.values,
                &Vec::new,
                of.dataset.name.as_str(),
            )?;
            self.reasons.extend(reason);
        }
        self.reasons.extend(found.unchecked(field, value));
        Ok(())
    }

    fn each(&self, _: &str) -> Option<(String, ColumnType)> {
        None
    }

    fn note(&mut self, reason: Reason) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}
