//! Periods of the calendar table: the one that the row of a day says.

use jiff::civil::{Date, DateTime};
use metrex::model::GroupBy;

use super::{Value, World};

/// A period of the calendar table as a query groups by it.
pub struct Custom {
    pub column: String,
    /// The time whose day is looked up, where it is not the measure's own.
    pub of: Option<String>,
}

impl World<'_> {
    /// What a grouping means where it is called like a period of the calendar table.
    pub fn custom(&self, group: &GroupBy) -> Option<Custom> {
        let table = self.registry.calendar.table.as_ref()?;
        let (name, of) = match group {
            GroupBy::Dimension(name) => match name.rsplit_once('.') {
                Some((of, period)) => (period.to_owned(), Some(of.to_owned())),
                None => (name.clone(), None),
            },
            GroupBy::Grain { grain, of } => (grain.to_string(), of.clone()),
            GroupBy::Part { .. } => return None,
        };
        let period = table.periods.get(&name)?;
        Some(Custom {
            column: period.column.clone(),
            of,
        })
    }

    /// The first and the last day of the calendar table.
    pub fn days(&self) -> Option<(Date, Date)> {
        let calendar = self.registry.calendar.table.as_ref()?;
        let table = self
            .tables
            .iter()
            .find(|table| table.name == calendar.table)?;
        let mut columns = table.columns.iter();
        let day = columns.position(|(column, _)| *column == calendar.date)?;
        let days = table.rows.iter().filter_map(|row| match row[day] {
            Value::Date(day) => Some(day),
            _ => None,
        });
        let days: Vec<Date> = days.collect();
        Some((*days.iter().min()?, *days.iter().max()?))
    }

    /// The period of a point in time; none of a day that the table does not have.
    pub fn period(&self, at: DateTime, custom: &Custom) -> Value {
        let calendar = self.registry.calendar.table.as_ref().unwrap();
        let mut tables = self.tables.iter();
        let table = tables.find(|table| table.name == calendar.table).unwrap();
        let index = |name: &str| {
            let mut columns = table.columns.iter();
            columns.position(|(column, _)| column == name).unwrap()
        };
        let (day, period) = (index(&calendar.date), index(&custom.column));
        let mut rows = table.rows.iter();
        let found = rows.find(|row| row[day] == Value::Date(at.date()));
        found.map_or(Value::Null, |row| row[period].clone())
    }
}
