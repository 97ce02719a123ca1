//! Archives: bareroot's with mmdebstrap's entry by entry, and with GNU tar's of the same root to the byte.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use bareroot_testkit::tree::{Tree, TreeOptions, diff};

use super::exceptions::{self, Exception, Pair};
use crate::machine;
use crate::report::Report;
use crate::run::must;
use crate::workshop::{EPOCH, Recipe, Workshop};

/// What mmdebstrap asks of tar, but that it leaves ./dev out, which it writes itself.
const GNU: &[&str] = &[
    "--sort=name",
    "--clamp-mtime",
    "--numeric-owner",
    "--one-file-system",
    "--format=pax",
    "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
    "--xattrs",
    "-c",
];

/// Suite and variant of the roots.
const ROOTS: &[(&str, &str)] = &[("trixie", "minbase"), ("bookworm", "minbase")];

/// Everything that an archive says.
const ALL: TreeOptions = TreeOptions {
    content: true,
    xattrs: true,
    mtime: true,
};

/// The comparisons; `quick` is of one root.
///
/// # Errors
/// When this machine's apt has no mirror.
pub fn run(workshop: &Workshop, quick: bool, report: &mut Report) -> Result<()> {
    let mirror = machine::debian_mirror()?;
    for (suite, variant) in ROOTS.iter().take(if quick { 1 } else { ROOTS.len() }) {
        let recipe = Recipe {
            distribution: "debian",
            suite,
            variant,
            mirror: &mirror,
            epoch: true,
            expired: false,
        };
        let title = format!("tar {suite} {variant}");
        let compared = compare(workshop, &recipe, &title, report);
        report.take(&title, compared);
    }
    Ok(())
}

fn compare(workshop: &Workshop, recipe: &Recipe<'_>, title: &str, report: &mut Report) -> Result<()> {
    let out = |who: &str, suffix: &str| workshop.fresh(&format!("{who}-{}.{suffix}", recipe.suite));
    let (peer, ours) = (out("mmdebstrap", "tar"), out("bareroot", "tar"));
    must(&mut workshop.mmdebstrap_command(recipe, &peer))?;
    must(&mut workshop.bareroot_command(recipe, &ours))?;
    with_mmdebstrap(recipe, &peer, &ours, title, report)?;
    let packed = compressions(workshop, recipe, &ours, title, report)?;
    let root = workshop.bareroot(recipe, &[])?;
    with_gnu(workshop, &root, &ours, title, report)?;
    workshop.remove(&root)?;
    for file in packed.iter().chain([&peer, &ours]) {
        fs::remove_file(file)?;
    }
    Ok(())
}

/// Path, type, mode, owner, link, device, size, content, attributes and time of every entry, and their order.
fn with_mmdebstrap(
    recipe: &Recipe<'_>,
    peer: &Path,
    ours: &Path,
    title: &str,
    report: &mut Report,
) -> Result<()> {
    let (theirs, their_order) = read(peer)?;
    let (tree, order) = read(ours)?;
    // Contents are not looked at by path: these are archives.
    let pair = Pair {
        suite: recipe.suite,
        peer,
        ours,
    };
    let (mut unexplained, mut excused) = (Vec::new(), Vec::new());
    for difference in diff(&theirs, &tree, &|_| false) {
        match exceptions::for_difference(exceptions::TABLE, &difference, &pair) {
            Some(Exception { reason, .. }) => {
                excused.push(format!("{} ({reason})", difference.path().display()))
            }
            None => unexplained.push(difference.to_string()),
        }
    }
    let what = format!("{title}: {} entries, mmdebstrap's", tree.entries.len());
    report.check(&what, &unexplained);
    for excused in excused {
        report.note(&format!("{title}: excused {excused}"));
    }
    // mmdebstrap writes ./dev first and leaves the rest to tar.
    let rest = |order: &[PathBuf], other: &Tree| -> Vec<PathBuf> {
        let mut rest = order.to_vec();
        rest.retain(|path| !path.starts_with("dev") && other.entries.contains_key(path));
        rest
    };
    let (theirs, own) = (rest(&their_order, &tree), rest(&order, &theirs));
    let parts = theirs.iter().zip(&own).find(|(one, other)| one != other);
    let evidence: Vec<String> = parts
        .map(|(one, other)| format!("{} | {}", one.display(), other.display()))
        .into_iter()
        .collect();
    report.check(&format!("{title}: in tar's order"), &evidence);
    Ok(())
}

fn read(archive: &Path) -> Result<(Tree, Vec<PathBuf>)> {
    let file = File::open(archive).with_context(|| archive.display().to_string())?;
    Tree::from_tar(BufReader::new(file), &ALL).with_context(|| archive.display().to_string())
}

/// Each compression is the same archive to the tool that made it known, with one job and with many.
fn compressions(
    workshop: &Workshop,
    recipe: &Recipe<'_>,
    plain: &Path,
    title: &str,
    report: &mut Report,
) -> Result<Vec<PathBuf>> {
    let expected = fs::read(plain)?;
    let mut made = Vec::new();
    for (suffix, tool) in [("tar.gz", "gzip"), ("tar.xz", "xz"), ("tar.zst", "zstd")] {
        let out = workshop.fresh(&format!("bareroot-{}.{suffix}", recipe.suite));
        must(&mut workshop.bareroot_command(recipe, &out))?;
        let mut command = Command::new(tool);
        let file = File::open(&out)?;
        let output = command.arg("-dc").stdin(file).stderr(Stdio::inherit()).output();
        let output = output.with_context(|| format!("{tool} cannot be run"))?;
        let same = output.status.success() && output.stdout == expected;
        let evidence = (!same).then(|| format!("{tool} -dc of it is something else: {}", output.status));
        report.check(
            &format!("{title}: {tool} reads {suffix}"),
            &Vec::from_iter(evidence),
        );
        let one = workshop.fresh(&format!("bareroot-{}-1.{suffix}", recipe.suite));
        must(workshop.bareroot_command(recipe, &one).args(["--jobs", "1"]))?;
        let same = fs::read(&one)? == fs::read(&out)?;
        let evidence = (!same).then(|| "other bytes".to_owned());
        report.check(
            &format!("{title}: {suffix} with --jobs 1"),
            &Vec::from_iter(evidence),
        );
        made.extend([out, one]);
    }
    Ok(made)
}

/// The directory that bareroot makes, as `bareroot export` and as GNU tar write it.
fn with_gnu(
    workshop: &Workshop,
    root: &Path,
    bootstrapped: &Path,
    title: &str,
    report: &mut Report,
) -> Result<()> {
    let exported = workshop.fresh("exported.tar");
    let mut export = Command::new(&workshop.bareroot);
    export
        .arg("export")
        .arg(root)
        .arg(&exported)
        .env("SOURCE_DATE_EPOCH", EPOCH);
    must(&mut export)?;
    let exported_bytes = fs::read(&exported)?;
    fs::remove_file(&exported)?;
    let mut gnu = Command::new("tar");
    gnu.args(GNU)
        .arg(format!("--mtime=@{EPOCH}"))
        .arg("-C")
        .arg(root)
        .arg(".")
        .env("LC_ALL", "C");
    let output = gnu
        .stderr(Stdio::inherit())
        .output()
        .context("tar cannot be run")?;
    ensure!(output.status.success(), "tar: {}", output.status);
    let differs = |one: &[u8], other: &[u8]| -> Vec<String> {
        let at = one.iter().zip(other).position(|(one, other)| one != other);
        let evidence = (one != other).then(|| {
            let (one, other) = (one.len(), other.len());
            format!("{one} bytes and {other}, different from byte {at:?} on")
        });
        Vec::from_iter(evidence)
    };
    report.check(
        &format!("{title}: GNU tar of the directory to the byte"),
        &differs(&exported_bytes, &output.stdout),
    );
    report.check(
        &format!("{title}: export of the directory is bootstrap's archive"),
        &differs(&exported_bytes, &fs::read(bootstrapped)?),
    );
    Ok(())
}
