//! Paid orders of the past 90 days, spread over the shop's customers and products as sales are: most sales go to
//! few products.

use rand::RngExt as _;
use time::{Duration, PrimitiveDateTime};
use uuid::Uuid;

use super::customer::uuid_at;
use super::product::generator;

const PLACED_WITHIN_SECONDS: i64 = 90 * 86_400;

/// A customer with an address who can order.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Buyer {
    pub customer_id: Uuid,
    pub name: String,
    pub line1: String,
    pub line2: String,
    pub city: String,
    pub region: String,
    pub postal_code: String,
    pub country: String,
    pub phone: String,
}

/// A variant that can be ordered, with what a line keeps of it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Ware {
    pub variant_id: u64,
    pub product_id: u64,
    pub title: String,
    pub option1: String,
    pub option2: String,
    pub option3: String,
    pub sku: Option<String>,
    pub price: i64,
}

pub struct Order<'a> {
    pub id: Uuid,
    pub idempotency_key: String,
    pub buyer: &'a Buyer,
    pub created_at: PrimitiveDateTime,
    pub lines: Vec<(&'a Ware, i32)>,
}

impl<'a> Order<'a> {
    /// The order with that number. `buyers` and `wares` must not be empty.
    pub fn generate(
        seed: u64,
        number: u64,
        now: PrimitiveDateTime,
        buyers: &'a [Buyer],
        wares: &'a [Ware],
    ) -> Self {
        let mut rng = generator(seed, "order", number);
        let created_at = now - Duration::seconds(rng.random_range(60..PLACED_WITHIN_SECONDS));
        let id = uuid_at(&mut rng, created_at);
        let buyer = &buyers[rng.random_range(0..buyers.len())];
        let mut lines: Vec<(&Ware, i32)> = vec![];
        for _ in 0..rng.random_range(1..=4) {
            // The cube of a uniform number: a fifth of the wares get three fifths of the sales.
            let share: f64 = rng.random::<f64>().powi(3);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a share of a length, below 2^52"
            )]
            let index = (share * wares.len() as f64) as usize;
            let ware = &wares[index.min(wares.len() - 1)];
            let quantity = if rng.random_bool(0.8) { 1 } else { 2 };
            if lines.iter().all(|(line, _)| line.variant_id != ware.variant_id) {
                lines.push((ware, quantity));
            }
        }
        Self {
            id,
            idempotency_key: format!("seed-{id}"),
            buyer,
            created_at,
            lines,
        }
    }

    pub fn total(&self) -> i64 {
        self.lines
            .iter()
            .map(|(ware, quantity)| ware.price * i64::from(*quantity))
            .sum()
    }
}
