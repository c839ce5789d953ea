//! What generator and shoppers know of the shop's goods: ids, categories, and words to search for.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::client::{Answer, Ask, Client};

/// Lists of products that are read for search terms, each of 100.
const PAGES: usize = 20;
/// A shop of more parts has more products than a load needs to know.
const MOST_PARTS: usize = 1_000;
const TRIES: u32 = 60;
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// As short as a search may be that is more than one letter.
const SHORTEST_TERM: usize = 3;

/// The catalogue, as far as a load needs it.
pub struct Goods {
    /// In the order of the sitemap.
    pub products: Vec<u64>,
    pub categories: Vec<String>,
    /// Words of titles, each once, in the order in which they were met.
    pub terms: Vec<String>,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Titled>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Titled {
    title: String,
}

#[derive(Deserialize)]
struct Categories {
    items: Vec<Category>,
}

#[derive(Deserialize)]
struct Category {
    handle: String,
}

impl Goods {
    /// Reads the sitemap, the categories, and some pages of the list.
    ///
    /// # Errors
    /// When the shop does not answer as Trestle does, or has no products.
    pub async fn read(client: &mut Client) -> Result<Self> {
        let categories: Categories = json(&read(client, "/api/v1/categories").await?)?;
        let goods = Self {
            products: products(client).await?,
            categories: categories.items.into_iter().map(|it| it.handle).collect(),
            terms: terms(client).await?,
        };
        if goods.products.is_empty() {
            bail!("the shop has no products: fill it with `trestle seed`");
        }
        Ok(goods)
    }
}

async fn products(client: &mut Client) -> Result<Vec<u64>> {
    let whole = read(client, "/api/v1/sitemap.xml").await?;
    let whole = String::from_utf8_lossy(&whole.body).into_owned();
    let parts = whole.matches("sitemap.xml?page=").count().min(MOST_PARTS);
    if parts == 0 {
        return Ok(product_ids(&whole));
    }
    let mut ids = Vec::new();
    for part in 1..=parts {
        let part = read(client, &format!("/api/v1/sitemap.xml?page={part}")).await?;
        ids.extend(product_ids(&String::from_utf8_lossy(&part.body)));
    }
    Ok(ids)
}

/// The ids in `…/products/ID<`.
fn product_ids(sitemap: &str) -> Vec<u64> {
    let mut after = sitemap.split("/products/");
    after.next();
    after
        .filter_map(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            rest.get(..digits)?.parse().ok()
        })
        .collect()
}

async fn terms(client: &mut Client) -> Result<Vec<String>> {
    let mut terms = Vec::new();
    let mut known = std::collections::HashSet::new();
    let mut path = "/api/v1/products?limit=100".to_owned();
    for _ in 0..PAGES {
        let page: Page = json(&read(client, &path).await?)?;
        for word in page.items.iter().flat_map(|item| item.title.split_whitespace()) {
            let word: String = word.chars().filter(|c| c.is_alphanumeric()).collect();
            let word = word.to_lowercase();
            if word.chars().count() >= SHORTEST_TERM && known.insert(word.clone()) {
                terms.push(word);
            }
        }
        let Some(cursor) = page.next_cursor else { break };
        path = format!("/api/v1/products?limit=100&cursor={cursor}");
    }
    if terms.is_empty() {
        terms.push("trestle".to_owned());
    }
    Ok(terms)
}

/// A shop that was just filled, or is under load, may refuse for a moment.
async fn read(client: &mut Client, path: &str) -> Result<Answer> {
    let ask = Ask {
        keep_body: true,
        ..Ask::get(path)
    };
    for _ in 0..TRIES {
        let answer = client.send(&ask).await.with_context(|| format!("GET {path}"))?;
        match answer.status {
            200 => return Ok(answer),
            503 => tokio::time::sleep(AGAIN_AFTER).await,
            status => bail!("GET {path} was answered with {status}: is this a Trestle shop?"),
        }
    }
    bail!("GET {path} was answered with 503 for {} s", TRIES / 2)
}

fn json<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T> {
    serde_json::from_slice(&answer.body).context("an answer that is not Trestle's")
}

/// A text as a part of a query.
pub fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sitemap_is_read() {
        let text =
            "<loc>http://shop/</loc><loc>http://shop/products/17</loc><url><loc>http://shop/products/4</loc>";
        assert_eq!(product_ids(text), [17, 4]);
        assert!(product_ids("<loc>http://shop/products/x</loc>").is_empty());
    }

    #[test]
    fn a_term_is_escaped() {
        assert_eq!(escape("컵 a&b"), "%EC%BB%B5%20a%26b");
    }
}
