//! Every address of routes.mjs, as everybody: it opens, nothing goes wrong, nothing is wider than the page, axe-core finds
//! nothing. And what the home page weighs.

use reqwest::header::ACCEPT_ENCODING;
use serde_json::json;
use trestle_tests::browser::{Browser, Options};
use trestle_tests::{Shopper, shop};

use crate::fixture::{Addresses, Made, admin};

const PHONE: Options = Options {
    language: "ko-KR",
    dark: false,
    width: 360,
    height: 740,
};

/// Opens each page; all that is wrong with any is told at once.
async fn open_all(browser: &Browser, addresses: &Addresses) {
    let mut wrong = Vec::new();
    for (route, address) in addresses.all() {
        browser.arrive(&address).await;
        if browser.overflows().await {
            wrong.push(format!("{route}: wider than the page"));
        }
        let (found, _) = browser.wrongs(&[]).await;
        wrong.extend(found.iter().map(|what| format!("{route}: {what}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

async fn goods_and_addresses(buyer: &Shopper) -> Addresses {
    let made = Made::new(&admin(shop().await).await, 20).await;
    Addresses::of(buyer, &made).await
}

#[tokio::test]
async fn a_visitor_opens_every_page_and_nothing_fails() {
    let somebody = Shopper::customer(&shop().await.url()).await;
    let addresses = goods_and_addresses(&somebody).await;
    let browser = Browser::open(shop().await, PHONE).await;
    open_all(&browser, &addresses).await;
}

#[tokio::test]
async fn a_customer_opens_every_page_and_nothing_fails() {
    let customer = Shopper::customer(&shop().await.url()).await;
    let addresses = goods_and_addresses(&customer).await;
    let browser = Browser::desktop(shop().await).await;
    browser.arrive("/login").await;
    browser.sign_in(&customer).await;
    open_all(&browser, &addresses).await;
}

#[tokio::test]
async fn an_admin_opens_every_page_and_nothing_fails() {
    let admin = admin(shop().await).await;
    let addresses = goods_and_addresses(&admin).await;
    let browser = Browser::open(shop().await, PHONE).await;
    browser.arrive("/login").await;
    browser.sign_in(&admin).await;
    open_all(&browser, &addresses).await;
}

/// What axe-core finds on these pages, in both themes, at the width of a telephone and of a desk.
async fn check(browser: &Browser, addresses: impl Iterator<Item = String>) {
    let mut wrong = Vec::new();
    for address in addresses {
        browser.arrive(&address).await;
        for (width, dark) in [(1440, false), (1440, true), (360, true), (360, false)] {
            browser.resize(width, 900).await;
            browser.theme(dark).await;
            let found = browser.violations().await;
            wrong.extend(
                found
                    .iter()
                    .map(|what| format!("{address} at {width}, dark: {dark}: {what}")),
            );
        }
    }
    let shown = &wrong[..wrong.len().min(30)];
    assert!(wrong.is_empty(), "{} violations: {shown:#?}", wrong.len());
}

#[tokio::test]
async fn axe_finds_nothing_in_the_shop() {
    let customer = Shopper::customer(&shop().await.url()).await;
    let addresses = goods_and_addresses(&customer).await;
    let browser = Browser::desktop(shop().await).await;
    browser.arrive("/login").await;
    browser.sign_in(&customer).await;
    let all = addresses.all().into_iter();
    check(
        &browser,
        all.filter(|(route, _)| !route.starts_with("/admin"))
            .map(|(_, address)| address),
    )
    .await;
}

#[tokio::test]
async fn axe_finds_nothing_in_the_backoffice() {
    let admin = admin(shop().await).await;
    let addresses = goods_and_addresses(&admin).await;
    let browser = Browser::desktop(shop().await).await;
    browser.arrive("/login").await;
    browser.sign_in(&admin).await;
    let all = addresses.all().into_iter();
    check(
        &browser,
        all.filter(|(route, _)| route.starts_with("/admin"))
            .map(|(_, address)| address),
    )
    .await;
}

#[tokio::test]
async fn axe_finds_nothing_in_what_a_visitor_is_told_instead() {
    let browser = Browser::desktop(shop().await).await;
    let addresses = [
        "/login",
        "/register",
        "/cart",
        "/checkout",
        "/orders",
        "/account",
        "/admin",
        "/search?q=xyzzyx",
    ];
    check(&browser, addresses.into_iter().map(str::to_owned)).await;
    browser.clean(&[]).await;
}

/// The bound: the home page's HTML, CSS and JavaScript, compressed.
const HOME_BYTES: usize = 80_000;

#[tokio::test]
async fn the_home_page_is_light() {
    let browser = Browser::desktop(shop().await).await;
    browser.arrive("/").await;
    let client = reqwest::Client::new();
    let mut files = Vec::new();
    for request in browser.requests().await {
        // Each file once, as nginx sends it to who takes gzip; a preload and its use are two requests for the browser.
        let counts = ["Document", "Stylesheet", "Script"].contains(&request.kind.as_str())
            || [".mjs", ".js", ".css"]
                .iter()
                .any(|end| request.url.ends_with(end));
        if counts && !files.iter().any(|(url, _)| *url == request.url) {
            let answer = client
                .get(&request.url)
                .header(ACCEPT_ENCODING, "gzip")
                .send()
                .await
                .unwrap();
            let bytes = answer.bytes().await.unwrap().len();
            files.push((request.url, bytes));
        }
    }
    files.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let all: usize = files.iter().map(|(_, bytes)| bytes).sum();
    assert!(files.len() > 5 && all < HOME_BYTES, "{all} bytes: {files:#?}");
    println!("the home page: {all} bytes in {} files", files.len());
    browser.clean(&[]).await;
}

/// A measurement, not a bound: loopback, the processor four times as slow, an empty cache.
#[tokio::test]
#[ignore = "measures; for a machine that does nothing else"]
async fn largest_contentful_paint() {
    let browser = Browser::desktop(shop().await).await;
    let measure = "return new Promise((resolve) => {
        new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime))
            .observe({type: 'largest-contentful-paint', buffered: true});
        setTimeout(() => resolve(null), 5000);
    })";
    browser.devtools("Network.enable", json!({})).await;
    browser
        .devtools("Emulation.setCPUThrottlingRate", json!({"rate": 4}))
        .await;
    for round in 1..=5 {
        browser.devtools("Network.clearBrowserCache", json!({})).await;
        browser.arrive("/").await;
        let paint = browser.script(measure, json!([])).await;
        println!(
            "largest contentful paint {round}: {} ms",
            paint.as_f64().unwrap().round()
        );
        browser.visit("/healthz").await;
    }
}
