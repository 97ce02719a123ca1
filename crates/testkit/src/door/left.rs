//! What a run could leave behind besides files.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long what is about to end may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// No mount below `scratch` is left, and no process that has its files, its environment or its mounts there.
///
/// # Panics
///
/// When something is left after a while.
#[track_caller]
pub fn assert_none(scratch: &Path) {
    let begin = Instant::now();
    loop {
        let left = found(scratch);
        if left.is_empty() {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "left after the run: {left:#?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Mounts below `scratch`, and processes that have to do with it, a line each.
pub fn found(scratch: &Path) -> Vec<String> {
    let scratch = scratch.as_os_str().as_bytes();
    let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
    let own = mounts
        .split(|byte| *byte == b'\n')
        .filter(|line| contains(line, scratch));
    let mut found: Vec<String> = own
        .map(|line| format!("mount {}", String::from_utf8_lossy(line)))
        .collect();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        // The tests' own threads mount and are in there.
        if pid != std::process::id() && concerns(&entry.path(), scratch) {
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push(format!(
                "process {pid} {}",
                String::from_utf8_lossy(&words).replace('\0', " ")
            ));
        }
    }
    found
}

/// Whether a process has its files, its environment or its mounts there. A zombie has none of them.
fn concerns(process: &Path, scratch: &[u8]) -> bool {
    let links = ["cwd", "root", "exe"].iter().any(|name| {
        fs::read_link(process.join(name)).is_ok_and(|link| contains(link.as_os_str().as_bytes(), scratch))
    });
    links
        || ["environ", "mountinfo"]
            .iter()
            .any(|name| fs::read(process.join(name)).is_ok_and(|text| contains(&text, scratch)))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn processes_are_found_by_what_they_hold() {
        let scratch = tempfile::tempdir().unwrap();
        assert_eq!(found(scratch.path()), Vec::<String>::new());
        let start = |change: &dyn Fn(&mut Command)| {
            let mut command = Command::new("sleep");
            command.arg("60").stdin(Stdio::null());
            change(&mut command);
            command.spawn().unwrap()
        };
        let here = |command: &mut Command| {
            command.current_dir(scratch.path());
        };
        let told = |command: &mut Command| {
            command.env("PLACE", scratch.path());
        };
        for change in [&here as &dyn Fn(&mut Command), &told] {
            let mut child = start(change);
            let left = found(scratch.path());
            child.kill().unwrap();
            child.wait().unwrap();
            assert_eq!(left.len(), 1, "{left:?}");
            assert!(
                left[0].starts_with(&format!("process {} sleep", child.id())),
                "{left:?}"
            );
        }
        assert_none(scratch.path());
    }
}
