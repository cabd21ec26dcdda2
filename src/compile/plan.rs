//! The plan of a query: one aggregation per dataset and filter set, combined on the grouping keys.

use jiff::civil::Date;

use super::key::{Key, key, leaf_type, time_of};
use super::request::Request;
use super::scope::Scope;
use super::source::{self, Usage};
use super::write::Fragment;
use super::{
    CompileError, CompileOptions, ErrorCode, Reason, ReasonKind, filter, reach::Reachability,
};
use crate::model::{
    Aggregate, ColumnType, DateRange, Filter, Grain, GroupBy, Measure, Metric, Registry, Source,
};
use crate::warehouse::Shift;

/// An aggregate column of one aggregation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aggregated {
    pub(super) name: String,
    pub(super) ty: ColumnType,
    pub(super) agg: Aggregate,
    pub(super) sql: Fragment,
    /// The text it was made from, to see that two metrics share it.
    text: String,
}

/// One `SELECT … GROUP BY` over one dataset and filter set.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aggregation {
    pub(super) keys: Vec<Fragment>,
    pub(super) columns: Vec<Aggregated>,
    pub(super) from: Fragment,
    pub(super) joins: Vec<Fragment>,
    pub(super) conditions: Vec<Fragment>,
    /// Whether it reads the compared range.
    pub(super) prior: bool,
    identity: String,
}

/// The aggregate column that is a leaf of a metric: the metric's name and 0 for the first measure, 1 for the denominator.
pub(super) type LeafId = (String, usize);

/// Everything the writer needs.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Plan {
    pub(super) keys: Vec<Key>,
    pub(super) aggregations: Vec<Aggregation>,
    /// Leaf -> name of its aggregate column.
    pub(super) leaves: Vec<(LeafId, String)>,
    /// First and last period of a trend without other groupings.
    pub(super) spine: Option<(Date, Date, Grain)>,
    pub(super) reasons: Vec<Reason>,
}

/// What every step of planning reads.
struct Planner<'a> {
    registry: &'a Registry,
    reach: &'a Reachability,
    request: &'a Request<'a>,
    options: &'a CompileOptions<'a>,
    /// Datasets that the query reads: a value known to one of them is a value.
    peers: Vec<String>,
}

/// The side of a comparison: the current range, or the compared one with its distance to the current one.
type Prior = Option<(DateRange, Shift)>;

/// Plans a query; `usage` decides about sources, so that a total reads what its rows read.
pub(super) fn plan<'a>(
    registry: &'a Registry,
    reach: &'a Reachability,
    request: &'a Request<'a>,
    usage: &Usage<'_>,
    options: &'a CompileOptions<'a>,
) -> Result<Plan, CompileError> {
    let mut leaves: Vec<&Metric> = Vec::new();
    for metric in &request.metrics {
        for leaf in super::leaf_metrics(registry, metric) {
            if !leaves.iter().any(|known| known.name == leaf.name) {
                leaves.push(leaf);
            }
        }
    }
    let mut plan = Plan::default();
    let mut chosen: Vec<(&Metric, &Source)> = Vec::new();
    for metric in leaves {
        let (index, source) = source::choose(registry, reach, metric, usage)?;
        if metric.kind.sources().len() > 1 {
            plan.reasons.push(source_reason(metric, index));
        }
        plan.reasons.extend(super::facets::reason(metric));
        chosen.push((metric, source));
    }
    let measures = chosen.iter().flat_map(|(_, source)| &source.measures);
    let peers = measures.map(|measure| measure.dataset.clone()).collect();
    let planner = Planner {
        registry,
        reach,
        request,
        options,
        peers,
    };
    for (metric, source) in chosen {
        for (which, measure) in source.measures.iter().enumerate() {
            let leaf = (metric.name.clone(), which);
            planner.add(&mut plan, metric, measure, &leaf, None)?;
            if let Some(shifted) = &request.shifted {
                planner.add(
                    &mut plan,
                    metric,
                    measure,
                    &leaf,
                    Some((shifted.range, shifted.by)),
                )?;
            }
        }
    }
    plan.spine = spine(request, options, registry);
    Ok(plan)
}

fn source_reason(metric: &Metric, chosen: usize) -> Reason {
    let source = metric.kind.sources().get(chosen);
    let datasets = source
        .iter()
        .flat_map(|source| &source.measures)
        .map(|measure| measure.dataset.as_str());
    let mut datasets: Vec<_> = datasets.collect();
    datasets.dedup();
    let why = match source.and_then(|source| source.use_when.as_ref()) {
        Some((text, _)) => format!("because {} holds", text.text),
        None => "because no earlier source applies".to_owned(),
    };
    Reason {
        kind: ReasonKind::Source,
        text: format!("{} reads {}, {why}", metric.name, datasets.join(" and ")),
        place: source.map(|source| source.place),
    }
}

/// A trend over one time grain and nothing else shows every period of its range, also the empty ones.
fn spine(
    request: &Request<'_>,
    options: &CompileOptions<'_>,
    registry: &Registry,
) -> Option<(Date, Date, Grain)> {
    let [GroupBy::Grain { grain, of: None }] = request.groups.as_slice() else {
        return None;
    };
    if grain.is_sub_day() || request.having.is_some() {
        return None;
    }
    let week_start = registry.calendar.week_start;
    let first = grain.floor(request.range.start?, week_start);
    let last = grain.floor(
        filter::last_day(request.range.end, options.today),
        week_start,
    );
    (first <= last).then_some((first, last, *grain))
}

impl Planner<'_> {
    /// Adds one measure to the aggregation over its dataset and filter set, which is made where it is not there yet.
    fn add(
        &self,
        plan: &mut Plan,
        metric: &Metric,
        measure: &Measure,
        leaf: &LeafId,
        prior: Prior,
    ) -> Result<(), CompileError> {
        let mut filters: Vec<&str> = measure
            .filters
            .iter()
            .map(|filter| filter.text.trim())
            .collect();
        filters.sort_unstable();
        let identity = format!("{:?}", (&measure.dataset, &measure.time, filters));
        let text = format!(
            "{:?} {:?}",
            measure.agg,
            measure.expr.as_ref().map(|expr| &expr.text)
        );
        let found = plan.aggregations.iter().position(|aggregation| {
            aggregation.identity == identity && aggregation.prior == prior.is_some()
        });
        let shared = found.and_then(|index| {
            plan.aggregations
                .get(index)?
                .columns
                .iter()
                .find(|column| column.text == text)
        });
        if let Some(column) = shared {
            if prior.is_none() {
                plan.leaves.push((leaf.clone(), column.name.clone()));
            }
            return Ok(());
        }

        let mut scope = Scope::new(
            self.registry,
            self.reach,
            self.options,
            &self.peers,
            measure,
        )?;
        let own = |error: CompileError| {
            if error.place.is_some() || error.word.is_some() {
                error
            } else {
                error.at(measure.place)
            }
        };
        let expr = measure
            .expr
            .as_ref()
            .map(|expr| scope.expression(expr))
            .transpose()
            .map_err(own)?;
        let ty = leaf_type(measure, &mut scope)?;
        let name = match prior {
            // The prior column carries the name of the current one, which was added just before.
            Some(_) => plan
                .leaves
                .iter()
                .rev()
                .find(|(id, _)| id == leaf)
                .map(|(_, name)| prior_name(name))
                .unwrap_or_default(),
            None => column_name(plan, self.request, metric, leaf.1),
        };
        let places = [
            measure.place,
            measure
                .expr
                .as_ref()
                .map(|expr| expr.place)
                .unwrap_or_default(),
        ];
        let column = Aggregated {
            name: name.clone(),
            ty,
            agg: measure.agg,
            sql: Fragment::new(
                self.options.dialect.aggregate(measure.agg, expr.as_deref()),
                places,
            ),
            text,
        };
        if prior.is_none() {
            plan.leaves.push((leaf.clone(), name));
        }

        match found.and_then(|index| plan.aggregations.get_mut(index)) {
            // Joins pulled in by an expression are many-to-one, so they change no other column of the aggregation.
            Some(aggregation) => {
                let (reasons, joins) = {
                    let reasons = std::mem::take(&mut scope.reasons);
                    (reasons, scope.tables().1)
                };
                for join in joins {
                    if !aggregation.joins.contains(&join) {
                        aggregation.joins.push(join);
                    }
                }
                aggregation.columns.push(column);
                note(&mut plan.reasons, reasons);
            }
            None => {
                let aggregation =
                    self.aggregation(plan, measure, scope, column, prior, identity)?;
                plan.aggregations.push(aggregation);
            }
        }
        Ok(())
    }

    /// A new aggregation over the measure's dataset and filter set, with its first column.
    fn aggregation(
        &self,
        plan: &mut Plan,
        measure: &Measure,
        mut scope: Scope<'_>,
        column: Aggregated,
        prior: Prior,
        identity: String,
    ) -> Result<Aggregation, CompileError> {
        let (request, options) = (self.request, self.options);
        let dialect = options.dialect;
        let mut conditions = Vec::new();
        for condition in &measure.filters {
            let sql = scope.expression(condition)?;
            conditions.push(Fragment::new(bracketed(&sql), [condition.place]));
            if prior.is_none() {
                let text = format!("{} only where {}", measure.dataset, condition.text);
                note(
                    &mut plan.reasons,
                    vec![Reason {
                        kind: ReasonKind::Filter,
                        text,
                        place: Some(condition.place),
                    }],
                );
            }
        }
        let mut keys = Vec::new();
        let mut described = Vec::new();
        for group in &request.groups {
            let (fragment, key, extra) = key(
                group,
                measure,
                &mut scope,
                self.registry,
                options,
                prior.map(|(_, by)| by),
            )?;
            keys.push(fragment);
            described.push(key);
            conditions.extend(extra);
        }
        let meant: Vec<_> = described.iter().map(|key| key.dimension.clone()).collect();
        if plan.keys.is_empty() {
            plan.keys = described;
        } else if let Some((ours, theirs)) = plan
            .keys
            .iter()
            .zip(&described)
            .find(|(ours, theirs)| ours.ty != theirs.ty)
        {
            return Err(CompileError::new(
                ErrorCode::InvalidDefinition,
                format!(
                    "'{}' is {:?} in one dataset of this query and {:?} in {}",
                    ours.name, ours.ty, theirs.ty, measure.dataset
                ),
            )
            .hint("dimensions of one name mean the same thing everywhere: give both the same type")
            .word(&ours.name));
        }
        let mut names = plan.keys.iter().zip(&meant);
        if let Some((ours, theirs)) = names.find(|(ours, theirs)| ours.dimension != **theirs)
            && let (Some(one), Some(other)) = (&ours.dimension, theirs)
        {
            return Err(CompileError::new(
                ErrorCode::AmbiguousDimension,
                format!(
                    "'{}' means {one} in one dataset of this query and {other} in {}",
                    ours.name, measure.dataset
                ),
            )
            .hint("group by a dimension that both have")
            .word(&ours.name));
        }
        let parts = match &request.conditions {
            Some(Filter::And(parts)) => parts.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for part in parts {
            let sql = filter::condition(part, &mut scope, dialect)?;
            conditions.push(Fragment::plain(match part {
                Filter::Or(_) => format!("({sql})"),
                _ => sql,
            }));
        }
        let range = prior.map_or(request.range, |(range, _)| range);
        if range != DateRange::default() {
            let time = time_of(measure, &mut scope, None)?;
            if let Some(bounds) = filter::bounds(&time.sql, range, dialect) {
                conditions.push(Fragment::new(bounds, [time.dimension.place]));
            }
        }
        let reasons = std::mem::take(&mut scope.reasons);
        note(&mut plan.reasons, reasons);
        let (from, joins) = scope.tables();
        Ok(Aggregation {
            keys,
            columns: vec![column],
            from,
            joins,
            conditions,
            prior: prior.is_some(),
            identity,
        })
    }
}

fn note(all: &mut Vec<Reason>, new: Vec<Reason>) {
    for reason in new {
        if !all.contains(&reason) {
            all.push(reason);
        }
    }
}

/// Brackets around what would fall apart beside an `AND`.
fn bracketed(sql: &str) -> String {
    if sql.contains(" OR ") {
        format!("({sql})")
    } else {
        sql.to_owned()
    }
}

pub(super) fn prior_name(name: &str) -> String {
    format!("{name}_prior")
}

/// A readable name that no other column of the plan has.
fn column_name(plan: &Plan, request: &Request<'_>, metric: &Metric, which: usize) -> String {
    let base = match (metric.kind.is_ratio(), which) {
        (true, 0) => format!("{}_numerator", metric.name),
        (true, _) => format!("{}_denominator", metric.name),
        _ => metric.name.clone(),
    };
    let taken = |name: &str| {
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        let groups = request.groups.iter().any(|group| same(&group.to_string()));
        groups
            || plan.leaves.iter().any(|(_, known)| {
                same(known)
                    || same(&prior_name(known))
                    || known.eq_ignore_ascii_case(&prior_name(name))
            })
    };
    let mut name = base.clone();
    let mut n = 2;
    while taken(&name) {
        name = format!("{base}_{n}");
        n += 1;
    }
    name
}

impl Plan {
    /// The aggregate column behind a leaf.
    pub(super) fn column(&self, leaf: &LeafId, prior: bool) -> Option<&Aggregated> {
        let (_, name) = self.leaves.iter().find(|(id, _)| id == leaf)?;
        let name = if prior {
            prior_name(name)
        } else {
            name.clone()
        };
        self.aggregations
            .iter()
            .filter(|aggregation| aggregation.prior == prior)
            .flat_map(|aggregation| &aggregation.columns)
            .find(|column| column.name == name)
    }

    /// Whether the aggregations must be stacked and grouped once more.
    pub(super) fn is_combined(&self) -> bool {
        self.aggregations.len() > 1 || self.spine.is_some()
    }
}
