//! `/metrics` in the text format of OpenMetrics, which Prometheus reads: every metric with its name and help, and what is
//! read only when somebody asks. A counter's name gets `_total`, a name's unit comes last.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use super::METRICS;
use super::process::Process;
use super::writer::Writer;
use crate::cache::{LOADS, LOADS_WAITING, breaker};
use crate::identity::password;
use crate::state::Shared;

pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The page of one process.
pub struct Page(Registry);

impl Page {
    pub fn new(shared: Arc<Shared>) -> Self {
        let mut registry = Registry::default();
        registry
            .sub_registry_with_prefix("trestle")
            .register_collector(Box::new(Shop(shared)));
        registry
            .sub_registry_with_prefix("process")
            .register_collector(Box::new(Kernel));
        Self(registry)
    }

    /// # Errors
    /// Never: a string takes all text.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::with_capacity(64 * 1024);
        encode(&mut text, &self.0)?;
        Ok(text)
    }
}

struct Shop(Arc<Shared>);

impl fmt::Debug for Shop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shop")
    }
}

impl Collector for Shop {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut writer = Writer(encoder);
        requests(&mut writer, &self.0)?;
        database(&mut writer)?;
        caches(&mut writer, &self.0)?;
        redis(&mut writer, &self.0)?;
        queues(&mut writer, &self.0)?;
        sales(&mut writer, &self.0)?;
        this(&mut writer, &self.0)
    }
}

fn requests(page: &mut Writer, shared: &Shared) -> fmt::Result {
    let all = METRICS.requests.read();
    let mut statuses = Vec::new();
    for ((route, method), answers) in &all {
        for (status, count) in &answers.statuses {
            let labels = [
                ("route", route.as_str()),
                ("method", method),
                ("status", status.as_str()),
            ];
            statuses.push((labels, *count));
        }
    }
    page.counters(
        "http_requests",
        "Answers by matched route, method and status",
        statuses,
    )?;
    let durations = all.iter().map(|((route, method), answers)| {
        (
            [("route", route.as_str()), ("method", *method)],
            answers.duration.clone(),
        )
    });
    page.durations(
        "http_request_duration",
        "From a request's arrival to its answer's head",
        durations,
    )?;
    let admission = &shared.admission;
    page.gauge(
        "http_requests_in_flight",
        "Requests worked on now",
        admission.under_way(),
    )?;
    page.gauge(
        "http_requests_in_flight_limit",
        "Requests that may be worked on at a time; more wait in line",
        admission.limit(),
    )?;
    let refusals = &METRICS.refusals;
    let refusals = [
        ("requests", refusals.requests.read()),
        ("hashes", refusals.hashes.read()),
        ("loads", refusals.loads.read()),
        ("throttled", refusals.throttled.read()),
    ];
    page.counters(
        "http_refusals",
        "Requests turned away, by what was full (throttled: 429)",
        refusals
            .each_ref()
            .map(|(reason, took)| ([("reason", *reason)], took.count())),
    )?;
    page.durations(
        "http_refusal",
        "From a refused request's arrival to its refusal",
        refusals.map(|(reason, took)| ([("reason", reason)], took)),
    )
}

fn database(page: &mut Writer) -> fmt::Result {
    let db = &METRICS.db;
    let (mut open, mut idle, mut most) = (0, 0, 0);
    for pool in db.pools().iter() {
        open += u64::from(pool.size());
        idle += u64::try_from(pool.num_idle()).unwrap_or_default();
        most += u64::from(pool.options().get_max_connections());
    }
    page.gauges(
        "db_connections",
        "Connections to MySQL, of all pools of this process",
        [
            ([("state", "in_use")], open.saturating_sub(idle)),
            ([("state", "idle")], idle.min(open)),
        ],
    )?;
    page.gauge(
        "db_connections_limit",
        "Connections to MySQL that this process may open",
        most,
    )?;
    page.duration(
        "db_acquire",
        "Waits for a connection to MySQL",
        &db.acquire.read(),
    )?;
    page.counter(
        "db_acquire_timeouts",
        "Waits for a connection that ended without one",
        db.acquire_timeouts.get(),
    )?;
    page.duration(
        "db_statement_duration",
        "Statements sent to MySQL",
        &db.statements.read(),
    )?;
    page.counter(
        "db_slow_statements",
        "Statements slower than TRESTLE_SLOW_QUERY_MS",
        db.slow_statements.get(),
    )?;
    page.counters(
        "db_transaction_retries",
        "Transactions begun again, by MySQL's error number (1205 lock wait, 1213 deadlock)",
        [
            ([("error", "1205")], db.retries_1205.get()),
            ([("error", "1213")], db.retries_1213.get()),
        ],
    )
}

fn caches(page: &mut Writer, shared: &Shared) -> fmt::Result {
    let stats = &shared.cache.stats;
    let results = [
        ("memory", "hit", stats.memory_hits.get()),
        ("memory", "miss", stats.memory_misses.get()),
        ("redis", "hit", stats.redis_hits.get()),
        ("redis", "miss", stats.redis_misses.get()),
        ("database", "hit", stats.loads.get()),
        ("database", "failure", stats.load_failures.get()),
        ("database", "refused", stats.refused.get()),
        // Past its bound, from memory or Redis.
        ("any", "stale", stats.stale.get()),
    ];
    page.counters(
        "cache_reads",
        "Cached reads by layer and result; stale ones are served while MySQL cannot be read",
        results.map(|(layer, result, count)| ([("layer", layer), ("result", result)], count)),
    )?;
    page.counter(
        "cache_joins",
        "Reads that waited for a load under way (single flight)",
        stats.joins.get(),
    )?;
    page.counter(
        "cache_early_refreshes",
        "Renewals of an entry before its bound",
        stats.early_refreshes.get(),
    )?;
    let (entries, bytes) = shared.cache.memory.usage();
    page.gauge("cache_entries", "Entries in memory", entries)?;
    page.bytes("cache_size", "Memory taken by entries", bytes)?;
    page.bytes(
        "cache_limit",
        "Memory that entries may take",
        shared.config.cache_bytes,
    )
}

fn redis(page: &mut Writer, shared: &Shared) -> fmt::Result {
    let calls = &shared.cache.stats.redis;
    let outcomes = [
        ("ok", &calls.ok),
        ("refused", &calls.refused),
        ("failed", &calls.failed),
        ("timed_out", &calls.timed_out),
        ("skipped", &calls.skipped),
    ];
    page.counters(
        "redis_calls",
        "Calls by outcome; refused: answered with an error; skipped: not made, breaker open or no link",
        outcomes.map(|(outcome, count)| ([("outcome", outcome)], count.get())),
    )?;
    page.duration(
        "redis_call_duration",
        "Calls that were made",
        &METRICS.redis_calls.read(),
    )?;
    let breaker = &shared.cache.breaker;
    let open = u64::from(breaker.state() == breaker::State::Open);
    page.gauge("redis_breaker_open", "1 while Redis is not asked", open)?;
    // It is closed at first, and each opening but the present one has ended.
    let opened = breaker.opened();
    page.counters(
        "redis_breaker_transitions",
        "Changes of the breaker, by what it became",
        [
            ([("to", "open")], opened),
            ([("to", "closed")], opened.saturating_sub(open)),
        ],
    )
}

fn queues(page: &mut Writer, shared: &Shared) -> fmt::Result {
    let hashes = shared.config.hashes;
    let hashing = hashes.saturating_sub(shared.hashes.available_permits());
    let (free, free_in_line) = shared.cache.free();
    let loading = LOADS.saturating_sub(free);
    // Who is loading has kept the place in line.
    let waiting = LOADS_WAITING.saturating_sub(free_in_line).saturating_sub(loading);
    let admission = &shared.admission;
    let rows = [
        ("requests", "running", admission.under_way(), admission.limit()),
        (
            "requests",
            "waiting",
            admission.waiting(),
            admission.longest_line(),
        ),
        ("hashes", "running", hashing, hashes),
        (
            "hashes",
            "waiting",
            password::waiting(),
            password::most_waiting(hashes),
        ),
        ("loads", "running", loading, LOADS),
        ("loads", "waiting", waiting, LOADS_WAITING - LOADS),
    ];
    page.gauges(
        "queue_depth",
        "Requests, password hashes and loads of cold keys, running and waiting",
        rows.map(|(queue, state, depth, _)| ([("queue", queue), ("state", state)], depth)),
    )?;
    page.gauges(
        "queue_limit",
        "How many may run and wait; more are refused",
        rows.map(|(queue, state, _, limit)| ([("queue", queue), ("state", state)], limit)),
    )
}

fn sales(page: &mut Writer, shared: &Shared) -> fmt::Result {
    let orders = &METRICS.orders;
    let states = [
        ("pending", &orders.pending),
        ("paid", &orders.paid),
        ("failed", &orders.failed),
        ("cancelled", &orders.cancelled),
        ("shipped", &orders.shipped),
    ];
    page.counters(
        "orders",
        "Orders that came to a state, on this replica",
        states.map(|(state, count)| ([("state", state)], count.get())),
    )?;
    page.counters(
        "sold_minor_units",
        "Totals of paid orders, in minor units of the currency",
        [([("currency", shared.config.currency.as_str())], orders.sold.get())],
    )?;
    page.counter(
        "stock_conflicts",
        "Orders refused with 409 out_of_stock",
        orders.stock_conflicts.get(),
    )?;
    let logins = &METRICS.logins;
    let outcomes = [
        ("succeeded", &logins.succeeded),
        ("failed", &logins.failed),
        ("refused", &logins.refused),
    ];
    page.counters(
        "login_attempts",
        "Logins by outcome; refused: not decided, because told to wait, overload or an outage",
        outcomes.map(|(outcome, count)| ([("outcome", outcome)], count.get())),
    )?;
    let recovered = &METRICS.recovered;
    let outcomes = [
        ("paid", &recovered.paid),
        ("failed", &recovered.failed),
        ("refunded", &recovered.refunded),
        ("error", &recovered.errors),
    ];
    page.counters(
        "recovered_orders",
        "What recovery ended in a request's place, by outcome",
        outcomes.map(|(outcome, count)| ([("outcome", outcome)], count.get())),
    )
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds fit into 52 bits")]
fn this(page: &mut Writer, shared: &Shared) -> fmt::Result {
    let age = shared.revocations.age_ms() as f64 / 1000.0;
    page.one(
        "change_feed_age",
        Some(&Unit::Seconds),
        "Since the change feed was last read whole, or since the start",
        &ConstGauge::new(age),
    )?;
    let ready = shared.ready.load(Ordering::Relaxed) && !shared.lifecycle.is_draining();
    page.gauge("ready", "1 while /readyz says 200", usize::from(ready))?;
    let build = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("revision", option_env!("TRESTLE_REVISION").unwrap_or("unknown")),
        ("replica", shared.config.replica.as_str()),
        ("zone", shared.zone()),
    ];
    page.info("build", "What runs here", &build)
}

#[derive(Debug)]
struct Kernel;

impl Collector for Kernel {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let (mut page, process) = (Writer(encoder), Process::read());
        page.bytes("resident_memory", "Resident memory", process.resident_bytes)?;
        page.one(
            "cpu",
            Some(&Unit::Seconds),
            "CPU time, user and system",
            &ConstCounter::new(process.cpu_seconds),
        )?;
        page.gauge("threads", "Threads", process.threads)?;
        page.gauge("open_fds", "Open file descriptors", process.open_fds)?;
        page.gauge("max_fds", "File descriptors that may be open", process.max_fds)?;
        page.one(
            "start_time",
            Some(&Unit::Seconds),
            "When the process started, in seconds since 1970",
            &ConstGauge::new(process.started),
        )
    }
}
