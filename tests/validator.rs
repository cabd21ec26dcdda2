//! The guard: what SQL it lets through, what it stops, and with which words.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/corpus.rs"]
mod corpus;

use corpus::{check, registry};
use metrex::warehouse::Dialect;

#[test]
fn every_text_of_the_corpus_is_found_as_expected() {
    let cases = corpus::read(include_str!("corpus/sql.txt"));
    corpus::hold(&cases);
}

#[test]
fn every_snippet_of_the_demo_passes_and_keeps_its_own_conditions() {
    for (name, metric) in &registry().metrics {
        let metrex::model::MetricKind::Complex { snippet, .. } = &metric.kind else {
            continue;
        };
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let report = check(&registry().snippets[snippet].text, dialect, Some(name));
            assert!(!report.blocks(), "{name}: {report}");
        }
    }
}
