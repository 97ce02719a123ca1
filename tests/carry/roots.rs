//! Data by rules, accounts, links, and roots that are filled further.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;

use bareroot_testkit::cases;
use bareroot_testkit::harness::Case;
use bareroot_testkit::headers::Builder;

use crate::{Elf, Setting, listing, with_loader};

pub const CASES: &[Case] = cases![
    Nothing: a_script_and_its_interpreter, files_and_links, a_list_in_json, data_of_a_package, data_of_a_package_of_rpm, only_what_is_asked_for;
    Root: accounts_are_cut_down_and_added_to, owners_modes_and_hard_links
];

fn content(setting: &Setting, path: &str) -> String {
    fs::read_to_string(setting.root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn a_script_and_its_interpreter() {
    let setting = with_loader(&["liba.so"]);
    setting.program(
        "usr/bin/interpreter",
        &Elf {
            needed: &["liba.so"],
            ..Elf::default()
        },
    );
    setting.program("usr/bin/env", &Elf::default());
    setting.file("usr/bin/one", 0o755, "#! /usr/bin/interpreter -x\n");
    setting.file("usr/bin/two", 0o755, "#!/usr/bin/env -S interpreter -x\n");
    setting.carry(&["one", "two", "--no-data"]).ok();
    let all = listing(&setting.root());
    for path in [
        "usr/bin/one",
        "usr/bin/two",
        "usr/bin/env",
        "usr/bin/interpreter",
        "usr/lib/aarch64-linux-gnu/liba.so",
    ] {
        assert!(all.iter().any(|there| there == path), "{path}");
    }
}

fn files_and_links() {
    let setting = with_loader(&["libplugin.so"]);
    setting.program("usr/bin/tool", &Elf::default());
    let plugin = Elf {
        soname: Some("p.so"),
        needed: &["libplugin.so"],
        ..Elf::default()
    };
    setting.file("srv/plugins/p.so", 0o644, plugin.bytes());
    setting.link("/srv/data", "srv/plugins/data");
    setting.file("srv/data", 0o644, "d");
    setting.link("nowhere", "srv/plugins/dangling");
    setting
        .carry(&["tool", "--no-data", "--file", "/srv/plugins"])
        .ok();
    assert_eq!(content(&setting, "srv/data"), "d");
    let link = |path: &str| fs::read_link(setting.root().join(path)).unwrap();
    assert_eq!(link("srv/plugins/data").to_str(), Some("/srv/data"));
    assert_eq!(link("srv/plugins/dangling").to_str(), Some("nowhere"));
    assert!(
        setting
            .root()
            .join("usr/lib/aarch64-linux-gnu/libplugin.so")
            .is_file()
    );
}

fn a_list_in_json() {
    let setting = with_loader(&["liba.so"]);
    setting.program(
        "usr/bin/tool",
        &Elf {
            needed: &["liba.so"],
            ..Elf::default()
        },
    );
    let ran = setting.carry(&["tool", "--dry-run", "--json"]).ok();
    assert!(!setting.root().exists());
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["dry_run"], true);
    assert_eq!(document["written"], serde_json::Value::Null);
    let entries = document["entries"].as_array().unwrap();
    let of = |path: &str| entries.iter().find(|entry| entry["path"] == path).unwrap();
    let library = of("/usr/lib/aarch64-linux-gnu/liba.so");
    assert_eq!(library["rule"], "library");
    assert_eq!(library["needed_by"], "/usr/bin/tool");
    assert_eq!(library["kind"], "file");
    assert_eq!(of("/lib")["target"], "usr/lib");
    assert_eq!(of("/usr/bin/tool")["rule"], "program");
    assert_eq!(of("/tmp")["mode"], "1777");
}

fn data_of_a_package() {
    let setting = with_loader(&[]);
    setting.program("usr/bin/tool", &Elf::default());
    setting.file("etc/tool/tool.conf", 0o644, "c");
    setting.file("usr/share/tool/data", 0o644, "d");
    setting.file("usr/share/doc/tool/README", 0o644, "r");
    setting.file("var/lib/tool/state", 0o644, "s");
    setting.file("usr/share/other/data", 0o644, "o");
    setting.file(
        "var/lib/dpkg/status",
        0o644,
        "Package: tool\nSource: tools\nDepends: tool-data, other\n\nPackage: tool-data\nSource: tools (1)\n\nPackage: other\n",
    );
    setting.file(
        "var/lib/dpkg/info/tool.list",
        0o644,
        "/.\n/usr/bin/tool\n/etc/tool/tool.conf\n/usr/share/doc/tool/README\n",
    );
    setting.file(
        "var/lib/dpkg/info/tool-data:arm64.list",
        0o644,
        "/.\n/usr/share/tool/data\n/var/lib/tool\n/var/lib/tool/state\n",
    );
    // Whose list is the first that has the directory itself.
    setting.file(
        "var/lib/dpkg/info/other.list",
        0o644,
        "/.\n/bin\n/usr/bin\n/usr/share/other/data\n",
    );
    setting.link("usr/bin", "bin");
    setting.carry(&["/bin/tool"]).ok();
    let all = listing(&setting.root());
    let has = |path: &str| all.iter().any(|there| there == path);
    assert!(
        has("etc/tool/tool.conf") && has("usr/share/tool/data") && has("var/lib/tool"),
        "{all:?}"
    );
    for path in ["usr/share/doc", "var/lib/tool/state", "usr/share/other"] {
        assert!(!has(path), "{path}");
    }
}

/// In a database of each kind.
fn data_of_a_package_of_rpm() {
    let package = |name: &str, source: &str, requires: &str, files: &[(&str, &str)]| {
        let mut header = Builder::new(name);
        header.text(1022, "noarch");
        header.text(1044, source);
        header.dependency([1049, 1048, 1050], 0, "", requires);
        for (directory, name) in files {
            header.file(0o100_644, 0, directory, name, &[]);
        }
        header.bytes()
    };
    let headers = [
        package(
            "tool",
            "tools-1.0-2.fc42.src.rpm",
            "tool-data",
            &[
                ("/usr/bin/", "tool"),
                ("/etc/tool/", "tool.conf"),
                ("/usr/share/doc/tool/", "README"),
            ],
        ),
        package(
            "tool-data",
            "tools-1.0-2.fc42.src.rpm",
            "other",
            &[("/usr/share/tool/", "data"), ("/var/lib/tool/", "state")],
        ),
        package(
            "other",
            "other-1.0-2.fc42.src.rpm",
            "tool",
            &[("/usr/share/other/", "data")],
        ),
    ];
    for (kind, directory) in [
        ("sqlite", "usr/lib/sysimage/rpm"),
        ("ndb", "usr/lib/sysimage/rpm"),
        ("bdb", "var/lib/rpm"),
    ] {
        let setting = with_loader(&[]);
        setting.program("usr/bin/tool", &Elf::default());
        for path in [
            "etc/tool/tool.conf",
            "usr/share/tool/data",
            "usr/share/doc/tool/README",
            "var/lib/tool/state",
            "usr/share/other/data",
        ] {
            setting.file(path, 0o644, "d");
        }
        setting.file("list", 0o644, headers.concat());
        fs::create_dir_all(setting.from().join(directory).parent().unwrap()).unwrap();
        let imported = Command::new(env!("CARGO_BIN_EXE_bareroot"))
            .current_dir(setting.from())
            .args(["rpmdb", "import", "list", directory, "--to", kind])
            .output()
            .expect("the binary starts");
        assert!(imported.status.success(), "{imported:?}");
        setting.carry(&["tool"]).ok();
        let all = listing(&setting.root());
        let has = |path: &str| all.iter().any(|there| there == path);
        assert!(
            has("etc/tool/tool.conf") && has("usr/share/tool/data"),
            "{kind}: {all:?}"
        );
        for path in ["usr/share/doc", "var/lib/tool/state", "usr/share/other"] {
            assert!(!has(path), "{kind}: {path}");
        }
    }
}

fn only_what_is_asked_for() {
    let setting = with_loader(&[]);
    setting.program("usr/bin/tool", &Elf::default());
    setting.file("etc/passwd", 0o644, "root:x:0:0::/root:/bin/sh\n");
    setting.carry(&["tool", "--no-data"]).ok();
    assert!(!setting.root().join("etc/passwd").exists());
}

fn accounts_are_cut_down_and_added_to() {
    let setting = with_loader(&[]);
    setting.program("usr/sbin/served", &Elf::default());
    setting.program("usr/bin/tool", &Elf::default());
    setting.file(
        "etc/passwd",
        0o644,
        "root:x:0:0:root:/root:/bin/sh\nserved:x:101:102::/:/bin/false\nme:x:1000:1000::/home/me:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
    );
    setting.file(
        "etc/group",
        0o644,
        "root:x:0:me\nserved:x:102:served,me\nme:x:1000:\nnogroup:x:65534:\n",
    );
    setting.file(
        "etc/shadow",
        0o600,
        "root:$6$secret:1::::::\nserved:!:1::::::\nme:$6$other:1::::::\n",
    );
    setting.carry(&["tool"]).ok();
    assert!(!content(&setting, "etc/passwd").contains("served"));
    setting.carry(&["served"]).ok();
    let passwd = content(&setting, "etc/passwd");
    assert!(
        passwd.contains("root:x:0:0:") && passwd.contains("served:x:101:102:") && passwd.contains("nobody:")
    );
    assert!(!passwd.contains("me:x:1000"));
    assert!(content(&setting, "etc/group").contains("served:x:102:served\n"));
    let shadow = content(&setting, "etc/shadow");
    assert!(
        shadow.contains("root:*:") && shadow.contains("served:*:") && !shadow.contains("secret"),
        "{shadow}"
    );
    assert_eq!(
        fs::metadata(setting.root().join("etc/shadow")).unwrap().mode() & 0o7777,
        0o600
    );
    // The same user with another number is somebody else.
    fs::write(setting.root().join("etc/passwd"), "served:x:7:7::/:/\n").unwrap();
    setting
        .carry(&["served"])
        .failed(6, &["/etc/passwd", "numbers the same users otherwise"]);
}

fn owners_modes_and_hard_links() {
    let setting = with_loader(&[]);
    setting.program("usr/bin/tool", &Elf::default());
    setting.file("srv/one", 0o4755, "x");
    let one = setting.from().join("srv/one");
    std::os::unix::fs::chown(&one, Some(7), Some(8)).unwrap();
    fs::set_permissions(&one, fs::Permissions::from_mode(0o4751)).unwrap();
    fs::hard_link(&one, setting.from().join("srv/two")).unwrap();
    setting.carry(&["tool", "--no-data", "--file", "/srv"]).ok();
    let of = |path: &str| fs::metadata(setting.root().join(path)).unwrap();
    let (first, second) = (of("srv/one"), of("srv/two"));
    assert_eq!((first.uid(), first.gid(), first.mode() & 0o7777), (7, 8, 0o4751));
    assert_eq!(first.ino(), second.ino());
    assert_eq!(first.mtime_nsec(), fs::metadata(&one).unwrap().mtime_nsec());
}
