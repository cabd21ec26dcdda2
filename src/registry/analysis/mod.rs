//! Analyses: read, checked, and made into a dataset with its SQL for every engine and the metrics over it.

mod attribution;
mod event;
mod funnel;
mod lifecycle;
mod made;
mod retention;
mod revenue;
mod row_sql;
mod write;

use self::event::{Event, Known};
use self::made::{Made, Rows};
use super::diagnostic::Sink;
use super::length::limit;
use super::raw::{RawAnalysis, RawMetric};
use super::read::{At, Entry, Many, Word};
use super::scope::{Broken, Scope};
use super::words::check_name;
use super::yaml::Text;
use crate::model::{AnalysisKind, Grain, Registry};

/// What an entry describes; `None` where something is wrong with it.
pub(crate) fn analysis(
    entry: &Entry<RawAnalysis>,
    metrics: &[Entry<RawMetric>],
    registry: &Registry,
    broken: &Broken,
    sink: &mut Sink,
) -> Option<Made> {
    let (name, raw) = (&entry.name, entry.value.as_ref()?);
    let before = sink.errors();
    check_name("analysis", name, sink);
    let same = |other: &&str| other.eq_ignore_ascii_case(&name.value);
    if let Some(other) = registry.datasets.keys().map(String::as_str).find(same)
        && let Some(other) = registry.datasets.get(other)
    {
        let message = format!(
            "the rows of this analysis would be called '{}', like the dataset at {}",
            name.value,
            sink.at(other.place)
        );
        let hint = Some("rename the analysis".to_owned());
        sink.error("duplicate_name", name.place, &name.value, message, hint);
    }
    let Some(kind) = raw.kind else {
        if entry.errors == 0 {
            let message = format!("'{}' does not say what it is", name.value);
            let hint = "add kind: attribution, lifecycle, retention, revenue or funnel";
            let hint = Some(hint.to_owned());
            sink.error("missing_key", name.place, &name.value, message, hint);
        }
        return None;
    };
    check_keys(kind.value, raw, sink);
    let draft = Draft {
        name,
        raw,
        kind: kind.value,
        known: Known {
            metrics,
            scope: Scope {
                datasets: &registry.datasets,
                broken,
                calendar: registry.calendar.table.as_ref(),
            },
            calendar: &registry.calendar,
        },
    };
    let rows = match kind.value {
        AnalysisKind::Attribution => attribution::rows(&draft, sink),
        AnalysisKind::Lifecycle => lifecycle::rows(&draft, sink),
        AnalysisKind::Retention => retention::rows(&draft, sink),
        AnalysisKind::Revenue => revenue::rows(&draft, sink),
        AnalysisKind::Funnel => funnel::rows(&draft, sink),
    }?;
    (entry.errors == 0 && sink.errors() == before).then_some(())?;
    made::made(&draft, rows, sink)
}

/// An analysis that is being read.
struct Draft<'a> {
    name: &'a Text,
    raw: &'a RawAnalysis,
    kind: AnalysisKind,
    known: Known<'a>,
}

impl<'a> Draft<'a> {
    /// A metric that the analysis cannot do without.
    fn event(&self, key: &str, name: Option<&'a Text>, sink: &mut Sink) -> Option<Event<'a>> {
        let name = self.needed(key, name, sink)?;
        self.known.event(name, sink)
    }

    fn needed<'t>(&self, key: &str, text: Option<&'t Text>, sink: &mut Sink) -> Option<&'t Text> {
        if text.is_none() {
            let message = format!("{} '{}' needs {key}", self.kind.word(), self.name.value);
            let hint = match key {
                "who" => "add who: the column that says whose event a row is, such as user_id",
                "channel" => "add channel: the dimension of the contacts that gets the credit",
                _ => return self.needs_metric(key, message, sink),
            };
            let hint = Some(hint.to_owned());
            sink.error(
                "missing_key",
                self.name.place,
                &self.name.value,
                message,
                hint,
            );
        }
        text
    }

    fn needs_metric<T>(&self, key: &str, message: String, sink: &mut Sink) -> Option<T> {
        let hint = Some(format!("add {key}: and the name of a metric"));
        sink.error(
            "missing_key",
            self.name.place,
            &self.name.value,
            message,
            hint,
        );
        None
    }

    fn who(&self, sink: &mut Sink) -> Option<&'a Text> {
        self.needed("who", self.raw.who.as_ref(), sink)
    }

    fn by(&self) -> &'a [Text] {
        &self.raw.by.0
    }

    /// How long a period is.
    fn grain(&self, sink: &mut Sink) -> Option<Grain> {
        match self.raw.grain {
            None => Some(Grain::Month),
            Some(Word { value, place }) if value < Grain::Week => {
                let message = format!("periods of a {value} are too short");
                let hint = Some("write week, month, quarter or year".to_owned());
                sink.error("invalid_value", place, value.word(), message, hint);
                None
            }
            Some(word) => Some(word.value),
        }
    }

    /// A length in days.
    fn days(&self, text: Option<&Text>, otherwise: f64, sink: &mut Sink) -> Option<f64> {
        let Some(text) = text else {
            return Some(otherwise);
        };
        let (count, grain) = limit(text, sink)?;
        let days = match grain {
            Grain::Second => 1.0 / 86_400.0,
            Grain::Minute => 1.0 / 1_440.0,
            Grain::Hour => 1.0 / 24.0,
            Grain::Day => 1.0,
            Grain::Week => 7.0,
            Grain::Month | Grain::Quarter | Grain::Year => {
                let message = format!("a {grain} is not always as long");
                let hint = Some("write days or weeks, such as 30 days".to_owned());
                sink.error("invalid_value", text.place, &text.value, message, hint);
                return None;
            }
        };
        Some(f64::from(count) * days)
    }

    /// A share between none and a half.
    fn half_at_most(share: Option<At<f64>>, otherwise: f64, sink: &mut Sink) -> Option<f64> {
        let Some(share) = share else {
            return Some(otherwise);
        };
        if (0.0..=0.5).contains(&share.value) {
            return Some(share.value);
        }
        let message = format!("{} is no share that both ends can have", share.value);
        let hint = Some("write a number from 0 to 0.5".to_owned());
        let found = share.value.to_string();
        sink.error("invalid_value", share.place, &found, message, hint);
        None
    }
}

/// Reports keys that belong to another kind.
fn check_keys(kind: AnalysisKind, raw: &RawAnalysis, sink: &mut Sink) {
    use AnalysisKind::{Attribution, Funnel, Lifecycle, Retention, Revenue};
    let text = |text: &Option<Text>| text.as_ref().map(|text| text.place);
    let first = |many: &Many<Text>| many.0.first().map(|text| text.place);
    let keys: [(&str, Option<crate::model::Place>, &[AnalysisKind]); 14] = [
        ("by", first(&raw.by), &[Attribution, Retention, Funnel]),
        (
            "grain",
            raw.grain.map(|word| word.place),
            &[Lifecycle, Retention, Revenue, Funnel],
        ),
        ("touches", text(&raw.touches), &[Attribution]),
        ("conversions", text(&raw.conversions), &[Attribution]),
        ("channel", text(&raw.channel), &[Attribution]),
        ("cost", text(&raw.cost), &[Attribution]),
        ("lookback", text(&raw.lookback), &[Attribution]),
        ("half_life", text(&raw.half_life), &[Attribution]),
        ("ends", raw.ends.map(|at| at.place), &[Attribution]),
        ("activity", text(&raw.activity), &[Lifecycle, Retention]),
        ("revenue", text(&raw.revenue), &[Revenue]),
        (
            "steps",
            raw.steps.0.first().map(|step| step.name.place),
            &[Funnel],
        ),
        ("within", text(&raw.within), &[Funnel]),
        (
            "who",
            text(&raw.who),
            &[Attribution, Lifecycle, Retention, Revenue, Funnel],
        ),
    ];
    for (key, place, kinds) in keys {
        if let Some(place) = place.filter(|_| !kinds.contains(&kind)) {
            let message = format!("'{key}' means nothing for {}", kind.word());
            let kinds: Vec<_> = kinds.iter().map(|kind| kind.word()).collect();
            let hint = Some(format!("it belongs to kind: {}", kinds.join(", ")));
            sink.error("unknown_key", place, key, message, hint);
        }
    }
}

impl Rows<'_> {
    /// Whether a dimension that the analysis has by itself is called like this.
    fn has_own(&self, name: &str) -> bool {
        self.own
            .iter()
            .any(|own| own.name.eq_ignore_ascii_case(name))
    }
}
