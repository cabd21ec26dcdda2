//! The project's language model: opened for a question, its spending written into the history.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use super::{Check, CheckStatus, Session};
use crate::llm::{self, Ledger, LlmError, Provider, Request, Spent};
use crate::model::{LlmSettings, Recording};
use crate::usage::ModelCost;

/// Tokens of the reply to a check, and how long it may take.
const CHECK_TOKENS: u32 = 16;
const CHECK_TIMEOUT: Duration = Duration::from_secs(15);

impl Session {
    /// The settings of the model that may be asked, where there are any.
    pub fn model(&self) -> Option<&LlmSettings> {
        self.project().config.llm.as_ref()
    }

    /// The model of these settings, ready to be asked.
    pub(super) fn open_provider(
        &self,
        settings: &LlmSettings,
    ) -> Result<Arc<dyn Provider>, LlmError> {
        llm::open(settings, Arc::new(Spending(self.clone())))
    }

    /// Asks the configured model for a word, which shows whether address, key and model are right.
    pub(super) async fn check_model(&self) -> Option<Check> {
        let settings = self.model()?;
        let title = format!("model {}", settings.model);
        let target = settings
            .base_url
            .as_deref()
            .unwrap_or(settings.provider.word())
            .to_owned();
        let request = Request {
            system: "Reply with the word ok.".to_owned(),
            user: "ok?".to_owned(),
            schema: None,
            max_tokens: CHECK_TOKENS,
        };
        if let Recording::Replay(path) = &settings.recording {
            let detail = format!("answers come from the recording {}", path.display());
            return Some(Check::new(title, CheckStatus::Warning, detail));
        }
        let settings = LlmSettings {
            timeout: settings.timeout.min(CHECK_TIMEOUT),
            ..settings.clone()
        };
        let asked = match self.open_provider(&settings) {
            Ok(provider) => {
                let asked = provider.complete(&request, CancellationToken::new());
                asked.await
            }
            Err(error) => Err(error),
        };
        Some(match asked {
            // A model that thinks aloud before its one word is there all the same.
            Err(LlmError::TooLong(_)) => {
                Check::new(title, CheckStatus::Ok, format!("answers ({target})"))
            }
            Ok(reply) => {
                let detail = format!(
                    "{} answers in {} ms ({target})",
                    reply.model,
                    reply.elapsed.as_millis()
                );
                Check::new(title, CheckStatus::Ok, detail)
            }
            Err(error @ (LlmError::RateLimited { .. } | LlmError::Budget { .. })) => {
                Check::new(title, CheckStatus::Warning, format!("{error} ({target})"))
            }
            Err(error) => Check::new(title, CheckStatus::Error, format!("{error} ({target})")),
        })
    }
}

/// Spending, in the history.
struct Spending(Session);

impl Ledger for Spending {
    fn today(&self) -> Result<Spent, String> {
        let usage = self.0.usage_store().map_err(ToString::to_string)?;
        let (tokens_in, tokens_out, cost) =
            usage.spent(today()).map_err(|error| error.to_string())?;
        Ok(Spent {
            tokens_in,
            tokens_out,
            cost,
        })
    }

    fn spend(&self, model: &str, spent: Spent) {
        if let Ok(usage) = self.0.usage_store() {
            usage.spend(ModelCost {
                day: today(),
                model: model.to_owned(),
                tokens_in: spent.tokens_in,
                tokens_out: spent.tokens_out,
                cost: spent.cost,
            });
        }
    }
}

/// The day that money is spent on: the clock's, in UTC as budgets of providers are, whatever day questions are about.
fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}
