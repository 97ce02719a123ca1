use std::sync::{Arc, Mutex};

use bareroot_model::{Cancel, Class, Classified, Event, Observer};

use super::*;

#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Observer for Told {
    fn on(&self, event: Event) {
        if let Event::Note { text } | Event::Warning { text } = event {
            self.0.lock().unwrap().push(text);
        }
    }
}

/// A host with these files.
fn host(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

fn plan(request: &Request, host: &Path) -> (Result<Plan, Error>, Vec<String>) {
    let told = Arc::new(Told::default());
    let context = Context::new(Arc::clone(&told) as Arc<dyn Observer>, Cancel::default());
    let plan = Plan::on_host(request, host, &context);
    let told = std::mem::take(&mut *told.0.lock().unwrap());
    (plan, told)
}

fn of(spec: &str) -> Request {
    Request {
        spec: Some(spec.to_owned()),
        ..Request::default()
    }
}

fn keys(repo: &PlannedRepo) -> Vec<String> {
    match &repo.keys {
        Keys::Known(keyring) => keyring.fingerprints(),
        Keys::At(urls) => panic!("{urls:?}"),
    }
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.repos.iter().map(|repo| repo.id.as_str()).collect()
}

const NOBODY: &[(&str, &str)] = &[("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")];

#[test]
fn a_bare_spec_has_everything() {
    let nobody = host(NOBODY);
    let (plan, told) = plan(&of("fedora:43"), nobody.path());
    let plan = plan.unwrap();
    assert_eq!(ids(&plan), ["fedora", "updates"]);
    assert_eq!(plan.releasever.as_deref(), Some("43"));
    assert_eq!(plan.platform.as_deref(), Some("f43"));
    assert_eq!(told, Vec::<String>::new());
    let arch = arch::host();
    assert_eq!(
        plan.repos[0].metalink,
        Some(format!(
            "https://mirrors.fedoraproject.org/metalink?repo=fedora-43&arch={arch}"
        ))
    );
    assert_eq!(plan.repos[0].base_urls, Vec::<String>::new());
    assert_eq!(
        (plan.repos[0].gpgcheck, plan.repos[0].repo_gpgcheck),
        (Check::Enforced, Check::Off)
    );
    assert_eq!(keys(&plan.repos[0]), ["C6E7F081CF80E13146676E88829B606631645531"]);
    assert!(plan.wishes.contains(&"fedora-release".to_owned()) && plan.weak && plan.configure);
}

#[test]
fn signed_metadata_is_asked_for_where_it_is_signed() {
    let nobody = host(NOBODY);
    let plan = |spec: &str| plan(&of(spec), nobody.path()).0.unwrap();
    for spec in ["centos:10", "rocky:9", "alma:9", "ubi:9", "azurelinux:3"] {
        let plan = plan(spec);
        assert!(
            plan.repos
                .iter()
                .all(|repo| repo.repo_gpgcheck == Check::Enforced),
            "{spec}"
        );
        assert!(
            plan.repos.iter().all(|repo| repo.gpgcheck == Check::Enforced),
            "{spec}"
        );
    }
    assert_eq!(
        plan("amazon").repos[0].mirror_list,
        Some(format!(
            "https://cdn.amazonlinux.com/al2023/core/mirrors/latest/{}/mirror.list",
            arch::host()
        ))
    );
}

#[test]
fn mirrors_take_the_place_of_the_official_address() {
    let nobody = host(&[
        ("etc/os-release", "ID=fedora\nVERSION_ID=43\n"),
        (
            "etc/yum.repos.d/f.repo",
            "[fedora]\nbaseurl=http://host.example/$releasever\n",
        ),
    ]);
    let arch = arch::host();
    let mut request = Request {
        mirrors: vec!["http://one.example/linux/".into(), "file:///srv/linux".into()],
        ..of("fedora:43")
    };
    let (found, told) = plan(&request, nobody.path());
    let found = found.unwrap();
    assert_eq!(
        (ids(&found), told),
        (vec!["fedora"], Vec::new()),
        "updates come only with --updates, and nobody asks the host"
    );
    assert_eq!(
        found.repos[0].base_urls,
        [
            format!("http://one.example/linux/releases/43/Everything/{arch}/os"),
            format!("file:///srv/linux/releases/43/Everything/{arch}/os")
        ]
    );
    assert_eq!(found.repos[0].metalink, None);
    request.updates = Some(true);
    request.releasever = Some("42".into());
    let found = plan(&request, nobody.path()).0.unwrap();
    assert_eq!(ids(&found), ["fedora", "updates"]);
    assert_eq!(
        found.repos[1].base_urls[0],
        format!("http://one.example/linux/updates/42/Everything/{arch}")
    );
    let none = Request {
        updates: Some(false),
        ..of("fedora:43")
    };
    assert_eq!(ids(&plan(&none, host(NOBODY).path()).0.unwrap()), ["fedora"]);
}

#[test]
fn variants_choose_what_comes_unnamed() {
    let nobody = host(NOBODY);
    let wishes = |variant| {
        let request = Request {
            variant,
            include: vec!["vim".into()],
            ..of("rocky:9")
        };
        let plan = plan(&request, nobody.path()).0.unwrap();
        (plan.wishes, plan.configure)
    };
    assert_eq!(wishes(Variant::Custom), (vec!["vim".to_owned()], true));
    assert_eq!(wishes(Variant::Extract), (vec!["vim".to_owned()], false));
    let (minimal, configure) = wishes(Variant::Minbase);
    assert!(configure && minimal.len() > 4 && minimal[0] == "rocky-release");
    assert_eq!(minimal.last().map(String::as_str), Some("vim"));
}

#[test]
fn repo_files_add_and_take_the_place_of_their_namesakes() {
    let files = host(&[
        (
            "a.repo",
            "[baseos]\nbaseurl=http://a.example/$releasever/$stream\n[extra]\nbaseurl=http://b.example/\n",
        ),
        ("b.repo", "[appstream]\nenabled=0\nbaseurl=http://c.example/\n"),
    ]);
    let request = Request {
        repos: vec![files.path().join("a.repo"), files.path().join("b.repo")],
        ..of("centos:10")
    };
    let plan = plan(&request, files.path()).0.unwrap();
    assert_eq!(ids(&plan), ["baseos", "extra"]);
    assert_eq!(plan.repos[0].base_urls, ["http://a.example/10/10-stream"]);
    assert!(plan.wishes.contains(&"centos-stream-release".to_owned()));
}

#[test]
fn a_host_of_the_same_distribution_tells_the_mirror() {
    let fedora = host(&[
        (
            "usr/lib/os-release",
            "NAME=\"Fedora Linux\"\nID=fedora\nVERSION_ID=41\n",
        ),
        (
            "etc/yum.repos.d/fedora.repo",
            "[fedora]\nname=F\nbaseurl=http://near.$site/fedora/$releasever/$basearch\ngpgcheck=0\npriority=7\n\
             [updates]\nenabled=0\nbaseurl=http://near.example/u/$releasever\n",
        ),
        ("etc/yum.repos.d/broken.repo", "what is this\n"),
        ("etc/yum.repos.d/notes.txt", "nor this\n"),
        ("etc/dnf/vars/site", "example\nsecond line\n"),
        ("etc/dnf/vars/releasever", "1\n"),
    ]);
    let (found, told) = plan(&of("fedora:43"), fedora.path());
    let found = found.unwrap();
    let arch = arch::host();
    assert_eq!(
        found.repos[0].base_urls,
        [format!("http://near.example/fedora/43/{arch}")]
    );
    assert_eq!(found.repos[0].priority, 7);
    assert_eq!(
        found.repos[0].gpgcheck,
        Check::Enforced,
        "the catalogue knows the keys"
    );
    assert_eq!(
        keys(&found.repos[0]),
        ["C6E7F081CF80E13146676E88829B606631645531"]
    );
    // What the host has disabled comes from the official address.
    assert!(found.repos[1].metalink.is_some());
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("broken.repo, line 1"), "{told:?}");
    assert!(
        told[1].starts_with("Fedora Linux comes from http://near.$site/fedora")
            && told[1].ends_with("etc/yum.repos.d/fedora.repo"),
        "{told:?}"
    );
    // Another distribution's host says nothing.
    let (found, told) = plan(&of("rocky:9"), fedora.path());
    assert!(found.unwrap().repos[0].mirror_list.is_some() && told.is_empty());
}

#[test]
fn an_address_of_another_release_is_not_taken() {
    let fixed = "[fedora]\nbaseurl=http://near.example/fedora/41\n";
    for (version, taken) in [("43", true), ("41", false), ("4", false)] {
        let host = host(&[
            ("etc/os-release", &format!("ID=fedora\nVERSION_ID={version}\n")),
            ("etc/yum.repos.d/fedora.repo", fixed),
        ]);
        let found = plan(&of("fedora:43"), host.path()).0.unwrap();
        assert_eq!(!found.repos[0].base_urls.is_empty(), taken, "{version}");
    }
    let host = host(&[
        ("etc/os-release", "ID=rocky\nVERSION_ID=\"9.4\"\n"),
        (
            "etc/yum.repos.d/r.repo",
            "[baseos]\nbaseurl=tor+http://x.example/9\n[appstream]\nbaseurl=file:/srv/9\n",
        ),
    ]);
    let found = plan(&of("rocky:9"), host.path()).0.unwrap();
    assert!(
        found.repos[0].mirror_list.is_some(),
        "nobody can read that scheme"
    );
    assert_eq!(found.repos[1].base_urls, ["file:/srv/9"]);
}

#[test]
fn the_kind_of_database_is_the_releases_unless_it_is_said() {
    let nobody = host(NOBODY);
    for (spec, usual) in [
        ("leap:15.6", Backend::Ndb),
        ("tumbleweed", Backend::Ndb),
        ("rocky:8", Backend::Bdb),
        ("centos-linux:7", Backend::Bdb),
        ("amazon:2", Backend::Bdb),
        ("fedora:43", Backend::Sqlite),
    ] {
        let plan = plan(&of(spec), nobody.path()).0.unwrap();
        assert_eq!((plan.backend, plan.usual_backend), (None, Some(usual)), "{spec}");
    }
    let request = Request {
        rpmdb_backend: Some(Backend::Sqlite),
        ..of("rocky:8")
    };
    let plan = plan(&request, nobody.path()).0.unwrap();
    assert_eq!(
        (plan.backend, plan.usual_backend),
        (Some(Backend::Sqlite), Some(Backend::Bdb))
    );
}

#[test]
fn what_cannot_be_made() {
    let nobody = host(NOBODY);
    let refused = |request: Request| {
        let error = plan(&request, nobody.path()).0.err().unwrap();
        assert_eq!(error.class(), Class::Usage, "{error}");
        (error.to_string(), error.hint().unwrap_or_default())
    };
    let (error, hint) = refused(of("fedora:1"));
    assert_eq!(error, "Fedora Linux has no release called `1`");
    assert!(hint.contains("43, 44"), "{hint}");
    let unknown = |arch: &str| Request {
        arch: Some(arch.into()),
        ..of("fedora:43")
    };
    let (error, hint) = refused(unknown("arm64"));
    assert_eq!(error, "RPM has no architecture called `arm64`");
    assert!(hint.contains("`aarch64`"), "{hint}");
}

#[cfg(target_arch = "x86_64")]
#[test]
fn an_architecture_that_the_release_does_not_have() {
    let nobody = host(NOBODY);
    let request = |spec: &str, arch: &str| Request {
        arch: Some(arch.into()),
        ..of(spec)
    };
    let error = plan(&request("fedora:43", "i686"), nobody.path())
        .0
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "Fedora Linux 43 has nothing for the architecture `i686`"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("x86_64")));
    let plan = plan(&request("mageia:9", "i586"), nobody.path()).0.unwrap();
    assert_eq!(
        (plan.arch.as_str(), plan.repos[0].id.as_str()),
        ("i586", "mageia-i586")
    );
}

#[test]
fn an_ended_release_is_said() {
    let nobody = host(NOBODY);
    let request = Request {
        variant: Variant::Extract,
        ..of("centos-linux:7")
    };
    let (plan, told) = plan(&request, nobody.path());
    let plan = plan.unwrap();
    assert_eq!(ids(&plan), ["base", "updates", "extras"]);
    assert_eq!(told, ["CentOS Linux 7 has had no updates since 2024-06-30"]);
}
