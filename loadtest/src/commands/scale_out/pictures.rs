//! The pictures of a run of `scale-out`.

use super::judge::{TARGET, TARGET_AT};
use super::probe::{Cpu, number};
use super::result::ScaleOutResult;
use crate::report::chart::{Bar, Bars, Fit, Group, LineChart, Scatter, Series};
use crate::stats::bootstrap::Estimate;

/// Steps of the curve between two counts.
const FINE: u32 = 8;

/// Throughput by number of replicas.
pub fn capacity(result: &ScaleOutResult) -> Scatter {
    let analysis = &result.analysis;
    let used = result.probes.iter().filter(|probe| analysis.uses(probe));
    let medians = analysis
        .counts
        .iter()
        .filter_map(|it| Some((number(it.replicas), it.throughput?.value)));
    let mut medians: Vec<(f64, f64)> = medians.collect();
    medians.sort_by(|left, right| left.0.total_cmp(&right.0));
    let largest = number(result.largest());
    let steps = FINE * u32::try_from(result.largest()).unwrap_or(1);
    let fit = analysis.usl.as_ref().map(|fit| Fit {
        name: "Universal Scalability Law, fitted".to_owned(),
        curve: (FINE..=steps)
            .map(|step| f64::from(step) / f64::from(FINE))
            .map(|n| (n, fit.law.predict(n)))
            .collect(),
        band: Vec::new(),
    });
    let one = medians.iter().find(|(n, _)| *n <= 1.0).map(|(_, x)| *x);
    Scatter {
        title: "Capacity by number of replicas".to_owned(),
        x: "Replicas".to_owned(),
        y: "Throughput at saturation (interactions/s)".to_owned(),
        rounds: used
            .map(|probe| (number(probe.replicas), probe.throughput))
            .collect(),
        medians,
        fit,
        ideal: one.map(|one| {
            let line = vec![(1.0, one), (largest, one * largest)];
            ("ideal: N times one replica's median".to_owned(), line)
        }),
        whole: true,
    }
}

/// Efficiency and contention; none where nothing could be compared.
pub fn efficiency(result: &ScaleOutResult) -> Option<Bars> {
    let counts = result
        .analysis
        .counts
        .iter()
        .filter(|it| it.replicas > 1 && it.efficiency.is_some());
    let groups: Vec<Group> = counts
        .map(|it| Group {
            name: format!("{} replicas", it.replicas),
            bars: vec![it.efficiency.map(bar), it.answers_against_one.map(bar)],
            target: (it.replicas == TARGET_AT).then_some(TARGET),
        })
        .collect();
    (!groups.is_empty()).then(|| Bars {
        title: "Efficiency: what N replicas do, of N times what one does".to_owned(),
        axis: "Against one replica (1 = as good)".to_owned(),
        series: vec![
            "throughput: X(N) / (N X(1))".to_owned(),
            "answers for a second of the replicas' CPU, N against 1".to_owned(),
        ],
        groups,
    })
}

fn bar(estimate: Estimate) -> Bar {
    Bar {
        value: estimate.value,
        interval: estimate.interval.map(|it| (it.low, it.high)),
    }
}

/// CPU by tier at saturation.
pub fn cpu(result: &ScaleOutResult) -> LineChart {
    let mut counts: Vec<_> = result.analysis.counts.iter().filter(|it| it.rounds > 0).collect();
    counts.sort_by_key(|it| it.replicas);
    let over = |name: &str, cores: &dyn Fn(&Cpu) -> f64| {
        let points = counts.iter().map(|it| (number(it.replicas), cores(&it.cpu)));
        Series::line(name, points)
    };
    let all = number(result.conditions.machine.cores);
    let series = vec![
        over("replicas (API)", &|cpu| cpu.api),
        over("nginx", &|cpu| cpu.nginx),
        over("database", &|cpu| cpu.database),
        over("Redis", &|cpu| cpu.redis),
        over("generator", &|cpu| cpu.generator),
        over("whole host, others too", &|cpu| cpu.host * all).as_reference(),
    ];
    let mut chart = LineChart::new(
        "CPU by tier at saturation",
        "Replicas",
        "Cores used (medians)",
        series,
    );
    chart.panel.height = 300.0;
    chart.panel = chart
        .panel
        .with_level("75 % of the host", super::calibrate::MOST * all);
    chart.x_from_zero = true;
    chart.x_whole = true;
    chart
}
