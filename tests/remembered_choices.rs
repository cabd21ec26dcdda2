//! What a user chose for words: remembered across sessions, replaced, forgotten, and ignored once it means nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/project.rs"]
mod project;

use jiff::Timestamp;
use metrex::session::{Meaning, OpenOptions, Session, Understanding};
use metrex::usage::{Choice, Usage};
use project::shop;
use tempfile::TempDir;

fn open(folder: &TempDir) -> Session {
    Session::open(OpenOptions {
        project: Some(folder.path().to_owned()),
        state_dir: Some(folder.path().join(".state")),
        today: Some(jiff::civil::date(2025, 11, 20)),
        ..OpenOptions::default()
    })
    .unwrap()
}

fn meanings(session: &Session) -> Vec<(String, Meaning)> {
    let choices = session.choices().into_iter();
    choices
        .map(|choice| (choice.words, choice.meaning))
        .collect()
}

#[test]
fn a_choice_is_remembered_by_the_next_session() {
    let folder = shop();
    let gmv = Meaning::Metric("gmv".to_owned());
    let session = open(&folder);
    assert!(session.choices().is_empty());
    session.choose("gmv", "The  Takings", &gmv);
    assert_eq!(
        meanings(&session),
        [("the takings".to_owned(), gmv.clone())]
    );
    drop(session);
    assert_eq!(meanings(&open(&folder)), [("the takings".to_owned(), gmv)]);
}

#[test]
fn the_latest_choice_for_the_same_words_counts() {
    let folder = shop();
    let session = open(&folder);
    let market = Meaning::Value {
        dimension: "market".to_owned(),
        value: "ID".to_owned(),
    };
    session.choose("gmv", "indo", &Meaning::Metric("gmv".to_owned()));
    session.choose("gmv", "Índo", &market);
    assert_eq!(meanings(&session), [("indo".to_owned(), market.clone())]);
    drop(session);
    assert_eq!(meanings(&open(&folder)), [("indo".to_owned(), market)]);
}

#[test]
fn a_choice_is_forgotten() {
    let folder = shop();
    let session = open(&folder);
    session.choose("gmv", "takings", &Meaning::Metric("gmv".to_owned()));
    let market = Meaning::Dimension("market".to_owned());
    session.choose("gmv", "place", &market);
    session.forget_choice("TAKINGS");
    let left = [("place".to_owned(), market)];
    assert_eq!(meanings(&session), left);
    drop(session);
    assert_eq!(meanings(&open(&folder)), left);
}

#[test]
fn words_without_letters_are_not_remembered() {
    let folder = shop();
    let session = open(&folder);
    session.choose("gmv", " - ", &Meaning::Metric("gmv".to_owned()));
    assert!(session.choices().is_empty());
}

#[test]
fn the_log_keeps_choices_with_how_often_they_were_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.db");
    let at: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
    let choice = Choice {
        words: "takings".to_owned(),
        meaning: "{\"metric\":\"gmv\"}".to_owned(),
        at,
        used: 0,
    };
    let usage = Usage::open(&file).unwrap();
    usage.choose(choice.clone());
    usage.use_choice("takings");
    usage.use_choice("takings");
    usage.use_choice("never chosen");
    drop(usage);
    let used = Choice { used: 2, ..choice };
    assert_eq!(Usage::open(&file).unwrap().choices().unwrap(), [used]);
}

#[test]
fn a_meaning_that_this_version_does_not_know_is_ignored() {
    let folder = shop();
    let session = open(&folder);
    let file = session.state().path().join("usage.db");
    drop(session);
    let usage = Usage::open(&file).unwrap();
    usage.choose(Choice {
        words: "whales".to_owned(),
        meaning: "{\"cohort\":\"whales\"}".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        used: 0,
    });
    drop(usage);
    assert!(open(&folder).choices().is_empty());
}

#[test]
fn a_time_is_chosen_for_its_question_only() {
    let folder = shop();
    let session = open(&folder);
    let time = Meaning::Time("last 7 days".parse().unwrap());
    session.choose("gmv recently", "recently", &time);
    assert!(session.choices().is_empty());
    let is_clear = |session: &Session, question: &str| {
        let understood = session.understand(question, None);
        matches!(understood, Understanding::Clear(_))
    };
    assert!(is_clear(&session, "GMV recently"));
    assert!(!is_clear(&session, "gmv by market recently"));
    drop(session);
    assert!(!is_clear(&open(&folder), "gmv recently"));
}
