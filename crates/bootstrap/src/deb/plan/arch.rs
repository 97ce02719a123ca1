//! Which architecture is made, by Debian's names.

use bareroot_enter::binfmt::Arch;

use crate::error::Error;

/// This host's architecture as Debian calls it.
pub fn host() -> &'static str {
    Arch::own().map_or(std::env::consts::ARCH, |arch| arch.deb)
}

/// The architecture to make: the host's own, or any that Debian has a port to.
///
/// # Errors
/// [`Error::Architecture`] for a name that is none.
pub fn target(wanted: Option<&str>) -> Result<String, Error> {
    let wanted = wanted.unwrap_or(host());
    match Arch::of_deb(wanted) {
        Some(_) => Ok(wanted.to_owned()),
        None => Err(Error::Architecture {
            wanted: wanted.to_owned(),
            family: "Debian",
            meant: Arch::named(wanted).map_or("", |arch| arch.deb),
        }),
    }
}

/// The architectures other than `native` that wishes name (`pkg:i386`).
pub fn foreign(wishes: &[String], native: &str) -> Vec<String> {
    let mut foreign: Vec<String> = Vec::new();
    for wish in wishes {
        let Some((_, rest)) = wish.split_once(':') else {
            continue;
        };
        let arch: String = rest
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
            .collect();
        let arch = arch.trim_end_matches('-').to_owned();
        if !["any", "native", "all", "", native].contains(&arch.as_str()) && !foreign.contains(&arch) {
            foreign.push(arch);
        }
    }
    foreign
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_architectures_come_from_wishes() {
        let wishes = [
            "libc6:i386",
            "vim",
            "gcc:any",
            "a:amd64",
            "b:i386=1.0",
            "c:arm64-",
        ]
        .map(str::to_owned);
        assert_eq!(foreign(&wishes, "amd64"), ["i386", "arm64"]);
    }

    #[test]
    fn names_are_dpkgs() {
        assert_eq!(target(None).ok().as_deref(), Some(host()));
        for name in ["amd64", "i386", "arm64", "riscv64", "ppc64el", "s390x", "alpha"] {
            assert_eq!(target(Some(name)).ok().as_deref(), Some(name));
        }
        for (name, expected) in [("aarch64", "arm64"), ("no-such-arch", "")] {
            match target(Some(name)) {
                Err(Error::Architecture { meant, .. }) => assert_eq!(meant, expected),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}
