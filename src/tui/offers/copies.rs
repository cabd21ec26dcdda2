//! What can be copied, and the text of windows.

use super::Offer;
use crate::model::MetricQuery;
use crate::session::Session;
use crate::tui::action::Reason;
use crate::tui::drill;
use crate::tui::popup::{Choice, CopyKind, Page};
use crate::tui::state::State;
use crate::tui::widgets::fuzzy_list::Item;
use crate::tui::widgets::grid::{Copy, CopyFormat, Grid};

/// A query made of a part of the result, to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryCopy {
    /// The query.
    pub query: MetricQuery,
    /// Whether its SQL is meant, not its line.
    pub as_sql: bool,
}

impl QueryCopy {
    /// Its text, where it can be asked.
    ///
    /// # Errors
    /// It is refused, with the reason.
    pub fn text(self, session: &Session) -> Result<String, String> {
        match session.compile(&self.query) {
            Ok(compiled) if self.as_sql => Ok(compiled.main.sql),
            Ok(_) => Ok(self.query.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// What can be copied.
pub fn copies(state: &State) -> Vec<Offer> {
    let forms = |what: Copy, word: &str| {
        let forms = [
            (CopyFormat::Tsv, "TSV"),
            (CopyFormat::Csv, "CSV"),
            (CopyFormat::Markdown, "Markdown"),
            (CopyFormat::Json, "JSON"),
        ];
        forms.map(|(form, name)| {
            (
                format!("{word} as {name}"),
                CopyKind::Rows(what.clone(), form),
            )
        })
    };
    let mut offers = Vec::new();
    let grid = state.result.grid.as_ref();
    if let Some((row, column)) = grid.and_then(Grid::selected) {
        if let Some(block) = grid.and_then(Grid::marked) {
            offers.extend(forms(Copy::Block(block), "marked cells"));
        }
        let cell = Copy::Cell { row, column };
        offers.push(("cell".to_owned(), CopyKind::Rows(cell, CopyFormat::Tsv)));
        offers.extend(forms(Copy::All, "all rows"));
        offers.extend(forms(Copy::Row(row), "row"));
        offers.extend(forms(Copy::Column(column), "column"));
    }
    if !state.query.is_empty() {
        offers.push(("query line".to_owned(), CopyKind::Line));
    }
    if state.preview.current().is_some() {
        offers.push(("SQL".to_owned(), CopyKind::Sql));
    }
    let offer = |(text, kind): (String, _)| (Item::new(&text, &text), Choice::Copy(kind));
    let mut offers: Vec<Offer> = offers.into_iter().map(offer).collect();
    if grid.and_then(Grid::selected).is_some() {
        let cell = drill::query_of_cell(state);
        for (word, query) in [("row", drill::query_of_row(state)), ("cell", cell)] {
            offers.push(narrowed(word, "query line", false, &query));
            offers.push(narrowed(word, "SQL", true, &query));
        }
    }
    offers
}

/// A part of the result as the query that asks for it alone.
fn narrowed(word: &str, form: &str, as_sql: bool, query: &Result<MetricQuery, Reason>) -> Offer {
    let text = format!("{word} as {form}");
    let item = Item::new(&text, &text);
    match query {
        Ok(query) => {
            let query = query.clone();
            let copy = QueryCopy { query, as_sql };
            (item, Choice::Copy(CopyKind::Query(Box::new(copy))))
        }
        Err(reason) => (item.disabled(reason), Choice::Copy(CopyKind::Line)),
    }
}

/// The selected row, a line for each column.
fn row_text(state: &State) -> String {
    let selected = state.result.grid.as_ref();
    let selected = selected.and_then(|grid| Some((grid, grid.selected()?.0)));
    selected.map_or(String::new(), |(grid, row)| {
        let columns = grid.table().columns().iter().enumerate();
        columns
            .map(|(at, column)| {
                let detail = grid.detail(row, at).unwrap_or_default();
                format!("{}: {detail}\n", column.label)
            })
            .collect()
    })
}

/// The text of a window.
pub fn page_text(state: &State, page: &Page) -> String {
    match page {
        Page::Cell(text) => text.clone(),
        Page::Row => row_text(state),
        Page::Rejected(rejected) => {
            let findings = rejected
                .findings
                .iter()
                .map(|finding| format!("{finding}\n"));
            format!("{}\n{}\n", findings.collect::<String>(), rejected.sql)
        }
        Page::Problems => state
            .problems
            .iter()
            .map(|problem| format!("{problem}\n"))
            .collect(),
        Page::Policy(report) => report
            .as_ref()
            .map_or_else(String::new, |report| report.markdown()),
        Page::Number(_, sections) => sections
            .iter()
            .map(|section| format!("{}\n{}\n\n", section.heading, section.lines.join("\n")))
            .collect(),
        Page::Excerpts(excerpts) => excerpts
            .iter()
            .map(|excerpt| format!("# {}\n{}\n", excerpt.at, excerpt.lines.join("\n")))
            .collect(),
    }
}
