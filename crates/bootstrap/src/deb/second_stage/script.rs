//! The script that follows a second stage on another machine: what bareroot itself does, in the shell's words.

use bareroot_deb::scripts;

use super::super::configure::{CONTROL_IN_PROGRESS, POLICY, REAL, STARTERS, WARNING};
use super::super::finish::{LEFTOVERS, LOCKS, PARTIAL};

const TEXT: &str = include_str!("second-stage.sh");

/// The script. Everything that bareroot's own chapters know as well is taken from them.
pub fn text(epoch: Option<i64>) -> String {
    let absolute = |paths: &[&str]| {
        let paths: Vec<String> = paths.iter().map(|path| format!("/{path}")).collect();
        paths.join(" ")
    };
    let environment: Vec<String> = scripts::environment(epoch)
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    [
        ("@ENVIRONMENT@", environment.join(" ")),
        ("@POLICY@", POLICY.to_owned()),
        ("@STARTERS@", absolute(&STARTERS)),
        ("@REAL@", REAL.to_owned()),
        ("@WARNING@", WARNING.to_owned()),
        ("@CONTROL@", CONTROL_IN_PROGRESS.to_owned()),
        ("@LEFTOVERS@", absolute(LEFTOVERS)),
        ("@PARTIAL@", absolute(&PARTIAL)),
        ("@LOCKS@", absolute(LOCKS)),
    ]
    .into_iter()
    .fold(TEXT.to_owned(), |text, (name, value)| text.replace(name, &value))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn nothing_is_left_to_be_filled_in_and_every_word_is_plain() {
        let script = text(Some(7));
        assert!(script.contains(" SOURCE_DATE_EPOCH=7 /bin/sh"), "{script}");
        // `"@$SOURCE_DATE_EPOCH"` is date(1)'s, `"$@"` the shell's.
        let left = script.replace("@$SOURCE_DATE_EPOCH", "").replace("\"$@\"", "");
        assert!(!left.contains('@'), "{left}");
        let lists = [LEFTOVERS, LOCKS].concat();
        let plain = |path: &&str| {
            path.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
        };
        assert!(lists.iter().all(plain), "a path would have to be quoted");
        assert!(!text(None).contains("SOURCE_DATE_EPOCH="));
    }

    #[test]
    fn a_shell_reads_it() {
        let mut shell = match Command::new("/bin/sh").arg("-n").stdin(Stdio::piped()).spawn() {
            Ok(shell) => shell,
            Err(error) => panic!("this test needs /bin/sh: {error}"),
        };
        std::io::Write::write_all(&mut shell.stdin.take().unwrap(), text(Some(7)).as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
    }
}
