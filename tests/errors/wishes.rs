use bareroot_testkit::door::Door;
use bareroot_testkit::harness::Case;
use bareroot_testkit::{base, cases};

use crate::{door, repository};

pub const CASES: &[Case] = cases![
    Nothing: no_such_package, nearly_such_a_package, a_chain_to_what_is_missing, a_version_too_old, conflicts, breaks,
        a_wish_against_itself, an_essential_package_is_excluded, a_deb_that_is_none;
    Root: two_packages_with_one_file, nothing_to_configure_with;
];

#[track_caller]
fn cannot(door: &Door, include: &str, words: &[&str]) {
    door.bootstrap(&["--include", include]).failed(3, words);
    door.assert_nothing_left();
}

fn no_such_package() {
    cannot(
        &door(&repository(&[])),
        "no-such-thing",
        &["`no-such-thing`", "tiny"],
    );
}

fn nearly_such_a_package() {
    let door = door(&repository(&[
        base::package("only-provides", "1").field("Provides", "virtual"),
        base::package("also", "1").field("Provides", "virtual"),
    ]));
    cannot(&door, "virtual", &["virtual", "only-provides"]);
}

fn a_chain_to_what_is_missing() {
    let door = door(&repository(&[
        base::package("top", "1").field("Depends", "middle"),
        base::package("middle", "1").field("Depends", "bottom (>= 2)"),
        base::package("bottom", "1.5"),
    ]));
    cannot(&door, "top", &["top", "middle", "bottom (>= 2)", "1.5"]);
}

fn a_version_too_old() {
    let door = door(&repository(&[base::package("thing", "1.5")]));
    cannot(&door, "thing=2", &["thing", "2", "1.5"]);
}

fn conflicts() {
    let door = door(&repository(&[
        base::package("left", "1").field("Conflicts", "right"),
        base::package("right", "1"),
    ]));
    cannot(&door, "left,right", &["left 1", "conflicts with", "right 1"]);
}

fn breaks() {
    let door = door(&repository(&[
        base::package("new", "2").field("Breaks", "old (<< 2)"),
        base::package("old", "1"),
        base::package("top", "1").field("Depends", "new, old"),
    ]));
    cannot(&door, "top", &["new", "breaks", "old (<< 2)"]);
}

fn a_wish_against_itself() {
    let door = door(&repository(&[
        base::package("a", "1").field("Depends", "b"),
        base::package("b", "1"),
    ]));
    cannot(&door, "a,b-", &["a", "b"]);
}

fn an_essential_package_is_excluded() {
    let door = door(&repository(&[
        base::package("top", "1").field("Depends", "base-passwd")
    ]));
    door.bootstrap(&["--include", "top", "--exclude", "base-passwd"])
        .failed(3, &["base-passwd"]);
    door.assert_nothing_left();
}

fn a_deb_that_is_none() {
    let door = door(&repository(&[]));
    let path = door.file("none.deb", "no archive");
    door.bootstrap(&["--include", &path.to_string_lossy()])
        .failed(5, &["none.deb"]);
    door.assert_nothing_left();
    cannot(&door, "./missing.deb", &["missing.deb"]);
}

fn two_packages_with_one_file() {
    let door = door(&repository(&[
        base::package("one", "1").file("/usr/bin/thing", "1"),
        base::package("two", "2").file("/usr/bin/thing", "2"),
    ]));
    cannot(&door, "one,two", &["/usr/bin/thing", "one", "two"]);
}

fn nothing_to_configure_with() {
    let door = door(&repository(&[]));
    door.bootstrap(&["--variant", "custom", "--include", "base-files"])
        .failed(3, &["no `dpkg`", "hint: --variant extract"]);
    door.assert_nothing_left();
}
