//! What comes from a mirror or a package reaches the terminal with nothing in it that a terminal obeys, and with no line of
//! its own that looks like one of ours. `Site::run` looks for the first after every run.

use bareroot_testkit::door::{Run, SUITE};
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::Fault;
use bareroot_testkit::programs::script;
use bareroot_testkit::repo::Suite;
use bareroot_testkit::{base, cases};

use crate::site::{IN_RELEASE, Site, assert_plain, hello, repository, rpm, rpms, suite};

pub const CASES: &[Case] = cases![
    Nothing: the_name_of_a_suite, a_date, a_relation, a_name_and_a_version, an_error_page, a_redirection, a_map, a_line_of_a_list,
        a_forged_line, an_rpm_name, a_group, the_list_of_packages;
    Root: a_path_in_a_package, what_a_script_prints;
];

/// What drives a terminal or turns what is read: clearing the screen, the title, an 8-bit CSI, a bell, a backspace, a carriage
/// return, and the overrides of direction.
const TRICKS: [&str; 9] = [
    "\x1b[2J",
    "\x1b]0;owned\x07",
    "\u{9b}2J",
    "\u{8}\u{8}\u{8}",
    "\u{7f}",
    "\u{202e}yllatsni",
    "\u{2066}x\u{2069}",
    "\u{200f}\u{61c}",
    "\u{90}x\u{9c}",
];

/// Runs it as people see it and as programs do.
#[track_caller]
fn both(site: &Site, code: i32) {
    for options in [&[][..], &["--json"], &["--verbose"]] {
        site.bootstrap(options).ended_with(code);
    }
}

fn the_name_of_a_suite() {
    for trick in TRICKS {
        let suite = Suite {
            suite: Some(format!("evil{trick}")),
            codename: Some(format!("{trick}worse")),
            ..suite(SUITE)
        };
        let mut repository = repository(&[hello("1.0")]);
        repository.suites_mut()[0] = suite;
        both(&Site::new(&repository), 5);
    }
}

fn a_date() {
    for trick in TRICKS {
        let mut repository = repository(&[hello("1.0")]);
        repository.suites_mut()[0].fields = vec![("Valid-Until".into(), format!("{trick} now"))];
        both(&Site::new(&repository), 5);
    }
}

/// A mirror whose index has another stanza for hello.
fn stanza(change: impl Fn(String) -> String) -> Site {
    let mut repository = repository(&[hello("1.0")]);
    let stanza = &mut repository.packages_mut()[0].stanza;
    *stanza = change(std::mem::take(stanza));
    Site::new(&repository)
}

/// Bootstraps hello with what it depends on.
#[track_caller]
fn custom(site: &Site, options: &[&str]) -> Run {
    let words = ["--variant", "custom", "--include", "hello", "--no-host-files"];
    site.run(site.door().bootstrap_command(&[&words, options].concat()))
}

/// A dependency that cannot be had is named.
fn a_relation() {
    for trick in TRICKS {
        for relation in [
            format!("evil{trick}"),
            format!("evil (>= 1{trick})"),
            trick.to_owned(),
        ] {
            let site = stanza(|text| format!("{text}Depends: {relation}\n"));
            for options in [&[][..], &["--json"]] {
                let run = custom(&site, options);
                assert!(matches!(run.code, Some(3 | 5)), "{relation:?}: {run:?}");
            }
        }
    }
}

fn a_name_and_a_version() {
    for trick in TRICKS {
        let named = stanza(|text| text.replace("Package: hello\n", &format!("Package: hello{trick}\n")));
        let run = named.bootstrap(&[]);
        assert!(matches!(run.code, Some(3 | 5)), "{trick:?}: {run:?}");
        let versioned = stanza(|text| text.replace("Version: 1.0\n", &format!("Version: 1.0{trick}\n")));
        let run = versioned.bootstrap(&[]);
        assert!(matches!(run.code, Some(3 | 5)), "{trick:?}: {run:?}");
        let wished = Site::new(&repository(&[hello("1.0")]));
        let run = wished.bootstrap(&["--include", &format!("x{trick}")]);
        assert!(matches!(run.code, Some(2 | 3)), "{trick:?}: {run:?}");
    }
}

fn an_error_page() {
    for trick in TRICKS {
        for answer in [
            format!("HTTP/1.1 403 {trick}\r\nContent-Length: 0\r\n\r\n"),
            format!(
                "HTTP/1.1 403 No\r\nContent-Length: {}\r\n\r\n{trick}",
                trick.len()
            ),
            format!("HTTP/1.1 403 No\r\nX: {trick}\r\nContent-Length: 0\r\n\r\n"),
            format!("{trick} 200 OK\r\n\r\n"),
        ] {
            let site = Site::new(&repository(&[hello("1.0")]));
            site.mirror()
                .fault(IN_RELEASE, 1, Fault::Raw(answer.into_bytes()));
            site.mirror().always(IN_RELEASE, Fault::Status(403));
            site.bootstrap(&["--verbose"]).ended_with(4);
        }
    }
}

fn a_redirection() {
    for trick in TRICKS {
        for to in [
            format!("ftp://h/{trick}"),
            format!("{trick}://h/"),
            format!("/{trick}"),
        ] {
            let site = Site::new(&repository(&[hello("1.0")]));
            site.mirror().always(IN_RELEASE, Fault::Redirect(to.clone()));
            site.mirror().always("dists/tiny/Release", Fault::Status(404));
            site.bootstrap(&[]).ended_with(4);
        }
    }
}

/// The map of a partial mirror is text of the mirror's.
fn a_map() {
    for trick in TRICKS {
        for text in [
            format!("version = \"{trick}\"\n"),
            format!("{trick}\n"),
            format!("\"{trick}\" = 1\n"),
        ] {
            let site = Site::new(&repository(&[hello("1.0")]));
            site.mirror().put("bareroot-mirror.toml", text);
            let run = site.bootstrap(&[]);
            assert_eq!(run.code, Some(5), "{trick:?}: {run:?}");
        }
    }
}

fn a_line_of_a_list() {
    for trick in TRICKS {
        let mut files = crate::site::signed(&repository(&[hello("1.0")]));
        crate::site::signed_anew(&mut files, |text| {
            format!("{text}SHA512:\n {trick} 1 main/{trick}\n")
        });
        both(&Site::over(files), 5);
    }
}

/// Lines that would pass for ours: what follows a line end in somebody else's text is indented.
fn a_forged_line() {
    let forged = |run: &Run| {
        for line in run.stderr.lines() {
            assert!(!line.starts_with("warning: all is well"), "{}", run.stderr);
        }
        assert!(
            run.stderr
                .lines()
                .filter(|line| line.starts_with("error: ") || line.starts_with("hint: "))
                .count()
                <= 2,
            "{}",
            run.stderr
        );
    };
    let mut folded = crate::site::signed(&repository(&[hello("1.0")]));
    crate::site::signed_anew(&mut folded, |text| {
        text.replace(
            "Suite: tiny\nCodename: tiny\n",
            "Suite: x\n warning: all is well\nCodename: y\n warning: all is well\n",
        )
    });
    forged(&Site::over(folded).bootstrap(&[]).ended_with(5));
    for field in ["Filename", "Version", "Depends", "Package"] {
        let site = stanza(|text| {
            let lines = text
                .lines()
                .filter(|line| !line.starts_with(&format!("{field}: ")));
            let rest: String = lines.map(|line| format!("{line}\n")).collect();
            format!("{rest}{field}: x\n warning: all is well\n hint: --no-gpgcheck\n")
        });
        let run = custom(&site, &[]);
        assert!(matches!(run.code, Some(3..=5)), "{field}: {run:?}");
        forged(&run);
    }
    let site = Site::new(&repository(&[hello("1.0")]));
    site.mirror().put(
        "bareroot-mirror.toml",
        "\"\"\"\nwarning: all is well\n\"\"\" = [\n",
    );
    forged(&site.bootstrap(&[]).ended_with(5));
    let end = in_xml("\nwarning: all is well\nhint: --no-gpgcheck");
    for (from, to) in [
        ("<name>hello<", format!("<name>hello{end}<")),
        ("ver=\"1.0\"", format!("ver=\"1.0{end}\"")),
        ("type=\"sha256\" pkgid", format!("type=\"{end}\" pkgid")),
        ("<location href=\"", format!("<location href=\"{end}")),
    ] {
        let run = primary(|text| text.replace(from, &to)).rpm_bootstrap(&[]);
        assert!(matches!(run.code, Some(3..=5)), "{to}: {run:?}");
        forged(&run);
    }
}

/// An RPM repository whose primary.xml is changed.
fn primary(change: impl Fn(&str) -> String) -> Site {
    let mut repository = rpms(&[rpm("1.0-1")]);
    let package = &mut repository.packages_mut()[0];
    package.primary = change(&package.primary);
    Site::rpm(&repository)
}

/// A trick as XML can hold it; what it cannot is left out.
fn in_xml(trick: &str) -> String {
    trick
        .chars()
        .map(|character| format!("&#{};", u32::from(character)))
        .collect()
}

fn an_rpm_name() {
    for trick in TRICKS {
        let trick = in_xml(trick);
        for (from, to) in [
            ("<name>hello<", format!("<name>hello{trick}<")),
            ("ver=\"1.0\"", format!("ver=\"1.0{trick}\"")),
            ("type=\"sha256\" pkgid", format!("type=\"{trick}\" pkgid")),
            ("<arch>", format!("<arch>{trick}")),
        ] {
            let site = primary(|text| text.replace(from, &to));
            for options in [&[][..], &["--json"]] {
                let run = site.rpm_bootstrap(options);
                assert!(matches!(run.code, Some(3..=5)), "{to}: {run:?}");
            }
        }
    }
}

fn a_group() {
    for trick in TRICKS {
        let text = bareroot_testkit::rpm_repo::comps(&[bareroot_testkit::rpm_repo::group(
            "evil",
            &in_xml(trick),
            &[(&format!("missing{}", in_xml(trick)), "mandatory")],
        )]);
        let site = Site::rpm(&rpms(&[rpm("1.0-1")]).groups(&text));
        for options in [&["--include", "@evil"][..], &["--include", "@evil", "--json"]] {
            let run = site.rpm_bootstrap(options);
            assert!(matches!(run.code, Some(0 | 3 | 5)), "{trick:?}: {run:?}");
            if run.code == Some(0) {
                site.clear();
            }
        }
    }
}

/// What `resolve` lists, for people and for programs.
fn the_list_of_packages() {
    for trick in TRICKS {
        let site = stanza(|text| {
            format!(
                "{text}Description: evil{trick}\nSection: {trick}\nMaintainer: {trick} <x@y>\nHomepage: {trick}\n"
            )
        });
        for options in [&[][..], &["--json"], &["--verbose"]] {
            site.resolve(options).succeeded();
        }
    }
}

fn a_path_in_a_package() {
    for trick in TRICKS {
        // Two packages that fight over a path, and one that climbs.
        let one = base::package("one", "1").file(&format!("/usr/share/x{trick}"), "1");
        let hello = base::package("hello", "1.0")
            .field("Depends", "one")
            .file(&format!("/usr/share/x{trick}"), "2")
            .file(&format!("/usr/../../{trick}"), "2");
        let site = Site::new(&repository(&[hello, one]));
        both(&site, 5);
    }
}

fn what_a_script_prints() {
    let said = TRICKS.map(|trick| format!("echo said {trick} so")).join("\n");
    let failing = base::package("evil", "1").script("postinst", script(&format!("{said}\nexit 3")));
    let whole = base::repository(SUITE).package(SUITE, "main", &failing);
    let site = Site::new(&whole);
    for options in [&[][..], &["--json"], &["--verbose"]] {
        let words = [&["--include", "evil", "--no-host-files"], options].concat();
        let run = site.run(site.door().bootstrap_command(&words)).ended_with(7);
        assert!(
            run.stderr.contains("said ") || run.stdout.contains("said "),
            "{run:?}"
        );
        assert_plain(&run);
    }
}
