#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;

const FILE: &str = "\
# What is sold.
metrics:
  # The big one.
  gmv: # keep
    label: GMV   # for people
    # as the finance team says
    business_rules:
      - Cancelled orders do not count
      # but see refunds
      - Taxes do
    base_table: orders
    agg: sum
    expr: amount_usd

  orders: {base_table: orders, agg: count, filters: [\"a = 'x, y'\"]} # short
views:
  # The Monday one.
  weekly: gmv by week
";

fn put(section: &str, name: &str, body: &str) -> Edit {
    Edit::Put {
        section: section.to_owned(),
        name: name.to_owned(),
        body: body.to_owned(),
    }
}

fn set(name: &str, key: &str, value: Value) -> Edit {
    Edit::Set {
        section: "metrics".to_owned(),
        name: name.to_owned(),
        key: key.to_owned(),
        value: (!value.is_null()).then_some(value),
    }
}

fn push(name: &str, item: Value) -> Edit {
    Edit::Push {
        section: "metrics".to_owned(),
        name: name.to_owned(),
        key: "history".to_owned(),
        item,
    }
}

#[test]
fn a_new_definition_is_the_last_one_of_its_section() {
    let text = edit(
        FILE,
        &[put("metrics", "aov", "# new\nexpr: gmv / orders\n")],
    )
    .unwrap();
    let new = " # short\n\n  aov:\n    # new\n    expr: gmv / orders\nviews:";
    assert_eq!(text, FILE.replace(" # short\nviews:", new));
}

#[test]
fn a_key_stands_where_it_belongs_and_remarks_stay() {
    let text = edit(FILE, &[set("gmv", "status", json!("certified"))]).unwrap();
    let rules = "      - Taxes do\n";
    let status = format!("{rules}    status: certified\n");
    assert_eq!(text, FILE.replace(rules, &status));
    let text = edit(FILE, &[set("gmv", "label", json!("Sales"))]).unwrap();
    assert_eq!(text, FILE.replace("GMV   # for", "Sales # for"));
    let text = edit(FILE, &[set("gmv", "business_rules", json!(["One"]))]).unwrap();
    let old = "    business_rules:\n      - Cancelled orders do not count\n      # but see refunds\n      - Taxes do\n";
    let new = "    # but see refunds\n    business_rules: [One]\n";
    assert_eq!(text, FILE.replace(old, new));
    let text = edit(FILE, &[set("gmv", "expr", Value::Null)]).unwrap();
    assert_eq!(text, FILE.replace("    expr: amount_usd\n", ""));
}

#[test]
fn a_map_between_brackets_gets_lines() {
    let text = edit(FILE, &[set("orders", "status", json!("draft"))]).unwrap();
    let old = "  orders: {base_table: orders, agg: count, filters: [\"a = 'x, y'\"]} # short\n";
    let new = "  orders: # short\n    status: draft\n    base_table: orders\n    agg: count\n    filters: [\"a = 'x, y'\"]\n";
    assert_eq!(text, FILE.replace(old, new));
}

#[test]
fn a_list_grows_at_its_end() {
    let first = push("gmv", json!({"step": "published", "by": "Ana"}));
    let second = push(
        "gmv",
        json!({"step": "certified", "by": "Bo", "why": "a: b"}),
    );
    let text = edit(FILE, &[first, second]).unwrap();
    let end = "    expr: amount_usd\n";
    let new = format!(
        "{end}    history:\n      - {{step: published, by: Ana}}\n      - {{step: certified, by: Bo, why: \"a: b\"}}\n"
    );
    assert_eq!(text, FILE.replace(end, &new));
    let short = "m: {agg: count, history: {step: published}}\n";
    let text = edit(short, &[push("m", json!({"step": "certified"}))]).unwrap();
    assert_eq!(
        text,
        "m:\n  agg: count\n  history:\n    - {step: published}\n    - {step: certified}\n"
    );
}

#[test]
fn what_says_the_same_stays_as_it_is_written() {
    let body = "label: GMV\nbase_table: orders\nagg: sum\nexpr: paid_usd\nowner: Sales\n";
    let text = edit(FILE, &[put("metrics", "gmv", body)]).unwrap();
    let rules = "    # as the finance team says\n    business_rules:\n      - Cancelled orders do not count\n      # but see refunds\n      - Taxes do\n";
    let wanted = FILE
        .replace(rules, "    # as the finance team says\n")
        .replace(
            "    expr: amount_usd\n",
            "    expr: paid_usd\n    owner: Sales\n",
        );
    assert_eq!(text, wanted);
}

#[test]
fn a_short_form_is_replaced() {
    let body = "query: gmv by day\ndescription: By day.\n";
    let text = edit(FILE, &[put("views", "weekly", body)]).unwrap();
    let new = "  weekly:\n    query: gmv by day\n    description: By day.\n";
    assert_eq!(text, FILE.replace("  weekly: gmv by week\n", new));
}

#[test]
fn a_definition_is_taken_out() {
    let take = |section: &str, name: &str| Edit::Take {
        section: section.to_owned(),
        name: name.to_owned(),
    };
    let text = edit(
        "a: {x: 1}\n\nb: {x: 2}\n\nc: {x: 3}\n",
        &[take("metrics", "b")],
    )
    .unwrap();
    assert_eq!(text, "a: {x: 1}\n\nc: {x: 3}\n");
    let board = "  board: {query: \"gmv, aov by month\"}\n";
    let text = edit(&format!("{FILE}{board}"), &[take("views", "board")]).unwrap();
    assert_eq!(text, FILE);
    let last = edit("views:\n  a: gmv\n", &[take("views", "a")]).unwrap();
    assert_eq!(last, "views:\n");
    let missing = edit(FILE, &[take("views", "nobody")]).unwrap_err();
    assert_eq!(missing, NotEditable::NotFound("nobody".to_owned()));
}

#[test]
fn files_without_the_section_get_one() {
    let body = "query: gmv\n";
    let text = edit("", &[put("views", "a", body)]).unwrap();
    assert_eq!(text, "views:\n  a:\n    query: gmv\n");
    let text = edit("calendar: {}", &[put("views", "a", body)]).unwrap();
    assert_eq!(text, "calendar: {}\n\nviews:\n  a:\n    query: gmv\n");
    let text = edit("views: {}\n", &[put("views", "a", body)]).unwrap();
    assert_eq!(text, "views:\n  a:\n    query: gmv\n");
    let text = edit("", &[put("views", "a: b", body)]).unwrap();
    assert_eq!(text, "views:\n  \"a: b\":\n    query: gmv\n");
    let text = edit("gmv:\n  agg: count\n", &[put("metrics", "b", "agg: sum\n")]).unwrap();
    assert_eq!(text, "gmv:\n  agg: count\nb:\n  agg: sum\n");
}

#[test]
fn what_lines_cannot_say_is_refused() {
    let by_hand =
        |text: &str, edits: &[Edit]| matches!(edit(text, edits), Err(NotEditable::ByHand(_)));
    let view = [put("views", "a", "query: gmv\n")];
    assert!(by_hand("views: {b: gmv}\n", &view));
    assert!(by_hand("gmv: {agg: count}\n", &view));
    // The other one would change too.
    let shared = "metrics:\n  a: &a\n    agg: count\n  b:\n    <<: *a\n";
    assert!(by_hand(shared, &[set("a", "label", json!("A"))]));
    assert!(edit(shared, &[set("b", "label", json!("B"))]).is_ok());
    let broken = edit("a: [\n", &view).unwrap_err();
    assert!(matches!(broken, NotEditable::Unreadable { .. }));
}

#[test]
fn line_ends_and_a_missing_last_one_stay() {
    let text = edit("a:\r\n  agg: count\r\n", &[set("a", "label", json!("A"))]).unwrap();
    assert_eq!(text, "a:\r\n  label: A\r\n  agg: count\r\n");
    let text = edit("a:\n  agg: count", &[set("a", "label", json!("A"))]).unwrap();
    assert_eq!(text, "a:\n  label: A\n  agg: count");
}

#[test]
fn the_body_of_a_definition_can_be_read() {
    let gmv = body(FILE, "metrics", "gmv").unwrap();
    assert!(gmv.starts_with("label: GMV   # for people\n# as the finance"));
    let orders = body(FILE, "metrics", "orders").unwrap();
    assert_eq!(
        orders,
        "base_table: orders\nagg: count\nfilters: [\"a = 'x, y'\"]\n"
    );
    assert_eq!(
        below("definition:\n    agg: sum\n", "definition").unwrap(),
        "agg: sum\n"
    );
}
