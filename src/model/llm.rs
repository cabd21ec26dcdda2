//! Which language model may be asked, and how, as configured in `metrex.yaml`; keys are never part of it.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

/// The wire format a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// OpenAI chat completions, which most servers and gateways speak, too.
    #[serde(rename = "openai")]
    OpenAi,
    /// Anthropic messages.
    Anthropic,
    /// Gemini generateContent.
    Gemini,
    /// A local Ollama, by its OpenAI-compatible endpoint.
    Ollama,
}

impl ProviderKind {
    /// The word `metrex.yaml` has for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
        }
    }
}

/// Prices, in US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prices {
    /// Of tokens sent.
    pub input: f64,
    /// Of tokens received.
    pub output: f64,
}

impl Prices {
    /// What an exchange costs, in US dollars.
    #[allow(clippy::cast_precision_loss, reason = "no exchange has 2^53 tokens")]
    pub fn cost(self, tokens_in: u64, tokens_out: u64) -> f64 {
        (tokens_in as f64 * self.input + tokens_out as f64 * self.output) / 1e6
    }
}

/// Whether exchanges with a model are kept in a file, or taken from one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Recording {
    /// Neither.
    #[default]
    Off,
    /// Every exchange is added to this file.
    Record(PathBuf),
    /// No model is asked: this file answers.
    Replay(PathBuf),
}

/// The section `llm:`.
#[derive(Debug, Clone, PartialEq)]
pub struct LlmSettings {
    /// Wire format.
    pub provider: ProviderKind,
    /// The model's name, as the provider writes it.
    pub model: String,
    /// Where it is; `None` is the provider's own address.
    pub base_url: Option<String>,
    /// Environment variable that holds the key.
    pub api_key_env: Option<String>,
    /// Command whose first line of output is the key.
    pub api_key_command: Option<String>,
    /// Most time for an answer, retry included.
    pub timeout: Duration,
    /// Most tokens of an answer.
    pub max_tokens: u32,
    /// Most tokens of a prompt.
    pub context_tokens: u32,
    /// Most tokens a day, sent and received.
    pub daily_tokens: Option<u64>,
    /// Most US dollars a day.
    pub daily_cost: Option<f64>,
    /// Prices, where they are configured.
    pub prices: Option<Prices>,
    /// Record or replay.
    pub recording: Recording,
}

/// What may run without being looked at first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AutoRun {
    /// Answers that were understood for certain and compiled from definitions.
    #[default]
    Simple,
    /// Nothing.
    Never,
}
