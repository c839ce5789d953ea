//! A discount spread over the lines of an order in proportion to their totals, by largest remainder: every line gets its
//! share rounded down, and the minor units that are left go to the lines that lost most by it, the earlier line first.
//! So the parts add up to the discount, none is more than its line, and the same order is always spread the same.

/// The part of each line. `discount` must be from 0 to the sum of `totals`, and no total negative; else nothing comes off.
pub fn spread(discount: i64, totals: &[i64]) -> Vec<i64> {
    let sum: i128 = totals.iter().map(|total| i128::from(*total)).sum();
    let wanted = i128::from(discount);
    if wanted <= 0 || wanted > sum || totals.iter().any(|total| *total < 0) {
        return vec![0; totals.len()];
    }
    let exact = |total: &i64| wanted * i128::from(*total);
    let mut parts: Vec<i128> = totals.iter().map(|total| exact(total) / sum).collect();
    let left = wanted - parts.iter().sum::<i128>();
    let mut lines: Vec<usize> = (0..totals.len()).collect();
    // Stable: of equal remainders the earlier line stays first.
    lines.sort_by_key(|line| std::cmp::Reverse(exact(&totals[*line]) % sum));
    // Fewer are left than lines have a remainder, so a line that gets one more had a whole unit to lose.
    for line in lines.into_iter().take(usize::try_from(left).unwrap_or_default()) {
        parts[line] += 1;
    }
    parts
        .into_iter()
        .map(|part| i64::try_from(part).unwrap_or_default())
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;
    use crate::types::money::MAX_AMOUNT;

    #[test]
    fn the_units_that_are_left_go_to_the_largest_remainders_then_to_the_earlier_line() {
        assert_eq!(spread(100, &[100, 100, 100]), [34, 33, 33]);
        assert_eq!(spread(2, &[1, 1, 1]), [1, 1, 0]);
        assert_eq!(spread(10, &[1, 98, 1]), [0, 10, 0]);
        assert_eq!(spread(5, &[0, 3, 7]), [0, 2, 3]);
        assert_eq!(spread(299, &[100, 0, 199]), [100, 0, 199]);
        assert_eq!(spread(0, &[5, 5]), [0, 0]);
        assert_eq!(spread(0, &[0]), [0]);
    }

    #[test]
    fn what_cannot_be_spread_takes_nothing_off() {
        assert_eq!(spread(11, &[5, 5]), [0, 0]);
        assert_eq!(spread(-1, &[5, 5]), [0, 0]);
        assert_eq!(spread(1, &[-5, 10]), [0, 0]);
        assert!(spread(1, &[]).is_empty());
    }

    /// Any order that the shop takes: the parts add up, none is more than its line, each is its share to less than one
    /// unit, and another look spreads it the same.
    #[test]
    fn the_parts_always_add_up_and_no_line_goes_below_nothing() {
        let mut random = ChaCha8Rng::seed_from_u64(10);
        for _ in 0..20_000 {
            let lines = random.random_range(1..=50);
            let shift = random.random_range(0..48);
            let totals: Vec<i64> = (0..lines)
                .map(|_| random.random_range(0..=MAX_AMOUNT * 99) >> shift)
                .collect();
            let sum: i64 = totals.iter().sum();
            let discount = match random.random_range(0..10) {
                0 => sum,
                1 => sum.min(1),
                _ => random.random_range(0..=sum),
            };
            let parts = spread(discount, &totals);
            assert_eq!(parts.iter().sum::<i64>(), discount, "{totals:?}");
            for (part, total) in parts.iter().zip(&totals) {
                assert!((0..=*total).contains(part), "{part} off {total}");
                let (part, total) = (i128::from(*part), i128::from(*total));
                let (sum, discount) = (i128::from(sum), i128::from(discount));
                assert!((part * sum - total * discount).abs() < sum.max(1));
            }
            assert_eq!(spread(discount, &totals), parts);
        }
    }
}
