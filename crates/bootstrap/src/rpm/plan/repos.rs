//! Which repositories a request means: by name, by file.

use std::path::Path;
use std::sync::Arc;

use bareroot_rpm_repo::repofile::{Repo, RepoFile};
use bareroot_rpm_repo::variables::Variables;
use bareroot_trust::Keyring;

use super::{Check, Keys, PlannedRepo};
use crate::bounded;
use crate::context::Context;
use crate::error::Error;
use crate::request::Request;

/// What .repo files say.
#[derive(Default)]
pub struct FromFiles {
    /// Their enabled repositories.
    pub repos: Vec<PlannedRepo>,
    /// The ids of all their sections, disabled ones too.
    pub sections: Vec<String>,
    /// The platform's stream that modules are for, where a file says so: `el8` of `module_platform_id=platform:el8`.
    pub platform: Option<String>,
}

/// User variables of a .repo file: those of the environment, and of the `vars` directories where dnf has them when the
/// file is in its own, `../dnf/vars` and `../yum/vars` beside `yum.repos.d`.
fn with_own(variables: &Variables, path: &Path) -> Result<Variables, Error> {
    let mut all = variables.clone();
    all.add(std::env::vars_os().filter_map(|(name, value)| {
        let name = Variables::of_environment(name.to_str()?)?.to_owned();
        Some((name, value.to_str()?.to_owned()))
    }));
    let Some(etc) = path.parent().and_then(Path::parent) else {
        return Ok(all);
    };
    for directory in ["dnf/vars", "yum/vars"] {
        let Ok(entries) = std::fs::read_dir(etc.join(directory)) else {
            continue;
        };
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let valid = |name: &str| {
                name.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            };
            let Some(name) = name.to_str().filter(|name| valid(name)) else {
                continue;
            };
            let text = bounded::read_text(&path).map_err(|source| Error::Read { path, source })?;
            let first = text.lines().next().unwrap_or_default().trim();
            all.add([(name.to_owned(), first.to_owned())]);
        }
    }
    Ok(all)
}

/// A URL with the user and password that its repository has.
fn with_credentials(url: String, repo: &Repo) -> String {
    let (Some((user, password)), Some((scheme, rest))) = (&repo.credentials, url.split_once("://")) else {
        return url;
    };
    let encoded = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    let authority = rest.split('/').next().unwrap_or_default();
    match scheme == "http" || scheme == "https" {
        true if !authority.contains('@') => {
            format!("{scheme}://{}:{}@{rest}", encoded(user), encoded(password))
        }
        _ => url,
    }
}

/// The repositories of .repo files.
pub fn of_files(
    files: &[std::path::PathBuf],
    request: &Request,
    variables: &Variables,
    context: &Context,
) -> Result<FromFiles, Error> {
    let mut found = FromFiles::default();
    for path in files {
        let text = bounded::read(path).map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })?;
        let file = RepoFile::parse(&path.display().to_string(), &text)?;
        let variables = with_own(variables, path)?;
        let platform = file.module_platform_id.as_deref();
        let platform = platform.and_then(|platform| platform.strip_prefix("platform:"));
        found.platform = found.platform.or(platform.map(str::to_owned));
        found
            .sections
            .extend(file.repos.iter().map(|repo| repo.id.clone()));
        for repo in file.repos.iter().filter(|repo| repo.enabled) {
            if !repo.unused.is_empty() {
                context.warn(format!(
                    "{}: {} of {} not followed; proxies and certificates come from the environment",
                    path.display(),
                    repo.unused.join(", "),
                    repo.id
                ));
            }
            found.repos.push(of_repo(repo, path, request, &variables)?);
        }
    }
    Ok(found)
}

/// A repository as it is read; `path` is the file that describes it, for messages.
pub fn of_repo(
    repo: &Repo,
    path: &Path,
    request: &Request,
    variables: &Variables,
) -> Result<PlannedRepo, Error> {
    let expand =
        |text: &String| -> Result<String, Error> { Ok(with_credentials(variables.expand(text)?, repo)) };
    let waived = request.waivers.signature;
    let check = |wanted: bool| match (wanted, waived) {
        (_, true) => Check::Waived,
        (true, _) => Check::Enforced,
        (false, _) => Check::Off,
    };
    let gpgcheck = check(repo.gpgcheck.unwrap_or(true));
    let repo_gpgcheck = match repo.repo_gpgcheck.unwrap_or(false) {
        true => check(true),
        false => Check::Off,
    };
    if gpgcheck == Check::Off && repo_gpgcheck == Check::Off {
        return Err(Error::NothingSigned {
            repository: repo.id.clone(),
            path: path.to_owned(),
        });
    }
    let base_urls: Vec<String> = repo.baseurl.iter().map(expand).collect::<Result<_, _>>()?;
    let mirror_list = repo.mirrorlist.as_ref().map(expand).transpose()?;
    let metalink = repo.metalink.as_ref().map(expand).transpose()?;
    let lists = metalink.iter().chain(&mirror_list);
    Ok(PlannedRepo {
        id: repo.id.clone(),
        known_as: lists.chain(&base_urls).cloned().collect(),
        base_urls,
        mirror_list,
        metalink,
        keys: keys(repo, request, variables)?,
        gpgcheck,
        repo_gpgcheck,
        older: match request.waivers.valid_until {
            true => Check::Waived,
            false => Check::Enforced,
        },
        weak_keys: request.waivers.weak_keys.clone(),
        priority: repo.priority,
        cost: repo.cost,
        excludes: repo.excludepkgs.clone(),
        includes: repo.includepkgs.clone(),
        module_hotfixes: repo.module_hotfixes,
        skip_if_unavailable: repo.skip_if_unavailable,
        of_release: false,
    })
}

/// `--keyring`, else the keys of all RPM distributions.
pub fn own_keys(request: &Request) -> Result<Arc<Keyring>, Error> {
    Ok(Arc::new(match request.keyrings.is_empty() {
        false => Keyring::from_paths(&request.keyrings)?,
        true => builtin(),
    }))
}

/// `--keyring` rules; then `gpgkey`, as far as its files are on this host; then the built-in keyrings, which are what a
/// `gpgkey=file:///etc/pki/...` means on a host of another distribution.
fn keys(repo: &Repo, request: &Request, variables: &Variables) -> Result<Keys, Error> {
    if !request.keyrings.is_empty() {
        return Ok(Keys::Known(own_keys(request)?));
    }
    let mut urls = Vec::new();
    for key in &repo.gpgkey {
        let url = variables.expand(key)?;
        let missing = url
            .strip_prefix("file:")
            .is_some_and(|path| !Path::new(path.trim_start_matches("//")).exists());
        if !missing {
            urls.push(url);
        }
    }
    match urls.is_empty() {
        false => Ok(Keys::At(urls)),
        true => Ok(Keys::Known(own_keys(request)?)),
    }
}

/// The keyrings of the RPM distributions.
const BUILTIN: &[&str] = &[
    "alma",
    "amazon",
    "azurelinux",
    "centos",
    "epel",
    "fedora",
    "mageia",
    "opensuse",
    "redhat",
    "rocky",
];

/// The keys of all RPM distributions.
fn builtin() -> Keyring {
    let mut all = Keyring::default();
    for keyring in BUILTIN.iter().filter_map(|id| Keyring::builtin(id)) {
        all.extend(keyring);
    }
    all
}
