//! What is suggested for a metric from a few words, and the form that asks for them.
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
#[path = "support/explorer.rs"]
mod support;

use std::collections::HashMap;
use std::fs;

use jiff::civil::date;
use llm_stub::{Answer, Stub};
use metrex::govern::suggest::{
    Decision, Ground, Idea, OfferKind, State, Suggestions, Values, suggest,
};
use metrex::model::{ColumnType, Registry};
use metrex::registry::{Project, load};
use metrex::session::define::Defined;
use metrex::session::{OpenOptions, Session};
use metrex::warehouse::{ColumnInfo, TableInfo};
use support::Explorer;
use tokio_util::sync::CancellationToken;

fn registry() -> Registry {
    let project = Project::demo().unwrap();
    load(&project.files(), &project.config, None).registry
}

fn contracts() -> TableInfo {
    use ColumnType::{Date, Integer, Number, Text};
    let columns = [
        ("month", Date),
        ("contract_id", Integer),
        ("subscription_id", Integer),
        ("seller_id", Integer),
        ("grass_region", Text),
        ("plan", Text),
        ("status", Text),
        ("billing_interval", Text),
        ("contact_email", Text),
        ("amount_usd", Number),
    ];
    let column = |(name, ty): (&str, ColumnType)| ColumnInfo {
        name: name.to_owned(),
        ty: Some(ty),
        nullable: false,
    };
    TableInfo {
        name: "contract_months".to_owned(),
        view: false,
        columns: columns.map(column).to_vec(),
        primary_key: vec!["month".to_owned(), "contract_id".to_owned()],
        unique_keys: Vec::new(),
        foreign_keys: Vec::new(),
        row_estimate: None,
    }
}

fn values() -> Values {
    let column = |name: &str, values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        (name.to_owned(), values)
    };
    HashMap::from([
        (
            "contract_months".to_owned(),
            vec![
                column("grass_region", &["BR", "ID", "TH"]),
                column("plan", &["Basic", "Plus", "Pro"]),
                column("status", &["active", "cancelled", "past_due", "trialing"]),
                column("billing_interval", &["annual", "monthly"]),
            ],
        ),
        (
            "orders".to_owned(),
            vec![
                column("status", &["COMPLETED", "CANCELLED"]),
                column("grass_region", &["BR", "ID"]),
            ],
        ),
    ])
}

fn suggested(idea: &Idea, history: &[f64]) -> Suggestions {
    let (registry, values, used) = (registry(), values(), HashMap::new());
    let tables = [contracts()];
    let ground = Ground {
        registry: &registry,
        tables: &tables,
        values: &values,
        used: &used,
        history,
        today: date(2026, 11, 20),
    };
    suggest(idea, &ground)
}

fn contracted(rules: &[&str]) -> Idea {
    Idea {
        name: "Contracted MRR".to_owned(),
        definition: "What running contracts are worth per month.".to_owned(),
        rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
        ..Idea::default()
    }
}

/// The text of the only rule, whether it is taken, and why.
fn ruled(rule: &str) -> (String, bool, String) {
    let found = suggested(&contracted(&[rule]), &[]);
    let offer = found
        .offers
        .iter()
        .find(|offer| offer.kind == OfferKind::Rule);
    let offer = offer.unwrap();
    (offer.text.clone(), offer.is_taken(), offer.why.clone())
}

#[test]
fn a_sentence_and_three_rules_are_a_metric() {
    let rules = [
        "Exclude trial subscriptions",
        "Only count active and past_due",
        "Convert annual contracts to monthly equivalent",
    ];
    let mut idea = contracted(&rules);
    idea.definition = "The recurring revenue of contracts, from subscriptions, as MRR.".to_owned();
    let found = suggested(&idea, &[]);
    assert_eq!(found.missing, None);
    assert_eq!(
        (found.name.as_str(), found.dataset.as_str()),
        ("contracted_mrr", "contract_months")
    );
    let metric = &found.metric;
    assert_eq!(metric["agg"], "sum");
    assert_eq!(
        metric["expr"],
        "case billing_interval when 'annual' then amount_usd / 12.0 else amount_usd end"
    );
    assert_eq!(
        metric["filters"],
        serde_json::json!(["status <> 'trialing'", "status in ('active', 'past_due')"])
    );
    assert_eq!(
        metric["last_by"],
        serde_json::json!({"time": "month_start"})
    );
    assert_eq!(metric["format"]["currency"], "USD");
    let dataset = found.new_dataset.unwrap();
    assert_eq!(dataset["key"], serde_json::json!(["month", "contract_id"]));
    assert_eq!(dataset["joins"]["seller"]["to"], "sellers");
    let dimensions: Vec<&String> = dataset["dimensions"].as_object().unwrap().keys().collect();
    // Called as other datasets call the same column, and otherwise where the values are others.
    assert_eq!(
        dimensions,
        [
            "month_start",
            "market",
            "plan",
            "contract_status",
            "billing_interval"
        ]
    );
    let personal = found
        .offers
        .iter()
        .find(|offer| offer.text == "contact_email");
    assert_eq!(personal.unwrap().state, State::Known);
    assert_eq!(found.offers[0].text, "contract_months");
    let other = found
        .offers
        .iter()
        .find(|offer| offer.text == "subscription_months");
    let why = &other.unwrap().why;
    assert!(why.starts_with("alternative, lower quality"), "{why}");
}

#[test]
fn a_rule_is_taken_where_every_word_is_understood() {
    for (rule, condition) in [
        ("Exclude trials", "status <> 'trialing'"),
        ("Cancelled contracts do not count", "status <> 'cancelled'"),
        ("Only Pro and Plus plans", "plan in ('Plus', 'Pro')"),
        ("Only Brazil", "grass_region = 'BR'"),
        (
            "Exclude trial subscriptions in Brazil",
            "not (grass_region = 'BR' and status = 'trialing')",
        ),
        (
            "Normalise annual amounts to a month",
            "amount: case billing_interval when 'annual' then amount_usd / 12.0 else amount_usd end",
        ),
    ] {
        let (text, taken, why) = ruled(rule);
        assert_eq!(text, condition, "{rule}: {why}");
        assert!(taken, "{rule}: {why}");
    }
}

#[test]
fn a_rule_that_is_not_wholly_understood_waits() {
    for (rule, condition, because) in [
        (
            "Exclude trial subscriptions of partners",
            "status <> 'trialing'",
            "'partners'",
        ),
        ("Active contracts", "status = 'active'", "left out or kept"),
        ("Only active ones, not trials", "", ""),
        ("Exclude test accounts", "", "names no value"),
        ("Convert quarterly contracts to monthly", "", "no column"),
        ("Convert to dollars", "", "no length of time"),
    ] {
        let (text, taken, why) = ruled(rule);
        assert!(!taken, "{rule}: {text}");
        if !because.is_empty() {
            assert_eq!(text, condition, "{rule}: {why}");
            assert!(why.contains(because), "{rule}: {why}");
        }
    }
}

#[test]
fn every_offer_can_be_chosen_otherwise() {
    let mut idea = contracted(&["Exclude trials"]);
    for (id, decision) in [
        ("rule: exclude trials", Decision::Taken(false)),
        ("measure", Decision::Text("avg amount_usd".to_owned())),
        ("snapshot", Decision::Taken(false)),
        ("check: positive", Decision::Text("at least 10".to_owned())),
        ("dimension: plan", Decision::Taken(false)),
    ] {
        idea.choices.insert(id.to_owned(), decision);
    }
    let found = suggested(&idea, &[]);
    assert_eq!(found.metric["agg"], "avg");
    assert!(!found.metric.contains_key("filters"));
    assert!(!found.metric.contains_key("last_by"));
    assert_eq!(found.metric["tests"][0]["at_least"], 10);
    assert!(
        found.new_dataset.unwrap()["dimensions"]
            .get("plan")
            .is_none()
    );
    let table = Decision::Text("subscription_months".to_owned());
    idea.choices.insert("table".to_owned(), table);
    assert_eq!(suggested(&idea, &[]).dataset, "subscription_months");
}

#[test]
fn the_range_comes_from_the_numbers() {
    let history = [100.0, 120.0, 110.0, 130.0, 125.0, 140.0];
    let found = suggested(&contracted(&[]), &history);
    assert_eq!(
        found.metric["tests"][0]["between"],
        serde_json::json!([50, 210])
    );
    let found = suggested(&contracted(&[]), &[-1.0, 2.0, 1.0, 1.0, 2.0, 3.0]);
    assert!(found.metric["tests"][0].get("positive").is_none());
}

#[test]
fn what_is_measured_is_what_metrics_of_that_name_are_made_of() {
    let idea = |name: &str, definition: &str| Idea {
        name: name.to_owned(),
        definition: definition.to_owned(),
        ..Idea::default()
    };
    let measure = |found: &Suggestions| {
        let mut offers = found.offers.iter();
        let taken = offers.find(|offer| offer.kind == OfferKind::Measure && offer.is_taken());
        taken.unwrap().text.clone()
    };
    let mut mall = idea("Mall GMV", "GMV of orders in malls.");
    let orders = Decision::Text("orders".to_owned());
    mall.choices.insert("table".to_owned(), orders);
    let found = suggested(&mall, &[]);
    let gmv = registry().metrics["gmv"].clone();
    let metrex::model::MetricKind::Simple(sources) = &gmv.kind else {
        panic!("{gmv:?}")
    };
    let expr = &sources[0].measures[0].expr.as_ref().unwrap().text;
    assert_eq!(measure(&found), format!("sum {expr}"));
    // The rows of an analysis are nobody's table.
    let found = suggested(
        &idea("Number of new leads", "How many leads were won."),
        &[],
    );
    let analyses = registry().analyses;
    let tables: Vec<&String> = found
        .offers
        .iter()
        .filter(|offer| offer.kind == OfferKind::Table)
        .map(|offer| &offer.text)
        .collect();
    assert!(
        tables.iter().all(|table| !analyses.contains_key(*table)),
        "{tables:?}"
    );
}

#[test]
fn a_gap_in_the_numbers_is_no_reason_for_a_check() {
    let idea = contracted(&[]);
    let found = suggested(&idea, &[1.0, f64::NAN, 3.0, 4.0, 5.0, 6.0, 7.0]);
    let check = found.offer("check: not null").unwrap();
    assert_eq!(check.state, State::Refused);
    assert!(check.why.contains("1 of the 7 months"), "{}", check.why);
    assert_eq!(
        found.offer("check: range").unwrap().text,
        "between 0.5 and 11"
    );
}

#[test]
fn any_words_are_suggested_for_twice_alike() {
    for text in [
        "",
        "💥",
        "''",
        "how many",
        "x: [",
        "select * from contracts; --",
        "average % of 'it'",
    ] {
        let idea = Idea {
            name: text.to_owned(),
            definition: format!("{text} contracts by month"),
            rules: vec![
                text.to_owned(),
                format!("exclude {text}"),
                format!("convert annual to {text}"),
            ],
            ..Idea::default()
        };
        assert_eq!(suggested(&idea, &[]), suggested(&idea, &[]));
    }
}

#[test]
fn an_idea_is_read_from_yaml_with_its_faults() {
    let idea = Idea::from_yaml("name: A\nrules: [b]\nchoices: {measure: count, 'rule: b': false}")
        .unwrap();
    assert_eq!(idea.choices["rule: b"], Decision::Taken(false));
    let error = Idea::from_yaml("name: A\nruls: [b]").unwrap_err();
    assert!(error.contains("ruls"), "{error}");
}

/// The form on the small project, with something typed.
/// What a model proposes for rules of the demo that are not understood.
#[tokio::test]
async fn a_model_only_proposes() {
    let answer = |condition: &str| Answer::json(&serde_json::json!({"condition": condition}));
    let stub = Stub::start([
        answer("no_such_column > 5"),
        answer("channel = 'app'"),
        answer(""),
    ])
    .await;
    let folder = project::shop();
    let config = folder.path().join("metrex.yaml");
    let text = fs::read_to_string(&config).unwrap() + &stub.yaml("openai");
    fs::write(&config, text).unwrap();
    let session = Session::open(OpenOptions {
        project: Some(folder.path().to_owned()),
        today: Some(date(2025, 11, 20)),
        state_dir: Some(folder.path().join("state")),
        ..OpenOptions::default()
    })
    .unwrap();
    let mut idea = Idea {
        name: "Phone value".to_owned(),
        definition: "The amount of orders.".to_owned(),
        rules: vec![
            "Only those of telephones".to_owned(),
            "Only good ones".to_owned(),
        ],
        ..Idea::default()
    };
    let cancel = CancellationToken::new();
    let before = session.define(&idea, &[], &cancel).await.unwrap();
    assert_eq!(before.open_rules().count(), 2);
    assert_eq!(before.notes.len(), 2, "{:?}", before.notes);
    idea.guesses = session.guess(&idea, &cancel).await.unwrap();
    let seen = stub.seen();
    assert_eq!(seen.len(), 3, "what does not compile goes back once");
    assert!(seen[1].prompt().contains("no_such_column"));
    assert!(!seen[0].prompt().contains("email"), "{}", seen[0].prompt());
    let defined = session.define(&idea, &[], &cancel).await.unwrap();
    let offer = |defined: &Defined, about: &str| {
        let offer = defined.offers.iter().find(|offer| offer.about == about);
        offer.unwrap().clone()
    };
    let proposed = offer(&defined, "Only those of telephones");
    assert_eq!(proposed.text, "channel = 'app'");
    assert_eq!(proposed.state, State::Refused);
    assert!(
        proposed.why.contains("a language model"),
        "{}",
        proposed.why
    );
    assert!(!defined.sql.as_ref().unwrap().contains("'app'"));
    assert_eq!(offer(&defined, "Only good ones").text, "");
    idea.toggle(&proposed);
    let taken = session.define(&idea, &[], &cancel).await.unwrap();
    assert!(taken.sql.as_ref().unwrap().contains("'app'"));
    idea.change(&proposed, "channel = 'web'");
    let changed = session.define(&idea, &[], &cancel).await.unwrap();
    assert!(changed.sql.as_ref().unwrap().contains("'web'"));
}

fn form(width: u16, height: u16) -> Explorer {
    let mut explorer = Explorer::new(width, height);
    explorer.act("define");
    explorer.keys("Refunded value<Tab><Tab>Commerce<Tab>Finance<Tab>The amount of orders.<Tab>Only cancelled orders");
    explorer
}

#[test]
fn the_form_suggests_while_one_types() {
    let mut explorer = form(80, 24);
    let screen = explorer.screen();
    for shown in [
        "refunded_value",
        "[x] orders",
        "[x] sum amount",
        "status = 'CANCELLED'",
    ] {
        assert!(screen.contains(shown), "{shown}\n{screen}");
    }
    explorer.keys("<F6>");
    let screen = explorer.screen();
    assert!(
        screen.contains("refunded_value by month last 12 months"),
        "{screen}"
    );
    explorer.keys("<F5>");
    let screen = explorer.screen();
    assert!(screen.contains("2026-10"), "{screen}");
    let mut wide = form(200, 50);
    wide.keys("<F6><F6><F6>");
    let screen = wide.screen();
    assert!(
        screen.contains("What is written") && screen.contains("+   refunded_value:"),
        "{screen}"
    );
}

#[test]
fn each_suggestion_is_taken_refused_or_changed() {
    let mut explorer = form(200, 50);
    explorer.click("[x] status = 'CANCELLED'").keys("<Space>");
    assert!(explorer.screen().contains("[ ] status = 'CANCELLED'"));
    explorer.keys("e");
    for _ in 0.."'CANCELLED'".len() {
        explorer.keys("<Backspace>");
    }
    explorer.keys("'DONE'<Enter>");
    let screen = explorer.screen();
    assert!(screen.contains("[x] status = 'DONE'"), "{screen}");
}

#[test]
fn a_draft_is_written_beside_what_is_there() {
    let mut explorer = form(120, 40);
    explorer.keys("<F7>");
    let screen = explorer.screen();
    assert!(
        screen.contains("saved as a draft in metrics/shop.yaml"),
        "{screen}"
    );
    let text = fs::read_to_string(explorer.folder.path().join("shop/metrics/shop.yaml")).unwrap();
    assert!(
        text.starts_with(support::METRICS.trim_start().trim_end()),
        "nothing else changes"
    );
    assert!(
        text.contains("status: draft") && text.contains("step: drafted"),
        "{text}"
    );
    // The draft goes on to be published, in the same place. What its first numbers say, its tests demand.
    explorer.keys("<F9>");
    let screen = explorer.screen();
    assert!(screen.contains("4 of 12 rows have no number"), "{screen}");
    explorer.keys("<F5><F9>");
    let screen = explorer.screen();
    assert!(
        screen.contains("refunded_value is published in metrics/shop.yaml"),
        "{screen}"
    );
    let text = fs::read_to_string(explorer.folder.path().join("shop/metrics/shop.yaml")).unwrap();
    assert_eq!(text.matches("refunded_value:").count(), 1);
    assert!(text.contains("step: published"), "{text}");
    assert!(
        explorer
            .session
            .catalog()
            .registry
            .metric("refunded_value")
            .is_some()
    );
}

#[test]
fn what_is_typed_outlives_the_program() {
    let explorer = form(80, 24);
    let mut again = explorer.start_again(80, 24);
    again.act("define");
    let screen = again.screen();
    assert!(
        screen.contains("Refunded value") && screen.contains("Only cancelled orders"),
        "{screen}"
    );
    again.keys("<Ctrl+N>");
    assert!(!again.screen().contains("Refunded value"));
}

#[test]
fn a_rule_that_is_not_understood_is_seen_and_can_be_written() {
    let mut explorer = form(80, 24);
    explorer.keys("<Enter>Only count foo");
    let screen = explorer.screen();
    for shown in [
        "Rule 2 ?    Only count foo",
        "not taken: names no value of orders",
    ] {
        assert!(screen.contains(shown), "{shown}\n{screen}");
    }
    explorer.keys("<F4>");
    assert!(
        explorer.screen().contains("no model is configured"),
        "{}",
        explorer.screen()
    );
    explorer.keys("<F6>");
    let screen = explorer.screen();
    assert!(
        screen.contains("not in the SQL yet: Only count foo"),
        "{screen}"
    );
    assert!(screen.contains("Esc back to the form"), "{screen}");
    explorer
        .keys("<Esc>")
        .click("? Only count foo")
        .keys("<Space>amount > 5<Enter>");
    let screen = explorer.screen();
    assert!(screen.contains("[x] amount > 5"), "{screen}");
    assert!(!screen.contains("Rule 2 ?"), "{screen}");
}

#[test]
fn a_name_that_is_taken_is_not_written() {
    let mut explorer = Explorer::new(80, 24);
    explorer.act("define");
    explorer.keys("Sales<Tab>sales<Tab><Tab><Tab>The amount of orders<F9>");
    let screen = explorer.screen();
    assert!(
        screen.contains("not written: 'sales' is another name of gmv"),
        "{screen}"
    );
    let text = fs::read_to_string(explorer.folder.path().join("shop/metrics/shop.yaml")).unwrap();
    assert_eq!(text, support::METRICS.trim_start());
}
