//! The audit finds each kind of damage, and takes for right what is right in every state of an order.

use std::time::{Duration, Instant};

use sqlx::{Executor as _, MySqlConnection};
use trestle::Stack;
use trestle_tests::sql;

/// What a break may touch, and what is put back after it.
const TABLES: [&str; 16] = [
    "stock",
    "stock_movements",
    "orders",
    "order_lines",
    "order_responses",
    "gateway_payments",
    "reviews",
    "product_ratings (product_id, reviews, stars)",
    "variants",
    "coupons",
    "coupon_counters",
    "coupon_customers",
    "coupon_uses",
    "order_shipments",
    "product_state",
    "withdrawn_variants",
];

/// Five seeded orders, each made into another state by what the shop itself writes for it.
const STATES: &[&str] = &[
    "SET @paid = (SELECT id FROM orders ORDER BY id LIMIT 1)",
    "SET @failed = (SELECT id FROM orders ORDER BY id LIMIT 1 OFFSET 1)",
    "SET @cancelled = (SELECT id FROM orders ORDER BY id LIMIT 1 OFFSET 2)",
    "SET @due = (SELECT id FROM orders ORDER BY id LIMIT 1 OFFSET 3)",
    "SET @pending = (SELECT id FROM orders ORDER BY id LIMIT 1 OFFSET 4)",
    "UPDATE order_lines SET discount = 100, total = total - 100 WHERE order_id IN (@paid, @failed) AND line_no = 1",
    "UPDATE orders SET discount = 100, total = total - 100 WHERE id IN (@paid, @failed)",
    "UPDATE gateway_payments SET captured = captured - 100 WHERE order_id = @paid",
    "INSERT INTO coupons VALUES ('HUNDRED', 'amount', 100, 0, 1, NULL, NULL, 1, 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
    "INSERT INTO coupon_counters VALUES ('HUNDRED', 1, 1)",
    "INSERT INTO coupon_uses
     SELECT id, 'HUNDRED', customer_id, 100, IF(id = @paid, 'used', 'given_back'), created_at, NULL
     FROM orders WHERE id IN (@paid, @failed)",
    "INSERT INTO coupon_customers SELECT code, customer_id, SUM(state = 'used') FROM coupon_uses GROUP BY code, customer_id",
    "UPDATE orders SET state = 'failed' WHERE id = @failed",
    "UPDATE gateway_payments SET state = 'voided', captured = 0 WHERE order_id = @failed",
    "INSERT INTO order_responses SELECT id, 402, '{}', created_at FROM orders WHERE id = @failed",
    "INSERT INTO order_responses SELECT id, 201, '{}', created_at FROM orders WHERE id IN (@paid, @cancelled)",
    "UPDATE orders SET state = 'cancelled' WHERE id = @cancelled",
    "UPDATE gateway_payments SET state = 'refunded', refunded = captured WHERE order_id = @cancelled",
    "UPDATE orders SET state = 'cancelled', settle_by = UTC_TIMESTAMP(6) - INTERVAL 1 HOUR WHERE id = @due",
    "INSERT INTO stock_movements (variant_id, kind, quantity, order_id, created_at)
     SELECT variant_id, IF(order_id = @failed, 'release', 'restock'), quantity, order_id, UTC_TIMESTAMP(6)
     FROM order_lines WHERE order_id IN (@failed, @cancelled, @due)",
    "UPDATE stock SET on_hand = (SELECT SUM(quantity) FROM stock_movements WHERE stock_movements.variant_id = stock.variant_id)",
    // Captured, and the shop does not know yet: right, until its time is long over.
    "UPDATE orders SET state = 'pending', settle_by = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR WHERE id = @pending",
];

struct Break {
    sql: &'static str,
    /// How the line begins that must be there.
    line: &'static str,
    /// What the details must name.
    detail: &'static str,
}

const fn broken(line: &'static str, detail: &'static str, sql: &'static str) -> Break {
    Break { sql, line, detail }
}

const BREAKS: &[Break] = &[
    broken(
        "FAIL stock: 1 violation",
        "variant 3: stock",
        "UPDATE stock SET on_hand = on_hand + 1 WHERE variant_id = 3",
    ),
    broken(
        "FAIL stock: 1 violation",
        "variant 2: stock",
        "INSERT INTO stock_movements (variant_id, kind, quantity, created_at) VALUES (2, 'adjust', -1, UTC_TIMESTAMP(6))",
    ),
    broken(
        "FAIL stock: 1 violation",
        "variant 4: has no stock row",
        "DELETE FROM stock WHERE variant_id = 4",
    ),
    broken(
        "FAIL stock: 1 violation",
        "does not exist",
        "INSERT INTO stock VALUES (999999, 0)",
    ),
    broken(
        "FAIL stock: 1 violation",
        "ledger of a variant that does not exist",
        "INSERT INTO stock_movements (variant_id, kind, quantity, created_at) VALUES (999999, 'adjust', 0, UTC_TIMESTAMP(6))",
    ),
    broken(
        "FAIL holds",
        "paid, lines",
        "UPDATE stock_movements SET kind = 'adjust', order_id = NULL WHERE order_id = @paid",
    ),
    broken(
        "FAIL holds",
        "failed, lines",
        "UPDATE stock_movements SET kind = 'restock' WHERE order_id = @failed AND kind = 'release'",
    ),
    broken(
        "FAIL holds",
        "cancelled, lines",
        "DELETE FROM stock_movements WHERE order_id = @cancelled AND kind = 'restock'",
    ),
    broken(
        "FAIL holds",
        "of no order",
        "UPDATE stock_movements SET order_id = NULL WHERE order_id = @paid",
    ),
    broken(
        "FAIL orders: 1 violation",
        "total",
        "UPDATE orders SET total = total + 1 WHERE id = @pending",
    ),
    broken(
        "FAIL orders",
        "no lines",
        "DELETE FROM order_lines WHERE order_id = @paid",
    ),
    broken(
        "FAIL orders",
        "quantity",
        "UPDATE order_lines SET price = price + 1 WHERE order_id = @paid AND line_no = 1",
    ),
    broken(
        "FAIL orders",
        "an order that does not exist",
        "DELETE FROM orders WHERE id = @paid",
    ),
    broken(
        "FAIL orders: 1 violation",
        "in EUR, the shop sells in USD",
        "UPDATE orders SET currency = 'EUR' WHERE id = @failed",
    ),
    broken(
        "FAIL orders: 1 violation",
        "state lost",
        "UPDATE orders SET state = 'lost' WHERE id = @failed",
    ),
    broken(
        "FAIL responses: 1 violation",
        "answered 402, paid",
        "UPDATE order_responses SET status = 402 WHERE order_id = @paid",
    ),
    broken(
        "FAIL responses: 1 violation",
        "answered 201, failed",
        "UPDATE order_responses SET status = 201 WHERE order_id = @failed",
    ),
    broken(
        "FAIL payments: 1 violation",
        "knows nothing",
        "DELETE FROM gateway_payments WHERE order_id = @paid",
    ),
    broken(
        "FAIL payments: 1 violation",
        "captured",
        "UPDATE gateway_payments SET captured = captured - 1 WHERE order_id = @paid",
    ),
    broken(
        "FAIL payments: 1 violation",
        "paid, total",
        "UPDATE gateway_payments SET state = 'refunded', refunded = captured WHERE order_id = @paid",
    ),
    broken(
        "FAIL payments: 1 violation",
        "cancelled, total",
        "UPDATE gateway_payments SET state = 'captured', refunded = 0 WHERE order_id = @cancelled",
    ),
    broken(
        "FAIL payments: 1 violation",
        "failed, total",
        "UPDATE gateway_payments SET state = 'captured', captured = (SELECT total FROM orders WHERE id = @failed) WHERE order_id = @failed",
    ),
    broken(
        "FAIL payments: 1 violation",
        "pending, to be settled by",
        "UPDATE orders SET settle_by = UTC_TIMESTAMP(6) - INTERVAL 61 SECOND WHERE id = @pending",
    ),
    broken(
        "FAIL payments: 1 violation",
        "nobody will settle it",
        "UPDATE orders SET settle_by = NULL WHERE id = @pending",
    ),
    broken(
        "FAIL payments: 1 violation",
        "still to be settled",
        "UPDATE orders SET settle_by = UTC_TIMESTAMP(6) WHERE id = @paid",
    ),
    broken(
        "FAIL ratings: 1 violation",
        "reviews: ",
        "UPDATE product_ratings SET stars = stars + 1 WHERE reviews > 0 LIMIT 1",
    ),
    broken(
        "FAIL ratings: 1 violation",
        "rating: 0 reviews, 0 stars",
        "DELETE FROM product_ratings WHERE reviews > 0 LIMIT 1",
    ),
    broken(
        "FAIL ratings: 1 violation",
        "reviews: ",
        "DELETE FROM reviews LIMIT 1",
    ),
    broken(
        "FAIL ratings: 1 violation",
        "product 999999: rating of a product that does not exist",
        "INSERT INTO product_ratings (product_id, reviews, stars) VALUES (999999, 0, 0)",
    ),
    broken(
        "FAIL payments: 1 violation",
        "unknown to the shop",
        "INSERT INTO gateway_payments VALUES (REPEAT('x', 16), 'captured', 'USD', 1, 0, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
    ),
    broken(
        "FAIL prices: 1 violation",
        "its lowest variant 0",
        "UPDATE variants SET price = 0 WHERE id = 5",
    ),
    broken(
        "FAIL prices: 1 violation",
        "published with nothing for sale",
        "INSERT INTO withdrawn_variants SELECT id, UTC_TIMESTAMP(6) FROM variants WHERE product_id = 3",
    ),
    broken(
        "FAIL shelves: 1 violation",
        "in stock 1, variants for sale with stock: 0",
        "INSERT INTO withdrawn_variants SELECT id, UTC_TIMESTAMP(6) FROM variants WHERE product_id = 3",
    ),
    broken(
        "FAIL shelves: 1 violation",
        "in stock 1, variants for sale with stock: 0",
        "UPDATE stock SET on_hand = 0 WHERE variant_id IN (SELECT id FROM variants WHERE product_id = 3)",
    ),
    broken(
        "FAIL shelves: 1 violation",
        "product 3: in stock 0, variants",
        "UPDATE product_state SET in_stock = 0 WHERE product_id = 3",
    ),
    broken(
        "FAIL shelves: 1 violation",
        "product 3: has no state row",
        "DELETE FROM product_state WHERE product_id = 3",
    ),
    broken(
        "FAIL coupons: 1 violation",
        "counted 0, limit 1; the ledger has 1",
        "UPDATE coupon_counters SET used = 0",
    ),
    broken(
        "FAIL coupons: 1 violation",
        "counted 1, limit 0; the ledger has 1",
        "UPDATE coupons SET max_per_customer = 0",
    ),
    broken(
        "FAIL coupons: 1 violation",
        "HUNDRED used, discount 100; the order: paid",
        "UPDATE orders SET customer_id = REPEAT('x', 16) WHERE id = @paid",
    ),
    broken(
        "FAIL coupons: 1 violation",
        "no such order",
        "INSERT INTO coupon_uses VALUES (REPEAT('x', 16), 'HUNDRED', REPEAT('x', 16), 100, 'given_back', UTC_TIMESTAMP(6), NULL)",
    ),
    broken(
        "FAIL shipments: 1 violation",
        "handed over, no such order",
        "INSERT INTO order_shipments VALUES (REPEAT('x', 16), UTC_TIMESTAMP(6), '', '')",
    ),
    broken(
        "FAIL coupons: 1 violation",
        "coupon HUNDRED: counted never",
        "DELETE FROM coupon_counters",
    ),
    broken(
        "FAIL coupons: 1 violation",
        "counted 0, limit 1; the ledger has 1",
        "UPDATE coupon_customers SET used = 0",
    ),
    broken(
        "FAIL coupons: 1 violation",
        "counted 0, limit 1; the ledger has 1",
        "DELETE FROM coupon_customers WHERE used = 1",
    ),
    broken(
        "FAIL coupons: 1 violation",
        "a coupon that does not exist",
        "INSERT INTO coupon_counters VALUES ('NOBODYS', 0, NULL)",
    ),
    broken(
        "FAIL coupons",
        "HUNDRED used, discount 100; the order: failed",
        "UPDATE coupon_uses SET state = 'used' WHERE order_id = @failed",
    ),
    broken(
        "FAIL coupons",
        "HUNDRED given_back, discount 100; the order: paid",
        "UPDATE coupon_uses SET state = 'given_back' WHERE order_id = @paid",
    ),
    broken(
        "FAIL coupons: 1 violation",
        "discount 99; the order",
        "UPDATE coupon_uses SET discount = 99 WHERE order_id = @paid",
    ),
    broken(
        "FAIL coupons: 2 violations",
        "discount 100; the order",
        "UPDATE coupons SET value = 101",
    ),
    broken(
        "FAIL coupons: 2 violations",
        "discount 100; the order",
        "UPDATE coupons SET minimum = 1000000000000",
    ),
    broken(
        "FAIL coupons",
        "discount 100 of no coupon",
        "DELETE FROM coupon_uses WHERE order_id = @paid",
    ),
    broken(
        "FAIL shipments: 1 violation",
        "nobody knows how",
        "UPDATE orders SET state = 'shipped' WHERE id = @paid",
    ),
    broken(
        "FAIL shipments: 1 violation",
        "handed over, paid",
        "INSERT INTO order_shipments VALUES (@paid, UTC_TIMESTAMP(6), '', '')",
    ),
];

async fn audit(stack: &Stack, arguments: &[&str]) -> (Option<i32>, String) {
    let arguments = [&["audit"], arguments].concat();
    let output = stack.api_output(&arguments).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    (output.status.code(), format!("{text}{errors}"))
}

/// A table's name, and the columns that are kept: all but those that the server makes itself.
fn parts(table: &str) -> (&str, &str) {
    let (name, columns) = table.split_once(" (").unwrap_or((table, "*"));
    (name, columns.trim_end_matches(')'))
}

async fn run(connection: &mut MySqlConnection, statement: impl Into<String>) {
    let statement = statement.into();
    let outcome = connection.execute(sqlx::AssertSqlSafe(statement.clone())).await;
    outcome.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

#[tokio::test]
async fn every_kind_of_damage_is_found_and_nothing_else_is() {
    let stack = Stack::builder().replicas(0).products(20).start().await.unwrap();
    let seed = ["seed", "--products", "0", "--customers", "5", "--orders", "30"];
    assert!(stack.api_output(&seed).await.unwrap().status.success());
    let mut connection = sql(&stack).await;
    for statement in STATES {
        run(&mut connection, *statement).await;
    }
    let (code, text) = audit(&stack, &[]).await;
    assert_eq!(code, Some(0), "{text}");
    for check in [
        "stock",
        "holds",
        "orders",
        "responses",
        "payments",
        "coupons",
        "shipments",
        "ratings",
        "prices",
        "shelves",
    ] {
        assert!(text.contains(&format!("ok   {check}: ")), "{text}");
    }

    for table in TABLES {
        let (name, columns) = parts(table);
        run(
            &mut connection,
            format!("CREATE TABLE saved_{name} AS SELECT {columns} FROM {name}"),
        )
        .await;
    }
    for case in BREAKS {
        run(&mut connection, case.sql).await;
        let (code, text) = audit(&stack, &[]).await;
        assert_eq!(code, Some(1), "{}: {text}", case.sql);
        assert!(
            text.lines().any(|line| line.starts_with(case.line)),
            "{}: {text}",
            case.sql
        );
        assert!(text.contains(case.detail), "{}: {text}", case.sql);
        assert!(text.contains("failed ("), "{text}");
        for table in TABLES {
            let (name, _) = parts(table);
            run(&mut connection, format!("DELETE FROM {name}")).await;
            run(
                &mut connection,
                format!("INSERT INTO {table} SELECT * FROM saved_{name}"),
            )
            .await;
        }
    }
    assert_eq!(audit(&stack, &[]).await.0, Some(0));

    settled_waits(&stack, &mut connection).await;
    stack.stop().await.unwrap();
}

/// An order and a refund are due; the audit waits until they are not.
async fn settled_waits(stack: &Stack, connection: &mut MySqlConnection) {
    let began = Instant::now();
    let settle = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        run(
            connection,
            "UPDATE orders SET state = 'paid', settle_by = NULL WHERE id = @pending",
        )
        .await;
        run(
            connection,
            "UPDATE gateway_payments SET state = 'refunded', refunded = captured WHERE order_id = @due",
        )
        .await;
        run(connection, "UPDATE orders SET settle_by = NULL WHERE id = @due").await;
    };
    let ((code, text), ()) = tokio::join!(audit(stack, &["--settled"]), settle);
    assert_eq!(code, Some(0), "{text}");
    assert!(began.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn an_audit_without_a_database_fails_and_says_why() {
    let stack = Stack::builder().replicas(0).products(0).start().await.unwrap();
    let mut command = stack.api_command(&["audit"]).unwrap();
    command.env(
        "TRESTLE_DATABASE_URL",
        "mysql://nobody@127.0.0.1:1/none?ssl-mode=DISABLED",
    );
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("TRESTLE_DATABASE_URL"), "{errors}");
    let wrong = stack.api_output(&["audit", "--never"]).await.unwrap();
    assert_eq!(wrong.status.code(), Some(64));
    stack.stop().await.unwrap();
}
