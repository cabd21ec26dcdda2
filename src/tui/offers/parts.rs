//! Times, comparisons, orders and limits of a query, and conditions that are typed.

use jiff::civil::Date;

use super::Offer;
use crate::model::query_line::{print_literal, print_name};
use crate::model::{Comparison, DimensionType, Direction, Filter, OrderBy, TimeRange, Weekday};
use crate::session::Thumb;
use crate::tui::popup::{Choice, Picker, PickerKind};
use crate::tui::state::State;
use crate::tui::widgets::fuzzy_list::Item;

/// Time ranges that are always offered.
const TIMES: [&str; 20] = [
    "today",
    "yesterday",
    "last 7 days",
    "last 30 days",
    "last 90 days",
    "this week",
    "last week",
    "this month",
    "mtd",
    "last month",
    "last 3 months",
    "last 6 months",
    "last 12 months",
    "this quarter",
    "qtd",
    "last quarter",
    "ytd",
    "last year",
    "last 24 months",
    "all time",
];

const COMPARISONS: [&str; 4] = [
    "previous period",
    "previous year",
    "4 weeks ago",
    "1 week ago",
];

/// What the typed text stands for by itself.
pub fn typed(
    picker: &Picker,
    text: &str,
    (today, week_start): (Date, Weekday),
) -> Option<(String, Choice)> {
    if text.is_empty() {
        return None;
    }
    match &picker.kind {
        PickerKind::Time => {
            let time: TimeRange = text.parse().ok()?;
            Some((
                format!("{time} · {}", time.resolve(today, week_start)),
                Choice::Time(Some(time)),
            ))
        }
        PickerKind::Compare => {
            let compare: Comparison = text.parse().ok()?;
            Some((compare.to_string(), Choice::Compare(Some(compare))))
        }
        PickerKind::Order => {
            let limit: u64 = text.parse().ok().filter(|limit| *limit > 0)?;
            Some((format!("limit {limit}"), Choice::Limit(Some(limit))))
        }
        PickerKind::Values { field, kind } => {
            let field = print_name(field);
            let starts = |words: &[&str]| {
                words
                    .iter()
                    .any(|word| text.to_lowercase().starts_with(word))
            };
            let condition: Filter = if starts(&[
                "=", "!", "<", ">", "in ", "in(", "not ", "between ", "like ", "is ",
            ]) {
                format!("{field} {text}").parse().ok()?
            } else if picker.list.shown() == 0
                || *kind == DimensionType::Number && text.parse::<f64>().is_ok()
            {
                format!("{field} = {}", print_literal(text)).parse().ok()?
            } else {
                return None;
            };
            Some((condition.to_string(), Choice::Condition(condition)))
        }
        PickerKind::Verdict => {
            let (thumb, words) = match text.strip_prefix("right") {
                Some(words) => (Thumb::Up, words),
                None => (Thumb::Down, text.strip_prefix("wrong").unwrap_or(text)),
            };
            let words = words.trim_start_matches([':', ',', ' ']);
            let said = if thumb == Thumb::Up { "right" } else { "wrong" };
            match words {
                // The entries of the list say as much.
                "" => None,
                words => Some((
                    format!("{said}: {words}"),
                    Choice::Verdict(thumb, Some(words.to_owned())),
                )),
            }
        }
        _ => None,
    }
}

/// What can be said of an answer.
pub fn verdicts() -> Vec<Offer> {
    let offer = |key: &str, thumb, words: Option<&str>| {
        let label = match words {
            Some(words) => format!("{key}: {words}"),
            None => key.to_owned(),
        };
        let choice = Choice::Verdict(thumb, words.map(str::to_owned));
        (Item::new(&label, &label), choice)
    };
    vec![
        offer("right", Thumb::Up, None),
        offer("wrong", Thumb::Down, None),
        offer("wrong", Thumb::Down, Some("another metric was meant")),
        offer("wrong", Thumb::Down, Some("another time was meant")),
        offer("wrong", Thumb::Down, Some("other conditions were meant")),
        offer(
            "wrong",
            Thumb::Down,
            Some("the number is not what it should be"),
        ),
    ]
}

/// Time ranges with their days.
pub fn times(state: &State) -> Vec<Offer> {
    let week_start = state.catalog.registry.calendar.week_start;
    let presets = TIMES
        .iter()
        .filter_map(|text| text.parse::<TimeRange>().ok());
    let calendar = (
        Item::new("calendar", "from … to …").detail("days from a calendar"),
        Choice::Dates,
    );
    let default = (
        Item::new("default", "as the metric says").detail("the default range of the metric"),
        Choice::Time(None),
    );
    let offers = presets.map(|time| {
        let days = time.resolve(state.setting.today, week_start).to_string();
        let text = time.to_string();
        (
            Item::new(&text, &text).detail(if days == text { "" } else { &days }),
            Choice::Time(Some(time)),
        )
    });
    [calendar]
        .into_iter()
        .chain(offers)
        .chain([default])
        .collect()
}

/// Comparisons.
pub fn comparisons() -> Vec<Offer> {
    let offered = COMPARISONS
        .iter()
        .filter_map(|text| text.parse::<Comparison>().ok());
    let offers = offered.map(|compare| {
        let text = compare.to_string();
        (Item::new(&text, &text), Choice::Compare(Some(compare)))
    });
    offers
        .chain([(Item::new("none", "no comparison"), Choice::Compare(None))])
        .collect()
}

/// Sort keys over the columns the query has, and limits.
pub fn orders(state: &State) -> Vec<Offer> {
    let compiled = state.preview.current();
    let columns: Vec<String> = match compiled {
        Some(compiled) => compiled
            .main
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect(),
        None => state.query.metrics.clone(),
    };
    let mut offers = Vec::new();
    for direction in [Direction::Descending, Direction::Ascending] {
        let words = match direction {
            Direction::Descending => "largest first",
            Direction::Ascending => "smallest first",
        };
        for column in &columns {
            let key = OrderBy {
                column: column.clone(),
                direction,
            };
            let text = key.to_string();
            offers.push((
                Item::new(&text, &text).detail(words).group("Order"),
                Choice::Order(Some(key)),
            ));
        }
    }
    offers.push((
        Item::new("as grouped", "as grouped").group("Order"),
        Choice::Order(None),
    ));
    for limit in [5, 10, 20, 100] {
        let text = format!("limit {limit}");
        offers.push((
            Item::new(&text, &text).group("Limit"),
            Choice::Limit(Some(limit)),
        ));
    }
    offers.push((
        Item::new("no limit", "no limit").group("Limit"),
        Choice::Limit(None),
    ));
    if state.query.metrics.is_empty() {
        return offers;
    }
    let (text, total) = if state.query.total {
        ("no total row", false)
    } else {
        ("total row, from the warehouse", true)
    };
    offers.push((
        Item::new("total", text).group("Total"),
        Choice::Total(total),
    ));
    offers
}
