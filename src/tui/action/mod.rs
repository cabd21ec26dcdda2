//! The one table of actions: key map, footer, help, command palette and man page are all read from it.

mod conditions;
mod context;
mod table;

pub(super) use conditions::no_result;
pub use context::{Context, contexts};

use std::borrow::Cow;
use std::fmt::Write as _;

use super::input::{EDITING, EDITING_TITLE};
use super::keymap::{Found, Keymap, joined};
use super::keys::Chord;
use super::state::{Focus, State};
use super::widgets::grid::Switch;
use crate::session::chart::ChartForm;
use conditions::always;

/// Why an action cannot be used right now, in words for people.
pub type Reason = Cow<'static, str>;

/// Something the explorer can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table gives every action its title")]
pub enum Action {
    Run,
    Refresh,
    Interrupt,
    Back,
    Help,
    Palette,
    Menu,
    EditLine,
    Ask,
    ForgetChosen,
    Choices,
    Verdict,
    FindMetric,
    NextPane,
    PreviousPane,
    Pane(Focus),
    Group,
    Filter,
    Time,
    Dates,
    Compare,
    Order,
    ClearQuery,
    UndoQuery,
    RedoQuery,
    NewTab,
    DuplicateTab,
    CloseTab,
    ReopenTab,
    NextTab,
    PreviousTab,
    SideBySide,
    ShareFilters,
    SaveQuery,
    RunKept,
    OpenKept,
    CopyKept,
    DeleteKept,
    SaveName,
    OtherField,
    PreviousPeriod,
    YearAgo,
    NoComparison,
    SortByChange,
    Finer,
    Coarser,
    Earlier,
    Later,
    Copy,
    Mark,
    MarkColumn,
    WriteFile,
    SaveFile,
    AllRows,
    StopWriting,
    Definition,
    Lineage,
    UsageGraph,
    GoThere,
    Editor,
    Connection,
    History,
    Views,
    Analyses,
    Problems,
    Theme,
    GrowPane,
    ShrinkPane,
    EvenPanes,
    Mouse,
    Suspend,
    Redraw,
    Quit,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Left,
    Right,
    FirstColumn,
    LastColumn,
    Explore,
    Define,
    DefinePreview,
    DefinePage,
    DefineDraft,
    DefinePublish,
    DefineToggle,
    DefineChange,
    DefineEnter,
    DefineNew,
    DefineModel,
    Author,
    Review,
    ReviewApprove,
    ReviewReject,
    ReviewPublish,
    ReviewCertify,
    ReviewDeprecate,
    ReviewNumbers,
    ReviewAll,
    ReviewChange,
    ReviewWrite,
    AuthorSave,
    AuthorNumbers,
    AuthorBy,
    AuthorShows,
    AuthorEditor,
    AuthorType,
    AuthorIndent,
    CompleteSearch,
    AddMetric,
    Fold,
    Unfold,
    EditPart,
    RemovePart,
    ApplyLine,
    BreakLine,
    StartAnew,
    CompleteLine,
    SearchHistory,
    ViewCell,
    CellMenu,
    StepBack,
    RowsBehind,
    ExplainNumber,
    Why,
    WhyRun,
    PinNumber,
    NextPart,
    Spread,
    Policy,
    CopyBehind,
    Sort,
    FindInResult,
    NextMatch,
    PreviousMatch,
    Wider,
    Narrower,
    Freeze,
    FilterRows,
    HideColumn,
    ShowColumns,
    ColumnLeft,
    ColumnRight,
    FitColumn,
    FitColumns,
    Look(Switch),
    Trends,
    Pivot,
    Subtotals,
    RowForm,
    FoldAll,
    UnfoldAll,
    Chart,
    ChartKind,
    SaveChart(ChartForm),
    Choose,
    Candidate(usize),
    Toggle,
    OpenValues,
    Include,
    Exclude,
    Confirm,
    Close,
}

/// A menu of the bar, and a heading of the palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Menu {
    /// What is asked.
    Query,
    /// Of which time, and compared with which.
    Time,
    /// The rows.
    Result,
    /// The columns of the rows, and how they look.
    Columns,
    /// What the screen shows.
    View,
    /// Definitions and connections.
    Project,
    /// The explorer itself.
    Explorer,
}

impl Menu {
    /// All menus, from the left.
    pub const ALL: [Self; 7] = [
        Self::Query,
        Self::Time,
        Self::Result,
        Self::Columns,
        Self::View,
        Self::Project,
        Self::Explorer,
    ];

    /// The word for it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Query => "Query",
            Self::Time => "Time",
            Self::Result => "Result",
            Self::Columns => "Columns",
            Self::View => "View",
            Self::Project => "Project",
            Self::Explorer => "Explorer",
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Entry {
    /// What it does.
    pub action: Action,
    /// Stable name.
    pub id: &'static str,
    /// Keys, the first one is shown; `z h` are two after each other; none for what is only in the palette.
    pub keys: &'static [&'static str],
    /// Where the keys apply.
    pub context: Context,
    /// What it does, for people.
    pub title: &'static str,
    /// The word in the footer; none keeps it out.
    pub footer: Option<&'static str>,
    /// Whether it can be used now.
    pub enabled: fn(&State) -> Result<(), Reason>,
    /// The menu it stands in.
    pub menu: Menu,
}

const fn entry(
    action: Action,
    id: &'static str,
    keys: &'static [&'static str],
    context: Context,
    title: &'static str,
    footer: Option<&'static str>,
) -> Entry {
    Entry {
        action,
        id,
        keys,
        context,
        title,
        footer,
        enabled: always,
        menu: match context {
            Context::Result => Menu::Result,
            Context::Everywhere => Menu::Explorer,
            _ => Menu::Query,
        },
    }
}

impl Entry {
    const fn when(mut self, enabled: fn(&State) -> Result<(), Reason>) -> Self {
        self.enabled = enabled;
        self
    }

    const fn menu(mut self, menu: Menu) -> Self {
        self.menu = menu;
        self
    }
}

/// Every action with its keys.
pub fn actions() -> &'static [Entry] {
    table::ACTIONS
}

/// The table as Markdown, for the docs.
pub fn actions_markdown() -> String {
    let mut text = String::from("| Where | Keys | What it does | Name |\n|---|---|---|---|\n");
    for (entry, keys) in Keymap::default().rows() {
        if !keys.is_empty() {
            let keys = joined(keys, "` `").replace('|', "\\|");
            let (context, title, id) = (entry.context.title(), entry.title, entry.id);
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {context} | `{keys}` | {title} | `{id}` |");
        }
    }
    for (key, words) in EDITING {
        let _ = writeln!(text, "| {EDITING_TITLE} | `{key}` | {words} | |");
    }
    text
}

/// The entry a key stands for in the present state.
pub fn lookup(state: &State, chord: Chord) -> Option<&'static Entry> {
    let keymap = state.keymap();
    match keymap.find(contexts(state), state.first_key, chord) {
        Found::Entry(entry) => Some(entry),
        Found::First | Found::Nothing => None,
    }
}
