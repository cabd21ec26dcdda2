//! A model provider on 127.0.0.1 that speaks three wire formats, answers what it is told to, and remembers what it was sent.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrex::llm::{Ledger, Spent};
use metrex::model::{LlmSettings, ProviderKind, Recording};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The key that tests use; it must never be seen outside of a header.
pub const KEY: &str = "sk-test-0123456789";

/// What the stub does with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A complete reply with this text.
    Text(String),
    /// A reply that came to its greatest length.
    TooLong(String),
    /// The provider's filter stopped the reply.
    Filtered,
    /// This status with these headers and this body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// Nothing, for ever.
    Hang,
    /// The first half of a reply whose length was announced.
    CutInTheMiddle,
    /// The first half of a reply whose length was not announced.
    CutWithoutLength,
    /// The connection is closed without a word.
    Close,
}

impl Answer {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn json(value: &Value) -> Self {
        Self::Text(value.to_string())
    }

    pub fn status(status: u16) -> Self {
        let body = json!({"error": {"message": "said the stub"}});
        Self::Status(status, Vec::new(), body.to_string())
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// What the model would read: system and user text.
    pub fn prompt(&self) -> String {
        let text = |pointer: &str| self.body.pointer(pointer).and_then(Value::as_str);
        let parts = match wire(&self.path) {
            Wire::OpenAi => ["/messages/0/content", "/messages/1/content"],
            Wire::Anthropic => ["/system", "/messages/0/content"],
            Wire::Gemini => [
                "/systemInstruction/parts/0/text",
                "/contents/0/parts/0/text",
            ],
        };
        parts.map(|part| text(part).unwrap_or_default()).join("\n")
    }

    /// The JSON schema of the reply, where one is asked for.
    pub fn schema(&self) -> Option<&Value> {
        self.body.pointer(match wire(&self.path) {
            Wire::OpenAi => "/response_format/json_schema/schema",
            Wire::Anthropic => "/output_config/format/schema",
            Wire::Gemini => "/generationConfig/responseJsonSchema",
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    OpenAi,
    Anthropic,
    Gemini,
}

fn wire(path: &str) -> Wire {
    if path.ends_with("/chat/completions") {
        Wire::OpenAi
    } else if path.ends_with("/messages") {
        Wire::Anthropic
    } else {
        assert!(path.ends_with(":generateContent"), "{path}");
        Wire::Gemini
    }
}

pub struct Stub {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Stub {
    /// Starts a server that gives these answers in order; after the last one it fails with status 500.
    pub async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers = Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, remembered) = (Arc::clone(&answers), Arc::clone(&remembered));
                tokio::spawn(async move {
                    // A client that hangs up is none of the stub's business.
                    let _ = serve(stream, &answers, &remembered).await;
                });
            }
        });
        Self { port, seen }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until this many requests have come.
    pub async fn requests(&self, count: usize) {
        while self.seen.lock().unwrap().len() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Settings that lead here.
    pub fn settings(&self, provider: ProviderKind) -> LlmSettings {
        LlmSettings {
            provider,
            model: "stub-1".to_owned(),
            base_url: Some(self.url()),
            api_key_env: None,
            api_key_command: Some(format!("echo {KEY}")),
            timeout: Duration::from_secs(20),
            max_tokens: 1_000,
            context_tokens: 6_000,
            daily_tokens: None,
            daily_cost: None,
            prices: None,
            recording: Recording::Off,
        }
    }

    /// The section of a `metrex.yaml` that leads here.
    pub fn yaml(&self, provider: &str) -> String {
        format!(
            "llm:\n  provider: {provider}\n  model: stub-1\n  base_url: {}\n  api_key_command: echo {KEY}\n",
            self.url()
        )
    }
}

async fn serve(
    mut stream: TcpStream,
    answers: &Mutex<VecDeque<Answer>>,
    seen: &Mutex<Vec<Seen>>,
) -> std::io::Result<()> {
    let request = read(&mut stream).await?;
    let wire = wire(&request.path);
    seen.lock().unwrap().push(request);
    let answer = answers.lock().unwrap().pop_front();
    let (status, headers, body) = match answer.unwrap_or_else(|| Answer::status(500)) {
        Answer::Text(text) => (200, Vec::new(), reply(wire, &text, End::Complete)),
        Answer::TooLong(text) => (200, Vec::new(), reply(wire, &text, End::Length)),
        Answer::Filtered => (200, Vec::new(), reply(wire, "", End::Filter)),
        Answer::Status(status, headers, body) => (status, headers, body),
        Answer::Hang => std::future::pending().await,
        Answer::CutInTheMiddle => {
            let body = reply(wire, "{\"sql\": \"SELECT", End::Complete);
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
            return stream.write_all(&body.as_bytes()[..body.len() / 2]).await;
        }
        Answer::CutWithoutLength => {
            let body = reply(wire, "{\"sql\": \"SELECT", End::Complete);
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
            stream.write_all(head.as_bytes()).await?;
            return stream.write_all(&body.as_bytes()[..body.len() / 2]).await;
        }
        Answer::Close => return Ok(()),
    };
    let mut head = format!(
        "HTTP/1.1 {status} Stub\r\ncontent-length: {}\r\nconnection: close\r\n",
        body.len()
    );
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        head.push_str("content-type: application/json\r\n");
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Seen> {
    let mut bytes = Vec::new();
    let mut end = None;
    while end.is_none() {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    }
    let end = end.unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.unwrap().1.parse().unwrap();
    while bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Seen {
        path,
        headers,
        body: serde_json::from_slice(&bytes[end + 4..]).unwrap(),
    })
}

enum End {
    Complete,
    Length,
    Filter,
}

/// A reply in the wire format, of 11 tokens sent and 7 received.
fn reply(wire: Wire, text: &str, end: End) -> String {
    let value = match wire {
        Wire::OpenAi => json!({
            "id": "stub", "object": "chat.completion", "model": "stub-1-2026",
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": match end {
                    End::Complete => "stop",
                    End::Length => "length",
                    End::Filter => "content_filter",
                },
            }],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        }),
        Wire::Anthropic => json!({
            "id": "stub", "type": "message", "role": "assistant", "model": "stub-1-2026",
            "content": [{"type": "text", "text": text}],
            "stop_reason": match end {
                End::Complete => "end_turn",
                End::Length => "max_tokens",
                End::Filter => "refusal",
            },
            "usage": {"input_tokens": 11, "output_tokens": 7},
        }),
        Wire::Gemini => json!({
            "candidates": [{
                "content": {"role": "model", "parts": [{"text": text}]},
                "finishReason": match end {
                    End::Complete => "STOP",
                    End::Length => "MAX_TOKENS",
                    End::Filter => "SAFETY",
                },
            }],
            "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18},
            "modelVersion": "stub-1-2026",
        }),
    };
    value.to_string()
}

/// A ledger in memory.
#[derive(Default)]
pub struct Notes {
    pub spent: Mutex<Vec<Spent>>,
    pub broken: bool,
}

impl Ledger for Notes {
    fn today(&self) -> Result<Spent, String> {
        if self.broken {
            return Err("the notes are lost".to_owned());
        }
        let add = |sum: Spent, one: &Spent| Spent {
            tokens_in: sum.tokens_in + one.tokens_in,
            tokens_out: sum.tokens_out + one.tokens_out,
            cost: sum.cost + one.cost,
        };
        Ok(self
            .spent
            .lock()
            .unwrap()
            .iter()
            .fold(Spent::default(), add))
    }

    fn spend(&self, _: &str, spent: Spent) {
        self.spent.lock().unwrap().push(spent);
    }
}
