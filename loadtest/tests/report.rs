//! Reports as they are written: each number is there, pictures are well-formed, nothing is taken for HTML. The pages stay in the
//! target folder (`tmp/report`), to be looked at.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

#[path = "report/pictures.rs"]
mod pictures;
#[path = "report/sample.rs"]
mod sample;

use std::path::PathBuf;

use trestle_loadtest::report::page::{Page, Standing};
use trestle_loadtest::report::run::{run_csv, run_page};
use trestle_loadtest::report::screen::run_summary;
use trestle_loadtest::result::{Audit, Outcome, RunResult, Verdict, Verification};

fn keep(name: &str, content: &str) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), content).unwrap();
}

/// Tags open and close in order, attributes are quoted, text holds no bare mark.
fn well_formed(xml: &str) -> Result<usize, String> {
    let mut open = Vec::new();
    let mut elements = 0;
    let mut rest = xml.trim();
    while !rest.is_empty() {
        let begin = rest
            .find('<')
            .ok_or_else(|| format!("text after the end: {rest}"))?;
        let (text, tag) = rest.split_at(begin);
        if text.contains('>') || text.split('&').skip(1).any(|entity| !entity.contains(';')) {
            return Err(format!("bare mark in {text:?}"));
        }
        let end = tag.find('>').ok_or("a tag without end")?;
        let (inner, after) = (&tag[1..end], &tag[end + 1..]);
        rest = after;
        if inner.contains('<') || inner.matches('"').count() % 2 == 1 {
            return Err(format!("broken tag {inner:?}"));
        }
        if let Some(name) = inner.strip_prefix('/') {
            if open.pop() != Some(name.to_owned()) {
                return Err(format!("</{name}> closes something else"));
            }
        } else {
            elements += 1;
            let name = inner
                .split_whitespace()
                .next()
                .unwrap_or("")
                .trim_end_matches('/');
            if !inner.ends_with('/') {
                open.push(name.to_owned());
            }
        }
        if open.is_empty() && !rest.trim().is_empty() {
            return Err(format!("more than one root: {rest}"));
        }
    }
    if open.is_empty() {
        Ok(elements)
    } else {
        Err(format!("not closed: {open:?}"))
    }
}

fn failed_sample() -> RunResult {
    let mut result = sample::run();
    result.outcome = Outcome::Failed;
    result.limits.push(Verdict {
        what: "errors and 503".into(),
        limit: "0.1 %".into(),
        found: "2.34 %".into(),
        holds: false,
    });
    result.conditions.trestle = "<script>alert(1)</script>".into();
    result.verification = Some(Verification {
        owners: 4_711,
        orders: 812,
        carts: 633,
        violations: vec!["order 17 of shopper <b>3</b> is gone".into()],
    });
    result.audit = Some(Audit::Failed("stock of product 5 is 3, should be 4".into()));
    result
}

#[test]
fn the_well_formed_check_can_fail() {
    assert!(well_formed("<svg><a x=\"1\"/></svg>").is_ok());
    for broken in [
        "<svg><a></svg>",
        "<svg>a & b</svg>",
        "<svg x=\"1></svg>",
        "<svg/><svg/>",
        "<svg>",
    ] {
        assert!(well_formed(broken).is_err(), "{broken}");
    }
}

#[test]
fn a_run_report_holds_all_that_was_measured() {
    let result = sample::run();
    let html = run_page(&result);
    keep("run.html", &html);
    for said in sample::SAID {
        assert!(html.contains(said), "{said}");
    }
    let summary = run_summary(&result);
    keep("run.txt", &summary);
    for said in ["Product Detail", "12,345", "Passed"] {
        assert!(summary.contains(said), "{said}\n{summary}");
    }
    assert!(!html.contains("<script") && !html.contains("src="));
}

#[test]
fn a_failed_run_says_why_and_escapes_it() {
    let result = failed_sample();
    let html = run_page(&result);
    keep("failed.html", &html);
    assert!(html.contains("errors and 503: 2.34 % (limit 0.1 %)"));
    assert!(html.contains("order 17 of shopper &lt;b&gt;3&lt;/b&gt; is gone"));
    assert!(html.contains("stock of product 5 is 3, should be 4"));
    assert!(!html.contains("<script"));
    let summary = run_summary(&result);
    assert!(summary.trim_end().ends_with("Failed"), "{summary}");
    assert!(summary.contains("BROKEN: errors and 503"), "{summary}");
}

#[test]
fn csv_files_have_a_row_for_each_second_and_interaction() {
    let result = sample::run();
    let [(timeline, seconds), (interactions, rows)] = run_csv(&result).unwrap();
    assert_eq!((timeline, interactions), ("timeline.csv", "interactions.csv"));
    let seconds = String::from_utf8(seconds).unwrap();
    assert_eq!(seconds.lines().count(), 1 + result.measured.timeline.len());
    let rows = String::from_utf8(rows).unwrap();
    assert_eq!(rows.lines().count(), 1 + result.measured.interactions.len());
    assert!(rows.contains("\nProduct Detail,12345,"), "{rows}");
    // What was not measured is empty, not 0.
    assert!(rows.lines().any(|row| row.contains(",,")), "{rows}");
}

#[test]
fn a_run_in_which_nothing_came_has_a_page_too() {
    let mut result = sample::run();
    result.measured = trestle_loadtest::result::Measured::default();
    let html = run_page(&result);
    assert!(html.contains("no cached reads") && !html.contains("NaN") && !html.contains("inf"));
    run_summary(&result);
}

#[test]
fn each_picture_is_one_well_formed_svg_that_names_itself() {
    let mut page = Page::new("Pictures", "One of each kind");
    page.banner(Standing::Open, "Invented numbers", &[]);
    for picture in pictures::all() {
        let svg = picture.svg().unwrap();
        let elements = well_formed(&svg).unwrap_or_else(|why| unreachable!("{}: {why}", picture.title()));
        assert!(elements > 20, "{}: {elements} elements", picture.title());
        assert!(
            svg.contains("role=\"img\"") && svg.contains("<title>"),
            "{}",
            picture.title()
        );
        assert!(
            !svg.contains("NaN") && !svg.contains("inf"),
            "{}",
            picture.title()
        );
        page.figure(&*picture, "A caption that says what is seen, on what machine.");
    }
    keep("pictures.html", &page.finish());
}
