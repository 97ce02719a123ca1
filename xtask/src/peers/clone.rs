//! A clone of the running system, held against the system itself and against what `tar | tar` makes of it, path by path; and what
//! its own package manager says in it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use bareroot_testkit::tree::{Tree, TreeOptions, Type, diff};

use crate::machine;
use crate::report::Report;
use crate::run::must;
use crate::workshop::Place;

/// What is cloned.
#[derive(clap::Args, Clone, Debug)]
pub struct Which {
    /// The tree
    #[arg(long, value_name = "DIR", default_value = "/")]
    from: PathBuf,
    /// Directories of it whose content is left out, by name at its top (repeatable)
    #[arg(long, value_name = "NAME", default_values = ["tmp", "work"])]
    without: Vec<String>,
    /// Only the system itself is compared with, not tar's copy
    #[arg(long)]
    without_tar: bool,
}

impl Default for Which {
    fn default() -> Self {
        Which {
            from: PathBuf::from("/"),
            without: ["tmp", "work"].map(str::to_owned).into(),
            without_tar: false,
        }
    }
}

/// Everything that a path is.
const ALL: TreeOptions = TreeOptions {
    content: true,
    xattrs: true,
    mtime: true,
};

/// What a run told.
#[derive(Default)]
struct Told {
    /// Paths that changed, vanished or could not be read.
    named: BTreeSet<PathBuf>,
    /// Paths that are empty because of a mount, or are not copied at all.
    passed: BTreeSet<PathBuf>,
    entries: u64,
    bytes: u64,
    /// When it began, in seconds since 1970.
    begun: i64,
}

impl Told {
    /// Whether a path is another since the run began, or is gone: whoever uses the system changes it under our hands.
    fn is_newer(&self, from: &Path, path: &Path) -> bool {
        let mut ways = path.ancestors().map(|way| fs::symlink_metadata(from.join(way)));
        ways.find_map(Result::ok)
            .is_some_and(|status| status.ctime() >= self.begun)
    }
}

/// The comparison.
///
/// # Errors
/// When a tool fails.
pub fn run(place: &Place, bareroot: Option<&Path>, which: &Which, report: &mut Report) -> Result<()> {
    let bareroot = machine::bareroot(bareroot)?;
    let own = place.path.strip_prefix(&which.from).unwrap_or(Path::new(""));
    let is_left_out = own.components().next().is_none_or(|first| {
        which
            .without
            .iter()
            .any(|name| first.as_os_str() == name.as_str())
    });
    ensure!(
        is_left_out,
        "the copies are made in `{}`: leave that out with --without",
        place.path.display()
    );
    let (copy, peer) = (place.fresh("clone"), place.fresh("tar"));
    let mut command = Command::new(&bareroot);
    command.arg("clone").arg(&copy).arg("--from").arg(&which.from);
    for name in &which.without {
        command.arg("--exclude").arg(format!("/{name}/*"));
    }
    command.args(["--json", "--verbose"]);
    let begun = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs();
    let output = command.output().context("bareroot cannot be run")?;
    ensure!(
        matches!(output.status.code(), Some(0 | 9)),
        "bareroot clone: {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let mut told = told(&String::from_utf8_lossy(&output.stdout))?;
    told.begun = i64::try_from(begun)?;
    let title = format!(
        "clone of {} entries, {:.2} GB",
        told.entries,
        told.bytes as f64 / 1e9
    );
    for path in &told.named {
        report.note(&format!("{title}: named {}", path.display()));
    }
    with_source(which, &copy, &told, &title, report)?;
    if !which.without_tar {
        let mut words = "mkdir \"$TO\"; tar cpf - --xattrs --xattrs-include='*' --one-file-system".to_owned();
        for name in &which.without {
            words.push_str(&format!(" --exclude='./{name}/*'"));
        }
        words
            .push_str(" -C \"$FROM\" . | tar xpf - --xattrs --xattrs-include='*' --numeric-owner -C \"$TO\"");
        let mut tar = Command::new("sh");
        // A file that changes makes tar's own exit code 1.
        tar.args(["-c", &words])
            .env("FROM", &which.from)
            .env("TO", &peer)
            .env("LC_ALL", "C");
        tar.output().context("tar cannot be run")?;
        let evidence: Vec<String> = compared(which, &peer, &copy, Path::new(""), &told)?;
        report.check(&format!("{title}: as tar has it"), &evidence);
    }
    inside(&bareroot, which, &copy, &title, report);
    place.remove(&copy)?;
    place.remove(&peer)
}

fn told(text: &str) -> Result<Told> {
    let mut told = Told::default();
    for line in text.lines() {
        let event: serde_json::Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        let path = || {
            let path = Path::new(event["path"].as_str().unwrap_or_default());
            path.strip_prefix("/").unwrap_or(path).to_path_buf()
        };
        match event["event"].as_str() {
            Some("input") => drop(told.named.insert(path())),
            Some("passed") => drop(told.passed.insert(path())),
            Some("copied") => {
                told.entries = event["entries"].as_u64().unwrap_or(0);
                told.bytes = event["bytes"].as_u64().unwrap_or(0) + event["shared"].as_u64().unwrap_or(0);
            }
            _ => {}
        }
    }
    Ok(told)
}

/// Each entry of the source's top that is on its file system and not left out.
fn with_source(which: &Which, copy: &Path, told: &Told, title: &str, report: &mut Report) -> Result<()> {
    let device = fs::metadata(&which.from)?.dev();
    let mut evidence = Vec::new();
    for entry in fs::read_dir(&which.from)? {
        let entry = entry?;
        let name = PathBuf::from(entry.file_name());
        let is_elsewhere = entry.metadata()?.dev() != device;
        if is_elsewhere || which.without.iter().any(|left_out| Path::new(left_out) == name) {
            continue;
        }
        if fs::symlink_metadata(copy.join(&name)).is_err() {
            if !told.passed.contains(&name) && !told.named.contains(&name) {
                evidence.push(format!("- /{}", name.display()));
            }
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => evidence.extend(compared(which, &which.from, copy, &name, told)?),
            false if told.named.contains(&name) || told.is_newer(&which.from, &name) => {}
            false => evidence.extend(alike(&which.from.join(&name), &copy.join(&name))?),
        }
    }
    report.check(&format!("{title}: as the source is"), &evidence);
    Ok(())
}

/// How two entries that are no directories differ.
fn alike(first: &Path, second: &Path) -> Result<Option<String>> {
    let read = |path: &Path| -> Result<_> {
        let status = fs::symlink_metadata(path)?;
        let content = match status.is_symlink() {
            true => fs::read_link(path)?.into_os_string().into_encoded_bytes(),
            false if status.is_file() => fs::read(path)?,
            false => Vec::new(),
        };
        let ids = (status.uid(), status.gid(), status.rdev());
        Ok((status.mode(), ids, status.mtime(), status.mtime_nsec(), content))
    };
    let differs = read(first)? != read(second)?;
    Ok(differs.then(|| format!("{} is not what {} is", second.display(), first.display())))
}

/// How two trees differ in what is at `name` in both, but for what was told. Sockets are in no copy, and of devices tar keeps no
/// second names.
fn compared(which: &Which, first: &Path, second: &Path, name: &Path, told: &Told) -> Result<Vec<String>> {
    let read = |root: &Path| Tree::read(&root.join(name), &ALL);
    let (one, other) = (read(first)?, read(second)?);
    let is_told = |path: &Path| {
        let full = name.join(path);
        let full = full.components().as_path();
        let is_socket = one
            .entries
            .get(path)
            .is_some_and(|entry| entry.kind == Type::Socket);
        let is_below = full.ancestors().skip(1).any(|above| told.passed.contains(above));
        // What a run of a moment later changed in a directory shows in its time.
        is_socket
            || is_below
            || told.named.contains(full)
            || full.as_os_str().is_empty()
            || told.is_newer(&which.from, full)
    };
    Ok(diff(&one, &other, &is_told)
        .iter()
        .map(|difference| format!("/{}: {difference}", name.display()))
        .collect())
}

/// A shell in the clone, and what dpkg or rpm says there of its files.
fn inside(bareroot: &Path, which: &Which, copy: &Path, title: &str, report: &mut Report) {
    let enter = |words: &[&str]| {
        let mut command = Command::new(bareroot);
        command.arg("enter").arg(copy).arg("--").args(words);
        command
    };
    let said = must(&mut enter(&["sh", "-c", "echo a shell of $(id -un)"])).map(|output| output.stdout);
    let evidence = match said {
        Ok(said) if said.trim() == "a shell of root" => Vec::new(),
        Ok(said) => vec![said],
        Err(error) => vec![format!("{error:#}")],
    };
    report.check(&format!("{title}: a shell in it"), &evidence);
    let check: &[&str] = match which.from.join("var/lib/dpkg/status").exists() {
        true => &["dpkg", "-V"],
        false => &["rpm", "-Va"],
    };
    let lines = |mut command: Command| -> Vec<String> {
        // A finding is an exit code too.
        let output = command.output().map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&output)
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let mut outside = Command::new("chroot");
    outside.arg(&which.from).args(check);
    let (theirs, ours) = (lines(outside), lines(enter(check)));
    let mut evidence: Vec<String> = theirs
        .iter()
        .filter(|line| !ours.contains(line))
        .map(|line| format!("- {line}"))
        .collect();
    evidence.extend(
        ours.iter()
            .filter(|line| !theirs.contains(line))
            .map(|line| format!("+ {line}")),
    );
    // What is mounted over in a session is its own.
    evidence.retain(|line| {
        !["/etc/hosts", "/etc/resolv.conf"]
            .iter()
            .any(|file| line.ends_with(file))
    });
    let what = format!(
        "{title}: {} says in it what it says outside, {} lines",
        check.join(" "),
        theirs.len()
    );
    report.check(&what, &evidence);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_read() {
        let text = "{\"event\":\"input\",\"path\":\"/a\",\"problem\":\"changed\",\"reason\":null}\n\
                    {\"event\":\"passed\",\"path\":\"/proc\",\"reason\":\"x\"}\n\
                    {\"event\":\"copied\",\"entries\":3,\"bytes\":4,\"shared\":5}\n";
        let told = told(text).unwrap();
        assert!(told.named.contains(Path::new("a")) && told.passed.contains(Path::new("proc")));
        assert_eq!((told.entries, told.bytes), (3, 9));
    }
}
