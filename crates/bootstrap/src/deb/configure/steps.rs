//! In which order preinsts run and packages are configured.
//!
//! dpkg runs a package's preinst when what it pre-depends on is configured (Debian policy 7.2), and mmdebstrap has the
//! essential packages configured before the rest is unpacked. Here everything is unpacked at once, so a preinst that may
//! need a configured package waits for it. Most preinsts need nothing: those of the essential packages may not, and
//! those that debhelper generates do not; then one `dpkg --configure -a` does it all.

use std::collections::{HashMap, HashSet};

use bareroot_deb::relation;
use bareroot_deb::scripts::is_generated;

use super::Unconfigured;

/// One thing to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// The preinst of a package, by its place.
    Preinst(usize),
    /// Configure these packages, by their places.
    Configure(Vec<usize>),
    /// Configure whatever is not configured yet.
    ConfigureAll,
}

/// The steps for packages that are in the solution's order.
pub fn steps(packages: &[Unconfigured<'_>]) -> Vec<Step> {
    let (mut early, mut late) = (Vec::new(), Vec::new());
    for (place, package) in packages.iter().enumerate() {
        let Some(script) = package.info.iter().find(|file| file.name == "preinst") else {
            continue;
        };
        match package.stage == 0 || is_generated(&script.bytes) {
            true => early.push(place),
            false => late.push(place),
        }
    }
    early.sort_by_key(|place| packages[*place].control.package() != super::FIRST);
    let mut steps: Vec<Step> = early.into_iter().map(Step::Preinst).collect();
    if !late.is_empty() || packages.iter().any(is_felt) {
        let first: Vec<usize> = (0..packages.len())
            .filter(|place| packages[*place].stage == 0)
            .collect();
        let mut done: HashSet<usize> = first.iter().copied().collect();
        steps.extend((!first.is_empty()).then_some(Step::Configure(first)));
        let names = names(packages);
        for place in late {
            let mut needed = Vec::new();
            for name in named(&packages[place], &["Pre-Depends"]) {
                closure(packages, &names, &name, &mut done, &mut needed);
            }
            needed.sort_unstable();
            steps.extend((!needed.is_empty()).then_some(Step::Configure(needed)));
            steps.push(Step::Preinst(place));
        }
    }
    steps.push(Step::ConfigureAll);
    steps
}

/// Whether the essential packages would be configured otherwise with this one around: where there is a systemctl, their
/// timers are enabled by it. Such a package has to wait, as it does in mmdebstrap.
fn is_felt(package: &Unconfigured<'_>) -> bool {
    package.stage > 0 && package.control.package() == "systemd"
}

/// A package of that name and all that it needs, where it is not `done` yet.
fn closure(
    packages: &[Unconfigured<'_>],
    names: &HashMap<&str, Vec<usize>>,
    name: &str,
    done: &mut HashSet<usize>,
    needed: &mut Vec<usize>,
) {
    let mut waiting = vec![name.to_owned()];
    while let Some(name) = waiting.pop() {
        for place in names.get(name.as_str()).into_iter().flatten() {
            if done.insert(*place) {
                needed.push(*place);
                waiting.extend(named(&packages[*place], &["Pre-Depends", "Depends"]));
            }
        }
    }
}

fn names<'a>(packages: &[Unconfigured<'a>]) -> HashMap<&'a str, Vec<usize>> {
    let mut names: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, package) in packages.iter().enumerate() {
        names.entry(package.control.package()).or_default().push(place);
    }
    names
}

/// Every name in these fields; of alternatives all, for what is not in the root is not asked for.
fn named(package: &Unconfigured<'_>, fields: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    for field in fields.iter().filter_map(|field| package.control.text(field)) {
        for group in relation::parse_groups(field).unwrap_or_default() {
            names.extend(group.iter().map(|relation| relation.name.to_owned()));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use bareroot_deb::archive::{Control, InfoFile};

    use super::*;

    fn run(packages: &[(&str, usize, &str, Option<&str>)]) -> Vec<Step> {
        let owned: Vec<(Control, Vec<InfoFile>, usize)> = packages
            .iter()
            .map(|(name, stage, fields, preinst)| {
                let text = format!(
                    "Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n{fields}"
                );
                let info = preinst.map(|script| InfoFile {
                    name: "preinst".into(),
                    mode: 0o755,
                    mtime: 0,
                    bytes: script.as_bytes().to_vec(),
                });
                (
                    Control::parse(text.as_bytes()).unwrap(),
                    info.into_iter().collect(),
                    *stage,
                )
            })
            .collect();
        let packages: Vec<Unconfigured<'_>> = owned
            .iter()
            .map(|(control, info, stage)| Unconfigured {
                control,
                info,
                stage: *stage,
            })
            .collect();
        steps(&packages)
    }

    #[test]
    fn usually_one_configure_does_it_all() {
        let generated = "#!/bin/sh\nset -e\ndpkg-maintscript-helper rm_conffile /etc/a 1 -- \"$@\"\n";
        let steps = run(&[
            ("libc6", 0, "", Some("#!/bin/sh\nanything\n")),
            ("base-passwd", 0, "", Some("#!/bin/sh\n")),
            ("apt", 1, "", Some(generated)),
            ("plain", 1, "", None),
        ]);
        assert_eq!(
            steps,
            [
                Step::Preinst(1),
                Step::Preinst(0),
                Step::Preinst(2),
                Step::ConfigureAll
            ]
        );
    }

    #[test]
    fn essential_packages_do_not_feel_the_rest() {
        let steps = run(&[("libc6", 0, "", None), ("systemd", 1, "", None)]);
        assert_eq!(steps, [Step::Configure(vec![0]), Step::ConfigureAll]);
    }

    #[test]
    fn a_preinst_with_a_mind_of_its_own_waits() {
        let own = Some("#!/bin/sh\nadduser x\n");
        let steps = run(&[
            ("libc6", 0, "", None),
            ("common", 1, "", None),
            ("adduser", 1, "Depends: common, libc6\n", None),
            ("server", 1, "Pre-Depends: adduser (>= 1) | other\n", own),
            ("simple", 1, "", own),
        ]);
        assert_eq!(
            steps,
            [
                Step::Configure(vec![0]),
                Step::Configure(vec![1, 2]),
                Step::Preinst(3),
                Step::Preinst(4),
                Step::ConfigureAll
            ]
        );
    }
}
