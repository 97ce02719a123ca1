//! The programs of the roots that tests make: an interpreter for maintainer scripts, and a dpkg that configures.
//!
//! There is no shell and no dpkg without a network. A test binary is static, so a root can have a copy of it: its `main`
//! asks [`main`] first, which goes by the name under which it was started. [`program`] is that copy.

mod dpkg;
mod script;

use std::process::ExitCode;
use std::sync::OnceLock;
use std::{env, fs};

/// The interpreter of scripts in the root; a script's first line is `#!` and this.
pub const INTERPRETER: &str = "/usr/bin/script";

/// Where dpkg is in the root.
pub const DPKG: &str = "/usr/bin/dpkg";

/// Runs one of the root's programs if this process is one of them.
pub fn main() -> Option<ExitCode> {
    let mut words = env::args();
    let name = words.next()?;
    let words: Vec<String> = words.collect();
    match name.rsplit('/').next()? {
        "script" | "sh" => Some(script::main(&words)),
        "dpkg" => Some(dpkg::main(&words)),
        _ => None,
    }
}

/// A maintainer script in [`INTERPRETER`]'s language: one command a line, see the source of `programs/script.rs`.
pub fn script(commands: &str) -> String {
    format!("#!{INTERPRETER}\n{commands}\n")
}

/// This very executable, without what only a debugger reads.
///
/// # Panics
///
/// When it cannot be read or is no 64-bit ELF file.
pub fn program() -> &'static [u8] {
    static PROGRAM: OnceLock<Vec<u8>> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let file = fs::read("/proc/self/exe").expect("this executable can be read");
        lean(file).expect("this executable is a 64-bit ELF file")
    })
}

/// Cuts a 64-bit ELF file after its last segment (elf(5)): sections are for linkers and debuggers.
fn lean(mut file: Vec<u8>) -> Option<Vec<u8>> {
    let half =
        |file: &[u8], at: usize| Some(u16::from_ne_bytes(file.get(at..at + 2)?.try_into().ok()?) as usize);
    let word =
        |file: &[u8], at: usize| Some(u64::from_ne_bytes(file.get(at..at + 8)?.try_into().ok()?) as usize);
    if !file.starts_with(b"\x7fELF\x02") {
        return None;
    }
    let (headers, size, count) = (word(&file, 32)?, half(&file, 54)?, half(&file, 56)?);
    let mut end = headers.checked_add(size.checked_mul(count)?)?;
    for number in 0..count {
        let header = headers + number * size;
        end = end.max(word(&file, header + 8)?.checked_add(word(&file, header + 32)?)?);
    }
    // e_shoff; e_shnum and e_shstrndx.
    file.get_mut(40..48)?.fill(0);
    file.get_mut(60..64)?.fill(0);
    file.truncate(end);
    Some(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn what_is_cut_still_runs() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lean");
        fs::write(&path, program()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(program().len() < fs::metadata("/proc/self/exe").unwrap().len() as usize);
        let output = Command::new(path).arg("--list").output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty());
        assert_eq!(lean(b"#!/bin/sh".to_vec()), None);
    }
}
