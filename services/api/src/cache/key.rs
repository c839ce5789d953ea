//! What is cached, and the table of bounds: the one place that says how old an answer may be.

use std::sync::Arc;
use std::time::Duration;

/// A changed product is seen on every replica within this, through the change feed, with Redis up or down.
pub const CHANGE_SEEN: Duration = Duration::from_secs(1);
/// A product's answer is at most this old, when the change feed cannot be read.
pub const PRODUCT_BOUND: Duration = Duration::from_secs(60);
/// Lists, searches, categories, new, related, reviews: by age alone.
pub const LIST_BOUND: Duration = Duration::from_secs(5);
/// Best sellers: by age alone.
pub const BEST_SELLERS_BOUND: Duration = Duration::from_secs(60);
/// What search engines are told that there is: by age alone.
pub const SITEMAP_BOUND: Duration = Duration::from_secs(60);
/// That there is no such thing is believed at most this long (milliseconds); the change feed ends it sooner.
pub const ABSENT_BOUND_MS: u64 = 5_000;
/// How long past its bound an entry is kept for a database outage.
pub const STALE_KEPT: Duration = Duration::from_secs(600);

/// What is cached. Lists are known by the canonical text of their query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    Product(u64),
    List(Arc<str>),
    Categories,
    /// A page of a product's reviews, by product and page.
    Reviews(Arc<str>),
    /// By the category's handle; empty for the whole shop, as below.
    BestSellers(Arc<str>),
    New(Arc<str>),
    /// What goes with a product.
    Related(u64),
    /// The addresses of a part of the shop, for search engines; 0 is how many parts there are.
    Sitemap(u64),
}

impl Key {
    /// The name in Redis. The number is the format of the values: another release must not read them.
    pub fn redis_name(&self) -> String {
        match self {
            Self::Product(id) => format!("trestle:3:product:{id}"),
            Self::List(query) => format!("trestle:3:list:{query}"),
            Self::Categories => "trestle:2:categories".to_owned(),
            Self::Reviews(page) => format!("trestle:2:reviews:{page}"),
            Self::BestSellers(category) => format!("trestle:2:best-sellers:{category}"),
            Self::New(category) => format!("trestle:2:new:{category}"),
            Self::Related(id) => format!("trestle:2:related:{id}"),
            Self::Sitemap(part) => format!("trestle:2:sitemap:{part}"),
        }
    }

    /// Bytes of its own on the heap.
    pub fn weight(&self) -> u64 {
        match self {
            Self::List(text) | Self::Reviews(text) | Self::BestSellers(text) | Self::New(text) => {
                text.len() as u64
            }
            Self::Product(_) | Self::Categories | Self::Related(_) | Self::Sitemap(_) => 0,
        }
    }

    /// The bound: how old an answer may be, counted from the MySQL read through both layers.
    pub const fn bound(&self) -> Duration {
        match self {
            // The change feed drops it within CHANGE_SEEN; this is for when the feed is late.
            Self::Product(_) => PRODUCT_BOUND,
            Self::List(_) | Self::Categories | Self::Reviews(_) | Self::New(_) | Self::Related(_) => {
                LIST_BOUND
            }
            Self::BestSellers(_) => BEST_SELLERS_BOUND,
            Self::Sitemap(_) => SITEMAP_BOUND,
        }
    }

    /// The same, in milliseconds.
    #[expect(clippy::cast_possible_truncation, reason = "a minute has few milliseconds")]
    pub const fn bound_ms(&self) -> u64 {
        self.bound().as_millis() as u64
    }
}
