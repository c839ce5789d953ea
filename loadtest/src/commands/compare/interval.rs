//! 95 % confidence intervals of one run's numbers, and of what two independent runs' numbers are to each other.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::stats::{bootstrap, hist, sample};

/// The normal distribution's 97.5 % point.
const Z: f64 = 1.959_964;
/// Seconds of one block: what is slow for one second is often slow for the next, and a block keeps them together.
pub const BLOCK: usize = 5;
/// Blocks below which a bootstrap says nothing.
pub const LEAST_BLOCKS: usize = 4;

/// An estimate and the interval that holds the true value in 95 of 100 runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bounded {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Bounded {
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
pub fn share(part: u64, of: u64) -> Option<Bounded> {
    if of == 0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let (part, n) = (part as f64, of as f64);
    let p = part / n;
    let z2 = Z * Z / n;
    let middle = (p + z2 / 2.0) / (1.0 + z2);
    let half = Z / (1.0 + z2) * (p * (1.0 - p) / n + z2 / (4.0 * n)).sqrt();
    Some(Bounded {
        value: p,
        low: (middle - half).max(0.0),
        high: (middle + half).min(1.0),
    })
}

/// A percentile in milliseconds. How many samples lie below the true one is binomial, so that two ranks bound it (Conover,
/// Practical Nonparametric Statistics). None where the percentile is not told, see [`hist::percentile`].
pub fn percentile(samples: &Histogram<u64>, quantile: f64) -> Option<Bounded> {
    let value = hist::percentile(samples, quantile)?;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let n = samples.len() as f64;
    let half = Z * (n * quantile * (1.0 - quantile)).sqrt();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank between 1 and the number of samples"
    )]
    let rank = |at: f64| ranked(samples, at.clamp(1.0, n) as u64);
    Some(Bounded {
        value,
        low: rank((n * quantile - half).ceil()).min(value),
        high: rank((n * quantile + half).ceil()).max(value),
    })
}

/// A rate from its seconds: a bootstrap over blocks of [`BLOCK`] seconds. None when there are fewer than [`LEAST_BLOCKS`].
pub fn rate(seconds: &[u64], seed: u64) -> Option<Bounded> {
    let blocks: Vec<f64> = seconds.chunks_exact(BLOCK).map(each_second).collect();
    if blocks.len() < LEAST_BLOCKS {
        return None;
    }
    let value = sample::mean(&blocks)?;
    let drawn = bootstrap::interval(blocks.len(), seed, |places| {
        let drawn: Vec<f64> = places.iter().map(|place| blocks[*place]).collect();
        sample::mean(&drawn)
    })?;
    // Few blocks make the bootstrap's spread too small, by this factor.
    #[expect(clippy::cast_precision_loss, reason = "a count of blocks")]
    let blocks = blocks.len() as f64;
    let wider = (blocks / (blocks - 1.0)).sqrt();
    Some(Bounded {
        value,
        low: (value + (drawn.low - value) * wider).max(0.0),
        high: value + (drawn.high - value) * wider,
    })
}

fn each_second(block: &[u64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let (sum, seconds) = (block.iter().sum::<u64>() as f64, block.len() as f64);
    sum / seconds
}

/// The value of the sample with this rank, from 1, in milliseconds.
fn ranked(samples: &Histogram<u64>, rank: u64) -> f64 {
    let mut before = 0;
    let reached = samples.iter_recorded().find(|step| {
        before += step.count_since_last_iteration();
        before >= rank
    });
    hist::milliseconds(reached.map_or(samples.max(), |step| step.value_iterated_to()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::ChaCha8Rng;
    use rand_distr::{Distribution as _, Exp, Poisson};

    use super::*;

    const TRIALS: usize = 300;

    /// In how many of 100 trials the truth was held.
    fn coverage(truth: f64, interval: impl Fn(&mut ChaCha8Rng) -> Bounded) -> f64 {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let held = (0..TRIALS).filter(|_| interval(&mut rng).holds(truth)).count();
        #[expect(clippy::cast_precision_loss, reason = "a count of trials")]
        let share = held as f64 / TRIALS as f64;
        100.0 * share
    }

    fn exponential(rng: &mut ChaCha8Rng, mean_us: f64, samples: usize) -> Histogram<u64> {
        let mut histogram = hist::empty().unwrap();
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
            Bounded::ratio(a, b).unwrap()
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
            let found = Bounded::difference(share(a.0, a.1).unwrap(), share(b.0, b.1).unwrap());
            assert!(
                (found.low - low).abs() < 1e-4 && (found.high - high).abs() < 1e-4,
                "{found:?}"
            );
        }
        assert_eq!(share(0, 0), None);
    }

    #[test]
    fn ranks_count_from_the_smallest() {
        let mut histogram = hist::empty().unwrap();
        for us in [3000, 1000, 2000, 2000] {
            histogram.record(us).unwrap();
        }
        let found = [1, 2, 3, 4, 9].map(|rank| format!("{:.0}", ranked(&histogram, rank)));
        assert_eq!(found, ["1", "2", "2", "3", "3"]);
    }
}
