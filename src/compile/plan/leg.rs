//! A leg of a query: the aggregation of one dataset under one set of conditions, for one treatment of time.

use super::conversion::Conversions;
use super::{Aggregate, Column, Compute, Filtered, Join, Node, Over, Scan, Snapshots, Spread};
use crate::compile::rollup::Stored;
use crate::compile::write::Fragment;
use crate::model::{self, AtCoarserGrain, ColumnType, Grain, Place};
use crate::warehouse::Dialect;

/// An aggregate of a leg.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compile) struct Aggregated {
    pub(in crate::compile) name: String,
    pub(in crate::compile) ty: ColumnType,
    pub(in crate::compile) agg: model::Aggregate,
    /// What is aggregated, over the columns of the scan; nothing for the number of rows.
    pub(in crate::compile) row: Option<String>,
    /// The columns of a rollup that it is added up from instead.
    pub(in crate::compile) stored: Option<Stored>,
    /// The rows that count, where the leg has others too.
    pub(in crate::compile) only: Option<Fragment>,
    pub(in crate::compile) places: Vec<Place>,
    /// The text it was made from, to see that two metrics share it.
    pub(in crate::compile) text: String,
}

impl Aggregated {
    /// What is aggregated as a column of the rows, under the aggregate's name.
    pub(super) fn row_column(&self) -> Option<Column> {
        Some(Column {
            name: self.name.clone(),
            ty: self.ty,
            sql: Fragment::new(self.row.clone()?, self.places.iter().copied()),
        })
    }

    /// The aggregate over rows that have [`Aggregated::row_column`].
    pub(super) fn over_rows(&self, dialect: Dialect) -> Column {
        let row = self.row.as_ref().map(|_| dialect.name(&self.name));
        Self {
            row,
            ..self.clone()
        }
        .column(dialect)
    }

    /// What a row, of a rollup or of a dataset, adds to the aggregate.
    fn parts(&self) -> Vec<Column> {
        let own = || Stored::of_row(self.agg, self.row.as_deref());
        let stored = self.stored.clone().unwrap_or_else(own);
        let part = |(name, sql): (String, &str)| Column {
            name,
            ty: self.ty,
            sql: Fragment::new(sql, self.places.iter().copied()),
        };
        let parts = self.part_names().into_iter().zip(stored.columns());
        parts.map(part).collect()
    }

    /// The names of its parts: a mean has two.
    fn part_names(&self) -> [String; 2] {
        [self.name.clone(), format!("metrex_count_{}", self.name)]
    }

    /// The aggregate of a rollup over relations that have its parts.
    fn over_parts(&self, dialect: Dialect) -> Column {
        let mut names = self.part_names().into_iter();
        let mut next = |_: &str| dialect.name(&names.next().unwrap_or_default());
        Self {
            stored: self.stored.as_ref().map(|stored| stored.map(&mut next)),
            ..self.clone()
        }
        .column(dialect)
    }

    /// The aggregate over the rows of its leg.
    pub(in crate::compile) fn column(&self, dialect: Dialect) -> Column {
        let only = self.only.as_ref().map(|only| only.sql.as_str());
        let row = match (&self.row, only) {
            (row, None) => row.clone(),
            (Some(row), Some(only)) => Some(format!("CASE WHEN {only} THEN {row} END")),
            (None, Some(only)) => Some(format!("CASE WHEN {only} THEN 1 END")),
        };
        let sql = match &self.stored {
            Some(stored) => stored.added_up(only, dialect),
            None => dialect.aggregate(self.agg, row.as_deref()),
        };
        Column {
            name: self.name.clone(),
            ty: self.ty,
            sql: Fragment::new(
                sql,
                self.places
                    .iter()
                    .chain(self.only.iter().flat_map(|only| &only.places))
                    .copied(),
            ),
        }
    }
}

/// What becomes of the rows of a leg before they are aggregated.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compile) enum Rows {
    /// All of them count.
    All,
    /// They are snapshots.
    Snapshots(Snapshots),
    /// They are events, and what follows them counts.
    Conversions(Box<Conversions>),
}

/// The periods over the values of days.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compile) struct Daily {
    /// The keys of the result, over the columns of the daily leg.
    pub(in crate::compile) keys: Vec<Column>,
    /// The value that stands for a period.
    pub(in crate::compile) take: AtCoarserGrain,
    /// The days whose value that is, where it is no mean.
    pub(in crate::compile) edge: Edge,
}

/// Which day is the last (or first) one of a period.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compile) enum Edge {
    /// The one of the calendar: a condition on the day.
    OfCalendar(String),
    /// The one that has a value.
    WithValue,
}

/// A rollup that a leg reads.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compile) struct FromRollup {
    pub(in crate::compile) name: String,
    /// The rows since the rollup was refreshed, where days are asked for that it does not have yet.
    pub(in crate::compile) tail: Option<Box<Leg>>,
}

/// One aggregation, with everything its rows depend on.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::compile) struct Leg {
    pub(in crate::compile) dataset: String,
    pub(in crate::compile) keys: Vec<Column>,
    pub(in crate::compile) columns: Vec<Aggregated>,
    pub(in crate::compile) from: Fragment,
    pub(in crate::compile) joins: Vec<Join>,
    /// The filters of the definition: legs that differ in nothing else can read their table once.
    pub(in crate::compile) definition: Vec<Fragment>,
    /// The conditions of the query.
    pub(in crate::compile) conditions: Vec<Fragment>,
    /// The time range.
    pub(in crate::compile) bounds: Option<Fragment>,
    pub(in crate::compile) over: Option<Over>,
    /// Where rows of earlier periods of the calendar table count: the relation with the periods that have one, and the
    /// keys that it has.
    pub(in crate::compile) earlier: Option<(String, Vec<String>)>,
    pub(in crate::compile) rows: Rows,
    /// The leg is by day, and one value of the days of each period stands for it.
    pub(in crate::compile) daily: Option<Daily>,
    /// Each day is added up before its rows are repeated for the periods.
    pub(in crate::compile) by_day_first: bool,
    /// The rollup that it reads in the place of its dataset's rows.
    pub(in crate::compile) rollup: Option<FromRollup>,
    /// The periods it has no rows for are rows of the result without the other groups.
    pub(in crate::compile) missing_are_rows: bool,
    /// What else tells it apart: time dimension, distance back, window.
    pub(in crate::compile) treatment: String,
    /// The definition filters as text.
    pub(in crate::compile) filters: Vec<String>,
}

impl Leg {
    /// Adds an aggregate with the joins that it needs: they are many-to-one, so they change no other one.
    pub(super) fn add(&mut self, joins: Vec<Join>, column: Aggregated) {
        for join in joins {
            self.add_join(join);
        }
        self.columns.push(column);
    }

    /// Whether it is one aggregation of rows as they stand.
    pub(in crate::compile) fn is_plain(&self) -> bool {
        self.daily.is_none()
            && !self.by_day_first
            && !self.missing_are_rows
            && self.rows == Rows::All
            && self.tail().is_none()
    }

    /// The rows that are added to those of a rollup.
    pub(super) fn tail(&self) -> Option<&Self> {
        self.rollup.as_ref()?.tail.as_deref()
    }

    /// An aggregate of the leg as SQL.
    pub(in crate::compile) fn value(&self, column: &str, dialect: Dialect) -> Option<String> {
        let found = self.columns.iter().find(|known| known.name == column)?;
        Some(found.column(dialect).sql.sql)
    }

    /// Adds a join, once.
    pub(in crate::compile) fn add_join(&mut self, join: Join) {
        if !self.joins.iter().any(|known| known.table == join.table) {
            self.joins.push(join);
        }
    }

    /// The relation that gives its keys and aggregates.
    pub(in crate::compile) fn node(&self, dialect: Dialect) -> Node {
        let scan = self.scan(dialect);
        let aggregate = match (&self.rows, &self.over) {
            (Rows::Snapshots(snapshots), _) => snapshots.node(self, Node::Scan(scan), dialect),
            (Rows::Conversions(conversions), _) => conversions.node(self, dialect),
            (Rows::All, Some(over)) if self.by_day_first => self.over_days(scan, over, dialect),
            (Rows::All, _) => match self.tail() {
                Some(tail) => self.with_tail(tail, dialect),
                None => self.grouped(Node::Scan(scan), dialect),
            },
        };
        let Some(Daily { keys, take, edge }) = &self.daily else {
            return aggregate;
        };
        if *take != AtCoarserGrain::Average {
            return self.day_of_period(aggregate, keys, (*take, edge), dialect);
        }
        let mean = |column: &Aggregated| Column {
            name: column.name.clone(),
            ty: ColumnType::Number,
            sql: Fragment::plain(
                dialect.aggregate(model::Aggregate::Avg, Some(&dialect.name(&column.name))),
            ),
        };
        Node::Aggregate(Box::new(Aggregate {
            input: aggregate,
            keys: keys.clone(),
            values: self.columns.iter().map(mean).collect(),
            having: None,
        }))
    }

    /// The rows that it aggregates.
    pub(in crate::compile) fn scan(&self, dialect: Dialect) -> Scan {
        // Engines evaluate conditions in the order written where they think them equally dear: a comparison of dates is
        // cheap and leaves out most rows, but for SQLite, whose dates are text.
        let bounds = || self.bounds.iter().cloned();
        let others = self.definition.iter().chain(&self.conditions).cloned();
        let conditions = match dialect {
            Dialect::Sqlite => others.chain(bounds()).collect(),
            _ => bounds().chain(others).collect(),
        };
        Scan {
            dataset: self.dataset.clone(),
            rollup: self.rollup.as_ref().map(|rollup| rollup.name.clone()),
            from: self.from.clone(),
            joins: self.joins.clone(),
            conditions,
            over: self.over.clone().map(Box::new),
        }
    }

    fn grouped(&self, input: Node, dialect: Dialect) -> Node {
        let values = self.columns.iter();
        Node::Aggregate(Box::new(Aggregate {
            input,
            keys: self.keys.clone(),
            values: values.map(|column| column.column(dialect)).collect(),
            having: None,
        }))
    }

    /// The sums of a rollup and the rows since then, one after the other, added up together.
    fn with_tail(&self, tail: &Self, dialect: Dialect) -> Node {
        let rows = |leg: &Self| {
            let parts = leg.columns.iter().flat_map(Aggregated::parts);
            Node::Compute(Box::new(Compute {
                input: Node::Scan(leg.scan(dialect)),
                columns: leg.keys.iter().cloned().chain(parts).collect(),
                having: None,
            }))
        };
        let values = self.columns.iter();
        Node::Aggregate(Box::new(Aggregate {
            input: Node::Stack(vec![rows(self), rows(tail)]),
            keys: by_name(&self.keys, dialect),
            values: values.map(|column| column.over_parts(dialect)).collect(),
            having: None,
        }))
    }
}

impl Leg {
    /// Whether each day can be added up before its rows are repeated for the periods.
    pub(super) fn adds_up_by_day(&self) -> bool {
        let adds_up = |column: &Aggregated| {
            use model::Aggregate::{Count, Max, Min, Sum, SumBoolean};
            matches!(column.agg, Count | Sum | SumBoolean | Min | Max)
        };
        let whole_days = |over: &Over| !over.has_time;
        self.rows == Rows::All
            && self.over.as_ref().is_some_and(whole_days)
            && self.columns.iter().all(adds_up)
    }

    /// The aggregates of each day, added up over the windows.
    fn over_days(&self, scan: Scan, over: &Over, dialect: Dialect) -> Node {
        const ON: &str = "metrex_on";
        let is_period = |key: &&Column| key.sql.sql.contains(PERIOD);
        let others = self.keys.iter().filter(|key| !is_period(key));
        let mut keys: Vec<Column> = others.cloned().collect();
        let named = by_name(&self.keys, dialect).into_iter().zip(&self.keys);
        let named = named.map(|(named, own)| match is_period(&own) {
            true => own.clone(),
            false => named,
        });
        let named = named.collect();
        keys.push(Column {
            name: ON.to_owned(),
            ty: ColumnType::Date,
            sql: Fragment::new(
                dialect.trunc(&over.time.sql, Grain::Day, model::Weekday::Monday),
                over.time.places.clone(),
            ),
        });
        let days = Node::Aggregate(Box::new(Aggregate {
            input: Node::Scan(Scan { over: None, ..scan }),
            keys,
            values: self
                .columns
                .iter()
                .map(|column| column.column(dialect))
                .collect(),
            having: None,
        }));
        let total = |column: &Aggregated| {
            let name = dialect.name(&column.name);
            let sql = match column.agg {
                model::Aggregate::Min => format!("MIN({name})"),
                model::Aggregate::Max => format!("MAX({name})"),
                _ => dialect.cast(&format!("SUM({name})"), column.ty),
            };
            Column {
                name: column.name.clone(),
                ty: column.ty,
                sql: Fragment::plain(sql),
            }
        };
        Node::Aggregate(Box::new(Aggregate {
            input: Node::Spread(Box::new(Spread {
                input: days,
                over: Over {
                    time: Fragment::plain(dialect.name(ON)),
                    ..over.clone()
                },
            })),
            keys: named,
            values: self.columns.iter().map(total).collect(),
            having: None,
        }))
    }

    /// The values of the last (or first) day of each period.
    fn day_of_period(
        &self,
        days: Node,
        keys: &[Column],
        (take, edge): (AtCoarserGrain, &Edge),
        dialect: Dialect,
    ) -> Node {
        let one = |column: &Aggregated| Column {
            name: column.name.clone(),
            ty: column.ty,
            sql: Fragment::plain(format!("MAX({})", dialect.name(&column.name))),
        };
        let (input, only) = match edge {
            Edge::OfCalendar(only) => (days, only.clone()),
            Edge::WithValue => self.edges(days, keys, take, dialect),
        };
        Node::Aggregate(Box::new(Aggregate {
            input: Node::Filtered(Box::new(Filtered {
                input,
                conditions: vec![Fragment::plain(only)],
            })),
            keys: keys.to_vec(),
            values: self.columns.iter().map(one).collect(),
            having: None,
        }))
    }
}

impl Leg {
    /// The days beside the last (or first) one of their period that has a value, and the condition that it is that one.
    fn edges(
        &self,
        days: Node,
        keys: &[Column],
        take: AtCoarserGrain,
        dialect: Dialect,
    ) -> (Node, String) {
        const EDGE: &str = "metrex_edge";
        let day = dialect.name(DAY);
        let of = match take {
            AtCoarserGrain::First => "MIN",
            AtCoarserGrain::Last | AtCoarserGrain::Average => "MAX",
        };
        let within: Vec<&str> = keys.iter().map(|key| key.sql.sql.as_str()).collect();
        let mut columns = by_name(&self.keys, dialect);
        columns.extend(self.columns.iter().map(|column| Column {
            name: column.name.clone(),
            ty: column.ty,
            sql: Fragment::plain(dialect.name(&column.name)),
        }));
        columns.push(Column {
            name: EDGE.to_owned(),
            ty: ColumnType::Date,
            sql: Fragment::plain(format!(
                "{of}({day}) OVER (PARTITION BY {})",
                within.join(", ")
            )),
        });
        let days = Node::Compute(Box::new(Compute {
            input: days,
            columns,
            having: None,
        }));
        (days, format!("{day} = {EDGE}"))
    }
}

/// The column with the day of a daily leg.
pub(in crate::compile) const DAY: &str = "metrex_day";

/// The same columns, read from a relation that has them.
pub(super) fn by_name(columns: &[Column], dialect: Dialect) -> Vec<Column> {
    let named = |column: &Column| Column {
        sql: Fragment::plain(dialect.name(&column.name)),
        ..column.clone()
    };
    columns.iter().map(named).collect()
}

/// The name under which a leg knows the period that a row is repeated for.
pub(in crate::compile) const PERIOD: &str = "metrex_period";

/// The periods of a leg are days where one value of them stands for a longer period.
pub(in crate::compile) fn daily(grain: Grain) -> Grain {
    grain.min(Grain::Day)
}
