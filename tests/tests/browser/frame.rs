//! What surrounds every page: its states, language, theme, search, keyboard.

use trestle_tests::browser::{Browser, Options, key};
use trestle_tests::shop;

#[tokio::test]
async fn an_address_that_never_was_is_a_page_with_status_404() {
    let browser = Browser::desktop(shop().await).await;
    browser.visit("/no/such/page").await;
    browser.see("There is nothing here").await;
    browser.accessible().await;
    browser.click("To the shop").await;
    browser.see_path("/").await;
    browser.settle().await;
    browser.clean(&[(404, "/no/such/page")]).await;
}

#[tokio::test]
async fn the_browser_chooses_the_language_and_the_reader_another() {
    let browser = Browser::open(
        shop().await,
        Options {
            language: "ko-KR",
            ..Options::default()
        },
    )
    .await;
    browser.arrive("/").await;
    let language = async || {
        browser
            .script("return document.documentElement.lang", serde_json::json!([]))
            .await
    };
    assert_eq!(language().await, "ko");
    browser.click("English").await;
    browser.see_control("Log in").await;
    assert_eq!(language().await, "en");
    // It is remembered, from the first paint on.
    browser.reload().await;
    browser.see_control("Log in").await;
    assert_eq!(language().await, "en");
    browser.clean(&[]).await;
}

#[tokio::test]
async fn the_keyboard_skips_to_the_content() {
    let browser = Browser::desktop(shop().await).await;
    browser.arrive("/").await;
    browser.press(key::TAB).await;
    assert_eq!(browser.focused().await, "Skip to the content");
    browser.press(key::ENTER).await;
    browser.clean(&[]).await;
}
