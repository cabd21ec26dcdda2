//! Whether the rows of an alert make it fire, and the sentences that say why.

use indexmap::IndexMap;
use jiff::ToSpan;
use jiff::civil::Date;

use super::question::Question;
use super::rows::{Row, Rows};
use super::{AlertFinding, AlertOutcome};
use crate::compile::Compiled;
use crate::investigate::seasonal::{Expected, beyond};
use crate::model::{
    Alert, Amount, CompareOp, DateRange, FEWEST_PERIODS, FEWEST_STEPS, Grain, Side, Weekday, When,
};
use crate::session::partial_starts;

/// Groups that a note names.
const NAMED: usize = 3;

/// The numbers of the periods, the one that is judged first.
type History = Vec<Option<f64>>;

/// What became of the rows.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Judged {
    pub(super) period: String,
    pub(super) judged: usize,
    pub(super) findings: Vec<AlertFinding>,
    pub(super) notes: Vec<String>,
    pub(super) reason: Option<String>,
    is_young: bool,
}

impl Judged {
    pub(super) fn outcome(&self) -> AlertOutcome {
        match (&self.reason, self.findings.is_empty()) {
            (_, false) => AlertOutcome::Fired,
            (None, true) => AlertOutcome::Quiet,
            (Some(_), true) if self.is_young => AlertOutcome::NotEnoughHistory,
            (Some(_), true) => AlertOutcome::NotComputed,
        }
    }

    fn note(&mut self, groups: &[String], what: &str) {
        if !groups.is_empty() {
            self.notes.push(format!("{}: {what}", listed(groups)));
        }
    }

    /// Where nothing could be judged, the notes are the reason.
    fn settle(&mut self) {
        if self.judged == 0 && self.reason.is_none() {
            self.reason = Some(match self.notes.is_empty() {
                true => "the query has no rows".to_owned(),
                false => std::mem::take(&mut self.notes).join("; "),
            });
        }
    }
}

/// Holds the rows against the condition.
pub(super) fn judge(
    alert: &Alert,
    question: &Question,
    compiled: &Compiled,
    rows: Rows,
    today: Date,
    week_start: Weekday,
) -> Judged {
    let mut judged = match alert.when {
        When::Threshold(op, limit) => {
            let running = match question.grain {
                Some(grain) => partial_starts(compiled.range, grain, week_start, today),
                None => Vec::new(),
            };
            threshold(op, limit, &rows, &running, compiled.range, today)
        }
        When::Change(side, by, step) => change(side, by, &rows, step),
        When::Unusual(side, by, _, step) => unusual(side, by, &rows, question, step),
    };
    judged.period = match (question.periods.first(), question.grain) {
        (Some(start), Some(grain)) => {
            let end = start.saturating_add(grain.day_span(1));
            let (start, end) = (Some(*start), Some(end));
            DateRange { start, end }.to_string()
        }
        _ => compiled.range.to_string(),
    };
    judged.settle();
    judged
}

fn threshold(
    op: CompareOp,
    limit: f64,
    rows: &Rows,
    running: &[Date],
    range: DateRange,
    today: Date,
) -> Judged {
    let mut judged = Judged::default();
    let (mut empty, mut left_out) = (Vec::new(), Vec::new());
    let mut is_grouped_by_time = false;
    for row in &rows.rows {
        is_grouped_by_time |= row.period.is_some();
        if let Some((start, text)) = &row.period
            && running.contains(start)
        {
            if !left_out.contains(text) {
                left_out.push(text.clone());
            }
            continue;
        }
        let Some(value) = row.value else {
            empty.push(named(row));
            continue;
        };
        judged.judged += 1;
        let fires = match op {
            CompareOp::Eq => value == limit,
            CompareOp::Ne => value != limit,
            CompareOp::Lt => value < limit,
            CompareOp::Le => value <= limit,
            CompareOp::Gt => value > limit,
            CompareOp::Ge => value >= limit,
        };
        if fires {
            judged.findings.push(AlertFinding {
                of: named(row),
                value,
                compared: None,
                usual: None,
                text: told(&named(row), &rows.say(value)),
            });
        }
    }
    let off = |finding: &AlertFinding| (finding.value - limit).abs();
    judged.findings.sort_by(|a, b| off(b).total_cmp(&off(a)));
    judged.note(&left_out, "not the whole period, so it is not looked at");
    judged.note(&empty, "there is no number");
    let runs = range.start.is_none_or(|start| start <= today)
        && range
            .end
            .is_some_and(|end| end > today.saturating_add(1.day()));
    if runs && !is_grouped_by_time {
        judged.notes.push(format!("{range} is not over on {today}"));
    }
    judged
}

fn change(side: Side, by: Amount, rows: &Rows, step: Grain) -> Judged {
    let mut judged = Judged::default();
    let (mut gone, mut new, mut from_zero) = (Vec::new(), Vec::new(), Vec::new());
    for row in &rows.rows {
        let zero = || rows.adds_up().then_some(0.0);
        let (value, prior) = match (row.value, row.prior) {
            (None, None) => {
                gone.push(named(row));
                continue;
            }
            (value, prior) => (value.or_else(zero), prior.or_else(zero)),
        };
        let Some(value) = value else {
            gone.push(named(row));
            continue;
        };
        let Some(prior) = prior else {
            new.push(named(row));
            continue;
        };
        let difference = value - prior;
        let Some(is_reached) = by.is_reached(difference, prior) else {
            from_zero.push(named(row));
            continue;
        };
        judged.judged += 1;
        if is_reached && side.takes(difference) {
            let way = if difference < 0.0 { "down" } else { "up" };
            let part = match prior {
                0.0 => rows.say(difference.abs()),
                prior => format!("{:.1}%", (difference / prior * 100.0).abs()),
            };
            let (now, before) = (rows.say(value), rows.say(prior));
            judged.findings.push(AlertFinding {
                of: named(row),
                value,
                compared: Some(prior),
                usual: None,
                text: told(&named(row), &format!("{now}, {way} {part} from {before}")),
            });
        }
    }
    judged.findings.sort_by(|a, b| size(b).total_cmp(&size(a)));
    judged.note(&gone, "there is no number");
    judged.note(&new, &format!("there was no number a {step} before"));
    judged.note(
        &from_zero,
        &format!("it was 0 a {step} before, and a part of 0 cannot be told"),
    );
    judged
}

/// How far a finding is off what it is compared with, as a part of that.
fn size(finding: &AlertFinding) -> f64 {
    match finding.compared {
        Some(before) if before != 0.0 => ((finding.value - before) / before).abs(),
        _ => f64::INFINITY,
    }
}

fn unusual(
    side: Side,
    by: Option<Amount>,
    rows: &Rows,
    question: &Question,
    step: Grain,
) -> Judged {
    let mut judged = Judged::default();
    let mut members: IndexMap<&[Option<String>], (&str, History)> = IndexMap::new();
    for row in &rows.rows {
        let (_, history) = members
            .entry(row.key.as_slice())
            .or_insert_with(|| (row.of.as_str(), vec![None; question.periods.len()]));
        let start = row.period.as_ref().map(|(start, _)| *start);
        let at = question.periods.iter().position(|day| Some(*day) == start);
        if let Some(slot) = at.and_then(|at| history.get_mut(at)) {
            *slot = row.value;
        }
    }
    let (mut young, mut gone, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for (of, mut history) in members.into_values() {
        // What adds up and has no rows is zero, from the first number on.
        if rows.adds_up()
            && let Some(first) = history.iter().rposition(Option::is_some)
        {
            let since = history.iter_mut().take(first + 1);
            since.for_each(|value| *value = value.or(Some(0.0)));
        }
        let Some((value, earlier)) = history.split_first() else {
            continue;
        };
        let Some(value) = *value else {
            gone.push(of.to_owned());
            continue;
        };
        match Expected::of(earlier, question.seasons, rows.counts()) {
            Some(expected) => seen.push((of.to_owned(), value, expected)),
            None => young.push(of.to_owned()),
        }
    }
    judged.judged = seen.len();
    let together = seen.len();
    let mut findings = Vec::new();
    for (of, value, expected) in seen {
        let off = expected.deviations(value);
        let difference = value - expected.value;
        let matters = by.is_none_or(|by| by.is_reached(difference, expected.value) != Some(false));
        if off.abs() <= beyond(together) || !side.takes(difference) || !matters {
            continue;
        }
        let (low, high) = expected.usual(together);
        // Nothing is counted less than never.
        let low = if rows.counts() { low.max(0.0) } else { low };
        let way = if difference < 0.0 { "below" } else { "above" };
        let part = match expected.value {
            0.0 => String::new(),
            from => format!("{:.1}% ", (difference / from * 100.0).abs()),
        };
        let text = format!(
            "{}, {part}{way} the expected {} ({} to {} is usual)",
            rows.say(value),
            rows.say(expected.value),
            rows.say(low),
            rows.say(high)
        );
        findings.push((
            off.abs(),
            AlertFinding {
                text: told(&of, &text),
                of,
                value,
                compared: Some(expected.value),
                usual: Some((low, high)),
            },
        ));
    }
    findings.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    judged.findings = findings.into_iter().map(|(_, finding)| finding).collect();
    let short = format!(
        "not enough history: at least {FEWEST_STEPS} {step}s and {FEWEST_PERIODS} periods with a number are needed"
    );
    if judged.judged == 0 && !young.is_empty() && gone.is_empty() {
        judged.is_young = true;
        judged.reason = Some(short);
    } else {
        judged.note(&young, &short);
    }
    judged.note(&gone, "there is no number");
    judged
}

/// What a row is of: the values that it is grouped by, and its period.
fn named(row: &Row) -> String {
    match &row.period {
        Some((_, period)) if row.of.is_empty() => period.clone(),
        Some((_, period)) => format!("{} · {period}", row.of),
        None => row.of.clone(),
    }
}

/// A sentence about a row.
fn told(of: &str, what: &str) -> String {
    match of {
        "" => what.to_owned(),
        of => format!("{of}: {what}"),
    }
}

/// The first few, and how many more there are.
fn listed(groups: &[String]) -> String {
    let named: Vec<&str> = groups.iter().take(NAMED).map(String::as_str).collect();
    let named = named.join(", ");
    let named = if named.is_empty() { "in all" } else { &named };
    match groups.len().saturating_sub(NAMED) {
        0 => named.to_owned(),
        more => format!("{named} and {more} more"),
    }
}
