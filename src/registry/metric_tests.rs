//! Builds the tests of metrics: every query reads, every test expects something that can be told from its rows.

use super::diagnostic::Sink;
use super::length::limit;
use super::raw::{RawMetric, RawTest};
use super::read::{At, Entry};
use super::scope::Broken;
use super::words::chars_before;
use super::yaml::Text;
use crate::model::{
    Expectation, Grain, Metric, MetricQuery, MetricTest, Place, QueryLineError, Registry,
    TimeRange, Tolerance,
};

/// Builds the tests; the metrics are built. A test with an error is left out, its metric stays.
pub(crate) fn build_tests(
    entries: &[Entry<RawMetric>],
    registry: &mut Registry,
    broken: &Broken,
    sink: &mut Sink,
) {
    for entry in entries {
        let Some(raw) = entry.value.as_ref().filter(|raw| !raw.tests.0.is_empty()) else {
            continue;
        };
        let Some(metric) = registry.metrics.get(&entry.name.value) else {
            continue;
        };
        let tests = raw.tests.0.iter();
        let tests = tests.filter_map(|raw| {
            let before = sink.errors();
            let test = test(raw, metric, registry, broken, sink);
            test.filter(|_| sink.errors() == before)
        });
        let tests = tests.collect();
        if let Some(metric) = registry.metrics.get_mut(&entry.name.value) {
            metric.tests = tests;
        }
    }
}

fn test(
    raw: &RawTest,
    metric: &Metric,
    registry: &Registry,
    broken: &Broken,
    sink: &mut Sink,
) -> Option<MetricTest> {
    let (place, before) = (place(raw)?, sink.errors());
    let query = query(raw.query.as_ref(), metric, sink)?;
    let tolerance = raw.tolerance.as_ref().map(|text| tolerance(text, sink));
    let tolerance = match tolerance {
        Some(read) => Some(read?),
        None => None,
    };
    let within = tolerance.unwrap_or_default();
    let mut expected = Vec::new();
    if let Some(value) = raw.expect {
        warn_of_moving(&value, raw.query.as_ref(), &query, metric, sink);
        expected.push(Expectation::Equals {
            value: value.value,
            tolerance: within,
        });
    }
    expected.extend(ranges(raw, sink));
    if raw.positive.is_some_and(|word| word.value) {
        expected.push(Expectation::Positive);
    }
    if raw.not_null.is_some_and(|word| word.value) {
        expected.push(Expectation::NotNull);
    }
    if let Some(line) = &raw.sums_to {
        expected.push(Expectation::SumsTo {
            query: Box::new(whole_query(line, registry, broken, sink)?),
            tolerance: within,
        });
    }
    if let Some(length) = &raw.fresh_within {
        expected.push(fresh_within(length, sink)?);
    }
    let compares =
        |one: &Expectation| matches!(one, Expectation::Equals { .. } | Expectation::SumsTo { .. });
    if let Some(text) = raw
        .tolerance
        .as_ref()
        .filter(|_| !expected.iter().any(compares))
    {
        let message = "there is no number that the tolerance is for";
        let hint = Some("it goes with expect or sums_to".to_owned());
        sink.error("invalid_value", text.place, &text.value, message, hint);
    }
    if sink.errors() > before {
        return None;
    }
    if expected.is_empty() {
        let hint = "write expect, between, at_least, at_most, positive, not_null, sums_to or \
                    fresh_within";
        let message = format!("this test of '{}' expects nothing", metric.name);
        sink.error("missing_key", place, "", message, Some(hint.to_owned()));
    }
    Some(MetricTest {
        name: raw.name.as_ref().map(|text| text.value.trim().to_owned()),
        place,
        query,
        expected,
    })
}

/// Where a test begins: at the first of its values.
fn place(raw: &RawTest) -> Option<Place> {
    let texts = [
        &raw.name,
        &raw.query,
        &raw.tolerance,
        &raw.sums_to,
        &raw.fresh_within,
    ];
    let texts = texts.into_iter().flatten().map(|text| text.place);
    let numbers = [&raw.expect, &raw.at_least, &raw.at_most];
    let numbers = numbers.into_iter().flatten().map(|number| number.place);
    let between = raw.between.0.iter().map(|number| number.place);
    let words = [&raw.positive, &raw.not_null];
    let words = words.into_iter().flatten().map(|word| word.place);
    texts.chain(numbers).chain(between).chain(words).min()
}

/// The query: the metric, and what a query line says after its name. What it does not group by, it does not: the metric's
/// default grouping is for readers.
fn query(tail: Option<&Text>, metric: &Metric, sink: &mut Sink) -> Option<MetricQuery> {
    let alone = MetricQuery {
        metrics: vec![metric.name.clone()],
        ..MetricQuery::default()
    };
    let Some(tail) = tail else {
        return Some(MetricQuery {
            group_by: Some(Vec::new()),
            ..alone
        });
    };
    let head = format!("{alone} ");
    match format!("{head}{}", tail.value.trim_end()).parse::<MetricQuery>() {
        Ok(query) => {
            let is_plain = query.compare.is_none() && query.show.is_empty() && !query.total;
            if query.metrics != alone.metrics || !is_plain {
                let message = "a test is about one number in each row, that of its metric";
                let hint = "say what follows its name in a query line, such as by market 2026-10, \
                            without another metric, a comparison or a total";
                let hint = Some(hint.to_owned());
                sink.error("invalid_value", tail.place, &tail.value, message, hint);
                return None;
            }
            Some(MetricQuery {
                group_by: Some(query.group_by.clone().unwrap_or_default()),
                ..query
            })
        }
        Err(error) => {
            refuse_words(tail, error, head.len(), sink);
            None
        }
    }
}

/// A query that is written as a whole line. What it does not group by, it does not.
pub(crate) fn whole_query(
    line: &Text,
    registry: &Registry,
    broken: &Broken,
    sink: &mut Sink,
) -> Option<MetricQuery> {
    let query = match line.value.trim_end().parse::<MetricQuery>() {
        Ok(query) => query,
        Err(error) => {
            refuse_words(line, error, 0, sink);
            return None;
        }
    };
    let Some(name) = query.metrics.first() else {
        let message = "the query line names no metric";
        let hint = Some("start with a metric: gmv 2026-10".to_owned());
        sink.error("invalid_value", line.place, &line.value, message, hint);
        return None;
    };
    if registry.metric(name).is_none() {
        let is_broken = broken.metrics.contains(name);
        let known = registry.metrics.keys().chain(&broken.metrics);
        let known = known.map(String::as_str);
        let at = (name.as_str(), line.place);
        broken.refuse("metric", "unknown_metric", at, is_broken, known, sink);
        return None;
    }
    Some(MetricQuery {
        group_by: Some(query.group_by.clone().unwrap_or_default()),
        ..query
    })
}

/// `0.5%`, `0.01`.
fn tolerance(text: &Text, sink: &mut Sink) -> Option<Tolerance> {
    let written = text.value.trim();
    let percent = written.strip_suffix('%');
    let number = percent.unwrap_or(written).trim_end().parse::<f64>();
    match number {
        Ok(number) if number.is_finite() && number >= 0.0 => Some(match percent {
            Some(_) => Tolerance::Percent(number),
            None => Tolerance::Absolute(number),
        }),
        _ => {
            let message = format!("'{written}' is no tolerance");
            let hint = Some("write a number such as 0.01, or a part such as 0.5%".to_owned());
            sink.error("invalid_value", text.place, &text.value, message, hint);
            None
        }
    }
}

/// `between`, `at_least` and `at_most`.
fn ranges(raw: &RawTest, sink: &mut Sink) -> Vec<Expectation> {
    let mut ranges = Vec::new();
    match raw.between.0.as_slice() {
        [] => {}
        [low, high] if low.value <= high.value => ranges.push(Expectation::Range {
            low: Some(low.value),
            high: Some(high.value),
        }),
        [first, ..] => {
            let message = "between needs two numbers, the smaller one first";
            let hint = Some("write between: [0, 1]".to_owned());
            let found = first.value.to_string();
            sink.error("invalid_value", first.place, &found, message, hint);
        }
    }
    let mut end = |low: Option<At<f64>>, high: Option<At<f64>>| {
        if low.or(high).is_some() {
            ranges.push(Expectation::Range {
                low: low.map(|low| low.value),
                high: high.map(|high| high.value),
            });
        }
    };
    match (raw.at_least, raw.at_most) {
        (Some(low), Some(high)) if low.value > high.value => {
            let message = format!(
                "no number is at least {} and at most {}",
                low.value, high.value
            );
            let found = high.value.to_string();
            sink.error("invalid_value", high.place, &found, message, None);
        }
        (low, high) => end(low, high),
    }
    ranges
}

/// `2 days`. What is shorter than a day would depend on the hour at which the test runs.
fn fresh_within(length: &Text, sink: &mut Sink) -> Option<Expectation> {
    let (count, grain) = limit(length, sink)?;
    if grain < Grain::Day {
        let message = format!("'{}' is less than a day", length.value);
        let hint = Some("write 1 day, or longer".to_owned());
        sink.error("invalid_value", length.place, &length.value, message, hint);
        return None;
    }
    Some(Expectation::FreshWithin(count, grain))
}

/// A number that is pinned to `last month` is another one next month.
fn warn_of_moving(
    value: &At<f64>,
    written: Option<&Text>,
    query: &MetricQuery,
    metric: &Metric,
    sink: &mut Sink,
) {
    let moves = |time: &TimeRange| !matches!(time, TimeRange::AllTime | TimeRange::Span(..));
    let Some(time) = query.time.or(metric.window).filter(moves) else {
        return;
    };
    let message = format!("the expected number is of '{time}', which moves with the day");
    let hint = Some("write the dates: 2026-10, or 2026-01..2026-03".to_owned());
    let (place, found) = match written {
        Some(text) => (text.place, text.value.clone()),
        None => (value.place, value.value.to_string()),
    };
    sink.warning("time", place, &found, message, hint);
}

/// Reports words that the query line's parser does not take; the first `head` bytes were put in front of them.
fn refuse_words(text: &Text, error: QueryLineError, head: usize, sink: &mut Sink) {
    let at = error.range.start.saturating_sub(head);
    let place = sink.inside(text, chars_before(&text.value, at));
    sink.error(
        "invalid_value",
        place,
        &text.value,
        error.message,
        error.hint,
    );
}
