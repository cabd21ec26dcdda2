//! Windows on top of the panes: lists to choose from, texts to read, questions to answer.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::action::{Action, Context, Menu};
use super::author::Author;
use super::beside::Wanted;
use super::charting::ChartChoice;
use super::define::Define;
use super::files::FileDialog;
use super::input::LineInput;
use super::look::{Look, PartName, Section};
use super::message::Excerpt;
use super::offers::QueryCopy;
use super::reviewing::Reviewing;
use super::spread::SpreadWindow;
use super::state::Phase;
use super::why::WhyPane;
use super::widgets::fuzzy_list::FuzzyList;
use super::widgets::grid::{self, Grid};
use super::widgets::json_tree::JsonTree;
use crate::compile::Compiled;
use crate::model::{
    AnalysisView, Comparison, DimensionType, Filter, GroupBy, MetricQuery, OrderBy, TimeRange,
};
use crate::session::{
    About, Clarification, Meaning, Pin, PolicyReport, RejectedSql, Thumb, Unsaved,
};

/// A window on top of the panes.
pub enum Popup {
    /// A list to choose from.
    Picker(Box<Picker>),
    /// Text.
    Reader(Reader),
    /// A question.
    Question(Question),
    /// What a query is to be called.
    Naming(Box<Naming>),
    /// A file to write the result to.
    File(Box<FileDialog>),
    /// The rows behind a number.
    Behind(Box<Behind>),
    /// How a metric is spread across a dimension.
    Spread(Box<SpreadWindow>),
    /// The menu bar.
    Menu(MenuBar),
    /// A calendar.
    Dates(Box<DatePicker>),
    /// A file of definitions.
    Author(Box<Author>),
    /// The form that defines a metric.
    Define(Box<Define>),
    /// What waits for a judgement.
    Review(Box<Reviewing>),
    /// Why a number moved.
    Why(Box<WhyPane>),
    /// A value of JSON, a lineage, or how something is used.
    Tree(Tree),
}

/// A value of JSON, a lineage, or how something is used, as a tree.
pub struct Tree {
    /// Its title.
    pub title: String,
    /// The tree.
    pub tree: JsonTree,
    /// What each line is about; empty for JSON.
    pub of: Vec<Option<About>>,
}

/// A calendar to choose a first and a last day from.
pub struct DatePicker {
    /// The day under the cursor; its month is shown.
    pub cursor: Date,
    /// The first day, once it is chosen.
    pub from: Option<Date>,
    /// What is typed.
    pub input: LineInput,
}

/// The menu bar, with one of its menus open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MenuBar {
    /// The menu that is open.
    pub menu: Menu,
    /// The row selected in it.
    pub row: usize,
}

impl Default for MenuBar {
    fn default() -> Self {
        Self {
            menu: Menu::Query,
            row: 0,
        }
    }
}

/// A list to choose from, with a search box.
pub struct Picker {
    /// What is chosen.
    pub kind: PickerKind,
    /// Its title.
    pub title: String,
    /// What is typed.
    pub input: LineInput,
    /// The list.
    pub list: FuzzyList,
    /// What each entry stands for, by its key.
    pub choices: HashMap<String, Choice>,
    /// What the typed text stands for by itself, in words; it goes before the list.
    pub typed: Option<(String, Choice)>,
    /// Something to know about the list as a whole.
    pub note: Option<String>,
    /// Whether something was marked since it opened.
    pub is_marked: bool,
}

/// What a list is for.
#[derive(Debug, Clone, PartialEq)]
pub enum PickerKind {
    /// Dimensions; Enter groups, or opens the values.
    Dimensions {
        /// Whether Enter opens the values.
        filter: bool,
    },
    /// Values of a dimension.
    Values {
        /// The dimension, as a query writes it.
        field: String,
        /// Type of its values.
        kind: DimensionType,
    },
    /// Time ranges.
    Time,
    /// Comparisons.
    Compare,
    /// Order and limit.
    Order,
    /// Actions.
    Palette,
    /// All keys.
    Help,
    /// Earlier queries and questions.
    History,
    /// Meanings that were chosen for words; taking one forgets it.
    Choices,
    /// Meanings of words in a question.
    Meanings(Clarification),
    /// Saved queries of the project.
    Views,
    /// Analyses of the project, each with the queries that show it.
    Analyses,
    /// Connections.
    Connections,
    /// What can be copied.
    Copies,
    /// Themes.
    Themes,
    /// What can be done with a cell.
    Cell,
    /// Kinds of charts.
    Charts,
    /// Whether the answer is right.
    Verdict,
}

impl Picker {
    /// The innermost context whose keys apply.
    pub fn context(&self) -> Context {
        match self.kind {
            PickerKind::Dimensions { filter: false } => Context::Dimensions,
            PickerKind::Values { .. } => Context::Values,
            PickerKind::History | PickerKind::Views => Context::Kept,
            PickerKind::Meanings(_) => Context::Meanings,
            _ => Context::Picker,
        }
    }

    /// What Enter takes: the typed text where it stands for something, else the selected entry.
    pub fn choice(&self) -> Option<&Choice> {
        match &self.typed {
            Some((_, choice)) => Some(choice),
            None => self.selected(),
        }
    }

    /// The selected entry.
    pub fn selected(&self) -> Option<&Choice> {
        let item = self
            .list
            .selected()
            .filter(|item| item.disabled.is_none())?;
        self.choices.get(&item.key)
    }
}

/// What an entry of a list stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// A grouping, with the dimension whose values can be filtered.
    Dimension {
        /// What grouping by it adds.
        group: GroupBy,
        /// The dimension to filter by; its type. None for a grain.
        field: Option<(String, DimensionType)>,
    },
    /// A condition as it was typed.
    Condition(Filter),
    /// A time range; `None` leaves it to the metric.
    Time(Option<TimeRange>),
    /// Days from a calendar.
    Dates,
    /// A comparison, or none.
    Compare(Option<Comparison>),
    /// A sort key, or none.
    Order(Option<OrderBy>),
    /// A limit, or none.
    Limit(Option<u64>),
    /// Whether the engine adds a total row.
    Total(bool),
    /// An action.
    Action(Action),
    /// A key that does something elsewhere.
    Elsewhere(Context),
    /// A query line, or a question.
    Line(String),
    /// A query that shows an analysis, with its look; it is run.
    Analysis(Box<AnalysisView>),
    /// Words whose meaning is forgotten.
    Forget(String),
    /// What words mean.
    Meaning(String, Meaning),
    /// A connection.
    Connection(String),
    /// A text to copy, with its name.
    Copy(CopyKind),
    /// A theme.
    Theme(String),
    /// A step down from a cell, in words, and the query it leads to; it is run.
    Step(String, Box<MetricQuery>),
    /// Something about the chart.
    Chart(ChartChoice),
    /// Whether the answer is right, with a word about it.
    Verdict(Thumb, Option<String>),
}

/// What can be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyKind {
    /// The query line.
    Line,
    /// The SQL.
    Sql,
    /// The line of another query, made of this one, or its SQL.
    Query(Box<QueryCopy>),
    /// Part of the result.
    Rows(grid::Copy, grid::CopyFormat),
}

/// A query that is being saved in the project.
#[derive(Default)]
pub struct Naming {
    /// The query.
    pub query: MetricQuery,
    /// Its name.
    pub name: LineInput,
    /// What it shows, in plain words.
    pub description: LineInput,
    /// Whether the keys go into the description.
    pub in_description: bool,
    /// Whether it is being written.
    pub is_saving: bool,
    /// Why it was not saved.
    pub trouble: Option<String>,
    /// A name that is taken; saving under it once more replaces what has it.
    pub taken: Option<String>,
}

impl Naming {
    /// Whether the name as it stands is known to be taken.
    pub fn taken(&self) -> bool {
        self.taken.as_deref() == Some(self.name.text().trim())
    }
}

/// A window of text.
pub struct Reader {
    /// Its title.
    pub title: String,
    /// What it shows.
    pub page: Page,
    /// The first line shown.
    pub offset: usize,
}

/// What a window of text shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// One cell in full.
    Cell(String),
    /// The selected row of the result, column by column.
    Row,
    /// SQL of a model that did not pass, with what is wrong with it.
    Rejected(RejectedSql),
    /// Problems of the project's files.
    Problems,
    /// Definitions; empty while they are read.
    Excerpts(Vec<Excerpt>),
    /// How the policy does; none while the log is read.
    Policy(Option<Box<PolicyReport>>),
    /// A number explained, by the generation it was asked with; empty while it is.
    Number(u64, Vec<Section>),
}

/// A window with the rows behind a number.
pub struct Behind {
    /// Its title.
    pub title: String,
    /// What is looked at.
    pub look: Look,
    /// The number as it was shown, all digits; `None` is NULL.
    pub shown: Option<String>,
    /// The look that may send news.
    pub generation: u64,
    /// The aggregations that the number is computed from.
    pub parts: Vec<PartName>,
    /// What was run.
    pub compiled: Option<Arc<Compiled>>,
    /// The rows.
    pub grid: Option<Grid>,
    /// What all of them add up to.
    pub sum: Option<Sum>,
    /// How far it is.
    pub phase: Phase,
}

/// What rows add up to, as the engine says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// The column that is added up.
    pub column: String,
    /// The value, for people.
    pub text: String,
    /// The value, all digits; `None` is NULL.
    pub raw: Option<String>,
    /// How many rows there are.
    pub rows: u64,
}

/// How what rows add up to and the number are related.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is the number.
    Same,
    /// The number is computed from it.
    Part,
    /// It is not this number, which was shown.
    Other(String),
}

impl Behind {
    /// Whether the rows add up to the number that was shown. Engines add up in any order, which moves the last digits.
    pub fn verdict(&self) -> Verdict {
        let Some(sum) = &self.sum else {
            return Verdict::Part;
        };
        if self.look.number.column.as_deref() != Some(sum.column.as_str()) {
            return Verdict::Part;
        }
        let number = |text: &Option<String>| text.as_ref()?.parse::<f64>().ok();
        let is_same = match (number(&self.shown), number(&sum.raw)) {
            (Some(shown), Some(sum)) => (shown - sum).abs() <= 1e-9 * shown.abs().max(1.0),
            // A sum of no rows is NULL, where the metric may say 0.
            (Some(shown), None) => sum.raw.is_none() && sum.rows == 0 && shown == 0.0,
            _ => self.shown == sum.raw,
        };
        match is_same {
            true => Verdict::Same,
            false => Verdict::Other(self.shown.clone().unwrap_or_else(|| "NULL".to_owned())),
        }
    }
}

/// A question with the action that follows a yes.
pub struct Question {
    /// The question.
    pub text: String,
    /// What follows a yes.
    pub yes: Answered,
}

/// What looked expensive and was not run.
#[derive(Debug, Clone, PartialEq)]
pub enum Expensive {
    /// The query; past the cache, or not.
    Run(bool),
    /// Something that belongs to the rows.
    Beside(Wanted),
    /// A look behind a number.
    Look(Box<Look>),
    /// What a draft does to the numbers, by this dimension.
    Change(Option<String>),
    /// All rows for a file; in the place of one that is there, or not.
    File(bool),
}

/// What follows a yes.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// Leave.
    Quit,
    /// Run what looks expensive.
    Anyway(Expensive),
    /// Sort in the query and run it.
    SortInQuery(OrderBy),
    /// Delete a saved query.
    DeleteView(String),
    /// Keep a number as a test.
    Pin(Box<Pin>),
    /// Write the file in the place of the one that is there.
    ReplaceFile,
    /// Close a file with changes that are not saved.
    DropDraft,
    /// Go on with what was typed the last time and not saved; a no forgets it.
    TakeDraft(Box<Unsaved>),
    /// Save over what somebody else saved.
    OverwriteFile,
    /// Explore a metric without the groupings and conditions it cannot have.
    ExploreWithout(String),
}
