//! `trestle-api openapi`: prints the document, or compares it with the committed copy.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::text;
use crate::command::say;

#[derive(Debug, Args)]
pub struct OpenapiArgs {
    /// Compares with this copy instead; exit code 1 when they differ
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
}

/// # Errors
/// When the copy cannot be read.
pub fn run(args: &OpenapiArgs) -> anyhow::Result<ExitCode> {
    let document = text(&crate::router::document());
    let Some(path) = &args.check else {
        say(document.trim_end());
        return Ok(ExitCode::SUCCESS);
    };
    let copy = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let Some(difference) = difference(&copy, &document) else {
        say(&format!("{} is what the code says", path.display()));
        return Ok(ExitCode::SUCCESS);
    };
    eprintln!("{}: {difference}", path.display());
    Ok(ExitCode::FAILURE)
}

/// What to do about a copy that is not the document, and the first line in which they differ.
pub(super) fn difference(copy: &str, document: &str) -> Option<String> {
    if copy == document {
        return None;
    }
    let (mut theirs, mut ours) = (copy.lines(), document.lines());
    let mut number = 0;
    let (copy, code) = loop {
        number += 1;
        match (theirs.next(), ours.next()) {
            (Some(copy), Some(code)) if copy == code => {}
            (copy, code) => {
                break (
                    copy.unwrap_or("(its end)").trim(),
                    code.unwrap_or("(its end)").trim(),
                );
            }
        }
    };
    Some(format!(
        "not what the code says, from line {number}: the copy has {copy}, the code {code}. \
         If the change of the API is meant, run: make openapi"
    ))
}
