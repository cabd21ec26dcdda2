//! The sections `llm:` and `ask:` of `metrex.yaml`: which model may be asked, how much, and what may run by itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::{duration, resolve};
use super::diagnostic::Sink;
use super::read::{At, Word, object};
use super::url::Url;
use super::yaml::Text;
use crate::model::{AutoRun, LlmSettings, Place, Prices, ProviderKind, Recording};

/// Time for an answer, where the project says nothing.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Tokens of a reply, where the project says nothing.
const MAX_TOKENS: u32 = 4096;
/// Tokens of a prompt, where the project says nothing: what a small local model can read.
const CONTEXT_TOKENS: u32 = 6000;
/// Fewest tokens of a prompt: below, not even the question fits.
const LEAST_CONTEXT: u32 = 1500;

object! {
    /// A language model that may be asked where the definitions alone do not answer.
    struct RawLlm {
        /// Wire format of the provider.
        provider: Option<Word<ProviderKind>>,
        /// The model's name, as the provider writes it.
        model: Option<Text>,
        /// Address of another server that speaks the format, such as http://127.0.0.1:8000/v1.
        base_url: Option<Text>,
        /// Environment variable that holds the key; the provider's usual one where there is no base_url.
        api_key_env: Option<Text>,
        /// Command whose first line of output is the key.
        api_key_command: Option<Text>,
        /// Most time for an answer, such as `60s`.
        timeout: Option<Text>,
        /// Most tokens of a reply.
        max_tokens: Option<At<u64>>,
        /// Most tokens of a prompt.
        context_tokens: Option<At<u64>>,
        /// Most tokens a day, sent and received.
        daily_tokens: Option<At<u64>>,
        /// Most US dollars a day; needs prices.
        daily_cost: Option<At<f64>>,
        /// US dollars per million tokens sent.
        price_in: Option<At<f64>>,
        /// US dollars per million tokens received.
        price_out: Option<At<f64>>,
        /// File that every exchange is added to, relative to the project; METREX_LLM_RECORD goes before it.
        record: Option<Text>,
        /// File that answers instead of the model, relative to the project; METREX_LLM_REPLAY goes before it.
        replay: Option<Text>,
    }
}

object! {
    /// How questions are answered.
    struct RawAsk {
        /// What may run without being looked at first.
        auto_run: Option<Word<AutoRun>>,
    }
}

/// The model that `raw` describes; `None` where something in it is wrong.
pub(super) fn read_llm(raw: &RawLlm, root: &Path, sink: &mut Sink) -> Option<LlmSettings> {
    let before = sink.errors();
    let mut wrong = |place: Place, found: &str, message: String, hint: Option<&str>| {
        sink.error("config", place, found, message, hint.map(str::to_owned));
    };
    for price in [raw.price_in, raw.price_out, raw.daily_cost]
        .into_iter()
        .flatten()
    {
        if price.value < 0.0 {
            let message = format!("'{}' is less than nothing", price.value);
            wrong(price.place, &price.value.to_string(), message, None);
        }
    }
    if let (Some(_), Some(second)) = (&raw.api_key_env, &raw.api_key_command) {
        let message = "api_key_env and api_key_command: one of them".to_owned();
        wrong(second.place, "api_key_command", message, None);
    }
    if let (Some(_), Some(second)) = (&raw.record, &raw.replay) {
        let message = "record and replay: one of them".to_owned();
        wrong(second.place, &second.value, message, None);
    }
    if let Some(url) = &raw.base_url {
        if !["http://", "https://"]
            .iter()
            .any(|scheme| url.value.starts_with(scheme))
        {
            let message = format!("'{}' is no address", url.value);
            let hint = Some("write it like https://gateway.example.com/v1");
            wrong(url.place, &url.value, message, hint);
        } else if !Url(&url.value).passwords().is_empty() || url.value.contains(['@', '?']) {
            // The text found is not repeated: diagnostics are printed and logged.
            let message = "an address must not hold a key".to_owned();
            wrong(url.place, "", message, Some("use api_key_env"));
        }
    }
    let prices = match (raw.price_in, raw.price_out) {
        (Some(input), Some(output)) => Some(Prices {
            input: input.value,
            output: output.value,
        }),
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => {
            let message = "price_in and price_out belong together".to_owned();
            wrong(one.place, &one.value.to_string(), message, None);
            None
        }
    };
    if let (Some(limit), None) = (raw.daily_cost, prices) {
        let message = "daily_cost needs price_in and price_out".to_owned();
        let hint = Some("in US dollars per million tokens");
        wrong(limit.place, &limit.value.to_string(), message, hint);
    }
    let mut count = |number: Option<At<u64>>, usual: u32, least: u32| {
        let Some(number) = number else {
            return usual;
        };
        let count = u32::try_from(number.value).unwrap_or(u32::MAX);
        if count < least {
            let message = format!("'{count}' is too little");
            let hint = format!("{least} at least");
            wrong(number.place, &count.to_string(), message, Some(&hint));
        }
        count
    };
    let max_tokens = count(raw.max_tokens, MAX_TOKENS, 1);
    let context_tokens = count(raw.context_tokens, CONTEXT_TOKENS, LEAST_CONTEXT);
    let timeout = match &raw.timeout {
        Some(text) => duration(text, sink)?,
        None => TIMEOUT,
    };
    let text = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone());
    let (Some(provider), Some(model)) = (raw.provider, text(&raw.model)) else {
        // One that is there but wrong was reported already.
        if sink.errors() == 0 {
            let message = "llm needs a provider and a model".to_owned();
            let hint = "such as provider: openai and model: gpt-5-mini".to_owned();
            sink.error("missing_key", Place::default(), "llm", message, Some(hint));
        }
        return None;
    };
    let settings = LlmSettings {
        provider: provider.value,
        model,
        base_url: text(&raw.base_url),
        api_key_env: text(&raw.api_key_env),
        api_key_command: text(&raw.api_key_command),
        timeout,
        max_tokens,
        context_tokens,
        daily_tokens: raw.daily_tokens.map(|limit| limit.value),
        daily_cost: raw.daily_cost.map(|limit| limit.value),
        prices,
        recording: recording(raw, root),
    };
    (sink.errors() == before).then_some(settings)
}

fn recording(raw: &RawLlm, root: &Path) -> Recording {
    let variable = |name: &str| {
        std::env::var_os(name)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    };
    if let Some(path) = variable("METREX_LLM_REPLAY") {
        return Recording::Replay(path);
    }
    if let Some(path) = variable("METREX_LLM_RECORD") {
        return Recording::Record(path);
    }
    match (&raw.replay, &raw.record) {
        (Some(path), _) => Recording::Replay(resolve(root, &path.value)),
        (None, Some(path)) => Recording::Record(resolve(root, &path.value)),
        (None, None) => Recording::Off,
    }
}
