//! What a fork keeps of its parent's memory and programs could read in `/proc/1`: the caller's environment and arguments.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Overwrites the environment and the arguments that this process was executed with (proc(5), `stat`, fields 48 to 51).
///
/// For a process that will not look at either again. It needs `/proc`; without one nobody can read them either, unless the
/// root has its own.
pub(crate) fn wipe() -> io::Result<()> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let memory = File::options().write(true).open("/proc/self/mem")?;
    for (start, end) in areas(&stat).ok_or(io::ErrorKind::InvalidData)? {
        let length = usize::try_from(end.saturating_sub(start)).map_err(|_| io::ErrorKind::InvalidData)?;
        memory.write_all_at(&vec![0; length], start)?;
    }
    Ok(())
}

/// The first and the end of both areas.
fn areas(stat: &str) -> Option<[(u64, u64); 2]> {
    // The name before it may hold anything, also a `)`.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(48 - 3);
    let mut next = || fields.next()?.parse().ok();
    let (arguments, environment) = ((next()?, next()?), (next()?, next()?));
    // Zero is what a process gets to read that may not know.
    let known = |(start, end): (u64, u64)| start > 0 && start <= end;
    (known(arguments) && known(environment)).then_some([arguments, environment])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_found_behind_any_name() {
        let numbers: Vec<String> = (4..=52).map(|number: u32| number.to_string()).collect();
        let stat = |name: &str| format!("1 ({name}) S {}\n", numbers.join(" "));
        for name in ["x", "a) b (c", ")"] {
            assert_eq!(areas(&stat(name)), Some([(48, 49), (50, 51)]), "{name}");
        }
        assert_eq!(areas("1 (x) S 4 5"), None);
        let own = areas(&std::fs::read_to_string("/proc/self/stat").unwrap()).unwrap();
        assert!(own.iter().all(|(start, end)| start < end), "{own:?}");
    }
}
