//! Everything the screen shows, and nothing else: no connection, no file, no clock.

mod here;
mod panes;

pub use panes::{CatalogRow, Details, Finder, Phase, Preview, Prompt, Results};

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ratatui::layout::Size;

use super::action::{Action, contexts};
use super::files::Saving;
use super::input::LineInput;
use super::keymap::Keymap;
use super::keys::Chord;
use super::message::{Effect, Lookup, Message, Notice, Setting, Slot};
use super::moment::{Moment, Step};
use super::popup::Popup;
use super::question::Origin;
use super::splits::{Border, Splits};
use super::tabs::Tabs;
use super::theme::Theme;
use super::why::WhyPane;
use crate::model::{GroupBy, MetricQuery};
use crate::registry::Diagnostic;
use crate::session::files::FileFormat;
use crate::session::{Catalog, ConnectionInfo};

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
    /// Number of the tab.
    pub id: u64,
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
    /// Looks behind numbers that have a window, by their generation.
    pub looks: Vec<u64>,
    /// The last window on why a number moved, as it was left.
    pub why: Option<Box<WhyPane>>,
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

/// A change that is made only where its SQL can be written.
pub struct Attempt {
    /// The query it leads to.
    pub query: MetricQuery,
    /// Whether it is run then.
    pub run: bool,
    /// Whether it is a step down into a result.
    pub is_step: bool,
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
            id: 0,
            problems: [
                catalog.diagnostics.as_slice(),
                &setting.preferences.problems,
            ]
            .concat(),
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
            looks: Vec::new(),
            why: None,
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
        let slot = lookup.slot();
        self.generations.insert(slot, generation);
        Effect::Lookup {
            generation,
            tab: if slot.is_of_all_tabs() { 0 } else { self.id },
            lookup,
        }
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

    /// The keys in force.
    pub fn keymap(&self) -> &Keymap {
        &self.setting.preferences.keymap
    }

    /// The key of an action, for a text.
    pub fn key(&self, action: Action) -> String {
        self.keymap().key(action)
    }

    /// The key of an action where one is now, for a text.
    pub fn key_here(&self, action: Action) -> String {
        let key = self.keymap().key_in(contexts(self), action);
        key.unwrap_or_else(|| self.key(action))
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
}
