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

/// A row for each interaction: what one costs, and at how many more a second that was measured.
pub(super) fn demand_csv(plan: &Plan) -> Result<Vec<u8>> {
    let frequencies = Frequencies::of(plan.mix);
    let rows = plan.shop.demands.iter().map(|demand| {
        let mut row = vec![
            demand.interaction.label().to_owned(),
            format!("{:.6}", frequencies.each[demand.interaction.index()]),
        ];
        row.extend(demand.cpu.times(1e6).array().map(|it| format!("{it:.1}")));
        row.push(
            demand
                .statements
                .map_or_else(String::new, |it| format!("{:.1}", it * 1e6)),
        );
        row.push(format!("{:.3}", demand.response_ms));
        row.push(format!("{:.3}", demand.rate()));
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
        "response_ms",
        "more_per_second",
    ];
    csv::rows(&names, rows)
}
