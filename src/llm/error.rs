//! What can go wrong with a model, in words that say what to do; never with a key in them.

use std::time::Duration;

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LlmError {
    /// There is no key.
    #[error("{0}")]
    NoKey(String),
    /// The key would go over the network unencrypted.
    #[error(
        "the key would go over the network unencrypted: write base_url of llm: in metrex.yaml with https://, or name no \
         key; http:// with a key is for this machine only"
    )]
    InTheClear,
    /// The provider does not take the key.
    #[error("the provider does not take the key{}: set {wanted}", quoted(.said))]
    Auth {
        /// Where the key should come from.
        wanted: String,
        /// What the provider said.
        said: String,
    },
    /// Too many requests, also after a wait.
    #[error("the provider takes no more requests now{}", wait(.retry_after))]
    RateLimited {
        /// When to ask again, where the provider said it.
        retry_after: Option<Duration>,
    },
    /// The provider failed, twice.
    #[error("the provider failed with HTTP status {0}: ask again later")]
    Server(u16),
    /// The provider refuses the request as it is.
    #[error("the provider refuses the request with HTTP status {status}{}: look at model and base_url of llm: in metrex.yaml", quoted(.said))]
    Rejected {
        /// HTTP status.
        status: u16,
        /// What the provider said.
        said: String,
    },
    /// The model refused to answer.
    #[error("the model refused to answer ({0}): ask in other words")]
    Declined(String),
    /// No complete reply in time.
    #[error("no reply within {} seconds: ask again, or raise timeout of llm: in metrex.yaml", .0.as_secs())]
    Timeout(Duration),
    /// The connection ended in the middle of the reply.
    #[error("the reply broke off: ask again")]
    Cut,
    /// The reply came to its greatest length before its end.
    #[error(
        "the reply is longer than {0} tokens: ask for less, or raise max_tokens of llm: in metrex.yaml"
    )]
    TooLong(u32),
    /// The day's budget does not allow this request.
    #[error(
        "the budget of the day is used up: {spent} of {limit}; it begins anew at midnight UTC, {setting} of llm: in metrex.yaml sets it"
    )]
    Budget {
        /// What was spent, with its unit.
        spent: String,
        /// What may be spent, with its unit.
        limit: String,
        /// The setting that limits it.
        setting: &'static str,
    },
    /// What was spent today is not known, and there is a limit to it.
    #[error("the budget of the day cannot be checked, so no model is asked: {0}")]
    Ledger(String),
    /// What came back is no reply.
    #[error("the provider's reply cannot be read ({0}): is base_url of llm: in metrex.yaml right?")]
    Malformed(String),
    /// It was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The provider cannot be reached.
    #[error(
        "the provider cannot be reached ({0}): is base_url of llm: in metrex.yaml right, and the network there?"
    )]
    Network(String),
    /// A recording cannot be written, or has no answer.
    #[error("{0}")]
    Recording(String),
}

fn quoted(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!(" ('{text}')"),
    }
}

fn wait(retry_after: &Option<Duration>) -> String {
    match retry_after {
        Some(after) => format!(": ask again in {} seconds", after.as_secs().max(1)),
        None => ": ask again in a minute".to_owned(),
    }
}
