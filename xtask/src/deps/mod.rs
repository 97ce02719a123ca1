//! The tree of dependencies, held against deny.toml and the rules of the house.
//!
//! cargo-deny and cargo-audit are run as well where they are installed; what they alone know is RustSec's list of
//! vulnerabilities. The rest needs nothing but cargo and, for what was yanked, its registry.

mod deny;
mod reasons;
mod tree;
mod unsafety;
mod yanked;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::report::{Report, lines};
use crate::run;

/// What is asked for.
#[derive(clap::Args)]
pub struct Args {
    /// Ask no registry which versions were yanked.
    #[arg(long)]
    offline: bool,
}

/// Checks everything; a line each.
///
/// # Errors
/// When a check fails.
pub fn run(args: &Args) -> Result<()> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(PathBuf::from)
        .unwrap_or_default();
    let mut report = Report::default();
    let policy = deny::Policy::read(&top.join("deny.toml"))?;
    for (workspace, of) in [(&top, ""), (&top.join("fuzz"), " of the fuzz targets")] {
        let tree = tree::Tree::read(workspace, &policy.targets)?;
        report.note(&format!(
            "{} packages from registries{of}",
            tree.foreign().count()
        ));
        report.check(&format!("licences{of}"), &policy.licences(&tree));
        report.check(&format!("sources{of}"), &policy.sources(&tree));
        report.check(&format!("banned packages{of}"), &policy.banned(&tree));
        for twice in tree.duplicates() {
            report.note(&format!("in more than one version{of}: {twice}"));
        }
        match args.offline {
            true => report.skip(&format!("yanked versions{of}"), "--offline"),
            false => yanked::check(workspace, of, &mut report)?,
        }
    }
    report.check("each dependency has its reason", &reasons::missing(&top)?);
    let found = unsafety::scan(&top)?;
    for count in found.counts() {
        report.note(&count);
    }
    report.check("unsafe code is where it may be, with its reasons", &found.wrong);
    beside(&top, "deny", &["check"], &mut report)?;
    beside(&top, "audit", &["--deny", "warnings"], &mut report)?;
    report.close()
}

/// A check by a program that need not be there.
fn beside(top: &Path, tool: &str, words: &[&str], report: &mut Report) -> Result<()> {
    let what = format!("cargo {tool}");
    if run::find(&format!("cargo-{tool}")).is_none() {
        report.skip(&what, "it is not installed");
        return Ok(());
    }
    let ran = run::run(Command::new("cargo").arg(tool).args(words).current_dir(top))?;
    let evidence = if ran.success {
        Vec::new()
    } else {
        lines(&ran.tail())
    };
    report.check(&what, &evidence);
    Ok(())
}
