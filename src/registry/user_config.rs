//! The user's own configuration, `$XDG_CONFIG_HOME/metrex/config.yaml`: how the explorer looks and is operated.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::ProjectFile;
use super::config::Clipboard;
use super::diagnostic::{Diagnostic, Severity, Sink};
use super::key_settings::{KeySetting, RawKeys};
use super::read::{Read as _, Word, object};
use super::yaml::{self, Text};
use crate::model::FileId;

/// What the user prefers, whatever the project.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserConfig {
    /// Keys of actions; they go before the project's.
    pub keys: Vec<KeySetting>,
    /// Name of the theme; it goes before the project's.
    pub theme: Option<String>,
    /// How a text gets into the clipboard; it goes before the project's.
    pub clipboard: Option<Clipboard>,
    /// What is wrong in the file. Nobody is kept from working by it.
    pub problems: Vec<Diagnostic>,
}

object! {
    /// The user's configuration.
    struct RawUserConfig {
        /// Keys of the explorer, by the names of actions.
        keys: RawKeys,
        /// Name of the theme.
        theme: Option<Text>,
        /// How a text gets into the clipboard: `auto` (the default), `osc52`, `tools` or `off`.
        clipboard: Option<Word<Clipboard>>,
    }
}

impl UserConfig {
    /// Reads the user's file; without one, nothing is preferred.
    pub fn open() -> Self {
        let Some(path) = Self::path() else {
            return Self::default();
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::read(&text, &path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(error) => Self {
                problems: vec![Diagnostic {
                    severity: Severity::Warning,
                    file: path.display().to_string(),
                    line: 0,
                    column: 0,
                    code: "file",
                    message: format!("cannot be read: {error}"),
                    found: String::new(),
                    hint: None,
                }],
                ..Self::default()
            },
        }
    }

    /// Where the user's file is, or would be.
    pub fn path() -> Option<PathBuf> {
        let folders = etcetera::base_strategy::Xdg::new().ok()?;
        Some(folders.config_dir().join("metrex").join("config.yaml"))
    }

    /// Reads the text of the file.
    pub fn read(text: &str, path: &Path) -> Self {
        let file = [ProjectFile {
            path: path.display().to_string(),
            text: text.to_owned(),
        }];
        let mut sink = Sink::new(&file);
        let mut config = Self::default();
        match yaml::parse(FileId(0), text) {
            Err(error) => sink.error("yaml", error.place, "", error.message, None),
            Ok(None) => {}
            Ok(Some(node)) => {
                if let Some(raw) = RawUserConfig::read(&node, &mut sink) {
                    let file = path.display().to_string();
                    config.keys = raw.keys.settings(&file);
                    config.clipboard = raw.clipboard.map(|word| word.value);
                    config.theme = raw.theme.map(|text| text.value);
                }
            }
        }
        config.problems = sink.finish();
        config
    }
}
