//! Time in plain English: "last 7 days", "since March", "Q3 vs last year", read against a given day and said again in plain words.
//!
//! A phrase is read from the first word on, as long as it goes. What has two meanings is never decided here: it comes back as
//! [`Phrase::Ambiguous`]; what looks like a time and is none ("31 February", "early November") as [`Phrase::Impossible`].

mod against;
mod cursor;
mod dates;
mod names;
mod parts;
mod period;
mod point;
mod relative;
mod say;
mod span;

use jiff::civil::Date;

use super::{Calendar, Comparison, TimeRange};

pub use names::month;
pub use say::phrase;

/// What a phrase is read against.
#[derive(Debug, Clone, Copy)]
pub struct TimeSetting<'a> {
    /// The current day.
    pub today: Date,
    /// First day of the week, first month of the fiscal year.
    pub calendar: &'a Calendar,
}

/// A meaning that is certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// What is meant.
    pub meaning: T,
    /// How many words said it, from the first one.
    pub used: usize,
    /// What a reader should be told, where the words alone do not say it: "complete weeks: 2026-11-02 to 2026-11-15".
    pub note: Option<String>,
}

/// What the first words say about time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phrase<T> {
    /// One thing.
    Found(Found<T>),
    /// One of several things: somebody has to be asked.
    Ambiguous {
        /// How many words.
        used: usize,
        /// The meanings with their names for people, the likeliest first; at least two.
        readings: Vec<(T, String)>,
    },
    /// A time that does not exist or is not exact.
    Impossible {
        /// How many words.
        used: usize,
        /// Why, and what to write instead.
        reason: String,
    },
}

impl<T> Phrase<T> {
    /// How many words it takes, from the first one.
    pub fn used(&self) -> usize {
        match self {
            Self::Found(found) => found.used,
            Self::Ambiguous { used, .. } | Self::Impossible { used, .. } => *used,
        }
    }
}

/// The longest time range that starts with the first word: "in the last 2 weeks", "2025-11", "from 3 to 9 Nov".
///
/// Words are lower case, without the punctuation around them. Prepositions that lead in ("in", "during the", "over")
/// belong to the phrase. The dates of a range are whole days.
pub fn range(words: &[&str], setting: &TimeSetting<'_>) -> Option<Phrase<TimeRange>> {
    span::read(cursor::Tokens::new(words).start(), setting)
}

/// The longest comparison that starts with the first word, "vs", "yoy" or "same month last year" included; the range that is compared
/// is not known. Same as [`comparison_for`] without a range.
pub fn comparison(words: &[&str], setting: &TimeSetting<'_>) -> Option<Phrase<Comparison>> {
    comparison_for(words, setting, None)
}

/// The longest comparison that starts with the first word, beside the range `main`, which decides what "last month" means:
/// one month back from it, where that is what people mean, or the calendar month.
///
/// "over" leads in only where nothing else can be meant ("over the previous year"): "over last month" is a range.
pub fn comparison_for(
    words: &[&str],
    setting: &TimeSetting<'_>,
    main: Option<TimeRange>,
) -> Option<Phrase<Comparison>> {
    against::read(cursor::Tokens::new(words).start(), setting, main)
}
