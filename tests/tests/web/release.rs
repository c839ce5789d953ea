//! Which files a browser keeps: the page never, what it names by the release at hand for good, errors not at all. And
//! that nothing which a client sends reaches the page.

use std::fs;
use std::path::Path;

use reqwest::Response;
use reqwest::header::{CACHE_CONTROL, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use tempfile::TempDir;

use crate::front::{Front, Wish, release_of, start};

const FOR_GOOD: &str = "public, max-age=31536000, immutable";
const PAGE: &str = "<!doctype html><script src=\"/v/<!--# echo var=\"release\" -->/app.mjs\"></script>";

fn storefront() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.html"), PAGE).unwrap();
    fs::write(folder.path().join("app.mjs"), "export {};").unwrap();
    fs::create_dir(folder.path().join("lib")).unwrap();
    let text = "<!--# echo var=\"release\" -->";
    for name in ["lib/text.mjs", "other.html", "page.txt"] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

async fn serve(folder: &Path) -> Front {
    start(Wish {
        storefront: Some(folder.to_owned()),
        ..Wish::default()
    })
    .await
}

async fn get(front: &Front, path: &str) -> Response {
    front.client.get(front.url(path)).send().await.unwrap()
}

fn kept(answer: &Response) -> &str {
    answer.headers()[CACHE_CONTROL].to_str().unwrap()
}

#[test]
fn a_release_is_named_by_what_its_files_are_called_and_hold() {
    let folder = storefront();
    let at = |name: &str| folder.path().join(name);
    let first = release_of(folder.path());
    assert!(
        first.len() == 12
            && first
                .bytes()
                .all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
    );
    assert_eq!(release_of(storefront().path()), first, "the same files elsewhere");

    fs::write(at("lib/text.mjs"), "changed").unwrap();
    let changed = release_of(folder.path());
    assert_ne!(changed, first);
    fs::rename(at("lib/text.mjs"), at("lib/words.mjs")).unwrap();
    let renamed = release_of(folder.path());
    assert!(renamed != changed && renamed != first);
    // Not served, so no part of it.
    fs::write(at(".editor"), "notes").unwrap();
    assert_eq!(release_of(folder.path()), renamed);
}

#[tokio::test]
async fn files_are_kept_for_good_under_the_name_of_this_release_only() {
    let folder = storefront();
    let front = serve(folder.path()).await;
    let release = front.release();

    let today = get(&front, &format!("/v/{release}/lib/text.mjs")).await;
    assert_eq!(today.status(), 200);
    assert_eq!(kept(&today), FOR_GOOD);
    let etag = today.headers()[ETAG].clone();
    let url = front.url(&format!("/v/{release}/lib/text.mjs"));
    let again = front.client.get(url).header(IF_NONE_MATCH, etag).send();
    let again = again.await.unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(kept(&again), FOR_GOOD);

    // A page that is still open asks for what it has not needed before.
    let old = get(&front, "/v/0123456789ab/lib/text.mjs").await;
    assert_eq!(old.status(), 200);
    assert_eq!(kept(&old), "no-store");
    // An address that has to stay.
    let plain = get(&front, "/app.mjs").await;
    assert_eq!(plain.status(), 200);
    assert_eq!(kept(&plain), "no-cache");

    for path in [
        format!("/v/{release}/missing.mjs"),
        format!("/v/{release}/missing"),
        format!("/v/{release}/lib"),
        format!("/v/{release}/lib/"),
        format!("/v/{release}/"),
        format!("/v/{release}"),
        format!("/v/{release}/index.html"),
        format!(
            "/v/{}/app.mjs",
            release.to_uppercase().replace(|c: char| c.is_ascii_digit(), "A")
        ),
        "/v/0123456789abc/app.mjs".to_owned(),
        "/v/app.mjs".to_owned(),
    ] {
        let answer = get(&front, &path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(kept(&answer), "no-store", "{path}");
    }
}

#[tokio::test]
async fn the_page_names_this_release_and_is_asked_for_each_time() {
    let folder = storefront();
    let front = serve(folder.path()).await;
    let expected = PAGE.replace("<!--# echo var=\"release\" -->", front.release());
    for path in ["/", "/products/1", "/search?q=a", "/admin/orders/7", "/cart/"] {
        let answer = get(&front, path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(kept(&answer), "no-cache", "{path}");
        // By the file's own validators, a page of an older release would be taken for today's.
        assert!(!answer.headers().contains_key(ETAG), "{path}");
        assert!(!answer.headers().contains_key(LAST_MODIFIED), "{path}");
        assert_eq!(answer.text().await.unwrap(), expected, "{path}");
    }
    let modified = fs::metadata(folder.path().join("index.html"))
        .unwrap()
        .modified()
        .unwrap();
    let seconds = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for (name, value) in [
        (IF_NONE_MATCH, format!("\"{seconds:x}-{:x}\"", PAGE.len())),
        (IF_MODIFIED_SINCE, "Fri, 01 Jan 2100 00:00:00 GMT".to_owned()),
    ] {
        let answer = front.client.get(front.url("/")).header(name, value).send();
        assert_eq!(answer.await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn nothing_that_a_client_sends_reaches_the_page_and_no_other_file_is_looked_into() {
    let folder = storefront();
    let front = serve(folder.path()).await;
    let release = front.release();
    let expected = get(&front, "/").await.text().await.unwrap();
    let echo = "%3C!--%23%20echo%20var=%22request_id%22%20--%3E";
    for path in [
        format!("/?release=evil&x={echo}"),
        format!("/products/{echo}"),
        format!("/search?q={echo}"),
        format!("/nothing/{echo}"),
        "/v/evil/".to_owned() + "../../products/1",
    ] {
        let request = front
            .client
            .get(front.url(&path))
            .header("Release", "evil")
            .header("X-Release", "evil")
            .header("Cookie", "release=evil")
            .header("User-Agent", "<!--# echo var=\"request_id\" -->");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), expected, "{path}");
    }
    for path in [
        "/other.html".to_owned(),
        "/page.txt".to_owned(),
        format!("/v/{release}/other.html"),
        format!("/v/{release}/lib/text.mjs"),
    ] {
        let text = get(&front, &path).await.text().await.unwrap();
        assert_eq!(text, "<!--# echo var=\"release\" -->", "{path}");
    }
}

#[tokio::test]
async fn a_lost_reader_gets_the_shops_own_page_and_a_program_a_line() {
    let folder = storefront();
    let front = serve(folder.path()).await;
    let page = get(&front, "/").await.text().await.unwrap();
    for path in [
        "/nothing",
        "/nothing/at/all",
        "/about.html",
        "/index.html",
        "/metrics",
        "/productsandmore",
        "/products",
        "/products/1/2",
        "/search/1",
        "/admin/nothing",
        "/api",
    ] {
        let answer = get(&front, path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(kept(&answer), "no-store", "{path}");
        assert_eq!(answer.text().await.unwrap(), page, "{path}");
        let head = front.client.head(front.url(path)).send().await.unwrap();
        assert_eq!(head.status(), 404, "{path}");
        let post = front.client.post(front.url(path)).send().await.unwrap();
        assert_eq!(post.status(), 404, "{path}");
        assert_eq!(post.text().await.unwrap(), "not found\n", "{path}");
    }
    for path in [
        "/nothing.mjs",
        "/favicon.ico",
        "/pictures/nothing.svg",
        "/pictures/nothing",
        "/.env",
        "/.well-known/security",
        "/wp-login.php",
        "/:page",
        "/:missing",
        "/:problem/502",
    ] {
        let answer = get(&front, path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(kept(&answer), "no-store", "{path}");
        assert_eq!(answer.text().await.unwrap(), "not found\n", "{path}");
    }
}
