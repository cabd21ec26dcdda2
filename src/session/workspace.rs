//! What the explorer has open: kept when it ends, and opened again at its next start.

use serde::{Deserialize, Serialize};

use super::Session;

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

    /// Keeps what is open for the next start. Where the history cannot be written, it is lost with the session.
    pub fn keep_workspace(&self, workspace: &Workspace) {
        if let (Ok(usage), Ok(text)) = (self.usage_store(), serde_json::to_string(workspace)) {
            usage.keep_workspace(text);
        }
    }
}
