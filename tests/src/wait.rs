//! Waiting for a condition, bounded.

use std::time::{Duration, Instant};

/// Tries `check` every 50 ms until it answers Some, for at most `limit`; answers it and how long it took.
///
/// # Panics
/// When the time is over; `what` says what was waited for.
pub async fn within<T>(
    limit: Duration,
    what: &str,
    mut check: impl AsyncFnMut() -> Option<T>,
) -> (T, Duration) {
    let began = Instant::now();
    loop {
        if let Some(value) = check().await {
            return (value, began.elapsed());
        }
        assert!(began.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// `within` for a plain condition and 20 s.
///
/// # Panics
/// As `within`.
pub async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) -> Duration {
    within(Duration::from_secs(20), what, async || {
        check().await.then_some(())
    })
    .await
    .1
}
