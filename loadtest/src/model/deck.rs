//! Exact mixes: draws from a shuffled deck instead of independent ones.
//!
//! One deck is shared by all shoppers of a generator. Its order comes in two steps. A fair sequence is computed
//! in which, after any number of draws, each kind's count is less than one away from its share (Tijdeman, "The
//! chairman assignment problem", 1980). Hands of 20 cards of that sequence are then shuffled. So short runs are
//! near the mix too, and a whole deck is exact.

use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom as _;

/// Cards that are shuffled together. Larger hands look more random, and let a prefix stray further from the mix.
const HAND: i128 = 20;

/// A seeded, endless deck over the places of a list of weights.
pub struct Deck {
    kinds: Vec<Kind>,
    /// Cards in a whole deck.
    size: i128,
    /// Cards of the deck that are dealt or in the hand.
    taken: i128,
    hand: Vec<usize>,
    rng: ChaCha8Rng,
}

/// One kind that does come.
struct Kind {
    place: usize,
    weight: i128,
    taken: i128,
}

impl Deck {
    /// Kinds come as often as their weights say, weights of 0 never. With no weight above 0 each draw is place 0.
    pub fn new(weights: &[u32], seed: u64) -> Self {
        let divisor = weights.iter().copied().fold(0, gcd).max(1);
        let kinds: Vec<Kind> = weights
            .iter()
            .enumerate()
            .filter(|&(_, &weight)| weight > 0)
            .map(|(place, &weight)| Kind {
                place,
                weight: i128::from(weight / divisor),
                taken: 0,
            })
            .collect();
        Self {
            size: kinds.iter().map(|kind| kind.weight).sum(),
            kinds,
            taken: 0,
            hand: Vec::new(),
            rng: super::rng(seed, 0),
        }
    }

    /// The place of the next card's kind.
    pub fn draw(&mut self) -> usize {
        if let Some(card) = self.hand.pop() {
            return card;
        }
        if self.taken == self.size {
            self.taken = 0;
            self.kinds.iter_mut().for_each(|kind| kind.taken = 0);
        }
        // A hand ends with its deck, so that each whole deck is exact.
        let cards = HAND.min(self.size - self.taken);
        for _ in 0..cards {
            let card = self.fair();
            self.hand.push(card);
        }
        self.hand.shuffle(&mut self.rng);
        self.hand.pop().unwrap_or(0)
    }

    /// The next card of the fair sequence: of the kinds that are behind enough, the one that would be late first.
    fn fair(&mut self) -> usize {
        self.taken += 1;
        // Tijdeman's margin is 1 / (2 m - 2) for m kinds; all is multiplied by that and by the deck's size to
        // stay in integers.
        let fine = (2 * i128::try_from(self.kinds.len()).unwrap_or(i128::MAX / 2) - 2).max(1);
        let (size, drawn) = (self.size, self.taken);
        let next = self
            .kinds
            .iter_mut()
            .map(|kind| {
                let behind = fine * (drawn * kind.weight - size * kind.taken);
                (behind, kind)
            })
            .filter(|&(behind, _)| behind >= size)
            .min_by(|(behind, kind), (other_behind, other)| {
                let slack = (fine - 1) * size - behind;
                let other_slack = (fine - 1) * size - other_behind;
                (slack * other.weight).cmp(&(other_slack * kind.weight))
            });
        next.map_or(0, |(_, kind)| {
            kind.taken += 1;
            kind.place
        })
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interaction::Mix;

    /// The largest distance of any count from its share over all prefixes, and the counts at the end.
    fn strays(weights: &[u32], draws: u32, seed: u64) -> (f64, Vec<u32>) {
        let total = f64::from(weights.iter().sum::<u32>());
        let mut deck = Deck::new(weights, seed);
        let mut counts = vec![0_u32; weights.len()];
        let mut worst: f64 = 0.0;
        for drawn in 1..=draws {
            counts[deck.draw()] += 1;
            for (&count, &weight) in counts.iter().zip(weights) {
                let share = f64::from(drawn) * f64::from(weight) / total;
                worst = worst.max((f64::from(count) - share).abs());
            }
        }
        (worst, counts)
    }

    #[test]
    fn mixes_are_near_at_any_prefix_and_exact_at_whole_decks() {
        for mix in [Mix::Browsing, Mix::Shopping, Mix::Ordering] {
            let weights = mix.weights();
            for seed in 0..3 {
                let (worst, counts) = strays(&weights, 10_000, seed);
                assert!(worst < 7.0, "{mix:?} strays by {worst}");
                assert_eq!(counts, weights, "{mix:?}");
                let (_, twice) = strays(&weights, 20_000, seed);
                assert!(
                    twice
                        .iter()
                        .zip(weights)
                        .all(|(&count, weight)| count == 2 * weight),
                    "{mix:?}"
                );
            }
        }
    }

    /// What the bound above is worth: independent draws would break it.
    #[test]
    fn between_hands_counts_are_less_than_one_from_their_shares() {
        let weights = Mix::Shopping.weights();
        let mut deck = Deck::new(&weights, 7);
        let mut counts = [0_u32; 14];
        for drawn in 1..=10_000_u32 {
            counts[deck.draw()] += 1;
            if drawn % 20 == 0 {
                for (&count, weight) in counts.iter().zip(weights) {
                    let share = f64::from(drawn) * f64::from(weight) / 10_000.0;
                    assert!(
                        (f64::from(count) - share).abs() < 1.0,
                        "{drawn}: {count} for {share}"
                    );
                }
            }
        }
    }

    #[test]
    fn one_in_five_is_one_in_each_five() {
        let mut deck = Deck::new(&[20, 80], 3);
        for _ in 0..200 {
            let new = (0..5).filter(|_| deck.draw() == 0).count();
            assert_eq!(new, 1);
        }
    }

    #[test]
    fn order_follows_from_the_seed_and_is_not_sorted() {
        let cards = |seed| {
            let mut deck = Deck::new(&Mix::Shopping.weights(), seed);
            (0..200).map(|_| deck.draw()).collect::<Vec<_>>()
        };
        assert_eq!(cards(1), cards(1));
        assert_ne!(cards(1), cards(2));
    }

    #[test]
    fn odd_weights() {
        let (worst, counts) = strays(&[0, 7, 0, 1], 8, 1);
        assert!(worst < 7.0);
        assert_eq!(counts, [0, 7, 0, 1]);
        assert_eq!(strays(&[5], 10, 1).1, [10]);
        assert_eq!(Deck::new(&[], 1).draw(), 0);
        assert_eq!(Deck::new(&[0, 0], 1).draw(), 0);
    }
}
