//! What a tool is: its arguments and its reply as types, from which the schemas come, and its work.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rmcp::model::{self, CallToolResult, ContentBlock, JsonObject, ToolAnnotations};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::call::Call;
use super::error::ToolError;
use super::reply::MAX_BYTES;
use super::schema;

/// A tool; the type itself is the arguments.
pub(super) trait Tool: DeserializeOwned + JsonSchema + Send + 'static {
    const NAME: &'static str;
    const TITLE: &'static str;
    /// For a model: what it is for, when to use it, what to call before.
    const DESCRIPTION: &'static str;
    /// Whether it may reach beyond the warehouse.
    const OPEN_WORLD: bool = false;
    /// Whether it changes nothing; none changes anything in a warehouse.
    const ONLY_READS: bool = true;
    type Reply: Serialize + JsonSchema + Send + 'static;

    /// Does the work.
    fn run(self, call: &Call) -> impl Future<Output = Result<Self::Reply, ToolError>> + Send;

    /// What a person would rather see than the JSON, shown before it.
    fn picture(_reply: &Self::Reply) -> Option<&str> {
        None
    }
}

/// A tool as the server keeps it.
pub(super) struct Entry {
    /// What a client is told.
    pub(super) definition: model::Tool,
    run: fn(JsonObject, Call) -> BoxFuture<'static, CallToolResult>,
}

impl Entry {
    pub(super) fn of<T: Tool>() -> Self {
        let annotations = ToolAnnotations::with_title(T::TITLE)
            .read_only(T::ONLY_READS)
            .destructive(false)
            .idempotent(true)
            .open_world(T::OPEN_WORLD);
        let definition = model::Tool::new(T::NAME, T::DESCRIPTION, Arc::new(schema::input::<T>()))
            .with_title(T::TITLE)
            .with_raw_output_schema(Arc::new(schema::output::<T::Reply>()))
            .with_annotations(annotations);
        Self {
            definition,
            run: |arguments, call| run::<T>(arguments, call).boxed(),
        }
    }

    /// Answers a call; whatever is wrong is part of the answer, so that the model reads it.
    pub(super) async fn run(&self, arguments: JsonObject, call: Call) -> CallToolResult {
        (self.run)(arguments, call).await
    }
}

async fn run<T: Tool>(arguments: JsonObject, call: Call) -> CallToolResult {
    match answer::<T>(arguments, &call).await {
        Ok(result) => result,
        Err(error) => error.into_result(),
    }
}

async fn answer<T: Tool>(arguments: JsonObject, call: &Call) -> Result<CallToolResult, ToolError> {
    let tool: T = read(&arguments)?;
    let reply = tool.run(call).await?;
    let json = serde_json::to_value(&reply).map_err(ToolError::internal)?;
    let text = json.to_string();
    if text.len() > MAX_BYTES {
        return Err(ToolError::new(
            "reply_too_large",
            format!(
                "the reply has {} bytes, {MAX_BYTES} are allowed",
                text.len()
            ),
        )
        .with_hint("ask for less: a filter, a limit, fewer groupings"));
    }
    let picture = T::picture(&reply).map(ContentBlock::text);
    let mut result = CallToolResult::structured(json);
    result.content = picture
        .into_iter()
        .chain([ContentBlock::text(text)])
        .collect();
    Ok(result)
}

/// Reads the arguments; an error names the one it is about.
fn read<T: Tool>(arguments: &JsonObject) -> Result<T, ToolError> {
    from::<T>(arguments.clone()).map_err(|message| {
        // The argument that is wrong is as wrong alone.
        let is_culprit = |(name, value): &(&String, &Value)| {
            let alone = JsonObject::from_iter([((*name).clone(), (*value).clone())]);
            from::<T>(alone).is_err_and(|other| other == message)
        };
        let message = match arguments.iter().find(is_culprit) {
            Some((name, _)) if !message.contains(name.as_str()) => {
                format!("argument '{name}': {message}")
            }
            _ => message,
        };
        let told = ToolError::new("bad_argument", &message);
        if message.starts_with("unknown field") || message.starts_with("missing field") {
            let names = schema::argument_names::<T>();
            let hint = format!("the arguments of {} are {}", T::NAME, names.join(", "));
            return told.with_hint(hint).with_valid(names);
        }
        told
    })
}

fn from<T: Tool>(arguments: JsonObject) -> Result<T, String> {
    serde_json::from_value(Value::Object(arguments)).map_err(|error| error.to_string())
}
