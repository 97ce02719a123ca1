//! https, straight and through a proxy.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use bareroot_fetch::{Error, Location, Roots};
use bareroot_model::Classified;
use bareroot_testkit::mirror::{Fault, Mirror, basic};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::setting::{PATH, Setting, bytes, content, expected};

/// Speaks TLS as `host` on a port of its own, before a mirror; the certificate goes into `directory`.
fn serve(mirror: Arc<Mirror>, host: &str, directory: &Path) -> (SocketAddr, Roots) {
    let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
    let file = directory.join("ca.pem");
    std::fs::write(&file, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let (mirror, config) = (Arc::clone(&mirror), Arc::clone(&config));
            std::thread::spawn(move || {
                let connection = ServerConnection::new(config).unwrap();
                mirror.handle(StreamOwned::new(connection, stream));
            });
        }
    });
    (
        address,
        Roots {
            file: Some(file),
            directories: Vec::new(),
        },
    )
}

#[test]
fn https_with_a_trusted_certificate() {
    let content = content(300_000);
    let mut setting = Setting::new();
    let origin = Arc::new(Mirror::serve([(PATH, content.clone())]).unwrap());
    let (address, roots) = serve(Arc::clone(&origin), "localhost", setting.directory.path());
    setting.settings.roots = roots;
    let mirror = format!("https://localhost:{}", address.port());
    origin.fault(PATH, 1, Fault::Truncate(100_000));
    assert_eq!(bytes(&setting.fetch_from(&[mirror], &content).unwrap()), content);
    assert_eq!(origin.requests()[1].header("range"), Some("bytes=100000-"));
}

#[test]
fn https_with_another_name_or_an_unknown_authority_is_refused() {
    let setting = Setting::new();
    let origin = Arc::new(Mirror::serve([(PATH, "x")]).unwrap());
    let (address, roots) = serve(Arc::clone(&origin), "localhost", setting.directory.path());
    let other = setting.directory.path().join("other.pem");
    std::fs::write(
        &other,
        rcgen::generate_simple_self_signed(["localhost".to_owned()])
            .unwrap()
            .cert
            .pem(),
    )
    .unwrap();
    let unknown = Roots {
        file: Some(other),
        directories: Vec::new(),
    };
    for (host, roots, reason) in [
        ("127.0.0.1", roots, "not valid for"),
        ("localhost", unknown, "certificate"),
    ] {
        let mut setting = Setting::new();
        setting.settings.roots = roots;
        let mirror = format!("https://{host}:{}", address.port());
        let error = setting.fetch_from(&[mirror], b"x").unwrap_err();
        assert!(
            matches!(error, Error::Connect { .. }) && error.to_string().contains(reason),
            "{error}"
        );
    }
    assert_eq!(origin.requests().len(), 0);
}

#[test]
fn without_authorities_http_works_and_https_says_what_is_missing() {
    let mut setting = Setting::with(b"x");
    let none = setting.directory.path().join("none.pem");
    setting.settings.roots = Roots {
        file: Some(none.clone()),
        directories: Vec::new(),
    };
    setting.fetch(b"x").unwrap();
    let error = setting
        .fetch_from(&["https://localhost:1".into()], b"y")
        .unwrap_err();
    assert!(
        matches!(error, Error::NoRoots { .. }) && error.to_string().contains("none.pem"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("SSL_CERT_FILE"));
}

#[test]
fn https_is_not_left_for_http() {
    let mut setting = Setting::with(b"x");
    let origin = Arc::new(Mirror::start().unwrap());
    let (address, roots) = serve(Arc::clone(&origin), "localhost", setting.directory.path());
    setting.settings.roots = roots;
    origin.always(PATH, Fault::Redirect(format!("{}/{PATH}", setting.mirror.url())));
    let secure = format!("https://localhost:{}", address.port());
    let error = setting
        .fetch_from(std::slice::from_ref(&secure), b"x")
        .unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error}");
    // The other way round it is followed.
    origin.behave();
    origin.put(PATH, "x");
    setting
        .mirror
        .always(PATH, Fault::Redirect(format!("{secure}/{PATH}")));
    assert_eq!(bytes(&setting.fetch(b"x").unwrap()), b"x");
}

#[test]
fn https_goes_through_a_proxy_in_a_tunnel() {
    let content = content(100_000);
    let mut setting = Setting::new();
    let origin = Arc::new(Mirror::serve([(PATH, content.clone())]).unwrap());
    let (address, roots) = serve(Arc::clone(&origin), "deb.example", setting.directory.path());
    let proxy = Mirror::start().unwrap();
    proxy.require_as_proxy("pu", "pp");
    proxy.route("deb.example:443", address);
    setting.settings.roots = roots;
    setting.settings.proxies.https = Some(proxy.url().replace("//", "//pu:pp@"));
    let location = Location::new(["https://u:p@deb.example"], PATH);
    let blob = setting
        .fetcher()
        .verified(&location, expected(&content), "hello")
        .unwrap();
    assert_eq!(bytes(&blob), content);
    assert_eq!(
        proxy.requests()[0].header("proxy-authorization"),
        Some(&*basic("pu", "pp"))
    );
    assert_eq!(proxy.requests()[0].header("authorization"), None);
    assert_eq!(origin.requests()[0].header("proxy-authorization"), None);
    assert_eq!(
        origin.requests()[0].header("authorization"),
        Some(&*basic("u", "p"))
    );
    // Without the right credentials there is no tunnel, and no secret in what is said.
    setting.settings.proxies.https = Some(proxy.url().replace("//", "//pu:wr0ng@"));
    let error = setting
        .fetcher()
        .verified(&location, expected(b"y"), "hello")
        .unwrap_err();
    assert!(
        matches!(error, Error::Connect { .. }) && !format!("{error:?}").contains("wr0ng"),
        "{error:?}"
    );
}
