//! Small universes, written by hand; `cargo xtask peers solve` compares with apt on real ones.

mod features;
mod refusals;
mod stages;

use super::{Error, Selection, Settings, Source, Stage, Universe, Want, select};
use crate::packages::{Index, IndexInfo, Limits};

/// An index from lines `name version [arch] | Field: value | ...`; the architecture is amd64 when it is left out.
fn index(source: u32, lines: &str) -> Index {
    let mut text = String::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut parts = line.split(" | ");
        let mut words = parts.next().unwrap_or_default().split_whitespace();
        let (name, version) = (words.next().unwrap(), words.next().unwrap());
        let arch = words.next().unwrap_or("amd64");
        text += &format!("Package: {name}\nVersion: {version}\nArchitecture: {arch}\n");
        for field in parts {
            // Alternatives are written with `||` here.
            text += &field.replace("||", "|");
            text.push('\n');
        }
        text.push('\n');
    }
    Index::read(text.as_bytes(), IndexInfo::new(source, "test"), Limits::default()).unwrap()
}

fn packages(wishes: &str) -> Stage {
    Stage::new(
        wishes
            .split_whitespace()
            .map(|wish| Want::Package(wish.parse().unwrap())),
    )
}

/// What `wishes` lead to, as `name` or `name=version` where `with_versions`, in the selection's order.
fn shown(selection: &Selection<'_>, with_versions: bool) -> String {
    let names = selection.packages.iter().map(|chosen| {
        let stanza = chosen.stanza;
        let arch = match stanza.architecture() {
            "amd64" | "all" => String::new(),
            foreign => format!(":{foreign}"),
        };
        let version = if with_versions {
            format!("={}", stanza.version())
        } else {
            String::new()
        };
        format!("{}{arch}{version}", stanza.name())
    });
    names.collect::<Vec<_>>().join(" ")
}

fn run(lines: &str, settings: &Settings, wishes: &str) -> Result<String, Error> {
    let indexes = [index(0, lines)];
    let sources = [Source::new("trixie")];
    let selection = select(&Universe::new(&indexes, &sources), settings, &[packages(wishes)])?;
    Ok(shown(&selection, false))
}

/// The names that the wishes lead to, sorted; or the error's text.
fn chosen(lines: &str, wishes: &str) -> String {
    match run(lines, &Settings::new("amd64"), wishes) {
        Ok(names) => sorted(&names),
        Err(error) => error.to_string(),
    }
}

fn sorted(names: &str) -> String {
    let mut names: Vec<&str> = names.split(' ').collect();
    names.sort_unstable();
    names.join(" ")
}
