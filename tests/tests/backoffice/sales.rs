//! What was sold, by day and by category, is what the orders say.

use serde_json::{Value, json};
use trestle_tests::{Shopper, shop};

use crate::fixture::{Made, admin, id, placed_at, usd};

fn numbers(line: &Value) -> (i64, i64, i64) {
    let number = |value: &Value| value.as_i64().unwrap();
    (
        number(&line["orders"]),
        number(&line["units"]),
        number(&line["revenue"]["amount"]),
    )
}

#[tokio::test]
async fn sales_are_the_orders_that_were_made_and_not_cancelled() {
    let shop = shop().await;
    let admin = admin(shop).await;
    let cups = Made::new(&admin, &[(100, 1000)]).await;
    let pans = Made::new(&admin, &[(100, 2500)]).await;
    let customer = Shopper::customer(&shop.url()).await;
    let place = async |made: &Made, quantity, time: &str| {
        let order = customer.order(made.variants[0], quantity).await.expect(201).body;
        placed_at(id(&order), time).await;
        id(&order).to_owned()
    };
    // Days in UTC: the last moment of one and the first of the next.
    place(&cups, 3, "2001-02-03 00:00:00").await;
    let shipped = place(&cups, 1, "2001-02-03 23:59:59.999999").await;
    place(&pans, 2, "2001-02-04 00:00:00").await;
    let cancelled = place(&pans, 7, "2001-02-04 12:00:00").await;
    // One order of both categories.
    let both = json!({
        "items": [
            {"variant_id": cups.variants[0], "quantity": 1},
            {"variant_id": pans.variants[0], "quantity": 1},
        ],
        "address_id": customer.address_id,
        "payment_token": "tok_approve",
    });
    let request = customer
        .request(reqwest::Method::POST, "/orders")
        .header("Idempotency-Key", "both")
        .json(&both);
    let both = customer.send(request).await.expect(201).body;
    placed_at(id(&both), "2001-02-05 01:00:00").await;
    let declined = customer.order_request(cups.variants[0], 1, "declined", "tok_decline");
    let failed = customer.send(declined).await.expect(402).body;
    placed_at(id(&failed["order"]), "2001-02-05 02:00:00").await;
    let ship = format!("/admin/orders/{shipped}/ship");
    admin.post(&ship, &json!({})).await.expect(200);
    let cancel = format!("/admin/orders/{cancelled}/cancel");
    admin.post(&cancel, &json!({"reason": "x"})).await.expect(200);

    let range = "from=2001-02-01&until=2001-02-28";
    let days = admin
        .get(&format!("/admin/sales?{range}&by=day"))
        .await
        .expect(200);
    let found: Vec<_> = days
        .items()
        .iter()
        .map(|line| (line["day"].as_str().unwrap(), numbers(line)))
        .collect();
    assert_eq!(
        found,
        [
            ("2001-02-03", (2, 4, 4000)),
            ("2001-02-04", (1, 2, 5000)),
            ("2001-02-05", (1, 2, 3500)),
        ]
    );
    assert_eq!(numbers(&days.body["total"]), (4, 8, 12_500));

    let categories = admin
        .get(&format!("/admin/sales?{range}&by=category"))
        .await
        .expect(200);
    let found: Vec<_> = categories
        .items()
        .iter()
        .map(|line| (line["category"]["handle"].as_str().unwrap(), numbers(line)))
        .collect();
    assert_eq!(
        found,
        [
            (pans.category.as_str(), (2, 3, 7500)),
            (cups.category.as_str(), (3, 5, 5000))
        ]
    );
    assert_eq!(numbers(&categories.body["total"]), (4, 8, 12_500));
    let empty = admin
        .get("/admin/sales?from=2000-01-01&until=2000-12-31&by=day")
        .await
        .expect(200);
    assert_eq!(
        (empty.items().len(), &empty.body["total"]["revenue"]),
        (0, &usd(0))
    );

    for bad in [
        "from=2001-02-01&by=day",
        "from=2001-02-01&until=2001-02-28&by=week",
        "from=2001-02-01&until=2001-01-31&by=day",
        "from=2001-01-01&until=2002-01-02&by=day",
        "from=2001-02-30&until=2001-03-01&by=day",
    ] {
        let path = format!("/admin/sales?{bad}");
        admin.get(&path).await.refused(400, "invalid_request");
    }
}
