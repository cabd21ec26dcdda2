//! MetricQuery -> plan -> SQL: resolves names, chooses sources and joins, checks values, writes SQL with reasons.

mod additivity;
mod bases;
mod behind;
mod choices;
mod compare;
mod conventions;
mod custom;
mod dunder;
mod error;
mod expr;
mod facets;
mod filter;
mod fraction;
mod key;
mod literals;
mod lower;
mod operand;
mod output;
mod periods_ago;
mod plan;
mod reach;
mod reading;
mod request;
mod rollup;
mod scope;
mod source;
mod write;

pub use additivity::{Additivity, additivity};
pub use bases::Bases;
pub use behind::{Behind, NumberOf, ROWS, RowsOf, TIMES, behind};
pub use choices::DimensionChoice;
pub use error::{CompileError, ErrorCode};
pub use facets::per;
pub use fraction::{
    Fraction, MetricPart, factors, fraction, named_dates, rows_of, rows_of_datasets,
};
pub use plan::Plan;
pub use reach::{DimensionPath, Reachability, leaf_metrics};
pub use reading::{aggregated, reading, snapshots};
pub use rollup::{RollupState, RollupTable, Rollups};
pub use write::Templates;

use jiff::civil::Date;

use crate::model::{
    ColumnType, DateRange, Format, Grain, MetricQuery, Place, Presented, Registry, ValueLookup,
};
use crate::warehouse::Dialect;

/// What the row is called that holds the groups beyond a limit.
pub const OTHERS: &str = output::OTHERS;

/// What a compilation depends on besides the registry and the query.
#[derive(Clone, Copy)]
pub struct CompileOptions<'a> {
    /// The engine to write for.
    pub dialect: Dialect,
    /// The current day, for relative ranges.
    pub today: Date,
    /// Known dimension values.
    pub values: &'a dyn ValueLookup,
    /// Optimisations, none of which changes a row.
    pub passes: Passes<'a>,
}

/// Which optimisations are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Passes<'a> {
    /// Aggregations of the same rows under different filters read them once.
    pub merge_scans: bool,
    /// Aggregations are read from a rollup that gives the same.
    pub rollups: Option<&'a Rollups>,
    /// What adds up is added up by day before its rows are repeated for the windows they lie in.
    pub by_day_first: bool,
}

impl Default for Passes<'_> {
    fn default() -> Self {
        Self {
            merge_scans: true,
            rollups: None,
            by_day_first: true,
        }
    }
}

impl Passes<'_> {
    /// None of them.
    pub const NONE: Self = Self {
        merge_scans: false,
        rollups: None,
        by_day_first: false,
    };
}

/// What an output column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A grouping key.
    Group,
    /// A metric.
    Metric,
    /// A metric in the compared range.
    Prior,
    /// Metric minus prior.
    Change,
    /// Change over prior.
    ChangePercent,
    /// A figure over the rows of the result.
    Figure(Presented),
    /// The smallest or largest value of a dimension.
    Bound,
}

/// One column of the result.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputColumn {
    /// Name in the SQL and in exports: as the query wrote it.
    pub name: String,
    /// Name for people.
    pub label: String,
    /// What it holds.
    pub role: Role,
    /// Its type.
    pub ty: ColumnType,
    /// How to show it.
    pub format: Format,
    /// The grain of a time grouping.
    pub grain: Option<Grain>,
    /// For metrics: whether groups add up to their union; if not, totals must come from the engine.
    pub additive: bool,
}

/// Why the SQL is as it is; shown under the preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Which kind of choice.
    pub kind: ReasonKind,
    /// One sentence.
    pub text: String,
    /// The definition responsible.
    pub place: Option<Place>,
}

/// Kinds of choices a compilation makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReasonKind {
    /// Which source a metric reads.
    Source,
    /// A join that was taken.
    Join,
    /// A filter that applies.
    Filter,
    /// The time range as dates.
    Time,
    /// The compared range as dates.
    Compare,
    /// A default of the metric that was used.
    Default,
    /// Something the reader should know, such as values that could not be checked.
    Note,
}

/// One SQL statement with the columns it returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// For each line of the text, the definitions that produced it.
    pub lines: Vec<Vec<Place>>,
    /// The columns it returns, in order; none for SQL that was not compiled here, whose columns the engine names.
    pub columns: Vec<OutputColumn>,
}

/// A compiled query.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    /// The query with canonical metric names and with defaults filled in; its text is the cache key.
    pub query: MetricQuery,
    /// The SQL.
    pub main: Statement,
    /// The same metrics over all groups, recomputed by the engine, where the query asks for them; or why there cannot be any.
    pub totals: Result<Option<Statement>, String>,
    /// Why the SQL is as it is.
    pub reasons: Vec<Reason>,
    /// Whether it reads nothing but rollups in the embedded file, and is written for it.
    pub embedded: bool,
    /// The plan behind the SQL; none for SQL that was not compiled here.
    pub plan: Option<Plan>,
    /// The time range, as days.
    pub range: DateRange,
    /// The compared range, as days.
    pub prior: Option<DateRange>,
}

impl Compiled {
    /// The rollups that it reads, each once, by name.
    pub fn rollups(&self) -> Vec<String> {
        let mut names = self
            .plan
            .as_ref()
            .map(|plan| plan.rollups().0)
            .unwrap_or_default();
        names.sort();
        names.dedup();
        names
    }

    /// The statement of the total row, where the query has one.
    pub fn total(&self) -> Option<&Statement> {
        self.totals.as_ref().ok()?.as_ref()
    }
}

/// Compiles a query: names resolved, values checked, sources and joins chosen, SQL written. Touches no warehouse.
///
/// # Errors
/// A refusal that names the offending word, the reason and what would be right.
pub fn compile(
    registry: &Registry,
    reach: &Reachability,
    templates: &Templates,
    query: &MetricQuery,
    options: &CompileOptions<'_>,
) -> Result<Compiled, CompileError> {
    let query = registry.saved(query).unwrap_or(query);
    let dunder::Plain {
        query: plain,
        written,
    } = dunder::plain(registry, reach, query);
    let mut request = request::resolve(registry, &plain, options)?;
    request.written = written;
    let usage = request.usage();
    let planned = plan::Planner::plan(registry, reach, &request, &usage, options)?;
    let mut shaped = output::root(registry, &request, &planned, options)?;
    let plan = Plan(planned.with_each(shaped.root));
    let totals = total(registry, reach, &request, options);
    let mut reasons = request.reasons.clone();
    reasons.extend(planned.reasons.iter().cloned());
    reasons.append(&mut shaped.reasons);
    let mut embedded = false;
    if let Some(rollups) = options
        .passes
        .rollups
        .filter(|rollups| rollups.are_embedded())
    {
        let (read, is_all) = plan.rollups();
        let total = totals.iter().flatten();
        embedded = is_all && total.into_iter().all(|(total, _)| total.rollups().1);
        reasons.extend(rollups.said(&read, embedded));
    }
    // A total has the filters of the rows.
    let write = |plan: &Plan, columns| {
        let statement = output::statement(templates, &plan.0, columns, options)?;
        planned.check_text(&statement.lines)?;
        Ok::<_, CompileError>(statement)
    };
    // The columns are named as the query was written, so what is kept of it is too.
    let query = match request.written.is_empty() {
        true => request.query,
        false => MetricQuery {
            group_by: query.group_by.clone(),
            range_of: query.range_of.clone(),
            limit_per: query.limit_per.clone(),
            ..request.query
        },
    };
    Ok(Compiled {
        query,
        main: write(&plan, shaped.columns)?,
        totals: totals.and_then(|total| {
            let statement = total.map(|(plan, columns)| write(&plan, columns));
            statement.transpose().map_err(|error| error.message)
        }),
        plan: Some(plan),
        reasons,
        embedded,
        range: request.range,
        prior: request.shifted.map(|shifted| shifted.range),
    })
}

/// The same metrics from the same sources without groups, if the query asks for them; never a sum of rows, since most
/// metrics do not add up.
fn total(
    registry: &Registry,
    reach: &Reachability,
    request: &request::Request<'_>,
    options: &CompileOptions<'_>,
) -> Result<Option<(Plan, Vec<OutputColumn>)>, String> {
    if request.groups.is_empty() {
        return Err("the result is one row already".to_owned());
    }
    if request.metrics.is_empty() {
        return Err("there is no metric to total".to_owned());
    }
    if request.having.is_some() {
        return Err(
            "groups that fail the condition on a metric would be part of the total".to_owned(),
        );
    }
    if request.is_uneven() {
        return Err(
            "days without a counterpart in the compared range would be part of the total"
                .to_owned(),
        );
    }
    if !request.query.total {
        return Ok(None);
    }
    let shares = request.query.show.iter();
    let query = MetricQuery {
        group_by: Some(Vec::new()),
        order: Vec::new(),
        limit: None,
        limit_per: Vec::new(),
        others: false,
        // The total is all of the whole; it has no place in an order of rows.
        show: shares
            .filter(|shown| shown.what == Presented::Share)
            .cloned()
            .collect(),
        // Without groups, nothing would say which periods are compared.
        compare: request.query.compare.filter(|_| request.ago.is_none()),
        // It has no periods.
        every_period: request.query.every_period.filter(|wanted| !wanted),
        ..request.query.clone()
    };
    let mut whole = request::resolve(registry, &query, options).map_err(|error| error.message)?;
    whole.ago = request.ago;
    let usage = request.usage();
    let planned = plan::Planner::plan(registry, reach, &whole, &usage, options);
    planned
        .and_then(|planned| {
            let shaped = output::root(registry, &whole, &planned, options)?;
            Ok(Some((Plan(planned.with_each(shaped.root)), shaped.columns)))
        })
        .map_err(|error| error.message)
}
