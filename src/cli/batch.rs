//! `metrex batch`: one JSON request per line of stdin, one JSON reply per line of stdout, in order.

use std::io::{BufRead, Write, stdin, stdout};

use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::runtime::block_on;
use super::{Global, Outcome, notes, prepare};
use crate::model::MetricQuery;
use crate::session::files::{columns_json, row_values};
use crate::session::{Answer, RunOptions, Session, SessionError};

pub fn run(global: &Global) -> Outcome {
    let session = global.open()?;
    notes::about_session(&session);
    block_on(async |cancel| {
        prepare(&session, cancel.clone()).await?;
        let mut lines = read_lines();
        loop {
            let line = tokio::select! {
                line = lines.recv() => line,
                () = cancel.cancelled() => return Err(SessionError::interrupted().into()),
            };
            let Some(line) = line.transpose()? else {
                return Ok(());
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let reply = reply(&session, &line, cancel.clone()).await;
            let mut out = stdout().lock();
            serde_json::to_writer(&mut out, &reply).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
            out.flush()?;
        }
    })
}

/// Lines of stdin, read on a thread of their own, since a read cannot be waited for otherwise.
fn read_lines() -> mpsc::Receiver<std::io::Result<Vec<u8>>> {
    let (sender, lines) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in stdin().lock().split(b'\n') {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}

async fn reply(session: &Session, line: &[u8], cancel: CancellationToken) -> Value {
    let (id, request) = read_request(line);
    let answer = match request {
        Ok((query, options)) => session.answer(&query, options, cancel).await,
        Err(error) => Err(error),
    };
    let mut reply = Map::new();
    if let Some(id) = id {
        reply.insert("id".to_owned(), id);
    }
    let content = match answer {
        Ok(answer) => answer_json(&answer),
        Err(error) => json!({
            "error": { "code": error.code(), "message": error.message, "hint": error.hint() }
        }),
    };
    if let Value::Object(content) = content {
        reply.extend(content);
    }
    Value::Object(reply)
}

/// The id, and the query: `{"query": "LINE"}`, `{"query": {…}}` or the query object itself, with `"id"`, `"fresh"` and
/// `"row_cap"` beside it.
fn read_request(
    line: &[u8],
) -> (
    Option<Value>,
    Result<(MetricQuery, RunOptions), SessionError>,
) {
    let mut request: Map<String, Value> = match serde_json::from_slice(line) {
        Ok(request) => request,
        Err(error) => {
            return (
                None,
                Err(bad_request(format!(
                    "the line is not a JSON object: {error}"
                ))),
            );
        }
    };
    let id = request.remove("id");
    (id, read_query(request))
}

fn read_query(mut request: Map<String, Value>) -> Result<(MetricQuery, RunOptions), SessionError> {
    let options = RunOptions {
        fresh: option(&mut request, "fresh")?.unwrap_or_default(),
        row_cap: option(&mut request, "row_cap")?,
    };
    let query = match request.remove("query") {
        Some(query) => {
            if let Some(key) = request.keys().next() {
                let error = bad_request(format!("unknown key '{key}'"));
                return Err(error.with_hint("a request has query, id, fresh and row_cap"));
            }
            query
        }
        None => Value::Object(request),
    };
    let query = match query {
        Value::String(line) => line.parse()?,
        query => serde_json::from_value(query).map_err(|error| bad_request(error.to_string()))?,
    };
    Ok((query, options))
}

fn option<T: serde::de::DeserializeOwned>(
    request: &mut Map<String, Value>,
    key: &str,
) -> Result<Option<T>, SessionError> {
    let read = |value| {
        serde_json::from_value(value).map_err(|error| bad_request(format!("{key}: {error}")))
    };
    request.remove(key).map(read).transpose()
}

fn bad_request(message: String) -> SessionError {
    SessionError::usage("bad_request", message)
}

fn answer_json(answer: &Answer) -> Value {
    let rows: Vec<Value> = answer
        .batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(|row| row_values(batch, row).collect()))
        .collect();
    let mut reply = json!({
        "query": answer.line,
        "columns": answer.columns.iter().map(|column| &column.name).collect::<Vec<_>>(),
        "schema": columns_json(&answer.columns),
        "rows": rows,
        "sql": answer.sql,
        "ms": answer.elapsed.as_millis() as u64,
        "truncated": answer.truncated,
        "notes": answer.notes,
        "cached_age_ms": answer.cached.map(|age| age.as_millis() as u64),
    });
    if let (Some(row), Some(reply)) = (&answer.totals, reply.as_object_mut()) {
        reply.insert("totals".to_owned(), row_values(row, 0).collect());
    }
    reply
}
