//! The rows behind a number: those that its aggregations add up, before they do. They come from the plan of the query itself,
//! so that they are the rows of the number and no others; where that cannot be, it is refused with the reason.

mod columns;

use super::output::{self, Shaped};
use super::plan::{
    Aggregate, Aggregated, Column, Compute, Leg, Node, Planned, Planner, Rows, Sort,
};
use super::reach::{Reachability, leaf_metrics};
use super::request::{self, Request};
use super::write::{Fragment, Templates};
use super::{
    CompileError, CompileOptions, Compiled, ErrorCode, OutputColumn, Passes, Plan, Role, Statement,
    dunder, filter, key, reading, scope,
};
use crate::model::{
    self, ColumnType, Dataset, Format, Grain, GroupBy, Metric, MetricQuery, Period, Registry,
};
use crate::warehouse::Dialect;
use columns::{Shown, column};

/// The column with the number of rows, in the totals of [`RowsOf::compiled`].
pub const ROWS: &str = "metrex_rows";

/// The columns with the first and the last time of the rows, in the totals of [`RowsOf::compiled`].
pub const TIMES: [&str; 2] = ["metrex_first", "metrex_last"];

/// A number of a result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NumberOf {
    /// Its column; the first metric where none is named.
    pub column: Option<String>,
    /// Its row: groupings with their values, `None` being NULL. Of a grouping that is not named, all groups count.
    pub at: Vec<(String, Option<String>)>,
}

/// What a number is made of.
#[derive(Debug, Clone)]
pub struct Behind {
    /// The column of the number.
    pub column: OutputColumn,
    /// The metric it is of.
    pub metric: String,
    /// The aggregations it is computed from: one, or those of a ratio or of other arithmetic.
    pub parts: Vec<RowsOf>,
}

/// The rows of one aggregation.
#[derive(Debug, Clone)]
pub struct RowsOf {
    /// Its name, which is also that of the column with what each row adds.
    pub name: String,
    /// What it is: "sum of amount over orders where status <> 'CANCELLED'".
    pub reading: String,
    /// The dataset whose rows they are.
    pub dataset: String,
    /// The rows, and as their total the aggregate itself, with their number and times.
    pub compiled: Compiled,
    /// The time of the rows whose first and last value are in the total.
    pub time: Option<String>,
    /// What is not shown of the rows, being personal data.
    pub left_out: Vec<String>,
}

/// The rows behind a number of a query.
///
/// # Errors
/// The query is refused, it has no such number, or no rows add up to it; with the reason.
pub fn behind(
    registry: &Registry,
    reach: &Reachability,
    templates: &Templates,
    query: &MetricQuery,
    number: &NumberOf,
    options: &CompileOptions<'_>,
) -> Result<Behind, CompileError> {
    let query = registry.saved(query).unwrap_or(query);
    // Rows that are read once for several aggregations, or added up beforehand, are nobody's own.
    let options = &CompileOptions {
        passes: Passes::NONE,
        ..*options
    };
    let dunder::Plain { query, written } = dunder::plain(registry, reach, query);
    let mut request = request::resolve(registry, &query, options)?;
    request.written = written;
    let usage = request.usage();
    let planned = Planner::plan(registry, reach, &request, &usage, options)?;
    let shaped = output::root(registry, &request, &planned, options)?;
    let finder = Finder {
        registry,
        templates,
        request: &request,
        planned: &planned,
        shaped: &shaped,
        options,
    };
    let (column, metric, formula) = finder.number(number.column.as_deref())?;
    let fixed = finder.fixed(&number.at)?;
    let mut leaves: Vec<&str> = Vec::new();
    for leaf in formula.leaves() {
        if !leaves.contains(&leaf.column.as_str()) {
            leaves.push(&leaf.column);
        }
    }
    let format = match formula.is_leaf() {
        true => metric.format.clone(),
        false => Format::default(),
    };
    let parts = leaves
        .iter()
        .map(|leaf| finder.rows_of(metric, leaf, &format, &fixed))
        .collect::<Result<_, _>>()?;
    Ok(Behind {
        column: column.clone(),
        metric: metric.name.clone(),
        parts,
    })
}

/// A grouping that has one value: its place among the groupings, and the value.
type Fixed<'n> = (usize, Option<&'n str>);

struct Finder<'a> {
    registry: &'a Registry,
    templates: &'a Templates,
    request: &'a Request<'a>,
    planned: &'a Planned,
    shaped: &'a Shaped,
    options: &'a CompileOptions<'a>,
}

impl Finder<'_> {
    /// The column asked for, its metric, and how it is computed.
    fn number(
        &self,
        name: Option<&str>,
    ) -> Result<(&OutputColumn, &Metric, &super::plan::Formula), CompileError> {
        let refused = |text: String| CompileError::new(ErrorCode::InvalidClause, text);
        let columns = &self.shaped.columns;
        let is_number = |column: &&OutputColumn| column.role == Role::Metric;
        let found = match name {
            None => columns.iter().find(is_number),
            Some(name) => {
                let metric = self.registry.metric(name);
                let name = metric.map_or(name, |metric| &metric.name);
                let mut all = columns.iter();
                all.find(|column| column.name.eq_ignore_ascii_case(name))
            }
        };
        let numbers = || {
            let numbers = columns.iter();
            let numbers =
                numbers.filter(|column| matches!(column.role, Role::Metric | Role::Prior));
            let names: Vec<&str> = numbers.map(|column| column.name.as_str()).collect();
            names.join(", ")
        };
        let Some(column) = found else {
            return Err(match name {
                None => refused("the query has no metric, and so no number".to_owned())
                    .hint("name a metric: gmv by market"),
                Some(name) => refused(format!("the query has no column '{name}'"))
                    .hint(format!("numbers: {}", numbers()))
                    .word(name),
            });
        };
        let before = columns.iter().take_while(|other| other.name != column.name);
        let metrics = before.filter(is_number).count();
        let at = match column.role {
            Role::Metric => Some(metrics),
            _ => metrics.checked_sub(1),
        };
        let planned = at.and_then(|at| {
            let metric = self.request.metrics.get(at)?;
            Some((*metric, self.planned.metrics.get(at)?))
        });
        match (column.role, planned) {
            (Role::Metric, Some((metric, (now, _)))) => Ok((column, metric, now)),
            (Role::Prior, Some((metric, (_, Some(prior))))) => Ok((column, metric, prior)),
            (Role::Change | Role::ChangePercent, _) => Err(refused(format!(
                "{} is computed from two numbers, each of which has rows of its own",
                column.name
            ))
            .hint(format!("ask for the rows of one of them: {}", numbers()))
            .word(&column.name)),
            (Role::Figure(_), _) => Err(refused(format!(
                "{} is computed from the rows of the result, not from rows of a table",
                column.name
            ))
            .hint(format!("ask for the rows of a metric: {}", numbers()))
            .word(&column.name)),
            _ => Err(refused(format!("{} is no number", column.name))
                .hint(format!("numbers: {}", numbers()))
                .word(&column.name)),
        }
    }

    /// The groupings with a value. Where not all groups are in the result, all of them must have one.
    fn fixed<'n>(
        &self,
        at: &'n [(String, Option<String>)],
    ) -> Result<Vec<Fixed<'n>>, CompileError> {
        let groups = || self.shaped.columns.iter().take(self.planned.keys.len());
        let names = || {
            let names: Vec<&str> = groups().map(|column| column.name.as_str()).collect();
            names.join(", ")
        };
        let refused = |text: String| CompileError::new(ErrorCode::InvalidClause, text);
        let mut fixed: Vec<Fixed<'n>> = Vec::new();
        for (name, value) in at {
            let is_it = |column: &OutputColumn| column.name.eq_ignore_ascii_case(name);
            let Some(index) = groups().position(is_it) else {
                let error = refused(format!("the query is not grouped by '{name}'")).word(name);
                return Err(match names() {
                    none if none.is_empty() => error.hint("it has one row: leave this out"),
                    names => error.hint(format!("groupings: {names}")),
                });
            };
            if fixed.iter().any(|(other, _)| *other == index) {
                return Err(refused(format!("'{name}' has two values")).word(name));
            }
            fixed.push((index, value.as_deref()));
        }
        let query = &self.request.query;
        if query.others {
            return Err(refused(
                "a row 'others' stands for many groups, so its rows cannot be told from a group's"
                    .to_owned(),
            )
            .hint("leave 'others' out"));
        }
        if fixed.len() < groups().count()
            && (query.limit.is_some() || self.request.having.is_some())
        {
            return Err(refused("not all groups are in the result".to_owned()).hint(format!(
                "say which one is meant ({}), or leave out the limit and the condition on the metric",
                names()
            )));
        }
        Ok(fixed)
    }

    /// The rows of one aggregation, for the groupings with a value.
    fn rows_of(
        &self,
        metric: &Metric,
        leaf: &str,
        format: &Format,
        fixed: &[Fixed<'_>],
    ) -> Result<RowsOf, CompileError> {
        let dialect = self.options.dialect;
        let is_own = |column: &&Aggregated| column.name == leaf;
        let legs = self.planned.legs.iter();
        let mut legs = legs.filter_map(|leg| Some((leg, leg.columns.iter().find(is_own)?)));
        let found = legs.next().and_then(|(leg, own)| {
            let dataset = self.registry.datasets.get(&leg.dataset)?;
            Some((leg, own, dataset))
        });
        let Some((leg, own, dataset)) = found else {
            return Err(not_shown(metric, "its plan has no rows of its own"));
        };
        check(metric, leg)?;
        let mut scan = leg.scan(dialect);
        for (index, value) in fixed {
            let (Some(key), Some(known)) = (leg.keys.get(*index), self.planned.keys.get(*index))
            else {
                continue;
            };
            let group = self.request.groups.get(*index);
            let engine = (dialect, self.registry.calendar.week_start);
            let sql = is_value(&key.sql.sql, (known, group), *value, engine)?;
            scan.conditions
                .push(Fragment::new(sql, key.sql.places.iter().copied()));
        }
        scan.conditions.extend(own.only.clone());
        scan.conditions.extend(counts(own));

        let mut shown = Shown::new(self.registry, dataset, dialect);
        for (index, key) in leg.keys.iter().enumerate() {
            let is_fixed = fixed.iter().any(|(at, _)| *at == index);
            if let (false, Some(column)) = (is_fixed, self.shaped.columns.get(index)) {
                shown.add(column.clone(), key.sql.clone());
            }
        }
        let unique = shown.key();
        let is_summed = shown.value(own, format);
        shown.dimensions()?;

        let mut order: Vec<String> = Vec::new();
        order.extend(is_summed.then(|| dialect.order(&dialect.name(leaf), true)));
        order.extend(
            unique
                .iter()
                .map(|name| dialect.order(&dialect.name(name), false)),
        );
        let rows = Node::Sort(Box::new(Sort {
            input: Node::Compute(Box::new(Compute {
                input: Node::Scan(scan.clone()),
                columns: shown.selected,
                having: None,
            })),
            order: order.into_iter().map(Fragment::plain).collect(),
            limit: None,
        }));
        let (totals, of_totals, time) = self.totals(own, dataset, format)?;
        let totals = Node::Sort(Box::new(Sort {
            input: Node::Aggregate(Box::new(Aggregate {
                input: Node::Scan(scan),
                keys: Vec::new(),
                values: totals,
                having: None,
            })),
            order: Vec::new(),
            limit: None,
        }));
        let write = |root: Node, columns| -> Result<(Plan, Statement), CompileError> {
            let plan = Plan(self.planned.with_each(root));
            let statement = output::statement(self.templates, &plan.0, columns, self.options)?;
            self.planned.check_text_of(Some(leaf), &statement.lines)?;
            Ok((plan, statement))
        };
        let (plan, main) = write(rows, shown.columns)?;
        let (_, totals) = write(totals, of_totals)?;
        Ok(RowsOf {
            name: leaf.to_owned(),
            reading: self.reading(metric, own, &leg.dataset),
            dataset: leg.dataset.clone(),
            compiled: Compiled {
                query: MetricQuery {
                    total: true,
                    ..self.request.query.clone()
                },
                main,
                totals: Ok(Some(totals)),
                reasons: [&self.request.reasons[..], &self.planned.reasons[..]].concat(),
                plan: Some(plan),
                embedded: false,
                range: self.request.range,
                prior: None,
            },
            time,
            left_out: shown.left_out,
        })
    }

    /// The aggregate over the rows, their number, and their first and last time.
    #[expect(
        clippy::type_complexity,
        reason = "what is selected, and what it is called"
    )]
    fn totals(
        &self,
        own: &Aggregated,
        dataset: &Dataset,
        format: &Format,
    ) -> Result<(Vec<Column>, Vec<OutputColumn>, Option<String>), CompileError> {
        let dialect = self.options.dialect;
        let value = own.column(dialect);
        let mut columns = vec![column(&own.name, own.ty, Role::Metric, format.clone())];
        let mut selected = vec![value];
        let mut add = |name: &str, ty, sql: String| {
            columns.push(column(name, ty, Role::Metric, Format::default()));
            selected.push(Column {
                name: name.to_owned(),
                ty,
                sql: Fragment::plain(sql),
            });
        };
        add(ROWS, ColumnType::Integer, "COUNT(*)".to_owned());
        let time = dataset.time.as_ref();
        let time = time.and_then(|time| dataset.dimension(time));
        if let Some(time) = time {
            let sql = scope::local(self.registry, (dataset, time), &dataset.name, dialect)?;
            for (name, call) in TIMES.into_iter().zip(["MIN", "MAX"]) {
                add(name, key::column_type(time.kind), format!("{call}({sql})"));
            }
        }
        Ok((selected, columns, time.map(|time| time.name.clone())))
    }

    /// The measure behind an aggregate, in words.
    fn reading(&self, metric: &Metric, own: &Aggregated, dataset: &str) -> String {
        let leaves = leaf_metrics(self.registry, metric);
        let sources = leaves.iter().flat_map(|leaf| leaf.kind.sources());
        let mut measures = sources.flat_map(|source| &source.measures);
        let is_it = |measure: &&model::Measure| {
            let places = std::iter::once(measure.place);
            let mut places = places.chain(measure.expr.as_ref().map(|expr| expr.place));
            measure.dataset == dataset
                && measure.agg == own.agg
                && places.all(|place| own.places.contains(&place))
        };
        measures
            .find(is_it)
            .map_or_else(|| own.name.clone(), reading::measure)
    }
}

/// Why no rows of a leg add up to its value.
fn check(metric: &Metric, leg: &Leg) -> Result<(), CompileError> {
    let why = match &leg.rows {
        Rows::Snapshots(_) => "it is taken from snapshots, one of which stands for each period",
        Rows::Conversions(_) => "it counts events by what follows them",
        Rows::All if leg.daily.is_some() => {
            "the value of a longer period is computed from those of its days"
        }
        Rows::All if leg.earlier.is_some() => "its periods are moved by the calendar table",
        Rows::All if leg.rollup.is_some() || leg.by_day_first => "its rows are added up beforehand",
        Rows::All => return Ok(()),
    };
    Err(not_shown(metric, why))
}

fn not_shown(metric: &Metric, why: &str) -> CompileError {
    CompileError::new(
        ErrorCode::InvalidClause,
        format!("the rows behind {} cannot be shown: {why}", metric.name),
    )
    .hint("its SQL says how it is computed")
    .at(metric.place)
}

/// The condition that a row adds something to an aggregate: none of them counts a NULL.
fn counts(own: &Aggregated) -> Option<Fragment> {
    let row = own.row.as_ref()?;
    let sql = match own.agg {
        model::Aggregate::SumBoolean => format!("({row})"),
        _ => format!("({row}) IS NOT NULL"),
    };
    Some(Fragment::new(sql, own.places.iter().copied()))
}

/// Whether a date, or a period that is written out, can be one of a grain.
fn is_of(value: &str, grain: Grain) -> bool {
    match Period::parse(value) {
        Some(Period::Day(_)) => true,
        Some(Period::Week(..)) => grain == Grain::Week,
        Some(Period::Month(..)) => grain == Grain::Month,
        Some(Period::Quarter(..)) => grain == Grain::Quarter,
        Some(Period::Year(_)) => grain == Grain::Year,
        None => false,
    }
}

/// The condition that a grouping has a value.
fn is_value(
    sql: &str,
    (key, group): (&key::Key, Option<&GroupBy>),
    value: Option<&str>,
    (dialect, week_start): (Dialect, model::Weekday),
) -> Result<String, CompileError> {
    let Some(value) = value else {
        return Ok(format!("({sql}) IS NULL"));
    };
    let invalid = |what: &str| {
        CompileError::new(
            ErrorCode::InvalidValue,
            format!("'{value}' is not {what} for {}", key.name),
        )
        .word(value)
    };
    Ok(match key.ty {
        ColumnType::Text => format!("({sql}) = {}", dialect.text(value)),
        ColumnType::Integer | ColumnType::Number => {
            format!("({sql}) = {}", filter::number(&key.name, value)?)
        }
        ColumnType::Boolean => match value.to_ascii_lowercase().as_str() {
            "true" | "1" => dialect.is_boolean(&format!("({sql})"), true),
            "false" | "0" => dialect.is_boolean(&format!("({sql})"), false),
            _ => return Err(invalid("true or false")),
        },
        ColumnType::Date => {
            let Some((day, _)) = Period::parse(value).and_then(Period::days) else {
                return Err(invalid("a date").hint("write 2026-11, or its first day 2026-11-01"));
            };
            if let Some(grain) = key.grain
                && (!is_of(value, grain) || grain.floor(day, week_start) != day)
            {
                let hint = format!("write the first day of the {grain}");
                return Err(invalid(&format!("a {grain}")).hint(hint));
            }
            // SQLite keeps dates as texts, which may have a time.
            let sql = match group {
                Some(GroupBy::Dimension(_)) => {
                    dialect.trunc(sql, Grain::Day, model::Weekday::Monday)
                }
                _ => format!("({sql})"),
            };
            format!("{sql} = {}", dialect.date(day))
        }
        ColumnType::Timestamp => {
            let at = match Period::parse(value) {
                Some(Period::Day(day)) => Some(day.at(0, 0, 0, 0)),
                _ => filter::moment(value),
            };
            let at = at.ok_or_else(|| invalid("a time").hint("write '2026-11-03 14:30'"))?;
            format!("{} = {}", dialect.instant(sql), dialect.timestamp(at))
        }
    })
}
