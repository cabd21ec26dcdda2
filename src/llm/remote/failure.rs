//! From the client's errors to our own: what to do, whether to try again, and nothing that could hold a key.

use std::error::Error;
use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::HeaderMap;

use crate::llm::LlmError;
use crate::llm::key::{Key, KeySource};

/// Longest piece of a provider's own words in a message, in characters.
const LONGEST_QUOTE: usize = 200;

/// An exchange that failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// Trying again may help, after this wait where the provider asks for one.
    Busy {
        wait: Option<Duration>,
        error: LlmError,
    },
    /// Trying again would not help.
    Final(LlmError),
}

impl Failed {
    pub(super) fn into_error(self) -> LlmError {
        match self {
            Self::Busy { error, .. } | Self::Final(error) => error,
        }
    }

    pub(super) fn of(
        error: &genai::Error,
        key: Option<&Key>,
        source: &KeySource,
        timeout: Duration,
    ) -> Self {
        if let Some(status) = error.status() {
            let wait = error.headers().and_then(retry_after);
            let said = said(error, key);
            return match status.as_u16() {
                401 | 403 => Self::Final(LlmError::Auth {
                    wanted: source.advice(),
                    said,
                }),
                429 => Self::Busy {
                    wait,
                    error: LlmError::RateLimited { retry_after: wait },
                },
                status @ (408 | 500..) => Self::Busy {
                    wait,
                    error: LlmError::Server(status),
                },
                status => Self::Final(LlmError::Rejected { status, said }),
            };
        }
        use genai::webc::Error as Web;
        match error {
            genai::Error::WebModelCall { webc_error, .. } => match webc_error {
                Web::Reqwest(error) => of_connection(error, timeout),
                // A reply whose length nobody announced ends where the connection ends.
                Web::ResponseFailedInvalidJson { cause, .. } if cause.starts_with("EOF") => {
                    Self::Final(LlmError::Cut)
                }
                Web::ResponseFailedNotJson { content_type, .. } => {
                    let what = format!("it is '{}', not JSON", harmless(content_type));
                    Self::Final(LlmError::Malformed(what))
                }
                _ => Self::Final(LlmError::Malformed("it is no valid JSON".to_owned())),
            },
            genai::Error::ChatResponse { .. } => {
                Self::Final(LlmError::Declined("no reply was given".to_owned()))
            }
            // The other ones hold the whole request in their text.
            _ => Self::Final(LlmError::Malformed(
                "it has no text where it should".to_owned(),
            )),
        }
    }
}

fn of_connection(error: &reqwest::Error, timeout: Duration) -> Failed {
    if error.is_timeout() {
        return Failed::Final(match error.is_connect() {
            true => LlmError::Network("no connection in time".to_owned()),
            false => LlmError::Timeout(timeout),
        });
    }
    if error.is_body() || error.is_decode() {
        return Failed::Final(LlmError::Cut);
    }
    let network = LlmError::Network(root_cause(error));
    if error.is_connect() {
        return Failed::Final(network);
    }
    // The connection ended before there was any reply: reset, or closed while it lay idle.
    Failed::Busy {
        wait: None,
        error: network,
    }
}

/// The innermost cause: the outer ones hold the URL.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    harmless(&cause.to_string())
}

/// How long the provider asks to wait: `retry-after-ms`, or `retry-after` in seconds or as a date
/// (<https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>), which is compared with the provider's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |text: &str| {
        let number = text.parse::<f64>().ok()?;
        Duration::try_from_secs_f64(number).ok()
    };
    if let Some(wait) = text("retry-after-ms").and_then(number) {
        return Some(wait / 1000);
    }
    let after = text("retry-after")?;
    number(after).or_else(|| {
        let parser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
        let at = parser.parse_timestamp(after).ok()?;
        let now = parser.parse_timestamp(text("date")?).ok()?;
        Duration::try_from(at.duration_since(now)).ok()
    })
}

/// The provider's own words for an error, where it has any: `{"error": {"message": …}}` in all three wire formats.
fn said(error: &genai::Error, key: Option<&Key>) -> String {
    let body = match error {
        genai::Error::HttpError { body, .. } => body,
        genai::Error::WebModelCall {
            webc_error: genai::webc::Error::ResponseFailedStatus { body, .. },
            ..
        } => body,
        _ => return String::new(),
    };
    let Ok(body) = serde_json::from_str::<serde_json::Value>(body) else {
        return String::new();
    };
    let message = body
        .pointer("/error/message")
        .or_else(|| body.get("error"))
        .or_else(|| body.get("message"))
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    let message = match key {
        // Some servers repeat what they do not like.
        Some(key) => message.replace(key.reveal(), "…"),
        None => message.to_owned(),
    };
    harmless(&message)
}

/// Foreign text on one line, without control characters, not too long.
pub(super) fn harmless(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_QUOTE)
        .collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}
