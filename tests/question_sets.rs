//! Questions as people ask them: what is right, what is refused, and that nothing is silently wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/questions.rs"]
mod support;

use metrex::session::eval::{Expect, Part, Parts, Question, Report, Verdict};
use support::{folder, jaffle, questions, run, sets};

/// What is wrong with a report, in the words of the questions.
fn listed(report: &Report, verdict: Verdict) -> String {
    let of_kind = report.failures().filter(|one| one.verdict == verdict);
    let lines: Vec<String> = of_kind
        .map(|one| {
            format!(
                "{}: {}\n  expected {}\n  came     {}",
                one.id, one.question, one.expected, one.got
            )
        })
        .collect();
    lines.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn four_in_five_are_answered_none_with_something_else_and_the_rest_is_refused_by_its_word() {
    let folder = folder();
    for set in sets() {
        let report = run(&folder, &questions(&set)).await;
        let set = set.display();
        let wrong = listed(&report, Verdict::Wrong);
        assert!(wrong.is_empty(), "{set}:\n{wrong}");
        let broken = listed(&report, Verdict::Broken);
        assert!(broken.is_empty(), "{set}:\n{broken}");
        let inside = report.in_scope();
        assert!(
            inside.right_share() >= 0.8,
            "{set}: {inside:?}\n{}",
            listed(&report, Verdict::Refused)
        );
        let outside = report.out_of_scope();
        assert!(
            outside.right_share() >= 0.95,
            "{set}: {outside:?}\n{}",
            listed(&report, Verdict::Refused)
        );
    }
}

/// A question about the café chain.
fn question(text: &str, expect: Expect) -> Question {
    Question {
        id: text.to_owned(),
        project: "jaffle".to_owned(),
        today: "2020-08-19".parse().unwrap(),
        question: text.to_owned(),
        previous: None,
        expect,
        tags: Vec::new(),
    }
}

#[tokio::test]
async fn answers_are_compared_by_what_they_mean() {
    let folder = folder();
    let session = jaffle(&folder).await;
    let parts = |line: &str| {
        let compiled = session.compile(&line.parse().unwrap()).unwrap();
        Parts::of(&session, &compiled)
    };
    for (one, other) in [
        ("revenue by shop", "sales by location"),
        ("orders last month", "orders 2020-07"),
        ("orders by store, month", "orders by month, store"),
        ("revenue, orders", "orders, revenue"),
        (
            "orders where store != Brooklyn and store != Chicago",
            "orders where store not in (Chicago, Brooklyn)",
        ),
        (
            "orders by store where orders between 2 and 5",
            "orders by store where orders <= 5 and orders >= 2.0",
        ),
        (
            "orders where not (store = Brooklyn or has_food = true)",
            "orders where has_food != true and store != Brooklyn",
        ),
        (
            "orders last month vs previous period",
            "orders 2020-07 vs 2020-06",
        ),
        (
            "orders by store top 3",
            "orders by store order by orders desc limit 3",
        ),
    ] {
        assert_eq!(parts(one), parts(other), "{one} | {other}");
    }
    for (one, other, part) in [
        ("orders", "revenue", Part::Metric),
        ("orders by store", "orders by month", Part::Dimensions),
        (
            "orders where store = Brooklyn",
            "orders where store != Brooklyn",
            Part::Filters,
        ),
        ("orders last month", "orders mtd", Part::Time),
        (
            "orders mtd vs previous period",
            "orders mtd vs previous year",
            Part::Compare,
        ),
        (
            "orders by store top 3",
            "orders by store bottom 3",
            Part::Order,
        ),
    ] {
        let differing = parts(one).differing(&parts(other));
        assert_eq!(differing, [part], "{one} | {other}");
    }
}

#[tokio::test]
async fn expected_rows_are_compared_with_those_of_the_answer() {
    let folder = folder();
    let rows = |orders: u64| Expect::Rows(vec![vec!["Brooklyn".into(), orders.into()]]);
    let set = [
        question("orders by store in Brooklyn 2020-07", rows(7)),
        question("orders by store in Brooklyn in July 2020", rows(9_999)),
    ];
    let report = run(&folder, &set).await;
    let verdicts: Vec<Verdict> = report.judged.iter().map(|one| one.verdict).collect();
    assert_eq!(verdicts, [Verdict::Right, Verdict::Wrong], "{report:?}");
}

#[tokio::test]
async fn an_expected_answer_that_is_no_query_is_the_fault_of_the_set() {
    let folder = folder();
    let set = [question("orders", Expect::Query("ordrs".to_owned()))];
    let report = run(&folder, &set).await;
    assert_eq!(report.in_scope().broken, 1, "{report:?}");
}

#[tokio::test]
async fn a_refusal_counts_when_it_names_the_word() {
    let folder = folder();
    let refused = |word: &str| Expect::Refuse(vec![word.to_owned()]);
    let set = [
        question("orders of whales", refused("whales")),
        question("revenue of unicorns", refused("dragons")),
        question("orders last month", refused("orders")),
    ];
    let report = run(&folder, &set).await;
    let outside = report.out_of_scope();
    assert_eq!(
        (outside.right, outside.refused, outside.wrong),
        (1, 1, 1),
        "{report:?}"
    );
}

#[test]
fn a_set_with_a_line_that_is_no_question_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.jsonl");
    std::fs::write(&file, "\n{\"id\": \"one\"}\n").unwrap();
    let error = metrex::session::eval::read(&file).unwrap_err();
    assert!(error.to_string().contains("set.jsonl:2"), "{error}");
}
