//! What the lists offer: dimensions, values, times, comparisons, orders, commands, earlier queries.

use jiff::civil::Date;

use super::edit::{self, Picked};
use super::message::Earlier;
use super::popup::{Choice, CopyKind, Page, Picker, PickerKind};
use super::question;
use super::state::State;
use super::theme::Theme;
use super::widgets::fuzzy_list::Item;
use super::widgets::grid::{Copy, CopyFormat, Grid};
use crate::compile::DimensionChoice;
use crate::model::query_line::print_name;
use crate::model::{
    ColumnState, Comparison, Dimension, DimensionType, Direction, Filter, Grain, GroupBy,
    MetricKind, OrderBy, Registry, TimeRange, Weekday,
};
use crate::session::cell::thousands;
use crate::session::{Clarification, RememberedChoice, ValueList};

type Offer = (Item, Choice);

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

/// Dimensions: time grains first, then what can be reached, then the rest with the reason.
pub fn dimensions(state: &State, choices: &[DimensionChoice], filter: bool) -> Vec<Offer> {
    let times = default_times(state);
    let is_default = |choice: &DimensionChoice| {
        times
            .iter()
            .any(|(dataset, time)| choice.dataset == *dataset && choice.dimension == time.name)
    };
    let (reached, others): (Vec<_>, Vec<_>) =
        choices.iter().partition(|choice| choice.reachable.is_ok());
    let (dated, plain): (Vec<_>, Vec<_>) = reached
        .into_iter()
        .partition(|choice| choice.kind.is_time());
    let mut offers = Vec::new();
    if !filter {
        // Each metric has its own default time; a grain is offered if all of them have it.
        let label = match times.as_slice() {
            [(_, only)] => only.label.as_str(),
            _ => "each metric's own time",
        };
        let coarsest = times
            .iter()
            .map(|(_, time)| time.kind)
            .reduce(|kind, other| match other {
                DimensionType::Date => other,
                _ => kind,
            });
        offers.extend(
            coarsest
                .into_iter()
                .flat_map(grains)
                .map(|grain| offer_grain(grain, None, label)),
        );
    }
    offers.extend(
        plain
            .into_iter()
            .map(|choice| offer_dimension(state, choice)),
    );
    for choice in dated {
        if filter {
            offers.push(offer_dimension(state, choice));
        } else if !is_default(choice) {
            let of = Some(choice.name.as_str());
            offers.extend(grains(choice.kind).map(|grain| offer_grain(grain, of, &choice.label)));
        }
    }
    offers.extend(
        others
            .into_iter()
            .map(|choice| offer_dimension(state, choice)),
    );
    offers
}

/// The time dimensions that a query means where it says only `month`, with their datasets; none where a metric has none.
fn default_times(state: &State) -> Vec<(&str, &Dimension)> {
    fn collect<'a>(
        registry: &'a Registry,
        metric: &str,
        into: &mut Vec<(&'a str, &'a Dimension)>,
    ) -> Option<()> {
        let metric = registry.metric(metric)?;
        match &metric.kind {
            kind if !kind.inputs().is_empty() => kind
                .inputs()
                .into_iter()
                .try_for_each(|input| collect(registry, input, into)),
            MetricKind::Complex { facets: None, .. } => None,
            kind => kind
                .sources()
                .first()?
                .measures
                .iter()
                .try_for_each(|measure| {
                    let dataset = registry.datasets.get(&measure.dataset)?;
                    let time =
                        dataset.dimension(measure.time.as_deref().or(dataset.time.as_deref())?)?;
                    if !into
                        .iter()
                        .any(|(name, there)| *name == dataset.name && there.name == time.name)
                    {
                        into.push((&dataset.name, time));
                    }
                    Some(())
                }),
        }
    }
    let mut times = Vec::new();
    let registry = &state.catalog.registry;
    let all = state
        .query
        .metrics
        .iter()
        .try_for_each(|metric| collect(registry, metric, &mut times));
    if all.is_some() { times } else { Vec::new() }
}

fn grains(kind: DimensionType) -> impl DoubleEndedIterator<Item = Grain> {
    Grain::ALL.into_iter().filter(move |grain| {
        *grain >= Grain::Day || *grain == Grain::Hour && kind == DimensionType::Time
    })
}

fn offer_grain(grain: Grain, of: Option<&str>, label: &str) -> Offer {
    let group = GroupBy::Grain {
        grain,
        of: of.map(str::to_owned),
    };
    let text = group.to_string();
    let heading = if of.is_some() { "Other times" } else { "Time" };
    (
        Item::new(&text, &text).detail(label).group(heading),
        Choice::Dimension { group, field: None },
    )
}

fn offer_dimension(state: &State, choice: &DimensionChoice) -> Offer {
    let group = GroupBy::Dimension(choice.name.clone());
    let picked = edit::picked(&state.query, &choice.name);
    let mut item = Item::new(group.to_string(), &choice.name)
        .detail(&choice.label)
        .group("Dimensions");
    item = if picked.is_empty() {
        item.right(&choice.dataset)
    } else {
        item.right("filtered")
    };
    if let Err(reason) = &choice.reachable {
        // The name stands beside it.
        let name = format!("'{}' cannot be used ", choice.name);
        item = item.disabled(reason.strip_prefix(&name).unwrap_or(reason));
    }
    (
        item,
        Choice::Dimension {
            group,
            field: Some((choice.name.clone(), choice.kind)),
        },
    )
}

/// The known values of a dimension, and those that the query picks already.
pub fn values(values: &ValueList, picked: &Picked) -> Vec<Item> {
    let shown = |value: &str| {
        if value.is_empty() {
            "(empty)".to_owned()
        } else {
            value.to_owned()
        }
    };
    let known = values.values.iter().map(|(value, count)| {
        Item::new(value.clone(), &shown(value))
            .right(&thousands(usize::try_from(*count).unwrap_or(usize::MAX)))
    });
    let is_known = |value: &str| values.values.iter().any(|(known, _)| known == value);
    let unknown = picked
        .include
        .iter()
        .chain(&picked.exclude)
        .filter(|value| !is_known(value));
    known
        .chain(unknown.map(|value| Item::new(value.clone(), &shown(value))))
        .collect()
}

/// What is known about the values of a dimension.
pub fn values_note(values: &ValueList, today: Date) -> String {
    let age = values
        .updated_at
        .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date());
    let age = match age
        .and_then(|day| today.since(day).ok())
        .map(|span| span.get_days())
    {
        None => String::new(),
        Some(..=0) => ", indexed today".to_owned(),
        Some(1) => ", indexed yesterday".to_owned(),
        Some(days) => format!(", indexed {days} days ago"),
    };
    let count = |distinct: u64| thousands(usize::try_from(distinct).unwrap_or(usize::MAX));
    match values.state {
        ColumnState::Indexed { distinct } => {
            format!("{} values with their rows{age}", count(distinct))
        }
        ColumnState::Wide { distinct } => {
            format!("{} values are too many to index; type one", count(distinct))
        }
        ColumnState::Pii => "personal data is never indexed; type a value".to_owned(),
        ColumnState::Missing => {
            "not indexed yet (`metrex reindex` does it); type a value".to_owned()
        }
    }
}

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
                format!(
                    "{field} = {}",
                    crate::model::query_line::print_literal(text)
                )
                .parse()
                .ok()?
            } else {
                return None;
            };
            Some((condition.to_string(), Choice::Condition(condition)))
        }
        _ => None,
    }
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

/// Earlier queries and questions, latest first, each once.
pub fn history(entries: &[Earlier]) -> Vec<Offer> {
    let mut seen = std::collections::HashSet::new();
    let new = entries
        .iter()
        .filter(|entry| seen.insert(entry.text.as_str()));
    new.map(|entry| {
        let at = entry.at.to_zoned(jiff::tz::TimeZone::UTC);
        let word = if entry.is_question { "asked " } else { "" };
        let item = Item::new(&entry.text, &entry.text)
            .note(&entry.outcome)
            .right(&format!("{word}{}", at.date()));
        (item, Choice::Line(entry.text.clone()))
    })
    .collect()
}

/// What was chosen for words; taking one forgets it.
pub fn choices(remembered: &[RememberedChoice]) -> Vec<Offer> {
    let choices = remembered.iter();
    choices
        .map(|choice| {
            let meaning = question::meaning_words(&choice.meaning);
            let item = Item::new(&choice.words, &choice.words)
                .detail(&format!("means {meaning}"))
                .right(&format!("used {} times", choice.used));
            (item, Choice::Forget(choice.words.clone()))
        })
        .collect()
}

/// The meanings that words may have, each with the key that takes it.
pub fn meanings(unsure: &Clarification) -> Vec<Offer> {
    let candidates = unsure.candidates.iter().enumerate();
    candidates
        .map(|(index, candidate)| {
            let number = index + 1;
            let item = Item::new(
                number.to_string(),
                &format!("{number}  {}", candidate.label),
            )
            .detail(&candidate.detail);
            let choice = Choice::Meaning(unsure.words.clone(), candidate.meaning.clone());
            (item, choice)
        })
        .collect()
}

/// Saved queries of the project.
pub fn views(state: &State) -> Vec<Offer> {
    let views = state.catalog.registry.views.values();
    views
        .map(|view| {
            let line = view.query.to_string();
            let item = Item::new(&view.name, &view.name);
            let item = match view.description.as_str() {
                "" => item.detail(&line),
                about => item.detail(about).note(&line),
            };
            (item, Choice::Line(line))
        })
        .collect()
}

/// The project's connections.
pub fn connections(state: &State) -> Vec<Offer> {
    let connections = state.setting.connections.iter();
    connections
        .map(|connection| {
            let mut right = Vec::new();
            right.extend(connection.care.production.then_some("production"));
            right.extend((connection.name == state.connection).then_some("in use"));
            let dialect = connection.dialect.word();
            let guard = connection.guard.word();
            let detail = format!("{dialect} · {guard} · {}", connection.target);
            let item = Item::new(&connection.name, &connection.name)
                .detail(&detail)
                .right(&right.join(", "));
            (item, Choice::Connection(connection.name.clone()))
        })
        .collect()
}

/// The themes.
pub fn themes(state: &State) -> Vec<Offer> {
    let names = Theme::names(&state.setting.themes).into_iter();
    names
        .map(|name| {
            let in_use = if name == state.theme_name {
                "in use"
            } else {
                ""
            };
            let item = Item::new(&name, &name)
                .detail(Theme::about(&name, &state.setting.themes))
                .right(in_use);
            (item, Choice::Theme(name))
        })
        .collect()
}

/// What can be copied.
pub fn copies(state: &State) -> Vec<Offer> {
    let forms = |what: Copy, word: &str| {
        let forms = [
            (CopyFormat::Tsv, "TSV"),
            (CopyFormat::Csv, "CSV"),
            (CopyFormat::Markdown, "Markdown"),
            (CopyFormat::Json, "JSON"),
        ];
        forms.map(|(form, name)| {
            (
                format!("{word} as {name}"),
                CopyKind::Rows(what.clone(), form),
            )
        })
    };
    let mut offers = Vec::new();
    let grid = state.result.grid.as_ref();
    if let Some((row, column)) = grid.and_then(Grid::selected) {
        if let Some(block) = grid.and_then(Grid::marked) {
            offers.extend(forms(Copy::Block(block), "marked cells"));
        }
        let cell = Copy::Cell { row, column };
        offers.push(("cell".to_owned(), CopyKind::Rows(cell, CopyFormat::Tsv)));
        offers.extend(forms(Copy::All, "all rows"));
        offers.extend(forms(Copy::Row(row), "row"));
        offers.extend(forms(Copy::Column(column), "column"));
    }
    if !state.query.is_empty() {
        offers.push(("query line".to_owned(), CopyKind::Line));
    }
    if state.preview.current().is_some() {
        offers.push(("SQL".to_owned(), CopyKind::Sql));
    }
    let offer = |(text, kind): (String, _)| (Item::new(&text, &text), Choice::Copy(kind));
    offers.into_iter().map(offer).collect()
}

/// The selected row, a line for each column.
fn row_text(state: &State) -> String {
    let selected = state.result.grid.as_ref();
    let selected = selected.and_then(|grid| Some((grid, grid.selected()?.0)));
    selected.map_or(String::new(), |(grid, row)| {
        let columns = grid.table().columns().iter().enumerate();
        columns
            .map(|(at, column)| {
                let detail = grid.detail(row, at).unwrap_or_default();
                format!("{}: {detail}\n", column.label)
            })
            .collect()
    })
}

/// The text of a window.
pub fn page_text(state: &State, page: &Page) -> String {
    match page {
        Page::Cell(text) => text.clone(),
        Page::Row => row_text(state),
        Page::Rejected(rejected) => {
            let findings = rejected
                .findings
                .iter()
                .map(|finding| format!("{finding}\n"));
            format!("{}\n{}\n", findings.collect::<String>(), rejected.sql)
        }
        Page::Problems => state
            .problems
            .iter()
            .map(|problem| format!("{problem}\n"))
            .collect(),
        Page::Number(_, sections) => sections
            .iter()
            .map(|section| format!("{}\n{}\n\n", section.heading, section.lines.join("\n")))
            .collect(),
        Page::Excerpts(excerpts) => excerpts
            .iter()
            .map(|excerpt| format!("# {}\n{}\n", excerpt.at, excerpt.lines.join("\n")))
            .collect(),
    }
}
