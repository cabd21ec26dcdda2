//! What the lists offer: dimensions, values, times, comparisons, orders, commands, earlier queries.

mod analyses;
mod copies;
mod dimensions;
mod kept;
mod parts;

pub use analyses::analyses;
pub use copies::{QueryCopy, copies, page_text};
pub use dimensions::{dimensions, values, values_note};
pub use kept::{choices, history, meanings, views};
pub use parts::{comparisons, orders, times, typed, verdicts};

use super::popup::Choice;
use super::state::State;
use super::theme::Theme;
use super::widgets::fuzzy_list::Item;

type Offer = (Item, Choice);

/// The project's connections.
pub fn connections(state: &State) -> Vec<Offer> {
    let connections = state.setting.connections.iter();
    connections
        .map(|connection| {
            let mut right = Vec::new();
            right.extend(connection.care.production.then_some("production"));
            right.extend((connection.name == state.connection).then_some("in use"));
            let dialect = connection.dialect.word();
            let guard = connection.guard.word();
            let detail = format!("{dialect} · {guard} · {}", connection.target);
            let item = Item::new(&connection.name, &connection.name)
                .detail(&detail)
                .right(&right.join(", "));
            (item, Choice::Connection(connection.name.clone()))
        })
        .collect()
}

/// The themes.
pub fn themes(state: &State) -> Vec<Offer> {
    let names = Theme::names(&state.setting.preferences.themes).into_iter();
    names
        .map(|name| {
            let in_use = if name == state.theme_name {
                "in use"
            } else {
                ""
            };
            let item = Item::new(&name, &name)
                .detail(Theme::about(&name, &state.setting.preferences.themes))
                .right(in_use);
            (item, Choice::Theme(name))
        })
        .collect()
}
