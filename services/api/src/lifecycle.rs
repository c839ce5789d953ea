//! How a process ends: told to, it says so on the operations port, goes on answering for the linger, closes its
//! listener, finishes what is under way, and exits; at 25 s it exits whatever happens.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

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
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            phase: watch::Sender::new(Phase::Serving),
            draining: AtomicBool::new(false),
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

    /// Waits until `phase` or a later one is reached.
    pub async fn reached(&self, phase: Phase) {
        let mut receiver = self.phase.subscribe();
        // The sender lives as long as self, so this cannot fail.
        receiver.wait_for(|now| *now >= phase).await.ok();
    }
}
