//! The generator beside wrk and hey: the same server, the same number of connections, the same rate. `make cross-check` prints the
//! comparison; it measures, so it is no part of `make test`.
//!
//! Latency is compared on one connection. Of several, hey's workers all send at the same ticks of the clock: their bursts wait for
//! each other at the server, and hey's median was 12 % above that of the same rate spread evenly.

use tokio::process::Command;

use crate::program::{folder, loadtest, result, stub};

const CONNECTIONS: &str = "32";
/// Milliseconds that the server takes for each answer: what limits is neither its processor nor a client's.
const LATENCY: &str = "5";
/// The same for the one connection: enough answers for a 99th percentile.
const SHORT_LATENCY: &str = "1";
const ROUNDS: usize = 5;
const SECONDS: &str = "5";
/// One request is one interaction.
const ONLY: &str = "new_products";
const PATH: &str = "/api/v1/products/new?category=kitchen";

/// The number after a word of a tool's output.
fn number_after(text: &str, word: &str) -> Option<f64> {
    let rest = text.split(word).nth(1)?.trim_start();
    let digits: String = rest
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    digits.parse().ok()
}

/// hey's line of a percentile, in milliseconds; newer ones write `50%%`.
fn hey_percentile(text: &str, percent: u32) -> Option<f64> {
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with(&format!("{percent}%")))?;
    number_after(line, " in ").map(|seconds| seconds * 1_000.0)
}

/// hey writes a report when every connection is refused, too.
fn hey_answers(text: &str) -> Option<f64> {
    number_after(text, "[200]")
}

async fn tool(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .await
        .unwrap_or_else(|error| panic!("{program}: {error}: infra/local/setup.sh --tests installs it"));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `result.json` of a load with sessions on one connection each, not verified: the server only answers.
async fn own(url: &str, load: &[&str]) -> serde_json::Value {
    let parent = tempfile::tempdir().unwrap();
    let (path, output) = folder(&parent, "own");
    let fixed = [
        "run",
        "--url",
        url,
        "--only",
        ONLY,
        "--with-sessions",
        "--accounts",
        "0",
        "--warm-up",
        "1",
        "--seconds",
        SECONDS,
        "--no-audit",
        "--no-verify",
        "--output",
        &output,
    ];
    loadtest(&[&fixed[..], load].concat()).await;
    result(&path)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

#[tokio::test]
#[ignore = "it measures: make cross-check"]
async fn beside_wrk_and_hey() {
    let many = stub(&["--latency", LATENCY]).await;
    let one = stub(&["--latency", SHORT_LATENCY]).await;
    let (to_many, to_one) = (format!("{}{PATH}", many.url), format!("{}{PATH}", one.url));
    let time = format!("{SECONDS}s");
    let rate = |result: &serde_json::Value| {
        let measured = &result["measured"];
        measured["completed"].as_f64().unwrap() / measured["seconds"].as_f64().unwrap()
    };
    let mut rows = vec![Vec::new(); 6];
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        let text = tool("wrk", &["-t1", "-c", CONNECTIONS, "-d", &time, &to_many]).await;
        rows[0].push(number_after(&text, "Requests/sec:").expect("wrk's rate"));
        rows[1].push(rate(
            &own(&many.url, &["--shoppers", CONNECTIONS, "--think", "0"]).await,
        ));
        let most = rate(&own(&one.url, &["--shoppers", "1", "--think", "0"]).await);
        let half = format!("{:.0}", most / 2.0);
        let text = tool("hey", &["-z", &time, "-c", "1", "-q", &half, &to_one]).await;
        let hey_rate = hey_answers(&text).expect("hey's answers") / SECONDS.parse::<f64>().unwrap();
        let arrivals = format!("{hey_rate:.1}");
        let open = own(&one.url, &["--arrivals", &arrivals, "--spread", "constant"]).await;
        let found = &open["measured"]["interactions"][0];
        for (place, percent) in [(2, 50), (4, 99)] {
            rows[place].push(hey_percentile(&text, percent).expect("hey's percentile"));
            rows[place + 1].push(found[format!("p{percent}")].as_f64().unwrap());
        }
    }
    let medians: Vec<f64> = rows.into_iter().map(median).collect();
    eprintln!(
        "{CONNECTIONS} connections and {LATENCY} ms an answer for throughput, one and {SHORT_LATENCY} ms for latency; medians of {ROUNDS} rounds:"
    );
    for (what, theirs, ours) in [
        ("throughput a second, wrk and ours", medians[0], medians[1]),
        ("p50 at half load, ms, hey and ours", medians[2], medians[3]),
        ("p99 at half load, ms, hey and ours", medians[4], medians[5]),
    ] {
        eprintln!(
            "{what:<36} {theirs:>10.2} {ours:>10.2}   {:+.1} %",
            100.0 * (ours / theirs - 1.0)
        );
    }
}

#[test]
fn what_the_tools_print_is_read() {
    let wrk = "  4000 requests in 1.00s, 2MB read\nRequests/sec:   3998.12\nTransfer/sec:      2.1MB\n";
    assert_eq!(number_after(wrk, "Requests/sec:"), Some(3998.12));
    let hey = "Latency distribution:\n  10%% in 0.0051 secs\n  50%% in 0.0061 secs\n  99%% in 0.0123 secs\n\nStatus code \
               distribution:\n  [200]\t12800 responses\n";
    assert_eq!(hey_percentile(hey, 50).map(|it| it.round()), Some(6.0));
    assert_eq!(
        hey_percentile("  99% in 0.0123 secs", 99).map(|it| it.round()),
        Some(12.0)
    );
    assert_eq!(hey_answers(hey), Some(12_800.0));
    assert_eq!(hey_answers("Error distribution:\n  [32]\trefused"), None);
}
