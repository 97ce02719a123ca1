//! What a run says: to people, to programs, to Chrome, to a terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::{COLUMNS, in_terminal, is_there};
use bareroot_testkit::harness::Case;
use bareroot_testkit::programs::script;
use bareroot_testkit::{base, cases};
use serde_json::Value;

use crate::{door, repository, text};

pub const CASES: &[Case] = cases![
    Root: plain_lines, quiet, verbose, events_as_documented, a_failure_is_an_event, a_trace_for_chrome, bars,
        bars_of_a_run_that_fails, a_dumb_terminal_has_no_bars;
    Nothing: a_plan_as_documented, distros, help_and_version, a_closed_pipe, names_cannot_drive_the_terminal;
];

fn hello() -> DebBuilder {
    base::package("hello", "1.0")
        .file("/usr/bin/hello", "hello")
        .script("postinst", script("echo hello from postinst"))
}

fn plain_lines() {
    let door = door(&repository(&[hello()]));
    let run = door.bootstrap(&["--include", "hello"]).succeeded();
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", run.stderr);
    assert!(
        lines[0].starts_with("5 packages, ") && lines[1].starts_with("5 packages, "),
        "{}",
        run.stderr
    );
    assert_eq!(run.stdout, "");
}

fn quiet() {
    let door = door(&repository(&[]));
    let run = door.bootstrap(&["--quiet"]).succeeded();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}

fn verbose() {
    let door = door(&repository(&[hello()]));
    let run = door.bootstrap(&["--include", "hello", "--verbose"]).succeeded();
    run.says(&[
        "fetched http://127.0.0.1:",
        "unpacked hello (5 B)",
        "configuring hello",
        "  hello from postinst",
    ]);
}

/// The tables of `docs/events.md`: for each heading the members and their types.
fn schema() -> BTreeMap<String, BTreeMap<String, String>> {
    let mut tables: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut heading = String::new();
    for line in include_str!("../../docs/events.md").lines() {
        if let Some(name) = line.strip_prefix("### ") {
            heading = name.trim_matches('`').to_owned();
            tables.insert(heading.clone(), BTreeMap::new());
        } else if let Some(row) = line.strip_prefix("| `") {
            let mut cells = row
                .split('|')
                .map(|cell| cell.trim().trim_matches('`').to_owned());
            let (name, kind) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
            tables.entry(heading.clone()).or_default().insert(name, kind);
        }
    }
    tables
}

const PHASES: [&str; 9] = [
    "plan",
    "index",
    "solve",
    "prepare",
    "fetch",
    "unpack",
    "record",
    "configure",
    "finish",
];

#[track_caller]
fn assert_is(value: &Value, kind: &str, line: &str) {
    let right = match kind {
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.as_f64().is_some_and(|number| number >= 0.0),
        "boolean" => value.is_boolean(),
        "integer or null" => value.is_u64() || value.is_null(),
        "string or null" => value.is_string() || value.is_null(),
        "strings" => value
            .as_array()
            .is_some_and(|words| words.iter().all(Value::is_string)),
        "repositories" => value.as_array().is_some_and(|all| !all.is_empty()),
        "phase" => value.as_str().is_some_and(|word| PHASES.contains(&word)),
        "reason" => match value["why"].as_str() {
            Some("variant") => value["rule"].is_string(),
            Some("wished") => value.as_object().is_some_and(|members| members.len() == 1),
            Some("dependency") => ["of", "kind", "relation"]
                .iter()
                .all(|member| value[member].is_string()),
            _ => false,
        },
        other => panic!("docs/events.md has a type `{other}` that this test does not know"),
    };
    assert!(right, "{value} is no {kind} in {line}");
}

/// Checks a line against its table; gives the event's name.
#[track_caller]
fn assert_documented(line: &str, schema: &BTreeMap<String, BTreeMap<String, String>>) -> String {
    let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let members = value.as_object().unwrap_or_else(|| panic!("no object: {line}"));
    let name = members["event"].as_str().unwrap_or_default().to_owned();
    let table = schema
        .get(&name)
        .unwrap_or_else(|| panic!("`{name}` is not documented: {line}"));
    let found: BTreeSet<&str> = members
        .keys()
        .map(String::as_str)
        .filter(|name| *name != "event")
        .collect();
    assert_eq!(found, table.keys().map(String::as_str).collect(), "{line}");
    for (member, kind) in table {
        assert_is(&members[member], kind, line);
    }
    name
}

fn events_as_documented() {
    let schema = schema();
    let door = door(&repository(&[hello()]));
    // Twice: what the cache has is told otherwise.
    let mut seen = BTreeSet::new();
    for options in [
        &["--customize-hook", "echo a line"][..],
        &["--no-check-valid-until"],
    ] {
        let run = door
            .bootstrap(&[&["--json", "--include", "hello"], options].concat())
            .succeeded();
        assert_eq!(run.stderr, "");
        let names: Vec<String> = run
            .stdout
            .lines()
            .map(|line| assert_documented(line, &schema))
            .collect();
        assert_eq!(names.last().map(String::as_str), Some("done"));
        let count = |name: &str| names.iter().filter(|found| *found == name).count();
        assert_eq!(
            (
                count("unpacked"),
                count("configured"),
                count("planned"),
                count("done")
            ),
            (5, 5, 1, 1)
        );
        assert_eq!(count("phase-started"), count("phase-finished"));
        seen.extend(names);
        fs::remove_dir_all(door.target()).unwrap();
    }
    // Whatever is documented happens; some of it only elsewhere.
    let elsewhere = [
        "failed",
        "package",
        "warning",
        "note",
        "deb release",
        "rpm release",
        "repository",
        // What only a clone tells.
        "copy-planned",
        "copy-progress",
        "input",
        "passed",
        "copied",
    ];
    let missing: Vec<&String> = schema
        .keys()
        .filter(|name| !elsewhere.contains(&name.as_str()) && !seen.contains(*name))
        .collect();
    assert_eq!(missing, Vec::<&String>::new());
}

fn a_failure_is_an_event() {
    let door = door(&repository(&[
        base::package("bad", "1").script("postinst", script("exit 3"))
    ]));
    let run = door.bootstrap(&["--json", "--include", "bad"]).ended_with(7);
    let schema = schema();
    let names: Vec<String> = run
        .stdout
        .lines()
        .map(|line| assert_documented(line, &schema))
        .collect();
    assert_eq!(names.last().map(String::as_str), Some("failed"));
    let last: Value = serde_json::from_str(run.stdout.lines().last().unwrap_or_default()).unwrap();
    assert_eq!(last["code"], 7);
    let message = last["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("`bad`") && run.stderr.contains(message.lines().next().unwrap_or_default()),
        "{message}"
    );
    door.assert_nothing_left();
}

fn a_trace_for_chrome() {
    let door = door(&repository(&[hello()]));
    let path = door.path("trace.json");
    door.bootstrap(&["--include", "hello", "--trace", &path.to_string_lossy()])
        .succeeded();
    let trace: Value = serde_json::from_str(&text(&path)).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    for event in events {
        assert_eq!(event["ph"], "X", "{event}");
        assert!(
            ["name", "cat"].iter().all(|member| event[member].is_string()),
            "{event}"
        );
        assert!(
            ["pid", "tid", "ts", "dur"]
                .iter()
                .all(|member| event[member].is_u64()),
            "{event}"
        );
    }
    let names: BTreeSet<&str> = events.iter().filter_map(|event| event["name"].as_str()).collect();
    for name in PHASES
        .into_iter()
        .chain(["unpack hello", "configure hello", "preinst base-passwd"])
    {
        assert!(names.contains(name), "no `{name}` in {names:?}");
    }
    // On one thread, spans lie beside or within each other.
    for first in events {
        let overlaps = events.iter().filter(|second| {
            let (start, end) = (span(first).0, span(first).1);
            let (other, other_end) = span(second);
            first["tid"] == second["tid"] && start < other && other < end && end + 1 < other_end
        });
        assert_eq!(overlaps.count(), 0, "{first}");
    }
    // A run that fails has one too; a file that cannot be written is said.
    fs::remove_dir_all(door.target()).unwrap();
    door.bootstrap(&["--include", "nothing", "--trace", &path.to_string_lossy()])
        .ended_with(3);
    assert!(serde_json::from_str::<Value>(&text(&path)).is_ok());
    door.bootstrap(&["--trace", "/proc/nowhere/trace"])
        .failed(6, &["cannot write `/proc/nowhere/trace`"]);
}

fn span(event: &Value) -> (u64, u64) {
    let start = event["ts"].as_u64().unwrap_or_default();
    (start, start + event["dur"].as_u64().unwrap_or_default())
}

/// What a terminal shows in the end: carriage returns, line feeds, cursor movement and erasing, and lines that go on
/// below when the last column is passed, as indicatif uses them.
fn screen(written: &str) -> Vec<String> {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0, 0);
    let mut characters = written.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => column = 0,
            '\n' => {
                row += 1;
                if row == lines.len() {
                    lines.push(Vec::new());
                }
            }
            '\x1b' if characters.next_if_eq(&'[').is_some() => {
                let mut number = String::new();
                while let Some(digit) = characters.next_if(|c| c.is_ascii_digit() || *c == ';' || *c == '?') {
                    number.push(digit);
                }
                let count = number.parse().unwrap_or(1usize);
                match characters.next() {
                    Some('A') => row = row.saturating_sub(count),
                    Some('B') => row = (row + count).min(lines.len() - 1),
                    Some('K') if number == "2" => lines[row].clear(),
                    Some('K') => lines[row].truncate(column),
                    Some('J') => {
                        lines.truncate(row + 1);
                        lines[row].truncate(column);
                    }
                    _ => {}
                }
            }
            character => {
                if column == COLUMNS {
                    (row, column) = (row + 1, 0);
                    lines.resize(lines.len().max(row + 1), Vec::new());
                }
                let line = &mut lines[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = character;
                column += 1;
            }
        }
    }
    let lines = lines
        .iter()
        .map(|line| line.iter().collect::<String>().trim_end().to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

fn bars() {
    let slow = base::package("slow", "1").script("postinst", script("sleep 1"));
    let door = door(&repository(&[slow]));
    let mut command = door.bootstrap_command(&["--include", "slow"]);
    command.env("TERM", "xterm");
    let (code, written) = in_terminal(command);
    assert_eq!(code, Some(0), "{written}");
    for word in ["configure", "fetched", "unpacked", "configured", "slow", "5 / 5"] {
        assert!(written.contains(word), "no `{word}` in {written:?}");
    }
    let shown = screen(&written);
    assert_eq!(shown.len(), 1, "{shown:#?} {written:?}");
    assert!(shown[0].starts_with("5 packages, "), "{shown:#?}");
}

fn bars_of_a_run_that_fails() {
    let bad = base::package("bad", "1").script("postinst", script("sleep 1\necho oh dear\nexit 3"));
    let door = door(&repository(&[bad]));
    let mut command = door.bootstrap_command(&["--include", "bad"]);
    command.env("TERM", "xterm");
    let (code, written) = in_terminal(command);
    assert_eq!(code, Some(7), "{written}");
    let shown = screen(&written);
    assert!(
        shown[0].starts_with("error: the postinst script of package `bad` failed"),
        "{shown:#?}"
    );
    assert!(shown.iter().any(|line| line == "  oh dear"), "{shown:#?}");
    door.assert_nothing_left();
}

fn a_dumb_terminal_has_no_bars() {
    let door = door(&repository(&[]));
    let mut command = door.bootstrap_command(&[]);
    command.env("TERM", "dumb");
    let (code, written) = in_terminal(command);
    assert_eq!(code, Some(0), "{written}");
    assert!(!written.contains('\x1b'), "{written:?}");
}

fn a_plan_as_documented() {
    let door = door(&repository(&[
        hello(),
        base::package("top", "1").field("Depends", "hello"),
    ]));
    let run = door.resolve(&["--json", "--include", "top"]).succeeded();
    let plan: Value = serde_json::from_str(&run.stdout).unwrap();
    let schema = schema();
    let packages = plan["packages"].as_array().unwrap();
    for package in packages {
        let members = package.as_object().unwrap();
        let found: BTreeSet<&String> = members.keys().collect();
        assert_eq!(found, schema["package"].keys().collect(), "{package}");
        for (member, kind) in &schema["package"] {
            assert_is(&members[member], kind, &package.to_string());
        }
        assert_eq!(package["sha256"].as_str().map(str::len), Some(64));
    }
    let place = |name: &str| {
        packages
            .iter()
            .position(|package| package["name"] == name)
            .unwrap()
    };
    assert!(place("hello") < place("top"), "dependencies come first");
    let hello = &packages[place("hello")];
    assert_eq!(
        hello["url"],
        format!(
            "{}/pool/main/hello/hello_1.0_{}.deb",
            door.mirror.url(),
            base::ARCH
        )
    );
    assert_eq!(hello["reason"]["of"], "top");
    assert_eq!(packages[place("top")]["reason"]["why"], "wished");
    assert_eq!(packages[place("dpkg")]["reason"]["why"], "variant");
}

fn distros() {
    let door = door(&repository(&[]));
    let run = bareroot_testkit::door::run(door.command(["distros"])).succeeded();
    assert!(
        run.stdout
            .lines()
            .any(|line| line.starts_with("debian:trixie ") && line.contains("stable"))
    );
    run.stdout
        .lines()
        .find(|line| line.starts_with("rocky:8 ") && line.contains(" bdb "))
        .unwrap_or_else(|| panic!("{}", run.stdout));
    let run = bareroot_testkit::door::run(door.command(["distros", "--json"])).succeeded();
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let releases = document["releases"].as_array().unwrap();
    assert!(
        releases
            .iter()
            .any(|release| release["spec"] == "ubuntu:noble" && release["version"] == "24.04")
    );
    let schema = schema();
    let documented = |value: &Value, heading: &str| {
        let line = value.to_string();
        let found: BTreeSet<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        let table = &schema[heading];
        assert_eq!(found, table.keys().map(String::as_str).collect(), "{line}");
        for (member, kind) in table {
            assert_is(&value[member], kind, &line);
        }
    };
    for release in releases {
        documented(
            release,
            &format!("{} release", release["family"].as_str().unwrap()),
        );
        for repository in release["repositories"].as_array().into_iter().flatten() {
            documented(repository, "repository");
        }
    }
    let fedora = releases
        .iter()
        .find(|release| release["spec"] == "fedora:43")
        .unwrap();
    assert_eq!(fedora["database"], "sqlite");
    assert_eq!(fedora["repositories"][0]["id"], "fedora");
}

fn help_and_version() {
    let door = door(&repository(&[]));
    for words in [
        &["--help"][..],
        &["bootstrap", "--help"],
        &["resolve", "--help"],
        &["--version"],
    ] {
        let run = bareroot_testkit::door::run(door.command(words)).succeeded();
        assert!(!run.stdout.is_empty() && run.stderr.is_empty(), "{words:?}");
    }
}

fn a_closed_pipe() {
    let door = door(&repository(&[]));
    let mut command = door.resolve_command(&[]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = command
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&status.stderr), "");
    assert_eq!(status.status.code(), Some(0));
}

fn names_cannot_drive_the_terminal() {
    let door = door(&repository(&[]));
    let run = door.resolve(&["--include", "evil\x1b[2Jname"]).ended_with(2);
    assert!(!run.stderr.contains('\x1b'), "{:?}", run.stderr);
    assert!(!is_there(&door.target()));
}
