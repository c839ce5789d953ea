//! What shoppers do: the 14 web interactions of TPC-W's shape, each mapped to Trestle's pages and calls.
//!
//! README.md has the table for people; a test compares the two. TPC-W inspired: mixes, think times and limits follow that
//! benchmark's published numbers, the results are not comparable with it.

use serde::{Deserialize, Serialize};

/// One web interaction, or one of the two steps that cost a password hash and are measured by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interaction {
    Home,
    NewProducts,
    BestSellers,
    ProductDetail,
    SearchRequest,
    SearchResults,
    Cart,
    Registration,
    BuyRequest,
    BuyConfirm,
    OrderInquiry,
    OrderDisplay,
    AdminRequest,
    AdminConfirm,
    /// A new account at Buy Request: one hash.
    NewAccount,
    /// A returning customer's login at Buy Request: one hash.
    Login,
}

/// The response limit that an interaction is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// p99 of 250 ms.
    Read,
    /// Cart and checkout: p99 of 500 ms.
    Write,
    /// Login and registration: p99 of 2 s.
    Hash,
}

impl Class {
    /// The default limit of the 99th percentile in milliseconds.
    pub fn limit_ms(self) -> u64 {
        match self {
            Self::Read => 250,
            Self::Write => 500,
            Self::Hash => 2_000,
        }
    }
}

impl Interaction {
    /// The 14 that mixes are made of, in TPC-W's order.
    pub const MIXED: [Self; 14] = [
        Self::Home,
        Self::NewProducts,
        Self::BestSellers,
        Self::ProductDetail,
        Self::SearchRequest,
        Self::SearchResults,
        Self::Cart,
        Self::Registration,
        Self::BuyRequest,
        Self::BuyConfirm,
        Self::OrderInquiry,
        Self::OrderDisplay,
        Self::AdminRequest,
        Self::AdminConfirm,
    ];
    /// Those, and the steps that are measured by themselves.
    pub const ALL: [Self; 16] = [
        Self::Home,
        Self::NewProducts,
        Self::BestSellers,
        Self::ProductDetail,
        Self::SearchRequest,
        Self::SearchResults,
        Self::Cart,
        Self::Registration,
        Self::BuyRequest,
        Self::BuyConfirm,
        Self::OrderInquiry,
        Self::OrderDisplay,
        Self::AdminRequest,
        Self::AdminConfirm,
        Self::NewAccount,
        Self::Login,
    ];

    /// Its place in [`Interaction::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Home => "Home",
            Self::NewProducts => "New Products",
            Self::BestSellers => "Best Sellers",
            Self::ProductDetail => "Product Detail",
            Self::SearchRequest => "Search Request",
            Self::SearchResults => "Search Results",
            Self::Cart => "Shopping Cart",
            Self::Registration => "Customer Registration",
            Self::BuyRequest => "Buy Request",
            Self::BuyConfirm => "Buy Confirm",
            Self::OrderInquiry => "Order Inquiry",
            Self::OrderDisplay => "Order Display",
            Self::AdminRequest => "Admin Request",
            Self::AdminConfirm => "Admin Confirm",
            Self::NewAccount => "(new account)",
            Self::Login => "(login)",
        }
    }

    /// What is asked of the shop, in this order: pages of the storefront, and calls below `/api/v1`. README.md has the same table.
    pub fn calls(self) -> &'static str {
        match self {
            Self::Home => "page `/`; GET `/products/new`, `/products/best-sellers`, `/categories`",
            Self::NewProducts => "GET `/products/new?category=`",
            Self::BestSellers => "GET `/products/best-sellers?category=`",
            Self::ProductDetail => "GET `/products/{id}`, `/products/{id}/reviews`, `/products/{id}/related`",
            Self::SearchRequest => "GET `/categories`, `/products`",
            Self::SearchResults => "GET `/categories`, `/products?q=`",
            Self::Cart => "PUT or DELETE `/cart/items/{variant_id}`, GET `/cart`",
            Self::Registration => "page `/register`: the form alone",
            Self::BuyRequest => {
                "without a session first one of the two steps below; GET `/cart`, `/customers/me/addresses`"
            }
            Self::BuyConfirm => "GET `/cart`, POST `/orders` with an Idempotency-Key",
            Self::OrderInquiry => "GET `/orders`; without a session page `/login`",
            Self::OrderDisplay => "GET `/orders/{id}`; without a session page `/login`",
            Self::AdminRequest => "GET `/admin/products/{id}`",
            Self::AdminConfirm => "GET, then PATCH `/admin/products/{id}` with If-Match",
            Self::NewAccount => "POST `/customers`",
            Self::Login => "POST `/sessions`",
        }
    }

    /// Password hashes that it costs the shop.
    pub fn hashes(self) -> u32 {
        u32::from(self.class() == Class::Hash)
    }

    pub fn class(self) -> Class {
        match self {
            Self::Cart | Self::BuyConfirm | Self::AdminConfirm => Class::Write,
            Self::NewAccount | Self::Login => Class::Hash,
            _ => Class::Read,
        }
    }

    /// TPC-W's own limit of the 90th percentile in seconds, printed beside; none for the two steps.
    pub fn tpcw_limit_s(self) -> Option<u64> {
        const LIMITS: [u64; 14] = [3, 5, 5, 3, 3, 10, 3, 3, 3, 5, 3, 3, 3, 20];
        LIMITS.get(self.index()).copied()
    }
}

/// How often each interaction comes, in hundredths of a percent: each mix adds up to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Mix {
    Browsing,
    Shopping,
    Ordering,
}

impl Mix {
    /// Counts in 10,000 interactions, in the order of [`Interaction::MIXED`].
    pub fn weights(self) -> [u32; 14] {
        match self {
            Self::Browsing => [2900, 1100, 1100, 2100, 1200, 1100, 200, 82, 75, 69, 30, 25, 10, 9],
            Self::Shopping => [
                1600, 500, 500, 1700, 2000, 1700, 1160, 300, 260, 120, 75, 66, 10, 9,
            ],
            Self::Ordering => [
                912, 46, 46, 1235, 1453, 1308, 1353, 1286, 1273, 1018, 25, 22, 12, 11,
            ],
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Browsing => "browsing",
            Self::Shopping => "shopping",
            Self::Ordering => "ordering",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mix_is_whole() {
        for mix in [Mix::Browsing, Mix::Shopping, Mix::Ordering] {
            assert_eq!(mix.weights().iter().sum::<u32>(), 10_000, "{mix:?}");
        }
    }

    #[test]
    fn the_readme_has_the_same_table() {
        let readme = include_str!("../README.md");
        for interaction in Interaction::ALL {
            let shares = [Mix::Browsing, Mix::Shopping, Mix::Ordering].map(|mix| {
                let weight = mix.weights().get(interaction.index()).copied();
                weight.map_or_else(String::new, |weight| {
                    format!("{}.{:02}", weight / 100, weight % 100)
                })
            });
            let row = format!(
                "| {} | {} | {} | {} |",
                interaction.label(),
                interaction.calls(),
                interaction.hashes(),
                shares.join(" | ")
            );
            assert!(readme.contains(&row), "README.md lacks:\n{row}");
        }
    }

    #[test]
    fn interactions_know_their_places() {
        for (place, interaction) in Interaction::ALL.into_iter().enumerate() {
            assert_eq!(interaction.index(), place);
        }
    }
}
