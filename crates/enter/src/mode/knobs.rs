//! Why a kernel refuses user namespaces, as far as it can be seen.

use std::path::Path;

/// A setting that forbids user namespaces to ordinary users: its file below /proc/sys, the value that forbids, and how it
/// is changed.
const KNOBS: [(&str, &str, &str); 3] = [
    (
        "kernel/unprivileged_userns_clone",
        "0",
        "user namespaces are switched off: `sysctl kernel.unprivileged_userns_clone=1` allows them",
    ),
    (
        "user/max_user_namespaces",
        "0",
        "user namespaces are switched off: `sysctl user.max_user_namespaces=10000` allows them",
    ),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor restricts user namespaces: `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or a profile for this \
         program, allows them",
    ),
];

/// What to do about it.
pub(crate) fn advice() -> String {
    let found = knob(Path::new("/proc/sys"));
    found.map_or_else(
        || "a container's seccomp profile may forbid user namespaces; as root none is needed".to_owned(),
        str::to_owned,
    )
}

/// The first knob that is turned the wrong way.
fn knob(sysctls: &Path) -> Option<&'static str> {
    let turned = |file: &str, value: &str| {
        std::fs::read_to_string(sysctls.join(file)).is_ok_and(|text| text.trim() == value)
    };
    let found = KNOBS.iter().find(|(file, value, _)| turned(file, value));
    found.map(|(.., advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_knob_that_forbids_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for below in ["kernel", "user"] {
            std::fs::create_dir(dir.path().join(below)).unwrap();
        }
        assert_eq!(knob(dir.path()), None);
        for (file, value, advice) in KNOBS {
            std::fs::write(dir.path().join(file), format!("{value}\n")).unwrap();
            assert_eq!(knob(dir.path()), Some(advice));
            std::fs::write(dir.path().join(file), "7\n").unwrap();
            assert_eq!(knob(dir.path()), None);
        }
    }
}
