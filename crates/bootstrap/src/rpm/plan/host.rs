//! What this host's own dnf says about the repositories of a distribution.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bareroot_rpm_repo::repofile::{Repo, RepoFile};
use bareroot_rpm_repo::variables::Variables;

use crate::catalogue::rpm::{Distribution, Release};
use crate::context::Context;

/// Where dnf has its repositories.
const REPOS: &str = "etc/yum.repos.d";

/// Where dnf has its variables; the later one rules.
const VARIABLES: [&str; 2] = ["etc/yum/vars", "etc/dnf/vars"];

/// The largest file that is read as configuration.
const LARGEST: u64 = 1 << 20;

/// The configuration of a host that runs the distribution itself.
#[derive(Debug)]
pub struct Host {
    version: String,
    repos: Vec<(Repo, PathBuf)>,
    variables: BTreeMap<String, String>,
}

/// Reads dnf's configuration below `root` (`/`, but in tests), where its os-release(5) says that it is the same
/// distribution.
pub fn read(root: &Path, distribution: &Distribution, context: &Context) -> Option<Host> {
    let os = text(&root.join("etc/os-release")).or_else(|| text(&root.join("usr/lib/os-release")))?;
    let id = field(&os, "ID")?;
    if !distribution.os_release.contains(&id) {
        return None;
    }
    let mut host = Host {
        version: field(&os, "VERSION_ID").unwrap_or_default(),
        repos: Vec::new(),
        variables: BTreeMap::new(),
    };
    for path in files(&root.join(REPOS)) {
        if path.extension().is_none_or(|extension| extension != "repo") {
            continue;
        }
        let Some(text) = text(&path) else {
            context.note(format!("{} cannot be read and is left out", path.display()));
            continue;
        };
        match RepoFile::parse(&path.display().to_string(), text.as_bytes()) {
            Ok(file) => host
                .repos
                .extend(file.repos.into_iter().map(|repo| (repo, path.clone()))),
            Err(error) => context.note(format!("{error}; the file is left out")),
        }
    }
    for directory in VARIABLES {
        for path in files(&root.join(directory)) {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .map(str::to_ascii_lowercase);
            if let (Some(name), Some(text)) = (name, text(&path)) {
                let value = text.lines().next().unwrap_or_default().trim();
                host.variables.insert(name, value.to_owned());
            }
        }
    }
    Some(host)
}

impl Host {
    /// The enabled repository of that id, where its address is good for a release: it is the host's own, or the address
    /// has a variable that follows the release. Then the file that it stands in.
    pub fn repo(&self, id: &str, release: &Release) -> Option<(&Repo, &Path)> {
        let (repo, file) = self
            .repos
            .iter()
            .find(|(repo, _)| repo.id == id && repo.enabled)?;
        let same = self.version == release.name
            || self
                .version
                .strip_prefix(&release.name)
                .is_some_and(|rest| rest.starts_with('.'));
        let addresses = || repo.baseurl.iter().chain(&repo.metalink).chain(&repo.mirrorlist);
        let follows = addresses().all(|text| {
            let text = text.to_ascii_lowercase();
            ["$releasever", "${releasever", "$stream", "${stream"]
                .iter()
                .any(|variable| text.contains(variable))
        });
        let readable = addresses().all(|text| {
            ["http://", "https://", "file:"]
                .iter()
                .any(|scheme| text.starts_with(scheme))
        });
        ((same || follows) && readable).then_some((repo, file.as_path()))
    }

    /// The variables of a release, with the host's own beside them.
    pub fn around(&self, variables: &Variables) -> Variables {
        let mut all = variables.clone();
        for (name, value) in &self.variables {
            if variables.get(name).is_none() {
                all.set(name, value);
            }
        }
        all
    }
}

/// The files of a directory, by name; none where there is no such directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

fn text(path: &Path) -> Option<String> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The value of a field of os-release(5), without its quotes.
fn field(text: &str, name: &str) -> Option<String> {
    let value = text
        .lines()
        .filter_map(|line| line.trim().split_once('='))
        .find(|(key, _)| *key == name)?
        .1
        .trim();
    Some(value.trim_matches(['"', '\'']).to_owned())
}
