//! What the shop puts first: best sellers, new products, and what goes with a product.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use sqlx::{MySql, QueryBuilder};
use trestle::Stack;
use trestle_tests::{Answer, Good, Shopper, good, order, shop, sql, withdraw, within};
use uuid::Uuid;

fn ids(answer: &Answer) -> Vec<u64> {
    answer
        .items()
        .iter()
        .map(|item| item["id"].as_u64().unwrap())
        .collect()
}

async fn customer() -> Shopper {
    Shopper::customer(&shop().await.url()).await
}

async fn goods<const N: usize>(category: &str) -> [Good; N] {
    let mut made = Vec::new();
    for _ in 0..N {
        made.push(good(shop().await, category, 100).await);
    }
    made.try_into().unwrap()
}

async fn buy(customer: &Shopper, goods: &[(Good, i32)]) -> Answer {
    order(customer, goods, "tok_approve").await.expect(201)
}

async fn cancel(customer: &Shopper, order: &Answer) {
    let path = format!("/orders/{}/cancel", order.body["id"].as_str().unwrap());
    customer.post(&path, &json!({})).await.expect(200);
}

#[tokio::test]
async fn best_sellers_are_ordered_by_units_sold_of_orders_that_were_paid() {
    let customer = customer().await;
    let [
        five,
        first_of_three,
        second_of_three,
        cancelled,
        failed,
        withdrawn,
        unsold,
    ] = goods("sold-things").await;
    let [elsewhere] = goods("sold-elsewhere").await;
    buy(&customer, &[(five, 2), (first_of_three, 3), (elsewhere, 20)]).await;
    let shipped = buy(&customer, &[(five, 3), (second_of_three, 3), (withdrawn, 9)]).await;
    sqlx::query("UPDATE orders SET state = 'shipped' WHERE id = ?")
        .bind(Uuid::try_parse(shipped.body["id"].as_str().unwrap()).unwrap())
        .execute(&mut sql(shop().await).await)
        .await
        .unwrap();
    let order_of_nine = buy(&customer, &[(cancelled, 9)]).await;
    cancel(&customer, &order_of_nine).await;
    order(&customer, &[(failed, 9)], "tok_decline").await.expect(402);
    withdraw(shop().await, withdrawn.product).await;

    let visitor = Shopper::visitor(&shop().await.url());
    let best = visitor
        .get("/products/best-sellers?category=sold-things")
        .await
        .expect(200);
    // Of two that sold alike the newer comes first.
    let expected = [five, second_of_three, first_of_three].map(|good| good.product);
    assert_eq!(ids(&best), expected);
    assert!(best.body["next_cursor"].is_null());
    let listed = visitor
        .get("/products?category=sold-things&limit=100")
        .await
        .expect(200);
    let listed = listed.items().iter().find(|item| item["id"] == five.product);
    assert_eq!(&best.items()[0], listed.unwrap());

    let all = visitor.get("/products/best-sellers").await.expect(200);
    assert_eq!(ids(&all)[0], elsewhere.product, "20 units are the most here");
    assert!(ids(&all).len() <= 50);
    assert!(!ids(&all).contains(&unsold.product));
    let tag = all.header("etag").to_owned();
    let again = visitor
        .request(Method::GET, "/products/best-sellers")
        .header("If-None-Match", tag);
    visitor.send(again).await.expect(304);
    // Kept for a minute: a sale does not count anew at each read.
    buy(&customer, &[(unsold, 50)]).await;
    let kept = visitor.get("/products/best-sellers?category=sold-things").await;
    assert_eq!(ids(&kept.expect(200)), expected);
}

/// Paid orders of one line, newer than all before, straight in the database.
async fn orders(stack: &Stack, good: Good, count: usize) {
    let mut database = sql(stack).await;
    let all: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
    for batch in all.chunks(500) {
        let mut query = QueryBuilder::<MySql>::new(
            "INSERT INTO orders (id, customer_id, idempotency_key, request_hash, state, currency, subtotal, total, ship_name,
                ship_line1, ship_city, ship_postal_code, ship_country, created_at, updated_at)",
        );
        query.push_values(batch, |mut row, id| {
            row.push_bind(id)
                .push_bind(id)
                .push("'once', REPEAT('0', 32), 'paid', 'USD', 1250, 1250, '', '', '', '', 'GB', UTC_TIMESTAMP(6)")
                .push("UTC_TIMESTAMP(6)");
        });
        query.build().execute(&mut database).await.unwrap();
        let mut query = QueryBuilder::<MySql>::new(
            "INSERT INTO order_lines (order_id, line_no, variant_id, product_id, title, price, quantity, total)",
        );
        query.push_values(batch, |mut row, id| {
            row.push_bind(id)
                .push("1")
                .push_bind(good.variant)
                .push_bind(good.product)
                .push("'', 1250, 1, 1250");
        });
        query.build().execute(&mut database).await.unwrap();
    }
}

#[tokio::test]
async fn best_sellers_count_only_the_last_3333_orders() {
    let stack = Stack::builder().replicas(1).products(0).start().await.unwrap();
    let visitor = Shopper::visitor(&stack.url());
    let best = async |category: &str| {
        let path = format!("/products/best-sellers?category={category}");
        ids(&visitor.get(&path).await.expect(200))
    };
    let mut pairs = Vec::new();
    // The same story in two categories, because what was read of one is kept for a minute.
    for category in ["before", "after"] {
        let (old, young) = (good(&stack, category, 0).await, good(&stack, category, 0).await);
        orders(&stack, old, 20).await;
        pairs.push((old, young));
    }
    let [(old, young), (_, later)] = pairs[..] else {
        unreachable!()
    };
    orders(&stack, young, 2).await;
    orders(&stack, later, 2).await;
    assert_eq!(best("before").await, [old.product, young.product]);
    // With these and the 4 above it is 3,333: the 40 old ones are over.
    orders(&stack, good(&stack, "filling", 0).await, 3_329).await;
    assert_eq!(best("after").await, [later.product]);
    assert_eq!(best("filling").await.len(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn new_products_are_the_newest_first_and_gone_soon_after_they_are_withdrawn() {
    let visitor = Shopper::visitor(&shop().await.url());
    let made: [Good; 3] = goods("new-things").await;
    let [oldest, middle, newest] = made.map(|good| good.product);
    let path = "/products/new?category=new-things";
    assert_eq!(
        ids(&visitor.get(path).await.expect(200)),
        [newest, middle, oldest]
    );
    let all = visitor.get("/products/new").await.expect(200);
    assert_eq!(all.items().len(), 50);
    assert!(ids(&all).is_sorted_by(|a, b| a > b));

    withdraw(shop().await, middle).await;
    let [another] = goods("new-things").await;
    for replica in shop().await.replicas() {
        let door = Shopper::visitor(&format!("http://{}", replica.address));
        let seen = async || {
            let now = ids(&door.get(path).await.expect(200));
            (now == [another.product, newest, oldest]).then_some(())
        };
        // The bound, and what a busy test machine adds.
        within(
            Duration::from_secs(6),
            "the list without what was withdrawn",
            seen,
        )
        .await;
    }
}

#[tokio::test]
async fn related_is_what_was_bought_together_and_then_the_category() {
    let customer = customer().await;
    let [shirt, other_shirt, newest_shirt] = goods("related-shirts").await;
    let [often, once, cancelled, withdrawn, alone] = goods("related-others").await;
    buy(&customer, &[(shirt, 1), (once, 4), (often, 1)]).await;
    buy(&customer, &[(often, 1), (shirt, 1), (withdrawn, 1)]).await;
    buy(&customer, &[(alone, 1)]).await;
    for _ in 0..3 {
        let order = buy(&customer, &[(shirt, 1), (cancelled, 1)]).await;
        cancel(&customer, &order).await;
    }
    withdraw(shop().await, withdrawn.product).await;

    let visitor = Shopper::visitor(&shop().await.url());
    let path = |product: u64| format!("/products/{product}/related");
    let related = visitor.get(&path(shirt.product)).await.expect(200);
    let expected = [often, once, newest_shirt, other_shirt].map(|good| good.product);
    assert_eq!(ids(&related), expected);
    assert!(related.body["next_cursor"].is_null());
    // Nobody bought it with anything: its category alone.
    let related = visitor.get(&path(other_shirt.product)).await.expect(200);
    assert_eq!(ids(&related), [newest_shirt.product, shirt.product]);
    visitor
        .get(&path(withdrawn.product))
        .await
        .refused(404, "not_found");
    visitor.get(&path(999_999_999)).await.refused(404, "not_found");
    visitor
        .get("/products/abc/related")
        .await
        .refused(400, "invalid_request");

    // Withdrawn now, gone within the bound.
    withdraw(shop().await, often.product).await;
    let gone = async || {
        let now = ids(&visitor.get(&path(shirt.product)).await.expect(200));
        (now == expected[1..]).then_some(())
    };
    within(Duration::from_secs(6), "related without what was withdrawn", gone).await;
}

#[tokio::test]
async fn related_counts_the_orders_of_every_variant_once() {
    let customer = customer().await;
    let [shirt] = goods("variant-shirts").await;
    let [twice, once] = goods("variant-others").await;
    let mut database = sql(shop().await).await;
    let large = sqlx::query(
        "INSERT INTO variants (product_id, position, option1, price) VALUES (?, 2, 'Large', 1250)",
    )
    .bind(shirt.product)
    .execute(&mut database)
    .await
    .unwrap()
    .last_insert_id();
    for statement in [
        "INSERT INTO stock (variant_id, on_hand) VALUES (?, 9)",
        "INSERT INTO stock_movements (variant_id, quantity, kind, created_at) VALUES (?, 9, 'initial', UTC_TIMESTAMP(6))",
    ] {
        let query = sqlx::query(statement).bind(large);
        query.execute(&mut database).await.unwrap();
    }
    let large = Good {
        variant: large,
        ..shirt
    };
    // In two orders, one for each variant; then both variants in one order.
    buy(&customer, &[(shirt, 1), (twice, 1)]).await;
    buy(&customer, &[(large, 1), (twice, 1)]).await;
    buy(&customer, &[(shirt, 1), (large, 1), (once, 1)]).await;
    let visitor = Shopper::visitor(&shop().await.url());
    let related = visitor
        .get(&format!("/products/{}/related", shirt.product))
        .await
        .expect(200);
    assert_eq!(ids(&related), [twice.product, once.product]);
}

#[tokio::test]
async fn related_products_are_ten_at_most_and_never_the_product_itself() {
    let customer = customer().await;
    let category: [Good; 13] = goods("related-many").await;
    let visitor = Shopper::visitor(&shop().await.url());
    let newest = category[12];
    let related = visitor
        .get(&format!("/products/{}/related", newest.product))
        .await
        .expect(200);
    let before: Vec<u64> = category[2..12].iter().rev().map(|good| good.product).collect();
    assert_eq!(ids(&related), before);
    // Bought together with all others, in one order each.
    for other in &category[1..] {
        buy(&customer, &[(category[0], 1), (*other, 1)]).await;
    }
    buy(&customer, &[(category[0], 1), (category[1], 1)]).await;
    let related = visitor
        .get(&format!("/products/{}/related", category[0].product))
        .await
        .expect(200);
    let mut expected = vec![category[1].product];
    expected.extend(category[4..].iter().rev().map(|good| good.product));
    assert_eq!(ids(&related), expected);
}

#[tokio::test]
async fn a_list_that_cannot_be_is_refused_by_its_parameter() {
    let visitor = Shopper::visitor(&shop().await.url());
    for list in ["best-sellers", "new"] {
        let path = format!("/products/{list}");
        for (query, field) in [
            (format!("category={}", "x".repeat(192)), "category"),
            ("limit=10".to_owned(), "limit"),
            ("cursor=abc".to_owned(), "cursor"),
        ] {
            let answer = visitor.get(&format!("{path}?{query}")).await;
            assert_eq!(
                answer.refused(400, "invalid_request").fields(),
                [field],
                "{query}"
            );
        }
        let unknown = visitor.get(&format!("{path}?category=no-such")).await.expect(200);
        assert!(unknown.items().is_empty());
        let posted = visitor.send(visitor.request(Method::POST, &path)).await;
        posted.refused(405, "method_not_allowed");
    }
}
