//! Becoming somebody: a new account, a login, a refreshed session. The two that cost a password hash are measured by themselves.

use std::rc::Rc;
use std::time::{Duration, Instant};

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::accounts::Account;
use super::{Asked, Shopper, Trouble, json as parsed};
use crate::interaction::Interaction;
use crate::journal::{Fate, Write};
use crate::recorder::Ended;

/// How often a busy shop is asked for a session outside of a load.
const TRIES: u32 = 20;
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// What an answer says of a session by cookies.
#[derive(Deserialize)]
struct Opened {
    expires_in: u64,
}

#[derive(Deserialize)]
struct Address {
    id: String,
}

#[derive(Deserialize)]
struct Addresses {
    items: Vec<Address>,
}

impl Shopper {
    /// Has a session from here on: 20 % of those who have none are new, 80 % log in. Measured as a step of its own.
    pub(super) async fn enter(&mut self) -> Asked<()> {
        if self.account.is_some() {
            return Ok(());
        }
        let known = if self.visit.returning {
            self.shop.accounts.borrow_mut().take()
        } else {
            None
        };
        match known {
            Some(account) => {
                self.account = Some(account);
                self.step(Interaction::Login).await
            }
            None => self.step(Interaction::NewAccount).await,
        }
    }

    /// A login of an account that is held already, to measure logins alone.
    pub(super) async fn log_in_again(&mut self) -> Asked<()> {
        if self.account.is_none() {
            self.step(Interaction::NewAccount).await?;
        }
        self.step(Interaction::Login).await
    }

    /// A new account in a browser that has none, to measure registrations alone. The one before goes back to the others, so that the shop
    /// can still be asked what it knows of it.
    pub(super) async fn register_anew(&mut self) -> Asked<()> {
        self.retire();
        self.forget_session();
        self.cart.clear();
        self.step(Interaction::NewAccount).await
    }

    /// One of the two steps, with its own time.
    pub(super) async fn step(&mut self, step: Interaction) -> Asked<()> {
        let began = Instant::now();
        let outcome = match step {
            Interaction::Login => self.log_in().await,
            _ => self.register().await,
        };
        let ended = match outcome {
            Ok(()) => Ended::Well,
            Err(Trouble::Shed) => Ended::Shed,
            Err(Trouble::Failed) => Ended::Failed,
        };
        let shop = Rc::clone(&self.shop);
        shop.recorder.borrow_mut().step(step, began, ended);
        self.apart += began.elapsed();
        outcome
    }

    /// Registers, with an account that nobody had.
    pub(super) async fn register(&mut self) -> Asked<()> {
        let account = self.shop.accounts.borrow_mut().fresh();
        let password = self.shop.accounts.borrow().password.clone();
        let body = json!({
            "email": account.email, "password": password, "name": "Load Shopper", "transport": "cookie",
        });
        self.open_session("/customers", &body, account).await
    }

    async fn log_in(&mut self) -> Asked<()> {
        let Some(account) = self.account.take() else {
            return Ok(());
        };
        let password = self.shop.accounts.borrow().password.clone();
        let body = json!({"email": account.email, "password": password, "transport": "cookie"});
        self.open_session("/sessions", &body, account).await
    }

    /// The visitor's cart goes into the account's with either.
    async fn open_session(&mut self, path: &str, body: &serde_json::Value, account: Account) -> Asked<()> {
        let from = self.visitor;
        let answer = match self.write(Method::POST, path, Some(body), None).await {
            Ok(answer) => answer,
            Err(error) => {
                // Whether the visitor's cart was merged is not known; a login without an answer is one nobody has.
                let owner = crate::journal::Owner::Account(account.number);
                self.shop.journal(owner, Write::Merge { from }, Fate::Unknown);
                if path == "/sessions" {
                    self.shop.accounts.borrow_mut().give_back(account);
                }
                return Err(error.into());
            }
        };
        let opened = parsed::<Opened>(&answer).filter(|_| answer.status == 201);
        let Some(opened) = opened else {
            return Err(self.unexpected(path, &answer));
        };
        self.good_until = Some(Instant::now() + Duration::from_secs(opened.expires_in));
        self.account = Some(account);
        self.shop
            .journal(self.owner(), Write::Merge { from }, Fate::Acknowledged);
        // The cookie names a visitor's cart no more; a later visitor is another one.
        self.visitor = self.shop.next_visitor();
        Ok(())
    }

    /// New tokens when these are about to end.
    pub(super) async fn freshen(&mut self) -> Asked<()> {
        const EARLY: Duration = Duration::from_secs(15);
        let ends_soon = self
            .good_until
            .is_some_and(|good_until| Instant::now() + EARLY >= good_until);
        if !ends_soon {
            return Ok(());
        }
        let answer = Box::pin(self.write(Method::POST, "/sessions/refresh", None, None)).await;
        let answer = answer.map_err(|error| {
            self.note("refresh", Fate::Unknown);
            Trouble::from(error)
        })?;
        match parsed::<Opened>(&answer).filter(|_| answer.status == 200) {
            Some(opened) => {
                self.note("refresh", Fate::Acknowledged);
                self.good_until = Some(Instant::now() + Duration::from_secs(opened.expires_in));
                Ok(())
            }
            None => Err(self.unexpected("/sessions/refresh", &answer)),
        }
    }

    /// An address to send an order to: the account's own, made where there is none.
    pub(super) async fn address(&mut self) -> Asked<String> {
        if let Some(known) = self.account.as_ref().and_then(|account| account.address.clone()) {
            return Ok(known);
        }
        let answer = self.get("/customers/me/addresses", true).await?;
        let there = parsed::<Addresses>(&answer).and_then(|all| all.items.into_iter().next());
        let id = match there {
            Some(address) => address.id,
            None => self.add_address().await?,
        };
        if let Some(account) = &mut self.account {
            account.address = Some(id.clone());
        }
        Ok(id)
    }

    async fn add_address(&mut self) -> Asked<String> {
        let body = json!({
            "name": "Load Shopper", "line1": "12 St James's Square", "city": "London", "postal_code": "SW1Y 4JH",
            "country": "GB",
        });
        let answer = self
            .write(Method::POST, "/customers/me/addresses", Some(&body), None)
            .await
            .map_err(|error| {
                self.note("address", Fate::Unknown);
                Trouble::from(error)
            })?;
        match parsed::<Address>(&answer).filter(|_| answer.status == 201) {
            Some(address) => {
                self.note("address", Fate::Acknowledged);
                Ok(address.id)
            }
            None => Err(self.unexpected("/customers/me/addresses", &answer)),
        }
    }

    /// Makes ready before a load: an account with a session and an address. A shop that is busy is asked again.
    ///
    /// # Errors
    /// When the shop refuses.
    pub async fn prepare(&mut self) -> anyhow::Result<()> {
        let mut tries = 0;
        loop {
            tries += 1;
            let outcome = async {
                if self.account.is_none() {
                    self.register().await?;
                }
                self.address().await.map(drop)
            };
            match Box::pin(outcome).await {
                Ok(()) => return Ok(()),
                Err(Trouble::Shed) if tries < TRIES => tokio::time::sleep(AGAIN_AFTER).await,
                Err(_) => {
                    let why = self.shop.recorder.borrow().first_errors();
                    anyhow::bail!("an account could not be made: {why}");
                }
            }
        }
    }

    /// A session for the account that is held, however busy the shop is.
    ///
    /// # Errors
    /// When it still refuses after some seconds.
    pub async fn log_in_patiently(&mut self) -> anyhow::Result<()> {
        for _ in 0..TRIES {
            let account = self.account.clone();
            if Box::pin(self.log_in()).await.is_ok() {
                return Ok(());
            }
            self.account = account;
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        anyhow::bail!("the login failed {TRIES} times")
    }
}
