//! Cumulative metrics: what is accumulated over time, over how much of it.

use super::composed::{Composition, Known, Use};
use super::diagnostic::Sink;
use super::length;
use super::raw::RawMetric;
use super::yaml::Text;
use crate::model::{CalendarTable, Cumulative, MetricKind, Source};

/// What is accumulated, where it is another metric.
fn of(raw: &RawMetric) -> Option<&Text> {
    let inner = raw.cumulative.as_ref().and_then(|inner| inner.of.as_ref());
    raw.of.as_ref().or(inner)
}

/// Whether `window:` is what this metric takes in, and no default time range.
pub(crate) fn takes_window(raw: &RawMetric) -> bool {
    raw.cumulative.is_none()
}

/// The accumulation that the keys describe: of a metric, still as it is written, or over `sources`.
pub(crate) fn cumulative(
    name: &Text,
    raw: &RawMetric,
    sources: Vec<Source>,
    calendar: Option<&CalendarTable>,
    sink: &mut Sink,
) -> Option<Cumulative> {
    let inner = raw.cumulative.as_ref();
    if let (Some(outer), Some(_)) = (&raw.of, inner) {
        let message = "of stands beside window, or in cumulative with it";
        let hint = Some("move it into cumulative, or write of and window alone".to_owned());
        sink.error("metric_kind", outer.place, &outer.value, message, hint);
    }
    let inner_grain = inner.and_then(|inner| inner.at_coarser_grain);
    if let (Some(_), Some(twice)) = (inner_grain, raw.at_coarser_grain) {
        let message = "at_coarser_grain is said twice";
        sink.error(
            "metric_kind",
            twice.place,
            "at_coarser_grain",
            message,
            Some("leave one of the two out".to_owned()),
        );
    }
    let window = match inner {
        Some(inner) => inner.window.as_ref(),
        None => raw.window.as_ref(),
    };
    let Some(window) = window else {
        let message = format!("'{}' is cumulative and needs a window", name.value);
        let hint = "write window: 28 days, quarter_to_date or all_time".to_owned();
        sink.error("missing_key", name.place, &name.value, message, Some(hint));
        return None;
    };
    let measures = sources.iter().flat_map(|source| &source.measures);
    for measure in measures {
        if let Some(over_time) = &measure.over_time {
            let message = "snapshots do not add up over time, so there is nothing to accumulate";
            sink.error(
                "metric_kind",
                over_time.place,
                "over_time",
                message,
                Some("leave over_time out, or accumulate a metric of events".to_owned()),
            );
        }
    }
    let at_coarser_grain = inner_grain.or(raw.at_coarser_grain);
    Some(Cumulative {
        of: of(raw).map(|of| of.value.clone()),
        sources,
        window: length::window(window, calendar, sink)?,
        at_coarser_grain: at_coarser_grain.map(|word| word.value).unwrap_or_default(),
    })
}

/// Settles which metric is accumulated.
pub(crate) fn compose(
    raw: &RawMetric,
    cumulative: &Cumulative,
    known: Known,
    sink: &mut Sink,
) -> Option<Composition> {
    let text = of(raw)?;
    let metric = known.metric((&text.value, text.place), sink)?;
    Some(Composition {
        text: text.clone(),
        kind: MetricKind::Cumulative(Box::new(Cumulative {
            of: Some(metric.clone()),
            ..cumulative.clone()
        })),
        uses: vec![Use::plain(metric, text)],
    })
}
