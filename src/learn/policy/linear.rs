//! Bayesian linear regression that takes one observation after the other (Sherman and Morrison).

use serde::{Deserialize, Serialize};

/// A number that is linear in some features, up to noise; its weights are normally distributed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// What the weights are expected to be.
    mean: Vec<f64>,
    /// Their covariance, row by row.
    covariance: Vec<f64>,
    /// Variance of the noise.
    noise: f64,
}

impl Linear {
    /// Before any observation: for each weight what it is expected to be and its standard deviation.
    pub fn new(prior: &[(f64, f64)], noise_deviation: f64) -> Self {
        let width = prior.len();
        let row = |(at, (_, deviation)): (usize, &(f64, f64))| {
            let mut row = vec![0.0; width];
            if let Some(own) = row.get_mut(at) {
                *own = deviation * deviation;
            }
            row
        };
        Self {
            mean: prior.iter().map(|(mean, _)| *mean).collect(),
            covariance: prior.iter().enumerate().flat_map(row).collect(),
            noise: noise_deviation * noise_deviation,
        }
    }

    /// The expected number and its standard deviation, without the noise.
    pub fn expect(&self, x: &[f64]) -> (f64, f64) {
        let variance = dot(&self.spread(x), x);
        (dot(&self.mean, x), variance.max(0.0).sqrt())
    }

    /// The expected number alone.
    pub fn mean(&self, x: &[f64]) -> f64 {
        dot(&self.mean, x)
    }

    /// Takes an observation.
    pub fn observe(&mut self, x: &[f64], value: f64) {
        let spread = self.spread(x);
        let scale = 1.0 / (self.noise + dot(&spread, x));
        let surprise = (value - dot(&self.mean, x)) * scale;
        for (mean, spread) in self.mean.iter_mut().zip(&spread) {
            *mean += spread * surprise;
        }
        let width = self.mean.len().max(1);
        for (row, one) in self.covariance.chunks_exact_mut(width).zip(&spread) {
            for (covariance, other) in row.iter_mut().zip(&spread) {
                *covariance -= one * other * scale;
            }
        }
    }

    fn spread(&self, x: &[f64]) -> Vec<f64> {
        let rows = self.covariance.chunks_exact(self.mean.len().max(1));
        rows.map(|row| dot(row, x)).collect()
    }
}

/// The sum of products.
pub(super) fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::policy::Rng;

    #[test]
    fn it_finds_the_weights_behind_noisy_numbers() {
        let mut rng = Rng::of("linear", 0, 0);
        let mut linear = Linear::new(&[(0.0, 10.0); 3], 1.0);
        for _ in 0..2000 {
            let x = [1.0, rng.unit(), rng.unit()];
            let value = 3.0 - 2.0 * x[1] + 5.0 * x[2] + rng.normal();
            linear.observe(&x, value);
        }
        let (mean, deviation) = linear.expect(&[1.0, 0.5, 0.5]);
        assert!(
            (mean - 4.5).abs() < 0.15 && deviation < 0.05,
            "{mean} ± {deviation}"
        );
    }

    #[test]
    fn one_observation_is_weighed_against_the_prior() {
        let mut linear = Linear::new(&[(2.0, 1.0)], 1.0);
        linear.observe(&[1.0], 4.0);
        let (mean, deviation) = linear.expect(&[1.0]);
        assert!((mean - 3.0).abs() < 1e-12 && (deviation - 0.5f64.sqrt()).abs() < 1e-12);
    }
}
