//! Each dependency of the workspace has the reason for it in its line of Cargo.toml, and is named there alone.

use std::path::Path;

use anyhow::{Context, Result};

/// Dependencies without a reason, and dependencies that a room brings past the workspace's list.
///
/// # Errors
/// When a manifest cannot be read.
pub fn missing(top: &Path) -> Result<Vec<String>> {
    let read = |path: &Path| std::fs::read_to_string(path).with_context(|| path.display().to_string());
    let mut wrong = without_reason(&read(&top.join("Cargo.toml"))?, "workspace.dependencies");
    let mut rooms = vec![top.join("xtask")];
    for entry in std::fs::read_dir(top.join("crates"))? {
        rooms.push(entry?.path());
    }
    rooms.sort();
    for room in rooms {
        let manifest = room.join("Cargo.toml");
        let name = manifest
            .strip_prefix(top)
            .unwrap_or(&manifest)
            .display()
            .to_string();
        let past = past_the_list(&read(&manifest)?).with_context(|| name.clone())?;
        wrong.extend(past.into_iter().map(|what| format!("{name}: {what}")));
    }
    Ok(wrong)
}

/// Lines of a table that name a version and end in no comment.
fn without_reason(manifest: &str, table: &str) -> Vec<String> {
    let header = format!("[{table}]");
    let inside = manifest
        .lines()
        .skip_while(|line| line.trim() != header)
        .skip(1)
        .take_while(|line| !line.starts_with('['));
    inside
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#') && !line.contains("path = "))
        .filter(|line| {
            let reason = line.rsplit_once("# ").map(|(_, reason)| reason.trim());
            reason.is_none_or(str::is_empty)
        })
        .map(|line| format!("no reason: {line}"))
        .collect()
}

/// Dependencies that do not say `workspace = true`.
fn past_the_list(manifest: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = toml::from_str(manifest)?;
    let mut wrong = Vec::new();
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, value) in manifest
            .get(kind)
            .and_then(toml::Value::as_table)
            .into_iter()
            .flatten()
        {
            if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                wrong.push(format!("{name} is not the workspace's"));
            }
        }
    }
    if manifest.contains_key("target") {
        wrong.push("dependencies of a target are not looked at here".to_owned());
    }
    let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
    if lints.and_then(toml::Value::as_bool) != Some(true) {
        wrong.push("the workspace's lints are not in force".to_owned());
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_reason_is_named() {
        let manifest = "[a]\nx = 1\n[deps]\n# A heading.\nroom = { path = \"room\" }\ngood = \"1\" # for this\nbad = \"1\"\n\
                        worse = \"1\" # \n[b]\ny = 1\n";
        assert_eq!(
            without_reason(manifest, "deps"),
            ["no reason: bad = \"1\"", "no reason: worse = \"1\" # "]
        );
    }

    #[test]
    fn a_room_names_no_version() {
        let good = "[dependencies]\na.workspace = true\nb = { workspace = true, features = [] }\n[lints]\nworkspace = true\n";
        assert!(past_the_list(good).unwrap().is_empty());
        let bad = "[dev-dependencies]\na = \"1\"\n";
        assert_eq!(
            past_the_list(bad).unwrap(),
            [
                "a is not the workspace's",
                "the workspace's lints are not in force"
            ]
        );
    }
}
