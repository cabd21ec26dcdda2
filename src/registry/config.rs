//! `metrex.yaml`: connections, calendar, the language model and where state is kept. Secrets are never part of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexMap;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;

use super::ProjectFile;
use super::calendar::read_calendar;
use super::connections::{self, Care, RawConnection, Read};
use super::diagnostic::{Diagnostic, Severity, Sink, did_you_mean};
use super::governance::{Governance, RawGovernance, governance};
use super::key_settings::{KeySetting, RawKeys};
use super::learn_config::{LearnRules, RawLearn, learn_rules};
use super::life::{RawReview, review_rules};
use super::llm_config::{RawAsk, RawLlm, read_llm};
use super::policy_config::{RawPolicy, delivered_policy, policy_settings};
use super::raw::RawCalendar;
use super::read::{At, Named, Read as _, Word, object};
use super::usage_config::{RawUsage, UsageSettings, usage_settings};
use super::yaml::{self, Text};
use crate::model::{
    AutoRun, Calendar, Connection, ConnectionKind, Conventions, FileId, LlmSettings,
    PolicySettings, ReviewRules,
};

/// Time for which an answer is reused, where the project says nothing.
const CACHE_TTL: Duration = Duration::from_secs(10 * 60);

/// How a text gets into the clipboard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clipboard {
    /// By the terminal (OSC 52) over SSH; else by a program of the desktop, and by the terminal where none takes it.
    #[default]
    Auto,
    /// By the terminal, always.
    Osc52,
    /// By a program of the desktop: wl-copy, xclip, xsel or pbcopy.
    Tools,
    /// Not at all.
    Off,
}

/// The configuration of a project.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Connections by name, in the order of the file; those to the demo's data are added by [`Config::add_demo`].
    pub connections: IndexMap<String, Connection>,
    /// Name of the connection used when none is asked for; the first one where none is given.
    pub default_connection: Option<String>,
    /// How carefully each connection is used, by name.
    pub care: IndexMap<String, Care>,
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
    /// Name of the theme; `auto` asks the terminal whether its background is light.
    pub theme: Option<String>,
    /// Whether the explorer opens what was open when it ended.
    pub restore_session: bool,
    /// How a text gets into the clipboard.
    pub clipboard: Clipboard,
    /// The language model that may be asked, where there is one.
    pub llm: Option<LlmSettings>,
    /// What may run without being looked at first.
    pub auto_run: AutoRun,
    /// Who may vouch for a metric, and what it takes; `None` where the project says nothing.
    pub review: Option<ReviewRules>,
    /// What it takes for something to be proposed from use.
    pub learn: LearnRules,
    /// Keys of the explorer's actions.
    pub keys: Vec<KeySetting>,
    /// What models must keep to, beside the definitions.
    pub governance: Governance,
    /// What is kept of use.
    pub usage: UsageSettings,
    /// How choices are made that change no answer.
    pub policy: PolicySettings,
    /// What is wrong in the file but keeps nobody from working.
    pub warnings: Vec<Diagnostic>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connections: IndexMap::new(),
            default_connection: None,
            care: IndexMap::new(),
            unavailable: IndexMap::new(),
            demo: IndexMap::new(),
            calendar: Calendar::default(),
            conventions: Conventions::default(),
            state_dir: None,
            cache_ttl: CACHE_TTL,
            theme: None,
            restore_session: true,
            clipboard: Clipboard::default(),
            llm: None,
            auto_run: AutoRun::default(),
            review: None,
            learn: LearnRules::default(),
            keys: Vec::new(),
            governance: Governance::default(),
            usage: UsageSettings::default(),
            policy: delivered_policy(),
            warnings: Vec::new(),
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
        /// Name of the theme; `auto` asks the terminal whether its background is light.
        theme: Option<Text>,
        /// Whether the explorer opens what was open when it ended: `true` (the default) or `false`.
        restore_session: Option<At<bool>>,
        /// How a text gets into the clipboard: `auto` (the default), `osc52`, `tools` or `off`.
        clipboard: Option<Word<Clipboard>>,
        /// A language model that may be asked where the definitions alone do not answer.
        llm: Option<RawLlm>,
        /// How questions are answered.
        ask: Option<RawAsk>,
        /// Who may certify a metric, and what it takes.
        review: Option<RawReview>,
        /// What it takes for something to be proposed from use.
        learn: Option<RawLearn>,
        /// Keys of the explorer, by the names of actions.
        keys: RawKeys,
        /// What SQL of models must keep to.
        governance: Option<RawGovernance>,
        /// What is kept of use.
        usage: Option<RawUsage>,
        /// How choices are made that change no answer.
        policy: Option<RawPolicy>,
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
        if is_wrong {
            return Err(problems);
        }
        config.warnings = problems;
        Ok(config)
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

    /// Adds the connection written as an address, such as `duckdb:PATH`, under its own text; whether it is one.
    pub fn add_address(&mut self, address: &str) -> bool {
        let connection = connections::of_address(address);
        let is_address = connection.is_some();
        self.connections
            .extend(connection.map(|connection| (address.to_owned(), connection)));
        is_address
    }

    /// What another version of the file says otherwise that holds from the start of a session to its end.
    pub fn needs_restart(&self, now: &Self) -> Vec<&'static str> {
        let connections = |config: &Self| {
            (
                config.connections.clone(),
                config.care.clone(),
                config.unavailable.clone(),
                config.demo.clone(),
            )
        };
        let differs = [
            ("connections", connections(self) != connections(now)),
            (
                "default_connection",
                self.default_connection != now.default_connection,
            ),
            ("calendar", self.calendar != now.calendar),
            ("conventions", self.conventions != now.conventions),
            ("state_dir", self.state_dir != now.state_dir),
            ("cache_ttl", self.cache_ttl != now.cache_ttl),
            ("llm", self.llm != now.llm),
            ("ask", self.auto_run != now.auto_run),
            ("usage", self.usage != now.usage),
            ("policy", self.policy != now.policy),
        ];
        let differs = differs.into_iter().filter(|(_, differs)| *differs);
        differs.map(|(name, _)| name).collect()
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
            let name = || entry.name.value.clone();
            self.care.insert(name(), connections::care(entry, sink));
            match connections::read(entry, root, sink) {
                Some(Read::Usable(connection)) => {
                    self.connections.insert(name(), connection);
                }
                Some(Read::Demo { row_cap }) => {
                    self.demo.insert(name(), row_cap);
                }
                Some(Read::Unavailable(reason)) => {
                    self.unavailable.insert(name(), reason);
                }
                None => {}
            }
        }
        self.state_dir = raw
            .state_dir
            .as_ref()
            .map(|text| resolve(root, &text.value));
        if let Some(text) = &raw.cache_ttl {
            self.cache_ttl = duration(text, sink).unwrap_or(CACHE_TTL);
        }
        self.theme = raw.theme.as_ref().map(|text| text.value.clone());
        self.restore_session = raw.restore_session.is_none_or(|at| at.value);
        self.clipboard = raw.clipboard.map(|word| word.value).unwrap_or_default();
        self.llm = raw.llm.as_ref().and_then(|llm| read_llm(llm, root, sink));
        let auto_run = raw.ask.as_ref().and_then(|ask| ask.auto_run);
        self.auto_run = auto_run.map_or_else(AutoRun::default, |word| word.value);
        self.review = raw.review.as_ref().map(review_rules);
        if let Some(raw) = &raw.learn {
            self.learn = learn_rules(raw, sink);
        }
        self.keys = raw.keys.settings("metrex.yaml");
        if let Some(raw) = &raw.governance {
            self.governance = governance(raw, sink);
        }
        if let Some(raw) = &raw.usage {
            self.usage = usage_settings(raw, sink);
        }
        if let Some(raw) = &raw.policy {
            self.policy = policy_settings(raw, self.policy);
        }
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
