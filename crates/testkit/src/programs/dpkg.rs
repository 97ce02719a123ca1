#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program of the root"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode};

const DATABASE: &str = "/var/lib/dpkg";

/// `dpkg --status-fd=N --configure -a` or with names in place of `-a`, as far as packages without conffile questions need
/// it: runs the postinst of every package that is unpacked, tells as dpkg does, and records what it did.
pub fn main(words: &[String]) -> ExitCode {
    let (options, names): (Vec<&String>, Vec<&String>) = words.iter().partition(|word| word.starts_with('-'));
    let has = |option: &str| options.iter().any(|word| *word == option);
    if !has("--configure") || has("-a") != names.is_empty() {
        eprintln!("dpkg: error: only --configure is known here, of names or with -a, not {words:?}");
        return ExitCode::from(2);
    }
    let descriptor = options.iter().find_map(|word| word.strip_prefix("--status-fd="));
    // Opened anew, it is not handed on to scripts.
    let path = format!("/proc/self/fd/{}", descriptor.unwrap_or("1"));
    let news = OpenOptions::new().append(true).open(path);
    match news.and_then(|news| Dpkg { news }.configure(&names)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("dpkg: error: {error}");
            ExitCode::from(2)
        }
    }
}

struct Dpkg {
    news: File,
}

impl Dpkg {
    /// Configures the packages of these names, or all; tells whether all went well.
    fn configure(&mut self, names: &[&String]) -> io::Result<bool> {
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
            let stanza = &stanzas[place];
            let wanted = |name: &&String| *name == field(stanza, "Package") || **name == shown(stanza);
            let left_out = !names.is_empty() && !names.iter().any(wanted);
            let due =
                ["install ok unpacked", "install ok half-configured"].contains(&field(stanza, "Status"));
            if left_out || !due {
                continue;
            }
            let state = match self.one(stanza)? {
                true => "install ok installed",
                false => "install ok half-configured",
            };
            well &= state.ends_with(" installed");
            let before = field(&stanzas[place], "Status").to_owned();
            stanzas[place] = stanzas[place].replacen(&before, state, 1);
            let text = format!("{}\n\n", stanzas.join("\n\n"));
            fs::copy(&path, format!("{DATABASE}/status-old"))?;
            fs::write(&path, text)?;
        }
        Ok(well)
    }

    fn one(&mut self, stanza: &str) -> io::Result<bool> {
        let (name, arch) = (field(stanza, "Package"), field(stanza, "Architecture"));
        let (shown, version) = (shown(stanza), field(stanza, "Version"));
        self.tell(&format!("processing: configure: {shown}"))?;
        println!("Setting up {shown} ({version}) ...");
        io::stdout().flush()?;
        log(&format!("configure {name}:{arch} {version} <none>"))?;
        self.tell(&format!("status: {shown}: half-configured"))?;
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
                self.tell(&format!("status: {shown} : error : {message}"))?;
                return Ok(false);
            }
        }
        self.tell(&format!("status: {shown}: installed"))?;
        log(&format!("status installed {name}:{arch} {version}"))?;
        Ok(true)
    }

    fn tell(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.news, "{line}")
    }
}

/// A package's name as dpkg shows it.
fn shown(stanza: &str) -> String {
    let name = field(stanza, "Package");
    match field(stanza, "Multi-Arch") {
        "same" => format!("{name}:{}", field(stanza, "Architecture")),
        _ => name.to_owned(),
    }
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
