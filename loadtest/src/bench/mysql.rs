//! Reads that MySQL answers, against the same statements on bare connections.

use anyhow::Result;
use http::StatusCode;

use super::client::{Target, drive, gets};
use super::compare::{Comparison, Measure, Round, Subject};
use super::limit;
use super::measure::Meter;
use super::reads::path;
use super::shop::Shop;
use super::{Setting, say};

/// As many as the shop reads products from MySQL at a time.
const PARALLEL: u16 = 8;

/// Reads with both caches off.
///
/// # Errors
/// When one side fails.
pub async fn compare(setting: &Setting, shop: &Shop, products: &[u64]) -> Result<Comparison> {
    shop.caches("off", "off").await?;
    let target = Target {
        address: shop.api,
        connections: usize::from(PARALLEL),
        meter: Meter::Process(shop.api_pid),
        status: StatusCode::OK,
        cache: Some("memory; fwd=bypass"),
    };
    let paths: Vec<String> = products.iter().map(|id| path(*id)).collect();
    let mut rounds = Vec::new();
    for number in 1..=setting.rounds {
        say(&format!("round {number}: Product in MySQL"));
        rounds.push(Round {
            shop: drive(target, setting.window, gets(paths.clone())).await?,
            limit: limit::measure("reads", PARALLEL, setting.window, Some(&shop.database_url)).await?,
        });
    }
    shop.caches("on", "on").await?;
    let subject = Subject {
        id: "mysql_read".into(),
        title: "Product in MySQL, over 1,000".into(),
        limit: "raw sqlx".into(),
        unit: "read".into(),
        measure: Measure::Cpu,
        target: None,
        note: format!(
            "CPU of the process that asks MySQL; the same three statements on {PARALLEL} connections each; the shop's \
             also answers HTTP and writes JSON"
        ),
    };
    Ok(Comparison::of(subject, rounds))
}
