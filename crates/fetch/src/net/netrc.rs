use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::Error;
use crate::location::Credentials;

/// The longest file that is read: a link to a device has no end.
const MOST_BYTES: u64 = 1 << 20;

/// Credentials by host, as ftp(1)'s and curl's netrc file states them.
///
/// `machine HOST login USER password PASSWORD`, `default` for every other host, `macdef` passed over, a word in double
/// quotes with backslash escapes, `#` a comment at the start of a word's place. The first entry of a host counts.
#[derive(Clone, Default)]
pub struct Netrc {
    machines: Vec<(String, Credentials)>,
    default: Option<Credentials>,
}

impl fmt::Debug for Netrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Netrc({} machines)", self.machines.len())
    }
}

impl Netrc {
    /// The file that `NETRC` names, else `~/.netrc` where there is one.
    ///
    /// # Errors
    /// As [`Netrc::read`]. A `~/.netrc` that is missing or may not be read is no error.
    pub fn from_env() -> Result<Netrc, Error> {
        if let Some(path) = std::env::var_os("NETRC").filter(|path| !path.is_empty()) {
            return Netrc::read(Path::new(&path));
        }
        let Some(home) = std::env::var_os("HOME").filter(|home| !home.is_empty()) else {
            return Ok(Netrc::default());
        };
        // Whoever runs this for somebody else, as by sudo(8), does not wait for a pipe of theirs.
        match Netrc::load(&PathBuf::from(home).join(".netrc"), OFlags::NONBLOCK) {
            Err(Error::Read { source, .. })
                if matches!(
                    source.kind(),
                    ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::NotADirectory
                ) =>
            {
                Ok(Netrc::default())
            }
            result => result,
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Read`] when it cannot be read, [`Error::Netrc`] when it is broken.
    pub fn read(path: &Path) -> Result<Netrc, Error> {
        Netrc::load(path, OFlags::empty())
    }

    fn load(path: &Path, flags: OFlags) -> Result<Netrc, Error> {
        let wrong = |source| Error::Read {
            path: path.to_owned(),
            source,
        };
        let broken = |reason| Error::Netrc {
            path: path.to_owned(),
            reason,
        };
        let file = File::options()
            .read(true)
            .custom_flags(flags.bits().cast_signed())
            .open(path)
            .map_err(wrong)?;
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(wrong)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(broken(format!("it has more than {MOST_BYTES} bytes")));
        }
        Netrc::parse(&String::from_utf8_lossy(&bytes)).map_err(broken)
    }

    /// Parses a file's text. The error never holds a part of it.
    fn parse(text: &str) -> Result<Netrc, String> {
        let mut netrc = Netrc::default();
        let mut words = Words { rest: text, line: 1 };
        let mut open: Option<(Option<String>, Credentials)> = None;
        while let Some(word) = words.next()? {
            match word.as_str() {
                "machine" | "default" => {
                    netrc.close(open.take());
                    let host = if word == "machine" {
                        Some(words.value("machine")?)
                    } else {
                        None
                    };
                    open = Some((
                        host,
                        Credentials {
                            user: String::new(),
                            password: String::new(),
                        },
                    ));
                }
                "login" | "password" | "account" => {
                    let value = words.value(&word)?;
                    match (&mut open, word.as_str()) {
                        (Some((_, credentials)), "login") => credentials.user = value,
                        (Some((_, credentials)), "password") => credentials.password = value,
                        _ => {}
                    }
                }
                "macdef" => words.skip_macro(),
                // As curl does: other programs have keywords of their own.
                _ => {}
            }
        }
        netrc.close(open);
        Ok(netrc)
    }

    fn close(&mut self, entry: Option<(Option<String>, Credentials)>) {
        match entry {
            Some((Some(host), credentials)) => self.machines.push((host.to_ascii_lowercase(), credentials)),
            Some((None, credentials)) if self.default.is_none() => self.default = Some(credentials),
            _ => {}
        }
    }

    /// The credentials of a host's own entry.
    pub(crate) fn of(&self, host: &str) -> Option<&Credentials> {
        self.machines
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(host))
            .map(|(_, credentials)| credentials)
    }

    /// Those of `default`.
    pub(crate) fn of_any(&self) -> Option<&Credentials> {
        self.default.as_ref()
    }
}

struct Words<'t> {
    rest: &'t str,
    line: usize,
}

impl Words<'_> {
    fn skip(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line += passed.matches('\n').count();
        self.rest = rest;
    }

    fn next(&mut self) -> Result<Option<String>, String> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.skip(blank);
            if !self.rest.starts_with('#') {
                break;
            }
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        if !self.rest.starts_with('"') {
            let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
            let word = self.rest.get(..end).unwrap_or_default().to_owned();
            self.skip(end);
            return Ok(Some(word));
        }
        let mut word = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.skip(at + 1);
                    return Ok(Some(word));
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => word.push('\n'),
                    Some((_, 't')) => word.push('\t'),
                    Some((_, 'r')) => word.push('\r'),
                    Some((_, other)) => word.push(other),
                    None => break,
                },
                other => word.push(other),
            }
        }
        Err(format!("line {} opens a quote that is never closed", self.line))
    }

    fn value(&mut self, keyword: &str) -> Result<String, String> {
        self.next()?
            .ok_or_else(|| format!("line {} ends after `{keyword}`", self.line))
    }

    /// A macro ends at the first empty line.
    fn skip_macro(&mut self) {
        let end = self.rest.find("\n\n").map_or(self.rest.len(), |at| at + 2);
        self.skip(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(netrc: &Netrc, host: &str) -> Option<(String, String)> {
        netrc
            .of(host)
            .map(|found| (found.user.clone(), found.password.clone()))
    }

    #[test]
    fn entries_of_every_shape() {
        let text = "# mine\nmachine a.example login u password p\nmacdef init\n  machine x login y\n\n\
                    machine B.example\n\tpassword \"q \\\"r\\\" # s\" account none\n  login v\nmachine a.example login late\n\
                    default login anonymous password me@\n";
        let netrc = Netrc::parse(text).unwrap();
        assert_eq!(pair(&netrc, "A.example"), Some(("u".into(), "p".into())));
        assert_eq!(
            pair(&netrc, "b.example"),
            Some(("v".into(), "q \"r\" # s".into()))
        );
        assert_eq!(pair(&netrc, "x"), None);
        assert_eq!(netrc.of_any().map(|found| found.user.as_str()), Some("anonymous"));
        assert!(Netrc::parse("").unwrap().of_any().is_none());
    }

    #[test]
    fn words_that_are_no_keywords_are_passed_over() {
        let netrc = Netrc::parse("machine h port 21 login u password p").unwrap();
        assert_eq!(pair(&netrc, "h"), Some(("u".into(), "p".into())));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(host in "[a-z.]{1,12}", user in "\\PC{0,9}", password in "\\PC{0,9}") {
            let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            let text = format!("machine {host} login {} password {}", quoted(&user), quoted(&password));
            proptest::prop_assert_eq!(pair(&Netrc::parse(&text).unwrap(), &host), Some((user, password)));
        }

        #[test]
        fn nothing_breaks_it(text in "(machine|default|login|password|macdef|\"|\\\\|#|\n| |[a-zé]){0,40}") {
            let _ = Netrc::parse(&text);
        }
    }

    #[test]
    fn what_is_broken_is_said_without_secrets() {
        for text in [
            "machine h login u password",
            "machine h login u password \"secret",
            "machine",
        ] {
            let error = Netrc::parse(text).unwrap_err();
            assert!(error.contains("line 1") && !error.contains("secret"), "{error}");
        }
        assert_eq!(
            format!("{:?}", Netrc::parse("machine h password secret").unwrap()),
            "Netrc(1 machines)"
        );
    }
}
