//! The law fitted on interleaved rounds, with intervals. Whole rounds are resampled: what slowed a host in one
//! round slowed all its counts.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Usl, fit};
use crate::stats::bootstrap::{Interval, resamples};

/// A fit needs so many different counts.
const COUNTS: usize = 5;

/// A fit with 95 % intervals of its parameters; none with fewer than two rounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UslFit {
    pub law: Usl,
    pub g: Option<Interval>,
    pub a: Option<Interval>,
    pub b: Option<Interval>,
    /// The count at which throughput is greatest, if the data can tell: b's interval excludes 0 and the peak is
    /// at most twice the largest count.
    pub peak: Option<f64>,
}

/// Why there is no fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoFit {
    /// So many different counts.
    Counts(usize),
    /// No curve of the law came near.
    Data,
}

impl fmt::Display for NoFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counts(found) => write!(
                f,
                "the Universal Scalability Law is fitted on {COUNTS} counts at least, there are {found}"
            ),
            Self::Data => f.write_str("no curve of the Universal Scalability Law fits the throughputs"),
        }
    }
}

impl std::error::Error for NoFit {}

/// Fits the law on all pairs of count and throughput of all rounds. Rounds need not be complete.
pub fn fit_rounds(rounds: &[Vec<(f64, f64)>], seed: u64) -> Result<UslFit, NoFit> {
    let all = rounds.concat();
    let counts = distinct(&all);
    if counts < COUNTS {
        return Err(NoFit::Counts(counts));
    }
    let law = fit(&all).ok_or(NoFit::Data)?;
    let mut laws = Vec::new();
    if rounds.len() >= 2 {
        let mut points = Vec::new();
        resamples(rounds.len(), seed, |places| {
            points.clear();
            places
                .iter()
                .filter_map(|&place| rounds.get(place))
                .for_each(|round| points.extend_from_slice(round));
            laws.extend(fit(&points));
        });
    }
    let interval = |of: fn(&Usl) -> f64| Interval::of(laws.iter().map(of).collect());
    let b = interval(|law| law.b);
    let largest = all.iter().map(|&(count, _)| count).fold(0.0, f64::max);
    let shown = b.is_some_and(|it| it.low > 0.0);
    let peak = law.peak().filter(|&peak| shown && peak <= 2.0 * largest);
    Ok(UslFit {
        law,
        g: interval(|law| law.g),
        a: interval(|law| law.a),
        b,
        peak,
    })
}

fn distinct(points: &[(f64, f64)]) -> usize {
    let mut counts: Vec<u64> = points.iter().map(|&(count, _)| count.to_bits()).collect();
    counts.sort_unstable();
    counts.dedup();
    counts.len()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

    use rand_distr::{Distribution as _, Normal};

    use super::*;
    use crate::model::rng;

    /// Ten rounds in each of which the host is slower or faster as a whole, and each probe by `noise`.
    fn noisy(law: Usl, noise: f64, stream: u64) -> Vec<Vec<(f64, f64)>> {
        let mut rng = rng(21, stream);
        let (host, probe) = (Normal::new(1.0, 0.05).unwrap(), Normal::new(1.0, noise).unwrap());
        (0..10)
            .map(|_| {
                let speed: f64 = host.sample(&mut rng);
                let mut at = |n| (n, law.predict(n) * speed * probe.sample(&mut rng));
                [1.0, 2.0, 3.0, 4.0, 6.0].map(&mut at).to_vec()
            })
            .collect()
    }

    fn rounds(law: Usl, stream: u64) -> Vec<Vec<(f64, f64)>> {
        noisy(law, 0.01, stream)
    }

    #[test]
    fn a_peak_that_the_data_shows_is_named() {
        let law = Usl {
            g: 1_000.0,
            a: 0.05,
            b: 0.02,
        };
        let found = fit_rounds(&rounds(law, 1), 1).unwrap();
        assert!(
            found.b.unwrap().holds(0.02) && found.b.unwrap().low > 0.0,
            "{found:?}"
        );
        assert!(found.a.unwrap().holds(0.05), "{found:?}");
        assert!(found.g.unwrap().holds(1_000.0), "{found:?}");
        let peak = found.peak.unwrap();
        assert!((peak - law.peak().unwrap()).abs() < 0.5, "{peak}");
        assert_eq!(fit_rounds(&rounds(law, 1), 1).unwrap(), found);
    }

    #[test]
    fn a_peak_beyond_twice_the_largest_count_is_not() {
        let law = Usl {
            g: 1_000.0,
            a: 0.02,
            b: 0.004,
        };
        let found = fit_rounds(&rounds(law, 2), 1).unwrap();
        assert!(
            law.peak().unwrap() > 12.0 && found.law.peak().is_some_and(|peak| peak > 12.0),
            "{found:?}"
        );
        assert!(found.b.unwrap().low > 0.0, "{found:?}");
        assert_eq!(found.peak, None);
    }

    /// The curve has a peak near by, but the rounds differ too much to be sure.
    #[test]
    fn a_peak_is_not_named_when_b_may_be_0() {
        let law = Usl {
            g: 1_000.0,
            a: 0.05,
            b: 0.008,
        };
        // Some of these sets show that b is above 0, and some have their peak far away: until one is tempting.
        let tempting = (0..40).find(|stream| {
            let found = fit_rounds(&noisy(law, 0.2, *stream), 1).unwrap();
            let open = found.b.unwrap().low <= 0.0;
            assert!(!open || found.peak.is_none(), "{found:?}");
            open && found.law.peak().is_some_and(|peak| peak <= 12.0)
        });
        assert!(tempting.is_some());
    }

    #[test]
    fn one_round_has_no_intervals_and_four_counts_no_fit() {
        let all = rounds(
            Usl {
                g: 1_000.0,
                a: 0.05,
                b: 0.02,
            },
            1,
        );
        let one = fit_rounds(&all[..1], 1).unwrap();
        assert_eq!((one.g, one.b, one.peak), (None, None, None));
        let four: Vec<_> = all.iter().map(|round| round[..4].to_vec()).collect();
        assert_eq!(fit_rounds(&four, 1), Err(NoFit::Counts(4)));
        assert!(NoFit::Counts(4).to_string().contains("there are 4"));
    }
}
