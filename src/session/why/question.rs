//! The question of an investigation: which number, in which two periods.

use super::{Look, Node, Why};
use crate::investigate::{Compared, History, Slice, Window};
use crate::model::{Comparison, Filter, Grain, GroupBy, Metric, MetricQuery, Registry, TimeRange};
use crate::session::{Session, SessionError};

/// A question that can be asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The query of the number, with nothing to group by.
    pub(super) query: MetricQuery,
    /// The metric, by canonical name.
    pub(super) metric: String,
    /// The two periods.
    pub(super) compared: Compared,
    /// They and those before them.
    pub(super) history: History,
    label: String,
    format: crate::model::Format,
    /// Metrics that are grouped where a query does not say by what.
    grouped: Vec<String>,
    /// What is asked instead of what was asked.
    pub(super) note: Option<String>,
}

/// How a note begins that says what is asked instead.
const INSTEAD: &str = "All time has nothing before it";

impl Session {
    /// Reads a question: one metric, and two periods that have an end.
    pub(super) fn asked_why(&self, query: &MetricQuery) -> Result<Asked, SessionError> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let refuse = |message: &str, hint: &str| {
            Err(SessionError::usage("invalid_clause", message).with_hint(hint))
        };
        let query = registry.saved(query).unwrap_or(query);
        let [name] = query.metrics.as_slice() else {
            return refuse("why is asked of one metric", "write why gmv last month");
        };
        let found = registry.metric(name);
        let metric = found.ok_or_else(|| SessionError::unknown_metric(registry, name))?;
        if query
            .group_by
            .as_ref()
            .is_some_and(|groups| !groups.is_empty())
        {
            return refuse(
                "why is asked of one number, not of groups of them",
                "leave the grouping out, or name the group: where market = ID",
            );
        }
        let is_plain = query.order.is_empty() && query.limit.is_none() && query.show.is_empty();
        if !is_plain {
            return refuse(
                "why takes a metric, conditions and a time",
                "write why gmv where market = ID last month",
            );
        }
        // All of time has no time before it that it could have moved from.
        let asked_time = query.time.filter(|time| *time != TimeRange::AllTime);
        let time = asked_time.unwrap_or_else(|| usual_time(metric));
        let note = (query.time == Some(TimeRange::AllTime))
            .then(|| format!("{INSTEAD}: this is about {time}."));
        let asked = MetricQuery {
            metrics: vec![metric.name.clone()],
            group_by: Some(Vec::new()),
            filters: query.filters.clone(),
            time: Some(time),
            compare: Some(query.compare.unwrap_or(Comparison::PreviousPeriod)),
            ..MetricQuery::default()
        };
        let compiled = self.compile(&asked).map_err(|error| self.refusal(error))?;
        let today = self.today();
        let after = Window::of(compiled.range);
        let before = compiled.prior.and_then(Window::of);
        let Some((mut after, before)) = after.zip(before) else {
            return refuse(
                "why needs two periods with a start and an end",
                "write why gmv last month vs previous year",
            );
        };
        // A period that still runs is compared as far as it goes.
        let tomorrow = today.tomorrow().unwrap_or(today);
        if after.start <= today && after.end > tomorrow {
            after.end = tomorrow;
        }
        let compared = Compared { before, after };
        let week_start = registry.calendar.week_start;
        Ok(Asked {
            metric: metric.name.clone(),
            history: History::of(compared, week_start),
            compared,
            label: metric.label.clone(),
            format: metric.format.clone(),
            grouped: {
                let grouped = registry
                    .metrics
                    .values()
                    .filter(|metric| !metric.grain.is_empty());
                grouped.map(|metric| metric.name.clone()).collect()
            },
            query: asked,
            note,
        })
    }
}

/// The last whole period that a metric is read by: that of its default time range, else a month.
fn usual_time(metric: &Metric) -> TimeRange {
    let grain = match metric.window {
        Some(TimeRange::This(grain) | TimeRange::ToDate(grain)) => grain,
        Some(TimeRange::Last(_, grain) | TimeRange::Rolling(_, grain)) => grain,
        _ => Grain::Month,
    };
    match grain.max(metric.time_grain.unwrap_or(Grain::Day)) {
        Grain::Week => TimeRange::Last(1, Grain::Week),
        grain @ (Grain::Month | Grain::Quarter | Grain::Year) => TimeRange::Last(1, grain),
        _ => TimeRange::Last(1, Grain::Month),
    }
}

impl Asked {
    /// Says what is asked instead, where it is; what is kept may have been asked otherwise.
    pub(super) fn say_instead(&self, notes: &mut Vec<String>) {
        notes.retain(|note| !note.starts_with(INSTEAD));
        notes.splice(0..0, self.note.clone());
    }

    /// The conditions of the question.
    pub(super) fn filters(&self) -> Option<&Filter> {
        self.query.filters.as_ref()
    }

    /// The query of a node: another metric, further conditions, a grouping; in the same two periods.
    pub(super) fn query_of(
        &self,
        metrics: &[String],
        group: Option<&str>,
        slice: &[Slice],
    ) -> MetricQuery {
        let group = group.map(|name| GroupBy::Dimension(name.to_owned()));
        let has_default = metrics.iter().any(|metric| self.grouped.contains(metric));
        MetricQuery {
            metrics: metrics.to_vec(),
            group_by: match (group, has_default) {
                (None, false) => None,
                (group, _) => Some(group.into_iter().collect()),
            },
            filters: super::read::conditions(self.filters(), slice),
            ..self.query.clone()
        }
    }

    /// As [`query_of`](Self::query_of), as a query line that people can run.
    pub(super) fn line(&self, metric: &str, group: Option<&str>, slice: &[Slice]) -> String {
        self.query_of(&[metric.to_owned()], group, slice)
            .to_string()
    }

    /// An investigation of which nothing is known yet.
    pub(super) fn begun(&self, connection: &str) -> Why {
        let mut tree = Node::new(
            Look::Change,
            &self.metric,
            format!("{} has moved.", self.label),
        );
        tree.line = self.line(&self.metric, None, &[]);
        Why {
            metric: self.metric.clone(),
            label: self.label.clone(),
            format: self.format.clone(),
            line: tree.line.clone(),
            before: crate::model::DateRange::from(self.compared.before).to_string(),
            after: crate::model::DateRange::from(self.compared.after).to_string(),
            connection: connection.to_owned(),
            answer: String::new(),
            causes: Vec::new(),
            next: Vec::new(),
            notes: Vec::new(),
            tree,
            queries: 0,
            is_done: false,
        }
    }
}

/// The name of a metric for people.
pub(super) fn label<'r>(registry: &'r Registry, metric: &'r str) -> &'r str {
    registry
        .metric(metric)
        .map_or(metric, |metric| metric.label.as_str())
}
