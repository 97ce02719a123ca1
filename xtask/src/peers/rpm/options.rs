//! Options of repositories, and of what is installed: each means what it means to dnf.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

use super::database::Database;
use crate::dnf::{Dnf, RELEASE};
use crate::machine;
use crate::report::Report;
use crate::run::{must, run as run_program};
use crate::workshop::Place;

/// In every root: it says where rpm's database is.
const CONFIG: &str = "testos-rpm-config";

/// An address at which nobody listens.
const DEAD: &str = "http://127.0.0.1:1";

/// What comes of a case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Both make the same root.
    Well,
    /// Both refuse, bareroot with this exit code.
    Badly(i32),
}

/// One comparison.
struct Case<'a> {
    title: &'a str,
    /// The text of the .repo file.
    repos: String,
    packages: Vec<String>,
    /// What dnf is told beside, before its command.
    dnf: Vec<String>,
    /// What rpm's macros are told beside.
    macros: &'a str,
    bareroot: Vec<String>,
    ends: Ends,
}

/// Where things are.
struct Ground<'a> {
    place: &'a Place,
    url: String,
    bareroot: PathBuf,
    distro: PathBuf,
}

/// The comparisons, of a distribution in a directory that is served at a URL.
///
/// # Errors
/// When a file cannot be written.
pub fn run(place: &Place, url: &str, bareroot: &Path, distro: &Path, report: &mut Report) -> Result<()> {
    let ground = Ground {
        place,
        url: url.to_owned(),
        bareroot: bareroot.to_owned(),
        distro: distro.to_owned(),
    };
    for case in ground.cases()? {
        let compared = ground.compare(&case, report);
        report.take(case.title, compared);
    }
    Ok(())
}

impl Ground<'_> {
    /// The repository `base` with these lines instead of its address, and `extra` as it is.
    fn repos(&self, base: &str) -> String {
        let key = self.key();
        let url = &self.url;
        format!(
            "[main]\nmodule_platform_id=platform:testos{RELEASE}\n\n[base]\nname=base\n{base}\n\n[extra]\nname=extra\nbaseurl={url}/extra/\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey={key}\n"
        )
    }

    fn key(&self) -> String {
        format!("{}/RPM-GPG-KEY-testos", self.url)
    }

    fn signed(&self) -> String {
        format!("gpgcheck=1\nrepo_gpgcheck=1\ngpgkey={}", self.key())
    }

    fn case<'a>(&self, title: &'a str, base: &str, packages: &[&str]) -> Case<'a> {
        Case {
            title,
            repos: self.repos(base),
            packages: packages.iter().map(|word| (*word).to_owned()).collect(),
            dnf: Vec::new(),
            macros: "",
            bareroot: Vec::new(),
            ends: Ends::Well,
        }
    }

    fn cases(&self) -> Result<Vec<Case<'static>>> {
        let (url, signed, key) = (&self.url, self.signed(), self.key());
        let plain = format!("baseurl={url}/base/\n{signed}");
        let small: &[&str] = &["basesystem"];
        let list = self.file("mirrorlist", &format!("# mirrors\n{DEAD}/base/\n{url}/base/\n"))?;
        let repomd = fs::read(self.distro.join("base/repodata/repomd.xml"))?;
        let good = self.file("metalink", &metalink(url, &repomd))?;
        let other = self.file("metalink-of-another", &metalink(url, b"another"))?;
        let stranger = machine::workspace().join("fixtures/keys/RPM-GPG-KEY-CentOS-7");
        let package = self.package("time-")?;
        let strings = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let mut cases = vec![
            self.case(
                "several baseurls",
                &format!("baseurl={DEAD}/base/\n  {url}/base/\n{signed}"),
                small,
            ),
            self.case("mirrorlist", &format!("mirrorlist={list}\n{signed}"), small),
            self.case("metalink", &format!("metalink={good}\n{signed}"), small),
            Case {
                ends: Ends::Badly(5),
                ..self.case(
                    "a metalink of another repomd.xml",
                    &format!("metalink={other}\n{signed}"),
                    small,
                )
            },
            self.case(
                "several gpgkeys",
                &format!(
                    "baseurl={url}/base/\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file://{}\n  {key}",
                    stranger.display()
                ),
                small,
            ),
            Case {
                ends: Ends::Badly(5),
                ..self.case(
                    "another gpgkey",
                    &format!(
                        "baseurl={url}/base/\ngpgcheck=1\ngpgkey=file://{}",
                        stranger.display()
                    ),
                    small,
                )
            },
            Case {
                ends: Ends::Badly(5),
                ..self.case(
                    "another gpgkey, for repomd.xml",
                    &format!(
                        "baseurl={url}/base/\ngpgcheck=0\nrepo_gpgcheck=1\ngpgkey=file://{}",
                        stranger.display()
                    ),
                    small,
                )
            },
            self.case(
                "gpgcheck alone",
                &format!("baseurl={url}/base/\ngpgcheck=1\nrepo_gpgcheck=0\ngpgkey={key}"),
                small,
            ),
            self.case(
                "repo_gpgcheck alone",
                &format!("baseurl={url}/base/\ngpgcheck=0\nrepo_gpgcheck=1\ngpgkey={key}"),
                small,
            ),
            Case {
                ends: Ends::Badly(3),
                ..self.case(
                    "a repository that is not enabled",
                    &format!("enabled=0\n{plain}"),
                    small,
                )
            },
            Case {
                ends: Ends::Badly(3),
                ..self.case("excludepkgs", &format!("{plain}\nexcludepkgs=basesys*"), small)
            },
            Case {
                ends: Ends::Badly(3),
                ..self.case(
                    "includepkgs",
                    &format!("{plain}\nincludepkgs=filesystem, setup"),
                    small,
                )
            },
            self.case(
                "a user's variable",
                &format!("baseurl={url}/$where/\n{signed}"),
                small,
            ),
            Case {
                dnf: strings(&["--exclude=strace"]),
                bareroot: strings(&["--exclude", "strace"]),
                ..self.case("--exclude", &plain, &["time", "file"])
            },
            Case {
                // What `dnf group install --with-optional` sets; that command takes nothing but groups.
                dnf: strings(&["--setopt=group_package_types=mandatory,default,conditional,optional"]),
                bareroot: strings(&["--with-optional"]),
                ..self.case("--with-optional", &plain, &["@standard"])
            },
            Case {
                dnf: strings(&["--setopt=tsflags=nodocs"]),
                bareroot: strings(&["--nodocs"]),
                ..self.case("--nodocs", &plain, &["exhibits"])
            },
            Case {
                macros: "%_install_langs de:fr\n",
                bareroot: strings(&["--langs", "de,fr"]),
                ..self.case("--langs", &plain, &["exhibits"])
            },
            self.case("a file", &plain, &[&package.display().to_string()]),
            self.case("a module's stream", &plain, &["@greeter:2"]),
        ];
        let served = package.strip_prefix(&self.distro)?.display().to_string();
        cases.push(self.case("a file's URL", &plain, &[&format!("{url}/{served}")]));
        Ok(cases)
    }

    /// A file of this run, and its URL.
    fn file(&self, name: &str, text: &str) -> Result<String> {
        let path = self.place.fresh(name);
        fs::write(&path, text)?;
        Ok(format!("file://{}", path.display()))
    }

    /// A package's file, by the beginning of its name.
    fn package(&self, begins: &str) -> Result<PathBuf> {
        for repository in ["base", "extra"] {
            for arch in ["x86_64", "noarch"] {
                let directory = self.distro.join(repository).join(arch);
                let Ok(entries) = fs::read_dir(&directory) else {
                    continue;
                };
                for entry in entries {
                    let entry = entry?;
                    if entry.file_name().to_string_lossy().starts_with(begins) {
                        return Ok(entry.path());
                    }
                }
            }
        }
        anyhow::bail!("the distribution has no package `{begins}*`")
    }

    fn compare(&self, case: &Case<'_>, report: &mut Report) -> Result<()> {
        let title = format!("option: {}", case.title);
        let dnf = Dnf::with_repos(
            self.place.fresh("home"),
            &case.repos,
            &[("where", "base")],
            case.macros,
        )?;
        let (theirs, ours) = (self.place.fresh("dnf"), self.place.fresh("bareroot"));
        let mut peer = dnf.to(&theirs, &self.place.fresh("cache"));
        peer.args(&case.dnf)
            .arg("install")
            .args(&case.packages)
            .arg(CONFIG);
        let mut command = self.bareroot(case, &dnf, &ours);
        match case.ends {
            Ends::Well => {
                must(&mut peer)?;
                must(&mut command)?;
                let (theirs, ours) = (Database::read(&theirs)?, Database::read(&ours)?);
                let mut evidence = theirs.unshared(&ours);
                evidence.extend(theirs.other_headers(&ours));
                report.check(
                    &format!(
                        "{title}: {} packages and their headers, the same as dnf's",
                        ours.packages.len()
                    ),
                    &evidence,
                );
            }
            Ends::Badly(code) => {
                let peer = run_program(&mut peer)?;
                let status = command
                    .stdin(std::process::Stdio::null())
                    .output()
                    .context("bareroot cannot be run")?
                    .status;
                let mut evidence = Vec::new();
                if peer.success {
                    evidence.push("dnf takes it".to_owned());
                }
                if status.code() != Some(code) || ours.exists() {
                    evidence.push(format!(
                        "bareroot ends with {status}; expected {code}, and nothing left"
                    ));
                }
                report.check(
                    &format!("{title}: refused, as dnf does, with exit code {code}"),
                    &evidence,
                );
            }
        }
        for root in [theirs, ours] {
            self.place.remove(&root)?;
        }
        Ok(())
    }

    fn bareroot(&self, case: &Case<'_>, dnf: &Dnf, root: &Path) -> Command {
        let mut wishes = case.packages.clone();
        wishes.push(CONFIG.to_owned());
        let mut command = Command::new(&self.bareroot);
        command
            .arg("bootstrap")
            .arg(root)
            .arg("--repo")
            .arg(dnf.repo_file());
        command.args(["--releasever", RELEASE, "--include", &wishes.join(",")]);
        command
            .args(&case.bareroot)
            .arg("--no-cache")
            .env_remove("SOURCE_DATE_EPOCH");
        command
    }
}

fn metalink(url: &str, repomd: &[u8]) -> String {
    let digest: String = Sha256::digest(repomd)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<metalink version=\"3.0\" xmlns=\"http://www.metalinker.org/\" \
         xmlns:mm0=\"http://fedorahosted.org/mirrormanager\">\n<files>\n<file name=\"repomd.xml\">\n\
         <mm0:timestamp>1700000000</mm0:timestamp>\n<size>{}</size>\n<verification>\n<hash type=\"sha256\">{digest}</hash>\n\
         </verification>\n<resources maxconnections=\"1\">\n\
         <url protocol=\"http\" type=\"http\" location=\"XX\" preference=\"100\">{DEAD}/base/repodata/repomd.xml</url>\n\
         <url protocol=\"http\" type=\"http\" location=\"XX\" preference=\"90\">{url}/base/repodata/repomd.xml</url>\n\
         </resources>\n</file>\n</files>\n</metalink>\n",
        repomd.len()
    )
}
