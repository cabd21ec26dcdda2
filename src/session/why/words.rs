//! The words of an investigation: a change, days, causes with their numbers.

use jiff::civil::Date;

use super::{Node, Row};
use crate::investigate::{Cause, Finding, Kind, Movement};
use crate::model::Format;
use crate::session::cell::number_text;

/// How a number moved, and how it usually does.
pub(super) fn moved(movement: &Movement, format: &Format) -> String {
    let number = |value: f64| number_text(value, format, false);
    let change = movement.change();
    let verb = match change {
        change if change > 0.0 => "rose",
        change if change < 0.0 => "fell",
        _ => "stayed",
    };
    let percent = match movement.before != 0.0 && change != 0.0 {
        true => format!(" by {:.1}%", (change / movement.before.abs() * 100.0).abs()),
        false => String::new(),
    };
    let usual = match (movement.usual, movement.sigma) {
        (Some(usual), Some(sigma)) => format!(
            "; a change from {} to {} is usual ({} earlier ones)",
            number_text(usual - 2.0 * sigma, format, true),
            number_text(usual + 2.0 * sigma, format, true),
            movement.periods
        ),
        _ => "; there is too little history to say what is usual".to_owned(),
    };
    format!(
        "It {verb}{percent}, from {} to {}{usual}.",
        number(movement.before),
        number(movement.after)
    )
}

/// Days: one, or the first and the last of several.
pub(super) fn days(days: &[Date]) -> String {
    match days {
        [] => "no day".to_owned(),
        [day] => day.to_string(),
        [first, .., last] => {
            let in_a_row = days.windows(2).all(|two| match two {
                [one, other] => one.tomorrow().ok() == Some(*other),
                _ => true,
            });
            match in_a_row {
                true => format!("{first} to {last}"),
                false => format!("{} days from {first} to {last}", days.len()),
            }
        }
    }
}

/// What a cause is called.
pub(super) fn name(finding: &Finding, is_sum: bool) -> &'static str {
    match finding.kind {
        Kind::Definition => "definition change",
        Kind::Load if finding.label == "late load" => "late load",
        Kind::Load => "missing rows",
        Kind::Segment if finding.is_dark => "outage",
        Kind::Segment => "segment",
        Kind::Mix => "mix shift",
        Kind::Rate if is_sum => "price change",
        Kind::Rate => "rate change",
        Kind::Volume => "volume",
    }
}

/// What a cause is, in a sentence with its numbers. `average` and `volume` are what the metric's factors are called.
pub(super) fn sentence(
    cause: &Cause,
    node: Option<&Node>,
    format: &Format,
    (volume, average): (&str, &str),
) -> String {
    let finding = &cause.finding;
    let row = node.and_then(|node| node.rows.iter().find(|row| row.label == finding.label));
    let effect = number_text(finding.effect, format, true);
    let weight = match finding.kind {
        Kind::Definition | Kind::Load => format!("about {effect}"),
        _ => format!("{effect} beyond what is usual"),
    };
    let share = match cause.share > 0.0 && cause.share < 1.5 {
        true => format!(", {:.0}% of the change", cause.share * 100.0),
        false => String::new(),
    };
    let dimension = finding.dimension.as_deref().unwrap_or_default();
    match finding.kind {
        Kind::Definition | Kind::Load => {
            let says = node.map_or("", |node| node.says.as_str());
            format!("{says} That is {weight}{share}.")
        }
        Kind::Segment if finding.is_dark => format!(
            "{dimension} {} went to next to nothing{}: {weight}{share}.",
            finding.label,
            from_to(row)
        ),
        Kind::Segment => format!(
            "{dimension} {} moved unlike the others{}: {weight}{share}.",
            finding.label,
            from_to(row)
        ),
        Kind::Mix => format!(
            "The weight of the {dimension}s shifted, while each of them stayed as it was: {weight}{share}."
        ),
        Kind::Rate => format!("{average} moved everywhere alike: {weight}{share}."),
        Kind::Volume => format!("{volume} moved everywhere alike: {weight}{share}."),
    }
}

fn from_to(row: Option<&Row>) -> String {
    let Some(row) = row else {
        return String::new();
    };
    let number = |value: Option<f64>| {
        value.map_or("nothing".to_owned(), |value| {
            number_text(value, &row.format, false)
        })
    };
    format!(" (from {} to {})", number(row.before), number(row.after))
}
