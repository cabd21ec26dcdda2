//! Posting a JSON value to an address that the project names: a chat's webhook.

use std::time::Duration;

use serde_json::Value;

use super::http::client;

/// Posts a value. The address may hold a secret: no message has it, and to another machine it goes over TLS only.
///
/// # Errors
/// Why it did not arrive.
pub(crate) async fn post_json(
    address: &str,
    value: &Value,
    timeout: Duration,
) -> Result<(), String> {
    let client = client(address, timeout, true).map_err(|error| error.to_string())?;
    let sent = client.post(address).json(value).send().await;
    let reply = sent.map_err(|error| error.without_url().to_string())?;
    match reply.status() {
        status if status.is_success() => Ok(()),
        status => Err(format!("the other side answers {status}")),
    }
}
