use bareroot_model::{Class, Classified};

use super::*;

#[test]
fn a_failure_tells_the_chain_and_the_nearest_miss() {
    for (lines, wishes, expected) in [
        (
            "bar 2 | Depends: libfoo (>= 2)\nlibfoo 1.9",
            "bar",
            "`bar` is wished, `bar 2` depends on `libfoo (>= 2)`, but trixie has libfoo 1.9",
        ),
        (
            "a 1 | Depends: b\nb 1 | Pre-Depends: c\nc 1 | Depends: no",
            "a",
            "`a` is wished, `a 1` depends on `b`, `b 1` pre-depends on `c`, `c 1` depends on `no`, but trixie has no `no`",
        ),
        (
            "a 1 | Depends: v (>= 2)\np 1 | Provides: v\nq 3 | Provides: v (= 1)",
            "a",
            "but trixie has `v` only as provided by p 1, q 3",
        ),
        (
            "a 1 | Depends: x || y (= 3)\ny 2",
            "a",
            "`a 1` depends on `x || y (= 3)`, but trixie has no `x`; trixie has y 2",
        ),
        (
            "a 1 | Conflicts: b\nb 1",
            "a b",
            "`a` is wished, and `a 1` conflicts with `b`, which `b 1` is; `b` is wished",
        ),
        (
            "a 1 | Depends: c\nc 1 | Breaks: d (<< 2)\nb 1 | Depends: d\nd 1",
            "a b",
            "`a` is wished, `a 1` depends on `c`, and `c 1` breaks `d (<< 2)`, which `d 1` is; `b` is wished, \
             `b 1` depends on `d`",
        ),
        (
            "a 1 | Depends: b\nb 1",
            "a b-",
            "`a` is wished, `a 1` depends on `b`, but `b` must not be installed",
        ),
    ] {
        let error = chosen(lines, wishes);
        let expected = expected.replace("||", "|");
        assert!(
            error.starts_with("the packages cannot be installed together\n"),
            "{error}"
        );
        assert!(error.contains(&expected), "{error}\n{expected}");
    }
}

#[test]
fn wishes_that_name_nothing() {
    let lines = "vim 2\np 1 | Provides: v\nq 1 | Provides: v";
    let error = run(lines, &Settings::new("amd64"), "vom").unwrap_err();
    assert_eq!(error.to_string(), "there is no package `vom` in trixie");
    assert_eq!(
        (error.class(), error.hint()),
        (Class::Unresolved, Some("did you mean vim?".to_owned()))
    );
    for (wish, expected) in [
        ("vim=3", "there is no such version as `vim=3`: trixie has 2"),
        ("vim/sid", "there is no such version as `vim/sid`: trixie has 2"),
        ("v", "`v` is a virtual package; these provide it: p, q"),
        (
            "vim:i386",
            "the wish `vim:i386` asks for the architecture `i386`, which the root does not have",
        ),
        ("no*", "there is no package `no*` in trixie"),
    ] {
        assert_eq!(chosen(lines, wish), expected);
    }
}

#[test]
fn a_relation_that_cannot_be_read_names_its_package() {
    let lines = "a 1 | Depends: b (>= \nb 1\nc 1";
    assert_eq!(chosen(lines, "c"), "c");
    let error = chosen(lines, "a");
    assert!(
        error.contains("package `a`") && error.contains("in its `Depends`"),
        "{error}"
    );
}
