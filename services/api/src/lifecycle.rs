//! How a process ends: told to, it says so on the operations port, goes on answering for the linger, closes its
//! listener, finishes what is under way, and exits; at 25 s it exits whatever happens.
//!
//! What is under way includes work whose client has hung up: an order's payment, a cancelled order's refund.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::error::{Error, Result};

/// From SIGTERM to the end, at most.
pub const HARD_LIMIT: Duration = Duration::from_secs(25);

/// Where the process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Serving,
    /// Not ready any more, but accepting and answering, with `Connection: close`.
    Lingering,
    /// The listener is closed; what is under way is finished.
    Closing,
}

pub struct Lifecycle {
    phase: watch::Sender<Phase>,
    /// The same as "not Serving", for the hot path.
    draining: AtomicBool,
    /// How many pieces of work go on whether or not their client still waits.
    unfinished: watch::Sender<usize>,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            phase: watch::Sender::new(Phase::Serving),
            draining: AtomicBool::new(false),
            unfinished: watch::Sender::new(0),
        }
    }
}

impl Lifecycle {
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub fn enter(&self, phase: Phase) {
        self.draining.store(phase != Phase::Serving, Ordering::Relaxed);
        self.phase.send_replace(phase);
    }

    /// Goes through the phases, the listener being closed after `linger`. Returns `limit` after it began: whoever is still
    /// busy then is cut off.
    pub async fn drain(&self, linger: Duration, limit: Duration) {
        let began = tokio::time::Instant::now();
        self.enter(Phase::Lingering);
        tokio::time::sleep_until(began + linger).await;
        self.enter(Phase::Closing);
        tokio::time::sleep_until(began + limit).await;
    }

    /// Waits until `phase` or a later one is reached.
    pub async fn reached(&self, phase: Phase) {
        let mut receiver = self.phase.subscribe();
        // The sender lives as long as self, so this cannot fail.
        receiver.wait_for(|now| *now >= phase).await.ok();
    }

    /// Does `work` in a task of its own: a client that hangs up does not cancel it, and the end of the process
    /// waits for it.
    ///
    /// # Errors
    /// `Internal` when the work panicked.
    pub fn finish<T, F>(self: &Arc<Self>, work: F) -> impl Future<Output = Result<T>> + use<T, F>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        self.unfinished.send_modify(|count| *count += 1);
        let guard = Unfinished(Arc::clone(self));
        let task = crate::tally::spawn(async move {
            let _guard = guard;
            work.await
        });
        async move {
            task.await
                .map_err(|error| Error::Internal(format!("a request's task ended: {error}")))
        }
    }

    /// Waits until all work that `finish` was given has come to its end.
    pub async fn all_finished(&self) {
        let mut receiver = self.unfinished.subscribe();
        receiver.wait_for(|count| *count == 0).await.ok();
    }
}

/// Counts one piece of work for as long as it lives, a panic included.
struct Unfinished(Arc<Lifecycle>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.unfinished.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_waits_for_work_whose_client_has_gone() {
        let lifecycle = Arc::new(Lifecycle::default());
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let answer = lifecycle.finish(async move { released.await.is_ok() });
        drop(answer);
        let ended = lifecycle.all_finished();
        tokio::pin!(ended);
        let early = tokio::time::timeout(Duration::from_millis(20), &mut ended).await;
        assert!(early.is_err(), "it did not wait");
        release.send(()).ok();
        let late = tokio::time::timeout(Duration::from_secs(5), &mut ended).await;
        assert!(late.is_ok(), "it waited for ever");
    }

    #[tokio::test]
    async fn work_that_never_ends_does_not_keep_the_process() {
        let lifecycle = Arc::new(Lifecycle::default());
        let _stuck = lifecycle.finish(std::future::pending::<()>());
        let began = std::time::Instant::now();
        let limit = Duration::from_millis(100);
        tokio::select! {
            () = lifecycle.drain(Duration::from_millis(10), limit) => {}
            () = lifecycle.all_finished() => unreachable!("it is stuck"),
        }
        assert!(began.elapsed() >= limit && lifecycle.is_draining());
        lifecycle.reached(Phase::Closing).await;
    }

    #[tokio::test]
    async fn work_that_panics_is_over() {
        let lifecycle = Arc::new(Lifecycle::default());
        let outcome = lifecycle
            .finish(async { assert!(std::hint::black_box(false), "on purpose") })
            .await;
        assert!(outcome.is_err());
        lifecycle.all_finished().await;
    }
}
