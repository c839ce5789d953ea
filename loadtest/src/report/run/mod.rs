//! The report of one load against one shop.

mod files;
mod pictures;
pub(crate) mod sections;
pub mod words;

pub use files::{run_csv, timeline_csv};

use super::page::{Page, Standing};
use crate::result::{Outcome, RunResult};

/// The whole page of a run.
pub fn run_page(result: &RunResult) -> String {
    let about = format!("{}, {}", words::load(&result.load), words::when(&result.began));
    let mut page = Page::new("Trestle under load", &about);
    page.banner(
        standing(result.outcome),
        words::outcome(result.outcome),
        &words::reasons(result),
    );
    page.facts(&words::conditions(result));
    sections::overview(&mut page, result);
    sections::time(&mut page, result);
    sections::interactions(&mut page, result);
    sections::errors(&mut page, result);
    sections::promises(&mut page, result);
    sections::replicas(&mut page, result);
    sections::generator(&mut page, result);
    if !result.notes.is_empty() {
        page.section("Notes").list(&result.notes);
    }
    page.note(
        "TPC-W inspired: mixes, think times and interactions follow that benchmark's shape; the numbers are not comparable with its results.",
    );
    page.finish()
}

/// How the page's banner looks.
pub(crate) fn standing(outcome: Outcome) -> Standing {
    match outcome {
        Outcome::Passed => Standing::Good,
        Outcome::Failed => Standing::Bad,
        Outcome::Invalid | Outcome::NotAudited => Standing::Open,
    }
}
