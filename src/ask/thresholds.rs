//! "over 1000", "at least 10%", "between 5k and 10k": conditions on metrics, which hold for groups.

use super::draft::{Bounds, Threshold};
use super::reader::Reader;
use super::scan::{Item, Kind};
use super::vocabulary::Keyword;
use super::words::Number;
use crate::model::{CompareOp, FormatKind};

impl Reader<'_> {
    /// A comparison such as "over", at `at`. Without a number after it, "over" only leads in.
    pub(super) fn threshold(&mut self, at: usize, op: CompareOp) -> usize {
        let Some(number) = self.number_at(at + 1) else {
            return at + 1;
        };
        let Some(metric) = self.metric_of(at, at + 2) else {
            return at + 1;
        };
        let bounds = Bounds::One(op, self.literal(&metric, number));
        self.add_threshold(at, at + 2, metric, bounds)
    }

    /// "1000 or more orders"; the number at `at`, the rest at `link`.
    pub(super) fn at_least(&mut self, at: usize, link: usize, op: CompareOp) -> usize {
        let (Some(number), Some(metric)) = (self.number_at(at), self.metric_of(at, link + 1))
        else {
            return at + 1;
        };
        let bounds = Bounds::One(op, self.literal(&metric, number));
        self.add_threshold(at, link + 1, metric, bounds)
    }

    /// "between 5k and 10k", at `at`.
    pub(super) fn between(&mut self, at: usize) -> usize {
        let (Some(low), Some(Keyword::And), Some(high)) = (
            self.number_at(at + 1),
            self.keyword_at(at + 2),
            self.number_at(at + 3),
        ) else {
            return at + 1;
        };
        let Some(metric) = self.metric_of(at, at + 4) else {
            return at + 1;
        };
        let bounds = Bounds::Two(self.literal(&metric, low), self.literal(&metric, high));
        self.add_threshold(at, at + 4, metric, bounds)
    }

    fn add_threshold(&mut self, from: usize, to: usize, metric: String, test: Bounds) -> usize {
        let end = self.unit(to, &metric);
        for item in from..end {
            self.take(item);
        }
        let said = self.said(from, end, Threshold { metric, test });
        self.draft.thresholds.push(said);
        end
    }

    fn number_at(&self, at: usize) -> Option<Number> {
        match self.items.get(at).map(|item| &item.kind) {
            Some(Kind::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// The metric a condition is about: right before it, right after it, the nearest before, or the only one.
    fn metric_of(&self, from: usize, to: usize) -> Option<String> {
        let only = |at: usize| {
            let named = self.items.get(at).and_then(Item::named)?;
            let metrics = &named.names.metrics;
            metrics.first().filter(|_| metrics.len() == 1).cloned()
        };
        let mut before = (0..from).rev();
        let direct = before.clone().find(|&at| {
            !matches!(
                self.keyword_at(at),
                Some(Keyword::Noise | Keyword::Is | Keyword::Our)
            )
        });
        let after = self.after_noise(self.unit_end(to));
        direct
            .and_then(only)
            .or_else(|| only(after))
            .or_else(|| before.find_map(only))
            .or_else(|| {
                let metric = self.metrics.first().filter(|_| self.metrics.len() == 1);
                metric.cloned()
            })
    }

    /// The number as the metric's values are written: 20% of a share is 0.2.
    fn literal(&self, metric: &str, number: Number) -> String {
        let is_share = self
            .setting
            .registry
            .metric(metric)
            .is_some_and(|metric| metric.format.kind == FormatKind::Percent);
        let value = if number.percent && is_share {
            number.value / 100.0
        } else {
            number.value
        };
        decimal(value)
    }

    /// Past a unit that may follow a number, whichever it is.
    fn unit_end(&self, at: usize) -> usize {
        let is_unit = self.items.get(at).is_some_and(|item| {
            matches!(item.kind, Kind::Unknown) && is_currency(&self.text(&item.range), None)
        });
        at + usize::from(is_unit)
    }

    /// Past the metric's own unit: "over 1m USD", "more than 500 dollars".
    fn unit(&self, at: usize, metric: &str) -> usize {
        let currency = self
            .setting
            .registry
            .metric(metric)
            .and_then(|metric| metric.format.currency.clone());
        let is_unit = self.items.get(at).is_some_and(|item| {
            matches!(item.kind, Kind::Unknown)
                && is_currency(
                    &self.text(&item.range),
                    Some(currency.as_deref().unwrap_or_default()),
                )
        });
        at + usize::from(is_unit)
    }
}

/// Whether a word is a currency: the given one, or any that has a word of its own.
fn is_currency(word: &str, currency: Option<&str>) -> bool {
    let word = word.to_lowercase();
    let code = match word.as_str() {
        "dollar" | "dollars" | "usd" | "$" => "USD",
        "euro" | "euros" | "eur" => "EUR",
        "pounds" | "gbp" => "GBP",
        _ => return false,
    };
    currency.is_none_or(|currency| currency == code)
}

/// A number as query lines write it, exact to 12 digits: 0.1, not 0.10000000000000001.
pub(super) fn decimal(value: f64) -> String {
    let text = format!("{value:.12}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
