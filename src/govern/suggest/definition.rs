//! The definition that an idea and the offers that are taken make.

use serde_json::{Map, Value, json};

use super::source::Source;
use super::words::words;
use super::{Ground, Idea, Offer, OfferKind, Suggestions, checks, dimensions, measure};

/// Writes the metric, and the dataset where the table is none yet.
pub(super) fn write(
    idea: &Idea,
    source: &Source<'_>,
    ground: &Ground<'_>,
    found: &mut Suggestions,
) {
    let mut metric = Map::new();
    let mut put = |key: &str, value: Value| drop(metric.insert(key.to_owned(), value));
    let label = match idea.name.trim() {
        "" => dimensions::label(&words(&found.name)),
        name => name.to_owned(),
    };
    put("label", json!(label));
    for (key, text) in [
        ("category", &idea.category),
        ("description", &idea.definition),
    ] {
        if !text.trim().is_empty() {
            put(key, json!(text.trim()));
        }
    }
    // A rule that is refused does not hold, and nobody may read that one holds which the SQL does not know.
    let rules = found
        .offers
        .iter()
        .filter(|offer| offer.kind == OfferKind::Rule && (offer.is_taken() || offer.waits));
    let rules: Vec<String> = rules
        .map(|offer| match offer.waits {
            true => format!("Not in the SQL yet: {}", offer.about),
            false => offer.about.clone(),
        })
        .collect();
    if !rules.is_empty() {
        put("business_rules", json!(rules));
    }
    if !idea.owner.trim().is_empty() {
        put("owner", json!(idea.owner.trim()));
    }
    put("status", json!("draft"));
    put("last_updated", json!(ground.today.to_string()));
    let amount = taken_measure(&found.offers);
    // What one thing is worth is told in cents.
    let decimals = if amount.agg == "sum" { 0 } else { 2 };
    let offer = |id: &str| found.offer(id).filter(|offer| offer.is_taken());
    if let Some(format) = offer("format") {
        put(
            "format",
            json!({"kind": "currency", "currency": format.text.trim(), "decimals": decimals}),
        );
    }
    put("base_table", json!(found.dataset));
    let mut expr = amount.expr.clone();
    let mut filters = Vec::new();
    let rules = found
        .offers
        .iter()
        .filter(|offer| offer.kind == OfferKind::Rule && offer.is_taken());
    for rule in rules {
        match rule.text.trim().strip_prefix("amount:") {
            Some(converted) => expr = Some(converted.trim().to_owned()),
            None if rule.text.trim().is_empty() => {}
            None => filters.push(rule.text.trim().to_owned()),
        }
    }
    put("agg", json!(amount.agg));
    if let Some(expr) = expr {
        put("expr", json!(expr));
    }
    if !filters.is_empty() {
        put("filters", json!(filters));
    }
    let time = source.time().map(|column| match source.dataset {
        Some(_) => source.name_of(&column),
        None => dimensions::time_name(&column),
    });
    if let (Some(snapshot), Some(time)) = (offer("snapshot"), &time) {
        match snapshot.text.trim() {
            "last" => put("last_by", json!({"time": time})),
            take => put("over_time", json!({"take": take, "time": time})),
        }
    }
    if let Some(period) = source.period() {
        put("grain", json!([period.word()]));
    }
    if let Some(window) = offer("window") {
        put("window", json!(window.text.trim()));
    }
    let checks = found.offers.iter();
    let checks = checks.filter(|offer| offer.kind == OfferKind::Check && offer.is_taken());
    match checks::test(checks) {
        Ok(None) => {}
        Ok(Some(test)) => put("tests", json!([test])),
        Err(reason) => found.missing = Some(reason),
    }
    found.view = match time {
        Some(_) => "by month last 12 months".to_owned(),
        None => String::new(),
    };
    if source.dataset.is_none() {
        found.new_dataset = Some(dimensions::dataset(source, &found.offers));
    }
    found.metric = metric;
}

fn taken_measure(offers: &[Offer]) -> measure::Amount {
    let measures = offers
        .iter()
        .filter(|offer| offer.kind == OfferKind::Measure);
    measure::taken(&measures.cloned().collect::<Vec<_>>())
}
