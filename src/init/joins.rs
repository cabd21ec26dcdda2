//! Many-to-one joins between tables: declared, or named alike and checked on the data. Whatever would multiply rows
//! is refused, with the reason.

use std::collections::BTreeMap;

use super::survey::{Surveyor, Table, concerns_one_table, count};
use super::{InitError, words};
use crate::model::ColumnType;

/// Share of the values that must be found on the other side.
const FOUND: f64 = 0.99;
/// Values of one column that are looked up.
const LOOKED_UP: u64 = 500_000;

/// A join that holds.
#[derive(Debug, Clone)]
pub(super) struct Join {
    /// Its role: `buyer`.
    pub(super) name: String,
    /// Index of the table joined to.
    pub(super) to: usize,
    /// Columns here and the key's columns there.
    pub(super) on: Vec<(String, String)>,
    /// Values that are not found there.
    pub(super) missing: u64,
}

/// The joins of one table, and why there are no others.
#[derive(Debug, Clone, Default)]
pub(super) struct Joins {
    pub(super) found: Vec<Join>,
    pub(super) refused: Vec<String>,
}

impl Joins {
    /// The join that uses `column`, alone or with others.
    pub(super) fn on(&self, column: &str) -> Option<&Join> {
        self.found
            .iter()
            .find(|join| join.on.iter().any(|(here, _)| here == column))
    }
}

/// The joins of every table, in the order of the tables.
///
/// # Errors
/// The warehouse fails.
pub(super) fn find(surveyor: &Surveyor, tables: &[Table]) -> Result<Vec<Joins>, InitError> {
    let mut all = Vec::with_capacity(tables.len());
    for (at, table) in tables.iter().enumerate() {
        let mut joins = declared(tables, table);
        for column in &table.columns {
            if joins.on(&column.name).is_some() || !words::names_a_column(&column.name) {
                continue;
            }
            for (to, key) in by_name(tables, at, &column.name) {
                let on = vec![(column.name.clone(), key.to_owned())];
                check(surveyor, tables, table, to, on, &mut joins)?;
                if joins.on(&column.name).is_some() {
                    break;
                }
            }
        }
        for (to, on) in by_two_names(tables, at) {
            if on.iter().all(|(here, _)| joins.on(here).is_none()) {
                check(surveyor, tables, table, to, on, &mut joins)?;
            }
        }
        let place = |join: &Join| {
            let (first, _) = join.on.first()?;
            table
                .columns
                .iter()
                .position(|column| column.name == *first)
        };
        joins.found.sort_by_key(place);
        name_apart(&mut joins);
        all.push(joins);
    }
    let siblings = siblings(tables, &all);
    for (joins, refused) in all.iter_mut().zip(siblings) {
        joins.refused.extend(refused);
    }
    Ok(all)
}

/// Foreign keys that lead to the other table's key.
fn declared(tables: &[Table], table: &Table) -> Joins {
    let mut joins = Joins::default();
    let writable = |columns: &[String]| columns.iter().all(|column| words::names_a_column(column));
    for foreign in table
        .foreign_keys
        .iter()
        .filter(|foreign| writable(&foreign.columns))
    {
        let Some(to) = tables.iter().position(|other| other.name == foreign.table) else {
            continue;
        };
        let Some(target) = tables.get(to) else {
            continue;
        };
        let on: Option<Vec<_>> = target
            .key
            .iter()
            .map(|key| {
                let at = foreign.references.iter().position(|column| column == key)?;
                Some((foreign.columns.get(at)?.clone(), key.clone()))
            })
            .collect();
        match on {
            Some(on) if on.len() == foreign.columns.len() => {
                joins.found.push(Join {
                    name: role(&on, &target.entity),
                    to,
                    on,
                    missing: 0,
                });
            }
            _ => joins.refused.push(format!(
                "{}: the foreign key on {} does not lead to its key ({}).",
                target.name,
                foreign.columns.join(", "),
                target.key.join(", "),
            )),
        }
    }
    joins
}

/// Tables whose key a column names: `customer_id` the key of `customers`, be it `customer_id` or `id`. The table that
/// is named after the thing comes first.
fn by_name<'t>(tables: &'t [Table], at: usize, column: &str) -> Vec<(usize, &'t str)> {
    let Some(table) = tables.get(at) else {
        return Vec::new();
    };
    let name = words::identifier(column);
    let mut found = Vec::new();
    for (to, other) in tables.iter().enumerate() {
        let [key] = other.key.as_slice() else {
            continue;
        };
        if to == at || other.entity.is_empty() || !comparable(table, column, other, key) {
            continue;
        }
        let key_name = words::identifier(key);
        let full = match key_name.starts_with(&other.entity) {
            true => key_name.clone(),
            false => format!("{}_{key_name}", other.entity),
        };
        let rank = if name == full {
            0
        } else if name.ends_with(&format!("_{full}")) {
            1
        } else if name == key_name && name != "id" && words::is_key_name(&name) {
            2
        } else if name == other.entity {
            3
        } else {
            continue;
        };
        // Two tables that share their key: only the one that is not named after the thing joins the other.
        if table.is_key(column) && (rank > 0 || is_named_after(table, &name)) {
            continue;
        }
        found.push((rank, to, key.as_str()));
    }
    found.sort();
    found.into_iter().map(|(_, to, key)| (to, key)).collect()
}

/// Whether a key is named after the table's own rows.
fn is_named_after(table: &Table, key: &str) -> bool {
    key == "id" || key == table.entity || key.starts_with(&format!("{}_", table.entity))
}

/// Tables with a key of two columns that both exist here under the same names.
fn by_two_names(tables: &[Table], at: usize) -> Vec<(usize, Vec<(String, String)>)> {
    let Some(table) = tables.get(at) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (to, other) in tables.iter().enumerate() {
        let fits =
            |key: &String| words::identifier(key) != "id" && comparable(table, key, other, key);
        if to != at && other.key.len() == 2 && other.key != table.key && other.key.iter().all(fits)
        {
            found.push((
                to,
                other
                    .key
                    .iter()
                    .map(|key| (key.clone(), key.clone()))
                    .collect(),
            ));
        }
    }
    found
}

fn comparable(table: &Table, column: &str, other: &Table, key: &str) -> bool {
    let (Some(here), Some(there)) = (table.column(column), other.column(key)) else {
        return false;
    };
    here.ty == there.ty
        && matches!(
            here.ty,
            ColumnType::Integer | ColumnType::Text | ColumnType::Date
        )
}

/// Looks the values up on the other side and takes the join, or says why not.
fn check(
    surveyor: &Surveyor,
    tables: &[Table],
    table: &Table,
    to: usize,
    on: Vec<(String, String)>,
    joins: &mut Joins,
) -> Result<(), InitError> {
    let Some(target) = tables.get(to) else {
        return Ok(());
    };
    let dialect = surveyor.dialect();
    let (mut here, mut given, mut same) = (Vec::new(), Vec::new(), Vec::new());
    for (column, key) in &on {
        here.push(dialect.name(column));
        given.push(format!("{} IS NOT NULL", dialect.name(column)));
        same.push(format!(
            "p.{} = s.{}",
            dialect.name(key),
            dialect.name(column)
        ));
    }
    let found = on
        .first()
        .map(|(_, key)| dialect.name(key))
        .unwrap_or_default();
    let from = format!(
        "(SELECT {} FROM {} WHERE {} LIMIT {LOOKED_UP}) AS s LEFT JOIN {} AS p ON {}",
        here.join(", "),
        dialect.table(&table.name),
        given.join(" AND "),
        dialect.table(&target.name),
        same.join(" AND "),
    );
    let answers = match surveyor.row(&["count(*)".to_owned(), format!("count(p.{found})")], &from) {
        Ok(answers) => answers,
        // Such as types that cannot be compared: no join, and nothing else is lost.
        Err(error) if concerns_one_table(&error) => {
            joins
                .refused
                .push(format!("{}: {}", target.name, error.message));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let (values, matched) = (count(answers.first()), count(answers.get(1)));
    if values == 0 {
        return Ok(());
    }
    let missing = values.saturating_sub(matched);
    if matched as f64 >= FOUND * values as f64 {
        joins.found.push(Join {
            name: role(&on, &target.entity),
            to,
            on,
            missing,
        });
    } else {
        let columns: Vec<_> = on.iter().map(|(column, _)| column.as_str()).collect();
        joins.refused.push(format!(
            "{}: {} of {} values of {} are not found there.",
            target.name,
            words::thousands(missing),
            words::thousands(values),
            columns.join(", "),
        ));
    }
    Ok(())
}

/// `billing_customer_id` -> `billing_customer`
fn role(on: &[(String, String)], entity: &str) -> String {
    let [(column, _)] = on else {
        return entity.to_owned();
    };
    let name = words::identifier(column);
    match name.rsplit_once('_') {
        Some((start, _)) if words::is_key_name(&name) => start.to_owned(),
        _ => name,
    }
}

/// Gives joins that would have the same name one each.
fn name_apart(joins: &mut Joins) {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for join in &mut joins.found {
        let times = taken.entry(join.name.clone()).or_default();
        *times += 1;
        if *times > 1 {
            join.name = format!("{}_{times}", join.name);
        }
    }
}

/// For each table, the tables with many rows for the same thing: rows of both at once would be multiplied.
fn siblings(tables: &[Table], joins: &[Joins]) -> Vec<Vec<String>> {
    let linked = |from: usize, to: usize| {
        joins
            .get(from)
            .is_some_and(|joins| joins.found.iter().any(|join| join.to == to))
    };
    let mut all = Vec::with_capacity(tables.len());
    for (at, table) in tables.iter().enumerate() {
        let mut refused = Vec::new();
        for (other_at, other) in tables.iter().enumerate() {
            if other_at == at || linked(at, other_at) || linked(other_at, at) {
                continue;
            }
            let shared = table.columns.iter().find(|column| {
                let name = &column.name;
                words::is_key_name(&words::identifier(name))
                    && words::identifier(name) != "id"
                    && other.column(name).is_some()
                    && !table.is_key(name)
                    && !other.is_key(name)
            });
            if let Some(column) = shared {
                refused.push(format!(
                    "{}: many rows per {}, joining would multiply {}.",
                    other.name,
                    column.name,
                    words::phrase(&words::plural(&table.entity)),
                ));
            }
        }
        all.push(refused);
    }
    all
}
