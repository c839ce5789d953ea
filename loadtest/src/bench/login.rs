//! Logins against bare argon2, with as many hashes at a time.

use anyhow::{Context as _, Result};
use http::{Method, StatusCode};
use serde_json::json;

use super::buyer::Buyer;
use super::client::{Target, drive, request};
use super::compare::{Comparison, Measure, Round, Subject};
use super::limit::{self, hashes};
use super::measure::Meter;
use super::shop::Shop;
use super::{Setting, say};

/// Logins, one hash at a time.
///
/// # Errors
/// When one side fails.
pub async fn compare(setting: &Setting, shop: &Shop) -> Result<Comparison> {
    const HASHES: u16 = 1;
    let buyers = Buyer::register(shop, 4).await?;
    let target = Target {
        address: shop.api,
        connections: buyers.len(),
        meter: Meter::Process(shop.api_pid),
        status: StatusCode::CREATED,
        cache: None,
    };
    let mut rounds = Vec::new();
    for number in 1..=setting.rounds {
        say(&format!("round {number}: Login"));
        let emails: Vec<String> = buyers.iter().map(|buyer| buyer.email.clone()).collect();
        let make = move |connection: usize, _| {
            let email = emails.get(connection).context("a customer")?;
            let body = json!({"email": email, "password": hashes::PASSWORD}).to_string();
            request(
                Method::POST,
                "/api/v1/sessions",
                &[("content-type", "application/json")],
                body,
            )
        };
        rounds.push(Round {
            shop: drive(target, setting.window, make).await?,
            limit: limit::measure("hashes", HASHES, setting.window, None).await?,
        });
    }
    let subject = Subject {
        id: "login".into(),
        title: "Login".into(),
        limit: "bare argon2".into(),
        unit: "login".into(),
        measure: Measure::Cpu,
        target: None,
        note: "one hash at a time on both sides; the shop also answers HTTP and writes the session. CPU decides: a rate of one \
               thread says more of who else wants the cores".into(),
    };
    Ok(Comparison::of(subject, rounds))
}
