//! What was to be expected of a period, from the same season of earlier ones: robust, with the trend taken out.

use super::distribution::mad;
use super::noise::{PER_MAD, median};
use crate::model::{FEWEST_PERIODS, FEWEST_STEPS};

/// Standard deviations from which on one number is unusual, after Iglewicz and Hoaglin (1993).
const BEYOND: f64 = 3.5;

/// Widens the noise that few periods show, which is mostly too little: found by simulation, so that of normal noise about one
/// period in a hundred is unusual, however few there are.
const FEW: f64 = 6.0;

/// The least noise that is believed, as a part of what is expected.
const LEAST: f64 = 0.01;

/// What was to be expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// The number.
    pub value: f64,
    /// One standard deviation of what may come instead.
    pub spread: f64,
    /// By how much one season is higher than the one before.
    pub trend: f64,
}

impl Expected {
    /// From the numbers of earlier periods, the nearest first, `seasons` of them to a step; `None` where a period has no number.
    /// `counts` are whole numbers of things, which vary by themselves. No answer where the history is too short:
    /// [`FEWEST_STEPS`], [`FEWEST_PERIODS`].
    ///
    /// The trend is the median of the slopes between any two periods of the same season (Hirsch, Slack and Smith, 1982), the
    /// level of a season the median of what is left, the noise the median absolute deviation of the remainders: of the season
    /// itself or of all of them, whichever is larger.
    pub fn of(history: &[Option<f64>], seasons: usize, counts: bool) -> Option<Self> {
        let seasons = seasons.max(1);
        let mut by_season: Vec<Vec<(f64, f64)>> = vec![Vec::new(); seasons];
        for (at, value) in history.iter().enumerate() {
            let back = at + 1;
            let Some(value) = value else { continue };
            // The season of the period that is judged is the first one.
            if let Some(season) = by_season.get_mut(back % seasons) {
                season.push((-(back as f64) / seasons as f64, *value));
            }
        }
        let periods: usize = by_season.iter().map(Vec::len).sum();
        let cycles = by_season.first().map_or(0, Vec::len);
        if cycles < FEWEST_STEPS || periods < FEWEST_PERIODS {
            return None;
        }
        let trend = median(by_season.iter().flat_map(|season| slopes(season)))?;
        let mut own = Vec::new();
        let mut all = Vec::new();
        let mut value = 0.0;
        for (at, season) in by_season.iter().enumerate() {
            let flat: Vec<f64> = season
                .iter()
                .map(|(time, value)| value - trend * time)
                .collect();
            let Some(level) = median(flat.iter().copied()) else {
                continue;
            };
            all.extend(flat.iter().map(|value| value - level));
            if at == 0 {
                value = level;
                own.extend(flat.iter().map(|value| value - level));
            }
        }
        let noise = noise(&own).max(noise(&all));
        let used = by_season.iter().filter(|season| !season.is_empty()).count();
        let free = periods.saturating_sub(used + 1).max(1) as f64;
        let noise = noise * (periods as f64 / free).sqrt() * (1.0 + FEW / free);
        let least = match counts {
            // What is counted varies by the root of its number at least.
            true => value.abs().max(1.0).sqrt(),
            false => 0.0,
        };
        let noise = noise.max(least).max(LEAST * value.abs());
        Some(Self {
            value,
            spread: noise * ahead(&by_season, cycles).sqrt(),
            trend,
        })
    }

    /// How far a number is off, in standard deviations; infinite where nothing ever varied.
    pub fn deviations(&self, value: f64) -> f64 {
        let off = value - self.value;
        if off == 0.0 { 0.0 } else { off / self.spread }
    }

    /// The range that is usual, where so many numbers are looked at together: of each of them less is surprising.
    pub fn usual(&self, together: usize) -> (f64, f64) {
        let reach = beyond(together) * self.spread;
        (self.value - reach, self.value + reach)
    }
}

/// Standard deviations from which on a number is unusual that is one of so many: the chance that any of them is stays about the
/// same, as `exp(-z²/2)` is divided among them.
pub fn beyond(together: usize) -> f64 {
    (BEYOND * BEYOND + 2.0 * (together.max(1) as f64).ln()).sqrt()
}

/// The slopes between any two.
fn slopes(season: &[(f64, f64)]) -> Vec<f64> {
    let pairs = season.iter().enumerate().flat_map(|(at, later)| {
        let earlier = season.iter().skip(at + 1);
        earlier.map(move |earlier| (later, earlier))
    });
    pairs
        .map(|((t1, v1), (t0, v0))| (v1 - v0) / (t1 - t0))
        .collect()
}

/// The standard deviation that remainders show: by their median size; where at least half of them are nothing, by their mean
/// size, as Iglewicz and Hoaglin do.
fn noise(remainders: &[f64]) -> f64 {
    match mad(remainders, 0.0) {
        Some(mad) if mad > 0.0 => PER_MAD * mad,
        _ => {
            let size: f64 = remainders.iter().map(|value| value.abs()).sum();
            1.2533 * size / remainders.len().max(1) as f64
        }
    }
}

/// How much more a number varies than the remainders do, for level and trend are only estimates: `1 + 1.57/n + x²/Σ(x-x̄)²`, a
/// median being as sure as a mean of 1.57 times fewer.
fn ahead(by_season: &[Vec<(f64, f64)>], cycles: usize) -> f64 {
    let mut squares = 0.0;
    let mut back = 0.0;
    for (at, season) in by_season.iter().enumerate() {
        let mean = season.iter().map(|(time, _)| time).sum::<f64>() / season.len().max(1) as f64;
        squares += season
            .iter()
            .map(|(time, _)| (time - mean).powi(2))
            .sum::<f64>();
        if at == 0 {
            back = mean;
        }
    }
    let level = std::f64::consts::FRAC_PI_2 / cycles.max(1) as f64;
    let trend = if squares > 0.0 {
        back * back / squares
    } else {
        0.0
    };
    1.0 + level + trend
}
