//! No filter of a definition is lost: what each leaf must be restricted by is read from the definitions once more, and looked
//! for in the leg that computes it and in the text of the statement.

use super::leg::{Leg, Rows};
use super::{Formula, Planned, Planner};
use crate::compile::write::Fragment;
use crate::compile::{CompileError, ErrorCode};
use crate::model::{ConversionResult, Expression, Measure, Metric, MetricKind, Place};

/// Which rows of a leaf a filter restricts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Restricts {
    /// Those that are aggregated.
    Rows,
    /// The base events of conversions.
    BaseEvents,
    /// The conversions.
    Conversions,
    /// The base events that are asked about, after their conversions are found.
    Asked,
}

/// A filter that a leaf must have.
#[derive(Debug, Clone)]
pub(in crate::compile) struct Owed {
    /// The column of the leaf.
    column: String,
    restricts: Restricts,
    text: String,
    place: Place,
}

impl<'a> Planner<'a> {
    /// The filters of the definitions behind every leaf of the planned metrics.
    pub(super) fn owed(&self) -> Result<Vec<Owed>, CompileError> {
        let mut owed = Vec::new();
        let metrics = self.request.metrics.iter().zip(&self.planned.metrics);
        for (metric, (now, prior)) in metrics {
            for formula in std::iter::once(now).chain(prior) {
                self.follow(metric, &[], formula, &mut owed)?;
            }
        }
        Ok(owed)
    }

    /// Walks down a definition and the formula it became, with the filters around it.
    fn follow(
        &self,
        metric: &'a Metric,
        around: &[&'a Expression],
        formula: &Formula,
        owed: &mut Vec<Owed>,
    ) -> Result<(), CompileError> {
        match (&metric.kind, unfilled(formula)) {
            (
                MetricKind::Derived { inputs, .. },
                Formula::Arithmetic {
                    inputs: formulas, ..
                },
            ) => {
                for (input, (_, formula)) in inputs.iter().zip(formulas) {
                    let around: Vec<&Expression> =
                        around.iter().copied().chain(&input.filters).collect();
                    self.follow(self.input(metric, &input.metric)?, &around, formula, owed)?;
                }
                Ok(())
            }
            (MetricKind::Cumulative(cumulative), formula) if cumulative.of.is_some() => {
                let of = cumulative.of.as_deref().unwrap_or_default();
                self.follow(self.input(metric, of)?, around, formula, owed)
            }
            (MetricKind::Conversion(conversion), formula) => {
                let base = self.input(metric, &conversion.base)?;
                let converted = self.input(metric, &conversion.conversion)?;
                let count = match (conversion.result, formula) {
                    (ConversionResult::Rate, Formula::Divide(count, all)) => {
                        self.follow(base, around, all, owed)?;
                        unfilled(count)
                    }
                    (_, formula) => formula,
                };
                let sides = [
                    (base, Restricts::BaseEvents),
                    (converted, Restricts::Conversions),
                ];
                for (side, restricts) in sides {
                    for measure in &self.source(side)?.measures {
                        add(metric, &measure.filters, restricts, count, owed)?;
                    }
                }
                add(
                    metric,
                    around.iter().copied(),
                    Restricts::Asked,
                    count,
                    owed,
                )
            }
            (_, formula) => {
                let both =
                    |measure: &'a Measure| measure.filters.iter().chain(around.iter().copied());
                match (self.source(metric)?.measures.as_slice(), formula) {
                    ([above, below], Formula::Divide(one, other)) => {
                        add(metric, both(above), Restricts::Rows, one, owed)?;
                        add(metric, both(below), Restricts::Rows, other, owed)
                    }
                    ([only], leaf) => add(metric, both(only), Restricts::Rows, leaf, owed),
                    _ => Err(fault(metric, metric.place)),
                }
            }
        }
    }
}

fn unfilled(formula: &Formula) -> &Formula {
    match formula {
        Formula::Filled(inner, _) => unfilled(inner),
        formula => formula,
    }
}

fn add<'a>(
    metric: &Metric,
    filters: impl IntoIterator<Item = &'a Expression>,
    restricts: Restricts,
    formula: &Formula,
    owed: &mut Vec<Owed>,
) -> Result<(), CompileError> {
    let Formula::Leaf(leaf) = unfilled(formula) else {
        return Err(fault(metric, metric.place));
    };
    owed.extend(filters.into_iter().map(|filter| Owed {
        column: leaf.column.clone(),
        restricts,
        text: filter.text.trim().to_owned(),
        place: filter.place,
    }));
    Ok(())
}

fn fault(metric: &Metric, place: Place) -> CompileError {
    CompileError::new(
        ErrorCode::InvalidDefinition,
        format!("the plan of {} does not follow its definition", metric.name),
    )
    .hint("this is a fault of metrex, and its number would be wrong")
    .at(place)
}

impl Planned {
    /// That every filter restricts what it must restrict.
    pub(super) fn check_filters(&self) -> Result<(), CompileError> {
        match self.owed.iter().find(|owed| !self.has(owed)) {
            None => Ok(()),
            Some(lost) => Err(CompileError::new(
                ErrorCode::InvalidDefinition,
                format!("the plan leaves out the filter {}", lost.text),
            )
            .hint("this is a fault of metrex, and the number would be wrong")
            .at(lost.place)),
        }
    }

    fn has(&self, owed: &Owed) -> bool {
        let mut legs = self.legs.iter();
        let leg = legs.find(|leg| leg.columns.iter().any(|known| known.name == owed.column));
        leg.is_some_and(|leg| self.is_in(owed, leg))
    }

    fn is_in(&self, owed: &Owed, leg: &Leg) -> bool {
        let mut restrictions = leg.restrictions(owed);
        restrictions.any(|condition| self.is_of(owed, &condition.places))
            && leg.tail().is_none_or(|tail| self.is_in(owed, tail))
    }

    /// Whether SQL with these origins is of a filter: where several definitions have it, any of them stands for all.
    fn is_of(&self, owed: &Owed, places: &[Place]) -> bool {
        let mut same = self.owed.iter().filter(|other| other.text == owed.text);
        owed.place.line == 0 || same.any(|other| places.contains(&other.place))
    }

    /// That every filter is in the text, whatever templates a project has.
    pub(in crate::compile) fn check_text(&self, lines: &[Vec<Place>]) -> Result<(), CompileError> {
        self.check_text_of(None, lines)
    }

    /// That every filter of one leaf (or of all) is in the text.
    pub(in crate::compile) fn check_text_of(
        &self,
        leaf: Option<&str>,
        lines: &[Vec<Place>],
    ) -> Result<(), CompileError> {
        let is_asked = |owed: &&Owed| leaf.is_none_or(|leaf| owed.column == leaf);
        let written = |owed: &&Owed| lines.iter().any(|places| self.is_of(owed, places));
        let mut owed = self.owed.iter().filter(is_asked);
        match owed.find(|owed| !written(owed)) {
            None => Ok(()),
            Some(lost) => Err(CompileError::new(
                ErrorCode::Template,
                format!("the SQL leaves out the filter {}", lost.text),
            )
            .hint("a template of the project does not print the conditions: compare it with the built-in one")
            .at(lost.place)),
        }
    }
}

impl Leg {
    /// The conditions that restrict the same rows of the leg as a filter.
    fn restrictions<'l>(&'l self, owed: &Owed) -> Box<dyn Iterator<Item = &'l Fragment> + 'l> {
        match (&self.rows, owed.restricts) {
            (Rows::Conversions(events), Restricts::BaseEvents) => {
                Box::new(events.base.scan.conditions.iter())
            }
            (Rows::Conversions(events), Restricts::Conversions) => {
                Box::new(events.converted.scan.conditions.iter())
            }
            (Rows::Conversions(_), _) => Box::new(self.conditions.iter()),
            _ => {
                let mut columns = self.columns.iter();
                let column = columns.find(|column| column.name == owed.column);
                // Where legs were merged, each column has filters of its own, and the leg has the rows of all of them.
                let is_merged = self.columns.iter().any(|column| column.only.is_some());
                match column.and_then(|column| column.only.as_ref()) {
                    Some(only) => Box::new(std::iter::once(only)),
                    None if is_merged => Box::new(std::iter::empty()),
                    None => {
                        let rollup = self.rollup.iter().map(|_| &self.from);
                        Box::new(self.definition.iter().chain(rollup))
                    }
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests {
    use super::*;
    use crate::compile::reach::Reachability;
    use crate::compile::{CompileOptions, Passes, request};
    use crate::model::{MetricQuery, NoValues, Registry};
    use crate::registry::{Config, ProjectFile, ProjectFiles, load};
    use crate::warehouse::Dialect;

    /// Filters at every level of every kind of metric.
    const YAML: &str = "
datasets:
  orders: {table: orders, key: order_id, time: ds, dimensions: {ds: {type: date}, who: {}, channel: {}}, joins: {buyer: {to: users, on: {who: user_id}}}}
  visits: {table: visits, time: ds, dimensions: {ds: {type: date}, who: {}, channel: {}}}
  users: {table: users, key: user_id, dimensions: {market: {}}}
metrics:
  plain: {base_table: orders, agg: count}
  simple: {base_table: orders, agg: sum, expr: amount, filters: [amount > 1, \"buyer.market = 'BR'\"]}
  distinct: {base_table: orders, agg: count_distinct, expr: who, filters: [amount > 2]}
  ratio: {base_table: orders, filters: [amount > 3], numerator: {agg: count, filters: [amount > 4]}, denominator: {agg: count}}
  balance: {base_table: orders, agg: sum, expr: amount, filters: [amount > 5], last_by: {per: [who], carry_forward: true}}
  peak: {base_table: orders, agg: sum, expr: amount, filters: [amount > 6], over_time: {take: max}}
  recent: {of: simple, window: 28 days}
  own: {base_table: orders, agg: count_distinct, expr: who, filters: [amount > 7], cumulative: {window: month_to_date, at_coarser_grain: average}}
  visits: {base_table: visits, agg: count, filters: [\"channel = 'ads'\"]}
  buys: {base_table: orders, agg: count, filters: [amount > 8]}
  rate: {entity: who, base: visits, conversion: buys, within: 7 days}
  count: {entity: who, base: visits, conversion: buys, result: count, fill: 0}
  derived: {expr: now / ago, inputs: {now: {metric: simple, filters: [amount > 9]}, ago: {metric: ratio, offset: 1 month, filters: [amount > 10]}}}
  deep: {expr: a - b, inputs: {a: {metric: derived, filters: [amount > 11]}, b: {metric: rate, filters: [\"channel <> 'seo'\"]}}, fill: 0}
  loyal: {base_table: orders, agg: count, filters: [\"simple per who > 12\"]}
";

    const QUERIES: [&str; 8] = [
        "simple, distinct, ratio by channel 2025-01",
        "plain, simple, distinct by month 2025 vs previous year",
        "balance, peak by month 2025",
        "recent, own by month 2025",
        "rate, count by month 2025-01 vs previous period",
        "derived by month 2025",
        "deep by month 2025",
        "loyal, simple where channel = ads 2025-01",
    ];

    fn registry() -> Registry {
        let file = ProjectFile {
            path: "metrics/all.yaml".into(),
            text: YAML.to_owned(),
        };
        let files = ProjectFiles {
            metrics: vec![file],
            ..ProjectFiles::default()
        };
        let loaded = load(&files, &Config::default(), None);
        assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
        loaded.registry
    }

    /// The leg without each of the filters it has, one at a time.
    fn mutants(leg: &Leg, owed: &[Owed]) -> Vec<Leg> {
        let is_filter =
            |condition: &Fragment| owed.iter().any(|one| condition.places.contains(&one.place));
        let mut mutants = Vec::new();
        let mut without = |list: &dyn Fn(&mut Leg) -> &mut Vec<Fragment>| {
            let mut copy = leg.clone();
            for index in 0..list(&mut copy).len() {
                let mut mutant = leg.clone();
                // Conditions of the query and bounds of time are no filters of a definition.
                if is_filter(&list(&mut mutant).remove(index)) {
                    mutants.push(mutant);
                }
            }
        };
        match &leg.rows {
            Rows::Conversions(_) => {
                fn events(leg: &mut Leg) -> &mut super::super::conversion::Conversions {
                    match &mut leg.rows {
                        Rows::Conversions(events) => events,
                        other => panic!("{other:?}"),
                    }
                }
                without(&|leg| &mut events(leg).base.scan.conditions);
                without(&|leg| &mut events(leg).converted.scan.conditions);
                without(&|leg| &mut leg.conditions);
            }
            _ if leg.columns.iter().any(|column| column.only.is_some()) => {
                for index in 0..leg.columns.len() {
                    let mut mutant = leg.clone();
                    if mutant.columns[index].only.take().is_some() {
                        mutants.push(mutant);
                    }
                }
            }
            _ => without(&|leg| &mut leg.definition),
        }
        mutants
    }

    /// Takes one filter after the other out of a plan: each time it is noticed.
    #[test]
    fn a_filter_that_is_lost_is_noticed() {
        let registry = registry();
        let reach = Reachability::new(&registry);
        let mut noticed = 0;
        for passes in [Passes::default(), Passes::NONE] {
            for line in QUERIES {
                let options = CompileOptions {
                    dialect: Dialect::Sqlite,
                    today: jiff::civil::date(2025, 4, 15),
                    values: &NoValues,
                    passes,
                };
                let query: MetricQuery = line.parse().unwrap();
                let request = request::resolve(&registry, &query, &options).unwrap();
                let usage = request.usage();
                let mut planned =
                    Planner::plan(&registry, &reach, &request, &usage, &options).unwrap();
                planned.check_filters().unwrap();
                for index in 0..planned.legs.len() {
                    let leg = planned.legs[index].clone();
                    for mutant in mutants(&leg, &planned.owed) {
                        planned.legs[index] = mutant;
                        let Err(lost) = planned.check_filters() else {
                            panic!("{line}: nothing is missed in {:?}", planned.legs[index]);
                        };
                        assert!(
                            lost.message.starts_with("the plan leaves out"),
                            "{line}: {lost}"
                        );
                        noticed += 1;
                    }
                    planned.legs[index] = leg;
                }
            }
        }
        assert!(noticed > 40, "{noticed}");
    }
}
