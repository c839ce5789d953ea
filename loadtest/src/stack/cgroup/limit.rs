//! A quota as the kernel takes it: so many microseconds of CPU in each period.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::tree::Version;
use super::write;

/// Short, so that a capped replica is slowed down evenly: with the kernel's usual 100 ms the waits show in the latencies.
const PERIOD: u64 = 10_000;
/// The kernel refuses less.
const LEAST_QUOTA: u64 = 1_000;
const LONGEST_PERIOD: u64 = 1_000_000;

/// Microseconds of CPU in a period of so many microseconds; no quota: as much as there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub quota: Option<u64>,
    pub period: u64,
}

impl Limit {
    /// This many cores.
    pub fn of(cores: f64) -> Result<Self> {
        ensure!(
            (0.001..=1024.0).contains(&cores),
            "{cores} cores: a quota is 0.001 to 1024 cores"
        );
        #[expect(clippy::cast_precision_loss, reason = "both are far below 2^52")]
        let (period, least) = (PERIOD as f64, LEAST_QUOTA as f64);
        let period = period.max((least / cores).ceil());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above: 1,000 to 1,024,000,000"
        )]
        let (quota, period) = ((cores * period).round() as u64, period as u64);
        Ok(Self {
            quota: Some(quota.max(LEAST_QUOTA)),
            period: period.min(LONGEST_PERIOD),
        })
    }

    /// The limit of a cgroup as it is.
    pub fn read(version: Version, folder: &Path) -> Result<Self> {
        let text = |name: &str| {
            let file = folder.join(name);
            fs::read_to_string(&file).with_context(|| file.display().to_string())
        };
        let (quota, period) = match version {
            Version::One => (text("cpu.cfs_quota_us")?, text("cpu.cfs_period_us")?),
            Version::Two => {
                let both = text("cpu.max")?;
                let (quota, period) = both.trim().split_once(' ').context("cpu.max")?;
                (quota.to_owned(), period.to_owned())
            }
        };
        Self::parse(quota.trim(), period.trim()).with_context(|| format!("{quota:?} {period:?} is no quota"))
    }

    /// `max` or `-1` for none.
    pub fn parse(quota: &str, period: &str) -> Option<Self> {
        let quota = match quota {
            "max" | "-1" => None,
            number => Some(number.parse().ok()?),
        };
        Some(Self {
            quota,
            period: period.parse().ok()?,
        })
    }

    pub fn write(self, version: Version, folder: &Path) -> Result<()> {
        let quota = self.quota.map(|quota| quota.to_string());
        if version == Version::Two {
            let quota = quota.as_deref().unwrap_or("max");
            return write(&folder.join("cpu.max"), &format!("{quota} {}", self.period));
        }
        let file = folder.join("cpu.cfs_quota_us");
        // First none: an old quota with the new period could be more than the cgroup above has, which is refused.
        write(&file, "-1")?;
        write(&folder.join("cpu.cfs_period_us"), &self.period.to_string())?;
        quota.map_or(Ok(()), |quota| write(&file, &quota))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]
    use super::*;

    #[test]
    fn the_period_is_10_ms_until_the_quota_would_be_refused() {
        let of = |cores| {
            let limit = Limit::of(cores).unwrap();
            (limit.quota.unwrap(), limit.period)
        };
        assert_eq!(of(0.2), (2_000, 10_000));
        assert_eq!(of(0.1), (1_000, 10_000));
        assert_eq!(of(1.5), (15_000, 10_000));
        assert_eq!(of(0.05), (1_000, 20_000));
        assert_eq!(of(0.03), (1_000, 33_334));
        assert_eq!(of(0.001), (1_000, 1_000_000));
        for wrong in [0.0, -1.0, 0.0001, f64::NAN, f64::INFINITY] {
            assert!(Limit::of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        for version in [Version::One, Version::Two] {
            let folder = tempfile::tempdir().unwrap();
            for quota in [Some(2_000), None] {
                let limit = Limit {
                    quota,
                    period: 10_000,
                };
                limit.write(version, folder.path()).unwrap();
                assert_eq!(Limit::read(version, folder.path()).unwrap(), limit);
            }
        }
    }
}
