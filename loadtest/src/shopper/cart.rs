//! The cart: what is put in, changed, taken out, each noted with what came of it.

use std::rc::Rc;
use std::time::Duration;

use http::Method;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::client::Answer;
use super::pages::View;
use super::{Asked, Shopper, Trouble, Unanswered, json as parsed};
use crate::journal::{Fate, Owner, Write};

/// More lines than this a shopper does not put in: then one of them is changed.
const MOST_LINES: usize = 6;
/// What no answer came to is asked again, as the storefront does; twice means the same.
const TRIES: u32 = 3;
const AGAIN_AFTER: Duration = Duration::from_millis(200);
const CART_COOKIE: &str = "trestle_cart";

/// A cart as the shop shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct CartView {
    pub items: Vec<Item>,
    pub total: Money,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Item {
    pub variant_id: u64,
    pub quantity: u32,
    #[serde(default)]
    pub available: bool,
    #[serde(default)]
    pub price: Option<Money>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    pub amount: i64,
    pub currency: String,
}

impl Shopper {
    /// Puts in what was looked at, or changes a line, and looks at the cart.
    pub(super) async fn change_cart(&mut self) -> Asked<()> {
        self.open("/cart", View::Cart, false).await?;
        if self.cart.len() >= MOST_LINES {
            let (variant, before) = self.cart[self.rng.random_range(0..self.cart.len())];
            // One in three is taken out, so that carts do not only grow.
            let quantity = if self.rng.random_ratio(1, 3) {
                0
            } else {
                before % 3 + 1
            };
            self.set_line(variant, quantity).await?;
        } else {
            self.put_in().await?;
        }
        self.read_cart().await.map(drop)
    }

    /// Puts one or two pieces of something in.
    pub(super) async fn put_in(&mut self) -> Asked<()> {
        for _ in 0..3 {
            if self.seen.is_some() {
                break;
            }
            self.look_at_product().await?;
        }
        let Some(variant) = self.seen.take() else {
            // Sold out wherever one looks: nothing to put in, which is no error of the shop.
            return Ok(());
        };
        let pieces = self.rng.random_range(1..=2);
        self.set_line(variant, pieces).await
    }

    /// PUT, or DELETE for none.
    pub(super) async fn set_line(&mut self, variant: u64, quantity: u32) -> Asked<()> {
        let path = format!("/cart/items/{variant}");
        let body = json!({"quantity": quantity});
        let (method, body) = match quantity {
            0 => (Method::DELETE, None),
            _ => (Method::PUT, Some(&body)),
        };
        let mut failed = false;
        let mut tries = 0;
        let answer = loop {
            tries += 1;
            match self.write(method.clone(), &path, body, None).await {
                Ok(answer) => break answer,
                Err(error) => {
                    self.note_line(variant, quantity, Fate::Unknown);
                    failed = true;
                    if error == Unanswered::Shed || tries == TRIES {
                        return Err(error.into());
                    }
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
        };
        match answer.status {
            200 => {
                self.note_line(variant, quantity, Fate::Acknowledged);
                self.cart.retain(|(other, _)| *other != variant);
                if quantity > 0 {
                    self.cart.push((variant, quantity));
                }
            }
            // Not sold any more, or full: the shop's right.
            404 | 409 | 422 => self.note_line(variant, quantity, Fate::Refused),
            _ => return Err(self.unexpected(&path, &answer)),
        }
        if failed { Err(Trouble::Failed) } else { Ok(()) }
    }

    fn note_line(&self, variant: u64, quantity: u32, fate: Fate) {
        let owner = self.owner();
        let cookie = match owner {
            Owner::Visitor(_) => self.jar.get(CART_COOKIE).map(str::to_owned),
            Owner::Account(_) => None,
        };
        let write = Write::Cart {
            variant,
            quantity,
            cookie,
        };
        self.shop.journal(owner, write, fate);
    }

    /// The cart as it is; what is in it is remembered.
    pub(super) async fn read_cart(&mut self) -> Asked<CartView> {
        let answer = self.get("/cart", true).await?;
        self.heard(&answer)
    }

    fn heard(&mut self, answer: &Answer) -> Asked<CartView> {
        let shop = Rc::clone(&self.shop);
        let Some(view) = parsed::<CartView>(answer) else {
            shop.complain(&Method::GET, "/api/v1/cart", answer);
            return Err(Trouble::Failed);
        };
        self.cart = view
            .items
            .iter()
            .map(|item| (item.variant_id, item.quantity))
            .collect();
        Ok(view)
    }
}
