//! One picture of each kind with invented numbers, as the commands will make them.

use trestle_loadtest::report::chart::{
    Bar, Bars, Event, Fit, Group, LineChart, Panel, Picture, Ranges, Row, Scatter, Series, Timeline,
};

pub fn all() -> Vec<Box<dyn Picture>> {
    vec![
        Box::new(scale_out()),
        Box::new(autoscale()),
        Box::new(chaos()),
        Box::new(ratios()),
        Box::new(latencies()),
        Box::new(line()),
        Box::new(ranges()),
    ]
}

fn noise(place: u32) -> f64 {
    f64::from(place.wrapping_mul(2_654_435_761) >> 16 & 0xff) / 255.0 - 0.5
}

fn law(n: f64) -> f64 {
    820.0 * n / (1.0 + 0.03 * (n - 1.0) + 0.001 * n * (n - 1.0))
}

fn scale_out() -> Scatter {
    let counts = [1.0, 2.0, 3.0, 4.0, 6.0];
    let curve: Vec<(f64, f64)> = (10..=66_u32)
        .map(|tenth| f64::from(tenth) / 10.0)
        .map(|n| (n, law(n)))
        .collect();
    Scatter {
        title: "Throughput by replicas (each capped at 0.25 of a core)".into(),
        x: "Replicas".into(),
        y: "Throughput (interactions/s)".into(),
        rounds: counts
            .into_iter()
            .zip(0_u32..)
            .flat_map(|(n, place)| {
                (0..10_u32).map(move |round| (n, law(n) * (1.0 + 0.08 * noise(place * 10 + round))))
            })
            .collect(),
        medians: counts.into_iter().map(|n| (n, law(n) * 1.004)).collect(),
        fit: Some(Fit {
            name: "Universal Scalability Law, a = 0.030, b = 0.0010".into(),
            band: curve
                .iter()
                .map(|(n, x)| (*n, x * (1.0 - 0.008 * n), x * (1.0 + 0.008 * n)))
                .collect(),
            curve,
        }),
        ideal: Some((
            "ideal: N times one replica".into(),
            vec![(0.0, 0.0), (6.6, 820.0 * 6.6)],
        )),
        whole: true,
    }
}

fn autoscale() -> Timeline {
    let over = |value: fn(u32) -> f64| (0..300_u32).map(move |at| (f64::from(at), value(at)));
    let load = |at: u32| match at {
        0..60 => 200.0,
        60..180 => 200.0 + f64::from(at - 60) * 5.0,
        180..200 => 800.0,
        _ => 150.0,
    };
    Timeline {
        title: "Autoscaling on CPU: one point is 2 s, 30 times as fast as CloudWatch's minute".into(),
        x: "Time (s)".into(),
        panels: vec![
            Panel::new(
                "Load (interactions/s)",
                vec![
                Series::line("offered", over(load)).looking_like(1).as_backdrop(),
                Series::line("completed", over(move |at| match at {
                    0..60 => 200.0,
                    60..180 => 196.0 + f64::from(at - 60) * 5.0,
                    180..200 => 800.0,
                    _ => 150.0,
                } + 14.0 * noise(at))).looking_like(0),
            ],
            ),
            Panel::new(
                "Replicas",
                vec![
                    Series::steps(
                        "wanted",
                        [
                            (0.0, 1.0),
                            (82.0, 2.0),
                            (132.0, 3.0),
                            (236.0, 2.0),
                            (268.0, 1.0),
                            (299.0, 1.0),
                        ],
                    )
                    .looking_like(1)
                    .as_backdrop(),
                    Series::steps(
                        "starting",
                        [
                            (0.0, 0.0),
                            (82.0, 1.0),
                            (94.0, 0.0),
                            (132.0, 1.0),
                            (144.0, 0.0),
                            (299.0, 0.0),
                        ],
                    )
                    .looking_like(3),
                    Series::steps(
                        "serving",
                        [
                            (0.0, 1.0),
                            (94.0, 2.0),
                            (144.0, 3.0),
                            (236.0, 2.0),
                            (268.0, 1.0),
                            (299.0, 1.0),
                        ],
                    )
                    .looking_like(0),
                ],
            )
            .of_whole_numbers()
            .with_height(100.0),
            Panel::new(
                "CPU (% of the replicas' quota)",
                vec![Series::line(
                    "mean of the serving",
                    over(|at| 45.0 + f64::from(at % 60) / 2.0 + 6.0 * noise(at)),
                )],
            )
            .with_level("target 60 %", 60.0)
            .reaching(100.0),
            Panel::new(
                "Latency p99 (ms)",
                vec![Series::line(
                    "",
                    over(|at| {
                        if (90..110).contains(&at) {
                            f64::NAN
                        } else {
                            30.0 + 20.0 * noise(at)
                        }
                    }),
                )],
            )
            .with_level("limit 250 ms", 250.0),
            Panel::new(
                "Errors/s",
                vec![
                    Series::line("failed", over(|_| 0.0)),
                    Series::line("refused", over(|at| if at == 150 { 3.0 } else { 0.0 })),
                ],
            )
            .with_height(60.0)
            .reaching(4.0)
            .of_whole_numbers(),
        ],
        events: [
            (82.0, "out: 1 -> 2"),
            (94.0, "api-2 serves"),
            (132.0, "out: 2 -> 3"),
            (144.0, "api-3 serves"),
            (236.0, "in: 3 -> 2"),
            (268.0, "in: 2 -> 1"),
        ]
        .into_iter()
        .map(|(at, label)| Event {
            at,
            label: label.into(),
        })
        .collect(),
    }
}

fn chaos() -> Timeline {
    let over = |value: fn(u32) -> f64| (0..90_u32).map(move |at| (f64::from(at), value(at)));
    Timeline {
        title: "Faults under load".into(),
        x: "Time (s)".into(),
        panels: vec![
            Panel::new(
                "Throughput (interactions/s)",
                vec![Series::line(
                    "",
                    over(|at| {
                        if (40..44).contains(&at) {
                            120.0
                        } else {
                            480.0 + 40.0 * noise(at)
                        }
                    }),
                )],
            ),
            Panel::new(
                "Errors/s",
                vec![
                    Series::line("failed", over(|at| if at == 41 { 7.0 } else { 0.0 })),
                    Series::line(
                        "refused",
                        over(|at| if (40..44).contains(&at) { 210.0 } else { 0.0 }),
                    ),
                ],
            ),
            Panel::new(
                "Latency p99 (ms)",
                vec![Series::line(
                    "",
                    over(|at| {
                        if (40..46).contains(&at) {
                            1_900.0
                        } else {
                            25.0 + 9.0 * noise(at)
                        }
                    }),
                )],
            )
            .with_level("limit of reads 250 ms", 250.0),
        ],
        events: [
            (20.0, "api-1 killed"),
            (23.5, "api-1 serves again"),
            (40.0, "mysql frozen"),
            (43.0, "mysql resumed"),
            (70.0, "redis killed"),
            (85.0, "nginx killed and started again"),
        ]
        .into_iter()
        .map(|(at, label)| Event {
            at,
            label: label.into(),
        })
        .collect(),
    }
}

fn ratios() -> Bars {
    let bar = |value: f64| {
        Some(Bar {
            value,
            interval: Some((value - 0.03, value + 0.02)),
        })
    };
    let group = |name: &str, off, shipped, target| Group {
        name: name.into(),
        bars: vec![bar(off), shipped],
        target: Some(target),
    };
    Bars {
        title: "The shop against bare libraries".into(),
        axis: "Ratio of throughput (1 = as fast as the bare one)".into(),
        series: vec!["log and metrics off".into(), "as shipped".into()],
        groups: vec![
            group("Product read, hit in memory", 0.87, bar(0.66), 0.85),
            group("Product read, hit in Redis", 0.52, bar(0.44), 0.55),
            group("Not modified (304)", 0.91, None, 0.85),
            Group {
                target: None,
                ..group("Login against bare argon2", 0.98, bar(0.97), 0.0)
            },
        ],
    }
}

fn latencies() -> Bars {
    Bars {
        title: "CPU cost of each layer".into(),
        axis: "CPU (microseconds a request)".into(),
        series: vec!["CPU".into()],
        groups: [
            ("bare axum", 11.2),
            ("headers", 1.9),
            ("metrics", 2.45),
            ("log line", 3.8),
            ("<all> & more", 19.35),
        ]
        .into_iter()
        .map(|(name, value)| Group::new(name, [value]))
        .collect(),
    }
}

fn line() -> LineChart {
    let over = |factor: f64| (1..=12_u32).map(move |n| (f64::from(n), factor * f64::from(n) * 1_000.0));
    LineChart::new(
        "Six series tell themselves apart",
        "Shoppers (thousands)",
        "Requests/s",
        vec![
            Series::line("home", over(1.0)).with_band(over(1.0).map(|(x, y)| (x, y * 0.9, y * 1.1))),
            Series::line("search results", over(0.8)),
            Series::line("product detail", over(0.65)),
            Series::line("shopping cart", over(0.5)),
            Series::line("buy confirm, with a long name", over(0.35)),
            Series::line("order display", over(0.2)),
        ],
    )
}

fn ranges() -> Ranges {
    Ranges {
        title: "Start and stop".into(),
        axis: "Seconds (logarithmic)".into(),
        series: vec!["median".into(), "worst".into()],
        limit: "limit".into(),
        rows: vec![
            Row {
                name: "replica starts".into(),
                values: vec![Some(0.04), Some(0.11)],
                limit: Some(1.0),
            },
            Row {
                name: "replica drains".into(),
                values: vec![Some(2.1), None],
                limit: Some(30.0),
            },
        ],
    }
}
