//! From a lock to a text.

use std::fmt::Write as _;

use bareroot_model::Reason;
use sha2::{Digest as _, Sha256};

use super::{Checksum, Deb, Family, Lock, Package, Root, Rpm, Source, VERSION};

/// The text of a lock.
pub fn render(lock: &Lock) -> String {
    let content = content(lock);
    format!(
        "# What was chosen, by `bareroot lock`, which writes this file: it is not to be edited.\n\
         version = {VERSION}\ncontent = \"{}\"\n{content}",
        digest(&content)
    )
}

/// The SHA-256 of what stands below the line `content`; line ends of another system do not matter.
pub(super) fn digest(content: &str) -> String {
    let mut hasher = Sha256::new();
    for line in content.lines() {
        hasher.update(line);
        hasher.update("\n");
    }
    bareroot_model::Digest::new(hasher.finalize().into()).to_string()
}

fn content(lock: &Lock) -> String {
    let mut out = String::new();
    if let Some(recipe) = &lock.recipe {
        let _ = writeln!(out, "recipe = {}", text(recipe));
    }
    let _ = writeln!(out, "meaning = \"{}\"\n\n[made-from]", lock.made_from.digest());
    for (option, value) in lock.made_from.iter() {
        let _ = writeln!(out, "{option} = {value}");
    }
    for root in &lock.roots {
        root_text(&mut out, root);
    }
    out
}

fn root_text(out: &mut String, root: &Root) {
    let _ = writeln!(out, "\n[[root]]\narch = {}", text(&root.arch));
    if let Some(epoch) = root.epoch {
        let _ = writeln!(out, "epoch = {epoch}");
    }
    // Values come before the tables: in TOML what follows a table belongs to it.
    out.push_str("packages = [\n");
    for package in &root.packages {
        let _ = writeln!(out, "  {{ {} }},", package_text(package));
    }
    out.push_str("]\n");
    match &root.family {
        Family::Deb(deb) => deb_text(out, deb),
        Family::Rpm(rpm) => rpm_text(out, rpm),
    }
    for source in &root.sources {
        source_text(out, source);
    }
}

fn deb_text(out: &mut String, deb: &Deb) {
    out.push_str("\n[root.deb]\n");
    if !deb.foreign.is_empty() {
        let _ = writeln!(out, "foreign = {}", list(&deb.foreign));
    }
    if let Some(merged) = deb.merged_usr {
        let _ = writeln!(out, "merged-usr = {merged}");
    }
}

fn rpm_text(out: &mut String, rpm: &Rpm) {
    out.push_str("\n[root.rpm]\n");
    if let Some(releasever) = &rpm.releasever {
        let _ = writeln!(out, "releasever = {}", text(releasever));
    }
    let _ = writeln!(out, "wishes = {}", list(&rpm.wishes));
    if !rpm.local.is_empty() {
        let _ = writeln!(out, "local = {}", list(&rpm.local));
    }
    let rows = |out: &mut String, name: &str, rows: Vec<String>| {
        if !rows.is_empty() {
            let _ = writeln!(out, "{name} = [\n{}]", rows.concat());
        }
    };
    let modules = rpm.modules.iter().map(|module| {
        let (name, stream) = (text(&module.name), text(&module.stream));
        let profiles = list(&module.profiles);
        format!("  {{ name = {name}, stream = {stream}, profiles = {profiles} }},\n")
    });
    rows(out, "modules", modules.collect());
    let environments = rpm.environments.iter().map(|environment| {
        let groups = environment
            .groups
            .iter()
            .map(|(id, installed)| format!("[{}, {installed}]", text(id)));
        let groups: Vec<String> = groups.collect();
        let (id, name) = (text(&environment.id), text(&environment.name));
        format!(
            "  {{ id = {id}, name = {name}, groups = [{}] }},\n",
            groups.join(", ")
        )
    });
    rows(out, "environments", environments.collect());
    let groups = rpm.groups.iter().map(|group| {
        let members = group
            .members
            .iter()
            .map(|(name, kind, installed)| format!("    [{}, {}, {installed}],\n", text(name), text(kind)));
        let members: String = members.collect();
        let (id, name, by_user) = (text(&group.id), text(&group.name), group.by_user);
        format!("  {{ id = {id}, name = {name}, by-user = {by_user}, members = [\n{members}  ] }},\n")
    });
    rows(out, "groups", groups.collect());
}

fn source_text(out: &mut String, source: &Source) {
    out.push_str("\n[[root.source]]\n");
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(out, "{name} = {value}");
        }
    };
    let repository = source.repository.as_ref();
    line("id", repository.map(|repository| text(&repository.id)));
    line("uris", Some(list(&source.uris)));
    line("index", Some(text(&source.index)));
    line("sha256", source.sha256.map(|digest| format!("\"{digest}\"")));
    line("date", source.date.as_deref().map(text));
    line("unsigned", source.unsigned.as_deref().map(text));
    line("apt", source.apt.as_deref().map(lines));
    line(
        "priority",
        repository.map(|repository| repository.priority.to_string()),
    );
    line("cost", repository.map(|repository| repository.cost.to_string()));
    line(
        "gpgcheck",
        repository.map(|repository| repository.gpgcheck.to_string()),
    );
    let of_release = repository.filter(|repository| repository.of_release);
    line("of-release", of_release.map(|_| "true".to_owned()));
    let keys = repository
        .map(|repository| &repository.keys)
        .filter(|keys| !keys.is_empty());
    line("keys", keys.map(|keys| list(keys)));
}

fn package_text(package: &Package) -> String {
    let mut out = format!(
        "name = {}, version = {}, arch = {}",
        text(&package.name),
        text(&package.version),
        text(&package.arch)
    );
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(out, ", {name} = {value}");
        }
    };
    field("source", package.source.map(|source| source.to_string()));
    field("path", Some(text(&package.path)));
    field("base", package.base.as_deref().map(text));
    field("size", Some(package.size.to_string()));
    let (name, digest) = match &package.digest {
        Checksum::Sha256(digest) => ("sha256", digest.to_string()),
        Checksum::Sha512(digest) => ("sha512", digest.clone()),
        Checksum::Sha1(digest) => ("sha1", digest.clone()),
    };
    field(name, Some(text(&digest)));
    field("stage", (package.stage > 0).then(|| package.stage.to_string()));
    let yes = |value: bool| value.then(|| "true".to_owned());
    field("auto", yes(package.automatic));
    field("same", yes(package.multi_arch_same));
    field(
        "replaces",
        Some(&package.replaces)
            .filter(|words| !words.is_empty())
            .map(|words| text(words)),
    );
    let reason = match &package.reason {
        Reason::Wished => vec!["wished".to_owned()],
        Reason::Variant { rule } => vec!["variant".to_owned(), rule.clone()],
        Reason::Dependency { of, kind, relation } => vec![kind.clone(), of.clone(), relation.clone()],
    };
    field("why", Some(list(&reason)));
    out
}

/// A string of one line, whatever is in it: a package is a line.
fn text(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// With escapes for what TOML's basic strings cannot have (toml.io, String).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out
}

/// A text of several lines as several lines: a line end after the opening quotes is no part of the string.
fn lines(value: &str) -> String {
    let rows: Vec<String> = value.split('\n').map(escaped).collect();
    format!("\"\"\"\n{}\"\"\"", rows.join("\n"))
}

fn list(words: &[String]) -> String {
    format!(
        "[{}]",
        words.iter().map(|word| text(word)).collect::<Vec<_>>().join(", ")
    )
}
