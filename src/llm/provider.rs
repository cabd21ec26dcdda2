//! What is asked of a model and what comes back, whoever answers.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use xxhash_rust::xxh3::xxh3_128;

use super::LlmError;

/// The shape a reply must have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// A short name, of letters, digits, `-` and `_`.
    pub name: String,
    /// The JSON schema.
    pub json: Value,
}

/// One question to a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What it is to do.
    pub system: String,
    /// What it is to do it with.
    pub user: String,
    /// The shape of the reply. Asked for, never relied on: the reply has to be checked all the same.
    pub schema: Option<Schema>,
    /// Most tokens of the reply.
    pub max_tokens: u32,
}

impl Request {
    /// Tells this request to `model` from every other one; stands in logs for the prompt.
    pub fn hash(&self, model: &str) -> String {
        let text = serde_json::json!([model, self]).to_string();
        format!("{:032x}", xxh3_128(text.as_bytes()))
    }

    /// About how many tokens it is, rather too many than too few.
    pub fn tokens(&self) -> u64 {
        let schema = self.schema.as_ref().map(|schema| schema.json.to_string());
        tokens(&self.system) + tokens(&self.user) + tokens(schema.as_deref().unwrap_or_default())
    }
}

/// About how many tokens a text is, rather too many than too few: English and SQL have four letters to a token,
/// other scripts fewer.
pub fn tokens(text: &str) -> u64 {
    let letters = text.chars().count() as u64;
    let ascii = text.chars().filter(char::is_ascii).count() as u64;
    ascii.div_ceil(3) + (letters - ascii)
}

/// What a model replied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The text, as it came: it may hold anything.
    pub text: String,
    /// The model's name, as the provider said it.
    pub model: String,
    /// Tokens sent.
    pub tokens_in: u64,
    /// Tokens received.
    pub tokens_out: u64,
    /// In US dollars, where prices are configured.
    pub cost: Option<f64>,
    /// How long it took, a retry included.
    pub elapsed: Duration,
}

/// Someone who answers requests.
pub trait Provider: Send + Sync {
    /// The model that is asked, by its configured name.
    fn model(&self) -> &str;

    /// Asks, and waits for the whole reply. Cancelling ends it at once with [`LlmError::Cancelled`].
    fn complete<'a>(
        &'a self,
        request: &'a Request,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, Result<Reply, LlmError>>;
}
