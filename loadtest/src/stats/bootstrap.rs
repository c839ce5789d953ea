//! 95 % intervals by the percentile bootstrap: a statistic of many samples drawn with replacement from the one
//! there is (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).
//!
//! With few values it is narrow: of 3 it cannot reach beyond the three. Reports say how many there were.

use rand::RngExt as _;
use rand::rngs::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::sample::{median, quantile_in_place};
use crate::model::rng;

const RESAMPLES: usize = 2_000;

/// From `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The 2.5th to the 97.5th percentile of a statistic's values; none when more than half of the resamples
    /// had none.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.retain(|value| value.is_finite());
        if values.len() <= RESAMPLES / 2 {
            return None;
        }
        let low = quantile_in_place(&mut values, 0.025)?;
        let high = quantile_in_place(&mut values, 0.975)?;
        Some(Self { low, high })
    }
}

/// A value with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub value: f64,
    /// None when there are too few values: fewer than 2.
    pub interval: Option<Interval>,
}

/// Seeded drawing of places with replacement.
pub(crate) struct Resampler {
    rng: ChaCha8Rng,
    places: Vec<usize>,
}

impl Resampler {
    pub(crate) fn new(size: usize, seed: u64, stream: u64) -> Self {
        Self {
            rng: rng(seed, stream),
            places: vec![0; size],
        }
    }

    /// One resample's places, as many as there are; `size` must be above 0.
    pub(crate) fn draw(&mut self) -> &[usize] {
        let size = self.places.len();
        for place in &mut self.places {
            *place = self.rng.random_range(0..size);
        }
        &self.places
    }
}

/// The interval of a statistic of `size` values; it is given the places of a resample. None for fewer than 2 values.
pub fn interval(
    size: usize,
    seed: u64,
    mut statistic: impl FnMut(&[usize]) -> Option<f64>,
) -> Option<Interval> {
    if size < 2 {
        return None;
    }
    let mut resampler = Resampler::new(size, seed, 0);
    Interval::of(
        (0..RESAMPLES)
            .filter_map(|_| statistic(resampler.draw()))
            .collect(),
    )
}

/// Calls `each` with the places of so many resamples as an interval takes.
pub(crate) fn resamples(size: usize, seed: u64, mut each: impl FnMut(&[usize])) {
    let mut resampler = Resampler::new(size, seed, 0);
    (0..RESAMPLES).for_each(|_| each(resampler.draw()));
}

/// The median with its interval. None of nothing.
pub fn median_of(values: &[f64], seed: u64) -> Option<Estimate> {
    let value = median(values)?;
    Some(Estimate {
        value,
        interval: interval(values.len(), seed, |places| median_at(values, places)),
    })
}

/// The ratio of the medians of two independent samples, `a` over `b`, with its interval.
/// For values that belong together (one round's X(N) and X(1)) take the median of the ratios instead.
/// None when one is empty or the median of `b` is 0.
pub fn ratio_of_medians(a: &[f64], b: &[f64], seed: u64) -> Option<Estimate> {
    let value = median(a)? / median(b)?;
    if !value.is_finite() {
        return None;
    }
    if a.len() < 2 || b.len() < 2 {
        return Some(Estimate {
            value,
            interval: None,
        });
    }
    let mut first = Resampler::new(a.len(), seed, 0);
    let mut second = Resampler::new(b.len(), seed, 1);
    let ratios =
        (0..RESAMPLES).filter_map(|_| Some(median_at(a, first.draw())? / median_at(b, second.draw())?));
    Some(Estimate {
        value,
        interval: Interval::of(ratios.collect()),
    })
}

/// What `compare` can say of two samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    Higher,
    Lower,
    /// The interval holds "no change", or there is none.
    NotShown,
}

/// How a ratio of new to old differs from 1: only if its whole interval lies on one side.
pub fn difference(ratio: &Estimate) -> Difference {
    match ratio.interval {
        Some(interval) if interval.low > 1.0 => Difference::Higher,
        Some(interval) if interval.high < 1.0 => Difference::Lower,
        _ => Difference::NotShown,
    }
}

fn median_at(values: &[f64], places: &[usize]) -> Option<f64> {
    let mut drawn: Vec<f64> = places
        .iter()
        .filter_map(|&place| values.get(place).copied())
        .collect();
    quantile_in_place(&mut drawn, 0.5)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

    use rand_distr::{Distribution as _, Normal};

    use super::*;

    fn normal(size: usize, mean: f64, deviation: f64, stream: u64) -> Vec<f64> {
        let mut rng = rng(11, stream);
        Normal::new(mean, deviation)
            .unwrap()
            .sample_iter(&mut rng)
            .take(size)
            .collect()
    }

    /// Of 200 samples about 190 intervals of the median hold the truth; by chance alone fewer than 180 or all
    /// 200 are as good as impossible.
    #[test]
    fn nineteen_of_twenty_intervals_hold_the_truth() {
        let held = (0..200)
            .filter(|&trial| {
                let estimate = median_of(&normal(20, 100.0, 5.0, trial), trial).unwrap();
                estimate.interval.unwrap().holds(100.0)
            })
            .count();
        assert!((180..200).contains(&held), "{held} of 200");
    }

    #[test]
    fn intervals_shrink_with_more_values() {
        let width = |size| {
            let interval = median_of(&normal(size, 100.0, 5.0, 1), 1)
                .unwrap()
                .interval
                .unwrap();
            interval.high - interval.low
        };
        // By the root of 16.
        let ratio = width(25) / width(400);
        assert!((2.0..8.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn a_generic_statistic() {
        let values = [1.0, 2.0, 3.0, 4.0];
        let greatest = interval(4, 1, |places| {
            places.iter().map(|&place| values[place]).reduce(f64::max)
        })
        .unwrap();
        // The greatest is below 3 in 1 of 16 resamples (half of the values, four times), below 2 in 1 of 256.
        assert_eq!((greatest.low, greatest.high), (2.0, 4.0));
        assert_eq!(interval(1, 1, |_| Some(1.0)), None);
        assert_eq!(interval(4, 1, |_| None), None);
    }

    #[test]
    fn a_change_is_told_and_none_is_not() {
        let (old, same, faster) = (
            normal(30, 100.0, 5.0, 1),
            normal(30, 100.0, 5.0, 2),
            normal(30, 110.0, 5.0, 3),
        );
        let ratio = ratio_of_medians(&faster, &old, 1).unwrap();
        assert!(ratio.interval.unwrap().holds(1.1), "{ratio:?}");
        assert_eq!(difference(&ratio), Difference::Higher);
        assert_eq!(
            difference(&ratio_of_medians(&old, &faster, 1).unwrap()),
            Difference::Lower
        );
        assert_eq!(
            difference(&ratio_of_medians(&same, &old, 1).unwrap()),
            Difference::NotShown
        );
    }

    /// Two samples are drawn apart: else equal ones would seem to have a ratio of exactly 1.
    #[test]
    fn samples_of_a_ratio_vary_by_themselves() {
        let values = normal(30, 100.0, 5.0, 1);
        let interval = ratio_of_medians(&values, &values, 1).unwrap().interval.unwrap();
        assert!(interval.low < 0.99 && interval.high > 1.01, "{interval:?}");
    }

    #[test]
    fn too_little_says_so() {
        assert_eq!(median_of(&[], 1), None);
        assert_eq!(
            median_of(&[3.0], 1),
            Some(Estimate {
                value: 3.0,
                interval: None
            })
        );
        let single = ratio_of_medians(&[3.0], &[2.0], 1).unwrap();
        assert_eq!((single.value, difference(&single)), (1.5, Difference::NotShown));
        assert_eq!(ratio_of_medians(&[3.0], &[0.0], 1), None);
        assert_eq!(median_of(&[1.0, 2.0, 5.0], 3), median_of(&[1.0, 2.0, 5.0], 3));
    }
}
