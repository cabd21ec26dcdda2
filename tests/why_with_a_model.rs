//! A model may propose hypotheses: query lines that compile, tested like all others; never SQL, and never by itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/llm_stub.rs"]
mod llm_stub;
#[path = "support/project.rs"]
mod project;

use std::fs;

use jiff::civil::date;
use llm_stub::{Answer, Stub};
use metrex::session::why::{Look, State, Why, WhyRequest};
use metrex::session::{OpenOptions, Session};
use serde_json::json;
use tokio_util::sync::CancellationToken;

async fn asked(answers: Vec<Answer>, with_model: bool) -> (Why, Stub) {
    let stub = Stub::start(answers).await;
    let shop = project::shop();
    let config = shop.path().join("metrex.yaml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}{}", stub.yaml("anthropic"))).unwrap();
    let session = Session::open(OpenOptions {
        project: Some(shop.path().to_owned()),
        today: Some(date(2025, 11, 20)),
        state_dir: Some(shop.path().join("state")),
        ..OpenOptions::default()
    })
    .unwrap();
    let request = WhyRequest {
        query: "gmv 2025-10".parse().unwrap(),
        with_model,
        ..WhyRequest::default()
    };
    let why = session.why(request, CancellationToken::new(), |_| {}).await;
    (why.unwrap(), stub)
}

fn proposals() -> Answer {
    Answer::json(&json!({"hypotheses": [
        {"because": "Buyers of one segment ordered less.", "look_at": "orders by segment"},
        {"because": "Something in the tables.", "look_at": "select * from users"},
        {"because": "Somebody's address.", "look_at": "orders by nowhere"},
        {"because": "Two at once.", "look_at": "gmv, orders by market"},
        {"because": "One too many.", "look_at": "orders by channel"},
    ]}))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_asked_is_asked_and_what_cannot_is_told() {
    let (why, stub) = asked(vec![proposals()], true).await;
    let nodes = why.tree.walk();
    let proposed: Vec<_> = nodes
        .iter()
        .filter(|(_, node)| matches!(node.look, Look::Proposed(_)))
        .collect();
    assert_eq!(proposed.len(), 1);
    let node = proposed[0].1;
    assert_eq!(
        (node.line.as_str(), node.state),
        ("orders by segment 2025-10 vs previous period", State::Done)
    );
    assert_eq!(node.source.as_deref(), Some("proposed by the model"));
    assert!(!node.rows.is_empty() && !node.says.is_empty());
    let refused = why
        .notes
        .iter()
        .filter(|note| note.contains("cannot be asked"));
    assert_eq!(refused.count(), 3, "{:?}", why.notes);
    // It is told names and verdicts, and no personal data.
    let seen = stub.seen();
    assert_eq!(seen.len(), 1);
    let prompt = seen[0].prompt();
    assert!(
        prompt.contains("gmv by market") && !prompt.contains("example.com"),
        "{prompt}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_fails_leaves_what_was_found_and_nobody_asks_it_unbidden() {
    let (without, stub) = asked(vec![proposals()], false).await;
    assert!(without.is_done && stub.seen().is_empty());
    let (why, _) = asked(vec![Answer::text("I would look at the weather.")], true).await;
    assert!(why.is_done);
    assert_eq!(why.answer, without.answer);
    let note = why
        .notes
        .iter()
        .find(|note| note.contains("proposed nothing"));
    assert!(note.is_some(), "{:?}", why.notes);
}
