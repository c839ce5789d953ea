//! Housekeeping: what has had its time goes, and nothing else does.

use sqlx::{Executor as _, MySqlConnection};
use trestle::Stack;
use trestle_api::db::Db;
use trestle_api::housekeeping::purge;
use trestle_tests::sql;
use uuid::Uuid;

async fn ids(database: &mut MySqlConnection, query: &'static str) -> Vec<Uuid> {
    sqlx::query_scalar(query).fetch_all(database).await.unwrap()
}

#[tokio::test]
async fn old_rows_are_purged_and_young_ones_stay() {
    let stack = Stack::builder().replicas(0).products(0).start().await.unwrap();
    let mut database = sql(&stack).await;
    let (old, young, owned) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
    for (id, owner, days) in [
        (old, None, 31),
        (young, None, 29),
        (owned, Some(Uuid::from_u128(9)), 400),
    ] {
        let cart = "INSERT INTO carts VALUES (?, ?, 1, UTC_TIMESTAMP(6) - INTERVAL ? DAY)";
        sqlx::query(cart)
            .bind(id)
            .bind(owner)
            .bind(days)
            .execute(&mut database)
            .await
            .unwrap();
        let line = "INSERT INTO cart_lines VALUES (?, 7, 7, 1, UTC_TIMESTAMP(6))";
        sqlx::query(line).bind(id).execute(&mut database).await.unwrap();
        let session =
            "INSERT INTO sessions VALUES (?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? DAY, NULL)";
        let ends = if id == old { -2 } else { 2 };
        sqlx::query(session)
            .bind(id)
            .bind(owned)
            .bind(ends)
            .execute(&mut database)
            .await
            .unwrap();
        let token = "INSERT INTO refresh_tokens VALUES (UNHEX(SHA2(?, 256)), ?, UTC_TIMESTAMP(6), NULL)";
        sqlx::query(token)
            .bind(days)
            .bind(id)
            .execute(&mut database)
            .await
            .unwrap();
        let details = "INSERT INTO session_details VALUES (?, 'curl/8')";
        sqlx::query(details)
            .bind(id)
            .execute(&mut database)
            .await
            .unwrap();
        let hours = if id == old { 25 } else { 23 };
        let response = "INSERT INTO order_responses VALUES (?, 201, '', UTC_TIMESTAMP(6) - INTERVAL ? HOUR)";
        sqlx::query(response)
            .bind(id)
            .bind(hours)
            .execute(&mut database)
            .await
            .unwrap();
        let minutes = if id == old { 21 } else { 19 };
        let change = "INSERT INTO changes (kind, uuid_key, created_at)
                      VALUES ('session', ?, UTC_TIMESTAMP(6) - INTERVAL ? MINUTE)";
        sqlx::query(change)
            .bind(id)
            .bind(minutes)
            .execute(&mut database)
            .await
            .unwrap();
    }
    // More than one batch.
    let many = "INSERT INTO changes (kind, created_at)
                SELECT 'product', UTC_TIMESTAMP(6) - INTERVAL 1 HOUR FROM
                (SELECT 1 FROM information_schema.columns LIMIT 500) AS a,
                (SELECT 1 FROM information_schema.columns LIMIT 5) AS b";
    database.execute(many).await.unwrap();

    purge(&Db::new(stack.database_url().parse().unwrap(), 1)).await;

    for query in [
        "SELECT id FROM carts ORDER BY id",
        "SELECT cart_id FROM cart_lines ORDER BY cart_id",
        "SELECT id FROM sessions ORDER BY id",
        "SELECT session_id FROM refresh_tokens ORDER BY session_id",
        "SELECT session_id FROM session_details ORDER BY session_id",
        "SELECT order_id FROM order_responses ORDER BY order_id",
        "SELECT uuid_key FROM changes ORDER BY uuid_key",
    ] {
        assert_eq!(ids(&mut database, query).await, [young, owned], "{query}");
    }
    stack.stop().await.unwrap();
}
