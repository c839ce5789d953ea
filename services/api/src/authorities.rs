//! Whom the ways to MySQL and Redis trust: a file of certificate authorities (PEM), read and looked through before anything
//! is bound, so that a wrong path is a message at the start and not a link that never comes up.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The file's text.
///
/// # Errors
/// When it cannot be read, holds no certificate, or one that is none.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let pem = std::fs::read(path).map_err(|error| format!("the file {shown} cannot be read: {error}"))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate =
            certificate.map_err(|error| format!("the file {shown} is not in the PEM format: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("the file {shown} holds what is no authority: {error}"))?;
    }
    if roots.is_empty() {
        return Err(format!("the file {shown} holds no certificate (PEM)"));
    }
    Ok(pem)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_names_no_authority_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authority.pem");
        let refusal = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path).unwrap_err()
        };
        assert!(refusal("").contains("no certificate"));
        assert!(refusal("a text").contains("no certificate"));
        let broken = "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n";
        assert!(refusal(broken).contains("PEM format"));
        let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(refusal(other).contains("no authority"));
        let missing = read(&folder.path().join("missing")).unwrap_err();
        assert!(missing.contains("cannot be read"), "{missing}");
    }
}
