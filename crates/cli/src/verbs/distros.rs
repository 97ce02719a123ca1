//! `bareroot distros`: the catalogue.

use bareroot_bootstrap::catalogue;
use serde_json::json;

use crate::args::Distros;
use crate::exit::Failure;
use crate::text;

/// Lists what can be named in a SPEC.
pub fn run(verb: &Distros) -> Result<(), Failure> {
    let mut lines = String::new();
    let mut documents = Vec::new();
    for distribution in catalogue::all() {
        for release in &distribution.releases {
            let default = release.codename == distribution.default;
            let others: Vec<&str> = release
                .version
                .iter()
                .chain(&release.aliases)
                .map(String::as_str)
                .collect();
            lines.push_str(&format!(
                "{:<18} {:<24} {}{}\n",
                format!("{}:{}", distribution.id, release.codename),
                others.join(", "),
                distribution.mirror,
                if default { "  (default)" } else { "" }
            ));
            documents.push(json!({
                "spec": format!("{}:{}", distribution.id, release.codename),
                "distribution": distribution.name,
                "version": release.version,
                "aliases": release.aliases,
                "mirror": distribution.mirror,
                "components": distribution.components,
                "architectures": distribution.architectures,
                "default": default,
            }));
        }
    }
    let words = if verb.json {
        format!("{}\n", json!({ "releases": documents }))
    } else {
        lines
    };
    text::to_stdout(&words);
    Ok(())
}
