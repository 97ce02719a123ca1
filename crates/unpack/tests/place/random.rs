use bareroot_model::{Entry, Kind};
use bareroot_unpack::{Conffiles, Diversion, Filter};
use proptest::prelude::*;

use crate::kit::*;

/// Names that meet often, and some that try to leave.
fn name() -> impl Strategy<Value = String> {
    let component = prop_oneof![8 => "[abc]", 1 => Just("..".to_owned()), 1 => Just("bin".to_owned())];
    (prop::collection::vec(component, 1..4), prop::bool::weighted(0.02))
        .prop_map(|(names, absolute)| format!("{}{}", if absolute { "/" } else { "./" }, names.join("/")))
}

fn item() -> impl Strategy<Value = Item> {
    let text = prop_oneof![
        4 => "[abc]",
        2 => "\\.\\./[abc]",
        1 => "/[abc]/[abc]",
        1 => Just("../../../canary".to_owned()),
        1 => Just("usr/bin".to_owned()),
    ];
    (name(), text, name(), 0..12u8, 0..3u8).prop_map(|(path, text, target, kind, variant)| match kind {
        0..=3 => mode(
            mtime(dir(path), i64::from(variant)),
            0o755 - u32::from(variant) * 0o11,
        ),
        4..=7 => file(path, format!("{variant}")),
        8..=9 => link(path, text),
        10 => hard(path, target),
        _ => node(path, Kind::Fifo),
    })
}

/// Packages that a failure shows in few words.
#[derive(Clone)]
struct Packages(Vec<Vec<Item>>);

impl std::fmt::Debug for Packages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (ordinal, items) in self.0.iter().enumerate() {
            for (entry, _) in items {
                let path = String::from_utf8_lossy(&entry.path);
                match &entry.kind {
                    Kind::Symlink(text) => {
                        writeln!(f, "p{ordinal} {path} -> {}", String::from_utf8_lossy(text))?
                    }
                    Kind::Hardlink(target) => {
                        writeln!(f, "p{ordinal} {path} = {}", String::from_utf8_lossy(target))?
                    }
                    kind => writeln!(f, "p{ordinal} {path} {kind:?} {}", entry.mtime)?,
                }
            }
        }
        Ok(())
    }
}

fn packages() -> impl Strategy<Value = Packages> {
    prop::collection::vec(prop::collection::vec(item(), 1..7), 1..4).prop_map(Packages)
}

const RELATIONS: [&[(&str, &str)]; 4] = [
    &[],
    &[("p1", "p0"), ("p2", "p1"), ("p2", "p0")],
    &[("p0", "p1"), ("p0", "p2"), ("p1", "p2")],
    &[("p1", "p0")],
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    /// Whatever packages hold, nothing outside changes, nothing panics, and the order of arrival does not show.
    #[test]
    fn arrival_does_not_show(packages in packages(), relation in 0..RELATIONS.len(), merged in any::<bool>(), extra in 0..6u8) {
        let before = |ground: &Ground| {
            if merged {
                std::fs::create_dir_all(ground.join("usr/bin")).unwrap();
                std::os::unix::fs::symlink("usr/bin", ground.join("bin")).unwrap();
                std::os::unix::fs::symlink("a", ground.join("c")).unwrap();
            }
        };
        let packages: Vec<_> = packages
            .0
            .into_iter()
            .enumerate()
            .map(|(ordinal, items)| {
                let mut order = order(ordinal, &format!("p{ordinal}"));
                order.conffiles = [b"/a".to_vec(), b"/a/b".to_vec()].into();
                if extra == 1 {
                    order.subject.name = "lib".to_owned();
                    order.subject.architecture = format!("arch{ordinal}");
                    order.subject.multi_arch_same = true;
                }
                // Without what `Placer::place` refuses at once, so that more gets as far as the settling.
                let items = items.into_iter().filter(|(entry, _): &(Entry, _)| {
                    !entry.path.starts_with(b"/") && !entry.path.windows(2).any(|pair| pair == b"..")
                });
                (order, items.collect::<Vec<_>>())
            })
            .collect();
        let refused = |(order, items): &(bareroot_unpack::Order, Vec<Item>)| {
            let ground = Ground::new();
            before(&ground);
            let placer = bareroot_unpack::Placer::new(&ground.root(), crate::kit::settings()).unwrap();
            placer.place(order, bareroot_trust::Verified::local(Made::new(items.clone()))).is_err()
        };
        let packages = packages.into_iter().filter(|package| !refused(package)).collect();
        let settings = || {
            let mut settings = replacing(RELATIONS[relation]);
            match extra {
                2 => settings.filters = vec![Filter::exclude("/a*"), Filter::include("/a/b/*")],
                3 => settings.installed = over(&[("old", "/a"), ("p0", "/b"), ("p2", "/c")], &[], Conffiles::Keep).installed,
                4 => {
                    let (from, to) = (b"/a/b".to_vec(), b"/c/d".to_vec());
                    settings.diversions = [Diversion { from, to, package: Some("p1".to_owned()) }].into_iter().collect();
                }
                _ => {}
            }
            settings
        };
        let (_outcome, _ground) = in_every_order(settings, before, packages);
    }

    /// The same with everything that is refused.
    #[test]
    fn nothing_outside_changes(packages in packages()) {
        let ground = Ground::new();
        std::os::unix::fs::symlink("../canary", ground.join("b")).unwrap();
        let packages = packages.0.into_iter().enumerate().map(|(n, items)| (order(n, &format!("p{n}")), items)).collect();
        let _ = ground.place(settings(), packages);
    }
}
