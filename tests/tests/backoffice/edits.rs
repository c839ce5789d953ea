//! Edits: of two editors the second hears of the first, and what is refused names its field.

use reqwest::Method;
use serde_json::{Value, json};
use trestle_tests::{Shopper, shop};

use crate::fixture::{Made, admin, category, edit, logged, readable, usd, word};

#[tokio::test]
async fn of_two_admins_who_edit_a_product_the_second_is_refused() {
    let shop = shop().await;
    let (ann, bob) = (admin(shop).await, admin(shop).await);
    let made = Made::new(&ann, &[(11, 1000)]).await;
    let path = format!("/admin/products/{}", made.id);
    let variant = format!("/admin/variants/{}", made.variants[0]);
    let seen_by_ann = made.read(&ann).await.header("etag").to_owned();
    let seen_by_bob = made.read(&bob).await.header("etag").to_owned();
    assert_eq!(seen_by_ann, seen_by_bob);

    // A sale that changes what the page says of the stock is no edit.
    let customer = Shopper::customer(&shop.url()).await;
    customer.order(made.variants[0], 3).await.expect(201);
    let title = json!({"title": format!("Ann's {}", word())});
    edit(&ann, Method::PATCH, &path, &seen_by_ann, &title)
        .await
        .expect(200);
    let price = json!({"price": usd(1)});
    for (method, path, body) in [
        (Method::PATCH, path.as_str(), &json!({"title": "Bob's"})),
        (Method::PATCH, variant.as_str(), &price),
        (
            Method::POST,
            &format!("{path}/variants"),
            &json!({"options": ["XL"], "price": usd(1)}),
        ),
    ] {
        edit(&bob, method.clone(), path, &seen_by_bob, body)
            .await
            .refused(412, "precondition_failed");
        let without = bob.send(bob.request(method, path).json(body)).await;
        assert_eq!(
            without.refused(428, "precondition_required").fields(),
            ["If-Match"]
        );
    }
    let now = made.read(&bob).await;
    assert_eq!(now.body["title"], title["title"]);
    edit(&bob, Method::PATCH, &variant, now.header("etag"), &price)
        .await
        .expect(200);

    // What changes nothing is no new revision; an import that changes something is one.
    let seen = made.read(&ann).await;
    let same = edit(&ann, Method::PATCH, &path, seen.header("etag"), &title)
        .await
        .expect(200);
    assert_eq!(same.header("etag"), seen.header("etag"));
    let csv = format!(
        "Handle,Title,Option1 Name,Option1 Value,Variant Price\n{},{},Size,Size 1,9.99\n",
        made.handle,
        title["title"].as_str().unwrap()
    );
    let file = readable(&csv);
    let import = shop
        .api_output(&["import", file.path().to_str().unwrap()])
        .await
        .unwrap();
    assert!(import.status.success(), "{import:?}");
    edit(
        &ann,
        Method::PATCH,
        &path,
        seen.header("etag"),
        &json!({"title": "Late"}),
    )
    .await
    .refused(412, "precondition_failed");
    assert_eq!(
        logged(&ann, "product", &made.id.to_string()).await,
        [
            "product.create",
            "variant.create",
            "product.publish",
            "product.edit",
            "variant.edit"
        ]
    );
}

#[tokio::test]
async fn of_16_editors_at_once_exactly_one_wins() {
    let admin = admin(shop().await).await;
    let made = Made::new(&admin, &[(1, 1000)]).await;
    let etag = made.read(&admin).await.header("etag").to_owned();
    let path = format!("/admin/variants/{}", made.variants[0]);
    let edits = (0..16).map(|number| {
        let (admin, etag, path) = (admin.clone(), etag.clone(), path.clone());
        tokio::spawn(async move {
            let body = json!({"price": usd(2000 + number)});
            edit(&admin, Method::PATCH, &path, &etag, &body).await.status
        })
    });
    let edits: Vec<_> = edits.collect();
    let mut statuses = Vec::new();
    for edit in edits {
        statuses.push(edit.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(statuses[1..].iter().all(|status| *status == 412), "{statuses:?}");
}

#[tokio::test]
async fn what_another_has_is_refused_with_the_name_of_the_field() {
    let admin = admin(shop().await).await;
    let made = Made::new(&admin, &[(1, 1000), (1, 1100)]).await;
    let other = Made::new(&admin, &[(1, 1000)]).await;
    let sku = word();
    let taken = |answer: trestle_tests::Answer, field: &str| {
        assert_eq!(answer.refused(409, "already_exists").fields(), [field]);
    };
    made.edit_variant(&admin, made.variants[0], &json!({"sku": sku}))
        .await
        .expect(200);
    let body = json!({"sku": sku});
    taken(made.edit_variant(&admin, made.variants[1], &body).await, "sku");
    taken(other.edit_variant(&admin, other.variants[0], &body).await, "sku");
    let body = json!({"options": ["Size 1"]});
    taken(
        made.edit_variant(&admin, made.variants[1], &body).await,
        "options",
    );
    let body = json!({"title": "x", "handle": made.handle, "category": made.category});
    taken(admin.post("/admin/products", &body).await, "handle");
    let name = json!({"name": made.category.replace('-', " ")});
    taken(admin.post("/admin/categories", &name).await, "name");
    // A SKU that was given up can be taken.
    made.edit_variant(&admin, made.variants[0], &json!({"sku": ""}))
        .await
        .expect(200);
    other
        .edit_variant(&admin, other.variants[0], &json!({"sku": sku}))
        .await
        .expect(200);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_every_field_named() {
    let admin = admin(shop().await).await;
    let made = Made::new(&admin, &[(1, 1000)]).await;
    let other = Made::new(&admin, &[(1, 1000)]).await;
    let product = [
        (
            json!({"title": "", "vendor": "v".repeat(256)}),
            vec!["title", "vendor"],
        ),
        (json!({"category": "no-such"}), vec!["category"]),
        (json!({"options": ["Size", "Colour"]}), vec!["options"]),
        (json!({"options": ["a", "b", "c", "d"]}), vec!["options"]),
        (
            json!({"pictures": [{"url": "javascript:alert(1)"}]}),
            vec!["pictures[0].url"],
        ),
        (
            json!({"pictures": [{"url": "https://a.example/1", "variant_id": other.variants[0]}]}),
            vec!["pictures[0].variant_id"],
        ),
        (json!({"price": usd(1)}), vec!["price"]),
        (json!({"id": 1}), vec!["id"]),
    ];
    for (body, fields) in product {
        let refused = made.edit(&admin, &body).await.refused(422, "validation_failed");
        assert_eq!(refused.fields(), fields, "{body}");
    }
    let variant: [(Value, Vec<&str>); 6] = [
        (json!({"price": usd(-1)}), vec!["price.amount"]),
        (json!({"price": usd(1_000_000_000_001)}), vec!["price.amount"]),
        (
            json!({"price": {"amount": 1, "currency": "KRW"}}),
            vec!["price.currency"],
        ),
        (json!({"options": []}), vec!["options"]),
        (
            json!({"options": ["", "x"], "sku": "s".repeat(101)}),
            vec!["sku", "options[0]"],
        ),
        (json!({"on_hand": 3}), vec!["on_hand"]),
    ];
    for (body, fields) in variant {
        let refused = made.edit_variant(&admin, made.variants[0], &body).await;
        assert_eq!(
            refused.refused(422, "validation_failed").fields(),
            fields,
            "{body}"
        );
    }
    let new = json!({"title": "!!!", "category": category(&admin).await});
    let refused = admin
        .post("/admin/products", &new)
        .await
        .refused(422, "validation_failed");
    assert_eq!(refused.fields(), ["handle"]);
    admin
        .get("/admin/products/999999999")
        .await
        .refused(404, "not_found");
    let nowhere = edit(
        &admin,
        Method::PATCH,
        "/admin/variants/999999999",
        "\"1\"",
        &json!({}),
    )
    .await;
    nowhere.refused(404, "not_found");
}
