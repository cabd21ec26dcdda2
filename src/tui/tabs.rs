//! Tabs: queries with their SQL, their rows and their ways back, one of them on the screen, or two side by side.
//!
//! A tab that is not on the screen is a [`State`] of its own, put aside. What does not belong to a tab (the catalog, the
//! theme, the connection, …) goes along from one to the next.

use super::layout::Layout;
use super::message::Slot;
use super::popup::Popup;
use super::state::{Phase, State};
use super::widgets::text::truncate;
use crate::model::Filter;

/// Most tabs; each keeps its rows.
pub const MOST: usize = 20;

/// Most tabs that were closed and are kept to be opened again.
const CLOSED: usize = 5;

/// All tabs, in order.
#[derive(Default)]
pub struct Tabs {
    /// Those put aside; the place of the one on the screen is empty. Nothing at all in one that is put aside itself.
    list: Vec<Option<Box<State>>>,
    at: usize,
    /// Two tabs whose results are shown side by side, in order.
    pair: Option<(usize, usize)>,
    /// What both of the pair filter by, where they share that.
    pub shared: Option<Option<Filter>>,
    closed: Vec<Box<State>>,
}

/// What the bar says about a tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its query, in short.
    pub text: String,
    /// What its run does or did while nobody looked.
    pub sign: &'static str,
}

impl Tabs {
    /// One tab, on the screen.
    pub fn one() -> Self {
        Self {
            list: vec![None],
            ..Self::default()
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none, because this belongs to a tab that is put aside.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The index of the one on the screen.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The two side by side.
    pub fn pair(&self) -> Option<(usize, usize)> {
        self.pair
    }

    /// The tab beside the one on the screen.
    pub fn beside(&self) -> Option<usize> {
        match self.pair? {
            (left, right) if left == self.at => Some(right),
            (left, right) if right == self.at => Some(left),
            _ => None,
        }
    }

    /// Whether a closed tab can be opened again.
    pub fn has_closed(&self) -> bool {
        !self.closed.is_empty()
    }

    /// Shows two tabs side by side, or no longer.
    pub fn set_pair(&mut self, pair: Option<(usize, usize)>) {
        self.pair = pair.map(|(one, other)| (one.min(other), one.max(other)));
        self.shared = None;
    }

    /// The tab at an index, where it is put aside.
    pub fn aside(&self, index: usize) -> Option<&State> {
        self.list.get(index)?.as_deref()
    }

    /// All tabs that are put aside.
    pub fn asides(&mut self) -> impl Iterator<Item = &mut State> {
        let asides = self.list.iter_mut().flatten().chain(&mut self.closed);
        asides.map(Box::as_mut)
    }

    /// The pair after a tab was put in (or taken out) at an index.
    fn shift(&mut self, index: usize, inserted: bool) {
        let moved = |tab: usize| match inserted {
            true if tab >= index => Some(tab + 1),
            false if tab > index => Some(tab - 1),
            false if tab == index => None,
            _ => Some(tab),
        };
        let pair = self
            .pair
            .and_then(|(left, right)| Some((moved(left)?, moved(right)?)));
        if pair.is_none() {
            self.set_pair(None);
        }
        self.pair = pair;
    }
}

impl State {
    /// Whether this is a tab that is put aside.
    pub fn is_aside(&self) -> bool {
        self.tabs.is_empty()
    }

    /// Whether a question stands on top, which may have come while nobody looked.
    fn asks(&self) -> bool {
        matches!(self.popups.last(), Some(Popup::Question(_)))
    }

    /// A tab that has nothing yet, for this explorer.
    pub fn blank(&self) -> Self {
        let (setting, catalog) = (self.setting.clone(), self.catalog.clone());
        let (connection, theme) = (self.connection.clone(), self.theme.clone());
        let (mut blank, _) = Self::new(setting, catalog, connection, theme, self.size);
        blank.forget_all();
        blank.tabs = Tabs::default();
        blank
    }

    /// Puts a tab in behind the one on the screen, aside; its index.
    pub fn insert_tab(&mut self, mut tab: Self) -> usize {
        tab.id = self.next_generation();
        let index = self.tabs.at + 1;
        self.tabs.shift(index, true);
        self.tabs.list.insert(index, Some(Box::new(tab)));
        index
    }

    /// Puts a tab in as the last one, aside.
    pub fn append_tab(&mut self, mut tab: Self) {
        tab.id = self.next_generation();
        self.tabs.list.push(Some(Box::new(tab)));
    }

    /// Puts the tab on the screen aside and another one in its place; whether there is such a tab.
    pub fn enter_tab(&mut self, index: usize) -> bool {
        let Some(mut tab) = self.tabs.list.get_mut(index).and_then(Option::take) else {
            return false;
        };
        exchange(self, &mut tab);
        std::mem::swap(self, &mut tab);
        let left = self.tabs.at;
        if let Some(place) = self.tabs.list.get_mut(left) {
            *place = Some(tab);
        }
        self.tabs.at = index;
        true
    }

    /// Changes a tab, wherever it is.
    pub fn in_tab<T>(&mut self, index: usize, change: impl FnOnce(&mut Self) -> T) -> T {
        let (here, typing) = (self.tabs.at, self.finder.typing);
        let is_away = self.enter_tab(index);
        let changed = change(self);
        if is_away {
            self.enter_tab(here);
            // Whoever types here goes on typing, whatever happened there.
            self.finder.typing = typing;
        }
        changed
    }

    /// Takes the tab at an index away, to be opened again; the one on the screen gives way to its neighbour.
    pub fn remove_tab(&mut self, index: usize) {
        if index == self.tabs.at {
            let neighbour = if index + 1 < self.tabs.len() {
                index + 1
            } else {
                index.wrapping_sub(1)
            };
            if !self.enter_tab(neighbour) {
                return;
            }
        }
        if self.tabs.list.get(index).is_none_or(Option::is_none) {
            return;
        }
        let mut closed = self.tabs.list.remove(index);
        if let Some(tab) = &mut closed {
            // What it still waits for finds it no more.
            tab.forget_all();
        }
        self.tabs.closed.extend(closed);
        if self.tabs.closed.len() > CLOSED {
            self.tabs.closed.remove(0);
        }
        self.tabs.shift(index, false);
        if self.tabs.at > index {
            self.tabs.at -= 1;
        }
    }

    /// The tab that was closed last.
    pub fn closed_tab(&mut self) -> Option<Self> {
        self.tabs.closed.pop().map(|tab| *tab)
    }

    /// The tab for which this holds.
    pub fn find_tab(&self, is_meant: impl Fn(&Self) -> bool) -> Option<usize> {
        if is_meant(self) {
            return Some(self.tabs.at);
        }
        let tabs = self.tabs.list.iter();
        let mut asides = tabs
            .enumerate()
            .filter_map(|(index, tab)| Some((index, tab.as_deref()?)));
        asides.find_map(|(index, tab)| is_meant(tab).then_some(index))
    }

    /// The tab at an index.
    pub fn tab(&self, index: usize) -> Option<&Self> {
        if index == self.tabs.at {
            Some(self)
        } else {
            self.tabs.aside(index)
        }
    }

    /// The tab shown beside this one.
    pub fn beside(&self) -> Option<&Self> {
        self.tabs.aside(self.tabs.beside()?)
    }

    /// Whether a run is under way whose time the screen shows.
    pub fn shows_running(&self) -> bool {
        self.result.is_running()
            || self
                .beside()
                .is_some_and(|beside| beside.result.is_running())
    }

    /// What the bar says about the tab at an index.
    pub fn tab_label(&self, index: usize, columns: usize) -> Label {
        let Some(tab) = self.tab(index) else {
            return Label {
                text: String::new(),
                sign: "",
            };
        };
        let text = match tab.query.is_empty() {
            true => "new".to_owned(),
            false => tab.query.to_string(),
        };
        let sign = match &tab.result.phase {
            Phase::Running(_) | Phase::Cancelling(_) => "…",
            _ if tab.is_aside() && tab.asks() => "?",
            Phase::Failed(_) if tab.result.unseen => "!",
            Phase::Done(_) if tab.result.unseen => "*",
            _ => "",
        };
        Label {
            text: truncate(&text, columns).into_owned(),
            sign,
        }
    }
}

/// Lets the tab beside this one know what it does not have of its own, and how much room its rows have.
pub fn settle(state: &mut State, layout: &Layout) {
    let Some(index) = state.tabs.beside() else {
        return;
    };
    let (now, size, area) = (state.now, state.size, layout.beside);
    let (theme, catalog) = (state.theme.clone(), state.catalog.clone());
    let connection = state.connection.clone();
    if let Some(tab) = state
        .tabs
        .list
        .get_mut(index)
        .and_then(Option::as_deref_mut)
    {
        (tab.now, tab.size) = (now, size);
        (tab.theme, tab.catalog, tab.connection) = (theme, catalog, connection);
        super::update::fit_rows(tab, area);
    }
}

/// Lets the time go on in the tab beside this one.
pub fn tick(state: &mut State) {
    let (beside, now) = (state.tabs.beside(), state.now);
    let tab = beside.and_then(|index| state.tabs.list.get_mut(index)?.as_deref_mut());
    if let Some(tab) = tab {
        tab.now = now;
    }
}

/// Exchanges what does not belong to a tab. Every field is named, so that a new one asks where it belongs.
fn exchange(state: &mut State, other: &mut State) {
    macro_rules! fields {
        (of_all: $($shared:ident)+; of_a_tab: $($own:ident)+) => {
            let State { $($shared,)+ $($own: _,)+ } = state;
            $(std::mem::swap($shared, &mut other.$shared);)+
        };
    }
    fields! {
        of_all: setting catalog problems connection theme theme_name size now finder details preparing
            mouse leaving splits dragging used first_key ahead tabs looks counter saving file_format file_folder;
        of_a_tab: id focus popups why query origin chosen past future trail attempt part prompt preview result generations
            run_when_ready notice
    }
    for slot in Slot::OF_ALL_TABS {
        other.generations.remove(&slot);
        let generation = state.generations.remove(&slot);
        other.generations.extend(generation.map(|at| (slot, at)));
    }
}
