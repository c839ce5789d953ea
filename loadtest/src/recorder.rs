//! What a load comes to, counted as it happens: one thread, no locks.
//!
//! An interaction belongs to the measured time when it was to begin in it. What ends after it still counts, or the slowest would be
//! left out; the time line has the whole run, each second by what ended in it.

mod tenths;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;

use self::tenths::Tenths;
use crate::interaction::Interaction;
use crate::result::{Caches, ErrorClass, Interactions, Measured, Second};
use crate::shopper::client::{Answer, CACHE_STATUS, REPLICA};
use crate::stats::hist;

/// Of each class of errors so many are shown.
const SAMPLES: usize = 5;

/// How an interaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Well,
    /// Refused with 503 or 429.
    Shed,
    /// 5xx, no answer, or an answer that no shop should give.
    Failed,
}

/// The measurements of one load.
pub struct Recorder {
    began: Instant,
    /// The measured time, once it has begun.
    from: Option<Instant>,
    until: Option<Instant>,
    stats: Vec<Stats>,
    errors: BTreeMap<String, ErrorClass>,
    measured: Measured,
    seconds: Vec<Line>,
    tenths: Option<Tenths>,
    lag: Histogram<u64>,
    replicas: BTreeMap<Bytes, u64>,
    in_flight: u64,
    /// What a new histogram is cloned from.
    empty: Histogram<u64>,
    /// Since the load began, whether measured or not: the warm-up watches them.
    pub total: Total,
}

/// Counts since the load began.
#[derive(Debug, Clone, Copy, Default)]
pub struct Total {
    pub completed: u64,
    pub caches: Caches,
    pub errors: u64,
    pub orders: u64,
}

struct Stats {
    count: u64,
    errors: u64,
    histogram: Histogram<u64>,
}

struct Line {
    second: Second,
    latencies: Option<Histogram<u64>>,
}

impl Recorder {
    /// # Errors
    /// When a histogram cannot be made; it does not happen.
    pub fn new() -> anyhow::Result<Self> {
        let empty = hist::empty()?;
        Ok(Self {
            began: Instant::now(),
            from: None,
            until: None,
            stats: Interaction::ALL
                .iter()
                .map(|_| Stats {
                    count: 0,
                    errors: 0,
                    histogram: empty.clone(),
                })
                .collect(),
            errors: BTreeMap::new(),
            measured: Measured::default(),
            seconds: Vec::new(),
            tenths: None,
            lag: empty.clone(),
            replicas: BTreeMap::new(),
            in_flight: 0,
            total: Total::default(),
            empty,
        })
    }

    /// Counts by tenths of a second, too.
    pub fn look_closely(&mut self) {
        self.tenths = Some(Tenths::new(self.began));
    }

    /// The warm-up is over.
    pub fn measure(&mut self, from: Instant, settled: bool) {
        self.from = Some(from);
        self.measured.settled = settled;
        self.measured.warm_up_seconds = (from - self.began).as_secs_f64();
    }

    /// What is to begin from now on does not belong to the measured time.
    pub fn stop(&mut self, until: Instant) {
        self.until = Some(until);
        self.measured.backlog_end = self.in_flight;
        if let Some(from) = self.from {
            self.measured.seconds = until.saturating_duration_since(from).as_secs_f64();
        }
    }

    pub fn half_time(&mut self) {
        self.measured.backlog_half = self.in_flight;
    }

    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    fn is_measured(&self, due: Instant) -> bool {
        self.from.is_some_and(|from| due >= from) && self.until.is_none_or(|until| due < until)
    }

    /// An interaction was to begin at `due`, and began now.
    pub fn begun(&mut self, due: Instant, now: Instant) {
        self.in_flight += 1;
        let in_flight = self.in_flight;
        let line = self.line(now);
        line.offered += 1;
        line.in_flight = line.in_flight.max(in_flight);
        if self.is_measured(due) {
            self.measured.offered += 1;
            self.measured.client.sent += 1.0;
            self.lag
                .saturating_record(micros(now.saturating_duration_since(due)));
        }
    }

    /// An arrival that was due before the load ended, and did not begin: the generator was late.
    pub fn not_begun(&mut self, due: Instant) {
        self.line(due).offered += 1;
        if self.is_measured(due) {
            self.measured.offered += 1;
        }
    }

    /// The first classes of errors, for a message.
    pub fn first_errors(&self) -> String {
        let classes = self.errors.iter().take(3);
        let said: Vec<String> = classes
            .map(|(class, error)| format!("{class} ({})", error.samples.first().map_or("", String::as_str)))
            .collect();
        said.join(", ")
    }

    /// Any answer of the shop.
    pub fn answered(&mut self, answer: &Answer) {
        self.measured.requests += 1;
        self.measured.bytes += answer.length as u64;
        if let Some(replica) = answer.headers.get(&REPLICA) {
            *self
                .replicas
                .entry(Bytes::copy_from_slice(replica.as_bytes()))
                .or_default() += 1;
        }
        if let Some(source) = answer
            .headers
            .get(&CACHE_STATUS)
            .and_then(|value| source(value.as_bytes()))
        {
            let now = Instant::now();
            let add = |caches: &mut Caches| match source {
                Source::Memory => caches.memory += 1,
                Source::Redis => caches.redis += 1,
                Source::Database => caches.database += 1,
            };
            add(&mut self.total.caches);
            add(&mut self.line(now).caches);
            if self.is_measured(now) {
                add(&mut self.measured.caches);
            }
        }
    }

    /// Something went wrong; `sample` says what was asked.
    pub fn error(&mut self, class: String, sample: impl FnOnce() -> String) {
        self.total.errors += 1;
        if let Some(tenths) = &mut self.tenths {
            tenths.error(Instant::now(), &class);
        }
        let at = self.began.elapsed();
        let entry = self.errors.entry(class).or_default();
        entry.count += 1;
        if entry.samples.len() < SAMPLES {
            entry
                .samples
                .push(format!("{:.1} s: {}", at.as_secs_f64(), sample()));
        }
    }

    /// A step that is measured by itself has ended (a login, a new account).
    pub fn step(&mut self, step: Interaction, began: Instant, ended: Ended) {
        if !self.is_measured(began) {
            return;
        }
        match step {
            Interaction::Login => self.measured.logins += 1,
            _ => self.measured.accounts += 1,
        }
        self.count(step, began, Instant::now(), ended);
    }

    /// An interaction has ended. `due` is its intended start, moved by the steps that were measured by themselves.
    pub fn ended(&mut self, interaction: Interaction, intended: Instant, due: Instant, ended: Ended) {
        let now = Instant::now();
        self.in_flight = self.in_flight.saturating_sub(1);
        self.total.completed += 1;
        let latency = micros(now.saturating_duration_since(due));
        if let Some(tenths) = &mut self.tenths {
            tenths.ended(now, ended);
        }
        let line = self.seconds_at(now);
        match ended {
            Ended::Well => {
                line.second.completed += 1;
                let missing = line.latencies.is_none();
                let fresh = missing.then(|| self.empty.clone());
                let line = self.seconds_at(now);
                line.latencies = line.latencies.take().or(fresh);
                if let Some(latencies) = &mut line.latencies {
                    latencies.saturating_record(latency);
                }
            }
            Ended::Shed => line.second.shed += 1,
            Ended::Failed => line.second.failed += 1,
        }
        if self.is_measured(intended) {
            self.measured.completed += 1;
            match ended {
                Ended::Well => {}
                Ended::Shed => self.measured.shed += 1,
                Ended::Failed => self.measured.failed += 1,
            }
            self.count(interaction, due, now, ended);
        }
    }

    fn count(&mut self, interaction: Interaction, due: Instant, now: Instant, ended: Ended) {
        let Some(stats) = self.stats.get_mut(interaction.index()) else {
            return;
        };
        if ended == Ended::Well {
            stats.count += 1;
            stats
                .histogram
                .saturating_record(micros(now.saturating_duration_since(due)));
        } else {
            stats.errors += 1;
        }
    }

    /// An order was acknowledged.
    pub fn order(&mut self) {
        let now = Instant::now();
        self.line(now).orders += 1;
        self.total.orders += 1;
        if let Some(tenths) = &mut self.tenths {
            tenths.order(now);
        }
        if self.is_measured(now) {
            self.measured.orders += 1;
        }
    }

    fn line(&mut self, at: Instant) -> &mut Second {
        &mut self.seconds_at(at).second
    }

    fn seconds_at(&mut self, at: Instant) -> &mut Line {
        let number =
            usize::try_from(at.saturating_duration_since(self.began).as_secs()).unwrap_or(usize::MAX);
        // No run lasts longer than a day; a clock that jumps makes no list of years.
        let number = number.min(86_400);
        let closing = self.seconds.len();
        while self.seconds.len() <= number {
            self.seconds.push(Line {
                second: Second::default(),
                latencies: None,
            });
        }
        // The second before the last may still be written to by what is due in it; the ones before it are closed.
        if self.seconds.len() > closing && closing >= 2 {
            for line in &mut self.seconds[closing - 2..closing - 1] {
                line.close();
            }
        }
        &mut self.seconds[number]
    }

    /// The last whole second, for the screen.
    pub fn last_second(&mut self) -> Option<Second> {
        let number = usize::try_from(self.began.elapsed().as_secs())
            .ok()?
            .checked_sub(1)?;
        let line = self.seconds.get(number)?;
        let mut second = line.second;
        if let Some(latencies) = &line.latencies {
            second.p50_us = latencies.value_at_quantile(0.5);
            second.p99_us = latencies.value_at_quantile(0.99);
        }
        Some(second)
    }

    /// What it came to; what the client needs is filled in by who knows it.
    ///
    /// # Errors
    /// When a histogram cannot be written; it does not happen.
    pub fn finish(mut self) -> anyhow::Result<Measured> {
        let offset = self.from.map_or(0, |from| {
            i64::try_from((from - self.began).as_secs()).unwrap_or_default()
        });
        let mut measured = self.measured;
        for (number, line) in self.seconds.iter_mut().enumerate() {
            line.close();
            line.second.at = i64::try_from(number).unwrap_or(i64::MAX) - offset;
        }
        if let Some(tenths) = self.tenths {
            measured.tenths = tenths.finish(self.from.unwrap_or(self.began));
        }
        measured.timeline = self.seconds.into_iter().map(|line| line.second).collect();
        for (interaction, stats) in Interaction::ALL.into_iter().zip(&self.stats) {
            if stats.count + stats.errors > 0 {
                measured.interactions.push(stats.summary(interaction)?);
            }
        }
        measured.errors = self
            .errors
            .into_iter()
            .map(|(class, error)| ErrorClass { class, ..error })
            .collect();
        measured.replicas = self
            .replicas
            .into_iter()
            .map(|(name, count)| (String::from_utf8_lossy(&name).into_owned(), count))
            .collect();
        measured.client.lag_p99_us = self.lag.value_at_quantile(0.99);
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let offered = measured.offered.max(1) as f64;
        measured.client.sent /= offered;
        Ok(measured)
    }
}

impl Line {
    /// Latencies become percentiles; a histogram a second would be megabytes.
    fn close(&mut self) {
        if let Some(latencies) = self.latencies.take() {
            self.second.p50_us = latencies.value_at_quantile(0.5);
            self.second.p99_us = latencies.value_at_quantile(0.99);
        }
    }
}

impl Stats {
    fn summary(&self, interaction: Interaction) -> anyhow::Result<Interactions> {
        let percentile = |share| hist::percentile(&self.histogram, share);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
        let max_ms = self.histogram.max() as f64 / 1e3;
        Ok(Interactions {
            interaction,
            count: self.count,
            errors: self.errors,
            histogram: hist::encode(&self.histogram)?,
            p50: percentile(0.5),
            p90: percentile(0.9),
            p95: percentile(0.95),
            p99: percentile(0.99),
            p999: percentile(0.999),
            mean_ms: self.histogram.mean() / 1e3,
            max_ms,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Memory,
    Redis,
    Database,
}

/// Where a cached read came from: the layer that hit, or the database when none did. The list has the layer nearest to the database first
/// (RFC 9211).
fn source(value: &[u8]) -> Option<Source> {
    let text = std::str::from_utf8(value).ok()?;
    for member in text.split(',') {
        let mut parts = member.split(';').map(str::trim);
        let name = parts.next()?;
        if parts.any(|part| part == "hit") {
            return Some(match name {
                "memory" => Source::Memory,
                _ => Source::Redis,
            });
        }
    }
    Some(Source::Database)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_counted_where_it_came_from() {
        for (value, expected) in [
            ("memory; hit", Source::Memory),
            ("redis; hit, memory; fwd=miss", Source::Redis),
            ("redis; fwd=miss, memory; fwd=miss", Source::Database),
            ("memory; fwd=bypass", Source::Database),
            ("memory; hit; detail=stale", Source::Memory),
        ] {
            assert_eq!(source(value.as_bytes()), Some(expected), "{value}");
        }
    }

    #[test]
    fn only_what_was_to_begin_in_the_measured_time_counts() {
        let mut recorder = Recorder::new().unwrap();
        let before = Instant::now();
        recorder.begun(before, before);
        let from = Instant::now();
        recorder.measure(from, true);
        recorder.begun(from, from);
        recorder.ended(Interaction::Home, before, before, Ended::Well);
        recorder.ended(Interaction::Home, from, from, Ended::Failed);
        let late = Instant::now();
        recorder.stop(late);
        recorder.begun(late, late);
        recorder.ended(Interaction::Home, late, late, Ended::Well);
        let measured = recorder.finish().unwrap();
        assert_eq!((measured.offered, measured.completed, measured.failed), (1, 1, 1));
        let seen: u64 = measured
            .timeline
            .iter()
            .map(|second| second.completed + second.failed)
            .sum();
        assert_eq!(seen, 3);
    }
}
