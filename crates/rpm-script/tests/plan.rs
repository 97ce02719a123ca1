//! The steps of transactions against what rpm ran.
//!
//! `plan/recorded.txt` holds random transactions: each was written as a spec file, built with rpmbuild 4.18.0 and installed by
//! `rpm --root` 4.18.0 into an empty root, every third with `--excludedocs`, together with a shell. Scriptlets of all kinds
//! and triggers of all kinds wrote their names, arguments and input into one log, which stands after the packages; these
//! stand in the order of their numbers in the database. Lines: `script TAG PROGRAM BODY`, `trigger PRIORITY PROGRAM BODY`,
//! `trigger-on INDEX FLAGS EVR NAME`, `file FATE DIRECTORY NAME`; the fate is `n` for a file that is there, `s` for one that
//! a package before has, `u` for one that is not installed. In the log `S` is a step, `P` one that has a program and no body.

use std::fmt::Write as _;

use bareroot_rpm::{DependencyKind, Header, Limits, State, Tag};
use bareroot_rpm_script::{Installed, Placed, Step, plan};
use bareroot_testkit::headers::Builder;

const RECORDED: &str = include_str!("plan/recorded.txt");

#[derive(Default)]
struct Run {
    number: String,
    packages: Vec<(Builder, Vec<Placed>)>,
    log: String,
}

fn runs(text: &'static str) -> Vec<Run> {
    let mut all: Vec<Run> = Vec::new();
    let mut in_log = false;
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "run" => {
                in_log = false;
                all.push(Run {
                    number: rest.to_owned(),
                    ..Run::default()
                });
            }
            "log" => in_log = true,
            _ if in_log => {
                let log = &mut all.last_mut().expect("a run").log;
                // The name of the temporary file is not ours to foresee.
                let words = line
                    .split(' ')
                    .filter(|word| !word.starts_with("/var/tmp/rpm-tmp."));
                writeln!(log, "{}", words.collect::<Vec<_>>().join(" ")).expect("a text");
            }
            "package" => {
                let run = all.last_mut().expect("a run");
                run.packages.push((Builder::new(rest), Vec::new()));
            }
            _ => {
                let run = all.last_mut().expect("a run");
                let (builder, files) = run.packages.last_mut().expect("a package");
                entry(builder, files, word, rest);
            }
        }
    }
    all
}

fn entry(builder: &mut Builder, files: &mut Vec<Placed>, word: &str, rest: &'static str) {
    let hex = |text: &str| u32::from_str_radix(text, 16).expect("a number");
    let evr = |evr: &'static str| if evr == "-" { "" } else { evr };
    let fields = |count: usize| -> Vec<&'static str> { rest.splitn(count, ' ').collect() };
    let tags = |kind: &str| match kind {
        "trigger" => [1065, 1092, 1066, 1068, 1067, 1069, 0],
        "filetrigger" => [5066, 5067, 5069, 5072, 5071, 5070, 5084],
        "transfiletrigger" => [5076, 5077, 5079, 5082, 5081, 5080, 5085],
        other => panic!("{other}"),
    };
    match word {
        "provides" => {
            let fields = fields(3);
            builder.dependency(
                DependencyKind::Provides.tags().map(|tag| tag.0),
                hex(fields[0]),
                evr(fields[1]),
                fields[2],
            );
        }
        "script" => {
            let fields = fields(3);
            let (body, program) = match fields[0] {
                "PREIN" => (Tag::PREIN, Tag::PREINPROG),
                "POSTIN" => (Tag::POSTIN, Tag::POSTINPROG),
                "PRETRANS" => (Tag::PRETRANS, Tag::PRETRANSPROG),
                "POSTTRANS" => (Tag::POSTTRANS, Tag::POSTTRANSPROG),
                other => panic!("{other}"),
            };
            builder.text(program.0, fields[1]);
            builder.text(body.0, fields[2]);
        }
        "file" => {
            let fields = fields(3);
            builder.file(0o100_644, 0, fields[1], fields[2], &[]);
            files.push(Placed {
                path: format!("{}{}", fields[1], fields[2]).into_bytes().into(),
                state: if fields[0] == "u" {
                    State::NotInstalled
                } else {
                    State::Normal
                },
                skipped: fields[0] != "n",
            });
        }
        _ => match word.strip_suffix("-on") {
            Some(kind) => {
                let (fields, tags) = (fields(4), tags(kind));
                builder.word(tags[5], fields[0].parse().expect("an index"));
                builder.word(tags[3], hex(fields[1]));
                builder.string(tags[4], evr(fields[2]));
                builder.string(tags[2], fields[3]);
            }
            None => {
                let (fields, tags) = (fields(3), tags(word));
                if tags[6] != 0 {
                    builder.word(tags[6], fields[0].parse().expect("a priority"));
                }
                builder.string(tags[1], fields[1]);
                builder.string(tags[0], fields.get(2).copied().unwrap_or_default());
            }
        },
    }
}

/// What a step writes into the log.
fn logged(step: &Step) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let body = text(step.program.body.as_deref().expect("a body"));
    let arguments: Vec<String> = step.arguments.iter().map(u32::to_string).collect();
    let arguments = arguments.join(" ");
    let program = text(&step.program.interpreter[0]);
    let name = body.split_once("S ").map(|(_, rest)| {
        rest.split(['$', '"'])
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    });
    let mut log = match name {
        Some(name) => format!("S {name} {arguments}\n"),
        None => format!("P {program} {arguments}\n"),
    };
    for path in &step.input {
        writeln!(log, " {}", text(path)).expect("a text");
    }
    log
}

fn built(builder: Builder) -> Header {
    let bytes = builder.bytes();
    Header::parse("made", bytes, Tag::HEADERIMMUTABLE, &Limits::default()).expect("a header")
}

#[test]
fn scriptlets_and_triggers_run_as_rpm_runs_them() {
    let recorded = runs(RECORDED);
    assert!(recorded.len() >= 50, "{}", recorded.len());
    let mut wrong = Vec::new();
    for run in recorded {
        let (builders, files): (Vec<Builder>, Vec<Vec<Placed>>) = run.packages.into_iter().unzip();
        let made: Vec<Header> = builders.into_iter().map(built).collect();
        let installed: Vec<Installed<'_>> = made
            .iter()
            .zip(&files)
            .map(|(header, files)| Installed { header, files })
            .collect();
        let found: String = plan(&installed).steps.iter().map(logged).collect();
        assert!(run.log.starts_with("S "), "{}", run.number);
        if found != run.log {
            let line = found.lines().zip(run.log.lines()).position(|(a, b)| a != b);
            let at = line.unwrap_or(found.lines().count().min(run.log.lines().count()));
            let around = |text: &str| -> Vec<String> {
                text.lines()
                    .skip(at.saturating_sub(3))
                    .take(6)
                    .map(str::to_owned)
                    .collect()
            };
            wrong.push(format!(
                "run {}, line {at}: {:?}, rpm: {:?}",
                run.number,
                around(&found),
                around(&run.log)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}: {}", wrong.len(), wrong.join("\n"));
}
