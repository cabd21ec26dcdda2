//! The protocol on stdin and stdout, byte by byte.

use metrex::usage::Outcome;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

use crate::support::{PATIENCE, ended, metrex, shop};

/// A client that writes what it likes.
struct Raw {
    child: Child,
    requests: ChildStdin,
    replies: Lines<BufReader<ChildStdout>>,
}

impl Raw {
    fn start(folder: &std::path::Path) -> Self {
        let mut child = metrex(folder).arg("mcp").spawn().unwrap();
        Self {
            requests: child.stdin.take().unwrap(),
            replies: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        }
    }

    async fn send(&mut self, line: &str) {
        self.requests.write_all(line.as_bytes()).await.unwrap();
        self.requests.write_all(b"\n").await.unwrap();
    }

    async fn request(&mut self, id: u64, method: &str, params: Value) {
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(&message.to_string()).await;
    }

    async fn notify(&mut self, method: &str, params: Value) {
        let message = json!({"jsonrpc": "2.0", "method": method, "params": params});
        self.send(&message.to_string()).await;
    }

    /// The reply with this id; everything on stdout must be JSON.
    async fn reply(&mut self, id: u64) -> Value {
        loop {
            let line = timeout(PATIENCE, self.replies.next_line()).await.unwrap();
            let line = line.unwrap().expect("the server is gone");
            let message: Value = serde_json::from_str(&line).expect("stdout holds JSON only");
            if message["id"] == id {
                return message;
            }
        }
    }

    async fn initialize(&mut self, version: &str) -> Value {
        let params = json!({
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        });
        self.request(0, "initialize", params).await;
        let reply = self.reply(0).await;
        self.notify("notifications/initialized", json!({})).await;
        reply
    }
}

#[tokio::test]
async fn each_revision_of_the_protocol_is_spoken_as_asked() {
    let shop = shop();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut raw = Raw::start(shop.path());
        let reply = raw.initialize(version).await;
        assert_eq!(reply["result"]["protocolVersion"], version);
        raw.request(1, "tools/list", json!({})).await;
        assert!(raw.reply(1).await["result"]["tools"].is_array());
    }
}

#[tokio::test]
async fn what_is_not_json_does_not_end_the_session() {
    let shop = shop();
    let mut raw = Raw::start(shop.path());
    raw.send("this is not JSON").await;
    raw.initialize("2025-11-25").await;
    raw.send("{\"jsonrpc\": \"2.0\", \"id\": 7, \"method\": ")
        .await;
    raw.send("[1, 2, 3]").await;
    raw.send("{\"no\": \"request\"}").await;
    raw.request(1, "no/such/method", json!({})).await;
    assert!(raw.reply(1).await["error"].is_object());
    let call = json!({"name": "query_metric", "arguments": {"metric_name": "orders"}});
    raw.request(2, "tools/call", call).await;
    assert_eq!(
        raw.reply(2).await["result"]["structuredContent"]["rows"],
        json!([[5]])
    );
}

#[tokio::test]
async fn an_unknown_tool_is_an_error_of_the_protocol_that_names_the_tools() {
    let shop = shop();
    let mut raw = Raw::start(shop.path());
    raw.initialize("2025-11-25").await;
    raw.request(1, "tools/call", json!({"name": "drop_table"}))
        .await;
    let message = raw.reply(1).await["error"]["message"].to_string();
    assert!(message.contains("query_metric"), "{message}");
}

#[tokio::test]
async fn a_cancelled_call_stops_the_warehouse() {
    let shop = shop();
    let mut raw = Raw::start(shop.path());
    raw.initialize("2025-11-25").await;
    let call = json!({"name": "query_metric", "arguments": {"metric_name": "forever"}});
    raw.request(1, "tools/call", call).await;
    // Others are answered meanwhile.
    let call = json!({"name": "query_metric", "arguments": {"metric_name": "orders"}});
    raw.request(2, "tools/call", call).await;
    raw.reply(2).await;
    raw.notify(
        "notifications/cancelled",
        json!({"requestId": 1, "reason": "enough"}),
    )
    .await;
    assert_eq!(ended(shop.path(), "forever").await, Outcome::Cancelled);
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_server_and_its_queries() {
    let shop = shop();
    let mut raw = Raw::start(shop.path());
    raw.initialize("2025-11-25").await;
    let call = json!({"name": "query_metric", "arguments": {"metric_name": "forever"}});
    raw.request(1, "tools/call", call).await;
    let call = json!({"name": "query_metric", "arguments": {"metric_name": "orders"}});
    raw.request(2, "tools/call", call).await;
    raw.reply(2).await;
    drop(raw.requests);
    let status = timeout(PATIENCE, raw.child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn nobody_at_all_is_no_error() {
    let shop = shop();
    let raw = Raw::start(shop.path());
    drop(raw.requests);
    let run = raw.child.wait_with_output().await.unwrap();
    assert!(run.status.success());
    assert!(run.stdout.is_empty());
}
