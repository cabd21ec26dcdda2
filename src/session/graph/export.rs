//! The graph for other programs, with the metrics that nobody ever asked for.

use std::path::Path;

use super::defined;
use crate::session::whole_file::write_whole;
use crate::session::{Session, SessionError};
use crate::usage::graph::export::{GraphForm, write};
use crate::usage::graph::{Subgraph, Thing};

/// How far around a thing an export goes: over a query, to what that touches.
const STEPS: u32 = 2;

impl Session {
    /// The graph, all of it or what is around a thing, with what is defined and was never used.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn graph_for_export(&self, around: Option<&Thing>) -> Result<Subgraph, SessionError> {
        let graph = self.used_graph()?;
        let defined = defined::metrics(&self.catalog().registry);
        match around {
            None => {
                let whole = graph.whole_graph().map_err(super::unreadable)?;
                Ok(whole.with_defined(&defined))
            }
            Some(thing) => {
                let part = graph.subgraph(thing, STEPS).map_err(super::unreadable)?;
                let beside = |(metric, parts): &(Thing, Vec<_>)| {
                    let stands_on = parts.iter().any(|(_, part)| part == thing);
                    metric == thing || stands_on
                };
                let mut of_thing: Vec<(Thing, Vec<_>)> =
                    defined.into_iter().filter(beside).collect();
                for (metric, parts) in &mut of_thing {
                    if metric != thing {
                        parts.retain(|(_, part)| part == thing);
                    }
                }
                of_thing.push((thing.clone(), Vec::new()));
                Ok(part.with_defined(&of_thing))
            }
        }
    }

    /// Writes a graph into a file.
    ///
    /// # Errors
    /// The file cannot be written; what it held before is kept then.
    pub fn write_graph(
        &self,
        graph: &Subgraph,
        form: GraphForm,
        path: &Path,
    ) -> Result<(), SessionError> {
        let mut text = Vec::new();
        let written = write(graph, form, &mut text);
        let written = written.and_then(|()| write_whole(path, &String::from_utf8_lossy(&text)));
        written.map_err(|error| {
            SessionError::usage("file", format!("cannot write {}: {error}", path.display()))
        })
    }
}
