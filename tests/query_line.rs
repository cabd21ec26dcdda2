//! The query line: every query has one text that reads back as itself; a wrong line says what and where.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use metrex::model::query_line::{Expected, expected_at_end};
use metrex::model::{
    CompareOp, Comparison, Direction, Filter, Grain, GroupBy, MetricQuery, OrderBy, Period,
    TimeRange,
};
use proptest::prelude::*;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z][a-z0-9_]{0,8}",
        1 => "[a-z]{1,5}\\.[a-z]{1,5}",
        1 => prop::sample::select(vec!["by", "Top", "month", "a.month", "total", "2025-11", "Q", "last", "a b", "x\"y", "ü", ".a", "a..b", "a.", "1"]).prop_map(str::to_owned),
        1 => "\\PC{1,6}".prop_filter("names have a letter", |name| !name.trim().is_empty()),
    ]
}

fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_-]{1,8}",
        "-?[0-9]{1,4}(\\.[0-9]{1,2})?",
        "\\PC{0,8}",
        prop::sample::select(vec![
            "and",
            "null",
            "it's",
            "a, b",
            "2025-11-01",
            "..",
            "",
            "(",
            "'",
            "\n"
        ])
        .prop_map(str::to_owned),
    ]
}

fn grain() -> impl Strategy<Value = Grain> {
    prop::sample::select(Grain::ALL.to_vec())
}

fn day_grain() -> impl Strategy<Value = Grain> {
    prop::sample::select(Grain::ALL[3..].to_vec())
}

fn period() -> impl Strategy<Value = Period> {
    prop_oneof![
        (1990i16..2090).prop_map(Period::Year),
        (1990i16..2090, 1i8..=4).prop_map(|(year, quarter)| Period::Quarter(year, quarter)),
        (1990i16..2090, 1i8..=12).prop_map(|(year, month)| Period::Month(year, month)),
        (1990i16..2090, 1i8..=52).prop_map(|(year, week)| Period::Week(year, week)),
        (1990i16..2090, 1i8..=12, 1i8..=28)
            .prop_map(|(y, m, d)| Period::Day(jiff::civil::date(y, m, d))),
    ]
}

fn span() -> impl Strategy<Value = (Period, Period)> {
    (period(), period()).prop_filter_map("ends after it starts", |(a, b)| {
        (a.days().unwrap().0 < b.days().unwrap().1).then_some((a, b))
    })
}

fn time() -> impl Strategy<Value = TimeRange> {
    prop_oneof![
        Just(TimeRange::AllTime),
        day_grain().prop_map(TimeRange::This),
        (1u32..400, day_grain()).prop_map(|(n, grain)| TimeRange::Last(n, grain)),
        (1u32..400, day_grain()).prop_map(|(n, grain)| TimeRange::Rolling(n, grain)),
        prop::sample::select(Grain::ALL[4..].to_vec()).prop_map(TimeRange::ToDate),
        span().prop_map(|(a, b)| TimeRange::Span(Some(a), Some(b))),
        period().prop_map(|a| TimeRange::Span(Some(a), None)),
        period().prop_map(|a| TimeRange::Span(None, Some(a))),
    ]
}

fn comparison() -> impl Strategy<Value = Comparison> {
    prop_oneof![
        Just(Comparison::PreviousPeriod),
        Just(Comparison::PreviousYear),
        (2u32..60, day_grain()).prop_map(|(n, grain)| Comparison::Ago(n, grain)),
        span().prop_map(|(a, b)| Comparison::Range(a, b)),
    ]
}

fn group() -> impl Strategy<Value = GroupBy> {
    prop_oneof![
        name().prop_map(GroupBy::Dimension),
        grain().prop_map(|grain| GroupBy::Grain { grain, of: None }),
        (grain(), name()).prop_map(|(grain, of)| GroupBy::Grain {
            grain,
            of: Some(of)
        }),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let op = prop::sample::select(vec![
        CompareOp::Eq,
        CompareOp::Ne,
        CompareOp::Lt,
        CompareOp::Le,
        CompareOp::Gt,
        CompareOp::Ge,
    ]);
    let leaf = prop_oneof![
        (name(), op, literal()).prop_map(|(field, op, value)| Filter::Compare { field, op, value }),
        (
            name(),
            prop::collection::vec(literal(), 1..4),
            any::<bool>()
        )
            .prop_map(|(field, values, negated)| Filter::In {
                field,
                values,
                negated
            }),
        (name(), literal(), literal(), any::<bool>()).prop_map(|(field, low, high, negated)| {
            Filter::Between {
                field,
                low,
                high,
                negated,
            }
        }),
        (name(), literal(), any::<bool>()).prop_map(|(field, pattern, negated)| Filter::Like {
            field,
            pattern,
            negated
        }),
        (name(), any::<bool>()).prop_map(|(field, negated)| Filter::IsNull { field, negated }),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        let parts = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            parts.clone().prop_map(|parts| Filter::And(
                parts
                    .into_iter()
                    .flat_map(|part| if let Filter::And(more) = part {
                        more
                    } else {
                        vec![part]
                    })
                    .collect()
            )),
            parts.prop_map(|parts| Filter::Or(
                parts
                    .into_iter()
                    .flat_map(|part| if let Filter::Or(more) = part {
                        more
                    } else {
                        vec![part]
                    })
                    .collect()
            )),
            inner.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    })
}

prop_compose! {
    fn query()(
        metrics in prop::collection::vec(name(), 0..4),
        group_by in prop::option::of(prop::collection::vec(group(), 0..3)),
        filters in prop::option::of(filter()),
        time in prop::option::of(time()),
        compare in prop::option::of(comparison()),
        order in prop::collection::vec((name(), any::<bool>()), 0..3),
        by_metric in any::<bool>(),
        limit in prop::option::of(1u64..1000),
        total in any::<bool>(),
        range_of in prop::collection::vec(group(), 0..3),
    ) -> MetricQuery {
        // Beside metrics nothing is asked for its range.
        let range_of = if metrics.is_empty() { range_of } else { Vec::new() };
        let direction = |desc| if desc { Direction::Descending } else { Direction::Ascending };
        let mut order: Vec<OrderBy> =
            order.into_iter().map(|(column, desc)| OrderBy { column, direction: direction(desc) }).collect();
        if let (true, Some(first), Some(key)) = (by_metric, metrics.first(), order.first_mut()) {
            key.column.clone_from(first);
        }
        MetricQuery { metrics, group_by, filters, time, compare, order, limit, total, range_of, ..MetricQuery::default() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_query_reads_back_from_its_own_text(query in query()) {
        let line = query.to_string();
        let back: MetricQuery = line.parse().map_err(|error| TestCaseError::fail(format!("{line}: {error}")))?;
        prop_assert_eq!(&back, &query, "{}", line);
        prop_assert_eq!(back.to_string(), line);
    }

    #[test]
    fn every_query_reads_back_from_json(query in query()) {
        let json = serde_json::to_string(&query).unwrap();
        prop_assert_eq!(serde_json::from_str::<MetricQuery>(&json).unwrap(), query);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = text.parse::<MetricQuery>();
        let _ = expected_at_end(&text);
    }

    #[test]
    fn no_words_make_the_parser_panic(words in prop::collection::vec(prop::sample::select(vec![
        "gmv", "range", "of", ",", "by", "where", "market", "=", "in", "(", ")", "not", "and", "or", "last", "7", "days", "vs",
        "previous", "period", "top", "order", "limit", "total", "2025-11", "..", "is", "null", "'", "\"", "between", "ago",
    ]), 0..20)) {
        let _ = words.join(" ").parse::<MetricQuery>();
    }
}

fn reads_as(line: &str, canonical: &str) {
    assert_eq!(
        line.parse::<MetricQuery>()
            .unwrap_or_else(|error| panic!("{line}: {error}"))
            .to_string(),
        canonical
    );
}

#[test]
fn the_line_of_the_handbook_is_canonical() {
    let line = "gmv, take_rate by market, week where channel in (ads, organic) and buyer.segment = SMB last 90 days vs previous period top 10 by gmv";
    reads_as(line, line);
}

#[test]
fn equal_questions_have_one_text() {
    reads_as("Range Of paid_on BY market", "range of paid_on by market");
    reads_as("range by market", "range by market");
    reads_as("gmv top 10", "gmv top 10 by gmv");
    reads_as("gmv order by gmv desc limit 10", "gmv top 10 by gmv");
    reads_as("gmv last 1 day", "gmv yesterday");
    reads_as("gmv this day", "gmv today");
    reads_as("gmv previous month", "gmv last month");
    reads_as("gmv 2025-11..2025-11", "gmv 2025-11");
    reads_as("gmv vs 1 year ago", "gmv vs previous year");
    reads_as("gmv where market <> BR", "gmv where market != BR");
    reads_as(
        "gmv BY market WHERE market IN ('BR')",
        "gmv by market where market in (BR)",
    );
    reads_as(
        "gmv where (a = 1 and (b = 2 and c = 3))",
        "gmv where a = 1 and b = 2 and c = 3",
    );
    reads_as(
        "gmv where (a = 1 or b = 2) and c = 3",
        "gmv where (a = 1 or b = 2) and c = 3",
    );
    reads_as("gmv before 2025-03", "gmv until 2025-02-28");
    reads_as("gmv quarter to date", "gmv qtd");
    reads_as("gmv last 6 months by market", "gmv by market last 6 months");
}

#[test]
fn a_wrong_line_says_what_and_where() {
    let error = "gmv by market where channel ads"
        .parse::<MetricQuery>()
        .unwrap_err();
    assert_eq!(error.range, 28..31);
    assert!(
        error.message.contains("found 'ads' where an operator"),
        "{error}"
    );
    let error = "gmv by market channel".parse::<MetricQuery>().unwrap_err();
    assert_eq!(error.range, 14..21);
    assert!(error.to_string().contains("clause"), "{error}");
    let error = "gmv where market = 'BR".parse::<MetricQuery>().unwrap_err();
    assert!(error.message.contains("never closed"), "{error}");
    let error = "gmv last 7 hours".parse::<MetricQuery>().unwrap_err();
    assert!(error.message.contains("whole days"), "{error}");
    let error = "gmv 2025-11..2025-10".parse::<MetricQuery>().unwrap_err();
    assert!(error.message.contains("ends before"), "{error}");
    let error = "gmv by a by b".parse::<MetricQuery>().unwrap_err();
    assert!(error.message.contains("twice"), "{error}");
    let error = "gmv this 3 months".parse::<MetricQuery>().unwrap_err();
    assert!(error.to_string().contains("last 3 months"), "{error}");
    let deep = format!(
        "gmv where {}a = 1{}",
        "(".repeat(100_000),
        ")".repeat(100_000)
    );
    assert!(
        deep.parse::<MetricQuery>()
            .unwrap_err()
            .message
            .contains("nested too deeply")
    );
}

#[test]
fn the_end_of_an_unfinished_line_says_what_may_come() {
    assert_eq!(expected_at_end(""), Expected::Metric);
    assert_eq!(expected_at_end("gmv, "), Expected::Metric);
    assert_eq!(expected_at_end("gmv by "), Expected::Group);
    assert_eq!(expected_at_end("gmv where "), Expected::Field);
    assert_eq!(
        expected_at_end("gmv where market "),
        Expected::Operator("market".into())
    );
    assert_eq!(
        expected_at_end("gmv where market in (BR, "),
        Expected::Value("market".into())
    );
    assert_eq!(
        expected_at_end("gmv where market = "),
        Expected::Value("market".into())
    );
    assert_eq!(expected_at_end("gmv order by "), Expected::Column);
    assert_eq!(expected_at_end("gmv since "), Expected::Period);
    assert_eq!(expected_at_end("gmv top "), Expected::Number);
    assert!(
        matches!(expected_at_end("gmv "), Expected::Words(words) if words.contains(&"by") && words.contains(&"where"))
    );
    assert!(
        matches!(expected_at_end("gmv by market "), Expected::Words(words) if !words.contains(&"by"))
    );
}

#[test]
fn registry_windows_use_the_same_words() {
    for (text, range) in [
        ("quarter_to_date", TimeRange::ToDate(Grain::Quarter)),
        ("all_time", TimeRange::AllTime),
        ("last_7_days", TimeRange::Last(7, Grain::Day)),
        ("last 6 months", TimeRange::Last(6, Grain::Month)),
        ("yesterday", TimeRange::Last(1, Grain::Day)),
        (
            "2025-11-01..2025-11-30",
            TimeRange::Span(Period::parse("2025-11-01"), Period::parse("2025-11-30")),
        ),
    ] {
        assert_eq!(text.parse::<TimeRange>().unwrap(), range, "{text}");
    }
}
