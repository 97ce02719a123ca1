use std::collections::BTreeSet;

use super::*;

/// Every release with its distribution.
fn releases() -> Vec<(&'static Distribution, &'static Release)> {
    let of = |distribution: &'static Distribution| {
        let releases = distribution.releases.iter();
        releases.map(move |release| (distribution, release))
    };
    all().iter().flat_map(of).collect()
}

#[test]
fn the_catalogue_parses_and_names_are_unique() {
    let known: Vec<&str> = all()
        .iter()
        .map(|distribution| distribution.id.as_str())
        .collect();
    assert_eq!(
        known,
        [
            "fedora",
            "centos",
            "centos-linux",
            "rocky",
            "alma",
            "ubi",
            "amazon",
            "opensuse-leap",
            "opensuse-tumbleweed",
            "mageia",
            "azurelinux"
        ]
    );
    let mut ids = BTreeSet::new();
    for distribution in all() {
        for id in std::iter::once(&distribution.id).chain(&distribution.aliases) {
            assert!(ids.insert(id), "{id} stands for two distributions");
            assert!(crate::catalogue::deb_of(id).is_none(), "{id} is Debian's too");
        }
        assert!(
            distribution.release(&distribution.default).is_some(),
            "{}",
            distribution.id
        );
        let mut names = BTreeSet::new();
        for release in &distribution.releases {
            for name in std::iter::once(&release.name).chain(&release.aliases) {
                assert!(
                    names.insert(name),
                    "{}: {name} stands for two releases",
                    distribution.id
                );
            }
        }
        for repository in &distribution.repositories {
            for release in &repository.releases {
                assert!(
                    distribution.releases.iter().any(|known| known.name == *release),
                    "{}: {} is for {release}, which is no release",
                    distribution.id,
                    repository.id
                );
            }
        }
    }
}

/// As the issue and the README write them.
#[test]
fn specs_that_people_write() {
    for (id, name, wanted) in [
        ("fedora", "43", "fedora:43"),
        ("fedora", "rawhide", "fedora:rawhide"),
        ("centos", "10", "centos:10"),
        ("centos-stream", "10", "centos:10"),
        ("centos-stream", "9-stream", "centos:9"),
        ("rocky", "9", "rocky:9"),
        ("almalinux", "9", "alma:9"),
        ("ubi", "9", "ubi:9"),
        ("amazon", "2023", "amazon:2023"),
        ("opensuse-leap", "15.6", "opensuse-leap:15.6"),
        ("leap", "16.0", "opensuse-leap:16.0"),
        ("tumbleweed", "rolling", "opensuse-tumbleweed:rolling"),
        ("mageia", "9", "mageia:9"),
        ("azurelinux", "3", "azurelinux:3.0"),
        ("centos-linux", "7", "centos-linux:7"),
    ] {
        let distribution = find(id).unwrap_or_else(|| panic!("{id}"));
        let release = distribution
            .release(name)
            .unwrap_or_else(|| panic!("{id}:{name}"));
        assert_eq!(format!("{}:{}", distribution.id, release.name), wanted);
    }
    assert!(find("debian").is_none());
    assert!(find("fedora").unwrap().release("1").is_none());
}

/// The keys of every release are built in, each of them, and one of them is good for what is signed today.
#[test]
fn every_release_has_its_keys() {
    for (distribution, release) in releases() {
        let spec = format!("{}:{}", distribution.id, release.name);
        assert!(!release.keys.is_empty(), "{spec}");
        let keyring = distribution
            .keyring(release)
            .unwrap_or_else(|| panic!("{spec} has no keyring"));
        let found: BTreeSet<String> = keyring.fingerprints().into_iter().collect();
        assert_eq!(found, release.keys.iter().cloned().collect(), "{spec}");
        let signing = keyring.keys();
        assert!(!signing.is_empty(), "{spec} has no key that may sign");
    }
}

#[test]
fn every_url_is_whole() {
    for (distribution, release) in releases() {
        let spec = format!("{}:{}", distribution.id, release.name);
        let repositories: Vec<_> = distribution.repositories_of(release).collect();
        assert!(
            repositories.iter().any(|repository| !repository.updates),
            "{spec} has no repository"
        );
        assert!(!distribution.architectures_of(release).is_empty(), "{spec}");
        for arch in distribution.architectures_of(release) {
            let variables = distribution.variables(release, arch, release.releasever());
            let mut ids = BTreeSet::new();
            for repository in &repositories {
                let whole = |text: &str| {
                    let text = variables
                        .expand(text)
                        .unwrap_or_else(|error| panic!("{spec}: {error}"));
                    assert!(!text.contains('$') && !text.contains('{'), "{spec}: {text}");
                    text
                };
                let url = |text: &str| {
                    let url = whole(text);
                    let (scheme, rest) = url.split_once("://").unwrap_or_else(|| panic!("{spec}: {url}"));
                    assert_eq!(scheme, "https", "{spec}: {url}");
                    assert!(!rest.contains("//"), "{spec}: {url}");
                    assert!(
                        rest.split('/').next().is_some_and(|host| host.contains('.')),
                        "{url}"
                    );
                };
                match distribution.address(release, repository) {
                    Address::Metalink(text) | Address::Mirrorlist(text) => url(text),
                    Address::Mirror(mirror) => url(&repository.below(mirror)),
                }
                url(&repository.below("https://mirror.example.org/dir/"));
                assert!(!whole(&repository.name).is_empty());
                assert!(
                    ids.insert(whole(&repository.id)),
                    "{spec}: {} is twice",
                    repository.id
                );
            }
        }
    }
}

#[test]
fn every_release_names_its_minimal_set_and_database() {
    for (distribution, release) in releases() {
        let spec = format!("{}:{}", distribution.id, release.name);
        let has = |names: &[&str]| {
            let is = |package: &String| names.contains(&package.as_str());
            assert!(release.packages.iter().any(is), "{spec} has none of {names:?}");
        };
        assert!(
            release
                .packages
                .iter()
                .any(|package| package.contains("-release")),
            "{spec} has no release package"
        );
        has(&["bash"]);
        has(&["rpm"]);
        has(&["dnf", "dnf5", "yum", "zypper", "tdnf"]);
        let unique: BTreeSet<_> = release.packages.iter().collect();
        assert_eq!(unique.len(), release.packages.len(), "{spec}");
        assert!(
            ["/var/lib/rpm", "/usr/lib/sysimage/rpm"].contains(&release.database.path.as_str()),
            "{spec}: {}",
            release.database.path
        );
        let platform = release.platform.as_deref().unwrap_or("platform:none");
        assert!(platform.starts_with("platform:"), "{spec}: {platform}");
        if let Some(day) = &release.end_of_life {
            let fields: Vec<u32> = day.split('-').map(|field| field.parse().unwrap()).collect();
            assert!(
                day.len() == 10 && matches!(fields[..], [2020..=2099, 1..=12, 1..=31]),
                "{spec}: {day}"
            );
        }
        assert!(
            !release.is_archived() || release.end_of_life.is_some(),
            "{spec} is archived and does not say when it ended"
        );
    }
}

/// What facts are known of old releases: EL7 and EL8 have Berkeley DB, SUSE has ndb.
#[test]
fn databases_as_the_releases_have_them() {
    let backend = |spec: &str| {
        let (id, name) = spec.split_once(':').unwrap();
        find(id).unwrap().release(name).unwrap().database.backend
    };
    for spec in [
        "centos:8",
        "centos-linux:7",
        "centos-linux:8",
        "rocky:8",
        "alma:8",
        "ubi:8",
        "amazon:2",
    ] {
        assert_eq!(backend(spec), Backend::Bdb, "{spec}");
    }
    for spec in ["leap:15.6", "leap:16.0", "tumbleweed:rolling"] {
        assert_eq!(backend(spec), Backend::Ndb, "{spec}");
    }
    for spec in [
        "fedora:39",
        "fedora:rawhide",
        "centos:9",
        "rocky:10",
        "amazon:2023",
        "mageia:9",
    ] {
        assert_eq!(backend(spec), Backend::Sqlite, "{spec}");
    }
}

#[test]
fn addresses_of_some() {
    let base = |spec: &str, arch: &str, mirror: Option<&str>| {
        let (id, name) = spec.split_once(':').unwrap();
        let distribution = find(id).unwrap();
        let release = distribution.release(name).unwrap();
        let variables = distribution.variables(release, arch, release.releasever());
        distribution
            .repositories_of(release)
            .map(
                |repository| match (distribution.address(release, repository), mirror) {
                    (_, Some(mirror)) => repository.below(mirror),
                    (Address::Metalink(url) | Address::Mirrorlist(url), None) => url.to_owned(),
                    (Address::Mirror(url), None) => repository.below(url),
                },
            )
            .map(|text| variables.expand(&text).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        base("fedora:43", "x86_64", Some("http://m/linux/")),
        [
            "http://m/linux/releases/43/Everything/x86_64/os",
            "http://m/linux/updates/43/Everything/x86_64"
        ]
    );
    assert_eq!(
        base("fedora:43", "aarch64", None)[0],
        "https://mirrors.fedoraproject.org/metalink?repo=fedora-43&arch=aarch64"
    );
    // An archived release has no list of mirrors any more.
    assert_eq!(
        base("fedora:39", "x86_64", None)[0],
        "https://archives.fedoraproject.org/pub/archive/fedora/linux/releases/39/Everything/x86_64/os"
    );
    assert_eq!(
        base("centos:8", "x86_64", None)[0],
        "https://vault.centos.org/centos/8-stream/BaseOS/x86_64/os"
    );
    assert_eq!(
        base("centos:10", "x86_64", Some("http://m"))[0],
        "http://m/10-stream/BaseOS/x86_64/os"
    );
    assert_eq!(
        base("centos-linux:7", "x86_64", None)[0],
        "https://vault.centos.org/centos/7.9.2009/os/x86_64"
    );
    assert_eq!(
        base("centos-linux:7", "aarch64", None)[0],
        "https://vault.centos.org/altarch/7.9.2009/os/aarch64"
    );
    assert_eq!(
        base("tumbleweed:rolling", "aarch64", None)[0],
        "https://download.opensuse.org/ports/aarch64/tumbleweed/repo/oss"
    );
    assert_eq!(
        base("tumbleweed:rolling", "x86_64", None)[0],
        "https://download.opensuse.org/tumbleweed/repo/oss"
    );
    assert_eq!(
        base("ubi:9", "x86_64", None)[0],
        "https://cdn-ubi.redhat.com/content/public/ubi/dist/ubi9/9/x86_64/baseos/os"
    );
    assert_eq!(
        base("amazon:2023", "x86_64", Some("http://m/al/")),
        ["http://m/al"]
    );
    assert_eq!(
        base("mageia:9", "i586", Some("http://m"))[0],
        "http://m/distrib/9/i586/media/core/release"
    );
}
