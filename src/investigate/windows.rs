//! The periods of a question and those before it: the same two periods, moved back together step by step.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use crate::model::{DateRange, Grain, Weekday};

/// Days, from the first up to, but not including, the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first day.
    pub start: Date,
    /// The day after the last one.
    pub end: Date,
}

impl Window {
    /// A range with both ends.
    pub fn of(range: DateRange) -> Option<Self> {
        let (start, end) = (range.start?, range.end?);
        (start < end).then_some(Self { start, end })
    }

    /// Whether a day lies in it.
    pub fn holds(&self, day: Date) -> bool {
        self.start <= day && day < self.end
    }

    /// How many days it has.
    pub fn days(&self) -> i32 {
        days(self.start, self.end)
    }

    fn back(self, span: Span) -> Self {
        Self {
            start: self.start.saturating_sub(span),
            end: self.end.saturating_sub(span),
        }
    }
}

impl From<Window> for DateRange {
    fn from(window: Window) -> Self {
        Self {
            start: Some(window.start),
            end: Some(window.end),
        }
    }
}

/// Two periods that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// The earlier one.
    pub before: Window,
    /// The later one.
    pub after: Window,
}

/// The periods of a question first, then the same two moved back by their own length, again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The question's, then the earlier ones.
    pub pairs: Vec<Compared>,
    /// The coarsest grain whose periods none of them cuts.
    pub grain: Grain,
}

impl History {
    /// The history of a question.
    pub fn of(asked: Compared, week_start: Weekday) -> Self {
        let (step, most) = step(asked);
        let moved = (0..=most).map(|n| {
            let span = match step {
                Step::Months(months) => Span::new().months(i64::from(months * n)),
                Step::Days(days) => Span::new().days(i64::from(days * n)),
            };
            Compared {
                before: asked.before.back(span),
                after: asked.after.back(span),
            }
        });
        let pairs: Vec<Compared> = moved.collect();
        let grain = grain(&pairs, week_start);
        Self { pairs, grain }
    }

    /// With so many of the earlier pairs at most.
    pub fn shortened(mut self, most: usize) -> Self {
        self.pairs.truncate(most + 1);
        self
    }

    /// All days from the first one to the last one.
    pub fn span(&self) -> Option<Window> {
        let windows = || self.windows();
        Some(Window {
            start: windows().map(|window| window.start).min()?,
            end: windows().map(|window| window.end).max()?,
        })
    }

    /// Every window.
    pub fn windows(&self) -> impl Iterator<Item = Window> {
        self.pairs.iter().flat_map(|pair| [pair.before, pair.after])
    }

    /// Whether every window is one period of the grain, so that a row by grain is a window.
    pub fn is_one_period(&self, week_start: Weekday) -> bool {
        let is_one = |window: Window| {
            let last = window.end.saturating_sub(1.day());
            self.grain.floor(last, week_start) == window.start
        };
        self.windows().all(is_one)
    }
}

enum Step {
    Months(i32),
    Days(i32),
}

/// How far two periods are moved back each time, and how often.
fn step(asked: Compared) -> (Step, i32) {
    let Compared { before, after } = asked;
    let length = after.days();
    let is_of_months = after.start.day() == 1 && before.start.day() == 1;
    if is_of_months && length >= 8 {
        let months = (0..)
            .find(|n| {
                after
                    .start
                    .saturating_add(Span::new().months(i64::from(*n)))
                    >= after.end
            })
            .unwrap_or(1)
            .max(1);
        let most = match months {
            1 => 24,
            2..=3 => 10,
            _ => 4,
        };
        return (Step::Months(months), most);
    }
    let most = match length {
        1 => 28,
        2..=7 => 26,
        8..=31 => 16,
        _ => 6,
    };
    (Step::Days(length.max(1)), most)
}

fn grain(pairs: &[Compared], week_start: Weekday) -> Grain {
    let is_border = |grain: Grain, day: Date| grain.floor(day, week_start) == day;
    let fits = |grain: &Grain| {
        let windows = pairs.iter().flat_map(|pair| [pair.before, pair.after]);
        windows
            .flat_map(|window| [window.start, window.end])
            .all(|day| is_border(*grain, day))
    };
    let coarse = [Grain::Year, Grain::Quarter, Grain::Month, Grain::Week];
    coarse.into_iter().find(fits).unwrap_or(Grain::Day)
}

/// Days from one to another.
pub fn days(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use jiff::civil::date;

    use super::*;

    fn asked(before: (Date, Date), after: (Date, Date)) -> Compared {
        let window = |(start, end)| Window { start, end };
        Compared {
            before: window(before),
            after: window(after),
        }
    }

    #[test]
    fn months_go_back_by_months() {
        let (sep, oct, nov) = (date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1));
        let history = History::of(asked((sep, oct), (oct, nov)), Weekday::Monday);
        assert_eq!(history.grain, Grain::Month);
        assert!(history.is_one_period(Weekday::Monday));
        assert_eq!(history.pairs.len(), 25);
        assert_eq!(
            history.pairs[1].after,
            Window {
                start: sep,
                end: oct
            }
        );
        assert_eq!(history.span().unwrap().start, date(2024, 9, 1));
    }

    #[test]
    fn days_of_a_month_are_compared_with_the_same_days() {
        let before = (date(2026, 10, 1), date(2026, 10, 21));
        let after = (date(2026, 11, 1), date(2026, 11, 21));
        let history = History::of(asked(before, after), Weekday::Monday);
        assert_eq!(history.grain, Grain::Day);
        assert_eq!(history.pairs[1].after, history.pairs[0].before);
    }

    #[test]
    fn weeks_go_back_by_weeks() {
        let (one, two, three) = (date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 16));
        let history = History::of(asked((one, two), (two, three)), Weekday::Monday);
        assert_eq!((history.grain, history.pairs.len()), (Grain::Week, 27));
        // Against the year before, the pairs still go back week by week.
        let (early, late) = (date(2025, 11, 10), date(2025, 11, 17));
        let history = History::of(asked((early, late), (two, three)), Weekday::Monday);
        assert_eq!(history.pairs[1].after.start, one);
        assert_eq!(history.grain, Grain::Week);
    }

    #[test]
    fn a_range_of_its_own_goes_back_by_its_length() {
        let before = (date(2026, 10, 3), date(2026, 10, 13));
        let after = (date(2026, 10, 13), date(2026, 10, 23));
        let history = History::of(asked(before, after), Weekday::Monday);
        assert_eq!(history.grain, Grain::Day);
        assert_eq!(history.pairs[1].after, history.pairs[0].before);
    }
}
