//! When measuring begins: when throughput and hit rate have settled.

use std::time::{Duration, Instant};

use super::{Phase, Tick};
use crate::load::WarmUp;
use crate::result::Caches;
use crate::shopper::shop::Shop;

const WINDOW: Duration = Duration::from_secs(2);
/// Windows that have to be alike.
const ALIKE: usize = 3;
/// How alike: relative for throughput, absolute for the hit rate.
const WITHIN: f64 = 0.05;
const LONGEST: Duration = Duration::from_secs(30);

/// What happened in one window.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Window {
    completed: f64,
    /// Of cached reads, the share that memory or Redis answered; none without such reads.
    hits: Option<f64>,
}

/// Waits for the end of the warm-up; false when the load had not settled within 30 s.
pub(super) async fn wait(shop: &Shop, warm_up: WarmUp, tell: &mut impl FnMut(Tick)) -> bool {
    let began = Instant::now();
    let limit = match warm_up {
        WarmUp::Seconds(seconds) => Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST),
        WarmUp::Settled => LONGEST,
    };
    let mut windows: Vec<Window> = Vec::new();
    let mut before = totals(shop);
    let mut next_window = began + WINDOW;
    let mut next_tick = began + Duration::from_secs(1);
    loop {
        let now = Instant::now();
        if now >= next_window {
            next_window += WINDOW;
            let after = totals(shop);
            windows.push(between(before, after));
            before = after;
            if warm_up == WarmUp::Settled && is_settled(&windows) {
                return true;
            }
        }
        if now >= began + limit {
            return warm_up != WarmUp::Settled;
        }
        if now >= next_tick {
            next_tick += Duration::from_secs(1);
            let second = shop.recorder.borrow_mut().last_second().unwrap_or_default();
            tell(Tick {
                phase: Phase::WarmUp,
                elapsed: (now - began).as_secs_f64(),
                of: None,
                second,
            });
        }
        shop.sleep_until(next_window.min(next_tick).min(began + limit))
            .await;
    }
}

fn totals(shop: &Shop) -> (u64, Caches) {
    let total = shop.recorder.borrow().total;
    (total.completed, total.caches)
}

fn between(before: (u64, Caches), after: (u64, Caches)) -> Window {
    #[expect(clippy::cast_precision_loss, reason = "counts of two seconds")]
    let difference = |after: u64, before: u64| after.saturating_sub(before) as f64;
    let memory = difference(after.1.memory, before.1.memory);
    let redis = difference(after.1.redis, before.1.redis);
    let all = memory + redis + difference(after.1.database, before.1.database);
    Window {
        completed: difference(after.0, before.0),
        hits: (all > 0.0).then(|| (memory + redis) / all),
    }
}

/// Whether the last three windows are alike: within 5 %, or within what chance alone makes of so few.
fn is_settled(windows: &[Window]) -> bool {
    let Some(last) = windows.len().checked_sub(ALIKE).map(|from| &windows[from..]) else {
        return false;
    };
    let completed = last.iter().map(|window| window.completed);
    let mean = completed.clone().sum::<f64>() / 3.0;
    let (least, most) = completed.fold((f64::MAX, 0.0_f64), |(least, most), it| {
        (least.min(it), most.max(it))
    });
    // Counts of arrivals vary by their root; the range of three, by some three of that.
    let chance = 3.0 / mean.max(1.0).sqrt();
    let hits: Vec<f64> = last.iter().filter_map(|window| window.hits).collect();
    let (worst, best) = hits.iter().fold((f64::MAX, 0.0_f64), |(worst, best), it| {
        (worst.min(*it), best.max(*it))
    });
    mean > 0.0
        && (most - least) / mean <= WITHIN.max(chance)
        && (hits.is_empty() || best - worst <= WITHIN.max(chance))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(counts: &[f64], hits: &[f64]) -> Vec<Window> {
        let window = |(completed, hits): (&f64, &f64)| Window {
            completed: *completed,
            hits: Some(*hits),
        };
        counts.iter().zip(hits).map(window).collect()
    }

    #[test]
    fn three_windows_within_five_percent_are_settled() {
        let even = [0.9; 4];
        assert!(!is_settled(&windows(&[10_000.0, 10_100.0], &even)));
        assert!(is_settled(&windows(
            &[5_000.0, 10_000.0, 10_100.0, 10_300.0],
            &even
        )));
        assert!(!is_settled(&windows(&[9_000.0, 10_000.0, 10_100.0], &even)));
        assert!(
            !is_settled(&windows(&[10_000.0; 3], &[0.5, 0.7, 0.9])),
            "hit rate"
        );
        assert!(!is_settled(&windows(&[0.0; 3], &even)), "nothing happens");
    }

    #[test]
    fn few_arrivals_may_vary_as_chance_does() {
        assert!(is_settled(&windows(&[30.0, 38.0, 27.0], &[0.9; 3])));
        assert!(!is_settled(&windows(&[10.0, 60.0, 110.0], &[0.9; 3])));
    }
}
