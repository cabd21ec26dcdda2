//! Plan -> blocks of SQL: each relation becomes one SELECT, under a name where another one reads it.

use minijinja::value::Value;

use super::plan::{Aggregate, Bound, Column, Combine, Join, Node, PERIOD, Periods, Scan};
use super::write::{Fragment, object};
use super::{CompileError, ErrorCode};
use crate::warehouse::Dialect;

/// The parts of one SELECT.
#[derive(Debug, Default)]
struct Select {
    columns: Vec<Fragment>,
    /// What it reads, or the relations it stacks.
    from: Fragment,
    parts: Vec<Fragment>,
    /// Where it is nothing but other SELECTs, one after the other.
    stack: Vec<Self>,
    joins: Vec<Fragment>,
    conditions: Vec<Fragment>,
    /// How many of the columns it groups by.
    group_by: usize,
    having: Option<Fragment>,
    order: Vec<Fragment>,
    limit: Option<u64>,
}

/// A relation under a name.
struct Table {
    name: String,
    body: Body,
}

enum Body {
    Select(Box<Select>),
    /// SQL that is no plain SELECT.
    Text(Fragment),
}

/// Turns nodes into blocks.
struct Lowering {
    dialect: Dialect,
    tables: Vec<Table>,
    periods: Vec<(Periods, String)>,
    recursive: bool,
}

/// The blocks of a plan, as the template `query.sql.j2` takes them.
pub(super) fn lower(root: &Node, dialect: Dialect) -> Result<Value, CompileError> {
    let mut lowering = Lowering {
        dialect,
        tables: Vec::new(),
        periods: Vec::new(),
        recursive: false,
    };
    let select = lowering.select(root)?;
    let tables: Vec<Value> = lowering
        .tables
        .into_iter()
        .map(|table| {
            let name = Fragment::plain(table.name).value();
            match table.body {
                Body::Select(select) => object([
                    ("name", name),
                    ("body", Value::from(false)),
                    ("select", select.value()),
                ]),
                Body::Text(text) => object([("name", name), ("body", text.value())]),
            }
        })
        .collect();
    Ok(object([
        ("tables", Value::from(tables)),
        ("recursive", Value::from(lowering.recursive)),
        ("indent", Fragment::plain("  ").value()),
        ("flush", Fragment::plain("").value()),
        ("select", select.value()),
    ]))
}

impl Select {
    fn value(self) -> Value {
        let list = |fragments: Vec<Fragment>| -> Value {
            fragments.into_iter().map(Fragment::value).collect()
        };
        let optional =
            |fragment: Option<Fragment>| fragment.map_or(Value::from(false), Fragment::value);
        let ordinals: Vec<String> = (1..=self.group_by).map(|n| n.to_string()).collect();
        let group_by = (self.group_by > 0).then(|| Fragment::plain(ordinals.join(", ")));
        object([
            ("columns", list(self.columns)),
            ("from", self.from.value()),
            ("parts", list(self.parts)),
            ("stack", self.stack.into_iter().map(Self::value).collect()),
            ("joins", list(self.joins)),
            ("conditions", list(self.conditions)),
            ("group_by", optional(group_by)),
            ("having", optional(self.having)),
            ("order", list(self.order)),
            (
                "limit",
                optional(self.limit.map(|limit| Fragment::plain(limit.to_string()))),
            ),
        ])
    }
}

impl Lowering {
    /// A node as the SELECT that gives its rows.
    fn select(&mut self, node: &Node) -> Result<Select, CompileError> {
        Ok(match node {
            Node::Periods(periods) => {
                let name = self.calendar(periods);
                Select {
                    columns: vec![Fragment::plain(self.dialect.name(&periods.key))],
                    from: Fragment::plain(name),
                    ..Select::default()
                }
            }
            Node::Calendar(rows) => Select {
                columns: vec![Fragment::plain("*")],
                from: rows.sql.prefixed("(").suffixed(") AS metrex_days"),
                ..Select::default()
            },
            Node::Scan(scan) => self.scan(scan),
            Node::Stack(inputs) => Select {
                stack: inputs
                    .iter()
                    .map(|input| self.select(input))
                    .collect::<Result<_, _>>()?,
                ..Select::default()
            },
            Node::Aggregate(aggregate) => self.aggregate(aggregate)?,
            Node::Combine(combine) => self.combine(combine)?,
            Node::Filtered(_) | Node::Spread(_) => {
                let mut select = self.reading(node)?;
                select.columns = vec![Fragment::plain("*")];
                select
            }
            Node::Compute(compute) => {
                let mut select = self.reading(&compute.input)?;
                select.columns = self.named(&compute.columns);
                select.conditions.extend(compute.having.clone());
                select
            }
            Node::With(with) => {
                for (name, node) in &with.tables {
                    let body = match node {
                        Node::Calendar(rows) => Body::Text(rows.sql.clone()),
                        node => Body::Select(Box::new(self.select(node)?)),
                    };
                    // It is read by the same name, which may need quotes.
                    self.add(&self.dialect.name(name), body);
                }
                self.select(&with.input)?
            }
            Node::Sort(sort) => {
                let mut select = self.select(&sort.input)?;
                if !select.order.is_empty() || select.limit.is_some() {
                    let name = self.add("metrex_rows", Body::Select(Box::new(select)));
                    select = Select {
                        columns: vec![Fragment::plain("*")],
                        from: Fragment::plain(name),
                        ..Select::default()
                    };
                }
                select.order.clone_from(&sort.order);
                select.limit = sort.limit;
                select
            }
        })
    }

    /// A SELECT that reads a node's rows and says no columns yet.
    fn reading(&mut self, node: &Node) -> Result<Select, CompileError> {
        Ok(match node {
            Node::Scan(scan) => self.scan(scan),
            Node::Spread(spread) => {
                let from = Fragment::plain(self.table(&spread.input)?);
                let periods = self.calendar(&spread.over.periods);
                let on = spread.over.on();
                Select {
                    from,
                    joins: vec![on.prefixed(&format!("JOIN {periods} AS {PERIOD} ON "))],
                    ..Select::default()
                }
            }
            Node::Filtered(filtered) => {
                let mut select = self.reading(&filtered.input)?;
                select.conditions.extend(filtered.conditions.clone());
                select
            }
            other => Select {
                from: Fragment::plain(self.table(other)?),
                ..Select::default()
            },
        })
    }

    /// The name under which a node's rows can be read.
    fn table(&mut self, node: &Node) -> Result<String, CompileError> {
        if let Node::Periods(periods) = node {
            return Ok(self.calendar(periods));
        }
        let select = self.select(node)?;
        Ok(match node {
            Node::Combine(_) => self.add("metrex_groups", Body::Select(Box::new(select))),
            Node::Aggregate(_) => {
                let n = self.count("metrex_") + 1;
                self.tables.push(Table {
                    name: format!("metrex_{n}"),
                    body: Body::Select(Box::new(select)),
                });
                format!("metrex_{n}")
            }
            _ => self.add("metrex_rows", Body::Select(Box::new(select))),
        })
    }

    /// How many numbered relations there are.
    fn count(&self, prefix: &str) -> usize {
        let numbered = |name: &str| {
            let rest = name.strip_prefix(prefix).unwrap_or_default();
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
        };
        self.tables
            .iter()
            .filter(|table| numbered(&table.name))
            .count()
    }

    /// Adds a relation under this name, with a number where it is taken.
    fn add(&mut self, name: &str, body: Body) -> String {
        let taken = |name: &str| self.tables.iter().any(|table| table.name == name);
        let mut own = name.to_owned();
        let mut n = 2;
        while taken(&own) {
            own = format!("{name}_{n}");
            n += 1;
        }
        self.tables.push(Table {
            name: own.clone(),
            body,
        });
        own
    }

    fn named(&self, columns: &[Column]) -> Vec<Fragment> {
        let named = |column: &Column| column.sql.clone().alias(&self.dialect.name(&column.name));
        columns.iter().map(named).collect()
    }

    fn scan(&mut self, scan: &Scan) -> Select {
        let mut joins: Vec<Fragment> = scan.joins.iter().map(Join::sql).collect();
        if let Some(over) = &scan.over {
            // The joins come first where the time of the rows is in one of the joined tables.
            let periods = self.calendar(&over.periods);
            joins.push(
                over.on()
                    .prefixed(&format!("JOIN {periods} AS {PERIOD} ON ")),
            );
        }
        Select {
            from: scan.from.clone(),
            joins,
            conditions: scan.conditions.clone(),
            ..Select::default()
        }
    }

    fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Select, CompileError> {
        let mut select = self.reading(&aggregate.input)?;
        select.columns = self.named(&aggregate.keys);
        select.columns.extend(self.named(&aggregate.values));
        select.group_by = aggregate.keys.len();
        select.having.clone_from(&aggregate.having);
        Ok(select)
    }

    /// The stack: each relation with NULL for the columns of the others, and the bare periods of a trend. One row per
    /// key: every relation has at most one row there, so MAX picks it.
    fn combine(&mut self, combine: &Combine) -> Result<Select, CompileError> {
        let dialect = self.dialect;
        let key_names: Vec<String> = combine
            .keys
            .iter()
            .map(|(name, _)| dialect.name(name))
            .collect();
        let calendar = combine
            .shown
            .as_ref()
            .map(|shown| self.calendar(&shown.periods));
        let mut legs: Vec<(String, &[Column])> = Vec::new();
        for input in &combine.inputs {
            let values = match input {
                Node::Aggregate(aggregate) => aggregate.values.as_slice(),
                _ => {
                    return Err(CompileError::new(
                        ErrorCode::InvalidDefinition,
                        "only aggregations can be put side by side",
                    ));
                }
            };
            legs.push((self.table(input)?, values));
        }
        let all: Vec<(&Column, String, String)> = legs
            .iter()
            .flat_map(|(_, values)| values.iter())
            .map(|column| {
                let name = dialect.name(&column.name);
                let none = format!("{} AS {name}", dialect.null(column.ty));
                (column, name, none)
            })
            .collect();
        let row = |keys: &[String], from: &str, own: &[Column]| {
            let columns = all.iter().map(|(column, name, none)| {
                let is_own = own.iter().any(|own| own.name == column.name);
                if is_own { name } else { none }.as_str()
            });
            let keys = keys.iter().map(String::as_str);
            let list: Vec<&str> = keys.chain(columns).collect();
            Fragment::plain(format!("SELECT {} FROM {from}", list.join(", ")))
        };
        let mut parts: Vec<Fragment> = legs
            .iter()
            .map(|(name, values)| row(&key_names, name, values))
            .collect();
        if let (Some(calendar), Some(shown)) = (calendar, &combine.shown) {
            let periods = &shown.periods;
            let only = shown.only.as_ref().map(|only| only.sql.as_str());
            let others: Vec<String> = key_names
                .iter()
                .filter(|name| **name != dialect.name(&periods.key))
                .cloned()
                .collect();
            let filtered = |from: &str| match only {
                Some(only) => format!("{from} WHERE {only}"),
                None => from.to_owned(),
            };
            if others.is_empty() {
                parts.push(row(&key_names, &filtered(&calendar), &[]));
            } else if !combine.bare.is_empty() {
                let keys: Vec<String> = combine
                    .keys
                    .iter()
                    .zip(&key_names)
                    .map(|((key, ty), name)| match *key == periods.key {
                        true => name.clone(),
                        false => format!("{} AS {name}", dialect.null(*ty)),
                    })
                    .collect();
                let period = dialect.name(&periods.key);
                for (name, _) in combine.bare.iter().filter_map(|index| legs.get(*index)) {
                    let missing = format!(
                        "{period} NOT IN (SELECT {period} FROM {name} WHERE {period} IS NOT NULL)"
                    );
                    let from = match only {
                        Some(only) => format!("{calendar} WHERE {only} AND {missing}"),
                        None => format!("{calendar} WHERE {missing}"),
                    };
                    parts.push(row(&keys, &from, &[]));
                }
            } else {
                let of = |(name, _): &(String, &[Column])| {
                    format!("SELECT {} FROM {name}", others.join(", "))
                };
                let groups: Vec<String> = legs.iter().map(of).collect();
                let from = format!(
                    "({}) AS metrex_others CROSS JOIN {calendar}",
                    groups.join(" UNION ")
                );
                parts.push(row(&key_names, &filtered(&from), &[]));
            }
        }
        let merged = all
            .iter()
            .map(|(_, name, _)| Fragment::plain(format!("MAX({name}) AS {name}")));
        Ok(Select {
            columns: key_names
                .iter()
                .map(Fragment::plain)
                .chain(merged)
                .collect(),
            parts,
            group_by: key_names.len(),
            ..Select::default()
        })
    }

    /// The recursive relation with every period from the first to the last.
    fn calendar(&mut self, periods: &Periods) -> String {
        if let Some(name) = &periods.of_table {
            return name.clone();
        }
        if let Some((_, name)) = self.periods.iter().find(|(known, _)| known == periods) {
            return name.clone();
        }
        let dialect = self.dialect;
        let name = match self.periods.len() {
            0 => "metrex_periods".to_owned(),
            n => format!("metrex_periods_{}", n + 1),
        };
        let key = dialect.name(&periods.key);
        let bound = |bound: &Bound| match bound {
            Bound::Day(day) if periods.grain.is_sub_day() => {
                let week_start = crate::model::Weekday::Monday;
                Fragment::plain(dialect.trunc(&dialect.date(*day), periods.grain, week_start))
            }
            Bound::Day(day) => Fragment::plain(dialect.date(*day)),
            Bound::Data(sql) => sql.prefixed("(").suffixed(")"),
        };
        let (first, last) = (bound(&periods.first), bound(&periods.last));
        let places = first.places.iter().chain(&last.places).copied();
        // Every period of a range that begins after today is none.
        let is_empty = match (&periods.first, &periods.last) {
            (Bound::Day(first), Bound::Day(last)) => first > last,
            _ => false,
        };
        let none = is_empty.then(|| format!("SELECT {} AS {key} WHERE 1 = 0", first.sql));
        let series = none.or_else(|| dialect.series(&key, &first.sql, &last.sql, periods.grain));
        self.recursive |= series.is_none();
        let body = series.unwrap_or_else(|| {
            // The periods of data may begin after the last one that is asked for.
            let is_data = |bound: &Bound| matches!(bound, Bound::Data(_));
            let some = match is_data(&periods.first) || is_data(&periods.last) {
                true => format!(" WHERE {} <= {}", first.sql, last.sql),
                false => String::new(),
            };
            format!(
                "SELECT {} AS {key}{some}\n  UNION ALL\n  SELECT {} FROM {name} WHERE {key} < {}",
                first.sql,
                dialect.next_period(&key, periods.grain),
                last.sql
            )
        });
        let body = Fragment::new(body, places);
        // A recursive relation stands before those that read it, so that the text reads from top to bottom.
        self.tables.insert(
            self.periods.len(),
            Table {
                name: name.clone(),
                body: Body::Text(body),
            },
        );
        self.periods.push((periods.clone(), name.clone()));
        name
    }
}
