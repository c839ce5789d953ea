//! What a coupon gives for an order, and why it gives nothing.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use super::code::Code;
use crate::error::Error;
use crate::types::money::Money;

/// How much comes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// 1 to 100 of a hundred, rounded half up to whole minor units: an exact half is the shopper's.
    Percent(i64),
    /// Minor units; never more than the subtotal.
    Amount(i64),
}

impl Off {
    /// What comes off this subtotal: 0 to the subtotal.
    pub fn of(self, subtotal: i64) -> i64 {
        let off = match self {
            Self::Percent(percent) => {
                let exact = i128::from(subtotal) * i128::from(percent);
                i64::try_from((exact + 50) / 100).unwrap_or(subtotal)
            }
            Self::Amount(amount) => amount,
        };
        off.clamp(0, subtotal.max(0))
    }
}

/// A coupon that customers know: active, and begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    pub code: Code,
    pub off: Off,
    /// The smallest subtotal that it is for.
    pub minimum: i64,
    pub max_per_customer: Option<i64>,
    pub expired: bool,
}

/// Why a coupon takes nothing off an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CouponRefusal)]
pub enum Refusal {
    /// Not there, not active or not valid yet
    Unknown,
    Expired,
    BelowMinimum,
    /// So small a subtotal that nothing would come off
    NothingOff,
    UsedUp,
    UsedUpByYou,
}

impl Coupon {
    /// What it takes off an order of this subtotal, before its uses are counted.
    ///
    /// # Errors
    /// Why it takes nothing off.
    pub fn discount(&self, subtotal: Money) -> Result<i64, Refusal> {
        if self.expired {
            return Err(Refusal::Expired);
        }
        if subtotal.amount < self.minimum {
            return Err(Refusal::BelowMinimum);
        }
        match self.off.of(subtotal.amount) {
            0 => Err(Refusal::NothingOff),
            off => Ok(off),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "there is no such coupon",
            Self::Expired => "the coupon is not valid any more",
            Self::BelowMinimum => "the order is too small for the coupon",
            Self::NothingOff => "the coupon would take nothing off so small an order",
            Self::UsedUp => "the coupon is used up",
            Self::UsedUpByYou => "you have used the coupon as often as you can",
        })
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown => Self::field("coupon", refusal.to_string()),
            Refusal::UsedUp | Refusal::UsedUpByYou => Self::CouponUsedUp(refusal.to_string()),
            Refusal::Expired | Refusal::BelowMinimum | Refusal::NothingOff => {
                Self::CouponNotApplicable(refusal.to_string())
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;
    use crate::types::money::MAX_AMOUNT;

    fn coupon(off: Off, minimum: i64) -> Coupon {
        Coupon {
            code: Code::parse("TEST").unwrap(),
            off,
            minimum,
            max_per_customer: None,
            expired: false,
        }
    }

    fn usd(amount: i64) -> Money {
        Money::new(amount, "USD".parse().unwrap())
    }

    #[test]
    fn a_percentage_is_rounded_half_up() {
        for (percent, subtotal, off) in [
            (10, 1004, 100),
            (10, 1005, 101),
            (50, 1, 1),
            (49, 1, 0),
            (100, 1999, 1999),
            (1, 50, 1),
            (1, 49, 0),
            (33, 100, 33),
        ] {
            assert_eq!(
                Off::Percent(percent).of(subtotal),
                off,
                "{percent} % of {subtotal}"
            );
        }
    }

    #[test]
    fn an_amount_is_never_more_than_the_subtotal() {
        assert_eq!(Off::Amount(500).of(1999), 500);
        assert_eq!(Off::Amount(500).of(499), 499);
        assert_eq!(Off::Amount(500).of(0), 0);
    }

    #[test]
    fn whatever_the_subtotal_the_discount_stays_within_it() {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        for _ in 0..20_000 {
            // The largest order is 50 lines of 99 pieces.
            let subtotal = random.random_range(0..=MAX_AMOUNT * 99 * 50) >> random.random_range(0..60);
            let percent = random.random_range(1..=100);
            let off = Off::Percent(percent).of(subtotal);
            assert!((0..=subtotal).contains(&off));
            let wrong_by = i128::from(off) * 100 - i128::from(subtotal) * i128::from(percent);
            assert!(
                (-49..=50).contains(&wrong_by),
                "{percent} % of {subtotal} is not {off}"
            );
            let amount = random.random_range(1..=MAX_AMOUNT);
            assert_eq!(Off::Amount(amount).of(subtotal), amount.min(subtotal));
        }
        assert_eq!(Off::Percent(100).of(i64::MAX), i64::MAX);
    }

    #[test]
    fn what_a_coupon_does_not_apply_to_is_said() {
        let half = coupon(Off::Percent(50), 1000);
        assert_eq!(half.discount(usd(1000)), Ok(500));
        assert_eq!(half.discount(usd(999)), Err(Refusal::BelowMinimum));
        assert_eq!(
            coupon(Off::Percent(1), 0).discount(usd(49)),
            Err(Refusal::NothingOff)
        );
        let old = Coupon {
            expired: true,
            ..half
        };
        assert_eq!(old.discount(usd(1000)), Err(Refusal::Expired));
    }
}
