//! `cargo xtask peers ubuntu --mirror URL`: for whoever has a mirror of Ubuntu.

use anyhow::Result;

use super::debian::{own_checks, same_packages, same_tree};
use super::exceptions::Pair;
use crate::report::Report;
use crate::workshop::{Recipe, Workshop};

/// Which roots.
#[derive(clap::Args, Clone, Debug)]
pub struct Which {
    /// A mirror of Ubuntu's archive
    #[arg(long, value_name = "URL")]
    mirror: String,
    /// The suites
    #[arg(long, value_delimiter = ',', default_value = "jammy,noble")]
    suite: Vec<String>,
    /// The variants
    #[arg(long, value_delimiter = ',', default_value = "minbase,buildd")]
    variant: Vec<String>,
}

/// The comparisons.
///
/// # Errors
/// When a root cannot be read or removed.
pub fn run(workshop: &Workshop, which: &Which, report: &mut Report) -> Result<()> {
    let mirror = which.mirror.trim_end_matches('/');
    for suite in &which.suite {
        for variant in &which.variant {
            let recipe = Recipe {
                distribution: "ubuntu",
                suite,
                variant,
                mirror,
                epoch: true,
                expired: false,
            };
            let title = format!("ubuntu {suite} {variant}");
            let peer = report.take(
                &format!("{title}: mmdebstrap makes it"),
                workshop.mmdebstrap(&recipe),
            );
            let ours = workshop.bareroot(&recipe, &["--components", "main"]);
            let ours = report.take(&format!("{title}: bareroot makes it"), ours);
            if let (Some(peer), Some(ours)) = (&peer, &ours) {
                same_packages(peer, ours, &title, report)?;
                same_tree(&Pair { suite, peer, ours }, &title, report)?;
                own_checks(peer, ours, &recipe, &title, report)?;
            }
            for root in [peer, ours].into_iter().flatten() {
                workshop.remove(&root)?;
            }
        }
    }
    Ok(())
}
