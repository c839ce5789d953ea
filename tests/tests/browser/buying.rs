//! From the front page to the order, and what follows one.

use trestle_tests::browser::{Browser, Options, key};
use trestle_tests::{PASSWORD, Shopper, eventually, shop};

use crate::fixture::{Made, admin, coupon, log_in, orders, to_checkout, word};

#[tokio::test]
async fn a_newcomer_registers_searches_and_buys_two_variants_with_a_coupon() {
    let shop = shop().await;
    let admin = admin(shop).await;
    let (made, coupon) = (Made::new(&admin, 20).await, coupon(&admin).await);
    let email = format!("{}@example.com", word());
    let browser = Browser::desktop(shop).await;

    browser.arrive("/").await;
    browser.fill("Search", &made.title).await;
    browser.press(key::ENTER).await;
    browser.see_path("/search?q=").await;
    browser.click_role("link", &made.title).await;
    browser.see_title(&made.title).await;
    browser.click("Small").await;
    browser.click("Add to cart").await;
    browser.see("1 piece is in your cart now.").await;
    browser.click("Large").await;
    browser.see("$19.00").await;
    browser.fill("Quantity", "2").await;
    browser.click("Add to cart").await;
    browser.see("2 pieces are in your cart now.").await;
    browser.click("Go to the cart").await;

    browser.see_path("/cart").await;
    browser.see("$50.50").await;
    browser.fill("Coupon", &coupon).await;
    browser.click("Apply").await;
    browser.see(&format!("Coupon {coupon}")).await;
    browser.see("$45.45").await;
    browser.click("To checkout").await;

    // The cart comes along to the new account.
    browser.click("Create an account").await;
    browser.see_path("/register").await;
    browser.fill("Name", "Grace Hopper").await;
    browser.fill("E-mail address", &email).await;
    browser.fill("Password", PASSWORD).await;
    browser.click_role("button", "Create an account").await;
    browser.see_path("/checkout").await;
    for (label, value) in [
        ("Street and number", "1 Analytical Way"),
        ("Postal code", "20001"),
        ("City", "Washington"),
        ("Name", "Grace Hopper"),
    ] {
        browser.fill(label, value).await;
    }
    browser.click("Card that is approved").await;
    browser.click("Pay $45.45").await;
    browser.see("Thank you for your order").await;
    browser.see("Grace Hopper").await;
    assert_eq!(orders(shop, &email).await, [("paid".to_owned(), 4545)]);

    // The way back leads to no second order, and to an empty cart.
    browser.back().await;
    browser.settle().await;
    browser.visit("/cart").await;
    browser.see("There is nothing in your cart").await;
    assert_eq!(orders(shop, &email).await.len(), 1);
    browser.clean(&[]).await;
}

#[tokio::test]
async fn a_declined_card_is_followed_by_another() {
    let shop = shop().await;
    let made = Made::new(&admin(shop).await, 20).await;
    let customer = Shopper::customer(&shop.url()).await;
    let browser = Browser::desktop(shop).await;
    to_checkout(&browser, &customer, &made).await;

    browser.click("Card that is declined").await;
    browser.click("Pay $12.50").await;
    browser.see("The payment was declined.").await;
    browser.clean(&[(402, "/api/v1/orders")]).await;
    browser.click("Card that is approved").await;
    browser.click("Pay $12.50").await;
    browser.see("Thank you for your order").await;
    let paid = orders(shop, &customer.email).await;
    assert_eq!(
        paid.iter().filter(|(state, _)| state == "paid").count(),
        1,
        "{paid:?}"
    );
    browser.clean(&[]).await;
}

#[tokio::test]
async fn what_was_bought_is_reviewed_and_cancelled() {
    let shop = shop().await;
    let made = Made::new(&admin(shop).await, 20).await;
    let customer = Shopper::customer(&shop.url()).await;
    customer.order(made.small, 2).await.expect(201);
    let browser = Browser::desktop(shop).await;
    log_in(&browser, &customer, "/orders").await;

    browser.click_in(&made.title, "Order").await;
    browser.see("2 × $12.50").await;
    browser.click("Write a review").await;
    browser.see_title(&made.title).await;
    browser.click("4 of 5 stars").await;
    browser.fill("What is it like?", "It holds what it says.").await;
    browser.click("Publish the review").await;
    browser.see("Thank you. Your review is published.").await;
    browser.see("It holds what it says.").await;

    browser.back().await;
    browser.see("2 × $12.50").await;
    browser.click("Cancel the order").await;
    browser.see("You get $25.00 back").await;
    browser.click("Cancel the order").await;
    browser.see("The order was cancelled.").await;
    browser.see("The money was paid back.").await;
    assert_eq!(
        orders(shop, &customer.email).await,
        [("cancelled".to_owned(), 2500)]
    );
    browser.clean(&[]).await;
}

#[tokio::test]
async fn an_edit_of_the_backoffice_is_seen_by_shoppers() {
    let shop = shop().await;
    let admin = admin(shop).await;
    let made = Made::new(&admin, 20).await;
    let (desk, shopper) = Browser::two(shop).await;
    let page = format!("/products/{}", made.id);
    shopper.arrive(&page).await;
    shopper.see(&made.title).await;

    log_in(&desk, &admin, "/admin/products").await;
    desk.fill("Words, handle or SKU", &made.title).await;
    desk.click("Find").await;
    desk.click_role("link", &made.title).await;
    let title = format!("Mended {}", made.title);
    desk.fill("Title", &title).await;
    desk.click("Save").await;
    desk.see("Saved.").await;

    eventually("the new title is shown", async || {
        shopper.arrive(&page).await;
        shopper.shows(&title).await
    })
    .await;
    desk.click("Withdraw from the shop").await;
    desk.see("The product is no longer in the shop.").await;
    shopper.clean(&[]).await;
    eventually("the product is gone", async || {
        shopper.arrive(&page).await;
        shopper.shows("There is nothing here").await
    })
    .await;
    desk.clean(&[]).await;
    shopper.clean(&[(404, &format!("/api/v1{page}"))]).await;
}

#[tokio::test]
async fn the_keyboard_alone_buys() {
    let shop = shop().await;
    let made = Made::new(&admin(shop).await, 20).await;
    let customer = Shopper::customer(&shop.url()).await;
    let browser = Browser::desktop(shop).await;

    browser.arrive("/").await;
    browser.tab_to("Search").await;
    browser.type_text(&made.title).await;
    browser.press(key::ENTER).await;
    browser.see_path("/search").await;
    browser.see_control(&made.title).await;
    browser.tab_to(&made.title).await;
    browser.press(key::ENTER).await;
    browser.see_control("Add to cart").await;
    // A group of radio buttons is one stop; the arrows choose.
    browser.tab_to("Small").await;
    browser.press(key::DOWN).await;
    browser.see("$19.00").await;
    browser.tab_to("Add to cart").await;
    browser.press(key::SPACE).await;
    browser.see_control("Go to the cart").await;
    browser.tab_to("Go to the cart").await;
    browser.press(key::ENTER).await;
    browser.see_control("To checkout").await;
    browser.tab_to("To checkout").await;
    browser.press(key::ENTER).await;

    browser.see("I have an account").await;
    browser.tab_to("Log in").await;
    browser.press(key::ENTER).await;
    browser.see_path("/login").await;
    browser.see_control("Create an account").await;
    browser.tab_to("E-mail address").await;
    browser.type_text(&customer.email).await;
    browser.tab_to("Password").await;
    browser.type_text(PASSWORD).await;
    browser.press(key::ENTER).await;

    browser.see("How would you like to pay?").await;
    browser.tab_to("Card that is approved").await;
    browser.press(key::SPACE).await;
    browser.tab_to("Pay $19.00").await;
    browser.press(key::SPACE).await;
    browser.see("Thank you for your order").await;
    assert_eq!(orders(shop, &customer.email).await, [("paid".to_owned(), 1900)]);
    browser.clean(&[]).await;
}

#[tokio::test]
async fn a_telephone_buys_in_korean_in_the_dark() {
    let shop = shop().await;
    let made = Made::new(&admin(shop).await, 20).await;
    let customer = Shopper::customer(&shop.url()).await;
    customer.put_in_cart(made.large, 1).await.expect(200);
    let options = Options {
        language: "ko-KR",
        dark: true,
        width: 360,
        height: 740,
    };
    let browser = Browser::open(shop, options).await;

    log_in(&browser, &customer, &format!("/products/{}", made.id)).await;
    let ground = "return getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)";
    let ground = browser.script(ground, serde_json::json!([])).await;
    let light: i64 = ground
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|part| part.as_i64())
        .sum();
    assert!(light < 150, "dark is {ground}");
    browser.click("Small").await;
    for (control, seen) in KOREAN_WAY {
        browser.click(control).await;
        browser.see(seen).await;
        assert!(!browser.overflows().await, "{control}");
    }
    assert_eq!(orders(shop, &customer.email).await, [("paid".to_owned(), 3150)]);
    browser.clean(&[]).await;
}

/// What is clicked, and what is seen then, from a product to the order.
const KOREAN_WAY: [(&str, &str); 5] = [
    ("장바구니에 담기", "장바구니에 1개를 담았습니다."),
    ("장바구니로 가기", "US$31.50"),
    ("주문하기", "결제 방법"),
    ("승인되는 카드", "US$31.50 결제하기"),
    ("US$31.50 결제하기", "주문해 주셔서 감사합니다"),
];
