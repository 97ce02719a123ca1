//! What is loaded or read by name: which rule applies is told by what an object imports, and which libraries it needs.

mod account;
mod compiler;
mod language;
mod named;
mod nss;
mod package;
mod pam;
mod program;
mod rpm;
mod session;
mod tls;

pub(crate) use package::Database;

use std::path::Path;

use crate::collect::{Collector, Why};
use crate::elf::Object;
use crate::error::Error;
use crate::path;
use crate::rule::Rule;

/// Functions that say what their caller does.
const IMPORTS: &[(Trigger, &[&str])] = &[
    (
        Trigger::Users,
        &[
            "getpwnam",
            "getpwnam_r",
            "getpwuid",
            "getpwuid_r",
            "getpwent",
            "getgrnam",
            "getgrnam_r",
            "getgrgid",
            "getgrgid_r",
            "getgrent",
            "getgrouplist",
            "initgroups",
            "getspnam",
            "getspnam_r",
        ],
    ),
    (
        Trigger::Hosts,
        &[
            "getaddrinfo",
            "getnameinfo",
            "gethostbyname",
            "gethostbyname_r",
            "gethostbyname2",
            "gethostbyaddr",
            "gethostbyaddr_r",
        ],
    ),
    (
        Trigger::Services,
        &[
            "getservbyname",
            "getservbyname_r",
            "getservbyport",
            "getservbyport_r",
            "getprotobyname",
            "getprotobyname_r",
            "getprotobynumber",
        ],
    ),
    (Trigger::Gconv, &["iconv_open", "libiconv_open"]),
    (Trigger::Locale, &["setlocale", "newlocale"]),
    (
        Trigger::TimeZone,
        &[
            "localtime",
            "localtime_r",
            "tzset",
            "mktime",
            "__localtime64",
            "__localtime64_r",
            "__mktime64",
        ],
    ),
    (Trigger::Shell, &["system", "popen", "wordexp"]),
    (Trigger::Terminfo, &["setupterm", "tgetent", "initscr", "newterm"]),
];

/// Libraries that say the same; a name begins with these words.
const LIBRARIES: &[(Trigger, &[&str])] = &[
    (Trigger::Pam, &["libpam.so"]),
    (Trigger::Openssl, &["libcrypto.so"]),
    (
        Trigger::Certificates,
        &[
            "libssl.so",
            "libgnutls.so",
            "libgnutls-",
            "libnss3.so",
            "libmbedtls.so",
            "libwolfssl.so",
        ],
    ),
    (
        Trigger::Terminfo,
        &["libtinfo.so", "libtinfow.so", "libncurses.so", "libncursesw.so"],
    ),
    (Trigger::Python, &["libpython"]),
    (Trigger::Perl, &["libperl.so"]),
    (Trigger::Ruby, &["libruby"]),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trigger {
    Users,
    Hosts,
    Services,
    Gconv,
    Locale,
    TimeZone,
    Shell,
    Terminfo,
    Pam,
    Openssl,
    Certificates,
    Python,
    Perl,
    Ruby,
}

/// The C library's own objects: they use what they offer.
const OF_LIBC: [&str; 9] = [
    "libc.so",
    "ld-linux",
    "ld64.so",
    "ld-musl",
    "libc.musl",
    "libpthread.so",
    "libresolv.so",
    "libnss_",
    "libnsl.so",
];

impl Collector<'_> {
    /// Applies the rules that an object in a process asks for. `by` is the path by which it was found.
    pub(crate) fn triggers(&mut self, by: &Path, object: &Object) -> Result<(), Error> {
        let name = path::name(by);
        if !self.data || OF_LIBC.iter().any(|stem| name.starts_with(stem)) {
            return Ok(());
        }
        for (trigger, names) in IMPORTS {
            if names.iter().any(|name| object.imports.contains(name.as_bytes())) {
                self.trigger(*trigger, by)?;
            }
        }
        for (trigger, stems) in LIBRARIES {
            if stems.iter().any(|stem| name.starts_with(stem)) {
                self.trigger(*trigger, by)?;
            }
        }
        Ok(())
    }

    fn trigger(&mut self, trigger: Trigger, by: &Path) -> Result<(), Error> {
        let why = |rule| Why::new(rule, by);
        match trigger {
            Trigger::Users => self.nss_users(&why(Rule::Nss)),
            Trigger::Hosts => self.nss_hosts(&why(Rule::Nss), &why(Rule::Network)),
            Trigger::Services => self.services(&why(Rule::Network)),
            Trigger::Gconv => self.later(Rule::Gconv, by),
            Trigger::Locale => self.locale(&why(Rule::Locale)),
            Trigger::TimeZone => self.time_zone(&why(Rule::TimeZone)),
            Trigger::Shell => self.shell(&why(Rule::Shell)),
            Trigger::Terminfo => self.terminfo(&why(Rule::Terminfo)),
            Trigger::Pam => self.later(Rule::Pam, by),
            Trigger::Openssl => self.openssl(by, &why(Rule::Openssl)),
            Trigger::Certificates => self.certificates(&why(Rule::Certificates)),
            Trigger::Python => self.python(by, &why(Rule::Python)),
            Trigger::Perl => self.perl(by, &why(Rule::Perl)),
            Trigger::Ruby => self.ruby(by, &why(Rule::Ruby)),
        }
    }

    /// A rule that loads libraries waits until the process is complete.
    fn later(&mut self, rule: Rule, by: &Path) -> Result<(), Error> {
        let about = if rule == Rule::Pam {
            self.program.clone()
        } else {
            Path::new("/").to_path_buf()
        };
        if self.first(rule, &about) {
            self.pending
                .push_back(crate::collect::Pending::Rule(rule, by.to_path_buf(), about));
        }
        Ok(())
    }

    /// Applies a rule that waited.
    pub(crate) fn take_rule(&mut self, rule: Rule, by: &Path, about: &Path) -> Result<(), Error> {
        let why = Why::new(rule, by);
        match rule {
            Rule::Gconv => self.gconv(&why),
            Rule::Pam => self.pam(by, about, &why),
            Rule::Nss => self.nss_modules(path::name(about), &why),
            _ => Ok(()),
        }
    }
}
