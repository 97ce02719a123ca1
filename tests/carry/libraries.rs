//! Where libraries are found: as ld.so(8) says, inside the source alone.

use bareroot_testkit::cases;
use bareroot_testkit::harness::Case;

use crate::{Elf, Setting, listing, with_loader};

pub const CASES: &[Case] = cases![
    Nothing: default_directories_and_links, rpath_is_inherited_and_runpath_is_not, origin_and_lib, configuration_and_cache,
    another_machines_library_is_passed_over, variants_for_newer_processors, musl_has_its_own_ways, a_link_stays_inside
];

fn has(setting: &Setting, path: &str) {
    let all = listing(&setting.root());
    assert!(all.iter().any(|there| there == path), "{path} is not in {all:?}");
}

fn lacks(setting: &Setting, path: &str) {
    let all = listing(&setting.root());
    assert!(all.iter().all(|there| there != path), "{path} is in {all:?}");
}

fn default_directories_and_links() {
    let setting = with_loader(&[]);
    setting.library(
        "usr/lib/aarch64-linux-gnu/liba.so.1.2",
        "liba.so.1",
        &["libb.so.1"],
    );
    setting.link("liba.so.1.2", "usr/lib/aarch64-linux-gnu/liba.so.1");
    setting.library("usr/lib/libb.so.1", "libb.so.1", &[]);
    setting.library("usr/lib/unused.so", "unused.so", &[]);
    setting.program(
        "usr/bin/tool-1",
        &Elf {
            needed: &["liba.so.1"],
            ..Elf::default()
        },
    );
    setting.link("tool-1", "usr/bin/tool");
    setting.carry(&["tool", "--no-data", "--mode", "auto"]).ok();
    for path in [
        "lib",
        "usr/bin/tool",
        "usr/bin/tool-1",
        "usr/lib/ld-linux-aarch64.so.1",
        "usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
        "usr/lib/aarch64-linux-gnu/liba.so.1",
        "usr/lib/aarch64-linux-gnu/liba.so.1.2",
        "usr/lib/libb.so.1",
        "tmp",
        "dev",
        "proc",
    ] {
        has(&setting, path);
    }
    lacks(&setting, "usr/lib/unused.so");
    assert_eq!(
        std::fs::read_link(setting.root().join("lib")).unwrap().to_str(),
        Some("usr/lib")
    );
    lacks(&setting, "etc/ld.so.cache");
}

fn rpath_is_inherited_and_runpath_is_not() {
    // The program's RPATH is seen by liba, which is where libdeep is.
    let setting = with_loader(&["liba.so"]);
    setting.library("usr/lib/aarch64-linux-gnu/liba.so", "liba.so", &["libdeep.so"]);
    setting.library("opt/x/libdeep.so", "libdeep.so", &[]);
    let needed: &[&str] = &["liba.so"];
    setting.program(
        "usr/bin/tool",
        &Elf {
            needed,
            rpath: Some("/opt/x"),
            ..Elf::default()
        },
    );
    setting.carry(&["tool", "--no-data"]).ok();
    has(&setting, "opt/x/libdeep.so");

    setting.program(
        "usr/bin/tool",
        &Elf {
            needed,
            runpath: Some("/opt/x"),
            ..Elf::default()
        },
    );
    setting
        .carry(&["tool", "--no-data", "--dry-run", "--force"])
        .failed(
            3,
            &[
                "`libdeep.so` is not there",
                "liba.so` needs it",
                "/lib/aarch64-linux-gnu",
                "hint: ",
            ],
        );
    // Where there is a RUNPATH, the RPATH beside it counts for nothing.
    setting.program(
        "usr/bin/tool",
        &Elf {
            needed,
            rpath: Some("/opt/x"),
            runpath: Some("/nowhere"),
            ..Elf::default()
        },
    );
    setting
        .carry(&["tool", "--no-data", "--dry-run", "--force"])
        .failed(3, &["libdeep.so"]);
}

fn origin_and_lib() {
    let setting = with_loader(&[]);
    setting.library("opt/app/lib/liba.so", "liba.so", &[]);
    setting.library("opt/lib/aarch64-linux-gnu/libb.so", "libb.so", &[]);
    setting.library("opt/aarch64/libc2.so", "libc2.so", &[]);
    let runpath = "$ORIGIN/../lib:/opt/${LIB}:/opt/$PLATFORM";
    setting.program(
        "opt/app/bin/tool",
        &Elf {
            needed: &["liba.so", "libb.so", "libc2.so"],
            runpath: Some(runpath),
            ..Elf::default()
        },
    );
    // The program is named by a link: $ORIGIN is where it really is.
    setting.link("/opt/app/bin/tool", "usr/bin/tool");
    setting.carry(&["tool", "--no-data"]).ok();
    for path in [
        "opt/app/lib/liba.so",
        "opt/lib/aarch64-linux-gnu/libb.so",
        "opt/aarch64/libc2.so",
        "usr/bin/tool",
    ] {
        has(&setting, path);
    }
}

fn configuration_and_cache() {
    let setting = with_loader(&[]);
    setting.library("srv/one/liba.so", "liba.so", &[]);
    setting.library("srv/two/libb.so", "libb.so", &[]);
    setting.file(
        "etc/ld.so.conf",
        0o644,
        "# c\ninclude ld.so.conf.d/*.conf\n/srv/two # x\n",
    );
    setting.file("etc/ld.so.conf.d/a.conf", 0o644, "/srv/one\ninclude a.conf\n");
    setting.program(
        "usr/bin/tool",
        &Elf {
            needed: &["liba.so", "libb.so"],
            ..Elf::default()
        },
    );
    setting.carry(&["tool", "--no-data"]).ok();
    has(&setting, "srv/one/liba.so");
    has(&setting, "srv/two/libb.so");
    // The loader would not find them by itself: there is a cache of these two.
    let cache = std::fs::read(setting.root().join("etc/ld.so.cache")).unwrap();
    assert!(cache.starts_with(b"glibc-ld.so.cache1.1"));
    let text = String::from_utf8_lossy(&cache).into_owned();
    assert!(text.contains("/srv/one/liba.so") && text.contains("/srv/two/libb.so"));
}

fn another_machines_library_is_passed_over() {
    let setting = with_loader(&[]);
    let other = Elf {
        machine: 62,
        soname: Some("liba.so"),
        ..Elf::default()
    };
    setting.file("usr/lib/aarch64-linux-gnu/liba.so", 0o644, other.bytes());
    setting.library("usr/lib/liba.so", "liba.so", &[]);
    setting.program(
        "usr/bin/tool",
        &Elf {
            needed: &["liba.so"],
            ..Elf::default()
        },
    );
    setting.carry(&["tool", "--no-data"]).ok();
    has(&setting, "usr/lib/liba.so");
    lacks(&setting, "usr/lib/aarch64-linux-gnu/liba.so");
    std::fs::remove_file(setting.from().join("usr/lib/liba.so")).unwrap();
    setting
        .carry(&["tool", "--no-data", "--dry-run"])
        .failed(3, &["liba.so", "of another machine"]);
}

fn variants_for_newer_processors() {
    let setting = with_loader(&["liba.so"]);
    for level in ["a", "b"] {
        let path = format!("usr/lib/aarch64-linux-gnu/glibc-hwcaps/{level}/liba.so");
        setting.library(&path, "liba.so", &[]);
    }
    setting.program(
        "usr/bin/tool",
        &Elf {
            needed: &["liba.so"],
            ..Elf::default()
        },
    );
    let ran = setting.carry(&["tool", "--no-data", "--dry-run"]).ok();
    assert_eq!(
        ran.stdout
            .lines()
            .filter(|line| line.starts_with("hwcaps ") && line.contains("liba.so"))
            .count(),
        2
    );
}

fn musl_has_its_own_ways() {
    let setting = Setting::new();
    let loader = Elf {
        soname: Some("libc.musl-aarch64.so.1"),
        ..Elf::default()
    };
    setting.file("lib/ld-musl-aarch64.so.1", 0o755, loader.bytes());
    setting.file("etc/ld-musl-aarch64.path", 0o644, "/lib:/srv/lib\n");
    setting.library("srv/lib/liba.so", "liba.so", &["libc.so", "libpthread.so.0"]);
    let program = Elf {
        interpreter: Some("/lib/ld-musl-aarch64.so.1"),
        needed: &["liba.so"],
        ..Elf::default()
    };
    setting.file("bin/tool", 0o755, program.bytes());
    setting.carry(&["tool", "--no-data"]).ok();
    has(&setting, "srv/lib/liba.so");
}

fn a_link_stays_inside() {
    let setting = with_loader(&[]);
    setting.library("usr/lib/real.so", "liba.so", &[]);
    // As a path of the host it would lead nowhere, or out.
    setting.link("/../../usr/lib/real.so", "usr/lib/aarch64-linux-gnu/liba.so");
    setting.program(
        "usr/bin/tool",
        &Elf {
            needed: &["liba.so"],
            ..Elf::default()
        },
    );
    setting.carry(&["tool", "--no-data"]).ok();
    has(&setting, "usr/lib/real.so");
}
