//! The query line: the canonical one-line text of a [`MetricQuery`](super::MetricQuery), with `parse(print(q)) == q`.
//!
//! ```text
//! gmv, take_rate by market, week where channel in (ads, organic) last 90 days vs previous period top 10 by gmv
//! ```

mod conditions;
mod lexer;
mod parse;
mod print;
mod time_words;

pub use parse::{
    Expected, QueryLineError, expected_at_end, parse, parse_comparison, parse_filter, parse_group,
    parse_order, parse_shown, parse_time,
};
pub(super) use print::{
    print, print_comparison, print_filter, print_group, print_order, print_presented, print_shown,
    print_time,
};
pub use print::{print_literal, print_name};

/// Words with a meaning of their own; a name or value that equals one is quoted.
const RESERVED: [&str; 34] = [
    "by",
    "where",
    "and",
    "or",
    "not",
    "in",
    "between",
    "like",
    "is",
    "null",
    "vs",
    "top",
    "bottom",
    "order",
    "limit",
    "total",
    "today",
    "yesterday",
    "this",
    "last",
    "rolling",
    "wtd",
    "mtd",
    "qtd",
    "ytd",
    "since",
    "until",
    "before",
    "all",
    "asc",
    "desc",
    "none",
    "previous",
    "past",
];

fn is_reserved(word: &str) -> bool {
    RESERVED
        .iter()
        .any(|reserved| reserved.eq_ignore_ascii_case(word))
}
