//! The shop that the tests of one binary share: two replicas behind nginx, 100 products. Or a shop in containers that runs.

use serde_json::Value;
use sqlx::{Connection as _, MySqlConnection};
use tokio::sync::OnceCell;
use trestle::Stack;

use crate::Shopper;

static SHOP: OnceCell<Stack> = OnceCell::const_new();

/// Names the compose project whose shop is used instead of a local one.
const COMPOSE: &str = "TRESTLE_TEST_COMPOSE";

fn project() -> Option<String> {
    std::env::var(COMPOSE).ok().filter(|name| !name.is_empty())
}

/// Whether [`shop`] is a shop in containers, which is there for this run of the tests alone.
pub fn is_in_containers() -> bool {
    project().is_some()
}

/// Starts the shop at its first use. It ends with the test binary, unless it is a compose project's.
///
/// # Panics
/// When it does not start, or the project does not run.
pub async fn shop() -> &'static Stack {
    SHOP.get_or_init(async || {
        if let Some(project) = project() {
            return Stack::compose(&project).await.expect("the project runs");
        }
        Stack::builder()
            .replicas(2)
            .products(100)
            .start()
            .await
            .expect("the shop starts")
    })
    .await
}

/// A connection to the shop's database, to look at what is there or to break it.
///
/// # Panics
/// When it cannot be reached.
pub async fn sql(stack: &Stack) -> MySqlConnection {
    MySqlConnection::connect(&stack.database_url())
        .await
        .expect("the database answers")
}

/// The newest product, whole, that has at least `stock` of its first variant.
///
/// # Panics
/// When there is none.
pub async fn first_product(stack: &Stack, stock: i32) -> Value {
    let found: u64 = sqlx::query_scalar(
        "SELECT variants.product_id FROM variants JOIN stock ON stock.variant_id = variants.id
         WHERE variants.position = 1 AND stock.on_hand >= ? ORDER BY variants.product_id DESC LIMIT 1",
    )
    .bind(stock)
    .fetch_one(&mut sql(stack).await)
    .await
    .expect("a product with stock");
    Shopper::visitor(&stack.url())
        .get(&format!("/products/{found}"))
        .await
        .expect(200)
        .body
}
