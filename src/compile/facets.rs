//! Rows that are no events: what a snippet declares as facets and what an analysis makes is compiled, anything else is
//! refused with what there is.

use jiff::civil::Date;

use super::reach::{leaf_metrics, list};
use super::{CompileError, ErrorCode, Reason, ReasonKind};
use crate::model::{
    CompareOp, Dataset, DateRange, Facets, Filter, Grain, GroupBy, Metric, MetricKind, Place,
    Registry, TimeRange, Weekday,
};
use crate::warehouse::Dialect;

/// What a query asks for.
pub(super) struct Asked<'a> {
    pub(super) groups: &'a [GroupBy],
    pub(super) conditions: Option<&'a Filter>,
    pub(super) time: TimeRange,
    pub(super) range: DateRange,
    /// The compared range.
    pub(super) prior: Option<DateRange>,
}

/// Where a complex metric's SQL comes from.
pub(super) fn reason(metric: &Metric) -> Option<Reason> {
    match &metric.kind {
        MetricKind::Complex {
            snippet,
            facets: Some(facets),
            ..
        } => Some(Reason {
            kind: ReasonKind::Source,
            text: format!(
                "{} is rendered from the snippet {snippet} by its facets, no model",
                metric.name
            ),
            place: Some(facets.place),
        }),
        _ => None,
    }
}

/// What a snippet declares, for people: "market, ad_channel and day".
pub(super) fn declared(registry: &Registry, facets: &Facets) -> String {
    let dataset = registry.datasets.get(&facets.dataset);
    dataset.map_or_else(String::new, |dataset| named(dataset, facets.grain))
}

fn named(dataset: &Dataset, grain: Grain) -> String {
    let is_time = |name: &&String| dataset.time.as_ref() == Some(*name);
    let mut names: Vec<String> = dataset
        .dimensions
        .keys()
        .filter(|name| !is_time(name))
        .cloned()
        .collect();
    if dataset.time.is_some() {
        let grains = Grain::ALL
            .into_iter()
            .filter(|coarse| divides(grain, *coarse));
        names.extend(grains.map(|grain| grain.word().to_owned()));
    }
    list(&names, 24)
}

/// Whether periods of `coarse` are made of whole periods of `fine`.
fn divides(fine: Grain, coarse: Grain) -> bool {
    fine == coarse || (fine < coarse && fine != Grain::Week)
}

/// What the rows behind a metric allow.
struct Limits<'a> {
    dataset: &'a Dataset,
    grain: Grain,
    per: &'a [GroupBy],
    place: Place,
    /// Whether only its own dimensions can be asked for.
    is_closed: bool,
    /// Whose rows these are, for people.
    owner: String,
    code: ErrorCode,
}

/// What the rows behind a metric do not add up over; nothing where it is computed from events.
pub fn per<'a>(registry: &'a Registry, metric: &'a Metric) -> &'a [GroupBy] {
    match (metric.kind.facets(), registry.analysis_of(metric)) {
        (Some(facets), _) => &facets.per,
        (None, Some(analysis)) => analysis.per(&metric.name),
        (None, None) => &[],
    }
}

fn limits<'a>(registry: &'a Registry, metric: &'a Metric) -> Option<Limits<'a>> {
    if let Some(facets) = metric.kind.facets() {
        return Some(Limits {
            dataset: registry.datasets.get(&facets.dataset)?,
            grain: facets.grain,
            per: &facets.per,
            place: facets.place,
            is_closed: true,
            owner: format!("the snippet of {}", metric.name),
            code: ErrorCode::ComplexMetric,
        });
    }
    let analysis = registry.analysis_of(metric)?;
    Some(Limits {
        dataset: registry.datasets.get(&analysis.name)?,
        grain: analysis.grain,
        per: analysis.per(&metric.name),
        place: analysis.place,
        is_closed: false,
        owner: format!("the analysis {}", analysis.name),
        code: ErrorCode::InvalidClause,
    })
}

/// Refuses what the snippets of complex metrics do not declare, and what the rows of analyses do not tell.
pub(super) fn check(
    registry: &Registry,
    metrics: &[&Metric],
    asked: &Asked<'_>,
    dialect: Dialect,
) -> Result<(), CompileError> {
    for metric in metrics
        .iter()
        .flat_map(|metric| leaf_metrics(registry, metric))
    {
        let Some(limits) = limits(registry, metric) else {
            continue;
        };
        let check = Check {
            registry,
            metric,
            limits,
            asked,
        };
        check.engine(dialect)?;
        if check.limits.is_closed {
            check.names()?;
        }
        check.grains()?;
        check.ranges()?;
        check.per()?;
    }
    Ok(())
}

/// One metric over such rows in one query.
struct Check<'a> {
    registry: &'a Registry,
    metric: &'a Metric,
    limits: Limits<'a>,
    asked: &'a Asked<'a>,
}

impl Check<'_> {
    /// A refusal; of a snippet, one that a model may still get around by adapting it.
    fn refusal(&self, message: String) -> CompileError {
        CompileError::new(self.limits.code, message).at(self.limits.place)
    }

    fn is_time(&self, name: &str) -> bool {
        let dataset = self.limits.dataset;
        dataset
            .dimension(name)
            .is_some_and(|dimension| Some(&dimension.name) == dataset.time.as_ref())
    }

    /// Analyses are written for some engines only.
    fn engine(&self, dialect: Dialect) -> Result<(), CompileError> {
        let engines = &self.limits.dataset.dialects;
        if self.limits.is_closed || engines.iter().any(|(word, _)| word == dialect.word()) {
            return Ok(());
        }
        let known = engines.iter().filter_map(|(word, _)| Dialect::of(word));
        let known: Vec<String> = known.map(|known| known.title().to_owned()).collect();
        let message = format!(
            "{} is not written for {}",
            self.limits.owner,
            dialect.title()
        );
        let hint = format!("analyses run on {}", list(&known, 9));
        Err(self.refusal(message).word(&self.metric.name).hint(hint))
    }

    /// The names that can be asked for.
    fn declared(&self) -> String {
        named(self.limits.dataset, self.limits.grain)
    }

    /// Every dimension is declared.
    fn names(&self) -> Result<(), CompileError> {
        let grouped = self.asked.groups.iter().filter_map(GroupBy::dimension);
        let filtered = self.asked.conditions.into_iter().flat_map(Filter::fields);
        for name in grouped.chain(filtered) {
            let plain = name
                .strip_prefix(&format!("{}.", self.limits.dataset.name))
                .unwrap_or(name);
            if self.limits.dataset.dimension(plain).is_none() {
                let message = format!(
                    "{} declares {}; '{name}' is not among them",
                    self.limits.owner,
                    self.declared()
                );
                let known = self.limits.dataset.dimensions.keys().map(String::as_str);
                let near = crate::registry::nearest(plain, known);
                let error = self.refusal(message).word(name);
                return Err(match near {
                    Some(near) => error.hint(format!("did you mean '{near}'?")),
                    None => error.hint(format!(
                        "metrex show {} prints the snippet",
                        self.metric.name
                    )),
                });
            }
        }
        Ok(())
    }

    /// Rows per month have no days, and their dates are no dates of days.
    fn grains(&self) -> Result<(), CompileError> {
        let grain = self.limits.grain;
        for group in self.asked.groups {
            let GroupBy::Grain { grain: by, .. } = group else {
                continue;
            };
            if self.limits.dataset.time.is_none() {
                return Err(self.without_time(&group.to_string()));
            }
            if !divides(grain, *by) {
                let message = format!(
                    "{} has rows per {grain}, which do not make up a {by}",
                    self.limits.owner
                );
                let error = self.refusal(message).word(group.to_string());
                return Err(error.hint(format!("group by {grain}")));
            }
        }
        if grain == Grain::Day {
            return Ok(());
        }
        let by_value = self.asked.groups.iter().find_map(|group| match group {
            GroupBy::Dimension(name) if self.is_time(name) => Some(name.as_str()),
            _ => None,
        });
        let mut fields = self.asked.conditions.into_iter().flat_map(Filter::fields);
        match by_value.or_else(|| fields.find(|name| self.is_time(name))) {
            None => Ok(()),
            Some(name) => {
                let message = format!("{name} of {} stands for a whole {grain}", self.limits.owner);
                let hint =
                    format!("group by {grain}, and restrict it by a time range: last {grain}");
                Err(self.refusal(message).word(name).hint(hint))
            }
        }
    }

    fn without_time(&self, word: &str) -> CompileError {
        self.refusal(format!(
            "{} declares {} and no time",
            self.limits.owner,
            self.declared()
        ))
        .word(word)
        .hint("ask for all time, without a time grain")
    }

    /// Both ranges begin and end where rows do.
    fn ranges(&self) -> Result<(), CompileError> {
        let grain = self.limits.grain;
        if self.limits.dataset.time.is_none() {
            return if self.asked.range == DateRange::default() {
                Ok(())
            } else {
                Err(self.without_time(&self.asked.time.to_string()))
            };
        }
        let ranges = [Some(self.asked.range), self.asked.prior];
        for range in ranges.into_iter().flatten() {
            let cut = [range.start, range.end]
                .into_iter()
                .flatten()
                .find(|day| self.floor(grain, *day) != *day);
            if cut.is_some() {
                let message = format!(
                    "{} has rows per {grain}; {range} begins or ends within one",
                    self.limits.owner
                );
                let error = self.refusal(message).word(self.asked.time.to_string());
                return Err(error.hint(format!("ask for whole {grain}s, such as last {grain}")));
            }
        }
        Ok(())
    }

    fn floor(&self, grain: Grain, day: Date) -> Date {
        let week_start: Weekday = self.registry.calendar.week_start;
        grain.floor(day, week_start)
    }

    /// What does not add up is grouped by, or there is one of it.
    fn per(&self) -> Result<(), CompileError> {
        for per in self.limits.per {
            let is_single = match per {
                GroupBy::Grain { grain, .. } => self.is_grouped_by(per) || self.is_one(*grain),
                GroupBy::Part { .. } => self.is_grouped_by(per),
                GroupBy::Dimension(name) => {
                    self.is_grouped_by(per) || self.is_restricted_to_one(name)
                }
            };
            if !is_single {
                let message = format!(
                    "{} does not add up over several {per}s: it is a value per {per}",
                    self.metric.name
                );
                let hint = match per {
                    GroupBy::Grain { grain, .. } => {
                        format!("group by {grain}, or ask for one {grain}: last {grain}")
                    }
                    GroupBy::Part { .. } => format!("group by {per}"),
                    GroupBy::Dimension(name) => {
                        format!("group by {name}, or restrict it to one: {name} = …")
                    }
                };
                return Err(self.refusal(message).word(per.to_string()).hint(hint));
            }
        }
        Ok(())
    }

    fn is_grouped_by(&self, per: &GroupBy) -> bool {
        self.asked.groups.iter().any(|group| match (group, per) {
            (GroupBy::Grain { grain, .. }, GroupBy::Grain { grain: per, .. }) => grain == per,
            (GroupBy::Dimension(name), GroupBy::Dimension(per)) => self.means(name, per),
            _ => false,
        })
    }

    fn means(&self, name: &str, dimension: &str) -> bool {
        self.limits
            .dataset
            .dimension(name)
            .is_some_and(|found| found.name == dimension)
    }

    /// Whether the range is one period.
    fn is_one(&self, grain: Grain) -> bool {
        let DateRange {
            start: Some(start),
            end: Some(end),
        } = self.asked.range
        else {
            return false;
        };
        self.floor(grain, start) == start && start.saturating_add(grain.span(1)) == end
    }

    /// Whether a condition leaves one value of a dimension.
    fn is_restricted_to_one(&self, dimension: &str) -> bool {
        let parts = match self.asked.conditions {
            Some(Filter::And(parts)) => parts.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        parts.iter().any(|part| match part {
            Filter::Compare {
                field,
                op: CompareOp::Eq,
                ..
            } => self.means(field, dimension),
            Filter::In {
                field,
                values,
                negated: false,
            } => values.len() == 1 && self.means(field, dimension),
            _ => false,
        })
    }
}
