//! Whether a program of an architecture can be run here: one that does nothing is.

use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::process::{Command, Stdio};

use rustix::fs::MemfdFlags;

use super::arch::{Arch, put};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    /// It ran.
    Runs,
    /// The kernel does not know its format, or it did not end as it should.
    Fails,
    /// It could not be tried: no code is known, or there is no /proc or no file in memory.
    Unknown,
}

/// Where its one segment lies: above the least address that may be mapped (`vm.mmap_min_addr`), on pages of any size.
const ADDRESS: u32 = 0x1_0000;

/// Runs the program.
pub(super) fn run(arch: &Arch) -> Probe {
    let Some(program) = program(arch) else {
        return Probe::Unknown;
    };
    let file = rustix::fs::memfd_create("probe", MemfdFlags::CLOEXEC).map(std::fs::File::from);
    let Ok(mut file) = file else {
        return Probe::Unknown;
    };
    if file.write_all(&program).is_err() {
        return Probe::Unknown;
    }
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let status = Command::new(path)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Probe::Runs,
        Ok(_) => Probe::Fails,
        Err(error) if error.raw_os_error() == Some(libc::ENOEXEC) => Probe::Fails,
        // An interpreter that is not there.
        Err(error)
            if error.raw_os_error() == Some(libc::ENOENT)
                && std::path::Path::new("/proc/self/fd").exists() =>
        {
            Probe::Fails
        }
        Err(_) => Probe::Unknown,
    }
}

/// A whole ELF program whose only segment is itself.
pub(super) fn program(arch: &Arch) -> Option<Vec<u8>> {
    if arch.exits.is_empty() {
        return None;
    }
    let elf = &arch.elf;
    let wide = elf.bits == 64;
    let word = |value: u32| elf.order.word(value);
    // An address or an offset.
    let long = |value: u32| {
        let mut bytes = word(value).to_vec();
        if wide {
            let zero = [0; 4];
            match elf.order.short(1) {
                [1, 0] => bytes.extend(zero),
                _ => bytes = [zero.as_slice(), &bytes].concat(),
            }
        }
        bytes
    };
    let (header, segment): (u16, u16) = if wide { (64, 56) } else { (52, 32) };
    let code = header + segment;
    let size = u32::from(code) + arch.exits.len() as u32;
    let mut bytes = elf.header(2);
    bytes.resize(code.into(), 0);
    let width = if wide { 8 } else { 4 };
    put(&mut bytes, 20, &word(1)); // e_version
    put(&mut bytes, 24, &long(ADDRESS + u32::from(code))); // e_entry
    put(&mut bytes, 24 + width, &long(header.into())); // e_phoff
    let sizes = 24 + 3 * width + 4;
    put(&mut bytes, sizes, &elf.order.short(header)); // e_ehsize
    put(&mut bytes, sizes + 2, &elf.order.short(segment)); // e_phentsize
    put(&mut bytes, sizes + 4, &elf.order.short(1)); // e_phnum
    // p_type PT_LOAD; the flags, readable and executable, are the second word of the wide form, the seventh of the other;
    // p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align.
    let at = usize::from(header);
    put(&mut bytes, at, &word(1));
    put(&mut bytes, at + if wide { 4 } else { 24 }, &word(5));
    let mut place = at + width;
    for value in [0, ADDRESS, ADDRESS, size, size] {
        put(&mut bytes, place, &long(value));
        place += width;
    }
    put(&mut bytes, at + usize::from(segment) - width, &long(ADDRESS));
    bytes.extend_from_slice(arch.exits);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::arch::Elf;
    use super::super::table::TABLE;
    use super::*;

    #[test]
    fn this_machine_runs_its_own() {
        assert_eq!(run(Arch::own().unwrap()), Probe::Runs);
    }

    #[test]
    fn what_no_machine_runs_fails() {
        let own = *Arch::own().unwrap();
        let broken = Arch {
            elf: Elf {
                machine: 0xfeed,
                ..own.elf
            },
            ..own
        };
        assert_eq!(run(&broken), Probe::Fails);
        assert_eq!(run(&Arch { exits: &[], ..own }), Probe::Unknown);
    }

    /// Each program under the emulators that this machine has.
    #[test]
    fn emulators_run_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let mut tried = 0;
        for arch in TABLE {
            let (Some(program), false) = (program(arch), arch.qemu.is_empty()) else {
                continue;
            };
            let path = dir.path().join(arch.name());
            std::fs::write(&path, program).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            let emulator = format!("/usr/bin/qemu-{}-static", arch.qemu);
            if let Ok(output) = Command::new(emulator).arg(&path).output() {
                tried += 1;
                assert!(output.status.success(), "{}: {output:?}", arch.name());
            }
        }
        if tried == 0 {
            let _ = writeln!(
                std::io::stderr(),
                "skipped: there is no qemu-ARCH-static in /usr/bin"
            );
        }
    }
}
