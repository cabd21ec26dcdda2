//! What the explorer has open: kept when it ends, and opened again at its next start.

use serde::{Deserialize, Serialize};

use super::Session;
use crate::learn::is_personal;

/// The tabs of an explorer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// Their query lines, in order.
    pub tabs: Vec<String>,
    /// The index of the one on the screen.
    pub at: usize,
    /// The two whose results stand side by side.
    pub pair: Option<(usize, usize)>,
    /// Whether these two filter alike.
    pub shares_filters: bool,
    /// How their results are shown, as the explorer writes it.
    #[serde(default)]
    pub looks: Vec<serde_json::Value>,
}

impl Session {
    /// What was open when the last explorer of this project ended; nothing where `restore_session: false` stands in
    /// `metrex.yaml`.
    pub fn workspace(&self) -> Option<Workspace> {
        if !self.project().config.restore_session {
            return None;
        }
        let text = self.usage_store().ok()?.workspace().ok()??;
        // Another version may have written something else.
        serde_json::from_str(&text).ok()
    }

    /// Keeps what is open for the next start, without anything personal. Where the history cannot be written, it is lost with the session.
    pub fn keep_workspace(&self, workspace: &Workspace) {
        let version = self.version();
        let registry = &version.catalog.registry;
        // The columns of a result that was turned around are named by its values.
        let is_open = |look: &serde_json::Value| {
            let pivoted = look
                .pointer("/columns/pivoted")
                .and_then(serde_json::Value::as_str);
            pivoted.is_none_or(|dimension| !is_personal(registry, dimension))
        };
        let looks = workspace.looks.iter().cloned();
        let workspace = Workspace {
            tabs: workspace
                .tabs
                .iter()
                .map(|line| self.harmless_line(line))
                .collect(),
            looks: looks
                .map(|look| {
                    if is_open(&look) {
                        look
                    } else {
                        serde_json::Value::Null
                    }
                })
                .collect(),
            ..workspace.clone()
        };
        if let (Ok(usage), Ok(text)) = (self.usage_store(), serde_json::to_string(&workspace)) {
            usage.keep_workspace(text);
        }
    }
}
