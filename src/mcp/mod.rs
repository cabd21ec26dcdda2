//! The tools for agents: an MCP server over stdio or loopback HTTP, and the same tools' definitions for other agents.

mod call;
mod conditions;
mod definitions;
mod error;
mod http;
mod parts;
mod reply;
mod schema;
mod server;
mod tool;
mod tools;

pub use definitions::{Dialect, definitions};
pub use http::{Http, HttpError};
pub use server::{ServeError, stdio};
