//! Where keys mean something, and where one is now.

use crate::tui::author;
use crate::tui::popup::Popup;
use crate::tui::state::{Focus, State};
use Context as C;

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

/// The contexts whose keys apply, innermost first.
pub fn contexts(state: &State) -> &'static [Context] {
    match state.popups.last() {
        Some(Popup::Picker(picker)) => picker.contexts(),
        Some(Popup::Reader(_)) => &[C::Reader, C::Sideways, C::Lists, C::Everywhere],
        // What leaves for another pane would leave a text behind.
        Some(Popup::Question(_)) if author::is_open(state) => &[C::Question],
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
