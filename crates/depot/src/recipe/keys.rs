//! The schema of a recipe.

/// A key of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The table that it is in; empty for the top level.
    pub table: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// The option of the command line that says the same.
    pub option: &'static str,
}

/// What the value of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string; an option of the command line takes its place.
    Text,
    /// A list of strings; options of the command line are added to it.
    Added,
    /// A list of strings; options of the command line take its place.
    Replaced,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Number,
    /// The list of filters.
    Filters,
}

impl Kind {
    /// The type in words.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Text => "string",
            Kind::Added | Kind::Replaced => "list of strings",
            Kind::Bool => "true or false",
            Kind::Number => "number",
            Kind::Filters => "list of { exclude = GLOB } and { include = GLOB }",
        }
    }

    /// What an option of the command line does to it.
    pub fn overriding(self) -> &'static str {
        match self {
            Kind::Added | Kind::Filters => "adds",
            _ => "replaces",
        }
    }
}

const fn key(table: &'static str, name: &'static str, kind: Kind, option: &'static str) -> Key {
    Key {
        table,
        name,
        kind,
        option,
    }
}

/// Every key, in the order of the reference.
pub const KEYS: &[Key] = &[
    key("", "spec", Kind::Text, "SPEC"),
    key("", "variant", Kind::Text, "--variant"),
    key("", "arch", Kind::Text, "--arch"),
    key("packages", "include", Kind::Added, "--include"),
    key("packages", "exclude", Kind::Added, "--exclude"),
    key(
        "packages",
        "recommends",
        Kind::Bool,
        "--recommends, --no-recommends",
    ),
    key("packages", "with-optional", Kind::Bool, "--with-optional"),
    key("packages", "langs", Kind::Replaced, "--langs"),
    key("packages", "nodocs", Kind::Bool, "--nodocs"),
    key("from", "mirrors", Kind::Replaced, "--mirror"),
    key("from", "components", Kind::Replaced, "--components"),
    key("from", "updates", Kind::Bool, "--updates, --no-updates"),
    key("from", "sources", Kind::Replaced, "--sources"),
    key("from", "repos", Kind::Replaced, "--repo"),
    key("from", "releasever", Kind::Text, "--releasever"),
    key("from", "snapshot", Kind::Text, "--snapshot"),
    key("from", "timeout", Kind::Number, "--timeout"),
    key("from", "offline", Kind::Bool, "--offline"),
    key("from", "cache-dir", Kind::Text, "--cache-dir"),
    key("from", "cache-from", Kind::Replaced, "--cache-from"),
    key("from", "payload-limit", Kind::Text, "--payload-limit"),
    key("from", "no-cache", Kind::Bool, "--no-cache"),
    key("trust", "keyrings", Kind::Replaced, "--keyring"),
    key(
        "trust",
        "no-check-valid-until",
        Kind::Bool,
        "--no-check-valid-until",
    ),
    key("trust", "allow-weak-keys", Kind::Replaced, "--allow-weak-key"),
    key(
        "trust",
        "allow-unauthenticated",
        Kind::Bool,
        "--allow-unauthenticated",
    ),
    key("make", "mode", Kind::Text, "--mode"),
    key("make", "jobs", Kind::Number, "--jobs"),
    key("make", "foreign", Kind::Bool, "--foreign"),
    key("make", "merged-usr", Kind::Bool, "--merged-usr"),
    key("make", "aptopts", Kind::Added, "--aptopt"),
    key("make", "dpkgopts", Kind::Added, "--dpkgopt"),
    key("make", "hostname", Kind::Text, "--hostname"),
    key("make", "no-host-files", Kind::Bool, "--no-host-files"),
    key("make", "rpmdb-backend", Kind::Text, "--rpmdb-backend"),
    key("make", "no-standins", Kind::Bool, "--no-standins"),
    key("hooks", "setup", Kind::Added, "--setup-hook"),
    key("hooks", "extract", Kind::Added, "--extract-hook"),
    key("hooks", "essential", Kind::Added, "--essential-hook"),
    key("hooks", "customize", Kind::Added, "--customize-hook"),
    key("", "filters", Kind::Filters, "--path-exclude, --path-include"),
    key("output", "target", Kind::Text, "TARGET"),
    key("output", "format", Kind::Text, "--format"),
];

/// The tables, in the order of the reference; the first is the top level.
pub fn tables() -> Vec<&'static str> {
    let mut tables = Vec::new();
    for key in KEYS {
        if !tables.contains(&key.table) {
            tables.push(key.table);
        }
    }
    tables
}
