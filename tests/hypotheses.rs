//! Rules of an investigation are read, checked and located like every other definition.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use metrex::model::Moves;
use metrex::registry::{Config, Loaded, ProjectFile, ProjectFiles, load};

const BASE: &str = "
datasets:
  orders:
    table: orders
    time: created_at
    dimensions: {market: {}, channel: {}, created_at: {type: time}}
  visits:
    table: visits
    time: visited_at
    dimensions: {device: {}, visited_at: {type: time}}
metrics:
  gmv: {base_table: orders, agg: sum, expr: amount}
  orders: {base_table: orders, agg: count}
  aov: {expr: gmv / orders, aliases: [basket]}
  visits: {base_table: visits, agg: count}
";

fn loaded(rules: &str) -> Loaded {
    let file = |path: &str, text: &str| ProjectFile {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let files = ProjectFiles {
        metrics: vec![
            file("metrics/base.yaml", BASE),
            file("metrics/rules.yaml", &format!("hypotheses:\n{rules}")),
        ],
        ..ProjectFiles::default()
    };
    load(&files, &Config::default(), None)
}

fn problems(rules: &str) -> Vec<String> {
    let loaded = loaded(rules);
    let said = loaded.diagnostics.iter();
    said.map(|one| format!("{}:{} {}", one.line, one.column, one.message))
        .collect()
}

#[test]
fn a_rule_names_metrics_by_any_of_their_names_and_is_kept_with_its_place() {
    let loaded = loaded(
        "  smaller: {metric: basket, when: falls, because: Orders became smaller., look_at: gmv by market where channel = ads, expect: falls, then: [fewer]}
  fewer:
    because: There are fewer of them.
    look_at: orders
",
    );
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let rules = &loaded.registry.hypotheses;
    let names: Vec<&String> = rules.keys().collect();
    assert_eq!(names, ["smaller", "fewer"]);
    let smaller = &rules["smaller"];
    assert_eq!(smaller.metric.as_deref(), Some("aov"));
    assert_eq!(
        (smaller.when, smaller.expect, rules["fewer"].expect),
        (Moves::Falls, Moves::Falls, Moves::Moves)
    );
    assert_eq!(
        smaller.look_at.to_string(),
        "gmv by market where channel = ads"
    );
    assert_eq!(
        loaded.registry.at(rules["fewer"].place),
        "metrics/rules.yaml:3"
    );
}

#[test]
fn what_is_wrong_in_a_rule_is_said_where_it_stands() {
    for (rules, said) in [
        (
            "  a: {metric: gmw, because: x, look_at: orders}\n",
            "unknown metric 'gmw'",
        ),
        (
            "  a: {metric: gmv, because: x, look_at: ordres}\n",
            "unknown metric 'ordres'",
        ),
        (
            "  a: {metric: gmv, because: x, look_at: orders by device}\n",
            "unknown dimension 'device'",
        ),
        (
            "  a: {metric: gmv, because: x, look_at: orders where device = ios}\n",
            "unknown dimension 'device'",
        ),
        (
            "  a: {metric: gmv, because: x, look_at: orders last month}\n",
            "what is looked at is one metric, by at most one dimension",
        ),
        (
            "  a: {metric: gmv, because: x, look_at: 'orders, gmv by market'}\n",
            "what is looked at is one metric, by at most one dimension",
        ),
        (
            "  a: {metric: gmv, because: x, look_at: orders by month}\n",
            "what is looked at is one metric, by at most one dimension",
        ),
        (
            "  a: {metric: gmv, because: x}\n",
            "hypothesis 'a' needs look_at",
        ),
        (
            "  a: {metric: gmv, look_at: orders}\n",
            "hypothesis 'a' needs because",
        ),
        (
            "  a: {because: x, look_at: orders}\n",
            "nothing leads to the hypothesis 'a'",
        ),
        (
            "  a: {metric: gmv, because: x, look_at: orders, then: [b]}\n",
            "unknown hypothesis 'b'",
        ),
        (
            "  a: {metric: gmv, because: x, look_at: orders, then: [a]}\n",
            "'a' leads back to 'a'",
        ),
        (
            "  a: {metric: gmv, when: sinks, because: x, look_at: orders}\n",
            "sinks",
        ),
    ] {
        let problems = problems(rules);
        assert!(!problems.is_empty(), "{rules}");
        assert!(problems[0].contains(said), "{rules}{problems:?}");
        assert!(problems[0].starts_with("2:"), "{problems:?}");
        assert!(loaded(rules).registry.hypotheses.is_empty(), "{rules}");
    }
}
