//! `metrex mcp`: serves the tools to agents, on stdin and stdout or over HTTP on this machine.

use std::io::{IsTerminal, Write, stdin, stdout};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::runtime::block_on;
use super::{Global, Outcome, notes};
use crate::mcp::{self, Http, HttpError, ServeError};
use crate::session::{Session, SessionError};

/// The port where `--http` names none.
const PORT: &str = "8765";

/// Where a token of one's own comes from.
const TOKEN: &str = "METREX_MCP_TOKEN";

#[derive(Debug, Args)]
pub struct McpArgs {
    /// Serve streamable HTTP on 127.0.0.1 instead of stdin and stdout; port 0 takes any free one. Clients need the token that
    /// is printed on stderr, or the one in METREX_MCP_TOKEN
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = PORT)]
    http: Option<u16>,
}

pub fn run(global: &Global, args: &McpArgs) -> Outcome {
    let session = global.open()?;
    notes::about_session(&session);
    block_on(async |cancel| {
        session.learn_rollups().await;
        serve(session.clone(), args, cancel).await
    })
}

async fn serve(session: Session, args: &McpArgs, cancel: CancellationToken) -> Outcome {
    match args.http {
        None => {
            if stdin().is_terminal() {
                notes::note(
                    "this speaks MCP on stdin and stdout, for an agent to start; Ctrl-D ends it",
                );
            }
            Ok(mcp::stdio(session, cancel)
                .await
                .map_err(SessionError::from)?)
        }
        Some(port) => {
            let token = std::env::var(TOKEN).ok();
            let is_given = token.is_some();
            let http = Http::bind(session, port, token)
                .await
                .map_err(SessionError::from)?;
            if !is_given {
                say!("token: {}", http.token());
            }
            writeln!(stdout(), "{}", http.url())?;
            Ok(http.serve(cancel).await.map_err(SessionError::from)?)
        }
    }
}

impl From<ServeError> for SessionError {
    fn from(error: ServeError) -> Self {
        Self::usage("mcp", error.to_string())
    }
}

impl From<HttpError> for SessionError {
    fn from(error: HttpError) -> Self {
        let told = Self::usage("mcp", error.to_string());
        match error {
            HttpError::Port { .. } => told.with_hint("--http 0 takes any free port"),
            HttpError::Token => {
                told.with_hint(format!("{TOKEN} holds it; unset, one is generated"))
            }
            _ => told,
        }
    }
}
