use std::fs;

use super::*;

#[test]
fn a_host_without_apt() {
    let root = tempfile::tempdir().unwrap();
    let host = read(root.path());
    assert!(host.sources.is_empty() && host.problems.is_empty());
    assert!(host.check_valid_until() && host.check_date());
    assert_eq!(host.max_future("Debian"), None);
}

#[test]
fn a_host_with_apt() {
    let root = tempfile::tempdir().unwrap();
    let etc = root.path().join("etc/apt");
    for directory in ["sources.list.d", "apt.conf.d"] {
        fs::create_dir_all(etc.join(directory)).unwrap();
    }
    fs::create_dir(etc.join("sources.list.d/directory.list")).unwrap();
    let stanza = "Types: deb\nURIs: http://b.example/\nSuites: x\nComponents: main\n";
    for (name, text) in [
        ("sources.list", "deb http://a.example/ x main\n"),
        ("sources.list.d/20.list", "deb http://c.example/ x main\n"),
        ("sources.list.d/10.sources", stanza),
        ("sources.list.d/15.list", "nonsense"),
        ("sources.list.d/20.list.save", "deb http://d.example/ x main\n"),
        ("sources.list.d/un named.list", "deb http://e.example/ x main\n"),
        ("apt.conf", "Acquire::Max-FutureTime \"100\";"),
        (
            "apt.conf.d/10x",
            "Acquire { Check-Valid-Until \"yes\"; Max-FutureTime::Debian \"60\"; };",
        ),
        (
            "apt.conf.d/20x.conf",
            "Acquire::Check-Valid-Until 0; Acquire::Max-FutureTime 5;",
        ),
        ("apt.conf.d/30x", "broken"),
        ("apt.conf.d/40x.bak", "Acquire::Check-Valid-Until 1;"),
    ] {
        fs::write(etc.join(name), text).unwrap();
    }
    let host = read(root.path());
    let seen: Vec<_> = host
        .sources
        .iter()
        .map(|(_, source)| source.uris[0].as_str())
        .collect();
    assert_eq!(
        seen,
        ["http://a.example/", "http://b.example/", "http://c.example/"]
    );
    assert_eq!(host.sources[1].0, etc.join("sources.list.d/10.sources"));
    assert!(!host.check_valid_until() && host.check_date());
    assert_eq!(host.max_future("Debian"), Some(Duration::from_secs(60)));
    assert_eq!(host.max_future("Other"), Some(Duration::from_secs(100)));
    assert_eq!(host.max_age(""), None);

    let problems: Vec<String> = host.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("15.list, line 1"), "{problems:?}");
    assert!(problems[1].contains("30x`, line 1"), "{problems:?}");
}
