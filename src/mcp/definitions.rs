//! The tools' definitions as other agents take them, from the same types as the server's.

use serde_json::{Value, json};

use super::tools;

/// Whose form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Function calling of OpenAI's API and of those that copy it.
    OpenAi,
    /// Tool use of Anthropic's API.
    Anthropic,
    /// As `tools/list` of MCP returns them.
    Mcp,
}

/// A JSON array of the definitions.
pub fn definitions(dialect: Dialect) -> Value {
    let tools = tools::all().into_iter().map(|entry| entry.definition);
    tools
        .map(|tool| match dialect {
            Dialect::OpenAi => json!({
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": *tool.input_schema,
                },
            }),
            Dialect::Anthropic => json!({
                "name": tool.name,
                "description": tool.description,
                "input_schema": *tool.input_schema,
            }),
            Dialect::Mcp => json!(tool),
        })
        .collect()
}
