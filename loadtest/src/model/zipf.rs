//! Which products are popular: rank r is drawn in proportion to r^-exponent (Zipf's law).

use anyhow::{Context as _, Result};
use rand::{Rng, RngExt as _};
use rand_distr::Zipf;

use super::permutation::Permutation;

/// The exponent that loads use unless told otherwise.
pub const EXPONENT: f64 = 0.8;

/// Draws numbers of 1..=n, by Zipf's law, with the ranks scattered over the numbers: the popular ones are not
/// the lowest, so they do not lie together in an index.
#[derive(Debug, Clone)]
pub struct Popularity {
    size: u64,
    law: Zipf<f64>,
    places: Permutation,
}

impl Popularity {
    /// Over 1..=size. Fails when size is 0 or the exponent is below 0 or no number.
    pub fn new(size: u64, exponent: f64, seed: u64) -> Result<Self> {
        #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
        let law = Zipf::new(size as f64, exponent)
            .with_context(|| format!("popularity of {size} items with exponent {exponent}"))?;
        Ok(Self {
            size,
            law,
            places: Permutation::new(size, seed),
        })
    }

    /// The next one's number, 1..=size.
    pub fn sample(&self, rng: &mut impl Rng) -> u64 {
        self.at_rank(self.rank(rng))
    }

    /// The next one's rank, 1..=size; 1 is the most popular.
    pub fn rank(&self, rng: &mut impl Rng) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, 1..=size"
        )]
        let rank = rng.sample(self.law) as u64;
        // The law is drawn in floating point, whose last bit could lead one past the end.
        rank.clamp(1, self.size)
    }

    /// The number that has a rank.
    pub fn at_rank(&self, rank: u64) -> u64 {
        self.places.apply(rank - 1) + 1
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

    use super::*;
    use crate::model::rng;

    fn counts(law: &Popularity, size: usize, draws: u32, by_rank: bool) -> Vec<u32> {
        let mut rng = rng(5, 0);
        let mut counts = vec![0_u32; size];
        for _ in 0..draws {
            let drawn = if by_rank {
                law.rank(&mut rng)
            } else {
                law.sample(&mut rng)
            };
            counts[usize::try_from(drawn).unwrap() - 1] += 1;
        }
        counts
    }

    /// Pearson's statistic of counts by rank against Zipf's law.
    fn chi_square(counts: &[u32], exponent: f64) -> f64 {
        let weight = |rank: usize| f64::from(u32::try_from(rank).unwrap()).powf(-exponent);
        let whole: f64 = (1..=counts.len()).map(weight).sum();
        let draws = f64::from(counts.iter().sum::<u32>());
        let cell = |(place, &count): (usize, &u32)| {
            let expected = draws * weight(place + 1) / whole;
            (f64::from(count) - expected).powi(2) / expected
        };
        counts.iter().enumerate().map(cell).sum()
    }

    #[test]
    fn ranks_follow_the_law() {
        let law = Popularity::new(100, EXPONENT, 1).unwrap();
        let counts = counts(&law, 100, 200_000, true);
        // 99 degrees of freedom: 99.9 % of samples of the law lie below 148.2.
        assert!(chi_square(&counts, 0.8) < 148.2, "{}", chi_square(&counts, 0.8));
        // The same draws are not of a law near by.
        assert!(chi_square(&counts, 0.85) > 148.2);
        assert!(chi_square(&counts, 0.75) > 148.2);
    }

    #[test]
    fn of_a_large_catalogue_the_head_has_its_share() {
        let law = Popularity::new(100_000, EXPONENT, 1).unwrap();
        let mut rng = rng(5, 0);
        let head = (0..100_000).filter(|_| law.rank(&mut rng) <= 1_000).count();
        let sum = |to: u32| (1..=to).map(|rank| f64::from(rank).powf(-0.8)).sum::<f64>();
        let found = f64::from(u32::try_from(head).unwrap()) / 100_000.0;
        assert!((found - sum(1_000) / sum(100_000)).abs() < 0.006, "{found}");
    }

    #[test]
    fn numbers_are_the_scattered_ranks() {
        let law = Popularity::new(1_000, EXPONENT, 1).unwrap();
        let (ranks, numbers) = (
            counts(&law, 1_000, 20_000, true),
            counts(&law, 1_000, 20_000, false),
        );
        for rank in 1..=1_000 {
            let number = law.at_rank(rank);
            let place = |it: u64| usize::try_from(it).unwrap() - 1;
            assert_eq!(ranks[place(rank)], numbers[place(number)]);
        }
        let lowest: u32 = numbers[..10].iter().sum();
        let popular: u32 = ranks[..10].iter().sum();
        assert!(
            lowest < popular / 3,
            "{lowest} of the lowest numbers, {popular} of the popular"
        );
    }

    #[test]
    fn bad_ones_are_refused() {
        assert!(Popularity::new(0, EXPONENT, 1).is_err());
        assert!(Popularity::new(10, -1.0, 1).is_err());
        assert!(Popularity::new(10, f64::NAN, 1).is_err());
        let one = Popularity::new(1, EXPONENT, 1).unwrap();
        assert_eq!(one.sample(&mut rng(1, 0)), 1);
    }
}
