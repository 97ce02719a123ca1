#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program of the root"
)]

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode};

const DATABASE: &str = "/var/lib/dpkg";

/// `dpkg --status-fd=1 --configure -a`, as far as packages without conffile questions need it: runs the postinst of every
/// package that is unpacked, tells as dpkg does, and records what it did.
pub fn main(words: &[String]) -> ExitCode {
    if !words.iter().any(|word| word == "--configure") || !words.iter().any(|word| word == "-a") {
        eprintln!("dpkg: error: only --configure -a is known here, not {words:?}");
        return ExitCode::from(2);
    }
    match configure() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("dpkg: error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether all went well.
fn configure() -> io::Result<bool> {
    let path = format!("{DATABASE}/status");
    let status = fs::read_to_string(&path)?;
    let mut stanzas: Vec<String> = status
        .split("\n\n")
        .map(|stanza| stanza.trim_matches('\n').to_owned())
        .collect();
    stanzas.retain(|stanza| !stanza.is_empty());
    let mut order: Vec<usize> = (0..stanzas.len()).collect();
    order.sort_by_key(|place| field(&stanzas[*place], "Package").to_owned());
    let mut well = true;
    for place in order {
        if field(&stanzas[place], "Status") != "install ok unpacked" {
            continue;
        }
        let state = match one(&stanzas[place])? {
            true => "install ok installed",
            false => "install ok half-configured",
        };
        well &= state.ends_with(" installed");
        stanzas[place] = stanzas[place].replacen("install ok unpacked", state, 1);
        let text = format!("{}\n\n", stanzas.join("\n\n"));
        fs::copy(&path, format!("{DATABASE}/status-old"))?;
        fs::write(&path, text)?;
    }
    Ok(well)
}

fn one(stanza: &str) -> io::Result<bool> {
    let (name, arch) = (field(stanza, "Package"), field(stanza, "Architecture"));
    let version = field(stanza, "Version");
    let same = field(stanza, "Multi-Arch") == "same";
    let shown = if same {
        format!("{name}:{arch}")
    } else {
        name.to_owned()
    };
    say(&format!("processing: configure: {shown}"))?;
    say(&format!("Setting up {shown} ({version}) ..."))?;
    log(&format!("configure {name}:{arch} {version} <none>"))?;
    say(&format!("status: {shown}: half-configured"))?;
    let script = format!("{DATABASE}/info/{shown}.postinst");
    if Path::new(&script).exists() {
        let status = Command::new(&script)
            .args(["configure", ""])
            .env("DPKG_MAINTSCRIPT_PACKAGE", name)
            .env("DPKG_MAINTSCRIPT_NAME", "postinst")
            .env("DPKG_ROOT", "")
            .status()?;
        if !status.success() {
            use std::os::unix::process::ExitStatusExt as _;
            let how = match (status.code(), status.signal()) {
                (Some(code), _) => format!("returned error exit status {code}"),
                (None, signal) => format!("was killed by signal ({})", signal.unwrap_or_default()),
            };
            let message = format!("installed {shown} package post-installation script subprocess {how}");
            eprintln!("dpkg: error processing package {shown} (--configure):\n {message}");
            say(&format!("status: {shown} : error : {message}"))?;
            return Ok(false);
        }
    }
    say(&format!("status: {shown}: installed"))?;
    log(&format!("status installed {name}:{arch} {version}"))?;
    Ok(true)
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn log(line: &str) -> io::Result<()> {
    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .open("/var/log/dpkg.log")?;
    writeln!(log, "{line}")
}

fn field<'s>(stanza: &'s str, name: &str) -> &'s str {
    let value = |line: &'s str| line.strip_prefix(name)?.strip_prefix(": ");
    stanza.lines().find_map(value).unwrap_or_default()
}
