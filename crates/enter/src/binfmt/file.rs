//! A look at a file that may be an emulator: it must run on this machine, and need nothing but itself.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;

use super::arch::Arch;

/// What a file is good for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fitness {
    /// A static program of this machine's.
    Fit,
    /// There is no such file, or it may not be executed.
    Absent,
    /// It needs a dynamic loader and libraries, which a root has not got.
    Dynamic,
    /// A script, or another machine's program.
    Alien,
}

/// PT_INTERP (elf(5)).
const INTERPRETER: u32 = 3;

/// Looks at a file; `own` is the architecture that it must be of.
pub(super) fn look(path: &Path, own: Option<&Arch>) -> Fitness {
    let Ok(mut file) = File::open(path) else {
        return Fitness::Absent;
    };
    let executable = file
        .metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0);
    if !executable {
        return Fitness::Absent;
    }
    let mut header = [0; 64];
    let read = file.read(&mut header).unwrap_or(0);
    let header = header.get(..read).unwrap_or_default();
    match Arch::of_program(header).zip(own) {
        Some((found, own)) if std::ptr::eq(found, own) => {}
        _ => return Fitness::Alien,
    }
    match kinds(&file, header) {
        Some(kinds) if kinds.contains(&INTERPRETER) => Fitness::Dynamic,
        Some(_) => Fitness::Fit,
        None => Fitness::Alien,
    }
}

/// The kinds (p_type) of a program's segments; `None` where it is cut short.
fn kinds(file: &File, header: &[u8]) -> Option<Vec<u32>> {
    // Of this machine, so numbers are as this program has them. e_phoff, e_phentsize, e_phnum
    let (offset, size, count) = if header.get(4) == Some(&2) {
        (
            u64::from_ne_bytes(array(header, 32)?),
            u16::from_ne_bytes(array(header, 54)?),
            u16::from_ne_bytes(array(header, 56)?),
        )
    } else {
        (
            u64::from(u32::from_ne_bytes(array(header, 28)?)),
            u16::from_ne_bytes(array(header, 42)?),
            u16::from_ne_bytes(array(header, 44)?),
        )
    };
    (0..u64::from(count))
        .map(|number| {
            let mut kind = [0; 4];
            let at = number
                .checked_mul(u64::from(size))
                .and_then(|skipped| offset.checked_add(skipped))?;
            file.read_exact_at(&mut kind, at).ok()?;
            Some(u32::from_ne_bytes(kind))
        })
        .collect()
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::super::arch::put;
    use super::*;

    /// A header of this machine's with one segment.
    fn program(own: &Arch, kind: u32) -> Vec<u8> {
        let mut bytes = own.elf.header(3);
        if own.is_32_bit() {
            put(&mut bytes, 28, &64_u32.to_ne_bytes());
            put(&mut bytes, 42, &32_u16.to_ne_bytes());
            put(&mut bytes, 44, &1_u16.to_ne_bytes());
        } else {
            put(&mut bytes, 32, &64_u64.to_ne_bytes());
            put(&mut bytes, 54, &56_u16.to_ne_bytes());
            put(&mut bytes, 56, &1_u16.to_ne_bytes());
        }
        bytes.extend(kind.to_ne_bytes());
        bytes
    }

    #[test]
    fn only_a_static_program_of_this_machine_is_fit() {
        let own = Arch::own().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut cut = program(own, 1);
        cut.truncate(64);
        let alien = Arch::named("sparc64").unwrap();
        for (name, bytes, mode, expected) in [
            ("static", program(own, 1), 0o755, Fitness::Fit),
            ("dynamic", program(own, INTERPRETER), 0o755, Fitness::Dynamic),
            ("plain", program(own, 1), 0o644, Fitness::Absent),
            ("script", b"#!/bin/sh\n".to_vec(), 0o755, Fitness::Alien),
            ("empty", Vec::new(), 0o755, Fitness::Alien),
            ("cut", cut, 0o755, Fitness::Alien),
            ("alien", alien.elf.header(3), 0o755, Fitness::Alien),
        ] {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(look(&path, Some(own)), expected, "{name}");
        }
        assert_eq!(look(&dir.path().join("none"), Some(own)), Fitness::Absent);
        assert_eq!(look(dir.path(), Some(own)), Fitness::Absent);
    }
}
