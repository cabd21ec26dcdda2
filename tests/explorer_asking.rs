//! Asking in the explorer: the prompt, what an answer does, what is asked back, and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use metrex::model::{Intent, MetricQuery};
use metrex::session::{
    AskOutcome, Asked, AskedWhy, Candidate, Certainty, Chip, ChipKind, Clarification, Meaning,
    ModelCall, PathTaken, Proposal, Reading, Refusal, RefusalCode, RejectedSql, Stage,
    Understanding,
};
use metrex::tui::state::{Focus, Phase};
use metrex::tui::{Answer, AskNews, Effect, Message};
use metrex::validate::{Code, Finding, Severity};
use support::Explorer;

fn asked(question: &str, outcome: AskOutcome) -> Asked {
    Asked {
        question: question.to_owned(),
        outcome,
        calls: Vec::new(),
        difference: None,
        trouble: None,
        rejected: None,
        elapsed: Duration::from_millis(3),
    }
}

/// An answer as the session would give it, for a question that need not be read.
fn proposal(explorer: &Explorer, line: &str, chips: Vec<Chip>) -> Proposal {
    let query: MetricQuery = line.parse().unwrap();
    Proposal {
        reading: Reading {
            intent: Intent::from(&query),
            chips,
            notes: vec!["last 30 days: without today".to_owned()],
            is_follow_up: false,
        },
        compiled: Arc::new(explorer.session.compile(&query).unwrap()),
        query,
        connection: explorer.session.connection(),
        path: PathTaken::Template,
        auto_run: true,
    }
}

fn chip(kind: ChipKind, text: &str, detail: Option<&str>, certainty: Certainty) -> Chip {
    Chip {
        kind,
        text: text.to_owned(),
        detail: detail.map(str::to_owned),
        certainty,
        range: 0..0,
    }
}

fn similar_market() -> Chip {
    chip(
        ChipKind::Filter,
        "market = TH",
        Some("Thialand -> TH"),
        Certainty::Similar,
    )
}

fn clarification() -> Clarification {
    let value = |dimension: &str, value: &str| Candidate {
        meaning: Meaning::Value {
            dimension: dimension.to_owned(),
            value: value.to_owned(),
        },
        label: format!("{value} ({dimension})"),
        detail: "60 rows".to_owned(),
    };
    Clarification {
        words: "mail".to_owned(),
        range: 4..8,
        message: "'mail' may be several things".to_owned(),
        candidates: vec![value("channel", "email"), value("email", "someone")],
    }
}

fn refusal() -> Refusal {
    Refusal {
        code: RefusalCode::UnknownValue,
        message: "Unknown market 'XY'. Valid markets: ID, SG, TH, VN.".to_owned(),
        hint: Some("did you mean 'ID'?".to_owned()),
        words: vec![("XY".to_owned(), 17..19)],
        understood: vec![chip(ChipKind::Metric, "orders", None, Certainty::Exact)],
    }
}

#[test]
fn an_answer_becomes_the_query_runs_and_says_how_it_came_about() {
    let mut explorer = Explorer::new(120, 40);
    let answer = proposal(&explorer, "gmv by market last 3 months", Vec::new());
    let outcome = AskOutcome::Answer(Box::new(answer));
    explorer
        .replies
        .push_back(asked("sales per country", outcome));
    explorer.keys("<Esc><Esc>asales per country<Enter>");
    assert_eq!(explorer.line(), "gmv by market last 3 months");
    assert_eq!(explorer.state.focus, Focus::Result);
    assert_shows!(
        explorer,
        "\"sales per country\" · template, 3 ms",
        "asked    last 30 days: without today",
        "rows 1–4 of 4"
    );
    // It is a query like any other: edited by the pickers, and undone.
    explorer.keys("gchannel<Enter><Esc>");
    assert_eq!(explorer.line(), "gmv by market, channel last 3 months");
    assert!(!explorer.screen().contains("sales per country"));
    explorer.keys("uu");
    assert_eq!(explorer.line(), "");
}

#[test]
fn an_answer_from_similar_words_waits_to_be_looked_at() {
    let mut explorer = Explorer::new(80, 24);
    let mut answer = proposal(
        &explorer,
        "gmv where market = TH last 3 months",
        vec![similar_market()],
    );
    answer.auto_run = false;
    let outcome = AskOutcome::Answer(Box::new(answer));
    explorer
        .replies
        .push_back(asked("sales in Thialand", outcome));
    explorer.keys("<F4>sales in Thialand<Enter>");
    assert!(explorer.state.result.grid.is_none());
    assert_shows!(
        explorer,
        "F5 runs it; not by itself: similar words: Thialand -> TH",
        "≈ market = TH · Thialand -> TH"
    );
    explorer.keys("<F5>");
    assert_shows!(explorer, "rows 1–1 of 1");
    // What was linked stays marked when other parts are changed.
    explorer.keys("gchannel<Enter><Esc>3");
    assert_shows!(explorer, "≈ market = TH · Thialand -> TH");
}

#[test]
fn the_sql_of_a_model_is_shown_run_as_it_is_and_left_by_the_first_edit() {
    let mut explorer = Explorer::new(200, 50);
    let mut answer = proposal(&explorer, "gmv by market last 3 months", Vec::new());
    let mut compiled = (*answer.compiled).clone();
    compiled.main.sql = compiled.main.sql.replace("ORDER BY market", "ORDER BY gmv");
    answer.compiled = Arc::new(compiled);
    answer.path = PathTaken::Model;
    answer.auto_run = false;
    let mut reply = asked(
        "sales, smallest first",
        AskOutcome::Answer(Box::new(answer)),
    );
    reply.calls = vec![ModelCall {
        stage: Stage::Writing,
        model: "some-model".to_owned(),
        tokens_in: 1200,
        tokens_out: 80,
        cost: Some(0.0042),
        elapsed: Duration::from_secs(3),
    }];
    explorer.replies.push_back(reply);
    explorer.keys("<F4>sales, smallest first<Enter>");
    assert_shows!(
        explorer,
        "ORDER BY gmv",
        "adapted by a model, some-model, 1200 + 80 tokens, $0.0042",
        "a model wrote this SQL"
    );
    explorer.keys("<F5>");
    let run = explorer.state.result.compiled.as_ref().unwrap();
    assert!(run.main.sql.contains("ORDER BY gmv"));
    let screen = explorer.screen();
    let (least, most) = (screen.find("│ TH ").unwrap(), screen.find("│ SG ").unwrap());
    assert!(least < most, "{screen}");
    explorer.keys("tlast month<Enter><F5>");
    let run = explorer.state.result.compiled.as_ref().unwrap();
    assert!(!run.main.sql.contains("ORDER BY gmv"));
    // Back at the query it was written for, it is there again; on another connection it is not.
    explorer.keys("u");
    assert_shows!(explorer, "ORDER BY gmv");
    explorer.keys("Carchive<Enter>");
    assert!(!explorer.screen().contains("ORDER BY gmv"));
}

#[test]
fn a_word_with_several_meanings_is_asked_back_and_one_key_chooses() {
    let mut explorer = Explorer::new(80, 24);
    let unsure = AskOutcome::Choose(Box::new(clarification()));
    explorer.replies.push_back(asked("gmv mail", unsure));
    let answer = proposal(&explorer, "gmv where channel = email", Vec::new());
    let answer = AskOutcome::Answer(Box::new(answer));
    explorer.replies.push_back(asked("gmv mail", answer));
    explorer.keys("<F4>gmv mail<Enter>");
    assert_shows!(
        explorer,
        "'mail' may be several things",
        "1  email (channel)",
        "2  someone (email)"
    );
    explorer.hold = true;
    explorer.keys("1");
    let chosen = explorer.held.iter().find_map(|effect| match effect {
        Effect::Ask { chosen, .. } => chosen.clone(),
        _ => None,
    });
    let (words, meaning) = chosen.unwrap();
    assert_eq!(words, "mail");
    assert_eq!(meaning, clarification().candidates[0].meaning);
    explorer.hold = false;
    explorer.release();
    assert_eq!(explorer.line(), "gmv where channel = email");
    assert_shows!(explorer, "'mail' means channel = email from now on");
    assert_eq!(explorer.session.choices()[0].words, "mail");
    // It is forgotten by a key, or from a list of all that were chosen.
    explorer.keys("U");
    assert!(explorer.session.choices().is_empty());
    explorer
        .session
        .choose("gmv", "mail", &clarification().candidates[0].meaning);
    explorer.keys(":forget what<Enter>");
    assert_shows!(explorer, "mail", "means channel = email");
    explorer.keys("<Enter>");
    assert!(explorer.session.choices().is_empty());
}

#[test]
fn a_meaning_that_is_not_chosen_leaves_the_text_as_it_is() {
    let mut explorer = Explorer::new(80, 24);
    let unsure = AskOutcome::Choose(Box::new(clarification()));
    explorer.replies.push_back(asked("gmv mail", unsure));
    explorer.keys("<F4>gmv mail<Enter><Esc>");
    assert_eq!(explorer.state.prompt.input.text(), "gmv mail");
    assert_shows!(explorer, "? 'mail' may be several things · Enter lists");
}

#[test]
fn a_refusal_names_the_word_and_leaves_the_text_to_be_mended() {
    let mut explorer = Explorer::new(80, 24);
    let refused = AskOutcome::Refused(Box::new(refusal()));
    explorer
        .replies
        .push_back(asked("orders in market XY", refused));
    explorer.keys("<F4>orders in market XY<Enter>");
    assert_shows!(
        explorer,
        "? orders in market XY",
        "! Unknown market 'XY'. Valid markets: ID, SG, TH, VN.",
        "did you mean 'ID'?",
        "metrics [orders]"
    );
    assert_eq!(explorer.state.prompt.input.cursor(), 17);
    assert_eq!(explorer.marked(), "17..19");
    assert_eq!(explorer.line(), "");
    // The word is underlined, so that it shows without any colour.
    let styles = explorer.styles();
    assert!(styles.contains("bold underlined          XY"), "{styles}");
}

#[test]
fn sql_that_did_not_pass_is_shown_with_what_is_wrong_and_never_run() {
    let mut explorer = Explorer::new(80, 24);
    let refused = AskOutcome::Refused(Box::new(refusal()));
    let mut reply = asked("orders in market XY", refused);
    reply.trouble = Some("some-model wrote SQL twice that did not pass".to_owned());
    let finding = Finding {
        code: Code::UnknownValue,
        severity: Severity::Block,
        token: "'XY'".to_owned(),
        line: 1,
        column: 42,
        message: "unknown value 'XY' of orders.market".to_owned(),
        hint: Some("write one of ID, SG, TH, VN".to_owned()),
    };
    reply.rejected = Some(RejectedSql {
        sql: "SELECT COUNT(*) FROM orders WHERE market = 'XY'".to_owned(),
        findings: vec![finding],
    });
    explorer.replies.push_back(reply);
    explorer.keys("<F4>orders in market XY<Enter>");
    assert_shows!(
        explorer,
        "it was not run",
        "1:42: error: unknown value 'XY' of orders.market",
        "SELECT COUNT(*) FROM orders WHERE market = 'XY'"
    );
    assert!(explorer.state.result.grid.is_none());
    explorer.keys("<Esc>");
    assert_shows!(explorer, "Unknown market 'XY'", "wrote SQL twice");
}

#[test]
fn where_a_model_reads_it_otherwise_that_is_said() {
    let mut explorer = Explorer::new(120, 40);
    let mut answer = proposal(&explorer, "gmv by market", Vec::new());
    answer.auto_run = false;
    let mut reply = asked("sales per country", AskOutcome::Answer(Box::new(answer)));
    reply.difference = Some("the model also groups by channel".to_owned());
    explorer.replies.push_back(reply);
    explorer.keys("<F4>sales per country<Enter>");
    assert_shows!(
        explorer,
        "a model reads it otherwise",
        "the model also groups by channel"
    );
}

#[test]
fn a_word_still_being_typed_is_not_held_against_anyone() {
    let mut explorer = Explorer::new(80, 24);
    explorer.hold = true;
    explorer.keys("<F4>orders in market XY");
    let generation = explorer
        .held
        .iter()
        .rev()
        .find_map(|effect| match effect {
            Effect::Lookup {
                generation, lookup, ..
            } => {
                let slot = lookup.slot();
                (slot == metrex::tui::Slot::Understand).then_some(*generation)
            }
            _ => None,
        })
        .unwrap();
    let understanding = Box::new(Understanding::Refused(Box::new(refusal())));
    let answer = Answer::Understand(understanding);
    explorer.tell(Message::Answer { generation, answer });
    assert!(explorer.state.prompt.marks().is_empty());
    explorer.keys("<Left>");
    assert_eq!(explorer.marked(), "17..19");
    assert_shows!(explorer, "? not understood: XY");
}

#[test]
fn a_question_on_its_way_says_how_far_it_is_and_is_stopped_with_esc() {
    let mut explorer = Explorer::new(80, 24);
    explorer.hold = true;
    explorer.keys("<F4>net sales of whales<Enter>");
    let generation = explorer.state.prompt.asking.as_ref().unwrap().generation;
    let news = AskNews::Stage(Stage::Writing);
    explorer.tell(Message::Ask { generation, news });
    explorer.tell(Message::Clock(Duration::from_millis(3200)));
    assert_shows!(explorer, "writing 3.2 s · Esc cancels");
    explorer.held.clear();
    explorer.keys("<Esc>");
    assert!(matches!(explorer.held[0], Effect::Cancel(_)));
    assert!(explorer.state.prompt.asking.is_none());
    assert_eq!(explorer.state.prompt.input.text(), "net sales of whales");
    // Its answer comes too late.
    let news = AskNews::Ended(Box::new(asked(
        "net sales of whales",
        AskOutcome::Explain("gmv".to_owned()),
    )));
    explorer.tell(Message::Ask { generation, news });
    assert_eq!(explorer.state.focus, Focus::Query);
    // Ctrl+C stops it as well, and quits nothing.
    explorer.keys("<Enter>");
    explorer.held.clear();
    explorer.keys("<Ctrl+C>");
    assert!(matches!(explorer.held[0], Effect::Cancel(_)));
    assert!(!explorer.state.leaving);
}

#[test]
fn typing_on_stops_a_question_that_no_longer_stands_there() {
    let mut explorer = Explorer::new(80, 24);
    explorer.hold = true;
    explorer.keys("<F4>sales of whales<Enter> x");
    assert!(explorer.state.prompt.asking.is_none());
    let is_stop = |effect: &Effect| matches!(effect, Effect::Cancel(_));
    assert!(explorer.held.iter().any(is_stop));
    assert_eq!(explorer.state.prompt.input.text(), "sales of whales x");
}

#[test]
fn values_that_are_listed_become_a_filter() {
    let mut explorer = Explorer::new(80, 24);
    let list = || AskOutcome::List {
        dimension: Some("market".to_owned()),
        metrics: Vec::new(),
    };
    explorer.replies.push_back(asked("which markets", list()));
    explorer.keys("<F4>which markets<Enter>");
    assert_shows!(explorer, "Values of market", "4 values", "60");
    explorer.keys("TH<Enter>");
    assert_shows!(explorer, "choose a metric first");
    let mut explorer = Explorer::new(80, 24);
    explorer.replies.push_back(asked("which markets", list()));
    explorer.keys("gmv<Enter>awhich markets<Enter>TH<Enter>");
    assert_eq!(explorer.line(), "gmv where market = TH");
}

#[test]
fn a_list_of_metrics_is_the_catalog_and_an_explanation_the_details() {
    let mut explorer = Explorer::new(80, 24);
    let list = AskOutcome::List {
        dimension: None,
        metrics: Vec::new(),
    };
    explorer.replies.push_back(asked("what is there", list));
    explorer.keys("aov<F4>what is there<Enter>");
    assert_eq!(explorer.state.focus, Focus::Catalog);
    assert_shows!(explorer, "Commerce", "Traffic");
    let explain = AskOutcome::Explain("visits".to_owned());
    explorer
        .replies
        .push_back(asked("what is a visit", explain));
    explorer.keys("<F4>what is a visit<Enter>");
    assert_eq!(explorer.state.focus, Focus::Details);
    assert_shows!(explorer, "Visits to the site", "›    visits");
}

#[test]
fn a_question_for_causes_opens_their_window() {
    let mut explorer = Explorer::new(80, 24);
    let query: MetricQuery = "gmv where market = TH last month vs previous period"
        .parse()
        .unwrap();
    let why = AskOutcome::Why(Box::new(AskedWhy {
        reading: Reading::default(),
        query: query.clone(),
        auto_run: true,
    }));
    let question = "why did gmv fall in Thailand last month";
    explorer.replies.push_back(asked(question, why));
    explorer.keys(&format!("<F4>{question}<Enter>"));
    assert_shows!(
        explorer,
        "Why ",
        "Enter runs it: gmv where market = TH last month"
    );
    explorer.keys("<Esc>");
    assert!(explorer.state.popups.is_empty());
}

#[test]
fn a_query_line_is_a_query_line_also_where_a_question_is_expected() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<F4>gmv, orders by country last 6 months");
    assert_shows!(explorer, "a query line · Enter runs it");
    explorer.keys("<Enter>");
    assert_eq!(explorer.line(), "gmv, orders by country last 6 months");
    assert!(matches!(explorer.state.result.phase, Phase::Done(_)));
}

#[test]
fn a_question_may_have_several_lines_and_keeps_the_rows_in_sight() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>gmarket<Enter><Esc><F5>a");
    explorer.tell(Message::Paste("orders\nby market\nlast month".to_owned()));
    assert_eq!(
        explorer.state.prompt.input.text(),
        "orders\nby market\nlast month"
    );
    assert_shows!(explorer, "? orders", "  by market", "  last month");
    explorer.keys("<Up><Home>x<Ctrl+J>");
    assert_eq!(
        explorer.state.prompt.input.text(),
        "orders\nx\nby market\nlast month"
    );
    explorer.keys("<Backspace><Backspace><Enter>");
    assert_eq!(explorer.line(), "orders by market last month");
    explorer.keys("a");
    explorer.tell(Message::Paste("a line\n".repeat(40)));
    let screen = explorer.screen();
    assert_eq!(screen.matches("a line").count(), 3, "{screen}");
    assert!(
        screen.contains("─ SQL") || screen.contains("╭ SQL"),
        "{screen}"
    );
}

#[test]
fn earlier_questions_come_back() {
    let mut explorer = Explorer::new(80, 24);
    let refused = || AskOutcome::Refused(Box::new(refusal()));
    explorer
        .replies
        .push_back(asked("orders in market XY", refused()));
    explorer.keys("<F4>orders in market XY<Enter><Esc><F4><Up>");
    assert_eq!(explorer.state.prompt.input.text(), "orders in market XY");
    explorer.keys("<Down>");
    assert_eq!(explorer.state.prompt.input.text(), "");
    // They are kept for the next time, and searched with the lines; a word that means nothing may be
    // personal, and is not.
    explorer.keys("<Ctrl+R>market<Enter>");
    assert_eq!(explorer.state.prompt.input.text(), "orders in market …");
    explorer.keys("<Esc>4Hmarket");
    assert_shows!(explorer, "orders in market …", "asked 20");
    explorer.keys("<Enter>");
    assert!(explorer.state.prompt.typing);
    assert_eq!(explorer.state.prompt.input.text(), "orders in market …");
}

#[test]
fn a_question_waits_for_the_demo_whose_values_it_may_name() {
    let mut explorer = Explorer::new(80, 24);
    explorer.tell(Message::Preparing("Making the demo: orders 10%".to_owned()));
    explorer.keys("<F4>which markets are there<Enter>");
    assert_shows!(explorer, "asked as soon as the demo is ready");
    let list = AskOutcome::List {
        dimension: Some("market".to_owned()),
        metrics: Vec::new(),
    };
    explorer
        .replies
        .push_back(asked("which markets are there", list));
    explorer.tell(Message::Prepared(Ok(())));
    assert_shows!(explorer, "Values of market");
}

#[test]
fn a_question_can_be_asked_anew_instead_of_going_on() {
    let mut explorer = Explorer::new(80, 24);
    let previous = |explorer: &mut Explorer| {
        explorer.hold = true;
        explorer.keys("<Enter>");
        let found = explorer.held.iter().find_map(|effect| match effect {
            Effect::Ask { options, .. } => Some(options.previous.clone()),
            _ => None,
        });
        explorer.hold = false;
        explorer.held.clear();
        explorer.keys("<Esc>");
        found.unwrap()
    };
    explorer.keys("gmv<Enter>aand for whales");
    assert_eq!(previous(&mut explorer).unwrap().metrics, ["gmv"]);
    explorer.keys("<Ctrl+N>");
    assert_eq!(previous(&mut explorer), None);
    assert_shows!(explorer, "Ctrl+N goes on from the query");
    explorer.keys("<Ctrl+N>");
    assert!(previous(&mut explorer).is_some());
}

#[test]
fn words_of_a_question_are_completed_by_names_and_values() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<F4>what was gm");
    explorer.keys("<Tab>for org");
    assert_eq!(explorer.state.prompt.input.text(), "what was gmv for org");
    explorer.keys("<Down><Enter>");
    assert_eq!(
        explorer.state.prompt.input.text(),
        "what was gmv for organic "
    );
}

#[test]
fn questions_are_answered_offline_and_go_on_from_each_other() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<F4>gmv in Thailand last month by channel");
    assert_shows!(
        explorer,
        "metrics [gmv]",
        "where [market = TH",
        "last month · 2026-10-01 to 2026-10-31",
        "SUM("
    );
    explorer.keys("<Enter>");
    assert_eq!(
        explorer.line(),
        "gmv by channel where market = TH last month"
    );
    assert_shows!(explorer, "template, 3 ms", "organic", "rows 1");
    explorer.keys("aand for Vietnam?");
    assert_shows!(explorer, "goes on from gmv by channel", "market = VN");
    explorer.keys("<Enter>");
    assert_eq!(
        explorer.line(),
        "gmv by channel where market = VN last month"
    );
    explorer.keys("uu");
    assert_eq!(explorer.line(), "");
}

#[test]
fn words_and_values_that_do_not_exist_are_named() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<F4>how are whales doing ");
    assert_shows!(explorer, "? not understood: whales");
    explorer.keys("<Enter>");
    assert_shows!(explorer, "'whales'");
    assert_eq!(explorer.marked(), "8..14");
    explorer.keys("<Ctrl+U><End><Ctrl+U>orders in market XY<Enter>");
    assert_shows!(explorer, "Unknown market 'XY'", "ID, SG, TH, VN");
    assert!(explorer.state.result.grid.is_none());
}

#[test]
fn a_typo_is_linked_shown_and_not_run_unseen() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<F4>gmv for orgnic last month<Enter>");
    assert_eq!(explorer.line(), "gmv where channel = organic last month");
    assert_shows!(explorer, "≈ channel = organic", "F5 runs it; not by itself");
    assert!(matches!(explorer.state.result.phase, Phase::Idle));
}
