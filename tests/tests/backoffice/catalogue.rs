//! Products come and go: made, published, found, withdrawn, and what shoppers see and can buy meanwhile.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use trestle_tests::{Shopper, eventually, shop, within};

use crate::fixture::{Made, admin, category, edit, ids_of, logged, readable, replicas, usd, word};

const A_SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_product_is_made_given_a_variant_and_published() {
    let shop = shop().await;
    let admin = admin(shop).await;
    let visitor = Shopper::visitor(&shop.url());
    let title = format!("Kettle {}", word());
    let body = json!({
        "title": title,
        "description": "<p>Boils <script>alert(1)</script>water</p>",
        "category": category(&admin).await,
        "options": ["Size"],
        "pictures": [{"url": "https://pictures.example/kettle.jpg", "alt": "A kettle"}],
    });
    let new = admin.post("/admin/products", &body).await.expect(201);
    let id = new.body["id"].as_u64().unwrap();
    assert_eq!(new.body["published"], false);
    assert_eq!(new.body["description"], "<p>Boils water</p>");
    visitor
        .get(&format!("/products/{id}"))
        .await
        .refused(404, "not_found");

    let path = format!("/admin/products/{id}");
    let publish = json!({"published": true});
    let refused = edit(&admin, Method::PATCH, &path, new.header("etag"), &publish).await;
    assert_eq!(refused.refused(422, "validation_failed").fields(), ["published"]);
    let variant = json!({"sku": word(), "options": ["1 l"], "price": usd(2500), "on_hand": 7});
    let added = edit(
        &admin,
        Method::POST,
        &format!("{path}/variants"),
        new.header("etag"),
        &variant,
    )
    .await
    .expect(201);
    assert_ne!(added.header("etag"), new.header("etag"));
    edit(&admin, Method::PATCH, &path, added.header("etag"), &publish)
        .await
        .expect(200);

    for url in replicas().await {
        let visitor = Shopper::visitor(&url);
        let (page, _) = within(A_SECOND, "shoppers see it", async || {
            let answer = visitor.get(&format!("/products/{id}")).await;
            (answer.status == 200).then_some(answer.body)
        })
        .await;
        assert_eq!(page["price"], usd(2500));
        assert_eq!(
            (&page["in_stock"], &page["variants"][0]["left"]),
            (&json!(true), &json!(7))
        );
    }
    let last = title.rsplit(' ').next().unwrap();
    eventually("a search finds it", async || {
        let found = visitor.get(&format!("/products?q={last}")).await.expect(200);
        found.items().iter().any(|item| item["id"] == id)
    })
    .await;
    assert_eq!(
        logged(&admin, "product", &id.to_string()).await,
        ["product.create", "variant.create", "product.publish"]
    );
}

#[tokio::test]
async fn a_withdrawn_product_is_gone_within_a_second_and_cannot_be_bought() {
    let shop = shop().await;
    let admin = admin(shop).await;
    let made = Made::new(&admin, &[(5, 1000)]).await;
    let variant = made.variants[0];
    let customer = Shopper::customer(&shop.url()).await;
    customer.put_in_cart(variant, 1).await.expect(200);
    let path = format!("/products/{}", made.id);
    for url in replicas().await {
        Shopper::visitor(&url).get(&path).await.expect(200);
    }

    made.edit(&admin, &json!({"published": false})).await.expect(200);
    // MySQL decides what can be bought, so this holds at once.
    let refused = customer.order(variant, 1).await;
    assert_eq!(
        refused.refused(422, "validation_failed").fields(),
        ["items[0].variant_id"]
    );
    for url in replicas().await {
        let visitor = Shopper::visitor(&url);
        within(A_SECOND, "it is gone", async || {
            (visitor.get(&path).await.status == 404).then_some(())
        })
        .await;
    }
    let cart = customer.get("/cart").await.expect(200).body;
    assert_eq!(cart["items"][0]["available"], false);
    customer.put_in_cart(variant, 2).await.refused(404, "not_found");
    made.edit(&admin, &json!({"published": true})).await.expect(200);
    customer.order(variant, 1).await.expect(201);
}

#[tokio::test]
async fn a_withdrawn_variant_is_not_shown_not_sold_and_not_the_lowest_price() {
    let shop = shop().await;
    let admin = admin(shop).await;
    let made = Made::new(&admin, &[(5, 900), (5, 1500)]).await;
    let (cheap, dear) = (made.variants[0], made.variants[1]);
    let customer = Shopper::customer(&shop.url()).await;
    made.edit_variant(&admin, cheap, &json!({"withdrawn": true}))
        .await
        .expect(200);
    let refused = customer.order(cheap, 1).await;
    refused.refused(422, "validation_failed");
    for url in replicas().await {
        let visitor = Shopper::visitor(&url);
        within(A_SECOND, "it is not shown", async || {
            let page = visitor
                .get(&format!("/products/{}", made.id))
                .await
                .expect(200)
                .body;
            let only = page["variants"].as_array().unwrap().len() == 1;
            (only && page["price"] == usd(1500)).then_some(())
        })
        .await;
    }
    let list = admin
        .get(&format!("/admin/products?q={}", made.handle))
        .await
        .expect(200);
    assert_eq!(list.items()[0]["price"], usd(1500));

    // The last one of a published product stays; sold out, the withdrawn one does not count as in stock.
    let last = made.edit_variant(&admin, dear, &json!({"withdrawn": true})).await;
    assert_eq!(last.refused(422, "validation_failed").fields(), ["withdrawn"]);
    customer.order(dear, 5).await.expect(201);
    let in_stock = || async {
        let list = admin.get(&format!("/admin/products?q={}", made.handle)).await;
        list.expect(200).items()[0]["in_stock"].clone()
    };
    assert_eq!(in_stock().await, false);

    // An import that names it changes its price and leaves it withdrawn.
    let csv = format!(
        "Handle,Title,Option1 Name,Option1 Value,Variant Price\n{0},{1},Size,Size 1,5.00\n{0},,,Size 2,16.00\n",
        made.handle, made.title
    );
    let file = readable(&csv);
    let done = shop
        .api_output(&["import", file.path().to_str().unwrap()])
        .await
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let read = made.read(&admin).await.body;
    assert_eq!(read["variants"][0]["price"], usd(500));
    assert_eq!(read["variants"][0]["withdrawn"], true);
    let list = admin
        .get(&format!("/admin/products?q={}", made.handle))
        .await
        .expect(200);
    assert_eq!(list.items()[0]["price"], usd(1600));

    // Nor does it publish a product that has nothing for sale; a new variant is.
    made.edit(&admin, &json!({"published": false})).await.expect(200);
    made.edit_variant(&admin, dear, &json!({"withdrawn": true}))
        .await
        .expect(200);
    for (sizes, published) in [(2, false), (3, true)] {
        let row = |size| format!("{},{},true,Size,Size {size},5.00\n", made.handle, made.title);
        let rows: Vec<String> = (1..=sizes).map(row).collect();
        let csv = format!(
            "Handle,Title,Published,Option1 Name,Option1 Value,Variant Price\n{}",
            rows.concat()
        );
        std::fs::write(file.path(), csv).unwrap();
        let done = shop
            .api_output(&["import", file.path().to_str().unwrap()])
            .await
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        assert_eq!(made.read(&admin).await.body["published"], published);
    }

    made.edit_variant(&admin, cheap, &json!({"withdrawn": false}))
        .await
        .expect(200);
    assert_eq!(in_stock().await, true);
    customer.order(cheap, 1).await.expect(201);
}

#[tokio::test]
async fn a_new_price_is_seen_within_a_second_on_every_replica() {
    let shop = shop().await;
    let admin = admin(shop).await;
    let made = Made::new(&admin, &[(50, 1000)]).await;
    let path = format!("/products/{}", made.id);
    let customer = Shopper::customer(&shop.url()).await;
    for price in [1100, 700, 1250] {
        for url in replicas().await {
            Shopper::visitor(&url).get(&path).await.expect(200);
        }
        let body = json!({"price": usd(price)});
        made.edit_variant(&admin, made.variants[0], &body)
            .await
            .expect(200);
        // An order is billed at it at once.
        let order = customer.order(made.variants[0], 2).await.expect(201).body;
        assert_eq!(order["total"], usd(2 * price));
        for url in replicas().await {
            let visitor = Shopper::visitor(&url);
            let ((), took) = within(A_SECOND, "the new price", async || {
                let page = visitor.get(&path).await.expect(200).body;
                (page["price"] == usd(price) && page["variants"][0]["price"] == usd(price)).then_some(())
            })
            .await;
            println!("{url}: seen after {took:?}");
        }
    }
}

#[tokio::test]
async fn products_are_listed_published_or_not_and_found_by_words_handles_and_skus() {
    let admin = admin(shop().await).await;
    let category = category(&admin).await;
    let shared = word();
    let mut ids = Vec::new();
    for number in 0..5 {
        let body =
            json!({"title": format!("Lamp {number} {shared}"), "category": category, "vendor": "Lumen_100%"});
        let made = admin.post("/admin/products", &body).await.expect(201);
        ids.insert(0, made.body["id"].to_string());
        if number == 0 {
            let sku = json!({"sku": format!("SKU-{shared}"), "price": usd(1)});
            let path = format!("/admin/products/{}/variants", made.body["id"]);
            let added = edit(&admin, Method::POST, &path, made.header("etag"), &sku)
                .await
                .expect(201);
            let path = format!("/admin/products/{}", made.body["id"]);
            edit(
                &admin,
                Method::PATCH,
                &path,
                added.header("etag"),
                &json!({"published": true}),
            )
            .await
            .expect(200);
        }
    }
    assert_eq!(ids_of(&admin, &format!("/admin/products?q={shared}")).await, ids);
    let published = format!("/admin/products?q={shared}&published=true");
    assert_eq!(ids_of(&admin, &published).await, ids[4..]);
    let withdrawn = format!("/admin/products?q={shared}&published=false");
    assert_eq!(ids_of(&admin, &withdrawn).await, ids[..4]);
    assert_eq!(
        ids_of(&admin, &format!("/admin/products?q=SKU-{shared}")).await,
        ids[4..]
    );
    let by_handle = ids_of(&admin, &format!("/admin/products?q=lamp-3-{shared}")).await;
    assert!(by_handle.contains(&ids[1]), "{by_handle:?}");
    // What a pattern would make of them is not made of them.
    for q in ["%25", "_", "%5C", "%25%25%25"] {
        let found = admin.get(&format!("/admin/products?q={q}")).await.expect(200);
        assert_eq!(found.items().len(), 0, "{q}");
    }
    admin
        .get("/admin/products?published=maybe")
        .await
        .refused(400, "invalid_request");
    let long = "x".repeat(201);
    admin
        .get(&format!("/admin/products?q={long}"))
        .await
        .refused(400, "invalid_request");
}
