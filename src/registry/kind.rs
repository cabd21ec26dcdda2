//! Which kind of metric the keys make, and which keys have a meaning for it.

use super::diagnostic::Sink;
use super::length::is_length;
use super::measure::place_of;
use super::raw::{RawKind, RawMeasure, RawMetric};
use super::read::MapOr;
use super::yaml::Text;
use crate::model::Place;

/// The ways in which a metric is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One aggregation.
    Simple,
    /// Two aggregations, one over the other.
    Ratio,
    /// Two metrics, one over the other.
    RatioOfMetrics,
    /// Arithmetic over metrics.
    Derived,
    /// One aggregation, accumulated.
    Cumulative,
    /// Two aggregations, accumulated, one over the other.
    CumulativeRatio,
    /// A metric, accumulated.
    CumulativeOf,
    /// Events followed by others.
    Conversion,
    /// A snippet.
    Complex,
}

impl Form {
    fn kind(self) -> RawKind {
        match self {
            Self::Simple => RawKind::Simple,
            Self::Ratio | Self::RatioOfMetrics => RawKind::Ratio,
            Self::Derived => RawKind::Derived,
            Self::Cumulative | Self::CumulativeRatio | Self::CumulativeOf => RawKind::Cumulative,
            Self::Conversion => RawKind::Conversion,
            Self::Complex => RawKind::Complex,
        }
    }

    /// The plainest form of a kind.
    fn of(kind: RawKind) -> Self {
        match kind {
            RawKind::Simple => Self::Simple,
            RawKind::Ratio => Self::Ratio,
            RawKind::Derived => Self::Derived,
            RawKind::Cumulative => Self::Cumulative,
            RawKind::Conversion => Self::Conversion,
            RawKind::Complex => Self::Complex,
        }
    }

    fn word(self) -> &'static str {
        match self.kind() {
            RawKind::Simple => "simple",
            RawKind::Ratio => "ratio",
            RawKind::Derived => "derived",
            RawKind::Cumulative => "cumulative",
            RawKind::Conversion => "conversion",
            RawKind::Complex => "complex",
        }
    }
}

/// Whether `window:` is a bare length beside an aggregation, and so makes the metric cumulative.
pub(crate) fn is_window_of_aggregate(raw: &RawMetric) -> bool {
    has_agg(raw) && raw.cumulative.is_none() && raw.window.as_ref().is_some_and(is_length)
}

/// The form that the keys have, and that `type:` must agree with; the keys mean something for it.
pub(crate) fn form(name: &Text, raw: &RawMetric, is_flawed: bool, sink: &mut Sink) -> Option<Form> {
    let implied = implied(raw);
    if let (Some(said), Some(implied)) = (raw.r#type, implied)
        && said.value != implied.kind()
    {
        let (said, place) = (Form::of(said.value).word(), said.place);
        let message = format!(
            "'{}' is said to be {said}, but its keys make it {}",
            name.value,
            implied.word()
        );
        sink.error(
            "metric_kind",
            place,
            said,
            message,
            Some("leave type out, or correct the keys".to_owned()),
        );
        return None;
    }
    // Where a key did not fit, it may be the very one that is missing.
    if is_flawed && implied.is_none() {
        return None;
    }
    let form = implied.or(raw.r#type.map(|word| Form::of(word.value)));
    if let Some(missing) = missing(raw, form) {
        if !is_flawed {
            let message = format!("'{}' {missing}", name.value);
            sink.error("missing_key", name.place, &name.value, message, None);
        }
        return None;
    }
    let form = form?;
    check_keys(form, raw, sink);
    Some(form)
}

fn has_source(raw: &RawMetric) -> bool {
    raw.base_table.is_some() || !raw.sources.0.is_empty()
}

fn has_agg(raw: &RawMetric) -> bool {
    let sources = &raw.sources.0;
    raw.agg.is_some() || !sources.is_empty() && sources.iter().all(|source| source.agg.is_some())
}

fn names_a_metric(half: &MapOr<RawMeasure, Text>) -> bool {
    match half {
        MapOr::Short(_) => true,
        MapOr::Map(half) => half.metric.is_some(),
    }
}

fn implied(raw: &RawMetric) -> Option<Form> {
    let halves = [&raw.numerator, &raw.denominator];
    let mut halves = halves.into_iter().flatten().peekable();
    let has_half = halves.peek().is_some();
    let inner_of = raw.cumulative.as_ref().and_then(|inner| inner.of.as_ref());
    if raw.entity.is_some() || raw.base.is_some() || raw.conversion.is_some() {
        Some(Form::Conversion)
    } else if raw.of.is_some() || inner_of.is_some() {
        Some(Form::CumulativeOf)
    } else if raw.cumulative.is_some() && has_half {
        Some(Form::CumulativeRatio)
    } else if raw.cumulative.is_some() || is_window_of_aggregate(raw) {
        Some(Form::Cumulative)
    } else if halves.any(names_a_metric) {
        Some(Form::RatioOfMetrics)
    } else if has_half {
        Some(Form::Ratio)
    } else if raw.snippet.is_some() {
        Some(Form::Complex)
    } else if raw.agg.is_some() || has_source(raw) {
        Some(Form::Simple)
    } else if raw.expr.is_some() || !raw.inputs.0.is_empty() {
        Some(Form::Derived)
    } else {
        None
    }
}

/// What a metric of this form still needs.
fn missing(raw: &RawMetric, form: Option<Form>) -> Option<&'static str> {
    let halves = raw.numerator.as_ref().zip(raw.denominator.as_ref());
    let metrics = halves.map(|(one, other)| (names_a_metric(one), names_a_metric(other)));
    match form {
        None => Some(
            "says nothing of how it is computed: give base_table and agg, numerator and denominator, expr, of, \
             base and conversion, or snippet",
        ),
        Some(Form::Ratio | Form::RatioOfMetrics | Form::CumulativeRatio) if halves.is_none() => {
            Some("is a ratio and needs both a numerator and a denominator")
        }
        Some(Form::RatioOfMetrics) if metrics != Some((true, true)) => Some(
            "has a metric in one half and an aggregation in the other: make a metric of that one too",
        ),
        Some(Form::CumulativeRatio) if metrics != Some((false, false)) => Some(
            "accumulates a ratio of metrics: make that a metric of its own, and name it in `of`",
        ),
        Some(Form::Complex) if raw.snippet.is_none() => Some("is complex and needs a snippet"),
        Some(Form::Derived) if raw.expr.is_none() => Some("is derived and needs an expr"),
        Some(Form::Conversion)
            if raw.entity.is_none() || raw.base.is_none() || raw.conversion.is_none() =>
        {
            Some("is a conversion and needs an entity, a base and a conversion")
        }
        Some(Form::Cumulative) if !has_agg(raw) && !has_source(raw) => {
            Some("is cumulative and needs a metric (of), or base_table and agg")
        }
        Some(Form::Simple | Form::Cumulative) if !has_agg(raw) => Some("needs an agg"),
        Some(Form::Simple | Form::Cumulative) if !has_source(raw) => Some("needs a base_table"),
        Some(_) => None,
    }
}

/// Reports keys that mean nothing for this form, so that none is silently without effect.
fn check_keys(form: Form, raw: &RawMetric, sink: &mut Sink) {
    for (key, place, forms) in given(raw) {
        if let Some(place) = place
            && !forms.contains(&form)
        {
            let (owner, hint) = match form {
                Form::RatioOfMetrics => ("ratio of metrics".to_owned(), None),
                Form::CumulativeOf => (
                    "metric that accumulates another one".to_owned(),
                    (key == "filters")
                        .then_some("make a metric with these filters, and name it in `of`"),
                ),
                form => (format!("{} metric", form.word()), None),
            };
            let message = format!("'{key}' has no meaning for a {owner}");
            sink.error("metric_kind", place, key, message, hint.map(str::to_owned));
        }
    }
}

/// The keys that have a meaning for some forms only, where they stand, and for which.
fn given(raw: &RawMetric) -> Vec<(&'static str, Option<Place>, &'static [Form])> {
    use Form::{
        Complex, Conversion, Cumulative, CumulativeOf, CumulativeRatio, Derived, Ratio,
        RatioOfMetrics, Simple,
    };
    const TABLE: &[Form] = &[Simple, Ratio, Cumulative, CumulativeRatio];
    const AGGREGATE: &[Form] = &[Simple, Cumulative];
    const HALVES: &[Form] = &[Ratio, RatioOfMetrics, CumulativeRatio];
    const ACCUMULATED: &[Form] = &[Cumulative, CumulativeRatio, CumulativeOf];
    let of = |text: &Option<Text>| text.as_ref().map(|text| text.place);
    let first = |texts: &[Text]| texts.first().map(|text| text.place);
    let first_source = raw.sources.0.first();
    let same = raw.same.as_ref().and_then(|same| match same {
        MapOr::Short(names) => first(&names.0),
        MapOr::Map(pairs) => pairs.0.first().map(|pair| pair.name.place),
    });
    let half = |half: &Option<MapOr<RawMeasure, Text>>| match half.as_ref()? {
        MapOr::Short(text) => Some(text.place),
        MapOr::Map(half) => half.agg.map(|word| word.place).or(of(&half.metric)),
    };
    let inner = raw.cumulative.as_ref();
    vec![
        ("base_table", of(&raw.base_table), TABLE),
        (
            "sources",
            first_source.and_then(|source| of(&source.base_table)),
            TABLE,
        ),
        ("time", of(&raw.time), TABLE),
        ("agg", raw.agg.map(|word| word.place), AGGREGATE),
        ("percentile", raw.percentile.map(|at| at.place), AGGREGATE),
        (
            "percentile_type",
            raw.percentile_type.map(|word| word.place),
            AGGREGATE,
        ),
        (
            "expr",
            raw.expr.as_ref().and_then(place_of),
            &[Simple, Cumulative, Derived],
        ),
        (
            "filters",
            first(&raw.filters.0),
            &[
                Simple,
                Ratio,
                RatioOfMetrics,
                Derived,
                Cumulative,
                CumulativeRatio,
            ],
        ),
        (
            "over_time",
            raw.over_time.as_ref().and_then(|raw| raw.place()),
            &[Simple, Ratio],
        ),
        (
            "last_by",
            raw.last_by.as_ref().and_then(|raw| raw.place()),
            &[Simple, Ratio],
        ),
        ("numerator", half(&raw.numerator), HALVES),
        ("denominator", half(&raw.denominator), HALVES),
        (
            "inputs",
            raw.inputs.0.first().map(|input| input.name.place),
            &[Derived],
        ),
        ("of", of(&raw.of), &[CumulativeOf]),
        (
            "cumulative",
            inner.and_then(|inner| of(&inner.window)),
            ACCUMULATED,
        ),
        (
            "at_coarser_grain",
            raw.at_coarser_grain.map(|word| word.place),
            ACCUMULATED,
        ),
        ("entity", of(&raw.entity), &[Conversion]),
        ("base", of(&raw.base), &[Conversion]),
        ("conversion", of(&raw.conversion), &[Conversion]),
        ("within", of(&raw.within), &[Conversion]),
        ("same", same, &[Conversion]),
        ("result", raw.result.map(|word| word.place), &[Conversion]),
        ("snippet", of(&raw.snippet), &[Complex]),
        ("tables", first(&raw.tables.0), &[Complex]),
    ]
}
