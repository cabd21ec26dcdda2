//! What is kept of use: `usage:` in `metrex.yaml`.

use jiff::civil::date;
use jiff::{Span, Unit};

use super::diagnostic::Sink;
use super::read::{At, object};
use super::yaml::Text;

/// What is kept of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageSettings {
    /// Whether queries are recorded.
    pub track: bool,
    /// How long they are kept, in days.
    pub keep_days: u32,
}

impl Default for UsageSettings {
    fn default() -> Self {
        Self {
            track: true,
            keep_days: 400,
        }
    }
}

object! {
    /// What is kept of use.
    struct RawUsage {
        /// Whether queries are recorded: `true` (the default) or `false`.
        track: Option<At<bool>>,
        /// How long they are kept, such as `400 days` (the default).
        keep: Option<Text>,
    }
}

pub(super) fn usage_settings(raw: &RawUsage, sink: &mut Sink) -> UsageSettings {
    let delivered = UsageSettings::default();
    let keep = raw.keep.as_ref().and_then(|text| days(text, sink));
    UsageSettings {
        track: raw.track.map_or(delivered.track, |at| at.value),
        keep_days: keep.unwrap_or(delivered.keep_days),
    }
}

/// A length of time in whole days, at least one.
fn days(text: &Text, sink: &mut Sink) -> Option<u32> {
    let span = text.value.trim().parse::<Span>().ok();
    let total = span.and_then(|span| span.total((Unit::Day, date(2000, 1, 1))).ok());
    let days = total.filter(|days| (1.0..=36_600.0).contains(days));
    if days.is_none() {
        let message = format!("'{}' is no time to keep queries for", text.value);
        let hint = Some("write it in days: 400 days".to_owned());
        sink.error("invalid_value", text.place, &text.value, message, hint);
    }
    days.map(|days| days.round() as u32)
}
