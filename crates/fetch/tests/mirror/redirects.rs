//! Redirections.

use bareroot_fetch::Error;
use bareroot_testkit::mirror::{Fault, Mirror};

use crate::setting::{PATH, Setting, bytes, content};

#[test]
fn chains_are_followed() {
    let content = content(1000);
    let setting = Setting::new();
    let other = Mirror::serve([("there", content.clone())]).unwrap();
    setting
        .mirror
        .always(PATH, Fault::Redirect("/a?token=secret#part".into()));
    setting.mirror.always("a", Fault::Redirect("b".into()));
    setting
        .mirror
        .always("b", Fault::Redirect(format!("{}/there", other.url())));
    let blob = setting.fetch(&content).unwrap();
    assert_eq!(bytes(&blob), content);
    assert_eq!(setting.mirror.requests()[1].target, "/a?token=secret");
    // Redirections are small answers, read to their end: one connection does for all of them.
    assert_eq!(setting.mirror.connections(), 1);
}

#[test]
fn ranges_go_along() {
    let content = content(100_000);
    let setting = Setting::new();
    let other = Mirror::serve([("there", content.clone())]).unwrap();
    setting
        .mirror
        .always(PATH, Fault::Redirect(format!("{}/there", other.url())));
    other.fault("there", 1, Fault::Truncate(40_000));
    assert_eq!(bytes(&setting.fetch(&content).unwrap()), content);
    assert_eq!(other.requests()[1].header("range"), Some("bytes=40000-"));
}

#[test]
fn loops_end() {
    let setting = Setting::new();
    setting.mirror.always(PATH, Fault::Redirect("/a".into()));
    setting.mirror.always("a", Fault::Redirect(format!("/{PATH}")));
    let error = setting.fetch(b"x").unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error}");
    assert_eq!(setting.mirror.requests().len(), 11);
}

#[test]
fn nothing_but_http_is_followed() {
    for to in [
        "file:///etc/passwd",
        "FILE:/etc/passwd",
        "ftp://h/x",
        "copy:/etc/passwd",
        "data:,x",
        "http://",
        "//[::x/",
    ] {
        let setting = Setting::new();
        setting.mirror.always(PATH, Fault::Redirect(to.into()));
        let error = setting.fetch(b"x").unwrap_err();
        assert!(matches!(error, Error::Redirect { .. }), "{to}: {error}");
        assert_eq!(setting.mirror.requests().len(), 1);
    }
}

#[test]
fn what_a_redirection_carries_is_not_shown() {
    let setting = Setting::new();
    setting
        .mirror
        .always(PATH, Fault::Redirect("ftp://u:secret@h/x?token=secret".into()));
    let error = setting.fetch(b"x").unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    let setting = Setting::new();
    setting
        .mirror
        .always(PATH, Fault::Redirect("/gone?token=secret".into()));
    let error = setting.fetch(b"x").unwrap_err();
    assert!(
        error.is_not_found() && !error.to_string().contains("secret"),
        "{error}"
    );
}
