//! The load generator with a shop in containers: it runs beside nginx, and replicas' quotas are set from outside.

use std::process::{Command, Stdio};

use crate::project::{shared, top};

#[tokio::test]
async fn scale_out_works_on_containers() {
    let (_alone, project) = shared().await;
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("scale-out");
    let trestle = trestle::programs::built("trestle").unwrap();
    let output = Command::new(trestle::programs::built("trestle-loadtest").unwrap())
        .args(["scale-out", "--stack"])
        .arg(format!(
            "{} --compose --project {}",
            trestle.display(),
            project.name
        ))
        .args([
            "--replicas",
            "1,2",
            "--rounds",
            "1",
            "--probe-seconds",
            "2",
            "--quota",
            "15",
            "--output",
        ])
        .arg(&results)
        .envs(project.settings())
        .current_dir(top())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(results.join("report.html").is_file(), "{text}");
    let probes = std::fs::read_to_string(results.join("probes.csv")).unwrap();
    assert_eq!(
        probes.lines().count(),
        3,
        "a head and a probe of each count: {text}"
    );
    // Whatever the numbers are on this machine: nothing was lost.
    let result = std::fs::read_to_string(results.join("scale-out.json")).unwrap();
    let result: serde_json::Value = serde_json::from_str(&result).unwrap();
    assert!(result["audit"]["passed"].is_string(), "{text}");
    assert_eq!(
        result["verification"]["violations"],
        serde_json::json!([]),
        "{text}"
    );
    assert_eq!(project.replicas().len(), 2, "as before");
}
