//! 95 % confidence intervals of one run's numbers, and of what two independent runs' numbers are to each other.

use hdrhistogram::Histogram;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

use crate::stats::hist;

/// The normal distribution's 97.5 % point.
const Z: f64 = 1.959_964;
/// Bootstrap samples; more change the third digit of an interval.
const RESAMPLES: usize = 2000;
/// Seconds of one block: what is slow for one second is often slow for the next, and a block keeps them together.
pub const BLOCK: usize = 5;
/// Blocks below which a bootstrap says nothing.
pub const LEAST_BLOCKS: usize = 4;

/// An estimate and the interval that holds the true value in 95 of 100 runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Interval {
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// B / A of two independent estimates above 0, by MOVER on their logarithms (Zou and Donner 2008): each side of the
    /// interval comes from the sides of the two, which need not be symmetric.
    pub fn ratio(a: Self, b: Self) -> Option<Self> {
        if [a.low, b.low, a.value, b.value].iter().any(|it| *it <= 0.0) {
            return None;
        }
        let ln = |it: Self| Self {
            value: it.value.ln(),
            low: it.low.ln(),
            high: it.high.ln(),
        };
        let difference = Self::difference(ln(a), ln(b));
        Some(Self {
            value: difference.value.exp(),
            low: difference.low.exp(),
            high: difference.high.exp(),
        })
    }

    /// B - A of two independent estimates, by MOVER; with Wilson's intervals it is Newcombe's of two shares.
    pub fn difference(a: Self, b: Self) -> Self {
        let value = b.value - a.value;
        Self {
            value,
            low: value - (b.value - b.low).hypot(a.high - a.value),
            high: value + (b.high - b.value).hypot(a.value - a.low),
        }
    }
}

/// A share of independent events, by Wilson's score: right near 0 too.
pub fn share(part: u64, of: u64) -> Option<Interval> {
    if of == 0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let (part, n) = (part as f64, of as f64);
    let p = part / n;
    let z2 = Z * Z / n;
    let middle = (p + z2 / 2.0) / (1.0 + z2);
    let half = Z / (1.0 + z2) * (p * (1.0 - p) / n + z2 / (4.0 * n)).sqrt();
    Some(Interval {
        value: p,
        low: (middle - half).max(0.0),
        high: (middle + half).min(1.0),
    })
}

/// A percentile in milliseconds. How many samples lie below the true one is binomial, so that two ranks bound it (Conover,
/// Practical Nonparametric Statistics). None where the percentile is not told, see [`hist::BEYOND`].
pub fn percentile(samples: &Histogram<u64>, quantile: f64) -> Option<Interval> {
    let value = hist::percentile(samples, quantile)?;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let n = samples.len() as f64;
    let half = Z * (n * quantile * (1.0 - quantile)).sqrt();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank between 1 and the number of samples"
    )]
    let rank = |at: f64| hist::ranked(samples, at.clamp(1.0, n) as u64);
    Some(Interval {
        value,
        low: rank((n * quantile - half).ceil()).min(value),
        high: rank((n * quantile + half).ceil()).max(value),
    })
}

/// A rate from its seconds: a bootstrap over blocks of [`BLOCK`] seconds. None when there are fewer than [`LEAST_BLOCKS`].
pub fn rate(seconds: &[u64], seed: u64) -> Option<Interval> {
    let blocks: Vec<f64> = seconds.chunks_exact(BLOCK).map(mean).collect();
    if blocks.len() < LEAST_BLOCKS {
        return None;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn = (0..blocks.len()).map(|_| blocks[rng.random_range(0..blocks.len())]);
            drawn.sum::<f64>() / count(blocks.len())
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let value = blocks.iter().sum::<f64>() / count(blocks.len());
    // Few blocks make the bootstrap's spread too small, by this factor.
    let wider = (count(blocks.len()) / count(blocks.len() - 1)).sqrt();
    let at = |place: usize| value + (means[place] - value) * wider;
    Some(Interval {
        value,
        low: at(RESAMPLES / 40).max(0.0),
        high: at(RESAMPLES - RESAMPLES / 40 - 1),
    })
}

fn mean(seconds: &[u64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let sum = seconds.iter().sum::<u64>() as f64;
    sum / count(seconds.len())
}

#[expect(clippy::cast_precision_loss, reason = "a count of seconds or blocks")]
fn count(of: usize) -> f64 {
    of as f64
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use rand_distr::{Distribution as _, Exp, Poisson};

    use super::*;

    const TRIALS: usize = 300;

    /// In how many of 100 trials the truth was held.
    fn coverage(truth: f64, interval: impl Fn(&mut ChaCha8Rng) -> Interval) -> f64 {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let held = (0..TRIALS).filter(|_| interval(&mut rng).holds(truth)).count();
        100.0 * count(held) / count(TRIALS)
    }

    fn exponential(rng: &mut ChaCha8Rng, mean_us: f64, samples: usize) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).unwrap();
        let drawn = Exp::new(1.0 / mean_us).unwrap();
        for _ in 0..samples {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "microseconds"
            )]
            histogram.record(drawn.sample(rng).round() as u64).unwrap();
        }
        histogram
    }

    #[test]
    fn intervals_of_percentiles_hold_the_truth_95_times_of_100() {
        for (quantile, samples) in [(0.5, 200), (0.9, 400), (0.99, 2000)] {
            let truth = -50.0 * f64::ln(1.0 - quantile);
            let found = coverage(truth, |rng| {
                percentile(&exponential(rng, 50_000.0, samples), quantile).unwrap()
            });
            assert!((91.0..=99.0).contains(&found), "p{quantile}: {found} %");
        }
    }

    #[test]
    fn intervals_of_ratios_of_percentiles_hold_the_truth_95_times_of_100() {
        let found = coverage(1.5, |rng| {
            let a = percentile(&exponential(rng, 40_000.0, 800), 0.9).unwrap();
            let b = percentile(&exponential(rng, 60_000.0, 500), 0.9).unwrap();
            Interval::ratio(a, b).unwrap()
        });
        assert!((91.0..=99.0).contains(&found), "{found} %");
    }

    #[test]
    fn intervals_of_rates_hold_the_truth_nearly_95_times_of_100() {
        let arrivals = Poisson::new(400.0).unwrap();
        let found = coverage(400.0, |rng| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let seconds: Vec<u64> = (0..60).map(|_| arrivals.sample(rng) as u64).collect();
            rate(&seconds, 1).unwrap()
        });
        assert!((90.0..=99.0).contains(&found), "{found} %");
    }

    #[test]
    fn a_short_run_has_no_interval() {
        assert_eq!(rate(&[100; 19], 1), None);
        let even = rate(&[100; 20], 1).unwrap();
        assert_eq!((even.low, even.value, even.high), (100.0, 100.0, 100.0));
    }

    #[test]
    fn shares_are_as_newcombe_published_them() {
        // Newcombe, Interval estimation for the difference between independent proportions (1998), table II, method 10:
        // 56/70 - 48/80 = 0.2, 0.0524 to 0.3339; 0/10 - 0/20 = 0, -0.1611 to 0.2775; 9/10 - 3/10 = 0.6, 0.1705 to 0.8090.
        for (b, a, low, high) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((0, 10), (0, 20), -0.1611, 0.2775),
            ((9, 10), (3, 10), 0.1705, 0.8090),
        ] {
            let found = Interval::difference(share(a.0, a.1).unwrap(), share(b.0, b.1).unwrap());
            assert!(
                (found.low - low).abs() < 1e-4 && (found.high - high).abs() < 1e-4,
                "{found:?}"
            );
        }
        assert_eq!(share(0, 0), None);
    }
}
