//! Reviews: who may write one, once, and what they do to a product's rating.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use serde_json::{Value, json};
use trestle_tests::{Answer, Good, Shopper, good, order, repetitions, shop, sql, withdraw, within};
use uuid::Uuid;

const CATEGORY: &str = "reviewed-things";

fn path(good: Good) -> String {
    format!("/products/{}/reviews", good.product)
}

fn mine(good: Good) -> String {
    format!("/products/{}/reviews/mine", good.product)
}

/// A customer who bought it.
async fn buyer(good: Good) -> Shopper {
    let shopper = Shopper::customer(&shop().await.url()).await;
    order(&shopper, &[(good, 1)], "tok_approve").await.expect(201);
    shopper
}

/// So many of them, registered a few at a time: passwords are hashed in a short queue.
async fn buyers(good: Good, count: usize) -> Vec<Shopper> {
    let all = stream::iter((0..count).map(|_| buyer(good)));
    all.buffered(4).collect().await
}

async fn review(shopper: &Shopper, good: Good, rating: i64) -> Answer {
    shopper
        .post(&path(good), &json!({"rating": rating, "text": "I own it."}))
        .await
}

/// The rating that the product's own page shows at this door.
async fn shown(door: &Shopper, good: Good) -> Value {
    let product = door.get(&format!("/products/{}", good.product)).await;
    product.expect(200).body["rating"].clone()
}

/// Waits until every replica shows this rating: within a second, and what a busy test machine adds.
async fn rating_is(good: Good, average: Value, count: i64) {
    let wanted = json!({"average": average, "count": count});
    for replica in shop().await.replicas() {
        let door = Shopper::visitor(&format!("http://{}", replica.address));
        let what = format!("{} shows {wanted}", replica.address);
        let seen = async || (shown(&door, good).await == wanted).then_some(());
        let ((), took) = within(Duration::from_secs(3), &what, seen).await;
        assert!(took < Duration::from_millis(1500), "{what}: {took:?}");
    }
}

#[tokio::test]
async fn who_bought_a_product_reviews_it_once_and_is_named_by_first_name_and_initial() {
    let good = good(shop().await, CATEGORY, 10).await;
    let customer = buyer(good).await;
    rating_is(good, Value::Null, 0).await;
    customer.get(&mine(good)).await.refused(404, "not_found");

    let body = json!({"rating": 4, "text": "  Sturdy.\r\nAnd light.  "});
    let written = customer.post(&path(good), &body).await.expect(201);
    assert_eq!(written.body["rating"], 4);
    assert_eq!(written.body["text"], "Sturdy.\nAnd light.");
    assert_eq!(written.body["author"], "Ada L.");
    assert_eq!(written.body["created_at"], written.body["updated_at"]);
    assert_eq!(written.header("cache-control"), "private, no-store");
    review(&customer, good, 5).await.refused(409, "already_reviewed");

    let visitor = Shopper::visitor(&shop().await.url());
    let list = visitor.get(&path(good)).await.expect(200);
    assert_eq!(list.items(), std::slice::from_ref(&written.body));
    assert!(!list.text.contains('@'), "{}", list.text);
    assert!(!list.header("etag").is_empty());
    assert_eq!(customer.get(&mine(good)).await.expect(200).body, written.body);
    rating_is(good, json!(4.0), 1).await;
    // Lists say the same as soon as they are read anew.
    let list = visitor
        .get(&format!("/products?category={CATEGORY}&limit=100&min_rating=4"))
        .await
        .expect(200);
    let item = list.items().iter().find(|item| item["id"] == good.product);
    assert_eq!(item.unwrap()["rating"], json!({"average": 4.0, "count": 1}));
}

#[tokio::test]
async fn who_did_not_buy_it_does_not_review_it() {
    let shop = shop().await;
    let good = good(shop, CATEGORY, 50).await;
    let other = trestle_tests::good(shop, CATEGORY, 10).await;
    let customer = Shopper::customer(&shop.url()).await;
    review(&customer, good, 5).await.refused(403, "not_bought");

    order(&customer, &[(other, 1)], "tok_approve").await.expect(201);
    review(&customer, good, 5).await.refused(403, "not_bought");
    order(&customer, &[(good, 1)], "tok_decline").await.expect(402);
    review(&customer, good, 5).await.refused(403, "not_bought");
    let bought = order(&customer, &[(good, 1)], "tok_approve").await.expect(201);
    let cancel = format!("/orders/{}/cancel", bought.body["id"].as_str().unwrap());
    customer.post(&cancel, &json!({})).await.expect(200);
    review(&customer, good, 5).await.refused(403, "not_bought");
    // An order whose payment has not ended yet.
    let pending = order(&customer, &[(good, 1)], "tok_approve").await.expect(201);
    let state = async |state: &str| {
        sqlx::query("UPDATE orders SET state = ? WHERE id = ?")
            .bind(state)
            .bind(Uuid::try_parse(pending.body["id"].as_str().unwrap()).unwrap())
            .execute(&mut sql(shop).await)
            .await
            .unwrap();
    };
    state("pending").await;
    review(&customer, good, 5).await.refused(403, "not_bought");
    state("shipped").await;
    review(&customer, good, 5).await.expect(201);

    let visitor = Shopper::visitor(&shop.url());
    review(&visitor, good, 5).await.refused(401, "unauthenticated");
    visitor.get(&mine(good)).await.refused(401, "unauthenticated");
    visitor
        .put(&mine(good), &json!({"rating": 1}))
        .await
        .refused(401, "unauthenticated");
    visitor.delete(&mine(good)).await.refused(401, "unauthenticated");
    assert_eq!(customer.get(&mine(good)).await.expect(200).body["rating"], 5);
}

#[tokio::test]
async fn a_review_is_changed_and_deleted_by_its_customer_alone() {
    let good = good(shop().await, CATEGORY, 10).await;
    let (ada, eve) = (buyer(good).await, buyer(good).await);
    let first = review(&ada, good, 2).await.expect(201).body;
    rating_is(good, json!(2.0), 1).await;

    // Eve bought it too, but has no review of her own to change.
    eve.put(&mine(good), &json!({"rating": 1, "text": "Eve"}))
        .await
        .refused(404, "not_found");
    eve.delete(&mine(good)).await.refused(404, "not_found");
    assert_eq!(ada.get(&mine(good)).await.expect(200).body, first);

    let changed = ada
        .put(&mine(good), &json!({"rating": 5, "text": "It grew on me."}))
        .await
        .expect(200)
        .body;
    assert_eq!((&changed["id"], &changed["rating"]), (&first["id"], &json!(5)));
    assert_eq!(changed["created_at"], first["created_at"]);
    assert!(changed["updated_at"].as_str() > first["updated_at"].as_str());
    assert_eq!(ada.get(&mine(good)).await.expect(200).body, changed);
    review(&eve, good, 4).await.expect(201);
    rating_is(good, json!(4.5), 2).await;

    // Other words alone change nothing of the product.
    let version = async || {
        let product = ada.get(&format!("/products/{}", good.product)).await;
        product.expect(200).body["version"].as_u64()
    };
    let before = version().await;
    ada.put(&mine(good), &json!({"rating": 5})).await.expect(200);
    assert_eq!(ada.get(&mine(good)).await.expect(200).body["text"], "");
    assert_eq!(version().await, before);

    ada.delete(&mine(good)).await.expect(204);
    ada.delete(&mine(good)).await.refused(404, "not_found");
    ada.get(&mine(good)).await.refused(404, "not_found");
    rating_is(good, json!(4.0), 1).await;
    eve.delete(&mine(good)).await.expect(204);
    rating_is(good, Value::Null, 0).await;
    review(&ada, good, 3).await.expect(201);
    rating_is(good, json!(3.0), 1).await;
}

#[tokio::test]
async fn of_sixteen_reviews_at_once_one_is_written() {
    for _ in 0..repetitions() {
        let good = good(shop().await, CATEGORY, 10).await;
        let customer = buyer(good).await;
        let answers = join_all((0..16).map(|n| review(&customer, good, 1 + n % 5))).await;
        let written: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(written.len(), 1);
        let rating = written[0].body["rating"].as_f64();
        for answer in answers.into_iter().filter(|answer| answer.status != 201) {
            answer.refused(409, "already_reviewed");
        }
        rating_is(good, json!(rating), 1).await;
    }
}

/// The mean of these stars as the shop rounds it: one decimal, half up.
fn average(stars: &[i64]) -> f64 {
    let count = i64::try_from(stars.len()).unwrap();
    let tenths = (stars.iter().sum::<i64>() * 20 + count) / (count * 2);
    f64::from(i32::try_from(tenths).unwrap()) / 10.0
}

#[tokio::test]
async fn the_average_is_right_when_many_review_at_once() {
    let shop = shop().await;
    let good = good(shop, CATEGORY, 100).await;
    let buyers = buyers(good, 32).await;
    let stars: Vec<i64> = (0..32).map(|n| 1 + (n * n + n / 3) % 5).collect();
    // They are the first of this product, too.
    let written = join_all(
        buyers
            .iter()
            .zip(&stars)
            .map(|(buyer, stars)| review(buyer, good, *stars)),
    );
    for answer in written.await {
        answer.expect(201);
    }
    rating_is(good, json!(average(&stars)), 32).await;

    // A third thinks again, a third takes it back, both at once.
    let again = join_all(buyers.iter().enumerate().map(async |(n, buyer)| match n % 3 {
        0 => buyer.put(&mine(good), &json!({"rating": 5})).await.expect(200),
        1 => buyer.delete(&mine(good)).await.expect(204),
        _ => buyer.get(&mine(good)).await.expect(200),
    }));
    again.await;
    let left: Vec<i64> = (0..32)
        .filter(|n| n % 3 != 1)
        .map(|n| if n % 3 == 0 { 5 } else { stars[n] })
        .collect();
    let count = i64::try_from(left.len()).unwrap();
    rating_is(good, json!(average(&left)), count).await;
    let audit = shop.api_output(&["audit"]).await.unwrap();
    let text = String::from_utf8_lossy(&audit.stdout).into_owned();
    assert!(text.contains("ok   ratings: "), "{text}");
}

/// Whatever the stars are: the average that the database keeps is the mean, rounded half up to one decimal.
#[tokio::test]
async fn an_average_is_rounded_half_up_to_one_decimal() {
    let mut database = sql(shop().await).await;
    sqlx::raw_sql("CREATE TEMPORARY TABLE drawn LIKE product_ratings")
        .execute(&mut database)
        .await
        .unwrap();
    // A walk over numbers that is the same each time.
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % below
    };
    for id in 1..=500_u64 {
        let count = 1 + draw(if id % 2 == 0 { 20 } else { 1_000_000 });
        let stars = count + draw(4 * count + 1);
        sqlx::query("INSERT INTO drawn (product_id, reviews, stars) VALUES (?, ?, ?)")
            .bind(id)
            .bind(count)
            .bind(stars)
            .execute(&mut database)
            .await
            .unwrap();
        let tenths: i8 = sqlx::query_scalar("SELECT average FROM drawn WHERE product_id = ?")
            .bind(id)
            .fetch_one(&mut database)
            .await
            .unwrap();
        let (count, stars, tenths) = (i128::from(count), i128::from(stars), i128::from(tenths));
        // -1/2 <= mean - tenths < 1/2, in tenths, without a division.
        let off = 2 * (10 * stars - tenths * count);
        assert!(-count <= off && off < count, "{stars} of {count}: {tenths}");
        assert!((10..=50).contains(&tenths));
    }
}

/// Reviews with these stars by customers who are there for this alone, straight in the database; answers their ids, newest
/// first.
async fn reviewed(good: Good, stars: &[i64]) -> Vec<String> {
    use sqlx::Connection as _;
    let mut database = sql(shop().await).await;
    let mut tx = database.begin().await.unwrap();
    let mut ids = Vec::new();
    for stars in stars {
        let (review, customer) = (Uuid::now_v7(), Uuid::now_v7());
        sqlx::query("INSERT INTO customers (id, email, name, created_at) VALUES (?, ?, 'Grace Hopper', UTC_TIMESTAMP(6))")
            .bind(customer)
            .bind(format!("{}@example.com", customer.simple()))
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO reviews (id, product_id, customer_id, rating, text, created_at, updated_at)
             VALUES (?, ?, ?, ?, 'Fine', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
        )
        .bind(review)
        .bind(good.product)
        .bind(customer)
        .bind(stars)
        .execute(&mut *tx)
        .await
        .unwrap();
        ids.insert(0, review.to_string());
    }
    sqlx::query("INSERT INTO product_ratings (product_id, reviews, stars) VALUES (?, ?, ?)")
        .bind(good.product)
        .bind(u64::try_from(stars.len()).unwrap())
        .bind(stars.iter().sum::<i64>())
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    ids
}

#[tokio::test]
async fn pages_have_no_gaps_and_no_repeats_while_reviews_are_added() {
    let url = shop().await.url();
    let visitor = Shopper::visitor(&url);
    for limit in [1, 7, 20, 100] {
        let good = good(shop().await, CATEGORY, 100).await;
        let there = reviewed(good, &[4; 23]).await;
        let buyers = buyers(good, 3).await;
        let mut seen = Vec::new();
        let mut cursor = String::new();
        for page_number in 0..40 {
            let page = visitor
                .get(&format!("{}?limit={limit}{cursor}", path(good)))
                .await
                .expect(200);
            assert!(page.items().len() <= limit);
            seen.extend(
                page.items()
                    .iter()
                    .map(|item| item["id"].as_str().unwrap().to_owned()),
            );
            let Some(next) = page.body["next_cursor"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
            if let Some(buyer) = buyers.get(page_number) {
                review(buyer, good, 5).await.expect(201);
            }
        }
        assert_eq!(seen, there, "limit {limit}");
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused_by_its_parameter() {
    let shop = shop().await;
    let (one, two) = (good(shop, CATEGORY, 1).await, good(shop, CATEGORY, 1).await);
    reviewed(one, &[4; 3]).await;
    let visitor = Shopper::visitor(&shop.url());
    let page = visitor.get(&format!("{}?limit=2", path(one))).await.expect(200);
    let cursor = page.body["next_cursor"].as_str().unwrap().to_owned();
    for (query, field) in [
        ("limit=0".to_owned(), "limit"),
        ("limit=101".into(), "limit"),
        ("limit=many".into(), "limit"),
        ("sort=best".into(), "sort"),
        ("cursor=spoilt".into(), "cursor"),
    ] {
        let answer = visitor.get(&format!("{}?{query}", path(one))).await;
        assert_eq!(
            answer.refused(400, "invalid_request").fields(),
            [field],
            "{query}"
        );
    }
    let answer = visitor.get(&format!("{}?cursor={cursor}", path(two))).await;
    assert_eq!(answer.refused(400, "invalid_request").fields(), ["cursor"]);
    // Another limit is the same list.
    let rest = visitor
        .get(&format!("{}?limit=50&cursor={cursor}", path(one)))
        .await
        .expect(200);
    assert_eq!(rest.items().len(), 1);
    assert!(rest.body["next_cursor"].is_null());
}

#[tokio::test]
async fn a_review_that_cannot_be_names_the_field() {
    let good = good(shop().await, CATEGORY, 10).await;
    let customer = buyer(good).await;
    let long = "x".repeat(2001);
    for (body, field) in [
        (json!({"rating": 0}), "rating"),
        (json!({"rating": 6}), "rating"),
        (json!({"rating": 300}), "rating"),
        (json!({"rating": 4.5}), "rating"),
        (json!({"rating": "5"}), "rating"),
        (json!({"text": "no stars"}), "rating"),
        (json!({"rating": 5, "text": long}), "text"),
        (json!({"rating": 5, "text": "bell \u{7}"}), "text"),
        (json!({"rating": 5, "text": "tab\there"}), "text"),
        (json!({"rating": 5, "text": null}), "text"),
        (json!({"rating": 5, "author": "Somebody"}), "author"),
    ] {
        let answer = customer.post(&path(good), &body).await;
        let answer = answer.refused(422, "validation_failed");
        assert_eq!(answer.fields(), [field], "{body}");
        let answer = customer.put(&mine(good), &body).await;
        assert_eq!(
            answer.refused(422, "validation_failed").fields(),
            [field],
            "{body}"
        );
    }
    let markup = "<script>alert(1)</script> & \"plain\" 👍\n".repeat(40);
    let written = customer
        .post(&path(good), &json!({"rating": 1, "text": markup}))
        .await
        .expect(201);
    assert_eq!(written.body["text"], markup.trim());
    for id in ["0", "abc", "99999999999999999999"] {
        let answer = customer.get(&format!("/products/{id}/reviews")).await;
        answer.refused(400, "invalid_request");
    }
    let nothing = Good {
        product: 999_999_999,
        ..good
    };
    review(&customer, nothing, 5).await.refused(404, "not_found");
    customer.get(&path(nothing)).await.refused(404, "not_found");
    customer.get(&mine(nothing)).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_withdrawn_product_has_no_reviews_to_read_or_write() {
    let shop = shop().await;
    let good = good(shop, CATEGORY, 10).await;
    let (ada, eve) = (buyer(good).await, buyer(good).await);
    review(&ada, good, 5).await.expect(201);
    withdraw(shop, good.product).await;
    ada.get(&path(good)).await.refused(404, "not_found");
    review(&eve, good, 5).await.refused(404, "not_found");
    // What is Ada's own stays hers.
    assert_eq!(ada.get(&mine(good)).await.expect(200).body["rating"], 5);
    ada.delete(&mine(good)).await.expect(204);
}

#[tokio::test]
async fn a_filter_by_rating_counts_what_is_shown_and_pages_without_gaps() {
    let shop = shop().await;
    let category = "rated-things";
    let mut wanted = BTreeSet::new();
    // 79 stars of 20 reviews are 3.95, shown as 4.0; 78 are 3.9.
    let just = [[4; 19].as_slice(), &[3]].concat();
    let nearly = [[4; 18].as_slice(), &[3; 2]].concat();
    for (stars, counts) in [
        (just, true),
        (nearly, false),
        (vec![5; 2], true),
        (vec![1], false),
    ] {
        for _ in 0..3 {
            let good = good(shop, category, 1).await;
            reviewed(good, &stars).await;
            if counts {
                wanted.insert(good.product);
            }
        }
    }
    good(shop, category, 1).await;
    let visitor = Shopper::visitor(&shop.url());
    for sort in ["newest", "price_asc", "price_desc"] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        for _ in 0..20 {
            let page = visitor
                .get(&format!(
                    "/products?category={category}&min_rating=4&sort={sort}&limit=2{cursor}"
                ))
                .await
                .expect(200);
            seen.extend(page.items().iter().map(|item| item["id"].as_u64().unwrap()));
            let Some(next) = page.body["next_cursor"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen.len(), wanted.len(), "{sort}");
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), wanted, "{sort}");
    }
}
