//! From where a locked package is fetched.

use bareroot_depot::lock::{Root, Source};

use crate::catalogue::{self, Distribution};
use crate::error::Error;
use crate::request::Request;
use crate::snapshot::Snapshot;

/// More addresses of one source are not recorded: lists of mirrors have hundreds.
const MOST: usize = 8;

/// Addresses as a lock has them: without credentials, which are none of its readers' business.
pub fn recorded(uris: &[String]) -> Vec<String> {
    let uris = uris.iter().take(MOST);
    uris.map(|uri| bareroot_fetch::without_credentials(uri)).collect()
}

/// The addresses of a source: those of `--mirror`, then the recorded ones, then those of `--snapshot`. A `--mirror` that the
/// lock has for one of its sources says nothing about the others.
///
/// # Errors
/// When there is no snapshot service.
pub fn of_source(source: &Source, suite: &str, root: &Root, request: &Request) -> Result<Vec<String>, Error> {
    let known = |mirror: &String| root.sources.iter().any(|source| recorded_has(source, mirror));
    let named = request
        .mirrors
        .iter()
        .filter(|mirror| !Request::is_entry(mirror) && !known(mirror));
    let mut all: Vec<String> = named.cloned().collect();
    // One that is recorded may have its credentials on the command line.
    let own = source.uris.iter().map(|uri| {
        let typed = request.mirrors.iter().find(|mirror| same(mirror, uri));
        typed.unwrap_or(uri).clone()
    });
    all.extend(own);
    if let Some(snapshot) = &request.snapshot {
        let spec = request.spec.as_deref().unwrap_or_default();
        let id = spec.split_once(':').map_or(spec, |(id, _)| id);
        let named = catalogue::deb_of(id).ok_or_else(|| Error::NoSnapshots {
            distribution: match spec.is_empty() {
                true => "a lock without a SPEC".to_owned(),
                false => spec.to_owned(),
            },
        })?;
        // What is laid over another distribution has the other's sources, of which the past is kept, and its own.
        let base = named.base.as_deref().and_then(catalogue::deb_of);
        let own = source
            .uris
            .iter()
            .any(|uri| same(named.mirror_for(&root.arch), uri));
        match base {
            Some(_) if own => {}
            base => all.push(past(snapshot, base.unwrap_or(named), suite)?),
        }
    }
    Ok(all)
}

/// The address of a suite at a moment.
fn past(snapshot: &Snapshot, distribution: &Distribution, suite: &str) -> Result<String, Error> {
    let (main, security) = snapshot.addresses(distribution)?;
    let is_security = distribution.releases.iter().any(|release| {
        let mut names = release.aliases.iter().chain([&release.codename]);
        names.any(|name| release.security_suite(name).as_deref() == Some(suite))
    });
    Ok(if is_security { security } else { main })
}

fn recorded_has(source: &Source, mirror: &str) -> bool {
    source.uris.iter().any(|uri| same(mirror, uri))
}

/// Whether a typed address is one that a lock has: credentials and a last slash do not matter.
pub fn same(mirror: &str, recorded: &str) -> bool {
    let plain = bareroot_fetch::without_credentials(mirror);
    plain.trim_end_matches('/') == recorded.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use bareroot_depot::lock::{Deb, Family};

    use super::*;

    #[test]
    fn the_order_of_addresses() {
        let source = |uri: &str| Source {
            uris: vec![uri.to_owned()],
            ..Source::default()
        };
        let root = Root {
            arch: "amd64".into(),
            epoch: None,
            family: Family::Deb(Deb::default()),
            sources: vec![source("http://main/debian"), source("http://security/debian")],
            packages: Vec::new(),
        };
        let of = |suite: &str, place: usize, mirrors: &[&str], snapshot: Option<&str>| {
            let request = Request {
                spec: Some("debian:trixie".into()),
                mirrors: mirrors.iter().map(|mirror| (*mirror).to_owned()).collect(),
                snapshot: snapshot.map(|text| text.parse().unwrap()),
                ..Request::default()
            };
            of_source(&root.sources[place], suite, &root, &request).unwrap()
        };
        assert_eq!(of("trixie", 0, &[], None), ["http://main/debian"]);
        assert_eq!(
            of("trixie", 0, &["file:/m"], None),
            ["file:/m", "http://main/debian"]
        );
        let typed = ["http://u:p@main/debian/"];
        assert_eq!(of("trixie", 0, &typed, None), typed);
        assert_eq!(of("trixie-security", 1, &typed, None), ["http://security/debian"]);
        let past = of("trixie-security", 1, &[], Some("20260101"));
        assert!(past[1].contains("debian-security/20260101"), "{past:?}");
        let laid_over = |uri: &str| {
            let request = Request {
                spec: Some("raspberrypi:trixie".into()),
                snapshot: Some("20260101".parse().unwrap()),
                ..Request::default()
            };
            of_source(&source(uri), "trixie", &root, &request).unwrap()
        };
        let own = catalogue::deb_of("raspberrypi").unwrap().mirror.clone();
        assert_eq!(laid_over(&own), std::slice::from_ref(&own));
        assert_eq!(laid_over("http://main/debian").len(), 2);
        let past = of("stable", 0, &["deb http://x y z"], Some("20260101"));
        assert!(
            past[0] == "http://main/debian" && past[1].contains("/debian/20260101"),
            "{past:?}"
        );
    }
}
