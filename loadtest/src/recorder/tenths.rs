//! Counts by tenths of a second: a second is too coarse to tell how long a fault was noticed.

use std::time::Instant;

use super::Ended;
use crate::result::Tenth;

const TENTH_MS: u64 = 100;
/// An hour: whoever looks closely looks at minutes.
const MOST: usize = 36_000;

pub(super) struct Tenths {
    began: Instant,
    list: Vec<Tenth>,
}

impl Tenths {
    pub(super) fn new(began: Instant) -> Self {
        Self {
            began,
            list: Vec::new(),
        }
    }

    fn at(&mut self, now: Instant) -> &mut Tenth {
        let number = millis(self.began, now) / TENTH_MS;
        let number = usize::try_from(number).unwrap_or(MOST).min(MOST);
        if self.list.len() <= number {
            self.list.resize(number + 1, Tenth::default());
        }
        &mut self.list[number]
    }

    pub(super) fn ended(&mut self, now: Instant, ended: Ended) {
        let tenth = self.at(now);
        match ended {
            Ended::Well => tenth.completed += 1,
            Ended::Shed => tenth.shed += 1,
            Ended::Failed => tenth.failed += 1,
        }
    }

    pub(super) fn order(&mut self, now: Instant) {
        self.at(now).orders += 1;
    }

    pub(super) fn error(&mut self, now: Instant, class: &str) {
        *self.at(now).errors.entry(class.to_owned()).or_default() += 1;
    }

    /// All of them, with their times counted from `from`.
    pub(super) fn finish(mut self, from: Instant) -> Vec<Tenth> {
        let signed = |millis: u64| i64::try_from(millis).unwrap_or(i64::MAX);
        let offset = signed(millis(self.began, from));
        for (tenth, number) in self.list.iter_mut().zip(0_u64..) {
            tenth.at_ms = signed(number * TENTH_MS) - offset;
        }
        self.list
    }
}

fn millis(from: Instant, until: Instant) -> u64 {
    let millis = until.saturating_duration_since(from).as_millis();
    u64::try_from(millis).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_count_from_where_measuring_began_and_none_is_left_out() {
        let began = Instant::now();
        let mut tenths = Tenths::new(began);
        let at = |ms| began + Duration::from_millis(ms);
        tenths.ended(at(50), Ended::Well);
        tenths.order(at(310));
        tenths.ended(at(320), Ended::Failed);
        tenths.error(at(399), "502");
        let list = tenths.finish(at(150));
        let times: Vec<i64> = list.iter().map(|tenth| tenth.at_ms).collect();
        assert_eq!(times, [-150, -50, 50, 150]);
        assert_eq!((list[0].completed, list[1].completed), (1, 0));
        assert_eq!((list[3].orders, list[3].failed, list[3].errors["502"]), (1, 1, 1));
    }
}
