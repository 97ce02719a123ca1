//! The words of `bareroot mirror`.

use std::path::PathBuf;

use clap::Args;

use super::{PlanOptions, Talk};

/// `mirror SPEC DIR`, `mirror --sources FILE DIR`, and `mirror DIR`, which are told apart in `verbs/mirror.rs`.
#[derive(Debug, Args)]
#[command(override_usage = "bareroot mirror [OPTIONS] [SPEC] <DIR>")]
pub struct Mirror {
    /// distribution:release (debian:trixie, fedora:43), left out with --sources or --repo; then the mirror's directory.
    /// DIR alone brings up to date what the mirror has
    #[arg(value_names = ["SPEC", "DIR"], num_args = 1..=2, required = true)]
    pub words: Vec<String>,
    #[command(flatten)]
    pub plan: PlanOptions,
    /// Remove what nothing in the mirror needs any more: only files that bareroot put there
    #[arg(long, conflicts_with = "check", help_heading = "How")]
    pub prune: bool,
    /// Fetch nothing: check every byte of DIR against its signed files, and name what is missing or damaged
    #[arg(long, help_heading = "How")]
    pub check: bool,
    #[command(flatten)]
    pub talk: Talk,
}

impl Mirror {
    /// The SPEC, whether anything is asked for at all, and the directory.
    pub fn meant(&self) -> (Option<String>, bool, PathBuf) {
        let named = !self.plan.sources.is_empty() || !self.plan.repos.is_empty();
        match self.words.as_slice() {
            [spec, dir] => (Some(spec.clone()), true, dir.into()),
            words => (None, named, words.first().map_or("", String::as_str).into()),
        }
    }
}
