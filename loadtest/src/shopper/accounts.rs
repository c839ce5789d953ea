//! The accounts that shoppers log in with: made before the load, and by new customers during it. One account is one shopper's at
//! a time, so that what it is told stays in one order.

use std::collections::VecDeque;
use std::time::Instant;

use rand::RngExt as _;
use rand::SeedableRng as _;

use super::jar::Jar;

/// An account of this run.
#[derive(Debug, Clone)]
pub struct Account {
    pub number: u32,
    pub email: String,
    /// The browser's cookies of its session, where it has one.
    pub session: Option<Session>,
    pub address: Option<String>,
    /// The order that it looks at.
    pub last_order: Option<String>,
}

/// Cookies, and until when the access token among them is good.
#[derive(Debug, Clone)]
pub struct Session {
    pub jar: Jar,
    pub good_until: Instant,
}

/// All accounts of a generator, and which are nobody's at the moment.
pub struct Accounts {
    /// Part of every address, so that two runs never meet.
    run: String,
    /// One for all: the shop's cost is the hash, not the password.
    pub password: String,
    idle: VecDeque<Account>,
    made: u32,
}

impl Accounts {
    pub fn new(seed: u64) -> Self {
        // The seed makes the draws; addresses have to be new in each run.
        let mut rng = rand::rngs::SmallRng::seed_from_u64(seed ^ u64::from(std::process::id()));
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        let secret: u64 = rng.random();
        Self {
            run: format!("{:x}-{:04x}", now.as_millis(), secret & 0xffff),
            password: format!("{}-{secret:016x}", uuid::Uuid::new_v4().simple()),
            idle: VecDeque::new(),
            made: 0,
        }
    }

    /// One that is to be registered.
    pub fn fresh(&mut self) -> Account {
        self.made += 1;
        Account {
            number: self.made,
            email: format!("shopper-{}-{}@example.com", self.run, self.made),
            session: None,
            address: None,
            last_order: None,
        }
    }

    /// One that is nobody's, the longest idle first.
    pub fn take(&mut self) -> Option<Account> {
        self.idle.pop_front()
    }

    pub fn give_back(&mut self, account: Account) {
        self.idle.push_back(account);
    }

    pub fn idle(&self) -> usize {
        self.idle.len()
    }

    /// All that are nobody's at the moment: every account, once all shoppers have left. They have to be given back.
    pub fn take_all(&mut self) -> impl Iterator<Item = Account> + use<> {
        std::mem::take(&mut self.idle).into_iter()
    }
}
