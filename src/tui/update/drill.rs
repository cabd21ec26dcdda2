//! The menu of a cell: the rows behind its number, its meaning, its values as conditions, drilling down.

use super::picker;
use crate::compile::DimensionChoice;
use crate::model::GroupBy;
use crate::tui::action::{Action, Context, Reason};
use crate::tui::drill::{self, Row};
use crate::tui::message::{Effect, Lookup};
use crate::tui::offers;
use crate::tui::pin::pin_here;
use crate::tui::popup::{Choice, PickerKind};
use crate::tui::state::State;
use crate::tui::widgets::fuzzy_list::Item;

/// Opens the menu of the cell under the cursor.
pub(super) fn menu(state: &mut State) -> Vec<Effect> {
    let metrics = state.result.query.metrics.clone();
    picker::open(state, PickerKind::Cell);
    vec![state.ask(Lookup::Dimensions(metrics))]
}

/// What can be done with the cell, before it is known what it can be drilled by.
pub(super) fn offers(state: &State) -> Vec<(Item, Choice)> {
    let number = drill::number_here(state);
    let key = |action| {
        let key = state
            .keymap()
            .key_in(&[Context::Result, Context::Panes], action);
        key.unwrap_or_default()
    };
    let about = |action, label: &str| {
        let title = number.as_ref().map_or("", |number| &number.title);
        let mut item = Item::new(label, label)
            .detail(title)
            .right(&key(action))
            .group("Number");
        if let Err(reason) = &number {
            item = item.disabled(reason);
        }
        (item, Choice::Action(action))
    };
    let mut offers = vec![
        about(Action::RowsBehind, "rows behind this number"),
        about(Action::ExplainNumber, "explain this number"),
        about(Action::Why, "why did this number move"),
    ];
    let pin = Item::new("pin this number", "pin this number as a test")
        .right(&key(Action::PinNumber))
        .group("Number");
    let pin = match pin_here(state) {
        Ok(_) => pin,
        Err(reason) => pin.disabled(&reason),
    };
    offers.push((pin, Choice::Action(Action::PinNumber)));
    let whole = Item::new("whole cell", "see the whole cell")
        .right(&key(Action::ViewCell))
        .group("Number");
    offers.push((whole, Choice::Action(Action::ViewCell)));
    let Some(row) = drill::row_here(state) else {
        return offers;
    };
    // The grouping under the cursor first.
    let is_here = |at: &usize| Some(*at) == row.selected;
    let order = (0..row.values.len()).filter(is_here);
    let order = order.chain((0..row.values.len()).filter(|at| !is_here(at)));
    for value in order.filter_map(|at| row.values.get(at)) {
        let said = value.said();
        let (keep, leave_out) = (format!("keep only {said}"), format!("leave out {said}"));
        let without = format!("without {said}");
        offers.push(offer(&keep, said, "Filter", row.drill.keep(value)));
        offers.push(offer(
            &leave_out,
            without,
            "Filter",
            row.drill.leave_out(value),
        ));
    }
    offers
}

fn offer(
    label: &str,
    words: String,
    heading: &str,
    query: Result<crate::model::MetricQuery, Reason>,
) -> (Item, Choice) {
    let item = Item::new(label, label).group(heading);
    match query {
        Ok(query) => (item, Choice::Step(words, Box::new(query))),
        Err(reason) => (item.disabled(&reason), Choice::Action(Action::CellMenu)),
    }
}

/// What the cell can be drilled by has come.
pub(super) fn dimensions(state: &State, choices: &[DimensionChoice]) -> Vec<(Item, Choice)> {
    let mut all = offers(state);
    let Some(row) = drill::row_here(state) else {
        return all;
    };
    let said: Vec<String> = row.values.iter().map(drill::Value::said).collect();
    for (item, choice) in offers::dimensions(state, choices, false) {
        let Choice::Dimension { group, .. } = choice else {
            continue;
        };
        if is_known(&row, &group) {
            continue;
        }
        let label = format!("by {group}");
        let words = match said.is_empty() {
            true => label.clone(),
            false => said.join(", "),
        };
        let query = row.drill.into_row(&row.values, &group);
        let mut into = offer(&label, words, "Drill down", query);
        into.0 = into.0.detail(&item.detail);
        if let Some(reason) = &item.disabled {
            into.0 = into.0.disabled(reason);
        }
        all.push(into);
    }
    all
}

/// Whether all of a row has one value of a grouping: its own ones, and longer periods than its own.
fn is_known(row: &Row<'_>, group: &GroupBy) -> bool {
    row.values.iter().any(|value| match (&value.group, group) {
        (own, group) if own == group => true,
        (GroupBy::Grain { grain: own, of }, GroupBy::Grain { grain, of: other }) => {
            of == other && grain >= own
        }
        _ => false,
    })
}
