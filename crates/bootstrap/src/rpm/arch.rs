//! Which architecture is made, by rpm's names.

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

/// The architecture to make: the host's own, or one that its processor runs as well.
///
/// # Errors
/// [`Error::Architecture`] for any other.
pub fn target(wanted: Option<&str>) -> Result<String, Error> {
    let host = host();
    let wanted = wanted.unwrap_or(host);
    if wanted == host || is_32_bit_variant(wanted, host) {
        return Ok(wanted.to_owned());
    }
    Err(Error::Architecture {
        wanted: wanted.to_owned(),
        host: host.to_owned(),
    })
}

/// Whether a root of `arch` sees a 32-bit machine on this host.
pub fn needs_personality(arch: &str) -> bool {
    is_32_bit_variant(arch, host())
}

fn is_32_bit_variant(arch: &str, host: &str) -> bool {
    host == "x86_64" && ["i386", "i486", "i586", "i686"].contains(&arch)
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
    fn only_what_the_processor_runs() {
        assert_eq!(target(None).ok().as_deref(), Some(host()));
        assert!(matches!(
            target(Some("no-such-arch")),
            Err(Error::Architecture { .. })
        ));
        assert!(is_32_bit_variant("i686", "x86_64"));
        assert!(!is_32_bit_variant("x86_64", "i686"));
        assert_eq!((color("x86_64"), color("i686")), (3, 0));
    }
}
