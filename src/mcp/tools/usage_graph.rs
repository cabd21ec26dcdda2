//! `usage_graph`: what was used with what, join paths, and who would be affected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::mcp::call::Call;
use crate::mcp::error::{ToolError, clean};
use crate::mcp::reply::{MAX_BYTES, fit};
use crate::mcp::tool::Tool;
use crate::session::Session;

/// Most things of each kind.
const MOST: usize = 100;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct UsageGraph {
    /// A metric, table, column, dimension, person or saved query; "table:orders" where a name means several.
    name: String,
    /// What is wanted of it.
    #[serde(default)]
    show: Show,
    /// For path: the other table.
    #[serde(default)]
    to: Option<String>,
}

/// What is wanted.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Show {
    /// What it was used with, by whom and how often.
    #[default]
    Neighbourhood,
    /// What was asked together with it, and how much more often than by chance.
    Together,
    /// Who and what would be affected if it changed.
    Affected,
    /// The shortest and the fastest join path from this table to another one.
    Path,
}

/// What is known of the use of something.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct UsageReply {
    /// What it is about: "metric:gmv".
    about: String,
    /// Counts are runs of queries; mean_ms is over answered ones; lists have the most used first.
    found: Value,
    /// Whether lists were cut to make the reply fit.
    truncated: bool,
}

impl Tool for UsageGraph {
    const NAME: &'static str = "usage_graph";
    const TITLE: &'static str = "Show how something is used";
    const DESCRIPTION: &'static str = "How a metric, table, column or dimension is used: what is asked with it, by whom, how often and how \
        fast; who would be affected if it changed; join paths between tables, the shortest and the fastest. Counts come from the queries \
        that were run, and what is possible from the definitions.";
    type Reply = UsageReply;

    async fn run(self, call: &Call) -> Result<UsageReply, ToolError> {
        call.ask(move |session| self.found(session)).await?
    }
}

impl UsageGraph {
    fn found(&self, session: &Session) -> Result<UsageReply, ToolError> {
        if let (Show::Path, to) = (self.show, &self.to) {
            let Some(to) = to else {
                return Err(ToolError::new(
                    "bad_argument",
                    "show: path needs `to`, the other table",
                )
                .with_hint("{\"name\": \"orders\", \"show\": \"path\", \"to\": \"users\"}"));
            };
            let ways = session.graph_ways(&self.name, to)?;
            let about = format!("{} → {}", ways.from, ways.to);
            return Ok(UsageReply::new(&about, json!(ways)));
        }
        let thing = session.graph_thing(&self.name)?;
        let found = match self.show {
            Show::Together => json!(session.graph_together(&thing, MOST)?),
            Show::Affected => json!(session.graph_affected(&thing, MOST)?),
            Show::Neighbourhood | Show::Path => json!(session.graph_around(&thing, MOST)?),
        };
        Ok(UsageReply::new(&thing.word(), found))
    }
}

impl UsageReply {
    fn new(about: &str, mut found: Value) -> Self {
        cleaned(&mut found);
        let mut reply = Self {
            about: clean(about),
            found,
            truncated: false,
        };
        let before = reply.found.clone();
        fit(&mut reply, MAX_BYTES, |reply| halved(&mut reply.found));
        reply.truncated = reply.found != before;
        reply
    }
}

/// Texts of people and of warehouses, without control characters.
fn cleaned(value: &mut Value) {
    match value {
        Value::String(text) => *text = clean(text),
        Value::Array(list) => list.iter_mut().for_each(cleaned),
        Value::Object(map) => map.values_mut().for_each(cleaned),
        _ => {}
    }
}

/// Halves every list; whether there was one to halve.
fn halved(value: &mut Value) -> bool {
    match value {
        Value::Array(list) => {
            let is_long = list.len() > 1 && list.iter().any(Value::is_object);
            if is_long {
                list.truncate(list.len().div_ceil(2));
            }
            let below = list.iter_mut().map(halved).filter(|cut| *cut).count();
            is_long || below > 0
        }
        Value::Object(map) => map.values_mut().map(halved).filter(|cut| *cut).count() > 0,
        _ => false,
    }
}
