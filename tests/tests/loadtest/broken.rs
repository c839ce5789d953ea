//! A shop that does not hold what it acknowledged is caught: after a load its database is broken, each time in another way, and the
//! verification through the API or the audit of the database says so.

use std::rc::Rc;

use sqlx::{Executor as _, MySqlConnection};
use trestle::Stack;
use trestle_loadtest::drive::Crowd;
use trestle_loadtest::generator::{self, ShopArgs};
use trestle_loadtest::interaction::Mix;
use trestle_loadtest::journal::Journal;
use trestle_loadtest::load::{Load, Model, Shape, WarmUp};
use trestle_loadtest::verify::verify;
use trestle_tests::sql;

const SHOPPERS: usize = 10;
/// What a break may touch, and what is put back after it.
const TABLES: [&str; 4] = ["orders", "order_lines", "stock", "cart_lines"];

struct Break {
    what: &'static str,
    sql: &'static [&'static str],
    /// What the verification says; nothing where it cannot see it.
    verification: &'static str,
    /// How the line of the audit begins that says so; nothing where it cannot see it.
    audit: &'static str,
}

const BREAKS: [Break; 6] = [
    Break {
        what: "an order is deleted",
        sql: &[
            "DELETE FROM orders WHERE id = @order",
            "DELETE FROM order_lines WHERE order_id = @order",
        ],
        verification: "was acknowledged and is not there",
        audit: "FAIL ",
    },
    Break {
        what: "an order is there twice",
        sql: &[
            "CREATE TEMPORARY TABLE copied AS SELECT * FROM orders WHERE id = @order",
            "UPDATE copied SET id = @copy, idempotency_key = 'copy'",
            "INSERT INTO orders SELECT * FROM copied",
            "CREATE TEMPORARY TABLE copied_lines AS SELECT * FROM order_lines WHERE order_id = @order",
            "UPDATE copied_lines SET order_id = @copy",
            "INSERT INTO order_lines SELECT * FROM copied_lines",
        ],
        verification: "is there, and nobody asked for it",
        audit: "FAIL ",
    },
    Break {
        what: "an order has another total, and its sums are right",
        sql: &[
            "SET @more = (SELECT quantity FROM order_lines WHERE order_id = @order AND line_no = 1)",
            "UPDATE order_lines SET price = price + 1, total = total + quantity WHERE order_id = @order AND line_no = 1",
            "UPDATE orders SET subtotal = subtotal + @more, total = total + @more WHERE id = @order",
        ],
        verification: "acknowledged with total",
        audit: "FAIL payments",
    },
    Break {
        what: "a line of an order has another price",
        sql: &[
            "UPDATE order_lines SET price = price + 1, total = total + quantity WHERE order_id = @order AND line_no = 1",
        ],
        verification: "acknowledged with total",
        audit: "FAIL orders",
    },
    Break {
        what: "stock is another",
        sql: &["UPDATE stock SET on_hand = on_hand + 1 LIMIT 1"],
        verification: "",
        audit: "FAIL stock",
    },
    Break {
        what: "a line of a cart is lost",
        sql: &["DELETE FROM cart_lines WHERE quantity > 0 LIMIT 1"],
        verification: "acknowledged were",
        audit: "",
    },
];

async fn run(connection: &mut MySqlConnection, statement: impl Into<String>) -> u64 {
    let statement = statement.into();
    let outcome = connection.execute(sqlx::AssertSqlSafe(statement.clone())).await;
    outcome
        .unwrap_or_else(|error| panic!("{statement}: {error}"))
        .rows_affected()
}

fn load() -> Load {
    Load {
        model: Model::Closed {
            shoppers: SHOPPERS,
            shape: Shape::default(),
        },
        mix: Mix::Ordering,
        only: None,
        more: None,
        product: None,
        fine: false,
        think_s: 0.05,
        with_sessions: true,
        seconds: 4.0,
        warm_up: WarmUp::Seconds(0.0),
        seed: 3,
    }
}

async fn violations(crowd: &Crowd) -> Vec<String> {
    let shop = Rc::clone(&crowd.shop);
    verify(&shop, |_, _| {}).await.unwrap().violations
}

async fn audit(stack: &Stack) -> (bool, String) {
    let output = stack.api_output(&["audit", "--settled"]).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), text)
}

#[tokio::test(flavor = "local")]
async fn a_broken_shop_is_caught_each_time() {
    // Without Redis, so that a broken cart is not mended by its copy there.
    let stack = Stack::builder()
        .replicas(1)
        .products(100)
        .redis(false)
        .start()
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::create(&folder.path().join("journal.jsonl")).unwrap();
    let crowd = generator::open(&ShopArgs::of(&stack.url()), &stack.url(), journal)
        .await
        .unwrap();
    crowd.prepare(SHOPPERS, true, |_, _| {}).await.unwrap();
    let measured = crowd.drive(&load(), |_| {}).await.unwrap();
    assert!(measured.orders > 0);
    crowd.leave();

    let mut connection = sql(&stack).await;
    for table in TABLES {
        run(
            &mut connection,
            format!("CREATE TABLE saved_{table} AS SELECT * FROM {table}"),
        )
        .await;
    }
    let order = "SET @order = (SELECT id FROM orders WHERE state = 'paid' ORDER BY id DESC LIMIT 1)";
    run(&mut connection, order).await;
    // The same moment in its first bytes, another end.
    run(
        &mut connection,
        "SET @copy = CONCAT(LEFT(@order, 8), LEFT(RANDOM_BYTES(8), 8))",
    )
    .await;
    assert_eq!(violations(&crowd).await, Vec::<String>::new(), "whole");
    let (held, text) = audit(&stack).await;
    assert!(held, "{text}");

    for case in BREAKS {
        for statement in case.sql {
            let touched = run(&mut connection, *statement).await;
            assert!(touched > 0 || statement.starts_with("SET "), "{statement}");
        }
        let found = violations(&crowd).await;
        assert_eq!(
            found.is_empty(),
            case.verification.is_empty(),
            "{}: {found:?}",
            case.what
        );
        assert!(
            found.iter().all(|line| line.contains(case.verification)),
            "{}: {found:?}",
            case.what
        );
        let (held, text) = audit(&stack).await;
        assert_eq!(held, case.audit.is_empty(), "{}: {text}", case.what);
        let says = text.lines().any(|line| line.starts_with(case.audit));
        assert!(says, "{}: {text}", case.what);
        for table in TABLES {
            run(&mut connection, format!("DELETE FROM {table}")).await;
            run(
                &mut connection,
                format!("INSERT INTO {table} SELECT * FROM saved_{table}"),
            )
            .await;
        }
    }
    assert_eq!(violations(&crowd).await, Vec::<String>::new(), "mended");
    stack.stop().await.unwrap();
}
