//! `metrex tools`: prints the definitions of the agent tools.

use clap::{Args, ValueEnum};

use super::{Outcome, print};
use crate::mcp::{Dialect, definitions};

#[derive(Debug, Args)]
pub struct ToolsArgs {
    /// Whose form
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

/// Forms of tool definitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// As tools/list of MCP returns them
    #[default]
    Mcp,
    /// Function calling of OpenAI and compatible APIs
    Openai,
    /// Tool use of Anthropic's API
    Anthropic,
}

pub fn run(args: &ToolsArgs) -> Outcome {
    let dialect = match args.format {
        Form::Mcp => Dialect::Mcp,
        Form::Openai => Dialect::OpenAi,
        Form::Anthropic => Dialect::Anthropic,
    };
    print(|out| {
        serde_json::to_writer_pretty(&mut *out, &definitions(dialect))?;
        writeln!(out)
    })
}
