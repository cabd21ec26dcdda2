//! The form that defines a metric: what is typed, what is suggested, and what the definition would be.

use crossterm::event::KeyEvent;
use indexmap::IndexMap;
use ratatui::layout::{Constraint, Layout, Rect, Size};

use super::input::LineInput;
use super::popup::Popup;
use super::state::State;
use crate::govern::suggest::{Decision, Guess, Idea, Offer, OfferKind};
use crate::model::Status;
use crate::session::define::{Defined, FirstNumbers};
use crate::session::{NotPublished, Published, SessionError};

/// Columns from which both sides have room.
const WIDE: u16 = 110;

/// What the fields are called.
pub const FIELDS: [&str; 5] = ["Name", "Short name", "Category", "Owner", "Definition"];

/// The form.
pub struct Define {
    fields: [LineInput; FIELDS.len()],
    /// One for each rule, and an empty one to write another.
    rules: Vec<LineInput>,
    choices: IndexMap<String, Decision>,
    /// What a model proposed.
    pub guesses: IndexMap<String, Guess>,
    /// Which of the rows the keys go to.
    pub at: usize,
    /// The text of an offer that is being changed.
    pub change: Option<LineInput>,
    /// What was suggested last.
    pub defined: Option<Box<Defined>>,
    /// The suggestions that are waited for.
    pub asking: Option<u64>,
    /// Whether something was typed since they were asked for.
    pub is_stale: bool,
    /// What is done once they have come.
    pub wish: Option<Wish>,
    /// The first numbers.
    pub first: First,
    /// What is being written.
    pub writing: Option<Status>,
    /// The model is asked, with this generation.
    pub proposing: Option<u64>,
    /// Why it was not written.
    pub refusal: Option<NotPublished>,
    /// What is shown beside the form, or instead of it.
    pub page: Page,
    /// The first line shown there.
    pub offset: usize,
    /// The first line of the form that is shown.
    pub top: usize,
    /// Whether something was typed that is written nowhere.
    pub is_unwritten: bool,
    /// Whether what is typed is saved as a draft.
    pub is_draft: bool,
}

/// What waits for suggestions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The first numbers.
    Preview,
    /// To be written.
    Write(Status),
}

/// The first numbers.
#[derive(Default)]
pub enum First {
    /// Nobody asked.
    #[default]
    No,
    /// They are computed, for this generation.
    Running(u64),
    /// They are there.
    Done(Box<FirstNumbers>),
    /// They are not; the words, and whether they looked expensive.
    Failed(String, bool),
}

/// What is shown beside the form, or instead of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Page {
    /// The form, where there is room for nothing else.
    #[default]
    Form,
    /// The SQL, and what is wrong.
    Sql,
    /// The first numbers.
    Numbers,
    /// The metric that is most alike.
    Alike,
    /// What is written.
    File,
}

impl Page {
    /// The page after it; the form is one of them where there is no room beside it.
    pub fn next(self, is_wide: bool) -> Self {
        match self {
            Self::Form if is_wide => Self::Numbers,
            Self::Form => Self::Sql,
            Self::Sql => Self::Numbers,
            Self::Numbers => Self::Alike,
            Self::Alike => Self::File,
            Self::File if is_wide => Self::Sql,
            Self::File => Self::Form,
        }
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Form => "Define a metric",
            Self::Sql => "SQL",
            Self::Numbers => "First numbers",
            Self::Alike => "Most alike",
            Self::File => "What is written",
        }
    }
}

/// A row of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// One of [`FIELDS`].
    Field(usize),
    /// A rule.
    Rule(usize),
    /// An offer.
    Offer(usize),
}

/// What the form asks for.
#[derive(Debug)]
pub enum DefineJob {
    /// What was typed the last time.
    Open,
    /// Suggestions; with the numbers that are known.
    Suggest(Box<Idea>, Vec<f64>),
    /// The first numbers; however expensive they look, or not.
    Numbers(Box<Defined>, bool),
    /// Write it.
    Write(Box<Defined>, Status),
    /// The model's guesses for rules that are not understood.
    Propose(Box<Idea>),
}

/// What comes of it.
pub enum DefineNews {
    /// What was typed the last time, and when.
    Opened(Option<(Idea, String)>),
    /// Suggestions.
    Suggested(Result<Box<Defined>, SessionError>),
    /// The first numbers.
    Numbers(Result<Box<FirstNumbers>, SessionError>),
    /// The model's guesses.
    Proposed(Result<IndexMap<String, Guess>, SessionError>),
    /// It was written, or not.
    Written(Status, Result<Published, NotPublished>),
}

impl Define {
    /// A form with an idea.
    pub fn new(idea: &Idea) -> Self {
        let mut form = Self {
            fields: Default::default(),
            rules: Vec::new(),
            choices: IndexMap::new(),
            guesses: IndexMap::new(),
            at: 0,
            change: None,
            defined: None,
            asking: None,
            is_stale: false,
            wish: None,
            first: First::No,
            writing: None,
            proposing: None,
            refusal: None,
            page: Page::Form,
            offset: 0,
            top: 0,
            is_unwritten: false,
            is_draft: false,
        };
        form.fill(idea);
        form
    }

    /// Takes an idea.
    pub fn fill(&mut self, idea: &Idea) {
        let texts = [
            &idea.name,
            &idea.short_name,
            &idea.category,
            &idea.owner,
            &idea.definition,
        ];
        for (field, text) in self.fields.iter_mut().zip(texts) {
            field.set(text);
        }
        self.rules = idea.rules.iter().map(|rule| LineInput::new(rule)).collect();
        self.choices.clone_from(&idea.choices);
        self.guesses.clone_from(&idea.guesses);
        self.at = 0;
        self.spare_rule();
    }

    /// There is always one rule more to write.
    fn spare_rule(&mut self) {
        if self.rules.last().is_none_or(|last| !last.is_empty()) {
            self.rules.push(LineInput::new(""));
        }
    }

    /// What is typed and chosen.
    pub fn idea(&self) -> Idea {
        let text = |at: usize| {
            self.fields
                .get(at)
                .map_or_else(String::new, |field| field.text().trim().to_owned())
        };
        let rules = self.rules.iter().map(|rule| rule.text().trim().to_owned());
        Idea {
            name: text(0),
            short_name: text(1),
            category: text(2),
            owner: text(3),
            definition: text(4),
            rules: rules.filter(|rule| !rule.is_empty()).collect(),
            choices: self.choices.clone(),
            guesses: self.guesses.clone(),
        }
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.idea() == Idea::default()
    }

    /// The offers.
    pub fn offers(&self) -> &[Offer] {
        self.defined.as_ref().map_or(&[], |defined| &defined.offers)
    }

    /// The rows, from the top.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        let fields = (0..self.fields.len()).map(Row::Field);
        let rules = (0..self.rules.len()).map(Row::Rule);
        fields
            .chain(rules)
            .chain((0..self.offers().len()).map(Row::Offer))
    }

    /// The row that the keys go to.
    pub fn row(&self) -> Row {
        self.rows().nth(self.at).unwrap_or(Row::Field(0))
    }

    /// The offer under the cursor.
    pub fn offer(&self) -> Option<&Offer> {
        match self.row() {
            Row::Offer(at) => self.offers().get(at),
            _ => None,
        }
    }

    /// The text of a field or a rule.
    pub fn input(&self, row: Row) -> Option<&LineInput> {
        match row {
            Row::Field(at) => self.fields.get(at),
            Row::Rule(at) => self.rules.get(at),
            Row::Offer(_) => None,
        }
    }

    /// What a rule was read as.
    pub fn meaning(&self, rule: &str) -> Option<&Offer> {
        let mut offers = self.offers().iter();
        offers.find(|offer| offer.kind == OfferKind::Rule && offer.about == rule.trim())
    }

    /// What stands in the way of numbers and of writing.
    pub fn obstacle(&self) -> Option<String> {
        let Some(defined) = &self.defined else {
            return Some("it needs a name first".to_owned());
        };
        let reason = defined.sql.as_ref().err();
        defined.missing.as_ref().or(reason).cloned()
    }

    /// Whether there is a model that could say what a rule means; why not.
    pub fn can_propose(&self) -> Result<(), &'static str> {
        match &self.defined {
            Some(defined) if defined.model.is_none() => Err("no model is configured"),
            Some(defined) if defined.open_rules().next().is_some() => Ok(()),
            _ => Err("there is no rule that is not understood"),
        }
    }

    /// Whether a page stands in its place.
    pub fn is_hidden(&self, screen: Size) -> bool {
        self.page != Page::Form && !is_wide(screen)
    }

    /// Whether letters are typed.
    pub fn is_typing(&self) -> bool {
        self.change.is_some() || !matches!(self.row(), Row::Offer(_))
    }

    /// Whether the first numbers are of another definition than the one that is there.
    pub fn is_old(&self) -> bool {
        let sql = self
            .defined
            .as_ref()
            .and_then(|defined| defined.sql.as_ref().ok());
        match &self.first {
            First::Done(first) => Some(&first.sql) != sql,
            _ => false,
        }
    }

    /// The numbers that suggestions may go by.
    pub fn history(&self) -> Vec<f64> {
        match &self.first {
            First::Done(first) if !self.is_old() => first.history.clone(),
            _ => Vec::new(),
        }
    }

    /// The next page.
    pub fn next_page(&mut self, is_wide: bool) {
        self.offset = 0;
        self.page = self.page.next(is_wide);
    }

    /// Moves the cursor by rows.
    pub fn step(&mut self, by: isize) {
        self.change = None;
        let last = self.rows().count().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
    }

    /// Puts the cursor on a row.
    pub fn go_to(&mut self, row: Row) {
        let at = self.rows().position(|one| one == row);
        if let Some(at) = at {
            self.change = None;
            self.at = at;
        }
    }

    /// Takes an editing key; whether what is wanted changed.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        self.typed(|input| input.key(key))
    }

    /// Takes pasted text; lines are rules.
    pub fn paste(&mut self, text: &str) -> bool {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let Row::Rule(_) = self.row() else {
            let line: Vec<&str> = lines.collect();
            return self.typed(|input| input.paste(&line.join(" ")));
        };
        let mut changed = lines
            .next()
            .is_some_and(|line| self.typed(|input| input.paste(line)));
        for line in lines {
            self.step(1);
            changed |= self.typed(|input| input.paste(line));
        }
        changed
    }

    fn typed(&mut self, edit: impl FnOnce(&mut LineInput) -> bool) -> bool {
        if let Some(change) = &mut self.change {
            edit(change);
            return false;
        }
        let changed = match self.row() {
            Row::Field(at) => self.fields.get_mut(at).is_some_and(edit),
            Row::Rule(at) => self.rules.get_mut(at).is_some_and(edit),
            Row::Offer(_) => false,
        };
        self.spare_rule();
        changed
    }

    /// Takes the offer under the cursor, or refuses it; whether something changed.
    pub fn toggle(&mut self) -> bool {
        let Some(offer) = self.offer().cloned() else {
            return false;
        };
        let mut idea = self.idea();
        idea.toggle(&offer);
        let changed = idea.choices != self.choices;
        self.choices = idea.choices;
        changed
    }

    /// Begins to change the text of the offer under the cursor; why not, where that is not so.
    pub fn begin_change(&mut self) -> Result<(), &'static str> {
        let Some(offer) = self.offer() else {
            return Ok(());
        };
        match offer.kind {
            OfferKind::Similar | OfferKind::Skill => return Err("it is there to be known"),
            _ if offer.state == crate::govern::suggest::State::Known => {
                return Err("it is so, and nothing to choose");
            }
            OfferKind::Table => return Err("another table is taken where it is listed"),
            _ => {}
        }
        self.change = Some(LineInput::new(&offer.text));
        Ok(())
    }

    /// Ends the change of an offer; whether something changed.
    pub fn end_change(&mut self) -> bool {
        let (Some(change), Some(offer)) = (self.change.take(), self.offer().cloned()) else {
            return false;
        };
        let mut idea = self.idea();
        idea.change(&offer, change.text());
        let changed = idea.choices != self.choices;
        self.choices = idea.choices;
        changed
    }

    /// Takes new suggestions; the cursor stays on what it was on.
    pub fn suggest(&mut self, defined: Box<Defined>) {
        let here = self
            .offer()
            .map(|offer| (offer.id.clone(), offer.text.clone()));
        self.defined = Some(defined);
        if let Some((id, text)) = here {
            let same = |offer: &&Offer| offer.id == id;
            let offers = self.offers();
            let exact = offers
                .iter()
                .position(|offer| offer.id == id && offer.text == text);
            let found = exact.or_else(|| offers.iter().position(|offer| same(&offer)));
            if let Some(at) = found {
                self.go_to_quietly(Row::Offer(at));
            }
        }
        self.step_within();
    }

    fn go_to_quietly(&mut self, row: Row) {
        let at = self.rows().position(|one| one == row);
        self.at = at.unwrap_or(self.at);
    }

    fn step_within(&mut self) {
        let last = self.rows().count().saturating_sub(1);
        self.at = self.at.min(last);
    }
}

/// The form, where it is open.
pub fn open(state: &mut State) -> Option<&mut Define> {
    state.popups.iter_mut().rev().find_map(|popup| match popup {
        Popup::Define(form) => Some(form.as_mut()),
        _ => None,
    })
}

/// The areas of the form and of the page beside it; one of them where there is room for one.
pub fn areas(screen: Size, page: Page) -> (Option<Rect>, Option<Rect>) {
    let all = Rect {
        x: 0,
        y: 0,
        width: screen.width,
        height: screen.height.saturating_sub(1),
    };
    if is_wide(screen) {
        let halves = [Constraint::Percentage(52), Constraint::Min(0)];
        let [form, page] = Layout::horizontal(halves).areas(all);
        return (Some(form), Some(page));
    }
    match page {
        Page::Form => (Some(all), None),
        _ => (None, Some(all)),
    }
}

/// Whether the form and a page stand side by side.
pub fn is_wide(screen: Size) -> bool {
    screen.width >= WIDE
}
