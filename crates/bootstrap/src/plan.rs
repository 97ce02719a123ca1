//! Chapter one, for every family: what was asked for becomes a plan.

use bareroot_depot::lock::Family;

use crate::catalogue::{self, Entry};
use crate::context::Context;
use crate::error::Error;
use crate::request::{Request, Variant};
use crate::{deb, lock, mirror, rpm};

/// What a run is going to do.
#[derive(Clone)]
pub enum Plan {
    /// A root of Debian or a derivative.
    Deb(deb::Plan),
    /// A root of RPM repositories.
    Rpm(rpm::Plan),
}

impl Plan {
    /// `SOURCE_DATE_EPOCH`.
    pub fn epoch(&self) -> Option<i64> {
        match self {
            Plan::Deb(plan) => plan.epoch,
            Plan::Rpm(plan) => plan.epoch,
        }
    }

    /// An error of its chapters, with what a lock has to do with it.
    pub fn explained(&self, error: Error) -> Error {
        let lock = match self {
            Plan::Deb(plan) => plan.lock.as_ref(),
            Plan::Rpm(plan) => plan.lock.as_ref(),
        };
        match (error, lock) {
            (Error::Fetch(source), Some(lock)) if source.is_not_found() => Error::LockedGone {
                lock: lock.path.clone(),
                source: Box::new(source),
            },
            (error, _) => error,
        }
    }

    /// The plan for a request: its SPEC says of which family the root is; without one, .repo files make an RPM root, and
    /// everything else is Debian's.
    ///
    /// # Errors
    /// When the request names something that does not exist, that cannot be made on this host, or that the root's family
    /// does not have.
    pub fn new(request: &Request, context: &Context) -> Result<Plan, Error> {
        if let Some(locked) = lock::find(request, context)? {
            let request = &*mirror::mapped(request, context)?;
            return match locked.root.family.clone() {
                Family::Deb(own) => {
                    refuse("Debian", &deb_has_not(request))?;
                    Ok(Plan::Deb(deb::plan_of(locked, &own, request)?))
                }
                Family::Rpm(own) => {
                    refuse("RPM", &rpm_has_not(request))?;
                    Ok(Plan::Rpm(rpm::plan_of(locked, &own, request)?))
                }
            };
        }
        let entry = match request.spec.as_deref() {
            Some(spec) => {
                let id = spec.split_once(':').map_or(spec, |(id, _)| id);
                Some(catalogue::find(id).ok_or_else(|| Error::Distribution(id.to_owned()))?)
            }
            None => None,
        };
        match entry {
            Some(Entry::Deb(_)) => deb(request, context),
            None if request.repos.is_empty() => deb(request, context),
            Some(Entry::Rpm(_)) | None => rpm(request, context),
        }
    }

    /// The architecture, in the family's words.
    pub fn arch(&self) -> &str {
        match self {
            Plan::Deb(plan) => &plan.arch,
            Plan::Rpm(plan) => &plan.arch,
        }
    }
}

fn deb(request: &Request, context: &Context) -> Result<Plan, Error> {
    refuse("Debian", &deb_has_not(request))?;
    if request.spec.is_none() && request.snapshot.is_some() {
        return Err(Error::NeedsSpec { option: "--snapshot" });
    }
    let request = &*mirror::mapped(request, context)?;
    Ok(Plan::Deb(deb::Plan::new(request, context)?))
}

fn rpm(request: &Request, context: &Context) -> Result<Plan, Error> {
    refuse("RPM", &rpm_has_not(request))?;
    if request.spec.is_none() {
        // A partial mirror knows the repositories of .repo files too.
        let is_local = |mirror: &String| !mirror.starts_with("http");
        for (option, given) in [
            ("--mirror", !request.mirrors.iter().all(is_local)),
            ("--updates", request.updates == Some(true)),
            ("--no-updates", request.updates == Some(false)),
        ] {
            if given {
                return Err(Error::NeedsSpec { option });
            }
        }
    }
    let request = &*mirror::mapped(request, context)?;
    if request.spec.is_none() && !request.mirrors.is_empty() && !request.partial.is_any() {
        return Err(Error::NeedsSpec { option: "--mirror" });
    }
    Ok(Plan::Rpm(rpm::Plan::new(request, context)?))
}

/// An option, whether it was given, and what there is in its place.
type Asked = (String, bool, &'static str);

fn option(name: &str, given: bool, instead: &'static str) -> Asked {
    (name.to_owned(), given, instead)
}

fn refuse(family: &'static str, options: &[Asked]) -> Result<(), Error> {
    match options.iter().find(|(_, given, _)| *given) {
        Some((option, _, instead)) => Err(Error::NotForFamily {
            option: option.clone(),
            family,
            instead,
        }),
        None => Ok(()),
    }
}

/// What Debian's roots have no use for.
fn deb_has_not(request: &Request) -> Vec<Asked> {
    let paths = "--path-exclude and --path-include choose files by their paths";
    vec![
        option("--repo", !request.repos.is_empty(), "--sources reads apt's files"),
        option(
            "--releasever",
            request.releasever.is_some(),
            "SPEC names the suite",
        ),
        option("--with-optional", request.with_optional, ""),
        option("--langs", request.langs.is_some(), paths),
        option("--nodocs", request.no_docs, paths),
        option("--rpmdb-backend", request.rpmdb_backend.is_some(), ""),
    ]
}

/// What RPM roots have no use for.
fn rpm_has_not(request: &Request) -> Vec<Asked> {
    let variants = "there are extract, custom and minbase; --include takes groups, as '@Minimal Install'";
    let variant = match request.variant {
        Variant::Extract | Variant::Custom | Variant::Minbase => None,
        other => Some(format!("--variant {}", other.word())),
    };
    let given = variant.is_some();
    vec![
        (variant.unwrap_or_default(), given, variants),
        option(
            "--sources",
            !request.sources.is_empty(),
            "--repo reads .repo files",
        ),
        option(
            "--components",
            !request.components.is_empty(),
            "--repo names repositories",
        ),
        option(
            "a one-line entry as --mirror",
            request.mirrors.iter().any(|mirror| mirror.starts_with("deb")),
            "--mirror takes the address that the distribution's own layout lies below",
        ),
        option("--merged-usr", request.merged_usr, ""),
        option("--aptopt", !request.apt_options.is_empty(), ""),
        option("--dpkgopt", !request.dpkg_options.is_empty(), ""),
        option(
            "--snapshot",
            request.snapshot.is_some(),
            "--mirror takes the address of a compose",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bareroot_model::{Cancel, Event, Observer};

    use super::*;

    struct Nobody;

    impl Observer for Nobody {
        fn on(&self, _: Event) {}
    }

    fn refused(request: Request) -> Option<(String, String)> {
        let context = Context::new(Arc::new(Nobody), Cancel::default());
        match Plan::new(&request, &context) {
            Err(error @ (Error::NotForFamily { .. } | Error::NeedsSpec { .. })) => {
                use bareroot_model::Classified as _;
                assert_eq!(error.class().exit_code(), 2);
                Some((error.to_string(), error.hint().unwrap_or_default()))
            }
            _ => None,
        }
    }

    fn of(spec: &str) -> Request {
        Request {
            spec: Some(spec.to_owned()),
            ..Request::default()
        }
    }

    #[test]
    fn options_of_the_other_family_are_refused() {
        for (request, wanted) in [
            (
                Request {
                    repos: vec!["x.repo".into()],
                    ..of("debian:trixie")
                },
                "--repo is not for Debian roots",
            ),
            (
                Request {
                    releasever: Some("9".into()),
                    ..of("debian:trixie")
                },
                "--releasever is not for Debian roots",
            ),
            (
                Request {
                    with_optional: true,
                    ..of("ubuntu")
                },
                "--with-optional is not for Debian roots",
            ),
            (
                Request {
                    langs: Some(vec![]),
                    ..of("debian")
                },
                "--langs is not for Debian roots",
            ),
            (
                Request {
                    no_docs: true,
                    ..of("debian")
                },
                "--nodocs is not for Debian roots",
            ),
            (
                Request {
                    sources: vec!["x".into()],
                    ..of("fedora:43")
                },
                "--sources is not for RPM roots",
            ),
            (
                Request {
                    components: vec!["main".into()],
                    ..of("fedora:43")
                },
                "--components is not for RPM roots",
            ),
            (
                Request {
                    mirrors: vec!["deb http://m x main".into()],
                    ..of("fedora:43")
                },
                "a one-line entry as --mirror is not for RPM roots",
            ),
            (
                Request {
                    merged_usr: true,
                    ..of("fedora:43")
                },
                "--merged-usr is not for RPM roots",
            ),
            (
                Request {
                    apt_options: vec!["x".into()],
                    ..of("fedora:43")
                },
                "--aptopt is not for RPM roots",
            ),
            (
                Request {
                    dpkg_options: vec!["x".into()],
                    ..of("fedora:43")
                },
                "--dpkgopt is not for RPM roots",
            ),
            (
                Request {
                    variant: Variant::Buildd,
                    ..of("rocky:9")
                },
                "--variant buildd is not for RPM roots",
            ),
            (
                Request {
                    variant: Variant::Important,
                    ..of("rocky:9")
                },
                "--variant important is not for RPM roots",
            ),
            (
                Request {
                    repos: vec!["x.repo".into()],
                    sources: vec!["x".into()],
                    ..Request::default()
                },
                "--sources is not for RPM roots",
            ),
            (
                Request {
                    repos: vec!["x.repo".into()],
                    mirrors: vec!["http://m".into()],
                    ..Request::default()
                },
                "--mirror says nothing without a SPEC",
            ),
            (
                Request {
                    repos: vec!["x.repo".into()],
                    updates: Some(true),
                    ..Request::default()
                },
                "--updates says nothing without a SPEC",
            ),
        ] {
            assert_eq!(refused(request).map(|(error, _)| error).as_deref(), Some(wanted));
        }
        let buildd = Request {
            variant: Variant::Buildd,
            ..of("rocky:9")
        };
        assert!(refused(buildd).is_some_and(|(_, hint)| hint.contains("extract, custom and minbase")));
        let both = Request {
            no_standins: true,
            no_host_files: true,
            recommends: Some(false),
            variant: Variant::Custom,
            ..of("fedora:43")
        };
        assert_eq!(refused(both), None);
    }
}
