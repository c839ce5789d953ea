//! axe-core: what a machine can tell of a page's accessibility.

use std::path::Path;

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::Browser;
use crate::pypi;

/// axe-core as one file, from the wheel of a Python package that carries it: PyPI is what every machine here reaches. The
/// package alone, without what it needs to be used from Python.
async fn axe() -> &'static str {
    static AXE: OnceCell<String> = OnceCell::const_new();
    AXE.get_or_init(async || {
        let wanted = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/requirements.txt");
        let folder = pypi::installed("axe", &wanted, &["--no-deps"]);
        let find = "import pathlib, sysconfig; print(next(pathlib.Path(sysconfig.get_path('purelib')).glob('axe*/axe.min.js')))";
        let file = pypi::must(std::process::Command::new(folder.join("bin/python")).args(["-c", find]));
        std::fs::read_to_string(file.trim()).expect("axe-core is in the package")
    })
    .await
}

impl Browser {
    /// What axe-core finds wrong with the page at hand: one line for each rule and element.
    pub async fn violations(&self) -> Vec<String> {
        let axe = axe().await;
        if self.script("return typeof window.axe", json!([])).await == "undefined" {
            self.script(axe, json!([])).await;
        }
        // Everything that axe knows, its best practices too. Nothing is loaded: the page has no frames and no sheets of others.
        let run = "return axe.run(document, {preload: false, resultTypes: ['violations']}).then((result) => result.violations)";
        let found = self.script(run, json!([])).await;
        let line = |rule: &Value, node: &Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let summary = text(&node["failureSummary"]).replace('\n', " ");
            format!("{}: {} – {summary}", text(&rule["id"]), text(&node["html"]))
        };
        let rules = found.as_array().into_iter().flatten();
        rules
            .flat_map(|rule| {
                let nodes = rule["nodes"].as_array().into_iter().flatten();
                nodes.map(move |node| line(rule, node))
            })
            .collect()
    }

    /// # Panics
    /// When axe-core finds something.
    pub async fn accessible(&self) {
        let found = self.violations().await;
        assert!(found.is_empty(), "axe-core at {}: {found:#?}", self.path().await);
    }
}
