//! Semi-additive measures: `over_time` and `last_by`, the snapshots of one thing at several times.

use super::diagnostic::Sink;
use super::measure::time_of;
use super::raw::RawOverTime;
use super::scope::Scope;
use crate::model::{Dataset, OverTime, Place, Take};

/// How the snapshots of a measure over `dataset` become one; the measure is declared at
/// `place` and has this `time`.
pub(crate) fn over_time(
    [over_time, last_by]: [Option<&RawOverTime>; 2],
    (place, time): (Place, Option<&String>),
    dataset: &Dataset,
    scope: Scope,
    sink: &mut Sink,
) -> Option<OverTime> {
    let raw = over_time.or(last_by)?;
    let place = raw.place().unwrap_or(place);
    if over_time.is_some() && last_by.is_some() {
        let message = "over_time and last_by say the same thing twice";
        let hint = Some("last_by is over_time with take: last".to_owned());
        sink.error("invalid_value", place, "last_by", message, hint);
        return None;
    }
    let take = match (over_time, raw.take) {
        (Some(_), None) => {
            let message = "over_time needs to say what it takes";
            let hint = Some("add take: last, first, min, max or avg".to_owned());
            sink.error("missing_key", place, "over_time", message, hint);
            return None;
        }
        (None, Some(word)) if word.value != Take::Last => {
            let message = "last_by takes the last snapshot";
            let hint = Some("write over_time for another one".to_owned());
            sink.error("invalid_value", word.place, "take", message, hint);
            return None;
        }
        (_, Some(word)) => word.value,
        (None, None) => Take::Last,
    };
    if let Some(first) = raw.per.0.first()
        && !matches!(take, Take::Last | Take::First)
    {
        let message = "'per' belongs to the last or the first snapshot: the others are figures over all rows of one";
        sink.error(
            "invalid_value",
            first.place,
            &first.value,
            message,
            Some("leave it out, or take: last".to_owned()),
        );
    }
    let carry_forward = raw.carry_forward.filter(|carry| carry.value);
    if let Some(carry) = carry_forward.filter(|_| take != Take::Last) {
        let message = "only the last snapshot can be carried forward";
        sink.error(
            "invalid_value",
            carry.place,
            "carry_forward",
            message,
            Some("write take: last, or leave carry_forward out".to_owned()),
        );
    }
    for name in &raw.per.0 {
        scope.check_column_or_dimension(dataset, name, sink);
    }
    let time = match (&raw.time, time) {
        (Some(text), _) => time_of(text, dataset, scope, sink)?,
        (None, Some(time)) => time.clone(),
        (None, None) => {
            let message = format!(
                "snapshots of {} need a time that tells them apart",
                dataset.name
            );
            let hint = Some(format!("give {} a time, or add time: here", dataset.name));
            sink.error("time", place, "time", message, hint);
            return None;
        }
    };
    Some(OverTime {
        place,
        time,
        take,
        per: raw.per.0.iter().map(|name| name.value.clone()).collect(),
        carry_forward: carry_forward.is_some(),
    })
}

impl RawOverTime {
    /// The first place that is known of it.
    pub(crate) fn place(&self) -> Option<Place> {
        let take = self.take.map(|word| word.place);
        take.or(self.time.as_ref().map(|time| time.place))
            .or(self.per.0.first().map(|name| name.place))
            .or(self.carry_forward.map(|carry| carry.place))
    }
}
