//! What an order costs: the lines wanted at the prices that MySQL holds now, less what a coupon takes off.

use super::request::{Item, Wanted};
use crate::coupons::spread::spread;
use crate::coupons::uses::Use;
use crate::coupons::{Coupon, Refusal};
use crate::error::{Error, Result};
use crate::types::id::{ProductId, VariantId};
use crate::types::money::{self, Currency, Money};
use crate::types::text::Checks;

/// A variant that can be bought, as MySQL holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    pub variant: VariantId,
    pub product: ProductId,
    pub title: String,
    pub options: [String; 3],
    pub sku: Option<String>,
    pub price: i64,
}

/// A line with its price.
#[derive(Debug, PartialEq, Eq)]
pub struct BillLine {
    pub offered: Offered,
    pub quantity: i32,
    /// This line's part of the coupon's discount.
    pub discount: i64,
    /// Price times quantity, less the discount.
    pub total: i64,
}

/// What an order costs as a whole: total = subtotal - discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    pub subtotal: i64,
    pub discount: i64,
    pub total: Money,
}

impl Cost {
    pub fn nothing(currency: Currency) -> Self {
        Self {
            subtotal: 0,
            discount: 0,
            total: Money::new(0, currency),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Bill {
    pub lines: Vec<BillLine>,
    pub cost: Cost,
    pub coupon: Option<Use>,
}

impl Bill {
    /// `coupon` is the one that is wanted, if there is one.
    ///
    /// # Errors
    /// 422 with each item that cannot be bought and a coupon that is unknown; 409 when the coupon does not apply;
    /// 409 `price_changed` when the customer expected another total.
    pub fn of(
        wanted: &Wanted,
        offered: &[Offered],
        coupon: Option<&Coupon>,
        currency: Currency,
    ) -> Result<Self> {
        let mut checks = Checks::default();
        let mut lines = Vec::with_capacity(wanted.items.len());
        for (index, item) in wanted.items.iter().enumerate() {
            match line(item, offered) {
                Some(line) => lines.push(line?),
                None => checks.fail(format!("items[{index}].variant_id"), "cannot be bought"),
            }
        }
        if wanted.coupon.is_some() && coupon.is_none() {
            checks.fail("coupon", Refusal::Unknown.to_string());
        }
        checks.done()?;
        let subtotal = money::sum(lines.iter().map(|line| line.total)).ok_or_else(too_much)?;
        let discount = match coupon {
            Some(coupon) => coupon.discount(Money::new(subtotal, currency))?,
            None => 0,
        };
        take_off(&mut lines, discount);
        let total = Money::new(subtotal - discount, currency);
        if wanted.expected_total.is_some_and(|expected| expected != total) {
            return Err(Error::PriceChanged { total });
        }
        let cost = Cost {
            subtotal,
            discount,
            total,
        };
        let coupon = coupon.map(|coupon| Use {
            code: coupon.code.clone(),
            max_per_customer: coupon.max_per_customer,
            discount,
        });
        Ok(Self { lines, cost, coupon })
    }
}

/// Spreads a discount over the lines.
fn take_off(lines: &mut [BillLine], discount: i64) {
    let totals: Vec<i64> = lines.iter().map(|line| line.total).collect();
    for (line, part) in lines.iter_mut().zip(spread(discount, &totals)) {
        line.discount = part;
        line.total -= part;
    }
}

fn line(item: &Item, offered: &[Offered]) -> Option<Result<BillLine>> {
    let offered = offered.iter().find(|one| one.variant == item.variant)?;
    let total = money::line_total(offered.price, item.quantity);
    Some(total.ok_or_else(too_much).map(|total| BillLine {
        offered: offered.clone(),
        quantity: item.quantity,
        discount: 0,
        total,
    }))
}

fn too_much() -> Error {
    Error::field("items", "cost more than an order can")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::super::gateway::Token;
    use super::*;
    use crate::coupons::{Code, Off};
    use crate::types::id::AddressId;

    fn offered(variant: u64, price: i64) -> Offered {
        Offered {
            variant: VariantId(variant),
            product: ProductId(1),
            title: "Shirt".into(),
            options: ["M".into(), String::new(), String::new()],
            sku: None,
            price,
        }
    }

    fn wanted(items: &[(u64, i32)], expected: Option<i64>) -> Wanted {
        Wanted {
            items: items
                .iter()
                .map(|(variant, quantity)| Item {
                    variant: VariantId(*variant),
                    quantity: *quantity,
                })
                .collect(),
            address: AddressId::generate(),
            token: Token::Approve,
            coupon: None,
            expected_total: expected.map(|amount| Money::new(amount, usd())),
            hash: [0; 32],
        }
    }

    fn usd() -> Currency {
        "USD".parse().unwrap()
    }

    #[test]
    fn the_total_is_the_sum_of_the_lines_in_the_order_asked_for() {
        let held = [offered(1, 1999), offered(2, 500)];
        let bill = Bill::of(&wanted(&[(2, 3), (1, 1)], Some(3499)), &held, None, usd()).unwrap();
        assert_eq!(bill.cost.total.amount, 3499);
        let totals: Vec<_> = bill.lines.iter().map(|line| line.total).collect();
        assert_eq!(totals, [1500, 1999]);
    }

    #[test]
    fn another_total_than_expected_is_told() {
        let outcome = Bill::of(&wanted(&[(1, 2)], Some(1)), &[offered(1, 1999)], None, usd());
        assert!(matches!(outcome, Err(Error::PriceChanged { total }) if total.amount == 3998));
    }

    #[test]
    fn each_item_that_is_not_offered_is_named() {
        let outcome = Bill::of(
            &wanted(&[(7, 1), (1, 1), (8, 1)], None),
            &[offered(1, 1)],
            None,
            usd(),
        );
        let Err(Error::Validation(errors)) = outcome else {
            unreachable!("{outcome:?}");
        };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["items[0].variant_id", "items[2].variant_id"]);
    }

    #[test]
    fn a_total_past_all_bounds_is_refused() {
        let outcome = Bill::of(&wanted(&[(1, 2)], None), &[offered(1, i64::MAX)], None, usd());
        assert!(matches!(outcome, Err(Error::Validation(_))));
    }

    #[test]
    fn a_coupon_is_spread_over_the_lines_and_the_discounted_total_expected() {
        let held = [offered(1, 1999), offered(2, 500)];
        let half = Coupon {
            code: Code::parse("HALF").unwrap(),
            off: Off::Percent(50),
            minimum: 3499,
            max_per_customer: Some(1),
            expired: false,
        };
        let with = |expected| Wanted {
            coupon: Code::parse("HALF"),
            ..wanted(&[(2, 3), (1, 1)], expected)
        };
        let bill = Bill::of(&with(Some(1749)), &held, Some(&half), usd()).unwrap();
        let lines: Vec<_> = bill
            .lines
            .iter()
            .map(|line| (line.discount, line.total))
            .collect();
        assert_eq!(lines, [(750, 750), (1000, 999)]);
        assert_eq!((bill.cost.subtotal, bill.cost.discount), (3499, 1750));
        assert_eq!(bill.coupon.unwrap().discount, 1750);
        let outcome = Bill::of(&with(Some(3499)), &held, Some(&half), usd());
        assert!(matches!(outcome, Err(Error::PriceChanged { total }) if total.amount == 1749));
        let outcome = Bill::of(&with(None), &held[1..], None, usd());
        let Err(Error::Validation(errors)) = outcome else {
            unreachable!("{outcome:?}");
        };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["items[1].variant_id", "coupon"]);
    }
}
