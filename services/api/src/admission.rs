//! How many requests are worked on at a time, so that goodput stays flat past saturation: what is begun is finished
//! soon, and what cannot be begun soon is refused at once, before it costs anything.
//!
//! A burst is not overload: it may wait in line for a moment. A line that does not empty is, and then nobody waits in it
//! for longer than a refusal may take.

use std::future::Future;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// Requests worked on at a time, for each worker, unless configured. More only share the same core: at 0.3 core with an
/// ordering mix, 32 gave 1.3 times the goodput of 128 at three times the saturating load, and as much below it.
pub const FOR_EACH_WORKER: usize = 32;
/// How long a request waits in line in a burst: some page opened by a whole class at once.
const BURST: Duration = Duration::from_millis(250);
/// How long it waits in a line that has not been empty for as long as a burst may take. A refusal is to be told in 50 ms.
const STANDING: Duration = Duration::from_millis(10);
/// The line's length for each place.
const LINE_FOR_EACH_PLACE: usize = 8;

/// The places, and the line in front of them.
#[derive(Debug)]
pub struct Admission {
    places: Semaphore,
    limit: usize,
    waiting: AtomicUsize,
    started: Instant,
    /// When the line began, in milliseconds since `started`; it counts while somebody waits.
    line_since: AtomicU64,
}

impl Admission {
    pub fn new(limit: usize) -> Self {
        Self {
            places: Semaphore::new(limit),
            limit,
            waiting: AtomicUsize::new(0),
            started: Instant::now(),
            line_since: AtomicU64::new(0),
        }
    }

    /// A place to work at; None when there is none soon.
    pub async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        if let Ok(place) = self.places.try_acquire() {
            return Some(place);
        }
        let in_line = InLine::join(self)?;
        let patience = in_line.patience;
        timeout(patience, self.places.acquire()).await.ok()?.ok()
    }

    /// Waits for something outside of this shop without taking up a place, such as a slow payment. The caller has a place,
    /// and must not be cancelled meanwhile.
    pub async fn while_elsewhere<T>(&self, wait: impl Future<Output = T>) -> T {
        self.places.add_permits(1);
        let value = wait.await;
        if let Ok(place) = self.places.acquire().await {
            place.forget();
        }
        value
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
struct InLine<'a> {
    waiting: &'a AtomicUsize,
    patience: Duration,
}

impl<'a> InLine<'a> {
    fn join(admission: &'a Admission) -> Option<Self> {
        let now = admission.now_ms();
        let before = admission.waiting.fetch_add(1, Ordering::Relaxed);
        // Made before the check, so that a refusal leaves the line too.
        let mut in_line = Self {
            waiting: &admission.waiting,
            patience: BURST,
        };
        if before == 0 {
            admission.line_since.store(now, Ordering::Relaxed);
        } else if now.saturating_sub(admission.line_since.load(Ordering::Relaxed)) > as_ms(BURST) {
            in_line.patience = STANDING;
        }
        (before < admission.longest_line()).then_some(in_line)
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
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
    async fn a_line_that_stands_refuses_soon() {
        let admission = Admission::new(1);
        let _place = admission.enter().await;
        let first = async {
            let refused = admission.enter().await;
            refused.is_none()
        };
        let later = async {
            tokio::time::sleep(BURST / 2).await;
            // Keeps the line from emptying while the next one comes.
            let second = admission.enter();
            let third = async {
                tokio::time::sleep(BURST / 2 + Duration::from_millis(20)).await;
                let began = Instant::now();
                let refused = admission.enter().await.is_none();
                (refused, began.elapsed())
            };
            tokio::join!(second, third).1
        };
        let (first, (third, took)) = tokio::join!(first, later);
        assert!(first && third);
        assert!(took < BURST / 2, "{took:?}");
    }

    #[tokio::test]
    async fn who_waits_elsewhere_leaves_the_place_to_others() {
        let admission = Admission::new(1);
        let place = admission.enter().await;
        let (end, ends) = tokio::sync::oneshot::channel::<()>();
        let slow = admission.while_elsewhere(async { ends.await.is_ok() });
        let other = async {
            tokio::task::yield_now().await;
            let entered = admission.enter().await.is_some();
            end.send(()).ok();
            entered
        };
        assert_eq!(tokio::join!(slow, other), (true, true));
        assert_eq!(admission.under_way(), 1);
        drop(place);
        assert_eq!(admission.under_way(), 0);
    }
}
