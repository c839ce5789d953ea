//! The statements of an order on connections of their own, in the shop's order, with the shop's three commits (placed,
//! charged, settled): no HTTP, no rules, no retries, no pool. What it writes is a right order: the audit counts it too.

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};
use sqlx::mysql::MySqlRow;
use sqlx::{Executor as _, MySqlConnection, Row as _};
use time::PrimitiveDateTime;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Stopwatch, WindowArgs, connect};
use crate::bench::compare::Sample;

/// Variants that can be bought thousands of times, of all products in turn.
pub const VARIANTS: &str = "SELECT variants.id
    FROM variants
    JOIN products ON products.id = variants.product_id
    JOIN stock ON stock.variant_id = variants.id
    WHERE published = 1 AND on_hand > 5000
        AND NOT EXISTS (SELECT 1 FROM withdrawn_variants WHERE variant_id = variants.id)
    ORDER BY variants.id
    LIMIT 2000";
/// Customers with an address each.
const BUYERS: &str =
    "SELECT customer_id, MIN(id) FROM addresses GROUP BY customer_id ORDER BY customer_id LIMIT ?";

const OFFERED: &str = "SELECT variants.id, product_id, title, option1, option2, option3, sku, price
    FROM variants
    JOIN products ON products.id = variants.product_id
    WHERE published = 1
        AND NOT EXISTS (SELECT 1 FROM withdrawn_variants WHERE variant_id = variants.id)
        AND variants.id IN (?)";
const ORDER: &str = "INSERT INTO orders (
        id, customer_id, idempotency_key, request_hash, state, currency, subtotal, discount, total,
        ship_name, ship_line1, ship_line2, ship_city, ship_region, ship_postal_code, ship_country, ship_phone,
        settle_by, created_at, updated_at
    )
    SELECT
        ?, customer_id, ?, ?, 'pending', ?, ?, ?, ?,
        name, line1, line2, city, region, postal_code, country, phone,
        UTC_TIMESTAMP(6) + INTERVAL ? SECOND, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)
    FROM addresses
    WHERE id = ? AND customer_id = ?";
const LINES: &str = "INSERT INTO order_lines (order_id, line_no, variant_id, product_id, title,
    option1, option2, option3, sku, price, quantity, discount, total)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const LEDGER: &str = "INSERT INTO stock_movements (variant_id, kind, quantity, order_id, created_at)
    VALUES (?, ?, ?, ?, UTC_TIMESTAMP(6))";
const STOCK: &str =
    "UPDATE stock SET on_hand = LAST_INSERT_ID(on_hand - ?) WHERE variant_id = ? AND on_hand >= ?";
const PAYMENT: &str =
    "INSERT INTO gateway_payments (order_id, state, currency, captured, created_at, updated_at)
    VALUES (?, ?, ?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))";
const STEP: &str = "UPDATE orders
    SET state = ?, settle_by = IF(?, UTC_TIMESTAMP(6), NULL), updated_at = UTC_TIMESTAMP(6)
    WHERE id = ? AND state = ?";
const PLACED: &str = "SELECT orders.id AS id, orders.state, currency, subtotal, orders.discount, total,
    ship_name, ship_line1, ship_line2, ship_city, ship_region, ship_postal_code, ship_country, ship_phone,
    settle_by, orders.created_at, orders.updated_at, coupon_uses.code AS coupon,
    order_shipments.shipped_at AS shipped_at, order_shipments.carrier AS carrier,
    order_shipments.tracking AS tracking
    FROM orders
    LEFT JOIN coupon_uses ON coupon_uses.order_id = orders.id
    LEFT JOIN order_shipments ON order_shipments.order_id = orders.id
    WHERE orders.id = ? AND orders.customer_id = COALESCE(?, orders.customer_id)";
const PLACED_LINES: &str =
    "SELECT order_id, variant_id, product_id, title, option1, option2, option3, sku, price,
    quantity, discount, total
    FROM order_lines
    WHERE order_id IN (?) ORDER BY order_id, line_no";
const RESPONSE: &str = "INSERT INTO order_responses (order_id, status, body, created_at)
    VALUES (?, ?, ?, UTC_TIMESTAMP(6))";
const CART: &str = "SELECT id AS id, version FROM carts WHERE customer_id = ? FOR UPDATE";

/// As long as the shop's own answer to an order of one line.
const RESPONSE_BYTES: usize = 800;

type OfferedRow = (u64, u64, String, String, String, String, Option<String>, i64);
type LineRow = (
    Uuid,
    u64,
    u64,
    String,
    String,
    String,
    String,
    Option<String>,
    i64,
    i32,
    i64,
    i64,
);

struct Shop {
    currency: String,
    variants: Vec<u64>,
    buyers: Vec<(Uuid, Uuid)>,
}

/// # Errors
/// When the database refuses.
pub async fn run(args: WindowArgs) -> Result<Sample> {
    let shop = Rc::new(Shop::read(u32::from(args.parallel)).await?);
    let (done, stop) = (Rc::new(Cell::new(0_u64)), Rc::new(Cell::new(false)));
    let mut buyers = JoinSet::new();
    for number in 0..usize::from(args.parallel) {
        let mut connection = connect().await?;
        let (shop, done, stop) = (Rc::clone(&shop), Rc::clone(&done), Rc::clone(&stop));
        buyers.spawn_local(async move {
            let (customer, address) = *shop
                .buyers
                .get(number)
                .context("the shop has too few customers")?;
            // Distinct variants: no two buyers ever want the same one.
            for at in (number..shop.variants.len())
                .step_by(usize::from(args.parallel))
                .cycle()
            {
                if stop.get() {
                    break;
                }
                let variant = *shop.variants.get(at).context("a variant")?;
                let order = Order {
                    id: Uuid::now_v7(),
                    customer,
                    address,
                };
                order.buy(&mut connection, &shop.currency, variant).await?;
                done.set(done.get() + 1);
            }
            anyhow::Ok(())
        });
    }
    let watched = Stopwatch::new(args).watch(|| done.get()).await?;
    stop.set(true);
    while let Some(buyer) = buyers.join_next().await {
        buyer??;
    }
    Ok(Sample {
        all: done.get(),
        ..watched
    })
}

impl Shop {
    async fn read(buyers: u32) -> Result<Self> {
        let mut connection = connect().await?;
        let shop = Self {
            currency: sqlx::query_scalar("SELECT currency FROM shop WHERE id = 1")
                .fetch_one(&mut connection)
                .await?,
            variants: sqlx::query_scalar(VARIANTS).fetch_all(&mut connection).await?,
            buyers: sqlx::query_as(BUYERS)
                .bind(buyers)
                .fetch_all(&mut connection)
                .await?,
        };
        ensure!(!shop.variants.is_empty(), "no variant is well enough in stock");
        Ok(shop)
    }
}

struct Order {
    id: Uuid,
    customer: Uuid,
    address: Uuid,
}

impl Order {
    async fn buy(&self, connection: &mut MySqlConnection, currency: &str, variant: u64) -> Result<()> {
        connection.execute("START TRANSACTION").await?;
        let price = self.place(connection, currency, variant).await?;
        connection.execute("COMMIT").await?;
        connection.execute("START TRANSACTION").await?;
        self.charge(connection, currency, price).await?;
        connection.execute("COMMIT").await?;
        connection.execute("START TRANSACTION").await?;
        self.settle(connection).await?;
        connection.execute("COMMIT").await?;
        Ok(())
    }

    async fn place(&self, connection: &mut MySqlConnection, currency: &str, variant: u64) -> Result<i64> {
        let offered: OfferedRow = sqlx::query_as(OFFERED)
            .bind(variant)
            .fetch_one(&mut *connection)
            .await?;
        let (variant, product, title, option1, option2, option3, sku, price) = offered;
        sqlx::query(ORDER)
            .bind(self.id)
            .bind(self.id.to_string())
            .bind([7_u8; 32].as_slice())
            .bind(currency)
            .bind(price)
            .bind(0_i64)
            .bind(price)
            .bind(10_i64)
            .bind(self.address)
            .bind(self.customer)
            .execute(&mut *connection)
            .await?;
        sqlx::query(LINES)
            .bind(self.id)
            .bind(1_i16)
            .bind(variant)
            .bind(product)
            .bind(title)
            .bind(option1)
            .bind(option2)
            .bind(option3)
            .bind(sku)
            .bind(price)
            .bind(1_i32)
            .bind(0_i64)
            .bind(price)
            .execute(&mut *connection)
            .await?;
        sqlx::query(LEDGER)
            .bind(variant)
            .bind("hold")
            .bind(-1_i32)
            .bind(self.id)
            .execute(&mut *connection)
            .await?;
        let taken = sqlx::query(STOCK)
            .bind(1_i32)
            .bind(variant)
            .bind(1_i32)
            .execute(connection)
            .await?;
        ensure!(taken.rows_affected() == 1, "variant {variant} is sold out");
        Ok(price)
    }

    async fn charge(&self, connection: &mut MySqlConnection, currency: &str, price: i64) -> Result<()> {
        sqlx::query(PAYMENT)
            .bind(self.id)
            .bind("captured")
            .bind(currency)
            .bind(price)
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn settle(&self, connection: &mut MySqlConnection) -> Result<()> {
        sqlx::query(STEP)
            .bind("paid")
            .bind(false)
            .bind(self.id)
            .bind("pending")
            .execute(&mut *connection)
            .await?;
        let placed = sqlx::query(PLACED)
            .bind(self.id)
            .bind(self.customer)
            .fetch_one(&mut *connection)
            .await?;
        decode(&placed)?;
        let lines: Vec<LineRow> = sqlx::query_as(PLACED_LINES)
            .bind(self.id)
            .fetch_all(&mut *connection)
            .await?;
        black_box(lines);
        sqlx::query(RESPONSE)
            .bind(self.id)
            .bind(201_i16)
            .bind([b' '; RESPONSE_BYTES].as_slice())
            .execute(&mut *connection)
            .await?;
        let cart: Option<(Uuid, u64)> = sqlx::query_as(CART)
            .bind(self.customer)
            .fetch_optional(connection)
            .await?;
        black_box(cart);
        Ok(())
    }
}

/// Every column of an order's row, as the shop reads it.
fn decode(row: &MySqlRow) -> Result<()> {
    black_box(row.try_get::<Uuid, _>(0)?);
    for text in [1, 2].into_iter().chain(6..=13) {
        black_box(row.try_get::<String, _>(text)?);
    }
    for number in 3..=5 {
        black_box(row.try_get::<i64, _>(number)?);
    }
    for time in [14, 15, 16, 18] {
        black_box(row.try_get::<Option<PrimitiveDateTime>, _>(time)?);
    }
    for text in [17, 19, 20] {
        black_box(row.try_get::<Option<String>, _>(text)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::is_in;
    use super::*;

    #[test]
    fn the_statements_are_the_shops() {
        let checkout = include_str!("../../../../services/api/src/checkout/store.rs");
        let stock = include_str!("../../../../services/api/src/checkout/stock/store.rs");
        let gateway = include_str!("../../../../services/api/src/checkout/gateway/store.rs");
        let orders = include_str!("../../../../services/api/src/orders/store.rs");
        let cart = include_str!("../../../../services/api/src/cart/store.rs");
        // Those that the shop puts together for any number of items are compared up to there.
        let head = |statement: &'static str, end: &str| {
            statement
                .split_once(end)
                .map_or(statement, |(head, _)| head.trim_end())
        };
        for (source, statement) in [
            (checkout, head(OFFERED, "?)")),
            (checkout, ORDER),
            (checkout, head(LINES, "VALUES")),
            (stock, head(LEDGER, "VALUES")),
            (stock, STOCK),
            (gateway, PAYMENT),
            (orders, STEP),
            (orders, PLACED),
            (orders, head(PLACED_LINES, "?)")),
            (checkout, RESPONSE),
            (cart, CART),
        ] {
            assert!(is_in(source, statement), "{statement}");
        }
    }
}
