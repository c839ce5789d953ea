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
    let accounts: BTreeMap<u32, Account> = shop
        .accounts
        .borrow()
        .all()
        .map(|account| (account.number, account.clone()))
        .collect();
    let total = expected.len();
    let open: VecDeque<(Owner, Expected)> = expected.into_iter().collect();
    let work = Rc::new(Work {
        shop: Rc::clone(shop),
        accounts,
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
    accounts: BTreeMap<u32, Account>,
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
                let Some(account) = self.accounts.get(&number) else {
                    // Its registration was never acknowledged: nobody can ask.
                    return Ok(());
                };
                let mut shopper = Shopper::new(&self.shop, 0, 0, true).with_account(account.clone());
                if !shopper.has_session() {
                    shopper.log_in_patiently().await?;
                }
                shopper
            }
            Owner::Visitor(_) => {
                let Some(cookie) = &expected.cookie else {
                    return Ok(());
                };
                Shopper::new(&self.shop, 0, 0, true).with_jar(Jar::with("trestle_cart", cookie))
            }
        };
        self.found.borrow_mut().owners += 1;
        if expected.has_cart() {
            let cart: CartView = read(&mut shopper, "/cart").await?;
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
            let there = orders(&mut shopper, expected).await?;
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
