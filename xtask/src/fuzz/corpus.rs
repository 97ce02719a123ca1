//! The inputs that are kept: a small archive for each target, so that a run starts where the last one came to.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::Places;
use crate::run::must;

/// How large a target's kept inputs may be together, in bytes, before compression.
const KEPT: u64 = 256 << 10;

fn archive(name: &str, places: &Places) -> PathBuf {
    places.kept.join(format!("{name}.tar.zst"))
}

/// Puts a target's kept inputs beside those that earlier runs found.
pub fn unpack(name: &str, places: &Places) -> Result<()> {
    let path = archive(name, places);
    let Ok(packed) = fs::read(&path) else {
        return Ok(());
    };
    let bytes = zstd::decode_all(packed.as_slice()).with_context(|| path.display().to_string())?;
    let mut archive = tar::Archive::new(bytes.as_slice());
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name_of_input = entry.path()?.file_name().map(PathBuf::from);
        let name_of_input =
            name_of_input.with_context(|| format!("{}: an entry without a name", path.display()))?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        fs::write(places.corpus.join(name).join(name_of_input), content)?;
    }
    Ok(())
}

/// Takes the smallest inputs that reach all that the corpus reaches, as many as fit.
pub fn keep(name: &str, program: &Path, places: &Places) -> Result<()> {
    let small = places.corpus.with_file_name("minimised").join(name);
    if small.exists() {
        fs::remove_dir_all(&small)?;
    }
    fs::create_dir_all(&small)?;
    must(
        Command::new(program)
            .arg("-merge=1")
            .arg(&small)
            .arg(places.corpus.join(name)),
    )?;
    let mut inputs: Vec<(u64, PathBuf)> = fs::read_dir(&small)?
        .map(|entry| {
            let entry = entry?;
            Ok((entry.metadata()?.len(), entry.path()))
        })
        .collect::<Result<_>>()?;
    inputs.sort();
    let mut builder = tar::Builder::new(Vec::new());
    let (mut room, mut count) = (KEPT, 0_u32);
    for (length, path) in &inputs {
        let Some(left) = room.checked_sub(*length) else {
            break;
        };
        room = left;
        let content = fs::read(path)?;
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append_data(
            &mut header,
            path.file_name().context("an input has a name")?,
            content.as_slice(),
        )?;
        count += 1;
    }
    fs::create_dir_all(&places.kept)?;
    let packed = zstd::encode_all(builder.into_inner()?.as_slice(), 19)?;
    fs::File::create(archive(name, places))?.write_all(&packed)?;
    println!(
        "note {name}: {count} of {} inputs kept, {} bytes packed",
        inputs.len(),
        packed.len()
    );
    Ok(())
}
