//! What may lie behind a change: how large it is, how unusual, and how much of the change it explains.

use serde::{Deserialize, Serialize};

use super::decompose::{Amount, Pair, contributions, product, ratio, surprise, whole};
use super::noise::{Usual, weighted_median};

/// Fewer rows than this in both periods say nothing about a segment.
pub const LEAST_ROWS: f64 = 30.0;

/// A segment with less than this share of what it should be has gone dark.
const DARK: f64 = 0.1;

/// How a metric is made of what adds up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Form {
    /// It adds up itself.
    Sum {
        /// Whether its volume is something else than itself, so that an average can move.
        has_price: bool,
    },
    /// `factor * numerator / denominator + offset`, of a numerator and a denominator that add up.
    Ratio {
        /// What the quotient is multiplied by.
        factor: f64,
        /// What is added to it.
        offset: f64,
    },
}

impl Form {
    /// The metric of an amount.
    pub fn value(&self, amount: Amount) -> Option<f64> {
        match self {
            Self::Sum { .. } => Some(amount.num),
            Self::Ratio { factor, offset } => Some(amount.rate()? * factor + offset),
        }
    }

    /// What a difference of the quotient is as a difference of the metric.
    fn scale(&self) -> f64 {
        match self {
            Self::Sum { .. } => 1.0,
            Self::Ratio { factor, .. } => *factor,
        }
    }
}

/// A value of a dimension through time.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// The value; none for NULL.
    pub value: Option<String>,
    /// As people read it.
    pub label: String,
    /// The question's periods, then earlier ones.
    pub pairs: Vec<Pair>,
}

/// Kinds of causes, the most particular first: of causes that explain a change equally well, the first one is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The metric means something else now.
    Definition,
    /// Rows are missing.
    Load,
    /// One segment moved otherwise than the rest.
    Segment,
    /// The segments weigh otherwise.
    Mix,
    /// The ratio, or the average of a sum, moved everywhere alike.
    Rate,
    /// There was more or less of everything.
    Volume,
}

/// Something that may be the cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind of cause.
    pub kind: Kind,
    /// The dimension, where it is about one.
    pub dimension: Option<String>,
    /// The value of the dimension; the inner none is NULL.
    pub value: Option<Option<String>>,
    /// The segment as people read it, or nothing.
    pub label: String,
    /// By how much it moved the metric beyond what is usual, in units of the metric.
    pub effect: f64,
    /// How much its share of the whole surprises, see [`surprise`].
    pub surprise: f64,
    /// The chance of an effect at least this large by the usual variation; none without enough history.
    pub chance: Option<f64>,
    /// Whether a segment fell to next to nothing.
    pub is_dark: bool,
}

impl Finding {
    fn plain(kind: Kind, effect: f64, chance: Option<f64>) -> Self {
        Self {
            kind,
            dimension: None,
            value: None,
            label: String::new(),
            effect,
            surprise: 0.0,
            chance,
            is_dark: false,
        }
    }
}

/// The change as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Movement {
    /// The metric before.
    pub before: f64,
    /// The metric after.
    pub after: f64,
    /// The change that is usual.
    pub usual: Option<f64>,
    /// The spread of usual changes, as a standard deviation.
    pub sigma: Option<f64>,
    /// The chance of a change at least this far from the usual one; none without enough history.
    pub chance: Option<f64>,
    /// How many earlier changes the usual one is known from.
    pub periods: usize,
}

impl Movement {
    /// After minus before.
    pub fn change(&self) -> f64 {
        self.after - self.before
    }

    /// The change beyond what is usual.
    pub fn excess(&self) -> f64 {
        self.change() - self.usual.unwrap_or(0.0)
    }

    /// From the values of the question's periods and of earlier ones. `is_relative`: changes grow with the metric, as
    /// those of sums do.
    pub fn of(values: &[(f64, f64)], is_relative: bool, floor: f64) -> Option<Self> {
        let ((before, after), earlier) = values.split_first()?;
        let scale = |before: f64| match is_relative && before != 0.0 {
            true => before.abs(),
            false => 1.0,
        };
        let own = scale(*before);
        let history: Vec<f64> = earlier
            .iter()
            .map(|(one, other)| (other - one) / scale(*one))
            .collect();
        let usual = Usual::of(&history, floor / own);
        Some(Self {
            before: *before,
            after: *after,
            usual: usual.map(|usual| usual.middle * own),
            sigma: usual.map(|usual| usual.sigma * own),
            chance: usual.map(|usual| usual.chance((after - before) / own)),
            periods: usual.map_or(0, |usual| usual.count),
        })
    }
}

/// The change of a metric as a whole, with what its factors did: less volume, or less of it each time.
pub fn of_whole(form: Form, pairs: &[Pair]) -> Option<(Movement, Vec<Finding>)> {
    let known = known(pairs);
    let first = known.first()?;
    let values: Vec<(f64, f64)> = known
        .iter()
        .filter_map(|pair| Some((form.value(pair.before)?, form.value(pair.after)?)))
        .collect();
    let is_sum = matches!(form, Form::Sum { .. });
    form.value(first.before).zip(form.value(first.after))?;
    let movement = Movement::of(&values, is_sum, by_chance(form, first))?;
    let findings = match form {
        Form::Ratio { .. } => {
            vec![Finding::plain(
                Kind::Rate,
                movement.excess(),
                movement.chance,
            )]
        }
        Form::Sum { has_price: false } => {
            vec![Finding::plain(
                Kind::Volume,
                movement.excess(),
                movement.chance,
            )]
        }
        Form::Sum { has_price: true } => {
            let effects: Vec<(f64, f64)> = known.iter().map(factors).collect();
            let test = |kind, part: fn(&(f64, f64)) -> f64| {
                let shares = effects.iter().zip(&known);
                let shares: Vec<f64> = shares
                    .map(|(effect, pair)| part(effect) / scale_of(pair.before.num))
                    .collect();
                tested(
                    kind,
                    &shares,
                    scale_of(first.before.num),
                    by_chance(form, first),
                )
            };
            [
                test(Kind::Volume, |effect| effect.0),
                test(Kind::Rate, |effect| effect.1),
            ]
            .into_iter()
            .flatten()
            .collect()
        }
    };
    Some((movement, findings))
}

/// What the volume and the average of a sum did.
pub fn factors(pair: &Pair) -> (f64, f64) {
    let price = |amount: Amount| amount.rate();
    let prices = match (price(pair.before), price(pair.after)) {
        (Some(one), Some(other)) => (one, other),
        // Without volume on one side there is no average to have moved.
        (Some(only), None) | (None, Some(only)) => (only, only),
        (None, None) => return (pair.after.num - pair.before.num, 0.0),
    };
    product((pair.before.den, pair.after.den), prices)
}

/// What stands out among the values of a dimension: each segment against the others, and the mix of all.
pub fn of_dimension(form: Form, dimension: &str, segments: &[Segment]) -> Vec<Finding> {
    let periods = segments
        .iter()
        .map(|one| one.pairs.len())
        .min()
        .unwrap_or(0);
    let at = |period: usize| -> Vec<Pair> {
        let pair = |segment: &Segment| segment.pairs.get(period).copied().unwrap_or_default();
        segments.iter().map(pair).collect()
    };
    let all: Vec<Vec<Pair>> = (0..periods).map(at).collect();
    let Some(now) = all.first() else {
        return Vec::new();
    };
    let total = whole(now);
    let scale = scale_of_whole(form, &total);
    let usable = |pairs: &&Vec<Pair>| {
        let whole = whole(pairs);
        whole.before.rows > 0.0 && whole.after.rows > 0.0
    };
    let earlier: Vec<&Vec<Pair>> = all.iter().skip(1).filter(usable).collect();
    let gaps: Vec<Vec<f64>> = std::iter::once(now)
        .chain(earlier.iter().copied())
        .map(|pairs| gaps(form, pairs))
        .collect();
    let shares = shares(now);
    let mut found = Vec::new();
    for (place, segment) in segments.iter().enumerate() {
        let Some(pair) = now.get(place) else { continue };
        if pair.before.rows.max(pair.after.rows) < LEAST_ROWS {
            continue;
        }
        let history: Vec<f64> = gaps
            .iter()
            .filter_map(|gaps| gaps.get(place).copied())
            .collect();
        let floor = by_chance_in(form, pair, &total) / scale;
        let Some((effect, chance)) = judged(&history, scale, floor) else {
            continue;
        };
        let (before, after) = shares.get(place).copied().unwrap_or_default();
        found.push(Finding {
            dimension: Some(dimension.to_owned()),
            value: Some(segment.value.clone()),
            label: segment.label.clone(),
            surprise: surprise(before, after),
            is_dark: is_dark(pair, &total),
            ..Finding::plain(Kind::Segment, effect, chance)
        });
    }
    found.extend(mix(form, dimension, now, &earlier));
    found
}

/// The mix of a dimension: of a ratio, and of the average of a sum.
fn mix(form: Form, dimension: &str, now: &[Pair], earlier: &[&Vec<Pair>]) -> Option<Finding> {
    if matches!(form, Form::Sum { has_price: false }) || now.len() < 2 {
        return None;
    }
    let total = whole(now);
    let effect = |pairs: &[Pair]| -> Option<f64> {
        let mix: f64 = ratio(pairs)?.iter().map(|effect| effect.mix).sum();
        let whole = whole(pairs);
        let volume = f64::midpoint(whole.before.den, whole.after.den);
        Some(match form {
            Form::Sum { .. } => mix * volume / scale_of(whole.before.num),
            Form::Ratio { factor, .. } => mix * factor,
        })
    };
    let history: Vec<f64> = std::iter::once(effect(now)?)
        .chain(earlier.iter().filter_map(|pairs| effect(pairs)))
        .collect();
    let scale = scale_of_whole(form, &total);
    // The weights of a small table move by chance.
    let floor = by_chance(form, &total) / scale * 0.5;
    let (effect, chance) = judged(&history, scale, floor)?;
    let before_and_after = now.iter().map(|pair| {
        let before = pair.before.den / scale_of(total.before.den);
        surprise(before, pair.after.den / scale_of(total.after.den))
    });
    Some(Finding {
        dimension: Some(dimension.to_owned()),
        surprise: before_and_after.sum(),
        ..Finding::plain(Kind::Mix, effect, chance)
    })
}

/// By how much each segment moved the metric beyond what it would have, had it moved like the others: as a share of the
/// whole for a sum, in units of the quotient for a ratio. The others are told by their weighted median, which one segment
/// that went wild does not move.
fn gaps(form: Form, pairs: &[Pair]) -> Vec<f64> {
    let total = whole(pairs);
    let others = |place: usize, of: &dyn Fn(&Pair) -> Option<(f64, f64)>| {
        let others = pairs.iter().enumerate().filter(|(at, _)| *at != place);
        weighted_median(others.filter_map(|(_, pair)| of(pair)))
    };
    let gap = |(place, pair): (usize, &Pair)| match form {
        Form::Sum { .. } => {
            let growth = |pair: &Pair| {
                let before = pair.before.num;
                (before != 0.0).then(|| (pair.after.num / before, before.abs()))
            };
            let usual = others(place, &growth).unwrap_or(1.0);
            (pair.after.num - pair.before.num * usual) / scale_of(total.before.num)
        }
        Form::Ratio { factor, .. } => {
            let weight = |pair: &Pair| {
                f64::midpoint(
                    pair.before.den / scale_of(total.before.den),
                    pair.after.den / scale_of(total.after.den),
                )
            };
            let moved =
                |pair: &Pair| Some((pair.after.rate()? - pair.before.rate()?, weight(pair)));
            let usual = others(place, &moved).unwrap_or(0.0);
            moved(pair).map_or(0.0, |(rate, weight)| weight * (rate - usual)) * factor
        }
    };
    pairs.iter().enumerate().map(gap).collect()
}

/// Each segment's share before and after: of a sum, and of a ratio's numerator.
fn shares(pairs: &[Pair]) -> Vec<(f64, f64)> {
    let total = whole(pairs);
    let share = |pair: &Pair| {
        (
            pair.before.num / scale_of(total.before.num),
            pair.after.num / scale_of(total.after.num),
        )
    };
    pairs.iter().map(share).collect()
}

/// The effect beyond what is usual, in units of the metric, with its chance; `history` begins with the question's.
fn judged(history: &[f64], scale: f64, floor: f64) -> Option<(f64, Option<f64>)> {
    let (now, earlier) = history.split_first()?;
    if !now.is_finite() {
        return None;
    }
    Some(match Usual::of(earlier, floor) {
        Some(usual) => ((now - usual.middle) * scale, Some(usual.chance(*now))),
        None => (now * scale, None),
    })
}

fn tested(kind: Kind, shares: &[f64], scale: f64, floor: f64) -> Option<Finding> {
    let (effect, chance) = judged(shares, scale, floor / scale)?;
    Some(Finding::plain(kind, effect, chance))
}

/// What chance alone does to the change of a number made of so many rows: the standard error of a sum of rows whose
/// spread is as large as their mean.
fn by_chance(form: Form, pair: &Pair) -> f64 {
    let error = |amount: Amount| match (form.value(amount), amount.rows > 0.0) {
        (Some(value), true) => value / amount.rows.sqrt(),
        _ => 0.0,
    };
    error(pair.before).hypot(error(pair.after))
}

fn by_chance_in(form: Form, pair: &Pair, total: &Pair) -> f64 {
    match form {
        Form::Sum { .. } => by_chance(form, pair),
        Form::Ratio { .. } => {
            let weight = f64::midpoint(
                pair.before.den / scale_of(total.before.den),
                pair.after.den / scale_of(total.after.den),
            );
            let quotient = Form::Ratio {
                factor: form.scale(),
                offset: 0.0,
            };
            by_chance(quotient, pair) * weight.abs()
        }
    }
}

fn is_dark(pair: &Pair, total: &Pair) -> bool {
    let growth = total.after.rows / scale_of(total.before.rows);
    pair.before.rows >= LEAST_ROWS && pair.after.rows < DARK * pair.before.rows * growth.min(1.0)
}

/// Earlier pairs that have rows on both sides; the question's own is kept as it is.
fn known(pairs: &[Pair]) -> Vec<Pair> {
    let has_rows = |pair: &Pair| pair.before.rows > 0.0 && pair.after.rows > 0.0;
    let kept = pairs.iter().enumerate();
    kept.filter(|(at, pair)| *at == 0 || has_rows(pair))
        .map(|(_, pair)| *pair)
        .collect()
}

fn scale_of(value: f64) -> f64 {
    if value == 0.0 { 1.0 } else { value.abs() }
}

fn scale_of_whole(form: Form, total: &Pair) -> f64 {
    match form {
        Form::Sum { .. } => scale_of(total.before.num),
        Form::Ratio { .. } => 1.0,
    }
}

/// The change of each segment, of a sum; of a ratio what it did to the ratio, mix and rate together. They add up to the
/// change of the metric exactly.
pub fn parts(form: Form, pairs: &[Pair]) -> Option<Vec<f64>> {
    match form {
        Form::Sum { .. } => Some(contributions(pairs)),
        Form::Ratio { factor, .. } => {
            let effects = ratio(pairs)?;
            Some(
                effects
                    .iter()
                    .map(|one| (one.mix + one.rate) * factor)
                    .collect(),
            )
        }
    }
}
