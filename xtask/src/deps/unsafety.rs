//! Where `unsafe` stands in the sources, and whether a reason stands with it.
//!
//! The compiler denies it outside of modules that allow it, and clippy asks for the comments; this counts, and sees to it
//! that no module allows it but those named here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The modules that may have it: a `sys.rs`, or what is in a directory `sys`, of these rooms.
const ROOMS: [&str; 2] = ["crates/enter/src", "crates/unpack/src"];

/// How far above `unsafe` its reason may begin: a statement may be that long before it comes to that word.
const REACH: usize = 8;

/// What was found.
#[derive(Default)]
pub struct Found {
    files: BTreeMap<String, Counts>,
    /// What must not be.
    pub wrong: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    blocks: usize,
    functions: usize,
    impls: usize,
    others: usize,
}

impl Found {
    /// A line for each file that has any, and one for all.
    pub fn counts(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .files
            .iter()
            .map(|(file, counts)| format!("unsafe in {file}: {}", counts.said()))
            .collect();
        let mut all = Counts::default();
        for counts in self.files.values() {
            all.blocks += counts.blocks;
            all.functions += counts.functions;
            all.impls += counts.impls;
            all.others += counts.others;
        }
        lines.push(format!("unsafe in all: {}", all.said()));
        lines
    }
}

impl Counts {
    fn said(self) -> String {
        let Counts {
            blocks,
            functions,
            impls,
            others,
        } = self;
        format!("{blocks} blocks, {functions} functions, {impls} impls, {others} others")
    }
}

/// Looks at every Rust file of the project but the fuzz targets' workspace, which has no code but calls.
///
/// # Errors
/// When a file cannot be read, or is no Rust.
pub fn scan(top: &Path) -> Result<Found> {
    let mut found = Found::default();
    let mut waiting: Vec<PathBuf> = ["crates", "xtask", "tests", "fuzz"]
        .map(|name| top.join(name))
        .into();
    let mut files = Vec::new();
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(&directory).with_context(|| directory.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() && path.file_name() != Some("target".as_ref()) {
                waiting.push(path);
            } else if path.extension() == Some("rs".as_ref()) {
                files.push(path);
            }
        }
    }
    files.sort();
    for path in files {
        let name = path.strip_prefix(top).unwrap_or(&path).display().to_string();
        let text = std::fs::read_to_string(&path).with_context(|| name.clone())?;
        file(&name, &text, &mut found)?;
    }
    Ok(found)
}

fn file(name: &str, text: &str, found: &mut Found) -> Result<()> {
    // Neither comments nor strings are tokens, and most files have none of either word.
    if !text.contains("unsafe") {
        return Ok(());
    }
    let tokens: TokenStream = text
        .parse()
        .map_err(|error| anyhow::anyhow!("{name} is no Rust: {error}"))?;
    let mut places = Vec::new();
    let mut counts = Counts::default();
    walk(tokens, &mut counts, &mut places);
    let lines: Vec<&str> = text.lines().collect();
    let may = may_have(name);
    for place in &places {
        match *place {
            Place::Unsafe(line) => {
                if !may {
                    found
                        .wrong
                        .push(format!("{name}:{line}: unsafe outside of a sys module"));
                }
                if !reasoned(&lines, line) {
                    found
                        .wrong
                        .push(format!("{name}:{line}: unsafe without a SAFETY comment"));
                }
            }
            Place::Allowed(line) if !may => {
                found.wrong.push(format!(
                    "{name}:{line}: allows unsafe code outside of a sys module"
                ));
            }
            Place::Allowed(_) => {}
        }
    }
    if counts != Counts::default() {
        found.files.insert(name.to_owned(), counts);
    }
    Ok(())
}

fn may_have(name: &str) -> bool {
    ROOMS.iter().any(|room| {
        name.strip_prefix(room)
            .is_some_and(|rest| rest == "/sys.rs" || rest.starts_with("/sys/"))
    })
}

enum Place {
    /// The word, in a line (from 1).
    Unsafe(usize),
    /// The lint's name, in anything but the workspace's own table.
    Allowed(usize),
}

fn walk(tokens: TokenStream, counts: &mut Counts, places: &mut Vec<Place>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => walk(group.stream(), counts, places),
            TokenTree::Ident(word) if word == "unsafe" => {
                places.push(Place::Unsafe(word.span().start().line));
                match tokens.peek() {
                    Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                        counts.blocks += 1
                    }
                    Some(TokenTree::Ident(next)) if next == "fn" || next == "extern" => counts.functions += 1,
                    Some(TokenTree::Ident(next)) if next == "impl" => counts.impls += 1,
                    _ => counts.others += 1,
                }
            }
            TokenTree::Ident(word) if word == "unsafe_code" => {
                places.push(Place::Allowed(word.span().start().line));
            }
            _ => {}
        }
    }
}

/// Whether a reason stands in the line or shortly above it, with no empty line between.
fn reasoned(lines: &[&str], line: usize) -> bool {
    let above = lines.get(..line).unwrap_or_default().iter().rev().take(REACH + 1);
    above
        .take_while(|text| !text.trim().is_empty())
        .any(|text| text.contains("// SAFETY: ") || text.contains("/// # Safety"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, text: &str) -> Found {
        let mut found = Found::default();
        file(name, text, &mut found).unwrap();
        found
    }

    #[test]
    fn words_in_comments_and_strings_do_not_count() {
        let text = "//! unsafe\n/* unsafe { } */\nfn a() { let _ = \"unsafe {\"; let _ = r#\"unsafe \"{\"#; let _unsafe_: char = 'u'; }\n";
        let found = found("crates/deb/src/a.rs", text);
        assert!(found.files.is_empty() && found.wrong.is_empty());
    }

    #[test]
    fn each_kind_is_counted_and_needs_its_reason_and_its_place() {
        let good = "// SAFETY: so.\nunsafe fn a() {}\n\n// SAFETY: so.\nunsafe impl A for B {}\n\nfn c() {\n    // SAFETY: so.\n    let _ = d(\n        \
                    unsafe { a() },\n    );\n}\n";
        let in_sys = found("crates/enter/src/sys.rs", good);
        assert!(in_sys.wrong.is_empty(), "{:?}", in_sys.wrong);
        let counts = Counts {
            blocks: 1,
            functions: 1,
            impls: 1,
            others: 0,
        };
        assert_eq!(in_sys.files["crates/enter/src/sys.rs"], counts);
        for elsewhere in [
            "crates/deb/src/sys.rs",
            "crates/enter/src/system.rs",
            "xtask/src/sys.rs",
        ] {
            assert_eq!(found(elsewhere, good).wrong.len(), 3, "{elsewhere}");
        }
        let bare = "// SAFETY: for another one.\n\nfn a() {\n    unsafe { b() }\n}\n";
        assert_eq!(found("crates/unpack/src/sys/a.rs", bare).wrong.len(), 1);
        let allowed = "#![allow(unsafe_code)]\n";
        assert_eq!(found("crates/deb/src/a.rs", allowed).wrong.len(), 1);
        assert_eq!(found("crates/enter/src/sys.rs", allowed).wrong.len(), 0);
    }
}
