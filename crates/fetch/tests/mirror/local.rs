//! `file:` and `copy:` mirrors.

use bareroot_fetch::{Error, Location};
use bareroot_model::{Class, Classified, Event};

use crate::setting::{Setting, bytes, content, expected};

const PATH: &str = "pool/g++_1%3a2~rc 1.deb";

fn setting(content: &[u8]) -> (Setting, [String; 2]) {
    let setting = Setting::new();
    let root = setting.directory.path().join("a mirror");
    std::fs::create_dir_all(root.join("pool")).unwrap();
    std::fs::write(root.join(PATH), content).unwrap();
    let root = root.to_str().unwrap().replace(' ', "%20");
    (setting, [format!("file:{root}"), format!("copy://{root}/")])
}

#[test]
fn they_are_read_hashed_and_told_of() {
    let content = content(200_000);
    for number in [0, 1] {
        let (mut setting, mirrors) = setting(&content);
        setting.settings.offline = true;
        let location = Location::new([&*mirrors[number]], PATH);
        let blob = setting
            .fetcher()
            .verified(&location, expected(&content), "g++")
            .unwrap();
        assert_eq!(bytes(&blob), content);
        // `file:` is used in place, `copy:` is copied.
        assert_eq!(setting.cached(&content, "").exists(), number == 1);
        let events = setting.recorder.take();
        assert!(
            matches!(
                events.first(),
                Some(Event::FetchStarted {
                    bytes: Some(200_000),
                    ..
                })
            ),
            "{events:?}"
        );
        assert!(
            matches!(
                events.last(),
                Some(Event::Fetched {
                    bytes: 200_000,
                    cached: false,
                    ..
                })
            ),
            "{events:?}"
        );
        assert_eq!(setting.fetcher().index(&location, 200_000).unwrap(), content);
    }
}

#[test]
fn what_is_wrong_or_missing_is_said_and_the_next_mirror_is_asked() {
    let content = content(1000);
    let (setting, mirrors) = setting(&content);
    let root = setting.directory.path().join("a mirror");
    for mirror in &mirrors {
        for wrong in [&content[..999], &[&content[..], b"x"].concat(), &vec![0; 1000]] {
            std::fs::write(root.join(PATH), wrong).unwrap();
            let location = Location::new([mirror], PATH);
            let error = setting
                .fetcher()
                .verified(&location, expected(&content), "g++")
                .unwrap_err();
            assert!(error.is_mismatch() && error.class() == Class::Trust, "{error}");
            setting.assert_nothing_is_kept(&content);
            assert!(matches!(
                setting.fetcher().index(&location, 998),
                Err(Error::TooLarge { .. })
            ));
        }
        let missing = Location::new([mirror], "pool/none");
        assert!(
            setting
                .fetcher()
                .verified(&missing, expected(&content), "g++")
                .unwrap_err()
                .is_not_found()
        );
        assert!(setting.fetcher().index(&missing, 100).unwrap_err().is_not_found());
        let directory = Location::new([mirror], "pool");
        let error = setting
            .fetcher()
            .verified(&directory, expected(&content), "g++")
            .unwrap_err();
        assert!(matches!(error, Error::Read { .. }), "{error}");
        setting.mirror.put(PATH, content.clone());
        let both = Location::new([mirror.clone(), setting.mirror.url()], PATH);
        assert_eq!(
            bytes(
                &setting
                    .fetcher()
                    .verified(&both, expected(&content), "g++")
                    .unwrap()
            ),
            content
        );
        std::fs::remove_file(setting.cached(&content, "")).unwrap();
    }
}
