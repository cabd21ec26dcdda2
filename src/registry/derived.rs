//! Derived metrics: what each name of the expression stands for, with its filters and its distance in time.

use super::composed::{Composition, Known, Use};
use super::dataset::expression_of;
use super::diagnostic::Sink;
use super::expression;
use super::length;
use super::raw::{RawInput, RawMeasure, RawMetric, RawOffset};
use super::read::{Many, MapOr};
use super::words::check_name;
use super::yaml::Text;
use crate::model::{Expression, Input, MetricKind};

/// Settles the inputs of a derived metric, or of a ratio of two metrics.
pub(crate) fn compose(
    owner: &str,
    raw: &RawMetric,
    known: Known,
    sink: &mut Sink,
) -> Option<Composition> {
    match (&raw.numerator, &raw.denominator) {
        (Some(numerator), Some(denominator)) => ratio(raw, [numerator, denominator], known, sink),
        _ => arithmetic(owner, raw, known, sink),
    }
}

/// What a name in an expression stands for, as written.
#[derive(Clone, Copy)]
struct Written<'a> {
    name: &'a Text,
    metric: &'a Text,
    filters: [&'a Many<Text>; 2],
    offset: Option<&'a MapOr<RawOffset, Text>>,
}

impl Written<'_> {
    fn input(self, known: Known, sink: &mut Sink) -> Option<(Input, Use)> {
        let metric = known.metric((&self.metric.value, self.metric.place), sink);
        let offset = self
            .offset
            .map(|raw| length::offset(raw, self.name, known.calendar, sink));
        let texts: Vec<&Text> = self.filters.iter().flat_map(|many| &many.0).collect();
        let metric = metric?;
        let offset = match offset {
            Some(read) => Some(read?),
            None => None,
        };
        let used = Use {
            filters: texts.iter().map(|text| (*text).clone()).collect(),
            is_offset: offset.is_some(),
            ..Use::plain(metric.clone(), self.metric)
        };
        let input = Input {
            name: self.name.value.clone(),
            metric,
            place: self.metric.place,
            filters: texts.into_iter().map(expression_of).collect(),
            offset,
        };
        Some((input, used))
    }
}

/// `numerator: won, denominator: {metric: closed, filters: […]}`
fn ratio(
    raw: &RawMetric,
    halves: [&MapOr<RawMeasure, Text>; 2],
    known: Known,
    sink: &mut Sink,
) -> Option<Composition> {
    let none = Many::default();
    let mut settled = Vec::new();
    let mut text = None;
    for (half, name) in halves.into_iter().zip(["numerator", "denominator"]) {
        let (metric, filters, offset) = match half {
            MapOr::Short(metric) => (metric, &none, None),
            MapOr::Map(half) => {
                let metric = half.metric.as_ref()?;
                check_half(half, name, sink);
                (metric, &half.filters, half.offset.as_ref())
            }
        };
        text = text.or(Some(metric));
        let name = Text::at(name.to_owned(), metric.place);
        let written = Written {
            name: &name,
            metric,
            filters: [&raw.filters, filters],
            offset,
        };
        settled.push(written.input(known, sink));
    }
    let (inputs, uses) = settled
        .into_iter()
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .unzip();
    let text = text?;
    Some(Composition {
        text: text.clone(),
        kind: MetricKind::Derived {
            expr: Expression {
                text: "numerator / denominator".to_owned(),
                place: text.place,
                dialects: Vec::new(),
            },
            inputs,
        },
        uses,
    })
}

/// Keys of an aggregation mean nothing beside the name of a metric.
fn check_half(half: &RawMeasure, name: &str, sink: &mut Sink) {
    let of = |text: &Option<Text>| text.as_ref().map(|text| text.place);
    let snapshots = half.over_time.as_ref().or(half.last_by.as_ref());
    let given = [
        ("agg", half.agg.map(|word| word.place)),
        ("percentile", half.percentile.map(|at| at.place)),
        (
            "percentile_type",
            half.percentile_type.map(|word| word.place),
        ),
        (
            "expr",
            half.expr.as_ref().and_then(super::measure::place_of),
        ),
        ("base_table", of(&half.base_table)),
        ("time", of(&half.time)),
        ("over_time", snapshots.and_then(|raw| raw.place())),
    ];
    for (key, place) in given {
        if let Some(place) = place {
            let message = format!("the {name} is a metric, beside which '{key}' has no meaning");
            sink.error(
                "metric_kind",
                place,
                key,
                message,
                Some("leave it out, or write the aggregation instead of the metric".to_owned()),
            );
        }
    }
}

/// `expr: now / ago - 1`, with what `inputs:` says and metrics by their own names.
fn arithmetic(owner: &str, raw: &RawMetric, known: Known, sink: &mut Sink) -> Option<Composition> {
    let text = match raw.expr.as_ref()? {
        MapOr::Short(text) => text,
        MapOr::Map(by_engine) => {
            let text = by_engine.default.as_ref()?;
            let message = "arithmetic over metrics is the same on every engine";
            let hint = Some("write expr as one text".to_owned());
            sink.error("expression", text.place, &text.value, message, hint);
            return None;
        }
    };
    let before = sink.errors();
    let mut declared = Vec::new();
    let none = RawInput::default();
    for entry in &raw.inputs.0 {
        check_name("input", &entry.name, sink);
        let (metric, input) = match &entry.value {
            Some(MapOr::Short(metric)) => (Some(metric), &none),
            Some(MapOr::Map(input)) => (input.metric.as_ref(), input),
            None => continue,
        };
        let Some(metric) = metric else {
            let message = format!("the input '{}' needs a metric", entry.name.value);
            let hint = Some("write {metric: gmv, offset: 1 month}".to_owned());
            sink.error(
                "missing_key",
                entry.name.place,
                &entry.name.value,
                message,
                hint,
            );
            continue;
        };
        if let Some(Written { name: first, .. }) = declared
            .iter()
            .find(|one: &&Written| one.name.value.eq_ignore_ascii_case(&entry.name.value))
        {
            let name = &entry.name;
            let message = format!("'{}' and '{}' differ only in case", first.value, name.value);
            sink.error(
                "duplicate_name",
                name.place,
                &name.value,
                message,
                Some("rename one of the two".to_owned()),
            );
        }
        declared.push(Written {
            name: &entry.name,
            metric,
            filters: [&raw.filters, &input.filters],
            offset: input.offset.as_ref(),
        });
    }
    let mut found: Vec<(Input, Use)> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for name in expression::over_metrics(text, sink)? {
        let word = name.path.join(".");
        if is_named(&names, &word) {
            continue;
        }
        names.push(word.clone());
        let place = sink.inside(text, name.offset);
        let itself = Text::at(word.clone(), place);
        let none = Many::default();
        let written = match declared
            .iter()
            .find(|one| one.name.value.eq_ignore_ascii_case(&word))
        {
            Some(written) => *written,
            None => Written {
                name: &itself,
                metric: &itself,
                filters: [&raw.filters, &none],
                offset: None,
            },
        };
        found.extend(written.input(known, sink));
    }
    for written in &declared {
        check_declared(*written, owner, text, &names, known, sink);
    }
    if names.is_empty() {
        let message = "the expression names no metric";
        let hint = Some("to compute it from a table, give base_table and agg".to_owned());
        sink.error("expression", text.place, &text.value, message, hint);
    }
    let (inputs, uses) = found.into_iter().unzip();
    (sink.errors() == before).then(|| Composition {
        text: text.clone(),
        kind: MetricKind::Derived {
            expr: expression_of(text),
            inputs,
        },
        uses,
    })
}

/// Names of an expression are the same whatever their case.
fn is_named(names: &[String], word: &str) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(word))
}

/// An input has to be used, and should not be called like a third metric.
fn check_declared(
    written: Written,
    owner: &str,
    text: &Text,
    names: &[String],
    known: Known,
    sink: &mut Sink,
) {
    let name = written.name;
    if !is_named(names, &name.value) {
        let message = format!("'{}' does not stand in the expression", name.value);
        let hint = Some(format!(
            "use it in \"{}\", or leave it out",
            text.value.trim_end()
        ));
        sink.error("expression", name.place, &name.value, message, hint);
        return;
    }
    let other = known.names.get(&name.value.to_lowercase());
    let meant = known.names.get(&written.metric.value.to_lowercase());
    if let (Some(other), Some(meant)) = (other, meant)
        && other != meant
        && other != owner
    {
        let message = format!(
            "'{}' is a metric too; in this expression it means '{meant}'",
            name.value
        );
        let hint = Some("another name would be clearer".to_owned());
        sink.warning("alias_clash", name.place, &name.value, message, hint);
    }
}
