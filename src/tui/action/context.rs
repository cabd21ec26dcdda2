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
    /// The metric under the cursor in words.
    Details,
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
    /// The lineage of a metric, or how it is used, as a tree.
    Lineage,
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
    /// How a metric is spread.
    Spread,
    /// Why a number moved.
    Why,
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
    /// The form that defines a metric, where text is typed.
    DefineText,
    /// The form that defines a metric, on a suggestion.
    DefineOffers,
    /// The form that defines a metric, where a page stands in its place.
    DefinePage,
    /// The form that defines a metric.
    Define,
    /// The review screen.
    Review,
    /// The words of a judgement.
    ReviewText,
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
                | Self::ReviewText
                | Self::Author
                | Self::DefineText
                | Self::Define
                | Self::Lists
                | Self::Everywhere
        )
    }

    /// The contexts whose keys apply where this one is innermost, from it outwards.
    pub fn stack(self) -> &'static [Self] {
        match self {
            C::Catalog => &[C::Catalog, C::Panes, C::Sideways, C::Lists, C::Everywhere],
            C::Query => &[C::Query, C::Panes, C::Sideways, C::Lists, C::Everywhere],
            C::Preview => &[C::Preview, C::Panes, C::Sideways, C::Lists, C::Everywhere],
            C::Result => &[C::Result, C::Panes, C::Sideways, C::Lists, C::Everywhere],
            C::Details => &[C::Details, C::Panes, C::Sideways, C::Lists, C::Everywhere],
            C::Panes => &[C::Panes, C::Sideways, C::Lists, C::Everywhere],
            C::Reader => &[C::Reader, C::Sideways, C::Lists, C::Everywhere],
            C::Spread => &[C::Spread, C::Sideways, C::Lists, C::Everywhere],
            C::Behind => &[C::Behind, C::Sideways, C::Lists, C::Everywhere],
            C::Why => &[C::Why, C::Sideways, C::Lists, C::Everywhere],
            C::Tree => &[C::Tree, C::Sideways, C::Lists, C::Everywhere],
            C::Lineage => &[C::Lineage, C::Tree, C::Sideways, C::Lists, C::Everywhere],
            C::Sideways => &[C::Sideways, C::Lists, C::Everywhere],
            C::Search => &[C::Search, C::Lists, C::Everywhere],
            C::Prompt => &[C::Prompt, C::Lists, C::Everywhere],
            C::RowFilter => &[C::RowFilter, C::Lists, C::Everywhere],
            C::Kept => &[C::Kept, C::Picker, C::Lists, C::Everywhere],
            C::Meanings => &[C::Meanings, C::Picker, C::Lists, C::Everywhere],
            C::Values => &[C::Values, C::Lists, C::Everywhere],
            C::Dimensions => &[C::Dimensions, C::Lists, C::Everywhere],
            C::Picker => &[C::Picker, C::Lists, C::Everywhere],
            C::Menu => &[C::Menu, C::Lists, C::Everywhere],
            C::Dates => &[C::Dates, C::Lists, C::Everywhere],
            C::Lists => &[C::Lists, C::Everywhere],
            C::Find => &[C::Find, C::Everywhere],
            C::Naming => &[C::Naming, C::Everywhere],
            C::Question => &[C::Question, C::Everywhere],
            C::File => &[C::File, C::Everywhere],
            C::Saving => &[C::Saving, C::Everywhere],
            // Not everywhere, and without the commands: what leaves for another pane would leave the text behind.
            C::AuthorText => &[C::AuthorText, C::Author],
            C::AuthorKeys => &[C::AuthorKeys, C::Author, C::Sideways, C::Lists],
            C::Author => &[C::Author],
            C::DefineText => &[C::DefineText, C::Define],
            C::DefineOffers => &[C::DefineOffers, C::Define],
            C::DefinePage => &[C::DefinePage, C::Define],
            C::Define => &[C::Define],
            C::Review => &[C::Review, C::Sideways, C::Lists, C::Everywhere],
            C::ReviewText => &[C::ReviewText, C::Everywhere],
            C::Everywhere => &[C::Everywhere],
        }
    }

    /// The word for it in the help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Search => "Catalog search",
            Self::Catalog => "Catalog",
            Self::Details => "Details",
            Self::Query => "Query",
            Self::Prompt => "Query line or question",
            Self::Preview => "SQL",
            Self::Result => "Result",
            Self::Find => "Search in the result",
            Self::RowFilter => "Filter of the rows",
            Self::Tree => "Trees: JSON, lineage, usage",
            Self::Lineage => "Lineage, usage",
            Self::Values => "Values of a dimension",
            Self::Dimensions => "Dimensions",
            Self::Meanings => "Meanings of words",
            Self::Kept => "Earlier and saved queries",
            Self::Naming => "Saving a query",
            Self::Picker => "Lists",
            Self::Reader => "Text",
            Self::Behind => "Rows behind a number",
            Self::Spread => "How a metric is spread",
            Self::Why => "Why a number moved",
            Self::Question => "Question",
            Self::File => "File to write",
            Self::Saving => "File being written",
            Self::Menu => "Menu",
            Self::Dates => "Calendar",
            Self::AuthorText => "Author mode, in the text",
            Self::AuthorKeys => "Author mode, out of the text",
            Self::Author => "Author mode",
            Self::DefineText => "Defining a metric, in a text",
            Self::DefineOffers => "Defining a metric, on a suggestion",
            Self::DefinePage => "Defining a metric, on a page",
            Self::Define => "Defining a metric",
            Self::Review => "Review",
            Self::ReviewText => "Words of a judgement",
            Self::Sideways | Self::Lists => "Moving",
            Self::Panes => "Any pane",
            Self::Everywhere => "Everywhere",
        }
    }
}

/// The contexts whose keys apply, innermost first.
pub fn contexts(state: &State) -> &'static [Context] {
    let innermost = match state.popups.last() {
        Some(Popup::Picker(picker)) => picker.context(),
        Some(Popup::Reader(_)) => C::Reader,
        // What leaves for another pane would leave a text behind.
        Some(Popup::Question(_)) if author::is_open(state) => return &[C::Question],
        Some(Popup::Question(_)) => C::Question,
        Some(Popup::Naming(_)) => C::Naming,
        Some(Popup::File(_)) if state.saving.is_some() => C::Saving,
        Some(Popup::File(_)) => C::File,
        Some(Popup::Dates(_)) => C::Dates,
        Some(Popup::Menu(_)) => C::Menu,
        Some(Popup::Define(form)) if form.is_hidden(state.size) => C::DefinePage,
        Some(Popup::Define(form)) if form.is_typing() => C::DefineText,
        Some(Popup::Define(_)) => C::DefineOffers,
        Some(Popup::Author(author)) if author.typing => C::AuthorText,
        Some(Popup::Author(_)) => C::AuthorKeys,
        Some(Popup::Review(open)) if open.wording.is_some() => C::ReviewText,
        Some(Popup::Review(_)) => C::Review,
        Some(Popup::Behind(_)) => C::Behind,
        Some(Popup::Spread(_)) => C::Spread,
        Some(Popup::Why(_)) => C::Why,
        Some(Popup::Tree(tree)) if tree.of.is_empty() => C::Tree,
        Some(Popup::Tree(_)) => C::Lineage,
        None => match state.focus {
            Focus::Catalog if state.finder.typing => C::Search,
            Focus::Catalog => C::Catalog,
            Focus::Details => C::Details,
            Focus::Query if state.prompt.typing => C::Prompt,
            Focus::Query => C::Query,
            Focus::Preview => C::Preview,
            Focus::Result if state.result.finding => C::Find,
            Focus::Result if state.result.filtering => C::RowFilter,
            Focus::Result => C::Result,
        },
    };
    innermost.stack()
}
