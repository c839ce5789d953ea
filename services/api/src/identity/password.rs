//! Password hashes: argon2id, made on blocking threads, as many at a time as memory and cores allow.
//!
//! A hash takes 19 MiB and a core for 17 ms. Its permit goes into the blocking task itself: a client that hangs up
//! cannot make room for one more than the bound. Who waits is bounded in number and time, and is told 503.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::password_hash::Error as HashError;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;
use unicode_normalization::UnicodeNormalization as _;

use super::guessable::is_guessable;
use crate::db::Deadline;
use crate::error::{Error, Result};
use crate::metrics::Reason;
use crate::state::AppState;
use crate::tally;
use crate::types::text::Checks;

/// NIST SP 800-63B asks for 8 at least and for 64 to be taken. (Its revision 4 asks for 15 where nothing but the password
/// proves who somebody is: longer than what people type into a demonstration, and a number to change here.)
pub const MIN_CHARS: usize = 8;
pub const MAX_CHARS: usize = 128;

/// OWASP's second choice for argon2id; 17 ms on the machine of the benchmark.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Somebody who waits longer would rather be told.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// For each hash at a time: with 17 ms a hash about half a second of waiting.
const WAITING_EACH: usize = 32;

/// A hash that no password is known for, with our costs. A login without an account is checked against it, so that
/// it takes as long as one with a wrong password.
const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$RYINMQM9yQOc8nSDA73w3w$F+i0zdOleLiKqJofZ8msBh8F9qDaHqmZI0X5WXnc+Ic";

static ARGON2: LazyLock<Option<Argon2<'static>>> = LazyLock::new(|| {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
});

fn argon2() -> Result<&'static Argon2<'static>> {
    ARGON2
        .as_ref()
        .ok_or_else(|| Error::Internal("argon2 refuses its parameters".into()))
}

/// One spelling of a password, whatever keyboard and system it was typed on: NFKC, as NIST SP 800-63B asks.
fn normalised(password: &str) -> String {
    password.nfkc().collect()
}

/// Hashes a password, with a new salt, to a PHC string. Takes 17 ms: not for a request's thread.
///
/// # Errors
/// When the system has no randomness or no memory to give.
pub fn hash(password: &str) -> Result<String> {
    let hash = argon2()?
        .hash_password(normalised(password).as_bytes())
        .map_err(|error| Error::Internal(format!("a password cannot be hashed: {error}")))?;
    Ok(hash.to_string())
}

/// Whether this is the password of the hash. As slow as `hash`.
fn matches(password: &str, phc: &str) -> Result<bool> {
    match argon2()?.verify_password(normalised(password).as_bytes(), phc) {
        Ok(()) => Ok(true),
        Err(HashError::PasswordInvalid) => Ok(false),
        Err(error) => Err(Error::Internal(format!(
            "a stored password hash cannot be used: {error}"
        ))),
    }
}

/// Checks a password that the customer with this e-mail address and name wants to have: long enough, and not among
/// those that are tried first. Any character is taken, and none is demanded.
pub fn check_new(checks: &mut Checks, field: &str, password: &str, email: &str, name: &str) {
    if is_too_long(password) {
        checks.fail(field, format!("must have at most {MAX_CHARS} characters"));
        return;
    }
    let password = normalised(password);
    if password.chars().count() < MIN_CHARS {
        checks.fail(field, format!("must have at least {MIN_CHARS} characters"));
    } else if is_guessable(&password, email, name) {
        checks.fail(
            field,
            "is easy to guess: a common word, a row of keys, or your own name",
        );
    }
}

fn is_too_long(password: &str) -> bool {
    password.chars().take(MAX_CHARS + 1).count() > MAX_CHARS
}

/// Hashes a checked password within the bounds.
///
/// # Errors
/// `Overloaded` when too many wait or for too long.
pub async fn hash_in_turn(state: &AppState, deadline: Deadline, password: String) -> Result<String> {
    Turns::of(state).run(deadline, move || hash(&password)).await
}

/// Whether this is the password of the account with that hash, within the bounds. Without a hash it is not, and
/// takes as long to say.
///
/// # Errors
/// `Overloaded` when too many wait or for too long.
pub async fn verify_in_turn(
    state: &AppState,
    deadline: Deadline,
    password: String,
    stored: Option<String>,
) -> Result<bool> {
    // No account can have such a password, and hashing a body's worth of text is work that anyone could ask for.
    if is_too_long(&password) {
        return Ok(false);
    }
    Turns::of(state)
        .run(deadline, move || {
            let matched = matches(&password, stored.as_deref().unwrap_or(DUMMY))?;
            Ok(matched && stored.is_some())
        })
        .await
}

/// How many wait in this process, on all its runtimes.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// How many wait now.
pub fn waiting() -> usize {
    WAITING.load(Ordering::Relaxed)
}

/// How many may wait, when so many are made at a time.
pub fn most_waiting(hashes: usize) -> usize {
    hashes * WAITING_EACH
}

/// Where hashes take turns.
struct Turns<'a> {
    /// One permit a hash at a time.
    permits: &'a Arc<Semaphore>,
    waiting: &'a AtomicUsize,
    most_waiting: usize,
}

impl<'a> Turns<'a> {
    fn of(state: &'a AppState) -> Self {
        Self {
            permits: &state.hashes,
            waiting: &WAITING,
            most_waiting: most_waiting(state.config.hashes),
        }
    }

    /// Does slow work on a blocking thread when its turn comes.
    async fn run<T: Send + 'static>(
        &self,
        deadline: Deadline,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = self.permit(deadline).await?;
        let task = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop(permit);
            outcome
        });
        task.await
            .map_err(|error| Error::Internal(format!("the task of a password hash ended: {error}")))?
    }

    async fn permit(&self, deadline: Deadline) -> Result<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = Place::take(self.waiting, self.most_waiting)?;
        let wait = deadline.within(LONGEST_WAIT);
        match timeout_at(wait.0, Arc::clone(self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(refused()),
        }
    }
}

/// One place among those who wait, given back when it is dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, most: usize) -> Result<Self> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        // Made before the check, so that a refusal gives its count back too.
        let place = Self(waiting);
        if before < most { Ok(place) } else { Err(refused()) }
    }
}

fn refused() -> Error {
    tally::refused(Reason::Hashes);
    Error::Overloaded
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_only() {
        let phc = hash("correct horse").unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(phc.len() <= 255 && phc.is_ascii());
        assert!(matches("correct horse", &phc).unwrap());
        assert!(!matches("correct horsf", &phc).unwrap());
        assert_ne!(hash("correct horse").unwrap(), phc, "the salt is new each time");
        assert!(matches("x", "not a hash").is_err());
    }

    #[test]
    fn the_dummy_costs_what_a_real_hash_costs() {
        let real = hash("some password").unwrap();
        let costs = |phc: &str| phc.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(costs(DUMMY), costs(&real));
        assert_eq!(DUMMY.len(), real.len());
        assert!(!matches("some password", DUMMY).unwrap());
    }

    #[test]
    fn new_passwords_have_8_to_128_characters_and_are_not_the_first_to_be_tried() {
        let fits = |password: &str| {
            let mut checks = Checks::default();
            check_new(&mut checks, "password", password, "ann@example.com", "Ann");
            checks.done().is_ok()
        };
        assert!(!fits("kxhqvwt") && fits("kxhqvwtz"));
        let long = |n: usize| "üäkxhqvwtzjf".chars().cycle().take(n).collect::<String>();
        assert!(fits(&long(128)) && !fits(&long(129)));
        assert!(fits(" kxhqvw "), "a password is not trimmed");
        assert!(!fits("password") && !fits("ann@example.com"));
    }

    #[test]
    fn a_password_is_the_same_however_its_letters_are_put_together() {
        let phc = hash("Zürich in the rain").unwrap();
        assert!(matches("Zu\u{308}rich in the rain", &phc).unwrap());
        assert!(!matches("Zurich in the rain", &phc).unwrap());
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_millis(50))
    }

    #[tokio::test]
    async fn a_client_that_hangs_up_makes_no_room_for_one_more_hash() {
        let permits = Arc::new(Semaphore::new(1));
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (end, ends) = std::sync::mpsc::channel::<()>();
        let request = tokio::spawn({
            let permits = Arc::clone(&permits);
            async move {
                let waiting = AtomicUsize::new(0);
                let turns = Turns {
                    permits: &permits,
                    waiting: &waiting,
                    most_waiting: 1,
                };
                let work = move || {
                    begun.send(()).ok();
                    ends.recv().ok();
                    Ok(())
                };
                turns.run(Deadline::after(Duration::from_secs(5)), work).await
            }
        });
        has_begun.await.unwrap();
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());

        let waiting = AtomicUsize::new(0);
        let turns = Turns {
            permits: &permits,
            waiting: &waiting,
            most_waiting: 1,
        };
        let next = turns.run(soon(), || Ok(())).await;
        assert!(matches!(next, Err(Error::Overloaded)), "its hash still runs");
        end.send(()).unwrap();
        let next = turns.run(Deadline::after(Duration::from_secs(5)), || Ok(1));
        assert_eq!(next.await.unwrap(), 1);
        assert_eq!(waiting.into_inner(), 0);
    }

    #[tokio::test]
    async fn those_who_wait_are_bounded_and_told_at_once() {
        let permits = Arc::new(Semaphore::new(0));
        let waiting = AtomicUsize::new(0);
        let turns = Turns {
            permits: &permits,
            waiting: &waiting,
            most_waiting: 1,
        };
        let first = turns.run(soon(), || Ok(()));
        let began = std::time::Instant::now();
        let second = async {
            let refused = turns
                .run(Deadline::after(Duration::from_secs(5)), || Ok(()))
                .await;
            (refused, began.elapsed())
        };
        let (first, (second, told_after)) = tokio::join!(first, second);
        assert!(matches!(first, Err(Error::Overloaded)));
        assert!(matches!(second, Err(Error::Overloaded)));
        assert!(told_after < Duration::from_millis(50), "{told_after:?}");
        assert_eq!(waiting.into_inner(), 0, "places are given back, refused ones too");
    }
}
