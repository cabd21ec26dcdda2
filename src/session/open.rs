//! The session itself: one project, its definitions, its connections and its state, shared by every task of a face.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::cache::ResultCache;
use super::catalog::Version;
use super::choices::Remembered;
use super::connections::Connections;
use super::define::Surveys;
use super::policy::Decided;
use super::tracking::Tracking;
use super::{Hit, SearchHint, SessionError, StateFolder, rollups};
use crate::compile::{CompileError, CompileOptions, Compiled, Passes, Reason, Rollups, compile};
use crate::model::{MetricQuery, NoValues, ValueLookup};
use crate::registry::Project;
use crate::usage::graph::{NodeKind, Trend};
use crate::usage::{Face, HistoryEntry, Question, Usage, UsageError};
use crate::warehouse::Dialect;

/// What a session is opened with; everything may be left out.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// The project's folder; else the nearest one above the current folder, else the embedded demo.
    pub project: Option<PathBuf>,
    /// The connection to use; else the project's default.
    pub connection: Option<String>,
    /// The current day; else the clock's, in the project's time zone.
    pub today: Option<Date>,
    /// Folder for state; else `state_dir` of `metrex.yaml`, else the XDG state folder.
    pub state_dir: Option<PathBuf>,
    /// Answer every query from the rows of its datasets, also where a rollup would give the same.
    pub no_rollups: bool,
    /// Who asks, for what is recorded; else as git knows them in the project, else `$USER`.
    pub user: Option<String>,
}

/// One project, open. Cloning is cheap and shares everything.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
    asks: bool,
    face: Face,
    /// Definitions other than those in force, see [`Session::as_if`].
    supposed: Option<Arc<Version>>,
}

struct Inner {
    project: Project,
    state: StateFolder,
    today: Option<Date>,
    connections: Connections,
    version: RwLock<Arc<Version>>,
    tracking: Arc<Tracking>,
    usage: OnceLock<Result<Usage, UsageError>>,
    used: Mutex<Option<Arc<Used>>>,
    /// Why the history cannot be used, as it was said last.
    told: Mutex<Option<String>>,
    remembered: Mutex<Option<Arc<Remembered>>>,
    cache: ResultCache,
    no_rollups: bool,
    decided: Arc<Decided>,
    rollups: rollups::Known,
    surveys: Surveys,
    mended: Option<String>,
}

/// How metrics were used, as of the last run.
#[derive(Default)]
pub(super) struct Used {
    counts: HashMap<String, u64>,
    frecency: HashMap<String, u64>,
    trends: HashMap<String, Trend>,
    /// All metrics in the order that follows from it, for a generation of the catalog.
    all: Mutex<Option<(u64, Arc<Vec<Hit>>)>>,
}

impl Used {
    /// What was found, with how it is used.
    fn told(&self, mut hits: Vec<Hit>) -> Vec<Hit> {
        for hit in &mut hits {
            if let Some(trend) = self.trends.get(&hit.metric) {
                hit.used = (trend.month, trend.before);
            }
        }
        hits
    }
}

impl Session {
    /// Opens a project: reads its definitions, touches no warehouse. Definitions with errors are left out and reported
    /// in [`Catalog::diagnostics`](super::Catalog::diagnostics).
    ///
    /// # Errors
    /// There is no such project, its `metrex.yaml` or a template cannot be read, the connection is unknown.
    pub fn open(options: OpenOptions) -> Result<Self, SessionError> {
        let mut project = Project::find(options.project.as_deref())?;
        let state = StateFolder::open(&project, options.state_dir.as_deref());
        if project.root.is_none() {
            project = project.changed_in(state.demo_changes())?;
        }
        let mended = project.folder().and_then(super::publish::mend);
        Self::with_state(project, state, options, mended)
    }

    /// A session of this project, wherever `options` would look for one; the demo is as it was delivered.
    pub(super) fn of(project: Project, options: OpenOptions) -> Result<Self, SessionError> {
        let state = StateFolder::open(&project, options.state_dir.as_deref());
        Self::with_state(project, state, options, None)
    }

    fn with_state(
        mut project: Project,
        state: StateFolder,
        options: OpenOptions,
        mended: Option<String>,
    ) -> Result<Self, SessionError> {
        project.config.add_demo(&state.demo_database());
        if let Some(address) = &options.connection {
            project.config.add_address(address);
        }
        let version = Version::open(&project, &state.cache())?;
        let folder = project.root.as_deref().or_else(|| project.folder());
        let tracking = Tracking::new(options.user, folder.map(Into::into));
        let session = Self {
            inner: Arc::new(Inner {
                project,
                state,
                today: options.today,
                connections: Connections::default(),
                version: RwLock::new(Arc::new(version)),
                tracking: Arc::new(tracking),
                usage: OnceLock::new(),
                used: Mutex::default(),
                told: Mutex::default(),
                remembered: Mutex::default(),
                cache: ResultCache::default(),
                no_rollups: options.no_rollups,
                decided: Arc::default(),
                rollups: rollups::Known::default(),
                surveys: Surveys::default(),
                mended,
            }),
            asks: false,
            face: Face::Program,
            supposed: None,
        };
        session.choose_connection(options.connection)?;
        Ok(session)
    }

    /// The same session for somebody who can be asked: whatever it sends to a warehouse has to pass the plan of the engine
    /// first where the connection has `ask_above_rows`, and fails with [`Failure::Expensive`](super::Failure::Expensive)
    /// where it does not.
    pub fn asking(&self) -> Self {
        Self {
            asks: true,
            ..self.clone()
        }
    }

    /// The same session for what has been asked about: everything runs.
    pub fn anyway(&self) -> Self {
        Self {
            asks: false,
            ..self.clone()
        }
    }

    /// The same session for another face: what is run through it is recorded as coming from there.
    pub fn with_face(&self, face: Face) -> Self {
        Self {
            face,
            ..self.clone()
        }
    }

    /// Whether what looks expensive does not run.
    pub(super) fn asks(&self) -> bool {
        self.asks
    }

    /// What was found half-written when the session was opened, and what became of it.
    pub fn mended(&self) -> Option<&str> {
        self.inner.mended.as_deref()
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.inner.project
    }

    /// Where the project's state is.
    pub fn state(&self) -> &StateFolder {
        &self.inner.state
    }

    pub(super) fn tracking(&self) -> &Arc<Tracking> {
        &self.inner.tracking
    }

    /// The face that asks.
    pub(super) fn face(&self) -> Face {
        self.face
    }

    pub(super) fn pinned_today(&self) -> Option<Date> {
        self.inner.today
    }

    /// The current day: as pinned, else the clock's in the project's time zone.
    pub fn today(&self) -> Date {
        self.inner.today.unwrap_or_else(|| {
            let now = Timestamp::now();
            let zone = &self.catalog().registry.calendar.timezone;
            now.in_tz(zone)
                .unwrap_or_else(|_| now.to_zoned(jiff::tz::TimeZone::UTC))
                .date()
        })
    }

    /// The metrics that match every word, best first; all of them for no words. `%owner fin` looks in one field.
    pub fn search(&self, words: &str) -> Vec<Hit> {
        if words.trim().is_empty() {
            return self.all_metrics().as_ref().clone();
        }
        let used = self.used();
        used.told(self.version().search().search(words, &used.frecency))
    }

    /// What [`Session::search`] finds; where that is nothing, what it finds for the words that were likely meant, with these.
    pub fn search_forgiving(&self, words: &str) -> (Vec<Hit>, Option<String>) {
        let hits = self.search(words);
        if !hits.is_empty() {
            return (hits, None);
        }
        let meant = self.version().search().corrected(words);
        let found = meant.map(|meant| (self.search(&meant), meant));
        match found.filter(|(hits, _)| !hits.is_empty()) {
            Some((hits, meant)) => (hits, Some(meant)),
            None => (hits, None),
        }
    }

    /// All metrics, as a search for nothing finds them; ordered anew only when definitions or use have changed.
    pub fn all_metrics(&self) -> Arc<Vec<Hit>> {
        let (version, used) = (self.version(), self.used());
        let mut all = used.all.lock().unwrap_or_else(PoisonError::into_inner);
        match &*all {
            Some((generation, hits)) if *generation == version.catalog.generation => hits.clone(),
            _ => {
                let found = version.search().search("", &used.frecency);
                let hits = Arc::new(used.told(found));
                *all = Some((version.catalog.generation, hits.clone()));
                hits
            }
        }
    }

    /// What the end of a search may become, and what is wrong with it.
    pub fn search_hint(&self, words: &str) -> SearchHint {
        self.version().search().hint(words)
    }

    /// Compiles a query for the current connection. Touches no warehouse.
    ///
    /// # Errors
    /// Why the query is refused, and what would be right.
    pub fn compile(&self, query: &MetricQuery) -> Result<Compiled, CompileError> {
        let connection = self.connection();
        self.compile_on(query, &connection, self.dialect_of(&connection))
    }

    /// A refusal of a query, in the shape that every face shows.
    pub fn refusal(&self, error: CompileError) -> SessionError {
        SessionError::of_query(&self.catalog().registry, error)
    }

    /// Compiles a query for an engine.
    ///
    /// # Errors
    /// As for [`Session::compile`].
    pub fn compile_for(
        &self,
        query: &MetricQuery,
        dialect: Dialect,
    ) -> Result<Compiled, CompileError> {
        self.compile_on(query, &self.connection(), dialect)
    }

    /// Compiles a query for an engine, with the values that are known of a connection.
    pub(super) fn compile_on(
        &self,
        query: &MetricQuery,
        connection: &str,
        dialect: Dialect,
    ) -> Result<Compiled, CompileError> {
        let version = self.version();
        let usual = self.compile_usual(&version, query, connection, dialect)?;
        let is_own = self.supposed.is_none() && dialect == self.dialect_of(connection);
        let compiled = match is_own {
            true => self.decided(usual, connection, |passes| {
                self.compile_by(&version, query, connection, dialect, passes)
            }),
            false => usual,
        };
        Ok(self.with_remarks(compiled))
    }

    fn compile_by(
        &self,
        version: &Version,
        query: &MetricQuery,
        connection: &str,
        dialect: Dialect,
        passes: Passes<'_>,
    ) -> Result<Compiled, CompileError> {
        let index = self.index(connection);
        let values: &dyn ValueLookup = match &index {
            Some(index) => index.as_ref(),
            None => &NoValues,
        };
        let options = CompileOptions {
            dialect,
            today: self.today(),
            values,
            passes,
        };
        compile(
            &version.catalog.registry,
            &version.catalog.reach,
            &version.templates,
            query,
            &options,
        )
    }

    fn compile_usual(
        &self,
        version: &Version,
        query: &MetricQuery,
        connection: &str,
        dialect: Dialect,
    ) -> Result<Compiled, CompileError> {
        let compile = |dialect, rollups: Option<&Rollups>| {
            let passes = Passes {
                rollups,
                ..Passes::default()
            };
            self.compile_by(version, query, connection, dialect, passes)
        };
        let Some(rollups) = self.rollups(version, connection, dialect) else {
            return compile(dialect, None);
        };
        let mut said = Vec::new();
        if !rollups.embedded.tables.is_empty()
            && let Ok(compiled) = compile(Dialect::Sqlite, Some(&rollups.embedded))
        {
            if compiled.embedded {
                return Ok(compiled);
            }
            let is_of_one = |reason: &Reason| {
                let mut tables = rollups.embedded.tables.iter();
                tables.any(|table| reason.place == Some(table.place))
            };
            said.extend(compiled.reasons.into_iter().filter(is_of_one));
        }
        let mut compiled = compile(dialect, Some(&rollups.warehouse))?;
        compiled.reasons.extend(said);
        Ok(compiled)
    }

    /// Queries per metric in the last 90 days.
    pub fn usage(&self) -> HashMap<String, u64> {
        self.used().counts.clone()
    }

    /// How the use of a metric goes, by canonical name.
    pub fn trend(&self, metric: &str) -> Trend {
        let used = self.used();
        used.trends.get(metric).cloned().unwrap_or_default()
    }

    /// The latest queries, newest first.
    pub fn history(&self, limit: usize) -> Vec<HistoryEntry> {
        self.usage_store()
            .ok()
            .and_then(|usage| usage.history(limit).ok())
            .unwrap_or_default()
    }

    /// The latest questions that were kept, newest first.
    pub fn questions(&self, limit: usize) -> Vec<Question> {
        self.usage_store()
            .ok()
            .and_then(|usage| usage.questions(limit).ok())
            .unwrap_or_default()
    }

    /// Keeps a question, to be asked again, without anything personal; nothing where queries are not recorded.
    pub fn keep_question(&self, text: &str) {
        if !self.project().config.usage.track {
            return;
        }
        if let (Some(text), Ok(usage)) = (self.harmless_question(text), self.usage_store()) {
            let at = self.now();
            usage.record_question(Question { text, at });
        }
    }

    /// Forgets a query line or a question of the history, with all its runs.
    pub fn forget_line(&self, text: &str) {
        if let Ok(usage) = self.usage_store() {
            usage.forget_line(text);
            self.forget_used();
        }
    }

    fn used(&self) -> Arc<Used> {
        let mut used = self
            .inner
            .used
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let read = || match self.usage_store() {
            Ok(usage) => Used {
                counts: usage.counts(self.now()).unwrap_or_default(),
                frecency: usage.frecency(self.now()).unwrap_or_default(),
                trends: usage
                    .trends(NodeKind::Metric, self.now())
                    .unwrap_or_default(),
                ..Used::default()
            },
            Err(_) => Used::default(),
        };
        used.get_or_insert_with(|| Arc::new(read())).clone()
    }

    /// Counts again at the next question; what was counted before.
    pub(super) fn take_used(&self) -> Option<Arc<Used>> {
        let used = self.inner.used.lock();
        used.unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Counts again at the next question.
    pub(super) fn forget_used(&self) {
        drop(self.take_used());
    }

    /// Why queries are not recorded, where they are not: the history cannot be opened, is damaged, or cannot be written.
    pub fn history_problem(&self) -> Option<String> {
        match self.usage_store() {
            Ok(usage) => usage.trouble(),
            Err(error) => Some(error.to_string()),
        }
    }

    /// The same for those who look on for long, once: only what has come up since the session was opened, and never what
    /// would have to be opened for it.
    pub fn history_news(&self) -> Option<String> {
        let problem = match self.inner.usage.get()? {
            Ok(usage) => usage.failure()?,
            Err(error) => error.to_string(),
        };
        let told = self.inner.told.lock();
        let mut told = told.unwrap_or_else(PoisonError::into_inner);
        let is_new = told.as_ref() != Some(&problem);
        is_new.then(|| told.insert(problem).clone())
    }

    /// Opens the log, and drops what is older than it is to be kept.
    fn open_usage(&self) -> Result<Usage, UsageError> {
        let usage = Usage::open(&self.state().usage())?;
        let kept =
            SignedDuration::from_hours(24 * i64::from(self.project().config.usage.keep_days));
        // A pinned day that is still to come must drop nothing; and whole days, so that it is done once a day.
        let now = self.now().min(Timestamp::now()).as_second();
        let today = Timestamp::from_second(now - now.rem_euclid(86_400)).unwrap_or_default();
        if let Ok(first) = today.checked_sub(kept) {
            usage.keep_since(first);
        }
        Ok(usage)
    }

    /// The log, where it was opened.
    pub(super) fn usage_in_use(&self) -> Option<&Usage> {
        self.inner.usage.get()?.as_ref().ok()
    }

    /// Whether the log was opened, or could not be.
    pub(super) fn has_opened_usage(&self) -> bool {
        self.inner.usage.get().is_some()
    }

    pub(super) fn usage_store(&self) -> Result<&Usage, &UsageError> {
        self.inner.usage.get_or_init(|| self.open_usage()).as_ref()
    }

    pub(super) fn remembered_choices(&self) -> MutexGuard<'_, Option<Arc<Remembered>>> {
        let remembered = self.inner.remembered.lock();
        remembered.unwrap_or_else(PoisonError::into_inner)
    }

    /// The same session over other definitions than those in force.
    pub(super) fn with_version(&self, version: Arc<Version>) -> Self {
        Self {
            supposed: Some(version),
            ..self.clone()
        }
    }

    pub(super) fn version(&self) -> Arc<Version> {
        if let Some(supposed) = &self.supposed {
            return supposed.clone();
        }
        self.inner
            .version
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn set_version(&self, version: Version) {
        *self
            .inner
            .version
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(version);
    }

    pub(super) fn connections_in_use(&self) -> &Connections {
        &self.inner.connections
    }

    pub(super) fn cache(&self) -> &ResultCache {
        &self.inner.cache
    }

    pub(super) fn wants_no_rollups(&self) -> bool {
        self.inner.no_rollups
    }

    pub(super) fn decided_before(&self) -> &Arc<Decided> {
        &self.inner.decided
    }

    pub(super) fn surveys(&self) -> &Surveys {
        &self.inner.surveys
    }

    pub(super) fn known_rollups(&self) -> &rollups::Known {
        &self.inner.rollups
    }
}
