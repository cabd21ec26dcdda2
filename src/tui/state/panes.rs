//! What the panes show: catalog, details, query line, SQL and rows.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;

use crate::compile::{CompileError, Compiled, ErrorCode};
use crate::model::{GroupBy, MetricQuery, QueryLineError};
use crate::session::{
    Completed, Completion, Hit, MetricCard, Misfit, RunSummary, SearchHint, SessionError,
};
use crate::tui::beside::Wanted;
use crate::tui::charting::Charting;
use crate::tui::input::LineInput;
use crate::tui::message::Misfits;
use crate::tui::question::{Asking, Heard};
use crate::tui::widgets::grid::{Arrangement, Grid};
use crate::tui::widgets::sql_view::SqlView;

/// The catalog: a search box over a tree of categories, or over the ranked hits.
#[derive(Default)]
pub struct Finder {
    /// The search words.
    pub input: LineInput,
    /// Whether keys go into the search box.
    pub typing: bool,
    /// A metric that the cursor goes to as soon as it is there.
    pub wanted: Option<String>,
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

/// The rows of the last run.
#[derive(Debug, Clone, Default)]
pub struct Results {
    /// The run that may send news.
    pub generation: u64,
    /// The query as it was run.
    pub query: MetricQuery,
    /// The connection it was run on.
    pub connection: String,
    /// Whether it was run past the cache.
    pub fresh: bool,
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
    /// What was asked beside the rows, with its generation.
    pub beside: Option<(u64, Wanted)>,
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

impl Phase {
    /// Whether it has not ended yet.
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running(_) | Self::Cancelling(_))
    }
}

impl Results {
    /// The same rows for another place, without what is still waited for here.
    pub fn apart(&self) -> Self {
        let mut apart = self.clone();
        apart.beside = None;
        if apart.chart.drawn.is_none() {
            apart.chart = apart.chart.again();
        }
        let kept = apart.grid.as_ref().and_then(|grid| grid.table().kept());
        let kept = kept.map_or_else(String::new, |kept| kept.text.clone());
        apart.filter.set(&kept);
        apart.filtering = false;
        apart.finding = false;
        apart
    }

    /// Whether a query is running.
    pub fn is_running(&self) -> bool {
        self.phase.is_running()
    }
}
