//! Looking around: what only reads.

use std::rc::Rc;

use rand::RngExt as _;
use serde::Deserialize;

use super::goods::escape;
use super::pages::View;
use super::{Asked, Shopper, json};

/// A product, as far as it is bought.
#[derive(Deserialize)]
struct Product {
    variants: Vec<Variant>,
}

#[derive(Deserialize)]
struct Variant {
    id: u64,
    in_stock: bool,
}

#[derive(Deserialize)]
struct Orders {
    items: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Shopper {
    /// The front page; a visit's first page is loaded whole.
    pub(super) async fn home(&mut self) -> Asked<()> {
        self.open("/", View::Home, true).await?;
        for path in ["/products/new", "/products/best-sellers", "/categories"] {
            self.get(path, false).await?;
        }
        Ok(())
    }

    /// New products or best sellers of a category.
    pub(super) async fn ranked(&mut self, what: &str) -> Asked<()> {
        self.open("/categories", View::Category, false).await?;
        let categories = &self.shop.goods.categories;
        let category = &categories[self.rng.random_range(0..categories.len())];
        let path = format!("/products/{what}?category={}", escape(category));
        self.get(&path, false).await?;
        Ok(())
    }

    /// A product by popularity, with its reviews and what goes with it.
    pub(super) async fn product_detail(&mut self) -> Asked<()> {
        self.open("/products", View::Product, false).await?;
        let product = self.look_at_product().await?;
        self.get(&format!("/products/{product}/reviews"), false).await?;
        self.get(&format!("/products/{product}/related"), false).await?;
        Ok(())
    }

    /// Reads a product and remembers a variant of it that can be bought. Its id.
    pub(super) async fn look_at_product(&mut self) -> Asked<u64> {
        let shop = Rc::clone(&self.shop);
        let product = shop.product(&mut self.rng);
        let answer = self.get(&format!("/products/{product}"), true).await?;
        let variants = json::<Product>(&answer).map_or_else(Vec::new, |product| product.variants);
        let buyable: Vec<u64> = variants
            .into_iter()
            .filter(|variant| variant.in_stock)
            .map(|variant| variant.id)
            .collect();
        if !buyable.is_empty() {
            self.seen = Some(buyable[self.rng.random_range(0..buyable.len())]);
        }
        Ok(product)
    }

    /// The search page before anything is searched for: all products.
    pub(super) async fn search_request(&mut self) -> Asked<()> {
        self.open("/search", View::Search, false).await?;
        self.get("/categories", false).await?;
        self.get("/products", false).await?;
        Ok(())
    }

    pub(super) async fn search_results(&mut self) -> Asked<()> {
        self.open("/search", View::Search, false).await?;
        let shop = Rc::clone(&self.shop);
        let term = escape(shop.term(&mut self.rng));
        self.get("/categories", false).await?;
        self.get(&format!("/products?q={term}"), false).await?;
        Ok(())
    }

    /// The form alone: an account comes at Buy Request.
    pub(super) async fn registration_form(&mut self) -> Asked<()> {
        self.open("/register", View::Register, true).await
    }

    /// One's orders; without a session the page that asks to log in.
    pub(super) async fn order_inquiry(&mut self) -> Asked<()> {
        if self.account.is_none() {
            return self.open("/login", View::Login, true).await;
        }
        self.open("/orders", View::Orders, false).await?;
        self.list_orders().await
    }

    /// One's last order, with its lines.
    pub(super) async fn order_display(&mut self) -> Asked<()> {
        if self.account.is_none() {
            return self.open("/login", View::Login, true).await;
        }
        self.open("/orders", View::Order, false).await?;
        let known = |shopper: &Self| shopper.account.as_ref().and_then(|it| it.last_order.clone());
        if known(self).is_none() {
            self.list_orders().await?;
        }
        if let Some(order) = known(self) {
            self.get(&format!("/orders/{order}"), false).await?;
        }
        Ok(())
    }

    async fn list_orders(&mut self) -> Asked<()> {
        let answer = self.get("/orders?limit=20", true).await?;
        let newest = json::<Orders>(&answer).and_then(|orders| orders.items.into_iter().next());
        if let (Some(account), Some(order)) = (&mut self.account, newest) {
            account.last_order = Some(order.id);
        }
        Ok(())
    }
}
