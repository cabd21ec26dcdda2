//! `suggest_datasets`: the canonical datasets for an intent in plain words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mcp::call::Call;
use crate::mcp::error::{ToolError, clean};
use crate::mcp::reply::{MAX_BYTES, fit, shortened};
use crate::mcp::tool::Tool;
use crate::session::Session;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct SuggestDatasets {
    /// What is to be analysed or built, in plain words: "marketing attribution".
    intent: String,
}

/// What there is for an intent.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Suggested {
    /// The canonical datasets, best first.
    datasets: Vec<DatasetLine>,
    /// Words of the intent that none of them speaks of.
    unmatched: Vec<String>,
    /// Whether some datasets are missing here.
    truncated: bool,
}

/// A canonical dataset.
#[derive(Debug, Serialize, JsonSchema)]
struct DatasetLine {
    /// Its name.
    name: String,
    /// dimension, fact or mart.
    kind: &'static str,
    /// draft, published, certified or deprecated.
    status: &'static str,
    /// What to read: the dataset, or the table.
    reads: String,
    /// 0 to 1.
    confidence: f64,
    /// Why.
    reasons: Vec<String>,
}

impl Tool for SuggestDatasets {
    const NAME: &'static str = "suggest_datasets";
    const TITLE: &'static str = "Suggest canonical datasets";
    const DESCRIPTION: &'static str = "Ranks the datasets that the organisation has agreed on for an intent in plain words, with a \
        confidence and reasons. Call it before writing a model or a metric, to build on those and not on raw tables.";
    type Reply = Suggested;

    async fn run(self, call: &Call) -> Result<Suggested, ToolError> {
        call.ask(move |session| self.suggest(session)).await
    }
}

impl SuggestDatasets {
    fn suggest(&self, session: &Session) -> Suggested {
        let ranking = session.suggest_datasets(&self.intent);
        let found = ranking.datasets.len();
        let datasets = ranking.datasets.into_iter().map(|one| DatasetLine {
            name: one.name,
            kind: one.kind.word(),
            status: one.status.word(),
            reads: clean(&one.reads),
            confidence: one.confidence,
            reasons: one.reasons.iter().map(|reason| clean(reason)).collect(),
        });
        let mut suggested = Suggested {
            datasets: datasets.collect(),
            unmatched: ranking.unmatched.iter().map(|word| clean(word)).collect(),
            truncated: false,
        };
        fit(&mut suggested, MAX_BYTES, |reply| {
            shortened(&mut reply.datasets)
        });
        suggested.truncated = suggested.datasets.len() < found;
        suggested
    }
}
