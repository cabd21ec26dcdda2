//! What can be done, as lists to search: the palette, and the help on all keys.

use super::action::{self, Action, Context, Entry, Menu};
use super::input::{EDITING, EDITING_TITLE};
use super::keymap::joined;
use super::keys::Keys;
use super::popup::{Choice, PickerKind};
use super::state::State;
use super::widgets::fuzzy_list::Item;

/// Signs on the screen, with what they mean.
const SIGNS: [(&str, &str); 4] = [
    ("✓", "certified metric"),
    ("~", "draft metric"),
    ("×", "deprecated metric"),
    ("•", "metric of the query"),
];

/// How many of the last used commands are offered first.
const LAST_USED: usize = 5;

/// Every action once, with its keys: those used last first; what cannot be used now says why.
pub fn palette(state: &State) -> Vec<(Item, Choice)> {
    let mut offers = Vec::new();
    for action in &state.used {
        let found = offered(state).find(|(entry, _)| entry.action == *action);
        offers.extend(found.map(|(entry, keys)| command(state, entry, &keys, "Used last")));
    }
    for menu in Menu::ALL {
        let here = in_menu(state, menu).into_iter();
        let new = here.filter(|(entry, _)| !state.used.contains(&entry.action));
        offers.extend(new.map(|(entry, keys)| command(state, entry, &keys, menu.title())));
    }
    offers
}

/// The entries of a menu, with their keys.
pub fn in_menu(state: &State, menu: Menu) -> Vec<(&'static Entry, Vec<Keys>)> {
    let here = offered(state).filter(|(entry, _)| entry.menu == menu);
    here.collect()
}

/// The entries that make sense without a selection, each action once, with the keys of all its entries.
fn offered(state: &State) -> impl Iterator<Item = (&'static Entry, Vec<Keys>)> {
    let keymap = state.keymap();
    let keys = |action| {
        let same = keymap
            .rows()
            .filter(move |(entry, _)| entry.action == action);
        let same = same.filter(|(entry, _)| entry.context.in_palette());
        same.flat_map(|(_, keys)| keys.iter().copied())
    };
    keymap.first_rows().filter_map(move |entry| {
        let makes_sense =
            entry.context.in_palette() && !matches!(entry.action, Action::Back | Action::Menu);
        makes_sense.then(|| (entry, keys(entry.action).collect()))
    })
}

fn command(state: &State, entry: &Entry, keys: &[Keys], group: &str) -> (Item, Choice) {
    let item = Item::new(entry.id, entry.title)
        .right(&joined(keys, "  "))
        .also(&format!("{} {}", entry.id, joined(keys, " ")))
        .group(group);
    let item = match (entry.enabled)(state) {
        Ok(()) => item,
        Err(reason) => item.disabled(&reason),
    };
    (item, Choice::Action(entry.action))
}

/// Every key by where it applies, what applies now first; then the signs on the screen.
pub fn help(state: &State) -> Vec<(Item, Choice)> {
    let here = action::contexts(state);
    let mut all = here.to_vec();
    for (entry, _) in state.keymap().rows() {
        if !all.contains(&entry.context) {
            all.push(entry.context);
        }
    }
    let mut offers = Vec::new();
    for context in &all {
        let rows = state.keymap().rows();
        let rows = rows.filter(|(entry, keys)| entry.context == *context && !keys.is_empty());
        offers.extend(rows.map(|(entry, keys)| {
            let reason = (entry.enabled)(state).err();
            let where_ = context.title();
            let item = Item::new(entry.id, entry.title)
                .detail(&reason.map_or(String::new(), |reason| format!("({reason})")))
                .right(&joined(keys, "  "))
                .also(&format!("{} {} {where_}", entry.id, joined(keys, " ")))
                .group(where_);
            let choice = if here.contains(context) || context.in_palette() {
                Choice::Action(entry.action)
            } else {
                Choice::Elsewhere(*context)
            };
            (item, choice)
        }));
    }
    offers.extend(editing(state));
    offers.extend(SIGNS.map(|(sign, words)| {
        let item = Item::new(sign, &format!("{sign}  {words}")).group("Signs on the screen");
        (item, Choice::Elsewhere(Context::Catalog))
    }));
    offers
}

/// The keys of a text, but for those that are an action's.
fn editing(state: &State) -> impl Iterator<Item = (Item, Choice)> {
    let is_taken = |text: &str| {
        let mut rows = state.keymap().rows();
        let is_it = |keys: &Keys| keys.to_string() == text;
        rows.any(|(entry, keys)| entry.context == Context::Everywhere && keys.iter().any(is_it))
    };
    let free = EDITING.into_iter().filter(move |(key, _)| !is_taken(key));
    free.map(|(key, words)| {
        let item = Item::new(key, words).right(key).group(EDITING_TITLE);
        (item, Choice::Elsewhere(Context::Prompt))
    })
}

/// Keeps an action among those used last.
pub fn remember(state: &mut State, action: Action) {
    state.used.retain(|used| *used != action);
    state.used.insert(0, action);
    state.used.truncate(LAST_USED);
}

/// How an action of such a list is called in a configuration.
pub fn name_note(kind: &PickerKind, item: &Item) -> Option<String> {
    let is_action = action::actions().iter().any(|entry| entry.id == item.key);
    let named = matches!(kind, PickerKind::Palette | PickerKind::Help) && is_action;
    named.then(|| format!("its name under keys: in the configuration is {}", item.key))
}
