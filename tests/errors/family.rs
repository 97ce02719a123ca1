//! Options and releases that do not fit: refused before anything is fetched.

use bareroot_testkit::cases;
use bareroot_testkit::door::{self, Door};
use bareroot_testkit::harness::Case;

use crate::{door, repository};

pub const CASES: &[Case] = cases![
    Nothing: options_of_the_other_family, releases_that_cannot_be_made, a_release_that_is_none, a_mirror_without_it,
        a_repo_file_without_repositories;
];

/// `bootstrap` of these words into the door's target, which fails with that code and says these words.
#[track_caller]
fn fails(door: &Door, words: &[&str], code: i32, said: &[&str]) {
    let mut command = door.command(["bootstrap"]);
    let (spec, options) = words.split_first().expect("a SPEC");
    command.arg(spec).arg(door.target()).args(options);
    door::run(command).failed(code, said);
    door.assert_nothing_left();
}

fn options_of_the_other_family() {
    let door = door(&repository(&[]));
    for (words, said) in [
        (
            &["fedora:43", "--components", "main"][..],
            "--components is not for RPM roots",
        ),
        (
            &["fedora:43", "--sources", "x.sources"],
            "--sources is not for RPM roots",
        ),
        (
            &["fedora:43", "--mirror", "deb http://m.example x main"],
            "--mirror is not for RPM roots",
        ),
        (
            &["fedora:43", "--variant", "buildd"],
            "there are extract, custom and minbase",
        ),
        (
            &["fedora:43", "--merged-usr"],
            "--merged-usr is not for RPM roots",
        ),
        (&["fedora:43", "--aptopt", "x"], "--aptopt is not for RPM roots"),
        (&["fedora:43", "--dpkgopt", "x"], "--dpkgopt is not for RPM roots"),
        (
            &["debian:trixie", "--repo", "x.repo"],
            "--repo is not for Debian roots",
        ),
        (
            &["debian:trixie", "--releasever", "9"],
            "--releasever is not for Debian roots",
        ),
        (&["debian:trixie", "--nodocs"], "--path-exclude"),
        (
            &["debian:trixie", "--langs", "de"],
            "--langs is not for Debian roots",
        ),
        (
            &["debian:trixie", "--with-optional"],
            "--with-optional is not for Debian roots",
        ),
    ] {
        fails(&door, words, 2, &[said]);
    }
}

fn releases_that_cannot_be_made() {
    let door = door(&repository(&[]));
    fails(
        &door,
        &["fedora:43", "--arch", "mips64"],
        2,
        &[
            "Fedora Linux 43 has nothing for the architecture `mips64`",
            "x86_64",
        ],
    );
}

fn a_release_that_is_none() {
    let door = door(&repository(&[]));
    fails(
        &door,
        &["fedora:1"],
        2,
        &["Fedora Linux has no release called `1`", "43, 44"],
    );
    fails(
        &door,
        &["fedoria:43"],
        2,
        &["no distribution is called `fedoria`", "bareroot distros"],
    );
}

/// A mirror is asked for the distribution's own layout.
fn a_mirror_without_it() {
    let door = door(&repository(&[]));
    let mirror = door.mirror.url();
    let words = ["fedora:43", "--mirror", &mirror, "--no-cache"];
    fails(
        &door,
        &words,
        4,
        &["releases/43/Everything/", "/os/repodata/repomd.xml"],
    );
}

fn a_repo_file_without_repositories() {
    let door = door(&repository(&[]));
    let file = door.file("x.repo", "[off]\nenabled=0\nbaseurl=http://m.example/\n");
    let mut command = door.command(["bootstrap"]);
    command.arg(door.target()).arg("--repo").arg(&file);
    door::run(command).failed(2, &["no enabled repository"]);
    let mut command = door.command(["bootstrap"]);
    command
        .arg(door.target())
        .arg("--repo")
        .arg(&file)
        .args(["--mirror", "http://m.example"]);
    door::run(command).failed(2, &["--mirror says nothing without a SPEC"]);
    door.assert_nothing_left();
}
