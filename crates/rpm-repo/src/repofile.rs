//! .repo files (dnf.conf(5), yum.conf(5)): sections of `option = value`.

use crate::error::Error;

/// A .repo file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepoFile {
    /// The repositories, in the order of the file.
    pub repos: Vec<Repo>,
    /// `module_platform_id` of `[main]`: `platform:el8`.
    pub module_platform_id: Option<String>,
}

/// A repository as a .repo file describes it, variables not yet replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repo {
    /// The section's name.
    pub id: String,
    /// For people.
    pub name: String,
    /// Whether it is read.
    pub enabled: bool,
    /// Base URLs.
    pub baseurl: Vec<String>,
    /// The URL of a list of mirrors.
    pub mirrorlist: Option<String>,
    /// The URL of a metalink.
    pub metalink: Option<String>,
    /// URLs of keys.
    pub gpgkey: Vec<String>,
    /// Whether packages must be signed; `None` where nothing is said.
    pub gpgcheck: Option<bool>,
    /// Whether repomd.xml must be signed; `None` where nothing is said.
    pub repo_gpgcheck: Option<bool>,
    /// The lower, the more preferred; 99 where nothing is said.
    pub priority: i32,
    /// The lower, the more preferred of equal packages; 1000 where nothing is said.
    pub cost: i32,
    /// Packages that are not seen: names and globs.
    pub excludepkgs: Vec<String>,
    /// If there are any, the only packages that are seen.
    pub includepkgs: Vec<String>,
    /// Whether its packages are seen whatever module streams say.
    pub module_hotfixes: bool,
    /// Whether it is left out with a warning when it cannot be reached.
    pub skip_if_unavailable: bool,
    /// User name and password for its servers.
    pub credentials: Option<(String, String)>,
    /// Options that matter to how it is reached and that are not followed: proxies and certificates.
    pub unused: Vec<String>,
}

impl Repo {
    /// A repository of which nothing is known but its id.
    pub fn new(id: &str) -> Repo {
        Repo {
            id: id.to_owned(),
            name: id.to_owned(),
            enabled: true,
            baseurl: Vec::new(),
            mirrorlist: None,
            metalink: None,
            gpgkey: Vec::new(),
            gpgcheck: None,
            repo_gpgcheck: None,
            priority: 99,
            cost: 1000,
            excludepkgs: Vec::new(),
            includepkgs: Vec::new(),
            module_hotfixes: false,
            skip_if_unavailable: false,
            credentials: None,
            unused: Vec::new(),
        }
    }
}

/// A line of the file that means something, with its continuations.
enum Line<'t> {
    Section(&'t str),
    Option(&'t str, String),
}

impl RepoFile {
    /// Reads a file. `name` is for messages. Options that bareroot has no use for are ignored, as dnf ignores those that
    /// it does not know; what `[main]` says of signatures holds for repositories that say nothing.
    ///
    /// # Errors
    /// [`Error::RepoFile`] for a line that is none, a value that is none, an id that is no id or comes twice, and a
    /// repository without an address.
    pub fn parse(name: &str, text: &[u8]) -> Result<RepoFile, Error> {
        let text = String::from_utf8_lossy(text);
        let mut file = RepoFile::default();
        let mut main = Repo::new("main");
        let mut current: Option<Repo> = None;
        let mut in_main = false;
        let bad = |line: usize, reason: String| Error::RepoFile {
            name: name.to_owned(),
            line,
            reason,
        };
        let mut last = 0;
        for (number, line) in lines(&text) {
            last = number;
            match line.map_err(|reason| bad(number, reason))? {
                Line::Section("main") => {
                    file.repos.extend(current.take());
                    in_main = true;
                }
                Line::Section(id) => {
                    file.repos.extend(current.take());
                    in_main = false;
                    let valid = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
                    if id.is_empty() || !id.chars().all(valid) {
                        return Err(bad(number, format!("`{id}` is no repository id")));
                    }
                    if file.repos.iter().any(|repo| repo.id == id) {
                        return Err(bad(number, format!("the repository `{id}` is there twice")));
                    }
                    current = Some(Repo::new(id));
                }
                Line::Option("module_platform_id", value) if in_main => {
                    file.module_platform_id = Some(value).filter(|value| !value.is_empty());
                }
                Line::Option(option, value) => {
                    let repo = match &mut current {
                        Some(repo) => repo,
                        None if in_main => &mut main,
                        None => return Err(bad(number, format!("`{option}` stands before any section"))),
                    };
                    set(repo, option, &value).map_err(|reason| bad(number, reason))?;
                }
            }
        }
        file.repos.extend(current);
        for repo in &mut file.repos {
            repo.gpgcheck = repo.gpgcheck.or(main.gpgcheck);
            repo.repo_gpgcheck = repo.repo_gpgcheck.or(main.repo_gpgcheck);
            if repo.enabled && repo.baseurl.is_empty() && repo.mirrorlist.is_none() && repo.metalink.is_none()
            {
                let reason = format!("`{}` has neither baseurl nor mirrorlist nor metalink", repo.id);
                return Err(bad(last, reason));
            }
        }
        Ok(file)
    }
}

/// The meaningful lines with their numbers. An indented line continues the option before it.
fn lines(text: &str) -> Vec<(usize, Result<Line<'_>, String>)> {
    let mut all: Vec<(usize, Result<Line<'_>, String>)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t'])
            && let Some((_, Ok(Line::Option(_, value)))) = all.last_mut()
        {
            value.push('\n');
            value.push_str(trimmed);
            continue;
        }
        let parsed = if let Some(section) = trimmed.strip_prefix('[') {
            match section.split_once(']') {
                Some((section, _)) => Ok(Line::Section(section.trim())),
                None => Err(format!("`{trimmed}` is no section: `]` is missing")),
            }
        } else {
            match trimmed.split_once('=') {
                Some((option, value)) => Ok(Line::Option(option.trim(), value.trim().to_owned())),
                None => Err(format!("`{trimmed}` is neither `[section]` nor `option = value`")),
            }
        };
        all.push((number + 1, parsed));
    }
    all
}

fn set(repo: &mut Repo, option: &str, value: &str) -> Result<(), String> {
    let number = || {
        value
            .parse()
            .map_err(|_| format!("{option} is `{value}`; expected a number"))
    };
    let truth = || truth(value).ok_or_else(|| format!("{option} is `{value}`; expected 0 or 1"));
    let one = || Some(value.to_owned()).filter(|value| !value.is_empty());
    match option {
        "name" => repo.name = value.to_owned(),
        "enabled" => repo.enabled = truth()?,
        "baseurl" => repo.baseurl = words(value),
        "mirrorlist" => repo.mirrorlist = one(),
        "metalink" => repo.metalink = one(),
        "gpgkey" => repo.gpgkey = words(value),
        "gpgcheck" | "pkg_gpgcheck" => repo.gpgcheck = Some(truth()?),
        "repo_gpgcheck" => repo.repo_gpgcheck = Some(truth()?),
        "priority" => repo.priority = number()?,
        "cost" => repo.cost = number()?,
        "exclude" | "excludepkgs" => repo.excludepkgs.extend(words(value)),
        "includepkgs" => repo.includepkgs.extend(words(value)),
        "module_hotfixes" => repo.module_hotfixes = truth()?,
        "skip_if_unavailable" => repo.skip_if_unavailable = truth()?,
        "username" => repo.credentials.get_or_insert_default().0 = value.to_owned(),
        "password" => repo.credentials.get_or_insert_default().1 = value.to_owned(),
        "proxy" | "proxy_username" | "proxy_password" | "proxy_auth_method" | "sslcacert"
        | "sslclientcert" | "sslclientkey"
            if !value.is_empty() =>
        {
            repo.unused.push(option.to_owned());
        }
        "sslverify" if !truth()? => repo.unused.push(option.to_owned()),
        _ => {}
    }
    Ok(())
}

/// dnf's words for yes and no.
fn truth(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" => Some(true),
        "0" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// The words of a list, separated by space or comma.
fn words(value: &str) -> Vec<String> {
    value
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEDORA: &str = "\
[main]
gpgcheck=1
module_platform_id=platform:el8
# a comment
[fedora]
name=Fedora $releasever - $basearch
#baseurl=http://download.example/
metalink=https://mirrors.example/metalink?repo=fedora-$releasever&arch=$basearch
enabled=1
countme=1
gpgkey=file:///etc/pki/rpm-gpg/A
       file:///etc/pki/rpm-gpg/B, https://c.example/C
skip_if_unavailable=False

[updates]
name = Updates
baseurl = http://one.example/ http://two.example/
\thttp://three.example/
enabled = no
gpgcheck = off
repo_gpgcheck = true
priority = 10
cost=500
excludepkgs=kernel*, bad
exclude=worse
includepkgs=a b
module_hotfixes=1
skip_if_unavailable=1
username=me
password=secret
proxy=http://proxy.example/
sslverify=0
";

    #[test]
    fn every_option() {
        let file = RepoFile::parse("f.repo", FEDORA.as_bytes()).unwrap();
        let [fedora, updates] = &file.repos[..] else {
            panic!("{file:?}")
        };
        assert_eq!(file.module_platform_id.as_deref(), Some("platform:el8"));
        assert_eq!(fedora.name, "Fedora $releasever - $basearch");
        assert_eq!(
            fedora.metalink.as_deref(),
            Some("https://mirrors.example/metalink?repo=fedora-$releasever&arch=$basearch")
        );
        assert_eq!(fedora.gpgkey.len(), 3);
        assert_eq!(
            (fedora.enabled, fedora.gpgcheck, fedora.repo_gpgcheck),
            (true, Some(true), None)
        );
        assert_eq!((fedora.priority, fedora.cost), (99, 1000));
        assert_eq!(
            updates.baseurl,
            [
                "http://one.example/",
                "http://two.example/",
                "http://three.example/"
            ]
        );
        assert_eq!(
            (updates.enabled, updates.gpgcheck, updates.repo_gpgcheck),
            (false, Some(false), Some(true))
        );
        assert_eq!((updates.priority, updates.cost), (10, 500));
        assert_eq!(updates.excludepkgs, ["kernel*", "bad", "worse"]);
        assert_eq!(updates.includepkgs, ["a", "b"]);
        assert!(updates.module_hotfixes && updates.skip_if_unavailable && !fedora.skip_if_unavailable);
        assert_eq!(updates.credentials, Some(("me".to_owned(), "secret".to_owned())));
        assert_eq!(updates.unused, ["proxy", "sslverify"]);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, wanted) in [
            (
                "baseurl=x\n",
                "x.repo, line 1: `baseurl` stands before any section",
            ),
            (
                "[a]\nhello\n",
                "x.repo, line 2: `hello` is neither `[section]` nor `option = value`",
            ),
            ("[a\n", "x.repo, line 1: `[a` is no section: `]` is missing"),
            ("[a b]\n", "x.repo, line 1: `a b` is no repository id"),
            (
                "[a]\nbaseurl=x\n[a]\n",
                "x.repo, line 3: the repository `a` is there twice",
            ),
            (
                "[a]\nenabled=perhaps\n",
                "x.repo, line 2: enabled is `perhaps`; expected 0 or 1",
            ),
            (
                "[a]\npriority=high\n",
                "x.repo, line 2: priority is `high`; expected a number",
            ),
            (
                "[a]\nname=x\n",
                "x.repo, line 2: `a` has neither baseurl nor mirrorlist nor metalink",
            ),
        ] {
            let error = RepoFile::parse("x.repo", text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), wanted);
        }
        assert!(RepoFile::parse("x.repo", b"").unwrap().repos.is_empty());
    }
}
