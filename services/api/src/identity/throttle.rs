//! Failed logins are slowed down, by account and by address, and nobody is ever locked out.
//!
//! The more failures, the longer the next attempt waits before its password is looked at, two seconds at most; the right
//! password gets in after that wait. An attempt is refused (429) only where another for the same account from the same
//! address waits already, so that guessing in parallel gains nothing, or where so many wait that the replica's memory has
//! to be kept: 256 from one address, 4096 in all. Strangers elsewhere cannot fill the line of one account.
//! Only failures count: a school or a load test with one address is not slowed by logging in. Accounts that are not there
//! are treated as those that are.
//!
//! Failures are counted in this replica's memory and, for all replicas, in Redis; the higher count holds. Without Redis
//! each replica counts for itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest;

use crate::client::ClientAddress;
use crate::error::{Error, Result};
use crate::state::AppState;
use crate::tally;

/// Failures are forgotten this long after the last, at the latest after twice as long.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);
/// No attempt waits longer. Half of a write's deadline and more is left for the hash and the database.
const LONGEST: Duration = Duration::from_secs(2);

/// A customer mistypes a few times; each further failure adds a step.
const ACCOUNT_FREE: u64 = 5;
const ACCOUNT_STEP: Duration = Duration::from_millis(250);
/// Behind one address can be a school that mistypes; each further failure adds a step.
const ADDRESS_FREE: u64 = 50;
const ADDRESS_STEP: Duration = Duration::from_millis(20);

/// Who waits holds a connection and a few kB, and no place among the requests that are worked on: thousands may, so that
/// it takes thousands to keep a customer out. From one address, less; for one account from one address, one.
const WAITING: usize = 4096;
const WAITING_EACH_ADDRESS: usize = 256;
const WAITING_EACH_ACCOUNT: usize = 1;

/// Accounts and addresses that are remembered, in each of two generations of 50 bytes an entry.
const REMEMBERED: usize = 10_000;

/// What is counted: a digest, so that neither memory nor Redis holds anybody's address.
type Key = [u8; 16];

fn key(kind: &str, text: &str) -> Key {
    let full = digest::digest(&digest::SHA256, format!("{kind}:{text}").as_bytes());
    let mut short = Key::default();
    short.copy_from_slice(&full.as_ref()[..16]);
    short
}

fn redis_name(key: Key) -> String {
    // No digit after the first colon: these are no cached answers, and a flush of the caches leaves them.
    format!("trestle:failures:{:032x}", u128::from_be_bytes(key))
}

/// This replica's failures, and who waits.
#[derive(Default)]
pub struct Throttle {
    failures: Mutex<Failures>,
    waiting: Mutex<Vec<Waiting>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Waiting {
    account: Key,
    address: Key,
}

/// Two generations: the younger becomes the older when it is full or its time is over, and the older is forgotten.
struct Failures {
    young: HashMap<Key, u64>,
    old: HashMap<Key, u64>,
    turned: Instant,
}

impl Default for Failures {
    fn default() -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            turned: Instant::now(),
        }
    }
}

impl Failures {
    fn count(&mut self, key: Key, now: Instant) -> u64 {
        self.turn(now);
        let found = self.young.get(&key).or_else(|| self.old.get(&key));
        found.copied().unwrap_or_default()
    }

    fn add(&mut self, key: Key, now: Instant) {
        let count = self.count(key, now);
        self.young.insert(key, count.saturating_add(1));
    }

    fn forget(&mut self, key: Key) {
        self.young.remove(&key);
        self.old.remove(&key);
    }

    fn turn(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.turned);
        if self.young.len() >= REMEMBERED || elapsed >= FORGOTTEN_AFTER {
            self.old = std::mem::take(&mut self.young);
            self.turned = now;
        }
        if elapsed >= FORGOTTEN_AFTER * 2 {
            self.old.clear();
        }
    }
}

/// How long an attempt waits after so many failures.
fn wait_after(account: u64, address: u64) -> Duration {
    let wait = |failures: u64, free: u64, step: Duration| {
        let steps = failures.saturating_sub(free).min(1000);
        step * u32::try_from(steps).unwrap_or_default()
    };
    wait(account, ACCOUNT_FREE, ACCOUNT_STEP)
        .max(wait(address, ADDRESS_FREE, ADDRESS_STEP))
        .min(LONGEST)
}

impl Throttle {
    fn with<T>(&self, work: impl FnOnce(&mut Failures) -> T) -> T {
        work(&mut self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A place to wait in, given back when it is dropped. None when too many wait already.
    fn place(&self, who: Waiting) -> Option<Place<'_>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = waiting
            .iter()
            .filter(|other| other.address == who.address)
            .count();
        let same = waiting.iter().filter(|other| **other == who).count();
        let is_full =
            waiting.len() >= WAITING || of_address >= WAITING_EACH_ADDRESS || same >= WAITING_EACH_ACCOUNT;
        if is_full {
            return None;
        }
        waiting.push(who);
        Some(Place { throttle: self, who })
    }
}

struct Place<'a> {
    throttle: &'a Throttle,
    who: Waiting,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self
            .throttle
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(position) = waiting.iter().position(|other| *other == self.who) {
            waiting.swap_remove(position);
        }
    }
}

/// One attempt to prove a password. Whoever has begun one says how it ended.
#[must_use]
pub struct Attempt<'a> {
    state: &'a AppState,
    who: Waiting,
    had_failures: bool,
}

impl<'a> Attempt<'a> {
    /// Begins an attempt on the account with this e-mail address, as late as its failures demand.
    ///
    /// # Errors
    /// 429 when another waits already for this account from this address, or too many do in all.
    pub async fn begin(state: &'a AppState, email: &str, client: ClientAddress) -> Result<Self> {
        let who = Waiting {
            account: key("account", email),
            address: key("address", &client.network().to_string()),
        };
        let (account, address) = failures(state, who).await;
        let wait = wait_after(account, address);
        if !wait.is_zero() && !wait_in_place(state, who, wait).await? {
            return Err(Error::TooManyAttempts {
                retry_after: wait.as_millis().div_ceil(1000).try_into().unwrap_or(2),
            });
        }
        Ok(Self {
            state,
            who,
            had_failures: account > 0,
        })
    }

    /// The password was wrong.
    pub async fn failed(self) {
        let (Waiting { account, address }, now) = (self.who, Instant::now());
        self.state.throttle.with(|failures| {
            failures.add(account, now);
            failures.add(address, now);
        });
        if let Some(redis) = &self.state.redis {
            let names = [redis_name(account), redis_name(address)];
            redis.count_up(&names, FORGOTTEN_AFTER).await;
        }
    }

    /// The password was right: the account's failures are forgotten. Those of the address are not: an account of one's own
    /// would make guessing at others' free.
    pub async fn succeeded(self) {
        if !self.had_failures {
            return;
        }
        self.state
            .throttle
            .with(|failures| failures.forget(self.who.account));
        if let Some(redis) = &self.state.redis {
            redis.delete(&redis_name(self.who.account)).await;
        }
    }
}

/// Waits, if there is a place to wait in; meanwhile others are served in the request's stead. In a task of its own: a client
/// that hangs up would else give its place to wait to the next before its time.
async fn wait_in_place(state: &AppState, who: Waiting, wait: Duration) -> Result<bool> {
    let state = state.clone();
    let task = tally::spawn(async move {
        let Some(_place) = state.throttle.place(who) else {
            return false;
        };
        tally::leave_place();
        tokio::time::sleep(wait).await;
        true
    });
    task.await
        .map_err(|error| Error::Internal(format!("the task of a wait ended: {error}")))
}

/// Failures of the account and of the address: the higher of what this replica and Redis know.
async fn failures(state: &AppState, who: Waiting) -> (u64, u64) {
    let now = Instant::now();
    let (account, address) = state
        .throttle
        .with(|failures| (failures.count(who.account, now), failures.count(who.address, now)));
    let counted = match &state.redis {
        Some(redis) => {
            redis
                .counts(&[redis_name(who.account), redis_name(who.address)])
                .await
        }
        None => None,
    };
    let [everywhere_account, everywhere_address] = counted.unwrap_or_default();
    (account.max(everywhere_account), address.max(everywhere_address))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_with_the_failures_and_ends_at_two_seconds() {
        assert_eq!(wait_after(ACCOUNT_FREE, ADDRESS_FREE), Duration::ZERO);
        let mut last = Duration::ZERO;
        for account in ACCOUNT_FREE + 1..ACCOUNT_FREE + 9 {
            let wait = wait_after(account, 0);
            assert!(wait > last);
            last = wait;
        }
        assert!(wait_after(0, ADDRESS_FREE + 1) > Duration::ZERO);
        assert_eq!(wait_after(u64::MAX, 0), LONGEST);
        assert_eq!(wait_after(0, u64::MAX), LONGEST);
    }

    #[test]
    fn failures_are_counted_forgotten_and_bounded_in_number() {
        let (ann, ben) = (
            key("account", "ann@example.com"),
            key("account", "ben@example.com"),
        );
        let begin = Instant::now();
        let mut failures = Failures::default();
        failures.add(ann, begin);
        failures.add(ann, begin);
        failures.add(ben, begin);
        assert_eq!((failures.count(ann, begin), failures.count(ben, begin)), (2, 1));
        failures.forget(ben);
        assert_eq!(failures.count(ben, begin), 0);
        // Counted on into the next generation, and forgotten when nothing is added for two.
        failures.add(ann, begin + FORGOTTEN_AFTER);
        assert_eq!(failures.count(ann, begin + FORGOTTEN_AFTER), 3);
        assert_eq!(failures.count(ann, begin + FORGOTTEN_AFTER * 2), 3);
        assert_eq!(failures.count(ann, begin + FORGOTTEN_AFTER * 3), 0);
        failures.add(ann, begin);
        assert_eq!(
            failures.count(ann, begin + FORGOTTEN_AFTER * 9),
            0,
            "after a long silence"
        );

        for number in 0..5 * REMEMBERED {
            failures.add(key("account", &number.to_string()), begin);
        }
        assert!(failures.young.len() + failures.old.len() <= 2 * REMEMBERED);
    }

    #[test]
    fn one_waits_for_an_account_from_an_address_and_thousands_in_all() {
        let throttle = Throttle::default();
        let who = |account: usize, address: usize| Waiting {
            account: key("account", &account.to_string()),
            address: key("address", &address.to_string()),
        };
        let first = throttle.place(who(0, 0)).unwrap();
        assert!(throttle.place(who(0, 0)).is_none());
        assert!(
            throttle.place(who(0, 1)).is_some(),
            "another address is not in the way"
        );
        drop(first);
        assert!(throttle.place(who(0, 0)).is_some(), "a place is given back");
        let strangers: Vec<_> = (1..1000)
            .filter_map(|address| throttle.place(who(0, address)))
            .collect();
        assert_eq!(strangers.len(), 999);
        assert!(
            throttle.place(who(0, 0)).is_some(),
            "they do not keep the owner out"
        );
        drop(strangers);
        let places: Vec<_> = (0..WAITING_EACH_ADDRESS * 2)
            .filter_map(|number| throttle.place(who(number, 0)))
            .collect();
        assert_eq!(places.len(), WAITING_EACH_ADDRESS);
        let others: Vec<_> = (0..WAITING * 2)
            .filter_map(|number| throttle.place(who(0, number + 1)))
            .collect();
        assert_eq!(places.len() + others.len(), WAITING);
    }
}
