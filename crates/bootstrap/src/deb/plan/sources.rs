//! Which sources a request means: by name, by option, by file.

use std::path::Path;
use std::sync::Arc;

use bareroot_deb::sources::{self, SignedBy, Source};
use bareroot_trust::Keyring;

use super::host::{self, HostMirror, HostMirrors};
use super::{Check, Named, PlannedSource};
use crate::bounded;
use crate::catalogue;
use crate::context::Context;
use crate::error::Error;
use crate::request::Request;

/// The suites of a named release: the release itself, and by default, for a stable one, its updates and security.
pub fn of_release(
    named: &Named<'_>,
    request: &Request,
    arch: &str,
    context: &Context,
) -> Result<Vec<PlannedSource>, Error> {
    if let Some(base) = named.distribution.base.as_deref().and_then(catalogue::deb_of) {
        // The past of its base with its own present would be a root that never was.
        if let Some(snapshot) = &request.snapshot {
            snapshot.addresses(named.distribution)?;
        }
        let below = Named {
            distribution: base,
            release: base.release(named.suite),
            suite: named.suite,
        };
        let mut all = of_release(&below, request, arch, context)?;
        all.extend(through(vec![overlay(named, request, arch)?], request)?);
        return Ok(all);
    }
    let distribution = named.distribution;
    let mirrors: Vec<String> = request
        .mirrors
        .iter()
        .filter(|mirror| !Request::is_entry(mirror))
        .cloned()
        .collect();
    // Entries say everything themselves: the name then only gives the keyring.
    if mirrors.is_empty() && !request.mirrors.is_empty() {
        return Ok(Vec::new());
    }
    let past = request
        .snapshot
        .as_ref()
        .map(|snapshot| snapshot.addresses(distribution))
        .transpose()?;
    let found = match mirrors.is_empty() && past.is_none() {
        true => host::mirrors(Path::new("/"), distribution, arch),
        false => HostMirrors::default(),
    };
    let main = match (&found.main, mirrors.is_empty()) {
        _ if past.is_some() => past.iter().map(|(main, _)| main.clone()).collect(),
        (_, false) => mirrors,
        (Some(host), true) => host.source.uris.clone(),
        (None, true) => vec![distribution.mirror_for(arch).to_owned()],
    };
    let security = match (&found.security, &past) {
        (Some(host), _) => host.source.uris.clone(),
        (None, Some((_, security))) => vec![security.clone()],
        (None, None) => vec![distribution.security_mirror_for(arch).to_owned()],
    };
    if let Some(host) = &found.main {
        context.note(format!(
            "{} comes from {}, as in {}",
            distribution.name,
            main.first()
                .map_or_else(String::new, |uri| bareroot_fetch::without_credentials(uri)),
            host.file.display()
        ));
    }
    let build = |uris: &[String], suite: String, host: Option<&HostMirror>| {
        let components = match request.components.is_empty() {
            true => distribution.components.clone(),
            false => request.components.clone(),
        };
        let signed_by = named.release.map(|release| SignedBy {
            keyrings: vec![distribution.signed_by_for(release, arch).into()],
            ..SignedBy::default()
        });
        // What is past has expired.
        let expired = past.is_some()
            || host.is_some_and(|host| {
                host.source
                    .check_valid_until
                    .map_or(found.takes_expired, |check| !check)
            });
        let source = Source {
            uris: uris.to_vec(),
            suite,
            components,
            signed_by,
            check_valid_until: expired.then_some(false),
            by_hash: host.and_then(|host| host.source.by_hash),
            binary: true,
            ..Source::default()
        };
        (source, expired)
    };
    let mut all = vec![build(&main, named.suite.to_owned(), found.main.as_ref())];
    let wanted = (request.updates).unwrap_or(request.mirrors.is_empty() || request.partial.is_any());
    if let (Some(release), true) = (named.release, wanted) {
        if release.updates {
            all.push(build(
                &main,
                format!("{}-updates", named.suite),
                found.main.as_ref(),
            ));
        }
        if let Some(suite) = release.security_suite(named.suite) {
            all.push(build(&security, suite, found.security.as_ref()));
        }
    }
    let keyring = match keyring_of_options(request)? {
        Some(keyring) => Some(keyring),
        None => Keyring::builtin(distribution.keyring_for(arch)).map(Arc::new),
    };
    let official =
        |source: &Source| match source.suite.ends_with("-security") || source.suite.ends_with("/updates") {
            true => distribution.security_mirror_for(arch).to_owned(),
            false => distribution.mirror_for(arch).to_owned(),
        };
    let all = all.into_iter().map(|(source, _)| {
        let mut planned = planned(source, keyring.clone(), request);
        planned.known_as.insert(0, official(&planned.source));
        planned
    });
    through(all.collect(), request)
}

/// The sources at the partial mirrors that the request names, if there are any. What only comes by default may be missing
/// there, but not the first.
fn through(all: Vec<PlannedSource>, request: &Request) -> Result<Vec<PlannedSource>, Error> {
    let partial = &request.partial;
    if !partial.is_any() {
        return Ok(all);
    }
    let mut found = Vec::with_capacity(all.len());
    for (number, mut source) in all.into_iter().enumerate() {
        let suite = &source.source.suite;
        let mut addresses = partial.suite(&source.known_as, suite);
        if addresses.is_empty() && (number == 0 || request.updates == Some(true)) {
            return Err(partial.lacks(format!(
                "suite {suite} of {}",
                source.known_as.first().map_or("", String::as_str)
            )));
        }
        if !addresses.is_empty() {
            let whole = partial
                .whole()
                .filter(|mirror| source.source.uris.contains(mirror));
            addresses.extend(whole.cloned());
            source.source.uris = addresses;
            found.push(source);
        }
    }
    Ok(found)
}

/// What a distribution lays over its base: its own archive, from its own address. Options about mirrors and components
/// mean the base.
fn overlay(named: &Named<'_>, request: &Request, arch: &str) -> Result<PlannedSource, Error> {
    let distribution = named.distribution;
    let signed_by = named.release.map(|release| SignedBy {
        keyrings: vec![release.signed_by.clone().into()],
        ..SignedBy::default()
    });
    let source = Source {
        uris: vec![distribution.mirror_for(arch).to_owned()],
        suite: named.suite.to_owned(),
        components: distribution.components.clone(),
        signed_by,
        binary: true,
        ..Source::default()
    };
    let keyring = match keyring_of_options(request)? {
        Some(keyring) => Some(keyring),
        None => Keyring::builtin(&distribution.keyring).map(Arc::new),
    };
    Ok(planned(source, keyring, request))
}

/// One-line entries among the mirrors.
pub fn of_options(
    named: Option<&Named<'_>>,
    request: &Request,
    arch: &str,
) -> Result<Vec<PlannedSource>, Error> {
    let mut all = Vec::new();
    for entry in request.mirrors.iter().filter(|mirror| Request::is_entry(mirror)) {
        all.extend(sources::parse_one_line("--mirror", entry.as_bytes())?);
    }
    with_keyrings(all, false, named, request, arch)
}

/// The sources of a file.
pub fn of_file(
    path: &Path,
    named: Option<&Named<'_>>,
    request: &Request,
    arch: &str,
) -> Result<Vec<PlannedSource>, Error> {
    let text = bounded::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    with_keyrings(
        sources::parse(&path.display().to_string(), &text)?,
        true,
        named,
        request,
        arch,
    )
}

/// Gives each source its keyring: a key in the source itself, else --keyring, else the files of Signed-By that this host
/// has, else the named distribution's, else every built-in one. Fingerprints in Signed-By narrow any of them down.
fn with_keyrings(
    all: Vec<Source>,
    is_of_file: bool,
    named: Option<&Named<'_>>,
    request: &Request,
    arch: &str,
) -> Result<Vec<PlannedSource>, Error> {
    let options = keyring_of_options(request)?;
    let builtin = || match named {
        Some(named) => Keyring::builtin(named.distribution.keyring_for(arch)),
        None => Some(every_keyring()),
    };
    let mut planned_sources = Vec::new();
    for mut source in all.into_iter().filter(|source| source.binary) {
        source.expand(arch);
        let signed_by = source.signed_by.clone().unwrap_or_default();
        // A path of the target's world, where its keyring is going to lie, need not exist on this host.
        let present: Vec<_> = signed_by
            .keyrings
            .iter()
            .filter(|path| path.exists())
            .cloned()
            .collect();
        let mut keyring = match (&signed_by.key_block, &options) {
            (Some(block), _) => Some(Arc::new(Keyring::from_bytes("Signed-By", block.as_bytes())?)),
            (None, Some(keyring)) => Some(Arc::clone(keyring)),
            (None, None) if present.is_empty() => builtin().map(Arc::new),
            (None, None) => Some(Arc::new(Keyring::from_paths(&present)?)),
        };
        if !signed_by.fingerprints.is_empty() {
            keyring = match keyring {
                Some(keyring) => Some(Arc::new(keyring.restrict(&signed_by.fingerprints)?)),
                None => None,
            };
        }
        let source = planned(source, keyring, request);
        // A one-line entry as --mirror says itself where it is.
        planned_sources.extend(match is_of_file {
            true => through(vec![source], request)?,
            false => vec![source],
        });
    }
    Ok(planned_sources)
}

/// Every built-in keyring as one: a source without a name may be any distribution's.
fn every_keyring() -> Keyring {
    let mut all = Keyring::default();
    for keyring in Keyring::builtin_ids().filter_map(Keyring::builtin) {
        all.extend(keyring);
    }
    all
}

fn keyring_of_options(request: &Request) -> Result<Option<Arc<Keyring>>, Error> {
    if request.keyrings.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(Keyring::from_paths(&request.keyrings)?)))
}

fn planned(source: Source, keyring: Option<Arc<Keyring>>, request: &Request) -> PlannedSource {
    let waived = |waived: bool| if waived { Check::Waived } else { Check::Enforced };
    PlannedSource {
        keyring,
        valid_until: waived(request.waivers.valid_until || source.check_valid_until == Some(false)),
        signature: waived(request.waivers.signature || source.trusted == Some(true)),
        weak_keys: request.waivers.weak_keys.clone(),
        known_as: source.uris.clone(),
        addresses: None,
        source,
    }
}
