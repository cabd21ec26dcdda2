//! A change of a number taken apart, so that the parts add up to it exactly: by segments, into mix and rate, into factors.

use serde::{Deserialize, Serialize};

/// What a number is made of in one period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Amount {
    /// The sum itself, or the numerator of a ratio.
    pub num: f64,
    /// The denominator of a ratio; of a sum, how many units it is of (its volume).
    pub den: f64,
    /// The rows behind it.
    pub rows: f64,
}

impl Amount {
    /// Numerator over denominator; `None` where there is no denominator.
    pub fn rate(&self) -> Option<f64> {
        (self.den != 0.0).then(|| self.num / self.den)
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            num: self.num + other.num,
            den: self.den + other.den,
            rows: self.rows + other.rows,
        }
    }
}

/// Before and after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The earlier period.
    pub before: Amount,
    /// The later one.
    pub after: Amount,
}

/// What one segment did to a ratio.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Effect {
    /// By weighing more or less.
    pub mix: f64,
    /// By its own ratio.
    pub rate: f64,
}

/// What each segment did to a sum: its own change. They add up to the change of the whole.
pub fn contributions(segments: &[Pair]) -> Vec<f64> {
    segments
        .iter()
        .map(|segment| segment.after.num - segment.before.num)
        .collect()
}

/// What each segment did to the ratio of all, numerators over denominators.
///
/// With weights w = D_i / D and rates r = N_i / D_i, the ratio of all is Σ w r, and its change is exactly
/// Σ mean(w) Δr + Σ (mean(r) − R) Δw, with means of both periods (the midpoint weights of Marshall and Edgeworth; of two
/// factors they are the Shapley value). R, the mean of the ratio of all, moves no sum, as Σ Δw = 0: it makes a segment's
/// mix effect say whether weight moved to where the rate is above the mean. A segment that all but came or went has no rate
/// that could be compared; all it did is mix. `None` where the whole has no denominator.
pub fn ratio(segments: &[Pair]) -> Option<Vec<Effect>> {
    let whole = whole(segments);
    let (first, last) = (whole.before.rate()?, whole.after.rate()?);
    let mean = f64::midpoint(first, last);
    let effect = |segment: &Pair| {
        let weight = |part: Amount, whole: Amount| part.den / whole.den;
        let before = weight(segment.before, whole.before);
        let after = weight(segment.after, whole.after);
        let rate = match (segment.before.rate(), segment.after.rate()) {
            (Some(one), Some(other)) if is_there(segment) => {
                f64::midpoint(before, after) * (other - one)
            }
            _ => 0.0,
        };
        let term = segment.after.num / whole.after.den - segment.before.num / whole.before.den;
        Effect {
            mix: term - rate - mean * (after - before),
            rate,
        }
    };
    Some(segments.iter().map(effect).collect())
}

/// A segment with less than this share of its other period's denominator has all but come or gone.
const GONE: f64 = 0.1;

fn is_there(segment: &Pair) -> bool {
    let (one, other) = (segment.before.den.abs(), segment.after.den.abs());
    one.min(other) >= GONE * one.max(other)
}

/// All segments together.
pub fn whole(segments: &[Pair]) -> Pair {
    segments.iter().fold(Pair::default(), |sum, one| Pair {
        before: sum.before.plus(one.before),
        after: sum.after.plus(one.after),
    })
}

/// The change of a product, volume times price: what volume did and what price did. ΔV mean(P) + ΔP mean(V) is the change
/// exactly (midpoints, which of two factors are the Shapley value).
pub fn product(volume: (f64, f64), price: (f64, f64)) -> (f64, f64) {
    let mean = |(one, other): (f64, f64)| f64::midpoint(one, other);
    (
        (volume.1 - volume.0) * mean(price),
        (price.1 - price.0) * mean(volume),
    )
}

/// How much a segment's share of the whole surprises: its part of the Jensen–Shannon divergence of the shares before and
/// after (Adtributor: Bhagwan and others, NSDI 2014). 0 for the same share, at most ln 2 / 2 for one that went or came.
pub fn surprise(before: f64, after: f64) -> f64 {
    let (p, q) = (before.max(0.0), after.max(0.0));
    let term = |share: f64| match share > 0.0 {
        true => share * (2.0 * share / (p + q)).ln(),
        false => 0.0,
    };
    (0.5 * (term(p) + term(q))).max(0.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    fn pair(before: (f64, f64), after: (f64, f64)) -> Pair {
        let amount = |(num, den): (f64, f64)| Amount {
            num,
            den,
            rows: den,
        };
        Pair {
            before: amount(before),
            after: amount(after),
        }
    }

    fn numbers() -> impl Strategy<Value = (f64, f64)> {
        // A segment may be without a denominator, or not be there at all.
        prop_oneof![
            4 => (-1e6..1e6_f64, 1.0..1e6_f64),
            1 => Just((0.0, 0.0)),
            1 => (-1e3..1e3_f64, Just(0.0)),
        ]
    }

    proptest! {
        #[test]
        fn contributions_add_up_to_the_change(all in prop::collection::vec((numbers(), numbers()), 1..40)) {
            let segments: Vec<Pair> = all.into_iter().map(|(a, b)| pair(a, b)).collect();
            let whole = whole(&segments);
            let change = whole.after.num - whole.before.num;
            let sum: f64 = contributions(&segments).iter().sum();
            prop_assert!((sum - change).abs() < 1e-6);
        }

        #[test]
        fn mix_and_rate_add_up_to_the_change(all in prop::collection::vec((numbers(), numbers()), 1..40)) {
            let segments: Vec<Pair> = all.into_iter().map(|(a, b)| pair(a, b)).collect();
            let whole = whole(&segments);
            let (Some(before), Some(after)) = (whole.before.rate(), whole.after.rate()) else {
                prop_assert!(ratio(&segments).is_none());
                return Ok(());
            };
            let effects = ratio(&segments).unwrap();
            let sum: f64 = effects.iter().map(|effect| effect.mix + effect.rate).sum();
            let size = effects.iter().map(|effect| effect.mix.abs() + effect.rate.abs()).sum::<f64>().max(1.0);
            prop_assert!((sum - (after - before)).abs() < 1e-9 * size, "{sum} {}", after - before);
        }

        #[test]
        fn factors_add_up_to_the_change(v in (0.0..1e6_f64, 0.0..1e6_f64), p in (-1e3..1e3_f64, -1e3..1e3_f64)) {
            let (volume, price) = product(v, p);
            let change = v.1 * p.1 - v.0 * p.0;
            prop_assert!((volume + price - change).abs() < 1e-6 * change.abs().max(1e3));
        }
    }

    #[test]
    fn a_shift_of_weight_is_mix_and_nothing_else() {
        // Rates stay 10 and 2; the weight of the dear half goes from 50 % to 20 %.
        let segments = [
            pair((500.0, 50.0), (200.0, 20.0)),
            pair((100.0, 50.0), (160.0, 80.0)),
        ];
        let effects = ratio(&segments).unwrap();
        assert!(effects.iter().all(|effect| effect.rate.abs() < 1e-12));
        let mix: f64 = effects.iter().map(|effect| effect.mix).sum();
        assert!((mix - (3.6 - 6.0)).abs() < 1e-12);
        // Both sides of the shift pull in the same direction.
        assert!(effects.iter().all(|effect| effect.mix < 0.0));
    }

    #[test]
    fn a_share_that_goes_surprises_most() {
        assert_eq!(surprise(0.3, 0.3), 0.0);
        let gone = surprise(0.3, 0.0);
        assert!((gone - 0.15 * 2.0_f64.ln()).abs() < 1e-12);
        assert!(surprise(0.3, 0.2) < gone && surprise(0.3, 0.2) > 0.0);
        assert!(surprise(0.0, 0.3) > 0.0);
    }
}
