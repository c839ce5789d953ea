//! Customers and their sessions, through the proxy, with two replicas: what is refused and how, what a refresh token
//! is worth and for how long, where a logout is known and when. One stack serves all tests but one.
mod accounts;
mod addresses;
mod outages;
mod refusals;
mod sessions;

use sqlx::{Connection as _, Executor as _, MySqlConnection};
use tokio::sync::OnceCell;
use trestle::Stack;

async fn shop() -> &'static Stack {
    static SHOP: OnceCell<Stack> = OnceCell::const_new();
    SHOP.get_or_init(|| async { Stack::builder().replicas(2).start().await.expect("a stack") })
        .await
}

/// The addresses of the two replicas, for what must hold on the one or the other.
fn replicas(stack: &Stack) -> [String; 2] {
    let urls: Vec<_> = stack
        .replicas()
        .iter()
        .map(|replica| format!("http://{}", replica.address))
        .collect();
    urls.try_into().expect("two replicas")
}

/// Changes rows behind the shop's back: time passes, an account loses its password. Answers the rows changed.
async fn sql(stack: &Stack, statement: String) -> u64 {
    let mut connection = MySqlConnection::connect(&stack.database_url()).await.unwrap();
    let done = connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    connection.close().await.unwrap();
    done.rows_affected()
}
