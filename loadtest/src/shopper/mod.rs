//! Emulated shoppers: what one of them holds, and how it asks.
//!
//! `browse.rs`, `buy.rs`, `enter.rs` and `admin.rs` are what it does; README.md's table maps each interaction to its calls.

pub mod accounts;
mod admin;
mod browse;
mod buy;
mod cart;
pub mod client;
mod enter;
pub mod goods;
pub mod jar;
pub mod pages;
pub mod shop;
pub mod target;
pub mod timers;

use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{HeaderValue, Method};
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use serde::Deserialize;

use self::accounts::Account;
pub use self::admin::{Admin, new_admin};
pub use self::cart::CartView;
use self::client::{Answer, Ask, Client, NoAnswer, REQUEST_ID};
use self::jar::Jar;
use self::pages::{Kept, View};
use self::shop::Shop;
use crate::interaction::Interaction;
use crate::journal::{Fate, Owner, Write};
use crate::model::think::SessionEnd;
use crate::recorder::Ended;

static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Somebody who shops: a browser with its cookies and its cache, and what is remembered of the shop.
pub struct Shopper {
    pub(crate) shop: Rc<Shop>,
    client: Client,
    rng: SmallRng,
    jar: Jar,
    kept: Kept,
    pub(crate) account: Option<Account>,
    /// Until when the access token is good.
    good_until: Option<Instant>,
    visitor: u32,
    /// A variant that was looked at and can be bought.
    seen: Option<u64>,
    /// The cart as last acknowledged: variant and pieces.
    cart: Vec<(u64, u32)>,
    visit: Visit,
    keeps_session: bool,
    /// Time spent in steps that are measured by themselves, in this interaction.
    apart: Duration,
}

/// One visit: from the first page to the last.
struct Visit {
    opened: bool,
    returning: bool,
    ends: Ends,
}

/// When a visit is over.
enum Ends {
    At(Instant),
    /// Without think times: after so many interactions.
    After(u64),
}

/// Why an interaction did not go well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// 503 or 429: nothing was done.
    Shed,
    Failed,
}

/// A problem answer, as far as shoppers look at it.
#[derive(Deserialize, Default)]
pub(crate) struct Problem {
    #[serde(default)]
    pub code: String,
}

pub(crate) type Asked<T = Answer> = Result<T, Trouble>;

impl Shopper {
    /// Somebody new, before the first visit. `number` makes the draws differ.
    pub fn new(shop: &Rc<Shop>, seed: u64, number: u64, keeps_session: bool) -> Self {
        Self {
            client: shop.client(),
            rng: SmallRng::seed_from_u64(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            jar: Jar::default(),
            kept: Kept::default(),
            account: None,
            good_until: None,
            visitor: shop.next_visitor(),
            seen: None,
            cart: Vec::new(),
            visit: Visit {
                opened: false,
                returning: true,
                ends: Ends::After(0),
            },
            keeps_session,
            apart: Duration::ZERO,
            shop: Rc::clone(shop),
        }
    }

    /// Takes over an account that has a session.
    pub fn with_account(mut self, account: Account) -> Self {
        if let Some(session) = &account.session {
            self.jar = session.jar.clone();
            self.good_until = Some(session.good_until);
        }
        self.account = Some(account);
        self
    }

    pub fn rng(&mut self) -> &mut SmallRng {
        &mut self.rng
    }

    /// Takes over a browser's cookies.
    pub fn with_jar(mut self, jar: Jar) -> Self {
        self.jar = jar;
        self
    }

    /// Whether a visit goes on.
    pub fn is_visiting(&self) -> bool {
        self.visit.opened
    }

    /// A returning customer's browser has no cookies of the shop any more.
    pub fn forget_session(&mut self) {
        self.jar = Jar::default();
        self.good_until = None;
    }

    pub fn has_session(&self) -> bool {
        self.good_until.is_some()
    }

    /// Whether it stays the same customer from visit to visit.
    pub fn keeps_session(&self) -> bool {
        self.keeps_session
    }

    /// Whether it should have one, and keep it, and has none.
    pub fn lacks_session(&self) -> bool {
        self.keeps_session && self.account.is_none()
    }

    /// One interaction that was to begin at `due`: done, measured.
    pub async fn interact(&mut self, interaction: Interaction, due: Instant) {
        self.apart = Duration::ZERO;
        if !self.visit.opened {
            self.begin_visit();
        }
        let outcome = Box::pin(self.carry_out(interaction)).await;
        let ended = match outcome {
            Ok(()) => Ended::Well,
            Err(Trouble::Shed) => Ended::Shed,
            Err(Trouble::Failed) => Ended::Failed,
        };
        let shop = Rc::clone(&self.shop);
        shop.recorder
            .borrow_mut()
            .ended(interaction, due, due + self.apart, ended);
    }

    async fn carry_out(&mut self, interaction: Interaction) -> Asked<()> {
        match interaction {
            Interaction::Home => self.home().await,
            Interaction::NewProducts => self.ranked("new").await,
            Interaction::BestSellers => self.ranked("best-sellers").await,
            Interaction::ProductDetail => self.product_detail().await,
            Interaction::SearchRequest => self.search_request().await,
            Interaction::SearchResults => self.search_results().await,
            Interaction::Cart => self.change_cart().await,
            Interaction::Registration => self.registration_form().await,
            Interaction::BuyRequest => self.buy_request().await,
            Interaction::BuyConfirm => self.buy_confirm().await,
            Interaction::OrderInquiry => self.order_inquiry().await,
            Interaction::OrderDisplay => self.order_display().await,
            Interaction::AdminRequest => self.admin_request().await.map(drop),
            Interaction::AdminConfirm => self.admin_confirm().await,
            Interaction::NewAccount => self.register_anew().await,
            Interaction::Login => self.log_in_again().await,
        }
    }

    /// A browser is opened: a new customer's is empty, a returning one's has kept the shop's files.
    fn begin_visit(&mut self) {
        let returning = self.shop.is_returning();
        self.visit = Visit {
            opened: true,
            returning,
            ends: match self.shop.session_length().sample(&mut self.rng) {
                SessionEnd::After(time) => Ends::At(Instant::now() + time),
                SessionEnd::Interactions(count) => Ends::After(count),
            },
        };
        self.kept = if returning {
            Kept::all(&self.shop.pages)
        } else {
            Kept::default()
        };
    }

    /// Closes the browser when the visit is over.
    pub fn leave_in_time(&mut self) {
        let is_over = match &mut self.visit.ends {
            Ends::At(moment) => Instant::now() >= *moment,
            Ends::After(left) => {
                *left = left.saturating_sub(1);
                *left == 0
            }
        };
        if self.visit.opened && is_over {
            self.leave();
        }
    }

    /// Closes the browser. Whoever keeps no session is somebody else the next time.
    pub fn leave(&mut self) {
        self.visit.opened = false;
        self.client.close();
        self.seen = None;
        if self.keeps_session {
            return;
        }
        if let Some(account) = self.account.take() {
            self.give_back(account);
        }
        self.jar = Jar::default();
        self.good_until = None;
        self.cart.clear();
        self.visitor = self.shop.next_visitor();
    }

    /// The account goes back to the others, with its session where it is to be used again.
    pub fn retire(&mut self) {
        if let Some(account) = self.account.take() {
            self.give_back(account);
        }
    }

    fn give_back(&self, mut account: Account) {
        account.session = self.good_until.map(|good_until| accounts::Session {
            jar: self.jar.clone(),
            good_until,
        });
        self.shop.accounts.borrow_mut().give_back(account);
    }

    pub(crate) fn owner(&self) -> Owner {
        self.account
            .as_ref()
            .map_or(Owner::Visitor(self.visitor), |account| {
                Owner::Account(account.number)
            })
    }

    pub(crate) fn note(&self, what: &str, fate: Fate) {
        let write = Write::Other {
            what: what.to_owned(),
        };
        self.shop.journal(self.owner(), write, fate);
    }

    // --- Asking --------------------------------------------------------------------------------------------------

    /// Opens a page: the page itself when `whole`, and of its files those that the browser has not kept.
    pub(crate) async fn open(&mut self, path: &str, view: View, whole: bool) -> Asked<()> {
        let encoding = [(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"))];
        if whole {
            self.file(path, &encoding).await?;
        }
        let shop = Rc::clone(&self.shop);
        for &file in shop.pages.of(view) {
            if self.kept.is_new(file) {
                self.file(&shop.pages.files[usize::from(file)], &encoding).await?;
            }
        }
        Ok(())
    }

    async fn file(&mut self, path: &str, headers: &[(HeaderName, HeaderValue)]) -> Asked<()> {
        let ask = Ask {
            headers,
            ..Ask::get(path)
        };
        let answer = self.send(&ask).await.map_err(|_| Trouble::Failed)?;
        self.expect(&ask, &answer, &[200, 304])
    }

    /// Reads a path below /api/v1.
    pub(crate) async fn get(&mut self, path: &str, keep_body: bool) -> Asked {
        self.freshen().await?;
        let path = format!("/api/v1{path}");
        let headers = self.api_headers(&path, None);
        let ask = Ask {
            headers: &headers,
            keep_body,
            ..Ask::get(&path)
        };
        let answer = self.send(&ask).await.map_err(|_| Trouble::Failed)?;
        self.expect(&ask, &answer, &[200])?;
        Ok(answer)
    }

    /// Writes to a path below /api/v1. The answer whatever its status, but for 5xx and 429: those, and no answer, are noted.
    pub(crate) async fn write(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
        key: Option<&str>,
    ) -> Result<Answer, Unanswered> {
        let path = format!("/api/v1{path}");
        let headers = self.api_headers(&path, key);
        let ask = Ask {
            method,
            path: &path,
            headers: &headers,
            body: body.map(|body| Bytes::from(body.to_string())),
            keep_body: true,
        };
        let answer = self.send(&ask).await.map_err(|_| Unanswered::Nothing)?;
        match answer.status {
            503 | 429 => {
                self.complain(&ask, &answer);
                Err(Unanswered::Shed)
            }
            500.. => {
                self.complain(&ask, &answer);
                // 502 and 504 are the proxy's: nobody knows what the replica did. 500 may be after the commit, too.
                Err(Unanswered::Nothing)
            }
            _ => Ok(answer),
        }
    }

    fn api_headers(&self, path: &str, key: Option<&str>) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::with_capacity(4);
        headers.push((header::ACCEPT_ENCODING, self.shop.api_encoding.clone()));
        headers.push((SEC_FETCH_SITE.clone(), HeaderValue::from_static("same-origin")));
        if let Some(cookies) = self.jar.header(path) {
            headers.push((header::COOKIE, cookies));
        }
        if let Some(key) = key.and_then(|key| HeaderValue::from_str(key).ok()) {
            headers.push((IDEMPOTENCY_KEY.clone(), key));
        }
        headers
    }

    /// One request; its answer's cookies are kept, no answer is noted.
    async fn send(&mut self, ask: &Ask<'_>) -> Result<Answer, NoAnswer> {
        match self.client.send(ask).await {
            Ok(answer) => {
                self.jar.take(&answer.headers);
                self.shop.recorder.borrow_mut().answered(&answer);
                Ok(answer)
            }
            Err(error) => {
                let sample = || format!("{} {}", ask.method, ask.path);
                self.shop.recorder.borrow_mut().error(error.to_string(), sample);
                Err(error)
            }
        }
    }

    /// What has another status than these is an error.
    pub(crate) fn expect(&self, ask: &Ask<'_>, answer: &Answer, good: &[u16]) -> Asked<()> {
        if good.contains(&answer.status) {
            return Ok(());
        }
        self.complain(ask, answer);
        Err(match answer.status {
            503 | 429 => Trouble::Shed,
            _ => Trouble::Failed,
        })
    }

    fn complain(&self, ask: &Ask<'_>, answer: &Answer) {
        self.shop.complain(&ask.method, ask.path, answer);
    }

    /// An answer to a write that no shop should give.
    pub(crate) fn unexpected(&self, what: &str, answer: &Answer) -> Trouble {
        self.shop.complain(&Method::POST, what, answer);
        Trouble::Failed
    }
}

impl Shop {
    /// Notes an answer that is an error, with the request's id.
    pub(crate) fn complain(&self, method: &Method, path: &str, answer: &Answer) {
        let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
        let class = format!("{} {}", answer.status, problem.code);
        let id = answer.headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
        let sample = || format!("{method} {path} (request {})", id.unwrap_or("-"));
        self.recorder
            .borrow_mut()
            .error(class.trim_end().to_owned(), sample);
    }
}

/// Why a write has no answer that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// 503 or 429. Mostly nothing was done; but a change of the cart may be committed when there is no room left to put its answer
    /// together, so nobody knows.
    Shed,
    /// Nobody knows.
    Nothing,
}

impl From<Unanswered> for Trouble {
    fn from(error: Unanswered) -> Self {
        match error {
            Unanswered::Shed => Self::Shed,
            Unanswered::Nothing => Self::Failed,
        }
    }
}

/// An answer's body as JSON.
pub(crate) fn json<T: serde::de::DeserializeOwned>(answer: &Answer) -> Option<T> {
    serde_json::from_slice(&answer.body).ok()
}

/// The first variant of a product: what a flash sale sells.
///
/// # Errors
/// When there is no such product.
pub async fn first_variant(shop: &Rc<Shop>, product: u64) -> anyhow::Result<u64> {
    let mut shopper = Shopper::new(shop, 0, 0, true);
    match shopper.variant_of(product).await {
        Ok(Some(variant)) => Ok(variant),
        _ => anyhow::bail!("the shop has no product {product}"),
    }
}
