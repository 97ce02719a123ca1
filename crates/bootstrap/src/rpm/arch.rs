//! Which architecture is made, by rpm's names.

use bareroot_enter::binfmt::Arch;

use crate::error::Error;

/// This host's architecture as rpm calls it.
pub fn host() -> &'static str {
    match std::env::consts::ARCH {
        "x86" => "i686",
        "arm" => "armv7hl",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

/// The architecture to make: the host's own, or any that rpm knows.
///
/// # Errors
/// [`Error::Architecture`] for a name that is none.
pub fn target(wanted: Option<&str>) -> Result<String, Error> {
    let wanted = wanted.unwrap_or(host());
    match Arch::of_rpm(wanted) {
        Some(_) => Ok(wanted.to_owned()),
        None => Err(Error::Architecture {
            wanted: wanted.to_owned(),
            family: "RPM",
            meant: Arch::named(wanted).map_or("", |arch| arch.rpm.first().copied().unwrap_or_default()),
        }),
    }
}

/// The transaction's colour: which of the two ELF classes a multilib root takes (rpm's platform macro
/// `_transaction_color`).
pub fn color(arch: &str) -> u32 {
    match arch {
        "x86_64" | "aarch64" | "ppc64" | "ppc64le" | "s390x" | "riscv64" | "mips64" | "mips64el" => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_rpms() {
        assert_eq!(target(None).ok().as_deref(), Some(host()));
        for name in [
            "x86_64", "i686", "aarch64", "armv7hl", "ppc64le", "s390x", "riscv64",
        ] {
            assert_eq!(target(Some(name)).ok().as_deref(), Some(name));
        }
        for (name, expected) in [("arm64", "aarch64"), ("no-such-arch", "")] {
            match target(Some(name)) {
                Err(Error::Architecture { meant, .. }) => assert_eq!(meant, expected),
                other => panic!("{name}: {other:?}"),
            }
        }
        assert_eq!((color("x86_64"), color("i686")), (3, 0));
    }
}
