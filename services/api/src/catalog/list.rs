//! Lists of products: filters, sorts, pages by cursor, and search.
//!
//! Pages have no gaps and no repeats while products are added: each begins after the last product of the one
//! before. Search is the exception: it is ordered by relevance, whose scores move, so its cursor is a position.

use std::fmt::Write as _;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::cached::answer;
use super::product::Category;
use super::rating::Rating;
use super::search::Search;
use super::{category_filter, store};
use crate::cache::Key;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::request::Params;
use crate::state::AppState;
use crate::types::id::ProductId;
use crate::types::money::{MAX_AMOUNT, Money};
use crate::types::page::{self, Page};

/// A search gives at most this many products.
pub const SEARCH_LIMIT: u64 = 1000;
const MAX_QUERY_CHARACTERS: usize = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only this category, by its handle
    #[param(max_length = 191, example = "kitchen")]
    category: Option<String>,
    /// Words to search for; the order is then relevance
    #[param(max_length = 200, example = "steel")]
    q: Option<String>,
    /// The lowest price, in minor units
    #[param(minimum = 0)]
    min_price: Option<i64>,
    /// The highest price, in minor units
    #[param(minimum = 0)]
    max_price: Option<i64>,
    /// Only what can be bought now
    in_stock: Option<bool>,
    /// Only what is rated so or better, in stars; what has no review is not
    #[param(minimum = 1, maximum = 5)]
    min_rating: Option<u8>,
    /// The order; newest first without it
    #[param(inline)]
    sort: Option<Sort>,
    /// Products a page
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before
    cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    Newest,
    PriceAsc,
    PriceDesc,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    Start,
    /// After this product; the price counts only when sorted by price.
    Product {
        price: i64,
        id: u64,
    },
    /// At this place of the search's order.
    Position(u64),
}

/// A checked query.
#[derive(Debug, Clone)]
pub struct ListQuery {
    pub category: Option<String>,
    pub search: Option<Search>,
    pub min_price: Option<i64>,
    pub max_price: Option<i64>,
    pub in_stock: bool,
    pub min_rating: Option<u8>,
    pub sort: Sort,
    pub limit: u32,
    pub after: After,
    /// What filters and sorts, without the page: cursors are bound to it.
    text: String,
}

/// A product as a list shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductSummary)]
pub struct Summary {
    pub id: ProductId,
    #[schema(example = "brushed-steel-kettle-17")]
    pub handle: String,
    #[schema(example = "Brushed steel kettle")]
    pub title: String,
    pub category: Category,
    pub price: Money,
    pub in_stock: bool,
    pub rating: Rating,
    #[schema(example = "https://cdn.example.com/kettle.jpg")]
    pub picture: Option<String>,
}

impl ListQuery {
    /// # Errors
    /// 400 that names the parameter.
    fn check(params: ListParams) -> Result<Self> {
        let price = |field, value: Option<i64>| match value {
            Some(amount) if !(0..=MAX_AMOUNT).contains(&amount) => {
                Err(Error::query(field, "must be an amount in minor units, 0 or more"))
            }
            value => Ok(value),
        };
        let min_price = price("min_price", params.min_price)?;
        let max_price = price("max_price", params.max_price)?;
        if min_price.zip(max_price).is_some_and(|(min, max)| min > max) {
            return Err(Error::query("max_price", "must not be less than min_price"));
        }
        let min_rating = params.min_rating;
        if min_rating.is_some_and(|stars| !(1..=5).contains(&stars)) {
            return Err(Error::query("min_rating", "must be from 1 to 5"));
        }
        let category = category_filter::check(params.category)?;
        let q = params.q.as_deref().map(str::trim).filter(|q| !q.is_empty());
        if q.is_some_and(|q| q.chars().count() > MAX_QUERY_CHARACTERS) {
            return Err(Error::query("q", "must have at most 200 characters"));
        }
        if q.is_some() && params.sort.is_some() {
            return Err(Error::query(
                "sort",
                "cannot be given with q: a search is ordered by relevance",
            ));
        }
        let limit = page::limit(params.limit)?;
        let search = q.map(Search::new);
        let sort = params.sort.unwrap_or(Sort::Newest);
        let in_stock = params.in_stock.unwrap_or(false);
        let mut text = format!("{sort:?}|{in_stock}|");
        // Lengths stand before free text, so that two queries never read the same.
        for part in [category.as_deref(), search.as_ref().map(Search::text)] {
            let part = part.unwrap_or_default();
            write!(text, "{}:{part}|", part.len()).ok();
        }
        write!(text, "{min_price:?}|{max_price:?}|{min_rating:?}").ok();
        let after = match params.cursor.as_deref() {
            None => After::Start,
            Some(cursor) if search.is_some() => {
                let [position] = page::decode(&text, cursor)?;
                After::Position(position.min(SEARCH_LIMIT))
            }
            Some(cursor) => {
                let [price, id] = page::decode(&text, cursor)?;
                After::Product {
                    price: i64::try_from(price).unwrap_or(i64::MAX),
                    id,
                }
            }
        };
        Ok(Self {
            category,
            search,
            min_price,
            max_price,
            in_stock,
            min_rating,
            sort,
            limit,
            after,
            text,
        })
    }

    /// The key of this page in the caches.
    fn key(&self) -> Key {
        Key::List(format!("{}|{}|{:?}", self.text, self.limit, self.after).into())
    }

    /// Turns the rows found, one more than the limit when there is a next page, into a page.
    pub fn page(&self, items: Vec<Summary>) -> Page<Summary> {
        Page::cut(items, self.limit, |last| {
            if self.search.is_some() {
                let start = if let After::Position(position) = self.after {
                    position
                } else {
                    0
                };
                let next = start + u64::from(self.limit);
                return (next < SEARCH_LIMIT).then(|| page::encode(&self.text, &[next]));
            }
            let price = u64::try_from(last.price.amount).unwrap_or_default();
            Some(page::encode(&self.text, &[price, last.id.0]))
        })
    }
}

/// Products: filter, sort, search, page by page
#[utoipa::path(
    get,
    path = "/api/v1/products",
    tag = "catalog",
    params(ListParams),
    responses((status = 200, body = Page<Summary>)),
)]
pub async fn list(
    State(state): State<AppState>,
    deadline: Deadline,
    Params(params): Params<ListParams>,
) -> Result<Response> {
    let query = ListQuery::check(params)?;
    let key = query.key();
    let currency = state.config.currency;
    answer(&state, deadline, key, "list", move |connection| {
        let query = query.clone();
        Box::pin(async move {
            let found = store::list(connection, &query, currency).await?;
            Ok(Some(query.page(found)))
        })
    })
    .await
}
