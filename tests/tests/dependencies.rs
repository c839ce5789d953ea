//! Licences, sources and known faults of every library that is built in, from `cargo metadata`.
//!
//! cargo-deny would ask more, but fetches its advisories from a repository of its own; a clean clone behind a proxy
//! that knows only the package registries could not run it. The price is that the list of faults below is kept by
//! hand: it grows when one becomes known that could concern us, and it keeps us from going back.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Licences that a program under MIT may be linked with and given away, by their notice alone.
const LICENCES: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Others that one library may have, and why.
const LICENCE_EXCEPTIONS: [(&str, &str, &str); 3] = [
    (
        "webpki-roots",
        "CDLA-Permissive-2.0",
        "data: the certificate authorities that browsers trust; asks for the licence's text only",
    ),
    (
        "cssparser",
        "MPL-2.0",
        "of ammonia; unchanged, so pointing to its source is enough",
    ),
    (
        "dtoa-short",
        "MPL-2.0",
        "of ammonia; unchanged, so pointing to its source is enough",
    ),
];

/// Libraries that are not to come back, and why.
const BANNED: [(&str, &str); 9] = [
    (
        "rsa",
        "RUSTSEC-2023-0071: timing reveals the key, no fix; sqlx brings it with mysql-rsa",
    ),
    (
        "openssl-sys",
        "TLS is rustls on aws-lc everywhere: one library to keep current",
    ),
    ("native-tls", "as openssl-sys"),
    ("atty", "RUSTSEC-2021-0145: unmaintained; std::io::IsTerminal"),
    ("instant", "RUSTSEC-2024-0384: unmaintained"),
    ("paste", "RUSTSEC-2024-0436: unmaintained"),
    ("proc-macro-error", "RUSTSEC-2024-0370: unmaintained"),
    (
        "rustls-pemfile",
        "RUSTSEC-2025-0134: unmaintained; in rustls-pki-types",
    ),
    ("serde_yml", "RUSTSEC-2025-0068: unsound and unmaintained"),
];

/// The first version without a known fault that could concern us. A branch of its own that was mended too (3.3.3) is
/// refused all the same: we are on the newest.
const MENDED_IN: [(&str, [u64; 3], &str); 12] = [
    (
        "ammonia",
        [4, 1, 4],
        "RUSTSEC-2026-0213, 2026-0193, 2025-0071: scripts get through",
    ),
    (
        "aws-lc-sys",
        [0, 39, 0],
        "RUSTSEC-2026-0048 and four before: revoked and forged certificates",
    ),
    (
        "bytes",
        [1, 11, 1],
        "RUSTSEC-2026-0007: memory is corrupted by an overflow in reserve",
    ),
    ("crossbeam-channel", [0, 5, 15], "RUSTSEC-2025-0024: freed twice"),
    (
        "idna",
        [1, 0, 0],
        "RUSTSEC-2024-0421: names that only look different are equal",
    ),
    ("quinn-proto", [0, 11, 15], "RUSTSEC-2026-0185: memory runs out"),
    (
        "ring",
        [0, 17, 12],
        "RUSTSEC-2025-0009: panics when overflow is checked",
    ),
    (
        "rustls",
        [0, 23, 45],
        "RUSTSEC-2026-0285, 2024-0399, 2024-0336: handshakes",
    ),
    (
        "rustls-webpki",
        [0, 103, 13],
        "RUSTSEC-2026-0104 and three before: names and revocation",
    ),
    (
        "sqlx",
        [0, 8, 1],
        "RUSTSEC-2024-0363: a long value is read as commands",
    ),
    ("time", [0, 3, 47], "RUSTSEC-2026-0009: a date exhausts the stack"),
    (
        "tracing-subscriber",
        [0, 3, 20],
        "RUSTSEC-2025-0055: log lines with a terminal's commands",
    ),
];

/// What is built in for this platform, as the lock file says; nothing is fetched.
fn packages() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", &platform])
        .current_dir(root)
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().clone();
    assert!(packages.len() > 100, "{} packages", packages.len());
    packages
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or_default()
}

fn name_and_version(package: &Value) -> String {
    format!("{} {}", text(package, "name"), text(package, "version"))
}

#[test]
fn all_come_from_the_one_registry() {
    for package in packages() {
        let source = &package["source"];
        // Without a source: ours.
        assert!(
            source.is_null() || source == REGISTRY,
            "{} comes from {source}",
            name_and_version(&package)
        );
    }
}

#[test]
fn all_may_be_given_away_with_an_mit_program() {
    let packages = packages();
    for package in &packages {
        let name = text(package, "name");
        let extra: Vec<_> = LICENCE_EXCEPTIONS
            .iter()
            .filter(|(of, _, _)| *of == name)
            .map(|(_, licence, _)| *licence)
            .collect();
        let allowed = |licence: &str| LICENCES.contains(&licence) || extra.contains(&licence);
        let expression = text(package, "license");
        assert!(
            satisfied(expression, &allowed),
            "{} has the licence {expression:?}",
            name_and_version(package)
        );
    }
    for (name, licence, _) in LICENCE_EXCEPTIONS {
        let needed = packages
            .iter()
            .any(|package| text(package, "name") == name && text(package, "license").contains(licence));
        assert!(needed, "the exception of {name} is not needed any more");
    }
}

#[test]
fn none_is_banned_or_has_a_known_fault() {
    for package in packages() {
        let name = text(&package, "name");
        for (banned, reason) in BANNED {
            assert_ne!(name, banned, "{reason}");
        }
        for (faulty, mended, fault) in MENDED_IN {
            assert!(
                name != faulty || version(text(&package, "version")) >= mended,
                "{}: {fault}",
                name_and_version(&package)
            );
        }
    }
}

fn version(text: &str) -> [u64; 3] {
    let mut numbers = text
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

/// Whether an SPDX expression can be met by allowed licences alone. `/` is an old way to write OR.
fn satisfied(expression: &str, allowed: &impl Fn(&str) -> bool) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = any_of(&words, &mut at, allowed);
    met && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, allowed: &impl Fn(&str) -> bool) -> bool {
    let mut met = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all_of(words, at, allowed);
    }
    met
}

fn all_of(words: &[&str], at: &mut usize, allowed: &impl Fn(&str) -> bool) -> bool {
    let mut met = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at, allowed);
    }
    met
}

fn one(words: &[&str], at: &mut usize, allowed: &impl Fn(&str) -> bool) -> bool {
    let Some(word) = words.get(*at) else {
        return false;
    };
    *at += 1;
    if *word == "(" {
        let met = any_of(words, at, allowed);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return met && closed;
    }
    if words.get(*at) == Some(&"WITH") {
        let exception = words.get(*at + 1).copied().unwrap_or_default();
        *at += 2;
        return allowed(&format!("{word} WITH {exception}"));
    }
    allowed(word)
}

#[test]
fn a_licence_expression_is_read_as_spdx_means_it() {
    let allowed = |licence: &str| ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&licence);
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("ISC AND (GPL-3.0 OR MIT)", true),
        ("MIT OR GPL-3.0 AND GPL-2.0", true),
        ("(MIT OR ISC) AND GPL-3.0", false),
        ("Apache-2.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("", false),
        ("(MIT", false),
        ("MIT ISC", false),
    ] {
        assert_eq!(satisfied(expression, &allowed), met, "{expression}");
    }
}
