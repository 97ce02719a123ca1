//! This machine's apt, with private directories: it reads the same mirror and knows nothing of this system.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

/// Debian's keys, where the package debian-archive-keyring has them.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A private apt with one suite.
pub struct Apt {
    root: PathBuf,
    /// The decompressed `Packages` files.
    pub packages: Vec<PathBuf>,
}

/// What an installation would install, as `name=version`, the name with `:arch` where it is foreign; `None` when apt
/// refuses.
pub type Answer = Option<BTreeSet<String>>;

impl Apt {
    /// Fetches the suite's index from the mirror that this machine's apt has for Debian.
    pub fn new(root: &Path, suite: &str, arches: &[&str]) -> Result<Apt> {
        // apt takes a relative directory for one below its own.
        let root = &std::path::absolute(root)?;
        for dir in [
            "etc/apt/apt.conf.d",
            "etc/apt/preferences.d",
            "etc/apt/sources.list.d",
            "var/lib/apt/lists/partial",
            "var/cache/apt/archives/partial",
            "var/lib/dpkg",
            "var/log",
        ] {
            fs::create_dir_all(root.join(dir))?;
        }
        fs::write(root.join("var/lib/dpkg/status"), "")?;
        let mirror = crate::machine::debian_mirror()?;
        let source = format!(
            "deb [arch={} signed-by={KEYRING}] {mirror} {suite} main\n",
            arches.join(",")
        );
        fs::write(root.join("etc/apt/sources.list"), source)?;
        fs::write(root.join("apt.conf"), config(root, arches)?)?;
        let mut apt = Apt {
            root: root.to_owned(),
            packages: Vec::new(),
        };
        let update = apt.run(&["update", "-q"])?;
        ensure!(
            update.status.success(),
            "apt-get update: {}",
            String::from_utf8_lossy(&update.stderr)
        );
        let list = apt.run(&["indextargets", "--format", "$(CREATED_BY) $(FILENAME)"])?;
        apt.packages = String::from_utf8(list.stdout)?
            .lines()
            .filter_map(|line| line.strip_prefix("Packages "))
            .map(PathBuf::from)
            .filter(|path| path.exists())
            .collect();
        ensure!(!apt.packages.is_empty(), "apt has fetched no Packages file");
        Ok(apt)
    }

    fn run(&self, args: &[&str]) -> Result<Output> {
        Command::new("apt-get")
            .args(args)
            .env("APT_CONFIG", self.root.join("apt.conf"))
            .env("LC_ALL", "C")
            .output()
            .context("apt-get cannot be run")
    }

    /// Fetches a package's newest archive into a directory, and says which file that is.
    pub fn download(&self, into: &Path, package: &str) -> Result<PathBuf> {
        let mut command = Command::new("apt-get");
        command.args(["-q", "download", package]).current_dir(into);
        crate::run::must(
            command
                .env("APT_CONFIG", self.root.join("apt.conf"))
                .env("LC_ALL", "C"),
        )?;
        let start = format!("{package}_");
        for entry in fs::read_dir(into)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&start) {
                return Ok(entry.path());
            }
        }
        anyhow::bail!("apt-get download left no archive of `{package}`")
    }

    /// Fetches the newest archives of packages into a directory.
    pub fn download_all(&self, into: &Path, packages: &[String]) -> Result<()> {
        let mut command = Command::new("apt-get");
        command.args(["-q", "download"]).args(packages).current_dir(into);
        command
            .env("APT_CONFIG", self.root.join("apt.conf"))
            .env("LC_ALL", "C");
        crate::run::must(&mut command)?;
        Ok(())
    }

    /// The dpkg status that apt sees: the stanzas of these packages, as installed.
    pub fn set_status(&self, stanzas: &[String]) -> Result<()> {
        let text: String = stanzas
            .iter()
            .map(|stanza| stanza.replacen('\n', "\nStatus: install ok installed\n", 1) + "\n\n")
            .collect();
        fs::write(self.root.join("var/lib/dpkg/status"), text)?;
        Ok(())
    }

    /// What `apt-get -s install` would install.
    pub fn install(&self, recommends: bool, names: &[String]) -> Result<Answer> {
        let recommends = format!("APT::Install-Recommends={recommends}");
        let mut args = vec!["-s", "-o", &recommends];
        args.push("install");
        args.extend(names.iter().map(String::as_str));
        let output = self.run(&args)?;
        if !output.status.success() {
            return Ok(None);
        }
        let mut set = BTreeSet::new();
        for line in String::from_utf8(output.stdout)?.lines() {
            if line.starts_with("Remv ") {
                return Ok(None);
            }
            let mut words = line.split_whitespace();
            if words.next() != Some("Inst") {
                continue;
            }
            let name = words.next().context("an Inst line without a name")?;
            let version = words
                .find_map(|word| word.strip_prefix('('))
                .context("an Inst line without a version")?;
            set.insert(format!("{name}={version}"));
        }
        Ok(Some(set))
    }
}

/// Private directories, and this machine's way to its mirrors.
fn config(root: &Path, arches: &[&str]) -> Result<String> {
    let root = root.display();
    let native = arches.first().context("no architecture")?;
    let mut text = format!(
        "Dir \"{root}\";\nDir::State::status \"{root}/var/lib/dpkg/status\";\nAPT::Architecture \"{native}\";\n"
    );
    // As mmdebstrap has it: apt is not essential by itself.
    text += "pkgCacheGen::ForceEssential \",\";\n#clear APT::Architectures;\n";
    for arch in arches {
        text += &format!("APT::Architectures:: \"{arch}\";\n");
    }
    text += "APT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\nAcquire::GzipIndexes \"false\";\n";
    let host = Command::new("apt-config")
        .arg("dump")
        .output()
        .context("apt-config cannot be run")?;
    for line in String::from_utf8(host.stdout)?.lines() {
        let wanted = [
            "Acquire::Check-",
            "Acquire::http",
            "Acquire::https",
            "Acquire::Retries",
        ];
        if wanted.iter().any(|start| line.starts_with(start)) && !line.ends_with("\"\";") {
            text += line;
            text.push('\n');
        }
    }
    Ok(text)
}
