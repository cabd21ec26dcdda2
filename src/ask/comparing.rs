//! "vs last year", "ID vs TH", "month over month": what is held against what.

use super::RefusalCode;
use super::draft::{Condition, Draft, Group, Removal, Said, Test};
use super::reader::{Read, Reader};
use super::refusing::{quoted, refuse};
use super::scan::{Item, time_words};
use super::vocabulary::Keyword;
use crate::model::time_phrase::{self, Phrase, TimeSetting};
use crate::model::{Comparison, Grain, TimeRange};

impl Reader<'_> {
    /// "vs", at `at`: before a time it compares with that, between values it asks for both, between metrics it says "and".
    pub(super) fn versus(&mut self, at: usize) -> usize {
        let next = self.comparison(at, false);
        if next > at + 1 || self.is_used(at) {
            return next;
        }
        let next = self.after_lead(at + 1);
        if self.is_metric(next) {
            self.draft.compare = true;
            self.take(at);
            if at == 0 && self.setting.previous.is_some() {
                self.draft.also = true;
                self.draft.patch = true;
            }
        } else if self.has_values(next) {
            // The values before it stand apart from it: "orders from ads last month vs organic".
            let Some(dimensions) = self.draft.conditions.last().map(dimensions) else {
                return at + 1;
            };
            let Some(named) = self.items.get(next).and_then(Item::named) else {
                return at + 1;
            };
            let shares = named
                .values
                .iter()
                .any(|value| dimensions.contains(&value.dimension));
            if shares {
                self.take(at);
                let end = self.values(at, next, false);
                let last = self.draft.conditions.pop();
                if let (Some(mut added), Some(first)) = (last, self.draft.conditions.last_mut())
                    && let (Test::Values(one), Test::Values(other)) =
                        (&mut first.test, &mut added.test)
                {
                    one.append(other);
                    first.versus = true;
                    first.range.end = added.range.end;
                }
                return end;
            }
        }
        at + 1
    }

    /// A comparison in time that starts at `at`; with `and`, its first word stands for "vs": "compare this month with
    /// last month".
    pub(super) fn comparison(&mut self, at: usize, and: bool) -> usize {
        let Some(item) = self.items.get(at) else {
            return at + 1;
        };
        let start = item.words.start;
        if self
            .words
            .get(start)
            .is_none_or(|word| word.joint.is_some())
        {
            return at + 1;
        }
        let (mut texts, ends) = time_words(self.words, start);
        if and && let Some(first) = texts.first_mut() {
            "vs".clone_into(first);
        }
        let words: Vec<&str> = texts.iter().map(String::as_str).collect();
        let setting = TimeSetting {
            today: self.setting.today,
            calendar: &self.setting.registry.calendar,
        };
        let Some(phrase) = time_phrase::comparison(&words, &setting) else {
            return at + 1;
        };
        let Some(end) = phrase.used().checked_sub(1).and_then(|last| ends.get(last)) else {
            return at + 1;
        };
        // All of the items it covers, or none.
        let mut to = at;
        while self
            .items
            .get(to)
            .is_some_and(|item| item.words.end <= *end && item.words.start >= start)
        {
            to += 1;
        }
        if to == at {
            return at + 1;
        }
        let said = self.said(at, to, texts);
        self.draft.against.push(said);
        for item in at..to {
            self.take(item);
        }
        to
    }

    /// Whether the item at `at` is something that a follow-up can take away.
    pub(super) fn removes(&self, at: usize) -> bool {
        let at = if self.is_dimension(at) { at + 1 } else { at };
        self.setting.previous.is_some()
            && matches!(
                self.keyword_at(at),
                Some(Keyword::Filter | Keyword::Compare | Keyword::Grouping | Keyword::Limit)
            )
    }

    /// "remove the market filter", "without the comparison".
    pub(super) fn removal(&mut self, at: usize) -> usize {
        if self.setting.previous.is_none() {
            return at + 1;
        }
        let next = self.after_noise(at + 1);
        let next = if self.keyword_at(next) == Some(Keyword::All) {
            next + 1
        } else {
            next
        };
        let is_unit = matches!(self.keyword_at(next), Some(Keyword::Unit(_)));
        let filter = self.keyword_at(next + 1) == Some(Keyword::Filter);
        if (self.is_dimension(next) || is_unit) && !filter {
            let ends = usize::from(self.keyword_at(next + 1) == Some(Keyword::Grouping));
            let group = match self.keyword_at(next) {
                Some(Keyword::Unit(grain)) => Group::Grain(grain),
                _ => Group::Dimension(self.dimension_names(next), self.stems(next)),
            };
            let said = self.said(at, next + 1 + ends, group);
            self.draft.dropped.push(said);
            self.draft.patch = true;
            for item in at..=next + ends {
                self.take(item);
            }
            return next + 1 + ends;
        }
        if self.is_dimension(next) {
            let what = (self.dimension_names(next), self.stems(next));
            let ends = usize::from(filter);
            let said = self.said(at, next + 1 + ends, what);
            self.draft.all_of.push(said);
            self.draft.patch = true;
            for item in at..=next + ends {
                self.take(item);
            }
            return next + 1 + ends;
        }
        let removal = match self.keyword_at(next) {
            Some(Keyword::Filter) => Removal::Filters,
            Some(Keyword::Compare) => Removal::Comparison,
            Some(Keyword::Grouping) => Removal::Grouping,
            Some(Keyword::Limit) => Removal::Limit,
            _ => return at + 1,
        };
        let said = self.said(at, next + 1, removal);
        self.draft.removals.push(said);
        self.draft.patch = true;
        for item in at..=next {
            self.take(item);
        }
        next + 1
    }

    /// The bytes that an unread item takes.
    pub(super) fn unread(&self) -> impl Iterator<Item = (usize, &Item)> {
        self.items
            .iter()
            .enumerate()
            .filter(|(at, _)| !self.is_used(*at))
    }
}

/// A comparison with the range that it needs, where the question says none.
pub(super) struct Compared {
    pub(super) main: Option<Said<(TimeRange, Option<String>)>>,
    pub(super) against: Said<(Comparison, Option<String>)>,
}

impl Reader<'_> {
    /// The comparison that is said, beside the range `base`. Without a range and without a range of the metrics' own, the
    /// running period so far is compared.
    pub(super) fn compared(
        &self,
        draft: &Draft,
        base: Option<TimeRange>,
        metrics: &[String],
    ) -> Read<Option<Compared>> {
        let setting = TimeSetting {
            today: self.setting.today,
            calendar: &self.setting.registry.calendar,
        };
        let registry = self.setting.registry;
        let window = || {
            let mut metrics = metrics.iter().filter_map(|name| registry.metric(name));
            let first = metrics.next()?.window?;
            metrics
                .all(|metric| metric.window == Some(first))
                .then_some(first)
        };
        let Some(said) = draft.against.first() else {
            let Some(range) = &draft.growth else {
                return Ok(None);
            };
            if draft.trend.is_some() {
                return Ok(None);
            }
            if base.or_else(window).is_none() {
                let words = self.text(range);
                return Err(refuse(
                    RefusalCode::NotAnswerable,
                    format!("'{words}' needs a time range, and what it is compared with"),
                    Some("for instance: this month vs last month".to_owned()),
                    vec![(words, range.clone())],
                ));
            }
            let note = "compared with the period before, nothing else being said".to_owned();
            return Ok(Some(Compared {
                main: None,
                against: Said {
                    what: (Comparison::PreviousPeriod, Some(note)),
                    range: range.clone(),
                    similar: None,
                    remembered: false,
                },
            }));
        };
        if let Some(other) = draft.against.get(1) {
            let words: Vec<_> = [said, other]
                .iter()
                .map(|said| (self.text(&said.range), said.range.clone()))
                .collect();
            return Err(refuse(
                RefusalCode::NotAnswerable,
                format!("{} are two comparisons", quoted(&words)),
                Some("one at a time".to_owned()),
                words,
            ));
        }
        let words: Vec<&str> = said.what.iter().map(String::as_str).collect();
        let mut main = None;
        let base = base.or_else(window).or_else(|| {
            let running = match time_phrase::comparison(&words, &setting)? {
                Phrase::Found(found) => match found.meaning {
                    Comparison::PreviousYear => Grain::Year,
                    Comparison::Ago(1, grain) => grain,
                    _ => return None,
                },
                _ => return None,
            };
            let time = TimeRange::ToDate(running);
            let note = format!("this {running} so far, no time being said");
            main = Some(Said {
                what: (time, Some(note)),
                range: said.range.clone(),
                similar: None,
                remembered: false,
            });
            Some(time)
        });
        let text = self.text(&said.range);
        let place = vec![(text.clone(), said.range.clone())];
        match time_phrase::comparison_for(&words, &setting, base) {
            Some(Phrase::Found(found)) => Ok(Some(Compared {
                main,
                against: said.clone().map(|_| (found.meaning, found.note)),
            })),
            Some(Phrase::Ambiguous { readings, .. }) => {
                let readings: Vec<String> = readings.into_iter().map(|(_, name)| name).collect();
                Err(refuse(
                    RefusalCode::NotAnswerable,
                    format!("'{text}' may be {}", readings.join(" or ")),
                    Some("say it in other words".to_owned()),
                    place,
                ))
            }
            Some(Phrase::Impossible { reason, .. }) => {
                Err(refuse(RefusalCode::NotAnswerable, reason, None, place))
            }
            None => Err(refuse(
                RefusalCode::NotAnswerable,
                format!("'{text}' does not say what is compared"),
                None,
                place,
            )),
        }
    }
}

/// The dimensions that the values of a condition may be of.
fn dimensions(condition: &Condition) -> Vec<String> {
    let Test::Values(literals) = &condition.test else {
        return Vec::new();
    };
    literals
        .iter()
        .filter_map(|literal| match &literal.what {
            super::draft::Literal::Known(known) => Some(known),
            super::draft::Literal::Other => None,
        })
        .flatten()
        .map(|value| value.dimension.clone())
        .collect()
}
