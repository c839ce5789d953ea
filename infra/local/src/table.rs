//! The table of processes that ends `up` and is `status`.

use std::fmt::Write as _;

use crate::control::Status;
use crate::processes::ProcessInfo;
use crate::supervisor::Phase;

const HEAD: [&str; 7] = [
    "PROCESS",
    "STATE",
    "ADDRESS",
    "OPERATIONS",
    "PID",
    "MEMORY",
    "LOG",
];

/// The stack as text, with the shop's address as its last line.
pub fn render(status: &Status) -> String {
    let rows: Vec<[String; 7]> = status.processes.iter().map(row).collect();
    let mut widths = HEAD.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = line(&HEAD.map(ToOwned::to_owned), &widths);
    for row in &rows {
        text.push_str(&line(row, &widths));
    }
    let memory: u64 = status.processes.iter().map(|process| process.memory).sum();
    let _ = writeln!(text, "\n{} in all; data in {}", megabytes(memory), status.data);
    if let Some(authority) = &status.authority {
        let _ = writeln!(text, "certificate authority to trust: {}", authority.display());
    }
    match (status.phase, status.url.is_empty()) {
        (Phase::Starting, _) => text.push_str("the stack is starting\n"),
        (Phase::Stopping, _) => text.push_str("the stack is stopping\n"),
        (Phase::Running, true) => text.push_str("the stack runs, without nginx\n"),
        (Phase::Running, false) => {
            let _ = writeln!(text, "the shop: {}", status.url);
        }
    }
    text
}

fn row(process: &ProcessInfo) -> [String; 7] {
    let restarts = match process.restarts {
        0 => String::new(),
        count => format!(" (restarts: {count})"),
    };
    [
        process.name.clone(),
        format!("{}{restarts}", process.state),
        process.address.clone(),
        process.ops_address.clone().unwrap_or_else(|| "-".to_owned()),
        process.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
        megabytes(process.memory),
        process.log.clone(),
    ]
}

fn line(cells: &[String; 7], widths: &[usize; 7]) -> String {
    let padded: Vec<String> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:<width$}"))
        .collect();
    let mut line = padded.join("  ").trim_end().to_owned();
    line.push('\n');
    line
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_longest_cell_and_the_address_comes_last() {
        let process = ProcessInfo {
            name: "api-1".to_owned(),
            state: "ready".to_owned(),
            address: "127.0.0.1:40001".to_owned(),
            ops_address: Some("127.0.0.1:40002".to_owned()),
            pid: Some(42),
            memory: 21_500_000,
            restarts: 1,
            log: "/d/logs/api-1.log".into(),
        };
        let status = Status {
            phase: Phase::Running,
            url: "http://127.0.0.1:8080".to_owned(),
            data: "/d".into(),
            launcher_pid: Some(1),
            authority: None,
            processes: vec![process],
        };
        let expected = "\
PROCESS  STATE                ADDRESS          OPERATIONS       PID  MEMORY  LOG
api-1    ready (restarts: 1)  127.0.0.1:40001  127.0.0.1:40002  42   22 MB   /d/logs/api-1.log

22 MB in all; data in /d
the shop: http://127.0.0.1:8080
";
        assert_eq!(render(&status), expected);
    }
}
