//! Telling a chat what is proposed: counts and names, never a value.

use std::time::Duration;

use serde_json::json;

use crate::learn::propose::Report;
use crate::llm::post_json;
use crate::session::Session;

/// How long the other side may take.
const TIMEOUT: Duration = Duration::from_secs(10);

impl Session {
    /// Posts what is new to the webhook of `learn:`, where there is one.
    pub(super) async fn tell(&self, report: &Report) -> Result<(), String> {
        let config = self.project().config.learn.webhook.as_deref();
        let Some(wanted) = config else {
            return Ok(());
        };
        let name = wanted
            .strip_prefix("${")
            .and_then(|name| name.strip_suffix('}'));
        let address = match name {
            None => wanted.to_owned(),
            Some(name) => std::env::var(name).map_err(|_| format!("${{{name}}} is not set"))?,
        };
        post_json(&address, &json!({ "text": said(report) }), TIMEOUT).await
    }
}

/// What is told: titles may have values in them, names have none.
fn said(report: &Report) -> String {
    let mut text = format!("metrex learned from use: {}", report.summary());
    for told in report.new_ideas() {
        let kind = told.idea.kind.word();
        text.push_str(&format!("\n- {kind}: {}", told.idea.subject()));
    }
    text
}
