//! The day's budget: no request goes out that could pass it, and what it cost is written down.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use super::{LlmError, Provider, Reply, Request};
use crate::model::{LlmSettings, Prices};

/// What was spent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Tokens sent.
    pub tokens_in: u64,
    /// Tokens received.
    pub tokens_out: u64,
    /// US dollars, where prices are configured.
    pub cost: f64,
}

/// Where the spending of a day is written down.
pub trait Ledger: Send + Sync {
    /// What was spent since the day began.
    ///
    /// # Errors
    /// Why that is not known.
    fn today(&self) -> Result<Spent, String>;
    /// Adds what an exchange with `model` cost.
    fn spend(&self, model: &str, spent: Spent);
}

/// A provider with a budget.
pub(super) struct Budgeted<P> {
    inner: P,
    ledger: Arc<dyn Ledger>,
    daily_tokens: Option<u64>,
    daily_cost: Option<f64>,
    prices: Option<Prices>,
}

impl<P: Provider> Budgeted<P> {
    pub(super) fn new(inner: P, settings: &LlmSettings, ledger: Arc<dyn Ledger>) -> Self {
        Self {
            inner,
            ledger,
            daily_tokens: settings.daily_tokens,
            daily_cost: settings.daily_cost,
            prices: settings.prices,
        }
    }

    fn spent(&self, tokens_in: u64, tokens_out: u64) -> Spent {
        Spent {
            tokens_in,
            tokens_out,
            cost: self
                .prices
                .map_or(0.0, |prices| prices.cost(tokens_in, tokens_out)),
        }
    }

    /// Refuses a request that could cost more than is left.
    fn check(&self, request: &Request) -> Result<(), LlmError> {
        if self.daily_tokens.is_none() && self.daily_cost.is_none() {
            return Ok(());
        }
        let today = self.ledger.today().map_err(LlmError::Ledger)?;
        let most = self.spent(request.tokens(), u64::from(request.max_tokens));
        let tokens = |spent: Spent| spent.tokens_in.saturating_add(spent.tokens_out);
        if let Some(limit) = self.daily_tokens
            && tokens(today).saturating_add(tokens(most)) > limit
        {
            return Err(LlmError::Budget {
                spent: format!("{} tokens", tokens(today)),
                limit: format!("{limit}, and this request may take {}", tokens(most)),
                setting: "daily_tokens",
            });
        }
        if let Some(limit) = self.daily_cost
            && today.cost + most.cost > limit
        {
            return Err(LlmError::Budget {
                spent: format!("${:.2}", today.cost),
                limit: format!("${limit:.2}, and this request may cost ${:.4}", most.cost),
                setting: "daily_cost",
            });
        }
        Ok(())
    }

    /// Writes down what an exchange cost; where that is not known, what it may have cost.
    fn write_down(&self, request: &Request, result: &Result<Reply, LlmError>) {
        let spent = match result {
            Ok(reply) => self.spent(reply.tokens_in, reply.tokens_out),
            Err(LlmError::TooLong(_) | LlmError::Declined(_) | LlmError::Malformed(_)) => {
                self.spent(request.tokens(), u64::from(request.max_tokens))
            }
            Err(LlmError::Timeout(_) | LlmError::Cut | LlmError::Cancelled) => {
                self.spent(request.tokens(), 0)
            }
            // What never reached a model, or was turned away, is free.
            Err(_) => return,
        };
        self.ledger.spend(self.model(), spent);
    }
}

impl<P: Provider> Provider for Budgeted<P> {
    fn model(&self) -> &str {
        self.inner.model()
    }

    fn complete<'a>(
        &'a self,
        request: &'a Request,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, Result<Reply, LlmError>> {
        async move {
            self.check(request)?;
            let result = self.inner.complete(request, cancel).await;
            self.write_down(request, &result);
            result
        }
        .boxed()
    }
}
