//! https beside http: no way leads from the one to the other but upwards.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use bareroot_testkit::cases;
use bareroot_testkit::door::Run;
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::{Fault, Mirror};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::site::{Files, IN_RELEASE, Site, deb, hello, repository, signed};

pub const CASES: &[Case] = cases![
    Nothing: https_is_not_left_for_http, a_certificate_that_nobody_knows;
    Root: a_package_over_https_of_a_mirror_over_http;
];

/// A mirror behind TLS on a port of its own, known as localhost; its certificate is in a file of the site's.
struct Secure {
    mirror: Arc<Mirror>,
    address: SocketAddr,
    authority: PathBuf,
}

impl Secure {
    fn serve(files: Files, site: &Site) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let authority = site.door().file("authority.pem", made.cert.pem());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate with its key");
        let config = Arc::new(config);
        let mirror = Arc::new(Mirror::serve(files).expect("a listening socket"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listening socket");
        let address = listener.local_addr().expect("its address");
        let served = Arc::clone(&mirror);
        // It ends with the process: nothing waits for it.
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (mirror, config) = (Arc::clone(&served), Arc::clone(&config));
                std::thread::spawn(move || {
                    if let Ok(connection) = ServerConnection::new(config) {
                        mirror.handle(StreamOwned::new(connection, stream));
                    }
                });
            }
        });
        Secure {
            mirror,
            address,
            authority,
        }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }
}

/// Unpacks hello from a mirror, with these authorities.
#[track_caller]
fn bootstrap(site: &Site, mirror: &str, authority: &std::path::Path) -> Run {
    let mut command = site.door().command(["bootstrap", "debian:tiny"]);
    command.arg(site.door().target());
    command.args(["--mirror", mirror, "--variant", "extract", "--include", "hello"]);
    command.arg("--no-host-files");
    command.arg("--keyring").arg(site.door().keyring());
    command.arg("--cache-dir").arg(site.door().path("cache"));
    command.env("SSL_CERT_FILE", authority);
    site.run(command)
}

fn files() -> Files {
    signed(&repository(&[hello("1.0")]))
}

/// Whoever is between cannot ask for the rest in the clear.
fn https_is_not_left_for_http() {
    let site = Site::over(files());
    let secure = Secure::serve(files(), &site);
    let to = format!("{}/{IN_RELEASE}", site.url());
    secure.mirror.always(IN_RELEASE, Fault::Redirect(to));
    bootstrap(&site, &secure.url(), &secure.authority).failed(4, &["https is not left for http"]);
    assert_eq!(site.mirror().requests(), []);
}

fn a_certificate_that_nobody_knows() {
    let site = Site::over(files());
    let secure = Secure::serve(files(), &site);
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let other = site.door().file("other.pem", other.cert.pem());
    bootstrap(&site, &secure.url(), &other).failed(4, &["cannot connect", "certificate"]);
    assert_eq!(secure.mirror.requests(), []);
    // One for another name.
    let by_address = secure.url().replace("localhost", "127.0.0.1");
    bootstrap(&site, &by_address, &secure.authority).failed(4, &["cannot connect", "certificate"]);
    assert_eq!(secure.mirror.requests(), []);
}

/// A mirror over http may send to https, and there TLS counts as anywhere: what cannot be had so is not had in the clear.
fn a_package_over_https_of_a_mirror_over_http() {
    let site = Site::over(files());
    let secure = Secure::serve(files(), &site);
    let path = deb("hello", "1.0");
    site.mirror()
        .always(&path, Fault::Redirect(format!("{}/{path}", secure.url())));
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let other = site.door().file("other.pem", other.cert.pem());
    bootstrap(&site, &site.url(), &other).failed(4, &["cannot connect", "certificate"]);
    assert_eq!(secure.mirror.requests(), []);
    bootstrap(&site, &site.url(), &secure.authority).succeeded();
    assert_eq!(site.said(), "1.0");
    assert_eq!(secure.mirror.count(&path), 1);
}
