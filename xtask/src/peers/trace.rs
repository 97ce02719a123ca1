//! What strace(1) wrote of a run: which programs were executed, and whether their process had moved into the target.

use std::collections::HashMap;

/// The system calls that [`Trace`] needs, for `strace -e trace=`.
pub const CALLS: &str = "execve,execveat,chroot,chdir,fchdir,clone,clone3,fork,vfork";

/// A call that ended well.
#[derive(Debug)]
struct Call {
    /// When it began: a line number.
    began: usize,
    /// When it had succeeded: a line number.
    ended: usize,
    name: String,
    arguments: String,
    result: String,
}

/// A run, by process.
#[derive(Debug, Default)]
pub struct Trace {
    calls: HashMap<u32, Vec<Call>>,
    /// Each child's parent, and when it was forked.
    parents: HashMap<u32, (u32, usize)>,
    first: Option<u32>,
}

/// A program that was executed.
#[derive(Debug, PartialEq, Eq)]
pub struct Executed {
    /// The process.
    pub process: u32,
    /// Its path, as the process named it.
    pub path: String,
    /// Whether the process, or one that it descends from, had made the target its root.
    pub inside: bool,
}

impl Trace {
    /// Reads what `strace -f -y --decode-pids=pidns -o FILE` wrote.
    pub fn parse(text: &str) -> Trace {
        let mut trace = Trace::default();
        let mut open: HashMap<u32, (usize, String)> = HashMap::new();
        for (number, line) in text.lines().enumerate() {
            let Some((process, rest)) = line.split_once(' ') else {
                continue;
            };
            let Ok(process) = process.parse::<u32>() else {
                continue;
            };
            trace.first.get_or_insert(process);
            let rest = rest.trim_start();
            if let Some(begun) = rest.strip_suffix("<unfinished ...>") {
                open.insert(process, (number, begun.to_owned()));
            } else if let Some(resumed) = rest.strip_prefix("<... ") {
                let Some((began, start)) = open.remove(&process) else {
                    continue;
                };
                let end = resumed.split_once("resumed>").map_or("", |(_, end)| end);
                trace.note(process, began, number, &format!("{start}{end}"));
            } else {
                trace.note(process, number, number, rest);
            }
        }
        trace
    }

    fn note(&mut self, process: u32, began: usize, ended: usize, text: &str) {
        let Some((call, result)) = text.rsplit_once(" = ") else {
            return;
        };
        let Some((name, arguments)) = call.split_once('(') else {
            return;
        };
        let result = result.trim();
        if result.starts_with('-') || result.starts_with('?') {
            return;
        }
        if matches!(name, "clone" | "clone3" | "fork" | "vfork")
            && let Some(child) = child(result)
        {
            self.parents.insert(child, (process, began));
        }
        let arguments = arguments.trim_end().trim_end_matches(')').to_owned();
        let (name, result) = (name.to_owned(), result.to_owned());
        self.calls.entry(process).or_default().push(Call {
            began,
            ended,
            name,
            arguments,
            result,
        });
    }

    /// Every program that was executed, but for the first: that is the command which strace was given.
    pub fn executed(&self, is_target: impl Fn(&str) -> bool) -> Vec<Executed> {
        let mut found: Vec<(usize, Executed)> = Vec::new();
        for (process, calls) in &self.calls {
            for call in calls
                .iter()
                .filter(|call| call.name.starts_with("execve") && call.result == "0")
            {
                let path = quoted(&call.arguments).unwrap_or_default().to_owned();
                let inside = self.inside(*process, call.began, &is_target);
                found.push((
                    call.ended,
                    Executed {
                        process: *process,
                        path,
                        inside,
                    },
                ));
            }
        }
        found.sort_by_key(|(when, _)| *when);
        let mut executed: Vec<Executed> = found.into_iter().map(|(_, executed)| executed).collect();
        if executed
            .first()
            .is_some_and(|first| Some(first.process) == self.first)
        {
            executed.remove(0);
        }
        executed
    }

    /// Whether a process had made the target its root at that time, or inherited it.
    fn inside(&self, process: u32, when: usize, is_target: &impl Fn(&str) -> bool) -> bool {
        let (mut process, mut when) = (process, when);
        // A process has fewer ancestors than there are processes.
        for _ in 0..=self.parents.len() {
            if self.chrooted(process, when, is_target) {
                return true;
            }
            let Some((parent, forked)) = self.parents.get(&process) else {
                return false;
            };
            (process, when) = (*parent, *forked);
        }
        false
    }

    fn chrooted(&self, process: u32, when: usize, is_target: &impl Fn(&str) -> bool) -> bool {
        let mut directory = "";
        for call in self
            .calls
            .get(&process)
            .into_iter()
            .flatten()
            .take_while(|call| call.ended < when)
        {
            match call.name.as_str() {
                "fchdir" => directory = descriptor(&call.arguments).unwrap_or_default(),
                "chdir" => directory = quoted(&call.arguments).unwrap_or_default(),
                "chroot" => {
                    let path = quoted(&call.arguments).unwrap_or_default();
                    if is_target(if path == "." { directory } else { path }) {
                        return true;
                    }
                }
                _ => {}
            }
        }
        false
    }
}

/// The child's number as strace sees it: `5 /* 9130 in strace's PID NS */`, or `9130`.
fn child(result: &str) -> Option<u32> {
    let outer = result
        .split_once("/* ")
        .and_then(|(_, comment)| comment.split(' ').next());
    outer.or_else(|| result.split(' ').next())?.parse().ok()
}

/// The first string of a call's arguments.
fn quoted(arguments: &str) -> Option<&str> {
    arguments.split('"').nth(1)
}

/// The path of a call's first descriptor: `3</some/path>`.
fn descriptor(arguments: &str) -> Option<&str> {
    let (_, rest) = arguments.split_once('<')?;
    Some(rest.rsplit_once('>')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"10 execve("./bareroot", ["./bareroot"], 0x7ff /* 39 vars */) = 0
10 clone(child_stack=NULL, flags=SIGCHLD, child_tidptr=0x7f) = 11
11 clone(child_stack=NULL, flags=SIGCHLD, child_tidptr=0x7f) = 2 /* 12 in strace's PID NS */
12 fchdir(3</srv/.t.bareroot-x>)     = 0
12 chroot(".")                       = 0
12 execve("/bin/sh", ["sh"], 0x7ff /* 3 vars */) = 0
12 vfork( <unfinished ...>
13 execve("/bin/true", ["true"], 0x565 /* 3 vars */ <unfinished ...>
12 <... vfork resumed>)              = 3 /* 13 in strace's PID NS */
13 <... execve resumed>)             = 0
13 +++ exited with 0 +++
11 execve("/bin/none", ["none"], 0x565 /* 3 vars */) = -1 ENOENT (No such file or directory)
11 vfork()                           = 4 /* 14 in strace's PID NS */
14 execve("/bin/tar", ["tar"], 0x565 /* 3 vars */) = 0
14 chdir("/elsewhere")               = 0
14 chroot(".")                       = 0
14 execve("/bin/gzip", ["gzip"], 0x565 /* 3 vars */) = 0
"#;

    #[test]
    fn what_descends_from_a_process_in_the_target_is_inside() {
        let executed = Trace::parse(TEXT).executed(|path| path.starts_with("/srv/.t.bareroot-"));
        let seen: Vec<(u32, &str, bool)> = executed
            .iter()
            .map(|one| (one.process, one.path.as_str(), one.inside))
            .collect();
        let expected = [
            (12, "/bin/sh", true),
            (13, "/bin/true", true),
            (14, "/bin/tar", false),
            (14, "/bin/gzip", false),
        ];
        assert_eq!(seen, expected);
    }
}
