//! What search engines are told that there is: `robots.txt` names this address. A shop of up to `PART` product ids is one
//! list; a larger one is an index of such parts, so that each answer is bounded and every product is in one.

use std::fmt::Write as _;

use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderValue, header};
use serde::Deserialize;
use utoipa::IntoParams;

use super::cached::hit;
use super::respond::respond;
use super::store;
use crate::browser::own_origin;
use crate::cache::{Hit, Key};
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::request::{Params, etag_of};
use crate::state::AppState;

pub const PATH: &str = "/api/v1/sitemap.xml";
/// Product ids of a part. The protocol lets a list have 50,000 addresses, and an index as many lists.
const PART: u64 = 10_000;
const MOST_PARTS: u64 = 50_000;
const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SitemapParams {
    /// A part of a large shop, as the index names it
    #[param(minimum = 1, maximum = 50000)]
    page: Option<u64>,
}

/// The shop's addresses, for search engines
///
/// Home, categories and products as a sitemap (sitemaps.org); in a large shop an index of its parts. An answer may be 60 s old.
#[utoipa::path(
    get,
    path = "/api/v1/sitemap.xml",
    tag = "catalog",
    params(SitemapParams),
    responses(
        (
            status = 200,
            body = String,
            content_type = "text/xml",
            example = json!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n<url><loc>https://shop.example/</loc></url>\n</urlset>\n"),
        ),
        (status = 404, description = "not_found"),
    ),
)]
pub async fn sitemap(
    State(state): State<AppState>,
    deadline: Deadline,
    Params(SitemapParams { page }): Params<SitemapParams>,
    request: Request,
) -> Result<Response> {
    if page.is_some_and(|page| !(1..=MOST_PARTS).contains(&page)) {
        return Err(Error::query("page", "must be from 1 to 50000"));
    }
    let by_proxy = state.config.trusted_proxies.sent(request.extensions());
    let origin = own_origin(request.headers(), by_proxy);
    let origin = origin.ok_or_else(|| Error::invalid("the request does not say by which host it came"))?;
    let counted = hit(&state, deadline, Key::Sitemap(0), WHAT, |connection| {
        Box::pin(async move {
            let newest = store::sitemap::newest(connection).await?;
            Ok(Some(
                newest.unwrap_or_default().div_ceil(PART).clamp(1, MOST_PARTS),
            ))
        })
    })
    .await?;
    let parts: u64 = read(&counted)?;
    let part = match page {
        Some(page) if page > parts => return Err(Error::NotFound(WHAT)),
        None if parts > 1 => return Ok(xml(&counted, index(&origin, parts))),
        _ => page.unwrap_or(1),
    };
    let listed = hit(&state, deadline, Key::Sitemap(part), WHAT, move |connection| {
        Box::pin(async move {
            let mut paths = Vec::new();
            if part == 1 {
                let categories = store::categories(connection).await?;
                paths.push("/".to_owned());
                paths.extend(
                    categories
                        .iter()
                        .map(|category| format!("/categories/{}", segment(&category.handle))),
                );
            }
            let ids = store::sitemap::between(connection, (part - 1) * PART, part * PART).await?;
            paths.extend(ids.iter().map(|id| format!("/products/{id}")));
            Ok(Some(paths))
        })
    })
    .await?;
    let paths: Vec<String> = read(&listed)?;
    Ok(xml(&listed, list(&origin, &paths)))
}

const WHAT: &str = "sitemap";

/// What the caches keep is the same for every host that leads to the shop; the answer names the one that was asked.
fn read<'a, T: Deserialize<'a>>(hit: &'a Hit) -> Result<T> {
    let body = hit.entry.body.as_deref().unwrap_or_default();
    serde_json::from_slice(body)
        .map_err(|error| Error::Internal(format!("a sitemap cannot be read: {error}")))
}

fn xml(hit: &Hit, text: String) -> Response {
    let mut response = respond(hit, WHAT);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/xml; charset=utf-8"),
    );
    headers.insert(header::ETAG, etag_of(text.as_bytes()));
    *response.body_mut() = text.into();
    response
}

/// Nothing here needs an escape: an origin is checked, a path is written by `segment`.
fn list(origin: &str, paths: &[String]) -> String {
    let entries = paths.iter().map(|path| ("url", path.as_str()));
    document("urlset", origin, entries)
}

fn index(origin: &str, parts: u64) -> String {
    let pages: Vec<_> = (1..=parts)
        .rev()
        .map(|part| format!("{PATH}?page={part}"))
        .collect();
    let entries = pages.iter().map(|page| ("sitemap", page.as_str()));
    document("sitemapindex", origin, entries)
}

fn document<'a>(
    root: &str,
    origin: &str,
    entries: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut text = String::with_capacity(200 + entries.len() * (origin.len() + 56));
    // Writing to a String cannot fail.
    writeln!(text, r#"<?xml version="1.0" encoding="UTF-8"?>"#).ok();
    writeln!(text, r#"<{root} xmlns="{NAMESPACE}">"#).ok();
    for (element, path) in entries {
        writeln!(text, "<{element}><loc>{origin}{path}</loc></{element}>").ok();
    }
    writeln!(text, "</{root}>").ok();
    text
}

/// A path's segment: letters, digits and `-._~` as they are, all else in percents.
fn segment(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            write!(written, "%{byte:02X}").ok();
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_and_an_index_name_whole_addresses() {
        let paths = ["/".to_owned(), format!("/categories/{}", segment("a&b/차"))];
        let text = list("https://shop.example", &paths);
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns="));
        assert!(text.contains("<url><loc>https://shop.example/</loc></url>\n"));
        assert!(text.contains("<loc>https://shop.example/categories/a%26b%2F%EC%B0%A8</loc>"));
        let text = index("http://127.0.0.1:8080", 2);
        let second =
            text.find("<sitemap><loc>http://127.0.0.1:8080/api/v1/sitemap.xml?page=2</loc></sitemap>");
        let first = text.find("?page=1</loc>");
        assert!(second.is_some() && second < first);
    }
}
