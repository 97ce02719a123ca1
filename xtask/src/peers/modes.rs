//! `cargo xtask peers modes`: the same root for root, for a user with subordinate ids, and for a user with nothing.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::dnf::{Dnf, RELEASE};
use crate::machine;
use crate::nginx::Nginx;
use crate::report::{Report, lines};
use crate::rpm_distro;
use crate::run::{Ran, must, run as run_program};
use crate::users::{User, Users};
use crate::workshop::{EPOCH, Place};

/// What is run in a root, and what it prints. The same for everybody.
const INSIDE: &[(&str, &[&str], &str)] = &[
    (
        "owners",
        &["stat", "-c", "%U:%G %a", "/etc/shadow", "/usr/bin/chage"],
        "root:shadow 640\nroot:shadow 2755\n",
    ),
    ("ids", &["id", "-u"], "0\n"),
    (
        "giving away",
        &[
            "sh",
            "-c",
            "touch /srv/x && chown games:mail /srv/x && stat -c %U:%G /srv/x && rm /srv/x",
        ],
        "games:mail\n",
    ),
    ("dpkg", &["dpkg", "--audit"], ""),
];

/// The comparisons.
///
/// # Errors
/// When this machine's apt has no mirror, or the RPM distribution cannot be built or served.
pub fn run(place: &Place, bareroot: Option<&Path>, quick: bool, report: &mut Report) -> Result<()> {
    let made = machine::bareroot(bareroot)?;
    let users = Users::new(place)?;
    // Where everybody may run it.
    let bareroot = place.fresh("bareroot");
    fs::copy(&made, &bareroot)?;
    let debian = Maker {
        users: &users,
        bareroot: &bareroot,
        options: vec![
            "debian:trixie".into(),
            "--mirror".into(),
            machine::debian_mirror()?,
        ],
    };
    same_tars("trixie minbase", &debian, report);
    for user in User::ALL {
        let checked = in_a_directory(&debian, user, report);
        report.take(user.words(), checked);
    }
    if !quick {
        let distro = machine::target().join("rpm-distro/distro");
        rpm_distro::ensure_built(&distro, 2, false)?;
        let nginx = Nginx::serve(&place.fresh("nginx"), &distro)?;
        let dnf = Dnf::new(place.fresh("home"), &nginx.url())?;
        let repo = place.fresh("distro.repo");
        fs::copy(dnf.repo_file(), &repo)?;
        let rpm = Maker {
            users: &users,
            bareroot: &bareroot,
            options: [
                "--repo",
                &repo.display().to_string(),
                "--releasever",
                RELEASE,
                "--include",
                "@Minimal Install,dnf",
            ]
            .map(str::to_owned)
            .to_vec(),
        };
        same_tars("the RPM distribution", &rpm, report);
    }
    Ok(())
}

/// Who makes roots of one kind.
struct Maker<'a> {
    users: &'a Users,
    bareroot: &'a Path,
    options: Vec<String>,
}

impl Maker<'_> {
    /// bareroot, run by a user.
    fn bareroot(&self, user: User, words: &[&str]) -> Command {
        let mut command = Command::new(self.bareroot);
        command.args(words).env("SOURCE_DATE_EPOCH", EPOCH);
        self.users.command(user, &command)
    }

    /// A root made by a user, as a directory or a tar.
    fn make(&self, user: User, name: &str) -> Result<(PathBuf, Ran)> {
        let target = self.users.home(user).join(name);
        let mut words = vec!["bootstrap", "--verbose"];
        words.extend(self.options.iter().map(String::as_str));
        let text = target.display().to_string();
        words.push(&text);
        let ran = must(&mut self.bareroot(user, &words))?;
        Ok((target, ran))
    }
}

fn same_tars(title: &str, maker: &Maker<'_>, report: &mut Report) {
    let mut first: Option<String> = None;
    for user in User::ALL {
        let what = format!("{title} as a tar, made by {}", user.words());
        let Some((tar, ran)) = report.take(&what, maker.make(user, "root.tar")) else {
            continue;
        };
        let said = format!("mode {}", user.mode());
        let told = user == User::Root
            || ran
                .stdout
                .lines()
                .chain(ran.stderr.lines())
                .any(|line| line.contains(&said));
        let missing = format!("`{said}` is not among what it said:\n{}", ran.tail());
        report.check(
            &format!("{what}: the mode that it comes to"),
            &if told { Vec::new() } else { lines(&missing) },
        );
        let Some(digest) = report.take(&what, digest(&tar)) else {
            continue;
        };
        match &first {
            None => first = Some(digest),
            Some(first) => {
                let evidence = match *first == digest {
                    true => Vec::new(),
                    false => different(&maker.users.home(User::Root).join("root.tar"), &tar),
                };
                report.check(&format!("{what}: the bytes of root's"), &evidence);
            }
        }
    }
    for user in User::ALL {
        let _ = fs::remove_file(maker.users.home(user).join("root.tar"));
    }
}

/// What differs between two tars, by their listings.
fn different(one: &Path, other: &Path) -> Vec<String> {
    let listing = |tar: &Path| {
        must(
            Command::new("tar")
                .args(["--numeric-owner", "--full-time", "-tvf"])
                .arg(tar),
        )
    };
    match (listing(one), listing(other)) {
        (Ok(one), Ok(other)) => {
            let (one, other): (Vec<&str>, Vec<&str>) =
                (one.stdout.lines().collect(), other.stdout.lines().collect());
            let gone = one
                .iter()
                .filter(|line| !other.contains(line))
                .map(|line| format!("- {line}"));
            let come = other
                .iter()
                .filter(|line| !one.contains(line))
                .map(|line| format!("+ {line}"));
            let mut found: Vec<String> = gone.chain(come).collect();
            if found.is_empty() {
                found.push("the listings are the same, the bytes are not".into());
            }
            found
        }
        (one, other) => one
            .err()
            .into_iter()
            .chain(other.err())
            .map(|error| format!("{error:#}"))
            .collect(),
    }
}

fn digest(file: &Path) -> Result<String> {
    let mut file = fs::File::open(file).with_context(|| file.display().to_string())?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let got = file.read(&mut buffer)?;
        if got == 0 {
            break;
        }
        hasher.update(&buffer[..got]);
    }
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// A directory made by a user: what is seen in it, that apt works in it, that it becomes the same tar, and that it goes away.
fn in_a_directory(maker: &Maker<'_>, user: User, report: &mut Report) -> Result<()> {
    let title = user.words();
    let (root, _) = maker.make(user, "root")?;
    let text = root.display().to_string();
    for (what, words, expected) in INSIDE {
        let mut all = vec!["enter", &text, "--"];
        all.extend_from_slice(words);
        let ran = run_program(&mut maker.bareroot(user, &all))?;
        let right = ran.success && ran.stdout == *expected;
        report.check(
            &format!("{title}: {what} in the root"),
            &if right { Vec::new() } else { ran.said() },
        );
    }
    let tar = root.with_extension("tar");
    must(&mut maker.bareroot(user, &["export", &text, &tar.display().to_string()]))?;
    let (direct, _) = maker.make(user, "direct.tar")?;
    let evidence = match digest(&tar)? == digest(&direct)? {
        true => Vec::new(),
        false => different(&direct, &tar),
    };
    report.check(
        &format!("{title}: the directory exported is the tar made at once"),
        &evidence,
    );
    for tar in [tar, direct] {
        fs::remove_file(tar)?;
    }
    let script = "apt-get -q update && apt-get -q install -y hello && hello && dpkg -V && stat -c %U:%G /var/log/apt/term.log";
    let ran = run_program(&mut maker.bareroot(
        user,
        &[
            "enter",
            &text,
            "--env",
            "DEBIAN_FRONTEND=noninteractive",
            "--",
            "sh",
            "-c",
            script,
        ],
    ))?;
    let right = ran.success && ran.stdout.contains("Hello, world!") && ran.stdout.ends_with("root:adm\n");
    report.check(
        &format!("{title}: apt-get update, apt-get install hello, hello"),
        &if right { Vec::new() } else { ran.said() },
    );
    let ran = run_program(&mut maker.bareroot(user, &["remove", &text]))?;
    let gone = ran.success && !root.exists();
    report.check(
        &format!("{title}: it can be removed"),
        &if gone { Vec::new() } else { ran.said() },
    );
    Ok(())
}
