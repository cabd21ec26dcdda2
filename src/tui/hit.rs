//! What stands where in the last frame, so that a click finds it.

use jiff::civil::Date;
use ratatui::layout::{Position, Rect};

use super::action::{Action, Menu};
use super::define::Row;
use super::splits::Border;
use super::state::Focus;

/// Something on the screen that can be clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A pane, anywhere in it.
    Pane(Focus),
    /// A border that can be moved, at the side of a pane.
    Border(Border, Focus),
    /// The search box of the catalog.
    SearchBox,
    /// The query line.
    QueryLine,
    /// A row of the catalog.
    CatalogRow(usize),
    /// A part of the query.
    Part(usize),
    /// A place in the SQL: column and row, from its corner.
    Sql(u16, u16),
    /// A place in the result: column and row, from its corner.
    Grid(u16, u16),
    /// A place in the chart: column and row, from its corner.
    Chart(u16, u16),
    /// A place in the list on top: column and row, from its corner.
    List(u16, u16),
    /// A day of the calendar on top.
    Day(Date),
    /// A row of the form that defines a metric.
    DefineRow(Row),
    /// The window on top, anywhere.
    Popup,
    /// Beside the window on top.
    Outside,
    /// A tab, in the bar or beside the one on the screen.
    Tab(usize),
    /// A title of the menu bar.
    Menu(Menu),
    /// A word that stands for an action.
    Action(Action),
}

/// Areas of a frame with their meaning; later ones lie on top.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HitMap {
    areas: Vec<(Rect, Target)>,
}

impl HitMap {
    /// Adds an area on top.
    pub fn add(&mut self, area: Rect, target: Target) {
        self.areas.push((area, target));
    }

    /// What is at a place.
    pub fn at(&self, column: u16, row: u16) -> Option<Target> {
        let position = Position::new(column, row);
        let (area, target) = self
            .areas
            .iter()
            .rev()
            .find(|(area, _)| area.contains(position))?;
        let (x, y) = (column - area.x, row - area.y);
        Some(match target {
            Target::Sql(..) => Target::Sql(x, y),
            Target::Grid(..) => Target::Grid(x, y),
            Target::Chart(..) => Target::Chart(x, y),
            Target::List(..) => Target::List(x, y),
            other => *other,
        })
    }
}
