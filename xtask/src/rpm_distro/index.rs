//! The repositories' metadata: createrepo_c's, with groups and modules, signed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest as _, Sha256};

use super::build::BUILT;
use super::debs::Repo;
use super::sign::Key;
use crate::run::must;

/// Indexes a repository and signs its repomd.xml.
///
/// # Errors
/// When createrepo_c or gpg fails.
pub fn index(recipe: &Path, dir: &Path, repo: Repo, key: &Key) -> Result<()> {
    let repository = dir.join(repo.word());
    // Debian 12's createrepo_c knows no zstd for metadata.
    let compression = match repo {
        Repo::Base => "gz",
        Repo::Extra => "xz",
    };
    let mut createrepo = Command::new("createrepo_c");
    createrepo.args([
        "--quiet",
        "--no-database",
        "--revision",
        BUILT,
        "--set-timestamp-to-revision",
    ]);
    createrepo.arg(format!("--general-compress-type={compression}"));
    createrepo.arg("--workers=2");
    let groups = recipe.join(format!("comps-{}.xml", repo.word()));
    if groups.exists() {
        createrepo.arg("--groupfile").arg(&groups);
    }
    must(createrepo.arg(&repository))?;
    let repodata = repository.join("repodata");
    let modules = recipe.join(format!("modules-{}.yaml", repo.word()));
    if modules.exists() {
        let mut modify = Command::new("modifyrepo_c");
        modify.args(["--mdtype=modules", "--compress-type=gz"]);
        must(modify.arg(&modules).arg(&repodata))?;
    }
    if repo == Repo::Extra {
        zstd(&repodata)?;
    }
    let repomd = repodata.join("repomd.xml");
    key.sign_file(&repomd)
}

/// Packs primary, filelists and other with zstd, as newer distributions have them.
fn zstd(repodata: &Path) -> Result<()> {
    let repomd = repodata.join("repomd.xml");
    let mut text = fs::read_to_string(&repomd)?;
    for kind in ["primary", "filelists", "other"] {
        let packed = find(repodata, &format!("-{kind}.xml.xz"))?;
        let plain = repodata.join(format!("{kind}.xml"));
        let unpacked = Command::new("xz")
            .arg("-dc")
            .arg(&packed)
            .output()
            .context("xz cannot be run")?;
        ensure!(
            unpacked.status.success(),
            "`{}` cannot be unpacked",
            packed.display()
        );
        fs::write(&plain, &unpacked.stdout)?;
        must(Command::new("zstd").args(["-q", "-f", "--rm"]).arg(&plain))?;
        fs::remove_file(packed)?;
        let made = plain.with_extension("xml.zst");
        let bytes = fs::read(&made)?;
        let name = format!("{}-{kind}.xml.zst", sha256(&bytes));
        fs::rename(&made, repodata.join(&name))?;
        let element = format!(
            "<data type=\"{kind}\">\n    <checksum type=\"sha256\">{}</checksum>\n    \
             <open-checksum type=\"sha256\">{}</open-checksum>\n    <location href=\"repodata/{name}\"/>\n    \
             <timestamp>{BUILT}</timestamp>\n    <size>{}</size>\n    <open-size>{}</open-size>\n  </data>",
            sha256(&bytes),
            sha256(&unpacked.stdout),
            bytes.len(),
            unpacked.stdout.len()
        );
        let start = text
            .find(&format!("<data type=\"{kind}\">"))
            .context("repomd.xml lacks a file")?;
        let end = text[start..]
            .find("</data>")
            .context("repomd.xml has an open element")?;
        text.replace_range(start..start + end + "</data>".len(), &element);
    }
    Ok(fs::write(&repomd, text)?)
}

fn sha256(bytes: &[u8]) -> String {
    super::hex(&Sha256::digest(bytes))
}

fn find(directory: &Path, end: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(end) {
            return Ok(path);
        }
    }
    anyhow::bail!("`{}` has no `{end}`", directory.display())
}
