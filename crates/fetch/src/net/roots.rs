use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::Error;

/// Where distributions keep the bundle of certificate authorities.
const FILES: [&str; 7] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Where they keep them one by one.
const DIRECTORY: &str = "/etc/ssl/certs";

/// Which certificate authorities are trusted for https: PEM files. By default the system's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots {
    /// A bundle, instead of the system's.
    pub file: Option<PathBuf>,
    /// Directories of certificates, instead of the system's.
    pub directories: Vec<PathBuf>,
}

impl Roots {
    /// As OpenSSL reads the environment: `SSL_CERT_FILE`, and `SSL_CERT_DIR` with colons between directories.
    pub fn from_env() -> Roots {
        Roots {
            file: std::env::var_os("SSL_CERT_FILE")
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
            directories: std::env::var_os("SSL_CERT_DIR")
                .map(|list| {
                    std::env::split_paths(&list)
                        .filter(|path| !path.as_os_str().is_empty())
                        .collect()
                })
                .unwrap_or_default(),
        }
    }

    /// The certificates, else where they were looked for.
    fn load(&self) -> Result<RootCertStore, String> {
        let mut store = RootCertStore::empty();
        let mut add = |path: &Path| {
            let Ok(found) = CertificateDer::pem_file_iter(path) else {
                return;
            };
            // A bundle may hold a certificate that rustls cannot read; the others still count.
            store.add_parsable_certificates(found.filter_map(Result::ok));
        };
        if self.file.is_some() || !self.directories.is_empty() {
            self.file.iter().for_each(|file| add(file));
            self.directories
                .iter()
                .for_each(|directory| files(directory).iter().for_each(|file| add(file)));
            return if store.is_empty() {
                Err(self.searched())
            } else {
                Ok(store)
            };
        }
        match FILES.iter().map(Path::new).find(|path| path.exists()) {
            Some(bundle) => add(bundle),
            None => files(Path::new(DIRECTORY)).iter().for_each(|file| add(file)),
        }
        if store.is_empty() {
            Err(self.searched())
        } else {
            Ok(store)
        }
    }

    fn searched(&self) -> String {
        let own: Vec<_> = self
            .file
            .iter()
            .chain(&self.directories)
            .map(|path| path.display().to_string())
            .collect();
        if own.is_empty() {
            FILES.join(", ")
        } else {
            own.join(", ")
        }
    }

    /// A configuration that trusts them.
    pub(super) fn tls(&self, url: &str) -> Result<ClientConfig, Error> {
        let store = self.load().map_err(|searched| Error::NoRoots {
            url: url.to_owned(),
            searched,
        })?;
        config(store)
    }
}

/// A configuration that trusts nobody, for a client that speaks plain HTTP only.
pub(super) fn no_tls() -> Result<ClientConfig, Error> {
    config(RootCertStore::empty())
}

fn config(store: RootCertStore) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::SetUp {
            reason: error.to_string(),
        })?;
    let mut config = builder.with_root_certificates(store).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_certificates_are_said_with_where_they_were_looked_for() {
        let directory = tempfile::tempdir().unwrap();
        let empty = directory.path().join("empty.pem");
        std::fs::write(&empty, "no certificate").unwrap();
        let roots = Roots {
            file: Some(empty),
            directories: vec![directory.path().to_owned()],
        };
        let error = roots.tls("https://m.example/x").unwrap_err().to_string();
        assert!(
            error.contains("https://m.example/x") && error.contains("empty.pem"),
            "{error}"
        );
    }
}
