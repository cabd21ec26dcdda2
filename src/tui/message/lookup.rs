//! Questions that the session answers at once, and their answers.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::compile::{CompileError, Compiled, DimensionChoice};
use crate::govern::lineage::NodeKind;
use crate::model::{GroupBy, MetricQuery, Place};
use crate::session::chart::{Chart, ChartForm};
use crate::session::{
    Completion, DefinitionFile, Draft, Hit, MetricCard, Misfit, NotSaved, Outline, PolicyReport,
    RememberedChoice, Review, Reviewed, SearchHint, Understanding, ValueList, Workspace,
};
use crate::tui::charting::ChartJob;
use crate::tui::offers::QueryCopy;
use crate::tui::widgets::grid::{
    Copied, Copy, CopyFormat, FilterJob, Filtered, Find, Found, GroupJob, Grouped, PivotJob,
    Pivoted, SortJob, SortedOrder, Table,
};
use crate::usage::graph::Thing;

/// A question that the session answers at once, off the drawing thread. Only the latest of each kind counts.
#[derive(Debug)]
pub enum Lookup {
    /// Metrics for search words.
    Search(String),
    /// Metrics that cannot be grouped or filtered like this.
    Misfits(Vec<GroupBy>),
    /// What waits for a judgement, and the rest of the metrics.
    Reviews,
    /// What there is to know before judging a metric.
    Review(String),
    /// Everything about a metric.
    Describe(String),
    /// What a thing is made from, and what is made from it.
    Lineage(NodeKind, String),
    /// What a thing is used with, by whom and how often.
    Graph(Thing),
    /// The file a metric is defined in.
    Definition(String),
    /// What a file would mean with another text.
    Draft {
        /// The metric it is about.
        metric: String,
        /// The file.
        path: String,
        /// The text.
        text: String,
    },
    /// Write a file of definitions.
    Save {
        /// The file.
        path: String,
        /// What it must still be; `None` writes over whatever it is.
        known: Option<String>,
        /// The text.
        text: String,
    },
    /// SQL for a query.
    Compile(MetricQuery),
    /// What may stand at the cursor of a line.
    Complete(String, usize),
    /// Names that may complete the word at the cursor of a question.
    CompleteWord(String, usize),
    /// What a question means.
    Understand {
        /// The question.
        question: String,
        /// The query it may continue.
        previous: Option<MetricQuery>,
    },
    /// Dimensions of metrics.
    Dimensions(Vec<String>),
    /// All known values of a dimension.
    Values {
        /// Metrics of the query.
        metrics: Vec<String>,
        /// The dimension, as a query writes it.
        dimension: String,
    },
    /// Earlier queries and questions.
    History,
    /// What was chosen for words.
    Choices,
    /// What was open when the explorer ended.
    Workspace,
    /// The text around definitions.
    Excerpts(Vec<Place>),
    /// How the policy does, from the log of use.
    Policy,
    /// The order of the result by a column.
    Sort(SortJob),
    /// The next match in the result.
    Find(Find),
    /// The rows that a filter keeps.
    Filter(FilterJob),
    /// The rows with subtotals between them.
    Group(GroupJob),
    /// The values of a group as columns.
    Pivot(PivotJob),
    /// The result as text.
    Write {
        /// The rows.
        table: Table,
        /// Which of them.
        what: Copy,
        /// How.
        format: CopyFormat,
        /// Most rows.
        cap: usize,
    },
    /// A query as text.
    CopyQuery(Box<QueryCopy>),
    /// The chart of the result.
    Chart(ChartJob),
    /// The chart in a file.
    SaveChart {
        /// The chart.
        chart: Arc<Chart>,
        /// The form.
        form: ChartForm,
        /// Where the file is to stand.
        folder: PathBuf,
    },
}

/// Kinds of lookups; an answer counts only if its tab has started no later lookup of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named like the lookups")]
pub enum Slot {
    Search,
    Misfits,
    Lineage,
    Graph,
    Definition,
    Draft,
    Save,
    Understand,
    Compile,
    Complete,
    Dimensions,
    Values,
    Describe,
    Reviews,
    Review,
    History,
    Choices,
    Workspace,
    Excerpts,
    Policy,
    Sort,
    Find,
    Filter,
    Group,
    Pivot,
    Write,
    CopyQuery,
    Chart,
    SaveChart,
}

impl Slot {
    /// What the tabs have in common.
    pub const OF_ALL_TABS: [Self; 3] = [Self::Search, Self::Misfits, Self::Describe];

    /// Work on the rows of the result.
    pub const OF_ROWS: [Self; 7] = [
        Self::Sort,
        Self::Find,
        Self::Filter,
        Self::Group,
        Self::Pivot,
        Self::Write,
        Self::Chart,
    ];

    /// Whether the tabs have it in common.
    pub fn is_of_all_tabs(self) -> bool {
        Self::OF_ALL_TABS.contains(&self)
    }

    /// Whether it goes through rows, so that no other answer shall wait for it.
    pub fn is_of_rows(self) -> bool {
        Self::OF_ROWS.contains(&self)
    }

    /// Whether it goes through the whole log of use, which takes longer still.
    pub fn is_of_log(self) -> bool {
        self == Self::Policy
    }
}

impl Lookup {
    /// Ends it while it is under way, where it can take long.
    pub fn stop(&self) -> Option<CancellationToken> {
        match self {
            Self::Find(find) => Some(find.stop().clone()),
            Self::Filter(job) => Some(job.stop().clone()),
            _ => None,
        }
    }

    /// Its kind.
    pub fn slot(&self) -> Slot {
        match self {
            Self::Search(_) => Slot::Search,
            Self::Misfits(_) => Slot::Misfits,
            Self::Lineage(..) => Slot::Lineage,
            Self::Graph(_) => Slot::Graph,
            Self::Definition(_) => Slot::Definition,
            Self::Draft { .. } => Slot::Draft,
            Self::Save { .. } => Slot::Save,
            Self::Describe(_) => Slot::Describe,
            Self::Reviews => Slot::Reviews,
            Self::Review(_) => Slot::Review,
            Self::Compile(_) => Slot::Compile,
            Self::Complete(..) | Self::CompleteWord(..) => Slot::Complete,
            Self::Understand { .. } => Slot::Understand,
            Self::Dimensions(_) => Slot::Dimensions,
            Self::Values { .. } => Slot::Values,
            Self::History => Slot::History,
            Self::Choices => Slot::Choices,
            Self::Workspace => Slot::Workspace,
            Self::Excerpts(_) => Slot::Excerpts,
            Self::Policy => Slot::Policy,
            Self::Sort(_) => Slot::Sort,
            Self::Find(_) => Slot::Find,
            Self::Filter(_) => Slot::Filter,
            Self::Group(_) => Slot::Group,
            Self::Pivot(_) => Slot::Pivot,
            Self::Write { .. } => Slot::Write,
            Self::CopyQuery(_) => Slot::CopyQuery,
            Self::Chart(_) => Slot::Chart,
            Self::SaveChart { .. } => Slot::SaveChart,
        }
    }
}

/// Metrics that do not fit the query, by name.
pub type Misfits = HashMap<String, Arc<Misfit>>;

/// Answers, one for each kind of lookup.
#[expect(missing_docs, reason = "named like the lookups")]
pub enum Answer {
    Search(Arc<Vec<Hit>>, SearchHint),
    Misfits(Misfits),
    Lineage(Result<Outline, String>),
    Graph(Result<Outline, String>),
    Definition(Result<DefinitionFile, String>),
    Draft(Box<Draft>),
    Save(Result<(), NotSaved>),
    Describe(Result<Box<MetricCard>, String>),
    Reviews(Vec<Reviewed>, Vec<String>),
    Review(Result<Box<Review>, String>),
    Compile(Result<Arc<Compiled>, CompileError>),
    Complete(Vec<Completion>),
    Understand(Box<Understanding>),
    Dimensions(Vec<DimensionChoice>),
    Values(ValueList),
    History(Vec<Earlier>),
    Choices(Vec<RememberedChoice>),
    Workspace(Option<Workspace>),
    Excerpts(Vec<Excerpt>),
    Policy(Result<Box<PolicyReport>, String>),
    Sort(Result<SortedOrder, String>),
    Find(Found),
    Filter(Result<Filtered, String>),
    Group(Grouped),
    Pivot(Result<Box<Pivoted>, String>),
    Write(Copied),
    CopyQuery(Result<String, String>),
    Chart(Result<Arc<Chart>, String>),
    SaveChart(Result<String, String>),
}

impl Answer {
    /// The kind of lookup it answers.
    pub fn slot(&self) -> Slot {
        match self {
            Self::Search(..) => Slot::Search,
            Self::Misfits(_) => Slot::Misfits,
            Self::Lineage(_) => Slot::Lineage,
            Self::Graph(_) => Slot::Graph,
            Self::Definition(_) => Slot::Definition,
            Self::Draft(_) => Slot::Draft,
            Self::Save(_) => Slot::Save,
            Self::Describe(_) => Slot::Describe,
            Self::Reviews(..) => Slot::Reviews,
            Self::Review(_) => Slot::Review,
            Self::Compile(_) => Slot::Compile,
            Self::Complete(_) => Slot::Complete,
            Self::Understand(_) => Slot::Understand,
            Self::Dimensions(_) => Slot::Dimensions,
            Self::Values(_) => Slot::Values,
            Self::History(_) => Slot::History,
            Self::Choices(_) => Slot::Choices,
            Self::Workspace(_) => Slot::Workspace,
            Self::Excerpts(_) => Slot::Excerpts,
            Self::Policy(_) => Slot::Policy,
            Self::Sort(_) => Slot::Sort,
            Self::Find(_) => Slot::Find,
            Self::Filter(_) => Slot::Filter,
            Self::Group(_) => Slot::Group,
            Self::Pivot(_) => Slot::Pivot,
            Self::Write(_) => Slot::Write,
            Self::CopyQuery(_) => Slot::CopyQuery,
            Self::Chart(_) => Slot::Chart,
            Self::SaveChart(_) => Slot::SaveChart,
        }
    }
}

/// An earlier query line, or a question in plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Its text.
    pub text: String,
    /// When it was last asked.
    pub at: Timestamp,
    /// Whether it is a question.
    pub is_question: bool,
    /// How its last run ended.
    pub outcome: String,
}

/// The text of a file around a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// `file:line`
    pub at: String,
    /// Line number of the first line shown.
    pub first: u32,
    /// The lines.
    pub lines: Vec<String>,
    /// The line meant.
    pub line: u32,
}
