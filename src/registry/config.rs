//! `metrex.yaml`: connections, calendar, the language model and where state is kept. Secrets are never part of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexMap;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;

use super::ProjectFile;
use super::calendar::read_calendar;
use super::diagnostic::{Diagnostic, Severity, Sink, did_you_mean};
use super::llm_config::{RawAsk, RawLlm, read_llm};
use super::raw::RawCalendar;
use super::read::{At, Entry, Named, Read, Word, object};
use super::url::{Url, is_reference};
use super::yaml::{self, Text};
use crate::model::{
    AutoRun, Calendar, Connection, ConnectionKind, Conventions, FileId, LlmSettings,
    PostgresSettings,
};

/// Rows after which a result is cut, where the connection says nothing.
const ROW_CAP: u64 = 1_000_000;
/// Time for which an answer is reused, where the project says nothing.
const CACHE_TTL: Duration = Duration::from_secs(10 * 60);

/// The configuration of a project.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Connections by name, in the order of the file; those to the demo's data are added by [`Config::add_demo`].
    pub connections: IndexMap<String, Connection>,
    /// Name of the connection used when none is asked for; the first one where none is given.
    pub default_connection: Option<String>,
    /// Connections that cannot be used now, by name, and why: an environment variable is not set.
    pub unavailable: IndexMap<String, String>,
    /// Names of the connections to the demo's data (`type: demo`), and their row caps.
    demo: IndexMap<String, u64>,
    /// Week start, fiscal year, time zone and calendar table.
    pub calendar: Calendar,
    /// Whose rules apply where two readings of a definition are possible.
    pub conventions: Conventions,
    /// Where state files are kept instead of the user's state folder.
    pub state_dir: Option<PathBuf>,
    /// Time for which an answer is reused.
    pub cache_ttl: Duration,
    /// Name of the theme.
    pub theme: Option<String>,
    /// The language model that may be asked, where there is one.
    pub llm: Option<LlmSettings>,
    /// What may run without being looked at first.
    pub auto_run: AutoRun,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connections: IndexMap::new(),
            default_connection: None,
            unavailable: IndexMap::new(),
            demo: IndexMap::new(),
            calendar: Calendar::default(),
            conventions: Conventions::default(),
            state_dir: None,
            cache_ttl: CACHE_TTL,
            theme: None,
            llm: None,
            auto_run: AutoRun::default(),
        }
    }
}

object! {
    /// `metrex.yaml`
    struct RawConfig {
        /// Warehouses, by name.
        connections: Named<RawConnection>,
        /// The connection used when none is asked for; the first one where none is given.
        default_connection: Option<Text>,
        /// Week start, fiscal year, time zone and calendar table.
        calendar: Option<RawCalendar>,
        /// Whose rules apply where two readings of a definition are possible: `metrex` (the default) or `metricflow`.
        conventions: Option<Word<Conventions>>,
        /// Where state files are kept, relative to the project.
        state_dir: Option<Text>,
        /// Time for which an answer is reused, such as `10m`.
        cache_ttl: Option<Text>,
        /// Name of the theme.
        theme: Option<Text>,
        /// A language model that may be asked where the definitions alone do not answer.
        llm: Option<RawLlm>,
        /// How questions are answered.
        ask: Option<RawAsk>,
    }
}

/// Kinds of warehouses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawType {
    /// The generated data of the demo project.
    Demo,
    /// An SQLite file.
    Sqlite,
    /// PostgreSQL or AlloyDB.
    Postgres,
}

object! {
    /// A warehouse.
    struct RawConnection {
        /// Its kind.
        r#type: Option<Word<RawType>>,
        /// The SQLite file, relative to the project.
        path: Option<Text>,
        /// `postgres://user@host:port/database`, without a password; `${NAME}` is taken from the environment.
        url: Option<Text>,
        /// Command whose first line of output is the password.
        password_command: Option<Text>,
        /// PEM file with root certificates, relative to the project.
        ssl_root_cert: Option<Text>,
        /// Server-side limit for one statement, such as `60s`.
        statement_timeout: Option<Text>,
        /// Most rows a query returns.
        row_cap: Option<At<u64>>,
    }
}

impl Config {
    /// Reads a `metrex.yaml` of the project in `root`; an empty text is a project without connections.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn read(text: &str, root: &Path) -> Result<Self, Vec<Diagnostic>> {
        let file = [ProjectFile {
            path: "metrex.yaml".to_owned(),
            text: text.to_owned(),
        }];
        let mut sink = Sink::new(&file);
        let mut config = Self::default();
        match yaml::parse(FileId(0), text) {
            Err(error) => sink.error("yaml", error.place, "", error.message, None),
            Ok(None) => {}
            Ok(Some(node)) => {
                if let Some(raw) = RawConfig::read(&node, &mut sink) {
                    config.fill(&raw, root, &mut sink);
                }
            }
        }
        let problems = sink.finish();
        let is_wrong = problems
            .iter()
            .any(|problem| problem.severity == Severity::Error);
        if is_wrong { Err(problems) } else { Ok(config) }
    }

    /// Adds the connections of `type: demo`, whose data is in `database`.
    pub fn add_demo(&mut self, database: &Path) {
        for (name, row_cap) in &self.demo {
            let kind = ConnectionKind::Sqlite {
                path: database.to_owned(),
            };
            let connection = Connection {
                name: name.clone(),
                kind,
                row_cap: *row_cap,
            };
            self.connections.insert(name.clone(), connection);
        }
    }

    /// Whether a connection leads to the demo's data.
    pub fn uses_demo(&self) -> bool {
        !self.demo.is_empty()
    }

    fn fill(&mut self, raw: &RawConfig, root: &Path, sink: &mut Sink) {
        if let Some(calendar) = &raw.calendar {
            self.calendar = read_calendar(calendar, &self.calendar, sink);
        }
        self.conventions = raw.conventions.map(|word| word.value).unwrap_or_default();
        for entry in &raw.connections.0 {
            self.connect(entry, root, sink);
        }
        self.state_dir = raw
            .state_dir
            .as_ref()
            .map(|text| resolve(root, &text.value));
        if let Some(text) = &raw.cache_ttl {
            self.cache_ttl = duration(text, sink).unwrap_or(CACHE_TTL);
        }
        self.theme = raw.theme.as_ref().map(|text| text.value.clone());
        self.llm = raw.llm.as_ref().and_then(|llm| read_llm(llm, root, sink));
        let auto_run = raw.ask.as_ref().and_then(|ask| ask.auto_run);
        self.auto_run = auto_run.map_or_else(AutoRun::default, |word| word.value);
        self.default_connection = raw
            .default_connection
            .as_ref()
            .map(|text| text.value.clone());
        if let Some(text) = &raw.default_connection {
            let names = raw
                .connections
                .0
                .iter()
                .map(|entry| entry.name.value.as_str());
            if !names.clone().any(|name| name == text.value) {
                let message = format!("there is no connection '{}'", text.value);
                let hint = did_you_mean(&text.value, names);
                sink.error("config", text.place, &text.value, message, hint);
            }
        }
    }

    fn connect(&mut self, entry: &Entry<RawConnection>, root: &Path, sink: &mut Sink) {
        let Entry {
            name,
            value: Some(raw),
            errors: 0,
        } = entry
        else {
            return;
        };
        let missing = |what: &str, sink: &mut Sink| {
            sink.error(
                "missing_key",
                name.place,
                &name.value,
                format!("connection '{}' needs {what}", name.value),
                None,
            );
        };
        let Some(kind) = raw.r#type else {
            return missing("a type: sqlite, postgres or demo", sink);
        };
        let foreign: &[(&str, &Option<Text>)] = match kind.value {
            RawType::Postgres => &[("path", &raw.path)],
            RawType::Sqlite | RawType::Demo => &[
                ("url", &raw.url),
                ("password_command", &raw.password_command),
                ("ssl_root_cert", &raw.ssl_root_cert),
                ("statement_timeout", &raw.statement_timeout),
            ],
        };
        for (key, text) in foreign {
            if let Some(text) = text {
                let message = format!("'{key}' does not belong to a connection of this type");
                sink.error("config", text.place, &text.value, message, None);
            }
        }
        let row_cap = raw.row_cap.map_or(ROW_CAP, |cap| cap.value);
        let kind = match kind.value {
            RawType::Demo => {
                self.demo.insert(name.value.clone(), row_cap);
                return;
            }
            RawType::Sqlite => {
                let Some(path) = &raw.path else {
                    return missing("a path", sink);
                };
                ConnectionKind::Sqlite {
                    path: resolve(root, &path.value),
                }
            }
            RawType::Postgres => {
                let url = match raw.url.as_ref().map(|url| read_url(url, sink)).transpose() {
                    Ok(url) => url.flatten(),
                    Err(reason) => {
                        self.unavailable.insert(name.value.clone(), reason);
                        return;
                    }
                };
                ConnectionKind::Postgres(PostgresSettings {
                    url,
                    password_command: raw.password_command.as_ref().map(|text| text.value.clone()),
                    ssl_root_cert: raw
                        .ssl_root_cert
                        .as_ref()
                        .map(|text| resolve(root, &text.value)),
                    statement_timeout: raw
                        .statement_timeout
                        .as_ref()
                        .and_then(|text| duration(text, sink)),
                })
            }
        };
        let connection = Connection {
            name: name.value.clone(),
            kind,
            row_cap,
        };
        self.connections.insert(name.value.clone(), connection);
    }
}

/// A path relative to the project; `~/` is the home folder.
pub(super) fn resolve(root: &Path, path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => root.join(path),
    }
}

pub(super) fn duration(text: &Text, sink: &mut Sink) -> Option<Duration> {
    let parsed = text.value.trim().parse::<SignedDuration>().ok();
    let duration = parsed.and_then(|duration| Duration::try_from(duration).ok());
    if duration.is_none() {
        let message = format!("'{}' is not a length of time", text.value);
        let hint = Some("write it like 30s, 10m or 1h".to_owned());
        sink.error("invalid_value", text.place, &text.value, message, hint);
    }
    duration
}

/// The URL with `${NAME}` filled in, or why it cannot be used now. A password written out is an error.
fn read_url(text: &Text, sink: &mut Sink) -> Result<Option<String>, String> {
    let url = &text.value;
    let written = Url(url);
    if !written.passwords().into_iter().all(is_reference) {
        let message = "a password must not stand in a file";
        let hint = "leave it out: it comes from the environment (PGPASSWORD, or ${NAME} here), .pgpass, \
                    password_command or a prompt";
        // The text found is not repeated: diagnostics are printed and logged.
        sink.error("config", text.place, "", message, Some(hint.to_owned()));
        return Ok(None);
    }
    let mut expanded = String::with_capacity(url.len());
    let mut rest = url.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            sink.error("config", text.place, "", "'${' is never closed", None);
            return Ok(None);
        };
        let value = std::env::var(name)
            .map_err(|_| format!("the environment variable {name} is not set"))?;
        expanded.push_str(before);
        expanded.push_str(&written.filled_in(name, &value));
        rest = after;
    }
    expanded.push_str(rest);
    Ok(Some(expanded))
}
