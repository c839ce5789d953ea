//! Many different cold keys at once, while the database is slow.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use trestle_api::cache::{LOADS, LOADS_WAITING};
use trestle_tests::{eventually, sql};

use super::fixture::{alone, caches, doors, operations, products};

#[tokio::test]
async fn a_burst_of_cold_lists_keeps_its_place_at_the_database_and_the_rest_waits_or_is_refused() {
    let (shop, _alone) = alone().await;
    let (door, port) = (&doors(shop)[0], &operations(shop)[0]);
    let warm = format!("/products/{}", products(shop, 1).await[0]);
    door.get(&warm).await.expect(200);
    let mut lock = sql(shop).await;
    let mut watch = sql(shop).await;
    sqlx::raw_sql("LOCK TABLES products WRITE")
        .execute(&mut lock)
        .await
        .unwrap();

    let burst = async {
        let asks = (1..=2000).map(|price| {
            let path = format!("/products?min_price={price}&limit=3");
            async move { door.get(&path).await }
        });
        join_all(asks).await
    };
    // Held as long as a load waits, less what the answers need afterwards.
    let watched = async {
        let began = Instant::now();
        let mut most = 0;
        while began.elapsed() < Duration::from_millis(900) {
            let at_database: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM information_schema.processlist
                 WHERE id <> CONNECTION_ID() AND info LIKE '%product_state.in_stock <> 0%'",
            )
            .fetch_one(&mut watch)
            .await
            .unwrap();
            most = most.max(at_database);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Who asks for what is cached notices nothing.
        let hit = door.get(&warm).await;
        sqlx::raw_sql("UNLOCK TABLES").execute(&mut lock).await.unwrap();
        (most, hit)
    };
    let (answers, (most, hit)) = tokio::join!(burst, watched);
    // A worker has its own share of the connections, which may be smaller than the limit of the loads.
    let most = usize::try_from(most).unwrap();
    assert!(
        (LOADS / 2..=LOADS).contains(&most),
        "{most} queries at the database at a time"
    );
    assert_eq!(hit.expect(200).header("cache-status"), "memory; hit");
    let (mut served, mut refused) = (0, 0);
    for answer in answers {
        if answer.status == 200 {
            served += 1;
        } else {
            assert!(
                ["overloaded", "unavailable"].contains(&answer.code()),
                "{}",
                answer.text
            );
            let answer = answer.expect(503);
            assert_eq!(answer.header("retry-after"), "1");
            refused += 1;
        }
    }
    println!("{served} served, {refused} refused, at most {most} at the database");
    assert!(served > 0 && refused >= 2000 - 2 * LOADS_WAITING);
    // All places are free again, and the shop is as before.
    eventually("all places are free", async || {
        let state = caches(port).await;
        state["database"]["loads_free"] == LOADS && state["database"]["queue_free"] == LOADS_WAITING
    })
    .await;
    for price in 3000..3020 {
        door.get(&format!("/products?min_price={price}&limit=3"))
            .await
            .expect(200);
    }
}
