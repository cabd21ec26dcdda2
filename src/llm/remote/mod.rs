//! The providers, by the client crate genai: one time limit for everything, one retry, and errors in our own words.

mod failure;
mod http;
mod post;

pub(crate) use post::post_json;

use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use genai::adapter::AdapterKind;
use genai::chat::{ChatOptions, ChatRequest, ChatResponse, JsonSpec, ReasoningEffort, StopReason};
use genai::resolver::{AuthData, Endpoint};
use genai::{Client, ModelIden, ServiceTarget};
use tokio_util::sync::CancellationToken;

use super::key::{Key, KeySource};
use super::{LlmError, Provider, Reply, Request, tokens};
use crate::model::{LlmSettings, Prices, ProviderKind};
use failure::Failed;

/// Longest wait before the retry; a provider that wants more is not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Wait before the retry where the provider does not say.
const USUAL_WAIT: Duration = Duration::from_secs(1);
/// Longest reply that is taken, in bytes: ten times the SQL anybody reads.
const LONGEST_REPLY: usize = 256 << 10;

/// A provider at the other end of a network.
#[derive(Debug)]
pub(super) struct Remote {
    client: Client,
    kind: AdapterKind,
    base_url: String,
    model: String,
    key: KeySource,
    timeout: Duration,
    prices: Option<Prices>,
}

impl Remote {
    pub(super) fn new(settings: &LlmSettings) -> Result<Self, LlmError> {
        let (kind, usual_url) = match settings.provider {
            ProviderKind::OpenAi => (AdapterKind::OpenAI, "https://api.openai.com/v1/"),
            ProviderKind::Anthropic => (AdapterKind::Anthropic, "https://api.anthropic.com/v1/"),
            ProviderKind::Gemini => (
                AdapterKind::Gemini,
                "https://generativelanguage.googleapis.com/v1beta/",
            ),
            // genai's own Ollama adapter sends no schema; Ollama's OpenAI-compatible endpoint takes one.
            ProviderKind::Ollama => (AdapterKind::OpenAI, "http://127.0.0.1:11434/v1/"),
        };
        let mut base_url = settings
            .base_url
            .clone()
            .unwrap_or_else(|| usual_url.to_owned());
        if !base_url.ends_with('/') {
            base_url.push('/');
        }
        let key = KeySource::of(settings);
        let http = http::client(&base_url, settings.timeout, key != KeySource::Nobody)?;
        Ok(Self {
            client: Client::builder()
                .with_reqwest(http)
                .build()
                .map_err(|_| LlmError::Network("the HTTP client cannot be made".to_owned()))?,
            kind,
            base_url,
            model: settings.model.clone(),
            key,
            timeout: settings.timeout,
            prices: settings.prices,
        })
    }

    /// Asks, and once more where that may help.
    async fn ask(&self, request: &Request) -> Result<Reply, LlmError> {
        let started = Instant::now();
        let key = self.key.key().await?;
        let failed = match self.exchange(request, key.as_ref()).await {
            Ok(response) => return self.reply(request, response, started.elapsed()),
            Err(error) => self.failed(&error, key.as_ref()),
        };
        let mut again = request.clone();
        match &failed {
            Failed::Busy { wait, .. } => {
                let wait = wait.unwrap_or(USUAL_WAIT);
                let left = self.timeout.saturating_sub(started.elapsed());
                if wait > LONGEST_WAIT || wait >= left {
                    return Err(failed.into_error());
                }
                tracing::info!(?wait, "the provider is asked again");
                tokio::time::sleep(wait).await;
            }
            // Many servers do not know schemas. The prompt describes the reply, too, and every reply is checked.
            Failed::Final(LlmError::Rejected {
                status: 400 | 422, ..
            }) if request.schema.is_some() => {
                again.schema = None;
            }
            Failed::Final(_) => return Err(failed.into_error()),
        }
        match self.exchange(&again, key.as_ref()).await {
            Ok(response) => self.reply(request, response, started.elapsed()),
            Err(error) => Err(self.failed(&error, key.as_ref()).into_error()),
        }
    }

    fn failed(&self, error: &genai::Error, key: Option<&Key>) -> Failed {
        Failed::of(error, key, &self.key, self.timeout)
    }

    async fn exchange(
        &self,
        request: &Request,
        key: Option<&Key>,
    ) -> Result<ChatResponse, genai::Error> {
        let target = ServiceTarget {
            endpoint: Endpoint::from_owned(self.base_url.as_str()),
            // A server without keys ignores the header.
            auth: AuthData::from_single(key.map_or("none", Key::reveal)),
            model: ModelIden::new(self.kind, self.model.as_str()),
        };
        let mut options = ChatOptions::default().with_max_tokens(request.max_tokens);
        if let Some(schema) = &request.schema {
            let spec = JsonSpec::new(schema.name.clone(), schema.json.clone());
            options = options.with_response_format(spec);
        }
        if self.kind == AdapterKind::OpenAI {
            // genai takes the end of names such as `mistral-medium` for an effort and cuts it off, unless an effort is
            // given; this one is never sent.
            options = options.with_reasoning_effort(ReasoningEffort::Budget(0));
        }
        let chat = ChatRequest::from_user(request.user.as_str()).with_system(&*request.system);
        self.client.exec_chat(target, chat, Some(&options)).await
    }

    fn reply(
        &self,
        request: &Request,
        response: ChatResponse,
        elapsed: Duration,
    ) -> Result<Reply, LlmError> {
        match &response.stop_reason {
            Some(StopReason::MaxTokens(_)) => return Err(LlmError::TooLong(request.max_tokens)),
            Some(StopReason::ContentFilter(reason)) => {
                return Err(LlmError::Declined(failure::harmless(reason)));
            }
            _ => {}
        }
        let count = |count: Option<i32>| count.and_then(|count| u64::try_from(count).ok());
        let tokens_in = count(response.usage.prompt_tokens);
        let tokens_out = count(response.usage.completion_tokens);
        let model = failure::harmless(&response.provider_model_iden.model_name);
        let text = response.content.into_joined_texts().unwrap_or_default();
        if text.trim().is_empty() {
            return Err(LlmError::Malformed("it is empty".to_owned()));
        }
        if text.len() > LONGEST_REPLY {
            let length = text.len() >> 10;
            return Err(LlmError::Malformed(format!("it has {length} KB")));
        }
        let tokens_in = tokens_in.unwrap_or_else(|| request.tokens());
        let tokens_out = tokens_out.unwrap_or_else(|| tokens(&text));
        Ok(Reply {
            model,
            tokens_in,
            tokens_out,
            cost: self.prices.map(|prices| prices.cost(tokens_in, tokens_out)),
            elapsed,
            text,
        })
    }
}

impl Provider for Remote {
    fn model(&self) -> &str {
        &self.model
    }

    fn complete<'a>(
        &'a self,
        request: &'a Request,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, Result<Reply, LlmError>> {
        async move {
            let limited = tokio::time::timeout(self.timeout, self.ask(request));
            let result = match cancel.run_until_cancelled(limited).await {
                None => Err(LlmError::Cancelled),
                Some(Err(_)) => Err(LlmError::Timeout(self.timeout)),
                Some(Ok(result)) => result,
            };
            // Prompts hold values and questions; the log gets their hash.
            let hash = request.hash(&self.model);
            match &result {
                Ok(reply) => tracing::info!(
                    hash,
                    model = reply.model,
                    tokens_in = reply.tokens_in,
                    tokens_out = reply.tokens_out,
                    elapsed = ?reply.elapsed,
                    "a model replied"
                ),
                Err(error) => tracing::warn!(hash, model = self.model, %error, "no reply"),
            }
            result
        }
        .boxed()
    }
}
