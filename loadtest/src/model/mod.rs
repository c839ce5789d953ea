//! How shoppers behave: exact mixes, think times, popularity, arrivals, loads over time. Pure and seeded.

pub mod arrivals;
pub mod deck;
pub mod permutation;
pub mod shape;
pub mod think;
pub mod zipf;

use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;

/// The draws of one part of a load: each `stream` (one a shopper, say) is independent of the others of the same seed.
pub fn rng(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

#[cfg(test)]
mod tests {
    use rand::Rng as _;

    use super::rng;

    #[test]
    fn a_seed_and_a_stream_make_the_draws() {
        assert_eq!(rng(1, 2).next_u64(), rng(1, 2).next_u64());
        assert_ne!(rng(1, 2).next_u64(), rng(1, 3).next_u64());
        assert_ne!(rng(1, 2).next_u64(), rng(2, 2).next_u64());
    }
}
