//! `cargo xtask peers rpmdb`: databases of every kind, by the real tools: this machine's rpm, Berkeley DB's own programs, and
//! the rpm of a Debian 13 root, which has sqlite, ndb and a reader of Berkeley DBs.

mod random;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::dnf::{Dnf, RELEASE};
use crate::machine;
use crate::nginx::Nginx;
use crate::report::Report;
use crate::rpm_distro;
use crate::run::{inside, must, run as ran};
use crate::workshop::Place;

/// Kinds, and rpm's word for what reads them.
const KINDS: [(&str, &str); 3] = [("sqlite", "sqlite"), ("ndb", "ndb"), ("bdb", "bdb_ro")];

/// Where the distribution has its database.
const PATH: &str = "usr/lib/sysimage/rpm";

/// What the roots hold.
const WISHES: &str = "@Minimal Install,dnf,testos-release,testos-repos";

/// Arguments of one call of rpm.
const AT_ONCE: usize = 400;

/// The comparisons.
///
/// # Errors
/// When the distribution cannot be built or served, or the root with the peer not be made.
pub fn run(place: &Place, bareroot: Option<&Path>, report: &mut Report) -> Result<()> {
    let bench = Bench {
        bareroot: machine::bareroot(bareroot)?,
        debian: place.fresh("debian"),
    };
    let distro = machine::target().join("rpm-distro/distro");
    rpm_distro::ensure_built(&distro, 2, false)?;
    let nginx = Nginx::serve(&place.fresh("nginx"), &distro)?;
    let dnf = Dnf::new(place.fresh("home"), &nginx.url())?;
    let caches = place.fresh("caches");
    let mut debian = bench.ours(&["bootstrap", "debian:trixie"]);
    must(
        debian
            .arg(&bench.debian)
            .args(["--include", "rpm", "--cache-dir"])
            .arg(&caches),
    )?;
    for (kind, _) in KINDS {
        let root = place.fresh(kind);
        let mut command = bench.ours(&["bootstrap", "--releasever", RELEASE, "--include", WISHES]);
        command
            .args(["--rpmdb-backend", kind, "--repo"])
            .arg(dnf.repo_file());
        must(command.arg("--cache-dir").arg(&caches).arg(&root))?;
        let copy = bench.database(kind);
        fs::create_dir_all(copy.parent().unwrap_or(&copy))?;
        must(Command::new("cp").arg("-a").arg(root.join(PATH)).arg(&copy))?;
    }
    let same = bench.same_answers(report);
    report.take("the answers of rpm", same);
    let user = bench.an_ordinary_user(report);
    report.take("an ordinary user's first query", user);
    let bdb = bench.berkeley(place, report);
    report.take("Berkeley DB's programs", bdb);
    let lists = bench.lists(place, report);
    report.take("lists of headers", lists);
    let random = bench.random_sets(place, report);
    report.take("random sets of headers", random);
    let changed = bench.changes(report);
    report.take("installing and erasing", changed);
    Ok(())
}

struct Bench {
    bareroot: PathBuf,
    /// The root with the peer.
    debian: PathBuf,
}

impl Bench {
    fn ours(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.bareroot);
        command.args(words);
        command
    }

    /// Where a database is in the peer's root.
    fn database(&self, kind: &str) -> PathBuf {
        self.debian.join("databases").join(kind)
    }

    /// The peer's rpm on a database.
    fn rpm(&self, (kind, reader): (&str, &str), program: &str, words: &[&str]) -> Command {
        let path = format!("/databases/{kind}");
        let backend = format!("_db_backend {reader}");
        let own = [program, "--dbpath", &path, "--define", &backend, "--nosignature"];
        inside(&self.debian, &[own.as_slice(), words].concat())
    }

    fn asked(&self, kind: (&str, &str), words: &[&str]) -> Result<Vec<String>> {
        Ok(ran(&mut self.rpm(kind, "rpm", words))?.said())
    }

    /// The same answers of every kind, on every name, capability and file.
    fn same_answers(&self, report: &mut Report) -> Result<()> {
        let set = |words: &[&str]| -> Result<Vec<String>> {
            let all: BTreeSet<String> = self.asked(KINDS[0], words)?.into_iter().collect();
            Ok(all
                .into_iter()
                .filter(|line| !line.is_empty() && line != "(contains no files)")
                .collect())
        };
        let names = set(&["-qa", "--qf", "%{name}\\n"])?;
        let files = set(&["-qal"])?;
        let provides = set(&["-qa", "--qf", "[%{providename}\\n]"])?;
        let requires = set(&["-qa", "--qf", "[%{requirename}\\n]"])?;
        let questions: [(&str, &[&str], &[String]); 7] = [
            ("-qa", &["-qa"], &[]),
            ("-q --triggers", &["-qa", "--triggers"], &[]),
            ("-q --filetriggers", &["-qa", "--filetriggers"], &[]),
            ("-q NAME", &["-q"], &names),
            ("-qf FILE", &["-qf"], &files),
            ("-q --whatprovides", &["-q", "--whatprovides"], &provides),
            ("-q --whatrequires", &["-q", "--whatrequires"], &requires),
        ];
        for (title, words, objects) in questions {
            let answers = |kind| -> Result<Vec<String>> {
                let mut said = Vec::new();
                if objects.is_empty() {
                    said = self.asked(kind, words)?;
                }
                for some in objects.chunks(AT_ONCE) {
                    let some: Vec<&str> = some.iter().map(String::as_str).collect();
                    said.extend(self.asked(kind, &[words, &some].concat())?);
                }
                said.sort();
                Ok(said)
            };
            let expected = answers(KINDS[0])?;
            for kind in KINDS.into_iter().skip(1) {
                let found = answers(kind)?;
                let what = format!(
                    "{title}: {} says what sqlite says, {} lines for {} arguments",
                    kind.0,
                    expected.len(),
                    objects.len()
                );
                let mut evidence = differences(&expected, &found);
                if expected.len() < 15 {
                    evidence.push(format!("only {} lines were compared", expected.len()));
                }
                report.check(&what, &evidence);
            }
        }
        Ok(())
    }

    /// Nobody has used the database before, and this one may not write.
    fn an_ordinary_user(&self, report: &mut Report) -> Result<()> {
        for (kind, reader) in KINDS {
            let mut command = Command::new("chroot");
            command.arg("--userspec=65534:65534").arg(&self.debian);
            command.args(["/usr/bin/rpm", "--dbpath", &format!("/databases/{kind}")]);
            command.args(["--define", &format!("_db_backend {reader}"), "--nosignature"]);
            command.args(["-q", "bash", "--qf", "%{name}\\n"]);
            let said = ran(&mut command)?.said();
            let evidence = if said == ["bash"] { Vec::new() } else { said };
            report.check(&format!("{kind}: an ordinary user's query finds bash"), &evidence);
        }
        Ok(())
    }

    /// db_verify, db_dump and db_load, in both byte orders.
    fn berkeley(&self, place: &Place, report: &mut Report) -> Result<()> {
        let list = place.fresh("list");
        fs::write(&list, self.exported("bdb")?)?;
        for order in ["little", "big"] {
            let directory = place.fresh(order);
            let mut import = self.ours(&["rpmdb", "import"]);
            must(
                import
                    .arg(&list)
                    .arg(&directory)
                    .args(["--to", "bdb", "--byte-order", order]),
            )?;
            let mut evidence = Vec::new();
            let mut count = 0;
            for entry in fs::read_dir(&directory)? {
                let verified = ran(Command::new("db5.3_verify").arg("-q").arg(entry?.path()))?;
                evidence.extend(verified.said());
                count += 1;
            }
            if count != 19 {
                evidence.push(format!("{count} files, not 19"));
            }
            report.check(
                &format!("db_verify accepts all {count} files, {order}-endian"),
                &evidence,
            );
            let packages = directory.join("Packages");
            for (form, option) in [("bytevalue", None), ("print", Some("-p"))] {
                let theirs = must(Command::new("db5.3_dump").args(option).arg(&packages))?.stdout;
                let ours = must(self.ours(&["rpmdb", "dump"]).args(option).arg(&directory))?.stdout;
                report.check(
                    &format!("dump says what db_dump says, {order}-endian, {form}"),
                    &unequal(&theirs, &ours),
                );
                let (text, theirs) = (place.fresh("dump"), place.fresh("loaded-by-db_load"));
                fs::write(&text, &ours)?;
                must(Command::new("db5.3_load").arg("-f").arg(&text).arg(&theirs))?;
                let loaded = place.fresh("loaded");
                must(
                    self.ours(&["rpmdb", "load"])
                        .arg(&text)
                        .arg(&loaded)
                        .args(["--to", "sqlite"]),
                )?;
                let same = self.list_of(&theirs)? == self.list_of(&loaded)?;
                let evidence = if same {
                    Vec::new()
                } else {
                    vec!["the headers differ".to_owned()]
                };
                report.check(
                    &format!("db_load and load make the same of it, {order}-endian, {form}"),
                    &evidence,
                );
            }
        }
        Ok(())
    }

    fn list_of(&self, database: &Path) -> Result<Vec<u8>> {
        let output = self.ours(&["rpmdb", "export"]).arg(database).output()?;
        anyhow::ensure!(
            output.status.success(),
            "export: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(output.stdout)
    }

    fn exported(&self, kind: &str) -> Result<Vec<u8>> {
        self.list_of(&self.database(kind))
    }

    /// `export` and `rpmdb --exportdb`, `import` and `rpmdb --importdb`.
    fn lists(&self, place: &Place, report: &mut Report) -> Result<()> {
        for (kind, reader) in KINDS {
            let theirs = self
                .rpm((kind, reader), "rpmdb", &["--exportdb"])
                .output()?
                .stdout;
            let ours = self.exported(kind)?;
            let mut evidence = Vec::new();
            // Of a Berkeley DB rpm lists headers as its hash has them, which is no order; bareroot by their numbers.
            let (same, order) = match kind {
                "bdb" => (headers(&theirs)? == headers(&ours)?, ", in whatever order"),
                _ => (theirs == ours, ""),
            };
            if !same || ours.is_empty() {
                evidence.push(format!("{} bytes and {}", ours.len(), theirs.len()));
            }
            report.check(
                &format!("{kind}: export says what rpmdb --exportdb says{order}"),
                &evidence,
            );
            let (list, imported) = (place.fresh("list"), place.fresh("imported"));
            fs::write(&list, &theirs)?;
            must(
                self.ours(&["rpmdb", "import"])
                    .arg(&list)
                    .arg(&imported)
                    .args(["--to", kind]),
            )?;
            let same = self.list_of(&imported)? == theirs;
            let evidence = if same {
                Vec::new()
            } else {
                vec!["the headers differ".to_owned()]
            };
            report.check(&format!("{kind}: import takes it"), &evidence);
        }
        Ok(())
    }

    /// The peer installs into what was written, erases from it, verifies it, and makes a sqlite of a Berkeley DB.
    fn changes(&self, report: &mut Report) -> Result<()> {
        let package = "centos-release-7-2.1511.el7.centos.2.10.x86_64.rpm";
        let fixture = machine::workspace().join("fixtures/rpm").join(package);
        fs::copy(&fixture, self.debian.join(package)).with_context(|| fixture.display().to_string())?;
        let count = |kind| -> Result<usize> { Ok(self.asked(kind, &["-qa"])?.len()) };
        for kind in KINDS.into_iter().take(2) {
            let before = count(kind)?;
            let path = format!("/{package}");
            let quiet = [
                "--justdb",
                "--nodeps",
                "--noscripts",
                "--notriggers",
                "--ignorearch",
                "--replacefiles",
            ];
            must(&mut self.rpm(kind, "rpm", &[quiet.as_slice(), &["-i", &path]].concat()))?;
            let more = count(kind)?;
            must(&mut self.rpm(
                kind,
                "rpm",
                &[
                    "--justdb",
                    "--nodeps",
                    "--noscripts",
                    "--notriggers",
                    "-e",
                    "centos-release",
                    "dnf",
                ],
            ))?;
            let less = count(kind)?;
            must(&mut self.rpm(kind, "rpmdb", &["--verifydb"]))?;
            let verified = ran(self.ours(&["rpmdb", "verify"]).arg(self.database(kind.0)))?;
            let mut wrong = match verified.stdout.contains("sound") {
                true => Vec::new(),
                false => verified.said(),
            };
            if (more, less) != (before + 1, before - 1) {
                wrong.push(format!("{before} packages, then {more}, then {less}"));
            }
            report.check(
                &format!("{}: rpm installs, erases and verifies; verify agrees", kind.0),
                &wrong,
            );
        }
        let expected = self.exported("bdb")?;
        must(&mut self.rpm(("bdb", "sqlite"), "rpmdb", &["--rebuilddb"]))?;
        // They get new numbers, in the order in which rpm came to them.
        let rebuilt = self.exported("bdb")?;
        let same =
            headers(&rebuilt)? == headers(&expected)? && self.database("bdb").join("rpmdb.sqlite").exists();
        let evidence = if same {
            Vec::new()
        } else {
            vec!["other headers, or no sqlite".to_owned()]
        };
        report.check(
            "bdb: rpmdb --rebuilddb makes a sqlite with the same headers",
            &evidence,
        );
        Ok(())
    }
}

/// The first lines that only one side has.
fn differences(expected: &[String], found: &[String]) -> Vec<String> {
    let side = |sign: &str, these: &[String], those: &[String]| -> Vec<String> {
        let those: BTreeSet<&String> = those.iter().collect();
        let only = these.iter().filter(|line| !those.contains(line));
        only.take(10).map(|line| format!("{sign} {line}")).collect()
    };
    let mut lines = side("-", expected, found);
    lines.extend(side("+", found, expected));
    if lines.is_empty() && expected.len() != found.len() {
        lines.push(format!("{} lines, not {}", found.len(), expected.len()));
    }
    lines
}

/// Where two texts differ first.
fn unequal(expected: &str, found: &str) -> Vec<String> {
    let pair = expected.lines().zip(found.lines()).zip(1..);
    let first = pair.into_iter().find(|((one, other), _)| one != other);
    match first {
        Some(((one, other), number)) => {
            let cut = |line: &str| line.chars().take(60).collect::<String>();
            vec![
                format!("line {number}: - {}", cut(one)),
                format!("line {number}: + {}", cut(other)),
            ]
        }
        None if expected.len() != found.len() => {
            vec![format!("{} bytes, not {}", found.len(), expected.len())]
        }
        None => Vec::new(),
    }
}

/// The headers of a list (rpmdb --exportdb), sorted: each is a magic number and four zeros, the number of its entries and
/// the length of its data, both big-endian, and these.
fn headers(mut list: &[u8]) -> Result<Vec<&[u8]>> {
    let mut all = Vec::new();
    while !list.is_empty() {
        let word = |at: usize| -> Result<usize> {
            let bytes = list.get(at..at + 4).context("a header that stops")?;
            Ok(u32::from_be_bytes(bytes.try_into()?) as usize)
        };
        let length = 16 + 16 * word(8)? + word(12)?;
        let (one, rest) = list.split_at_checked(length).context("a header that stops")?;
        all.push(one);
        list = rest;
    }
    all.sort_unstable();
    Ok(all)
}
