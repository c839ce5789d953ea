//! report.html of `scale-out`.

use super::analysis::SATURATED;
use super::limit::Limit;
use super::result::ScaleOutResult;
use super::words::{counts, facts, findings, method, shows_not, verdict};
use super::{pictures, tables};
use crate::report::number::{count, percent, quantity};
use crate::report::page::{Page, Standing};
use crate::report::run::words::when;
use crate::result::Outcome;

/// The whole page.
pub fn page(result: &ScaleOutResult) -> String {
    let about = format!(
        "{} replicas, {} interleaved rounds, {}",
        counts(result),
        result.setup.rounds,
        when(&result.began)
    );
    let mut page = Page::new("Trestle: what more replicas bring", &about);
    let standing = match result.outcome {
        Outcome::Passed => Standing::Good,
        Outcome::Failed => Standing::Bad,
        Outcome::Invalid | Outcome::NotAudited => Standing::Open,
    };
    page.banner(
        standing,
        verdict(result.outcome),
        &[result.reasons.clone(), findings(result)].concat(),
    );
    page.facts(&facts(result));
    capacity(&mut page, result);
    limiting(&mut page, result);
    law(&mut page, result);
    checks(&mut page, result);
    promises(&mut page, result);
    if !result.notes.is_empty() {
        page.section("What was left out").list(&result.notes);
    }
    page.section("How it was measured").list(&method(result));
    if !result.calibration.is_empty() {
        page.table(&tables::calibration(result));
    }
    page.text("Interactions/s of each probe:")
        .table(&tables::rounds(result));
    page.section("What this does not show").list(&shows_not(result));
    page.note(
        "TPC-W inspired: mixes and interactions follow that benchmark's shape; the numbers are not comparable with its results.",
    );
    page.finish()
}

fn capacity(page: &mut Page, result: &ScaleOutResult) {
    page.section("Capacity and efficiency").figure(
        &pictures::capacity(result),
        "Each dot is one probe of one round, a closed load that saturates the replicas; probes that were left out are not drawn. Intervals of \
         the medians are in the table.",
    );
    page.table(&tables::capacity(result)).note(&format!(
        "Intervals are 95 %, by bootstrap over the rounds that are used. Efficiency is the median over rounds of X(N) / (N X(1)), both of one \
         round. A count whose replicas use less than {} of their quotas at saturation is limited elsewhere, and left out of efficiency and fit.",
        percent(SATURATED)
    ));
    if let Some(bars) = pictures::efficiency(result) {
        page.figure(
            &bars,
            "Throughput against N times one replica's, and what a second of the replicas' CPU answers against the same with one replica. Where \
             the second falls, the shop itself pays for having more replicas: contention.",
        );
    }
}

fn limiting(page: &mut Page, result: &ScaleOutResult) {
    let limiting = &result.limiting;
    let limit = match limiting.limit {
        Limit::Replicas => "The replicas' CPU",
        Limit::Host => "The host",
        Limit::NotDetermined => "Not determined",
    };
    page.section("What limits").text(&format!(
        "At {} replicas: {limit}, for {}.",
        result.largest(),
        limiting.why
    ));
    page.table(&tables::limiting(result));
    page.figure(
        &pictures::cpu(result),
        "CPU that each tier used while it was saturated. The grey line is all that was busy on this machine, other programs included.",
    );
    page.table(&tables::cpu(result));
}

fn law(page: &mut Page, result: &ScaleOutResult) {
    page.section("Universal Scalability Law");
    let Some(fit) = &result.analysis.usl else {
        let why = result.analysis.no_fit.clone().unwrap_or_default();
        page.text(&format!("Not fitted: {why}."));
        return;
    };
    page.text(
        "X(N) = g N / (1 + a (N - 1) + b N (N - 1)), fitted on all used rounds with a and b not below 0.",
    );
    page.table(&tables::law(fit));
    page.text(&match fit.peak {
        Some(peak) => format!("Throughput is greatest at {} replicas; beyond, more replicas bring less.", quantity(peak)),
        None => "No peak is named: either b may be 0, or the peak lies beyond twice the largest number of replicas that was measured."
            .to_owned(),
    });
}

fn checks(page: &mut Page, result: &ScaleOutResult) {
    page.section("At 90 % of the capacity").table(&tables::checks(result)).note(
        "Single interactions arrive at random (Poisson) at 90 % of the median capacity and do not wait for each other. A replica that may use a \
         tenth of a core takes ten times as long for everything, so waits near saturation are long: a limit that is broken here is a finding, \
         and does not fail the run.",
    );
}

fn promises(page: &mut Page, result: &ScaleOutResult) {
    let found = &result.verification;
    let said = if found.violations.is_empty() {
        "each is as it was acknowledged.".to_owned()
    } else {
        format!("{} violations.", count(found.violations.len() as u64))
    };
    page.section("Was anything lost?").text(&format!(
        "Afterwards {} shoppers were asked for {} orders and {} carts through the API: {said}",
        count(found.owners),
        count(found.orders),
        count(found.carts)
    ));
    page.list(&found.violations);
    page.audit(result.audit.as_ref());
}

#[cfg(test)]
mod tests;
