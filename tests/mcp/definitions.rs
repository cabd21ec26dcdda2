//! What a model is told of the tools.

use serde_json::Value;

use crate::support::{client, metrex, shop};

const TOOLS: [&str; 17] = [
    "list_metrics",
    "describe_metric",
    "dimension_values",
    "query_metric",
    "compare_periods",
    "plot_distribution",
    "explain_query",
    "explain_change",
    "check_alerts",
    "rows_behind_number",
    "ask",
    "suggest_datasets",
    "lineage",
    "usage_graph",
    "policy_report",
    "govern_model",
    "give_feedback",
];

async fn printed(format: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let run = metrex(folder.path())
        .args(["tools", "--format", format])
        .output()
        .await
        .unwrap();
    assert!(run.status.success());
    serde_json::from_slice(&run.stdout).unwrap()
}

#[tokio::test]
async fn every_tool_says_whether_it_only_reads_and_what_it_takes_and_returns() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    assert_eq!(names, TOOLS);
    for tool in &tools {
        let annotations = tool.annotations.as_ref().unwrap();
        let only_reads = tool.name != "give_feedback";
        assert_eq!(
            annotations.read_only_hint,
            Some(only_reads),
            "{}",
            tool.name
        );
        assert_eq!(annotations.destructive_hint, Some(false), "{}", tool.name);
        assert!(tool.title.is_some() && tool.description.is_some());
        assert_eq!(tool.input_schema["type"], "object", "{}", tool.name);
        let output = tool.output_schema.as_ref().unwrap();
        assert_eq!(output["type"], "object", "{}", tool.name);
    }
}

#[tokio::test]
async fn the_server_says_which_day_it_is_and_how_to_begin() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let server = client.peer_info().unwrap();
    assert_eq!(server.server_info.as_ref().unwrap().name, "metrex");
    let instructions = server.instructions.clone().unwrap();
    assert!(instructions.contains("2025-11-20"), "{instructions}");
    assert!(instructions.contains("list_metrics"), "{instructions}");
}

#[tokio::test]
async fn the_printed_definitions_are_those_of_the_server() {
    let shop = shop();
    let (client, _child) = client(shop.path()).await;
    let served = client.list_all_tools().await.unwrap();
    assert_eq!(printed("mcp").await, serde_json::to_value(&served).unwrap());
    for (i, tool) in served.iter().enumerate() {
        let schema = serde_json::to_value(&tool.input_schema).unwrap();
        let openai = &printed("openai").await[i];
        assert_eq!(openai["type"], "function");
        assert_eq!(openai["function"]["name"], *tool.name);
        assert_eq!(openai["function"]["parameters"], schema);
        let anthropic = &printed("anthropic").await[i];
        assert_eq!(anthropic["name"], *tool.name);
        assert_eq!(anthropic["input_schema"], schema);
    }
}

#[tokio::test]
async fn schemas_stand_alone_and_refuse_what_they_do_not_know() {
    for tool in printed("mcp").await.as_array().unwrap() {
        let text = tool.to_string();
        assert!(!text.contains("$ref") && !text.contains("$defs"), "{text}");
        let schema = &tool["inputSchema"];
        for forbidden in ["anyOf", "oneOf", "allOf"] {
            assert!(schema.get(forbidden).is_none(), "{schema}");
        }
        let more = &schema["additionalProperties"];
        let takes_dimensions =
            ["query_metric", "explain_query"].contains(&tool["name"].as_str().unwrap());
        assert_eq!(more.is_object(), takes_dimensions, "{schema}");
        assert!(takes_dimensions || *more == Value::Bool(false), "{schema}");
    }
}
