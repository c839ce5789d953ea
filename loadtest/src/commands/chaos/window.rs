//! What shoppers noticed of one fault: the tenths of a second from it to the next one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::report::number::float;
use crate::result::Tenth;

/// Throughput is back when it is at this share of what it was before.
const BACK: f64 = 0.9;
/// So many seconds before a fault tell what throughput was, at most.
const BEFORE_MS: i64 = 5_000;
/// Fewer tell nothing: then what it was before the fault before counts.
const BEFORE_LEAST: usize = 20;
/// A second: so long all has to be well.
const WELL: usize = 10;
const TENTH_MS: i64 = 100;

/// What was noticed of one fault.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Noticed {
    pub orders: u64,
    /// Interactions.
    pub failed: u64,
    pub shed: u64,
    /// Requests, by class of error.
    pub errors: BTreeMap<String, u64>,
    /// The longest time without an interaction that ended well, seconds.
    pub longest_pause: f64,
    /// The longest time without an acknowledged order, seconds.
    pub longest_without_order: f64,
    /// Interactions a second before the fault.
    pub before: f64,
    /// Seconds from the fault until nothing had failed for a second, and throughput was at 90 % of what it was before, or as near
    /// as two standard deviations of so few. None: not before the next fault, or the end.
    pub recovered: Option<f64>,
}

/// Looks at the time from a fault to the next one. `calm_from` is when the fault before was over; `fallback` what throughput was
/// before that one. All times are milliseconds since measuring began.
pub fn look(tenths: &[Tenth], fault: i64, until: i64, calm_from: i64, fallback: f64) -> Noticed {
    let window = between(tenths, fault, until);
    let earlier = between(tenths, calm_from.max(fault - BEFORE_MS), fault);
    let before = if earlier.len() >= BEFORE_LEAST {
        10.0 * float(sum(earlier, |tenth| tenth.completed)) / float(earlier.len() as u64)
    } else {
        fallback
    };
    let mut errors = BTreeMap::new();
    for (class, count) in window.iter().flat_map(|tenth| &tenth.errors) {
        *errors.entry(class.clone()).or_default() += count;
    }
    Noticed {
        orders: sum(window, |tenth| tenth.orders),
        failed: sum(window, |tenth| tenth.failed),
        shed: sum(window, |tenth| tenth.shed),
        errors,
        longest_pause: longest_pause(tenths, fault, until, |tenth| tenth.completed),
        longest_without_order: longest_pause(tenths, fault, until, |tenth| tenth.orders),
        before,
        recovered: recovered(window, before).map(|at| seconds((at - fault).max(0))),
    }
}

/// The longest time in which nothing was counted that touches what came after `from`, in seconds, to a tenth.
pub fn longest_pause(tenths: &[Tenth], from: i64, until: i64, count: impl Fn(&Tenth) -> u64) -> f64 {
    let mut last = tenths.first().map_or(from, |tenth| tenth.at_ms);
    let mut longest = 0;
    for tenth in tenths.iter().take_while(|tenth| tenth.at_ms < until) {
        if count(tenth) > 0 {
            if tenth.at_ms + TENTH_MS > from {
                longest = longest.max(tenth.at_ms - last);
            }
            last = tenth.at_ms;
        }
    }
    // What had not come by the end.
    seconds(longest.max(until - last.max(from) - TENTH_MS).max(0))
}

/// Where the first good second begins after the last that failed: with a tenth in which something ended well, because what had waited
/// for the end of a freeze may fill a second that begins before it.
fn recovered(window: &[Tenth], before: f64) -> Option<i64> {
    let enough = (BACK * before).min(before - 2.0 * before.sqrt());
    let is_bad = |tenth: &Tenth| tenth.failed + tenth.shed > 0;
    let from = window.iter().rposition(is_bad).map_or(0, |place| place + 1);
    let after = window.get(from..)?;
    let good = after
        .windows(WELL)
        .find(|second| second[0].completed > 0 && float(sum(second, |tenth| tenth.completed)) >= enough)?;
    good.first().map(|tenth| tenth.at_ms)
}

/// The tenths that touch `from`, up to those that begin at `until`.
fn between(tenths: &[Tenth], from: i64, until: i64) -> &[Tenth] {
    let first = tenths.partition_point(|tenth| tenth.at_ms + TENTH_MS <= from);
    let end = tenths.partition_point(|tenth| tenth.at_ms + TENTH_MS <= until);
    tenths.get(first..end).unwrap_or_default()
}

fn sum(tenths: &[Tenth], count: impl Fn(&Tenth) -> u64) -> u64 {
    tenths.iter().map(count).sum()
}

fn seconds(millis: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a load lasts an hour at most")]
    let millis = millis as f64;
    millis / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 30 s at 100 a second with an order in every tenth, changed by `change` (which is told the time in ms).
    fn tenths(change: impl Fn(i64, &mut Tenth)) -> Vec<Tenth> {
        let tenth = |number: i64| {
            let at_ms = number * 100 + 30;
            let mut tenth = Tenth {
                at_ms,
                completed: 10,
                orders: 1,
                ..Tenth::default()
            };
            change(at_ms, &mut tenth);
            tenth
        };
        (0..300).map(tenth).collect()
    }

    fn about(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 0.11
    }

    #[test]
    fn a_fault_that_nobody_notices_is_over_at_once() {
        let noticed = look(&tenths(|_, _| {}), 10_000, 20_000, 0, 0.0);
        assert_eq!(
            (noticed.failed, noticed.shed, noticed.recovered),
            (0, 0, Some(0.0))
        );
        assert!(about(noticed.before, 100.0), "{}", noticed.before);
        assert!(about(noticed.longest_pause, 0.1) && about(noticed.longest_without_order, 0.1));
        assert_eq!(noticed.orders, 100);
    }

    #[test]
    fn a_pause_is_measured_and_recovery_is_its_end() {
        let list = tenths(|at, tenth| {
            if (10_000..12_500).contains(&at) {
                tenth.completed = 0;
            }
            if (10_000..14_000).contains(&at) {
                tenth.orders = 0;
            }
        });
        let noticed = look(&list, 10_050, 20_000, 0, 0.0);
        assert!(about(noticed.longest_pause, 2.6), "{}", noticed.longest_pause);
        assert!(about(noticed.longest_without_order, 4.1));
        assert!(about(noticed.recovered.unwrap_or(f64::NAN), 2.5), "{noticed:?}");
    }

    #[test]
    fn recovery_is_not_before_the_last_failure() {
        let list = tenths(|at, tenth| {
            if at == 15_030 {
                tenth.failed = 1;
                tenth.errors.insert("502".to_owned(), 3);
            }
        });
        let noticed = look(&list, 10_000, 20_000, 0, 0.0);
        assert!(about(noticed.recovered.unwrap_or(f64::NAN), 5.1), "{noticed:?}");
        assert_eq!((noticed.failed, noticed.errors["502"]), (1, 3));
        // The next fault came too soon to tell.
        assert_eq!(look(&list, 10_000, 15_900, 0, 0.0).recovered, None);
        // It is the next fault's.
        assert_eq!(look(&list, 10_000, 15_000, 0, 0.0).failed, 0);
    }

    #[test]
    fn what_never_comes_back_has_not_recovered() {
        let list = tenths(|at, tenth| {
            if at > 10_000 {
                tenth.completed = 6;
            }
        });
        assert_eq!(look(&list, 10_000, 20_000, 0, 0.0).recovered, None);
        let silent = tenths(|at, tenth| tenth.completed = u64::from(at < 10_000));
        let noticed = look(&silent, 10_000, 20_000, 0, 0.0);
        assert!(about(noticed.longest_pause, 10.0), "{}", noticed.longest_pause);
    }

    #[test]
    fn a_fault_soon_after_another_is_held_to_what_was_before_that_one() {
        let list = tenths(|at, tenth| {
            if (10_000..13_000).contains(&at) {
                tenth.completed = 1;
            }
        });
        let noticed = look(&list, 12_000, 20_000, 11_500, 100.0);
        assert!(about(noticed.before, 100.0), "{}", noticed.before);
        assert!(noticed.recovered.unwrap_or(f64::NAN) > 0.5);
    }
}
