//! From the cart to an order, once: whatever happens in between, the same order is asked for again with the same Idempotency-Key.

use std::time::{Duration, Instant};

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::cart::{CartView, Money};
use super::client::Answer;
use super::pages::View;
use super::{Asked, Problem, Shopper, Trouble, Unanswered, json as parsed};
use crate::journal::{Fate, Order, Placed, Write};

/// How long one order is asked for, and how long is waited between: an order that lost its replica is settled by another
/// within ten seconds.
const INSIST_FOR: Duration = Duration::from_secs(12);
const AGAIN_AFTER: Duration = Duration::from_millis(250);
/// A cart that was refused (sold out, another price) is mended so often.
const MENDED: u32 = 2;

/// An order as answered.
#[derive(Deserialize)]
struct Answered {
    id: String,
    state: String,
    total: Money,
    items: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    variant_id: u64,
    quantity: u32,
    total: Money,
}

/// How one try to order ended.
enum Bought {
    Paid,
    /// The shop had a reason: the cart has to be looked at again.
    Refused(String),
}

impl Shopper {
    /// The checkout's form: who it is, what is in the cart, where it goes.
    pub(super) async fn buy_request(&mut self) -> Asked<()> {
        self.open("/checkout", View::Checkout, false).await?;
        self.enter().await?;
        self.read_cart().await?;
        self.get("/customers/me/addresses", false).await?;
        Ok(())
    }

    /// Orders and pays for what is in the cart.
    pub(super) async fn buy_confirm(&mut self) -> Asked<()> {
        self.open("/checkout", View::Checkout, false).await?;
        self.enter().await?;
        let address = self.address().await?;
        for _ in 0..=MENDED {
            let mut cart = self.read_cart().await?;
            if !is_buyable(&cart) {
                self.put_in().await?;
                cart = self.read_cart().await?;
            }
            if !is_buyable(&cart) {
                // Everything that was looked at is sold out.
                return Ok(());
            }
            match self.order(&cart, &address).await? {
                Bought::Paid => {
                    self.open("/orders", View::Order, false).await?;
                    return Ok(());
                }
                Bought::Refused(code) if code == "out_of_stock" => self.take_out(&cart).await?,
                Bought::Refused(_) => {}
            }
        }
        Ok(())
    }

    /// Takes out the lines of a cart that the shop would not sell, and the first when it names none: stock may be too little for
    /// the quantity while some is left.
    async fn take_out(&mut self, cart: &CartView) -> Asked<()> {
        let now = self.read_cart().await?;
        let gone: Vec<u64> = now
            .items
            .iter()
            .filter(|item| !item.available)
            .map(|item| item.variant_id)
            .collect();
        let gone = if gone.is_empty() {
            cart.items
                .first()
                .map(|item| item.variant_id)
                .into_iter()
                .collect()
        } else {
            gone
        };
        for variant in gone {
            self.set_line(variant, 0).await?;
        }
        Ok(())
    }

    async fn order(&mut self, cart: &CartView, address: &str) -> Asked<Bought> {
        let items: Vec<(u64, u32)> = cart
            .items
            .iter()
            .filter(|item| item.price.is_some())
            .map(|item| (item.variant_id, item.quantity))
            .collect();
        let body = json!({
            "items": items.iter().map(|(variant, quantity)| json!({"variant_id": variant, "quantity": quantity}))
                .collect::<Vec<_>>(),
            "address_id": address,
            "payment_token": "tok_approve",
            "expected_total": cart.total,
        });
        let order = Order {
            key: uuid::Uuid::new_v4().to_string(),
            items,
            placed: None,
        };
        self.insist(order, &body).await
    }

    /// Asks until there is an answer that counts, then notes it; an order that never got one is noted as unknown.
    async fn insist(&mut self, mut order: Order, body: &serde_json::Value) -> Asked<Bought> {
        let mut trouble = None;
        let mut unknown = false;
        let began = Instant::now();
        while began.elapsed() < INSIST_FOR {
            let key = order.key.clone();
            match self.write(Method::POST, "/orders", Some(body), Some(&key)).await {
                Ok(answer) if is_in_progress(&answer) => unknown = true,
                Ok(answer) => {
                    let bought = self.answered(&mut order, &answer, unknown)?;
                    return trouble.map_or(Ok(bought), Err);
                }
                Err(Unanswered::Shed) if !unknown => {
                    self.note_order(order, Fate::Unknown);
                    return Err(Trouble::Shed);
                }
                Err(error) => {
                    unknown |= error == Unanswered::Nothing;
                    trouble = Some(Trouble::from(error));
                }
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        let class = format!("an order without an end in {} s", INSIST_FOR.as_secs());
        let sample = || format!("POST /api/v1/orders, key {}", order.key);
        self.shop.recorder.borrow_mut().error(class, sample);
        self.note_order(order, Fate::Unknown);
        Err(trouble.unwrap_or(Trouble::Failed))
    }

    fn answered(&mut self, order: &mut Order, answer: &Answer, was_unknown: bool) -> Asked<Bought> {
        match answer.status {
            201 | 202 => {
                let Some(placed) = parsed::<Answered>(answer) else {
                    self.note_order(order.clone(), Fate::Unknown);
                    return Err(self.unexpected("/orders", answer));
                };
                if let Some(account) = &mut self.account {
                    account.last_order = Some(placed.id.clone());
                }
                order.placed = Some(placed.into());
                self.note_order(order.clone(), Fate::Acknowledged);
                self.shop.recorder.borrow_mut().order();
                Ok(Bought::Paid)
            }
            402 | 409 => {
                let code = parsed::<Problem>(answer).unwrap_or_default().code;
                self.note_order(order.clone(), Fate::Refused);
                // An order whose replica died before it was paid is ended as failed: who asked again is told so.
                if code == "payment_declined" && !was_unknown {
                    return Err(self.unexpected("/orders", answer));
                }
                Ok(Bought::Refused(code))
            }
            _ => {
                self.note_order(order.clone(), Fate::Refused);
                Err(self.unexpected("/orders", answer))
            }
        }
    }

    fn note_order(&self, order: Order, fate: Fate) {
        self.shop.journal(self.owner(), Write::Order(order), fate);
    }

    /// One buyer of a flash sale: looks, puts it in, orders. Whether a piece was got.
    pub async fn flash(&mut self, product: u64, due: Instant) {
        let shop = std::rc::Rc::clone(&self.shop);
        self.apart = Duration::ZERO;
        let outcome = Box::pin(self.flash_now(product)).await;
        let ended = match outcome {
            Ok(()) => crate::recorder::Ended::Well,
            Err(Trouble::Shed) => crate::recorder::Ended::Shed,
            Err(Trouble::Failed) => crate::recorder::Ended::Failed,
        };
        shop.recorder
            .borrow_mut()
            .ended(crate::interaction::Interaction::BuyConfirm, due, due, ended);
    }

    async fn flash_now(&mut self, product: u64) -> Asked<()> {
        let variant = self.variant_of(product).await?;
        let Some(variant) = variant else { return Ok(()) };
        let address = self.address().await?;
        let body = json!({
            "items": [{"variant_id": variant, "quantity": 1}], "address_id": address, "payment_token": "tok_approve",
        });
        let order = Order {
            key: uuid::Uuid::new_v4().to_string(),
            items: vec![(variant, 1)],
            placed: None,
        };
        self.insist(order, &body).await.map(drop)
    }

    pub(super) async fn variant_of(&mut self, product: u64) -> Asked<Option<u64>> {
        #[derive(Deserialize)]
        struct Whole {
            variants: Vec<Id>,
        }
        #[derive(Deserialize)]
        struct Id {
            id: u64,
        }
        let answer = self.get(&format!("/products/{product}"), true).await?;
        let whole = parsed::<Whole>(&answer);
        Ok(whole
            .and_then(|whole| whole.variants.into_iter().next())
            .map(|it| it.id))
    }
}

impl From<Answered> for Placed {
    fn from(order: Answered) -> Self {
        Self {
            id: order.id,
            state: order.state,
            total: order.total.amount,
            lines: order
                .items
                .into_iter()
                .map(|line| (line.variant_id, line.quantity, line.total.amount))
                .collect(),
        }
    }
}

fn is_buyable(cart: &CartView) -> bool {
    cart.items.iter().any(|item| item.price.is_some())
}

/// Another request with this key is still being worked on.
fn is_in_progress(answer: &Answer) -> bool {
    answer.status == 409
        && parsed::<Problem>(answer).is_some_and(|problem| problem.code == "order_in_progress")
}
