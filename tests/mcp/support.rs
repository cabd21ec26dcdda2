//! The program as a server, and clients for it.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use metrex::session::{OpenOptions, Session};
use metrex::usage::Outcome;
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceExt};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::project::{self, TODAY};

/// Long enough for a busy machine; nothing waits longer than it has to.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub type Client = RunningService<RoleClient, ()>;

/// More metrics than the shop has: many rows, hostile text, and a query that would run for hours.
const MORE: &str = r#"
datasets:
  many:
    sql: with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) select i, 'a rather long text that fills the reply, number ' || i as words from n
    dimensions: {i: {type: number}, words: {}}
  endless:
    sql: with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000000000) select i from n
  hostile:
    sql: select '<script>alert("1")</script>' || char(27) || '[2J' as words, 1 as n union all select 'plain', 2
    dimensions: {words: {}}
metrics:
  numbers: {base_table: many, agg: count}
  forever: {base_table: endless, agg: count, filters: ['i > 0']}
  hostility: {base_table: hostile, agg: sum, expr: n}
"#;

/// The shop with its values indexed, and with [`MORE`].
pub fn shop() -> TempDir {
    let shop = project::shop();
    fs::write(shop.path().join("metrics/more.yaml"), MORE).unwrap();
    let indexed = std::process::Command::new(env!("CARGO_BIN_EXE_metrex"))
        .current_dir(shop.path())
        .env("METREX_STATE_DIR", shop.path().join(".state"))
        .args(["reindex", "--dimension", "market"])
        .output()
        .unwrap();
    assert!(indexed.status.success());
    shop
}

/// The program in a folder, its clock pinned, with its streams in pipes.
pub fn metrex(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metrex"));
    command
        .current_dir(folder)
        .env("METREX_STATE_DIR", folder.join(".state"))
        .env("METREX_TODAY", TODAY)
        .env_remove("METREX_LOG")
        .env_remove("METREX_MCP_TOKEN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// The server on stdio, with the official client.
pub async fn client(folder: &Path) -> (Client, Child) {
    let mut child = metrex(folder).arg("mcp").spawn().unwrap();
    let streams = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
    let client = ().serve(streams).await.unwrap();
    (client, child)
}

pub async fn call(client: &Client, tool: &'static str, arguments: Value) -> CallToolResult {
    let Value::Object(arguments) = arguments else {
        panic!("arguments are an object");
    };
    let request = CallToolRequestParams::new(tool).with_arguments(arguments);
    client.call_tool(request).await.unwrap()
}

/// The structured reply of a call that succeeds.
pub async fn reply(client: &Client, tool: &'static str, arguments: Value) -> Value {
    let result = call(client, tool, arguments).await;
    assert_ne!(result.is_error, Some(true), "{:?}", result.content);
    result.structured_content.unwrap()
}

/// The error of a call that is refused by the tool, not by the protocol.
pub async fn refusal(client: &Client, tool: &'static str, arguments: Value) -> Value {
    let result = call(client, tool, arguments).await;
    assert_eq!(result.is_error, Some(true), "{:?}", result.content);
    let text = result.content[0].as_text().unwrap();
    let error: Value = serde_json::from_str(&text.text).unwrap();
    error["error"].clone()
}

/// Waits until the history says how the query was ended.
pub async fn ended(folder: &Path, line: &str) -> Outcome {
    let begin = Instant::now();
    loop {
        let session = Session::open(OpenOptions {
            project: Some(folder.to_owned()),
            state_dir: Some(folder.join(".state")),
            ..OpenOptions::default()
        })
        .unwrap();
        let history = session.history(10);
        if let Some(entry) = history
            .into_iter()
            .find(|entry| entry.line.starts_with(line))
        {
            return entry.outcome;
        }
        assert!(begin.elapsed() < PATIENCE, "'{line}' never ended");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
