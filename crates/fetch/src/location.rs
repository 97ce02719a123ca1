use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use url::Url;

use crate::Error;

/// A file below any of several mirrors that hold the same.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    /// Base URLs: `http:`, `https:`, `file:` (read in place) and `copy:` (copied into the cache), in the order in which they
    /// are tried.
    pub mirrors: Vec<String>,
    /// Path below each of them, as an index states it: not encoded, without `..`.
    pub path: String,
    /// What follows the `?` of the URL, encoded as it is sent. Local mirrors know nothing of it.
    pub query: Option<String>,
}

impl Location {
    /// A file on one mirror or several.
    pub fn new(mirrors: impl IntoIterator<Item = impl Into<String>>, path: impl Into<String>) -> Location {
        Location {
            mirrors: mirrors.into_iter().map(Into::into).collect(),
            path: path.into(),
            query: None,
        }
    }

    /// A file that is known by a whole URL, encoded, perhaps with a query: a list of mirrors, a key.
    pub fn of_url(url: &str) -> Location {
        let url = url.split('#').next().unwrap_or_default();
        let (address, query) = match url.split_once('?') {
            Some((address, query)) => (address, Some(query.to_owned())),
            None => (url, None),
        };
        // The name is what follows the last slash of the path; `scheme://host` has none.
        let start = address.find("://").map_or(0, |at| at + 3);
        let (base, name) = match address.get(start..).and_then(|rest| rest.rfind('/')) {
            Some(slash) => address.split_at(start + slash + 1),
            None => (address, ""),
        };
        Location {
            query,
            ..Location::new([base], String::from_utf8_lossy(&decoded(name)))
        }
    }

    /// One place for each mirror.
    pub(crate) fn places(&self) -> Result<Vec<Place>, Error> {
        let parts = parts(&self.path)?;
        self.mirrors
            .iter()
            .map(|mirror| {
                let mut place = Place::below(mirror, &parts)?;
                if let Place::Http { url, .. } = &mut place {
                    url.set_query(self.query.as_deref());
                }
                Ok(place)
            })
            .collect()
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mirrors: Vec<String> = self
            .mirrors
            .iter()
            .map(|mirror| without_credentials(mirror))
            .collect();
        f.debug_struct("Location")
            .field("mirrors", &mirrors)
            .field("path", &self.path)
            .field("query", &self.query)
            .finish()
    }
}

/// A URL without the user and password that it may carry, fit to be shown.
pub fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        None => url.to_owned(),
    }
}

/// User and password. Neither is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// One file at one mirror.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Http {
        url: Url,
        /// Those of the mirror's own URL, which go to its origin alone.
        credentials: Option<Credentials>,
    },
    File(PathBuf),
    Copy(PathBuf),
}

impl Place {
    fn below(mirror: &str, parts: &[&str]) -> Result<Place, Error> {
        let wrong = |reason: &str| Error::Mirror {
            mirror: without_credentials(mirror),
            reason: reason.to_owned(),
        };
        let (scheme, rest) = mirror.split_once(':').ok_or_else(|| wrong("it has no scheme"))?;
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => {}
            "file" => return Ok(Place::File(local(rest, parts).map_err(wrong)?)),
            "copy" => return Ok(Place::Copy(local(rest, parts).map_err(wrong)?)),
            _ => return Err(wrong("expected http:, https:, file: or copy:")),
        }
        let mut url = Url::parse(mirror).map_err(|error| wrong(&error.to_string()))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("a mirror has neither a query nor a fragment"));
        }
        let credentials = (!url.username().is_empty() || url.password().is_some()).then(|| Credentials {
            user: String::from_utf8_lossy(&decoded(url.username())).into_owned(),
            password: String::from_utf8_lossy(&decoded(url.password().unwrap_or_default())).into_owned(),
        });
        // Both fail for URLs without a host only.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let mut path = url.path().trim_end_matches('/').to_owned();
        for part in parts {
            path.push('/');
            encode(part, &mut path);
        }
        url.set_path(&path);
        Ok(Place::Http { url, credentials })
    }

    /// The URL without credentials, for events and errors.
    pub(crate) fn shown(&self) -> String {
        match self {
            Place::Http { url, .. } => url.to_string(),
            Place::File(path) => format!("file:{}", path.display()),
            Place::Copy(path) => format!("copy:{}", path.display()),
        }
    }

    pub(crate) fn is_local(&self) -> bool {
        !matches!(self, Place::Http { .. })
    }

    /// What fails together: scheme, host and port.
    pub(crate) fn origin(&self) -> Option<String> {
        match self {
            Place::Http { url, .. } => Some(url.origin().ascii_serialization()),
            _ => None,
        }
    }
}

/// The components of a path below a mirror. `.` and empty ones mean nothing and go; `..`, control characters and an empty
/// path are refused.
fn parts(path: &str) -> Result<Vec<&str>, Error> {
    let wrong = || Error::Path {
        path: path.escape_default().to_string(),
    };
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if parts.is_empty() || path.bytes().any(|byte| byte < 0x20 || byte == 0x7f) || parts.contains(&"..") {
        return Err(wrong());
    }
    Ok(parts)
}

/// Encodes as apt does (`pkgAcquire::URIEncode`: `+` and `~` too, for the sake of servers that read them otherwise, and
/// lower-case digits), and what RFC 3986 does not let stand in a path.
fn encode(part: &str, into: &mut String) {
    for byte in part.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._:@!$&'()*,;=".contains(&byte);
        if plain {
            into.push(char::from(byte));
        } else {
            into.push_str(&format!("%{byte:02x}"));
        }
    }
}

/// Bytes of a text with `%xx`; what is no such escape stays as it is.
pub(crate) fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digit = |at: usize| tail.get(at).and_then(|&digit| char::from(digit).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high << 4 | low) as u8);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    bytes
}

/// The local path of what follows `file:`: `/path`, `///path` or `//localhost/path`, percent-decoded.
fn local(rest: &str, parts: &[&str]) -> Result<PathBuf, &'static str> {
    let path = match rest.strip_prefix("//") {
        Some(after) => match after.find('/').map(|slash| after.split_at(slash)) {
            Some(("" | "localhost", path)) => path,
            _ => return Err("a local mirror has no host"),
        },
        None => rest,
    };
    if !path.starts_with('/') {
        return Err("a local mirror's path is absolute");
    }
    let bytes = decoded(path);
    if bytes.contains(&0) {
        return Err("a path has no NUL");
    }
    let mut path = PathBuf::from(OsString::from_vec(bytes));
    path.extend(parts);
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(mirror: &str, path: &str) -> Result<Place, Error> {
        Location::new([mirror], path)
            .places()
            .map(|mut places| places.remove(0))
    }

    #[test]
    fn paths_are_encoded_as_apt_does() {
        for (mirror, path, wanted) in [
            (
                "http://m.example/debian",
                "pool/main/g/g++_1%3a2~rc.deb",
                "http://m.example/debian/pool/main/g/g%2b%2b_1%253a2%7erc.deb",
            ),
            (
                "http://m.example/debian/",
                "pool/a:b @x.deb",
                "http://m.example/debian/pool/a:b%20@x.deb",
            ),
            (
                "http://m.example",
                "./Packages.gz",
                "http://m.example/Packages.gz",
            ),
            (
                "https://m.example:8443/a%20b//",
                "x//y/./z",
                "https://m.example:8443/a%20b/x/y/z",
            ),
            (
                "http://m.example/d",
                "what?now#then",
                "http://m.example/d/what%3fnow%23then",
            ),
            (
                "http://m.example/d",
                "a\\b|ö",
                "http://m.example/d/a%5cb%7c%c3%b6",
            ),
            (
                "HTTP://M.example/d",
                "%2e%2e/x",
                "http://m.example/d/%252e%252e/x",
            ),
            ("http://[::1]:80/d", "x", "http://[::1]/d/x"),
        ] {
            assert_eq!(place(mirror, path).unwrap().shown(), wanted, "{mirror} {path}");
        }
    }

    #[test]
    fn local_mirrors() {
        for (mirror, path, wanted) in [
            (
                "file:/srv/debian",
                "pool/g++~1.deb",
                "file:/srv/debian/pool/g++~1.deb",
            ),
            ("file:///srv/a%20b/", "x", "file:/srv/a b/x"),
            ("copy://localhost/srv", "x", "copy:/srv/x"),
        ] {
            assert_eq!(place(mirror, path).unwrap().shown(), wanted);
        }
    }

    #[test]
    fn whole_urls() {
        for (url, wanted) in [
            (
                "https://m.example/metalink?repo=f/43&arch=x86_64",
                "https://m.example/metalink?repo=f/43&arch=x86_64",
            ),
            ("http://m.example/a%20b/KEY%2b1", "http://m.example/a%20b/KEY%2b1"),
            ("http://u:p@m.example:81/x#there", "http://m.example:81/x"),
            ("file:///etc/pki/KEY%20x", "file:/etc/pki/KEY x"),
            ("file:/KEY", "file:/KEY"),
        ] {
            let location = Location::of_url(url);
            let place = location.places().map(|mut places| places.remove(0));
            assert_eq!(place.unwrap().shown(), wanted);
        }
        for url in [
            "http://m.example",
            "http://m.example/",
            "KEY",
            "ftp://m.example/x",
            "file:///..",
        ] {
            assert!(Location::of_url(url).places().is_err(), "{url}");
        }
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for path in ["../x", "a/../x", "a/..", "..", "", ".", "/", "a\nb", "a\0b"] {
            assert!(
                matches!(place("http://m.example/d", path), Err(Error::Path { .. })),
                "{path:?}"
            );
        }
    }

    #[test]
    fn mirrors_that_are_none_are_refused_without_showing_secrets() {
        for mirror in [
            "ftp://u:secret@h/d",
            "debian",
            "http://",
            "http://u:secret@h/d?x=1",
            "http://h/d#f",
            "file:srv",
            "file://h/srv",
            "file:/a%00b",
            "http://u:secret@[::x/d",
        ] {
            let error = place(mirror, "x").unwrap_err();
            assert!(matches!(error, Error::Mirror { .. }), "{mirror}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn credentials_leave_the_url() {
        let found = place("http://us%65r:p%40ss@m.example/d", "x").unwrap();
        assert_eq!(found.shown(), "http://m.example/d/x");
        let Place::Http {
            credentials: Some(credentials),
            ..
        } = found
        else {
            panic!("no credentials")
        };
        assert_eq!(
            (credentials.user.as_str(), credentials.password.as_str()),
            ("user", "p@ss")
        );
        assert_eq!(format!("{credentials:?}"), "Credentials");
        let location = Location::new(["http://u:secret@h/d"], "x");
        assert_eq!(
            format!("{location:?}"),
            "Location { mirrors: [\"http://h/d\"], path: \"x\", query: None }"
        );
        for (url, wanted) in [
            ("http://u:p@h/d", "http://h/d"),
            ("http://u:p@q@h/d@e", "http://h/d@e"),
            ("http://h/d?a=b@c", "http://h/d?a=b@c"),
            ("http://u:p@h", "http://h"),
            ("file:/srv/a@b", "file:/srv/a@b"),
        ] {
            assert_eq!(without_credentials(url), wanted);
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(part in "\\PC*") {
            let mut encoded = String::new();
            encode(&part, &mut encoded);
            prop_assert_eq!(decoded(&encoded), part.into_bytes());
        }

        #[test]
        fn a_path_stays_below_its_mirror(path in "[a-z./%~ ?#\\\\-]{0,24}") {
            if let Ok(Place::Http { url, .. }) = place("http://h/base", &path) {
                prop_assert!(url.path().starts_with("/base/"), "{}", url);
            }
        }
    }
}
