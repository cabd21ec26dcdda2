//! Everything the screen shows, and nothing else: no connection, no file, no clock.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use ratatui::layout::Size;

use super::action::Action;
use super::charting::Charting;
use super::files::Saving;
use super::input::LineInput;
use super::keys::Chord;
use super::message::{Effect, Lookup, Message, Misfits, Notice, Setting, Slot};
use super::moment::{Moment, Step};
use super::parts::{self, Part};
use super::popup::{Page, Popup, Reader};
use super::question::{Asking, Heard, Origin};
use super::splits::{Border, Splits};
use super::tabs::Tabs;
use super::theme::Theme;
use super::widgets::grid::{Arrangement, Grid};
use super::widgets::sql_view::SqlView;
use crate::compile::{CompileError, Compiled, ErrorCode};
use crate::model::{GroupBy, MetricKind, MetricQuery, Place, QueryLineError, Snippet};
use crate::registry::Diagnostic;
use crate::session::files::FileFormat;
use crate::session::{
    Catalog, Completed, Completion, ConnectionInfo, Hit, MetricCard, Misfit, RunSummary,
    SearchHint, SessionError,
};

/// Panes that take the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Focus {
    /// Tree of metrics with its search box.
    Catalog,
    /// The metric under the cursor.
    Details,
    /// The query: its line and its parts.
    Query,
    /// The SQL with its reasons.
    Preview,
    /// The rows.
    Result,
}

impl Focus {
    /// All panes, in the order of Tab.
    pub const ALL: [Self; 5] = [
        Self::Catalog,
        Self::Details,
        Self::Query,
        Self::Preview,
        Self::Result,
    ];

    /// The word for it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Catalog => "Catalog",
            Self::Details => "Details",
            Self::Query => "Query",
            Self::Preview => "SQL",
            Self::Result => "Result",
        }
    }
}

/// The whole state.
pub struct State {
    /// What never changes.
    pub setting: Setting,
    /// The last good version of all definitions.
    pub catalog: Arc<Catalog>,
    /// Errors and warnings of the project's files.
    pub problems: Vec<Diagnostic>,
    /// The connection in use.
    pub connection: String,
    /// Styles, of the theme in force or of one that is tried on.
    pub theme: Theme,
    /// The theme in force.
    pub theme_name: String,
    /// Keys and pastes that wait for an answer, in order.
    pub ahead: VecDeque<Message>,
    /// Size of the terminal.
    pub size: Size,
    /// Time since the start.
    pub now: Duration,
    /// The pane that takes the keys, unless a window is open.
    pub focus: Focus,
    /// Windows, the last one on top.
    pub popups: Vec<Popup>,
    /// The catalog.
    pub finder: Finder,
    /// The metric under the cursor.
    pub details: Details,
    /// The query: the one thing that all panes edit.
    pub query: MetricQuery,
    /// The question that the query, or one it was edited from, came from.
    pub origin: Option<Origin>,
    /// The words that a meaning was chosen for last.
    pub chosen: Option<String>,
    /// Moments before this one, to undo to.
    pub past: Vec<Moment>,
    /// Moments that were undone, to redo; the next one is the last.
    pub future: Vec<Moment>,
    /// The steps that led down to the query, the latest last.
    pub trail: Vec<Step>,
    /// Whether a look behind a number goes on.
    pub looking: bool,
    /// The last change, while it is not known yet whether it is one.
    pub attempt: Option<Attempt>,
    /// The selected part of the query.
    pub part: usize,
    /// The query line.
    pub prompt: Prompt,
    /// The SQL.
    pub preview: Preview,
    /// The rows.
    pub result: Results,
    /// The file that is being written.
    pub saving: Option<Saving>,
    /// The form of the last file.
    pub file_format: FileFormat,
    /// The folder of the last file.
    pub file_folder: Option<PathBuf>,
    /// What the demo is waiting for.
    pub preparing: Option<String>,
    /// Whether the query is to be run as soon as the demo is ready.
    pub run_when_ready: bool,
    /// The last thing said in the footer.
    pub notice: Option<Notice>,
    /// Where the borders between the panes stand.
    pub splits: Splits,
    /// The border that the mouse holds.
    pub dragging: Option<Border>,
    /// Whether the mouse is captured.
    pub mouse: bool,
    /// Whether Ctrl+C was pressed just before.
    pub leaving: bool,
    /// The other tabs.
    pub tabs: Tabs,
    pub(super) generations: HashMap<Slot, u64>,
    pub(super) counter: u64,
    /// The commands used last, the latest first.
    pub used: Vec<Action>,
    /// The first of two keys, while the second is waited for.
    pub first_key: Option<Chord>,
}

/// The catalog: a search box over a tree of categories, or over the ranked hits.
#[derive(Default)]
pub struct Finder {
    /// The search words.
    pub input: LineInput,
    /// Whether keys go into the search box.
    pub typing: bool,
    /// Metrics found, best first; all while nothing is searched.
    pub hits: Arc<Vec<Hit>>,
    /// What the search may go on with.
    pub hint: SearchHint,
    /// What the query demands of its metrics, as it was last asked about.
    pub demands: Vec<GroupBy>,
    /// Metrics that do not meet it.
    pub misfits: Misfits,
    /// Categories that are folded.
    pub folded: BTreeSet<String>,
    /// What is shown, line by line.
    pub rows: Vec<CatalogRow>,
    /// The selected row.
    pub selected: usize,
    /// The first row shown.
    pub offset: usize,
    /// Columns of the longest name.
    pub names: usize,
}

/// A line of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogRow {
    /// A category with its number of metrics.
    Category(String, usize),
    /// An index into the hits.
    Metric(usize),
}

impl Finder {
    /// What Tab completes the search to.
    pub fn completion(&self) -> Option<&Completed> {
        let at_end = self.input.cursor() == self.input.text().len();
        self.hint.offers.first().filter(|_| at_end)
    }

    /// Why the query leaves no place for a metric.
    pub fn misfit(&self, metric: &str) -> Option<&Misfit> {
        self.misfits.get(metric).map(AsRef::as_ref)
    }

    /// The metric under the cursor.
    pub fn metric(&self) -> Option<&str> {
        match self.rows.get(self.selected)? {
            CatalogRow::Category(..) => None,
            CatalogRow::Metric(hit) => self.hits.get(*hit).map(|hit| hit.metric.as_str()),
        }
    }
}

/// The metric under the cursor, in words.
#[derive(Default)]
pub struct Details {
    /// Its name.
    pub metric: Option<String>,
    /// Everything about it, or why there is nothing to show.
    pub card: Option<Result<Box<MetricCard>, String>>,
    /// The first line shown.
    pub offset: usize,
}

/// The query line, or a question in plain words, while it is typed.
#[derive(Default)]
pub struct Prompt {
    /// Whether keys go into the text.
    pub typing: bool,
    /// Whether it was opened for a question.
    pub asks: bool,
    /// Whether a question stands for itself, without the query before it.
    pub anew: bool,
    /// The text.
    pub input: LineInput,
    /// What it was understood as, where it is no query line.
    pub heard: Option<Heard>,
    /// Whether the question is to be asked as soon as the demo is ready.
    pub ask_when_ready: bool,
    /// The question that is being answered.
    pub asking: Option<Asking>,
    /// Why it is no query.
    pub error: Option<QueryLineError>,
    /// What may stand at the cursor.
    pub completions: Vec<Completion>,
    /// The completion that is selected.
    pub selected: Option<usize>,
    /// Earlier lines and questions, latest first.
    pub history: Vec<String>,
    /// The earlier line shown, and what was typed before it.
    pub recalled: Option<(usize, String)>,
}

/// The SQL of the query.
#[derive(Default)]
pub struct Preview {
    /// The query asked about last.
    pub asked: MetricQuery,
    /// The query that SQL and error belong to.
    pub query: MetricQuery,
    /// The last SQL that could be written.
    pub compiled: Option<Arc<Compiled>>,
    /// Why there is none for the present query.
    pub error: Option<CompileError>,
    /// Its text, with the selected line.
    pub sql: SqlView,
}

impl Preview {
    /// Why this query cannot run, as far as is known.
    pub fn refusal(&self, query: &MetricQuery) -> Option<&CompileError> {
        self.error.as_ref().filter(|_| self.query == *query)
    }

    /// Whether its text is the hand-written snippet of a complex metric.
    pub fn is_snippet(&self) -> bool {
        self.error
            .as_ref()
            .is_some_and(|error| error.code == ErrorCode::ComplexMetric)
    }

    /// The SQL of the present query.
    pub fn current(&self) -> Option<&Arc<Compiled>> {
        if self.error.is_none() {
            self.compiled.as_ref()
        } else {
            None
        }
    }
}

/// A change that is made only where its SQL can be written.
pub struct Attempt {
    /// The query it leads to.
    pub query: MetricQuery,
    /// Whether it is run then.
    pub run: bool,
    /// Whether it is a step down into a result.
    pub is_step: bool,
}

/// The rows of the last run.
#[derive(Debug, Clone, Default)]
pub struct Results {
    /// The run that may send news.
    pub generation: u64,
    /// The query as it was run.
    pub query: MetricQuery,
    /// The connection it was run on.
    pub connection: String,
    /// The generation of the catalog at the run.
    pub catalog: u64,
    /// What was run.
    pub compiled: Option<Arc<Compiled>>,
    /// The rows.
    pub grid: Option<Grid>,
    /// The total row.
    pub totals: Option<RecordBatch>,
    /// How far it is.
    pub phase: Phase,
    /// What is searched in the rows.
    pub find: LineInput,
    /// Whether keys go into the search box.
    pub finding: bool,
    /// Whether the run ended while its tab was not on the screen.
    pub unseen: bool,
    /// Which rows are shown.
    pub filter: LineInput,
    /// Whether keys go into the filter's box.
    pub filtering: bool,
    /// How the columns of the run before were arranged.
    pub arrangement: Arrangement,
    /// What was asked beside the rows, by its generation.
    pub beside: Option<u64>,
    /// The chart of the rows.
    pub chart: Charting,
}

/// How far a run is.
#[derive(Debug, Clone, Default)]
pub enum Phase {
    /// Nothing was run.
    #[default]
    Idle,
    /// Since this time.
    Running(Duration),
    /// A cancel is on its way; running since this time.
    Cancelling(Duration),
    /// It ended.
    Done(RunSummary),
    /// It failed.
    Failed(SessionError),
}

impl Results {
    /// Whether a query is running.
    pub fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running(_) | Phase::Cancelling(_))
    }
}

impl State {
    /// A state before anything has happened, and what it wants to know first.
    pub fn new(
        setting: Setting,
        catalog: Arc<Catalog>,
        connection: String,
        theme: Theme,
        size: Size,
    ) -> (Self, Vec<Effect>) {
        let mut state = Self {
            problems: [catalog.diagnostics.as_slice(), &setting.problems].concat(),
            setting,
            catalog,
            connection,
            theme_name: theme.name.clone(),
            ahead: VecDeque::new(),
            theme,
            size,
            now: Duration::ZERO,
            focus: Focus::Catalog,
            popups: Vec::new(),
            finder: Finder {
                typing: true,
                ..Finder::default()
            },
            details: Details::default(),
            query: MetricQuery::default(),
            origin: None,
            chosen: None,
            past: Vec::new(),
            future: Vec::new(),
            trail: Vec::new(),
            looking: false,
            attempt: None,
            part: 0,
            prompt: Prompt {
                input: LineInput::of_many_lines(),
                ..Prompt::default()
            },
            preview: Preview::default(),
            result: Results::default(),
            saving: None,
            file_format: FileFormat::Csv,
            file_folder: None,
            preparing: None,
            run_when_ready: false,
            notice: None,
            splits: Splits::default(),
            dragging: None,
            mouse: true,
            leaving: false,
            tabs: Tabs::one(),
            used: Vec::new(),
            first_key: None,
            generations: HashMap::new(),
            counter: 0,
        };
        let effects = vec![
            state.ask(Lookup::Search(String::new())),
            state.ask(Lookup::History),
            state.ask(Lookup::Workspace),
        ];
        (state, effects)
    }

    /// The effect that asks the session; earlier questions of the same kind no longer count.
    pub fn ask(&mut self, lookup: Lookup) -> Effect {
        let generation = self.next_generation();
        self.generations.insert(lookup.slot(), generation);
        Effect::Lookup { generation, lookup }
    }

    /// A number no earlier effect had.
    pub fn next_generation(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// Whether an answer of this generation is still wanted.
    pub fn is_expecting(&self, slot: Slot, generation: u64) -> bool {
        self.generations.get(&slot) == Some(&generation)
    }

    /// Whether an answer of this kind is outstanding.
    pub fn waits_for(&self, slot: Slot) -> bool {
        self.generations.contains_key(&slot)
    }

    /// Drops whatever was asked.
    pub fn forget_all(&mut self) {
        self.generations.clear();
    }

    /// Drops whatever was asked of this kind.
    pub fn forget(&mut self, slot: Slot) {
        self.generations.remove(&slot);
    }

    /// Whether an answer of the session is still outstanding.
    pub fn is_asking(&self) -> bool {
        !self.generations.is_empty() || self.prompt.asking.is_some()
    }

    /// The key of an action, for a text.
    pub fn key(&self, action: Action) -> String {
        self.setting.keymap.key(action)
    }

    /// The groupings in force, also where the query names none.
    pub fn groups(&self) -> Vec<GroupBy> {
        if let Some(groups) = &self.query.group_by {
            return groups.clone();
        }
        let compiled = self
            .preview
            .current()
            .filter(|_| self.preview.query == self.query);
        compiled
            .and_then(|compiled| compiled.query.group_by.clone())
            .unwrap_or_default()
    }

    /// The connection in use, where it can be used.
    pub fn known_connection(&self) -> Option<&ConnectionInfo> {
        let mut connections = self.setting.connections.iter();
        connections.find(|known| known.name == self.connection)
    }

    /// The selected part of the query.
    pub fn part(&self) -> Option<Part> {
        parts::parts(self).into_iter().nth(self.part)
    }

    /// The hand-written SQL that the preview shows, if that is what it shows.
    pub fn snippet(&self) -> Option<&Snippet> {
        let registry = &self.catalog.registry;
        let asked = self
            .preview
            .asked
            .metrics
            .iter()
            .filter(|_| self.preview.is_snippet());
        let mut kinds = asked
            .filter_map(|name| registry.metric(name))
            .map(|metric| &metric.kind);
        kinds.find_map(|kind| match kind {
            MetricKind::Complex { snippet, .. } => registry.snippets.get(snippet),
            _ => None,
        })
    }

    /// File and line that the editor opens: the first problem while problems are shown, else what is selected.
    pub fn editable(&self) -> Option<(String, u32)> {
        if let Some(Popup::Reader(Reader {
            page: Page::Problems,
            ..
        })) = self.popups.last()
        {
            let problem = self.problems.iter().find(|problem| problem.line > 0)?;
            return Some((problem.file.clone(), problem.line));
        }
        let place = self.places_here().first().copied()?;
        Some((self.catalog.registry.file(place).to_owned(), place.line))
    }

    /// The metric that is selected, or the first one of the query.
    pub fn metric_here(&self) -> Option<&str> {
        let of_query = self.query.metrics.first();
        let shown = self.details.metric.as_ref();
        match self.focus {
            Focus::Catalog | Focus::Details => shown.or(of_query),
            _ => of_query.or(shown),
        }
        .map(String::as_str)
    }

    /// The definitions behind what is selected.
    pub fn places_here(&self) -> Vec<Place> {
        let metric = |name: &str| {
            self.catalog
                .registry
                .metric(name)
                .map(|metric| metric.place)
        };
        match self.focus {
            Focus::Catalog | Focus::Details => self
                .details
                .metric
                .as_deref()
                .and_then(metric)
                .into_iter()
                .collect(),
            Focus::Query | Focus::Result => self
                .query
                .metrics
                .iter()
                .filter_map(|name| metric(name))
                .collect(),
            Focus::Preview if self.preview.is_snippet() => self
                .snippet()
                .map(|snippet| snippet.place)
                .into_iter()
                .collect(),
            Focus::Preview => {
                let compiled = self.preview.current();
                compiled
                    .and_then(|compiled| {
                        compiled
                            .main
                            .lines
                            .get(self.preview.sql.selected_line())
                            .cloned()
                    })
                    .unwrap_or_default()
            }
        }
    }
}
