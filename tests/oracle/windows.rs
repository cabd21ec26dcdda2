//! Accumulation: which rows count for which period of the result.

use jiff::civil::{Date, DateTime};
use jiff::{Span, ToSpan};
use metrex::model::{
    AtCoarserGrain, DatePart, DateRange, DimensionType, Filter, Grain, GroupBy, Measure,
};

use super::conditions;
use super::metrics::{Context, Question};
use super::time::{self, Shift};
use super::{Answered, Value, refuse};

/// The rows that count for a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Window {
    /// Every row so far.
    AllTime,
    /// Those of so many units that end with the period.
    Trailing(u32, Grain),
    /// Those since the start of the longer period.
    ToDate(Grain),
    /// Those of the first period (of the query's grain) of the longer period.
    StartOf(Grain),
}

impl Window {
    pub fn of(window: &metrex::model::Window) -> Self {
        use metrex::model::Window;
        match window {
            Window::AllTime => Self::AllTime,
            Window::Trailing(n, unit) => Self::Trailing(*n, *unit),
            Window::ToDate(long) => Self::ToDate(*long),
            Window::ToDateOf(_) => panic!("the oracle does not know windows of calendar tables"),
        }
    }
}

/// A window: the period it belongs to, none where the result has no periods, and its half-open bounds.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    pub period: Option<DateTime>,
    pub from: Option<DateTime>,
    pub to: DateTime,
}

impl Frame {
    pub fn holds(&self, at: DateTime) -> bool {
        self.from.is_none_or(|from| at >= from) && at < self.to
    }
}

impl Question<'_, '_> {
    /// The windows of a measure; `times` are those of all its rows.
    pub fn frames(
        &self,
        measure: &Measure,
        context: &Context,
        window: Window,
        coarser: AtCoarserGrain,
        times: &[DateTime],
    ) -> Answered<Vec<Frame>> {
        let Some(shown) = self.own_grain(measure)? else {
            if self.has_own_part(measure)? {
                return refuse("a part of a date is no point in time");
            }
            return Ok(vec![self.at_the_end(context, window)?]);
        };
        let is_averaged = coarser == AtCoarserGrain::Average && shown > Grain::Day;
        // A week belongs to no month: with both, the days are told apart.
        let crosses = shown == Grain::Week && self.is_by_longer_than_weeks(measure)?;
        let grain = if is_averaged || crosses {
            Grain::Day
        } else {
            shown
        };
        // What has no window has none without rows too.
        if let Window::StartOf(long) = window
            && (long < shown || (long > Grain::Week && shown == Grain::Week))
        {
            return refuse(format!("a {long} has no first {shown}"));
        }
        self.from(window, midnight(self.world.today), grain)?;
        let mut periods = self.periods(shown, grain, context, times);
        if crosses && !is_averaged {
            periods = self.edges(measure, &periods, coarser)?;
        }
        let mut frames = Vec::new();
        for period in periods {
            let by = context.back.map(|back| back.by);
            if let Some(by) = by
                && grain == Grain::Day
                && !by.back().has_counterpart(period.date())
            {
                continue;
            }
            // Months differ in length, so the window is that of the period there; days do not, so the window is moved.
            let (there, days) = match by {
                Some(by @ Shift::Months(_)) => {
                    let there = by.back().apply(period.date());
                    (there.to_datetime(period.time()), 0)
                }
                Some(Shift::Days(days)) => (period, days),
                None => (period, 0),
            };
            let moved = |at: DateTime| at - i64::from(days).days();
            let mut to = self.next(there, grain);
            if coarser == AtCoarserGrain::First && grain > Grain::Day {
                to = midnight(there.date().tomorrow().unwrap());
            }
            let cut = self.cut(context).map(midnight);
            if let Some(cut) = cut.filter(|cut| there < *cut && *cut < to) {
                to = cut;
            }
            to = moved(to);
            let mut from = self.from(window, to, grain)?;
            if let Window::StartOf(long) = window {
                let first = midnight(self.first_day(moved(there).date(), long));
                from = Some(first);
                to = self.next(first, grain);
            }
            frames.push(Frame {
                period: Some(period),
                from,
                to,
            });
        }
        Ok(frames)
    }

    /// Whether the result is by months, quarters or years of the measure's time, also as parts of a date.
    pub fn is_by_longer_than_weeks(&self, measure: &Measure) -> Answered<bool> {
        for group in &self.groups {
            let (of, is_long) = match group {
                GroupBy::Grain { grain, of } => (of, *grain > Grain::Week),
                GroupBy::Part { part, of } => {
                    let is_long = matches!(
                        part,
                        DatePart::MonthOfYear | DatePart::QuarterOfYear | DatePart::YearNumber
                    );
                    (of, is_long)
                }
                GroupBy::Dimension(_) => continue,
            };
            if is_long && self.is_own(measure, of.as_deref())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The last days of the periods that they belong to, or the first.
    fn edges(
        &self,
        measure: &Measure,
        days: &[DateTime],
        coarser: AtCoarserGrain,
    ) -> Answered<Vec<DateTime>> {
        let mut edges = Vec::new();
        for (index, day) in days.iter().enumerate() {
            let beside = match coarser {
                AtCoarserGrain::First => index.checked_sub(1).map(|before| days[before]),
                _ => days.get(index + 1).copied(),
            };
            let own = self.frame_periods(measure, *day)?;
            let is_edge = match beside {
                None => true,
                Some(beside) => self.frame_periods(measure, beside)? != own,
            };
            if is_edge {
                edges.push(*day);
            }
        }
        Ok(edges)
    }

    /// The periods (and parts) of the result that a day belongs to.
    pub fn frame_periods(&self, measure: &Measure, day: DateTime) -> Answered<Vec<Value>> {
        let mut periods = Vec::new();
        for group in &self.groups {
            let (GroupBy::Grain { of, .. } | GroupBy::Part { of, .. }) = group else {
                continue;
            };
            if self.is_own(measure, of.as_deref())? {
                periods.push(self.of_period(group, day));
            }
        }
        Ok(periods)
    }

    /// The one window of a result without periods: it ends with the range, with today where that is open or still runs.
    fn at_the_end(&self, context: &Context, window: Window) -> Answered<Frame> {
        let tomorrow = self.world.today.tomorrow().unwrap();
        let end = match (self.cut(context), context.back.map(|back| back.by)) {
            (Some(end), Some(by @ Shift::Days(_))) => by.back().apply(end),
            (Some(end), _) => end,
            (None, None) => tomorrow,
            (None, Some(by)) => by.back().apply(self.world.today).tomorrow().unwrap(),
        };
        if matches!(window, Window::StartOf(_)) {
            return refuse("the first period needs periods");
        }
        Ok(Frame {
            period: None,
            from: self.from(window, midnight(end), Grain::Day)?,
            to: midnight(end),
        })
    }

    /// Where a window begins that ends so.
    fn from(&self, window: Window, to: DateTime, grain: Grain) -> Answered<Option<DateTime>> {
        Ok(match window {
            Window::AllTime | Window::StartOf(_) => None,
            Window::Trailing(n, unit) => {
                let n = i64::from(n);
                if unit < Grain::Day && grain >= Grain::Day {
                    return refuse(format!("a window of {unit}s needs a result by {unit}"));
                }
                let span: Span = match unit {
                    Grain::Second => n.seconds(),
                    Grain::Minute => n.minutes(),
                    Grain::Hour => n.hours(),
                    Grain::Day => n.days(),
                    Grain::Week => n.weeks(),
                    Grain::Month => n.months(),
                    Grain::Quarter => (3 * n).months(),
                    Grain::Year => n.years(),
                };
                Some(to - span)
            }
            Window::ToDate(long) => {
                let last = to - 1.microsecond();
                Some(midnight(self.first_day(last.date(), long)))
            }
        })
    }

    /// The day with which everything ends: the range's end, today in a range that still runs.
    fn cut(&self, context: &Context) -> Option<Date> {
        if let Some(back) = context
            .back
            .filter(|back| matches!(back.by, Shift::Months(_)))
        {
            return back.range.end;
        }
        let today = self.world.today;
        let runs = self.range.start.is_none_or(|start| start <= today);
        let end = self.range.end?;
        Some(if runs {
            end.min(today.tomorrow().unwrap())
        } else {
            end
        })
    }

    /// The periods of the result: of the range, and of the data where it is open.
    fn periods(
        &self,
        shown: Grain,
        grain: Grain,
        context: &Context,
        times: &[DateTime],
    ) -> Vec<DateTime> {
        let moved = |at: DateTime| {
            let period = self.floor(at, grain);
            match context.back.map(|back| back.by) {
                None => period,
                Some(Shift::Days(days)) => self.floor(at + i64::from(days).days(), grain),
                Some(by) => {
                    let day = by.apply(period.date());
                    self.floor(day.to_datetime(period.time()), grain)
                }
            }
        };
        let first = match self.range.start {
            Some(start) => self.floor(self.floor(midnight(start), shown), grain),
            None => match times.iter().min() {
                Some(first) => moved(*first),
                None => return vec![],
            },
        };
        let DateRange { start, end } = self.range;
        let today = midnight(self.world.today);
        let last = match end {
            Some(end) if grain < Grain::Day => midnight(end) - 1.second(),
            Some(end) => midnight(end.yesterday().unwrap()).min(today),
            None => {
                let of_data = times.iter().max().map(|last| moved(*last));
                // An open range goes on to today, as it does for every trend.
                let of_data = of_data.unwrap_or(first);
                // What looks back ends today.
                if context.back.is_some() && grain >= Grain::Day {
                    if start.is_some() {
                        today
                    } else {
                        of_data.min(today)
                    }
                } else if start.is_some() {
                    of_data.max(today)
                } else {
                    of_data
                }
            }
        };
        let mut periods = Vec::new();
        let mut period = first;
        while period <= last {
            periods.push(period);
            period = self.next(period, grain);
        }
        periods
    }

    fn floor(&self, at: DateTime, grain: Grain) -> DateTime {
        let week_start = self.world.registry.calendar.week_start;
        time::floor(at, grain, week_start).instant().unwrap()
    }

    fn first_day(&self, day: Date, grain: Grain) -> Date {
        time::first_day(day, grain, self.world.registry.calendar.week_start)
    }

    fn next(&self, period: DateTime, grain: Grain) -> DateTime {
        match grain {
            Grain::Second => period + 1.second(),
            Grain::Minute => period + 1.minute(),
            Grain::Hour => period + 1.hour(),
            _ => {
                let week_start = self.world.registry.calendar.week_start;
                midnight(time::next_period(period.date(), grain, week_start))
            }
        }
    }

    /// Whether a time named in a grouping is the one that the measure's periods are of.
    pub fn is_own(&self, measure: &Measure, of: Option<&str>) -> Answered<bool> {
        let own = self.time_name(measure, None)?;
        let Some(of) = of else {
            return Ok(true);
        };
        let world = self.world;
        Ok(world.path(&measure.dataset, of).ok() == world.path(&measure.dataset, &own).ok())
    }

    /// The finest grain of the measure's own time that is grouped by.
    pub fn own_grain(&self, measure: &Measure) -> Answered<Option<Grain>> {
        let mut finest: Option<Grain> = None;
        for group in &self.groups {
            if let GroupBy::Grain { grain, of } = group
                && self.is_own(measure, of.as_deref())?
            {
                finest = Some(finest.map_or(*grain, |finest| finest.min(*grain)));
            }
        }
        Ok(finest)
    }

    fn has_own_part(&self, measure: &Measure) -> Answered<bool> {
        for group in &self.groups {
            if let GroupBy::Part { of, .. } = group
                && self.is_own(measure, of.as_deref())?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A grouping by a period of a window.
    pub fn of_period(&self, group: &GroupBy, period: DateTime) -> Value {
        let part = |part: DatePart| time::part(period, part);
        match group {
            GroupBy::Grain { grain, .. } => {
                time::floor(period, *grain, self.world.registry.calendar.week_start)
            }
            GroupBy::Part { part: of, .. } => part(*of),
            GroupBy::Dimension(name) => panic!("{name} is no period"),
        }
    }
}

/// Conditions on the time.
impl Question<'_, '_> {
    /// The conditions, all of which hold.
    pub fn parts(&self) -> &[Filter] {
        match &self.conditions {
            Some(Filter::And(parts)) => parts,
            Some(one) => std::slice::from_ref(one),
            None => &[],
        }
    }

    /// Whether a condition has anything to do with the time that a measure is counted by.
    pub fn is_about_time(&self, part: &Filter, measure: &Measure) -> Answered<bool> {
        for field in part.fields() {
            if self.is_own(measure, Some(field))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether conditions on nothing but the time of all these measures leave a period.
    pub fn leaves_period(&self, period: &Value, measures: &[&Measure]) -> Answered<bool> {
        for part in self.parts() {
            let is_own = |measure: &&Measure| {
                let mut fields = part.fields().into_iter();
                fields.all(|field| self.is_own(measure, Some(field)) == Ok(true))
            };
            let field = |_: &str| Ok((period.clone(), DimensionType::Time));
            if measures.iter().all(is_own) && conditions::holds(part, &field)? != Some(true) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a period is shown: conditions on the time limit the windows, not their rows.
    pub fn is_shown(&self, period: Option<DateTime>, measure: &Measure) -> Answered<bool> {
        let Some(period) = period else {
            return Ok(true);
        };
        for part in self.parts() {
            let field = |_: &str| Ok((Value::Time(period), DimensionType::Time));
            if self.is_about_time(part, measure)? && conditions::holds(part, &field)? != Some(true)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

pub fn midnight(day: Date) -> DateTime {
    day.at(0, 0, 0, 0)
}

/// Two distances one after the other.
pub fn further(outer: Shift, inner: Shift) -> Answered<Shift> {
    match (outer, inner) {
        (Shift::Months(one), Shift::Months(other)) => Ok(Shift::Months(one + other)),
        (Shift::Days(one), Shift::Days(other)) => Ok(Shift::Days(one + other)),
        _ => refuse("months and days do not add up"),
    }
}
