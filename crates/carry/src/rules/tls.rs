//! OpenSSL, and the certificates of authorities.

use std::path::Path;

use crate::collect::{Collector, Why};
use crate::error::Error;
use crate::path;
use crate::rule::Rule;

/// Where libraries have their configuration.
const OPENSSL: [&str; 6] = [
    "/etc/ssl/openssl.cnf",
    "/etc/ssl/openssl.cnf.d",
    "/etc/pki/tls/openssl.cnf",
    "/etc/pki/tls/openssl.d",
    "/etc/crypto-policies",
    "/usr/share/crypto-policies/DEFAULT",
];

/// Links of OpenSSL's own directory into /etc.
const OPENSSL_LINKS: [&str; 3] = [
    "/usr/lib/ssl/openssl.cnf",
    "/usr/lib/ssl/certs",
    "/usr/lib/ssl/cert.pem",
];

/// Where certificates of authorities are.
const CERTIFICATES: [&str; 8] = [
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/ca-trust/extracted",
    "/etc/ca-certificates/extracted",
    "/var/lib/ca-certificates",
    "/etc/gnutls",
];

impl Collector<'_> {
    pub(super) fn openssl(&mut self, library: &Path, why: &Why) -> Result<(), Error> {
        if self.first(Rule::Openssl, "/") {
            for path in OPENSSL.iter().chain(&OPENSSL_LINKS) {
                if path.ends_with("/certs") {
                    self.add(path, why)?;
                } else {
                    self.tree(path, why)?;
                }
            }
        }
        // Engines and providers are beside the library.
        let directory = path::parent(library);
        for name in self.source.names(directory)? {
            if name == b"ossl-modules" || name.starts_with(b"engines-") {
                self.tree(directory.join(path::path(&name)), why)?;
            }
        }
        Ok(())
    }

    pub(super) fn certificates(&mut self, why: &Why) -> Result<(), Error> {
        if self.first(Rule::Certificates, "/") {
            for path in CERTIFICATES {
                self.tree(path, why)?;
            }
        }
        Ok(())
    }
}
