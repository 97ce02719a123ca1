//! A SPEC, looked up in the catalogue: the repositories, keys and packages of a release.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bareroot_rpm_repo::repofile::Repo;
use bareroot_rpm_repo::variables::Variables;
use bareroot_trust::Keyring;

use super::host;
use super::{Keys, PlannedRepo, repos};
use crate::catalogue::rpm::{self as catalogue, Address, Distribution, Release, Repository};
use crate::context::Context;
use crate::error::Error;
use crate::request::Request;

/// A release of a distribution.
pub struct Named {
    /// The distribution.
    pub distribution: &'static Distribution,
    /// The release.
    pub release: &'static Release,
}

impl Named {
    /// Looks a SPEC up.
    ///
    /// # Errors
    /// When the catalogue has no such distribution or release.
    pub fn parse(spec: &str) -> Result<Named, Error> {
        let (id, asked) = spec.split_once(':').unwrap_or((spec, ""));
        let distribution = catalogue::find(id).ok_or_else(|| Error::Distribution(id.to_owned()))?;
        let asked = match asked {
            "" => &distribution.default,
            asked => asked,
        };
        let release = distribution.release(asked).ok_or_else(|| Error::NoRelease {
            distribution: distribution.name.clone(),
            release: asked.to_owned(),
            known: list(distribution.releases.iter().map(|release| release.name.as_str())),
        })?;
        Ok(Named {
            distribution,
            release,
        })
    }

    /// Distribution and release, for messages.
    pub fn title(&self) -> String {
        format!("{} {}", self.distribution.name, self.release.name)
    }

    /// The variables of its repositories; `--releasever` rules.
    pub fn variables(&self, request: &Request, arch: &str) -> Variables {
        let releasever = request.releasever.as_deref();
        self.distribution.variables(
            self.release,
            arch,
            releasever.unwrap_or(self.release.releasever()),
        )
    }

    /// Whether it can be made at all; says so where it gets no updates any more.
    ///
    /// # Errors
    /// When it is not made for that architecture.
    pub fn check(&self, arch: &str, context: &Context) -> Result<(), Error> {
        let architectures = self.distribution.architectures_of(self.release);
        if !architectures.iter().any(|known| known == arch) {
            return Err(Error::NotForArchitecture {
                release: self.title(),
                wanted: arch.to_owned(),
                known: list(architectures.iter().map(String::as_str)),
            });
        }
        if let Some(day) = &self.release.end_of_life
            && *day < date(SystemTime::now())
        {
            context.warn(format!("{} has had no updates since {day}", self.title()));
        }
        Ok(())
    }

    /// Its repositories, but for those of the same ids that .repo files describe (`taken`).
    ///
    /// Each is where `--mirror` says, else where this host's own dnf has it, else at its official address. With
    /// `--mirror`, repositories of updates come only with `--updates`.
    ///
    /// # Errors
    /// When a key of `--keyring` cannot be read, or an address has a variable that nobody knows.
    pub fn repos(
        &self,
        request: &Request,
        variables: &Variables,
        taken: &[String],
        host: &Path,
        context: &Context,
    ) -> Result<Vec<PlannedRepo>, Error> {
        let updates = request.updates.unwrap_or(request.mirrors.is_empty());
        let host = match request.mirrors.is_empty() {
            true => host::read(host, self.distribution, context),
            false => None,
        };
        let keyring = self.keyring()?;
        let mut planned = Vec::new();
        let mut told = false;
        for repository in self.distribution.repositories_of(self.release) {
            let id = variables.expand(&repository.id)?;
            if repository.updates && !updates || taken.contains(&id) {
                continue;
            }
            let mut repo = match host.as_ref().and_then(|host| host.repo(&id, self.release)) {
                Some((repo, file)) => {
                    if !std::mem::replace(&mut told, true) {
                        self.tell_mirror(repo, file, context);
                    }
                    repo.clone()
                }
                None => self.official(repository, &id, request),
            };
            // Its own signatures are asked for whatever the host says: the keys are known.
            repo.gpgcheck = Some(true);
            repo.repo_gpgcheck = Some(repository.repo_gpgcheck || repo.repo_gpgcheck == Some(true));
            repo.gpgkey = Vec::new();
            let around = match &host {
                Some(host) => host.around(variables),
                None => variables.clone(),
            };
            let mut repo = repos::of_repo(&repo, Path::new("the catalogue"), request, &around)?;
            repo.of_release = true;
            if request.keyrings.is_empty() {
                repo.keys = Keys::Known(Arc::clone(&keyring));
            }
            planned.push(repo);
        }
        Ok(planned)
    }

    fn tell_mirror(&self, repo: &Repo, file: &Path, context: &Context) {
        let lists = repo.metalink.as_ref().or(repo.mirrorlist.as_ref());
        let address = lists.or(repo.baseurl.first()).map_or("", String::as_str);
        context.note(format!(
            "{} comes from {}, as in {}",
            self.distribution.name,
            bareroot_fetch::without_credentials(address),
            file.display()
        ));
    }

    /// A repository at the mirrors that the user names, else at its official address.
    fn official(&self, repository: &Repository, id: &str, request: &Request) -> Repo {
        let mut repo = Repo::new(id);
        if !request.mirrors.is_empty() {
            repo.baseurl = request
                .mirrors
                .iter()
                .map(|mirror| repository.below(mirror))
                .collect();
            return repo;
        }
        match self.distribution.address(self.release, repository) {
            Address::Metalink(url) => repo.metalink = Some(url.to_owned()),
            Address::Mirrorlist(url) => repo.mirrorlist = Some(url.to_owned()),
            Address::Mirror(url) => repo.baseurl = vec![repository.below(url)],
        }
        repo
    }

    /// Where a repository of the release is below some mirrors; nowhere for one that it does not have.
    ///
    /// # Errors
    /// When a path has a variable that nobody knows.
    pub fn below(&self, id: &str, mirrors: &[String], variables: &Variables) -> Result<Vec<String>, Error> {
        let mut all = Vec::new();
        for repository in self.distribution.repositories_of(self.release) {
            if variables.expand(&repository.id)? == id {
                for mirror in mirrors {
                    all.push(variables.expand(&repository.below(mirror))?);
                }
            }
        }
        Ok(all)
    }

    /// The keys of the release.
    ///
    /// # Errors
    /// [`Error::NoKeyring`] where no built-in keyring has them.
    pub fn keyring(&self) -> Result<Arc<Keyring>, Error> {
        let keyring = self.distribution.keyring(self.release);
        keyring.map(Arc::new).ok_or_else(|| Error::NoKeyring {
            source_name: self.title(),
        })
    }
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// The day of a time in UTC, `YYYY-MM-DD`.
fn date(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    // Days since 1 March of the year 0, in eras of 400 years: a year that begins in March has its leap day last.
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + later)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn repositories_below_a_mirror() {
        let named = Named::parse("fedora:43").unwrap();
        let variables = named.variables(&Request::default(), "x86_64");
        let below = |id: &str| {
            named
                .below(id, &["http://m/".to_owned(), "file:/n".to_owned()], &variables)
                .unwrap()
        };
        assert_eq!(
            below("fedora"),
            [
                "http://m/releases/43/Everything/x86_64/os",
                "file:/n/releases/43/Everything/x86_64/os"
            ]
        );
        assert!(below("none").is_empty());
    }

    #[test]
    fn days_of_times() {
        for (seconds, wanted) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_719_791_999, "2024-06-30"),
            (1_719_792_000, "2024-07-01"),
            (4_107_542_399, "2100-02-28"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(UNIX_EPOCH + Duration::from_secs(seconds)), wanted);
        }
    }
}
