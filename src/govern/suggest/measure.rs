//! How the rows of a table become one number: which column, and whether it is added up, counted or averaged.

use super::source::Source;
use super::words::{Word, listed, stems, words};
use super::{Ground, Idea, Offer, OfferKind, State};
use crate::model::{Aggregate, Metric, MetricKind, Status};

/// Aggregations that a measure may be written with.
pub(super) const AGGREGATES: [&str; 9] = [
    "sum",
    "avg",
    "min",
    "max",
    "median",
    "count",
    "count_distinct",
    "sum_boolean",
    "stddev",
];

/// Words of ideas and columns that mean money.
const MONEY: [&str; 22] = [
    "amount", "arr", "cost", "earn", "fee", "gmv", "income", "mrr", "price", "revenue", "sale",
    "spend", "turnover", "usd", "eur", "gbp", "value", "volume", "worth", "paid", "payment",
    "bill",
];

/// Words in the names of amounts that are no income, unless the idea says them.
const DEDUCTED: [&str; 10] = [
    "cost",
    "tax",
    "discount",
    "fee",
    "refund",
    "shipping",
    "commission",
    "subsidy",
    "vat",
    "loss",
];

/// Most measures that are shown beside the first.
const OTHERS: usize = 3;

/// How a number is made, as it is written: `sum amount_usd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Amount {
    /// The aggregation.
    pub agg: String,
    /// What is aggregated; nothing where rows are counted.
    pub expr: Option<String>,
    /// The same where it is a number that can be converted.
    pub column: Option<String>,
}

impl Amount {
    /// Reads `sum amount_usd`; without an aggregation in front, the text is added up.
    pub(super) fn read(text: &str) -> Self {
        let text = text.trim();
        let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let (agg, expr) = match AGGREGATES.contains(&first) {
            true => (first, rest.trim()),
            false => ("sum", text),
        };
        let expr = (!expr.is_empty()).then(|| expr.to_owned());
        Self {
            agg: agg.to_owned(),
            column: expr.clone().filter(|_| !agg.starts_with("count")),
            expr,
        }
    }
}

/// The measure that is taken.
pub(super) fn taken(offers: &[Offer]) -> Amount {
    let taken = offers.iter().find(|offer| offer.is_taken());
    Amount::read(taken.map_or("count", |offer| &offer.text))
}

/// The measures an idea may mean, the likeliest first.
pub(super) fn offers(idea: &Idea, source: &Source<'_>, ground: &Ground<'_>) -> Vec<Offer> {
    let said = words(&idea.words());
    let wanted = stems(&idea.words());
    let own = idea.metric_name();
    let mut found = by_metrics(&own, &wanted, source, ground);
    for (text, why) in by_columns(&said, &wanted, source) {
        if !found.iter().any(|(known, _)| *known == text) {
            found.push((text, why));
        }
    }
    let counts = counting(&said, source);
    match counts {
        // "How many" is about rows even where there are amounts.
        Some(count) if is_count(&said) => found.insert(0, count),
        Some(count) => found.push(count),
        None => {}
    }
    if found.is_empty() {
        found.push((
            "count".to_owned(),
            "there are no amounts to add up".to_owned(),
        ));
    }
    found.dedup_by(|one, other| one.0 == other.0);
    found.truncate(OTHERS + 1);
    let chosen = match idea.choices.get("measure") {
        Some(super::Decision::Text(text)) => Some(text.clone()),
        _ => None,
    };
    if let Some(text) = &chosen
        && !found.iter().any(|(known, _)| known == text)
    {
        found.insert(0, (text.clone(), "written by hand".to_owned()));
    }
    let offers = found.into_iter().enumerate().map(|(at, (text, why))| {
        let is_taken = match &chosen {
            Some(chosen) => *chosen == text,
            None => at == 0,
        };
        let mut offer = Offer::known(OfferKind::Measure, "measure".to_owned(), text, why);
        offer.state = if is_taken {
            State::Taken
        } else {
            State::Refused
        };
        offer.changed = offer.why == "written by hand";
        offer
    });
    offers.collect()
}

/// What metrics over the same rows are made of whose names the idea says, the one with the most words first.
fn by_metrics(
    own: &str,
    wanted: &[String],
    source: &Source<'_>,
    ground: &Ground<'_>,
) -> Vec<(String, String)> {
    let mut found: Vec<(usize, String, String)> = Vec::new();
    // What nobody agreed on says nothing, the draft of this very metric least of all.
    let agreed = |metric: &&Metric| {
        metric.name != own && !matches!(metric.status, Status::Draft | Status::Deprecated)
    };
    for metric in ground.registry.metrics.values().filter(agreed) {
        let MetricKind::Simple(sources) = &metric.kind else {
            continue;
        };
        let measure = match sources.as_slice() {
            [one] => one.measures.first(),
            _ => None,
        };
        let Some(measure) = measure.filter(|one| one.dataset == source.name) else {
            continue;
        };
        let (Some(expr), Some(agg)) = (&measure.expr, word_of(measure.agg)) else {
            continue;
        };
        // More than a column would be converted by rules a second time.
        if !expr.text.chars().all(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let words = format!(
            "{} {} {}",
            metric.name,
            metric.label,
            metric.aliases.join(" ")
        );
        let said = stems(&words);
        let said: Vec<&String> = said.iter().filter(|stem| wanted.contains(stem)).collect();
        // The whole of one of its names: "revenue" is said by "food revenue", and "net revenue" is not.
        let mut names = [&metric.name, &metric.label]
            .into_iter()
            .chain(&metric.aliases);
        let is_named = names.any(|name| {
            let own = stems(name);
            !own.is_empty() && own.iter().all(|stem| wanted.contains(stem))
        });
        if is_named {
            let text = format!("{agg} {}", expr.text);
            let why = format!("{} is made of it", metric.name);
            found.push((said.len(), text, why));
        }
    }
    found.sort_by_key(|(said, ..)| std::cmp::Reverse(*said));
    found
        .into_iter()
        .map(|(_, text, why)| (text, why))
        .collect()
}

/// How an aggregation is written in a measure.
fn word_of(agg: Aggregate) -> Option<&'static str> {
    match agg {
        Aggregate::Sum => Some("sum"),
        Aggregate::Avg => Some("avg"),
        Aggregate::Min => Some("min"),
        Aggregate::Max => Some("max"),
        Aggregate::CountDistinct => Some("count_distinct"),
        _ => None,
    }
}

/// Every amount with an aggregation, the one whose name says most first.
fn by_columns(said: &[Word], wanted: &[String], source: &Source<'_>) -> Vec<(String, String)> {
    let wants_money = wanted.iter().any(|stem| MONEY.contains(&stem.as_str()));
    let mut ranked: Vec<(isize, String, Vec<String>)> = source
        .amounts()
        .into_iter()
        .map(|column| {
            let own = stems(&column.name);
            let named: Vec<String> = own
                .iter()
                .filter(|stem| wanted.contains(stem))
                .cloned()
                .collect();
            let is_money = own.iter().any(|stem| MONEY.contains(&stem.as_str()));
            let is_deducted = own
                .iter()
                .any(|stem| DEDUCTED.contains(&stem.as_str()) && !wanted.contains(stem));
            let score = match is_deducted {
                true => -1,
                false => {
                    isize::try_from(named.len()).unwrap_or(0) * 2
                        + isize::from(wants_money && is_money) * 3
                }
            };
            (score, column.name, named)
        })
        .collect();
    // Stable: the order of the table decides between equals.
    ranked.sort_by_key(|(score, ..)| std::cmp::Reverse(*score));
    let (agg, of) = aggregate(said);
    ranked
        .into_iter()
        .map(|(score, column, named)| {
            let why = match (score, named.as_slice()) {
                (..=0, _) => "an amount of this table".to_owned(),
                (_, []) => "an amount of money, as the idea is".to_owned(),
                (_, named) => format!("the idea says {}", listed(named)),
            };
            (
                format!("{agg} {}", source.name_of(&column)),
                format!("{why}{of}"),
            )
        })
        .collect()
}

/// The aggregation that words ask for, and what they say of it.
fn aggregate(said: &[Word]) -> (&'static str, &'static str) {
    let has = |list: &[&str]| said.iter().any(|word| list.contains(&word.folded.as_str()));
    if has(&["average", "avg", "mean"]) {
        ("avg", ", as an average")
    } else if has(&["median", "typical"]) {
        ("median", ", as a median")
    } else if has(&["highest", "largest", "maximum", "max", "peak"]) {
        ("max", ", its largest")
    } else if has(&["lowest", "smallest", "minimum", "min"]) {
        ("min", ", its smallest")
    } else {
        ("sum", "")
    }
}

fn is_count(said: &[Word]) -> bool {
    let pairs = said.windows(2);
    let mut pairs = pairs.filter_map(|pair| Some((&pair.first()?.folded, &pair.get(1)?.folded)));
    said.iter().any(|word| word.folded == "count")
        || pairs.any(|(one, other)| {
            matches!(
                (one.as_str(), other.as_str()),
                ("how", "many") | ("number", "of")
            )
        })
}

/// Rows, or the different things whose identifier stands in them.
fn counting(said: &[Word], source: &Source<'_>) -> Option<(String, String)> {
    let key = source.key();
    let columns = source.columns();
    let entities = columns.iter().filter_map(|column| {
        let parts = words(&column.name);
        let (last, rest) = parts.split_last()?;
        let is_identifier = last.folded == "id" && !rest.is_empty();
        is_identifier.then_some((column, rest.last()?.stem.clone()))
    });
    // Of several the first that is said: sellers with a contract are sellers.
    let named = entities.filter_map(|(column, stem)| {
        let at = said.iter().position(|word| word.stem == stem)?;
        Some((at, (column, stem)))
    });
    match named.min_by_key(|(at, _)| *at).map(|(_, named)| named) {
        // Where it is the key, its rows are what is counted.
        Some((column, _)) if key.as_slice() != [column.name.clone()] => {
            let why = format!("how many different {} there are", column.name);
            Some((format!("count_distinct {}", column.name), why))
        }
        _ => {
            let label = source.title();
            Some((
                "count".to_owned(),
                format!("how many rows of {label} there are"),
            ))
        }
    }
}
