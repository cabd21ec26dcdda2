//! The one table of actions: key map, footer, help, command palette and man page are all read from it.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::charting::{self, ChartForm};
use super::drill;
use super::files;
use super::keymap::{Found, Keymap, joined};
use super::keys::Chord;
use super::popup::Popup;
use super::state::{Focus, Phase, State};
use super::tabs;
use super::update::times;
use super::widgets::grid::Switch;
use crate::model::Comparison;

/// Why an action cannot be used right now, in words for people.
pub type Reason = Cow<'static, str>;

/// Something the explorer can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table below gives every action its title")]
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
    Editor,
    Connection,
    History,
    Views,
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
    Explore,
    Author,
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
    NextPart,
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

/// Where keys mean something. Contexts are stacked: the innermost one that knows the key decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// The search box of the catalog.
    Search,
    /// The tree of the catalog.
    Catalog,
    /// The parts of the query.
    Query,
    /// The query line while it is typed.
    Prompt,
    /// The SQL preview.
    Preview,
    /// The result grid.
    Result,
    /// The search box of the result.
    Find,
    /// The box of the filter of rows.
    RowFilter,
    /// A value of JSON as a tree.
    Tree,
    /// The values of a dimension.
    Values,
    /// The list of dimensions.
    Dimensions,
    /// The meanings of words.
    Meanings,
    /// Earlier and saved queries.
    Kept,
    /// What a query is to be called.
    Naming,
    /// Any other list to choose from.
    Picker,
    /// A window of text.
    Reader,
    /// The rows behind a number.
    Behind,
    /// A question to answer.
    Question,
    /// The dialog for a file.
    File,
    /// A file that is being written.
    Saving,
    /// The menu bar.
    Menu,
    /// A calendar.
    Dates,
    /// The text in author mode.
    AuthorText,
    /// Author mode while no text is typed.
    AuthorKeys,
    /// Author mode.
    Author,
    /// Sideways moves, where no text is typed.
    Sideways,
    /// Up and down.
    Lists,
    /// Every pane while no text is typed.
    Panes,
    /// Everywhere.
    Everywhere,
}

impl Context {
    /// Whether the actions of a context make sense in the palette, where nothing is selected.
    pub fn in_palette(self) -> bool {
        matches!(self, Self::Panes | Self::Everywhere | Self::Result)
    }

    /// Whether text is typed where it applies, so that a letter by itself can be no key.
    pub fn takes_text(self) -> bool {
        matches!(
            self,
            Self::Search
                | Self::Prompt
                | Self::Find
                | Self::RowFilter
                | Self::Values
                | Self::Dimensions
                | Self::Meanings
                | Self::Kept
                | Self::Naming
                | Self::Picker
                | Self::File
                | Self::Dates
                | Self::AuthorText
                | Self::Author
                | Self::Lists
                | Self::Everywhere
        )
    }

    /// The word for it in the help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Search => "Catalog search",
            Self::Catalog => "Catalog",
            Self::Query => "Query",
            Self::Prompt => "Query line or question",
            Self::Preview => "SQL",
            Self::Result => "Result",
            Self::Find => "Search in the result",
            Self::RowFilter => "Filter of the rows",
            Self::Tree => "JSON",
            Self::Values => "Values of a dimension",
            Self::Dimensions => "Dimensions",
            Self::Meanings => "Meanings of words",
            Self::Kept => "Earlier and saved queries",
            Self::Naming => "Saving a query",
            Self::Picker => "Lists",
            Self::Reader => "Text",
            Self::Behind => "Rows behind a number",
            Self::Question => "Question",
            Self::File => "File to write",
            Self::Saving => "File being written",
            Self::Menu => "Menu",
            Self::Dates => "Calendar",
            Self::AuthorText => "Author mode, in the text",
            Self::AuthorKeys => "Author mode, out of the text",
            Self::Author => "Author mode",
            Self::Sideways | Self::Lists => "Moving",
            Self::Panes => "Any pane",
            Self::Everywhere => "Everywhere",
        }
    }
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

fn always(_: &State) -> Result<(), Reason> {
    Ok(())
}

fn has_metric(state: &State) -> Result<(), Reason> {
    if state.query.metrics.is_empty() {
        Err("choose a metric first".into())
    } else {
        Ok(())
    }
}

fn has_query(state: &State) -> Result<(), Reason> {
    if state.query.is_empty() {
        Err("choose a metric or a grouping first".into())
    } else {
        Ok(())
    }
}

fn can_run(state: &State) -> Result<(), Reason> {
    if state.finder.metric().is_none() {
        has_query(state)?;
    }
    match state.preview.refusal(&state.query) {
        Some(error) => Err(format!("not run: {}", error.message).into()),
        None => Ok(()),
    }
}

fn has_result(state: &State) -> Result<(), Reason> {
    if state.result.grid.is_some() {
        Ok(())
    } else {
        Err(no_result(state))
    }
}

/// Why nothing can be done with the result.
pub(super) fn no_result(state: &State) -> Reason {
    let key = state.key(Action::Run);
    format!("there is no result yet; {key} runs the query").into()
}

fn has_row(state: &State) -> Result<(), Reason> {
    match drill::row_here(state) {
        Some(_) => Ok(()),
        None => Err(drill::no_row(state)),
    }
}

fn has_trail(state: &State) -> Result<(), Reason> {
    if state.trail.is_empty() {
        Err("nothing was drilled into; Enter on a cell does".into())
    } else {
        Ok(())
    }
}

fn has_number(state: &State) -> Result<(), Reason> {
    drill::number_here(state).map(drop)
}

fn has_parts(state: &State) -> Result<(), Reason> {
    match state.popups.last() {
        Some(Popup::Behind(behind)) if behind.parts.len() > 1 => Ok(()),
        _ => Err("the number is one aggregation".into()),
    }
}

fn has_rows(state: &State) -> Result<(), Reason> {
    has_result(state)?;
    let rows = state.result.grid.as_ref().map(|grid| grid.table().rows());
    if rows.is_some_and(|rows| rows > 0) {
        Ok(())
    } else {
        Err("there are no rows".into())
    }
}

fn has_hidden(state: &State) -> Result<(), Reason> {
    has_result(state)?;
    let hidden = state.result.grid.as_ref().map(|grid| grid.hidden());
    if hidden.is_some_and(|hidden| hidden > 0) {
        Ok(())
    } else {
        Err("no column is hidden".into())
    }
}

fn has_definition(state: &State) -> Result<(), Reason> {
    if state.places_here().is_empty() {
        Err("nothing here has a definition".into())
    } else {
        Ok(())
    }
}

fn has_metric_here(state: &State) -> Result<(), Reason> {
    if state.metric_here().is_some() {
        Ok(())
    } else {
        Err("no metric is selected".into())
    }
}

fn has_file(state: &State) -> Result<(), Reason> {
    if state.editable().is_none() {
        Err("nothing here stands in a file".into())
    } else {
        Ok(())
    }
}

fn has_problems(state: &State) -> Result<(), Reason> {
    if state.problems.is_empty() {
        Err("the registry has no problems".into())
    } else {
        Ok(())
    }
}

fn has_views(state: &State) -> Result<(), Reason> {
    if state.catalog.registry.views.is_empty() {
        Err("the project has no saved queries (views:)".into())
    } else {
        Ok(())
    }
}

fn can_save(state: &State) -> Result<(), Reason> {
    has_query(state)?;
    if state.setting.root.is_some() {
        Ok(())
    } else {
        Err("the demo is built into metrex; `metrex init` makes a project of your own".into())
    }
}

fn has_past(state: &State) -> Result<(), Reason> {
    if state.past.is_empty() {
        Err("no earlier query".into())
    } else {
        Ok(())
    }
}

fn has_future(state: &State) -> Result<(), Reason> {
    if state.future.is_empty() {
        Err("nothing was undone".into())
    } else {
        Ok(())
    }
}

fn has_tabs(state: &State) -> Result<(), Reason> {
    if state.tabs.len() > 1 {
        Ok(())
    } else {
        Err("this is the only tab; w n opens another one".into())
    }
}

fn has_room_for_tab(state: &State) -> Result<(), Reason> {
    if state.tabs.len() < tabs::MOST {
        Ok(())
    } else {
        Err(format!("there are {} tabs already; w x closes one", tabs::MOST).into())
    }
}

fn has_closed_tab(state: &State) -> Result<(), Reason> {
    if state.tabs.has_closed() {
        has_room_for_tab(state)
    } else {
        Err("no tab was closed".into())
    }
}

fn can_pair(state: &State) -> Result<(), Reason> {
    if state.tabs.len() > 1 {
        Ok(())
    } else {
        has_query(state)
    }
}

fn has_pair(state: &State) -> Result<(), Reason> {
    if state.tabs.beside().is_some() {
        Ok(())
    } else {
        Err("there are not two tabs side by side; w s shows them so".into())
    }
}

fn has_chosen(state: &State) -> Result<(), Reason> {
    if state.chosen.is_some() {
        Ok(())
    } else {
        Err("no meaning was chosen".into())
    }
}

fn has_part(state: &State) -> Result<(), Reason> {
    if state.part().is_some_and(|part| part.is_set) {
        Ok(())
    } else {
        Err("nothing to remove here".into())
    }
}

fn has_find(state: &State) -> Result<(), Reason> {
    if state.result.find.is_empty() {
        let key = state.key(Action::FindInResult);
        Err(format!("{key} searches in the result").into())
    } else {
        has_result(state)
    }
}

fn can_write(state: &State) -> Result<(), Reason> {
    match &state.saving {
        Some(_) => Ok(()),
        None => files::rows_here(state).map(drop),
    }
}

fn is_saving(state: &State) -> Result<(), Reason> {
    match &state.saving {
        Some(_) => Ok(()),
        None => Err("no file is being written".into()),
    }
}

fn is_cut(state: &State) -> Result<(), Reason> {
    match &state.result.phase {
        Phase::Done(run) if run.truncated => Ok(()),
        _ => Err("all rows are here".into()),
    }
}

use Action as A;
use Context as C;
use Menu as M;

/// Every action with its keys, in the order of the help.
#[rustfmt::skip]
static ACTIONS: &[Entry] = &[
    entry(A::Run, "run", &["F5", "Ctrl+R"], C::Everywhere, "Run the query", Some("run")).when(can_run).menu(M::Query),
    entry(A::Refresh, "refresh", &["F6"], C::Everywhere, "Run again on the warehouse, past the cache", None).when(can_run).menu(M::Query),
    entry(A::Back, "back", &["Esc"], C::Everywhere, "Close, cancel, or step back; never quits", None),
    entry(A::Interrupt, "interrupt", &["Ctrl+C"], C::Everywhere, "Cancel the running query; twice: quit", None).menu(M::Query),
    entry(A::Help, "help", &["F1"], C::Everywhere, "Help on all keys", Some("help")),
    entry(A::EditLine, "line", &["F2"], C::Everywhere, "Edit the query line", Some("line")).menu(M::Query),
    entry(A::Ask, "ask", &["F4"], C::Everywhere, "Ask in plain words", Some("ask")).menu(M::Query),
    entry(A::FindMetric, "find", &["F3"], C::Everywhere, "Find a metric", None).menu(M::Query),
    entry(A::Palette, "palette", &["Ctrl+P"], C::Everywhere, "All commands", Some("commands")),
    entry(A::Menu, "menu", &["F10"], C::Everywhere, "Menu", Some("menu")),
    entry(A::NextPane, "pane.next", &["Tab"], C::Everywhere, "Next pane", None).menu(M::View),
    entry(A::PreviousPane, "pane.previous", &["Shift+Tab"], C::Everywhere, "Previous pane", None).menu(M::View),
    entry(A::Mouse, "mouse", &["F8"], C::Everywhere, "Mouse for metrex, or for the terminal", None),
    entry(A::Redraw, "redraw", &["Ctrl+L"], C::Everywhere, "Draw the screen anew", None),
    entry(A::Suspend, "suspend", &["Ctrl+Z"], C::Everywhere, "Suspend to the shell", None),
    entry(A::Group, "group", &["g"], C::Panes, "Group by a dimension or a time grain", Some("group")),
    entry(A::Filter, "filter", &["f"], C::Panes, "Filter by values of a dimension", Some("filter")).when(has_query),
    entry(A::Time, "time", &["t"], C::Panes, "Time range", Some("time")).menu(M::Time),
    entry(A::Dates, "dates", &[], C::Panes, "Time range from a calendar", None).menu(M::Time),
    entry(A::Compare, "compare", &["v"], C::Panes, "Compare with another time (versus)", Some("versus")).when(has_metric).menu(M::Time),
    entry(A::PreviousPeriod, "compare.previous", &["p"], C::Panes, "Compare with the previous period", None).when(|state| times::can_compare(state, Some(Comparison::PreviousPeriod))).menu(M::Time),
    entry(A::YearAgo, "compare.year", &["Y"], C::Panes, "Compare with the year before", None).when(|state| times::can_compare(state, Some(Comparison::PreviousYear))).menu(M::Time),
    entry(A::NoComparison, "compare.none", &["0"], C::Panes, "Compare with nothing", None).when(|state| times::can_compare(state, None)).menu(M::Time),
    entry(A::SortByChange, "sort.change", &["D"], C::Panes, "Sort by change: down, up, not at all", None).when(times::can_sort_by_change).menu(M::Time),
    entry(A::Finer, "grain.finer", &[","], C::Panes, "Finer grain of time", None).when(|state| times::can_regrain(state, true)).menu(M::Time),
    entry(A::Coarser, "grain.coarser", &["."], C::Panes, "Coarser grain of time", None).when(|state| times::can_regrain(state, false)).menu(M::Time),
    entry(A::Earlier, "window.earlier", &["["], C::Panes, "Shift the time window back by its length", None).when(|state| times::can_shift(state, false)).menu(M::Time),
    entry(A::Later, "window.later", &["]"], C::Panes, "Shift the time window forth by its length", None).when(|state| times::can_shift(state, true)).menu(M::Time),
    entry(A::RowsBehind, "rows", &["r"], C::Panes, "The rows behind this number", None).when(has_number).menu(M::Result),
    entry(A::ExplainNumber, "explain", &["E"], C::Panes, "Explain this number", None).when(has_number).menu(M::Result),
    entry(A::Order, "order", &["o"], C::Panes, "Order and limit", None).when(has_query),
    entry(A::UndoQuery, "query.undo", &["u"], C::Panes, "Back to the query before", None).when(has_past),
    entry(A::RedoQuery, "query.redo", &["R"], C::Panes, "Forth to the query that was undone", None).when(has_future),
    entry(A::NewTab, "tab.new", &["w n"], C::Panes, "New tab", None).when(has_room_for_tab).menu(M::View),
    entry(A::DuplicateTab, "tab.duplicate", &["w d"], C::Panes, "This query in a new tab", None).when(has_room_for_tab).menu(M::View),
    entry(A::CloseTab, "tab.close", &["w x"], C::Panes, "Close the tab", None).when(has_tabs).menu(M::View),
    entry(A::ReopenTab, "tab.reopen", &[], C::Panes, "Open the tab again that was closed last", None).when(has_closed_tab).menu(M::View),
    entry(A::NextTab, "tab.next", &["w w"], C::Panes, "Next tab", None).when(has_tabs).menu(M::View),
    entry(A::PreviousTab, "tab.previous", &["w p"], C::Panes, "Previous tab", None).when(has_tabs).menu(M::View),
    entry(A::NextTab, "tab.next.anywhere", &["Ctrl+PageDown"], C::Everywhere, "Next tab", None).when(has_tabs).menu(M::View),
    entry(A::PreviousTab, "tab.previous.anywhere", &["Ctrl+PageUp"], C::Everywhere, "Previous tab", None).when(has_tabs).menu(M::View),
    entry(A::SideBySide, "tab.beside", &["w s"], C::Panes, "Two tabs side by side, or one again", None).when(can_pair).menu(M::View),
    entry(A::ShareFilters, "tab.share", &["w f"], C::Panes, "Same filters on both sides, or each its own", None).when(has_pair).menu(M::View),
    entry(A::ClearQuery, "query.clear", &["X"], C::Panes, "Clear the query", None),
    entry(A::WriteFile, "file", &["W"], C::Panes, "Write the result to a file", None).when(can_write).menu(M::Result),
    entry(A::StopWriting, "file.stop", &[], C::Panes, "Stop writing the file", None).when(is_saving).menu(M::Result),
    entry(A::Definition, "definition", &["d"], C::Panes, "Show the definition behind this", None).when(has_definition).menu(M::Project),
    entry(A::Author, "author", &["A"], C::Panes, "Change the definition", None).when(has_metric_here).menu(M::Project),
    entry(A::Editor, "editor", &["e"], C::Panes, "Open the definition in $VISUAL or $EDITOR", None).when(has_file).menu(M::Project),
    entry(A::Copy, "copy", &["y"], C::Panes, "Copy result, query line or SQL", None).menu(M::Result),
    entry(A::Chart, "chart", &["c"], C::Panes, "Chart beside or instead of the rows, or none", Some("chart")).when(has_result).menu(M::Result),
    entry(A::ChartKind, "chart.kind", &["K"], C::Panes, "Kind of chart, its signs, and saving it", None).when(has_result).menu(M::Result),
    entry(A::SaveChart(ChartForm::Svg), "chart.svg", &[], C::Panes, "Save the chart as SVG", None).when(charting::is_drawn).menu(M::Result),
    entry(A::SaveChart(ChartForm::Png), "chart.png", &[], C::Panes, "Save the chart as PNG", None).when(charting::is_drawn).menu(M::Result),
    entry(A::History, "history", &["H"], C::Panes, "Earlier queries and questions", None),
    entry(A::SaveQuery, "query.save", &["B"], C::Panes, "Save the query in the project (bookmark)", None).when(can_save).menu(M::Project),
    entry(A::ForgetChosen, "chosen.forget", &["U"], C::Panes, "Forget the meaning that was chosen last", None).when(has_chosen).menu(M::Project),
    entry(A::Choices, "choices", &[], C::Panes, "Forget what words were chosen to mean", None).menu(M::Project),
    entry(A::Views, "views", &["V"], C::Panes, "Saved queries of the project", None).when(has_views).menu(M::Project),
    entry(A::Connection, "connection", &["C"], C::Panes, "Switch the connection", None).menu(M::Project),
    entry(A::Problems, "problems", &["P"], C::Panes, "Problems in the registry", None).when(has_problems).menu(M::Project),
    entry(A::Theme, "theme", &["T"], C::Panes, "Switch the theme", None).menu(M::View),
    entry(A::GrowPane, "pane.grow", &["w +"], C::Panes, "Make this pane larger", None).menu(M::View),
    entry(A::ShrinkPane, "pane.shrink", &["w -"], C::Panes, "Make this pane smaller", None).menu(M::View),
    entry(A::EvenPanes, "pane.even", &["w ="], C::Panes, "Give all panes their usual size", None).menu(M::View),
    entry(A::Help, "help.panes", &["?"], C::Panes, "Help on all keys", None),
    entry(A::Palette, "palette.panes", &[":"], C::Panes, "All commands", None),
    entry(A::EditLine, "line.panes", &["i"], C::Panes, "Edit the query line", None),
    entry(A::Ask, "ask.panes", &["a"], C::Panes, "Ask in plain words", None),
    entry(A::FindMetric, "find.panes", &["/"], C::Panes, "Find a metric", Some("search")),
    entry(A::Pane(Focus::Catalog), "pane.catalog", &["1"], C::Panes, "Catalog", None).menu(M::View),
    entry(A::Pane(Focus::Details), "pane.details", &["2"], C::Panes, "Details", None).menu(M::View),
    entry(A::Pane(Focus::Query), "pane.query", &["3"], C::Panes, "Query", None).menu(M::View),
    entry(A::Pane(Focus::Preview), "pane.sql", &["4"], C::Panes, "SQL", None).menu(M::View),
    entry(A::Pane(Focus::Result), "pane.result", &["5"], C::Panes, "Result", None).menu(M::View),
    entry(A::Quit, "quit", &["q"], C::Panes, "Quit", Some("quit")).menu(M::Explorer),
    entry(A::Up, "up", &["Up"], C::Lists, "Up", None),
    entry(A::Down, "down", &["Down"], C::Lists, "Down", None),
    entry(A::PageUp, "page.up", &["PageUp"], C::Lists, "One page up", None),
    entry(A::PageDown, "page.down", &["PageDown"], C::Lists, "One page down", None),
    entry(A::First, "first", &["Home"], C::Sideways, "To the start", None),
    entry(A::Last, "last", &["End"], C::Sideways, "To the end", None),
    entry(A::Left, "left", &["Left", "h"], C::Sideways, "Left", None),
    entry(A::Right, "right", &["Right", "l"], C::Sideways, "Right", None),
    entry(A::Up, "up.letters", &["k"], C::Sideways, "Up", None),
    entry(A::Down, "down.letters", &["j"], C::Sideways, "Down", None),
    entry(A::Explore, "explore", &["Enter"], C::Search, "Explore this metric", Some("explore")),
    entry(A::CompleteSearch, "search.complete", &["Tab"], C::Search, "Complete the word; else the next pane", None),
    entry(A::AddMetric, "metric.add", &["+", "Insert"], C::Search, "Add this metric to the query, or take it out", Some("add")),
    entry(A::Explore, "explore.tree", &["Enter"], C::Catalog, "Explore this metric", Some("explore")),
    entry(A::AddMetric, "metric.add.tree", &["Space", "+"], C::Catalog, "Add this metric to the query, or take it out", Some("add")),
    entry(A::Fold, "fold", &["Left", "h"], C::Catalog, "Fold the category", None),
    entry(A::Unfold, "unfold", &["Right", "l"], C::Catalog, "Unfold the category", None),
    entry(A::EditPart, "part.edit", &["Enter"], C::Query, "Change this part of the query", Some("change")),
    entry(A::RemovePart, "part.remove", &["x", "Delete", "Backspace"], C::Query, "Remove this part of the query", Some("remove")).when(has_part),
    entry(A::ApplyLine, "line.apply", &["Enter", "F5"], C::Prompt, "Run the line, or ask the question", Some("run")),
    entry(A::CompleteLine, "line.complete", &["Tab"], C::Prompt, "Complete the word", Some("complete")),
    entry(A::SearchHistory, "line.history", &["Ctrl+R"], C::Prompt, "Search earlier queries and questions", Some("history")),
    entry(A::StartAnew, "line.anew", &["Ctrl+N"], C::Prompt, "Ask anew, or go on from the query above", None).when(has_metric),
    entry(A::BreakLine, "line.break", &["Alt+Enter", "Ctrl+J"], C::Prompt, "Start a new line of text", None),
    entry(A::Definition, "definition.sql", &["Enter"], C::Preview, "Show the definition behind this line", Some("definition")).when(has_definition),
    entry(A::CellMenu, "cell.menu", &["Enter"], C::Result, "Drill, filter, explain: the cell's menu", Some("cell")).when(has_row),
    entry(A::StepBack, "step.back", &["Backspace"], C::Result, "One step back up, to the rows before", None).when(has_trail),
    entry(A::ViewCell, "cell", &["z v"], C::Result, "See the whole cell", None).when(has_result),
    entry(A::Sort, "sort", &["s"], C::Result, "Sort by this column; again: the other way", Some("sort")).when(has_result),
    entry(A::FindInResult, "result.find", &["/"], C::Result, "Search in the result", Some("search")).when(has_result),
    entry(A::NextMatch, "result.next", &["n"], C::Result, "Next match", None).when(has_find),
    entry(A::PreviousMatch, "result.previous", &["N"], C::Result, "Previous match", None).when(has_find),
    entry(A::Wider, "column.wider", &[">"], C::Result, "Widen the column", None).when(has_result).menu(M::Columns),
    entry(A::Narrower, "column.narrower", &["<"], C::Result, "Narrow the column", None).when(has_result).menu(M::Columns),
    entry(A::Freeze, "column.freeze", &["F"], C::Result, "Freeze the columns up to this one, or none", None).when(has_result).menu(M::Columns),
    entry(A::Mark, "mark", &["m"], C::Result, "Mark cells from here on, or no longer", None).when(has_result),
    entry(A::MarkColumn, "mark.column", &["M"], C::Result, "Mark whole columns from here on", None).when(has_result),
    entry(A::FilterRows, "rows.filter", &["&"], C::Result, "Show only rows with a text, or gmv > 1K", Some("rows")).when(has_result),
    entry(A::HideColumn, "column.hide", &["z h"], C::Result, "Hide the column", None).when(has_result).menu(M::Columns),
    entry(A::ShowColumns, "column.show", &["z a"], C::Result, "Show all columns", None).when(has_hidden).menu(M::Columns),
    entry(A::ColumnLeft, "column.left", &["z <"], C::Result, "Move the column to the left", None).when(has_result).menu(M::Columns),
    entry(A::ColumnRight, "column.right", &["z >"], C::Result, "Move the column to the right", None).when(has_result).menu(M::Columns),
    entry(A::FitColumn, "column.fit", &["z f"], C::Result, "Fit the column to the rows in sight, or not", None).when(has_result).menu(M::Columns),
    entry(A::FitColumns, "column.fit_all", &["z F"], C::Result, "Fit all columns to the rows in sight", None).when(has_result).menu(M::Columns),
    entry(A::Look(Switch::Heat), "look.heat", &["z m"], C::Result, "Heat map of the column, or of all numbers", None).when(has_rows).menu(M::Columns),
    entry(A::Look(Switch::Bars), "look.bars", &["z b"], C::Result, "Bars beside the column, or all numbers", None).when(has_rows).menu(M::Columns),
    entry(A::Look(Switch::Short), "look.short", &["z c"], C::Result, "Compact numbers: 1.2M", None).when(has_rows).menu(M::Columns),
    entry(A::Trends, "look.trends", &["z l"], C::Result, "Sparklines: the trend of each row", None).when(has_rows).menu(M::Columns),
    entry(A::Pivot, "pivot", &["z p"], C::Result, "Pivot this group into columns, or back", None).when(has_rows).menu(M::Columns),
    entry(A::Subtotals, "subtotals", &["z t"], C::Result, "Subtotals, computed by the engine", None).when(has_rows).menu(M::Columns),
    entry(A::RowForm, "row", &["z r"], C::Result, "See the row as a form", None).when(has_rows),
    entry(A::Choose, "rows.keep", &["Enter", "Tab"], C::RowFilter, "Keep the filter and leave the box", Some("keep")),
    entry(A::Toggle, "json.toggle", &["Enter", "Space"], C::Tree, "Fold or unfold", Some("fold")),
    entry(A::Fold, "json.fold", &["Left", "h"], C::Tree, "Fold, or go to what holds it", None),
    entry(A::Unfold, "json.unfold", &["Right", "l"], C::Tree, "Unfold, or go into it", None),
    entry(A::FoldAll, "json.fold_all", &["-"], C::Tree, "Fold everything", Some("fold all")),
    entry(A::UnfoldAll, "json.unfold_all", &["+"], C::Tree, "Unfold everything", Some("unfold all")),
    entry(A::Copy, "json.copy", &["y"], C::Tree, "Copy the value", Some("copy")),
    entry(A::Close, "json.close", &["q"], C::Tree, "Close", Some("close")),
    entry(A::NextMatch, "find.next", &["Enter", "Down"], C::Find, "Next match", Some("next")),
    entry(A::PreviousMatch, "find.previous", &["Up"], C::Find, "Previous match", Some("previous")),
    entry(A::Choose, "choose", &["Enter"], C::Picker, "Choose", Some("choose")),
    entry(A::RunKept, "kept.run", &["F5", "Ctrl+R"], C::Kept, "Take it and run it", Some("run")),
    entry(A::OpenKept, "kept.tab", &["Ctrl+T"], C::Kept, "Take it in a tab of its own", Some("new tab")).when(has_room_for_tab),
    entry(A::CopyKept, "kept.copy", &["Ctrl+Y"], C::Kept, "Copy it", Some("copy")),
    entry(A::DeleteKept, "kept.delete", &["Delete"], C::Kept, "Delete it", Some("delete")),
    entry(A::SaveName, "naming.save", &["Enter", "F5"], C::Naming, "Save it under this name", Some("save")),
    entry(A::OtherField, "naming.field", &["Tab", "Down", "Up", "Shift+Tab"], C::Naming, "The other field", Some("other field")),
    entry(A::Candidate(0), "meaning.1", &["1"], C::Meanings, "Take the first meaning", Some("to 5 take")),
    entry(A::Candidate(1), "meaning.2", &["2"], C::Meanings, "Take the second meaning", None),
    entry(A::Candidate(2), "meaning.3", &["3"], C::Meanings, "Take the third meaning", None),
    entry(A::Candidate(3), "meaning.4", &["4"], C::Meanings, "Take the fourth meaning", None),
    entry(A::Candidate(4), "meaning.5", &["5"], C::Meanings, "Take the fifth meaning", None),
    entry(A::Choose, "dimension.choose", &["Enter"], C::Dimensions, "Group by it or not; or filter by it", Some("choose")),
    entry(A::Toggle, "dimension.group", &["Space"], C::Dimensions, "Group by it or not", Some("group")),
    entry(A::OpenValues, "dimension.values", &["Right"], C::Dimensions, "Values to filter by", Some("values")),
    entry(A::Choose, "values.apply", &["Enter"], C::Values, "Apply", Some("apply")),
    entry(A::Include, "values.include", &["Space", "+"], C::Values, "Include the value, or not", Some("include")),
    entry(A::Exclude, "values.exclude", &["-"], C::Values, "Exclude the value, or not", Some("exclude")),
    entry(A::Back, "values.back", &["Left"], C::Values, "Back to the dimensions", Some("back")),
    entry(A::Editor, "reader.editor", &["e"], C::Reader, "Open it in $VISUAL or $EDITOR", Some("edit")).when(has_file),
    entry(A::Copy, "reader.copy", &["y"], C::Reader, "Copy the text", Some("copy")),
    entry(A::Close, "reader.close", &["q", "Enter"], C::Reader, "Close", Some("close")),
    entry(A::SaveFile, "file.write", &["Enter"], C::File, "Write the file", Some("write")),
    entry(A::AllRows, "file.rows", &["Tab"], C::File, "All rows, or those that are here", Some("rows")).when(is_cut),
    entry(A::Up, "file.format.previous", &["Up"], C::File, "The format before", Some("and Down format")),
    entry(A::Down, "file.format.next", &["Down"], C::File, "The next format", None),
    entry(A::StopWriting, "file.writing.stop", &["x", "Delete"], C::Saving, "Stop; no file is left", Some("stop")),
    entry(A::AuthorSave, "author.save", &["F7", "Ctrl+O"], C::Author, "Save the file and compare the numbers", Some("save")),
    entry(A::AuthorNumbers, "author.numbers", &["F5", "Ctrl+R"], C::Author, "Numbers before and after, without saving", Some("numbers")),
    entry(A::AuthorShows, "author.shows", &["F6"], C::Author, "Meaning of the draft, or its numbers", Some("SQL or numbers")),
    entry(A::AuthorBy, "author.by", &["F9"], C::Author, "Compare by the next dimension", Some("next dimension")),
    entry(A::AuthorEditor, "author.editor", &["F4"], C::Author, "Open the file in $VISUAL or $EDITOR", None),
    entry(A::Back, "author.back", &["Esc"], C::Author, "Out of the text; then close the file", Some("leave")),
    entry(A::Interrupt, "author.interrupt", &["Ctrl+C"], C::Author, "Twice: quit without saving", None),
    entry(A::Redraw, "author.redraw", &["Ctrl+L"], C::Author, "Draw the screen anew", None),
    entry(A::Suspend, "author.suspend", &["Ctrl+Z"], C::Author, "Suspend to the shell", None),
    entry(A::AuthorIndent, "author.indent", &["Tab"], C::AuthorText, "Blanks up to the next even column", None),
    entry(A::AuthorType, "author.type", &["i", "Enter"], C::AuthorKeys, "Type in the text", Some("type")),
    entry(A::AuthorEditor, "author.editor.letter", &["e"], C::AuthorKeys, "Open the file in $VISUAL or $EDITOR", Some("editor")),
    entry(A::Back, "author.close", &["q"], C::AuthorKeys, "Close the file", None),
    entry(A::NextPart, "rows.part", &["Tab"], C::Behind, "The rows of the next part of the number", Some("part")).when(has_parts),
    entry(A::CopyBehind, "rows.copy", &["y"], C::Behind, "Copy the rows", Some("copy")),
    entry(A::Close, "rows.close", &["q", "Enter"], C::Behind, "Close", Some("close")),
    entry(A::Confirm, "question.yes", &["y", "Enter"], C::Question, "Yes", Some("yes")),
    entry(A::Close, "question.no", &["n"], C::Question, "No", Some("no")),
    entry(A::Left, "menu.left", &["Left"], C::Menu, "The menu to the left", None),
    entry(A::Right, "menu.right", &["Right"], C::Menu, "The menu to the right", None),
    entry(A::Choose, "menu.choose", &["Enter"], C::Menu, "Do it", Some("do it")),
    entry(A::Left, "dates.left", &["Left"], C::Dates, "The day before", None),
    entry(A::Right, "dates.right", &["Right"], C::Dates, "The day after", None),
    entry(A::First, "dates.first", &["Home"], C::Dates, "First day of the month", None),
    entry(A::Last, "dates.last", &["End"], C::Dates, "Last day of the month", None),
    entry(A::Choose, "dates.choose", &["Enter"], C::Dates, "Take the day", Some("take")),
    entry(A::Choose, "find.keep", &["Tab"], C::Find, "Keep the matches and leave the box", Some("keep")),
];

/// Every action with its keys.
pub fn actions() -> &'static [Entry] {
    ACTIONS
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
    text
}

/// The contexts whose keys apply, innermost first.
pub fn contexts(state: &State) -> &'static [Context] {
    match state.popups.last() {
        Some(Popup::Picker(picker)) => picker.contexts(),
        Some(Popup::Reader(_)) => &[C::Reader, C::Sideways, C::Lists, C::Everywhere],
        Some(Popup::Question(_)) => &[C::Question, C::Everywhere],
        Some(Popup::Naming(_)) => &[C::Naming, C::Everywhere],
        Some(Popup::File(_)) if state.saving.is_some() => &[C::Saving, C::Everywhere],
        Some(Popup::File(_)) => &[C::File, C::Everywhere],
        Some(Popup::Dates(_)) => &[C::Dates, C::Lists, C::Everywhere],
        Some(Popup::Menu(_)) => &[C::Menu, C::Lists, C::Everywhere],
        // Not everywhere, and without the commands: what leaves for another pane would leave the text behind.
        Some(Popup::Author(author)) if author.typing => &[C::AuthorText, C::Author],
        Some(Popup::Author(_)) => &[C::AuthorKeys, C::Author, C::Sideways, C::Lists],
        Some(Popup::Behind(_)) => &[C::Behind, C::Sideways, C::Lists, C::Everywhere],
        Some(Popup::Tree(_)) => &[C::Tree, C::Sideways, C::Lists, C::Everywhere],
        None => match state.focus {
            Focus::Catalog if state.finder.typing => &[C::Search, C::Lists, C::Everywhere],
            Focus::Catalog => &[C::Catalog, C::Panes, C::Sideways, C::Lists, C::Everywhere],
            Focus::Details => &[C::Panes, C::Sideways, C::Lists, C::Everywhere],
            Focus::Query if state.prompt.typing => &[C::Prompt, C::Lists, C::Everywhere],
            Focus::Query => &[C::Query, C::Panes, C::Sideways, C::Lists, C::Everywhere],
            Focus::Preview => &[C::Preview, C::Panes, C::Sideways, C::Lists, C::Everywhere],
            Focus::Result if state.result.finding => &[C::Find, C::Everywhere],
            Focus::Result if state.result.filtering => &[C::RowFilter, C::Lists, C::Everywhere],
            Focus::Result => &[C::Result, C::Panes, C::Sideways, C::Lists, C::Everywhere],
        },
    }
}

/// The entry a key stands for in the present state.
pub fn lookup(state: &State, chord: Chord) -> Option<&'static Entry> {
    let keymap = &state.setting.keymap;
    match keymap.find(contexts(state), state.first_key, chord) {
        Found::Entry(entry) => Some(entry),
        Found::First | Found::Nothing => None,
    }
}
