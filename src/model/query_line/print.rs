//! Prints a metric query as its canonical query line.

use std::fmt::{self, Display, Formatter, Write};

use super::is_reserved;
use super::lexer::is_word_char;
use crate::model::{
    Comparison, DatePart, Direction, Filter, Grain, GroupBy, MetricQuery, OrderBy, Period,
    Presented, Shown, TimeRange,
};

fn is_bare(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && text.chars().all(is_word_char)
        && !text.contains("..")
        && !text.ends_with('.')
        && !is_reserved(text)
}

fn quote(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        if c == quote {
            out.push(quote);
        }
        out.push(c);
    }
    out.push(quote);
    out
}

/// A literal as a query line writes it: bare where that is unambiguous, else in single quotes.
pub fn print_literal(text: &str) -> String {
    let bare = is_bare(text)
        || text
            .strip_prefix('-')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && is_bare(rest));
    if bare {
        text.to_owned()
    } else {
        quote(text, '\'')
    }
}

/// A metric, dimension or column name as a query line writes it: bare, or in double quotes.
pub fn print_name(name: &str) -> String {
    if is_bare(name) && Period::parse(name).is_none() {
        name.to_owned()
    } else {
        quote(name, '"')
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, items: impl IntoIterator<Item = T>) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

pub(crate) fn print(query: &MetricQuery, f: &mut Formatter<'_>) -> fmt::Result {
    let mut clauses: Vec<String> = Vec::new();
    if !query.metrics.is_empty() {
        let names = query.metrics.iter().map(|name| print_name(name));
        let shown = query.show.iter().map(ToString::to_string);
        clauses.push(names.chain(shown).collect::<Vec<_>>().join(", "));
    }
    if !query.range_of.is_empty() {
        let groups: Vec<_> = query.range_of.iter().map(ToString::to_string).collect();
        clauses.push(format!("range of {}", groups.join(", ")));
    }
    if let Some(group_by) = &query.group_by {
        let mut clause = String::from("by ");
        if group_by.is_empty() {
            clause.push_str("none");
        }
        for (index, group) in group_by.iter().enumerate() {
            write!(clause, "{}{group}", if index > 0 { ", " } else { "" })?;
        }
        clauses.push(clause);
    }
    if let Some(filter) = &query.filters {
        clauses.push(format!("where {filter}"));
    }
    if let Some(time) = query.time {
        clauses.push(time.to_string());
    }
    if let Some(compare) = query.compare {
        clauses.push(format!("vs {compare}"));
    }
    match (query.order.as_slice(), query.limit) {
        ([only], Some(n)) if query.metrics.contains(&only.column) => {
            let word = match only.direction {
                Direction::Descending => "top",
                Direction::Ascending => "bottom",
            };
            clauses.push(format!("{word} {n} by {}", print_name(&only.column)));
        }
        (order, limit) => {
            if !order.is_empty() {
                let keys: Vec<_> = order.iter().map(ToString::to_string).collect();
                clauses.push(format!("order by {}", keys.join(", ")));
            }
            if let Some(n) = limit {
                clauses.push(format!("limit {n}"));
            }
        }
    }
    if !query.limit_per.is_empty() {
        let groups: Vec<_> = query.limit_per.iter().map(ToString::to_string).collect();
        clauses.push(format!("per {}", groups.join(", ")));
    }
    if query.others {
        clauses.push("with others".to_owned());
    }
    match query.every_period {
        Some(true) => clauses.push("every period".to_owned()),
        Some(false) => clauses.push("existing periods".to_owned()),
        None => {}
    }
    if query.total {
        clauses.push("total".to_owned());
    }
    f.write_str(&clauses.join(" "))
}

pub(crate) fn print_group(group: &GroupBy, f: &mut Formatter<'_>) -> fmt::Result {
    match group {
        GroupBy::Dimension(name) => {
            let last = name.rsplit('.').next().unwrap_or(name);
            if Grain::from_word(last).is_some() || DatePart::from_word(last).is_some() {
                f.write_str(&quote(name, '"'))
            } else {
                f.write_str(&print_name(name))
            }
        }
        GroupBy::Grain { grain, of: None } => write!(f, "{grain}"),
        GroupBy::Grain {
            grain,
            of: Some(of),
        } => write!(f, "{}.{grain}", print_name(of)),
        GroupBy::Part { part, of: None } => f.write_str(part.word()),
        GroupBy::Part { part, of: Some(of) } => {
            write!(f, "{}.{}", print_name(of), part.word())
        }
    }
}

/// A dimension, a metric, or a metric per dimension.
fn print_field(field: &str) -> String {
    match Filter::per(field) {
        Some((metric, dimension)) => {
            format!("{} per {}", print_name(metric), print_name(dimension))
        }
        None => print_name(field),
    }
}

pub(crate) fn print_shown(shown: &Shown, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "{} {}", print_name(&shown.metric), shown.what)
}

pub(crate) fn print_presented(what: Presented, f: &mut Formatter<'_>) -> fmt::Result {
    match what {
        Presented::Share => f.write_str("share"),
        Presented::Running => f.write_str("running"),
        Presented::Rank => f.write_str("rank"),
        Presented::Moving(n) => write!(f, "moving {n}"),
    }
}

pub(crate) fn print_filter(filter: &Filter, f: &mut Formatter<'_>) -> fmt::Result {
    let not = |negated: bool| if negated { "not " } else { "" };
    match filter {
        Filter::Compare { field, op, value } => {
            write!(
                f,
                "{} {} {}",
                print_field(field),
                op.symbol(),
                print_literal(value)
            )
        }
        Filter::In {
            field,
            values,
            negated,
        } => {
            write!(f, "{} {}in (", print_field(field), not(*negated))?;
            list(f, values.iter().map(|value| print_literal(value)))?;
            f.write_str(")")
        }
        Filter::Between {
            field,
            low,
            high,
            negated,
        } => write!(
            f,
            "{} {}between {} and {}",
            print_field(field),
            not(*negated),
            print_literal(low),
            print_literal(high)
        ),
        Filter::Like {
            field,
            pattern,
            negated,
        } => {
            write!(
                f,
                "{} {}like {}",
                print_field(field),
                not(*negated),
                print_literal(pattern)
            )
        }
        Filter::IsNull { field, negated } => {
            write!(f, "{} is {}null", print_field(field), not(*negated))
        }
        Filter::And(parts) => joined(parts, " and ", |part| matches!(part, Filter::Or(_)), f),
        Filter::Or(parts) => joined(parts, " or ", |_| false, f),
        Filter::Not(part) => write!(f, "not ({part})"),
    }
}

fn joined(
    parts: &[Filter],
    word: &str,
    brackets: impl Fn(&Filter) -> bool,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        if brackets(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

pub(crate) fn print_time(time: TimeRange, f: &mut Formatter<'_>) -> fmt::Result {
    match time {
        TimeRange::AllTime => f.write_str("all time"),
        TimeRange::This(Grain::Day) => f.write_str("today"),
        TimeRange::This(grain) => write!(f, "this {grain}"),
        TimeRange::Last(1, Grain::Day) => f.write_str("yesterday"),
        TimeRange::Last(1, grain) => write!(f, "last {grain}"),
        TimeRange::Last(n, grain) => write!(f, "last {n} {grain}s"),
        TimeRange::Rolling(1, grain) => write!(f, "rolling {grain}"),
        TimeRange::Rolling(n, grain) => write!(f, "rolling {n} {grain}s"),
        TimeRange::ToDate(Grain::Week) => f.write_str("wtd"),
        TimeRange::ToDate(Grain::Month) => f.write_str("mtd"),
        TimeRange::ToDate(Grain::Quarter) => f.write_str("qtd"),
        TimeRange::ToDate(Grain::Year) => f.write_str("ytd"),
        TimeRange::ToDate(Grain::Second | Grain::Minute | Grain::Hour | Grain::Day) => {
            f.write_str("today")
        }
        TimeRange::Span(None, None) => f.write_str("all time"),
        TimeRange::Span(Some(from), None) => write!(f, "since {from}"),
        TimeRange::Span(None, Some(to)) => write!(f, "until {to}"),
        TimeRange::Span(Some(from), Some(to)) => range(from, to, f),
    }
}

fn range(from: Period, to: Period, f: &mut Formatter<'_>) -> fmt::Result {
    if from == to {
        write!(f, "{from}")
    } else {
        write!(f, "{from}..{to}")
    }
}

pub(crate) fn print_comparison(compare: Comparison, f: &mut Formatter<'_>) -> fmt::Result {
    match compare {
        Comparison::PreviousPeriod => f.write_str("previous period"),
        Comparison::PreviousYear => f.write_str("previous year"),
        Comparison::Ago(1, grain) => write!(f, "1 {grain} ago"),
        Comparison::Ago(n, grain) => write!(f, "{n} {grain}s ago"),
        Comparison::Range(from, to) => range(from, to, f),
    }
}

pub(crate) fn print_order(order: &OrderBy, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(&print_name(&order.column))?;
    match order.direction {
        Direction::Ascending => Ok(()),
        Direction::Descending => f.write_str(" desc"),
    }
}
