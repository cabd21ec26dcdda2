//! Canonical datasets: what people write of them, what is refused, what holds in the warehouse and what is promised.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use metrex::model::{CanonicalKind, CanonicalOf, Grain, Status};
use metrex::registry::{Config, Loaded, Project, ProjectFile, ProjectFiles, load};

const BASE: &str = "
datasets:
  orders:
    table: mart.orders
    key: order_id
    time: created_at
    dimensions: {market: {column: grass_region}, status: {}}
  people: {table: people_dim, key: person_id, dimensions: {team: {}}}
";

fn loaded_with(text: &str) -> Loaded {
    let file = |path: &str, text: &str| ProjectFile {
        path: path.into(),
        text: text.into(),
    };
    let files = ProjectFiles {
        metrics: vec![file("metrics/a.yaml", BASE), file("metrics/b.yaml", text)],
        ..ProjectFiles::default()
    };
    load(&files, &Config::default(), None)
}

fn problems(text: &str) -> Vec<String> {
    let loaded = loaded_with(&format!("canonical_datasets:\n{text}"));
    loaded.diagnostics.iter().map(ToString::to_string).collect()
}

#[test]
fn a_canonical_dataset_is_a_dataset_or_a_table() {
    let loaded = loaded_with(
        "canonical_datasets:
  fct_orders:
    kind: fact
    dataset: orders
    sla: {fresh_within: 2 days, every: day, complete: 99.5%}
    attributes: {market: {not_null: true}, amount: {range: [0, null]}}
    lineage: {sources: [raw.orders]}
  dim_stores: {kind: dimension, table: mart.stores, grain: store_id, aliases: stores, status: certified}
",
    );
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let registry = &loaded.registry;
    let orders = registry.canonical_of("orders").unwrap();
    assert_eq!(
        (orders.kind, orders.status),
        (CanonicalKind::Fact, Status::Published)
    );
    assert_eq!(orders.grain, ["order_id"], "the dataset's key");
    assert_eq!(orders.table(registry), Some("mart.orders"));
    assert_eq!(orders.sla.fresh_within, Some((2, Grain::Day)));
    assert_eq!(orders.sla.complete, Some(0.995));
    assert_eq!(orders.attributes["amount"].range, (Some("0".into()), None));
    let stores = &registry.canonical["dim_stores"];
    assert_eq!(stores.of, CanonicalOf::Table("mart.stores".into()));
    assert_eq!(stores.table(registry), Some("mart.stores"));
    assert!(registry.canonical_of("people").is_none());
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    let cases = [
        (
            "  a: {kind: fact}",
            "metrics/b.yaml:2:3: error: canonical dataset 'a' needs a dataset — add dataset: with the name of one, or table: for a table that is none",
        ),
        (
            "  a: {dataset: orders}",
            "metrics/b.yaml:2:3: error: canonical dataset 'a' needs a kind — add kind: dimension, fact or mart",
        ),
        (
            "  a: {kind: fact, dataset: order}",
            "metrics/b.yaml:2:28: error: unknown dataset 'order' — did you mean 'orders'?",
        ),
        (
            "  a: {kind: fact, dataset: orders, table: t}",
            "metrics/b.yaml:2:43: error: it is either a dataset of this project or a table — leave table out: the dataset says which it is",
        ),
        (
            "  a: {kind: fact, dataset: orders}\n  b: {kind: mart, dataset: orders}",
            "metrics/b.yaml:3:28: error: 'orders' is already 'a' (metrics/b.yaml:2) — one dataset is canonical once; aliases are other names of it",
        ),
        (
            "  a: {kind: fact, dataset: orders, attributes: {markt: {not_null: true}}}",
            "metrics/b.yaml:2:49: error: unknown dimension or column of orders: 'markt' — did you mean 'market'?",
        ),
        (
            "  a: {kind: fact, dataset: orders, attributes: {market: {not_null: true, optional: true}}}",
            "metrics/b.yaml:2:84: error: 'market' cannot be optional and never empty — leave one of the two out",
        ),
        (
            "  a: {kind: fact, dataset: orders, attributes: {amount: {range: [10, 1]}}}",
            "metrics/b.yaml:2:66: error: no value is between '10' and '1' — the smaller one comes first",
        ),
        (
            "  a: {kind: fact, dataset: orders, attributes: {amount: {range: 10}}}",
            "metrics/b.yaml:2:65: error: the range of 'amount' has two ends — write range: [0, 100], or [0, null]",
        ),
        (
            "  a: {kind: dimension, dataset: people, sla: {fresh_within: 1 day}}",
            "metrics/b.yaml:2:61: error: nothing says when a row of 'a' is from — add by: with the column of its time",
        ),
        (
            "  a: {kind: fact, dataset: orders, sla: {complete: 120%}, attributes: {market: {}}}",
            "metrics/b.yaml:2:52: error: '120%' is not a share of rows — write it like 99.5%",
        ),
        (
            "  a: {kind: fact, dataset: orders, sla: {complete: 99%}}",
            "metrics/b.yaml:2:52: error: no attribute says what a complete row has — list the core attributes under attributes:",
        ),
        (
            "  a: {kind: fact, dataset: orders, successor: b}\n  b: {kind: fact, table: t}",
            "metrics/b.yaml:2:47: error: only what is deprecated has a successor — say status: deprecated, or leave successor out",
        ),
        (
            "  a: {kind: fact, dataset: orders, status: deprecated, successor: fct}\n  fct_b: {kind: fact, table: t, aliases: [a]}",
            "metrics/b.yaml:2:67: error: unknown canonical dataset 'fct' — did you mean 'fct_b'?",
        ),
    ];
    for (text, expected) in cases {
        let found = problems(text);
        assert!(
            found.iter().any(|one| one == expected),
            "{text}\n{found:#?}"
        );
    }
    assert_eq!(
        problems("  a: {kind: fact, dataset: orders}\n  b: {kind: fact, table: t, aliases: [A]}"),
        [
            "metrics/b.yaml:3:39: error: 'A' is already the name of a canonical dataset (metrics/b.yaml:2)"
        ]
    );
}

#[test]
fn the_demo_has_canonical_datasets_of_every_kind() {
    let project = Project::demo().unwrap();
    let registry = load(&project.files(), &project.config, None).registry;
    let of_kind = |kind| {
        let all = registry.canonical.values();
        all.filter(|one| one.kind == kind).count()
    };
    for kind in [
        CanonicalKind::Dimension,
        CanonicalKind::Fact,
        CanonicalKind::Mart,
    ] {
        assert!(of_kind(kind) >= 2, "{}", kind.word());
    }
    let old = &registry.canonical["ads_server_old"];
    assert_eq!(old.successor.as_deref(), Some("fct_ads"));
}
