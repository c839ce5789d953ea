//! The files of a plan.

use anyhow::Result;

use super::mix::Frequencies;
use super::{Plan, page};
use crate::report::csv;
use crate::report::folder::Folder;

/// `plan.json`, `report.html`, `demand.csv`.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Folder, plan: &Plan) -> Result<()> {
    folder.write_json("plan.json", plan)?;
    folder.write("report.html", page::page(plan))?;
    folder.write("demand.csv", demand_csv(plan)?)
}

/// A row for each interaction: what one costs, and what was measured.
pub(super) fn demand_csv(plan: &Plan) -> Result<Vec<u8>> {
    let frequencies = Frequencies::of(plan.mix);
    let rows = plan.demands.iter().map(|demand| {
        let micros = demand.cpu.times(1e6).array();
        let mut row = vec![
            demand.interaction.label().to_owned(),
            format!("{:.6}", frequencies.each[demand.interaction.index()]),
        ];
        row.extend(micros.map(|it| format!("{it:.1}")));
        row.push(
            demand
                .statements
                .map_or_else(String::new, |it| format!("{:.1}", it.each * 1e6)),
        );
        row.extend(demand.base.array().map(|it| format!("{it:.5}")));
        for point in [&demand.low, &demand.high] {
            row.push(format!("{:.3}", point.rate));
            row.extend(point.cores.array().map(|it| format!("{it:.5}")));
        }
        row
    });
    let names = [
        "interaction",
        "per_interaction_of_the_mix",
        "nginx_us",
        "api_us",
        "redis_us",
        "database_us",
        "statements_us",
        "nginx_base_cores",
        "api_base_cores",
        "redis_base_cores",
        "database_base_cores",
        "low_rate",
        "low_nginx_cores",
        "low_api_cores",
        "low_redis_cores",
        "low_database_cores",
        "high_rate",
        "high_nginx_cores",
        "high_api_cores",
        "high_redis_cores",
        "high_database_cores",
    ];
    csv::rows(&names, rows)
}
