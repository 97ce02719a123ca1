use bareroot_model::Reason;

use super::*;
use crate::packages::Priority;

const BASE: &str = "base 1 | Essential: yes | Depends: libc, awk | Recommends: locales\n\
                    libc 1\n\
                    mawk 1 | Provides: awk | Priority: required\n\
                    gawk 1 | Priority: optional | Provides: awk\n\
                    apt 1 | Priority: important | Depends: keyring, awk\n\
                    keyring 1\n\
                    locales 1\n\
                    tzdata 1 | Priority: required | Recommends: locales\n\
                    other 1 | Essential: yes";

fn stages(recommends: bool, second: &[Want]) -> Vec<(usize, String, bool, Reason)> {
    let indexes = [index(0, BASE)];
    let sources = [Source {
        suite: "stable".to_owned(),
        ..Source::new("trixie")
    }];
    let mut settings = Settings::new("amd64");
    settings.recommends = recommends;
    let first = Stage::new([Want::Essential {
        suites: vec!["stable".to_owned()],
    }]);
    let selection = select(
        &Universe::new(&indexes, &sources),
        &settings,
        &[first, Stage::new(second.iter().cloned())],
    )
    .unwrap();
    assert!(selection.repaired.is_empty());
    let all = selection.packages.iter();
    all.map(|c| (c.stage, c.stanza.name().to_owned(), c.automatic, c.reason.clone()))
        .collect()
}

fn minbase() -> [Want; 2] {
    let priorities = vec![Priority::Required];
    [
        Want::Rule("apt".parse().unwrap()),
        Want::Priority {
            priorities,
            suites: vec!["trixie".to_owned()],
        },
    ]
}

#[test]
fn the_second_stage_builds_on_the_first() {
    let names = |recommends| {
        let all = stages(recommends, &minbase());
        all.into_iter()
            .map(|(stage, name, ..)| format!("{stage}{name}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names(false), "0libc 0mawk 0base 0other 1keyring 1apt 1tzdata");
    // What the first stage recommended comes with it, not later.
    assert_eq!(
        names(true),
        "0libc 0mawk 0base 0locales 0other 1keyring 1apt 1tzdata"
    );
}

#[test]
fn marks_and_reasons() {
    let all = stages(false, &minbase());
    let find = |name: &str| all.iter().find(|(_, other, ..)| other == name).cloned().unwrap();
    let needed = |of: &str, kind: &str, relation: &str| Reason::Dependency {
        of: of.to_owned(),
        kind: kind.to_owned(),
        relation: relation.to_owned(),
    };
    let variant = |rule: &str| Reason::Variant {
        rule: rule.to_owned(),
    };
    for (name, automatic, reason) in [
        ("base", false, variant("essential")),
        ("mawk", true, needed("base", "Depends", "awk")),
        ("apt", false, variant("apt")),
        ("tzdata", false, variant("priority required")),
        ("keyring", true, needed("apt", "Depends", "keyring")),
    ] {
        let (_, _, found_automatic, found) = find(name);
        assert_eq!((found_automatic, found), (automatic, reason), "{name}");
    }
}

#[test]
fn a_wish_for_what_is_there_changes_nothing() {
    let all = stages(false, &[Want::Package("libc".parse().unwrap())]);
    assert!(all.iter().all(|(stage, ..)| *stage == 0));
}

#[test]
fn what_an_earlier_stage_installed_is_not_taken_out() {
    let text = "base 1 | Essential: yes\nrival 1 | Conflicts: base";
    let indexes = [index(0, text)];
    let sources = [Source::new("trixie")];
    let first = Stage::new([Want::Essential { suites: Vec::new() }]);
    let result = select(
        &Universe::new(&indexes, &sources),
        &Settings::new("amd64"),
        &[first, packages("rival")],
    );
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("`rival 1` conflicts with `base`, which `base 1` is"),
        "{error}"
    );
}
