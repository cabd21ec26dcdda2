//! Rows of datasets, the rows they join to, and the values that names have there.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use metrex::model::{Dataset, Dimension, DimensionType, Expression, Join, Measure, Relation};

use super::expr::evaluate;
use super::{Answered, Table, Value, World, refuse};

/// Joins that lead to a dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub joins: Vec<String>,
    pub dataset: String,
    pub dimension: String,
}

/// A row of a dataset, or the row that is missing at the end of a join.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub dataset: &'a Dataset,
    table: &'a Table,
    cells: Option<&'a [Value]>,
    /// When the row happened that the aggregation is about, for joins onto what changes over time.
    at: Option<DateTime>,
}

impl Row<'_> {
    pub fn exists(&self) -> bool {
        self.cells.is_some()
    }

    /// Whether it is the same row, not only an equal one.
    pub fn is(&self, other: Self) -> bool {
        match (self.cells, other.cells) {
            (Some(one), Some(other)) => std::ptr::eq(one, other),
            _ => false,
        }
    }
}

impl<'a> World<'a> {
    pub fn dataset(&self, name: &str) -> Answered<&'a Dataset> {
        let found = self.registry.datasets.get(name);
        found.map_or_else(|| refuse(format!("there is no dataset {name}")), Ok)
    }

    fn table(&self, dataset: &Dataset) -> &'a Table {
        let name = match &dataset.relation {
            Relation::Table(table) => table,
            Relation::Sql(_) => &dataset.name,
        };
        let mut tables = self.tables.iter();
        tables
            .find(|table| table.name == *name)
            .unwrap_or_else(|| panic!("there is no table {name}"))
    }

    /// The rows of a measure's dataset, each with its time.
    pub fn rows(&self, measure: &Measure) -> Answered<Vec<Row<'a>>> {
        let dataset = self.dataset(&measure.dataset)?;
        let table = self.table(dataset);
        let mut rows = Vec::new();
        for cells in &table.rows {
            let mut row = Row {
                dataset,
                table,
                cells: Some(cells),
                at: None,
            };
            let time = measure.time.as_ref().or(dataset.time.as_ref());
            if let Some(time) = time.filter(|time| dataset.dimensions.contains_key(*time)) {
                row.at = self.dimension(row, time)?.0.instant();
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// The rows of a dataset by themselves.
    pub fn all(&self, dataset: &'a Dataset) -> Vec<Row<'a>> {
        let table = self.table(dataset);
        let rows = table.rows.iter().map(|cells| Row {
            dataset,
            table,
            cells: Some(cells),
            at: None,
        });
        rows.collect()
    }

    fn column(row: Row<'_>, name: &str) -> Value {
        let mut columns = row.table.columns.iter();
        let index = columns.position(|(column, _)| column.eq_ignore_ascii_case(name));
        let index = index.unwrap_or_else(|| panic!("{} has no column {name}", row.table.name));
        row.cells.map_or(Value::Null, |cells| cells[index].clone())
    }

    /// A dimension of the row's own dataset. What does not exist has no values, whatever the expression makes of NULL.
    pub fn own(&self, row: Row<'_>, dimension: &Dimension) -> Answered<Value> {
        if row.cells.is_none() {
            return Ok(Value::Null);
        }
        let value = match &dimension.column {
            Some(column) => Self::column(row, column),
            None => evaluate(&self.parsed(&dimension.expr.text), &|parts| {
                Ok(Self::column(row, &parts.join(".")))
            })?,
        };
        Ok(match (&row.dataset.stored_in, value) {
            (Some(zone), Value::Time(at)) if dimension.kind == DimensionType::Time => {
                Value::Time(self.local(at, zone))
            }
            (_, value) => value,
        })
    }

    /// A time dimension in UTC, where it is known in which zone it is stored.
    pub fn utc(&self, row: Row<'a>, name: &str) -> Answered<Option<DateTime>> {
        let path = self.path(&row.dataset.name, name)?;
        let mut end = row;
        for join in &path.joins {
            end = self.join(end, &end.dataset.joins[join])?;
        }
        let dimension = &end.dataset.dimensions[&path.dimension];
        let column = dimension.column.as_deref();
        let zone = end.dataset.stored_in.as_ref();
        let (Some(column), Some(zone), DimensionType::Time) = (column, zone, dimension.kind) else {
            return Ok(None);
        };
        let at = Self::column(end, column).instant();
        Ok(at.map(|at| {
            let stored = TimeZone::get(zone).unwrap().to_ambiguous_zoned(at);
            stored.later().unwrap().in_tz("UTC").unwrap().datetime()
        }))
    }

    /// A time stored in one zone as the clocks of the project's zone show it.
    fn local(&self, at: DateTime, zone: &str) -> DateTime {
        let project = &self.registry.calendar.timezone;
        // An hour that the clocks showed twice is the second one.
        let stored = TimeZone::get(zone).unwrap().to_ambiguous_zoned(at);
        let stored = stored.later().unwrap();
        stored.in_tz(project).unwrap().datetime()
    }

    /// A bound of the time that a row holds for: the dimension of that column where there is one.
    fn bound(&self, row: Row<'_>, column: &str) -> Value {
        let mut dimensions = row.dataset.dimensions.values();
        match dimensions.find(|known| known.column.as_deref() == Some(column)) {
            Some(dimension) => self.own(row, dimension).unwrap(),
            None => Self::column(row, column),
        }
    }

    /// The row that a join leads to: the one with that key, valid at the time of the row that the aggregation is about.
    pub fn join(&self, row: Row<'a>, join: &Join) -> Answered<Row<'a>> {
        let dataset = self.dataset(&join.to)?;
        let table = self.table(dataset);
        let candidates = table.rows.iter().map(|cells| Row {
            dataset,
            table,
            cells: Some(cells),
            at: row.at,
        });
        let meets = |there: &Row<'_>| {
            let equal = join.on.iter().all(|(here, key)| {
                let here = Self::column(row, here);
                here.compare(&Self::column(*there, key)) == Some(std::cmp::Ordering::Equal)
            });
            let valid = dataset.valid.as_ref().is_none_or(|valid| {
                let (from, to) = (
                    self.bound(*there, &valid.from),
                    self.bound(*there, &valid.to),
                );
                row.at.is_some_and(|at| {
                    from.instant().is_some_and(|from| from <= at)
                        && (to.is_null() || to.instant().is_some_and(|to| at < to))
                })
            });
            equal && valid
        };
        let mut found = candidates.filter(meets);
        let first = found.next();
        assert!(
            found.next().is_none(),
            "a join onto {} finds several rows: the test data are wrong",
            dataset.name
        );
        Ok(first.unwrap_or(Row {
            dataset,
            table,
            cells: None,
            at: row.at,
        }))
    }

    /// What a dimension is for a row, by a name as queries write it.
    pub fn dimension(&self, row: Row<'a>, name: &str) -> Answered<(Value, DimensionType)> {
        let path = self.path(&row.dataset.name, name)?;
        let mut end = row;
        for join in &path.joins {
            end = self.join(end, &end.dataset.joins[join])?;
        }
        let dimension = &end.dataset.dimensions[&path.dimension];
        Ok((self.own(end, dimension)?, dimension.kind))
    }

    /// A dimension, or else a column of the row's own table.
    pub fn name(&self, row: Row<'a>, name: &str) -> Answered<Value> {
        match self.dimension(row, name) {
            Ok((value, _)) => Ok(value),
            Err(_) => Ok(Self::column(row, name)),
        }
    }

    /// The kind of a dimension, and its name where it is declared.
    pub fn kind(&self, dataset: &str, name: &str) -> Answered<(DimensionType, String)> {
        let path = self.path(dataset, name)?;
        let dimension = &self.dataset(&path.dataset)?.dimensions[&path.dimension];
        Ok((dimension.kind, dimension.name.clone()))
    }

    /// The value of an expression of a definition for a row: bare names are its dimensions or columns, `a.b` is joined.
    pub fn expression(&self, row: Row<'a>, expression: &Expression) -> Answered<Value> {
        evaluate(&self.parsed(&expression.text), &|parts| match parts {
            [name] => match row.dataset.dimensions.get(name) {
                Some(dimension) => self.own(row, dimension),
                None => Ok(Self::column(row, name)),
            },
            parts => Ok(self.dimension(row, &parts.join("."))?.0),
        })
    }

    /// The nearest dimension of that name; several equally near are ambiguous, where not one of them has it as its name
    /// and the others only as an alias.
    pub fn path(&self, dataset: &str, name: &str) -> Answered<Path> {
        let asked = (dataset.to_owned(), name.to_owned());
        if let Some(known) = self.found.borrow().get(&asked) {
            return known.clone();
        }
        let found = self.search(dataset, name);
        self.found.borrow_mut().insert(asked, found.clone());
        found
    }

    fn search(&self, dataset: &str, name: &str) -> Answered<Path> {
        let name = name.to_lowercase();
        let mut level = vec![(dataset.to_owned(), vec![], vec![dataset.to_owned()])];
        while !level.is_empty() {
            let (mut by_name, mut by_alias) = (vec![], vec![]);
            let mut next = Vec::new();
            for (dataset, joins, seen) in level {
                let dataset = self.dataset(&dataset)?;
                for dimension in dataset.dimensions.values() {
                    let path = Path {
                        joins: joins.clone(),
                        dataset: dataset.name.clone(),
                        dimension: dimension.name.clone(),
                    };
                    if called(&path, &dimension.name, &name) {
                        by_name.push(path);
                    } else if dimension
                        .aliases
                        .iter()
                        .any(|alias| called(&path, alias, &name))
                    {
                        by_alias.push(path);
                    }
                }
                for join in dataset.joins.values() {
                    if !seen.contains(&join.to) {
                        let joins = [joins.as_slice(), std::slice::from_ref(&join.name)].concat();
                        let seen = [seen.as_slice(), std::slice::from_ref(&join.to)].concat();
                        next.push((join.to.clone(), joins, seen));
                    }
                }
            }
            match (by_name.as_slice(), by_alias.as_slice()) {
                ([only], _) | ([], [only]) => return Ok(only.clone()),
                ([], []) => {}
                _ => return refuse(format!("{name} is ambiguous for {dataset}")),
            }
            level = next;
        }
        refuse(format!("{name} cannot be reached from {dataset}"))
    }
}

/// Whether a dimension at the end of a path is meant by `word`, `role.word`, `role.role.word` or `dataset.word`.
fn called(path: &Path, word: &str, name: &str) -> bool {
    let mut forms = vec![word.to_owned(), format!("{}.{word}", path.dataset)];
    let mut qualified = word.to_owned();
    for join in path.joins.iter().rev() {
        qualified = format!("{join}.{qualified}");
        forms.push(qualified.clone());
    }
    forms.iter().any(|form| form.to_lowercase() == name)
}
