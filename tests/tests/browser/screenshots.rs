//! `make screenshots`: each page at three widths, and in Korean and dark at one, of a shop that looks lived in.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;
use trestle::Stack;
use trestle_tests::browser::{Browser, Options, target_folder};
use trestle_tests::{Shopper, first_product, money};
use uuid::Uuid;

use crate::fixture::{Made, admin, coupon, log_in};

const WIDTHS: [u32; 3] = [1440, 768, 360];

/// Who looks at a page, its name among the pictures, its address.
type Page = (Who, &'static str, String);

#[derive(Clone, Copy, PartialEq)]
enum Who {
    Visitor,
    /// With orders of every kind and a full cart.
    Customer,
    /// Who has just registered.
    Newcomer,
    Admin,
}

struct People {
    customer: Shopper,
    newcomer: Shopper,
    admin: Shopper,
}

#[tokio::test]
#[ignore = "draws pictures for people to look at: make screenshots"]
async fn screenshots() {
    let began = Instant::now();
    let folder = target_folder().join("screenshots");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    println!("filling a shop");
    let stack = Stack::builder().replicas(4).products(0).start().await.unwrap();
    let (people, pages) = lived_in(&stack).await;
    for who in [Who::Visitor, Who::Newcomer, Who::Customer, Who::Admin] {
        let pages: Vec<&Page> = pages.iter().filter(|page| page.0 == who).collect();
        tokio::join!(
            draw(&stack, &people, who, &pages, &folder, &WIDTHS, Options::default()),
            draw(
                &stack,
                &people,
                who,
                &pages,
                &folder,
                &[360],
                Options {
                    language: "ko-KR",
                    dark: true,
                    ..Options::default()
                }
            ),
        );
        println!("{:3.0} s: {} pages", began.elapsed().as_secs_f64(), pages.len());
    }
    let pictures = std::fs::read_dir(&folder).unwrap().count();
    println!("{pictures} pictures in {}", folder.display());
}

/// Draws all pages of one person, one after the other.
async fn draw(
    stack: &Stack,
    people: &People,
    who: Who,
    pages: &[&Page],
    folder: &Path,
    widths: &[u32],
    options: Options,
) {
    let browser = Browser::open(stack, options).await;
    match who {
        Who::Visitor => {}
        Who::Customer => log_in(&browser, &people.customer, "/").await,
        Who::Newcomer => log_in(&browser, &people.newcomer, "/").await,
        Who::Admin => log_in(&browser, &people.admin, "/").await,
    }
    for (_, name, path) in pages {
        browser.visit(path).await;
        for width in widths {
            browser.resize(*width, if *width < 600 { 740 } else { 900 }).await;
            browser.settle().await;
            let kind = if options.dark { "-ko-dark" } else { "" };
            let file: PathBuf = folder.join(format!("{name}-{width}{kind}.png"));
            browser.picture(&file).await;
        }
    }
}

/// Sales and reviews of three months, people, and the pages that there are to see.
async fn lived_in(stack: &Stack) -> (People, Vec<Page>) {
    let seed = ["seed", "--orders", "1500"];
    let done = stack.api_output(&seed).await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let admin = admin(stack).await;
    let name = json!({"name": "Mina Park"});
    admin.patch("/customers/me", &name).await.expect(200);
    let mut customer = Shopper::customer(&stack.url()).await;
    let newcomer = Shopper::customer(&stack.url()).await;
    let code = coupon(&admin).await;

    let product = first_product(stack, 10).await;
    let best = customer.get("/products/best-sellers").await.expect(200);
    let sold: Vec<u64> = best
        .items()
        .iter()
        .filter_map(|item| item["id"].as_u64())
        .collect();
    let long = "A very long name: the adjustable, stackable, foldable workbench with drawers, castors, a vice and a lamp";
    let dear = json!({"title": long, "category": product["category"]["handle"], "options": ["Finish"], "description": "<p>Heavy.</p>"});
    let dear = Made::of(
        &admin,
        &dear,
        &[
            ("Oiled walnut and patinated steel", 129_999_999),
            ("Ash", 89_500_000),
        ],
        3,
    )
    .await;
    let gone = json!({"title": "Folding stool", "category": product["category"]["handle"], "options": ["Size"], "description": "It folds."});
    let gone = Made::of(&admin, &gone, &[("Small", 4500), ("Large", 5900)], 0).await;

    let mut orders = Vec::new();
    for (at, state) in ["paid", "cancelled", "shipped", "failed", "paid"]
        .into_iter()
        .enumerate()
    {
        let shown = customer
            .get(&format!("/products/{}", sold[at]))
            .await
            .expect(200)
            .body;
        let variant = shown["variants"][0]["id"].as_u64().unwrap();
        let token = if state == "failed" {
            "tok_decline"
        } else {
            "tok_approve"
        };
        let request = customer.order_request(variant, 2, &Uuid::new_v4().to_string(), token);
        let order = customer.send(request).await.body["id"]
            .as_str()
            .map(str::to_owned);
        let Some(order) = order.filter(|_| state != "failed") else {
            continue;
        };
        match state {
            "cancelled" => {
                customer
                    .post(&format!("/orders/{order}/cancel"), &json!({}))
                    .await
                    .expect(200);
            }
            "shipped" => {
                let parcel = json!({"carrier": "Deutsche Post DHL", "tracking": "00340434161094042557"});
                admin
                    .post(&format!("/admin/orders/{order}/ship"), &parcel)
                    .await
                    .expect(200);
            }
            _ => {}
        }
        orders.push((state, order));
    }
    customer.put_in_cart(dear.small, 2).await.expect(200);
    customer.put_in_cart(gone.small, 1).await;
    for product in &sold[..3] {
        let shown = customer
            .get(&format!("/products/{product}"))
            .await
            .expect(200)
            .body;
        let variant = shown["variants"][0]["id"].as_u64().unwrap();
        customer.put_in_cart(variant, 3).await.expect(200);
    }
    customer.log_in().await.expect(201);

    let order = |wanted: &str| {
        orders
            .iter()
            .rev()
            .find(|(state, _)| *state == wanted)
            .unwrap()
            .1
            .clone()
    };
    let category = product["category"]["handle"].as_str().unwrap();
    let mut pages: Vec<Page> = Vec::new();
    let mut add = |who: Who, name: &'static str, path: String| pages.push((who, name, path));
    add(Who::Visitor, "home", "/".into());
    add(Who::Visitor, "category", format!("/categories/{category}"));
    add(Who::Visitor, "search", "/search?q=oak&stock=1".into());
    add(Who::Visitor, "search-nothing", "/search?q=xyzzyx".into());
    add(Who::Visitor, "product", format!("/products/{}", sold[0]));
    add(Who::Visitor, "product-long", format!("/products/{}", dear.id));
    add(Who::Visitor, "product-sold-out", format!("/products/{}", gone.id));
    add(Who::Visitor, "cart-empty", "/cart".into());
    add(Who::Visitor, "checkout-visitor", "/checkout".into());
    add(Who::Visitor, "login", "/login".into());
    add(Who::Visitor, "register", "/register".into());
    add(Who::Visitor, "signed-out", "/orders".into());
    add(Who::Visitor, "not-found", "/categories/not/there".into());
    add(Who::Visitor, "system", "/system".into());
    add(Who::Newcomer, "orders-empty", "/orders".into());
    add(Who::Newcomer, "forbidden", "/admin".into());
    add(Who::Customer, "cart", "/cart".into());
    add(Who::Customer, "checkout", "/checkout".into());
    add(Who::Customer, "orders", "/orders".into());
    add(
        Who::Customer,
        "order-placed",
        format!("/orders/{}?placed=1", order("paid")),
    );
    add(
        Who::Customer,
        "order-shipped",
        format!("/orders/{}", order("shipped")),
    );
    add(
        Who::Customer,
        "order-cancelled",
        format!("/orders/{}", order("cancelled")),
    );
    add(Who::Customer, "review", format!("/products/{}?review=1", sold[4]));
    add(Who::Customer, "account", "/account".into());
    add(Who::Admin, "admin", "/admin".into());
    add(Who::Admin, "admin-products", "/admin/products".into());
    add(
        Who::Admin,
        "admin-product",
        format!("/admin/products/{}", dear.id),
    );
    add(Who::Admin, "admin-orders", "/admin/orders".into());
    add(
        Who::Admin,
        "admin-order",
        format!("/admin/orders/{}", order("paid")),
    );
    add(Who::Admin, "admin-coupons", "/admin/coupons".into());
    add(Who::Admin, "admin-customers", "/admin/customers".into());
    let minimum = json!({"code": format!("{code}X"), "off": {"amount": money(500)}, "minimum": money(2000), "max_uses": 100});
    admin.post("/admin/coupons", &minimum).await.expect(201);
    (
        People {
            customer,
            newcomer,
            admin,
        },
        pages,
    )
}
