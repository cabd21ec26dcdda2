//! The protocol over HTTP: who is let in, and what happens when they leave.

use std::path::Path;
use std::sync::Once;

use metrex::usage::Outcome;
use reqwest::{Response, StatusCode};
use rmcp::ServiceExt;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Child;
use tokio::time::timeout;

use crate::support::{Client, PATIENCE, ended, metrex, reply, shop};

const OWN_TOKEN: &str = "a-token-of-my-own-choice";

struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Serves on a free port with [`OWN_TOKEN`].
    async fn start(folder: &Path) -> Self {
        let mut command = metrex(folder);
        command.env("METREX_MCP_TOKEN", OWN_TOKEN);
        Self::of(command).await
    }

    async fn of(mut command: tokio::process::Command) -> Self {
        let mut child = command.args(["mcp", "--http", "0"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = timeout(PATIENCE, lines.next_line()).await.unwrap();
        let url = url.unwrap().expect("the server says where it is");
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        Self { child, url }
    }

    /// Sends a request with these headers beside those of the protocol.
    async fn post(&self, headers: &[(&str, &str)], message: Value) -> Response {
        let mut request = http()
            .post(&self.url)
            .header("Content-Type", "application/json")
            .header("Accept", "application/json, text/event-stream")
            .header("MCP-Protocol-Version", "2025-11-25")
            .body(message.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }
}

fn http() -> reqwest::Client {
    static TLS: Once = Once::new();
    // Nothing is encrypted here, but no client can be made without it.
    TLS.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn ping() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}})
}

fn bearer() -> String {
    format!("Bearer {OWN_TOKEN}")
}

#[tokio::test]
async fn the_official_client_lists_and_queries() {
    let shop = shop();
    let server = Server::start(shop.path()).await;
    let config =
        StreamableHttpClientTransportConfig::with_uri(server.url.clone()).auth_header(OWN_TOKEN);
    let transport = StreamableHttpClientTransport::with_client(http(), config);
    let client: Client = ().serve(transport).await.unwrap();
    assert_eq!(client.list_all_tools().await.unwrap().len(), 17);
    let answer = reply(&client, "query_metric", json!({"metric_name": "orders"})).await;
    assert_eq!(answer["rows"], json!([[5]]));
}

#[tokio::test]
async fn only_the_token_lets_in() {
    let shop = shop();
    let server = Server::start(shop.path()).await;
    for wrong in [
        None,
        Some("Bearer wrong".to_owned()),
        Some(format!("Bearer {OWN_TOKEN}x")),
        Some(format!("Basic {OWN_TOKEN}")),
        Some(OWN_TOKEN.to_owned()),
    ] {
        let headers: Vec<_> = wrong
            .iter()
            .map(|value| ("Authorization", value.as_str()))
            .collect();
        let response = server.post(&headers, ping()).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{wrong:?}");
        assert!(response.headers().contains_key("WWW-Authenticate"));
    }
    let right = bearer();
    let response = server.post(&[("Authorization", &right)], ping()).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn pages_of_other_sites_are_kept_out_even_with_the_token() {
    let shop = shop();
    let server = Server::start(shop.path()).await;
    let right = bearer();
    let own = server.url.trim_end_matches("/mcp").to_owned();
    for (name, value, expected) in [
        ("Origin", "http://evil.example", StatusCode::FORBIDDEN),
        ("Origin", "http://localhost:1", StatusCode::FORBIDDEN),
        ("Origin", "null", StatusCode::FORBIDDEN),
        ("Origin", own.as_str(), StatusCode::OK),
        // A name that was made to lead here.
        ("Host", "rebound.example", StatusCode::FORBIDDEN),
    ] {
        let headers = [("Authorization", right.as_str()), (name, value)];
        let response = server.post(&headers, ping()).await;
        assert_eq!(response.status(), expected, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_stops_the_warehouse() {
    let shop = shop();
    let server = Server::start(shop.path()).await;
    let right = bearer();
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "query_metric", "arguments": {"metric_name": "forever"}},
    });
    let mut response = server.post(&[("Authorization", &right)], call).await;
    // A sign of life comes while the query runs.
    let begun = timeout(PATIENCE, response.chunk()).await.unwrap().unwrap();
    assert!(begun.is_some());
    drop(response);
    assert_eq!(ended(shop.path(), "forever").await, Outcome::Cancelled);
}

#[tokio::test]
async fn a_token_is_generated_and_printed_once_on_stderr() {
    let shop = shop();
    let mut server = Server::of(metrex(shop.path())).await;
    let mut lines = BufReader::new(server.child.stderr.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let token = line
        .strip_prefix("token: ")
        .expect("the first line is the token");
    assert!(token.len() == 64, "{token}");
    let right = format!("Bearer {token}");
    let response = server.post(&[("Authorization", &right)], ping()).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_token_that_can_be_guessed_is_refused() {
    let shop = shop();
    let run = metrex(shop.path())
        .env("METREX_MCP_TOKEN", "1234")
        .args(["mcp", "--http", "0"])
        .output()
        .await
        .unwrap();
    assert_eq!(run.status.code(), Some(2));
    let error = String::from_utf8(run.stderr).unwrap();
    assert!(error.contains("16 visible ASCII characters"), "{error}");
    assert!(!error.contains("1234"), "{error}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let shop = shop();
    let run = metrex(shop.path())
        .args(["mcp", "--http", &port])
        .output()
        .await
        .unwrap();
    assert_eq!(run.status.code(), Some(2));
    let error = String::from_utf8(run.stderr).unwrap();
    assert!(
        error.contains(&port) && error.contains("--http 0"),
        "{error}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_the_server_also_while_a_query_runs() {
    let shop = shop();
    let mut server = Server::start(shop.path()).await;
    let right = bearer();
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "query_metric", "arguments": {"metric_name": "forever"}},
    });
    let mut response = server.post(&[("Authorization", &right)], call).await;
    timeout(PATIENCE, response.chunk()).await.unwrap().unwrap();
    let id = server.child.id().unwrap().to_string();
    let killed = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status();
    assert!(killed.unwrap().success());
    let status = timeout(PATIENCE, server.child.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(status.success(), "{status}");
    let mut rest = String::new();
    let mut errors = server.child.stderr.take().unwrap();
    errors.read_to_string(&mut rest).await.unwrap();
    assert!(!rest.contains("panic"), "{rest}");
}
