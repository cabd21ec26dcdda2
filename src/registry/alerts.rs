//! Builds alerts: the query is of one number in each row, the condition reads, and the two fit.

use super::diagnostic::Sink;
use super::metric_tests::whole_query;
use super::raw::RawAlert;
use super::read::Entry;
use super::scope::Broken;
use super::words::{check_name, text};
use super::yaml::Text;
use crate::model::{
    Alert, FEWEST_PERIODS, FEWEST_STEPS, Grain, GroupBy, MetricQuery, Registry, When, seasons,
};

/// Builds the alerts; the metrics are built.
pub(crate) fn build_alerts(
    entries: &[Entry<RawAlert>],
    registry: &mut Registry,
    broken: &Broken,
    sink: &mut Sink,
) {
    for entry in entries {
        let before = sink.errors();
        check_name("alert", &entry.name, sink);
        let alert = alert(entry, registry, broken, sink);
        if let Some(alert) = alert.filter(|_| entry.errors == 0 && sink.errors() == before) {
            registry.alerts.insert(alert.name.clone(), alert);
        }
    }
}

fn alert(
    entry: &Entry<RawAlert>,
    registry: &Registry,
    broken: &Broken,
    sink: &mut Sink,
) -> Option<Alert> {
    let (name, raw) = (&entry.name, entry.value.as_ref()?);
    let (Some(line), Some(written)) = (&raw.query, &raw.when) else {
        if entry.errors == 0 {
            let missing = if raw.query.is_none() { "query" } else { "when" };
            let message = format!("alert '{}' needs a {missing}", name.value);
            let hint = "write {query: gmv by market, day, when: unusually low vs 8 weeks}";
            let hint = Some(hint.to_owned());
            sink.error("missing_key", name.place, &name.value, message, hint);
        }
        return None;
    };
    let when = match written.value.parse::<When>() {
        Ok(when) => when,
        Err(error) => {
            let (place, found) = (written.place, &written.value);
            sink.error(
                "invalid_value",
                place,
                found,
                error.message,
                Some(error.hint),
            );
            return None;
        }
    };
    let query = whole_query(line, registry, broken, sink)?;
    let metric = registry.metric(query.metrics.first()?)?;
    let owner = raw
        .owner
        .as_ref()
        .map(|owner| owner.value.trim().to_owned());
    let alert = Alert {
        name: name.value.clone(),
        place: name.place,
        when,
        severity: raw.severity.map(|word| word.value).unwrap_or_default(),
        owner: owner.or_else(|| metric.owner.clone()),
        message: text(raw.message.as_ref()),
        query,
    };
    let refused = not_one_number(&alert.query).or_else(|| not_over_time(&alert));
    if let Some((message, hint)) = refused {
        let hint = Some(hint.to_owned());
        sink.error("invalid_value", line.place, &line.value, message, hint);
        return None;
    }
    fits(&alert, written, sink).then_some(alert)
}

/// Why a query has not one number in each row.
fn not_one_number(query: &MetricQuery) -> Option<(&'static str, &'static str)> {
    let is_plain = query.metrics.len() == 1
        && query.compare.is_none()
        && query.show.is_empty()
        && query.range_of.is_empty()
        && !query.total;
    (!is_plain).then_some((
        "an alert is about one number in each row, that of its metric",
        "leave out other metrics, comparisons, figures and totals: what it is compared with stands under when",
    ))
}

/// Why a query cannot be asked of one period and of another.
fn not_over_time(alert: &Alert) -> Option<(&'static str, &'static str)> {
    alert.when.step()?;
    let query = &alert.query;
    if query.time.is_some() {
        return Some((
            "the time of this alert follows from what it is compared with: the latest period that is over",
            "leave the time range out; by day, by week or by month says how long the period is",
        ));
    }
    let is_cut = query.limit.is_some()
        || !query.limit_per.is_empty()
        || !query.order.is_empty()
        || query.others;
    if is_cut {
        return Some((
            "the first rows of one period are others than those of another",
            "leave out order and top, and restrict the rows with where",
        ));
    }
    let groups = query.group_by.iter().flatten();
    let times = groups.filter(|group| !matches!(group, GroupBy::Dimension(_)));
    let times: Vec<&GroupBy> = times.collect();
    match times.as_slice() {
        [] | [GroupBy::Grain { of: None, .. }] => None,
        _ => Some((
            "the period that is compared is one grain of the metric's time",
            "group by at most one of day, week, month, quarter and year, and by dimensions",
        )),
    }
}

/// Whether the period goes with what it is compared with, and whether that is enough to tell what is usual.
fn fits(alert: &Alert, written: &Text, sink: &mut Sink) -> bool {
    let (Some(period), Some(step)) = (alert.period(), alert.when.step()) else {
        return true;
    };
    let mut refuse = |message: String, hint: String| {
        let (place, found) = (written.place, &written.value);
        sink.error("invalid_value", place, found, message, Some(hint));
        false
    };
    let Some(seasons) = seasons(period, step) else {
        let goes = |step: &Grain| self::seasons(period, *step).is_some();
        let steps = Grain::ALL.iter().filter(|step| goes(step));
        let steps: Vec<&str> = steps.map(|step| step.word()).collect();
        return match steps.as_slice() {
            [] => refuse(
                format!("alerts look at days and longer periods, not at {period}s"),
                "group by day".to_owned(),
            ),
            steps => refuse(
                format!("no {period} lies where another one lay a {step} before"),
                format!("by {period} goes with {}", steps.join(" and ")),
            ),
        };
    };
    let When::Unusual(_, _, count, _) = alert.when else {
        return true;
    };
    let periods = FEWEST_PERIODS.div_ceil(seasons.max(1) as usize);
    let fewest = FEWEST_STEPS.max(periods);
    match (count as usize) < fewest {
        true => refuse(
            format!("{count} {step}s are too few to tell what is usual of a {period}"),
            format!("write vs {fewest} {step}s, or more"),
        ),
        false => true,
    }
}
