//! The days of the calendar table by number of their period, and which period lies a step before each.

use super::{CalendarRows, Planner};
use crate::compile::periods_ago::PeriodsAgo;
use crate::compile::write::Fragment;
use crate::compile::{CompileError, ErrorCode};
use crate::model::{CalendarPeriod, CalendarTable};

impl<'a> Planner<'a> {
    /// The days of a period's table with the number of the period, its first and last day, and their place in it. A period
    /// is a run of days: where a name comes round again, it is another period.
    pub(super) fn numbered(
        &mut self,
        (table, period): (&'a CalendarTable, &'a CalendarPeriod),
        others: &[&str],
    ) -> String {
        let dialect = self.options.dialect;
        let own = [
            Some(&period.column),
            period.previous.as_ref(),
            period.year_ago.as_ref(),
        ];
        let own = own.into_iter().flatten().map(String::as_str);
        let mut columns: Vec<&str> = vec![&table.date];
        for column in own.chain(others.iter().copied()) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let columns: Vec<String> = columns
            .into_iter()
            .map(|column| dialect.name(column))
            .collect();
        let columns = columns.join(", ");
        let (date, column) = (dialect.name(&table.date), dialect.name(&period.column));
        let sql = format!(
            "SELECT {columns}, metrex_number,
    MIN({date}) OVER (PARTITION BY metrex_number) AS metrex_first,
    MAX({date}) OVER (PARTITION BY metrex_number) AS metrex_last,
    ROW_NUMBER() OVER (PARTITION BY metrex_number ORDER BY {date}) AS metrex_nth,
    COUNT(*) OVER (PARTITION BY metrex_number) AS metrex_length
  FROM (
    SELECT {columns}, SUM(metrex_new) OVER (ORDER BY {date}) AS metrex_number
    FROM (
      SELECT {columns}, CASE WHEN {column} = LAG({column}) OVER (ORDER BY {date}) THEN 0 ELSE 1 END AS metrex_new
      FROM {}
      WHERE {date} IS NOT NULL AND {column} IS NOT NULL
    ) AS metrex_days
  ) AS metrex_runs",
            dialect.table(&table.table)
        );
        self.relation(
            &format!("metrex_days_of_{}", period.name),
            CalendarRows {
                text: format!("days of {}, numbered by {}", table.table, period.name),
                sql: Fragment::new(sql, [table.place, period.place]),
            },
        )
    }

    /// The number of each period beside that of the one whose value a column has: the latest before it.
    pub(super) fn steps(&mut self, ago: &PeriodsAgo<'a>, column: &str) -> String {
        let dialect = self.options.dialect;
        let days = self.numbered((ago.table, ago.period), &[]);
        let (name, column) = (dialect.name(&ago.period.column), dialect.name(column));
        let sql = format!(
            "SELECT later.metrex_number, MAX(earlier.metrex_number) AS metrex_before
  FROM (SELECT DISTINCT metrex_number, {column} FROM {days}) AS later
  JOIN (SELECT DISTINCT metrex_number, {name} FROM {days}) AS earlier
    ON earlier.{name} = later.{column} AND earlier.metrex_number < later.metrex_number
  GROUP BY 1"
        );
        self.relation(
            &format!("metrex_steps_of_{}", ago.period.name),
            CalendarRows {
                text: format!("each {} with the one that the table says", ago.period.name),
                sql: Fragment::new(sql, [ago.period.place]),
            },
        )
    }

    pub(super) fn period(
        &self,
        name: &str,
    ) -> Result<(&'a CalendarTable, &'a CalendarPeriod), CompileError> {
        let table = self.registry.calendar.table.as_ref();
        let found = table.and_then(|table| Some((table, table.periods.get(name)?)));
        found.ok_or_else(|| {
            CompileError::new(
                ErrorCode::InvalidDefinition,
                format!("the calendar table has no {name}"),
            )
        })
    }
}
