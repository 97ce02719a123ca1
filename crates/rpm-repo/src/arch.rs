//! Architectures: which packages a root can hold (rpm's rpmrc, dnf's basearch table).

/// What each architecture runs beside itself, the nearest first; `noarch` runs everywhere.
const COMPATIBLE: &[(&str, &[&str])] = &[
    ("x86_64", &["i686", "i586", "i486", "i386"]),
    ("x86_64_v2", &["x86_64", "i686", "i586", "i486", "i386"]),
    ("i686", &["i586", "i486", "i386"]),
    ("i586", &["i486", "i386"]),
    ("ppc64le", &[]),
    ("aarch64", &[]),
    ("s390x", &["s390"]),
    ("armv7hl", &["armv6hl"]),
];

/// Whether a root of architecture `root` can hold packages of architecture `package`.
pub fn is_compatible(package: &str, root: &str) -> bool {
    score(package, root).is_some()
}

/// How near a package's architecture is to a root's: 0 is the root's own, or `noarch`; `None` cannot be installed.
pub fn score(package: &str, root: &str) -> Option<usize> {
    if package == root || package == "noarch" {
        return Some(0);
    }
    let compatible = COMPATIBLE.iter().find(|(name, _)| *name == root)?.1;
    compatible
        .iter()
        .position(|other| *other == package)
        .map(|place| place + 1)
}

/// `$basearch` for an architecture.
pub fn base(arch: &str) -> &str {
    match arch {
        "x86_64_v2" | "x86_64_v3" | "amd64" | "ia32e" => "x86_64",
        "i386" | "i486" | "i586" | "i686" | "athlon" | "geode" => "i386",
        "armv7hl" | "armv7hnl" | "armv8hl" => "armhfp",
        "armv5tel" | "armv5tejl" | "armv6l" | "armv7l" => "arm",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_64_bit_root_holds_32_bit_packages() {
        assert_eq!(score("x86_64", "x86_64"), Some(0));
        assert_eq!(score("noarch", "x86_64"), Some(0));
        assert_eq!(score("i686", "x86_64"), Some(1));
        assert_eq!(score("x86_64", "i686"), None);
        assert!(!is_compatible("src", "x86_64"));
        assert!(!is_compatible("aarch64", "x86_64"));
        assert_eq!(base("i686"), "i386");
        assert_eq!(base("riscv64"), "riscv64");
    }
}
