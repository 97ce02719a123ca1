//! A course as files of a root, in a form that a shell reads line by line:
//!
//! ```text
//! course                 preinst NUMBER PACKAGE ARGUMENTS... | configure PACKAGES...    one act a line
//! preinst/NUMBER/        the package's control files
//! preinst/NUMBER.variables   NAME=VALUE, one a line
//! ```

use bareroot_unpack::{FileKind, Root};

use super::super::configure::{Act, ControlFile, Preinst};
use crate::error::Error;
use crate::second_stage::HOME;

const COURSE: &str = "course";
const PREINST: &str = "preinst";

/// Writes a course.
pub fn write(root: &Root, course: &[Act]) -> Result<(), Error> {
    let mut lines = String::new();
    root.create_dir_all(format!("{HOME}/{PREINST}"), 0o755)?;
    for (number, act) in course.iter().enumerate() {
        match act {
            Act::Preinst(preinst) => {
                let words = [std::slice::from_ref(&preinst.package), &preinst.arguments].concat();
                lines += &format!("{PREINST} {number} {}\n", words.join(" "));
                let at = format!("{HOME}/{PREINST}/{number}");
                root.create_dir_all(&at, 0o755)?;
                for file in &preinst.files {
                    root.write(format!("{at}/{}", file.name), file.mode, &file.bytes)?;
                }
                let variables: String = preinst
                    .variables
                    .iter()
                    .map(|(name, value)| format!("{name}={value}\n"))
                    .collect();
                root.write(format!("{at}.variables"), 0o644, variables.as_bytes())?;
            }
            Act::Configure(packages) => {
                let words = [&["configure".to_owned()], packages.as_slice()].concat();
                lines += &format!("{}\n", words.join(" "));
            }
        }
    }
    Ok(root.write(format!("{HOME}/{COURSE}"), 0o644, lines.as_bytes())?)
}

/// Reads a course.
pub fn read(root: &Root) -> Result<Vec<Act>, Error> {
    let text = text(root, COURSE)?;
    text.lines()
        .map(|line| {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("configure") => Ok(Act::Configure(words.map(str::to_owned).collect())),
                Some(PREINST) => {
                    let number = words
                        .next()
                        .filter(|number| number.parse::<usize>().is_ok())
                        .ok_or_else(|| malformed(COURSE, line))?;
                    let package = words.next().ok_or_else(|| malformed(COURSE, line))?;
                    preinst(root, number, package, words.map(str::to_owned).collect())
                }
                _ => Err(malformed(COURSE, line)),
            }
        })
        .collect()
}

fn preinst(root: &Root, number: &str, package: &str, arguments: Vec<String>) -> Result<Act, Error> {
    let file = format!("{PREINST}/{number}.variables");
    let variables: Vec<(String, String)> = text(root, &file)?
        .lines()
        .map(|line| {
            let (name, value) = line.split_once('=').ok_or_else(|| malformed(&file, line))?;
            Ok((name.to_owned(), value.to_owned()))
        })
        .collect::<Result<_, Error>>()?;
    let at = format!("{HOME}/{PREINST}/{number}");
    let mut files = Vec::new();
    for entry in root.read_dir(&at)? {
        let Ok(name) = String::from_utf8(entry.name) else {
            continue;
        };
        let path = format!("{at}/{name}");
        if let Some(stat) = root.lstat(&path)?.filter(|stat| stat.kind == FileKind::File) {
            files.push(ControlFile {
                name,
                mode: stat.mode & 0o7777,
                bytes: root.read(&path)?,
            });
        }
    }
    Ok(Act::Preinst(Preinst {
        package: package.to_owned(),
        arguments,
        variables,
        files,
    }))
}

fn text(root: &Root, name: &str) -> Result<String, Error> {
    let bytes = root.read(format!("{HOME}/{name}"))?;
    String::from_utf8(bytes).map_err(|_| malformed(name, "bytes that are no text"))
}

fn malformed(file: &str, line: &str) -> Error {
    Error::SecondStage {
        file: format!("/{HOME}/{file}"),
        found: line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap();
        (dir, root)
    }

    #[test]
    fn a_course_and_back() {
        let (_dir, root) = root();
        let file = |name: &str, mode, bytes: &[u8]| ControlFile {
            name: name.into(),
            mode,
            bytes: bytes.to_vec(),
        };
        let course = vec![
            Act::Preinst(Preinst {
                package: "base-passwd".into(),
                arguments: vec!["install".into()],
                variables: vec![("DPKG_ROOT".into(), String::new()), ("A".into(), "b=c".into())],
                files: vec![
                    file("control", 0o644, b"Package: base-passwd\n"),
                    file("preinst", 0o755, b"#!/bin/sh\n\xff"),
                ],
            }),
            Act::Configure(vec!["libc6:arm64".into(), "dash".into()]),
            Act::Configure(Vec::new()),
        ];
        write(&root, &course).unwrap();
        let mut found = read(&root).unwrap();
        if let Some(Act::Preinst(preinst)) = found.first_mut() {
            preinst.files.sort_by(|one, other| one.name.cmp(&other.name));
        }
        assert_eq!(found, course);
    }

    #[test]
    fn what_has_another_form_is_said() {
        let (_dir, root) = root();
        write(&root, &[]).unwrap();
        for line in [
            "run this",
            "preinst",
            "preinst 0",
            "preinst ../../etc base install",
        ] {
            root.write(format!("{HOME}/{COURSE}"), 0o644, format!("{line}\n").as_bytes())
                .unwrap();
            let error = read(&root).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("/bareroot/course is not as bareroot writes it: `{line}`")
            );
        }
    }
}
