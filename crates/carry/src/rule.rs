//! The rules by which something goes in.

/// Why something goes in. `docs/carry.md` has the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Asked for.
    Program,
    /// `--file`.
    File,
    /// What a `#!` line names.
    Script,
    /// PT_INTERP.
    Loader,
    /// DT_NEEDED.
    Library,
    /// A library's variant for newer processors.
    Hwcaps,
    /// `.note.dlopen`.
    Dlopen,
    /// Libraries outside of the loader's own directories.
    LoaderCache,
    /// Directories.
    Directories,
    /// Links to and on the way to what goes in.
    Links,
    /// Users and groups.
    Users,
    /// The name service switch.
    Nss,
    /// Host names, services, protocols.
    Network,
    /// Conversions of character sets.
    Gconv,
    /// Locales.
    Locale,
    /// Descriptions of terminals.
    Terminfo,
    /// The time zone.
    TimeZone,
    /// Pluggable authentication.
    Pam,
    /// OpenSSL's configuration and modules.
    Openssl,
    /// Certificates of authorities.
    Certificates,
    /// The shell of system(3) and popen(3).
    Shell,
    /// The shell that users log in to.
    LoginShell,
    /// Python's library.
    Python,
    /// Perl's library.
    Perl,
    /// Ruby's library.
    Ruby,
    /// What a C compiler runs and reads.
    Compiler,
    /// Paths that the program itself names.
    Named,
    /// Its package's own files.
    Package,
}

impl Rule {
    /// All of them, in the order of the table.
    pub const ALL: [Rule; 28] = [
        Rule::Program,
        Rule::File,
        Rule::Script,
        Rule::Loader,
        Rule::Library,
        Rule::Hwcaps,
        Rule::Dlopen,
        Rule::LoaderCache,
        Rule::Directories,
        Rule::Links,
        Rule::Users,
        Rule::Nss,
        Rule::Network,
        Rule::Gconv,
        Rule::Locale,
        Rule::Terminfo,
        Rule::TimeZone,
        Rule::Pam,
        Rule::Openssl,
        Rule::Certificates,
        Rule::Shell,
        Rule::LoginShell,
        Rule::Python,
        Rule::Perl,
        Rule::Ruby,
        Rule::Compiler,
        Rule::Named,
        Rule::Package,
    ];

    /// Its name, for people and for JSON.
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// Why what it brings is needed.
    pub fn reason(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Rule::Program => ("program", "asked for"),
            Rule::File => ("file", "asked for with --file"),
            Rule::Script => ("script", "the kernel runs it for a `#!` line"),
            Rule::Loader => (
                "loader",
                "PT_INTERP names it: the kernel runs it to load the program",
            ),
            Rule::Library => ("library", "DT_NEEDED names it"),
            Rule::Hwcaps => ("hwcaps", "the variant of a library that newer processors get"),
            Rule::Dlopen => (
                "dlopen",
                "a .note.dlopen names it: loaded where its feature is used",
            ),
            Rule::LoaderCache => (
                "loader-cache",
                "libraries outside of the loader's own directories are found by it",
            ),
            Rule::Directories => ("directories", "every program may expect them"),
            Rule::Links => ("links", "a symbolic link on the way"),
            Rule::Users => ("users", "names of the users and groups that are needed"),
            Rule::Nss => ("nss", "getpwnam(3) and its like load what nsswitch.conf names"),
            Rule::Network => ("network", "getaddrinfo(3) and its like read it"),
            Rule::Gconv => ("gconv", "iconv_open(3) loads its conversions by name"),
            Rule::Locale => ("locale", "setlocale(3) reads it"),
            Rule::Terminfo => ("terminfo", "curses reads the terminal's description by its name"),
            Rule::TimeZone => ("time-zone", "localtime(3) reads it"),
            Rule::Pam => ("pam", "PAM loads the modules that its configuration names"),
            Rule::Openssl => (
                "openssl",
                "libcrypto reads its configuration and loads modules by name",
            ),
            Rule::Certificates => ("certificates", "TLS is verified against them"),
            Rule::Shell => ("shell", "system(3) and popen(3) run it"),
            Rule::LoginShell => ("login-shell", "a user who logs in gets it"),
            Rule::Python => ("python", "the interpreter's library"),
            Rule::Perl => ("perl", "the interpreter's library, from @INC"),
            Rule::Ruby => ("ruby", "the interpreter's library"),
            Rule::Compiler => ("compiler", "a compiler runs it, reads it or links it"),
            Rule::Named => ("named", "the program has its path in itself"),
            Rule::Package => ("package", "its package's own data"),
        }
    }
}
