//! Builds saved queries.

use super::diagnostic::Sink;
use super::raw::RawView;
use super::read::{Entry, MapOr};
use super::scope::{Broken, Scope};
use super::words::{chars_before, check_name, text};
use super::yaml::Text;
use crate::model::{Filter, GroupBy, MetricQuery, Place, QueryLineError, Registry, View};

/// Builds the saved queries; the metrics are built.
pub(crate) fn build_views(
    entries: &[Entry<MapOr<RawView, Text>>],
    registry: &mut Registry,
    broken: &Broken,
    sink: &mut Sink,
) {
    for entry in entries {
        let name = &entry.name;
        let before = sink.errors();
        check_name("view", name, sink);
        let (line, description) = match &entry.value {
            Some(MapOr::Short(line)) => (Some(line), String::new()),
            Some(MapOr::Map(raw)) => (raw.query.as_ref(), text(raw.description.as_ref())),
            None => continue,
        };
        let Some(line) = line else {
            if entry.errors == 0 {
                let message = format!("view '{}' needs a query", name.value);
                sink.error(
                    "missing_key",
                    name.place,
                    &name.value,
                    message,
                    Some("add query: such as gmv by month".to_owned()),
                );
            }
            continue;
        };
        match line.value.trim_end().parse::<MetricQuery>() {
            Ok(query) => {
                check_metrics(&query, line, registry, broken, sink);
                if entry.errors == 0 && sink.errors() == before {
                    let view = View {
                        name: name.value.clone(),
                        place: name.place,
                        description,
                        query,
                    };
                    registry.views.insert(name.value.clone(), view);
                }
            }
            Err(QueryLineError {
                message,
                range,
                hint,
                ..
            }) => {
                let place = sink.inside(line, chars_before(&line.value, range.start));
                sink.error("invalid_value", place, &line.value, message, hint);
            }
        }
    }
}

/// Checks the metrics of a query, and where it has none, what it groups by.
fn check_metrics(
    query: &MetricQuery,
    line: &Text,
    registry: &Registry,
    broken: &Broken,
    sink: &mut Sink,
) {
    if query.is_empty() {
        let message = "the query names no metric and nothing to group by";
        sink.error(
            "invalid_value",
            line.place,
            &line.value,
            message,
            Some("start with a metric: gmv by month".to_owned()),
        );
    }
    let fields = query.filters.iter().flat_map(Filter::fields);
    let per = fields.filter_map(Filter::per).map(|(metric, _)| metric);
    let metrics = query.metrics.iter().map(String::as_str).chain(per);
    for name in metrics.filter(|name| registry.metric(name).is_none()) {
        let is_broken = broken.metrics.contains(name);
        let known = registry.metrics.keys().chain(&broken.metrics);
        let known = known.map(String::as_str);
        let at = (name, place_in(line, name, sink));
        broken.refuse("metric", "unknown_metric", at, is_broken, known, sink);
    }
    // Without a metric there is no dataset to look in: any that has the dimension will do.
    let scope = Scope {
        datasets: &registry.datasets,
        broken,
        calendar: registry.calendar.table.as_ref(),
    };
    let is_period = |name: &str| {
        let mut tables = registry.calendar.table.iter();
        tables.any(|table| table.named(name).is_some())
    };
    let groups = query.group_by.iter().flatten().chain(&query.range_of);
    for name in groups.filter_map(GroupBy::dimension) {
        let mut datasets = registry.datasets.values();
        if !query.metrics.is_empty()
            || is_period(name)
            || datasets.any(|dataset| scope.reach(dataset, name).is_some())
        {
            continue;
        }
        let mut datasets = registry.datasets.values();
        let is_broken = datasets.any(|dataset| scope.is_broken(dataset, name));
        let known = registry.datasets.values();
        let known = known.flat_map(|dataset| dataset.dimensions.keys().map(String::as_str));
        let at = (name, place_in(line, name, sink));
        broken.refuse("dimension", "unknown_dimension", at, is_broken, known, sink);
    }
}

/// Where a word stands in a line.
fn place_in(line: &Text, word: &str, sink: &Sink) -> Place {
    let offset = line.value.find(word);
    sink.inside(line, offset.map_or(0, |at| chars_before(&line.value, at)))
}
