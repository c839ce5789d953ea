//! How many requests are worked on at a time, so that goodput stays flat past saturation: what is begun is finished
//! soon, and what cannot be begun soon is refused before it costs anything.
//!
//! Worked on is what asks Redis or MySQL. An answer from memory costs no more than a refusal would: it needs no place.
//!
//! A burst is not overload: it may wait in line for a moment. Where that was not enough there is overload, and until it is
//! over nobody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Requests worked on at a time, for each worker, unless configured. More only share the same core.
pub const FOR_EACH_WORKER: usize = 16;
/// How long a request waits in line in a burst, and how many wait for each place: some page opened by a whole class at once.
const BURST: Duration = Duration::from_millis(200);
const LINE_FOR_EACH_PLACE: usize = 4;
/// Overload is over when nobody had to be refused for this long.
const CALM: Duration = Duration::from_millis(250);

/// The right to be worked on, until dropped. A request keeps it in its tally, so that work which outlives a client that hung
/// up still counts, and leaves it early where it only waits for something elsewhere (`tally::leave_place`).
pub type Place = OwnedSemaphorePermit;

/// The places, and the line in front of them.
#[derive(Debug)]
pub struct Admission {
    places: Arc<Semaphore>,
    limit: usize,
    waiting: AtomicUsize,
    started: Instant,
    /// Milliseconds since `started` until which there is overload.
    overload_until: AtomicU64,
}

impl Admission {
    pub fn new(limit: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limit)),
            limit,
            waiting: AtomicUsize::new(0),
            started: Instant::now(),
            overload_until: AtomicU64::new(0),
        }
    }

    /// A place to work at; None when there is none soon.
    pub async fn enter(&self) -> Option<Place> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        let place = self.wait_in_line().await;
        if place.is_none() {
            self.overload_until
                .store(self.now_ms() + as_ms(CALM), Ordering::Relaxed);
        }
        place
    }

    async fn wait_in_line(&self) -> Option<Place> {
        if self.now_ms() < self.overload_until.load(Ordering::Relaxed) {
            return None;
        }
        let _in_line = InLine::join(&self.waiting, self.longest_line())?;
        timeout(BURST, Arc::clone(&self.places).acquire_owned())
            .await
            .ok()?
            .ok()
    }

    /// How many requests may be worked on at a time.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// How many may wait in line.
    pub fn longest_line(&self) -> usize {
        self.limit * LINE_FOR_EACH_PLACE
    }

    /// How many are worked on now.
    pub fn under_way(&self) -> usize {
        self.limit.saturating_sub(self.places.available_permits())
    }

    /// How many wait in line.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// One who waits, until dropped.
struct InLine<'a>(&'a AtomicUsize);

impl<'a> InLine<'a> {
    fn join(waiting: &'a AtomicUsize, length: usize) -> Option<Self> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        // Made before the check, so that a refusal leaves the line too.
        let in_line = Self(waiting);
        (before < length).then_some(in_line)
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn as_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_burst_waits_in_line_and_a_full_line_refuses_at_once() {
        let admission = Admission::new(1);
        let place = admission.enter().await;
        assert!(place.is_some());
        let began = Instant::now();
        let crowd = (0..=LINE_FOR_EACH_PLACE).map(|_| admission.enter());
        let leave = async {
            tokio::time::sleep(BURST / 2).await;
            drop(place);
        };
        let crowd = async {
            let mut refused_at = Vec::new();
            let all = futures_util::future::join_all(crowd.map(async |enter| {
                let entered = enter.await;
                (entered.is_some(), began.elapsed())
            }));
            let mut served = 0;
            for (entered, after) in all.await {
                if entered {
                    served += 1;
                } else {
                    refused_at.push(after);
                }
            }
            (served, refused_at)
        };
        let ((served, refused_at), ()) = tokio::join!(crowd, leave);
        assert_eq!(
            served, LINE_FOR_EACH_PLACE,
            "who is in line gets in, one after the other"
        );
        assert_eq!(refused_at.len(), 1);
        assert!(refused_at[0] < BURST / 2, "who finds it full is told at once");
        assert_eq!((admission.waiting(), admission.under_way()), (0, 0));
    }

    #[tokio::test]
    async fn under_overload_nobody_waits_until_nobody_was_refused_for_a_while() {
        let admission = Admission::new(1);
        let place = admission.enter().await;
        assert!(place.is_some());
        assert!(admission.enter().await.is_none(), "a burst that is too long");
        let began = Instant::now();
        for _ in 0..10 {
            assert!(admission.enter().await.is_none());
        }
        assert!(began.elapsed() < BURST / 2, "{:?}", began.elapsed());
        tokio::time::sleep(CALM).await;
        let began = Instant::now();
        assert!(admission.enter().await.is_none());
        assert!(began.elapsed() >= BURST, "a burst again");
    }
}
