//! A private certificate authority and the shop's certificate from it, for `trestle up --tls`.
//!
//! Invariant: the authority signs the shop's certificate and nothing else, ever: its key is forgotten at once, so a
//! person can make their browser trust it without trusting whoever reads the data folder later. Both are kept between
//! starts, and made anew together when they are about to end or other names are asked for.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};

const DAY: Duration = Duration::from_hours(24);
/// Browsers refuse public certificates of more than 398 days, Apple's also private ones of more than 825.
const LIFE: Duration = Duration::from_hours(24 * 397);
/// Renewed at the first start within this time of its end, so that a stack that stays up does not outlive it.
const RENEW_BEFORE: Duration = Duration::from_hours(24 * 30);
/// For a clock that is behind: a phone, another machine.
const BACKDATE: Duration = DAY;

/// The files of a private certificate, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateCertificate {
    pub certificate: PathBuf,
    /// Readable by its owner only.
    pub key: PathBuf,
    /// What clients are to trust, as in `curl --cacert`.
    pub authority: PathBuf,
}

/// The certificate in `dir` for `names`: host names or addresses, the first shown as its subject. Made where there is
/// none, for other names, or within 30 days of its end.
pub fn private_certificate(dir: &Path, names: &[String]) -> Result<PrivateCertificate> {
    certificate_at(dir, names, SystemTime::now())
}

fn certificate_at(dir: &Path, names: &[String], now: SystemTime) -> Result<PrivateCertificate> {
    let subject = names.first().context("names: a certificate needs at least one")?;
    let files = PrivateCertificate {
        certificate: dir.join("shop.pem"),
        key: dir.join("shop.key"),
        authority: dir.join("authority.pem"),
    };
    // Written last and removed first: while it is there, the three files belong together.
    let record = Record {
        path: dir.join("certificate.record"),
    };
    let whole = [&files.certificate, &files.key, &files.authority]
        .iter()
        .all(|file| file.is_file());
    if whole && record.is_current(names, now) {
        return Ok(files);
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    record.remove()?;

    let until = now + LIFE;
    let mut authority = CertificateParams::default();
    authority.not_before = (now - BACKDATE).into();
    authority.not_after = until.into();
    authority.distinguished_name = named("Trestle private authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority_key = KeyPair::generate().context("cannot make the authority's key")?;
    let authority_certificate = authority
        .self_signed(&authority_key)
        .context("cannot make the authority")?;

    let mut shop =
        CertificateParams::new(names).with_context(|| format!("names: cannot certify {names:?}"))?;
    shop.not_before = (now - BACKDATE).into();
    shop.not_after = until.into();
    shop.distinguished_name = named(subject);
    shop.use_authority_key_identifier_extension = true;
    shop.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    shop.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let shop_key = KeyPair::generate().context("cannot make the shop's key")?;
    let shop_certificate = shop
        .signed_by(&shop_key, &Issuer::new(authority, authority_key))
        .context("cannot sign the shop's certificate")?;

    write(&files.key, &shop_key.serialize_pem(), 0o600)?;
    write(&files.certificate, &shop_certificate.pem(), 0o644)?;
    write(&files.authority, &authority_certificate.pem(), 0o644)?;
    record.write(names, until)?;
    Ok(files)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// A new file each time: an old one would keep its mode.
fn write(path: &Path, text: &str, mode: u32) -> Result<()> {
    let new = path.with_extension("new");
    let outcome = remove(&new)
        .and_then(|()| {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(&new)
        })
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&new, path));
    outcome.with_context(|| format!("cannot write {}", path.display()))
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// When the certificate ends and for whom it is: seconds since 1970, then a name a line.
struct Record {
    path: PathBuf,
}

impl Record {
    fn is_current(&self, names: &[String], now: SystemTime) -> bool {
        let Ok(text) = fs::read_to_string(&self.path) else {
            return false;
        };
        let mut lines = text.lines();
        let until = lines
            .next()
            .and_then(|line| line.parse().ok())
            .map(Duration::from_secs);
        until.is_some_and(|until| SystemTime::UNIX_EPOCH + until > now + RENEW_BEFORE)
            && lines.eq(names.iter().map(String::as_str))
    }

    fn remove(&self) -> Result<()> {
        remove(&self.path).with_context(|| format!("cannot remove {}", self.path.display()))
    }

    fn write(&self, names: &[String], until: SystemTime) -> Result<()> {
        ensure!(
            names.iter().all(|name| !name.contains('\n')),
            "names: a line break in {names:?}"
        );
        let seconds = until
            .duration_since(SystemTime::UNIX_EPOCH)
            .context("the clock is before 1970")?
            .as_secs();
        write(&self.path, &format!("{seconds}\n{}\n", names.join("\n")), 0o644)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn it_is_kept_between_starts_and_its_key_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let localhost = names(&["localhost", "127.0.0.1", "::1"]);
        let files = private_certificate(folder.path(), &localhost).unwrap();
        let first = fs::read(&files.certificate).unwrap();
        assert_eq!(
            fs::metadata(&files.key).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(private_certificate(folder.path(), &localhost).unwrap(), files);
        assert_eq!(fs::read(&files.certificate).unwrap(), first);
    }

    #[test]
    fn it_is_made_anew_before_its_end_for_other_names_and_after_a_half_made_one() {
        let folder = tempfile::tempdir().unwrap();
        let localhost = names(&["localhost"]);
        let now = SystemTime::now();
        let certificate = |names: &[String], now| {
            fs::read(certificate_at(folder.path(), names, now).unwrap().certificate).unwrap()
        };
        let first = certificate(&localhost, now);
        assert_eq!(certificate(&localhost, now + LIFE - RENEW_BEFORE - DAY), first);
        let second = certificate(&localhost, now + LIFE - RENEW_BEFORE);
        assert_ne!(second, first);
        let third = certificate(&names(&["localhost", "shop.example"]), now);
        assert_ne!(third, second);
        fs::remove_file(folder.path().join("certificate.record")).unwrap();
        assert_ne!(certificate(&names(&["localhost", "shop.example"]), now), third);
    }

    #[test]
    fn names_that_cannot_be_certified_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(private_certificate(folder.path(), &[]).is_err());
        assert!(private_certificate(folder.path(), &names(&["bücher.example"])).is_err());
    }
}
