//! Customers and their sessions, through the proxy, with two replicas: what is refused and how, what a refresh token
//! is worth and for how long, where a logout is known and when. One stack serves nearly all tests.

mod accounts;
mod addresses;
mod configuration;
mod cookies;
mod origins;
mod outages;
mod own_sessions;
mod passwords;
mod refusals;
mod sessions;
mod throttle;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use sqlx::{Connection as _, Executor as _, MySqlConnection};
use tokio::sync::OnceCell;
use trestle::Stack;
use trestle_tests::{Shopper, within};

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

/// A visitor who asks from 127.0.0.`number`: another client than everybody else. Proxies are trusted at 127.0.0.1 only.
fn visitor_from(number: u8, base: &str) -> Shopper {
    let address = IpAddr::V4(Ipv4Addr::new(127, 0, 0, number));
    let http = reqwest::Client::builder()
        .local_address(address)
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    Shopper {
        http,
        ..Shopper::visitor(base)
    }
}

/// Waits until the replica refuses the shopper's token, for at most two seconds.
async fn is_refused_at(replica: &str, shopper: &Shopper) {
    let there = shopper.at(replica);
    let refused = async || {
        let answer = there.get("/customers/me").await;
        (answer.status == 401).then_some(())
    };
    within(Duration::from_secs(2), "the session is refused", refused).await;
}
