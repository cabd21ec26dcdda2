//! What is usual: robust spread, the chance of a deviation under it, and which of many deviations stand out together.

/// The middle of some numbers; `None` of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values
        .into_iter()
        .filter(|value| value.is_finite())
        .collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(middle.checked_sub(1)?)?;
    Some(f64::midpoint(lower, upper))
}

/// The middle by weight: half of the weight lies on either side. `None` without weight.
pub fn weighted_median(values: impl IntoIterator<Item = (f64, f64)>) -> Option<f64> {
    let mut sorted: Vec<(f64, f64)> = values
        .into_iter()
        .filter(|(value, weight)| value.is_finite() && *weight > 0.0)
        .collect();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let half = sorted.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut passed = 0.0;
    for (at, (value, weight)) in sorted.iter().enumerate() {
        passed += weight;
        if passed > half * (1.0 + 1e-12) {
            return Some(*value);
        }
        if passed >= half * (1.0 - 1e-12) {
            let next = sorted.get(at + 1).map_or(*value, |next| next.0);
            return Some(f64::midpoint(*value, next));
        }
    }
    None
}

/// What a figure usually is, from its earlier values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    /// The median of the earlier values.
    pub middle: f64,
    /// Their spread as a standard deviation: 1.4826 times the median absolute deviation, which a few wild values do not move.
    pub sigma: f64,
    /// How many earlier values there are.
    pub count: usize,
}

/// Fewer earlier values than this say nothing about what is usual.
pub const LEAST_HISTORY: usize = 4;

/// A normal distribution's standard deviation over its median absolute deviation.
pub(super) const PER_MAD: f64 = 1.4826;

impl Usual {
    /// From earlier values; `None` where they are too few. The spread is at least `floor`, what chance alone would do.
    pub fn of(history: &[f64], floor: f64) -> Option<Self> {
        let known: Vec<f64> = history
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .collect();
        if known.len() < LEAST_HISTORY {
            return None;
        }
        let middle = median(known.iter().copied())?;
        let mad = median(known.iter().map(|value| (value - middle).abs()))?;
        Some(Self {
            middle,
            sigma: (PER_MAD * mad).max(floor).max(f64::MIN_POSITIVE),
            count: known.len(),
        })
    }

    /// How many spreads a value lies from the middle.
    pub fn deviation(&self, value: f64) -> f64 {
        (value - self.middle) / self.sigma
    }

    /// The chance of a deviation at least this large in either direction: Student's t, whose tails allow for a spread
    /// that is itself known from few values only.
    pub fn chance(&self, value: f64) -> f64 {
        two_sided(self.deviation(value), (self.count - 1) as f64)
    }
}

/// The chance that Student's t with `freedom` degrees of freedom is further from zero than `t`: the regularised
/// incomplete beta function I(ν / (ν + t²); ν/2, 1/2).
pub fn two_sided(t: f64, freedom: f64) -> f64 {
    if !t.is_finite() {
        return 0.0;
    }
    incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5)
}

/// The regularised incomplete beta function by its continued fraction (Lentz; Numerical Recipes, section 6.4).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front =
        (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut found = d;
    for step in 1..200 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        found *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        found *= d * c;
        if (d * c - 1.0).abs() < 1e-13 {
            break;
        }
    }
    found
}

/// The logarithm of the gamma function (Lanczos, g = 5), for positive numbers.
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 6] = [
        76.180_091_729_471_46,
        -86.505_320_329_416_77,
        24.014_098_240_830_91,
        -1.231_739_572_450_155,
        0.120_865_097_386_617_9e-2,
        -0.539_523_938_495_3e-5,
    ];
    let mut at = x;
    let sum = TERMS.iter().fold(1.000_000_000_190_015, |sum, term| {
        at += 1.0;
        sum + term / at
    });
    let high = x + 5.5;
    (x + 0.5) * high.ln() - high + (2.506_628_274_631_000_5 * sum / x).ln()
}

/// Which of many tests stand out when a share `rate` of those named may be false (Benjamini and Hochberg, 1995): the
/// k smallest chances, for the largest k whose chance is at most `rate` times k over the number of tests.
pub fn stand_out(chances: &[f64], rate: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    let chance = |at: usize| chances.get(at).copied().unwrap_or(1.0);
    order.sort_by(|one, other| chance(*one).total_cmp(&chance(*other)));
    let tests = chances.len() as f64;
    let within = |(rank, at): (usize, &usize)| chance(*at) <= rate * (rank + 1) as f64 / tests;
    let last = order
        .iter()
        .enumerate()
        .rfind(|found| within((found.0, found.1)));
    let limit = last.map(|(_, at)| chance(*at));
    chances
        .iter()
        .map(|chance| limit.is_some_and(|limit| *chance <= limit))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_tail_of_students_t_is_that_of_the_tables() {
        for (t, freedom, chance) in [
            (12.706, 1.0, 0.05),
            (2.228, 10.0, 0.05),
            (3.169, 10.0, 0.01),
            (1.812, 10.0, 0.1),
            (2.086, 20.0, 0.05),
            (0.0, 7.0, 1.0),
        ] {
            assert!(
                (two_sided(t, freedom) - chance).abs() < 2e-4,
                "{t} {freedom}"
            );
            assert!((two_sided(-t, freedom) - chance).abs() < 2e-4);
        }
    }

    #[test]
    fn of_many_tests_chance_alone_names_none() {
        // Twenty tests: one in twenty is at 5 % by chance alone.
        let even: Vec<f64> = (1..=20).map(|n| f64::from(n) / 20.0).collect();
        assert!(stand_out(&even, 0.04).iter().all(|out| !out));
        // The example of Benjamini and Hochberg, 1995: four of fifteen stand out at 5 %.
        let paper = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0,
        ];
        assert_eq!(
            stand_out(&paper, 0.05).iter().filter(|out| **out).count(),
            4
        );
        assert!(stand_out(&[], 0.05).is_empty());
    }

    #[test]
    fn one_wild_period_does_not_widen_what_is_usual() {
        let calm = [0.01, -0.02, 0.0, 0.02, -0.01, 0.01, 0.0];
        let usual = Usual::of(&calm, 0.0).unwrap();
        let mut wild = calm;
        wild[3] = 5.0;
        let with_wild = Usual::of(&wild, 0.0).unwrap();
        assert!(with_wild.sigma < 2.0 * usual.sigma);
        assert!(usual.chance(0.3) < 0.001 && usual.chance(0.01) > 0.3);
        assert!(Usual::of(&calm[..3], 0.0).is_none());
    }

    #[test]
    fn half_of_the_weight_lies_on_either_side() {
        assert_eq!(weighted_median([(1.0, 1.0), (9.0, 5.0)]), Some(9.0));
        assert_eq!(weighted_median([(1.0, 2.0), (3.0, 2.0)]), Some(2.0));
        assert_eq!(weighted_median([(1.0, 0.0)]), None);
        assert_eq!(median([4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }
}
