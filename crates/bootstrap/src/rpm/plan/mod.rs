//! Chapter one: what was asked for becomes a plan.
//!
//! The plan is what everything after it sees: which repositories are read and with which keys they and their packages
//! are verified, what is wished, for which architecture, and what the root's databases will say.

mod host;
mod named;
mod repos;

use std::path::Path;
use std::sync::Arc;

use bareroot_rpm_db::Backend;
use bareroot_rpm_repo::variables::Variables;
use bareroot_trust::Keyring;

use super::arch;
use super::solve::is_file;
use crate::context::Context;
use crate::error::Error;
use crate::lock::Locked;
use crate::mirror::Partial;
use crate::request::{Request, Variant};
use crate::tools;
pub use named::Named;
pub use repos::own_keys;

/// What a run is going to do.
#[derive(Clone)]
pub struct Plan {
    /// The repositories, in the order given.
    pub repos: Vec<PlannedRepo>,
    /// What `$releasever` stands for, where it was said.
    pub releasever: Option<String>,
    /// The architecture of the root, in rpm's words.
    pub arch: String,
    /// Wishes in dnf's syntax.
    pub wishes: Vec<String>,
    /// The platform's stream that modules are for; the release package says it where this does not.
    pub platform: Option<String>,
    /// Paths and URLs of .rpm files that are wished.
    pub local: Vec<String>,
    /// The keys that may have signed these files; the user vouches for them, so nothing is refused for want of a key.
    pub local_keys: Arc<Keyring>,
    /// Names and globs that must not be in.
    pub exclude: Vec<String>,
    /// Whether weak dependencies are followed.
    pub weak: bool,
    /// Whether groups bring their optional packages.
    pub optional: bool,
    /// Languages of which files are installed; `None` installs all.
    pub langs: Option<Vec<String>>,
    /// Whether documentation stays out.
    pub no_docs: bool,
    /// Whether scriptlets run and databases are written; `--variant extract` only unpacks.
    pub configure: bool,
    /// The kind of rpm's database that the user wants, whatever the root's own rpm is set up for.
    pub backend: Option<Backend>,
    /// The kind that the release has, for a root whose macros do not say.
    pub usual_backend: Option<Backend>,
    /// `SOURCE_DATE_EPOCH`: no time in the root is later.
    pub epoch: Option<i64>,
    /// The lock that stands in for metadata and solution.
    pub lock: Option<Locked>,
}

/// A repository, and how it is read and verified.
#[derive(Clone)]
pub struct PlannedRepo {
    /// Its id: the section's name in a .repo file.
    pub id: String,
    /// Base URLs, all variables expanded.
    pub base_urls: Vec<String>,
    /// The URL of a plain list of mirrors.
    pub mirror_list: Option<String>,
    /// The URL of a metalink.
    pub metalink: Option<String>,
    /// Addresses that it is known by, whatever mirror is used: the official one, else its own.
    pub known_as: Vec<String>,
    /// The keys that may sign it and its packages.
    pub keys: Keys,
    /// Whether its packages must be signed.
    pub gpgcheck: Check,
    /// Whether its repomd.xml must be signed.
    pub repo_gpgcheck: Check,
    /// Whether a signed repomd.xml has to be as new as the newest that its address gave before; never [`Check::Off`].
    pub older: Check,
    /// Fingerprints of keys that may sign although they are weak.
    pub weak_keys: Vec<String>,
    /// Of two repositories that have a package, the one with the lower number gives it.
    pub priority: i32,
    /// Of two equal packages, the one from the cheaper repository is taken.
    pub cost: i32,
    /// Packages that are not seen.
    pub excludes: Vec<String>,
    /// If there are any, the only packages that are seen.
    pub includes: Vec<String>,
    /// Whether its packages are seen whatever module streams say.
    pub module_hotfixes: bool,
    /// Whether it is left out with a warning when it cannot be reached.
    pub skip_if_unavailable: bool,
    /// Whether it is one of the SPEC's release.
    pub of_release: bool,
}

/// Whether something is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// A failure ends the run.
    Enforced,
    /// A failure is a warning: the user waived it.
    Waived,
    /// Nobody looks: the distribution does not sign it.
    Off,
}

/// Where keys come from.
#[derive(Clone)]
pub enum Keys {
    /// They are here.
    Known(Arc<Keyring>),
    /// They are fetched: `gpgkey` of a .repo file.
    At(Vec<String>),
}

impl PlannedRepo {
    /// Goes to the partial mirrors that have it; `false` where none has.
    fn through(&mut self, partial: &Partial) -> bool {
        let mut addresses = partial.repository(&self.known_as, &self.id);
        if addresses.is_empty() {
            return false;
        }
        addresses.extend(
            partial
                .whole()
                .filter(|mirror| self.base_urls.contains(mirror))
                .cloned(),
        );
        self.base_urls = addresses;
        (self.metalink, self.mirror_list) = (None, None);
        true
    }
}

impl Plan {
    /// The plan for a request.
    ///
    /// # Errors
    /// When the request names something that does not exist, or that cannot be made on this host.
    pub fn new(request: &Request, context: &Context) -> Result<Plan, Error> {
        Plan::on_host(request, Path::new("/"), context)
    }

    /// The plan, with the host's own configuration below `host`.
    fn on_host(request: &Request, host: &Path, context: &Context) -> Result<Plan, Error> {
        let arch = arch::target(request.arch.as_deref())?;
        let named = request.spec.as_deref().map(Named::parse).transpose()?;
        let variables = match &named {
            Some(named) => named.variables(request, &arch),
            None => Variables::new(&arch, request.releasever.as_deref()),
        };
        let mut files = repos::of_files(&request.repos, request, &variables, context)?;
        if request.partial.is_any() {
            for repo in &mut files.repos {
                if !repo.through(&request.partial) && named.is_none() {
                    return Err(request.partial.lacks(format!("repository {}", repo.id)));
                }
            }
        }
        let mut repos = Vec::new();
        let mut wishes = Vec::new();
        if let Some(named) = &named {
            named.check(&arch, context)?;
            repos = named.repos(request, &variables, &files.sections, host, context)?;
            if request.variant == Variant::Minbase {
                wishes.extend(named.release.packages.iter().cloned());
            }
        }
        repos.extend(files.repos);
        let (local, included): (Vec<String>, Vec<String>) =
            (request.include.iter().cloned()).partition(|word| is_file(word));
        wishes.extend(included);
        let local_keys = match local.is_empty() {
            true => Arc::default(),
            false => repos::own_keys(request)?,
        };
        if repos.is_empty() && local.is_empty() {
            return Err(Error::NoRepos);
        }
        Ok(Plan {
            repos,
            releasever: variables.get("releasever").map(str::to_owned),
            arch,
            wishes,
            platform: files.platform.or_else(|| {
                let platform = named.as_ref()?.release.platform.as_deref()?;
                Some(platform.strip_prefix("platform:")?.to_owned())
            }),
            local,
            local_keys,
            exclude: request.exclude.clone(),
            weak: request.recommends.unwrap_or(true),
            optional: request.with_optional,
            langs: request.langs.clone(),
            no_docs: request.no_docs,
            configure: request.variant != Variant::Extract,
            backend: request.rpmdb_backend,
            usual_backend: named.map(|named| named.release.database.backend),
            epoch: tools::source_date_epoch()?,
            lock: None,
        })
    }
}

#[cfg(test)]
mod tests;
