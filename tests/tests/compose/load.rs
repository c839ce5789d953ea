//! The load generator with a shop in containers: it runs beside nginx, and replicas' quotas are set from outside.

use std::process::{Command, Stdio};

use crate::project::{Project, shared, top};

#[tokio::test]
async fn scale_out_works_on_containers() {
    let (_alone, _) = shared().await;
    let project = Project::new("load");
    project.up();
    let before = quotas(&project);
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
    assert_eq!(quotas(&project), before, "each replica has its own quota again");
}

/// What each replica's cgroup lets it use.
fn quotas(project: &Project) -> Vec<String> {
    let ask = "cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us";
    project
        .replicas()
        .iter()
        .map(|name| {
            let number = name.trim_start_matches("api-");
            project.must(&["exec", "-T", "--index", number, "api", "sh", "-c", ask])
        })
        .collect()
}
