//! Bare argon2id: passwords checked on so many threads, with the parameters of the shop's hashes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Result, anyhow};
use argon2::{Argon2, PasswordVerifier as _};
use trestle_api::identity::password;

use super::{Stopwatch, WindowArgs};
use crate::bench::compare::Sample;

/// Any password: all take as long.
pub const PASSWORD: &str = "orbit-velvet-canyon-7";

/// # Errors
/// When argon2 refuses.
pub async fn run(args: WindowArgs) -> Result<Sample> {
    // Made by the shop's own code, so that parameters are the shop's; checked by the library alone.
    let hash = password::hash(PASSWORD).map_err(|error| anyhow!("{error}"))?;
    let (done, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let threads: Vec<_> = (0..args.parallel)
        .map(|_| {
            let (hash, done, stop) = (hash.clone(), Arc::clone(&done), Arc::clone(&stop));
            std::thread::spawn(move || verify(&hash, &done, &stop))
        })
        .collect();
    let watched = Stopwatch::new(args).watch(|| done.load(Ordering::Relaxed)).await;
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().map_err(|_| anyhow!("a hashing thread ended"))??;
    }
    Ok(Sample {
        all: done.load(Ordering::Relaxed),
        ..watched?
    })
}

fn verify(hash: &str, done: &AtomicU64, stop: &AtomicBool) -> Result<()> {
    // Its default parameters do not matter: those in the hash count.
    let argon2 = Argon2::default();
    while !stop.load(Ordering::Relaxed) {
        argon2
            .verify_password(PASSWORD.as_bytes(), hash)
            .map_err(|error| anyhow!("{error}"))?;
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn what_the_shop_hashes_the_library_alone_can_check() {
        let hash = password::hash(PASSWORD).unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(
            Argon2::default()
                .verify_password(PASSWORD.as_bytes(), hash.as_str())
                .is_ok()
        );
        assert!(
            Argon2::default()
                .verify_password(b"another", hash.as_str())
                .is_err()
        );
    }
}
