//! Orders against the raw statements with the same commits.

use anyhow::{Context as _, Result, ensure};
use http::{Method, StatusCode};
use serde_json::json;
use sqlx::Connection as _;
use uuid::Uuid;

use super::buyer::Buyer;
use super::client::{Target, drive, request};
use super::compare::{Comparison, Measure, Round, Sample, Subject};
use super::limit;
use super::measure::Meter;
use super::result::Statements;
use super::shop::Shop;
use super::{Setting, say};

/// Buyers at a time.
const PARALLEL: u16 = 8;
/// Added to the stock of each variant, so that none runs out and none shows how many are left.
const STOCK: i32 = 10_000;
/// The lowest and the highest commits an order that count as the same number.
const SAME_COMMITS: std::ops::RangeInclusive<f64> = 0.9..=1.1;

/// Orders of one piece, each of another variant.
///
/// # Errors
/// When one side fails, or when the two do not commit equally often.
pub async fn compare(setting: &Setting, shop: &Shop) -> Result<(Comparison, Statements)> {
    let variants = stock_up(shop).await?;
    let buyers = Buyer::register(shop, PARALLEL).await?;
    let mut rounds = Vec::new();
    let mut counted = Vec::new();
    for number in 1..=setting.rounds {
        say(&format!("round {number}: Checkout"));
        let before = Counters::read(shop).await?;
        let ours = drive(
            Target {
                address: shop.api,
                connections: buyers.len(),
                meter: Meter::Process(shop.api_pid),
                status: StatusCode::CREATED,
                cache: None,
            },
            setting.window,
            orders(buyers.clone(), variants.clone()),
        )
        .await?;
        let between = Counters::read(shop).await?;
        let raw = limit::measure("checkout", PARALLEL, setting.window, Some(&shop.database_url)).await?;
        let after = Counters::read(shop).await?;
        let (shop_commits, shop_statements) = between.since(&before, &ours);
        let (limit_commits, limit_statements) = after.since(&between, &raw);
        counted.push(Statements {
            shop_commits,
            limit_commits,
            shop_statements,
            limit_statements,
        });
        rounds.push(Round {
            shop: ours,
            limit: raw,
        });
    }
    let statements = Statements::of(&counted);
    let commits = statements.shop_commits / statements.limit_commits.max(1e-9);
    ensure!(
        SAME_COMMITS.contains(&commits),
        "the shop commits {:.2} times an order and the raw statements {:.2} times: that is no comparison",
        statements.shop_commits,
        statements.limit_commits
    );
    let subject = Subject {
        id: "checkout".into(),
        title: "Checkout".into(),
        limit: "raw statements".into(),
        unit: "order".into(),
        measure: Measure::Rate,
        target: Some(0.6),
        note: format!(
            "orders a second of {PARALLEL} buyers, each order of another variant; both flush the log to the disk at every \
             commit; the shop's side shares the machine with its HTTP client"
        ),
    };
    Ok((Comparison::of(subject, rounds), statements))
}

/// What the server of the database has counted.
struct Counters {
    commits: u64,
    statements: u64,
}

impl Counters {
    async fn read(shop: &Shop) -> Result<Self> {
        Ok(Self {
            commits: shop.counter("Com_commit").await?,
            statements: shop.counter("Questions").await?,
        })
    }

    /// Commits and statements for each of what was done since.
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    fn since(&self, before: &Self, done: &Sample) -> (f64, f64) {
        let each = |after: u64, before: u64| (after - before) as f64 / done.all.max(1) as f64;
        (
            each(self.commits, before.commits),
            each(self.statements, before.statements),
        )
    }
}

/// Gives every variant so much stock, with its row in the ledger, and names those to buy.
async fn stock_up(shop: &Shop) -> Result<Vec<u64>> {
    let mut connection = shop.database().await?;
    let mut tx = connection.begin().await?;
    sqlx::query(
        "INSERT INTO stock_movements (variant_id, kind, quantity, reason, created_at)
        SELECT variant_id, 'adjust', ?, 'bench', UTC_TIMESTAMP(6) FROM stock",
    )
    .bind(STOCK)
    .execute(&mut *tx)
    .await?;
    sqlx::query("UPDATE stock SET on_hand = on_hand + ?")
        .bind(STOCK)
        .execute(&mut *tx)
        .await?;
    // What was sold out can be bought now.
    sqlx::query(
        "UPDATE product_state SET in_stock = 1 WHERE product_id IN (SELECT product_id FROM variants)",
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    let variants = sqlx::query_scalar(limit::checkout::VARIANTS)
        .fetch_all(&mut connection)
        .await?;
    connection.close().await?;
    Ok(variants)
}

/// The nth order of each buyer: variants are dealt out in turn, so that no two buyers ever want the same one.
fn orders(
    buyers: Vec<Buyer>,
    variants: Vec<u64>,
) -> impl Fn(usize, u64) -> Result<http::Request<http_body_util::Full<bytes::Bytes>>> + 'static {
    move |connection, nth| {
        let buyer = buyers.get(connection).context("a buyer")?;
        let rounds = (variants.len() / buyers.len()).max(1);
        let at = connection + usize::try_from(nth)? % rounds * buyers.len();
        let variant = variants.get(at).context("a variant")?;
        let body = json!({"items": [{"variant_id": variant, "quantity": 1}], "address_id": buyer.address,
            "payment_token": "tok_approve"});
        let headers = [
            ("content-type", "application/json"),
            ("authorization", &*format!("Bearer {}", buyer.token)),
            ("idempotency-key", &*Uuid::now_v7().to_string()),
        ];
        request(Method::POST, "/api/v1/orders", &headers, body.to_string())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use std::collections::{HashMap, HashSet};

    use http_body_util::BodyExt as _;

    use serde_json::Value;

    use super::*;

    #[tokio::test]
    async fn no_two_buyers_ever_want_the_same_variant() {
        let buyer = |email: &str| Buyer {
            email: email.into(),
            token: "t".into(),
            address: "a".into(),
        };
        let make = orders(
            vec![buyer("one"), buyer("two"), buyer("three")],
            (1..=11).collect(),
        );
        let mut wanted: HashMap<u64, HashSet<usize>> = HashMap::new();
        for connection in 0..3 {
            for nth in 0..20 {
                let body = make(connection, nth).unwrap().into_body();
                let body: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
                let variant = body["items"][0]["variant_id"].as_u64().unwrap();
                wanted.entry(variant).or_default().insert(connection);
            }
        }
        assert_eq!(wanted.len(), 9);
        assert!(wanted.values().all(|buyers| buyers.len() == 1));
    }
}
