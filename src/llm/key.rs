//! Where the key comes from: an environment variable or a command, when it is needed. It is never kept in a file.

use std::fmt;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::LlmError;
use crate::model::{LlmSettings, ProviderKind};

/// How long `api_key_command` may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// A key; it does not show itself.
#[derive(Clone)]
pub(super) struct Key(String);

impl Key {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A way to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeySource {
    Environment(String),
    Command(String),
    /// The server wants none.
    Nobody,
}

impl KeySource {
    /// The way that is configured. A provider's usual variable is read only for its own address: its key is nothing for
    /// other servers.
    pub(super) fn of(settings: &LlmSettings) -> Self {
        let usual = match settings.provider {
            ProviderKind::OpenAi => "OPENAI_API_KEY",
            ProviderKind::Anthropic => "ANTHROPIC_API_KEY",
            ProviderKind::Gemini => "GEMINI_API_KEY",
            ProviderKind::Ollama => "",
        };
        match settings {
            LlmSettings {
                api_key_command: Some(command),
                ..
            } => Self::Command(command.clone()),
            LlmSettings {
                api_key_env: Some(name),
                ..
            } => Self::Environment(name.clone()),
            LlmSettings { base_url: None, .. } if !usual.is_empty() => {
                Self::Environment(usual.to_owned())
            }
            _ => Self::Nobody,
        }
    }

    /// What to set, for messages.
    pub(super) fn advice(&self) -> String {
        match self {
            Self::Environment(name) => {
                format!("the environment variable {name}, or api_key_command of llm:")
            }
            Self::Command(_) => "api_key_command of llm: to one that prints it".to_owned(),
            Self::Nobody => "api_key_env or api_key_command of llm: in metrex.yaml".to_owned(),
        }
    }

    /// The key; `None` where none is needed.
    pub(super) async fn key(&self) -> Result<Option<Key>, LlmError> {
        match self {
            Self::Nobody => Ok(None),
            Self::Environment(name) => match std::env::var(name) {
                Ok(key) if !key.trim().is_empty() => Ok(Some(Key(key.trim().to_owned()))),
                _ => Err(LlmError::NoKey(format!(
                    "there is no key for the model: set {}",
                    self.advice()
                ))),
            },
            Self::Command(command) => run(command).await.map(Some),
        }
    }
}

/// The first line a command prints. Neither the command nor its error output is repeated: both may hold secrets.
async fn run(command: &str) -> Result<Key, LlmError> {
    let failed = |what: String| LlmError::NoKey(format!("api_key_command of llm: {what}"));
    let mut process = if cfg!(windows) {
        Command::new("cmd")
    } else {
        Command::new("sh")
    };
    process
        .arg(if cfg!(windows) { "/C" } else { "-c" })
        .arg(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(COMMAND_TIMEOUT, process.output())
        .await
        .map_err(|_| {
            let seconds = COMMAND_TIMEOUT.as_secs();
            failed(format!("did not end within {seconds} seconds"))
        })?
        .map_err(|error| failed(format!("cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(failed(format!(
            "failed ({}): try it in a shell",
            output.status
        )));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().next().map(str::trim) {
        Some(key) if !key.is_empty() => Ok(Key(key.to_owned())),
        _ => Err(failed("printed no key".to_owned())),
    }
}
