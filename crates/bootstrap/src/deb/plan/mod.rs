//! Chapter one: what was asked for becomes a plan.
//!
//! The plan is what everything after it sees: which sources are read and with which keys they are verified, which
//! packages are wished, for which architecture, and what the root's own configuration will say.

pub mod arch;
mod host;
mod sources;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bareroot_deb::sources::Source;
use bareroot_trust::Keyring;

use crate::catalogue::{self, Distribution, Release};
use crate::context::Context;
use crate::error::Error;
use crate::lock::Locked;
use crate::request::{Request, Variant};
use crate::tools;

/// What a run is going to do.
#[derive(Clone)]
pub struct Plan {
    /// The sources, in the order of preference.
    pub sources: Vec<PlannedSource>,
    /// The architecture of the root.
    pub arch: String,
    /// Foreign architectures that wishes name.
    pub foreign: Vec<String>,
    /// The suite whose essential and priority packages make the base: that of the first source.
    pub base_suite: String,
    /// Which packages come without being named.
    pub variant: Variant,
    /// Wishes in apt's syntax.
    pub wishes: Vec<String>,
    /// .deb files named on the command line.
    pub local: Vec<PathBuf>,
    /// Names that must not be in.
    pub exclude: Vec<String>,
    /// Whether Recommends are followed.
    pub recommends: bool,
    /// Whether the root's top level is links into /usr.
    pub merged_usr: MergedUsr,
    /// `SOURCE_DATE_EPOCH`: no time in the root is later.
    pub epoch: Option<i64>,
    /// The lock that stands in for indexes and solution.
    pub lock: Option<Locked>,
}

/// Whether /bin, /sbin and /lib* are links into /usr from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergedUsr {
    /// They are.
    Yes,
    /// They are not.
    No,
    /// As the chosen packages want it: nobody knows the suite.
    ByPackages,
}

/// A source, and how it is read and verified.
#[derive(Clone)]
pub struct PlannedSource {
    /// As apt would have it in its sources, one suite each.
    pub source: Source,
    /// Where its packages are fetched, where that is not from the source's own addresses.
    pub addresses: Option<Vec<String>>,
    /// The keys that may sign it; `None` where no keyring is known.
    pub keyring: Option<Arc<Keyring>>,
    /// Whether Valid-Until is looked at.
    pub valid_until: Check,
    /// Whether it must be signed.
    pub signature: Check,
    /// Fingerprints of keys that may sign although they are weak.
    pub weak_keys: Vec<String>,
}

/// Whether something is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// A failure ends the run.
    Enforced,
    /// A failure is a warning: the user, the source or this host's apt waived it.
    Waived,
}

impl PlannedSource {
    /// Where its packages are fetched.
    pub fn addresses(&self) -> &[String] {
        self.addresses.as_deref().unwrap_or(&self.source.uris)
    }

    /// Address and suite, for messages.
    pub fn name(&self) -> String {
        let address = self.source.uris.first().map_or("", String::as_str);
        format!(
            "{} {}",
            bareroot_fetch::without_credentials(address),
            self.source.suite
        )
    }
}

impl PlannedSource {
    /// The source as the root's own sources file has it: one address, without the password that it may carry, and no
    /// waiver that was only for this run.
    pub fn for_target(&self) -> Source {
        let mut source = self.source.clone();
        source.uris = source
            .uris
            .first()
            .map(|uri| bareroot_fetch::without_credentials(uri))
            .into_iter()
            .collect();
        source
    }
}

impl Plan {
    /// The plan for a request.
    ///
    /// # Errors
    /// When the request names something that does not exist, or that cannot be made on this host.
    pub fn new(request: &Request, context: &Context) -> Result<Plan, Error> {
        let arch = arch::target(request.arch.as_deref())?;
        let named = request
            .spec
            .as_deref()
            .map(|spec| Named::parse(spec, request))
            .transpose()?;
        let mut sources = Vec::new();
        if let Some(named) = &named {
            sources.extend(sources::of_release(named, request, &arch, context)?);
        }
        sources.extend(sources::of_options(named.as_ref(), request, &arch)?);
        for path in &request.sources {
            sources.extend(sources::of_file(path, named.as_ref(), request, &arch)?);
        }
        let first = sources.first().ok_or(Error::NoSources)?;
        let base_suite = first.source.suite.clone();
        let release = named.as_ref().and_then(|named| named.release);
        let (local, wishes): (Vec<_>, Vec<_>) =
            request.include.iter().cloned().partition(|wish| is_file(wish));
        let foreign = arch::foreign(&wishes, &arch);
        Ok(Plan {
            arch,
            foreign,
            base_suite,
            variant: request.variant,
            local: local.into_iter().map(PathBuf::from).collect(),
            wishes,
            exclude: request.exclude.clone(),
            recommends: request.recommends.unwrap_or(false),
            merged_usr: match release {
                _ if request.merged_usr => MergedUsr::Yes,
                Some(release) if release.merged_usr => MergedUsr::Yes,
                Some(_) => MergedUsr::No,
                None => MergedUsr::ByPackages,
            },
            epoch: tools::source_date_epoch()?,
            lock: None,
            sources,
        })
    }
}

/// A SPEC, looked up.
pub struct Named<'a> {
    /// The distribution.
    pub distribution: &'static Distribution,
    /// The release, where the catalogue has it.
    pub release: Option<&'static Release>,
    /// The suite to ask the mirror for.
    pub suite: &'a str,
}

impl<'a> Named<'a> {
    fn parse(spec: &'a str, request: &Request) -> Result<Named<'a>, Error> {
        let (id, asked) = match spec.split_once(':') {
            Some((id, release)) => (id, Some(release)),
            None => (spec, None),
        };
        let distribution = catalogue::deb_of(id).ok_or_else(|| Error::Distribution(id.to_owned()))?;
        let asked = match asked {
            Some(asked) if !asked.is_empty() => asked,
            _ => &distribution.default,
        };
        let release = distribution.release(asked);
        if release.is_none() && request.mirrors.is_empty() {
            let known: Vec<&str> = distribution
                .releases
                .iter()
                .map(|release| release.codename.as_str())
                .collect();
            return Err(Error::Release {
                distribution: distribution.name.clone(),
                release: asked.to_owned(),
                known: known.join(", "),
            });
        }
        Ok(Named {
            distribution,
            release,
            suite: release.map_or(asked, |release| release.suite(asked)),
        })
    }
}

/// Whether a wish is the path of a .deb file, by apt's rule: it has a slash at its start or after a dot, and is a file.
fn is_file(wish: &str) -> bool {
    (wish.starts_with('/') || wish.starts_with("./") || wish.starts_with("../") || wish.ends_with(".deb"))
        && Path::new(wish).is_file()
}
