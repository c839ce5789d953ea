//! What has to be alike for two results to be comparable.

use serde::Serialize;

use crate::result::RunResult;

/// Resident memory that the kernel takes for itself differs from start to start.
const MEMORY_TOLERANCE_MIB: u64 = 64;

/// One line for each thing that differs and should not: what, A's, B's.
pub fn differences(a: &RunResult, b: &RunResult) -> Vec<String> {
    let mut found = Vec::new();
    let (on_a, on_b) = (&a.conditions, &b.conditions);
    let mut same = |what: &str, a: String, b: String| {
        if a != b {
            found.push(format!("{what} {a} / {b}"));
        }
    };
    same("products", on_a.products.to_string(), on_b.products.to_string());
    same("mix", a.load.mix.name().to_owned(), b.load.mix.name().to_owned());
    same("only", told(&a.load.only), told(&b.load.only));
    same("load", told(&a.load.model), told(&b.load.model));
    same("think time", seconds(a.load.think_s), seconds(b.load.think_s));
    same(
        "valid sessions",
        told(&a.load.with_sessions),
        told(&b.load.with_sessions),
    );
    same("quota", quota(on_a.quota), quota(on_b.quota));
    same(
        "cores",
        on_a.machine.cores.to_string(),
        on_b.machine.cores.to_string(),
    );
    same(
        "processor",
        told(&on_a.machine.processor),
        told(&on_b.machine.processor),
    );
    same("kernel", told(&on_a.machine.kernel), told(&on_b.machine.kernel));
    let memory = (on_a.machine.memory_mib, on_b.machine.memory_mib);
    if memory.0.abs_diff(memory.1) > MEMORY_TOLERANCE_MIB {
        found.push(format!("memory {} MiB / {} MiB", memory.0, memory.1));
    }
    found
}

/// As it stands in the file, on one line.
fn told(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn seconds(of: f64) -> String {
    format!("{of} s")
}

fn quota(of: Option<f64>) -> String {
    of.map_or_else(|| "none".to_owned(), |cores| format!("{cores} cores"))
}
