//! The demo's definitions can be changed: what is changed is kept beside the embedded ones, and can be taken back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::path::Path;

use metrex::session::{NotSaved, OpenOptions, SavedQuery, Session, reset_demo};
use tokio_util::sync::CancellationToken;

fn demo(state: &Path) -> Session {
    // No project stands at or above the folder, so the demo is opened.
    let folder = tempfile::tempdir().unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    Session::open(OpenOptions {
        state_dir: Some(state.to_owned()),
        today: Some("2026-11-20".parse().unwrap()),
        ..OpenOptions::default()
    })
    .unwrap()
}

#[tokio::test]
async fn a_definition_of_the_demo_is_changed_kept_and_taken_back() {
    let state = tempfile::tempdir().unwrap();
    let session = demo(state.path());
    let file = session.definition_file("gmv").unwrap();
    let label = "label: Gross merchandise value";
    assert!(file.text.contains(label));
    let text = file.text.replace(label, "label: What buyers paid");
    session
        .save_definition(&file.path, Some(&file.text), &text)
        .unwrap();
    // Somebody who still has the delivered text does not overwrite it.
    assert!(matches!(
        session.save_definition(&file.path, Some(&file.text), "metrics: {}"),
        Err(NotSaved::Changed)
    ));
    let view = SavedQuery {
        name: "mine".to_owned(),
        description: String::new(),
        query: "gmv by market".parse().unwrap(),
    };
    let saving = session.save_view(&view, false, CancellationToken::new());
    saving.await.unwrap();

    let again = demo(state.path());
    let registry = &again.catalog().registry;
    assert_eq!(registry.metric("gmv").unwrap().label, "What buyers paid");
    assert!(registry.views.contains_key("mine"));
    // The other files are the embedded ones.
    assert!(registry.metric("mrr").is_some());

    let kept = reset_demo(Some(state.path())).unwrap().unwrap();
    assert!(kept.join("metrics/bookmarks.yaml").is_file());
    let fresh = demo(state.path());
    let registry = &fresh.catalog().registry;
    assert_eq!(
        registry.metric("gmv").unwrap().label,
        "Gross merchandise value"
    );
    assert_eq!(reset_demo(Some(state.path())).unwrap(), None);
}

#[tokio::test]
async fn what_is_to_be_indexed_changes_nothing_about_the_data() {
    let state = tempfile::tempdir().unwrap();
    let session = demo(state.path());
    let steps = async |session: &Session| {
        let mut steps = Vec::new();
        let told = |now: metrex::session::Preparing| steps.push(now.step);
        session.prepare(told).await.unwrap();
        steps
    };
    let first = steps(&session).await;
    assert!(first.iter().any(|step| step.starts_with("demo data")));
    assert!(steps(&session).await.is_empty());

    let file = session.definition_file("gmv").unwrap();
    let more = "    dimensions:\n      currency_of_orders: {column: grass_region}\n";
    let text = file.text.replacen("    dimensions:\n", more, 1);
    session
        .save_definition(&file.path, Some(&file.text), &text)
        .unwrap();
    let again = steps(&demo(state.path())).await;
    assert!(again.iter().all(|step| step.starts_with("values of")));
    assert!(steps(&demo(state.path())).await.is_empty());
}
