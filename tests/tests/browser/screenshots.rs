//! `make screenshots`: each page at three widths, and in Korean and dark at one, of a shop that looks lived in.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use trestle::Stack;
use trestle_tests::browser::{Browser, Options, target_folder};
use trestle_tests::{PASSWORD, Shopper, money};

use crate::fixture::{Made, log_in};

const WIDTHS: [u32; 3] = [1440, 768, 360];
const KOREAN_DARK: Options = Options {
    language: "ko-KR",
    dark: true,
    width: 360,
    height: 740,
};

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
    let start = Stack::builder().replicas(4).products(0).start();
    let stack = start.await.unwrap();
    let people = people(&stack).await;
    let draw_all = async |pages: Vec<Page>| {
        for who in [Who::Visitor, Who::Newcomer, Who::Customer, Who::Admin] {
            let pages: Vec<&Page> = pages.iter().filter(|page| page.0 == who).collect();
            if !pages.is_empty() {
                tokio::join!(
                    draw(&stack, &people, &pages, &folder, &WIDTHS, Options::default()),
                    draw(&stack, &people, &pages, &folder, &[360], KOREAN_DARK),
                );
                println!("{:3.0} s: {} pages", began.elapsed().as_secs_f64(), pages.len());
            }
        }
    };
    // Before there are goods that try the lay-out.
    draw_all(everyday(&people).await).await;
    draw_all(the_rest(&people).await).await;
    system_page(&stack, &folder).await;
    let pictures = std::fs::read_dir(&folder).unwrap().count();
    println!("{pictures} pictures in {}", folder.display());
}

/// Draws all pages of one person, one after the other.
async fn draw(
    stack: &Stack,
    people: &People,
    pages: &[&Page],
    folder: &Path,
    widths: &[u32],
    options: Options,
) {
    let browser = Browser::open(stack, options).await;
    match pages[0].0 {
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

/// Sales and reviews of three months, and people.
async fn people(stack: &Stack) -> People {
    let done = stack.api_output(&["seed", "--orders", "1500"]).await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut admin = person(stack, "mina@trestle.example", "Mina Park").await;
    let done = stack.api_output(&["admin", "grant", &admin.email]).await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    admin.log_in().await.expect(201);
    let mut newcomer = person(stack, "grace@example.com", "Grace Hopper").await;
    newcomer.add_address().await;
    let mut customer = person(stack, "ada@example.com", "Ada Lovelace").await;
    customer.add_address().await;
    // Another device.
    customer.log_in().await.expect(201);
    People {
        customer,
        newcomer,
        admin,
    }
}

async fn person(stack: &Stack, email: &str, name: &str) -> Shopper {
    let mut shopper = Shopper::visitor(&stack.url());
    email.clone_into(&mut shopper.email);
    let body = json!({"email": email, "password": PASSWORD, "name": name});
    let registered = shopper.post("/customers", &body).await.expect(201);
    shopper.keep_tokens(&registered);
    shopper
}

/// Products that sell best.
async fn best(shopper: &Shopper) -> Vec<u64> {
    let best = shopper.get("/products/best-sellers").await.expect(200);
    best.items()
        .iter()
        .filter_map(|item| item["id"].as_u64())
        .collect()
}

async fn everyday(people: &People) -> Vec<Page> {
    let best = best(&people.customer).await;
    vec![
        (Who::Visitor, "home", "/".to_owned()),
        (Who::Visitor, "category", "/categories/furniture".to_owned()),
        (Who::Visitor, "search", "/search?q=oak&stock=1".to_owned()),
        (Who::Visitor, "product", format!("/products/{}", best[0])),
    ]
}

/// Orders of each kind, a full cart, a product with a long name and a large price, one that is sold out, coupons.
async fn the_rest(people: &People) -> Vec<Page> {
    use Who::{Admin, Customer, Newcomer, Visitor};

    let People {
        customer,
        newcomer,
        admin,
    } = people;
    let best = best(customer).await;
    for (product, quantity) in [(best[0], 1), (best[3], 2), (best[7], 1)] {
        let variant = first_variant(newcomer, product).await;
        newcomer.put_in_cart(variant, quantity).await.expect(200);
    }
    let mut orders = Vec::new();
    for (state, product) in ["cancelled", "shipped", "paid"].into_iter().zip(&best) {
        let variants = [
            first_variant(customer, *product).await,
            first_variant(customer, best[6]).await,
        ];
        let items = variants.map(|variant| json!({"variant_id": variant, "quantity": 2}));
        let body = json!({"items": items, "address_id": customer.address_id, "payment_token": "tok_approve"});
        let request = customer
            .request(Method::POST, "/orders")
            .header("Idempotency-Key", state);
        let order = customer.send(request.json(&body)).await.expect(201).body;
        let order = order["id"].as_str().unwrap().to_owned();
        if state == "cancelled" {
            let cancel = format!("/orders/{order}/cancel");
            customer.post(&cancel, &json!({})).await.expect(200);
        } else if state == "shipped" {
            let parcel = json!({"carrier": "Deutsche Post DHL", "tracking": "00340434161094042557"});
            let ship = format!("/admin/orders/{order}/ship");
            admin.post(&ship, &parcel).await.expect(200);
        }
        orders.push(order);
    }
    let long = "The adjustable, stackable and foldable workbench with drawers, castors, a vice, a lamp and a very long name";
    let dear = json!({"title": long, "category": "furniture", "options": ["Finish"], "description": "<p>It is heavy.</p>"});
    let finishes = [
        ("Oiled walnut and patinated steel", 129_999_999),
        ("Ash", 89_500_000),
    ];
    let dear = Made::of(admin, &dear, &finishes, 3).await;
    let gone = json!({"title": "Folding stool", "category": "furniture", "options": ["Size"], "description": "<p>It folds.</p>"});
    let gone = Made::of(admin, &gone, &[("Small", 4500), ("Large", 5900)], 0).await;
    for (variant, quantity) in [
        (dear.small, 2),
        (gone.small, 1),
        (first_variant(customer, best[4]).await, 3),
        (first_variant(customer, best[5]).await, 1),
    ] {
        customer.put_in_cart(variant, quantity).await.expect(200);
    }
    for coupon in [
        json!({"code": "WELCOME10", "off": {"percent": 10}, "max_uses_per_customer": 1}),
        json!({"code": "AUTUMN-5", "off": {"amount": money(500)}, "minimum": money(4000), "max_uses": 500}),
    ] {
        admin.post("/admin/coupons", &coupon).await.expect(201);
    }
    let [cancelled, shipped, paid] = [0, 1, 2].map(|at| orders[at].clone());
    let page = |who, name, path: &str| (who, name, path.to_owned());
    vec![
        page(Visitor, "search-nothing", "/search?q=xyzzyx"),
        page(Visitor, "product-long", &format!("/products/{}", dear.id)),
        page(Visitor, "product-sold-out", &format!("/products/{}", gone.id)),
        page(Visitor, "cart-empty", "/cart"),
        page(Visitor, "checkout-visitor", "/checkout"),
        page(Visitor, "login", "/login"),
        page(Visitor, "register", "/register"),
        page(Visitor, "signed-out", "/orders"),
        page(Visitor, "not-found", "/no/such/page"),
        page(Newcomer, "orders-empty", "/orders"),
        page(Newcomer, "checkout", "/checkout"),
        page(Newcomer, "forbidden", "/admin"),
        page(Customer, "cart", "/cart"),
        page(Customer, "checkout-sold-out", "/checkout"),
        page(Customer, "orders", "/orders"),
        page(Customer, "order-placed", &format!("/orders/{paid}?placed=1")),
        page(Customer, "order-shipped", &format!("/orders/{shipped}")),
        page(Customer, "order-cancelled", &format!("/orders/{cancelled}")),
        page(Customer, "review", &format!("/products/{}?review=1", best[2])),
        page(Customer, "account", "/account"),
        page(Admin, "admin", "/admin"),
        page(Admin, "admin-products", "/admin/products"),
        page(Admin, "admin-product", &format!("/admin/products/{}", dear.id)),
        page(Admin, "admin-orders", "/admin/orders"),
        page(Admin, "admin-order", &format!("/admin/orders/{paid}")),
        page(Admin, "admin-coupons", "/admin/coupons"),
        page(Admin, "admin-customers", "/admin/customers"),
    ]
}

async fn first_variant(shopper: &Shopper, product: u64) -> u64 {
    let product = shopper
        .get(&format!("/products/{product}"))
        .await
        .expect(200)
        .body;
    product["variants"][0]["id"].as_u64().unwrap()
}

/// Four replicas at work, and then three, as soon as the page knows that one was killed.
async fn system_page(stack: &Stack, folder: &Path) {
    for (kind, options, widths) in [
        ("", Options::default(), &WIDTHS[..]),
        ("-ko-dark", KOREAN_DARK, &[360]),
    ] {
        let browser = Browser::open(stack, options).await;
        browser.arrive("/system").await;
        for name in ["api-1", "api-2", "api-3", "api-4"] {
            browser.see(name).await;
        }
        for width in widths {
            browser.resize(*width, 900).await;
            // Answers of ten seconds are what the figures are made of.
            tokio::time::sleep(Duration::from_secs(4)).await;
            browser
                .picture(&folder.join(format!("system-{width}{kind}.png")))
                .await;
        }
        if kind.is_empty() {
            browser.resize(1440, 900).await;
            stack.kill_and_hold("api-3").await.unwrap();
            browser.see("api-3 has fallen silent").await;
            browser.picture(&folder.join("system-killed-1440.png")).await;
            stack.restart_process("api-3").await.unwrap();
        }
    }
}
