//! A run with invented numbers.

use trestle_loadtest::interaction::{Class, Interaction, Mix};
use trestle_loadtest::load::{Arrivals, Load, Model, Shape, Unit, WarmUp};
use trestle_loadtest::result::{
    Audit, Caches, Client, Conditions, ErrorClass, Interactions, JournalCounts, Machine, Measured, MixShare,
    Outcome, RunResult, Second, Verdict, Verification,
};

/// Each as the page must say it.
pub const SAID: [&str; 36] = [
    "http://127.0.0.1:8080",
    "100,000 products",
    "0.25 cores a replica",
    "trestle 0.1.0 (abc1234)",
    "2025-03-04 05:06:07 UTC",
    "250 interactions/s arriving (Poisson)",
    "shopping",
    "mean 7 s",
    "62.5 s",
    "48,611",
    "48,900",
    "97,222",
    "3,141",
    "612",
    "123",
    "memory 70.0 %, Redis 20.0 %, database 10.0 % of 90,000 cached reads",
    "Product Detail",
    "12,345",
    "17.00",
    "25.40",
    "3.21",
    "5.43",
    "6.54",
    "21.9",
    "87.6",
    "503 overloaded",
    "GET /api/products/7 at 31.2 s",
    "no answer: connection reset",
    "9,876",
    "4,711",
    "stock, orders and carts agree",
    "api-2",
    "33.3 %",
    "41.5 %",
    "82.6 MiB",
    "99.9 %",
];

pub fn run() -> RunResult {
    RunResult {
        version: 1,
        began: "2025-03-04T05:06:07Z".into(),
        conditions: Conditions {
            url: "http://127.0.0.1:8080".into(),
            products: 100_000,
            replicas: 3,
            quota: Some(0.25),
            machine: Machine {
                cores: 2,
                processor: "Example CPU @ 2.50GHz".into(),
                memory_mib: 7_900,
                kernel: "Linux 6.1.0".into(),
            },
            trestle: "trestle 0.1.0 (abc1234)".into(),
        },
        load: Load {
            model: Model::Open {
                rate: 250.0,
                arrivals: Arrivals::Poisson,
                unit: Unit::Interactions,
                shape: Shape::default(),
            },
            mix: Mix::Shopping,
            only: None,
            more: None,
            product: None,
            fine: false,
            think_s: 7.0,
            with_sessions: false,
            seconds: 62.5,
            warm_up: WarmUp::Settled,
            seed: 42,
        },
        measured: measured(),
        mix: Interaction::MIXED
            .into_iter()
            .zip(Mix::Shopping.weights())
            .map(|(interaction, weight)| MixShare {
                interaction,
                wanted: f64::from(weight) / 100.0,
                achieved: if interaction == Interaction::ProductDetail {
                    25.4
                } else {
                    f64::from(weight) / 101.0
                },
            })
            .collect(),
        response: trestle_loadtest::result::ResponseLimits::default(),
        limits: ["reads p99", "cart and checkout p99", "login and registration p99"]
            .into_iter()
            .zip([Class::Read, Class::Write, Class::Hash])
            .map(|(what, class)| holds(what, &format!("{} ms", class.limit_ms()), "87.6 ms"))
            .collect(),
        validity: vec![
            holds("generator lag p99", "5 ms", "1.23 ms"),
            holds("generator CPU", "80 % of a core", "41.5 %"),
            holds("sent of intended", "99 %", "99.9 %"),
        ],
        verification: Some(Verification {
            owners: 4_711,
            orders: 3_141,
            carts: 2_718,
            violations: vec![],
        }),
        audit: Some(Audit::Passed("stock, orders and carts agree".into())),
        outcome: Outcome::Passed,
        notes: vec!["The shop ran on the same machine as the generator.".into()],
    }
}

fn holds(what: &str, limit: &str, found: &str) -> Verdict {
    Verdict {
        what: what.into(),
        limit: limit.into(),
        found: found.into(),
        holds: true,
    }
}

fn measured() -> Measured {
    Measured {
        seconds: 62.5,
        warm_up_seconds: 9.0,
        settled: true,
        tenths: Vec::new(),
        interactions: Interaction::ALL.into_iter().map(interactions).collect(),
        completed: 48_611,
        offered: 48_900,
        requests: 97_222,
        bytes: 1_234_567_890,
        errors: vec![
            ErrorClass {
                class: "503 overloaded".into(),
                count: 32,
                samples: vec![
                    "GET /api/products/7 at 31.2 s, request 0190e9a2-7c1f-7b58-a6b3-9a3b3c2d1e0f".into(),
                    "GET /api/search?q=lamp at 31.4 s, request 0190e9a2-7c1f-7b58-a6b3-9a3b3c2d1e10".into(),
                ],
            },
            ErrorClass {
                class: "no answer: connection reset".into(),
                count: 5,
                samples: vec!["POST /api/orders at 32.0 s".into()],
            },
        ],
        failed: 5,
        shed: 32,
        caches: Caches {
            memory: 63_000,
            redis: 18_000,
            database: 9_000,
        },
        timeline: (-9..62).map(second).collect(),
        backlog_half: 17,
        backlog_end: 12,
        logins: 612,
        accounts: 123,
        orders: 3_141,
        client: Client {
            lag_p99_us: 1_230,
            cpu: 0.415,
            sent: 0.9987,
            memory: 86_612_345,
            connections: 900,
        },
        journal: JournalCounts {
            acknowledged: 9_876,
            refused: 12,
            unknown: 3,
        },
        replicas: vec![
            ("api-1".into(), 30_000),
            ("api-2".into(), 30_100),
            ("api-3".into(), 30_200),
        ],
    }
}

fn interactions(interaction: Interaction) -> Interactions {
    let place = f64::from(u8::try_from(interaction.index()).unwrap());
    let slow = match interaction.class() {
        Class::Read => 1.0,
        Class::Write => 3.0,
        Class::Hash => 60.0,
    };
    let base = slow * (3.21 + 0.4 * (place - 3.0).abs());
    let rare = matches!(interaction, Interaction::AdminRequest | Interaction::AdminConfirm);
    let known = |factor: f64| (!rare).then_some(base * factor);
    Interactions {
        interaction,
        count: if interaction == Interaction::ProductDetail {
            12_345
        } else {
            70 + 900 / (interaction.index() as u64 + 1)
        },
        errors: u64::from(interaction == Interaction::SearchResults) * 37,
        histogram: String::new(),
        p50: Some(base),
        p90: known(5.43 / 3.21),
        p95: known(6.54 / 3.21),
        p99: known(21.9 / 3.21),
        p999: if interaction == Interaction::ProductDetail {
            Some(87.6)
        } else {
            None
        },
        mean_ms: base * 1.3,
        max_ms: base * 60.0,
    }
}

fn second(at: i64) -> Second {
    let noise = u64::try_from((at + 20) * 7_919 % 41).unwrap();
    let trouble = (30..34).contains(&at);
    let warm = u64::try_from((at + 10).min(20)).unwrap();
    Second {
        at,
        offered: 780 + noise,
        completed: if trouble { 610 + noise } else { 775 + noise },
        failed: u64::from(at == 32) * 5,
        shed: if trouble { 8 } else { 0 },
        orders: 50 + noise / 8,
        p50_us: 3_200 + noise * 20,
        p99_us: if trouble {
            140_000 + noise * 500
        } else {
            18_000 + noise * 300
        },
        in_flight: 12,
        caches: Caches {
            memory: 300 + warm * 33,
            redis: 190 + noise,
            database: 550 - warm * 22,
        },
    }
}
