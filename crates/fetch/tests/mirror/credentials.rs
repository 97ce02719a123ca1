//! Who is told user and password, and who is not.

use bareroot_fetch::{Error, Location, Netrc};
use bareroot_model::Classified;
use bareroot_testkit::mirror::{Fault, Mirror, basic};

use crate::setting::{PATH, Setting, bytes, content, expected};

fn netrc(setting: &Setting, text: &str) -> Netrc {
    let path = setting.directory.path().join("netrc");
    std::fs::write(&path, text).unwrap();
    Netrc::read(&path).unwrap()
}

fn authorizations(mirror: &Mirror) -> Vec<Option<String>> {
    mirror
        .requests()
        .iter()
        .map(|request| request.header("authorization").map(str::to_owned))
        .collect()
}

#[test]
fn those_of_the_url_go_to_its_own_origin_alone() {
    let content = content(1000);
    let setting = Setting::new();
    let other = Mirror::serve([("there", content.clone())]).unwrap();
    setting.mirror.require("user", "s3cret@");
    setting.mirror.always(PATH, Fault::Redirect("/b".into()));
    setting.mirror.always(
        "b",
        Fault::Redirect(format!("{}/there", other.url().replace("//", "//x:y@"))),
    );
    let mirror = setting.mirror.url().replace("//", "//user:s3cret%40@");
    let blob = setting.fetch_from(&[mirror], &content).unwrap();
    assert_eq!(bytes(&blob), content);
    assert!(!blob.name().contains("s3cret"));
    assert_eq!(
        authorizations(&setting.mirror),
        [Some(basic("user", "s3cret@")), Some(basic("user", "s3cret@"))]
    );
    assert_eq!(authorizations(&other), [None]);
    assert!(!format!("{:?}", setting.recorder.take()).contains("s3cret"));
}

#[test]
fn those_of_netrc_go_to_their_host() {
    let content = content(1000);
    let mut setting = Setting::with(&content);
    setting.mirror.require("u", "p");
    setting.settings.netrc = netrc(
        &setting,
        "machine other login x password y\nmachine 127.0.0.1 login u password p\n",
    );
    setting.fetch(&content).unwrap();
    // The other host, by another name of the same address, gets none.
    let mut setting = Setting::with(&content);
    setting.settings.netrc = netrc(&setting, "machine 127.0.0.1 login u password p\n");
    let by_name = format!("http://localhost:{}", setting.mirror.address().port());
    setting.fetch_from(&[by_name], &content).unwrap();
    assert_eq!(authorizations(&setting.mirror), [None]);
    // `default` is for all, but not for whoever a mirror redirects to.
    let mut setting = Setting::new();
    let other = Mirror::serve([("there", content.clone())]).unwrap();
    setting
        .mirror
        .always(PATH, Fault::Redirect(format!("{}/there", other.url())));
    setting.settings.netrc = netrc(&setting, "default login u password p\n");
    setting.fetch(&content).unwrap();
    assert_eq!(authorizations(&setting.mirror), [Some(basic("u", "p"))]);
    assert_eq!(authorizations(&other), [None]);
}

#[test]
fn those_of_netrc_do_not_follow_a_redirection_in_the_clear() {
    let content = content(1000);
    let mut setting = Setting::new();
    let other = Mirror::serve([("there", content.clone())]).unwrap();
    setting
        .mirror
        .always(PATH, Fault::Redirect(format!("{}/there", other.url())));
    setting.settings.netrc = netrc(&setting, "machine 127.0.0.1 login u password p\n");
    setting.fetch(&content).unwrap();
    assert_eq!(authorizations(&other), [None]);
}

#[test]
fn those_of_the_url_come_before_those_of_netrc() {
    let content = content(1000);
    let mut setting = Setting::with(&content);
    setting.settings.netrc = netrc(&setting, "machine 127.0.0.1 login u password p\n");
    setting
        .fetch_from(&[setting.mirror.url().replace("//", "//a:b@")], &content)
        .unwrap();
    assert_eq!(authorizations(&setting.mirror), [Some(basic("a", "b"))]);
}

#[test]
fn no_error_shows_them() {
    let setting = Setting::new();
    setting.mirror.require("other", "one");
    let mirror = setting.mirror.url().replace("//", "//user:s3cret@");
    let error = setting
        .fetch_from(std::slice::from_ref(&mirror), b"x")
        .unwrap_err();
    assert!(matches!(error, Error::Status { code: 401, .. }), "{error}");
    assert!(error.hint().unwrap().contains("netrc"));
    drop(setting.mirror);
    for mirrors in [
        vec![mirror.clone()],
        vec![
            mirror,
            "http://user:s3cret@deb.example".into(),
            "gopher://user:s3cret@h".into(),
        ],
    ] {
        let setting = Setting::new();
        let location = Location::new(mirrors, PATH);
        let error = setting
            .fetcher()
            .verified(&location, expected(b"x"), "hello")
            .unwrap_err();
        let all = format!("{error} {error:?} {:?}", setting.recorder.take());
        assert!(!all.contains("s3cret"), "{all}");
    }
}
