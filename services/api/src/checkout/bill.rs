//! What an order costs: the lines wanted at the prices that MySQL holds now.

use super::request::{Item, Wanted};
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
    pub total: i64,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Bill {
    pub lines: Vec<BillLine>,
    pub total: Money,
}

impl Bill {
    /// # Errors
    /// 422 with each item that cannot be bought; 409 `price_changed` when the customer expected another total.
    pub fn of(wanted: &Wanted, offered: &[Offered], currency: Currency) -> Result<Self> {
        let mut checks = Checks::default();
        let mut lines = Vec::with_capacity(wanted.items.len());
        for (index, item) in wanted.items.iter().enumerate() {
            match line(item, offered) {
                Some(line) => lines.push(line?),
                None => checks.fail(format!("items[{index}].variant_id"), "cannot be bought"),
            }
        }
        checks.done()?;
        let total = money::sum(lines.iter().map(|line| line.total)).ok_or_else(too_much)?;
        let total = Money::new(total, currency);
        match wanted.expected_total {
            Some(expected) if expected != total => Err(Error::PriceChanged { total }),
            _ => Ok(Self { lines, total }),
        }
    }
}

fn line(item: &Item, offered: &[Offered]) -> Option<Result<BillLine>> {
    let offered = offered.iter().find(|one| one.variant == item.variant)?;
    let total = money::line_total(offered.price, item.quantity);
    Some(total.ok_or_else(too_much).map(|total| BillLine {
        offered: offered.clone(),
        quantity: item.quantity,
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
        let bill = Bill::of(&wanted(&[(2, 3), (1, 1)], Some(3499)), &held, usd()).unwrap();
        assert_eq!(bill.total.amount, 3499);
        let totals: Vec<_> = bill.lines.iter().map(|line| line.total).collect();
        assert_eq!(totals, [1500, 1999]);
    }

    #[test]
    fn another_total_than_expected_is_told() {
        let outcome = Bill::of(&wanted(&[(1, 2)], Some(1)), &[offered(1, 1999)], usd());
        assert!(matches!(outcome, Err(Error::PriceChanged { total }) if total.amount == 3998));
    }

    #[test]
    fn each_item_that_is_not_offered_is_named() {
        let outcome = Bill::of(&wanted(&[(7, 1), (1, 1), (8, 1)], None), &[offered(1, 1)], usd());
        let Err(Error::Validation(errors)) = outcome else {
            unreachable!("{outcome:?}");
        };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["items[0].variant_id", "items[2].variant_id"]);
    }

    #[test]
    fn a_total_past_all_bounds_is_refused() {
        let outcome = Bill::of(&wanted(&[(1, 2)], None), &[offered(1, i64::MAX)], usd());
        assert!(matches!(outcome, Err(Error::Validation(_))));
    }
}
