#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use clap::Parser as _;

use super::demand::{Demand, Round};
use super::files::demand_csv;
use super::*;
use crate::result::Caches;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn parsed(flags: &[&str]) -> Args {
    let line = ["plan", "--shoppers", "2000"].iter().chain(flags);
    Line::try_parse_from(line).unwrap().args
}

fn point(rate: f64, more: f64, api: f64) -> Point {
    Point {
        rate,
        more,
        cores: Tiers {
            nginx: 0.1 * api,
            api,
            redis: 0.0,
            database: 0.5 * api,
        },
        statements: Some(rate * 0.002),
        response_ms: 5.0,
        ..Point::default()
    }
}

fn plan(flags: &[&str], measured: f64) -> Plan {
    let args = parsed(flags);
    args.check().unwrap();
    let idle = point(0.0, 0.0, 0.0);
    let round = Round {
        mix: point(100.0, 0.0, 0.125),
        with: point(140.0, 40.0, 0.175),
    };
    let shop = Shop {
        mix: point(100.0, 0.0, 0.125),
        demands: Interaction::ALL
            .into_iter()
            .map(|it| Demand::of(it, &idle, vec![round.clone()]))
            .collect(),
        idle,
    };
    let frequencies = Frequencies::of(args.mix);
    let wanted = args.wanted(None);
    let needs = needs(&wanted, &frequencies, &shop, 2);
    let predicted = frequencies.cores(&shop, 100.0);
    let verdicts = check::compare(predicted, predicted.times(measured));
    let check = Check {
        shoppers: 24,
        think_s: 0.2,
        parts: 2,
        seconds: 20.6,
        rate: 100.0,
        slower: 1.0,
        predicted,
        measured: predicted.times(measured),
        statements_predicted: Some(0.2),
        statements_measured: Some(0.21),
        hashes: 0.6,
        hashes_by_model: 0.65,
        caches: Caches {
            memory: 80,
            redis: 15,
            database: 5,
        },
        trouble: 0.0,
        host_busy: 0.4,
        holds: verdicts.iter().all(|it| it.holds),
        verdicts,
    };
    Plan {
        version: 1,
        began: "2025-03-04T05:06:07Z".to_owned(),
        conditions: Conditions::default(),
        mix: args.mix,
        wanted,
        answer: sizing::size(&wanted, &needs).unwrap(),
        replicas: 2,
        shop,
        hashes: frequencies.hashes(),
        needs,
        check: Some(check),
        verification: Verification::default(),
        audit: Some(Audit::Passed("audit: all adds up".to_owned())),
        held: true,
        notes: Vec::new(),
    }
}

#[test]
fn wrong_arguments_name_the_flag() {
    for (flags, flag) in [
        (&["--think", "0"][..], "--think"),
        (&["--headroom", "95"], "--headroom"),
        (&["--headroom=-1"], "--headroom"),
        (&["--replica-cores", "0"], "--replica-cores"),
        (&["--replica-cores", "NaN"], "--replica-cores"),
        (&["--vcpu-ratio", "0"], "--vcpu-ratio"),
    ] {
        let error = parsed(flags).check().unwrap_err();
        assert!(error.downcast_ref::<Usage>().is_some(), "{flags:?}");
        assert!(error.to_string().starts_with(flag), "{error}");
    }
    let none = Line::try_parse_from(["plan", "--shoppers", "0"]).unwrap();
    assert!(
        none.args
            .check()
            .unwrap_err()
            .to_string()
            .starts_with("--shoppers")
    );
    assert!(parsed(&[]).check().is_ok());
}

#[test]
fn the_answer_is_said_in_plain_sentences() {
    let plan = plan(&["--replica-cores", "0.7"], 1.0);
    let said = text::answer(&plan);
    assert_eq!(
        said[0],
        "2,000 shoppers with the shopping mix and 7 s think time: 286 interactions/s."
    );
    // 286 x 0.00125 = 0.356 cores; with 0.49 useful in each, one replica.
    assert!(
        said[1].contains("1 replica of 0.7 cores used to 70.0 %, and 1 to spare: 2."),
        "{}",
        said[1]
    );
    assert!(
        said[3].contains("2 replicas may open 16 each, 32 in all"),
        "{}",
        said[3]
    );
    let page = page::page(&plan);
    for wanted in ["Search Request", "memory 80.0 %", "cores of this machine", "<svg"] {
        assert!(page.contains(wanted), "{wanted}");
    }
}

#[test]
fn instances_of_a_type_are_told_in_vcpus() {
    let plan = plan(&["--vcpu-ratio", "0.5"], 1.0);
    assert!(text::answer(&plan)[1].contains("vCPUs in use"));
    assert!(text::assumptions(&plan)[0].contains("--vcpu-ratio"));
}

#[test]
fn a_prediction_that_is_off_fails_the_plan() {
    assert!(plan(&[], 1.14).holds());
    let off = plan(&[], 1.2);
    assert!(!off.holds());
    assert!(
        text::summary(&off).contains("BROKEN: CPU of API"),
        "{}",
        text::summary(&off)
    );
    assert!(page::page(&off).contains("Does not hold"));
    let lost = Plan {
        held: false,
        audit: Some(Audit::NotRun("no database".to_owned())),
        ..plan(&[], 1.0)
    };
    assert!(!lost.holds());
    assert!(text::summary(&lost).contains("BROKEN: the audit could not run: no database"));
}

#[test]
fn the_plan_is_read_again() {
    let plan = plan(&[], 1.0);
    let json = serde_json::to_string(&plan).unwrap();
    let again: Plan = serde_json::from_str(&json).unwrap();
    assert_eq!(again.shop.demands.len(), 16);
    let csv = String::from_utf8(demand_csv(&again).unwrap()).unwrap();
    assert_eq!(csv.lines().count(), 17);
    assert!(
        csv.contains("Home,0.160000,125.0,1250.0,0.0,625.0,2000.0,5.000,40.000"),
        "{csv}"
    );
}
