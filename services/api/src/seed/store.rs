//! What seeding writes: several hundred rows a statement, a few statements a transaction.
//!
//! Ids of products and variants are given, not taken from the server: they are counted on from the highest there is, so
//! that rows of five tables can be made without asking for ids in between. Only one seed or import writes at a time
//! (`command::writer_lock`); should something else create a product meanwhile, the duplicate id is refused and the
//! batch with it. `unique_checks` and `foreign_key_checks` stay on: with them off the server may take a handle, SKU or
//! e-mail address that the shop already has, and what they cost is little beside the full-text index.

mod review;

use sqlx::{Connection as _, MySqlConnection};
use time::PrimitiveDateTime;

use super::customer::Customer;
use super::order::{Buyer, Order, Ware};
use super::product::Product;
use super::review::Review;
use super::words::CATEGORIES;
use crate::command::insert;
use crate::types::money::Currency;

/// Adds the categories that are missing and answers the ids of all, in the order of `CATEGORIES`.
pub async fn categories(connection: &mut MySqlConnection) -> anyhow::Result<Vec<u64>> {
    let mut ids = Vec::with_capacity(CATEGORIES.len());
    for category in CATEGORIES {
        ids.push(crate::import::store::category(connection, category.name).await?);
    }
    Ok(ids)
}

/// The highest ids of products and variants.
pub async fn last_ids(connection: &mut MySqlConnection) -> anyhow::Result<(u64, u64)> {
    let product = sqlx::query_scalar!(r#"SELECT MAX(id) AS "id: u64" FROM products"#)
        .fetch_one(&mut *connection)
        .await?;
    let variant = sqlx::query_scalar!(r#"SELECT MAX(id) AS "id: u64" FROM variants"#)
        .fetch_one(connection)
        .await?;
    Ok((product.unwrap_or_default(), variant.unwrap_or_default()))
}

/// The highest number in the e-mail address of a seeded customer.
pub async fn last_customer(connection: &mut MySqlConnection) -> anyhow::Result<u64> {
    let number = sqlx::query_scalar!(
        r#"SELECT MAX(CAST(SUBSTRING_INDEX(SUBSTRING_INDEX(email, '@', 1), '.', -1) AS UNSIGNED)) AS "number: u64"
        FROM customers
        WHERE email REGEXP '^[a-z]+[.][a-z]+[.][0-9]{1,12}@example[.]com$'"#
    )
    .fetch_one(connection)
    .await?;
    Ok(number.unwrap_or_default())
}

/// How many orders there are: seeded ones are numbered on from here.
pub async fn orders(connection: &mut MySqlConnection) -> anyhow::Result<u64> {
    let count = sqlx::query_scalar!(r#"SELECT COUNT(*) AS "count!: i64" FROM orders"#)
        .fetch_one(connection)
        .await?;
    Ok(count.unsigned_abs())
}

pub async fn any_product(connection: &mut MySqlConnection) -> anyhow::Result<bool> {
    let first = sqlx::query_scalar!("SELECT id FROM products LIMIT 1")
        .fetch_optional(connection)
        .await?;
    Ok(first.is_some())
}

/// The server's clock.
pub async fn now(connection: &mut MySqlConnection) -> anyhow::Result<PrimitiveDateTime> {
    let now = sqlx::query_scalar!(r#"SELECT UTC_TIMESTAMP() AS "now!: PrimitiveDateTime""#)
        .fetch_one(connection)
        .await?;
    Ok(now)
}

/// Writes products with consecutive ids from `first_product` on, in one transaction. Answers the rows written.
pub async fn products(
    connection: &mut MySqlConnection,
    categories: &[u64],
    first_product: u64,
    first_variant: u64,
    products: &[Product],
    pictures: Option<&str>,
) -> anyhow::Result<u64> {
    let mut tx = connection.begin().await?;
    let mut written = insert_products(&mut tx, categories, first_product, products).await?;
    let variants: Vec<_> = (first_product..)
        .zip(products)
        .flat_map(|(id, product)| (1_i32..).zip(&product.variants).map(move |(n, v)| (id, n, v)))
        .collect();
    let ids = first_variant..;
    written += insert(
        &mut tx,
        "INSERT INTO variants (id, product_id, position, sku, option1, option2, price)",
        ids.clone().zip(&variants),
        |mut row, (id, (product, position, variant))| {
            row.push_bind(id)
                .push_bind(product)
                .push_bind(position)
                .push_bind(&variant.sku)
                .push_bind(variant.options[0])
                .push_bind(variant.options[1])
                .push_bind(variant.price);
        },
    )
    .await?;
    written += insert(
        &mut tx,
        "INSERT INTO stock (variant_id, on_hand)",
        ids.clone().zip(&variants),
        |mut row, (id, (_, _, variant))| {
            row.push_bind(id).push_bind(variant.stock);
        },
    )
    .await?;
    written += insert(
        &mut tx,
        "INSERT INTO stock_movements (variant_id, kind, quantity, created_at)",
        ids.zip(&variants),
        |mut row, (id, (_, _, variant))| {
            row.push_bind(id)
                .push("'initial'")
                .push_bind(variant.stock)
                .push("UTC_TIMESTAMP(6)");
        },
    )
    .await?;
    if let Some(url) = pictures {
        written += insert_pictures(&mut tx, url, first_product, products).await?;
    }
    tx.commit().await?;
    Ok(written)
}

/// Gives products their picture, whose text is their title. Answers the rows written.
async fn insert_pictures(
    tx: &mut MySqlConnection,
    url: &str,
    first: u64,
    products: &[Product],
) -> anyhow::Result<u64> {
    insert(
        tx,
        "INSERT INTO product_pictures (product_id, position, url, alt)",
        (first..).zip(products),
        |mut row, (id, product)| {
            row.push_bind(id)
                .push("1")
                .push_bind(crate::pictures::address(url, id))
                .push_bind(&product.title);
        },
    )
    .await
}

async fn insert_products(
    tx: &mut MySqlConnection,
    categories: &[u64],
    first: u64,
    products: &[Product],
) -> anyhow::Result<u64> {
    let written = insert(
        tx,
        "INSERT INTO products (id, handle, title, description, search_text, vendor, tags, category_id, option1_name,
            option2_name, price_min, created_at, updated_at)",
        (first..).zip(products),
        |mut row, (id, product)| {
            row.push_bind(id)
                .push_bind(&product.handle)
                .push_bind(&product.title)
                .push_bind(&product.description)
                .push_bind(&product.search_text)
                .push_bind(product.vendor)
                .push_bind(&product.tags)
                .push_bind(categories[product.category])
                .push_bind(product.option_names[0])
                .push_bind(product.option_names[1])
                .push_bind(product.price_min())
                .push("UTC_TIMESTAMP(6)")
                .push("UTC_TIMESTAMP(6)");
        },
    )
    .await?;
    let states = insert(
        tx,
        "INSERT INTO product_state (product_id, version, in_stock)",
        (first..).zip(products),
        |mut row, (id, product)| {
            let in_stock = product.variants.iter().any(|variant| variant.stock > 0);
            row.push_bind(id).push("1").push_bind(in_stock);
        },
    )
    .await?;
    Ok(written + states)
}

pub async fn customers(
    connection: &mut MySqlConnection,
    password_hash: Option<&str>,
    customers: &[Customer],
) -> anyhow::Result<u64> {
    let mut tx = connection.begin().await?;
    let mut written = insert(
        &mut tx,
        "INSERT INTO customers (id, email, name, password_hash, created_at)",
        customers,
        |mut row, customer| {
            row.push_bind(customer.id)
                .push_bind(&customer.email)
                .push_bind(&customer.name)
                .push_bind(password_hash)
                .push_bind(customer.created_at);
        },
    )
    .await?;
    written += insert(
        &mut tx,
        "INSERT INTO addresses (id, customer_id, name, line1, city, region, postal_code, country, created_at)",
        customers,
        |mut row, customer| {
            row.push_bind(customer.address_id)
                .push_bind(customer.id)
                .push_bind(&customer.name)
                .push_bind(&customer.line1)
                .push_bind(customer.city)
                .push_bind(customer.region)
                .push_bind(&customer.postal_code)
                .push_bind(customer.country)
                .push_bind(customer.created_at);
        },
    )
    .await?;
    tx.commit().await?;
    Ok(written)
}

/// Customers with an address, at most about `most`, spread evenly over all.
pub async fn buyers(connection: &mut MySqlConnection, most: u64) -> anyhow::Result<Vec<Buyer>> {
    let all = sqlx::query_scalar!(r#"SELECT COUNT(*) AS "count!: i64" FROM addresses"#)
        .fetch_one(&mut *connection)
        .await?;
    let every = all.unsigned_abs().div_ceil(most).max(1);
    Ok(sqlx::query_as!(
        Buyer,
        r#"SELECT customer_id AS "customer_id: _", name, line1, line2, city, region, postal_code, country, phone
        FROM addresses
        WHERE MOD(CRC32(HEX(id)), ?) = 0
        ORDER BY id"#,
        every,
    )
    .fetch_all(connection)
    .await?)
}

/// Variants on sale, at most about `most`, spread evenly over all.
pub async fn wares(connection: &mut MySqlConnection, most: u64) -> anyhow::Result<Vec<Ware>> {
    let all = sqlx::query_scalar!(r#"SELECT COUNT(*) AS "count!: i64" FROM variants"#)
        .fetch_one(&mut *connection)
        .await?;
    let every = all.unsigned_abs().div_ceil(most).max(1);
    Ok(sqlx::query_as!(
        Ware,
        r#"SELECT v.id AS variant_id, v.product_id, p.title, v.option1, v.option2, v.option3, v.sku, v.price
        FROM variants v
        JOIN products p ON p.id = v.product_id
        WHERE p.published = 1
          AND MOD(v.id, ?) = 0
        ORDER BY CRC32(v.id), v.id"#,
        every,
    )
    .fetch_all(connection)
    .await?)
}

/// Writes paid orders of the past and their reviews. What they took came in before, as a ledger row of its own: the sum is nothing, and no
/// stock row, which live orders are after, is touched.
pub async fn paid_orders(
    connection: &mut MySqlConnection,
    currency: Currency,
    orders: &[Order<'_>],
    reviews: &[Review],
) -> anyhow::Result<u64> {
    let mut tx = connection.begin().await?;
    let mut written = insert_orders(&mut tx, currency, orders).await?;
    let lines: Vec<_> = orders
        .iter()
        .flat_map(|order| (1_i16..).zip(&order.lines).map(move |(n, line)| (order, n, line)))
        .collect();
    written += insert(
        &mut tx,
        "INSERT INTO order_lines (order_id, line_no, variant_id, product_id, title, option1, option2, option3, sku, price,
            quantity, total)",
        &lines,
        |mut row, (order, number, (ware, quantity))| {
            row.push_bind(order.id)
                .push_bind(number)
                .push_bind(ware.variant_id)
                .push_bind(ware.product_id)
                .push_bind(&ware.title)
                .push_bind(&ware.option1)
                .push_bind(&ware.option2)
                .push_bind(&ware.option3)
                .push_bind(&ware.sku)
                .push_bind(ware.price)
                .push_bind(quantity)
                .push_bind(ware.price * i64::from(*quantity));
        },
    )
    .await?;
    for (kind, sign, reason) in [("adjust", 1, "sold since, seeded"), ("hold", -1, "")] {
        written += insert(
            &mut tx,
            "INSERT INTO stock_movements (variant_id, kind, quantity, order_id, reason, created_at)",
            &lines,
            |mut row, (order, _, (ware, quantity))| {
                row.push_bind(ware.variant_id)
                    .push_bind(kind)
                    .push_bind(sign * quantity)
                    .push_bind((kind == "hold").then_some(order.id))
                    .push_bind(reason)
                    .push_bind(order.created_at);
            },
        )
        .await?;
    }
    if !reviews.is_empty() {
        written += review::write(&mut tx, reviews).await?;
    }
    tx.commit().await?;
    Ok(written)
}

async fn insert_orders(
    tx: &mut MySqlConnection,
    currency: Currency,
    orders: &[Order<'_>],
) -> anyhow::Result<u64> {
    let written = insert(
        tx,
        "INSERT INTO orders (id, customer_id, idempotency_key, request_hash, state, currency, subtotal, total, ship_name,
            ship_line1, ship_line2, ship_city, ship_region, ship_postal_code, ship_country, ship_phone, created_at,
            updated_at)",
        orders,
        |mut row, order| {
            let total = order.total();
            row.push_bind(order.id)
                .push_bind(order.buyer.customer_id)
                .push_bind(&order.idempotency_key)
                // No request made these: the hash of none.
                .push_bind(&[0_u8; 32][..])
                .push("'paid'")
                .push_bind(currency.as_str().to_owned())
                .push_bind(total)
                .push_bind(total)
                .push_bind(&order.buyer.name)
                .push_bind(&order.buyer.line1)
                .push_bind(&order.buyer.line2)
                .push_bind(&order.buyer.city)
                .push_bind(&order.buyer.region)
                .push_bind(&order.buyer.postal_code)
                .push_bind(&order.buyer.country)
                .push_bind(&order.buyer.phone)
                .push_bind(order.created_at)
                .push_bind(order.created_at);
        },
    )
    .await?;
    let payments = insert(
        tx,
        "INSERT INTO gateway_payments (order_id, state, currency, captured, created_at, updated_at)",
        orders,
        |mut row, order| {
            row.push_bind(order.id)
                .push("'captured'")
                .push_bind(currency.as_str().to_owned())
                .push_bind(order.total())
                .push_bind(order.created_at)
                .push_bind(order.created_at);
        },
    )
    .await?;
    Ok(written + payments)
}
