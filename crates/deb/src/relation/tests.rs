use proptest::prelude::*;

use super::*;

fn plain(name: &str) -> Relation<'_> {
    Relation {
        name,
        arch: None,
        constraint: None,
        architectures: None,
    }
}

#[test]
fn real_fields() {
    let field = "libc6 (>= 2.38), default-mta | mail-transport-agent, perl:any,\n libgcc-s1 (<< 4.2), \
                 libssl3t64 (= 3.5.4-1~deb13u1)\t,,libfoo+bar1.2-dev:i386 ( >>1:2-3 ),";
    let groups = parse_groups(field).unwrap();
    let with = |name, op, version| Relation {
        constraint: Some((op, version)),
        ..plain(name)
    };
    assert_eq!(
        groups,
        [
            vec![with("libc6", Op::Ge, "2.38")],
            vec![plain("default-mta"), plain("mail-transport-agent")],
            vec![Relation {
                arch: Some("any"),
                ..plain("perl")
            }],
            vec![with("libgcc-s1", Op::Lt, "4.2")],
            vec![with("libssl3t64", Op::Eq, "3.5.4-1~deb13u1")],
            vec![Relation {
                arch: Some("i386"),
                ..with("libfoo+bar1.2-dev", Op::Gt, "1:2-3")
            }],
        ]
    );
    let texts: Vec<&str> = super::groups(field).map(Group::text).collect();
    assert_eq!(texts[1], "default-mta | mail-transport-agent");
    assert_eq!(parse_groups("").unwrap(), Vec::<Vec<Relation<'_>>>::new());
    assert_eq!(parse_groups(" , ,\n").unwrap(), Vec::<Vec<Relation<'_>>>::new());
}

#[test]
fn operators() {
    for (text, op) in [
        ("a (<< 1)", Op::Lt),
        ("a (<= 1)", Op::Le),
        ("a (< 1)", Op::Le),
        ("a (= 1)", Op::Eq),
        ("a (1)", Op::Eq),
        ("a (>= 1)", Op::Ge),
        ("a (> 1)", Op::Ge),
        ("a (>> 1)", Op::Gt),
        ("a(>=1)", Op::Ge),
    ] {
        assert_eq!(parse(text).unwrap().constraint, Some((op, "1")), "{text}");
    }
    for (op, less, equal, more) in [
        (Op::Lt, true, false, false),
        (Op::Le, true, true, false),
        (Op::Eq, false, true, false),
        (Op::Ge, false, true, true),
        (Op::Gt, false, false, true),
    ] {
        let seen = ["1.0~rc1", "1.0-0", "1:0"].map(|have| op.matches(have, "1.0"));
        assert_eq!(seen, [less, equal, more], "{op}");
    }
    assert!(plain("a").admits("anything"));
    assert!(!parse("a (>= 2)").unwrap().admits("1"));
}

#[test]
fn restrictions() {
    let text = "libc6-dev:native (>= 2) [linux-any !i386] <!nocheck> <stage1 cross>";
    let relation = parse(text).unwrap();
    assert_eq!(
        (relation.name, relation.arch, relation.architectures),
        ("libc6-dev", Some("native"), Some("linux-any !i386"))
    );
    for (text, amd64, i386) in [
        ("a", true, true),
        ("a [amd64]", true, false),
        ("a [amd64 i386]", true, true),
        ("a [!i386]", true, false),
        ("a [!amd64 !i386]", false, false),
        ("a []", false, false),
    ] {
        let relation = parse(text).unwrap();
        assert_eq!(
            (relation.holds_on("amd64"), relation.holds_on("i386")),
            (amd64, i386),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_relation() {
    for (text, part) in [
        ("", "no package name"),
        ("(>= 1)", "no package name"),
        ("a b", "something follows"),
        ("a (>= 1", "not closed"),
        ("a [amd64", "not closed"),
        ("a <x", "not closed"),
        ("a ()", "version is empty"),
        ("a (>=)", "version is empty"),
        ("a (>= 1 2)", "version has a character"),
        ("a (=> 1)", "version has a character"),
        ("a (>= (1)", "version has a character"),
        ("a (1) (2)", "two versions"),
        ("a [b] [c]", "two lists"),
        ("a:", "architecture"),
        ("a:(1)", "architecture"),
        ("a:b:c", "name has a character"),
        ("a$b", "name has a character"),
        ("é", "no package name"),
        ("${misc:Depends}", "no package name"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(
            error.contains(part) && error.contains(&format!("`{text}`")),
            "{text}: {error}"
        );
    }
    assert!(parse_groups("a | | b").is_err());
    assert!(parse_groups("a, b c, d").is_err());
}

#[test]
fn every_relation_of_real_packages() {
    let text = include_str!("../../../../fixtures/debian/Packages.trixie");
    let mut count = 0;
    for line in text.lines() {
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        if [
            "Depends",
            "Pre-Depends",
            "Recommends",
            "Suggests",
            "Provides",
            "Breaks",
            "Conflicts",
            "Replaces",
        ]
        .contains(&name)
        {
            for group in groups(value) {
                let again: Vec<String> = group
                    .alternatives()
                    .map(|relation| relation.unwrap().to_string())
                    .collect();
                assert_eq!(again.join(" | "), group.text());
                count += again.len();
            }
        }
    }
    assert!(count > 500, "{count}");
}

proptest! {
    #[test]
    fn written_and_read(
        name in "[a-z0-9][a-z0-9+.-]{1,8}",
        arch in prop::option::of("any|native|amd64|kfreebsd-i386"),
        op in prop_oneof![Just(Op::Lt), Just(Op::Le), Just(Op::Eq), Just(Op::Ge), Just(Op::Gt)],
        version in prop::option::of("([0-9]:)?[0-9][a-z0-9+.~-]{0,6}"),
        architectures in prop::option::of("!?amd64( !?i386)?"),
    ) {
        let relation = Relation {
            name: &name,
            arch: arch.as_deref(),
            constraint: version.as_deref().map(|version| (op, version)),
            architectures: architectures.as_deref(),
        };
        let text = relation.to_string();
        prop_assert_eq!(parse(&text).unwrap(), relation);
    }
}
