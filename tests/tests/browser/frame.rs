//! What surrounds every page: its states, language, theme, keyboard, history. And that nothing goes wrong unheard.

use serde_json::json;
use trestle_tests::browser::{Browser, Options, key};
use trestle_tests::{eventually, shop};

use crate::fixture::{Made, admin};

#[tokio::test]
async fn what_goes_wrong_in_a_page_is_heard() {
    let browser = Browser::desktop(shop().await).await;
    browser.arrive("/login").await;
    browser.clean(&[]).await;
    let wrong = "console.error('said aloud');
        setTimeout(() => { throw new Error('thrown'); });
        document.body.append(Object.assign(new Image(), {src: 'https://elsewhere.example/picture.png', alt: ''}));
        document.body.setAttribute('style', 'color: red');
        fetch('/api/v1/nothing/like/this');";
    browser.script(wrong, json!([])).await;
    let mut heard = String::new();
    eventually("all of it is heard", async || {
        let (wrong, _) = browser.wrongs(&[]).await;
        heard.push_str(&wrong.join("\n"));
        let kinds = [
            "said aloud",
            "thrown",
            "elsewhere.example",
            "inline style",
            "/nothing/like/this 404",
        ];
        kinds.iter().all(|kind| heard.contains(kind))
    })
    .await;
}

#[tokio::test]
async fn an_address_that_never_was_is_a_page_with_status_404() {
    let browser = Browser::desktop(shop().await).await;
    browser.visit("/no/such/page").await;
    browser.see("There is nothing here").await;
    browser.accessible().await;
    browser.click("To the shop").await;
    browser.see("Things that hold.").await;
    browser.clean(&[(404, "/no/such/page")]).await;
}

#[tokio::test]
async fn the_browser_chooses_language_and_theme_and_the_reader_others() {
    let shop = shop().await;
    let options = Options {
        language: "ko-KR",
        dark: true,
        ..Options::default()
    };
    let browser = Browser::open(shop, options).await;
    browser.arrive("/").await;
    let language = async || {
        browser
            .script("return document.documentElement.lang", json!([]))
            .await
    };
    let ground = async || {
        let ground = "return getComputedStyle(document.documentElement).backgroundColor";
        browser.script(ground, json!([])).await
    };
    assert_eq!(language().await, "ko");
    let dark = ground().await;
    browser.click("English").await;
    browser.see_control("Log in").await;
    assert_eq!(language().await, "en");
    browser.click("Light").await;
    browser.theme(true).await;
    let light = ground().await;
    assert_ne!(light, dark);
    // Both are remembered.
    browser.reload().await;
    browser.see_control("Log in").await;
    assert_eq!((language().await, ground().await), (json!("en"), light));
    browser.clean(&[]).await;
}

#[tokio::test]
async fn the_keyboard_skips_to_the_content() {
    let browser = Browser::desktop(shop().await).await;
    browser.arrive("/").await;
    browser.press(key::TAB).await;
    assert_eq!(browser.focused().await, "Skip to the content");
    browser.press(key::ENTER).await;
    let inside = "return document.activeElement.closest('main') !== null";
    assert_eq!(browser.script(inside, json!([])).await, true);
    browser.clean(&[]).await;
}

#[tokio::test]
async fn back_and_reload_lead_to_the_same_place_of_a_list() {
    let browser = Browser::desktop(shop().await).await;
    browser.arrive("/search").await;
    let shown = async || {
        browser
            .script(
                "return document.querySelectorAll('main li a[href^=\"/products/\"]').length",
                json!([]),
            )
            .await
    };
    let place = async || browser.script("return Math.round(scrollY)", json!([])).await;
    let first = shown().await.as_i64().unwrap();
    browser.click("Show more").await;
    eventually("more is shown", async || shown().await.as_i64() > Some(first)).await;
    let all = shown().await;
    // The last one: far down.
    let last = "const all = document.querySelectorAll('main li a[href^=\"/products/\"]');
        all[all.length - 1].scrollIntoView({block: 'center', behavior: 'instant'});
        return all[all.length - 1].innerText.split('\\n')[0]";
    let title = browser.script(last, json!([])).await;
    let before = place().await;
    browser.click_role("link", title.as_str().unwrap()).await;
    browser.see_path("/products/").await;
    browser.settle().await;
    for way in ["back", "reload"] {
        if way == "back" {
            browser.back().await;
        } else {
            browser.reload().await;
        }
        eventually("the list is as long, and at the same place", async || {
            let off = place().await.as_i64().unwrap() - before.as_i64().unwrap();
            shown().await == all && off.abs() < 4
        })
        .await;
    }
    browser.clean(&[]).await;
}

#[tokio::test]
async fn a_product_says_what_others_need_to_share_it() {
    let shop = shop().await;
    let made = Made::new(&admin(shop).await, 20).await;
    let browser = Browser::desktop(shop).await;
    browser.arrive(&format!("/products/{}", made.id)).await;
    browser.see_title(&made.title).await;
    let meta = "return Object.fromEntries(Array.from(document.querySelectorAll('meta[property^=\"og:\"]'),
        (meta) => [meta.getAttribute('property'), meta.content]))";
    let meta = browser.script(meta, json!([])).await;
    assert!(
        meta["og:title"].as_str().unwrap().starts_with(&made.title),
        "{meta}"
    );
    assert_eq!(meta["og:url"], format!("{}/products/{}", browser.base, made.id));
    browser.click("Trestle").await;
    browser.see("Things that hold.").await;
    browser.clean(&[]).await;
}
