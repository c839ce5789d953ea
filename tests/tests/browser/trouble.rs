//! What can come in between: impatience, other tabs, a session that ends, replicas and caches that are lost.

use std::time::{Duration, Instant};

use tokio::sync::{Mutex, MutexGuard, OnceCell};
use trestle::Stack;
use trestle_tests::browser::Browser;
use trestle_tests::{PASSWORD, Shopper, shop, within};

use crate::fixture::{Made, admin, log_in, orders, to_checkout};

/// A customer at the checkout, in a browser of their own.
async fn buyer(shop: &Stack) -> (Browser, Shopper) {
    let made = Made::new(&admin(shop).await, 20).await;
    let customer = Shopper::customer(&shop.url()).await;
    let browser = Browser::desktop(shop).await;
    to_checkout(&browser, &customer, &made).await;
    (browser, customer)
}

async fn bought_once(shop: &Stack, customer: &Shopper) {
    assert_eq!(orders(shop, &customer.email).await, [("paid".to_owned(), 1250)]);
}

#[tokio::test]
async fn a_double_click_buys_once() {
    let shop = shop().await;
    let (browser, customer) = buyer(shop).await;
    browser.double_click("Pay $12.50").await;
    browser.see("Thank you for your order").await;
    bought_once(shop, &customer).await;
    // Back is not the form again, and forward is the order.
    browser.back().await;
    browser.settle().await;
    browser.forward().await;
    browser.settle().await;
    bought_once(shop, &customer).await;
    browser.clean(&[]).await;
}

#[tokio::test]
async fn what_sells_out_while_paying_is_told_and_nothing_is_bought() {
    let shop = shop().await;
    let made = Made::new(&admin(shop).await, 1).await;
    let (customer, other) = (
        Shopper::customer(&shop.url()).await,
        Shopper::customer(&shop.url()).await,
    );
    let browser = Browser::desktop(shop).await;
    to_checkout(&browser, &customer, &made).await;
    other.order(made.small, 1).await.expect(201);
    browser.click("Pay $12.50").await;
    browser.see("Somebody was faster.").await;
    browser.see("Sold out.").await;
    browser.accessible().await;
    browser.click("Take it out").await;
    browser.see("There is nothing in your cart").await;
    let orders = orders(shop, &customer.email).await;
    assert!(orders.iter().all(|(state, _)| state == "failed"), "{orders:?}");
    browser.clean(&[(409, "/api/v1/orders")]).await;
}

#[tokio::test]
async fn a_price_that_changes_while_paying_is_shown_first() {
    let shop = shop().await;
    let admin = admin(shop).await;
    let made = Made::new(&admin, 20).await;
    let customer = Shopper::customer(&shop.url()).await;
    let browser = Browser::desktop(shop).await;
    to_checkout(&browser, &customer, &made).await;
    made.small_costs(&admin, 1499).await;
    browser.click("Pay $12.50").await;
    browser.see("The price has changed.").await;
    assert!(orders(shop, &customer.email).await.is_empty());
    browser.click("Pay $14.99").await;
    browser.see("Thank you for your order").await;
    assert_eq!(orders(shop, &customer.email).await, [("paid".to_owned(), 1499)]);
    browser.clean(&[(409, "/api/v1/orders")]).await;
}

#[tokio::test]
async fn a_reload_while_paying_buys_once() {
    let shop = shop().await;
    let (browser, customer) = buyer(shop).await;
    browser.click("Slow card").await;
    browser.click("Pay $12.50").await;
    browser.see("Paying").await;
    browser.reload().await;
    browser.see("Thank you for your order").await;
    bought_once(shop, &customer).await;
    // The repeat was told to come back while the first was still being decided.
    let (wrong, _) = browser.wrongs(&[(409, "/api/v1/orders")]).await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test]
async fn two_tabs_buy_once() {
    let shop = shop().await;
    let (browser, customer) = buyer(shop).await;
    let first = browser.new_tab().await;
    browser.arrive("/checkout").await;
    browser.see_control("Pay $12.50").await;
    let second = browser.switch_tab(&first).await;
    browser.click("Pay $12.50").await;
    browser.see("Thank you for your order").await;
    browser.switch_tab(&second).await;
    browser.see("There is nothing in your cart").await;
    bought_once(shop, &customer).await;
    browser.clean(&[]).await;
}

#[tokio::test]
async fn who_is_signed_out_while_buying_logs_in_and_goes_on() {
    let shop = shop().await;
    let (browser, customer) = buyer(shop).await;
    // Another device of theirs ends all sessions but its own.
    let mut other = customer.clone();
    other.log_in().await.expect(201);
    for session in other.get("/sessions").await.expect(200).items() {
        if session["current"] != true {
            other
                .delete(&format!("/sessions/{}", session["id"].as_str().unwrap()))
                .await
                .expect(204);
        }
    }
    browser.click("Pay $12.50").await;
    browser
        .see("You were signed out while your order was being placed.")
        .await;
    browser.click_role("link", "Log in").await;
    browser.see_path("/login").await;
    browser.fill("E-mail address", &customer.email).await;
    browser.fill("Password", PASSWORD).await;
    browser.click_role("button", "Log in").await;
    browser.see("Thank you for your order").await;
    bought_once(shop, &customer).await;
    let (wrong, _) = browser
        .wrongs(&[(401, "/api/v1/orders"), (401, "/api/v1/sessions/refresh")])
        .await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test]
async fn who_goes_offline_is_told_and_comes_back() {
    let shop = shop().await;
    let made = Made::new(&admin(shop).await, 20).await;
    let browser = Browser::desktop(shop).await;
    // The view is there: only the shop is out of reach.
    browser.arrive(&format!("/products/{}", made.id)).await;
    browser.click("Trestle").await;
    browser.settle().await;
    browser.offline(true).await;
    browser.back().await;
    browser.see("You are offline").await;
    browser.offline(false).await;
    browser.click("Try again").await;
    browser.see_title(&made.title).await;
    browser.clean(&[(0, "/")]).await;
}

#[tokio::test]
async fn a_page_that_was_not_opened_before_says_offline_too() {
    let browser = Browser::desktop(shop().await).await;
    browser.arrive("/").await;
    browser.offline(true).await;
    browser.click("Cart").await;
    browser.see("You are offline").await;
    browser.offline(false).await;
    browser.click("Try again").await;
    browser.see("There is nothing in your cart").await;
    browser.clean(&[(0, "/")]).await;
}

#[tokio::test]
async fn redis_is_emptied_and_the_shopper_notices_nothing() {
    let shop = shop().await;
    let made = Made::new(&admin(shop).await, 20).await;
    let customer = Shopper::customer(&shop.url()).await;
    let browser = Browser::desktop(shop).await;
    customer.put_in_cart(made.small, 1).await.expect(200);
    log_in(&browser, &customer, "/cart").await;
    let client = trestle_api::cache::redis::client(&shop.redis_url().unwrap()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let () = redis::cmd("FLUSHALL").query_async(&mut redis).await.unwrap();
    browser.reload().await;
    browser.see(&made.title).await;
    browser.see("Ada Lovelace").await;
    browser.click("To checkout").await;
    browser.click("Pay $12.50").await;
    browser.see("Thank you for your order").await;
    bought_once(shop, &customer).await;
    browser.clean(&[]).await;
}

// --- Replicas that are lost: a shop of their own -------------------------------------------------------------------

static FRAGILE: OnceCell<Stack> = OnceCell::const_new();
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// A shop of two replicas, whole again after the test before.
async fn fragile() -> (&'static Stack, MutexGuard<'static, ()>) {
    let alone = ONE_AT_A_TIME.lock().await;
    let start = async || Stack::builder().replicas(2).products(20).start().await.unwrap();
    let stack = FRAGILE.get_or_init(start).await;
    stack.scale(2).await.unwrap();
    within(Duration::from_secs(30), "two replicas", async || {
        (stack.replicas().len() == 2).then_some(())
    })
    .await;
    (stack, alone)
}

/// How many orders each replica has begun.
async fn begun(stack: &Stack) -> Vec<(String, String)> {
    let client = reqwest::Client::new();
    let mut begun = Vec::new();
    for replica in stack.replicas() {
        let url = format!("http://{}/metrics", replica.ops_address);
        let text = client.get(url).send().await.unwrap().text().await.unwrap();
        let line = |line: &&str| line.starts_with("trestle_orders_total{state=\"pending\"}");
        begun.push((replica.name, text.lines().find(line).unwrap().to_owned()));
    }
    begun
}

#[tokio::test]
async fn a_replica_is_killed_while_paying_and_the_shopper_notices_nothing() {
    let (stack, _alone) = fragile().await;
    let (browser, customer) = buyer(stack).await;
    browser.click("Slow card").await;
    let before = begun(stack).await;
    browser.click("Pay $12.50").await;
    let (busy, _) = within(
        Duration::from_secs(5),
        "a replica has begun the order",
        async || {
            let now = begun(stack).await;
            let other = now.into_iter().find(|replica| !before.contains(replica));
            other.map(|(name, _)| name)
        },
    )
    .await;
    stack.kill(&busy).unwrap();
    browser.see("Thank you for your order").await;
    // The other replica could not know whether the bank had been asked. It waited, gave that order up, and took another.
    let orders = orders(stack, &customer.email).await;
    assert_eq!(
        orders.iter().filter(|(state, _)| state == "paid").count(),
        1,
        "{orders:?}"
    );
    assert!(
        orders
            .iter()
            .all(|(state, _)| state == "paid" || state == "failed"),
        "{orders:?}"
    );
    let asked = [402, 409, 502].map(|status| (status, "/api/v1/orders"));
    let (wrong, _) = browser.wrongs(&asked).await;
    assert!(wrong.is_empty(), "{wrong:?}");
    let audit = stack.api_output(&["audit"]).await.unwrap();
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stdout)
    );
}

#[tokio::test]
async fn every_replica_is_lost_while_paying_and_the_order_is_placed_once() {
    let (stack, _alone) = fragile().await;
    let (browser, customer) = buyer(stack).await;
    let replicas = stack.replicas();
    for replica in &replicas {
        stack.kill_and_hold(&replica.name).await.unwrap();
    }
    browser.click("Pay $12.50").await;
    browser.see("Paying").await;
    for replica in &replicas {
        stack.restart_process(&replica.name).await.unwrap();
    }
    browser.see("Thank you for your order").await;
    bought_once(stack, &customer).await;
    let asked = [502, 503, 504].map(|status| (status, "/api/v1/"));
    let (wrong, _) = browser.wrongs(&asked).await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test]
async fn a_shop_without_replicas_says_so_and_comes_back() {
    let (stack, _alone) = fragile().await;
    let browser = Browser::desktop(stack).await;
    browser.arrive("/").await;
    let replicas = stack.replicas();
    for replica in &replicas {
        stack.stop_process(&replica.name).await.unwrap();
    }
    browser.reload().await;
    browser.see("The shop cannot be reached right now").await;
    browser.accessible().await;
    for replica in &replicas {
        stack.restart_process(&replica.name).await.unwrap();
    }
    browser.click("Try again").await;
    browser.miss("The shop cannot be reached right now").await;
    browser.settle().await;
    let (wrong, _) = browser
        .wrongs(&[(502, "/api/v1/"), (503, "/api/v1/"), (504, "/api/v1/")])
        .await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Told by whoever moves the shop's data: reads go on, nothing is written.
async fn writes(stack: &Stack, now: &str) {
    let client = reqwest::Client::new();
    for replica in stack.replicas() {
        let url = format!("http://{}/writes", replica.ops_address);
        let body = serde_json::json!({ "writes": now });
        let answer = client.put(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test]
async fn a_shop_that_takes_no_writes_says_so_and_keeps_its_carts() {
    let (stack, _alone) = fragile().await;
    let made = Made::new(&admin(stack).await, 20).await;
    let browser = Browser::desktop(stack).await;
    browser.arrive(&format!("/products/{}", made.id)).await;
    browser.click("Small").await;
    browser.click("Add to cart").await;
    browser.see("1 piece is in your cart now.").await;
    writes(stack, "off").await;
    browser.click("Add to cart").await;
    browser.see("The shop is being worked on").await;
    browser.accessible().await;
    browser.visit("/cart").await;
    browser.see(&made.title).await;
    writes(stack, "on").await;
    browser.arrive(&format!("/products/{}", made.id)).await;
    browser.click("Small").await;
    browser.click("Add to cart").await;
    browser.see("1 more").await;
    let (wrong, _) = browser.wrongs(&[(503, "/api/v1/cart")]).await;
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test]
async fn the_system_page_sees_replicas_come_and_go() {
    let (stack, _alone) = fragile().await;
    let browser = Browser::desktop(stack).await;
    browser.arrive("/system").await;
    for name in ["api-1", "api-2"] {
        browser.see(name).await;
    }
    browser.clean(&[]).await;
    let shows_within_2_s = async |text: &str, change: &str| {
        let began = Instant::now();
        browser.see(text).await;
        let took = began.elapsed();
        println!("{change}: seen after {took:?}");
        assert!(took < Duration::from_secs(2), "{change}: {took:?}");
    };
    stack.kill_and_hold("api-1").await.unwrap();
    shows_within_2_s("api-1 has fallen silent", "killed").await;
    stack.restart_process("api-1").await.unwrap();
    shows_within_2_s("api-1 is back", "started again").await;
    stack.scale(3).await.unwrap();
    shows_within_2_s("api-3 is here", "added").await;
    stack.scale(2).await.unwrap();
    shows_within_2_s("api-3 has fallen silent", "drained").await;
    browser.accessible().await;
    // nginx asks the other replica for what the lost one had: the page sees no error.
    browser.clean(&[]).await;
}
