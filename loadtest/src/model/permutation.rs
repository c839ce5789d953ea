//! A seeded permutation of 0..n that keeps no list.
//!
//! A Feistel network permutes the next power of four above n; a value that falls outside 0..n is permuted again
//! until it is inside (cycle walking), which again is a permutation.

use rand::Rng as _;

const ROUNDS: usize = 4;

#[derive(Debug, Clone)]
pub struct Permutation {
    size: u64,
    /// Bits in each half.
    half: u32,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// Of 0..size; sizes above 2^62 are not meant.
    pub fn new(size: u64, seed: u64) -> Self {
        let bits = u64::BITS - size.saturating_sub(1).leading_zeros();
        let mut rng = super::rng(seed, 0);
        Self {
            size,
            half: bits.div_ceil(2).max(1),
            keys: std::array::from_fn(|_| rng.next_u64()),
        }
    }

    /// Where `place` goes. A place outside 0..size stays.
    pub fn apply(&self, place: u64) -> u64 {
        if place >= self.size {
            return place;
        }
        // Ends: the cycle leads back to `place`, which is inside.
        let mut at = self.network(place);
        while at >= self.size {
            at = self.network(at);
        }
        at
    }

    fn network(&self, value: u64) -> u64 {
        let mask = (1 << self.half) - 1;
        let (mut left, mut right) = (value >> self.half, value & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (scramble(right ^ key) & mask));
        }
        left << self.half | right
    }
}

/// Spreads each bit over all: two rounds of multiply and shift with large odd constants.
fn scramble(value: u64) -> u64 {
    let value = (value ^ (value >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 29)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    value ^ (value >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_taken_once() {
        for size in [1, 2, 3, 4, 5, 16, 17, 1000, 1024, 1025, 100_000] {
            for seed in 0..3 {
                let permutation = Permutation::new(size, seed);
                let mut taken = vec![false; usize::try_from(size).unwrap_or(0)];
                for place in 0..size {
                    let at = usize::try_from(permutation.apply(place)).unwrap_or(usize::MAX);
                    assert!(!std::mem::replace(&mut taken[at], true), "{size}: {at} twice");
                }
            }
        }
    }

    #[test]
    fn first_places_spread_over_all() {
        let permutation = Permutation::new(100_000, 1);
        let low = (0..1000)
            .filter(|&place| permutation.apply(place) < 50_000)
            .count();
        assert!((400..600).contains(&low), "{low} of 1,000 in the lower half");
        let stayed = (0..100_000)
            .filter(|&place| permutation.apply(place) == place)
            .count();
        assert!(stayed < 20, "{stayed} stayed");
        let other = Permutation::new(100_000, 2);
        assert!((0..100).any(|place| permutation.apply(place) != other.apply(place)));
    }
}
