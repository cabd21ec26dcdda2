//! The terminal explorer. The only room that names ratatui or crossterm.
//!
//! [`update()`] is pure: a [`Message`] changes the [`State`] and yields [`Effect`]s. [`view()`] is pure too: it draws a
//! state and says what stands where. [`run()`] connects both with a terminal and a session.

pub mod action;
mod author;
mod background;
mod beside;
pub mod charting;
mod clipboard;
mod commands;
pub mod define;
mod drafts;
pub mod drill;
mod edit;
mod engine;
mod files;
mod hit;
mod input;
mod keymap;
mod keys;
mod layout;
mod linear;
pub mod look;
mod message;
mod moment;
mod offers;
mod outlet;
mod outside;
mod painter;
mod parts;
mod picture;
mod pin;
pub mod popup;
mod question;
pub mod reviewing;
mod run;
mod splits;
pub mod spread;
pub mod state;
mod tabs;
mod terminal;
mod theme;
pub mod times;
mod update;
mod view;
pub mod why;
pub mod widgets;

pub use action::{actions, actions_markdown};
pub use beside::{Beside, BesideJob, Wanted};
pub use clipboard::ways_in_words as clipboard_in_words;
pub use engine::{answer, preferences, setting};
pub use files::{FileDialog, FileJob, JobRows, Saving};
pub use hit::{HitMap, Target};
pub use input::{EDITING, EDITING_TITLE, LineInput};
pub use keymap::{Found, Keymap, joined};
pub use keys::{Chord, Keys};
pub use linear::linear;
pub use message::{
    Answer, AskNews, Earlier, Effect, Excerpt, FileNews, Lookup, Message, Notice, Preferences,
    RunNews, Setting, Slot,
};
pub use moment::{Moment, Step};
pub use painter::Painter;
pub use picture::{Palette, picture};
pub use run::{TuiError, define, edit, run};
pub use state::State;
pub use tabs::Tabs;
pub use theme::{Depth, Theme, ThemeError};
pub use update::update;
pub use view::view;
