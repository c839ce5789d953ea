//! The sitemap: what robots.txt leads search engines to.

use std::collections::BTreeSet;

use reqwest::Method;
use trestle_tests::{Shopper, shop, sql};

/// What stands between `<loc>` and `</loc>`.
fn addresses(xml: &str) -> BTreeSet<String> {
    xml.split("<loc>")
        .skip(1)
        .map(|rest| rest.split("</loc>").next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn it_names_the_home_page_every_category_and_every_product_once() {
    let stack = shop().await;
    let url = stack.url();
    let visitor = Shopper::visitor(&url);
    let answer = visitor.get("/sitemap.xml").await.expect(200);
    assert_eq!(answer.header("content-type"), "text/xml; charset=utf-8");
    assert!(
        answer
            .text
            .starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=")
    );
    let mut database = sql(stack).await;
    let handles: Vec<String> = sqlx::query_scalar("SELECT handle FROM categories")
        .fetch_all(&mut database)
        .await
        .unwrap();
    let ids: Vec<u64> = sqlx::query_scalar("SELECT id FROM products WHERE published = 1")
        .fetch_all(&mut database)
        .await
        .unwrap();
    let mut all = BTreeSet::from([format!("{url}/")]);
    all.extend(handles.iter().map(|handle| format!("{url}/categories/{handle}")));
    all.extend(ids.iter().map(|id| format!("{url}/products/{id}")));
    assert_eq!(addresses(&answer.text), all);
    assert_eq!(answer.text.matches("<url>").count(), all.len());

    let tag = answer.header("etag").to_owned();
    let again = visitor
        .request(Method::GET, "/sitemap.xml")
        .header("If-None-Match", &tag);
    visitor.send(again).await.expect(304);
    // Those who come by another name are told that name.
    let named = visitor
        .request(Method::GET, "/sitemap.xml")
        .header("Host", "shop.example");
    let named = visitor.send(named).await.expect(200);
    assert!(named.text.contains("<loc>http://shop.example/</loc>"));
    assert_ne!(named.header("etag"), tag);
    visitor.get("/sitemap.xml?page=1").await.expect(200);
    visitor.get("/sitemap.xml?page=2").await.refused(404, "not_found");
    for wrong in ["page=0", "page=50001", "page=x", "part=1"] {
        visitor
            .get(&format!("/sitemap.xml?{wrong}"))
            .await
            .refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn only_a_trusted_proxy_says_how_the_shop_was_reached() {
    let stack = shop().await;
    let replica = stack.replicas().remove(0);
    let direct = Shopper::visitor(&stack.url()).at(&format!("http://{}", replica.address));
    // The tests come from the address of nginx, which is trusted.
    let forwarded = direct
        .request(Method::GET, "/sitemap.xml")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "shop.example");
    let answer = direct.send(forwarded).await.expect(200);
    assert!(answer.text.contains("<loc>https://shop.example/</loc>"));
    // Nobody can write into the document.
    let spoilt = direct
        .request(Method::GET, "/sitemap.xml")
        .header("X-Forwarded-Host", "a</loc><loc>b");
    direct.send(spoilt).await.refused(400, "invalid_request");
}

#[tokio::test]
async fn a_large_shop_has_an_index_of_bounded_parts() {
    let stack = trestle::Stack::builder()
        .replicas(1)
        .products(20)
        .start()
        .await
        .unwrap();
    // A product far up, as if there had been thousands between.
    let far = "UPDATE products SET id = 25001 WHERE id = (SELECT id FROM (SELECT MAX(id) AS id FROM products) AS last)";
    let mut database = sql(&stack).await;
    sqlx::query("SET foreign_key_checks = 0")
        .execute(&mut database)
        .await
        .unwrap();
    sqlx::query(far).execute(&mut database).await.unwrap();
    let url = stack.url();
    let visitor = Shopper::visitor(&url);
    let index = visitor.get("/sitemap.xml").await.expect(200);
    assert!(index.text.contains("<sitemapindex "));
    let pages: BTreeSet<_> = (1..=3)
        .map(|page| format!("{url}/api/v1/sitemap.xml?page={page}"))
        .collect();
    assert_eq!(addresses(&index.text), pages);
    let mut found = 0;
    for page in 1..=3 {
        let part = visitor
            .get(&format!("/sitemap.xml?page={page}"))
            .await
            .expect(200);
        assert!(part.text.contains("<urlset "));
        found += part.text.matches("/products/").count();
    }
    assert_eq!(found, 20);
}
