//! Whether the shop holds what it acknowledged: asked through the API, as each shopper, after the load.
//!
//! Each acknowledged order is there once, with the same lines and total; each unknown one at most once; nothing else is there that
//! was paid. Each cart equals its last acknowledged state, or one that an unknown write may have made of it.

mod expected;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

pub use self::expected::{Expected, expectations};
use crate::journal::{Order, Owner, Placed};
use crate::result::Verification;
use crate::shopper::accounts::Account;
use crate::shopper::jar::Jar;
use crate::shopper::shop::Shop;
use crate::shopper::{CartView, Shopper, json};

/// Owners that are asked about at a time: a light load.
const AT_A_TIME: usize = 8;
/// More violations are counted, not shown.
const SHOWN: usize = 50;
const TRIES: u32 = 8;
const AGAIN_AFTER: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct List {
    items: Vec<Listed>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    state: String,
}

#[derive(Deserialize)]
struct Whole {
    id: String,
    state: String,
    total: Amount,
    items: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    variant_id: u64,
    quantity: u32,
    total: Amount,
}

#[derive(Deserialize)]
struct Amount {
    amount: i64,
}

/// Asks the shop about all owners in the journal.
///
/// # Errors
/// When the journal cannot be read, or an owner cannot be asked about: then nothing is proven.
pub async fn verify(shop: &Rc<Shop>, mut progress: impl FnMut(usize, usize)) -> Result<Verification> {
    let entries = shop.journal_file().entries()?;
    let expected = expectations(&entries);
    let accounts = shop.accounts.borrow_mut().take_all();
    let accounts = accounts.map(|account| (account.number, account)).collect();
    let total = expected.len();
    let open: VecDeque<(Owner, Expected)> = expected.into_iter().collect();
    let work = Rc::new(Work {
        shop: Rc::clone(shop),
        accounts: RefCell::new(accounts),
        open: RefCell::new(open),
        found: RefCell::new(Verification::default()),
        failed: RefCell::new(None),
    });
    let tasks: Vec<_> = (0..AT_A_TIME)
        .map(|_| tokio::task::spawn_local(Rc::clone(&work).run()))
        .collect();
    while tasks.iter().any(|task| !task.is_finished()) {
        progress(total - work.open.borrow().len(), total);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for account in work.accounts.take().into_values() {
        shop.accounts.borrow_mut().give_back(account);
    }
    if let Some(error) = work.failed.borrow_mut().take() {
        return Err(error);
    }
    let mut found = std::mem::take(&mut *work.found.borrow_mut());
    let violations = found.violations.len();
    if violations > SHOWN {
        found.violations.truncate(SHOWN);
        found.violations.push(format!("and {} more", violations - SHOWN));
    }
    Ok(found)
}

struct Work {
    shop: Rc<Shop>,
    accounts: RefCell<BTreeMap<u32, Account>>,
    open: RefCell<VecDeque<(Owner, Expected)>>,
    found: RefCell<Verification>,
    failed: RefCell<Option<anyhow::Error>>,
}

impl Work {
    async fn run(self: Rc<Self>) {
        loop {
            let next = self.open.borrow_mut().pop_front();
            let Some((owner, expected)) = next else { return };
            if let Err(error) = Box::pin(self.check(owner, &expected)).await {
                self.open.borrow_mut().clear();
                let error = error.context(format!("asking the shop about {owner:?}"));
                self.failed.borrow_mut().get_or_insert(error);
                return;
            }
        }
    }

    async fn check(&self, owner: Owner, expected: &Expected) -> Result<()> {
        let mut shopper = match owner {
            Owner::Account(number) => {
                let Some(account) = self.accounts.borrow_mut().remove(&number) else {
                    // Its registration was never acknowledged: nobody can ask.
                    return Ok(());
                };
                Shopper::new(&self.shop, 0, 0, true).with_account(account)
            }
            Owner::Visitor(_) => {
                let Some(cookie) = &expected.cookie else {
                    return Ok(());
                };
                Shopper::new(&self.shop, 0, 0, true).with_jar(Jar::with("trestle_cart", cookie))
            }
        };
        let asked = self.ask(&mut shopper, owner, expected).await;
        // With the session that it has now: whoever refreshes with the one before loses it.
        shopper.retire();
        asked
    }

    async fn ask(&self, shopper: &mut Shopper, owner: Owner, expected: &Expected) -> Result<()> {
        if matches!(owner, Owner::Account(_)) && !shopper.has_session() {
            shopper.log_in_patiently().await?;
        }
        self.found.borrow_mut().owners += 1;
        if expected.has_cart() {
            let cart: CartView = read(shopper, "/cart").await?;
            let lines: BTreeMap<u64, u32> = cart
                .items
                .iter()
                .map(|item| (item.variant_id, item.quantity))
                .collect();
            let mut found = self.found.borrow_mut();
            found.carts += 1;
            found.violations.extend(expected.cart_violations(owner, &lines));
        }
        if expected.has_orders() {
            let there = orders(shopper, expected).await?;
            let mut found = self.found.borrow_mut();
            found.orders += expected.acknowledged.len() as u64;
            found.violations.extend(expected.order_violations(owner, &there));
        }
        Ok(())
    }
}

/// All orders of a shopper that are not failed, whole.
async fn orders(shopper: &mut Shopper, expected: &Expected) -> Result<Vec<Placed>> {
    let mut ids = Vec::new();
    let mut path = "/orders?limit=100".to_owned();
    loop {
        let page: List = read(shopper, &path).await?;
        ids.extend(
            page.items
                .into_iter()
                .filter(|it| it.state != "failed")
                .map(|it| it.id),
        );
        let Some(cursor) = page.next_cursor else { break };
        if ids.len() > 100 * (expected.acknowledged.len() + expected.unknown.len() + 100) {
            bail!("the list of orders has no end");
        }
        path = format!("/orders?limit=100&cursor={cursor}");
    }
    let mut orders = Vec::new();
    for id in ids {
        let order: Whole = read(shopper, &format!("/orders/{id}")).await?;
        orders.push(Placed {
            id: order.id,
            state: order.state,
            total: order.total.amount,
            lines: order
                .items
                .iter()
                .map(|line| (line.variant_id, line.quantity, line.total.amount))
                .collect(),
        });
    }
    Ok(orders)
}

async fn read<T: serde::de::DeserializeOwned>(shopper: &mut Shopper, path: &str) -> Result<T> {
    for _ in 0..TRIES {
        if let Ok(answer) = shopper.get(path, true).await {
            return json(&answer).with_context(|| format!("the answer to GET {path}"));
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
    bail!("GET {path} failed {TRIES} times")
}

/// Whether an order is the one that was asked for.
fn is_same(order: &Order, placed: &Placed) -> bool {
    let mut wanted = order.items.clone();
    let mut there: Vec<(u64, u32)> = placed.lines.iter().map(|line| (line.0, line.1)).collect();
    wanted.sort_unstable();
    there.sort_unstable();
    wanted == there
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use std::time::Instant;

    use tokio::task::LocalSet;

    use super::*;
    use crate::journal::{Fate, Write};
    use crate::stub;

    /// A plan asks twice, more than a token's five minutes apart: the second time with the tokens of the first.
    #[tokio::test]
    async fn who_was_asked_keeps_the_session_that_this_made() {
        LocalSet::new().run_until(ask_once()).await;
    }

    async fn ask_once() {
        let folder = tempfile::tempdir().unwrap();
        let shop = stub::shop(folder.path()).await;
        let mut shopper = Shopper::new(&shop, 0, 0, true);
        shopper.prepare().await.unwrap();
        let cart = Write::Cart {
            variant: 1,
            quantity: 1,
            cookie: None,
        };
        shop.journal(shopper.owner(), cart, Fate::Unknown);
        shopper.retire();
        let mut account = shop.accounts.borrow_mut().take().unwrap();
        account.session.as_mut().unwrap().good_until = Instant::now();
        shop.accounts.borrow_mut().give_back(account);
        let found = verify(&shop, |_, _| {}).await.unwrap();
        assert_eq!((found.owners, found.carts), (1, 1));
        let account = shop.accounts.borrow_mut().take().unwrap();
        assert!(
            account.session.unwrap().good_until > Instant::now(),
            "it was refreshed"
        );
    }
}
