//! What all shoppers of a generator share: the shop's address and goods, the accounts, the journal, the measurements.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Result, bail};
use http::HeaderValue;

use super::accounts::Accounts;
use super::admin::Admin;
use super::client::Client;
use super::goods::Goods;
use super::pages::Pages;
use super::target::Target;
use super::timers::Timers;
use crate::interaction::{Interaction, Mix};
use crate::journal::{Entry, Fate, Journal, Owner, Write};
use crate::load::Load;
use crate::model::deck::Deck;
use crate::model::think::{SessionLength, TPCW_THINK_S};
use crate::model::zipf::Popularity;
use crate::recorder::Recorder;

/// Popularity of products and of search terms: P(rank) ~ 1 / rank^0.8.
pub const ZIPF_EXPONENT: f64 = 0.8;
/// Of a hundred visits so many are by people who were never here.
const NEW_PERCENT: u32 = 20;

/// The shop, as shoppers see it.
pub struct Shop {
    pub target: Rc<Target>,
    pub goods: Goods,
    pub pages: Pages,
    pub products: Popularity,
    pub terms: Popularity,
    /// What API requests say they accept; pages and files are asked for with gzip.
    pub api_encoding: HeaderValue,
    pub accounts: RefCell<Accounts>,
    pub admin: RefCell<Option<Admin>>,
    pub recorder: RefCell<Recorder>,
    pub timers: Timers,
    journal: RefCell<Journal>,
    mix: RefCell<Deck>,
    visits: RefCell<Deck>,
    only: Cell<Option<Interaction>>,
    more: RefCell<Option<(Interaction, Deck)>>,
    only_product: Cell<Option<u64>>,
    session_length: Cell<SessionLength>,
    visitors: Cell<u32>,
    connections: Cell<usize>,
    /// The first thing that makes the whole run worthless (the journal's disk is full).
    trouble: RefCell<Option<anyhow::Error>>,
}

impl Shop {
    /// Reads what has to be known of the shop.
    ///
    /// # Errors
    /// When it does not answer as Trestle does.
    pub async fn read(
        target: Target,
        journal: Journal,
        api_encoding: HeaderValue,
        seed: u64,
    ) -> Result<Rc<Self>> {
        let target = Rc::new(target);
        let mut client = Client::new(Rc::clone(&target), 0);
        let goods = Goods::read(&mut client).await?;
        let pages = Pages::read(&mut client).await?;
        if goods.categories.is_empty() {
            bail!("the shop has no categories");
        }
        let products = Popularity::new(goods.products.len() as u64, ZIPF_EXPONENT, seed)?;
        let terms = Popularity::new(goods.terms.len() as u64, ZIPF_EXPONENT, seed)?;
        Ok(Rc::new(Self {
            goods,
            pages,
            products,
            terms,
            api_encoding,
            accounts: RefCell::new(Accounts::new(seed)),
            admin: RefCell::new(None),
            recorder: RefCell::new(Recorder::new()?),
            timers: Timers::new()?,
            journal: RefCell::new(journal),
            mix: RefCell::new(Deck::new(&Mix::Shopping.weights(), seed)),
            visits: RefCell::new(Deck::new(&[NEW_PERCENT, 100 - NEW_PERCENT], seed)),
            only: Cell::new(None),
            more: RefCell::default(),
            only_product: Cell::new(None),
            session_length: Cell::new(SessionLength::new(TPCW_THINK_S)),
            visitors: Cell::new(0),
            connections: Cell::new(0),
            trouble: RefCell::new(None),
            target,
        }))
    }

    /// Begins a load: its mix, its measurements.
    ///
    /// # Errors
    /// When a histogram cannot be made; it does not happen.
    pub fn begin(&self, load: &Load) -> Result<()> {
        let mut weights = load.mix.weights();
        if self.admin.borrow().is_none() {
            // Nobody is there who may: the admins' share goes to the product page, and the report says so.
            let admins = [Interaction::AdminRequest, Interaction::AdminConfirm];
            for admin in admins {
                weights[Interaction::ProductDetail.index()] += weights[admin.index()];
                weights[admin.index()] = 0;
            }
        }
        *self.mix.borrow_mut() = Deck::new(&weights, load.seed);
        self.only.set(load.only);
        *self.more.borrow_mut() = load.more.map(|more| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 10,000"
            )]
            let weight = (more.share.clamp(0.0, 1.0) * 10_000.0).round() as u32;
            (
                more.interaction,
                Deck::new(&[10_000 - weight, weight], load.seed ^ 1),
            )
        });
        self.only_product.set(load.product);
        self.session_length.set(SessionLength::new(load.think_s));
        let mut recorder = Recorder::new()?;
        if load.fine {
            recorder.look_closely();
        }
        *self.recorder.borrow_mut() = recorder;
        Ok(())
    }

    /// The next interaction of anybody.
    pub fn draw(&self) -> Interaction {
        if let Some(only) = self.only.get() {
            return only;
        }
        if let Some((more, deck)) = self.more.borrow_mut().as_mut()
            && deck.draw() == 1
        {
            return *more;
        }
        let card = self.mix.borrow_mut().draw();
        Interaction::MIXED[card % Interaction::MIXED.len()]
    }

    pub fn session_length(&self) -> SessionLength {
        self.session_length.get()
    }

    /// Whether the next visit is by somebody who was here before.
    pub fn is_returning(&self) -> bool {
        self.visits.borrow_mut().draw() == 1
    }

    pub fn next_visitor(&self) -> u32 {
        self.visitors.set(self.visitors.get() + 1);
        self.visitors.get()
    }

    /// A connection of its own for somebody; the shop's addresses take turns.
    pub fn client(&self) -> Client {
        self.connections.set(self.connections.get() + 1);
        Client::new(Rc::clone(&self.target), self.connections.get())
    }

    pub fn journal(&self, owner: Owner, write: Write, fate: Fate) {
        let entry = Entry { owner, write, fate };
        if let Err(error) = self.journal.borrow_mut().write(&entry) {
            self.trouble.borrow_mut().get_or_insert(error);
        }
    }

    pub fn journal_file(&self) -> std::cell::RefMut<'_, Journal> {
        self.journal.borrow_mut()
    }

    /// What has made the run worthless, once.
    pub fn take_trouble(&self) -> Option<anyhow::Error> {
        self.trouble.borrow_mut().take()
    }

    /// What somebody looks at next.
    pub fn product(&self, rng: &mut impl rand::Rng) -> u64 {
        if let Some(only) = self.only_product.get() {
            return only;
        }
        let place = usize::try_from(self.products.sample(rng)).unwrap_or_default();
        self.goods.products[place % self.goods.products.len()]
    }

    pub fn term(&self, rng: &mut impl rand::Rng) -> &str {
        let place = usize::try_from(self.terms.sample(rng)).unwrap_or_default();
        &self.goods.terms[place % self.goods.terms.len()]
    }

    pub async fn sleep_until(&self, moment: Instant) {
        self.timers.sleep_until(moment).await;
    }
}
