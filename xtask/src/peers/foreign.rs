//! `cargo xtask peers foreign`: roots in two stages, and roots of another architecture, run by qemu.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use bareroot_testkit::tree::{Tree, TreeOptions, diff};

use super::root;
use crate::machine;
use crate::report::Report;
use crate::run::{must, run as run_program};
use crate::workshop::{Recipe, Workshop};

/// The architecture, which this machine is not to be of.
const ARCH: &str = "arm64";

/// What a second stage leaves that a root made at once has not, and why: it keeps debconf's own way of writing its database,
/// which makes a copy first, as an interrupted run could not be gone on with otherwise.
const COPIES: [&str; 2] = [
    "var/cache/debconf/config.dat-old",
    "var/cache/debconf/templates.dat-old",
];

/// A user that has nothing.
const NOBODY: &str = "65534";

/// The checks; `--quick` leaves out those that an emulator makes slow.
///
/// # Errors
/// When this machine's apt has no mirror, or a root cannot be removed.
pub fn run(workshop: &Workshop, quick: bool, report: &mut Report) -> Result<()> {
    let mirror = machine::debian_mirror()?;
    let recipe = Recipe {
        distribution: "debian",
        suite: "trixie",
        variant: "minbase",
        mirror: &mirror,
        epoch: true,
        expired: false,
    };
    let made = in_two_stages(workshop, &recipe, report);
    report.take("trixie minbase in two stages", made);
    if machine::architecture()? == ARCH {
        report.skip(ARCH, "it is this machine's own");
    } else if quick {
        report.skip(ARCH, "an emulator takes minutes");
    } else {
        let made = emulated(workshop, &recipe, report);
        report.take("trixie minbase of another architecture", made);
    }
    Ok(())
}

/// This machine's architecture: at once, by bareroot in two stages, and by the root's own script.
fn in_two_stages(workshop: &Workshop, recipe: &Recipe<'_>, report: &mut Report) -> Result<()> {
    let direct = workshop.bareroot(recipe, &[])?;
    let staged = workshop.bareroot(recipe, &["--foreign"])?;
    waits(&staged, "trixie minbase --foreign", report)?;
    finish(workshop, &staged, &[])?;
    let what = "trixie minbase: --foreign and --second-stage make the same root, times included";
    report.check(what, &differences(&direct, &staged)?);
    let scripted = workshop.bareroot(recipe, &["--foreign"])?;
    // A mount namespace, for the script mounts /proc; a PID namespace, so that nothing is left running.
    must(
        Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "chroot"])
            .arg(&scripted)
            .arg("/bareroot/second-stage"),
    )?;
    let what = "trixie minbase: --foreign and /bareroot/second-stage make the same root, times included";
    report.check(what, &differences(&direct, &scripted)?);
    for root in [direct, staged, scripted] {
        workshop.remove(&root)?;
    }
    Ok(())
}

/// Another architecture, by an emulator.
fn emulated(workshop: &Workshop, recipe: &Recipe<'_>, report: &mut Report) -> Result<()> {
    let title = format!("trixie minbase {ARCH}");
    let before = registered();
    // A hook runs in the session, where the root's own dpkg runs as well.
    let checks = [
        "--customize-hook",
        "test -z \"$(chroot \"$1\" dpkg --audit 2>&1)\"",
        "--customize-hook",
        "test -z \"$(chroot \"$1\" dpkg -V 2>&1)\"",
    ];
    let direct = workshop.bareroot(recipe, &[&["--arch", ARCH], &checks[..]].concat())?;
    report.check(&format!("{title}: dpkg --audit and dpkg -V of its own"), &[]);
    host_checks(&direct, &title, report)?;
    same_packages(workshop, recipe, &direct, &title, report)?;

    let staged = workshop.bareroot(recipe, &["--arch", ARCH, "--foreign"])?;
    waits(&staged, &format!("{title} --foreign"), report)?;
    finish(workshop, &staged, &[])?;
    let what = format!("{title}: --foreign and --second-stage make the same root, times included");
    report.check(&what, &differences(&direct, &staged)?);

    let user = as_nobody(workshop, recipe)?;
    let title = format!("{title} by a user");
    host_checks(&user, &title, report)?;
    let packages = (root::packages(&direct)?, root::packages(&user)?);
    report.check(
        &format!("{title}: the same packages"),
        &root::unshared(&packages.0, "as root", &packages.1),
    );
    let after = registered();
    let changed: Vec<String> = before.symmetric_difference(&after).cloned().collect();
    report.check(
        &format!("{title}: binfmt_misc of this host is as it was"),
        &changed,
    );
    for root in [direct, staged, user] {
        workshop.remove(&root)?;
    }
    Ok(())
}

/// `--second-stage`.
fn finish(workshop: &Workshop, root: &Path, options: &[&str]) -> Result<()> {
    let mut command = Command::new(&workshop.bareroot);
    command
        .args(["bootstrap", "--second-stage"])
        .arg(root)
        .args(options);
    // It is as it was when the root was unpacked.
    must(command.env_remove("SOURCE_DATE_EPOCH"))?;
    Ok(())
}

/// Nothing of it has run.
fn waits(root: &Path, title: &str, report: &mut Report) -> Result<()> {
    let states = root::packages(root)?;
    let mut evidence: Vec<String> = states
        .into_iter()
        .filter(|line| !line.ends_with(" install ok unpacked"))
        .collect();
    for path in ["etc/passwd", "var/log/dpkg.log", "usr/sbin/policy-rc.d"] {
        if fs::symlink_metadata(root.join(path)).is_ok() {
            evidence.push(format!("/{path} is there"));
        }
    }
    report.check(&format!("{title}: unpacked, and nothing has run"), &evidence);
    Ok(())
}

/// This machine's own dpkg about the root.
fn host_checks(root: &Path, title: &str, report: &mut Report) -> Result<()> {
    for words in ["--audit", "-V"] {
        let mut command = Command::new("dpkg");
        command.arg(format!("--root={}", root.display())).arg(words);
        report.check(
            &format!("{title}: this machine's dpkg {words}"),
            &run_program(&mut command)?.said(),
        );
    }
    Ok(())
}

/// Names, versions and architectures, as mmdebstrap would install them.
fn same_packages(
    workshop: &Workshop,
    recipe: &Recipe<'_>,
    ours: &Path,
    title: &str,
    report: &mut Report,
) -> Result<()> {
    let mut command = workshop.mmdebstrap.command();
    command.args(["--simulate", "--verbose", "--mode=root", "--skip=check/qemu"]);
    command
        .arg(format!("--architectures={ARCH}"))
        .args(workshop.mmdebstrap.variant(recipe.variant))
        .args([recipe.suite, "/dev/null", recipe.mirror]);
    let ran = must(&mut command)?;
    let mut theirs = BTreeSet::new();
    for line in ran.stdout.lines().chain(ran.stderr.lines()) {
        // Inst NAME (VERSION SOURCE [ARCHITECTURE])
        let Some(rest) = line.strip_prefix("Inst ") else {
            continue;
        };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let name = words.first().context("an Inst line without a name")?;
        let version = words.iter().find_map(|word| word.strip_prefix('('));
        let arch = words
            .iter()
            .find_map(|word| word.strip_prefix('[')?.strip_suffix("])"));
        theirs.insert(format!(
            "{name}:{} {} install ok installed",
            arch.context("an Inst line without an architecture")?,
            version.context("an Inst line without a version")?
        ));
    }
    ensure!(
        !theirs.is_empty(),
        "mmdebstrap said of no package that it would be installed"
    );
    let ours = root::packages(ours)?;
    report.check(
        &format!("{title}: {} packages, the same as mmdebstrap's", ours.len()),
        &root::unshared(&theirs, "mmdebstrap", &ours),
    );
    Ok(())
}

/// The root as a user makes it who has one id.
fn as_nobody(workshop: &Workshop, recipe: &Recipe<'_>) -> Result<PathBuf> {
    let home = workshop.fresh("nobody");
    fs::create_dir(&home)?;
    let id = NOBODY.parse().ok();
    std::os::unix::fs::chown(&home, id, id)?;
    // Where the user can get at it.
    let binary = home.join("bareroot");
    fs::copy(&workshop.bareroot, &binary)?;
    let root = home.join("root");
    let mut command = Command::new("setpriv");
    command
        .arg(format!("--reuid={NOBODY}"))
        .arg(format!("--regid={NOBODY}"))
        .arg("--clear-groups")
        .arg(&binary)
        .args(["bootstrap", &format!("debian:{}", recipe.suite)])
        .arg(&root)
        .args([
            "--mirror",
            recipe.mirror,
            "--variant",
            recipe.variant,
            "--arch",
            ARCH,
        ])
        .args(["--mode", "single", "--cache-dir"])
        .arg(home.join("cache"))
        .env("SOURCE_DATE_EPOCH", crate::workshop::EPOCH);
    must(&mut command)?;
    Ok(root)
}

/// How two roots differ, times included, but for [`COPIES`].
fn differences(direct: &Path, staged: &Path) -> Result<Vec<String>> {
    let options = TreeOptions {
        mtime: true,
        ..TreeOptions::default()
    };
    let read = |root: &Path| Tree::read(root, &options).context("a tree cannot be read");
    let is_copy = |path: &Path| COPIES.iter().any(|copy| path == Path::new(copy));
    let differences = diff(&read(direct)?, &read(staged)?, &is_copy);
    Ok(differences.iter().map(ToString::to_string).collect())
}

/// The host's table of emulators.
fn registered() -> BTreeSet<String> {
    let entries = fs::read_dir("/proc/sys/fs/binfmt_misc");
    entries.map_or_else(
        |_| BTreeSet::new(),
        |entries| {
            entries
                .flatten()
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect()
        },
    )
}
