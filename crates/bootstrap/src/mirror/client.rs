//! `--mirror` with a partial mirror: its map says where the files of each original address are.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use bareroot_fetch::{Error as FetchError, Fetcher, Location, Settings};
use bareroot_model::{Class, Classified as _, Null};

use super::map::{self, Archive, Map};
use super::paths;
use crate::context::Context;
use crate::error::Error;
use crate::request::Request;
use crate::tools;

/// A map of the largest mirror has some kilobytes.
const LARGEST: u64 = 1 << 20;

/// What is known of the mirrors that a request names.
#[derive(Clone, Debug, Default)]
pub struct Partial(Vec<(String, Option<Map>)>);

impl Partial {
    /// Mirrors of which nobody is to ask whether they are partial.
    pub fn unasked(mirrors: &[String]) -> Partial {
        Partial(mirrors.iter().map(|mirror| (mirror.clone(), None)).collect())
    }

    /// Whether any of them is a partial mirror.
    pub fn is_any(&self) -> bool {
        self.0.iter().any(|(_, map)| map.is_some())
    }

    /// The mirrors that are not, which hold whatever their distribution's own archive does.
    pub fn whole(&self) -> impl Iterator<Item = &String> {
        self.0
            .iter()
            .filter(|(_, map)| map.is_none())
            .map(|(mirror, _)| mirror)
    }

    /// The partial mirrors' addresses of a suite of any of these original addresses.
    pub fn suite(&self, addresses: &[String], suite: &str) -> Vec<String> {
        self.all(|map| map.suite(addresses, suite))
    }

    /// The partial mirrors' addresses of a repository of any of these original addresses.
    pub fn repository(&self, addresses: &[String], id: &str) -> Vec<String> {
        self.all(|map| map.repository(addresses, id))
    }

    fn all<'p>(&'p self, find: impl Fn(&'p Map) -> Option<&'p Archive>) -> Vec<String> {
        let places = self.0.iter().filter_map(|(mirror, map)| {
            let archive = find(map.as_ref()?)?;
            let base = mirror.trim_end_matches('/');
            Some(match archive.place.as_str() {
                "." => base.to_owned(),
                place => format!("{base}/{}", encoded(place)),
            })
        });
        places.collect()
    }

    /// What is missing, as an error.
    pub fn lacks(&self, what: String) -> Error {
        let mirror = self.0.iter().find(|(_, map)| map.is_some());
        Error::NotInMirror {
            mirror: mirror.map_or_else(String::new, |(mirror, _)| {
                bareroot_fetch::without_credentials(mirror)
            }),
            what,
        }
    }
}

/// The request with directories among its mirrors as addresses, and with the maps of those that are partial mirrors.
///
/// A mirror that cannot be asked for its map is left out, with a warning: taken for a whole one, it would send the
/// run to the distribution's own archives for what lies elsewhere in it.
///
/// # Errors
/// When a map is there and broken, an address is none, or no mirror is left.
pub fn mapped<'r>(request: &'r Request, context: &Context) -> Result<Cow<'r, Request>, Error> {
    if request.mirrors.is_empty() || !request.partial.0.is_empty() {
        return Ok(Cow::Borrowed(request));
    }
    let mut request = request.clone();
    let fetcher = silent(&request_of(request.offline, &request.cache), context)?;
    let (mut mirrors, mut known, mut unreachable) = (Vec::new(), Vec::new(), Vec::new());
    for mirror in std::mem::take(&mut request.mirrors) {
        if mirror.starts_with("deb ") || mirror.starts_with("deb\t") || mirror.starts_with("deb[") {
            mirrors.push(mirror);
            continue;
        }
        let mirror = address(&mirror);
        match map_at(&mirror, &fetcher) {
            Ok(map) => {
                mirrors.push(mirror.clone());
                known.push((mirror, map));
            }
            Err(Error::Fetch(error)) if error.class() == Class::Network => unreachable.push((mirror, error)),
            Err(error) => return Err(error),
        }
    }
    if known.is_empty()
        && let Some((_, error)) = unreachable.pop()
    {
        return Err(error.into());
    }
    for (mirror, error) in unreachable {
        let mirror = bareroot_fetch::without_credentials(&mirror);
        context.warn(format!("the mirror `{mirror}` is left out: {error}"));
    }
    request.mirrors = mirrors;
    request.partial = Partial(known);
    Ok(Cow::Owned(request))
}

fn request_of(offline: bool, cache: &crate::request::CacheChoice) -> Request {
    Request {
        offline,
        cache: cache.clone(),
        ..Request::default()
    }
}

/// A fetcher that says nothing: that a mirror has no map is nothing to tell.
fn silent(request: &Request, context: &Context) -> Result<Fetcher, Error> {
    let settings = Settings {
        observer: Arc::new(Null),
        ..tools::settings(request, context)?
    };
    Ok(Fetcher::new(settings)?)
}

fn map_at(mirror: &str, fetcher: &Fetcher) -> Result<Option<Map>, Error> {
    let bytes = match fetcher.index(&Location::new([mirror], map::FILE), LARGEST) {
        Ok(bytes) => bytes,
        Err(error) if has_none(&error) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let text = String::from_utf8_lossy(&bytes);
    // A server may answer everything with a page of its own.
    if text.trim_start().starts_with('<') {
        return Ok(None);
    }
    Map::parse(&text).map(Some).map_err(|reason| Error::MirrorRecord {
        path: format!("{}/{}", bareroot_fetch::without_credentials(mirror), map::FILE),
        reason,
    })
}

/// Whether the answer is that there is no map. A server may forbid what it does not have, or not say that it lacks it
/// with a page of any length; whatever else is wrong with such a mirror, the first file that is needed tells.
fn has_none(error: &FetchError) -> bool {
    match error {
        FetchError::Status { code, .. } => matches!(code, 400..500) && !matches!(code, 407 | 408 | 429),
        FetchError::TooLarge { .. } | FetchError::Redirect { .. } => true,
        other => other.is_not_found(),
    }
}

/// A directory as a `file:` address; what is an address stays as it is, but for a relative path in it.
fn address(mirror: &str) -> String {
    let local = |scheme: &str, rest: &str| match rest.starts_with('/') {
        true => format!("{scheme}:{rest}"),
        false => {
            let here = std::env::current_dir().unwrap_or_default();
            format!("{scheme}:{}/{rest}", encoded(&here.display().to_string()))
        }
    };
    match mirror.split_once(':') {
        Some((scheme @ ("file" | "copy"), rest)) => local(scheme, rest.trim_start_matches("./")),
        None if Path::new(mirror).is_dir() => {
            let path = std::path::absolute(mirror).unwrap_or_else(|_| mirror.into());
            url_of(&path)
        }
        _ => mirror.to_owned(),
    }
}

/// A path of this host as a `file:` address.
pub fn url_of(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let text = path.as_os_str().as_bytes();
    let plain = text.strip_prefix(b"/").unwrap_or(text);
    format!("file:/{}", encoded_bytes(plain))
}

/// A path with everything encoded that means something in an address.
fn encoded(path: &str) -> String {
    encoded_bytes(path.as_bytes())
}

fn encoded_bytes(path: &[u8]) -> String {
    let mut text = String::new();
    for &byte in path {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'+' => {
                text.push(char::from(byte));
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

/// A path that an index states, as it is below a mirror.
///
/// # Errors
/// [`Error::MirrorPath`] when it leads elsewhere.
pub fn below(place: &str, path: &str, source_name: &str) -> Result<String, Error> {
    let plain = paths::plain(path);
    let checked = match path.starts_with('/') {
        true => Err("is absolute"),
        false => paths::check(&plain),
    };
    match checked {
        Ok(()) => Ok(paths::below(place, &plain)),
        Err(reason) => Err(Error::MirrorPath {
            path: path.escape_default().to_string(),
            source_name: source_name.to_owned(),
            reason,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_become_addresses() {
        let here = encoded(&std::env::current_dir().unwrap().display().to_string());
        for (mirror, wanted) in [
            ("http://m/debian", "http://m/debian".to_owned()),
            ("file:///srv/a%20b", "file:///srv/a%20b".to_owned()),
            ("file:srv", format!("file:{here}/srv")),
            ("copy:./srv", format!("copy:{here}/srv")),
            ("/", "file:/".to_owned()),
            ("no-such-thing", "no-such-thing".to_owned()),
        ] {
            assert_eq!(address(mirror), wanted);
        }
        assert_eq!(url_of(Path::new("/a b/%")), "file:/a%20b/%25");
    }

    #[test]
    fn a_path_that_leads_elsewhere_names_its_index() {
        assert_eq!(below("x", "./a//b", "s").unwrap(), "x/a/b");
        for path in ["/a", "a/../b", "..", "a\nb", ".bareroot-mirror/record.toml"] {
            let error = below(".", path, "trixie").unwrap_err();
            assert!(error.to_string().contains("trixie"), "{error}");
        }
    }
}
