//! What reaches the state (messages) and what it asks for (effects).

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::layout::Size;
use tokio_util::sync::CancellationToken;

use super::beside::{Beside, BesideJob};
use super::charting::{ChartForm, ChartJob};
use super::files::FileJob;
use super::hit::Target;
use super::look::{Look, LookNews};
use super::question::Written;
use super::widgets::chart::Glyphs;
use super::widgets::grid::{
    Copied, Copy, CopyFormat, FilterJob, Filtered, Find, Found, GroupJob, Grouped, PivotJob,
    Pivoted, SortJob, SortedOrder, Table,
};
use crate::compile::{CompileError, Compiled, DimensionChoice};
use crate::model::{GroupBy, MetricQuery, Place};
use crate::registry::Diagnostic;
use crate::session::chart::Chart;
use crate::session::files::FileWritten;
use crate::session::{
    AskOptions, Asked, Catalog, Change, ChangeRequest, Completion, ConnectionInfo, DefinitionFile,
    Draft, Expense, Hit, Meaning, MetricCard, Misfit, NotSaved, RememberedChoice, RunEvent,
    RunSummary, SavedQuery, SearchHint, SessionError, Stage, Understanding, ValueList, Workspace,
};

/// Something that happened.
pub enum Message {
    /// Time since the explorer started; goes ahead of each batch of messages.
    Clock(Duration),
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// A click on something the last frame showed.
    Click(Target),
    /// The mouse was moved with the button held: to this column and row.
    Drag(u16, u16),
    /// The button was let go.
    Release,
    /// The wheel turned over something, by so many notches; down is positive.
    Wheel(Target, i32),
    /// The terminal has this size now.
    Resize(Size),
    /// The answer to a lookup.
    Answer {
        /// The generation the lookup was started for.
        generation: u64,
        /// The answer.
        answer: Answer,
    },
    /// News of a run.
    Run {
        /// The generation the run was started for.
        generation: u64,
        /// The news.
        news: RunNews,
    },
    /// What was asked beside the rows.
    Beside {
        /// The generation it was asked for.
        generation: u64,
        /// What there is, or why there is nothing.
        outcome: Result<Box<Beside>, String>,
    },
    /// News of a question.
    Ask {
        /// The generation it was asked for.
        generation: u64,
        /// The news.
        news: AskNews,
    },
    /// News of a file that is written.
    File {
        /// The generation it was started for.
        generation: u64,
        /// The news.
        news: FileNews,
    },
    /// What a draft does to the numbers.
    Measured {
        /// The generation it was asked for.
        generation: u64,
        /// The numbers, or why there are none.
        outcome: Result<Box<Change>, SessionError>,
    },
    /// News of a look behind a number.
    Look {
        /// The generation it was started for.
        generation: u64,
        /// The news.
        news: LookNews,
    },
    /// The demo is being made.
    Preparing(String),
    /// The warehouse is ready, or not.
    Prepared(Result<(), String>),
    /// A project file changed on disk.
    FilesChanged,
    /// The registry was read again.
    Reloaded {
        /// The last good version of everything.
        catalog: Arc<Catalog>,
        /// Every problem.
        problems: Vec<Diagnostic>,
    },
    /// A query was saved in the project, or not.
    ViewSaved {
        /// Its name.
        name: String,
        /// The file it is in, or why it is not saved.
        outcome: Result<String, SessionError>,
    },
    /// The connection was switched, or not.
    Connected {
        /// The connection in use now.
        connection: String,
        /// Why it is not the one asked for.
        error: Option<String>,
    },
    /// The terminal has told its background.
    Background {
        /// Whether it is light.
        is_light: bool,
    },
    /// A run was not started: it looks expensive.
    Expensive {
        /// The generation it was asked for.
        generation: u64,
        /// How expensive.
        expense: Expense,
        /// Whether it was to go past the cache.
        fresh: bool,
    },
    /// No program of the desktop took a copy; the terminal is asked next.
    NotCopied {
        /// The text.
        text: String,
        /// Why.
        reason: String,
    },
    /// Something to say in the status line.
    Notice(Notice),
}

/// A line in the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Good to know.
    Info(String),
    /// Something did not work.
    Error(String),
}

/// News of a run.
#[derive(Debug)]
pub enum RunNews {
    /// An event of the session.
    Event(RunEvent),
    /// The end.
    Ended(Result<RunSummary, SessionError>),
}

/// News of a question in plain words.
#[derive(Debug)]
pub enum AskNews {
    /// What is being done now.
    Stage(Stage),
    /// How it came out.
    Ended(Box<Asked>),
}

/// News of a file that is written.
#[derive(Debug)]
pub enum FileNews {
    /// So many rows are written.
    Rows(u64),
    /// The end.
    Ended(Result<FileWritten, SessionError>),
}

/// A question that the session answers at once, off the drawing thread. Only the latest of each kind counts.
#[derive(Debug)]
pub enum Lookup {
    /// Metrics for search words.
    Search(String),
    /// Metrics that cannot be grouped or filtered like this.
    Misfits(Vec<GroupBy>),
    /// Everything about a metric.
    Describe(String),
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

/// Kinds of lookups; an answer counts only if no later lookup of its kind was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named like the lookups")]
pub enum Slot {
    Search,
    Misfits,
    Definition,
    Draft,
    Save,
    Understand,
    Compile,
    Complete,
    Dimensions,
    Values,
    Describe,
    History,
    Choices,
    Workspace,
    Excerpts,
    Sort,
    Find,
    Filter,
    Group,
    Pivot,
    Write,
    Chart,
    SaveChart,
}

impl Slot {
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

    /// Whether it is work on rows that may be many, which no other answer shall wait for.
    pub fn is_of_rows(self) -> bool {
        Self::OF_ROWS.contains(&self)
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
            Self::Definition(_) => Slot::Definition,
            Self::Draft { .. } => Slot::Draft,
            Self::Save { .. } => Slot::Save,
            Self::Describe(_) => Slot::Describe,
            Self::Compile(_) => Slot::Compile,
            Self::Complete(..) | Self::CompleteWord(..) => Slot::Complete,
            Self::Understand { .. } => Slot::Understand,
            Self::Dimensions(_) => Slot::Dimensions,
            Self::Values { .. } => Slot::Values,
            Self::History => Slot::History,
            Self::Choices => Slot::Choices,
            Self::Workspace => Slot::Workspace,
            Self::Excerpts(_) => Slot::Excerpts,
            Self::Sort(_) => Slot::Sort,
            Self::Find(_) => Slot::Find,
            Self::Filter(_) => Slot::Filter,
            Self::Group(_) => Slot::Group,
            Self::Pivot(_) => Slot::Pivot,
            Self::Write { .. } => Slot::Write,
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
    Definition(Result<DefinitionFile, String>),
    Draft(Box<Draft>),
    Save(Result<(), NotSaved>),
    Describe(Result<Box<MetricCard>, String>),
    Compile(Result<Arc<Compiled>, CompileError>),
    Complete(Vec<Completion>),
    Understand(Box<Understanding>),
    Dimensions(Vec<DimensionChoice>),
    Values(ValueList),
    History(Vec<Earlier>),
    Choices(Vec<RememberedChoice>),
    Workspace(Option<Workspace>),
    Excerpts(Vec<Excerpt>),
    Sort(Result<SortedOrder, String>),
    Find(Found),
    Filter(Result<Filtered, String>),
    Group(Grouped),
    Pivot(Result<Box<Pivoted>, String>),
    Write(Copied),
    Chart(Result<Arc<Chart>, String>),
    SaveChart(Result<String, String>),
}

impl Answer {
    /// The kind of lookup it answers.
    pub fn slot(&self) -> Slot {
        match self {
            Self::Search(..) => Slot::Search,
            Self::Misfits(_) => Slot::Misfits,
            Self::Definition(_) => Slot::Definition,
            Self::Draft(_) => Slot::Draft,
            Self::Save(_) => Slot::Save,
            Self::Describe(_) => Slot::Describe,
            Self::Compile(_) => Slot::Compile,
            Self::Complete(_) => Slot::Complete,
            Self::Understand(_) => Slot::Understand,
            Self::Dimensions(_) => Slot::Dimensions,
            Self::Values(_) => Slot::Values,
            Self::History(_) => Slot::History,
            Self::Choices(_) => Slot::Choices,
            Self::Workspace(_) => Slot::Workspace,
            Self::Excerpts(_) => Slot::Excerpts,
            Self::Sort(_) => Slot::Sort,
            Self::Find(_) => Slot::Find,
            Self::Filter(_) => Slot::Filter,
            Self::Group(_) => Slot::Group,
            Self::Pivot(_) => Slot::Pivot,
            Self::Write(_) => Slot::Write,
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

/// Something to be done outside the state.
#[derive(Debug)]
pub enum Effect {
    /// Ask the session.
    Lookup {
        /// Returned with the answer.
        generation: u64,
        /// The question.
        lookup: Lookup,
    },
    /// Run a query.
    Run {
        /// Returned with the news.
        generation: u64,
        /// The query.
        query: MetricQuery,
        /// SQL that is not compiled from the query.
        written: Option<Written>,
        /// Past the cache.
        fresh: bool,
        /// However expensive it looks.
        anyway: bool,
    },
    /// Ask for something that belongs to the rows.
    Beside {
        /// Returned with the outcome.
        generation: u64,
        /// What.
        job: BesideJob,
    },
    /// Cancel the run, or what is asked beside one, of this generation.
    Cancel(u64),
    /// Write a file.
    WriteFile {
        /// Returned with the news.
        generation: u64,
        /// The work.
        job: Box<FileJob>,
    },
    /// Write it no more.
    StopWriting,
    /// Compute what a draft does to the numbers.
    Measure {
        /// Returned with the numbers.
        generation: u64,
        /// The draft.
        request: ChangeRequest,
    },
    /// Compute it no more.
    StopMeasuring,
    /// Answer a question in plain words.
    Ask {
        /// Returned with the news.
        generation: u64,
        /// The question.
        question: String,
        /// How to answer it.
        options: AskOptions,
        /// What was chosen for words of it, to be remembered first.
        chosen: Option<(String, Meaning)>,
    },
    /// Answer it no more.
    StopAsking,
    /// Look behind a number; an earlier look ends.
    Look {
        /// Returned with the news.
        generation: u64,
        /// What to look at.
        look: Look,
    },
    /// Look no more.
    StopLooking,
    /// Forget what was chosen for words.
    Forget(String),
    /// Forget a line or a question of the history.
    ForgetLine(String),
    /// Save a query in the project.
    SaveView {
        /// The query.
        view: SavedQuery,
        /// Also in the place of one of the same name.
        replace: bool,
    },
    /// Delete a saved query of the project.
    DeleteView(String),
    /// Keep what is open for the next start.
    Keep(Workspace),
    /// Read the registry again.
    Reload,
    /// Switch the connection.
    Connect(String),
    /// Copy to the clipboard, the way the project says.
    Copy(String),
    /// Copy to the clipboard of the user's terminal, for the reason that nothing else took it.
    CopyByTerminal(String, String),
    /// Open a file in an editor at a line.
    Edit(PathBuf, u32),
    /// Capture the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Suspend to the shell.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Leave.
    Quit,
}

/// What the explorer knows from the start and never asks for again.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Name of the project.
    pub project: String,
    /// Its folder; `None` for the built-in demo.
    pub root: Option<PathBuf>,
    /// The current folder, where files are written.
    pub folder: PathBuf,
    /// The current day.
    pub today: jiff::civil::Date,
    /// All connections.
    pub connections: Vec<ConnectionInfo>,
    /// How a text gets into the clipboard.
    pub clipboard: crate::registry::Clipboard,
    /// Theme files of the project: name and text.
    pub themes: Vec<(String, String)>,
    /// How many colours the terminal shows.
    pub depth: super::Depth,
    /// The keys in force.
    pub keymap: super::Keymap,
    /// What is wrong in the configurations.
    pub problems: Vec<Diagnostic>,
    /// What charts are drawn with.
    pub glyphs: Glyphs,
}
