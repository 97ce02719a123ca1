//! Proxies, and what else the environment says.

use std::process::{Command, Stdio};

use bareroot_fetch::{Cache, Error, Proxies, Roots, Settings};
use bareroot_model::Classified;
use bareroot_testkit::mirror::{Mirror, basic};

use crate::setting::{PATH, Setting, bytes, content};

#[test]
fn a_proxy_gets_the_whole_url_and_its_own_credentials() {
    let content = content(1000);
    let mut setting = Setting::new();
    let proxy = Mirror::serve([(format!("debian/{PATH}"), content.clone())]).unwrap();
    proxy.require_as_proxy("pu", "p@p");
    setting.settings.proxies.http = Some(proxy.url().replace("//", "//pu:p%40p@"));
    // The name is the proxy's to resolve.
    let blob = setting
        .fetch_from(&["http://u:p@deb.example/debian".into()], &content)
        .unwrap();
    assert_eq!(bytes(&blob), content);
    let request = &proxy.requests()[0];
    assert_eq!(request.target, format!("http://deb.example/debian/{PATH}"));
    assert_eq!(request.header("host"), Some("deb.example"));
    assert_eq!(request.header("proxy-authorization"), Some(&*basic("pu", "p@p")));
    assert_eq!(request.header("authorization"), Some(&*basic("u", "p")));
}

#[test]
fn what_is_in_no_proxy_is_asked_directly() {
    let content = content(1000);
    let proxy = Mirror::serve([(PATH, vec![0; 1000])]).unwrap();
    for none in ["127.0.0.1", "example.com,127.0.0.0/8", "*"] {
        let mut setting = Setting::with(&content);
        setting.settings.proxies = Proxies {
            all: Some(proxy.url()),
            none: none.into(),
            ..Proxies::default()
        };
        assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    }
    assert_eq!(proxy.requests().len(), 0);
}

#[test]
fn a_proxy_that_refuses_is_said() {
    let mut setting = Setting::new();
    let proxy = Mirror::start().unwrap();
    proxy.require_as_proxy("u", "p");
    setting.settings.proxies.all = Some(proxy.url().replace("//", "//u:wr0ng@"));
    let error = setting
        .fetch_from(&["http://deb.example".into()], b"x")
        .unwrap_err();
    assert!(matches!(error, Error::Status { code: 407, .. }), "{error}");
    assert!(error.hint().unwrap().contains("proxy"));
    assert_eq!(proxy.requests().len(), 1);
    setting.settings.proxies.all = Some("http://u:wr0ng@127.0.0.1:1".into());
    let error = setting
        .fetch_from(&["http://deb.example".into()], b"x")
        .unwrap_err();
    assert!(
        matches!(error, Error::Connect { .. }) && !format!("{error:?}").contains("wr0ng"),
        "{error:?}"
    );
}

/// Started again by the test below, with an environment of its own: that of this process belongs to all tests.
#[test]
#[ignore = "started by another test"]
fn another_environment() {
    let settings = Settings::from_env().unwrap();
    let proxies = Proxies {
        http: Some("http://u:p@a:1".into()),
        https: Some("http://b:2".into()),
        all: Some("socks5h://c:3".into()),
        none: "d,e".into(),
    };
    assert_eq!(settings.proxies, proxies);
    let roots = Roots {
        file: Some("/f.pem".into()),
        directories: vec!["/d".into(), "/e".into()],
    };
    assert_eq!(settings.roots, roots);
    assert_eq!(format!("{:?}", settings.netrc), "Netrc(1 machines)");
    assert_eq!(Cache::default_dir(), Some("/xdg/bareroot".into()));
}

#[test]
fn the_environment_is_read() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(".netrc"), "machine h login u password p").unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "proxies::another_environment", "--ignored"])
        .env_clear()
        .env("http_proxy", "http://u:p@a:1")
        .env("HTTP_PROXY", "http://a.stranger:1")
        .env("HTTPS_PROXY", "http://b:2")
        .env("all_proxy", "socks5h://c:3")
        .env("NO_PROXY", "d,e")
        .env("SSL_CERT_FILE", "/f.pem")
        .env("SSL_CERT_DIR", "/d:/e")
        .env("XDG_CACHE_HOME", "/xdg")
        .env("HOME", directory.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}
