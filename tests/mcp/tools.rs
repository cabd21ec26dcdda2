//! The tools, one by one.

use std::fs;
use std::time::Instant;

use serde_json::{Value, json};

use crate::support::{PATIENCE, call, client, refusal, reply, shop};

#[tokio::test]
async fn metrics_are_found_and_described() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let found = reply(&client, "list_metrics", json!({"search": "turnover"})).await;
    assert_eq!(found["metrics"][0]["metric"], "gmv");
    assert_eq!(found["total"], 1);
    let some = reply(&client, "list_metrics", json!({"limit": 2})).await;
    assert_eq!(some["metrics"].as_array().unwrap().len(), 2);
    assert_eq!(some["truncated"], true);
    let gmv = reply(&client, "describe_metric", json!({"metric": "sales"})).await;
    assert_eq!(gmv["metric"], "gmv");
    assert_eq!(gmv["unit"], "USD");
    assert_eq!(gmv["business_rules"][0], "Cancelled orders do not count");
    let dimensions = gmv["dimensions"].as_array().unwrap();
    let email = dimensions.iter().find(|it| it["dimension"] == "email");
    assert_eq!(email.unwrap()["pii"], true);
}

#[tokio::test]
async fn a_query_comes_with_its_line_its_sql_and_its_dates() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let arguments = json!({
        "metric_name": "turnover",
        "group_by": ["market"],
        "time": "last month",
        "order": ["gmv desc"],
    });
    let answer = reply(&client, "query_metric", arguments).await;
    assert_eq!(answer["metrics"], json!(["gmv"]));
    assert_eq!(
        answer["query"],
        "gmv by market last month order by gmv desc"
    );
    assert_eq!(
        answer["time"],
        json!({"first": "2025-10-01", "last": "2025-10-31"})
    );
    assert_eq!(answer["rows"], json!([["TH", 20.5], ["VN", 6.24]]));
    assert_eq!(answer["columns"][1]["unit"], "USD");
    assert_eq!(answer["total_rows"], 2);
    assert_eq!(answer["truncated"], false);
    assert!(answer["sql"].as_str().unwrap().contains("SELECT"));
    assert!(answer["elapsed_ms"].is_u64());
}

#[tokio::test]
async fn a_missing_value_is_null_and_an_empty_text_is_not() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let answer = reply(
        &client,
        "query_metric",
        json!({"metric_name": "orders", "group_by": ["note"]}),
    )
    .await;
    let rows = answer["rows"].as_array().unwrap();
    assert!(rows.contains(&json!(["", 1])), "{rows:?}");
    assert!(rows.contains(&json!([null, 2])), "{rows:?}");
}

#[tokio::test]
async fn dimensions_restrict_as_arguments_and_as_filters() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let lines = [
        (json!({"country": "TH"}), "country = TH"),
        (json!({"market": ["TH", "VN"]}), "market in (TH, VN)"),
        (
            json!({"filters": {"market": {"not": ["TH"]}}}),
            "market not in (TH)",
        ),
        (
            json!({"filters": {"market": {"not": "TH"}}, "channel": "ads"}),
            "market != TH and channel = ads",
        ),
        (
            json!({"filters": {"gmv": {"gte": 2, "lt": 7.5}}, "group_by": ["market"]}),
            "gmv >= 2 and gmv < 7.5",
        ),
        (
            json!({"filters": {"note": {"is_null": true}}}),
            "note is null",
        ),
        (
            json!({"filters": {"note": {"like": "pl%"}}}),
            "note like 'pl%'",
        ),
    ];
    for (mut arguments, condition) in lines {
        arguments["metric_name"] = "gmv".into();
        let answer = reply(&client, "query_metric", arguments).await;
        let line = answer["query"].as_str().unwrap();
        assert!(line.contains(condition), "{line}");
    }
}

#[tokio::test]
async fn without_a_metric_values_and_their_range_are_given() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let answer = reply(
        &client,
        "query_metric",
        json!({"group_by": ["market"], "filters": {"channel": "ads"}}),
    )
    .await;
    assert_eq!(answer["query"], "by market where channel = ads all time");
    assert_eq!(answer["metrics"], json!([]));
    assert_eq!(answer["columns"][0]["role"], "group");
    let answer = reply(
        &client,
        "query_metric",
        json!({"range_of": ["created_at.month"], "country": "TH"}),
    )
    .await;
    assert_eq!(
        answer["query"],
        "range of created_at.month where country = TH all time"
    );
    assert_eq!(answer["columns"][0]["name"], "created_at.month_min");
    assert_eq!(answer["columns"][1]["role"], "bound");
    assert_eq!(answer["rows"].as_array().unwrap().len(), 1);
    for arguments in [
        json!({"group_by": ["email"]}),
        json!({"range_of": ["email"]}),
    ] {
        let error = refusal(&client, "query_metric", arguments).await;
        assert_eq!(error["code"], "personal_data");
    }
    let error = refusal(
        &client,
        "query_metric",
        json!({"metric_name": "gmv", "range_of": ["market"]}),
    )
    .await;
    assert_eq!(error["hint"], "ask for it alone: range of market");
    let explained = reply(&client, "explain_query", json!({"range_of": ["market"]})).await;
    assert!(explained["sql"].as_str().unwrap().contains("MIN("));
}

#[tokio::test]
async fn arguments_say_all_that_the_line_can() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let cases = [
        (
            json!({"show": ["gmv share", "gmv rank"], "group_by": ["market"]}),
            "gmv, gmv share, gmv rank by market",
        ),
        (
            json!({"show": ["gmv moving 2"], "group_by": ["month"], "every_period": true, "time": "last 3 months"}),
            "gmv, gmv moving 2 by month last 3 months every period",
        ),
        (
            json!({"group_by": ["market", "channel"], "order": ["gmv desc"], "limit": 1, "limit_per": ["market"], "others": true}),
            "gmv by market, channel all time top 1 by gmv per market with others",
        ),
        (
            json!({"filters": {"orders per channel": {"gte": 1}}}),
            "gmv by none where orders per channel >= 1",
        ),
    ];
    for (mut arguments, line) in cases {
        arguments["metric_name"] = "gmv".into();
        let answer = reply(&client, "query_metric", arguments).await;
        let found = answer["query"].as_str().unwrap();
        assert!(found.starts_with(line), "{found}");
    }
}

#[tokio::test]
async fn an_unknown_dimension_is_refused_with_those_there_are() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    for arguments in [
        json!({"metric_name": "gmv", "group_by": ["foo"]}),
        json!({"metric_name": "gmv", "foo": "x"}),
        json!({"metric_name": "gmv", "filters": {"foo": "x"}}),
    ] {
        let error = refusal(&client, "query_metric", arguments).await;
        assert_eq!(error["code"], "unknown_dimension");
        assert_eq!(error["message"], "unknown dimension 'foo'");
        let hint = error["hint"].as_str().unwrap();
        assert!(
            hint.starts_with("dimensions of gmv: market, channel"),
            "{hint}"
        );
        let valid = error["valid_values"].as_array().unwrap();
        assert!(valid.contains(&"market".into()), "{valid:?}");
    }
}

#[tokio::test]
async fn names_and_values_that_do_not_exist_are_refused_with_those_that_do() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let error = refusal(
        &client,
        "query_metric",
        json!({"metric_name": "gmv by market"}),
    )
    .await;
    assert_eq!(error["code"], "unknown_metric");
    assert!(
        error["valid_values"]
            .as_array()
            .unwrap()
            .contains(&"gmv".into())
    );
    let error = refusal(
        &client,
        "query_metric",
        json!({"metric_name": "gmv", "market": "XY"}),
    )
    .await;
    assert_eq!(error["code"], "unknown_value");
    assert_eq!(error["valid_values"], json!(["TH", "VN", "ID"]));
    let error = refusal(&client, "describe_metric", json!({"metric": "gmvv"})).await;
    assert_eq!(error["code"], "unknown_metric");
    assert!(
        error["hint"]
            .as_str()
            .unwrap()
            .contains("did you mean 'gmv'")
    );
    let error = refusal(
        &client,
        "dimension_values",
        json!({"dimension": "foo", "metric": "gmv"}),
    )
    .await;
    assert_eq!(error["code"], "unknown_dimension");
    let error = refusal(
        &client,
        "query_metric",
        json!({"metric_name": "gmv", "time": "some time ago"}),
    )
    .await;
    assert_eq!(error["code"], "syntax");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .starts_with("argument 'time'")
    );
}

#[tokio::test]
async fn arguments_that_are_not_known_or_not_readable_are_named() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let cases = [
        (
            "list_metrics",
            json!({"find": "gmv"}),
            "unknown field `find`",
        ),
        ("list_metrics", json!({"limit": "ten"}), "argument 'limit'"),
        (
            "query_metric",
            json!({"metric_name": "gmv", "limit": "ten"}),
            "argument 'limit'",
        ),
        ("query_metric", json!({}), "metric_name is missing"),
        (
            "query_metric",
            json!({"metric_name": "gmv", "filters": {"market": {"is": "TH"}}}),
            "argument 'filters'",
        ),
        (
            "query_metric",
            json!({"metric_name": "gmv", "filters": {"market": []}}),
            "names no value",
        ),
        (
            "plot_distribution",
            json!({"metric": "gmv", "dimension": "market", "kind": "pie"}),
            "argument 'kind'",
        ),
        (
            "compare_periods",
            json!({"metric": "gmv", "time": "last month"}),
            "missing field `compare`",
        ),
    ];
    for (tool, arguments, expected) in cases {
        let error = refusal(&client, tool, arguments).await;
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn a_long_answer_is_cut_and_says_so() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let answer = reply(
        &client,
        "query_metric",
        json!({"metric_name": "numbers", "group_by": ["i"]}),
    )
    .await;
    assert_eq!(answer["rows"].as_array().unwrap().len(), 200);
    assert_eq!(answer["returned_rows"], 200);
    assert_eq!(answer["total_rows"], 1000);
    assert_eq!(answer["truncated"], true);
    let note = answer["notes"][0].as_str().unwrap();
    assert!(
        note.starts_with("these are the first 200 rows of 1000"),
        "{note}"
    );

    let wide = json!({"metrics": ["numbers"], "group_by": ["words", "i"], "order": ["words"]});
    let result = call(&client, "query_metric", wide).await;
    let text = &result.content[0].as_text().unwrap().text;
    assert!(text.len() <= 32 * 1024, "{}", text.len());
    let answer = result.structured_content.unwrap();
    assert_eq!(answer["total_rows"], 1000);
    assert_eq!(answer["truncated"], true);
}

#[tokio::test]
async fn personal_data_is_not_given_to_a_model() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    for (tool, arguments) in [
        ("dimension_values", json!({"dimension": "email"})),
        (
            "dimension_values",
            json!({"dimension": "email", "metric": "gmv"}),
        ),
        (
            "query_metric",
            json!({"metric_name": "gmv", "group_by": ["email"]}),
        ),
        (
            "query_metric",
            json!({"metric_name": "gmv", "group_by": ["buyer.email"]}),
        ),
        (
            "plot_distribution",
            json!({"metric": "gmv", "dimension": "email"}),
        ),
    ] {
        let error = refusal(&client, tool, arguments).await;
        assert_eq!(error["code"], "personal_data", "{error}");
    }
}

#[tokio::test]
async fn values_are_listed_as_they_are_spelled() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let values = reply(
        &client,
        "dimension_values",
        json!({"dimension": "market", "limit": 2}),
    )
    .await;
    assert_eq!(values["values"][0], json!({"value": "TH", "rows": 2}));
    assert_eq!(values["distinct"], 3);
    assert_eq!(values["truncated"], true);
    let values = reply(&client, "dimension_values", json!({"dimension": "channel"})).await;
    assert_eq!(values["distinct"], Value::Null);
    assert!(values["notes"][0].as_str().unwrap().contains("not indexed"));
}

#[tokio::test]
async fn two_periods_are_compared() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let answer = reply(
        &client,
        "compare_periods",
        json!({"metric": "gmv", "time": "2025-10", "compare": "previous period"}),
    )
    .await;
    assert_eq!(
        answer["compared_with"],
        json!({"first": "2025-09-01", "last": "2025-09-30"})
    );
    let roles: Vec<&Value> = answer["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["role"])
        .collect();
    assert_eq!(roles, ["metric", "prior", "change", "change_percent"]);
    let row = answer["rows"][0].as_array().unwrap();
    assert_eq!((&row[0], &row[1]), (&json!(26.74), &json!(10.0)));
}

#[tokio::test]
async fn a_period_that_is_not_over_is_noted() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let answer = reply(
        &client,
        "query_metric",
        json!({"metric_name": "gmv", "group_by": ["month"], "time": "rolling 60 days"}),
    )
    .await;
    assert_eq!(
        answer["notes"][0],
        "the first month is only partly in the range, and the month of 2025-11-20 is not over yet"
    );
}

#[tokio::test]
async fn a_query_is_explained_without_being_run() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let told = reply(&client, "explain_query", json!({"query": "forever"})).await;
    assert!(told["sql"].as_str().unwrap().contains("4000000000"));
    let told = reply(
        &client,
        "explain_query",
        json!({"metric_name": "sales", "segment": "SMB", "time": "last month"}),
    )
    .await;
    assert_eq!(told["query"], "gmv by none where segment = SMB last month");
    assert_eq!(told["metrics"][0]["formula"], "sum of amount over orders");
    let kinds: Vec<&Value> = told["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["kind"])
        .collect();
    assert!(
        kinds.contains(&&json!("join")) && kinds.contains(&&json!("time")),
        "{kinds:?}"
    );
    let error = refusal(
        &client,
        "explain_query",
        json!({"query": "gmv", "metric_name": "gmv"}),
    )
    .await;
    assert_eq!(error["code"], "bad_argument");
}

#[tokio::test]
async fn plots_come_as_text_numbers_and_svg() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let arguments = json!({"metric": "gmv", "dimension": "market", "ascii": true});
    let result = call(&client, "plot_distribution", arguments).await;
    let picture = &result.content[0].as_text().unwrap().text;
    let lines: Vec<&str> = picture.lines().collect();
    assert_eq!(lines[0], "Gross merchandise value by market, all time");
    assert!(
        lines[1].starts_with("TH  ####") && lines[1].ends_with("$30.50"),
        "{picture}"
    );
    assert!(picture.is_ascii());
    let plot = result.structured_content.unwrap();
    assert_eq!(plot["bars"][0], json!({"label": "TH", "value": 30.5}));
    assert!(plot["svg"].as_str().unwrap().starts_with("<svg xmlns="));

    let arguments = json!({"metric": "numbers", "dimension": "i", "kind": "hist"});
    let plot = reply(&client, "plot_distribution", arguments).await;
    assert_eq!(
        plot["bins"],
        json!([{"from": 1.0, "to": 1.0, "count": 1000}])
    );

    let arguments = json!({"metric": "gmv", "dimension": "market", "kind": "box"});
    let plot = reply(&client, "plot_distribution", arguments).await;
    let numbers = &plot["boxes"][0];
    assert_eq!(numbers["count"], 3);
    assert_eq!(numbers["median"], 6.24);
    assert_eq!(numbers["q1"], 4.12);

    let arguments = json!({"metric": "gmv", "dimension": "market", "kind": "box", "per": "month", "time": "last 2 months"});
    let plot = reply(&client, "plot_distribution", arguments).await;
    assert_eq!(plot["boxes"][0]["label"], "TH");
}

#[tokio::test]
async fn a_box_names_its_outliers() {
    let shop = shop();
    let sizes = "metrics:\n  sizes: {base_table: many, agg: sum, expr: 'case when i = 7 then 100000 else i end'}\n";
    fs::write(shop.path().join("metrics/sizes.yaml"), sizes).unwrap();
    let (client, _child) = client(shop.path()).await;
    let arguments = json!({"metric": "sizes", "dimension": "i", "kind": "box"});
    let plot = reply(&client, "plot_distribution", arguments).await;
    assert_eq!(plot["total_outliers"], 1);
    assert_eq!(plot["outliers"][0]["member"], "7");
    assert_eq!(plot["outliers"][0]["value"], 100_000.0);
    assert_eq!(plot["boxes"][0]["outliers"], 1);
    let fences: Vec<f64> = serde_json::from_value(plot["outliers"][0]["fences"].clone()).unwrap();
    assert!(fences[0] < 1.0 && fences[1] > 1000.0, "{fences:?}");
}

#[tokio::test]
async fn alerts_are_checked_and_those_that_fired_come_first() {
    let shop = shop();
    let alerts = "alerts:
  few: {query: numbers, when: < 10}
  many: {query: numbers by i, when: '> 0', severity: critical, message: Look.}
  wrong: {query: numbers by colour, when: < 10}
";
    fs::write(shop.path().join("metrics/alerts.yaml"), alerts).unwrap();
    let (client, _child) = client(shop.path()).await;
    let checked = reply(&client, "check_alerts", json!({})).await;
    assert_eq!(
        (
            &checked["checked"],
            &checked["fired"],
            &checked["not_computed"]
        ),
        (&json!(3), &json!(1), &json!(1))
    );
    let outcomes: Vec<&str> = checked["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| alert["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["fired", "not_computed", "quiet"]);
    let many = &checked["alerts"][0];
    assert_eq!(
        (&many["severity"], &many["message"]),
        (&json!("critical"), &json!("Look."))
    );
    assert_eq!(many["total_findings"], 1000);
    assert_eq!(many["findings"].as_array().unwrap().len(), 20);
    assert_eq!(many["findings"][0]["value"], 1.0);
    let one = reply(&client, "check_alerts", json!({"names": ["few"]})).await;
    assert_eq!((&one["checked"], &one["fired"]), (&json!(1), &json!(0)));
    let missing = refusal(&client, "check_alerts", json!({"names": ["fw"]})).await;
    assert_eq!(missing["hint"], "did you mean 'few'?");
    let card = reply(&client, "describe_metric", json!({"metric": "numbers"})).await;
    assert_eq!(card["alerts"].as_array().unwrap().len(), 3);
    assert!(card["alerts"][0].as_str().unwrap().contains("quiet on "));
}

#[tokio::test]
async fn how_the_policy_does_is_told_from_the_log() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let empty = reply(&client, "policy_report", json!({})).await;
    assert_eq!(empty["queries"], 0);
    assert!(
        empty["caution"]
            .as_str()
            .unwrap()
            .contains("Nothing was decided yet")
    );
    reply(&client, "query_metric", json!({"metric_name": "gmv"})).await;
    let report = reply(&client, "policy_report", json!({})).await;
    assert_eq!(
        (&report["queries"], &report["algorithm"]),
        (&json!(1), &json!("bandit"))
    );
    assert_eq!(report["stretches"][0]["succeeded"], 1.0);
    assert_eq!(report["decisions"].as_array().unwrap().len(), 4);
    assert!(
        report["trial"]
            .as_str()
            .unwrap()
            .contains("Verdict: none yet")
    );
}

#[tokio::test]
async fn hostile_text_of_the_data_stays_text() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let arguments = json!({"metric": "hostility", "dimension": "words"});
    let plot = reply(&client, "plot_distribution", arguments).await;
    let svg = plot["svg"].as_str().unwrap();
    assert!(
        svg.contains("&lt;script&gt;") && !svg.contains("<script"),
        "{svg}"
    );
    let whole = plot.to_string();
    assert!(!whole.contains("\\u001b"), "{whole}");
    let arguments = json!({"metric_name": "hostility", "group_by": ["words"]});
    let answer = reply(&client, "query_metric", arguments).await.to_string();
    assert!(!answer.contains("\\u001b"), "{answer}");
}

#[tokio::test]
async fn a_question_that_is_not_understood_is_refused_with_its_words() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let answer = reply(&client, "ask", json!({"question": "how is the weather"})).await;
    assert_eq!(answer["outcome"], "refused");
    assert!(
        !answer["refused"]["words"].as_array().unwrap().is_empty(),
        "{answer}"
    );
}

#[tokio::test]
async fn a_question_that_is_one_endless_word_is_refused_by_its_length() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let question = format!("gmv {}", "x".repeat(20_000));
    let answer = reply(&client, "ask", json!({"question": question})).await;
    assert_eq!(answer["outcome"], "refused");
    let message = answer["refused"]["message"].as_str().unwrap();
    assert!(message.contains("at most 2000 characters"), "{answer}");
}

#[tokio::test]
async fn an_edit_of_the_definitions_shows_without_a_restart() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let before = reply(&client, "list_metrics", json!({"search": "brand_new"})).await;
    assert_eq!(before["total"], 0);
    let text = "metrics:\n  brand_new: {base_table: orders, agg: count}\n";
    fs::write(shop.path().join("metrics/new.yaml"), text).unwrap();
    let begin = Instant::now();
    while reply(&client, "list_metrics", json!({"search": "brand_new"})).await["total"] == 0 {
        assert!(begin.elapsed() < PATIENCE, "the new metric never showed");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn many_calls_are_answered_at_once() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let calls = (0..20).map(|i| {
        let market = ["TH", "VN", "ID"][i % 3];
        reply(
            &client,
            "query_metric",
            json!({"metric_name": "orders", "market": market}),
        )
    });
    let answers = futures_util::future::join_all(calls).await;
    for (i, answer) in answers.iter().enumerate() {
        assert_eq!(answer["rows"][0][0], [2, 2, 1][i % 3]);
    }
}

#[tokio::test]
async fn the_rows_behind_a_number_add_up_to_it() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let arguments = json!({"query": "gmv by market last month", "at": {"market": "TH"}});
    let answer = reply(&client, "rows_behind_number", arguments).await;
    assert_eq!(answer["part"], "gmv");
    assert_eq!(answer["parts"][0]["value"], "20.5");
    assert_eq!(answer["left_out"], json!([]));
    let columns = answer["rows"]["columns"].as_array().unwrap();
    let gmv = columns
        .iter()
        .position(|column| column["name"] == "gmv")
        .unwrap();
    let rows = answer["rows"]["rows"].as_array().unwrap();
    let sum: f64 = rows.iter().map(|row| row[gmv].as_f64().unwrap()).sum();
    assert!((sum - 20.5).abs() < 1e-9, "{rows:?}");
    assert_eq!(answer["parts"][0]["rows"], rows.len());
    let arguments = json!({"query": "gmv, gmv share by market", "column": "gmv_share"});
    let refused = refusal(&client, "rows_behind_number", arguments).await;
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("from the rows of the result"), "{refused}");
    let arguments = json!({"query": "gmv by market", "at": {"channel": "ads"}});
    let refused = refusal(&client, "rows_behind_number", arguments).await;
    assert_eq!(refused["message"], "the query is not grouped by 'channel'");
}

#[tokio::test]
async fn models_are_governed_and_what_they_could_build_on_is_suggested() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let sql = "select id\nfrom raw.people";
    let governed = reply(&client, "govern_model", json!({"sql": sql})).await;
    assert_eq!(governed["passes"], false);
    let finding = &governed["findings"][0];
    assert_eq!(
        (&finding["rule"], &finding["line"], &finding["column"]),
        (&json!("raw_source"), &json!(2), &json!(6))
    );
    assert_eq!(governed["reads"][0]["kind"], "raw");
    let staging = json!({"sql": sql, "name": "stg_people"});
    assert_eq!(
        reply(&client, "govern_model", staging).await["passes"],
        true
    );

    // The project has agreed on nothing yet.
    let intent = json!({"intent": "revenue"});
    let suggested = reply(&client, "suggest_datasets", intent).await;
    assert_eq!(suggested["datasets"], json!([]));
    assert_eq!(suggested["unmatched"], json!(["revenue"]));

    let lineage = reply(&client, "lineage", json!({"name": "gmv"})).await;
    assert_eq!(lineage["nodes"][0]["id"], "metric:gmv");
    assert_eq!(lineage["nodes"][0]["made_from"], json!(["dataset:orders"]));
    assert_eq!(lineage["truncated"], false);
    let refused = refusal(&client, "lineage", json!({"name": "gmw"})).await;
    assert_eq!(refused["code"], "unknown_name");
}

#[tokio::test]
async fn how_something_is_used_is_told() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    for _ in 0..3 {
        let asked = json!({"metric_name": "gmv", "group_by": ["market"], "time": "last month"});
        reply(&client, "query_metric", asked).await;
    }
    let used = reply(&client, "usage_graph", json!({"name": "turnover"})).await;
    assert_eq!(used["about"], "metric:gmv");
    assert_eq!(used["found"]["runs"], 3);
    assert_eq!(used["truncated"], false);
    let groups = used["found"]["near"].as_array().unwrap();
    let by = groups
        .iter()
        .find(|group| group["way"] == "grouped_by")
        .unwrap();
    assert_eq!(
        (&by["near"][0]["name"], &by["near"][0]["runs"]),
        (&json!("market"), &json!(3))
    );
    let together = json!({"name": "gmv", "show": "together"});
    let together = reply(&client, "usage_graph", together).await;
    assert_eq!(together["found"]["dimensions"][0]["name"], "market");
    let affected = reply(
        &client,
        "usage_graph",
        json!({"name": "gmv", "show": "affected"}),
    )
    .await;
    assert_eq!(affected["found"]["metrics"][0]["name"], "aov");
    let path = json!({"name": "table:orders", "show": "path", "to": "users"});
    let path = reply(&client, "usage_graph", path).await;
    assert_eq!(
        path["found"]["ways"][0]["on"],
        json!(["orders.user_id = users.user_id"])
    );
    let gmv = reply(&client, "describe_metric", json!({"metric": "gmv"})).await;
    assert_eq!(gmv["usage"]["last_30_days"], 3);
    let refused = refusal(
        &client,
        "usage_graph",
        json!({"name": "gmv", "show": "path"}),
    )
    .await;
    assert_eq!(refused["code"], "bad_argument");
}
