//! Which architecture is made, by Debian's names.

use crate::error::Error;

/// This host's architecture as Debian calls it.
pub fn host() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "i386",
        "aarch64" => "arm64",
        "arm" => "armhf",
        "powerpc64" => "ppc64el",
        "loongarch64" => "loong64",
        other => other,
    }
}

/// The architecture to make: the host's own, or one that its processor runs as well.
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

/// Whether `arch` is what a `host` runs under a 32-bit personality.
pub fn is_32_bit_variant(arch: &str, host: &str) -> bool {
    (arch, host) == ("i386", "amd64")
}

/// Whether a root of `arch` sees a 32-bit machine on this host.
pub fn needs_personality(arch: &str) -> bool {
    is_32_bit_variant(arch, host())
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
    fn only_what_the_processor_runs() {
        assert!(target(Some(host())).is_ok());
        assert!(matches!(
            target(Some("no-such-arch")),
            Err(Error::Architecture { .. })
        ));
        assert!(is_32_bit_variant("i386", "amd64"));
        assert!(!is_32_bit_variant("amd64", "i386"));
    }
}
