//! The search for something that runs an architecture's programs.

use std::path::PathBuf;

use super::arch::Arch;
use super::entries::{self, DIRECTORY};
use super::file::{self, Fitness};
use super::probe::{self, Probe};
use super::{Emulator, Way};
use crate::Error;

/// Where distributions have emulators, whatever `PATH` says.
const PLACES: [&str; 2] = ["/usr/bin", "/usr/libexec/qemu-binfmt"];

/// Where is looked.
pub(super) struct Host {
    /// binfmt_misc.
    entries: PathBuf,
    /// Directories that may hold emulators.
    places: Vec<PathBuf>,
    /// Whether a program can be run, by trying it.
    probe: fn(&Arch) -> Probe,
}

impl Host {
    /// This machine.
    pub(super) fn this() -> Host {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut places: Vec<PathBuf> = std::env::split_paths(&path)
            .filter(|directory| directory.is_absolute())
            .collect();
        for place in PLACES.map(PathBuf::from) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        Host {
            entries: DIRECTORY.into(),
            places,
            probe: probe::run,
        }
    }

    pub(super) fn way(&self, arch: &'static Arch) -> Result<Way, Error> {
        if arch.is_own() {
            return Ok(Way::Native { personality32: false });
        }
        let mut seen = Vec::new();
        if let Some(entries) = entries::read(&self.entries) {
            for entry in entries.iter().filter(|entry| entry.takes(arch)) {
                match (entry.enabled, entry.is_fixed()) {
                    (true, true) => return Ok(Way::Host),
                    (true, false) => seen.push(format!(
                        "its entry `{}` lacks the flag F, so that `{}` is looked for inside the root",
                        entry.name,
                        entry.interpreter.display()
                    )),
                    (false, _) => seen.push(format!("its entry `{}` is disabled", entry.name)),
                }
            }
        }
        // Only now: an entry of the host's would have run it as well. Where it cannot be tried it is taken to be so, as
        // most machines of the kind do.
        if arch.is_kin() && (self.probe)(arch) != Probe::Fails {
            return Ok(Way::Native {
                personality32: arch.is_32_bit(),
            });
        }
        let mut unfit = Vec::new();
        for path in self.candidates(arch) {
            match file::look(&path, Arch::own()) {
                Fitness::Fit => return Ok(Way::Emulator(Emulator::new(arch, path))),
                Fitness::Absent => {}
                Fitness::Dynamic => unfit.push(format!("`{}` is not static", path.display())),
                Fitness::Alien => {
                    unfit.push(format!("`{}` is no program of this machine's", path.display()));
                }
            }
        }
        // In a container the host's entries are in force, and not to be seen.
        if seen.is_empty() && (self.probe)(arch) == Probe::Runs {
            return Ok(Way::Host);
        }
        Err(Error::NoEmulator {
            architecture: arch.name(),
            looked: self.looked(arch, seen, unfit),
            emulator: arch.qemu,
        })
    }

    /// The files that may be the emulator, the likeliest first.
    fn candidates(&self, arch: &Arch) -> Vec<PathBuf> {
        if arch.qemu.is_empty() {
            return Vec::new();
        }
        let names = [
            format!("qemu-{}-static", arch.qemu),
            format!("qemu-{}", arch.qemu),
            format!("{}-binfmt-P", arch.qemu),
        ];
        let in_places = |name: &String| {
            self.places
                .iter()
                .map(|place| place.join(name))
                .collect::<Vec<_>>()
        };
        names.iter().flat_map(in_places).collect()
    }

    /// What was looked for, and what was found instead.
    fn looked(&self, arch: &Arch, seen: Vec<String>, unfit: Vec<String>) -> String {
        let entries = match seen.is_empty() {
            true => "binfmt_misc of this host has no entry for them".to_owned(),
            false => format!("of this host's binfmt_misc, {}", seen.join("; ")),
        };
        let places = self.places.iter().map(|place| place.display().to_string());
        let emulator = match arch.qemu {
            "" => "no emulator for them is known".to_owned(),
            qemu => format!(
                "there is no static qemu-{qemu}-static or qemu-{qemu} in {}",
                list(places.collect())
            ),
        };
        let unfit = unfit
            .into_iter()
            .map(|one| format!("; {one}"))
            .collect::<String>();
        format!("{entries}, and {emulator}{unfit}")
    }
}

/// `a, b or c`.
fn list(mut words: Vec<String>) -> String {
    match words.pop() {
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} or {last}", words.join(", ")),
        None => "no directory".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    struct World {
        dir: tempfile::TempDir,
        probe: fn(&Arch) -> Probe,
    }

    impl World {
        fn new(probe: fn(&Arch) -> Probe) -> World {
            World {
                dir: tempfile::tempdir().unwrap(),
                probe,
            }
        }

        /// An entry for arm64.
        fn entry(&self, state: &str, flags: &str) {
            let at = self.dir.path().join("binfmt_misc");
            fs::create_dir_all(&at).unwrap();
            fs::write(at.join("status"), "enabled\n").unwrap();
            let text = format!(
                "{state}\ninterpreter /usr/bin/qemu-aarch64\nflags: {flags}\noffset 0\n\
                 magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n"
            );
            fs::write(at.join("qemu-aarch64"), text).unwrap();
        }

        fn emulator(&self, name: &str, bytes: &[u8]) -> PathBuf {
            let at = self.dir.path().join("bin");
            fs::create_dir_all(&at).unwrap();
            fs::write(at.join(name), bytes).unwrap();
            fs::set_permissions(at.join(name), fs::Permissions::from_mode(0o755)).unwrap();
            at.join(name)
        }

        fn way(&self, arch: &str) -> Result<Way, String> {
            let host = Host {
                entries: self.dir.path().join("binfmt_misc"),
                places: vec![self.dir.path().join("none"), self.dir.path().join("bin")],
                probe: self.probe,
            };
            let dir = self.dir.path().display().to_string();
            host.way(Arch::named(arch).unwrap())
                .map_err(|error| error.to_string().replace(&dir, ""))
        }
    }

    /// An architecture that no processor of this machine's kind runs.
    fn other() -> &'static str {
        if cfg!(target_arch = "aarch64") {
            "riscv64"
        } else {
            "arm64"
        }
    }

    fn fails(_: &Arch) -> Probe {
        Probe::Fails
    }

    fn runs(_: &Arch) -> Probe {
        Probe::Runs
    }

    #[test]
    fn own_programs_need_nothing() {
        let native = Way::Native { personality32: false };
        assert_eq!(World::new(fails).way(Arch::own().unwrap().name()), Ok(native));
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn kin_run_where_the_kernel_runs_them() {
        let native = Way::Native { personality32: true };
        assert_eq!(World::new(runs).way("i386"), Ok(native.clone()));
        assert_eq!(World::new(|_| Probe::Unknown).way("i386"), Ok(native));
        assert!(World::new(fails).way("i386").is_err());
        assert!(
            World::new(fails).way("x32").unwrap_err().ends_with(
                "binfmt_misc of this host has no entry for them, and no emulator for them is known"
            )
        );
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn an_entry_of_the_hosts_counts_where_it_is_fixed() {
        let world = World::new(fails);
        world.entry("enabled", "OCF");
        assert_eq!(world.way("arm64"), Ok(Way::Host));
        world.entry("disabled", "OCF");
        assert!(
            world
                .way("arm64")
                .unwrap_err()
                .contains("`qemu-aarch64` is disabled")
        );
        world.entry("enabled", "OC");
        let error = world.way("arm64").unwrap_err();
        assert!(error.contains("lacks the flag F"), "{error}");
        // It would run on the host, and not in a root.
        assert!(World { probe: runs, ..world }.way("arm64").is_err());
    }

    #[test]
    fn emulators_are_looked_for_and_into() {
        let own = Arch::own().unwrap();
        let world = World::new(fails);
        let arch = Arch::named(other()).unwrap();
        let error = world.way(other()).unwrap_err();
        let (name, qemu) = (arch.name(), arch.qemu);
        assert_eq!(
            error,
            format!(
                "nothing on this host runs programs of `{name}`: binfmt_misc of this host has no entry for them, and there \
                 is no static qemu-{qemu}-static or qemu-{qemu} in /none or /bin"
            )
        );
        world.emulator(&format!("qemu-{qemu}-static"), b"#!/bin/sh\n");
        let error = world.way(other()).unwrap_err();
        assert!(
            error.ends_with(&format!(
                "; `/bin/qemu-{qemu}-static` is no program of this machine's"
            )),
            "{error}"
        );
        let good = world.emulator(&format!("qemu-{qemu}"), &probe::program(own).unwrap());
        assert_eq!(world.way(other()), Ok(Way::Emulator(Emulator::new(arch, good))));
    }

    #[test]
    fn entries_that_cannot_be_seen_are_found_by_trying() {
        assert_eq!(World::new(runs).way(other()), Ok(Way::Host));
    }
}
