//! How a metric is shown by default, and what its numbers must be like.

use serde_json::{Map, Value, json};

use super::measure::Amount;
use super::source::Source;
use super::words::words;
use super::{Ground, Idea, Offer, OfferKind};

/// How far beyond what was seen a number may go, as a part of it.
const ROOM: f64 = 0.5;

/// Fewest periods that say something of what is usual.
const ENOUGH: usize = 6;

/// How its numbers are written, and over what time they are shown.
pub(super) fn display(idea: &Idea, source: &Source<'_>, amount: &Amount) -> Vec<Offer> {
    let mut offers = Vec::new();
    let column = amount.expr.as_deref().unwrap_or_default();
    let currency = words(column)
        .into_iter()
        .find_map(|word| match word.folded.as_str() {
            "usd" => Some("USD"),
            "eur" => Some("EUR"),
            "gbp" => Some("GBP"),
            _ => None,
        });
    if let (Some(currency), true) = (currency, amount.column.is_some()) {
        let why = format!("{column} says that it is money");
        let id = "format".to_owned();
        offers.push(Offer::decided(
            OfferKind::Display,
            id,
            currency.to_owned(),
            why,
            true,
            idea,
        ));
    }
    if source.time().is_some() {
        let id = "window".to_owned();
        let text = "last 12 months".to_owned();
        let why = "what is shown where a query says no time".to_owned();
        offers.push(Offer::decided(
            OfferKind::Display,
            id,
            text,
            why,
            true,
            idea,
        ));
    }
    offers
}

/// The tests that are offered.
pub(super) fn offers(
    idea: &Idea,
    source: &Source<'_>,
    amount: &Amount,
    ground: &Ground<'_>,
) -> Vec<Offer> {
    if source.time().is_none() {
        return Vec::new();
    }
    let check = |id: &str, text: String, why: String, taken: bool| {
        Offer::decided(
            OfferKind::Check,
            format!("check: {id}"),
            text,
            why,
            taken,
            idea,
        )
    };
    let months = ground.history.len();
    let numbers = ground.history.iter().filter(|number| !number.is_nan());
    let history: Vec<f64> = numbers.copied().collect();
    let seen = history.len();
    let (full, why) = match months - seen {
        _ if months == 0 => (true, "every month has a number".to_owned()),
        0 => (
            true,
            format!("each of the {months} months before has a number"),
        ),
        gaps => (
            false,
            format!("{gaps} of the {months} months before have no number"),
        ),
    };
    let mut offers = vec![check("not null", "not_null".to_owned(), why, full)];
    let least = history.iter().copied().fold(f64::INFINITY, f64::min);
    let most = history.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (positive, why) = match (seen, amount.agg.as_str()) {
        (0, "count" | "count_distinct") => (true, "it counts".to_owned()),
        (0, _) => (
            true,
            "an amount that is added up; the preview says whether it holds".to_owned(),
        ),
        _ if least > 0.0 => (
            true,
            format!("the smallest of the last {seen} months is {}", short(least)),
        ),
        _ => (false, format!("{} was seen", short(least))),
    };
    offers.push(check("positive", "positive".to_owned(), why, positive));
    if seen >= ENOUGH && least.is_finite() && most.is_finite() {
        let (low, high) = (
            rounded(least - least.abs() * ROOM),
            rounded(most + most.abs() * ROOM),
        );
        let why = format!(
            "the last {seen} months lie between {} and {}",
            short(least),
            short(most)
        );
        offers.push(check(
            "range",
            format!("between {} and {}", short(low), short(high)),
            why,
            true,
        ));
    }
    offers
}

/// The test that the offers that are taken make.
///
/// # Errors
/// A text is no check; what it may be.
pub(super) fn test<'o>(taken: impl Iterator<Item = &'o Offer>) -> Result<Option<Value>, String> {
    let number = |text: &str| {
        let text = text.trim();
        let number = text
            .parse::<f64>()
            .map_err(|_| format!("'{text}' is no number"))?;
        Ok::<_, String>(match number.fract() == 0.0 && number.abs() < 1e15 {
            true => json!(number as i64),
            false => json!(number),
        })
    };
    let mut test = Map::new();
    test.insert("query".to_owned(), json!("by month last 12 months"));
    let mut put = |key: &str, value: Value| drop(test.insert(key.to_owned(), value));
    let mut is_any = false;
    for offer in taken {
        is_any = true;
        let text = offer.text.trim();
        if let Some(range) = text.strip_prefix("between ") {
            let (low, high) = range
                .split_once(" and ")
                .ok_or("a range is written: between 1 and 2")?;
            put("between", json!([number(low)?, number(high)?]));
        } else if let Some(low) = text.strip_prefix("at least ") {
            put("at_least", number(low)?);
        } else if let Some(high) = text.strip_prefix("at most ") {
            put("at_most", number(high)?);
        } else if text == "not_null" || text == "positive" {
            put(text, json!(true));
        } else {
            return Err(format!(
                "'{text}' is no check: not_null, positive, between 1 and 2, at least 1, at most 2"
            ));
        }
    }
    Ok(is_any.then_some(Value::Object(test)))
}

/// A number with two digits that count.
fn rounded(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    let unit = 10_f64.powf(value.abs().log10().floor() - 1.0);
    let rounded = (value / unit).round() * unit;
    // What the division left behind the point is no digit.
    if unit >= 1.0 {
        rounded.round()
    } else {
        rounded
    }
}

fn short(value: f64) -> String {
    match value.abs() >= 100.0 || value.fract() == 0.0 {
        true => format!("{value:.0}"),
        false => format!("{value:.3}")
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
    }
}
