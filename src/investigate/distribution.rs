//! How some numbers are distributed: quartiles, fences, outliers, bins, each by a stated rule.

use super::noise::{PER_MAD, median};

/// Most bins of a histogram.
const MOST_BINS: usize = 20;

/// Interquartile ranges from the box to the fences.
const REACH: f64 = 1.5;

/// Fewer values have no outliers: one of them decides where the quartiles are.
pub const FEWEST: usize = 5;

/// Below so many values, about one of three samples of normal data has one beyond the fences (by simulation; Hoaglin, Iglewicz and
/// Tukey, 1986, call it the some-outside rate).
pub const FEW: usize = 20;

/// Quartiles with whiskers, after Tukey.
#[derive(Debug, Clone, PartialEq)]
pub struct FiveNumbers {
    /// Number of values.
    pub count: usize,
    /// Smallest value.
    pub min: f64,
    /// The smallest value that is at most 1.5 interquartile ranges below the first quartile.
    pub low: f64,
    /// First quartile.
    pub q1: f64,
    /// Median.
    pub median: f64,
    /// Third quartile.
    pub q3: f64,
    /// The largest value that is at most 1.5 interquartile ranges above the third quartile.
    pub high: f64,
    /// Largest value.
    pub max: f64,
    /// The values beyond the whiskers, ascending.
    pub outliers: Vec<f64>,
    /// Where outliers begin: 1.5 interquartile ranges below the first quartile, and above the third.
    pub fences: (f64, f64),
    /// Median absolute deviation: the median of the distances from the median.
    pub mad: f64,
}

impl FiveNumbers {
    /// Of some finite values in any order; `None` for none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (q1, q3) = (quantile(&sorted, 0.25)?, quantile(&sorted, 0.75)?);
        let median = quantile(&sorted, 0.5)?;
        let reach = REACH * (q3 - q1);
        let fences = (q1 - reach, q3 + reach);
        let is_inside = |value: &&f64| (fences.0..=fences.1).contains(*value);
        let inside = || sorted.iter().filter(is_inside);
        Some(Self {
            count: sorted.len(),
            min: *sorted.first()?,
            low: *inside().next()?,
            q1,
            median,
            q3,
            high: *inside().next_back()?,
            max: *sorted.last()?,
            outliers: sorted
                .iter()
                .filter(|value| !is_inside(value))
                .copied()
                .collect(),
            fences,
            mad: mad(&sorted, median)?,
        })
    }

    /// Whether a value lies beyond a fence, of at least [`FEWEST`] values.
    pub fn is_outlier(&self, value: f64) -> bool {
        self.count >= FEWEST && !(self.fences.0..=self.fences.1).contains(&value)
    }

    /// How far a value is from the median, in standard deviations as [`FiveNumbers::mad`] estimates them; `None` where at least
    /// half of the values are the same.
    pub fn deviations(&self, value: f64) -> Option<f64> {
        (self.mad > 0.0).then(|| (value - self.median) / (PER_MAD * self.mad))
    }
}

/// The median of the distances from a centre; `None` of nothing.
pub fn mad(values: &[f64], centre: f64) -> Option<f64> {
    median(values.iter().map(|value| (value - centre).abs()))
}

/// The value below which a share (0 to 1) of ascending values lies, interpolated linearly between the two nearest, as SQL's
/// `percentile_cont` does (type 7 of Hyndman and Fan, 1996).
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = share.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    let (low, high) = (*sorted.get(below)?, *sorted.get(above)?);
    Some(low + (high - low) * (at - at.floor()))
}

/// Bins of equal width from the smallest to the largest value, with the number of values in each: `ceil(log2 n) + 1` of them
/// (Sturges, 1926), at most 20. A value on a border belongs to the upper bin, the largest to the last one.
pub fn bins(values: &[f64]) -> Vec<(f64, f64, usize)> {
    let min = values.iter().copied().fold(f64::INFINITY, f64::min);
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.is_empty() {
        return Vec::new();
    }
    let width = max - min;
    if width <= 0.0 || !width.is_finite() {
        return vec![(min, max, values.len())];
    }
    let count = ((values.len() as f64).log2().ceil() as usize + 1).min(MOST_BINS);
    let border = |i: usize| min + width * (i as f64 / count as f64);
    let mut bins: Vec<_> = (0..count)
        .map(|i| {
            let end = if i + 1 == count { max } else { border(i + 1) };
            (border(i), end, 0)
        })
        .collect();
    for value in values {
        let found = bins.iter().rposition(|(start, _, _)| value >= start);
        if let Some(bin) = found.and_then(|i| bins.get_mut(i)) {
            bin.2 += 1;
        }
    }
    bins
}
