//! What was asked and not run: a question that was not understood, SQL of a model that did not pass, a line that the
//! definitions refuse. It is recorded with its kind, and is no use of anything.

use super::{model_use, retries};
use crate::ask::{ChipKind, Refusal, RefusalCode};
use crate::learn::{PersonalColumns, about};
use crate::model::MetricQuery;
use crate::session::ask::{AskOutcome, Asked};
use crate::session::{Session, SessionError};
use crate::usage::{Facts, Outcome, QueryRecord, Route};

impl Session {
    /// Records a query that is refused before it could run.
    pub fn note_refused(&self, query: &MetricQuery, error: &SessionError) {
        let registry = &self.version().catalog.registry;
        // Where there is personal data, a name that is not known may be anything.
        let is_open = PersonalColumns::of(registry).is_empty();
        let facts = about(registry, query);
        self.record_refused(QueryRecord {
            line: if_open(is_open, || query.to_string()),
            facts: match is_open {
                true => facts,
                false => of_metrics(facts.metrics),
            },
            outcome: Outcome::Refused(if_open(is_open, || error.message.clone())),
            error_kind: Some(error.code().to_owned()),
            ..QueryRecord::default()
        });
    }

    /// Records a question that is not answered.
    pub(in crate::session) async fn note_unanswered(&self, asked: &Asked) {
        let AskOutcome::Refused(refusal) = &asked.outcome else {
            return;
        };
        let is_stopped = refusal.code == RefusalCode::Cancelled;
        if is_stopped || !self.project().config.usage.track {
            return;
        }
        let (session, question) = (self.clone(), asked.question.clone());
        let question = move || session.harmless_question(&question);
        // It may have to be read again.
        let question = tokio::task::spawn_blocking(question).await;
        let is_open = PersonalColumns::of(&self.version().catalog.registry).is_empty();
        let findings = asked.rejected.iter().flat_map(|sql| &sql.findings);
        let findings = findings.map(|found| match is_open {
            true => found.to_string(),
            false => found.code.as_str().to_owned(),
        });
        let model = model_use(asked);
        self.record_refused(QueryRecord {
            question: question.ok().flatten(),
            route: match model {
                Some(_) => Route::Model,
                None => Route::Words,
            },
            facts: of_metrics(self.metrics_in(refusal)),
            outcome: Outcome::Refused(if_open(is_open, || refusal.message.clone())),
            error_kind: serde_json::to_value(refusal.code)
                .ok()
                .and_then(|code| Some(code.as_str()?.to_owned())),
            findings: findings.collect(),
            retries: retries(asked),
            model,
            ms: u64::try_from(asked.elapsed.as_millis()).unwrap_or(u64::MAX),
            ..QueryRecord::default()
        });
    }

    /// The metrics that were understood of a question.
    fn metrics_in(&self, refusal: &Refusal) -> Vec<String> {
        let chips = refusal.understood.iter();
        let chips = chips.filter(|chip| chip.kind == ChipKind::Metric);
        let registry = &self.version().catalog.registry;
        let metrics = chips.filter_map(|chip| registry.metric(&chip.text));
        metrics.map(|metric| metric.name.clone()).collect()
    }

    fn record_refused(&self, record: QueryRecord) {
        if !self.project().config.usage.track {
            return;
        }
        let record = QueryRecord {
            at: self.now(),
            session: self.session_id().to_owned(),
            face: self.face(),
            connection: self.connection(),
            ..record
        };
        if let Ok(usage) = self.usage_store() {
            let tracking = self.tracking().clone();
            usage.record_made(move || QueryRecord {
                user: tracking.user().to_owned(),
                ..record
            });
        }
    }
}

/// A text that may be kept, or none.
fn if_open(is_open: bool, text: impl FnOnce() -> String) -> String {
    match is_open {
        true => text(),
        false => String::new(),
    }
}

fn of_metrics(mut metrics: Vec<String>) -> Facts {
    metrics.sort();
    metrics.dedup();
    Facts {
        metrics,
        ..Facts::default()
    }
}
